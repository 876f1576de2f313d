//! Purchases, visits, and what the parts share: whose card it is, which scheme applied, how points are given.

use hufu_shared::fact::{Earned, Fact, Subject, Visited};
use hufu_shared::ids::MemberId;
use hufu_shared::money::{Leg, Unit};
use hufu_shared::rules::earn::{self, RULE_S2};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::wire::upload::Became;

use super::attendance::KIND_REPEAT;
use super::{Spot, Standing, Told, Work};
use crate::rules::posting::{self, Account, Posting, PostingCode};

impl Work {
    /// Whose card was presented, as the centre knows it.
    pub(super) fn owner(&self, subject: &Subject) -> Option<MemberId> {
        self.world.cards.get(&subject.token).and_then(|card| card.member)
    }

    /// The scheme version that the terminal decided by, or the newest before it.
    pub(super) fn scheme(&self, version: u32) -> Option<&SchemeTerms> {
        self.world.schemes.range(..=version).next_back().map(|(_, terms)| terms)
    }

    /// A purchase by a fact.
    pub(super) fn earned(&mut self, spot: Spot, fact: &Fact, earned: &Earned) {
        let Some(member) = self.owner(&earned.subject) else {
            self.hold_for_card(spot.id, earned.subject.token);
            return;
        };
        if self.is_repeat(spot.id, fact, earned.repeats) {
            let merged = Standing { became: Became::Merged, kind: Some(KIND_REPEAT), case: None };
            self.stand(spot.id, merged, Some(member), Told::default());
            return;
        }
        self.purchase(spot, member, earned, fact.scheme);
    }

    /// Gives a known member the points of a purchase, by the rule that the terminal used.
    pub(super) fn purchase(&mut self, spot: Spot, member: MemberId, earned: &Earned, scheme: u32) {
        self.stand(spot.id, Standing::PLAIN, Some(member), Told::default());
        let rate = self.scheme(scheme).and_then(|terms| terms.earn);
        // A purchase whose points pass 64 bits gives none; the terminal refuses such an amount beforehand.
        let points = rate.and_then(|rate| earn::points_for_purchase(rate, earned.purchase).ok());
        if let Some(points) = points.filter(|points| points.is_positive()) {
            let leg = Leg { unit: Unit::Pts, amount: points };
            self.give(spot, member, leg, PostingCode::EarnPurchase, scheme, Some(RULE_S2.to_owned()));
        }
    }

    /// A visit by a fact.
    pub(super) fn visited(&mut self, spot: Spot, fact: &Fact, visited: &Visited) {
        let Some(member) = self.owner(&visited.subject) else {
            self.hold_for_card(spot.id, visited.subject.token);
            return;
        };
        let standing = if self.is_repeat(spot.id, fact, None) {
            Standing { became: Became::Merged, kind: Some(KIND_REPEAT), case: None }
        } else {
            Standing::PLAIN
        };
        self.stand(spot.id, standing, Some(member), Told::default());
    }

    /// Gives a member something for one fact; a fact gives once, so its posting is the first of its cause.
    pub(super) fn give(
        &mut self,
        spot: Spot,
        member: MemberId,
        leg: Leg,
        code: PostingCode,
        scheme: u32,
        rule: Option<String>,
    ) {
        let cause = posting::fact_cause(spot.id);
        self.outcome.postings.push(Posting {
            id: posting::posting_id(cause, 0),
            cause,
            ordinal: 0,
            debit: Account::Issuer(spot.office),
            credit: Account::Available(member),
            leg,
            code,
            member: Some(member),
            fact: Some(spot.id),
            case: None,
            at: spot.at,
            day: spot.day,
            scheme,
            rule,
        });
    }
}
