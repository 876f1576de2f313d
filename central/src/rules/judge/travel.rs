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

    /// The longest of these times.
    #[must_use]
    pub fn longest(&self) -> i64 {
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
#[path = "travel_tests.rs"]
mod tests;
