//! Enrolment codes and certificates.

use hufu_shared::cbor;
use hufu_shared::code::EnrolCode;
use hufu_shared::time::{DAY_US, MINUTE_US};
use hufu_shared::wire::enrol::{
    Csr, EnrolAnswer, Purpose, RenewAnswer, RenewRequest, SealedTokenKeys, token_keys_place,
};
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::upload::Receipt;
use hufu_shared::wire::version::PROTO;
use rcgen::{CertificateParams, KeyPair};

use super::kit::{Site, Terminal, each};
use crate::ca::PeerIdentity;

async fn post_enrol(site: &Site, body: Vec<u8>) -> super::kit::Answer {
    site.connect(None).await.unwrap().post("/device/v1/enrol", body).await.unwrap()
}

fn guess(code: &EnrolCode) -> EnrolCode {
    let mut wrong = code.clone();
    wrong.secret[9] ^= 1;
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_enrols_and_gets_all_that_it_needs() {
    each(|site| async move {
        let code = site.invite("一号机", None).await;
        let mut terminal = Terminal::unenrolled();
        let answer = terminal.enrol(&site, &code).await.unwrap();
        assert_eq!((answer.name.as_str(), answer.epoch), ("一号机", 1));
        assert_eq!(answer.ca, site.app.authority.certificate().to_vec());
        assert_eq!(answer.certificates.len(), 1);
        let sealed = terminal.open.open(&token_keys_place(answer.device), &answer.token_keys).unwrap();
        let keys: SealedTokenKeys = cbor::decode(&sealed).unwrap();
        assert_eq!(keys.keys.iter().map(|key| key.version).collect::<Vec<_>>(), [1]);
        let receipt = terminal.send_from(&site, 1).await;
        assert_eq!((receipt.result.acked_seq, receipt.result.head_hash), (1, terminal.hash(1)));
        let mark = &receipt.session.mark;
        hufu_shared::keys::verify_centre(&answer.central_sign_key, &mark.message(), &mark.signature).unwrap();
        assert_eq!((mark.device, mark.acked_seq), (terminal.device, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goal_g20_a_code_lives_ten_minutes_and_five_tries_and_is_stored_hashed() {
    each(|site| async move {
        let code = site.invite("one", None).await;
        for row in site.probe("code_hashes", vec![]).await {
            assert_ne!(row.blob(0).unwrap(), code.secret);
            assert_eq!(row.blob(0).unwrap(), EnrolCode::secret_hash(&code.secret).0);
        }
        let mut terminal = Terminal::unenrolled();
        for _ in 0..5 {
            assert_eq!(terminal.enrol(&site, &guess(&code)).await.unwrap_err(), ProblemKind::Code);
        }
        assert_eq!(terminal.enrol(&site, &code).await.unwrap_err(), ProblemKind::Code, "burnt");
        // A guess that names no code costs nobody a try.
        let code = site.invite("two", None).await;
        let mut stranger = code.clone();
        stranger.secret[0] ^= 1;
        for _ in 0..7 {
            assert_eq!(terminal.enrol(&site, &stranger).await.unwrap_err(), ProblemKind::Code);
        }
        for _ in 0..4 {
            assert_eq!(terminal.enrol(&site, &guess(&code)).await.unwrap_err(), ProblemKind::Code);
        }
        terminal.enrol(&site, &code).await.unwrap();
        let code = site.invite("three", None).await;
        site.clock.advance(10 * MINUTE_US);
        let mut late = Terminal::unenrolled();
        assert_eq!(late.enrol(&site, &code).await.unwrap_err(), ProblemKind::Code, "expired");
        assert_eq!(site.count("entries", vec!["device_enrolled".into()]).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_08_the_same_key_may_ask_again_until_the_code_expires() {
    each(|site| async move {
        let code = site.invite("one", None).await;
        let mut terminal = Terminal::unenrolled();
        let first = terminal.enrol(&site, &code).await.unwrap();
        let again = terminal.enrol(&site, &code).await.unwrap();
        assert_eq!((first.device, first.epoch), (again.device, again.epoch));
        assert_eq!(site.count("entries", vec!["device_enrolled".into()]).await, 1);
        terminal.send_from(&site, 1).await;
        // Another key with the same code is another machine.
        assert_eq!(Terminal::unenrolled().enrol(&site, &code).await.unwrap_err(), ProblemKind::Code);
        site.clock.advance(10 * MINUTE_US);
        assert_eq!(terminal.enrol(&site, &code).await.unwrap_err(), ProblemKind::Code);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_47_of_many_keys_with_one_code_exactly_one_wins() {
    each(|site| async move {
        let code = site.invite("one", None).await;
        let mut racing = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let body = cbor::encode(&Terminal::unenrolled().request(&code));
            let mut link = site.connect(None).await.unwrap();
            racing.spawn(async move { link.post("/device/v1/enrol", body).await.unwrap() });
        }
        let answers = racing.join_all().await;
        let won: Vec<EnrolAnswer> =
            answers.iter().filter(|answer| answer.status.is_success()).map(|answer| answer.read()).collect();
        assert_eq!(won.len(), 1);
        for lost in answers.iter().filter(|answer| !answer.status.is_success()) {
            assert_eq!(lost.problem().0, ProblemKind::Code);
        }
        assert_eq!(site.count("entries", vec!["device_enrolled".into()]).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_46_requests_that_cannot_be_granted_spend_nothing() {
    each(|site| async move {
        let code = site.invite("one", None).await;
        let mut terminal = Terminal::unenrolled();
        let good = terminal.request(&code);
        let foreign = {
            let mut params = CertificateParams::default();
            let other =
                "spiffe://11111111-1111-7111-8111-111111111111/device/22222222-2222-7222-8222-222222222222";
            params.subject_alt_names = vec![rcgen::SanType::URI(other.try_into().unwrap())];
            params.serialize_request(&terminal.key).unwrap().der().to_vec()
        };
        let mut broken = good.csrs[0].der.clone();
        *broken.last_mut().unwrap() ^= 1;
        let csr = |der: Vec<u8>| Csr { purpose: Purpose::Device, der, names: Vec::new() };
        let rsa_like = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let p384 = CertificateParams::default().serialize_request(&rsa_like).unwrap().der().to_vec();
        let wrong = [
            vec![],
            vec![csr(good.csrs[0].der.clone()), csr(good.csrs[0].der.clone())],
            vec![csr(b"nonsense".to_vec())],
            vec![csr(foreign)],
            vec![csr(broken)],
            vec![csr(p384)],
        ];
        for (index, csrs) in wrong.into_iter().enumerate() {
            let request = hufu_shared::wire::enrol::EnrolRequest { csrs, ..good.clone() };
            let answer = post_enrol(&site, cbor::encode(&request)).await;
            assert_eq!(answer.problem().0, ProblemKind::Refused, "case {index}: {:?}", answer.problem().1);
        }
        // A megabyte of anything is refused by its length.
        let mut link = site.connect(None).await.unwrap();
        let answer = link.post("/device/v1/enrol", vec![0; 1024 * 1024]).await;
        // The refusal may overtake the body, which ends the connection.
        assert!(answer.is_err() || answer.unwrap().status == 413);
        terminal.enrol(&site, &code).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counter_page_gets_a_certificate_for_its_names_and_never_the_centres() {
    each(|site| async move {
        let code = site.invite("one", None).await;
        let terminal = Terminal::unenrolled();
        let key = KeyPair::generate().unwrap();
        let counter = |names: &[&str]| Csr {
            purpose: Purpose::Counter,
            der: CertificateParams::default().serialize_request(&key).unwrap().der().to_vec(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let mut request = terminal.request(&code);
        request.csrs.push(counter(&["desk-1.local", "127.0.0.1", "localhost"]));
        let answer: EnrolAnswer = post_enrol(&site, cbor::encode(&request)).await.read();
        assert_eq!(answer.certificates.len(), 2);
        assert!(PeerIdentity::read(&answer.certificates[1]).is_err(), "it does not name a terminal");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_43_an_ended_certificate_renews_and_does_nothing_else() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.send_from(&site, 1).await;
        // The centre's clock decides; the handshake itself goes by the machine's.
        site.clock.advance(31 * DAY_US);
        let mut link = terminal.connect(&site).await;
        let upload = terminal.batch(1, 1);
        let refused = link.upload(&upload).await;
        assert_eq!(refused.problem().0, ProblemKind::Unauthenticated);
        let fresh = KeyPair::generate().unwrap();
        let der = CertificateParams::default().serialize_request(&fresh).unwrap().der().to_vec();
        let csrs = vec![Csr { purpose: Purpose::Device, der, names: Vec::new() }];
        let body = cbor::encode(&RenewRequest { proto: PROTO, csrs });
        for _ in 0..2 {
            let mut link = terminal.connect(&site).await;
            let answer: RenewAnswer = link.post("/device/v1/renew", body.clone()).await.unwrap().read();
            terminal.certificate = terminal.certificate.clone();
            assert_eq!(PeerIdentity::read(&answer.certificates[0]).unwrap().device, terminal.device);
        }
        assert_eq!(
            site.count("entries", vec!["device_renewed".into()]).await,
            1,
            "a repeat is no second act"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_enrolment_opens_a_new_chain_and_ends_the_old_certificate() {
    each(|site| async move {
        let mut old = site.terminal("one").await;
        old.check_in(&site, 1);
        old.send_from(&site, 1).await;
        let code = site.invite("one", Some(old.device)).await;
        let mut new = Terminal::unenrolled();
        let answer = new.enrol(&site, &code).await.unwrap();
        assert_eq!((answer.device, answer.epoch), (old.device, 2));
        new.send_from(&site, 1).await;
        let upload = old.batch(1, 1);
        assert_eq!(old.connect(&site).await.upload(&upload).await.problem().0, ProblemKind::Epoch);
        // The new certificate with the old chain: taken for review, and nothing else is told.
        let receipt: Receipt = new.connect(&site).await.upload(&upload).await.read();
        assert_eq!((receipt.result.acked_seq, receipt.session.mark.journal_size), (1, 0));
    })
    .await;
}
