//! Limits on spending and use (kind 33): what passes the limit of a period is kept and flagged, never reversed: the
//! goods are handed over.
//!
//! In order of time each fact takes its place under the limit; those that do not fit whole are flagged. One that a
//! person accepted is not flagged and keeps its place before all others. There is nothing to check before a verdict is
//! saved: accepting takes nothing from anybody. Out of scope: limits that hold beforehand, which are leases.

use std::collections::BTreeMap;

use hufu_shared::ids::{FactId, ItemId};
use hufu_shared::money::{Amount, Leg};
use hufu_shared::policy::{UseLimit, UseOf};
use hufu_shared::time::Day;

use super::order::Place;
use super::share::{self, Claim};

/// A spend or use of one member that a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Which fact, and when.
    pub place: Place,
    /// Its business day, which tells its period.
    pub day: Day,
    /// How much of what the limit counts ([`counted`]), what was given back taken off.
    pub amount: Amount,
    /// Whether a person accepted it.
    pub is_accepted: bool,
}

/// A use that passes the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// First day of the period whose limit it passes.
    pub period: Day,
    /// How much of it lies beyond.
    pub by: Amount,
}

/// How much of what a limit counts a fact uses.
#[must_use]
pub fn counted(of: UseOf, legs: &[Leg], item: Option<(ItemId, u32)>) -> Amount {
    match of {
        UseOf::Unit(unit) => share::narrow(
            legs.iter().filter(|leg| leg.unit == unit).map(|leg| i128::from(leg.amount.0.max(0))).sum(),
        ),
        UseOf::Item(wanted) => item
            .filter(|(item, _)| *item == wanted)
            .map_or(Amount::ZERO, |(_, quantity)| Amount(i64::from(quantity))),
    }
}

/// Judges all uses of one member under one limit: those to flag.
#[must_use]
pub fn judge(limit: &UseLimit, uses: &[Use]) -> BTreeMap<FactId, Over> {
    let mut periods: BTreeMap<Day, Vec<&Use>> = BTreeMap::new();
    for used in uses {
        periods.entry(limit.period.first_day(used.day)).or_default().push(used);
    }
    let mut flagged = BTreeMap::new();
    for (period, uses) in periods {
        let claim = |used: &&Use| Claim {
            place: used.place,
            wants: used.amount,
            pin: used.is_accepted.then_some(used.amount),
        };
        let fits = share::share(limit.most, &uses.iter().map(claim).collect::<Vec<_>>());
        for used in uses.iter().filter(|used| !used.is_accepted) {
            let fact = used.place.fact;
            let fitting = fits.get(&fact).copied().unwrap_or_default();
            let by = Amount(used.amount.0.max(0) - fitting.0);
            if by.is_positive() {
                flagged.insert(fact, Over { period, by });
            }
        }
    }
    flagged
}

#[cfg(test)]
mod tests {
    use super::super::order::testing::{place, shuffled};
    use super::*;
    use hufu_shared::money::Unit;
    use hufu_shared::policy::Period;
    use proptest::prelude::*;

    fn limit(period: Period, most: i64) -> UseLimit {
        UseLimit { of: UseOf::Unit(Unit::Cny), period, most: Amount(most) }
    }

    fn used(t: i64, day: i32, amount: i64, is_accepted: bool) -> Use {
        let place = place(t, 1, u64::try_from(t).expect("small"));
        Use { place, day: Day(20_000 + day), amount: Amount(amount), is_accepted }
    }

    fn flagged(limit: &UseLimit, uses: &[Use]) -> Vec<(u64, i64)> {
        judge(limit, uses).iter().map(|(fact, over)| (fact.seq, over.by.0)).collect()
    }

    #[test]
    fn kind_33_what_passes_the_limit_is_flagged_in_order_of_time() {
        let rows =
            [used(1, 0, 60, false), used(2, 0, 60, false), used(3, 0, 5, false), used(4, 1, 60, false)];
        let cases: [(i64, &[(u64, i64)], &str); 4] = [
            (125, &[], "exactly the limit"),
            (100, &[(2, 20), (3, 5)], "the second passes it, and so does all that follows that day"),
            (0, &[(1, 60), (2, 60), (3, 5), (4, 60)], "none is allowed"),
            (60, &[(2, 60), (3, 5)], "the next day is a new one"),
        ];
        for (most, expected, why) in cases {
            assert_eq!(flagged(&limit(Period::Day, most), &rows), expected, "{why}");
        }
        let accepted = [used(1, 0, 60, false), used(2, 0, 60, true)];
        assert_eq!(flagged(&limit(Period::Day, 100), &accepted), [(1, 20)], "accepted: its place goes first");
        let all = [used(1, 0, 60, true), used(2, 0, 60, true)];
        assert_eq!(flagged(&limit(Period::Day, 100), &all), [], "a person may accept beyond the limit");
    }

    #[test]
    fn a_limit_counts_its_own_unit_or_item() {
        let item = ItemId([7; 16]);
        let legs = [Leg { unit: Unit::Pts, amount: Amount(3) }, Leg { unit: Unit::Cny, amount: Amount(500) }];
        assert_eq!(counted(UseOf::Unit(Unit::Cny), &legs, None), Amount(500));
        assert_eq!(counted(UseOf::Unit(Unit::Growth), &legs, None), Amount::ZERO);
        assert_eq!(counted(UseOf::Item(item), &legs, Some((item, 2))), Amount(2));
        assert_eq!(counted(UseOf::Item(item), &legs, Some((ItemId([8; 16]), 2))), Amount::ZERO);
    }

    proptest! {
        #[test]
        fn inv_19_flags_follow_the_set_and_leave_no_more_than_the_limit(
            rows in proptest::collection::vec((0i64..5, 0i32..40, 0i64..50, proptest::bool::weighted(0.2)), 0..10),
            most in 0i64..120,
            keys in proptest::collection::vec(any::<u32>(), 10),
        ) {
            let uses: Vec<Use> = (1..)
                .zip(&rows)
                .map(|(seq, (t, day, amount, accepted))| Use {
                    place: place(*t, 1, seq), ..used(1, *day, *amount, *accepted)
                })
                .collect();
            let limit = limit(Period::Month, most);
            let flagged = judge(&limit, &uses);
            prop_assert_eq!(&flagged, &judge(&limit, &shuffled(&uses, &keys)));
            let mut fits: BTreeMap<Day, i64> = BTreeMap::new();
            for used in uses.iter().filter(|used| !used.is_accepted) {
                let over = flagged.get(&used.place.fact).map_or(0, |over| over.by.0);
                *fits.entry(Period::Month.first_day(used.day)).or_default() += used.amount.0 - over;
            }
            prop_assert!(fits.values().all(|sum| *sum <= most));
        }
    }
}
