//! Facts that wait for a person: of a revoked terminal (kind 26), or of an enrolment that a later one replaced
//! (kinds 21 and 22).
//!
//! They are taken in like any others (chain, cursor, time), so nothing of them can come twice or be exchanged later; but
//! they have no effect, open no window for repeats and are named to no terminal until an act releases them. Then each
//! has the effect that it would have had, in order of time.

use std::collections::BTreeSet;

use hufu_shared::act::FactsReleased;
use hufu_shared::ids::{DeviceId, FactId, Hash};
use hufu_shared::wire::upload::Became;

use super::Work;
use super::earn::{KIND_APPROVAL, KIND_OVER_LIMIT, approval_case};
use super::fault::plain;
use crate::rules::entry::{Review, TakenBatch};
use crate::rules::posting;
use crate::rules::world::Standing;

const REVIEWS: [Review; 2] = [Review::Revoked, Review::EarlierEnrolment];

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
        self.case(review_case(review, batch.device, batch.epoch), fresh, [first]);
    }

    /// A fact beyond a limit of issuing, or whose points waited for approval, has its whole effect now.
    fn let_pass(&mut self, id: FactId) {
        let Some(known) = self.fact(id).filter(|known| known.pin.is_none()) else { return };
        let (over_limit, waits) = (known.over_limit, known.standing.kind == Some(KIND_APPROVAL));
        if !over_limit && !waits {
            return;
        }
        self.change(id, |known| known.pin = Some(true));
        if over_limit {
            self.end_case(posting::case_id(KIND_OVER_LIMIT, &[&posting::fact_cause(id).0]), "released");
        }
        if waits {
            self.end_case(approval_case(id), "released");
        }
        self.rejudge(id);
    }

    /// A person released facts: they take effect now, in order of time.
    pub(super) fn facts_released(&mut self, released: &FactsReleased) {
        let mut waiting: Vec<FactId> = Vec::new();
        for id in &released.facts {
            self.let_pass(*id);
            let in_review = self.fact(*id).is_some_and(|known| {
                let kind = |review: Review| Standing::of(Became::Quarantined, review.kind(), None);
                REVIEWS.iter().any(|review| known.standing.is_same(&kind(*review)))
            });
            waiting.extend(in_review.then_some(*id));
        }
        waiting.sort_by_key(|id| (self.world.facts.get(id).map(|known| known.at), *id));
        for id in waiting {
            // It had nothing while it waited: of a day settled meanwhile, it is judged like what comes later.
            self.list_late(id);
            self.change(id, |known| known.standing = plain(id, known));
            self.take_effect(id);
            self.judge_all();
            self.open_window(id);
        }
        if released.others_wait {
            return;
        }
        let enrolments: BTreeSet<_> = released.facts.iter().map(|id| (id.device, id.epoch)).collect();
        for (device, epoch) in enrolments {
            for review in REVIEWS {
                self.end_case(review_case(review, device, epoch), "released");
            }
        }
    }
}
