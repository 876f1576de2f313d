//! What comes round: points filled up on the member day (P3), and awards of rankings (P4), each once.
//!
//! What is filled up is posted as of the end of the member day, so that it runs out as what was earned on that day does.
//! Out of scope: what the points came to and who comes first, which the jobs ask ([`crate::rules::as_of`],
//! [`crate::rules::ranking`]).

use hufu_shared::act::{FilledUp, MembersRanked, PointsFilledUp, RankingAwarded};
use hufu_shared::ids::Hash;
use hufu_shared::money::{Amount, Leg, Unit};

use super::Work;
use super::ledger::{Cause, Flow};
use crate::rules::judge::expiry::cut_off;
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::ranking::{Given, KnownAward};

/// Name of the job that fills points up.
pub const ROUND_UP_JOB: &str = "round_up";
/// Name of the job that finds the first of a period.
pub const RANKING_JOB: &str = "ranking";
/// The rule that filling up stands for.
const RULE_ROUND_UP: &str = "P3";

impl Work {
    /// Points were filled up on member days that are over.
    pub(super) fn points_filled_up(&mut self, filled: &PointsFilledUp) {
        filled.members.iter().for_each(|of| self.fill_up(of));
        self.outcome.jobs.insert(ROUND_UP_JOB.to_owned(), Some(filled.until));
    }

    fn fill_up(&mut self, of: &FilledUp) {
        let hash = posting::round_up_cause(of.member, of.day);
        let points = of.to.saturating_sub(of.from);
        if points <= 0 || self.was_posted(hash) || !self.stands_alone(of.member) {
            return;
        }
        let at = cut_off(of.day, &self.world.policy.zone).offset(-1);
        let cause = Cause {
            scheme: of.scheme,
            rule: Some(RULE_ROUND_UP.to_owned()),
            ..Cause::of_the_centre(hash, Some(of.member), (at, of.day))
        };
        let flow = Flow {
            debit: Account::Issuer(of.office),
            credit: Account::Available(of.member),
            leg: Leg { unit: Unit::Pts, amount: Amount(points) },
            code: PostingCode::RoundUp,
        };
        self.settle(&cause, &[flow]);
    }

    /// The first of a period were found.
    pub(super) fn members_ranked(&mut self, ranked: &MembersRanked) {
        let period = (ranked.from, ranked.until);
        for (place, of) in (1..).zip(&ranked.places) {
            let id = posting::award_id(of.member, period);
            let is_new = self.award(id).is_none();
            if is_new && self.stands_alone(of.member) {
                let (award, scheme) = (ranked.award.clone(), ranked.scheme);
                self.keep_award(id, KnownAward { period, place, ranked: *of, award, scheme, given: None });
            }
        }
        self.outcome.jobs.insert(RANKING_JOB.to_owned(), Some(ranked.until));
    }

    fn award(&self, id: Hash) -> Option<&KnownAward> {
        self.has(Need::Award(id));
        self.world.awards.get(&id)
    }

    fn keep_award(&mut self, id: Hash, known: KnownAward) {
        self.world.awards.insert(id, known.clone());
        self.outcome.awards.insert(id, known);
    }

    /// An award was given. One that was given before, or that the shelf does not have, has no effect, whatever a shell
    /// overlooked.
    pub(super) fn ranking_awarded(&mut self, awarded: &RankingAwarded) {
        let (id, office, item) = (awarded.award, awarded.office, awarded.item);
        let Some(known) = self.award(id).filter(|known| known.given.is_none()).cloned() else { return };
        if let Some(item) = item
            && (self.stock(item, office).is_none() || !self.take_one(item, office, id))
        {
            return;
        }
        let given = Given { at: self.received, by: self.by_name(), office, item };
        self.edited_from(known.ranked.member, "ranking_awarded", Some(awarded.reason), (None, None));
        self.keep_award(id, KnownAward { given: Some(given), ..known });
    }
}
