//! Reconciling a terminal's day, with the figures counted from the terminal's own queue.

use hufu_shared::money::Amount;
use hufu_shared::scheme::earning::Once;
use hufu_shared::time::Day;
use hufu_shared::wire::upload::Became;

use super::bounded::{bonus, club, rate};
use super::earned::give_back;
use super::kit::{SALON_POINTS, TERMINAL_A, TERMINAL_B, Terminal, found, found_with};
use crate::db::{Db, testing::each};
use crate::rules::reconcile::{DayState, TerminalDay};
use crate::store::reconcile;

/// 2026-11-22.
const TODAY: Day = Day(20_779);

async fn day(db: &Db, terminal: &Terminal) -> TerminalDay {
    let device = terminal.device;
    db.read(move |tx| reconcile::day(tx, device, TODAY)).await.expect("readable")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_agrees_when_every_difference_is_explained_by_how_its_fact_stands() {
    each(|db| async move {
        found(&db).await;
        assert_eq!(TODAY.to_string(), "2026-11-22");
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        a.check_in(600, 1);
        a.purchase(700, 1, 32_000, 6);
        a.purchase(800, 9, 10_000, 2);
        b.check_in(0, 1);
        a.upload(&db).await;
        assert_eq!(day(&db, &a).await.state, DayState::Open);
        b.upload(&db).await;
        a.close_day(900);
        a.upload(&db).await;

        let at_a = day(&db, &a).await;
        assert_eq!(at_a.state, DayState::Agrees);
        assert_eq!(at_a.closed, Some(at_a.reckoned.clone()));
        assert_eq!(at_a.promised, Amount(SALON_POINTS + 6 + 2));
        assert_eq!(at_a.posted, Amount(6), "the salon's points stand at B, the unknown card's are held");
        assert_eq!(at_a.explained, Amount(SALON_POINTS + 2));
        assert_eq!(at_a.lines[1].became, Became::NoEffect);
        assert!(at_a.lines[1].case.is_some());

        let at_b = day(&db, &b).await;
        assert_eq!(
            (at_b.state, at_b.promised, at_b.posted),
            (DayState::Open, Amount(SALON_POINTS), Amount(SALON_POINTS))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_that_the_ledger_did_not_keep_differs() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        // The terminal promised more than the rule gives.
        a.purchase(700, 1, 32_000, 60);
        a.upload(&db).await;
        let at_a = day(&db, &a).await;
        assert_eq!(at_a.state, DayState::Differs);
        assert_eq!((at_a.promised, at_a.posted), (Amount(60), Amount(6)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_gives_only_once_is_no_difference_and_more_than_that_is() {
    each(|db| async move {
        found_with(&db, club(1, &[rate(), bonus(Once::Ever)])).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        a.purchase(700, 1, 32_000, 6);
        a.purchase(800, 1, 10_000, 2);
        a.close_day(900);
        a.upload(&db).await;
        let at_a = day(&db, &a).await;
        assert_eq!((at_a.promised, at_a.posted), (Amount(8), Amount(58)));
        assert_eq!((at_a.state, at_a.explained), (DayState::Agrees, Amount(-50)));
        // The terminal promised less than the rate gives beside.
        b.purchase(700, 2, 32_000, 5);
        b.upload(&db).await;
        let at_b = day(&db, &b).await;
        assert_eq!((at_b.state, at_b.posted), (DayState::Differs, Amount(56)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s08_what_came_back_of_a_purchase_is_no_difference_and_more_than_that_is() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let bought = a.purchase(700, 1, 32_000, 6);
        give_back(&mut a, 800, bought, 4);
        a.close_day(900);
        a.upload(&db).await;
        let at_a = day(&db, &a).await;
        assert_eq!((at_a.promised, at_a.posted), (Amount(6), Amount(2)));
        assert_eq!((at_a.state, at_a.explained), (DayState::Agrees, Amount(4)));
        // The terminal promised more than the rule gives; half of it came back.
        let beyond = b.purchase(700, 2, 32_000, 60);
        give_back(&mut b, 800, beyond, 30);
        b.upload(&db).await;
        let at_b = day(&db, &b).await;
        assert_eq!((at_b.state, at_b.posted), (DayState::Differs, Amount(3)));
    })
    .await;
}
