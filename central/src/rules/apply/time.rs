//! The end of recomputing: 40 days after a business day it is settled, whether or not it was closed. What arrives for it
//! afterwards is taken as any fact, judged against what stands, and listed for an admin.
//!
//! Invariant: what a fact of a settled day came to changes by a person or an act alone, but for what a return of it
//! takes back: a return is a fact of its own day.

use hufu_shared::ids::{FactId, Hash};
use hufu_shared::time::Day;
use hufu_shared::wire::upload::Became;

use super::Work;
use super::edge::latest;
use crate::rules::judge::settle::{self, Entry, Reach};
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::KnownFact;

/// Number of the case about facts that came after their day was settled. It is no disagreement of two sides, so it has
/// no number among the conflict kinds.
const KIND_LATE: u8 = 41;

/// The case about facts of a day that came after it was settled.
#[must_use]
pub fn late_case(day: Day) -> Hash {
    posting::case_id(KIND_LATE, &[&day.0.to_be_bytes()])
}

impl Work {
    /// A day was settled, and with it all before.
    pub(super) fn day_settled(&mut self, day: Day) {
        if self.world.settled.is_none_or(|settled| settled < day) {
            self.world.settled = Some(day);
            self.outcome.settled = Some(day);
        }
    }

    /// How a fact lies to what is settled. One that may have happened on a day that is open is open itself: its terminal
    /// has not been heard yet.
    pub(super) fn reach(&self, id: FactId, known: &KnownFact) -> Reach {
        if self.may_be_open(known) { Reach::Open } else { self.reach_of(id, known.day) }
    }

    fn may_be_open(&self, known: &KnownFact) -> bool {
        let is_open = |day: Day| settle::reach(day, None, self.world.settled) == Reach::Open;
        is_open(known.day) || is_open(self.day(known.office, latest(known)))
    }

    /// How a fact of a day lies to what is settled.
    pub(super) fn reach_of(&self, id: FactId, day: Day) -> Reach {
        let settled = self.world.settled;
        if settle::reach(day, None, settled) == Reach::Open {
            return Reach::Open;
        }
        let case = late_case(day);
        self.has(Need::Case(case));
        let late = self.world.cases.get(&case).is_some_and(|case| case.facts.contains(&id));
        settle::reach(day, settled.filter(|_| late || self.fresh.contains_key(&id)), settled)
    }

    /// Whether a fact stands as it stands: its day was settled after it had arrived, and no person said otherwise.
    pub(super) fn is_fixed(&self, id: FactId, known: &KnownFact) -> bool {
        known.pin.is_none() && self.reach(id, known) == Reach::Fixed
    }

    /// How a fact goes into the judgement of a set: by its place in time, as fixed to count or not to count, or not at
    /// all, if it had nothing when its day was settled.
    pub(super) fn enters(&self, id: FactId, known: &KnownFact) -> Entry<bool> {
        settle::entry(self.reach(id, known), counted(known).then_some(true), known.pin)
    }

    /// The pin of a fact in a set, a settled one's included; none for one that does not enter it.
    pub(super) fn pin_in(&self, id: FactId, known: &KnownFact) -> Option<Option<bool>> {
        match self.enters(id, known) {
            Entry::Free => Some(None),
            Entry::Pinned(pin) => Some(Some(pin)),
            Entry::Absent => None,
        }
    }

    /// Lists a fact that has just arrived for a day already settled, or was found to be of one.
    pub(super) fn list_late(&mut self, id: FactId) {
        let Some(known) = self.fact(id) else { return };
        let day = known.day;
        if !self.may_be_open(known) {
            let mut fresh = self.fresh_case(KIND_LATE, "listed");
            fresh.detail = hufu_shared::cbor::encode(&day);
            self.case(late_case(day), fresh, [id]);
        }
    }
}

/// Whether a fact has its effect.
pub(super) fn counted(known: &KnownFact) -> bool {
    matches!(known.standing.became, Became::Applied | Became::AppliedWithCase)
}
