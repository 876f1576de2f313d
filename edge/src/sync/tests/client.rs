//! The client against a centre that is wrong, silent, busy, or not the centre.

use std::sync::Arc;
use std::time::Duration;

use hufu_shared::time::{DAY_US, Instant, SECOND_US};
use hufu_shared::wire::problem::ProblemKind;
use rustls::pki_types::UnixTime;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use tempfile::TempDir;

use super::ca::TestCa;
use super::centre::{NOW, PlayedCentre, Reply, SHORT};
use crate::clock::{Clock, Readings};
use crate::rules::backoff::Wish;
use crate::sync::client::{Centre, CentreError, tls_config};
use crate::sync::identity::Identity;
use crate::sync::trust::{CertificateTime, TrustedTime};

const ANSWER_MAX: usize = 100;

fn client(identity: &Identity, url: &str) -> Centre {
    let tls = tls_config(identity.ca(), identity.device(), Arc::new(DefaultTimeProvider)).expect("TLS");
    Centre::new(url, tls, SHORT).expect("an address")
}

async fn ask(centre: &Centre) -> Result<u64, CentreError> {
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, centre.post("/x", vec![1, 2, 3], ANSWER_MAX))
        .await
        .expect("the client has limits")
}

async fn ask_scripted(script: impl FnMut(&super::centre::Seen) -> Reply + Send + 'static) -> CentreError {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let played = PlayedCentre::start(&ca, script).await;
    ask(&client(&ca.identity(dir.path(), &played.url), &played.url)).await.expect_err("an error")
}

#[tokio::test]
async fn an_exchange_shows_the_device_certificate_and_carries_the_body() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let played = PlayedCentre::start(&ca, |_| Reply::cbor(&7_u64)).await;
    let identity = ca.identity(dir.path(), &played.url);
    assert_eq!(ask(&client(&identity, &played.url)).await.expect("an answer"), 7);
    let seen = played.seen();
    assert_eq!((seen[0].path.as_str(), seen[0].body.as_slice()), ("/x", &[1_u8, 2, 3][..]));
    assert_eq!(seen[0].certificate.as_deref(), Some(&identity.device().certificate()[..]));
}

