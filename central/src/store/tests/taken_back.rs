//! What is taken back of one fact, at the centre's desk and at terminals, as one set; and who may undo a top-up. On both
//! databases, and in every order of arrival.

use hufu_shared::act::{Act, CaseDecided, FactsReleased, Pin, PinOutcome, Verdict};
use hufu_shared::fact::{DayClosed, DayTotals, Event, Shown, Visited};
use hufu_shared::ids::{EntryId, FactId, Hash, OfficeId};
use hufu_shared::money::Amount;
use hufu_shared::time::{Day, SECOND_US};
use hufu_shared::wire::undo::{UndoAsk, UndoBecame};

use super::blocked::sum;
use super::desk::{buys, granted, owes, pays_in, planned, take, takes_back};
use super::kit::*;
use super::order::normal_form_of_one_account as normal_form;
use super::value::sums_hold;
use crate::db::testing::each;
use crate::db::{Db, Tx};
use crate::rules::apply::{ReversalCase, reversal_case};
use crate::rules::desk::{NotPossible, Wish};
use crate::rules::entry::{EntryBody, Review};
use crate::store::verify::verify;
use crate::store::{StoreError, contact, journal, money};

fn cut() -> (String, Option<i64>) {
    ("applied_with_case".to_owned(), Some(31))
}

fn refused() -> (String, Option<i64>) {
    ("no_effect".to_owned(), Some(31))
}

async fn by_desk(db: &Db, n: u8, wish: &Wish) {
    let plan = planned(db, wish).await.unwrap_or_else(|why| panic!("{why}"));
    assert!(take(db, n, wish, plan).await, "as it was seen");
}

/// Money of an office by method; what the drawer has is above zero.
async fn drawer(db: &Db, office: OfficeId, method: &str) -> i64 {
    -sum(db, format!("cash/{office}/{method}")).await
}

async fn replays(db: &Db) {
    sums_hold(db).await;
    while db.write(journal::publish).await.expect("publish") > 0 {}
    assert_eq!(verify(db).await.expect("readable").findings, Vec::<String>::new());
}

