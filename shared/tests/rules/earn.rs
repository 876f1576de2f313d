//! Tests of earning: worked figures, gate, cap, once, and that splitting never earns more.

use hufu_shared::rules::earn::*;
use proptest::prelude::*;

use crate::kit::*;

const S2: EarnRate = EarnRate { per_fen: 10_000, points: 2 };

fn purchase(fen: i64) -> Earning<'static> {
    Earning {
        event: EarnKind::Purchase,
        of: "",
        basis: Amount(fen),
        paid_percent: 100,
        day: day("2026-11-23"),
        rank: 1,
    }
}

fn rate() -> EarnRule {
    EarnRule { per_fen: 10_000, points_per: 2, ..EarnRule::new("S2", EarnKind::Purchase) }
}

fn points(rule: &EarnRule, what: &Earning<'_>, before: &[Given]) -> i64 {
    gives(rule, what, before).expect("small numbers").map_or(-1, |gives| gives.amount.0)
}

#[test]
fn rule_s02_worked_figures() {
    // Price in yuan and points: 100 → 2, 99 → 0 by whole steps, 320 → 6 as in the story of a swipe.
    for (fen, expected) in
        [(10_000, 2), (9_900, 0), (9_999, 0), (32_000, 6), (19_999, 2), (20_000, 4), (0, 0), (-10_000, 0)]
    {
        assert_eq!(points_for_purchase(S2, Amount(fen)), Ok(Amount(expected)), "{fen} fen");
        assert_eq!(points(&rate(), &purchase(fen), &[]), expected, "{fen} fen by the scheme's rule");
    }
}

#[test]
fn rule_x01_rate_event_and_rounding_are_parameters() {
    let cases = [
        (Rounding::FloorUnit, 9_900, 0),
        (Rounding::Floor, 9_900, 1),
        (Rounding::HalfUp, 9_900, 2),
        (Rounding::HalfUp, 7_499, 1),
        (Rounding::HalfUp, 7_500, 2),
        (Rounding::Floor, 15_000, 3),
        (Rounding::FloorUnit, 15_000, 2),
    ];
    for (rounding, fen, expected) in cases {
        let rule = EarnRule { rounding, ..rate() };
        assert_eq!(points(&rule, &purchase(fen), &[]), expected, "{rounding:?} of {fen}");
    }
    let salon =
        EarnRule { of: Some("salon".into()), fixed_points: 50, ..EarnRule::new("K20", EarnKind::Activity) };
    let event = |event, of| Earning { event, of, ..purchase(0) };
    assert_eq!(points(&salon, &event(EarnKind::Activity, "salon"), &[]), 50);
    assert_eq!(points(&salon, &event(EarnKind::Activity, "party"), &[]), -1, "another kind");
    assert_eq!(points(&salon, &event(EarnKind::Care, "salon"), &[]), -1, "another event");
    let gold = EarnRule { ranks: vec![2], ..rate() };
    assert_eq!(points(&gold, &purchase(10_000), &[]), -1, "not for this rank");
    assert_eq!(points(&gold, &Earning { rank: 2, ..purchase(10_000) }, &[]), 2);
}

#[test]
fn rule_k22_nothing_before_the_whole_price_was_received() {
    let rule = EarnRule { gate_paid_percent: Some(100), ..rate() };
    for (paid_percent, expected) in [(0, 0), (99, 0), (100, 2)] {
        let what = Earning { paid_percent, ..purchase(10_000) };
        assert_eq!(points(&rule, &what, &[]), expected, "{paid_percent} % received");
    }
    let what = Earning { paid_percent: 99, ..purchase(10_000) };
    let gate = gives(&rule, &what, &[]).expect("small").expect("a purchase").less;
    assert_eq!(gate, Some(Less::Gate { needs: 100, paid: 99 }));
}

