//! The end of recomputing: `Settle(day)`, 40 days after the day, whether or not it was ever closed.
//!
//! From then on the facts of that day stand as they stood: the judges are given those that count as pins and the others
//! not at all ([`entry`]), so whatever comes later is judged against what stands, and goes to a person as well. Only a
//! person takes back what a member was shown. The time of a late fact is fixed as it arrives: it may not drift into a day
//! that is still open.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::ids::FactId;
use hufu_shared::time::Day;

/// Days after which a day is settled; terminals keep what was taken in for 35, and this is longer.
pub const SETTLE_AFTER_DAYS: i32 = 40;

/// How a fact lies to what is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Its day is not settled: judged anew with every change.
    Open,
    /// Its day was settled after it had arrived: it stands.
    Fixed,
    /// It arrived after its day was settled: judged against what stands, and a person sees it.
    Late,
}

/// How a fact goes into its judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<T> {
    /// By its place in time.
    Free,
    /// As a constraint.
    Pinned(T),
    /// Not at all: it has nothing, and takes nothing from others.
    Absent,
}

/// The newest day that can be settled `today`, if that is not done yet.
#[must_use]
pub fn due(today: Day, settled: Option<Day>) -> Option<Day> {
    let newest = today.plus(-SETTLE_AFTER_DAYS);
    (settled.is_none_or(|settled| settled < newest)).then_some(newest)
}

/// How a fact of `day` lies to what was settled when it arrived, and what is settled now.
#[must_use]
pub fn reach(day: Day, settled_at_arrival: Option<Day>, settled_now: Option<Day>) -> Reach {
    let covers = |settled: Option<Day>| settled.is_some_and(|settled| day <= settled);
    match (covers(settled_at_arrival), covers(settled_now)) {
        (true, _) => Reach::Late,
        (false, true) => Reach::Fixed,
        (false, false) => Reach::Open,
    }
}

/// How a fact goes into its judge. `stood` is what it had when its day was settled, none for nothing; `person` is what a
/// person fixed, before or since, and goes before all else.
#[must_use]
pub fn entry<T>(reach: Reach, stood: Option<T>, person: Option<T>) -> Entry<T> {
    match (person, reach) {
        (Some(pin), _) => Entry::Pinned(pin),
        (None, Reach::Fixed) => stood.map_or(Entry::Absent, Entry::Pinned),
        (None, Reach::Open | Reach::Late) => Entry::Free,
    }
}

/// What stands after judging: fixed facts keep what they had unless a person pinned them, the others have what the
/// judge found.
#[must_use]
pub fn keep<T: Clone>(
    before: &BTreeMap<FactId, T>,
    judged: &BTreeMap<FactId, T>,
    reach: impl Fn(FactId) -> Reach,
    pinned: &BTreeSet<FactId>,
) -> BTreeMap<FactId, T> {
    let stands = |fact: FactId| reach(fact) == Reach::Fixed && !pinned.contains(&fact);
    let kept = before.iter().filter(|(fact, _)| stands(**fact));
    let new = judged.iter().filter(|(fact, _)| !stands(**fact));
    kept.chain(new).map(|(fact, verdict)| (*fact, verdict.clone())).collect()
}

/// Late facts, for the case that an admin sees.
#[must_use]
pub fn late(facts: &[FactId], reach: impl Fn(FactId) -> Reach) -> BTreeSet<FactId> {
    facts.iter().copied().filter(|fact| reach(*fact) == Reach::Late).collect()
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
