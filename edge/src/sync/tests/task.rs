//! The lanes as tasks: none waits for another, the link is told, certificates change over.

use std::time::Duration;

use hufu_shared::cbor;
use hufu_shared::ids::{CardId, CommandId};
use hufu_shared::member::CardStatus;
use hufu_shared::token::Token;
use hufu_shared::wire::enrol::{Purpose, RenewAnswer, RenewRequest};
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::updates::BlockChange;
use hufu_shared::wire::upload::{Command, Order};
use hufu_shared::wire::version::Version;

use super::bench::Bench;
use super::ca::DEVICE;
use super::centre::{NOW, Reply, Seen};
use super::model::play;
use crate::sync::identity::Identity;
use crate::sync::task::spawn;

/// Waits until something holds, at most ten seconds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    // Three waits of a backoff can take 7 s by chance, and the first word of the centre 5 s more.
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within 30 s");
}

/// As a centre holds the long poll for a while when there is no news.
fn holding(
    mut inner: impl FnMut(&Seen) -> Reply + Send + 'static,
) -> impl FnMut(&Seen) -> Reply + Send + 'static {
    move |seen| match inner(seen) {
        Reply::Bytes(bytes) if !seen.path.contains("wait_ms=0&") && seen.path.contains("updates") => {
            Reply::After(400, bytes)
        }
        other => other,
    }
}

