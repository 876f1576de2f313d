//! Stored value frozen 冻结 and carried over 结转 by a person (H4), on both databases.

use hufu_shared::act::{Act, MembersMerged, ValueCarried, ValueEnd, ValueFrozen, ValueHolder, ValueMoved};
use hufu_shared::fact::{Event, LeaseClosed, Shown, Visited};
use hufu_shared::ids::{CardId, EntryId, Hash, LeaseId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::wire::lease::{AskBecame, LeaseAsk};
use hufu_shared::wire::undo::{UndoAsk, UndoBecame};
use hufu_shared::wire::upload::Order;

use super::desk::{buys, cny, granted, pays_in, planned, take};
use super::kit::*;
use super::value::sums_hold;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::desk::{NotPossible, Wish};
use crate::store::leases::{self, Asked};
use crate::store::verify::verify;
use crate::store::{StoreError, journal, money};

/// Minutes from noon.
fn at(minutes: i64) -> Instant {
    NOON.offset(minutes * 60 * SECOND_US)
}

/// Gives a member stored value at the centre.
async fn give(db: &Db, n: u8, to: u8, fen: i64) {
    let moved = ValueMoved {
        id: Hash([n; 32]),
        from: ValueEnd::Issuer(OFFICE_A),
        to: ValueEnd::Member(member(to)),
        leg: cny(fen),
        office: OFFICE_A,
        reason: Hash([0; 32]),
        of: None,
    };
    act(db, n, at(-90), Act::ValueMoved(moved)).await;
}

fn frozen(frozen: bool) -> Act {
    Act::ValueFrozen(ValueFrozen { member: member(1), frozen, reason: Hash([5; 32]) })
}

fn carried(n: u8, from: u8, to: u8, fen: i64) -> Act {
    let holder = |n: u8, card| ValueHolder { member: member(n), card };
    Act::ValueCarried(ValueCarried {
        id: Hash([n; 32]),
        from: holder(from, Some(CardId([from; 16]))),
        to: holder(to, None),
        amount: Amount(fen),
        office: OFFICE_A,
        reason: Hash([6; 32]),
    })
}

/// Terminal A asks for stored value of member 1.
async fn asks(db: &Db, n: u8) -> AskBecame {
    let ask = LeaseAsk {
        lease: None,
        generation: 0,
        member: member(1),
        unit: Unit::Cny,
        wanted_total: Amount(100),
    };
    let asked = Asked { device: TERMINAL_A, ask, now: at(600), entry: EntryId([n; 16]) };
    db.write(move |tx| leases::authorize(tx, &asked)).await.expect("an ask is decided").became
}

async fn orders(db: &Db) -> Vec<Order> {
    let told = db.read(|tx| leases::orders(tx, TERMINAL_A, at(6_000))).await.expect("orders");
    told.into_iter().map(|command| command.order).collect()
}

async fn statement(db: &Db, n: u8) -> Vec<(i64, String, Option<String>)> {
    let lines = db.read(move |tx| money::statement(tx, member(n), 50)).await.expect("a statement");
    lines.into_iter().map(|line| (line.change, line.code, line.other)).collect()
}

async fn proved(db: &Db) {
    sums_hold(db).await;
    while db.write(journal::publish).await.expect("published") > 0 {}
    let findings = verify(db).await.expect("readable").findings;
    assert!(findings.is_empty(), "{:?}", findings.first());
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_frozen_value_is_recalled_and_not_set_aside_until_it_is_free_again() {
    each(|db| async move {
        found(&db).await;
        give(&db, 60, 1, 30_000).await;
        act(&db, 61, at(-80), granted(12_000, 1)).await;
        assert_eq!(orders(&db).await, []);
        act(&db, 62, at(-70), frozen(true)).await;
        act(&db, 63, at(-69), frozen(true)).await;
        let close = Order::CloseLease(LeaseId([0xe1; 16]), 1);
        assert_eq!(orders(&db).await, [close], "for as long as it is frozen and out");
        act(&db, 64, at(-60), granted(20_000, 2)).await;
        assert_eq!(fen(&db, 1).await, 18_000, "no raise, whatever a shell overlooked");
        let mut a = Terminal::start(TERMINAL_A);
        let closed = LeaseClosed { lease: LeaseId([0xe1; 16]), generation: 1, spent_total: Amount::ZERO };
        a.record(0, Shown::Nothing, Event::LeaseClosed(closed));
        a.record(10, Shown::Accepted, Event::Visited(Visited { subject: subject(1) }));
        a.upload(&db).await;
        assert_eq!((orders(&db).await.len(), fen(&db, 1).await), (0, 30_000));
        assert_eq!(asks(&db, 65).await, AskBecame::Member);
        act(&db, 66, at(660), frozen(false)).await;
        assert_eq!(asks(&db, 67).await, AskBecame::Granted);
        assert_eq!(count(&db, "edits_of", vec![member(1).0.into()]).await, 2, "frozen once, set free once");
        proved(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_09_what_an_unreached_terminal_spends_of_frozen_value_is_honoured_and_listed() {
    each(|db| async move {
        found(&db).await;
        give(&db, 60, 1, 30_000).await;
        act(&db, 61, at(-80), granted(12_000, 1)).await;
        let mut a = Terminal::start(TERMINAL_A);
        act(&db, 62, at(0), frozen(true)).await;
        let spent = buys(&mut a, 600, 5_000);
        a.upload(&db).await;
        assert_eq!(standing(&db, spent).await, ("applied_with_case".to_owned(), Some(9)));
        assert_eq!(count(&db, "cases_of_kind", vec![9.into()]).await, 1, "a person sees it");
        let escrow = count(&db, "points", vec![format!("escrow/{}", LeaseId([0xe1; 16])).into()]).await;
        assert_eq!((fen(&db, 1).await, escrow), (18_000, 7_000), "and nothing is lost");
        proved(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_frozen_value_is_not_paid_out_at_the_centre_nor_undone_by_a_terminal() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let paid = pays_in(&mut a, 0, 30_000);
        a.upload(&db).await;
        let out = Wish::CashOut { amount: Amount(100), office: OFFICE_A, once: [3; 16] };
        let seen = planned(&db, &out).await.expect("possible");
        let ask = UndoAsk { epoch: paid.epoch, seq: paid.seq };
        let undo = || db.read(move |tx| -> Result<_, StoreError> { money::undo(tx, TERMINAL_A, ask) });
        assert_eq!(undo().await.expect("an answer"), UndoBecame::Covered);
        act(&db, 60, at(600), frozen(true)).await;
        assert_eq!(planned(&db, &out).await, Err(NotPossible::Frozen));
        assert!(!take(&db, 61, &out, seen).await, "nor what was seen before");
        assert_eq!(undo().await.expect("an answer"), UndoBecame::NotCovered);
        let moved = ValueMoved {
            id: Hash([62; 32]),
            from: ValueEnd::Member(member(1)),
            to: ValueEnd::Cash(OFFICE_A),
            leg: cny(100),
            office: OFFICE_A,
            reason: Hash([0; 32]),
            of: None,
        };
        act(&db, 62, at(601), Act::ValueMoved(moved)).await;
        assert_eq!(fen(&db, 1).await, 30_000, "whatever a shell overlooked");
        proved(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_a_carry_over_moves_the_whole_sum_once_and_each_statement_names_the_other() {
    each(|db| async move {
        found(&db).await;
        give(&db, 60, 1, 30_000).await;
        let all = || async { (fen(&db, 1).await, fen(&db, 2).await) };
        for n in [61, 62] {
            let Act::ValueCarried(same) = carried(61, 1, 2, 12_345) else { panic!("a carry-over") };
            act(&db, n, at(-60), Act::ValueCarried(same)).await;
            assert_eq!(all().await, (17_655, 12_345), "once");
        }
        assert_eq!(statement(&db, 1).await[0], (-12_345, "carry_over".to_owned(), Some("M2".to_owned())));
        assert_eq!(statement(&db, 2).await, [(12_345, "carry_over".to_owned(), Some("M1".to_owned()))]);
        for (n, act_of) in
            [(63, carried(63, 1, 2, 17_656)), (64, carried(64, 1, 1, 1)), (65, carried(65, 1, 2, 0))]
        {
            act(&db, n, at(-50), act_of).await;
        }
        act(&db, 66, at(-40), frozen(true)).await;
        act(&db, 67, at(-30), carried(67, 1, 2, 1)).await;
        assert_eq!(all().await, (17_655, 12_345), "too much, to oneself, nothing, frozen");
        act(&db, 68, at(-20), carried(68, 2, 1, 345)).await;
        assert_eq!(all().await, (18_000, 12_000), "what is frozen still takes in");
        let merged = MembersMerged { merged: member(1), survivor: member(3), reason: Hash([0; 32]) };
        act(&db, 69, at(-10), Act::MembersMerged(merged)).await;
        act(&db, 70, at(-9), carried(70, 3, 2, 1)).await;
        assert_eq!(
            (fen(&db, 3).await, fen(&db, 2).await),
            (18_000, 12_000),
            "frozen in the survivor's hands"
        );
        act(&db, 71, at(-8), carried(71, 2, 1, 1)).await;
        assert_eq!(fen(&db, 2).await, 12_000, "not to a record that is another's");
        proved(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_what_is_carried_over_pays_first_what_the_other_owes() {
    each(|db| async move {
        found(&db).await;
        give(&db, 60, 2, 1_000).await;
        let mut a = Terminal::start(TERMINAL_A);
        let paid = pays_in(&mut a, 0, 5_000);
        a.upload(&db).await;
        let out = Wish::CashOut { amount: Amount(5_000), office: OFFICE_A, once: [3; 16] };
        let seen = planned(&db, &out).await.expect("possible");
        assert!(take(&db, 70, &out, seen).await);
        let undo = Wish::Undo(paid);
        let seen = planned(&db, &undo).await.expect("a person may");
        assert!(take(&db, 71, &undo, seen).await);
        assert_eq!((fen(&db, 1).await, owed(&db, 1).await), (0, 5_000));
        act(&db, 72, at(600), carried(72, 2, 1, 1_000)).await;
        assert_eq!((fen(&db, 1).await, owed(&db, 1).await, fen(&db, 2).await), (0, 4_000, 0));
        proved(&db).await;
    })
    .await;
}
