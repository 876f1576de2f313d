//! Cards in place of others, given at terminals (rules H5, X10): the old one is void, the new one is the member's.
//!
//! Nothing of the member moves: points, stored value and history are the member's, not the card's. A card that the
//! centre never saw is registered by that; one in stock keeps what is known of it. A card with a holder by a person's
//! act stays with that holder, and the fact is put before a person.
//! Out of scope: sub cards, which the club's list of cards does not tell from main cards yet.

use hufu_shared::act::{CardSet, CardStatusSet};
use hufu_shared::fact::CardReplaced;
use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::member::CardStatus;
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use hufu_shared::wire::upload::Became;

use super::Work;
use super::card::{KIND_OWNER, OwnerCase};
use super::fault::plain;
use super::held::{KIND_UNKNOWN_CARD, unknown_card_case};
use super::matter::Matter;
use crate::rules::judge::given::{self, Gift, Given};
use crate::rules::judge::order::Place;
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::{CardTurn, KnownCard, KnownFact, Standing};

/// Dictionary code of the kind of a card whose old one was of none.
const KIND_PLAIN: &str = "普通卡";

/// The case about a card that was given to more than one member.
fn given_case(card: Token) -> Hash {
    posting::case_id(KIND_OWNER, &[b"given", &card.to_bytes()])
}

impl Work {
    /// A terminal gave a member a card in place of another.
    pub(super) fn card_replaced(&mut self, id: FactId, known: &KnownFact, replaced: &CardReplaced) {
        let old = replaced.subject.token;
        let Some(member) = self.owner(known, &replaced.subject) else {
            self.hold_for_card(id, old);
            return;
        };
        self.stand(id, plain(id, known), Some(member));
        self.void_old(id, old, member);
        self.dirty.insert(Matter::Given(replaced.card));
        self.judge_report(id);
    }

    /// The old card is refused everywhere from now on, unless it went to somebody else since: then the list says how it
    /// stands, for where it was replaced it is refused until the list says otherwise.
    pub(super) fn void_old(&mut self, id: FactId, old: Token, member: MemberId) {
        let Some(card) = self.card(old).cloned() else { return };
        let is_theirs = card.member.is_none_or(|holder| self.returns_to(holder) == self.returns_to(member));
        if !is_theirs {
            self.outcome.card_turns.insert(card.card, card.history);
            self.outcome.card_statuses.push((card.card, card.status));
            return;
        }
        self.has(Need::CardById(card.card));
        if card.status == CardStatus::Void {
            self.ended_since(card, CardStatus::Void);
            return;
        }
        // A report that was received later says nothing of a card that had ended.
        let received = self.received;
        if let Some(known) = self.world.cards.get_mut(&card.card) {
            known.history.retain(|turn| turn.status != CardStatus::Lost || turn.since <= received);
        }
        let (status, reason) = (CardStatus::Void, posting::fact_cause(id));
        self.turn_status(&CardStatusSet { card: card.card, status, reason });
    }

    /// Judges whose a card is from all facts that gave it.
    pub(super) fn judge_given(&mut self, token: Token) {
        let linked = self.linked(links::given(token));
        let gifts: Vec<Gift> = linked.iter().filter_map(|id| self.gift(*id)).collect();
        let person = self.given_by_person(token, &gifts);
        let Some(judged) = given::judge(&gifts, person) else { return };
        self.give(token, &gifts, judged.holder);
        let case = given_case(token);
        self.say_given(&gifts, &judged, case);
        if judged.others.is_empty() {
            self.end_case(case, "given_first");
        } else {
            let mut fresh = self.fresh_case(KIND_OWNER, "given_first");
            (fresh.member, fresh.token) = (Some(judged.holder), Some(token));
            let other = gifts.iter().find(|gift| gift.member != judged.holder).map(|gift| gift.member);
            fresh.detail = hufu_shared::cbor::encode(&OwnerCase { then: other, now: Some(judged.holder) });
            self.case_of(case, fresh, gifts.iter().map(|gift| gift.place.fact).collect());
        }
    }

    fn say_given(&mut self, gifts: &[Gift], judged: &Given, case: Hash) {
        for gift in gifts {
            let id = gift.place.fact;
            let Some(known) = self.fact(id).cloned() else { continue };
            let doubtful = Standing::of(Became::AppliedWithCase, KIND_OWNER, Some(case));
            if judged.others.contains(&id) {
                self.stand(id, doubtful, Some(gift.member));
            } else if known.standing.is_same(&doubtful) {
                // A fact of an earlier entry does not say of which case it is; what its old card says is judged anew.
                self.stand(id, plain(id, &known), Some(gift.member));
            }
        }
    }

