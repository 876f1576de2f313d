//! A member erased (kind 12): a tombstone stands where the person was, facts stay pseudonymous.
//!
//! Facts that the act had seen keep their effect; what was left of it went to `sink/erased` with the act. A later one is
//! kept and gives nothing. A lease that is still out settles what was spent of it, and its return goes to `sink/erased`:
//! goods were handed over for it, and nobody is left to have the rest.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::SeenCursor;
use hufu_shared::ids::{DeviceId, FactId, MemberId};
use hufu_shared::money::{Amount, Unit};

use super::merge::{Holding, Links};

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Who: the survivor of all ids that were merged into it.
    pub member: MemberId,
    /// How far each device's facts were known when it was made.
    pub seen: BTreeMap<(DeviceId, u32), u64>,
}

/// What a fact would do for its member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Does {
    /// Spends from a lease.
    SpendsLease,
    /// Anything else: gives points or money, admits, reports.
    Else,
}

/// What is left of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// All of it: nobody was erased, or the act had seen the fact.
    All,
    /// The fact alone, listed among orphans (kind 12).
    Orphan,
    /// It settles from escrow and is listed (kind 12).
    Settles,
}

/// Where what a lease returns goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// To the member who survives.
    Member(MemberId),
    /// To `sink/erased`.
    Sink,
}

impl Tombstone {
    /// The tombstone of an act with its seen cursors. A cursor named twice counts with its larger seq.
    #[must_use]
    pub fn new(member: MemberId, seen: &[SeenCursor]) -> Self {
        let mut known = BTreeMap::new();
        for cursor in seen {
            let seq = known.entry((cursor.device, cursor.epoch)).or_insert(0);
            *seq = cursor.seq.max(*seq);
        }
        Self { member, seen: known }
    }

    fn had_seen(&self, fact: FactId) -> bool {
        self.seen.get(&(fact.device, fact.epoch)).is_some_and(|seq| fact.seq <= *seq)
    }
}

/// Judges a fact of `original` against all erasures.
#[must_use]
pub fn judge(tombs: &[Tombstone], links: &Links, original: MemberId, fact: FactId, does: Does) -> Left {
    let survivor = links.survivor(original);
    let erased = |tomb: &Tombstone| tomb.member == survivor || links.is_part_of(original, tomb.member);
    match (tombs.iter().any(|tomb| erased(tomb) && !tomb.had_seen(fact)), does) {
        (false, _) => Left::All,
        (true, Does::SpendsLease) => Left::Settles,
        (true, Does::Else) => Left::Orphan,
    }
}

/// Where the return of a lease goes that was granted from a member's account.
#[must_use]
pub fn lease_return(erased: &BTreeSet<MemberId>, links: &Links, granted_from: MemberId) -> Return {
    let survivor = links.survivor(granted_from);
    if erased.contains(&survivor) || erased.contains(&granted_from) {
        Return::Sink
    } else {
        Return::Member(survivor)
    }
}

/// What the act of erasing moves, per unit with a holding: so much of `available` goes to `sink/erased`, and so much of
/// what was owed is forgiven from there.
#[must_use]
pub fn sweep(holdings: &BTreeMap<Unit, Holding>) -> Vec<(Unit, Holding)> {
    let any = |held: &Holding| held.available > Amount::ZERO || held.owed > Amount::ZERO;
    holdings.iter().filter(|(_, held)| any(held)).map(|(unit, held)| (*unit, *held)).collect()
}

/// All ids whose personal data goes with a member: those merged into it as well.
#[must_use]
pub fn ids_of(links: &Links, known: &BTreeSet<MemberId>, member: MemberId) -> BTreeSet<MemberId> {
    known.iter().copied().filter(|id| links.is_part_of(*id, member)).chain([member]).collect()
}

#[cfg(test)]
#[path = "erase_tests.rs"]
mod tests;
