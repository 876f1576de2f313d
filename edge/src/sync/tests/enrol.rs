//! Enrolment with the right centre, with wrong ones, and with answers lost on the way.

use std::path::Path;
use std::sync::{Arc, Mutex};

use hufu_shared::cbor;
use hufu_shared::code::EnrolCode;
use hufu_shared::ids::{DeviceId, Hash};
use hufu_shared::scheme::Words;
use hufu_shared::seal;
use hufu_shared::time::Instant;
use hufu_shared::token::TokenKey;
use hufu_shared::wire::enrol::{EnrolAnswer, EnrolRequest, Purpose, SealedTokenKeys, token_keys_place};
use hufu_shared::wire::problem::ProblemKind;
use rustls::time_provider::DefaultTimeProvider;
use tempfile::TempDir;

use super::ca::{CLUB, DEVICE, EPOCH, OFFICE, TestCa};
use super::centre::{NOW, PlayedCentre, Reply, SHORT};
use crate::clock::{Clock, Readings};
use crate::sync::client::CentreError;
use crate::sync::enrol::{Ask, EnrolError, enrol};
use crate::sync::identity::{Identity, IdentityError};
use crate::sync::trust::TrustedTime;

fn code(ca: &TestCa) -> EnrolCode {
    EnrolCode { secret: [0x5a; 10], fingerprint: ca.fingerprint() }
}

async fn try_enrol(
    dir: &Path,
    url: &str,
    code: &EnrolCode,
    names: &[String],
    replace: bool,
) -> Result<Identity, EnrolError> {
    let ask = Ask { url, code, names, board: Hash([7; 32]), software: "0.1.0", replace };
    enrol(dir, &ask, SHORT, Arc::new(DefaultTimeProvider)).await
}

/// What a right centre answers.
fn answer(ca: &TestCa, body: &[u8]) -> EnrolAnswer {
    let request: EnrolRequest = cbor::decode(body).expect("a request");
    let keys = cbor::encode(&SealedTokenKeys { keys: vec![TokenKey::new(1, [3; 32])] });
    let certificates = request.csrs.iter().map(|csr| match csr.purpose {
        Purpose::Device => ca.device(csr, DEVICE, NOW).into(),
        Purpose::Counter => ca.counter(csr).into(),
    });
    EnrolAnswer {
        device: DEVICE,
        name: "前台一".to_owned(),
        epoch: 1,
        club: CLUB,
        club_name: Words { zh: "客户会".to_owned(), en: "Club".to_owned() },
        office: OFFICE,
        central_epoch: EPOCH,
        ca: ca.certificate.to_vec(),
        certificates: certificates.collect(),
        central_seal_key: ca.open.seal_key(),
        central_sign_key: ca.sign_key(),
        token_keys: seal::seal(&request.seal_key, &token_keys_place(DEVICE), &keys).expect("a key"),
        central_time: Instant(0),
    }
}

#[tokio::test]
async fn a_code_makes_a_terminal_once() {
    let (dir, ca) = (TempDir::new().expect("scratch"), Arc::new(TestCa::new("club")));
    let authority = ca.clone();
    let played = PlayedCentre::start(&ca, move |seen| Reply::cbor(&answer(&authority, &seen.body))).await;
    let names = ["localhost".to_owned(), "10.0.0.7".to_owned()];
    let identity = try_enrol(dir.path(), &played.url, &code(&ca), &names, false).await.expect("enrolled");
    assert_eq!(identity.enrolment.device, DEVICE);
    assert_eq!(identity.enrolment.central_url, played.url);
    assert_eq!(identity.enrolment.first_key, identity.device().public_key_info());
    assert_eq!(identity.terminal().expect("its keys").token_keys.len(), 1);
    assert!(identity.counter().is_some());
    let seen = &played.seen()[0];
    assert_eq!((seen.path.as_str(), &seen.certificate), ("/device/v1/enrol", &None));
    let request: EnrolRequest = cbor::decode(&seen.body).expect("a request");
    assert_eq!((request.secret, request.csrs.len()), (vec![0x5a; 10], 2));
    assert_eq!(request.csrs[1].names, names);

    let again = try_enrol(dir.path(), &played.url, &code(&ca), &[], false).await.err().expect("refused");
    assert!(again.to_string().contains("enrolled already, as \"前台一\""), "{again}");
    assert_eq!(played.seen().len(), 1, "the code was not used up");
    let replaced = try_enrol(dir.path(), &played.url, &code(&ca), &[], true).await.expect("enrolled again");
    assert_ne!(replaced.device().key_id(), identity.device().key_id());
}