#[tokio::test]
async fn a_new_fact_is_sent_by_itself_and_the_link_is_told() {
    let bench = Bench::new();
    let played = bench.play(holding(play(&bench.model))).await;
    assert!(!bench.run.link.borrow().online);
    let _tasks = spawn(bench.parts(&played)).await.expect("running");
    until("the boot is sent", || bench.state().acked_seq == 1).await;
    bench.visits(3);
    until("the visits are sent", || bench.state().acked_seq == 4).await;
    until("the link is told", || bench.run.link.borrow().online).await;
    assert!(bench.shared.clock().offset_us().is_some(), "the centre's time was learned");
    played.vanish();
    let broken = tokio::time::Instant::now();
    until("the link is told", || !bench.run.link.borrow().online).await;
    assert!(broken.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_block_comes_through_while_uploads_and_snapshot_hang() {
    let bench = Bench::new();
    let token = Token { key_version: 1, hash: [9; 16] };
    let mut inner = play(&bench.model);
    let script = move |seen: &Seen| match seen.path.as_str() {
        path if path.starts_with("/device/v1/events") => Reply::Silence,
        path if path.starts_with("/device/v1/directory") => Reply::Silence,
        _ => inner(seen),
    };
    let played = bench.play(holding(script)).await;
    bench.model.lock().expect("no panic before").directory = Version { epoch: 1, n: 4 };
    let _tasks = spawn(bench.parts(&played)).await.expect("running");
    until("both lanes hang", || {
        !played.seen_at("/device/v1/events").is_empty() && !played.seen_at("/device/v1/directory").is_empty()
    })
    .await;
    {
        let mut model = bench.model.lock().expect("no panic before");
        let change = BlockChange { card: CardId([1; 16]), token, status: CardStatus::Lost };
        (model.block, model.blocks) = (Version { epoch: 1, n: 1 }, vec![change]);
    }
    until("the block is taken", || {
        bench.store.with(|journal| Ok(journal.blocked(&token))).expect("readable") == Some(CardStatus::Lost)
    })
    .await;
    assert_eq!(bench.state().acked_seq, 0);
}

#[tokio::test]
async fn case_36_a_line_that_comes_back_is_used_without_waiting_for_the_backoff() {
    let bench = Bench::new();
    bench.visits(30);
    let mut inner = play(&bench.model);
    let mut calls = 0;
    let script = move |seen: &Seen| {
        calls += 1;
        // Everything is lost for a while, then nothing any more.
        if calls <= 6 { Reply::Lost } else { inner(seen) }
    };
    let played = bench.play(holding(script)).await;
    let _tasks = spawn(bench.parts(&played)).await.expect("running");
    until("the queue drains", || bench.state().acked_seq == 31).await;
    until("the link is told", || bench.run.link.borrow().online).await;
}

#[tokio::test]
async fn a_centre_that_holds_no_request_is_not_asked_in_a_circle() {
    let bench = Bench::new();
    {
        let mut model = bench.model.lock().expect("no panic before");
        model.commands = vec![Command { id: CommandId([2; 16]), order: Order::CloseDay }];
        model.directory = Version { epoch: 1, n: 9 };
    }
    let played = bench.play(play(&bench.model)).await;
    let _tasks = spawn(bench.parts(&played)).await.expect("running");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let polls = played.seen_at("/device/v1/updates").len();
    // A handful come soon after each other, for a guest who waits; from then on one a second.
    assert!((4..=10).contains(&polls), "{polls} polls in 2.5 s");
}

fn renewing(bench: &Bench, takes_new: bool) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let (ca, mut inner) = (bench.ca.clone(), play(&bench.model));
    let old = bench.identity.device().certificate().to_vec();
    let model = bench.model.clone();
    move |seen| {
        if seen.path == "/device/v1/renew" {
            let request: RenewRequest = cbor::decode(&seen.body).expect("a request");
            let certificates = request.csrs.iter().map(|csr| match csr.purpose {
                Purpose::Device => ca.device(csr, DEVICE, NOW).into(),
                Purpose::Counter => ca.counter(csr).into(),
            });
            return Reply::cbor(&RenewAnswer { certificates: certificates.collect() });
        }
        let is_new = seen.certificate.as_ref() != Some(&old);
        if is_new && !takes_new {
            return Reply::Problem(ProblemKind::Unauthenticated.problem("unknown key"), None);
        }
        if is_new && let Some(certificate) = &seen.certificate {
            // Any unrevoked key of the epoch signs.
            let mut model = model.lock().expect("no panic before");
            let key = crate::sync::pair::public_key_of(certificate).expect("a certificate");
            let before = std::mem::replace(&mut model.key, key);
            model.keys_before.push(before);
        }
        inner(seen)
    }
}

/// The bench's certificates hold for eighty years from 2020; the centre's clock says 2027, so age them.
fn aged(bench: &mut Bench) {
    let key = crate::sync::pair::OwnKey::generate().expect("a key");
    let csr = key.request(Purpose::Device, &[]).expect("a request");
    let pair = key.with_certificate(bench.ca.device(&csr, DEVICE, (2020, 2028))).expect("its certificate");
    bench.identity.stage(pair, None).expect("staged");
    bench.identity.promote().expect("promoted");
    bench.model.lock().expect("no panic before").key = bench.identity.device().public_key_info().to_vec();
}

#[tokio::test]
async fn a_certificate_past_a_third_of_its_life_is_renewed_and_changed_over() {
    let mut bench = Bench::new();
    aged(&mut bench);
    let old = bench.identity.device().key_id();
    let played = bench.play(holding(renewing(&bench, true))).await;
    let _tasks = spawn(bench.parts(&played)).await.expect("running");
    until("the new pair is in use", || {
        Identity::load(bench.dir.path()).expect("readable").device().key_id() != old
    })
    .await;
    let asked = &played.seen_at("/device/v1/renew")[0];
    assert_eq!(
        asked.certificate.as_deref(),
        Some(&bench.identity.device().certificate()[..]),
        "asked as the old"
    );
    let acked = bench.state().acked_seq;
    bench.visits(2);
    until("facts are signed by the new key", || bench.state().acked_seq > acked.max(1)).await;
    let new = Identity::load(bench.dir.path()).expect("readable");
    assert!(new.staged().is_none() && new.counter().is_some());
    let model = bench.model.lock().expect("no panic before");
    assert_eq!(model.batches.last().expect("a batch").header.key_id, new.device().key_id());
    assert_eq!(new.enrolment.first_key, bench.identity.enrolment.first_key, "the chain's start stays");
}

#[tokio::test]
async fn a_renewed_pair_that_the_centre_does_not_take_leaves_the_old_one_in_use() {
    let mut bench = Bench::new();
    aged(&mut bench);
    let old = bench.identity.device().key_id();
    let played = bench.play(holding(renewing(&bench, false))).await;
    let _tasks = spawn(bench.parts(&played)).await.expect("running");
    until("the new pair was tried", || {
        let old = bench.identity.device().certificate();
        played.seen_at("/device/v1/updates").iter().any(|seen| seen.certificate.as_deref() != Some(&old[..]))
    })
    .await;
    bench.visits(3);
    until("facts go on by the old pair", || bench.state().acked_seq == 4).await;
    assert_eq!(Identity::load(bench.dir.path()).expect("readable").device().key_id(), old);
}