#[test]
fn rule_x11_each_event_says_whether_somebody_must_approve() {
    let rule = EarnRule { approval: Approval::Pending, ..rate() };
    assert!(gives(&rule, &purchase(10_000), &[]).expect("small").expect("a purchase").pending);
    assert!(!gives(&rate(), &purchase(10_000), &[]).expect("small").expect("a purchase").pending);
}

#[test]
fn a_cap_holds_in_its_period_and_a_rule_may_give_once() {
    let before = [
        Given { day: day("2026-11-01"), amount: Amount(7) },
        Given { day: day("2026-10-31"), amount: Amount(100) },
    ];
    let capped = EarnRule { cap: Some(RuleCap { period: Period::Month, most: 10 }), ..rate() };
    assert_eq!(points(&capped, &purchase(10_000), &before), 2);
    assert_eq!(points(&capped, &purchase(20_000), &before), 3, "the rest of the month's 10");
    let sign_in =
        EarnRule { fixed_points: 5, once: Once::In(Period::Day), ..EarnRule::new("B3", EarnKind::Task) };
    let today = Earning { event: EarnKind::Task, ..purchase(0) };
    assert_eq!(points(&sign_in, &today, &before), 5, "not yet today");
    let given = [Given { day: today.day, amount: Amount(5) }];
    assert_eq!(points(&sign_in, &today, &given), 0, "once a day");
    let bind = EarnRule { once: Once::Ever, ..sign_in };
    assert_eq!(points(&bind, &today, &before), 0, "once for ever");
    let taken_back = [Given { day: today.day, amount: Amount(0) }];
    assert_eq!(points(&bind, &today, &taken_back), 5, "what was taken back was not given");
}

#[test]
fn rule_x07_growth_and_points_are_two_balances() {
    for (balance, has) in
        [(Balance::Points, (true, false)), (Balance::Growth, (false, true)), (Balance::Both, (true, true))]
    {
        let rule = EarnRule { balance, ..rate() };
        let given = gives(&rule, &purchase(10_000), &[]).expect("small").expect("a purchase");
        assert_eq!((given.balance.has_points(), given.balance.has_growth()), has);
    }
    assert_eq!(EarnRule::new("S2", EarnKind::Purchase).balance, Balance::Points, "growth is off by default");
}

#[test]
fn a_rate_without_a_step_gives_nothing_and_overflow_is_an_error() {
    assert_eq!(points_for_purchase(EarnRate { per_fen: 0, points: 2 }, Amount(500)), Ok(Amount::ZERO));
    let steep = EarnRate { per_fen: 1, points: i64::MAX };
    assert_eq!(points_for_purchase(steep, Amount(2)), Err(AmountOverflow));
}

proptest! {
    #[test]
    fn splitting_a_purchase_never_earns_more(
        a in 0i64..10_000_000, b in 0i64..10_000_000, per in 1i64..100_000, each in 0i64..50,
    ) {
        for rounding in [Rounding::FloorUnit, Rounding::Floor] {
            let of = |fen| by_amount(per, each, rounding, Amount(fen)).expect("small numbers").0;
            prop_assert!(of(a) + of(b) <= of(a + b), "{rounding:?}");
        }
    }

    #[test]
    fn a_cap_is_never_passed_however_the_events_fall(
        fen in proptest::collection::vec(0i64..300_000, 1..30), most in 0i64..60,
    ) {
        let rule = EarnRule { cap: Some(RuleCap { period: Period::Day, most }), ..rate() };
        let mut before = Vec::new();
        for one in fen {
            let amount = Amount(points(&rule, &purchase(one), &before));
            before.push(Given { day: purchase(0).day, amount });
        }
        prop_assert!(before.iter().map(|given| given.amount.0).sum::<i64>() <= most);
    }

    #[test]
    fn more_money_never_earns_less(a in 0i64..10_000_000, more in 0i64..10_000_000) {
        for rounding in [Rounding::FloorUnit, Rounding::Floor, Rounding::HalfUp] {
            let of = |fen| by_amount(10_000, 2, rounding, Amount(fen)).expect("small numbers");
            prop_assert!(of(a) <= of(a + more));
        }
    }
}
