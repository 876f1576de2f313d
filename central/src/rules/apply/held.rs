//! Facts of a card that the centre does not know (kind 13): held for a time (30 days unless the club says otherwise), applied when the card is registered,
//! without effect when a person discards them.

use hufu_shared::ids::{FactId, Hash};
use hufu_shared::time::DAY_US;
use hufu_shared::token::Token;
use hufu_shared::wire::upload::Became;

use super::Work;
use super::fault::plain;
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::{KnownFact, Standing};

/// Number of the conflict kind "unknown card".
pub(super) const KIND_UNKNOWN_CARD: u8 = 13;

/// The case about an unknown card.
#[must_use]
pub fn unknown_card_case(token: Token) -> Hash {
    posting::case_id(KIND_UNKNOWN_CARD, &[&token.to_bytes()])
}

/// Whether a fact of an unknown card was discarded: whatever comes later, a return of it or a card for it, does not bring
/// it back; only who names it does.
pub(super) fn is_discarded(known: &KnownFact) -> bool {
    let discarded = Standing::of(Became::NoEffect, KIND_UNKNOWN_CARD, None);
    known.standing.is_same(&discarded) && known.belongs_to.is_none() && known.pin != Some(true)
}

impl Work {
    /// Holds a fact for its card, or for a person if the card is known and only its owner is not.
    pub(super) fn hold_for_card(&mut self, id: FactId, token: Token) {
        self.end_if_over(unknown_card_case(token));
        if self.fact(id).is_some_and(is_discarded) || self.asks_for_owner(id, token) {
            return;
        }
        let case = unknown_card_case(token);
        let mut fresh = self.fresh_case(KIND_UNKNOWN_CARD, "held");
        fresh.token = Some(token);
        fresh.deadline = Some(self.received.offset(i64::from(self.world.policy.hold_days) * DAY_US));
        self.case(case, fresh, [id]);
        self.world.held.entry(token).or_default().insert(id);
        self.stand(id, Standing::of(Became::Held, KIND_UNKNOWN_CARD, Some(case)), None);
    }

    /// The card is known now: what was held for it takes effect, unless the time to decide was up. If its day was settled
    /// meanwhile, it had nothing then, and is judged like what comes later.
    pub(super) fn release(&mut self, token: Token) {
        self.end_if_over(unknown_card_case(token));
        for id in self.held_for(token) {
            self.list_late(id);
            self.change(id, |known| known.standing = plain(id, known));
            self.take_effect(id);
        }
        let case = unknown_card_case(token);
        let member = self.card(token).and_then(|card| card.member);
        self.end_case(case, "bound");
        if let Some(case) = self.world.cases.get_mut(&case) {
            case.member = member;
        }
    }

    /// A person decided that a card's facts have no effect, or the time to decide was up.
    pub(super) fn discard(&mut self, token: Token, case: Hash) {
        for id in self.held_for(token) {
            self.stand(id, Standing::of(Became::NoEffect, KIND_UNKNOWN_CARD, Some(case)), None);
        }
    }

    /// Facts held for a token, no longer held from here on.
    fn held_for(&mut self, token: Token) -> Vec<FactId> {
        self.has(Need::Held(token));
        self.world.held.remove(&token).unwrap_or_default().into_iter().collect()
    }
}
