//! Sharing a bounded quantity among facts: what pins take goes first, then each fact in order of time gets what it
//! wants as long as something is left (section "Conflict cases": pins are constraints).
//!
//! Invariant: what is given never exceeds the bound, for any claims and pins.

use std::collections::BTreeMap;

use hufu_shared::ids::FactId;
use hufu_shared::money::Amount;

use super::order::Place;

/// What one fact claims of a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which fact, and when.
    pub place: Place,
    /// How much it claims; less than zero counts as nothing.
    pub wants: Amount,
    /// How much a person fixed that it gets.
    pub pin: Option<Amount>,
}

/// Why a verdict cannot be saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// What people fixed is more than there is.
    #[error(
        "the verdicts together give {given}, but there are only {bound}; the last that fits was the one before {fact}"
    )]
    OverBound {
        /// What all pins give.
        given: Amount,
        /// What there is.
        bound: Amount,
        /// The first fact in order of time whose pin does not fit any more.
        fact: FactId,
    },
    /// A fact was fixed to give more than it says, or less than nothing.
    #[error("{fact} can be given 0 to {wants}, met {met}")]
    OverClaim {
        /// Which fact.
        fact: FactId,
        /// What it claims.
        wants: Amount,
        /// What it was fixed to get.
        met: Amount,
    },
    /// Two facts were fixed to count where only one can.
    #[error("{first} and {second} cannot both count: they are about one and the same slip")]
    OneOnly {
        /// The earlier in order of time.
        first: FactId,
        /// The later.
        second: FactId,
    },
}

/// Shares `bound` among the claims.
#[must_use]
pub fn share(bound: Amount, claims: &[Claim]) -> BTreeMap<FactId, Amount> {
    let mut left = bound.max(Amount::ZERO);
    let mut given = BTreeMap::new();
    for claim in in_order(claims) {
        let wants = claim.wants.max(Amount::ZERO);
        let gets = claim.pin.map_or(wants, |pin| pin.clamp(Amount::ZERO, wants)).min(left);
        // 0 <= gets <= left, so this cannot pass what 64 bits hold.
        left = Amount(left.0 - gets.0);
        given.insert(claim.place.fact, gets);
    }
    given
}

/// Checks pins before a verdict is saved.
///
/// # Errors
/// [`PinError`] naming the first fact, in order of time, whose pin cannot hold.
pub fn check(bound: Amount, claims: &[Claim]) -> Result<(), PinError> {
    let mut sum = 0_i128;
    let mut breaks = None;
    for claim in in_order(claims) {
        let Some(pin) = claim.pin else { break };
        let (fact, wants) = (claim.place.fact, claim.wants.max(Amount::ZERO));
        if pin < Amount::ZERO || pin > wants {
            return Err(PinError::OverClaim { fact, wants, met: pin });
        }
        sum += i128::from(pin.0);
        if sum > i128::from(bound.0) && breaks.is_none() {
            breaks = Some(fact);
        }
    }
    match breaks {
        Some(fact) => Err(PinError::OverBound { given: narrow(sum), bound, fact }),
        None => Ok(()),
    }
}

/// Pinned claims first, each part in order of time.
fn in_order(claims: &[Claim]) -> Vec<&Claim> {
    let mut sorted: Vec<&Claim> = claims.iter().collect();
    sorted.sort_unstable_by_key(|claim| (claim.pin.is_none(), claim.place));
    sorted
}

/// A sum beyond 64 bits reads as the largest that they hold.
pub(super) fn narrow(sum: i128) -> Amount {
    Amount(i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::super::order::testing::{place, shuffled};
    use super::*;
    use proptest::prelude::*;

    fn claim(t: i64, wants: i64, pin: Option<i64>) -> Claim {
        Claim { place: place(t, 1, 1), wants: Amount(wants), pin: pin.map(Amount) }
    }

    fn shares(bound: i64, rows: &[(i64, Option<i64>)]) -> Vec<i64> {
        let claims: Vec<Claim> = (1..)
            .zip(rows)
            .map(|(seq, (wants, pin))| {
                let wide = claim(i64::try_from(seq).expect("few rows"), *wants, *pin);
                Claim { place: place(wide.place.t.0, 1, seq), ..wide }
            })
            .collect();
        share(Amount(bound), &claims).values().map(|amount| amount.0).collect()
    }

    #[test]
    fn pins_take_first_then_time_decides() {
        let cases: [(i64, &[(i64, Option<i64>)], &[i64], &str); 6] = [
            (100, &[(60, None), (60, None)], &[60, 40], "the later one is cut"),
            (100, &[(60, None), (60, Some(60))], &[40, 60], "a pin goes before an earlier fact"),
            (100, &[(60, Some(0)), (60, None)], &[0, 60], "what a pin leaves is shared"),
            (100, &[(60, Some(80)), (60, None)], &[60, 40], "a pin cannot give more than was claimed"),
            (100, &[(80, Some(80)), (80, Some(80))], &[80, 20], "pins that break the bound keep it"),
            (-5, &[(1, None), (-3, None)], &[0, 0], "nothing to share"),
        ];
        for (bound, rows, expected, why) in cases {
            assert_eq!(shares(bound, rows), expected, "{why}");
        }
    }

    #[test]
    fn a_verdict_that_breaks_the_bound_says_so() {
        let first = claim(1, 80, Some(80));
        let second = Claim { place: place(2, 2, 7), ..claim(2, 80, Some(30)) };
        let error = check(Amount(100), &[second, first]).expect_err("110 of 100");
        assert_eq!(
            error,
            PinError::OverBound { given: Amount(110), bound: Amount(100), fact: second.place.fact }
        );
        assert_eq!(check(Amount(110), &[second, first]), Ok(()));
        let over = claim(1, 80, Some(81));
        assert!(matches!(check(Amount(100), &[over]), Err(PinError::OverClaim { .. })));
    }

    proptest! {
        #[test]
        fn inv_19_a_share_follows_the_set_and_keeps_the_bound(
            rows in proptest::collection::vec(
                (0i64..5, 0u8..3, -5i64..50, proptest::option::of(-5i64..60)), 0..12),
            bound in -5i64..120,
            keys in proptest::collection::vec(any::<u32>(), 12),
        ) {
            let claims: Vec<Claim> = (1..)
                .zip(&rows)
                .map(|(seq, (t, device, wants, pin))| Claim {
                    place: place(*t, *device, seq), wants: Amount(*wants), pin: pin.map(Amount),
                })
                .collect();
            let given = share(Amount(bound), &claims);
            prop_assert_eq!(&given, &share(Amount(bound), &shuffled(&claims, &keys)));
            prop_assert_eq!(check(Amount(bound), &claims), check(Amount(bound), &shuffled(&claims, &keys)));
            prop_assert!(given.values().all(|amount| amount.0 >= 0));
            prop_assert!(given.values().map(|amount| amount.0).sum::<i64>() <= bound.max(0));
            if check(Amount(bound), &claims).is_ok() {
                for claim in &claims {
                    if let Some(pin) = claim.pin {
                        prop_assert_eq!(given[&claim.place.fact], pin, "a saved verdict holds");
                    }
                }
            }
        }
    }
}
