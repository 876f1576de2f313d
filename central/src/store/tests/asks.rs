//! Asks of terminals: what is set aside ahead of need and on demand, who is asked to close, what a terminal is sent.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use hufu_shared::act::{
    Act, DeviceEnrolled, DeviceKey, LeaseCause, LeaseSet, RecoveryEnded, ValueEnd, ValueMoved,
};
use hufu_shared::fact::{Event, LeaseClosed, Shown, Visited};
use hufu_shared::ids::{DeviceId, EntryId, Hash, LeaseId, OccurrenceId};
use hufu_shared::member::OccurrenceRow;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::wire::lease::{AskBecame, LeaseAsk, LeaseState, RecallState};
use hufu_shared::wire::upload::{LeaseReport, Order, ReceiptMark};
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::kit::*;
use crate::db::testing::each;
use crate::db::{Db, DbError, Tx};
use crate::rules::entry::journal_start;
use crate::rules::lease::LeaseRow;
use crate::store::contact::{self, Heartbeat};
use crate::store::leases::{self, Answered, Asked};
use crate::store::recovery::{self, Proven, Source};
use crate::store::{StoreError, directory, journal, world};

const LATER: Instant = Instant(NOON.0 + 9 * 3600 * SECOND_US);

/// Gives member 1 points at the centre.
pub async fn give(db: &Db, n: u8, amount: i64) {
    let moved = ValueMoved {
        id: Hash([n; 32]),
        from: ValueEnd::Issuer(OFFICE_A),
        to: ValueEnd::Member(member(1)),
        leg: Leg { unit: Unit::Pts, amount: Amount(amount) },
        office: OFFICE_A,
        reason: Hash([0; 32]),
        of: None,
    };
    act(db, n, NOON, Act::ValueMoved(moved)).await;
}

/// Card 1 is seen at both offices.
pub async fn seen_at_both(db: &Db) -> (Terminal, Terminal) {
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    for (terminal, seconds) in [(&mut a, 0), (&mut b, 7200)] {
        terminal.record(seconds, Shown::Accepted, Event::Visited(Visited { subject: subject(1) }));
        terminal.upload(db).await;
    }
    (a, b)
}

pub async fn ask(
    db: &Db,
    device: DeviceId,
    held: Option<&LeaseRow>,
    wanted: i64,
    n: u8,
    now: Instant,
) -> Answered {
    let ask = LeaseAsk {
        lease: held.map(|row| row.lease),
        generation: held.map_or(0, |row| row.generation),
        member: member(1),
        unit: Unit::Pts,
        wanted_total: Amount(wanted),
    };
    let asked = Asked { device, ask, now, entry: EntryId([n; 16]) };
    db.write(move |tx| leases::authorize(tx, &asked)).await.expect("an ask is decided")
}

