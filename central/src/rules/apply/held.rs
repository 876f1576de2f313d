//! Facts of a card that the centre does not know (kind 13): held for 30 days, applied when the card is registered,
//! without effect when a person discards them.

use hufu_shared::fact::Event;
use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::time::DAY_US;
use hufu_shared::token::Token;
use hufu_shared::wire::upload::Became;

use super::{Spot, Standing, Told, Work};
use crate::rules::posting;
use crate::rules::world::{CaseState, HeldFact};

/// Number of the conflict kind "unknown card".
pub(super) const KIND_UNKNOWN_CARD: u8 = 13;
/// Days for which facts of an unknown card are held.
pub const HOLD_DAYS: i64 = 30;

/// The case about an unknown card.
#[must_use]
pub fn unknown_card_case(token: Token) -> Hash {
    posting::case_id(KIND_UNKNOWN_CARD, &[&token.to_bytes()])
}

impl Work {
    /// Holds a fact for its card.
    pub(super) fn hold_for_card(&mut self, id: FactId, token: Token) {
        let case = unknown_card_case(token);
        let mut fresh = self.fresh_case(KIND_UNKNOWN_CARD, "held");
        fresh.token = Some(token);
        fresh.deadline = Some(self.received.offset(HOLD_DAYS * DAY_US));
        self.case(case, fresh, &[id]);
        let standing = Standing { became: Became::Held, kind: Some(KIND_UNKNOWN_CARD), case: Some(case) };
        self.stand(id, standing, None, Told::default());
    }

    /// The card is known now: what was held for it takes effect, in order of time.
    pub(super) fn release(&mut self, token: Token, member: MemberId) {
        let mut held = self.world.held.remove(&token).unwrap_or_default();
        held.sort_by_key(|fact| (fact.at, fact.id));
        for fact in &held {
            self.apply_held(fact, member);
        }
        self.end_case(unknown_card_case(token), Some(member));
    }

    fn apply_held(&mut self, held: &HeldFact, member: MemberId) {
        let spot =
            Spot { id: held.id, at: held.at, day: self.day(held.office, held.at), office: held.office };
        match &held.fact.event {
            Event::Attended(attended) if attended.repeats.is_none() => {
                self.check_in(spot, member, attended.occurrence, held.fact.scheme);
            }
            Event::Earned(earned) if earned.repeats.is_none() => {
                self.purchase(spot, member, earned, held.fact.scheme);
            }
            Event::Attended(_) | Event::Earned(_) => {
                let merged = Standing {
                    became: Became::Merged,
                    kind: Some(super::attendance::KIND_REPEAT),
                    case: None,
                };
                self.stand(held.id, merged, Some(member), Told::default());
            }
            _ => self.stand(held.id, Standing::PLAIN, Some(member), Told::default()),
        }
    }

    /// A person decided that a card's facts have no effect.
    pub(super) fn discard(&mut self, token: Token, case: Hash) {
        for held in self.world.held.remove(&token).unwrap_or_default() {
            let standing =
                Standing { became: Became::NoEffect, kind: Some(KIND_UNKNOWN_CARD), case: Some(case) };
            self.stand(held.id, standing, None, Told::default());
        }
    }

    /// Ends a case that has nothing left to decide.
    fn end_case(&mut self, id: Hash, member: Option<MemberId>) {
        let received = self.received;
        let Some(case) = self.world.cases.get_mut(&id) else { return };
        if matches!(case.state, CaseState::Open | CaseState::EvidenceChanged) {
            case.state = CaseState::Closed;
            "bound".clone_into(&mut case.automatic);
            case.member = member;
            case.changed = received;
            self.touched.insert(id);
        }
    }
}
