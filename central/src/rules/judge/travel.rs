//! Impossible travel (kind 3): one card at two offices, closer in time than anybody travels between them.
//!
//! Both facts are kept and the card is flagged. Only what is impossible whatever the clocks did is said: the intervals'
//! farthest ends must still be too close. What a flagged card may do is a person's decision.

use std::collections::BTreeMap;

use hufu_shared::ids::{FactId, OfficeId};
use hufu_shared::policy::Policy;
use hufu_shared::time::{Instant, MINUTE_US};

/// The least time between offices, in us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Travel {
    /// Between two offices of which nothing else is said.
    pub default_us: i64,
    /// Between two offices, the smaller id first.
    pub pairs: BTreeMap<(OfficeId, OfficeId), i64>,
}

/// One use of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// The fact.
    pub id: FactId,
    /// Where.
    pub office: OfficeId,
    /// Not before.
    pub lo: Instant,
    /// Not after.
    pub hi: Instant,
}

/// Two uses that cannot both be of one card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Impossible {
    /// The fact with the smaller id.
    pub one: FactId,
    /// The other.
    pub other: FactId,
    /// How far apart they are at most, in us.
    pub apart_us: i64,
    /// How far apart they would have to be, in us.
    pub travel_us: i64,
}

impl Travel {
    /// As the club's policy says it.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let pair = |row: &hufu_shared::policy::Travel| {
            ((row.a.min(row.b), row.a.max(row.b)), i64::from(row.minutes) * MINUTE_US)
        };
        Self {
            default_us: i64::from(policy.travel_minutes) * MINUTE_US,
            pairs: policy.travel_between.iter().map(pair).collect(),
        }
    }

    /// The least time from one office to another, either way.
    #[must_use]
    pub fn between(&self, one: OfficeId, other: OfficeId) -> i64 {
        if one == other {
            return 0;
        }
        self.pairs.get(&(one.min(other), one.max(other))).copied().unwrap_or(self.default_us)
    }

    fn longest(&self) -> i64 {
        self.pairs.values().copied().max().unwrap_or(0).max(self.default_us)
    }
}

/// All pairs of uses of one card that are impossible, in order of fact.
#[must_use]
pub fn impossible(uses: &[Use], travel: &Travel) -> Vec<Impossible> {
    let mut ordered = uses.to_vec();
    ordered.sort_by_key(|used| (used.lo, used.id));
    let longest = travel.longest();
    let mut found = Vec::new();
    for (at, one) in ordered.iter().enumerate() {
        // Sorted by `lo`, so from the first one that is far enough on all are.
        for other in ordered[at + 1..].iter().take_while(|other| other.lo.since(one.lo) < longest) {
            let apart_us = other.hi.since(one.lo).max(one.hi.since(other.lo));
            let travel_us = travel.between(one.office, other.office);
            if apart_us < travel_us {
                let (one, other) = (one.id.min(other.id), one.id.max(other.id));
                found.push(Impossible { one, other, apart_us, travel_us });
            }
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::super::order::testing::shuffled;
    use super::*;
    use hufu_shared::ids::DeviceId;
    use proptest::prelude::*;

    fn used(device: u8, office: u8, lo: i64, hi: i64) -> Use {
        let id = FactId { device: DeviceId([device; 16]), epoch: 1, seq: 1 };
        Use { id, office: OfficeId([office; 16]), lo: Instant(lo), hi: Instant(hi) }
    }

    fn travel() -> Travel {
        let far = (OfficeId([1; 16]), OfficeId([3; 16]));
        Travel { default_us: 100, pairs: BTreeMap::from([(far, 1_000)]) }
    }

    #[test]
    fn kind_03_two_offices_are_impossible_only_if_the_farthest_ends_are_too_close() {
        let cases = [
            ("at once", used(1, 1, 0, 0), used(2, 2, 0, 0), Some(0)),
            ("just too close", used(1, 1, 0, 0), used(2, 2, 99, 99), Some(99)),
            ("long enough", used(1, 1, 0, 0), used(2, 2, 100, 100), None),
            ("perhaps long enough", used(1, 1, 0, 50), used(2, 2, 60, 100), None),
            ("too close whatever the clocks did", used(1, 1, 0, 50), used(2, 2, 60, 99), Some(99)),
            ("one inside the other", used(1, 1, 0, 90), used(2, 2, 40, 50), Some(50)),
            ("farther offices", used(1, 3, 0, 0), used(2, 1, 999, 999), Some(999)),
            ("one office", used(1, 1, 0, 0), used(2, 1, 1, 1), None),
        ];
        for (why, one, other, apart) in cases {
            let found = impossible(&[one, other], &travel());
            assert_eq!(found.first().map(|pair| pair.apart_us), apart, "{why}");
            assert!(found.iter().all(|pair| (pair.one, pair.other) == (one.id, other.id)), "{why}");
        }
    }

    #[test]
    fn kind_03_the_policy_says_how_long_a_way_is() {
        let (one, other) = (OfficeId([7; 16]), OfficeId([3; 16]));
        let row = hufu_shared::policy::Travel { a: one, b: other, minutes: 0 };
        let policy = Policy { travel_minutes: 5, travel_between: vec![row], ..Policy::default() };
        let travel = Travel::of(&policy);
        assert_eq!((travel.between(one, other), travel.between(other, one)), (0, 0), "next door");
        assert_eq!(travel.between(one, OfficeId([1; 16])), 5 * MINUTE_US);
    }

    proptest! {
        #[test]
        fn kind_03_finds_every_pair_in_any_order(
            rows in proptest::collection::vec((1..4_u8, 0..2_000_i64, 0..300_i64), 0..12),
            keys in proptest::collection::vec(any::<u32>(), 12),
        ) {
            let uses: Vec<Use> =
                rows.iter().zip(1..).map(|((office, lo, wide), device)| used(device, *office, *lo, lo + wide)).collect();
            let found = impossible(&uses, &travel());
            prop_assert_eq!(impossible(&shuffled(&uses, &keys), &travel()), found.clone());
            let pairs = uses.iter().flat_map(|one| uses.iter().map(move |other| (one, other)));
            let naive = pairs
                .filter(|(one, other)| one.id < other.id)
                .filter(|(one, other)| {
                    let apart = (other.hi.0 - one.lo.0).max(one.hi.0 - other.lo.0);
                    apart < travel().between(one.office, other.office)
                })
                .count();
            prop_assert_eq!(found.len(), naive);
        }
    }
}