/// A terminal is heard of.
pub async fn heard(db: &Db, device: DeviceId, now: Instant) {
    let beat = Heartbeat {
        address: "127.0.0.1".to_owned(),
        queued: 0,
        notices: 0,
        directory: Version::default(),
        block: Version::default(),
        readiness: None,
        health: None,
    };
    db.write(move |tx| contact::heard(tx, device, &beat, now)).await.expect("contact");
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_02_what_is_asked_for_is_set_aside_once_and_never_more_than_there_is() {
    each(|db| async move {
        found(&db).await;
        give(&db, 40, 100).await;
        let first = ask(&db, TERMINAL_A, None, 60, 50, LATER).await;
        assert_eq!((first.became, first.figure), (AskBecame::Granted, Some(Amount(100))));
        let row = first.row.expect("a lease");
        assert_eq!((row.granted_total, points(&db, 1).await), (Amount(60), 40));
        // The answer was lost: asked again, word for word, nothing more is set aside.
        let again = ask(&db, TERMINAL_A, None, 60, 51, LATER).await;
        assert_eq!(again.row.as_ref().map(|row| row.granted_total), Some(Amount(60)));
        let raised = ask(&db, TERMINAL_A, Some(&row), 90, 52, LATER).await;
        assert_eq!((raised.became, points(&db, 1).await), (AskBecame::Granted, 10));
        let too_much = ask(&db, TERMINAL_A, Some(&row), 200, 53, LATER).await;
        assert_eq!((too_much.became, points(&db, 1).await), (AskBecame::TooLittle, 10));
        let stale = LeaseRow { generation: row.generation + 1, ..row };
        assert_eq!(ask(&db, TERMINAL_A, Some(&stale), 95, 54, LATER).await.became, AskBecame::Generation);
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_asks_the_holder_to_close_and_what_it_returns_is_raised_here() {
    each(|db| async move {
        found(&db).await;
        let (_, mut holder) = seen_at_both(&db).await;
        give(&db, 40, 100).await;
        let there = ask(&db, TERMINAL_B, None, 80, 50, LATER).await.row.expect("a lease");
        heard(&db, TERMINAL_B, LATER).await;
        let waits = ask(&db, TERMINAL_A, None, 60, 51, LATER).await;
        assert_eq!((waits.became, waits.has_orders), (AskBecame::Recalling, true));
        assert_eq!(
            waits.recalled.iter().map(|recall| recall.state).collect::<Vec<_>>(),
            [RecallState::Closing]
        );
        let orders = db.read(move |tx| leases::orders(tx, TERMINAL_B, LATER)).await.expect("orders");
        let order = Order::CloseLease(there.lease, there.generation);
        assert_eq!(orders.iter().map(|command| command.order.clone()).collect::<Vec<_>>(), [order]);
        // Nobody hears of it in time: said so, and nothing is lost.
        let late = LATER.offset(4 * SECOND_US);
        assert_eq!(ask(&db, TERMINAL_A, None, 60, 52, late).await.became, AskBecame::Unreachable);
        // It closes: what it had left is the member's again, and goes where it is asked for.
        let closed = LeaseClosed { lease: there.lease, generation: there.generation, spent_total: Amount(0) };
        holder.record(7300, Shown::Nothing, Event::LeaseClosed(closed));
        holder.upload(&db).await;
        let granted = ask(&db, TERMINAL_A, None, 60, 53, late).await;
        assert_eq!((granted.became, points(&db, 1).await), (AskBecame::Granted, 40));
        let after = db.read(move |tx| leases::orders(tx, TERMINAL_B, late)).await.expect("orders");
        assert!(after.is_empty(), "done is done");
    })
    .await;
}

/// Grants the first member what may be set aside at a terminal; answers in how many units.
fn ahead(tx: &mut Tx<'_>, device: DeviceId, n: u8) -> Result<u64, StoreError> {
    let units = [(Unit::Pts, EntryId([n; 16])), (Unit::Cny, EntryId([n + 100; 16]))];
    leases::grant_all_ahead(tx, device, &[(member(1), units)], LATER)
}

#[tokio::test(flavor = "multi_thread")]
async fn members_whom_others_saw_here_are_granted_something_ahead_and_the_terminal_hears_until_it_echoes() {
    each(|db| async move {
        found(&db).await;
        let third = third_terminal(&db).await;
        let mut other = Terminal::start(third);
        other.record(0, Shown::Accepted, Event::Visited(Visited { subject: subject(1) }));
        other.upload(&db).await;
        give(&db, 40, 100).await;
        let (pairs, _) = db.read(move |tx| leases::candidates(tx, LATER, None)).await.expect("candidates");
        let here = TERMINAL_B;
        assert_eq!(pairs, [(here, member(1))], "the other terminal of that office");
        let granted = db.write(move |tx| ahead(tx, here, 60)).await;
        assert_eq!(granted.expect("granted"), 1, "points, and there is no money");
        assert_eq!(points(&db, 1).await, 75, "a quarter is set aside");
        let shown =
            db.read(|tx| tx.query_one(directory::SQL.get("member_by_id"), &[member(1).0.into()])).await;
        let shown: Result<_, DbError> = shown;
        assert_eq!(shown.and_then(|row| row.int(4)).expect("a figure"), 100, "one figure, wherever it lies");
        let sent = db.read(move |tx| leases::unechoed(tx, here)).await.expect("states");
        assert_eq!(sent.len(), 1);
        let echo: (LeaseId, Version) = (sent[0].lease, sent[0].version);
        db.write(move |tx| leases::echoed(tx, here, &[echo])).await.expect("echo");
        assert!(db.read(move |tx| leases::unechoed(tx, here)).await.expect("states").is_empty());
    })
    .await;
}

/// While one holds the gate and goes on to a terminal's row, another who would grant there waits at the gate, and has
/// not locked that row: else each would wait for the other until the database ended one of them.
#[tokio::test(flavor = "multi_thread")]
async fn who_grants_waits_at_the_gate_before_any_row_is_locked() {
    each(|db| async move {
        found(&db).await;
        let mut other = Terminal::start(third_terminal(&db).await);
        other.record(0, Shown::Accepted, Event::Visited(Visited { subject: subject(1) }));
        other.upload(&db).await;
        give(&db, 40, 100).await;
        let (passed, gate) = mpsc::channel();
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let first = db.write(move |tx| -> Result<(), StoreError> {
            counted.fetch_add(1, Ordering::SeqCst);
            journal::pass_gate(tx, LATER)?;
            let _ = passed.send(());
            // Long enough for the other to come as far as it can.
            std::thread::park_timeout(Duration::from_millis(300));
            world::device_row(tx, TERMINAL_B)?;
            Ok(())
        });
        let counted = Arc::clone(&runs);
        let second = async {
            let heard = tokio::task::spawn_blocking(move || gate.recv_timeout(Duration::from_secs(20)));
            heard.await.expect("no panic").expect("the gate is passed");
            db.write(move |tx| {
                counted.fetch_add(1, Ordering::SeqCst);
                ahead(tx, TERMINAL_B, 60)
            })
            .await
        };
        let (first, second) = tokio::join!(first, second);
        first.expect("nobody is in its way");
        assert_eq!(second.expect("granted"), 1);
        assert_eq!(runs.load(Ordering::SeqCst), 2, "neither was ended and run again");
    })
    .await;
}

/// A terminal that was enrolled again counts anew: what its earlier enrolment held is no more raised, sent or called back.
#[tokio::test(flavor = "multi_thread")]
async fn kind_22_what_an_earlier_enrolment_held_stays_aside_and_the_new_one_gets_leases_of_its_own() {
    each(|db| async move {
        found(&db).await;
        seen_at_both(&db).await;
        give(&db, 40, 100).await;
        let old = ask(&db, TERMINAL_A, None, 20, 50, LATER).await.row.expect("a lease");
        let key = DeviceKey { device: TERMINAL_A, epoch: 2, key: vec![9; 91] };
        let enrolled = DeviceEnrolled { key, seal_key: [0; 32], board: Hash([0; 32]) };
        act(&db, 51, LATER, Act::DeviceEnrolled(enrolled)).await;
        let sent = || db.read(|tx| leases::unechoed(tx, TERMINAL_A));
        assert_eq!(sent().await.expect("states"), [], "the new journal knows nothing of it");
        let fresh = ask(&db, TERMINAL_A, None, 30, 52, LATER).await.row.expect("a lease");
        assert_ne!(fresh.lease, old.lease);
        assert_eq!((fresh.enrolment, fresh.granted_total, points(&db, 1).await), (2, Amount(30), 50));
        assert_eq!(sent().await.expect("states"), [fresh]);
        // Nobody can close it any more: it is not waited for.
        heard(&db, TERMINAL_A, LATER).await;
        let elsewhere = ask(&db, TERMINAL_B, None, 95, 53, LATER).await;
        assert_eq!((elsewhere.became, elsewhere.recalled.len()), (AskBecame::TooLittle, 0));
        // Whatever a shell overlooks, nothing more is set aside for it.
        let raise = LeaseSet {
            lease: old.lease,
            generation: old.generation,
            device: TERMINAL_A,
            member: member(1),
            unit: Unit::Pts,
            granted_total: Amount(40),
            terms: old.terms.clone(),
            version: Version { n: old.version.n + 1, ..old.version },
            cause: LeaseCause::Raised,
        };
        act(&db, 54, LATER, Act::LeaseSet(raise)).await;
        assert_eq!(points(&db, 1).await, 50);
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
    })
    .await;
}

/// A lease that was spent from is filled up the day before an activity, at the terminals where it takes place.
#[tokio::test(flavor = "multi_thread")]
async fn on_the_eve_of_an_activity_leases_are_filled_up_at_its_offices() {
    each(|db| async move {
        found(&db).await;
        let third = third_terminal(&db).await;
        let mut other = Terminal::start(third);
        other.record(0, Shown::Accepted, Event::Visited(Visited { subject: subject(1) }));
        other.upload(&db).await;
        give(&db, 40, 100).await;
        let here = TERMINAL_B;
        let grant = |n: u8| db.write(move |tx| ahead(tx, here, n));
        assert_eq!(grant(60).await.expect("granted"), 1);
        let pairs = || db.read(move |tx| leases::candidates(tx, LATER, None));
        assert_eq!(pairs().await.expect("pairs").0, [], "who has a lease here waits for need");
        for (n, office, expected) in [(61, OFFICE_A, vec![]), (62, OFFICE_B, vec![(here, member(1))])] {
            let evening = OccurrenceRow {
                occurrence: OccurrenceId([n; 16]),
                starts: LATER.offset(20 * 3600 * SECOND_US),
                ends: LATER.offset(22 * 3600 * SECOND_US),
                offices: vec![office],
                ..occurrence()
            };
            act(&db, n, LATER, Act::OccurrenceSet(evening)).await;
            assert_eq!(pairs().await.expect("pairs").0, expected);
        }
        assert_eq!(grant(63).await.expect("asked"), 0, "a full lease stays as it is");
        give(&db, 41, 300).await;
        assert_eq!(grant(64).await.expect("granted"), 1, "a quarter of more is more");
        let held = db.read(move |tx| leases::unechoed(tx, here)).await.expect("states");
        assert_eq!(held[0].granted_total, Amount(100), "a quarter of 400, raised in one lease");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_after_the_wait_was_ended_is_taken_all_the_same() {
    each(|db| async move {
        found(&db).await;
        let epoch = CentralEpoch { n: 2, bits: 9 };
        act(&db, 40, NOON, Act::EpochBegun(epoch)).await;
        let ended = RecoveryEnded { epoch: 2, silent: vec![TERMINAL_A], reason: None };
        act(&db, 41, NOON, Act::RecoveryEnded(ended)).await;
        let mark = ReceiptMark {
            central_epoch: epoch,
            journal_size: 0,
            journal_head: journal_start(),
            device: TERMINAL_A,
            acked_seq: 0,
            directory: Version::default(),
            block: Version::default(),
            leases: Vec::new(),
            signature: Vec::new(),
        };
        for (n, takes) in [(70, true), (71, false)] {
            let proven = Proven { mark: Some(mark.clone()), ..Proven::default() };
            let from = Source { device: TERMINAL_A, enrolment: 1, entry: EntryId([n; 16]), now: LATER };
            let took = db.write(move |tx| recovery::heard(tx, from, &proven)).await.expect("heard");
            assert_eq!(took, takes, "once");
        }
    })
    .await;
}

/// A terminal that learned of the new life, and holds receipts of the one before, reports to the new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_counts_though_the_last_receipt_is_of_the_life_before() {
    each(|db| async move {
        found(&db).await;
        seen_at_both(&db).await;
        give(&db, 40, 100).await;
        let answered = ask(&db, TERMINAL_A, None, 25, 60, LATER).await;
        let held = answered.row.expect("a lease").state();
        let free = points(&db, 1).await;
        // As if the grant were among what was lost: the terminal shows a higher total than stands here.
        let held = LeaseState {
            granted_total: Amount(held.granted_total.0 + 15),
            version: Version { epoch: 1, n: 900 },
            ..held
        };
        let epoch = CentralEpoch { n: 2, bits: 9 };
        act(&db, 41, NOON, Act::EpochBegun(epoch)).await;
        let mark = ReceiptMark {
            central_epoch: CentralEpoch { n: 1, bits: 7 },
            journal_size: 0,
            journal_head: journal_start(),
            device: TERMINAL_A,
            acked_seq: 0,
            directory: Version::default(),
            block: Version::default(),
            leases: Vec::new(),
            signature: Vec::new(),
        };
        let hear = |n: u8, report: Option<LeaseReport>| {
            let proven = Proven { mark: Some(mark.clone()), report, ..Proven::default() };
            let from = Source { device: TERMINAL_A, enrolment: 1, entry: EntryId([n; 16]), now: LATER };
            db.write(move |tx| recovery::heard(tx, from, &proven))
        };
        assert!(
            !hear(70, None).await.expect("heard"),
            "a terminal that does not know of it has not reported"
        );
        let before = Some(LeaseReport { epoch: mark.central_epoch, states: Vec::new() });
        assert!(!hear(71, before).await.expect("heard"), "nor has one that reports to the life before");
        let report = Some(LeaseReport { epoch, states: vec![held] });
        assert!(hear(72, report).await.expect("heard"));
        assert_eq!(points(&db, 1).await, free - 15, "granted again as far as it was signed for");
    })
    .await;
}