    /// What a fact gives, if it has effect.
    fn gift(&self, id: FactId) -> Option<Gift> {
        let known = self.fact(id)?;
        let without = matches!(known.standing.became, Became::Held | Became::Quarantined | Became::NoEffect);
        let counts = !without && known.pin != Some(false);
        let member = known.member.filter(|_| counts).map(|member| self.survivor(member))?;
        Some(Gift { place: Place { t: known.at, fact: id }, member })
    }

    /// To whom a person gave the card: its holder, where none of the facts made them that.
    fn given_by_person(&self, token: Token, gifts: &[Gift]) -> Option<MemberId> {
        let card = self.card(token)?;
        let holder = card.member?;
        let (turn, floor) = last_turn(&card.history)?;
        let by_fact = gifts.iter().any(|gift| turn.since == since(gift, floor));
        (!by_fact).then(|| self.survivor(holder))
    }

    /// Makes a member the holder of a card from when it was given to them, and registers the card if nobody had.
    fn give(&mut self, token: Token, gifts: &[Gift], holder: MemberId) {
        let Some(first) = gifts.iter().filter(|gift| gift.member == holder).min_by_key(|gift| gift.place)
        else {
            return;
        };
        self.has(Need::Held(token));
        let held = self.world.held.get(&token).cloned().unwrap_or_default();
        self.give_from(token, first, holder);
        // Had they come after the gift, nobody would have asked whose card it is.
        for id in held {
            let waits = Standing::of(Became::Held, KIND_UNKNOWN_CARD, None);
            if self.fact(id).is_some_and(|known| !known.standing.is_same(&waits)) {
                self.leave_case(unknown_card_case(token), id);
            }
        }
    }

    fn give_from(&mut self, token: Token, first: &Gift, holder: MemberId) {
        if self.card(token).is_none() {
            self.register(token, first);
        }
        let Some(card) = self.card(token).cloned() else { return };
        let loser = card.member.filter(|met| self.survivor(*met) != holder);
        let mut history = card.history.clone();
        if card.member.is_some() {
            // Given to somebody else later, or to the holder: it is the holder's from the first time on.
            while history.last().is_some_and(|turn| turn.member == card.member) {
                history.pop();
            }
        }
        let turn = CardTurn {
            since: since(first, history.last().map(|turn| turn.since)),
            member: Some(holder),
            status: card.status,
        };
        if loser.is_none() && card.member.is_some() && card.history.len() != history.len() + 1 {
            // It was lost or found since: its turns stand.
            return;
        }
        history.push(turn);
        if history == card.history {
            return;
        }
        self.has(Need::CardById(card.card));
        self.outcome.card_turns.insert(card.card, history.clone());
        self.outcome.card_holders.push((card.card, Some(holder)));
        self.world.cards.insert(card.card, KnownCard { member: Some(holder), history, ..card });
        self.release(token);
        for id in loser.map(|loser| self.used_by(token, loser)).unwrap_or_default() {
            self.owner_changed(id);
        }
    }

    /// What a member did with a card.
    fn used_by(&self, token: Token, member: MemberId) -> Vec<FactId> {
        self.has(Need::FactsOf(member));
        let with_card = |known: &KnownFact| {
            let subject = known.fact.as_ref().and_then(|fact| fact.event.subject());
            known.member == Some(member) && subject.is_some_and(|subject| subject.token == token)
        };
        self.world.facts.iter().filter(|(_, known)| with_card(known)).map(|(id, _)| *id).collect()
    }

    /// A card that was in no list, as that of its first holder, of the kind of the card that it replaces.
    fn register(&mut self, token: Token, first: &Gift) {
        let old = self.fact(first.place.fact).and_then(|known| known.fact.as_ref()?.event.subject().cloned());
        let kind = old.and_then(|old| self.card(old.token)).map(|card| card.kind.clone());
        self.card_set(&CardSet {
            card: token.card_id(),
            tokens: vec![token],
            member: Some(first.member),
            kind: kind.filter(|kind| !kind.is_empty()).unwrap_or_else(|| KIND_PLAIN.to_owned()),
            status: CardStatus::Active,
            tail: String::new(),
            valid_from: None,
            valid_until: None,
        });
    }
}

/// The newest holder's turn, and when the one before it began.
fn last_turn(history: &[CardTurn]) -> Option<(CardTurn, Option<Instant>)> {
    let holder = history.last()?.member;
    let at = history.iter().rposition(|turn| turn.member != holder).map_or(0, |before| before + 1);
    Some((history[at], at.checked_sub(1).map(|before| history[before].since)))
}

/// From when on a card is whose it was given to: from that moment, and not before it lay in stock.
fn since(gift: &Gift, floor: Option<Instant>) -> Instant {
    floor.map_or(gift.place.t, |floor| floor.max(gift.place.t))
}
