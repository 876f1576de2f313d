//! Who is let in: certificates, revocation, limits.

use std::sync::Arc;
use std::time::Duration;

use hufu_shared::cbor;
use hufu_shared::ids::DeviceId;
use hufu_shared::time::SECOND_US;
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::updates::Updates;
use rcgen::{CertificateParams, KeyPair};

use super::kit::{Site, each};
use crate::ca::Authority;
use crate::clock::{Clock, SystemClock};
use crate::commands::device::revoke;
use crate::net::Limits;

const UPDATES: &str = "/device/v1/updates?directory=1.0&block=1.0&notices=0&wait_ms=0&queued=0";

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_was_away_is_told_with_its_poll_when_it_may_send() {
    each(|site| async move {
        let (one, two) = (site.terminal("one").await, site.terminal("two").await);
        let back = "/device/v1/updates?directory=9.9&block=9.9&notices=0&wait_ms=9000&queued=400&turn=true";
        let mut told = Vec::new();
        for (terminal, path) in [(&one, back), (&two, back), (&two, UPDATES)] {
            let answer = terminal.connect(&site).await.get(path).await.unwrap();
            told.push(answer.read::<Updates>().credit.map(|credit| credit.next_poll_ms));
        }
        assert!(told[0] < told[1] && told[0].is_some(), "one after the other: {told:?}");
        assert_eq!(told[2], None, "who does not ask is told nothing");
    })
    .await;
}

async fn end(site: &Site, device: DeviceId) {
    let actor = hufu_shared::act::Actor::Command("test".to_owned());
    revoke(&site.app, actor, device, "stolen").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn goal_g19_a_revoked_terminal_is_refused_on_its_open_connections_next_request() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        let mut link = terminal.connect(&site).await;
        assert!(link.get(UPDATES).await.unwrap().status.is_success());
        end(&site, terminal.device).await;
        let answer = link.get(UPDATES).await.unwrap();
        let (kind, problem) = answer.problem();
        assert_eq!(kind, ProblemKind::Revoked);
        assert!(problem.detail.contains("one"), "{problem:?}");
        assert!(link.is_closed_within(Duration::from_secs(5)).await);
        // Every other request too, each on a connection of its own, from the first moment on.
        let upload = cbor::encode(&terminal.batch(1, 1));
        for path in ["/device/v1/directory?since=1.0", "/device/v1/directory/snapshot/manifest", UPDATES] {
            assert!(is_refused(&site, &terminal, path, None).await, "{path}");
        }
        assert!(is_refused(&site, &terminal, "/device/v1/renew", Some(upload)).await);
        assert_eq!(site.count("facts", vec![terminal.device.0.into()]).await, 0);
        // Once its connections have ended it is told the reason again.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let answer = terminal.connect(&site).await.get(UPDATES).await.unwrap();
        assert_eq!(answer.problem().0, ProblemKind::Revoked);
    })
    .await;
}

/// Whether a request is refused as revoked, or its connection cut.
async fn is_refused(site: &Site, terminal: &super::kit::Terminal, path: &str, body: Option<Vec<u8>>) -> bool {
    let Ok(mut link) = site.connect(Some((&terminal.certificate, &terminal.key))).await else { return true };
    let answer = match body {
        Some(body) => link.post(path, body).await,
        None => link.get(path).await,
    };
    answer.is_err() || answer.unwrap().problem().0 == ProblemKind::Revoked
}