/// A wall clock that stands at 1970.
struct Unset;

impl Readings for Unset {
    fn wall(&self) -> Instant {
        Instant(5)
    }
    fn mono_ns(&self) -> u64 {
        0
    }
}

#[tokio::test]
async fn case_25_a_terminal_whose_clock_was_never_set_can_be_enrolled() {
    let (dir, ca) = (TempDir::new().expect("scratch"), Arc::new(TestCa::new("club")));
    let authority = ca.clone();
    let played = PlayedCentre::start(&ca, move |seen| Reply::cbor(&answer(&authority, &seen.body))).await;
    let code = code(&ca);
    let ask = Ask {
        url: &played.url,
        code: &code,
        names: &[],
        board: Hash([7; 32]),
        software: "0.1.0",
        replace: false,
    };
    let time = Arc::new(TrustedTime(Clock::new(Arc::new(Unset), Instant(0))));
    let identity = enrol(dir.path(), &ask, SHORT, time).await.expect("enrolled");
    assert_eq!(identity.enrolment.device, DEVICE);
}

#[tokio::test]
async fn case_42_a_server_with_another_ca_is_named_with_both_fingerprints() {
    let (ca, other) = (TestCa::new("club"), TestCa::new("other"));
    for sends_ca in [true, false] {
        let dir = TempDir::new().expect("scratch");
        let (leaf, key) = other.server("localhost", NOW);
        let chain = if sends_ca { vec![leaf, other.certificate.clone()] } else { vec![leaf] };
        let played = PlayedCentre::with_chain(chain, key, &other, |_| Reply::Status(500, None)).await;
        let refused =
            try_enrol(dir.path(), &played.url, &code(&ca), &[], false).await.err().expect("refused");
        let text = refused.to_string();
        assert!(text.contains(&ca.fingerprint().to_string()), "{text}");
        assert_eq!(text.contains(&other.fingerprint().to_string()), sends_ca, "{text}");
        assert_eq!(played.seen().len(), 0, "the code was told to nobody");
        assert!(matches!(Identity::load(dir.path()), Err(IdentityError::NotEnrolled { .. })));
    }
}

#[tokio::test]
async fn case_42_the_right_ca_beside_a_certificate_of_another_does_not_help() {
    let (dir, ca, other) = (TempDir::new().expect("scratch"), TestCa::new("club"), TestCa::new("other"));
    let (leaf, key) = other.server("localhost", NOW);
    let chain = vec![leaf, ca.certificate.clone()];
    let played = PlayedCentre::with_chain(chain, key, &other, |_| Reply::Status(500, None)).await;
    let refused = try_enrol(dir.path(), &played.url, &code(&ca), &[], false).await.err().expect("refused");
    assert!(matches!(refused, EnrolError::Centre(CentreError::NotTheCentre { .. })), "{refused}");
    assert_eq!(played.seen().len(), 0);
}

#[tokio::test]
async fn case_41_a_certificate_for_another_name_is_refused() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let (leaf, key) = ca.server("elsewhere.example", NOW);
    let chain = vec![leaf, ca.certificate.clone()];
    let played = PlayedCentre::with_chain(chain, key, &ca, |_| Reply::Status(500, None)).await;
    let refused = try_enrol(dir.path(), &played.url, &code(&ca), &[], false).await.err().expect("refused");
    assert!(refused.to_string().contains("not valid for name"), "{refused}");
    assert_eq!(played.seen().len(), 0);
}

