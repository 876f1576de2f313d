//! `DayClosed`: the terminal's own account of its day against what the centre took in (kind 30).

use hufu_shared::fact::{DayClosed, DayTotals};
use hufu_shared::ids::FactId;
use hufu_shared::rules::totals;
use hufu_shared::wire::upload::Became;
use minicbor::{Decode, Encode};

use super::Work;
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::Standing;

/// Number of the conflict kind "day totals differ".
const KIND_DAY_DIFFERS: u8 = 30;

/// What the admin sees of a day that differs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DayDifference {
    /// What the terminal closed.
    #[n(0)]
    pub closed: DayClosed,
    /// What the centre reckons from the same range.
    #[n(1)]
    pub reckoned: DayTotals,
    /// Facts of the range that the centre could not read.
    #[n(2)]
    pub unreadable: u64,
}

/// Whether a closing covers facts before itself, as every closing does.
#[must_use]
pub fn is_possible(closed: &DayClosed, own_seq: u64) -> bool {
    closed.to_seq < own_seq && closed.from_seq <= closed.to_seq + 1
}

impl Work {
    /// A terminal closed its day.
    pub(super) fn day_closed(&mut self, id: FactId, closed: &DayClosed) {
        let possible = is_possible(closed, id.seq);
        let (from, to) = if possible { (closed.from_seq, closed.to_seq) } else { (1, 0) };
        if from <= to {
            self.has_range(id, from, to);
        }
        let range = || {
            let at = |seq| FactId { seq, ..id };
            self.world.facts.range(at(from)..at(to + 1)).map(|(_, known)| known.fact.as_ref())
        };
        let unreadable = range().filter(Option::is_none).count() as u64;
        // Sums that pass 64 bits cannot agree with anything.
        let reckoned = totals::of(range().flatten()).unwrap_or_default();
        if possible && reckoned == closed.totals && unreadable == 0 {
            return;
        }
        let difference = DayDifference { closed: closed.clone(), reckoned, unreadable };
        let seq = id.seq.to_be_bytes();
        let epoch = id.epoch.to_be_bytes();
        let case = posting::case_id(KIND_DAY_DIFFERS, &[&id.device.0, &epoch, &seq]);
        let mut fresh = self.fresh_case(KIND_DAY_DIFFERS, "none");
        fresh.device = Some(id.device);
        fresh.detail = hufu_shared::cbor::encode(&difference);
        self.case(case, fresh, [id]);
        self.stand(id, Standing::of(Became::AppliedWithCase, KIND_DAY_DIFFERS, Some(case)), None);
    }

    /// Whether the facts of a range are here: those of this entry are, the earlier ones are fetched as one piece.
    pub(super) fn has_range(&self, of: FactId, from: u64, to: u64) {
        let first_fresh = self.fresh.keys().next().map_or(u64::MAX, |id| id.seq);
        let to = to.min(first_fresh - 1);
        if from <= to {
            self.has(Need::Range(of.device, of.epoch, from, to));
        }
    }
}