#[tokio::test]
async fn case_41_a_server_with_a_wrong_name_or_past_its_end_is_refused() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    for (name, years, word) in
        [("elsewhere.example", NOW, "not valid for name"), ("localhost", (2010, 2012), "expired")]
    {
        let (leaf, key) = ca.server(name, years);
        let chain = vec![leaf, ca.certificate.clone()];
        let played = PlayedCentre::with_chain(chain, key, &ca, |_| Reply::cbor(&7_u64)).await;
        let error =
            ask(&client(&ca.identity(dir.path(), &played.url), &played.url)).await.expect_err("refused");
        assert!(matches!(error, CentreError::NotTheCentre { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(played.seen().len(), 0, "nothing was said to it");
    }
}

#[tokio::test]
async fn case_42_a_server_of_another_authority_is_refused() {
    let (dir, ca, other) = (TempDir::new().expect("scratch"), TestCa::new("club"), TestCa::new("public"));
    let (leaf, key) = other.server("localhost", NOW);
    let chain = vec![leaf, other.certificate.clone()];
    let played = PlayedCentre::with_chain(chain, key, &ca, |_| Reply::cbor(&7_u64)).await;
    let error = ask(&client(&ca.identity(dir.path(), &played.url), &played.url)).await.expect_err("refused");
    assert!(
        error.to_string().contains("by another CA than the one this terminal was enrolled with"),
        "{error}"
    );
    assert_eq!(played.seen().len(), 0);
}

#[derive(Debug)]
struct Stopped(u64);

impl TimeProvider for Stopped {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}

impl CertificateTime for Stopped {
    fn is_sure(&self) -> bool {
        true
    }
}

/// A wall clock that stands at 1970.
struct Unset;

impl Readings for Unset {
    fn wall(&self) -> Instant {
        Instant(5 * SECOND_US)
    }
    fn mono_ns(&self) -> u64 {
        0
    }
}

#[tokio::test]
async fn case_25_26_a_terminal_that_does_not_know_the_time_still_hears_the_centre_and_then_knows_it() {
    let (dir, ca, other) = (TempDir::new().expect("scratch"), TestCa::new("club"), TestCa::new("public"));
    let identity = ca.identity(dir.path(), "https://localhost:1");
    let ask_with = async |authority: &TestCa, name: &str, clock: &Clock| {
        let (leaf, key) = authority.server(name, (2010, 2012));
        let chain = vec![leaf, authority.certificate.clone()];
        let played = PlayedCentre::with_chain(chain, key, authority, |_| Reply::cbor(&7_u64)).await;
        let time = Arc::new(TrustedTime(clock.clone()));
        let tls = tls_config(identity.ca(), identity.device(), time).expect("TLS");
        ask(&Centre::new(&played.url, tls, SHORT).expect("an address")).await
    };
    let ahead = Instant(100 * 365 * DAY_US);
    for floor in [Instant(0), ahead] {
        let clock = Clock::new(Arc::new(Unset), floor);
        assert_eq!(ask_with(&ca, "localhost", &clock).await.expect("heard"), 7, "{floor:?}");
        // Nothing but the time is let pass.
        let error = ask_with(&other, "localhost", &clock).await.expect_err("another authority");
        assert!(error.to_string().contains("another CA"), "{error}");
        let error = ask_with(&ca, "elsewhere.example", &clock).await.expect_err("another name");
        assert!(error.to_string().contains("not valid for name"), "{error}");
        // Once the centre was heard its time counts: 2011 fits, 2026 does not.
        clock.learn(Instant(1_308_000_000 * SECOND_US), 0);
        assert!(ask_with(&ca, "localhost", &clock).await.is_ok());
        clock.learn(Instant(1_795_305_600 * SECOND_US), 0);
        let error = ask_with(&ca, "localhost", &clock).await.expect_err("past its end");
        assert!(error.to_string().contains("expired"), "{error}");
    }
}

#[tokio::test]
async fn case_25_tls_goes_by_the_clock_it_is_given_not_by_the_systems() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let (leaf, key) = ca.server("localhost", (2010, 2012));
    let chain = vec![leaf, ca.certificate.clone()];
    let played = PlayedCentre::with_chain(chain, key, &ca, |_| Reply::cbor(&7_u64)).await;
    let identity = ca.identity(dir.path(), &played.url);
    // June 2011, and 1970.
    for (seconds, works) in [(1_308_000_000, true), (0, false)] {
        let tls = tls_config(identity.ca(), identity.device(), Arc::new(Stopped(seconds))).expect("TLS");
        let answer = ask(&Centre::new(&played.url, tls, SHORT).expect("an address")).await;
        assert_eq!(answer.is_ok(), works, "{seconds}: {answer:?}");
    }
}

#[tokio::test]
async fn case_33_garbage_is_an_error_and_never_half_an_answer() {
    let error = ask_scripted(|_| Reply::Bytes(vec![0xff, 0x13, 0x37])).await;
    assert!(matches!(error, CentreError::Wire(_)) && error.is_answer(), "{error}");
    let error = ask_scripted(|_| Reply::Bytes(b"<html>free wifi</html>".to_vec())).await;
    assert!(matches!(error, CentreError::Wire(_)), "{error}");
}

#[tokio::test]
async fn case_34_a_truncated_answer_is_a_broken_line() {
    let error = ask_scripted(|_| Reply::Truncated(hufu_shared::cbor::encode(&vec![7_u64; 40]))).await;
    assert!(matches!(error, CentreError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn case_35_a_half_open_connection_is_found_by_its_time_limit() {
    let error = ask_scripted(|_| Reply::Silence).await;
    assert!(matches!(error, CentreError::TimedOut { after_ms: 1_500 }), "{error}");
    let longest = crate::sync::client::EXCHANGE_TIMEOUT_MS.max(crate::sync::client::CONNECT_TIMEOUT_MS);
    assert!(longest <= 30_000, "found within 30 s with the real limits as well");
}

#[tokio::test]
async fn case_35_a_peer_that_accepts_and_says_nothing_at_all_is_found_too() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
    let error = ask(&client(&ca.identity(dir.path(), &url), &url)).await.expect_err("no TLS");
    assert!(matches!(error, CentreError::TimedOut { .. }), "{error}");
    assert!(!error.is_answer());
}

#[tokio::test]
async fn case_40_the_centres_wish_to_be_left_alone_is_read_from_header_and_document() {
    let busy = ProblemKind::Busy.problem("starting");
    let header = busy.clone();
    let error = ask_scripted(move |_| Reply::Problem(header.clone(), Some(600))).await;
    assert_eq!(error.wish(), Wish::ByTheCentre(600_000));
    assert!(error.to_string().ends_with("centre is busy: starting"), "{error}");
    let mut document = busy;
    document.retry_after_ms = Some(2_500);
    let error = ask_scripted(move |_| Reply::Problem(document.clone(), None)).await;
    assert_eq!(error.wish(), Wish::ByTheCentre(2_500));
    let error = ask_scripted(|_| Reply::Status(502, Some(3))).await;
    assert!(matches!(error, CentreError::Status { status: 502, retry_after_ms: Some(3_000) }), "{error}");
    assert!(!error.is_answer(), "something in between answered");
}

#[tokio::test]
async fn an_answer_above_the_limit_is_cut_off() {
    let error = ask_scripted(|_| Reply::Bytes(vec![0; 1 << 20])).await;
    assert!(matches!(error, CentreError::TooLarge { at_most: ANSWER_MAX }), "{error}");
}

#[tokio::test]
async fn case_38_a_redirect_is_not_followed() {
    let error = ask_scripted(|_| Reply::Status(302, None)).await;
    assert!(matches!(error, CentreError::Status { status: 302, .. }), "{error}");
}

#[test]
fn goal_g32_only_an_https_address_without_a_path_is_a_centre() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let identity = ca.identity(dir.path(), "https://localhost");
    for url in ["http://localhost:7443", "localhost:7443", "https://localhost/x", "https://localhost?x", ""] {
        let tls = tls_config(identity.ca(), identity.device(), Arc::new(DefaultTimeProvider)).expect("TLS");
        let error = Centre::new(url, tls, SHORT).expect_err("refused");
        assert!(error.to_string().contains("expected as https://host:port"), "{error}");
    }
}
