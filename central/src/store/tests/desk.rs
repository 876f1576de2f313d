//! Stored value at the centre's own desk, and a terminal that asks whether it may undo a top-up, on both databases.

use hufu_shared::act::{Act, Actor, LeaseCause, LeaseSet};
use hufu_shared::fact::{Event, Funding, LeaseUse, Reversed, Shown, SlipKey, Spent, ToppedUp};
use hufu_shared::ids::{EntryId, FactId, Hash, LeaseId, OperatorId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Day;
use hufu_shared::wire::lease::LeaseTerms;
use hufu_shared::wire::undo::{UndoAsk, UndoBecame};
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::kit::*;
use super::value::sums_hold;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::desk::{NotPossible, Plan, Wish};
use crate::store::acts::Note;
use crate::store::{StoreError, money};

const LEASE: LeaseId = LeaseId([0xe1; 16]);

pub(super) fn cny(fen: i64) -> Leg {
    Leg { unit: Unit::Cny, amount: Amount(fen) }
}

pub(super) fn pays_in(terminal: &mut Terminal, seconds: i64, fen: i64) -> FactId {
    let (amount, method) = (Amount(fen), "cash".to_owned());
    let topped = ToppedUp { subject: subject(1), amount, method, slip: None };
    terminal.record(seconds, Shown::Accepted, Event::ToppedUp(topped))
}

pub(super) fn takes_back(terminal: &mut Terminal, seconds: i64, original: FactId, fen: i64) -> FactId {
    let reason = "mistake".to_owned();
    let reversed = Reversed { original, legs: vec![cny(fen)], reason, slip: None };
    terminal.record(seconds, Shown::Accepted, Event::Reversed(reversed))
}

pub(super) fn granted(fen: i64, n: u64) -> Act {
    Act::LeaseSet(LeaseSet {
        lease: LEASE,
        generation: 1,
        device: TERMINAL_A,
        member: member(1),
        unit: Unit::Cny,
        granted_total: Amount(fen),
        terms: LeaseTerms { ttl_s: 7 * 86_400, reboot_cost_s: 7_200, reboots_max: 3 },
        version: Version { epoch: 1, n },
        cause: LeaseCause::Granted,
    })
}

pub(super) fn buys(terminal: &mut Terminal, seconds: i64, fen: i64) -> FactId {
    let used =
        LeaseUse { lease: LEASE, generation: 1, spent_total: Amount(fen), state: Version { epoch: 1, n: 1 } };
    let slip = SlipKey { shop: "A".to_owned(), number: "B12".to_owned(), date: Day(20_779) };
    let spent = Spent {
        subject: subject(1),
        legs: vec![cny(fen)],
        funding: vec![Funding::Lease(used)],
        slip: Some(slip),
        item: None,
        paid_out: None,
    };
    terminal.record(seconds, Shown::Redeemed, Event::Spent(spent))
}

async fn asks(db: &Db, id: FactId) -> UndoBecame {
    let ask = UndoAsk { epoch: id.epoch, seq: id.seq };
    db.read(move |tx| money::undo(tx, id.device, ask))
        .await
        .unwrap_or_else(|error: StoreError| panic!("{error}"))
}

pub(super) async fn planned(db: &Db, wish: &Wish) -> Result<Plan, NotPossible> {
    let wish = wish.clone();
    let read = db.read(move |tx| money::planned(tx, member(1), &wish)).await;
    read.unwrap_or_else(|error: StoreError| panic!("{error}"))
}

/// Takes a wish as its plan was seen; whether it was done.
pub(super) async fn take(db: &Db, n: u8, wish: &Wish, seen: Plan) -> bool {
    let (wish, actor) = (wish.clone(), Actor::Admin(OperatorId([7; 16])));
    let note = Note { commitment: Hash([n; 32]), sealed: vec![1] };
    let done = db.write(move |tx| {
        money::take(tx, (member(1), &wish, &seen), (&note, &actor), (EntryId([n; 16]), ARRIVAL))
    });
    done.await.unwrap_or_else(|error: StoreError| panic!("{error}")).is_some()
}

pub(super) async fn owes(db: &Db) -> i64 {
    owed(db, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_a_terminal_hears_whether_what_a_member_has_covers_a_top_up() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let paid = pays_in(&mut a, 0, 30_000);
        let not_paid = a.check_in(10, 1);
        a.upload(&db).await;
        assert_eq!(asks(&db, paid).await, UndoBecame::Covered);
        assert_eq!(asks(&db, not_paid).await, UndoBecame::Unknown);
        assert_eq!(
            asks(&db, FactId { device: TERMINAL_B, ..paid }).await,
            UndoBecame::Unknown,
            "its own only"
        );
        act(&db, 60, NOON, granted(100, 1)).await;
        assert_eq!(asks(&db, paid).await, UndoBecame::NotCovered, "a yuan of it is set aside");
        a.close_day(900);
        a.upload(&db).await;
        assert_eq!(asks(&db, paid).await, UndoBecame::OtherShift);
        let late = pays_in(&mut a, 1_000, 500);
        a.upload(&db).await;
        assert_eq!(asks(&db, late).await, UndoBecame::Covered);
        takes_back(&mut a, 1_100, late, 500);
        a.upload(&db).await;
        assert_eq!(asks(&db, late).await, UndoBecame::Undone);
        act(&db, 61, ARRIVAL, Act::EpochBegun(CentralEpoch { n: 2, bits: 9 })).await;
        assert_eq!(asks(&db, paid).await, UndoBecame::Recovering);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_money_that_waits_for_the_cash_count_covers_its_own_top_up() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let large = pays_in(&mut a, 0, 100_000);
        a.upload(&db).await;
        assert_eq!(fen(&db, 1).await, 0, "it waits for the count");
        assert_eq!(asks(&db, large).await, UndoBecame::Covered);
        assert_eq!(planned(&db, &Wish::Undo(large)).await, Err(NotPossible::Held));
        takes_back(&mut a, 600, large, 100_000);
        a.upload(&db).await;
        assert_eq!((fen(&db, 1).await, owes(&db).await), (0, 0));
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_an_admin_undoes_a_top_up_once_and_what_is_not_there_is_owed() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let paid = pays_in(&mut a, 0, 30_000);
        a.upload(&db).await;
        act(&db, 60, NOON, granted(20_000, 1)).await;
        let wish = Wish::Undo(paid);
        let plan = planned(&db, &wish).await.expect("a person may");
        assert_eq!((plan.available, plan.owed), (Amount(0), Amount(20_000)));
        let stale = Plan { owed: Amount(0), ..plan.clone() };
        assert!(!take(&db, 70, &wish, stale).await, "not what was seen");
        assert_eq!(fen(&db, 1).await, 10_000, "so nothing was done");
        assert!(take(&db, 71, &wish, plan.clone()).await);
        assert_eq!((fen(&db, 1).await, owes(&db).await), (0, 20_000));
        assert_eq!(count(&db, "cases_of_kind", vec![24.into()]).await, 1, "it is listed");
        assert!(!take(&db, 72, &wish, plan).await, "once");
        assert_eq!(planned(&db, &wish).await, Err(NotPossible::Done));
        assert_eq!(asks(&db, paid).await, UndoBecame::Undone, "its terminal hears so, too");
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_an_admin_pays_out_what_is_there_and_no_more() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        pays_in(&mut a, 0, 30_000);
        a.upload(&db).await;
        let wish = |fen| Wish::CashOut { amount: Amount(fen), office: OFFICE_B, once: [3; 16] };
        assert_eq!(planned(&db, &wish(30_001)).await, Err(NotPossible::TooMuch));
        let plan = planned(&db, &wish(12_000)).await.expect("possible");
        assert!(take(&db, 70, &wish(12_000), plan).await);
        assert_eq!((fen(&db, 1).await, owes(&db).await), (18_000, 0));
        assert_eq!(planned(&db, &wish(12_000)).await, Err(NotPossible::Done), "the same form");
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s08_goods_bought_with_stored_value_are_given_back_once_and_what_is_owed_is_paid_first() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let paid = pays_in(&mut a, 0, 30_000);
        a.upload(&db).await;
        act(&db, 60, NOON, granted(20_000, 1)).await;
        let sale = buys(&mut a, 600, 20_000);
        takes_back(&mut a, 700, sale, 5_000);
        a.upload(&db).await;
        assert_eq!(fen(&db, 1).await, 15_000);
        let undo = Wish::Undo(paid);
        let plan = planned(&db, &undo).await.expect("a person may");
        assert!(take(&db, 70, &undo, plan).await);
        assert_eq!((fen(&db, 1).await, owes(&db).await), (0, 15_000));
        let refund = |fen: Option<i64>| Wish::Refund { sale, amount: fen.map(Amount) };
        assert_eq!(planned(&db, &refund(Some(15_001))).await, Err(NotPossible::TooMuch), "5,000 came back");
        assert_eq!(planned(&db, &Wish::Refund { sale: paid, amount: None }).await, Err(NotPossible::Unknown));
        let plan = planned(&db, &refund(None)).await.expect("possible");
        assert_eq!((plan.available, plan.owed), (Amount(0), Amount(0)));
        assert!(take(&db, 71, &refund(None), plan).await);
        assert_eq!((fen(&db, 1).await, owes(&db).await), (0, 0));
        assert_eq!(count(&db, "open_cases", vec![]).await, 0, "what was owed is paid");
        assert_eq!(planned(&db, &refund(Some(1))).await, Err(NotPossible::Done), "a sale once");
        sums_hold(&db).await;
    })
    .await;
}