#[tokio::test]
async fn case_47_what_the_centre_says_of_a_code_is_passed_on() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let problem = ProblemKind::Code.problem("the code was used at 2026-11-22 15:02:11");
    let played = PlayedCentre::start(&ca, move |_| Reply::Problem(problem.clone(), None)).await;
    let refused = try_enrol(dir.path(), &played.url, &code(&ca), &[], false).await.err().expect("refused");
    assert_eq!(
        refused.to_string(),
        "403 enrolment code does not hold: the code was used at 2026-11-22 15:02:11"
    );
}

#[tokio::test]
async fn case_08_a_lost_answer_is_asked_for_again_with_the_same_keys() {
    let (dir, ca) = (TempDir::new().expect("scratch"), Arc::new(TestCa::new("club")));
    let (authority, calls) = (ca.clone(), Mutex::new(0));
    let played = PlayedCentre::start(&ca, move |seen| {
        let mut calls = calls.lock().expect("no panic before");
        *calls += 1;
        if *calls == 1 { Reply::Lost } else { Reply::cbor(&answer(&authority, &seen.body)) }
    })
    .await;
    let lost = try_enrol(dir.path(), &played.url, &code(&ca), &[], false).await.err().expect("no answer");
    assert!(matches!(lost, EnrolError::Centre(CentreError::Unreachable { .. })), "{lost}");
    assert!(matches!(Identity::load(dir.path()), Err(IdentityError::NotEnrolled { .. })));
    try_enrol(dir.path(), &played.url, &code(&ca), &[], false).await.expect("enrolled");
    let keys = |body: &[u8]| {
        let request: EnrolRequest = cbor::decode(body).expect("a request");
        let csr = rcgen::CertificateSigningRequestParams::from_der(&request.csrs[0].der.clone().into());
        use rcgen::PublicKeyData;
        (csr.expect("a request").public_key.subject_public_key_info(), request.seal_key)
    };
    let seen = played.seen();
    assert_eq!(keys(&seen[0].body), keys(&seen[1].body));
}

#[tokio::test]
async fn threat_t06_an_answer_that_contradicts_the_code_or_the_request_is_refused() {
    type Change = fn(&mut EnrolAnswer, &TestCa);
    let changes: [(&str, Change); 5] = [
        ("CA", |answer, other| answer.ca = other.certificate.to_vec()),
        ("certificates expected, met 0", |answer, _| answer.certificates.clear()),
        ("another key", |answer, other| {
            let key = crate::sync::pair::OwnKey::generate().expect("a key");
            let csr = key.request(Purpose::Device, &[]).expect("a request");
            answer.certificates[0] = other.device(&csr, DEVICE, NOW).into();
        }),
        ("expected a name ending in", |answer, _| answer.device = DeviceId([8; 16])),
        ("token keys", |answer, _| answer.token_keys[40] ^= 1),
    ];
    for (word, change) in changes {
        let (dir, ca) = (TempDir::new().expect("scratch"), Arc::new(TestCa::new("club")));
        let authority = ca.clone();
        let played = PlayedCentre::start(&ca, move |seen| {
            let mut wrong = answer(&authority, &seen.body);
            change(&mut wrong, &TestCa::new("other"));
            if word.starts_with("expected a name") {
                // Sealed for the device named, so that only the certificate gives it away.
                let request: EnrolRequest = cbor::decode(&seen.body).expect("a request");
                let keys = cbor::encode(&SealedTokenKeys { keys: Vec::new() });
                let place = token_keys_place(wrong.device);
                wrong.token_keys = seal::seal(&request.seal_key, &place, &keys).expect("a key");
            }
            Reply::cbor(&wrong)
        })
        .await;
        let refused =
            try_enrol(dir.path(), &played.url, &code(&ca), &[], false).await.err().expect("refused");
        assert!(refused.to_string().contains(word), "{word}: {refused}");
        assert!(matches!(Identity::load(dir.path()), Err(IdentityError::NotEnrolled { .. })), "{word}");
    }
}
