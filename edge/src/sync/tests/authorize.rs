//! Asking for more, and lease states from every answer: signed, echoed, refused alone.

use std::sync::Mutex;

use hufu_shared::cbor;
use hufu_shared::ids::{LeaseId, MemberId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::wire::apart::Apart;
use hufu_shared::wire::lease::{
    AskBecame, LeaseAnswer, LeaseAsk, LeaseState, LeaseTerms, RecallState, Recalled,
};
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::upload::LeaseReport;
use hufu_shared::wire::version::{CentralEpoch, Version};
use tokio::sync::mpsc;

use super::bench::Bench;
use super::ca::{DEVICE, EPOCH};
use super::centre::{PlayedCentre, Reply, Seen};
use super::model::play;
use crate::state::{LeaseAsked, LeaseAsking};
use crate::sync::authorize::{ASK_GIVE_UP_MS, Authorizer};
use crate::sync::download::UpdatesLane;
use crate::sync::upload::Progress;

const MEMBER: MemberId = MemberId([1; 16]);

fn state(bench: &Bench, granted: i64, version: u64) -> LeaseState {
    let mut state = LeaseState {
        lease: LeaseId([5; 16]),
        generation: 1,
        device: DEVICE,
        member: MEMBER,
        unit: Unit::Pts,
        granted_total: Amount(granted),
        terms: LeaseTerms { ttl_s: 604_800, reboot_cost_s: 7_200, reboots_max: 3 },
        version: Version { epoch: EPOCH.n, n: version },
        signature: Vec::new(),
    };
    state.signature = bench.ca.sign(&state.message());
    state
}

fn answer(state: Option<LeaseState>, became: AskBecame) -> LeaseAnswer {
    let state = state.map(Apart::from);
    LeaseAnswer { state, became, figure: Some(Amount(900)), recalled: Vec::new(), again_ms: 60 }
}

fn held(recall: RecallState) -> Recalled {
    let office = Words { zh: "湖畔".into(), en: "Lake".into() };
    Recalled { office, state: recall, amount: Amount(50), heard_at: None }
}

fn ask() -> LeaseAsk {
    LeaseAsk { lease: None, generation: 0, member: MEMBER, unit: Unit::Pts, wanted_total: Amount(200) }
}

fn granted(bench: &Bench) -> Vec<i64> {
    let open = bench.store.with(|journal| journal.open_leases(MEMBER)).expect("readable");
    open.iter().map(|held| held.state.granted_total.0).collect()
}

/// Asks once through the lane; every word that it told.
async fn told(bench: &Bench, played: &PlayedCentre) -> Vec<LeaseAsked> {
    let lane =
        Authorizer::new(bench.store.clone(), bench.directory.clone(), bench.shared.clone(), bench.known());
    let (tell, mut told) = mpsc::channel(64);
    lane.ask(&bench.channel(played), &LeaseAsking { n: 7, asks: vec![ask()], undo: None }, &tell).await;
    drop(tell);
    let mut words = Vec::new();
    while let Some(word) = told.recv().await {
        words.push(word);
    }
    words
}

#[tokio::test]
async fn a_raise_is_in_the_journal_before_the_last_word_is_told() {
    let bench = Bench::new();
    let reply = Reply::cbor(&answer(Some(state(&bench, 200, 3)), AskBecame::Granted));
    let played = bench
        .play(move |seen: &Seen| {
            assert_eq!(seen.path, "/device/v1/leases/authorize");
            assert_eq!(cbor::decode::<LeaseAsk>(&seen.body).expect("an ask"), ask());
            reply.clone()
        })
        .await;
    let words = told(&bench, &played).await;
    let last = words.last().expect("told");
    assert_eq!((words.len(), last.n, last.done, last.became), (1, 7, true, Some(AskBecame::Granted)));
    assert_eq!(granted(&bench), [200]);
}

#[tokio::test]
async fn while_others_are_asked_to_close_it_asks_again_word_for_word_and_tells_what_arrives() {
    let bench = Bench::new();
    let steps = [
        (answer(None, AskBecame::Recalling), RecallState::Closing),
        (answer(Some(state(&bench, 150, 3)), AskBecame::Recalling), RecallState::Arrived),
        (answer(Some(state(&bench, 200, 4)), AskBecame::Granted), RecallState::Arrived),
    ];
    let mut steps = steps.into_iter();
    let played = bench
        .play(move |seen: &Seen| {
            assert_eq!(cbor::decode::<LeaseAsk>(&seen.body).expect("an ask"), ask());
            let (mut answer, recall) = steps.next().expect("asked no further");
            answer.recalled = vec![held(recall)];
            Reply::cbor(&answer)
        })
        .await;
    let words = told(&bench, &played).await;
    let seen: Vec<_> = words.iter().map(|word| (word.done, word.recalled[0].1.state)).collect();
    assert_eq!(
        seen,
        [(false, RecallState::Closing), (false, RecallState::Arrived), (true, RecallState::Arrived)]
    );
    assert_eq!(granted(&bench), [200]);
}

#[tokio::test]
async fn silence_an_error_or_a_recall_without_end_is_given_up_in_time() {
    let bench = Bench::new();
    let forever = |state| {
        let mut answer = answer(None, AskBecame::Recalling);
        answer.recalled = vec![held(state)];
        Reply::cbor(&answer)
    };
    let cases = [
        (Reply::Silence, None),
        (Reply::Lost, None),
        (Reply::Problem(ProblemKind::Busy.problem("later"), None), None),
        (forever(RecallState::Closing), Some(AskBecame::Recalling)),
        (forever(RecallState::Unreachable), Some(AskBecame::Unreachable)),
    ];
    for (reply, expected) in cases {
        let played = bench.play(move |_: &Seen| reply.clone()).await;
        let begun_ns = bench.shared.clock().now().mono_ns;
        let words = told(&bench, &played).await;
        let took_ms = (bench.shared.clock().now().mono_ns - begun_ns) / 1_000_000;
        let last = words.last().expect("told");
        assert_eq!((last.done, last.became), (true, expected), "{words:?}");
        assert!(took_ms < ASK_GIVE_UP_MS + 1_500, "took {took_ms} ms");
    }
    assert!(granted(&bench).is_empty());
}

#[tokio::test]
async fn a_state_that_the_centre_did_not_sign_is_not_held() {
    let bench = Bench::new();
    let mut forged = state(&bench, 200, 3);
    forged.granted_total = Amount(1_000_000);
    let reply = Reply::cbor(&answer(Some(forged), AskBecame::Granted));
    let played = bench.play(move |_: &Seen| reply.clone()).await;
    told(&bench, &played).await;
    assert!(granted(&bench).is_empty());
    let link = bench.run.link.borrow().clone();
    assert!(link.refused.is_some_and(|words| words.contains("not signed")), "people are told");
}

#[tokio::test]
async fn states_of_the_long_poll_are_taken_once_and_echoed_until_the_centre_heard() {
    let bench = Bench::new();
    let sent = Mutex::new(Vec::new());
    let sent = std::sync::Arc::new(sent);
    let (noted, mut inner) = (std::sync::Arc::clone(&sent), play(&bench.model));
    let good = state(&bench, 80, 3);
    let newer = Apart::Unknown {
        bytes: vec![0xa1, 0x18, 0x40, 0x01],
        error: cbor::WireError::MustUnderstand { number: 64 },
    };
    let played = bench
        .play(move |seen: &Seen| {
            let mut paths = noted.lock().expect("no panic before");
            paths.push(seen.path.clone());
            let Reply::Bytes(bytes) = inner(seen) else { panic!("an answer") };
            let mut updates: hufu_shared::wire::updates::Updates = cbor::decode(&bytes).expect("our own");
            // Sent until echoed, beside one that only a newer terminal understands.
            updates.leases = vec![newer.clone(), good.clone().into()];
            if paths.len() == 1 { Reply::Lost } else { Reply::cbor(&updates) }
        })
        .await;
    let channel = bench.channel(&played);
    let mut lane =
        UpdatesLane::new(bench.store.clone(), bench.directory.clone(), bench.shared.clone(), bench.known());
    assert!(lane.poll(&channel, 0).await.is_err(), "lost");
    assert!(lane.poll(&channel, 0).await.expect("an answer").news);
    assert_eq!(granted(&bench), [80], "one that is not understood is refused alone");
    assert!(bench.run.link.borrow().refused.as_ref().is_some_and(|words| words.contains("64")));
    assert!(!lane.poll(&channel, 0).await.expect("an answer").news, "the same state is no news");
    lane.poll(&channel, 0).await.expect("an answer");
    let echo = format!("&leases={}@{}.3", LeaseId([5; 16]), EPOCH.n);
    let echoes: Vec<bool> =
        sent.lock().expect("no panic before").iter().map(|path| path.contains(&echo)).collect();
    assert_eq!(echoes, [false, false, true, false], "told once the poll succeeded");
}

#[tokio::test]
async fn states_of_a_receipt_are_held_before_its_mark_is_echoed() {
    let bench = Bench::new();
    bench.visits(1);
    let good = state(&bench, 80, 3);
    let mut inner = play(&bench.model);
    let played = bench
        .play(move |seen: &Seen| {
            let Reply::Bytes(bytes) = inner(seen) else { panic!("an answer") };
            let mut receipt: hufu_shared::wire::upload::Receipt = cbor::decode(&bytes).expect("our own");
            receipt.session.leases = vec![good.clone().into()];
            Reply::cbor(&receipt)
        })
        .await;
    let mut uploader = bench.uploader().await;
    uploader.step(&bench.channel(&played)).await.expect("sent");
    assert_eq!((granted(&bench), bench.state().mark.is_some()), (vec![80], true));
}

#[tokio::test]
async fn a_new_life_of_the_centre_is_shown_the_leases_with_every_batch_until_it_answers() {
    let bench = Bench::new();
    let now = bench.shared.clock().now();
    let held = state(&bench, 80, 3);
    let taken = bench
        .store
        .with(|journal| journal.take_leases(std::slice::from_ref(&held), EPOCH, &now, Version::default()));
    assert_eq!(taken.expect("taken"), [crate::store::LeaseTaken::Stored]);
    let played = bench.play(play(&bench.model)).await;
    let channel = bench.channel(&played);
    let mut uploader = bench.uploader().await;
    uploader.step(&channel).await.expect("sent");
    bench.model.lock().expect("no panic before").epoch = CentralEpoch { n: EPOCH.n + 1, bits: 9 };
    bench.visits(1);
    // The first answer of the new life is not taken: the batch goes again, with the report.
    assert_eq!(uploader.step(&channel).await.expect("heard"), Progress::Again);
    assert_eq!(bench.state().acked_seq, 1);
    assert!(matches!(uploader.step(&channel).await.expect("sent"), Progress::Sent { .. }));
    bench.visits(1);
    uploader.step(&channel).await.expect("sent");
    let batches = bench.model.lock().expect("no panic before").batches.clone();
    let reports: Vec<_> = batches.iter().map(|batch| batch.attempt.lease_report.clone()).collect();
    let epoch = CentralEpoch { n: EPOCH.n + 1, bits: 9 };
    let report = LeaseReport { epoch, states: vec![held.clone()] };
    assert_eq!(reports, [None, None, Some(report), None], "to whom it reports is said with it");
    // Learned by the long poll while nothing waits: the newest fact carries the report.
    let epoch = CentralEpoch { n: EPOCH.n + 2, bits: 9 };
    bench.model.lock().expect("no panic before").epoch = epoch;
    bench.store.with(|journal| journal.set_central_epoch(epoch)).expect("stored");
    assert!(matches!(uploader.step(&channel).await.expect("sent"), Progress::Sent { .. }));
    assert_eq!(uploader.step(&channel).await.expect("done"), Progress::Idle);
    let batches = bench.model.lock().expect("no panic before").batches.clone();
    let last = batches.last().expect("sent");
    let report = LeaseReport { epoch, states: vec![held] };
    assert_eq!((last.facts.len(), last.attempt.lease_report.clone()), (1, Some(report)));
}
