//! Something handed out twice (kind 34): two hand-outs for the same member, occurrence and item.
//!
//! Goods are gone once they are handed over, so all of them stand; what comes beyond the first is flagged, and a person
//! sees both. A pin that one does not count says that nothing was handed over. How much is in stock is judged elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::ids::{FactId, ItemId, MemberId, OccurrenceId};
use hufu_shared::time::Instant;

/// One hand-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handed {
    /// The fact.
    pub id: FactId,
    /// When.
    pub t: Instant,
    /// To whom.
    pub member: MemberId,
    /// At what.
    pub occurrence: OccurrenceId,
    /// What.
    pub item: ItemId,
    /// What a person fixed: it counts, or it does not.
    pub pin: Option<bool>,
}

/// Whose hand-outs of what.
pub type Right = (MemberId, OccurrenceId, ItemId);

/// Rights that were handed out more than once, each with its facts in order of time: the first one is plain.
#[must_use]
pub fn handed_twice(facts: &[Handed]) -> BTreeMap<Right, Vec<FactId>> {
    let mut rights: BTreeMap<Right, BTreeSet<(Instant, FactId)>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.pin != Some(false)) {
        rights.entry((fact.member, fact.occurrence, fact.item)).or_default().insert((fact.t, fact.id));
    }
    let twice = rights.into_iter().filter(|(_, facts)| facts.len() > 1);
    twice.map(|(right, facts)| (right, facts.into_iter().map(|fact| fact.1).collect())).collect()
}

#[cfg(test)]
#[path = "handout_tests.rs"]
mod tests;
