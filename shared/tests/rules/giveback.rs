//! Goods that come back: worked figures, edges, properties.

use hufu_shared::rules::earn;
use hufu_shared::rules::giveback::*;
use proptest::prelude::*;

use crate::kit::*;

fn by(shortfall: Shortfall) -> Returns {
    Returns { shortfall, ..Returns::default() }
}

#[test]
fn rule_s08_points_are_taken_back_and_what_is_missing_stands_against_gift_or_cash() {
    let rules = by(Shortfall::ReturnGiftOrCash);
    // Points of the goods, points left; taken, missing, cash at 1 元 a point.
    for (due, has, taken, short, cash_fen) in [
        (20, 50, 20, 0, 0),
        (20, 20, 20, 0, 0),
        (20, 5, 5, 15, 1_500),
        (20, 0, 0, 20, 2_000),
        (0, 5, 0, 0, 0),
    ] {
        let expected = TakenBack { taken, owed: 0, short, cash_fen };
        assert_eq!(take_back(&rules, due, has, 100), Ok(expected), "{due} of {has}");
    }
    assert_eq!(gift_returned(15, 200), 185, "the gift's cost pays what is missing, the rest comes back");
    let debts = take_back(&by(Shortfall::Negative), 20, 5, 100).expect("debts are kept");
    assert_eq!((debts.taken, debts.owed, debts.cash_fen), (5, 15, 0));
    let refused = take_back(&by(Shortfall::Block), 20, 5, 100);
    assert_eq!(refused, Err(NotTakenBack::Short { needs: 20, has: 5 }));
    let kept = Returns { reverse_points: false, ..Returns::default() };
    assert_eq!(take_back(&kept, 20, 5, 100), Ok(TakenBack::default()));
}

#[test]
fn rule_b03_a_refused_order_costs_points_and_what_is_missing_is_owed() {
    for shortfall in [Shortfall::ReturnGiftOrCash, Shortfall::Negative, Shortfall::Block] {
        let rules = Returns { refusal_penalty: 30, ..by(shortfall) };
        for (has, taken, owed) in [(100, 30, 0), (30, 30, 0), (10, 10, 20), (0, 0, 30), (-5, 0, 30)] {
            let expected = TakenBack { taken, owed, ..TakenBack::default() };
            assert_eq!(refusal(&rules, has), expected, "{has}: no gift stands against it");
        }
    }
    assert_eq!(refusal(&Returns::default(), 10), TakenBack::default(), "no source names a number");
}

#[test]
fn rule_s08_cash_stands_for_missing_points_where_a_point_is_worth_some() {
    for (missing, each, cash) in
        [(15, 100, Some(Amount(1_500))), (15, 0, None), (0, 100, None), (-1, 100, None), (i64::MAX, 2, None)]
    {
        assert_eq!(cash_for(missing, each), cash, "{missing} at {each} fen");
    }
}

#[test]
fn rule_s08_b03_the_terms_of_a_version_say_what_becomes_of_goods_that_come_back() {
    let mut club = Scheme::empty("club", 1, Day(0));
    assert_eq!(club.terms().returns, None, "the default travels as nothing");
    assert_eq!(club.terms().returned(), Returns::default());
    club.returns = Returns { reverse_points: false, shortfall: Shortfall::Block, refusal_penalty: 7 };
    let terms: SchemeTerms =
        hufu_shared::cbor::decode(&hufu_shared::cbor::encode(&club.terms())).expect("it was just written");
    assert_eq!(terms.returned(), club.returns);
}

proptest! {
    #[test]
    fn bringing_back_in_parts_takes_what_bringing_back_at_once_takes(
        paid in 0i64..10_000_000, parts in proptest::collection::vec(0i64..3_000_000, 1..6),
    ) {
        let points = |fen| earn::by_amount(10_000, 2, Rounding::FloorUnit, Amount(fen)).expect("small").0;
        let (earned, mut rest, mut taken) = (points(paid), paid, 0);
        for part in parts {
            rest -= part.min(rest);
            taken += due(earned, points(rest), taken);
        }
        prop_assert_eq!(taken, due(earned, points(rest), 0));
        prop_assert!(taken <= earned);
    }

    #[test]
    fn nobody_is_left_below_nothing(due in 0i64..1_000, has in 0i64..1_000) {
        for shortfall in [Shortfall::ReturnGiftOrCash, Shortfall::Negative] {
            let back = take_back(&by(shortfall), due, has, 100).expect("these take goods back");
            prop_assert!(back.taken <= has);
            prop_assert_eq!(back.taken + back.owed + back.short, due);
        }
    }
}