/// What the case about the returns of a fact holds beside them, and how many there are.
async fn sides(db: &Db, original: FactId) -> (ReversalCase, i64) {
    let detail = probe(db, "case_detail", vec![reversal_case(original).0.into()]).await;
    let detail = hufu_shared::cbor::decode(detail[0].blob(0).expect("a detail")).expect("readable");
    (detail, count(db, "case_evidence", vec![31.into()]).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_31_a_top_up_undone_at_the_desk_and_at_its_terminal_is_taken_back_once() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let paid = pays_in(&mut a, 0, 30_000);
        a.upload(&db).await;
        // The terminal is not heard when the admin acts.
        let undone = takes_back(&mut a, 600, paid, 30_000);
        by_desk(&db, 70, &Wish::Undo(paid)).await;
        assert_eq!(fen(&db, 1).await, 0);
        a.upload(&db).await;
        assert_eq!((fen(&db, 1).await, owes(&db).await), (0, 0), "once, not twice");
        assert_eq!(standing(&db, undone).await, cut());
        assert_eq!(
            (drawer(&db, OFFICE_A, "cash").await, drawer(&db, OFFICE_A, "desk").await),
            (30_000, -30_000)
        );
        let (case, returns) = sides(&db, paid).await;
        assert_eq!((case.original, case.says[0].amount, returns), (paid, Amount(30_000), 1));
        assert_eq!(case.at_desk.map(|back| back.leg.amount), Some(Amount(30_000)), "both sides are shown");
        assert_eq!(count(&db, "cases_of_kind", vec![24.into()]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_31_the_desk_undoes_what_terminals_left_and_what_comes_later_is_cut() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let paid = pays_in(&mut a, 0, 30_000);
        let first = takes_back(&mut a, 60, paid, 10_000);
        a.upload(&db).await;
        by_desk(&db, 70, &Wish::Undo(paid)).await;
        assert_eq!((fen(&db, 1).await, drawer(&db, OFFICE_A, "desk").await), (0, -20_000));
        assert_eq!(planned(&db, &Wish::Undo(paid)).await, Err(NotPossible::Done));
        let ask = UndoAsk { epoch: paid.epoch, seq: paid.seq };
        let asked = db.read(move |tx| money::undo(tx, paid.device, ask)).await;
        assert_eq!(asked.unwrap_or_else(|error: StoreError| panic!("{error}")), UndoBecame::Undone);
        let later = takes_back(&mut a, 900, paid, 5_000);
        a.upload(&db).await;
        assert_eq!((fen(&db, 1).await, owes(&db).await), (0, 0));
        assert_eq!(standing(&db, first).await, ("applied".to_owned(), None));
        assert_eq!(standing(&db, later).await, cut());
        assert_eq!(drawer(&db, OFFICE_A, "cash").await, 20_000, "10,000 went out of it");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_31_goods_refunded_at_the_desk_and_returned_at_the_terminal_come_back_once() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        pays_in(&mut a, 0, 30_000);
        a.upload(&db).await;
        act(&db, 60, NOON, granted(20_000, 1)).await;
        let sale = buys(&mut a, 600, 20_000);
        a.upload(&db).await;
        let returned = takes_back(&mut a, 700, sale, 10_000);
        by_desk(&db, 70, &Wish::Refund { sale, amount: Some(Amount(15_000)) }).await;
        assert_eq!(fen(&db, 1).await, 25_000);
        a.upload(&db).await;
        assert_eq!((fen(&db, 1).await, owes(&db).await), (30_000, 0), "5,000 were left to give back");
        assert_eq!(standing(&db, returned).await, cut());
        assert_eq!(sum(&db, format!("sink/redeemed/{OFFICE_A}")).await, 0);
        let refund = Wish::Refund { sale, amount: None };
        assert_eq!(planned(&db, &refund).await, Err(NotPossible::Done), "a sale once");
        replays(&db).await;
    })
    .await;
}

/// The card had been reported lost at another terminal: the club bore the sale, and gets back what the desk refunds.
async fn refund_of_a_lost_card(db: Db, is_known: bool) -> Vec<Vec<String>> {
    found(&db).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    pays_in(&mut a, -1_200, 30_000);
    a.upload(&db).await;
    act(&db, 60, NOON, granted(20_000, 1)).await;
    b.record(-600, Shown::Attention, Event::CardReportedLost(Visited { subject: subject(1) }));
    let sale = buys(&mut a, 600, 20_000);
    a.upload(&db).await;
    if is_known {
        b.upload(&db).await;
    }
    let refund = Wish::Refund { sale, amount: Some(Amount(15_000)) };
    let gets = planned(&db, &refund).await.map(|plan| plan.gets);
    assert_eq!(gets, Ok(Amount(if is_known { 0 } else { 15_000 })), "the admin sees who gets it");
    by_desk(&db, 70, &refund).await;
    if !is_known {
        assert_eq!(fen(&db, 1).await, 25_000);
        b.upload(&db).await;
    }
    assert_eq!((fen(&db, 1).await, owes(&db).await), (30_000, 0), "what was spent came back once");
    assert_eq!(sum(&db, format!("loss/blocked/{OFFICE_A}")).await, -5_000);
    replays(&db).await;
    normal_form(&db).await
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_what_the_desk_refunds_goes_to_whoever_bears_the_sale_in_the_end() {
    each(|db| async move {
        let known = refund_of_a_lost_card(db, true).await;
        let late = refund_of_a_lost_card(Db::memory().expect("memory"), false).await;
        assert_eq!(known, late);
    })
    .await;
}

/// Facts of three terminals about one top-up and one sale arrive around the desk's acts, which come at turn `acts_at`.
async fn around_the_acts(order: &[usize], acts_at: usize) -> Vec<Vec<String>> {
    let db = Db::memory().expect("memory");
    found(&db).await;
    let third = third_terminal(&db).await;
    let mut terminals = [TERMINAL_A, TERMINAL_B, third].map(Terminal::start);
    let paid = pays_in(&mut terminals[0], 0, 30_000);
    terminals[0].upload(&db).await;
    act(&db, 60, NOON, granted(12_000, 1)).await;
    let sale = buys(&mut terminals[0], 60, 12_000);
    terminals[0].upload(&db).await;
    let moves: Vec<Act> =
        [(Wish::Undo(paid), 30_000), (Wish::Refund { sale, amount: Some(Amount(7_000)) }, 7_000)]
            .into_iter()
            .map(|(wish, fen)| {
                let known = crate::rules::desk::Known {
                    stands: Amount(fen),
                    bears: Amount(fen),
                    office: Some(OFFICE_A),
                    ..Default::default()
                };
                Act::ValueMoved(crate::rules::desk::plan(member(1), &wish, known).expect("possible").moved)
            })
            .collect();
    let mut turns = [0_i64; 3];
    for (turn, who) in order.iter().enumerate() {
        if turn == acts_at {
            for (n, moved) in (80..).zip(&moves) {
                act(&db, n, NOON, moved.clone()).await;
            }
        }
        let at = 600 + turns[*who] * 500 + i64::try_from(*who).expect("small") * 100;
        turns[*who] += 1;
        takes_back(&mut terminals[*who], at, paid, 9_000);
        takes_back(&mut terminals[*who], at + 10, sale, 4_000);
        terminals[*who].upload(&db).await;
    }
    assert_eq!(owes(&db).await, 0, "the sale came back whole, the top-up went whole");
    assert_eq!(fen(&db, 1).await, 0);
    assert_eq!(sum(&db, format!("sink/redeemed/{OFFICE_A}")).await, 0);
    replays(&db).await;
    normal_form(&db).await
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_the_desks_acts_and_the_terminals_reversals_end_alike_in_every_order() {
    let orders = [[0, 0, 1, 1, 2], [1, 1, 2, 0, 0], [2, 0, 1, 0, 1], [0, 1, 0, 2, 1], [1, 0, 2, 1, 0]];
    let expected = around_the_acts(&orders[0], 0).await;
    for order in &orders {
        for acts_at in 0..order.len() {
            assert_eq!(around_the_acts(order, acts_at).await, expected, "{order:?}, acts at {acts_at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_20_a_top_up_is_not_reversed_by_another_terminal_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let paid = pays_in(&mut a, 0, 30_000);
            let stolen = takes_back(&mut b, 300, paid, 30_000);
            if swap {
                b.upload(&db).await;
                assert_eq!(standing(&db, stolen).await, ("held".to_owned(), Some(31)), "it waits first");
                a.upload(&db).await;
            } else {
                a.upload(&db).await;
                b.upload(&db).await;
            }
            assert_eq!((fen(&db, 1).await, owes(&db).await), (30_000, 0), "the member keeps it");
            assert_eq!(standing(&db, stolen).await, refused());
            assert_eq!(drawer(&db, OFFICE_A, "cash").await, 30_000);
            assert_eq!(sides(&db, paid).await.1, 1, "an admin sees it");
            // The admin may still undo it, whole.
            by_desk(&db, 70, &Wish::Undo(paid)).await;
            assert_eq!((fen(&db, 1).await, owes(&db).await), (0, 0));
            replays(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_a_top_up_is_not_reversed_after_its_shift_nor_before_it_was_paid_in() {
    for unattended in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let mut a = Terminal::start(TERMINAL_A);
            let before = FactId { device: TERMINAL_A, epoch: 1, seq: 3 };
            let early = takes_back(&mut a, 10, before, 1_000);
            let paid = pays_in(&mut a, 20, 30_000);
            assert_eq!(paid, before);
            let in_time = takes_back(&mut a, 30, paid, 1_000);
            let totals = DayTotals::default();
            let to_seq = a.seq;
            let closed =
                DayClosed { day: Day(20_779), from_seq: 1, to_seq, totals, unattended, counted: None };
            a.record(600, Shown::Nothing, Event::DayClosed(closed));
            let late = takes_back(&mut a, 900, paid, 29_000);
            a.upload(&db).await;
            assert_eq!((standing(&db, early).await, standing(&db, late).await), (refused(), refused()));
            assert_eq!(standing(&db, in_time).await, ("applied".to_owned(), None));
            assert_eq!((fen(&db, 1).await, owes(&db).await), (29_000, 0));
            replays(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_a_person_lets_a_refused_reversal_count_within_what_is_left() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let paid = pays_in(&mut a, 0, 30_000);
        takes_back(&mut a, 60, paid, 12_000);
        a.upload(&db).await;
        let foreign = takes_back(&mut b, 300, paid, 20_000);
        b.upload(&db).await;
        assert_eq!(fen(&db, 1).await, 18_000);
        let decided = |outcome| {
            let pins = vec![Pin { fact: foreign, outcome }];
            let (case, verdict, reason) = (reversal_case(paid), Verdict::Confirm, Hash([0; 32]));
            Act::CaseDecided(CaseDecided { case, verdict, pins, reason })
        };
        act(&db, 60, NOON, decided(PinOutcome::Counts)).await;
        assert_eq!((fen(&db, 1).await, owes(&db).await), (0, 0), "what counts by a verdict goes first");
        act(&db, 61, NOON, decided(PinOutcome::DoesNotCount)).await;
        assert_eq!(fen(&db, 1).await, 18_000);
        assert_eq!(standing(&db, foreign).await, ("no_effect".to_owned(), None));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_26_a_case_stays_while_others_of_its_facts_wait() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        pays_in(&mut a, 0, 30_000);
        let closed = a.close_day(600);
        let mut batch = a.batch();
        let all = batch.bodies.len();
        batch.review = Some(Review::Revoked);
        entry(&db, EntryId([50; 16]), NOON.offset(3_600 * SECOND_US), EntryBody::Batch(batch)).await;
        let waits = async |limit| {
            let work = move |tx: &mut Tx<'_>| contact::in_review(tx, TERMINAL_A, 1, u64::MAX >> 1, limit);
            db.read(work).await.expect("readable")
        };
        let open = async || count(&db, "open_cases", vec![]).await;
        let (first, others_wait) = waits(1).await;
        assert_eq!((first.len(), others_wait), (1, true));
        let released = |facts, others_wait| {
            Act::FactsReleased(FactsReleased { facts, reason: Hash([0; 32]), others_wait })
        };
        act(&db, 60, ARRIVAL, released(first, others_wait)).await;
        assert_eq!(open().await, 1, "the others wait in it");
        let (rest, others_wait) = waits(200).await;
        assert_eq!((rest.len(), others_wait), (all - 1, false));
        act(&db, 61, ARRIVAL, released(rest, others_wait)).await;
        assert_eq!(open().await, 0);
        assert_eq!((fen(&db, 1).await, standing(&db, closed).await.0), (30_000, "applied".to_owned()));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_the_end_of_a_shift_counts_though_it_comes_out_of_a_review_last() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let paid = pays_in(&mut a, 0, 30_000);
        let closed = a.close_day(600);
        let late = takes_back(&mut a, 900, paid, 30_000);
        let mut batch = a.batch();
        batch.review = Some(Review::Revoked);
        entry(&db, EntryId([50; 16]), NOON.offset(3_600 * SECOND_US), EntryBody::Batch(batch)).await;
        let releases =
            |facts| Act::FactsReleased(FactsReleased { facts, reason: Hash([0; 32]), others_wait: false });
        act(&db, 60, ARRIVAL, releases(vec![paid, late])).await;
        assert_eq!(fen(&db, 1).await, 0, "nothing says that the shift was over");
        act(&db, 61, ARRIVAL, releases(vec![closed])).await;
        assert_eq!(standing(&db, late).await, refused());
        assert_eq!((fen(&db, 1).await, owes(&db).await), (30_000, 0));
        replays(&db).await;
    })
    .await;
}
