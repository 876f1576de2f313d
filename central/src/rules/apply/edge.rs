//! Times too uncertain to say on which side of a rule's edge a fact lies (kind 18).
//!
//! An interval of a quarter of an hour at most is read in the member's favour. Across a wider one a person picks the
//! side, by a pin; until then a check-in waits, and what has a value of its own keeps the effect that its terminal
//! promised. A clock that is known better later ends such a case by itself.

use hufu_shared::ids::{FactId, Hash};
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Became;

use super::Work;
use crate::rules::judge::interval::{FAVOUR_MAX_US, Timing, timing};
use crate::rules::posting;
use crate::rules::world::{KnownFact, Standing};

/// Number of the conflict kind "time doubtful at a boundary".
pub(super) const KIND_DOUBTFUL: u8 = 18;

/// The case about a fact whose time is doubtful.
#[must_use]
pub fn doubtful_case(id: FactId) -> Hash {
    posting::case_id(KIND_DOUBTFUL, &[&posting::fact_cause(id).0])
}

/// The latest that a fact can have happened; its time as judged is the earliest.
pub(super) fn latest(known: &KnownFact) -> Instant {
    known.high.max(known.at)
}

/// Whether an interval is too wide to be read in the member's favour.
pub(super) fn is_wide(known: &KnownFact) -> bool {
    latest(known).since(known.at) > FAVOUR_MAX_US
}

/// How a fact lies to the span from `from` until, not including, `to`.
pub(super) fn timing_of(known: &KnownFact, from: Instant, to: Instant) -> Timing {
    timing(known.at, latest(known), from, to)
}

impl Work {
    /// A person picks the side of a fact. `automatic` says what stands until then.
    pub(super) fn doubt(&mut self, id: FactId, became: Became, automatic: &str) -> Standing {
        let case = doubtful_case(id);
        let member = self.fact(id).and_then(|known| known.member);
        let mut fresh = self.fresh_case(KIND_DOUBTFUL, automatic);
        (fresh.member, fresh.device) = (member, Some(id.device));
        self.case(case, fresh, [id]);
        Standing::of(became, KIND_DOUBTFUL, Some(case))
    }

    /// Ends the case about a fact that is no longer in doubt, if `was` says that there may be one.
    pub(super) fn end_doubt(&mut self, id: FactId, was: bool) {
        if was {
            self.end_case(doubtful_case(id), "time_known");
        }
    }
}
