//! What changed while a fact was on its way: the card went to somebody else, another terminal had the same slip.

use hufu_shared::act::{Act, CardSet, Verdict};
use hufu_shared::fact::{Earned, Event, Shown, SlipKey, Visited};
use hufu_shared::ids::FactId;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{EarnCap, Period, Policy};
use hufu_shared::time::{Day, SECOND_US};

use super::blocked::{spend, sum, with_lease};
use super::conflicts::decided;
use super::kit::*;
use crate::db::testing::each;
use crate::rules::posting::{case_id, fact_cause};

/// A purchase of 100 yuan for each 2 points, with slip 7.
fn sale(terminal: &mut Terminal, seconds: i64, points: i64) -> FactId {
    let slip = SlipKey { shop: "A1".to_owned(), number: "7".to_owned(), date: Day(20_779) };
    let earned = Earned {
        subject: subject(1),
        purchase: Amount(points / 2 * 10_000),
        promised: vec![Leg { unit: Unit::Pts, amount: Amount(points) }],
        slip: Some(slip),
        replaces: None,
        repeats: None,
        paid: None,
    };
    terminal.record(seconds, Shown::Accepted, Event::Earned(earned))
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_a_lease_pays_for_a_card_that_went_to_somebody_else_and_its_terminal_is_not_suspected() {
    each(|db| async move {
        with_lease(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let handed_on = CardSet { member: Some(member(2)), ..card(1, None) };
        act(&db, 110, NOON, Act::CardsSet(vec![handed_on])).await;
        let id = spend(&mut terminal, 600, 20, 20);
        terminal.upload(&db).await;
        assert_eq!(standing(&db, id).await, ("applied_with_case".to_owned(), Some(14)));
        assert_eq!(sum(&db, format!("sink/redeemed/{OFFICE_A}")).await, 20, "the goods are gone");
        assert_eq!(count(&db, "cases_of_kind", vec![5_i64.into()]).await, 0, "nothing is frozen");
        let next = spend(&mut terminal, 900, 10, 30);
        terminal.upload(&db).await;
        assert_eq!(standing(&db, next).await, ("applied_with_case".to_owned(), Some(14)));
        assert_eq!(count(&db, "open_cases", vec![]).await, 1);
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0, "inv 1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_a_spend_with_a_card_that_went_on_and_was_lost_is_in_both_cases_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            with_lease(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let handed_on = CardSet { member: Some(member(2)), ..card(1, None) };
            act(&db, 110, NOON, Act::CardsSet(vec![handed_on])).await;
            let lost = Event::CardReportedLost(Visited { subject: subject(1) });
            b.record(300, Shown::Attention, lost);
            let id = spend(&mut a, 600, 20, 20);
            for terminal in if swap { [&mut a, &mut b] } else { [&mut b, &mut a] } {
                terminal.upload(&db).await;
            }
            assert_eq!(standing(&db, id).await, ("applied_with_case".to_owned(), Some(9)));
            for kind in [9_i64, 14] {
                assert_eq!(count(&db, "cases_of_kind", vec![kind.into()]).await, 1, "kind {kind}");
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_a_purchase_that_was_cut_until_its_slip_was_another_s_leaves_no_question() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let most = Amount(10);
            let (events, offices) = (vec![], vec![]);
            let cap = EarnCap { unit: Unit::Pts, period: Period::Month, most, events, offices };
            let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
            act(&db, 40, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            b.purchase(-600, 1, 30_000, 6);
            let first = sale(&mut a, 0, 8);
            let second = sale(&mut b, 600, 8);
            if swap {
                b.upload(&db).await;
                a.upload(&db).await;
            } else {
                a.upload(&db).await;
                b.upload(&db).await;
            }
            assert_eq!(standing(&db, first).await, ("applied_with_case".to_owned(), Some(23)));
            assert_eq!(standing(&db, second).await, ("no_effect".to_owned(), Some(32)));
            assert_eq!(points(&db, 1).await, 10);
            assert_eq!(count(&db, "open_cases", vec![]).await, 2, "one about the cap, one about the slip");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_a_repeated_purchase_takes_no_room_of_a_cap_from_what_is_judged_before_it() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (events, offices) = (vec![], vec![]);
            let cap = EarnCap { unit: Unit::Pts, period: Period::Month, most: Amount(10), events, offices };
            let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
            act(&db, 40, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            b.purchase(0, 1, 30_000, 6);
            let repeat = b.purchase(10, 1, 30_000, 6);
            let last = a.purchase(7_200, 1, 20_000, 4);
            if swap {
                b.upload(&db).await;
                a.upload(&db).await;
            } else {
                a.upload(&db).await;
                b.upload(&db).await;
            }
            assert_eq!(standing(&db, repeat).await, ("merged".to_owned(), Some(2)));
            assert_eq!(standing(&db, last).await, ("applied".to_owned(), None));
            assert_eq!(points(&db, 1).await, 10);
            assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_what_a_person_decided_stays_so_whatever_came_between_it_and_the_end_of_its_matter() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let third = third_terminal(&db).await;
            let (events, offices) = (vec![], vec![]);
            let cap = EarnCap { unit: Unit::Pts, period: Period::Month, most: Amount(10), events, offices };
            let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
            act(&db, 40, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
            let (mut a, mut b, mut c) =
                (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B), Terminal::start(third));
            let cut = sale(&mut a, 600, 16);
            a.upload(&db).await;
            let case = case_id(23, &[&fact_cause(cut).0]);
            let at = NOON.offset(900 * SECOND_US);
            act(&db, 60, at, decided(case, Verdict::Confirm, vec![])).await;
            // One leaves it less, the other has the same slip and is earlier: then there is nothing to cut.
            b.purchase(0, 1, 30_000, 6);
            sale(&mut c, 30, 16);
            if swap {
                c.upload(&db).await;
                b.upload(&db).await;
            } else {
                b.upload(&db).await;
                c.upload(&db).await;
            }
            assert_eq!(standing(&db, cut).await, ("no_effect".to_owned(), Some(32)));
            assert_eq!(points(&db, 1).await, 10);
            let states = probe(&db, "case_state", vec![23.into()]).await;
            let mut states: Vec<&str> = states.iter().map(|row| row.text(0).expect("text")).collect();
            states.sort_unstable();
            assert_eq!(states, ["decided", "open"], "that of the sale which counts is new");
        })
        .await;
    }
}
