//! Facts that wait for a person: of a revoked terminal (kind 26), or of an enrolment that a later one replaced
//! (kinds 21 and 22).
//!
//! They are taken in like any others (chain, cursor, time), so nothing of them can come twice or be exchanged later; but
//! they have no effect, open no window for repeats and are named to no terminal until an act releases them. Then each
//! has the effect that it would have had, in order of time.

use hufu_shared::act::FactsReleased;
use hufu_shared::ids::{DeviceId, FactId, Hash};
use hufu_shared::rules::repeat::Tap;
use hufu_shared::wire::upload::Became;

use super::{Spot, Standing, Told, Work};
use crate::rules::entry::{Review, TakenBatch};
use crate::rules::posting;
use crate::rules::world::CaseState;

/// The case about an enrolment's facts under review.
#[must_use]
pub fn review_case(review: Review, device: DeviceId, epoch: u32) -> Hash {
    posting::case_id(review.kind(), &[&device.0, &epoch.to_be_bytes()])
}

impl Work {
    /// A batch came whose facts wait for a person: one case per enrolment, which names the first fact of each batch.
    pub(super) fn review_batch(&mut self, batch: &TakenBatch, review: Review) {
        let mut fresh = self.fresh_case(review.kind(), "reviewed");
        fresh.device = Some(batch.device);
        let first = FactId { device: batch.device, epoch: batch.epoch, seq: batch.from_seq };
        self.case(review_case(review, batch.device, batch.epoch), fresh, &[first]);
    }

    /// Sets one readable fact aside for review.
    pub(super) fn review_fact(&mut self, id: FactId, review: Review) {
        if let Some(row) = self.outcome.facts.iter_mut().find(|row| row.id == id) {
            row.became = Became::Quarantined;
            row.kind = Some(review.kind());
        }
    }

    /// A person released facts: they take effect now.
    pub(super) fn facts_released(&mut self, released: &FactsReleased) {
        let mut waiting = std::mem::take(&mut self.world.released);
        waiting.retain(|fact| released.facts.contains(&fact.id));
        waiting.sort_by_key(|fact| (fact.at, fact.id));
        for held in &waiting {
            self.stand(held.id, Standing::PLAIN, None, Told::default());
            let day = self.day(held.office, held.at);
            self.effect(Spot { id: held.id, at: held.at, day, office: held.office }, &held.fact);
            let merged =
                self.outcome.fact_changes.get(&held.id).is_some_and(|change| change.became == Became::Merged);
            if let Some(tap) = Tap::opening(&held.fact).filter(|_| !merged) {
                self.world.taps.insert(held.id.seq, tap);
            }
        }
        let enrolments: std::collections::BTreeSet<_> =
            released.facts.iter().map(|id| (id.device, id.epoch)).collect();
        for (device, epoch) in enrolments {
            for review in [Review::Revoked, Review::EarlierEnrolment] {
                self.end_review(review_case(review, device, epoch));
            }
        }
    }

    fn end_review(&mut self, id: Hash) {
        let received = self.received;
        let Some(case) = self.world.cases.get_mut(&id) else { return };
        if matches!(case.state, CaseState::Open | CaseState::EvidenceChanged) {
            case.state = CaseState::Closed;
            "released".clone_into(&mut case.automatic);
            case.changed = received;
            self.touched.insert(id);
        }
    }
}