#[tokio::test(flavor = "multi_thread")]
async fn case_44_revocation_reaches_a_waiting_request_and_an_idle_connection_within_five_seconds() {
    each(|site| async move {
        site.published().await;
        let terminal = site.terminal("one").await;
        let mut idle = terminal.connect(&site).await;
        assert!(idle.get(UPDATES).await.unwrap().status.is_success());
        site.published().await;
        let head = site.app.db.read(crate::store::directory::head).await.unwrap();
        let waiting = format!(
            "/device/v1/updates?directory=1.{}&block=1.{}&notices=0&wait_ms=15000&queued=0",
            head.directory, head.block
        );
        let mut link = terminal.connect(&site).await;
        let held = tokio::spawn(async move { link.get(&waiting).await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        end(&site, terminal.device).await;
        let told = tokio::time::timeout(Duration::from_secs(5), held).await.expect("told in time").unwrap();
        assert_eq!(told.unwrap().problem().0, ProblemKind::Revoked);
        assert!(idle.is_closed_within(Duration::from_secs(5)).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_45_certificates_that_are_not_a_terminals_of_this_club_are_refused() {
    each(|site| async move {
        let terminal = site.terminal("one").await;
        let now = SystemClock.now();
        let folder = tempfile::tempdir().unwrap();
        let foreign = Authority::create(&folder.path().join("ca"), site.app.authority.club(), now).unwrap();
        let key = KeyPair::generate().unwrap();
        let csr = CertificateParams::default().serialize_request(&key).unwrap();
        let by_foreign = foreign.issue_device(csr.der(), terminal.device, now).unwrap();
        let by_itself = CertificateParams::default().self_signed(&key).unwrap().der().to_vec();
        for leaf in [by_foreign, by_itself] {
            let refused = match site.connect(Some((&leaf, &key))).await {
                Ok(mut link) => link.get(UPDATES).await.is_err(),
                Err(_) => true,
            };
            assert!(refused, "the handshake refuses it");
        }
        // By the club's own root, yet with a key that no enrolment gave.
        let unknown = site.app.authority.issue_device(csr.der(), terminal.device, now).unwrap();
        let mut link = site.connect(Some((&unknown, &key))).await.unwrap();
        assert_eq!(link.get(UPDATES).await.unwrap().problem().0, ProblemKind::Unauthenticated);
        // None at all.
        let mut bare = site.connect(None).await.unwrap();
        for path in [UPDATES, "/device/v1/directory?since=1.1", "/device/v1/directory/snapshot/manifest"] {
            assert_eq!(bare_get(&site, path).await, ProblemKind::Unauthenticated);
        }
        let answer = bare.post("/device/v1/renew", Vec::new()).await.unwrap();
        assert_eq!(answer.problem().0, ProblemKind::Unauthenticated);
        // The good one still works.
        assert!(terminal.connect(&site).await.get(UPDATES).await.unwrap().status.is_success());
    })
    .await;
}

async fn bare_get(site: &Site, path: &str) -> ProblemKind {
    site.connect(None).await.unwrap().get(path).await.unwrap().problem().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limit_is_refused_and_a_full_centre_says_when_to_come_again() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        let large = vec![0; super::super::events::UPLOAD_BYTES_MAX + 1];
        let answer = terminal.connect(&site).await.post("/device/v1/events", large).await;
        // The refusal may overtake the body, which ends the connection.
        assert!(answer.is_err() || answer.unwrap().status == 413);
        // Others hold every place that works, and wait at every other with older queues.
        let now = site.app.now();
        let mut places = Vec::new();
        let mut waiting = tokio::task::JoinSet::new();
        let all = site.app.config.limits.uploads_waiting_max;
        for n in 0..all {
            let (uploads, device) = (Arc::clone(&site.app.uploads), DeviceId((n as u128).to_be_bytes()));
            let old = now.offset(-SECOND_US * 60);
            if n < 16 {
                places.push(uploads.enter(device, old).await.unwrap());
            } else {
                waiting.spawn(async move { uploads.enter(device, old).await.is_ok() });
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let upload = terminal.batch(1, 1);
        let answer = terminal.connect(&site).await.upload(&upload).await;
        let (kind, problem) = answer.problem();
        // Behind all who wait it would be long, by a guess of what they take: nothing was measured yet. It asks then.
        let asked_ms = problem.retry_after_ms.expect("a time");
        assert!(kind == ProblemKind::Busy && (30_000..60_000).contains(&asked_ms), "{problem:?}");
        assert_eq!(answer.headers["retry-after"], asked_ms.div_ceil(1_000).to_string().as_str());
        // The priority lane is never shed with uploads.
        assert!(terminal.connect(&site).await.get(UPDATES).await.unwrap().status.is_success());
        // Whoever waits longest for its facts' sake comes before all of them.
        let late = format!("/device/v1/events?oldest={}", now.offset(-SECOND_US * 7_200).0);
        let asked = cbor::encode(&upload);
        let mut link = terminal.connect(&site).await;
        let asking = tokio::spawn(async move { link.post(&late, asked).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(places.pop());
        assert!(asking.await.unwrap().unwrap().status.is_success());
        drop((places, waiting));
        terminal.send_from(&site, 1).await;
        assert!(Limits::default().drain_timeout <= Duration::from_secs(10));
    })
    .await;
}
