//! The end of recomputing: 40 days after a business day it is settled, whether or not it was closed. What arrives for it
//! afterwards is taken as any fact, and listed for an admin.
//!
//! Out of scope: keeping what stood on a settled day from being judged again by what comes later.

use hufu_shared::ids::{FactId, Hash};
use hufu_shared::time::Day;

use super::Work;
use crate::rules::judge::settle::{self, Reach};
use crate::rules::posting;

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

    /// Lists a fact that has just arrived for a day already settled.
    pub(super) fn list_late(&mut self, id: FactId) {
        let Some(day) = self.fact(id).map(|known| known.day) else { return };
        let settled = self.world.settled;
        if settle::reach(day, settled, settled) == Reach::Late {
            let mut fresh = self.fresh_case(KIND_LATE, "listed");
            fresh.detail = hufu_shared::cbor::encode(&day);
            self.case(late_case(day), fresh, [id]);
        }
    }
}
