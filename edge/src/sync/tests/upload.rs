//! The upload lane against a centre that loses, garbles, forgets, forges or refuses.

use hufu_shared::ids::{CommandId, Hash};
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::upload::{Command, Order, Receipt};
use hufu_shared::wire::version::CentralEpoch;

use super::bench::Bench;
use super::centre::{PlayedCentre, Reply, Seen};
use super::model::play;
use crate::rules::backoff::Wish;
use crate::store::testing::{at, boot_info, visited};
use crate::store::{JOURNAL_FILE, Store, asides, read_state};
use crate::sync::upload::{Progress, Uploader};
use crate::terminal::Terminal;

/// Steps until nothing is left to send; the number of steps that sent something.
async fn drain(bench: &Bench, uploader: &mut Uploader, played: &PlayedCentre) -> usize {
    let channel = bench.channel(played);
    for sent in 0..50 {
        match uploader.step(&channel).await.expect("no fault at this side") {
            Progress::Idle => return sent,
            Progress::Sent { .. } | Progress::Again => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("the queue does not drain");
}

async fn step(bench: &Bench, uploader: &mut Uploader, played: &PlayedCentre) -> Progress {
    uploader.step(&bench.channel(played)).await.expect("no fault at this side")
}

/// Answers right, but lets a test spoil what goes out at the `n`th batch (from 0).
fn spoiling(
    bench: &Bench,
    n: usize,
    mut spoil: impl FnMut(Reply) -> Reply + Send + 'static,
) -> Box<dyn FnMut(&Seen) -> Reply + Send> {
    let (mut inner, mut at) = (play(&bench.model), 0);
    Box::new(move |seen| {
        let reply = inner(seen);
        at += 1;
        if at == n + 1 { spoil(reply) } else { reply }
    })
}

fn receipt_of(reply: &Reply) -> Receipt {
    match reply {
        Reply::Bytes(bytes) => hufu_shared::cbor::decode(bytes).expect("a receipt"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn inv_07_every_fact_reaches_the_centre_and_both_chains_end_alike() {
    let bench = Bench::new();
    bench.visits(1_200);
    let played = bench.play(play(&bench.model)).await;
    let mut uploader = bench.uploader().await;
    assert_eq!(drain(&bench, &mut uploader, &played).await, 3, "batches of 500");
    let state = bench.state();
    assert_eq!((state.acked_seq, state.last_seq), (1_201, 1_201));
    let model = bench.model.lock().expect("no panic before");
    assert_eq!(model.cursor(), 1_201);
    assert_eq!(*model.hashes.last().expect("the start"), state.head);
    assert_eq!(state.mark.expect("a mark").acked_seq, 1_201);
    // The second batch echoes the mark of the first receipt and the time heard with it.
    let second = &model.batches[1].attempt;
    assert_eq!(second.echo.as_ref().map(|mark| mark.acked_seq), Some(500));
    assert!(second.heard.is_some() && model.batches[0].attempt.heard.is_none());
    assert_eq!(model.batches[0].attempt.waiting, 701);
    assert!(bench.run.link.borrow().online);
}

#[tokio::test]
async fn case_32_inv_18_a_lost_answer_is_asked_for_with_the_very_same_batch() {
    let bench = Bench::new();
    bench.visits(20);
    let played = bench.play(spoiling(&bench, 0, |_| Reply::Lost)).await;
    let mut uploader = bench.uploader().await;
    assert!(matches!(step(&bench, &mut uploader, &played).await, Progress::Wait { .. }));
    assert_eq!(bench.state().acked_seq, 0);
    bench.visits(5);
    assert!(matches!(step(&bench, &mut uploader, &played).await, Progress::Sent { .. }));
    assert_eq!(bench.state().acked_seq, 21);
    {
        let model = bench.model.lock().expect("no panic before");
        let (first, second) = (&model.batches[0], &model.batches[1]);
        assert_eq!(first.header, second.header, "signed once");
        assert_eq!(first.facts, second.facts);
        assert_ne!(first.attempt.nonce, second.attempt.nonce);
        assert_eq!(model.cursor(), 21, "taken once");
    }
    assert_eq!(drain(&bench, &mut uploader, &played).await, 1);
    assert_eq!(bench.state().acked_seq, 26);
}

#[tokio::test]
async fn case_06_a_crash_before_the_receipt_is_stored_sends_again_and_doubles_nothing() {
    let bench = Bench::new();
    bench.visits(20);
    let played = bench.play(spoiling(&bench, 0, |_| Reply::Lost)).await;
    assert!(matches!(step(&bench, &mut bench.uploader().await, &played).await, Progress::Wait { .. }));
    let bench = bench.restart();
    bench.visits(3);
    let mut uploader = bench.uploader().await;
    drain(&bench, &mut uploader, &played).await;
    let model = bench.model.lock().expect("no panic before");
    let last = model.batches.last().expect("a batch");
    assert_eq!((last.header.from_seq, last.header.count), (1, 25), "the batch straddles the cursor");
    assert_eq!(model.cursor(), 25, "two boots and 23 visits, each once");
    assert_eq!(bench.state().acked_seq, 25);
}

#[tokio::test]
async fn kind_20_a_restored_centre_is_filled_again_from_its_cursor() {
    let bench = Bench::new();
    bench.visits(40);
    let played = bench.play(play(&bench.model)).await;
    let mut uploader = bench.uploader().await;
    drain(&bench, &mut uploader, &played).await;
    {
        let mut model = bench.model.lock().expect("no panic before");
        model.restore(10);
        model.epoch = CentralEpoch { n: 2, bits: 9 };
    }
    bench.visits(2);
    drain(&bench, &mut uploader, &played).await;
    let state = bench.state();
    assert_eq!(bench.model.lock().expect("no panic before").cursor(), 43);
    assert_eq!((state.acked_seq, state.central_epoch), (43, Some(CentralEpoch { n: 2, bits: 9 })));
    let model = bench.model.lock().expect("no panic before");
    let from: Vec<u64> = model.batches.iter().map(|batch| batch.header.from_seq).collect();
    assert_eq!(from, [1, 42, 11, 11], "the first answer of a new life only tells of it");
}

#[tokio::test]
async fn kind_22_the_journal_of_an_earlier_enrolment_is_delivered_by_a_lane_of_its_own() {
    let bench = Bench::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(JOURNAL_FILE);
    let terminal = bench.identity.terminal().expect("whole");
    let store = Store::open(&path, &terminal).expect("opens");
    store.with(|journal| journal.boot(boot_info(1), &at(0))).expect("boots");
    store.with(|journal| journal.append((1..=6).map(|n| visited(1, &at(n))).collect())).expect("appended");
    drop(store);
    let epoch = terminal.epoch + 1;
    drop(Store::open(&path, &Terminal { epoch, ..terminal.clone() }).expect("a new journal"));
    let [aside] = &asides(folder.path())[..] else { panic!("one is set aside") };
    let played = bench.play(play(&bench.model)).await;
    let store = Store::open_aside(aside, terminal.device).expect("opens");
    let mut uploader = Uploader::aside(store.clone(), bench.shared.clone(), bench.known());
    assert_eq!(drain(&bench, &mut uploader, &played).await, 1);
    {
        let model = bench.model.lock().expect("no panic before");
        let sent = &model.batches[0];
        assert_eq!((model.cursor(), sent.header.epoch), (7, terminal.epoch));
        assert_eq!((sent.attempt.boot_seq, sent.attempt.heard), (0, None), "its boots are over");
    }
    drop((uploader, store));
    assert_eq!(read_state(aside).expect("readable").queue_len(), 0, "durable");
    let other = hufu_shared::ids::DeviceId([9; 16]);
    assert!(Store::open_aside(aside, other).is_err(), "another device's journal is no queue of ours");
}

/// One spoiled answer that must stop the lane for good, with the queue kept.
async fn stops(spoil: impl FnMut(Reply) -> Reply + Send + 'static) -> String {
    let bench = Bench::new();
    bench.visits(7);
    let played = bench.play(spoiling(&bench, 0, spoil)).await;
    let mut uploader = bench.uploader().await;
    assert_eq!(step(&bench, &mut uploader, &played).await, Progress::Stopped);
    bench.visits(1);
    assert_eq!(step(&bench, &mut uploader, &played).await, Progress::Stopped);
    assert_eq!(played.seen().len(), 1, "nothing more is sent");
    let state = bench.state();
    assert_eq!((state.acked_seq, state.queue_len()), (0, 9), "the queue is kept");
    let link = bench.run.link.borrow().clone();
    assert_eq!(state.stopped, link.stopped.map(|stop| stop.to_string()), "staff are told");
    state.stopped.expect("stored")
}

#[tokio::test]
async fn kind_21_a_fork_stops_the_lane_and_keeps_the_queue() {
    let said = stops(|_| Reply::Problem(ProblemKind::Fork.problem("seq 3 differs"), None)).await;
    assert!(said.contains("(fork): seq 3 differs"), "{said}");
}

#[tokio::test]
async fn kind_26_a_revoked_terminal_stops_and_keeps_the_queue() {
    let said = stops(|_| Reply::Problem(ProblemKind::Revoked.problem("on 2026-11-22"), None)).await;
    assert_eq!(said, "this terminal was revoked: on 2026-11-22");
}

#[tokio::test]
async fn inv_07_a_receipt_with_another_head_stops_the_lane() {
    let said = stops(|reply| {
        let mut receipt = receipt_of(&reply);
        receipt.result.head_hash = Hash([0xee; 32]);
        Reply::cbor(&receipt)
    })
    .await;
    assert!(said.starts_with("chain hash at seq 8 is"), "{said}");
}

#[tokio::test]
async fn threat_t06_a_receipt_that_the_centre_did_not_sign_stops_the_lane() {
    for spoil in [
        |receipt: &mut Receipt| receipt.session.mark.signature[9] ^= 1,
        |receipt: &mut Receipt| receipt.session.mark.journal_size += 1,
    ] {
        let said = stops(move |reply| {
            let mut receipt = receipt_of(&reply);
            spoil(&mut receipt);
            Reply::cbor(&receipt)
        })
        .await;
        assert!(said.contains("mark is not signed by the centre"), "{said}");
    }
}

#[tokio::test]
async fn case_33_case_34_case_40_what_comes_back_broken_is_asked_for_again() {
    type Spoil = fn(Reply) -> Reply;
    let table: [(Wish, Spoil); 7] = [
        (Wish::Nothing, |_| Reply::Bytes(vec![0xa1, 0x13, 0x37])),
        (Wish::Nothing, |reply| Reply::Truncated(hufu_shared::cbor::encode(&receipt_of(&reply)))),
        (Wish::ByTheCentre(600_000), |_| Reply::Problem(ProblemKind::Busy.problem("starting"), Some(600))),
        (Wish::BySomebody(2_000), |_| Reply::Status(503, Some(2))),
        (Wish::Nothing, |_| Reply::Problem(ProblemKind::Chain.problem("bits fell over"), None)),
        (Wish::Nothing, |_| Reply::Silence),
        (Wish::Nothing, |reply| {
            let mut receipt = receipt_of(&reply);
            receipt.session.nonce = [0; 16];
            Reply::cbor(&receipt)
        }),
    ];
    for (number, (wished, spoil)) in table.into_iter().enumerate() {
        let bench = Bench::new();
        bench.visits(4);
        let played = bench.play(spoiling(&bench, 0, spoil)).await;
        let mut uploader = bench.uploader().await;
        let progress = step(&bench, &mut uploader, &played).await;
        assert!(matches!(progress, Progress::Wait { wish, .. } if wish == wished), "{number}: {progress:?}");
        assert_eq!(bench.state().acked_seq, 0, "{number}: no partial apply");
        drain(&bench, &mut uploader, &played).await;
        assert_eq!(bench.state().acked_seq, 5, "{number}");
        let model = bench.model.lock().expect("no panic before");
        assert_eq!(model.batches[0].header, model.batches[1].header, "{number}: the same batch again");
    }
}

#[tokio::test]
async fn a_receipt_of_an_older_life_of_the_centre_is_not_taken() {
    let bench = Bench::new();
    let newer = CentralEpoch { n: 3, bits: 1 };
    bench.store.set_central_epoch(newer).await.expect("stored");
    let played = bench.play(play(&bench.model)).await;
    let mut uploader = bench.uploader().await;
    for epoch in [CentralEpoch { n: 2, bits: 5 }, CentralEpoch { n: 3, bits: 2 }] {
        bench.model.lock().expect("no panic before").epoch = epoch;
        assert!(matches!(step(&bench, &mut uploader, &played).await, Progress::Wait { .. }), "{epoch:?}");
        assert_eq!((bench.state().acked_seq, bench.state().central_epoch), (0, Some(newer)));
    }
    bench.model.lock().expect("no panic before").epoch = newer;
    drain(&bench, &mut uploader, &played).await;
    assert_eq!(bench.state().acked_seq, 1);
}

#[tokio::test]
async fn orders_of_the_centre_are_passed_on_once() {
    let mut bench = Bench::new();
    let command = Command { id: CommandId([4; 16]), order: Order::CloseDay };
    bench.model.lock().expect("no panic before").commands = vec![command.clone()];
    let played = bench.play(play(&bench.model)).await;
    let mut uploader = bench.uploader().await;
    for _ in 0..3 {
        bench.visits(1);
        drain(&bench, &mut uploader, &played).await;
    }
    let passed = bench.run.orders.try_recv().expect("one order");
    assert_eq!((passed.command, passed.order), (command.id, Ok(Order::CloseDay)));
    assert!(bench.run.orders.try_recv().is_err(), "once");
}

#[tokio::test]
async fn a_journal_whose_rows_rotted_is_found_before_it_is_signed() {
    let bench = Bench::new();
    bench.visits(9);
    {
        let path = bench.dir.path().join(JOURNAL_FILE);
        let rot = rusqlite::Connection::open(path).expect("the journal");
        rot.execute("UPDATE facts SET body = zeroblob(60) WHERE seq = 5", []).expect("rotten");
    }
    let played = bench.play(play(&bench.model)).await;
    let error = bench.uploader().await.step(&bench.channel(&played)).await.expect_err("damaged");
    assert!(error.to_string().contains("a chain that adds up from seq 1 to 10"), "{error}");
    assert_eq!(played.seen().len(), 0);
}
