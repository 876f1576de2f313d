//! Purchases, visits, and what the parts share: which scheme applied, what repeats what.

use hufu_shared::fact::{Earned, Event, Fact, Visited};
use hufu_shared::ids::{FactId, MemberId};
use hufu_shared::money::{Leg, Unit};
use hufu_shared::rules::earn::{self, RULE_S2};
use hufu_shared::rules::repeat::Tap;
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::wire::upload::Became;

use super::Work;
use super::fault::plain;
use super::ledger::{Cause, Flow};
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::{KnownFact, Standing};

/// Number of the conflict kind "double tap".
pub(super) const KIND_REPEAT: u8 = 2;

impl Work {
    /// The scheme version that the terminal decided by, or the newest before it.
    pub(super) fn scheme(&self, version: u32) -> Option<&SchemeTerms> {
        self.world.schemes.range(..=version).next_back().map(|(_, scheme)| &scheme.terms)
    }

    /// Judges one purchase: what it gives to whom.
    pub(super) fn judge_earn(&mut self, id: FactId) {
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(fact) = &known.fact else { return };
        let Event::Earned(earned) = &fact.event else { return };
        let cause = self.fact_cause(id, &known, fact);
        if known.standing.is_same(&Standing::of(Became::Merged, KIND_REPEAT, None)) {
            return;
        }
        let Some(member) = self.owner(&known, &earned.subject) else {
            self.hold_for_card(id, earned.subject.token);
            return;
        };
        if self.is_repeat(id, fact, earned.repeats) {
            self.stand(id, Standing::of(Became::Merged, KIND_REPEAT, None), Some(member));
            return;
        }
        let counts = known.pin != Some(false);
        let standing = if counts {
            plain(id, &known)
        } else {
            Standing { became: Became::NoEffect, kind: None, case: None }
        };
        self.stand(id, standing, Some(member));
        let flows = if counts { self.earn_flows(&known, fact, earned, member) } else { Vec::new() };
        self.settle(&Cause { member: Some(member), rule: Some(RULE_S2.to_owned()), ..cause }, &flows);
    }

    /// What a purchase gives, by the rule that the terminal used.
    fn earn_flows(&self, known: &KnownFact, fact: &Fact, earned: &Earned, member: MemberId) -> Vec<Flow> {
        let rate = self.scheme(fact.scheme).and_then(|terms| terms.earn);
        // A purchase whose points pass 64 bits gives none; the terminal refuses such an amount beforehand.
        let points = rate.and_then(|rate| earn::points_for_purchase(rate, earned.purchase).ok());
        let flow = |amount| Flow {
            debit: Account::Issuer(known.office),
            credit: Account::Available(member),
            leg: Leg { unit: Unit::Pts, amount },
            code: PostingCode::EarnPurchase,
        };
        points.map(flow).into_iter().collect()
    }

    /// The cause of what one fact comes to.
    pub(super) fn fact_cause(&self, id: FactId, known: &KnownFact, fact: &Fact) -> Cause {
        Cause {
            hash: posting::fact_cause(id),
            member: known.member,
            fact: Some(id),
            case: None,
            at: known.at,
            day: known.day,
            scheme: fact.scheme,
            rule: None,
            repays_recovery: false,
        }
    }

    /// A visit by a fact.
    pub(super) fn visited(&mut self, id: FactId, known: &KnownFact, visited: &Visited) {
        let Some(fact) = &known.fact else { return };
        let Some(member) = self.owner(known, &visited.subject) else {
            self.hold_for_card(id, visited.subject.token);
            return;
        };
        let is_repeat = self.is_repeat(id, fact, None);
        let standing =
            if is_repeat { Standing::of(Became::Merged, KIND_REPEAT, None) } else { known.standing };
        self.stand(id, standing, Some(member));
    }

    /// Whether a fact repeats an earlier one of the same terminal: as the terminal says and the centre finds, or as
    /// the centre finds by itself.
    pub(super) fn is_repeat(&self, id: FactId, fact: &Fact, said: Option<u64>) -> bool {
        let Some(tap) = Tap::of(fact) else { return false };
        if let Some(subject) = fact.event.subject() {
            self.has(Need::Taps(id.device, id.epoch, subject.token));
        }
        let window = self.scheme(fact.scheme).map_or(0, |scheme| scheme.repeat_window_s);
        let first = FactId { seq: 0, ..id };
        self.world.taps.range(first..id).any(|(earlier, opened)| {
            tap.repeats(opened, window) || (said == Some(earlier.seq) && tap.key == opened.key)
        })
    }
}
