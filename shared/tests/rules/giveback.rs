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
fn rule_b03_a_refused_order_costs_points() {
    let rules = Returns { refusal_penalty: 30, ..by(Shortfall::ReturnGiftOrCash) };
    assert_eq!(refusal(&rules, 100).taken, 30);
    assert_eq!(refusal(&rules, 10), TakenBack { taken: 10, ..TakenBack::default() });
    let debts = Returns { refusal_penalty: 30, ..by(Shortfall::Negative) };
    assert_eq!(refusal(&debts, 10), TakenBack { taken: 10, owed: 20, ..TakenBack::default() });
    assert_eq!(refusal(&Returns::default(), 10), TakenBack::default(), "no source names a number");
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
