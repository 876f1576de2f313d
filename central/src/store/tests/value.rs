//! What purchases, returns and top-ups come to, in every order of arrival, on both databases.

use hufu_shared::act::{
    Act, FactsReleased, Pin, PinOutcome, PointsExpired, StockEnd, StockMoved, ValueEnd, ValueMoved, Verdict,
};
use hufu_shared::fact::{Earned, Event, HandedOut, Reversed, Shown, SlipKey, ToppedUp};
use hufu_shared::ids::{FactId, Hash, ItemId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{EarnCap, ExpiryMode, Period, Policy, UseLimit, UseOf};
use hufu_shared::time::{Day, Instant, SECOND_US};

use super::conflicts::decided;
use super::kit::*;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::posting::{case_id, fact_cause};

/// Returns of returns in a row.
const CHAINED: i64 = 480;
/// A card that the centre does not know at first.
const UNKNOWN: u8 = 9;

fn slip(number: &str) -> SlipKey {
    SlipKey { shop: "A1".to_owned(), number: number.to_owned(), date: Day(20_779) }
}

/// A purchase of 100 yuan for each 2 points, with a slip.
pub(super) fn sale(
    terminal: &mut Terminal,
    seconds: i64,
    n: u8,
    points: i64,
    own: &str,
    old: Option<&str>,
) -> FactId {
    let earned = Earned {
        subject: subject(n),
        purchase: Amount(points / 2 * 10_000),
        promised: vec![Leg { unit: Unit::Pts, amount: Amount(points) }],
        slip: Some(slip(own)),
        replaces: old.map(slip),
        repeats: None,
        paid: None,
    };
    terminal.record(seconds, Shown::Accepted, Event::Earned(earned))
}

fn give_back(terminal: &mut Terminal, seconds: i64, original: FactId, leg: Leg) -> FactId {
    let reversed = Reversed { original, legs: vec![leg], reason: "goods".to_owned(), slip: None };
    terminal.record(seconds, Shown::Accepted, Event::Reversed(reversed))
}

fn top_up(terminal: &mut Terminal, seconds: i64, n: u8, fen: i64) -> FactId {
    let topped = ToppedUp {
        subject: subject(n),
        amount: Amount(fen),
        method: "cash".to_owned(),
        slip: Some(slip("t")),
    };
    terminal.record(seconds, Shown::Accepted, Event::ToppedUp(topped))
}

fn pts(amount: i64) -> Leg {
    Leg { unit: Unit::Pts, amount: Amount(amount) }
}

async fn upload(db: &Db, first: &mut Terminal, second: &mut Terminal, swap: bool) {
    if swap {
        second.upload(db).await;
        first.upload(db).await;
    } else {
        first.upload(db).await;
        second.upload(db).await;
    }
}

pub(super) async fn sums_hold(db: &Db) {
    assert_eq!(count(db, "sums_not_zero", vec![]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_32_a_replaced_slip_gives_once_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let old = sale(&mut a, 0, 1, 20, "1001", None);
            let new = sale(&mut b, 600, 1, 14, "1002", Some("1001"));
            upload(&db, &mut a, &mut b, swap).await;
            assert_eq!(standing(&db, old).await, ("no_effect".to_owned(), Some(32)));
            assert_eq!(standing(&db, new).await.0, "applied");
            assert_eq!(points(&db, 1).await, 14);
            assert_eq!(count(&db, "case_evidence", vec![32.into()]).await, 2, "old and new side by side");
            sums_hold(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_32_a_purchase_of_an_unknown_card_is_no_evidence_until_the_card_is_known() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let known = sale(&mut a, 0, 1, 20, "1001", None);
            let stranger = sale(&mut b, 600, UNKNOWN, 14, "1001", None);
            upload(&db, &mut a, &mut b, swap).await;
            assert_eq!(standing(&db, stranger).await, ("held".to_owned(), Some(13)));
            assert_eq!(count(&db, "case_evidence", vec![32.into()]).await, 0, "nobody bought twice yet");
            act(&db, 60, NOON, Act::CardsSet(vec![card(UNKNOWN, Some(member(2)))])).await;
            assert_eq!(standing(&db, known).await.0, "applied");
            assert_eq!(standing(&db, stranger).await, ("no_effect".to_owned(), Some(32)));
            assert_eq!(count(&db, "case_evidence", vec![32.into()]).await, 2);
            sums_hold(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_31_a_return_waits_for_its_original_and_never_takes_more_than_all() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let bought = sale(&mut a, 0, 1, 20, "1", None);
            let part = give_back(&mut b, 600, bought, pts(15));
            let rest = give_back(&mut b, 1200, bought, pts(15));
            if swap {
                b.upload(&db).await;
                assert_eq!(standing(&db, part).await, ("held".to_owned(), Some(31)));
                assert_eq!(count(&db, "open_cases", vec![]).await, 1);
                a.upload(&db).await;
            } else {
                a.upload(&db).await;
                b.upload(&db).await;
            }
            assert_eq!(standing(&db, part).await, ("applied".to_owned(), None));
            assert_eq!(standing(&db, rest).await, ("applied_with_case".to_owned(), Some(31)));
            assert_eq!(points(&db, 1).await, 0);
            sums_hold(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_31_returns_of_returns_in_a_circle_or_a_long_chain_take_nothing_and_stop_nobody() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let bought = sale(&mut a, 0, 1, 20, "1", None);
        let at = |seq| FactId { seq, ..bought };
        let itself = give_back(&mut a, 60, at(bought.seq + 1), pts(5));
        let one = give_back(&mut a, 70, at(bought.seq + 3), pts(5));
        let other = give_back(&mut a, 80, one, pts(5));
        let first = give_back(&mut a, 90, bought, pts(4));
        let closed = a.close_day(95);
        a.upload(&db).await;
        let of_closing =
            [give_back(&mut a, 96, closed, pts(5)), give_back(&mut a, 97, at(closed.seq + 4), pts(5))];
        let later = a.close_day(98);
        assert_eq!(later, at(closed.seq + 3));
        let last = a.close_day(99);
        assert_eq!(last, at(closed.seq + 4), "what was taken back before it was there");
        let mut chain = vec![first];
        for n in 0..CHAINED {
            chain.push(give_back(&mut a, 100 + n, chain[chain.len() - 1], pts(4)));
        }
        a.upload(&db).await;
        for id in [itself, one, other].iter().chain(&of_closing).chain(&chain[1..]) {
            assert_eq!(standing(&db, *id).await.1, Some(31), "{id}");
        }
        assert_eq!(standing(&db, first).await, ("applied".to_owned(), None));
        assert_eq!(points(&db, 1).await, 16, "only the purchase's own return took something");
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_24_what_was_used_is_owed_and_the_next_credit_pays_it_first() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let bought = sale(&mut a, 0, 1, 20, "1", None);
        a.upload(&db).await;
        let moved = ValueMoved {
            id: Hash([3; 32]),
            from: ValueEnd::Member(member(1)),
            to: ValueEnd::Redeemed(OFFICE_A),
            leg: pts(15),
            office: OFFICE_A,
            reason: Hash([0; 32]),
            of: None,
        };
        act(&db, 60, NOON, Act::ValueMoved(moved.clone())).await;
        act(&db, 61, NOON, Act::ValueMoved(moved)).await;
        assert_eq!(points(&db, 1).await, 5, "asked twice, moved once");
        give_back(&mut a, 600, bought, pts(20));
        a.upload(&db).await;
        assert_eq!((points(&db, 1).await, owed(&db, 1).await), (0, 15));
        assert_eq!(count(&db, "cases_of_kind", vec![24.into()]).await, 1);
        sale(&mut a, 1200, 1, 20, "2", None);
        a.upload(&db).await;
        assert_eq!((points(&db, 1).await, owed(&db, 1).await), (5, 0), "the debt is paid first");
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_23_a_cap_over_offices_cuts_the_later_one_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let cap = EarnCap {
                unit: Unit::Pts,
                period: Period::Month,
                most: Amount(30),
                events: vec![],
                offices: vec![],
            };
            let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
            act(&db, 40, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let early = sale(&mut a, 0, 1, 20, "1", None);
            let late = sale(&mut b, 600, 1, 20, "2", None);
            upload(&db, &mut a, &mut b, swap).await;
            assert_eq!(standing(&db, early).await, ("applied".to_owned(), None));
            assert_eq!(standing(&db, late).await, ("applied_with_case".to_owned(), Some(23)));
            assert_eq!(points(&db, 1).await, 30);
            // A return frees room for the later one.
            give_back(&mut a, 1200, early, pts(20));
            a.upload(&db).await;
            assert_eq!(points(&db, 1).await, 20);
            assert_eq!(standing(&db, late).await, ("applied".to_owned(), None));
            sums_hold(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_23_what_waits_for_a_person_takes_nothing_of_a_cap_until_it_is_released() {
    each(|db| async move {
        found(&db).await;
        let (events, offices) = (vec![], vec![]);
        let cap = EarnCap { unit: Unit::Pts, period: Period::Month, most: Amount(30), events, offices };
        let mut policy = Policy { earn_caps: vec![cap], ..Policy::default() };
        policy.issue.points_per_fact = Amount(25);
        act(&db, 40, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
        let mut a = Terminal::start(TERMINAL_A);
        let much = sale(&mut a, 0, 1, 28, "1", None);
        let fair = sale(&mut a, 600, 1, 20, "2", None);
        a.upload(&db).await;
        assert_eq!(standing(&db, much).await, ("held".to_owned(), Some(40)));
        assert_eq!((points(&db, 1).await, standing(&db, fair).await), (20, ("applied".to_owned(), None)));
        let released = FactsReleased { facts: vec![much], reason: Hash([0; 32]), others_wait: false };
        act(&db, 60, NOON, Act::FactsReleased(released)).await;
        assert_eq!(points(&db, 1).await, 30, "the earlier one counts whole, the later one what is left");
        assert_eq!(standing(&db, fair).await, ("applied_with_case".to_owned(), Some(23)));
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_20_what_passes_a_limit_of_issuing_is_held_until_a_person_lets_it_pass() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let much = sale(&mut a, 0, 1, 6_000, "1", None);
        let fair = sale(&mut a, 600, 1, 20, "2", None);
        a.upload(&db).await;
        assert_eq!(standing(&db, much).await, ("held".to_owned(), Some(40)));
        assert_eq!(standing(&db, fair).await, ("applied".to_owned(), None));
        assert_eq!(points(&db, 1).await, 20);
        sums_hold(&db).await;
        let released = FactsReleased { facts: vec![much], reason: Hash([0; 32]), others_wait: false };
        act(&db, 60, NOON, Act::FactsReleased(released)).await;
        assert_eq!(points(&db, 1).await, 6_020);
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_takes_a_purchase_back_and_gives_it_again() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let much = sale(&mut a, 0, 1, 6_000, "1", None);
        a.upload(&db).await;
        let case = case_id(40, &[&fact_cause(much).0]);
        for (n, outcome, has) in [(60, PinOutcome::Counts, 6_000), (61, PinOutcome::DoesNotCount, 0)] {
            let pins = vec![Pin { fact: much, outcome }];
            act(&db, n, NOON, decided(case, Verdict::Confirm, pins)).await;
            assert_eq!(points(&db, 1).await, has);
        }
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_paid_in_is_held_above_a_small_sum_until_the_cash_is_counted() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let small = top_up(&mut a, 0, 1, 30_000);
        let large = top_up(&mut a, 600, 1, 100_000);
        a.upload(&db).await;
        assert_eq!(standing(&db, small).await.0, "applied");
        assert_eq!(standing(&db, large).await, ("held".to_owned(), None));
        assert_eq!(fen(&db, 1).await, 30_000);
        // Undone: the money is the drawer's no more.
        give_back(&mut a, 700, small, Leg { unit: Unit::Cny, amount: Amount(30_000) });
        a.upload(&db).await;
        assert_eq!(fen(&db, 1).await, 0);
        a.close_day(900);
        a.upload(&db).await;
        assert_eq!(standing(&db, large).await.0, "applied");
        assert_eq!(fen(&db, 1).await, 100_000);
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_19_cash_is_counted_though_the_clock_was_wrong_when_the_day_was_closed() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let large = top_up(&mut a, 0, 1, 100_000);
        let closed = a.close_day(900);
        a.queue.last_mut().expect("recorded").wall = Instant(0);
        a.upload(&db).await;
        assert_eq!(standing(&db, closed).await, ("applied_with_case".to_owned(), Some(19)));
        assert_eq!(standing(&db, large).await.0, "applied");
        assert_eq!(fen(&db, 1).await, 100_000);
    })
    .await;
}

fn hand_out(terminal: &mut Terminal, seconds: i64, n: u8, item: u8) -> FactId {
    let handed = HandedOut { subject: subject(n), occurrence: SALON, item: ItemId([item; 16]), quantity: 1 };
    terminal.record(seconds, Shown::Accepted, Event::HandedOut(handed))
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_34_handed_out_twice_is_kept_and_flagged_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let first = hand_out(&mut a, 0, 1, 7);
            let second = hand_out(&mut b, 600, 1, 7);
            let other = hand_out(&mut b, 700, 2, 7);
            upload(&db, &mut a, &mut b, swap).await;
            assert_eq!(standing(&db, first).await, ("applied".to_owned(), None));
            assert_eq!(standing(&db, second).await, ("applied_with_case".to_owned(), Some(34)));
            assert_eq!(standing(&db, other).await, ("applied".to_owned(), None));
            assert_eq!(count(&db, "case_evidence", vec![34.into()]).await, 2);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_16_what_the_stock_does_not_cover_is_backordered_and_filled_later() {
    each(|db| async move {
        found(&db).await;
        let came = |name, pieces| StockMoved {
            id: Hash([name; 32]),
            item: ItemId([7; 16]),
            from: StockEnd::Supplier,
            to: StockEnd::Shelf(OFFICE_A),
            pieces,
            reason: Hash([0; 32]),
        };
        act(&db, 40, NOON, Act::StockMoved(came(1, 1))).await;
        let mut a = Terminal::start(TERMINAL_A);
        let first = hand_out(&mut a, 0, 1, 7);
        let second = hand_out(&mut a, 600, 2, 7);
        a.upload(&db).await;
        assert_eq!(standing(&db, first).await, ("applied".to_owned(), None));
        assert_eq!(standing(&db, second).await, ("applied_with_case".to_owned(), Some(16)));
        act(&db, 60, NOON, Act::StockMoved(came(2, 5))).await;
        assert_eq!(standing(&db, second).await, ("applied".to_owned(), None));
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_33_a_use_beyond_the_limit_of_a_period_is_kept_and_flagged() {
    each(|db| async move {
        found(&db).await;
        let limit = UseLimit { of: UseOf::Item(ItemId([7; 16])), period: Period::Day, most: Amount(1) };
        let policy = Policy { use_limits: vec![limit], ..Policy::default() };
        act(&db, 40, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
        let mut a = Terminal::start(TERMINAL_A);
        hand_out(&mut a, 0, 1, 7);
        a.upload(&db).await;
        assert_eq!(count(&db, "cases_of_kind", vec![33.into()]).await, 0);
        hand_out(&mut a, 600, 1, 7);
        a.upload(&db).await;
        assert_eq!(count(&db, "case_evidence", vec![33.into()]).await, 1, "the one beyond");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b04_points_run_out_by_sums_and_a_late_fact_changes_what_did() {
    each(|db| async move {
        found(&db).await;
        let policy = Policy { expiry: ExpiryMode::RollingMonths(1), ..Policy::default() };
        act(&db, 40, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
        let mut a = Terminal::start(TERMINAL_A);
        sale(&mut a, 0, 1, 20, "1", None);
        a.upload(&db).await;
        let run = |n| Act::PointsExpired(PointsExpired { cutoff: Day(20_779 + n), members: vec![member(1)] });
        act(&db, 60, NOON.offset(9 * 3600 * SECOND_US), run(20)).await;
        assert_eq!(points(&db, 1).await, 20, "not yet");
        act(&db, 61, NOON.offset(9 * 3600 * SECOND_US), run(40)).await;
        assert_eq!(points(&db, 1).await, 0);
        act(&db, 62, NOON.offset(9 * 3600 * SECOND_US), run(40)).await;
        assert_eq!(points(&db, 1).await, 0, "once");
        // It had been spent before, at another terminal whose word comes late: then nothing was left to run out.
        let mut b = Terminal::start(TERMINAL_B);
        let late = sale(&mut b, 600, 1, 10, "2", None);
        b.upload(&db).await;
        assert_eq!(points(&db, 1).await, 10);
        act(&db, 63, NOON.offset(10 * 3600 * SECOND_US), run(40)).await;
        assert_eq!((points(&db, 1).await, standing(&db, late).await.0), (0, "applied".to_owned()));
        sums_hold(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_a_purchase_whose_slip_counts_elsewhere_leaves_the_case_of_its_card_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let handed_on = Act::CardsSet(vec![card(1, Some(member(2)))]);
            act(&db, 60, NOON.offset(3600 * SECOND_US), handed_on).await;
            // The card was member 1's then. The same slip was entered elsewhere, and replaced there.
            let first = sale(&mut a, 60, 1, 2, "1", None);
            sale(&mut b, 120, 3, 2, "2", Some("1"));
            upload(&db, &mut a, &mut b, swap).await;
            assert_eq!(standing(&db, first).await, ("no_effect".to_owned(), Some(32)));
            let case = case_id(14, &[&token(1).to_bytes(), &member(1).0, &member(2).0]);
            assert_eq!(count(&db, "facts_of_case", vec![case.0.into()]).await, 0, "swapped {swap}");
        })
        .await;
    }
}
