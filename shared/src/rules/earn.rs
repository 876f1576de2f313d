//! Points for a purchase.

use crate::money::{Amount, AmountOverflow};
use crate::scheme::EarnRate;

/// The number of the rule, as facts and postings name it.
pub const RULE_S2: &str = "S2";

/// Points for a purchase by rule S2: `points` for each full `per_fen` of the price, the rest of the price counts for
/// nothing. A rate with a step of zero or less gives nothing.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn points_for_purchase(rate: EarnRate, purchase: Amount) -> Result<Amount, AmountOverflow> {
    if rate.per_fen <= 0 || !purchase.is_positive() {
        return Ok(Amount::ZERO);
    }
    Amount(purchase.0 / rate.per_fen).times(rate.points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S2: EarnRate = EarnRate { per_fen: 10_000, points: 2 };

    #[test]
    fn rule_s02_worked_figures() {
        // Price in yuan and points: 100 → 2, 99 → 0 by whole steps, 320 → 6 as in the story of a swipe.
        for (yuan_fen, points) in
            [(10_000, 2), (9_900, 0), (9_999, 0), (32_000, 6), (19_999, 2), (20_000, 4), (0, 0), (-10_000, 0)]
        {
            assert_eq!(points_for_purchase(S2, Amount(yuan_fen)), Ok(Amount(points)), "{yuan_fen} fen");
        }
    }

    #[test]
    fn a_rate_without_a_step_gives_nothing_and_overflow_is_an_error() {
        assert_eq!(points_for_purchase(EarnRate { per_fen: 0, points: 2 }, Amount(500)), Ok(Amount::ZERO));
        let steep = EarnRate { per_fen: 1, points: i64::MAX };
        assert_eq!(points_for_purchase(steep, Amount(2)), Err(AmountOverflow));
    }

    proptest! {
        #[test]
        fn splitting_a_purchase_never_earns_more(a in 0i64..10_000_000, b in 0i64..10_000_000) {
            let points = |fen| points_for_purchase(S2, Amount(fen)).expect("small numbers").0;
            prop_assert!(points(a) + points(b) <= points(a + b));
        }
    }
}
