//! Cards in place of others, given at terminals (rules H5, X10): the old one is void, the new one is the member's.
//!
//! Nothing of the member moves: points, stored value and history are the member's, not the card's. A card that the
//! centre never saw is registered by that; one in stock keeps what is known of it. A card with a holder by a person's
//! act stays with that holder, and the fact is put before a person. The old card's other media end with it, and its sub
//! cards by the club's rule (K17).
//! Out of scope: cards that are issued and replaced at the centre ([`super::issue`]).

use hufu_shared::act::{CardSet, blank_cards};
use hufu_shared::dictionary::CARD_KIND_ORDINARY;
use hufu_shared::fact::{CardReplaced, Event};
use hufu_shared::ids::{CardId, FactId, Hash, MemberId, OfficeId};
use hufu_shared::member::CardStatus;
use hufu_shared::rules::cards::{CardEnd, Rank};
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use hufu_shared::wire::upload::Became;

use super::Work;
use super::card::{KIND_OWNER, OwnerCase};
use super::fault::plain;
use super::held::{KIND_UNKNOWN_CARD, unknown_card_case};
use super::ledger::Cause;
use super::matter::Matter;
use crate::rules::judge::given::{self, Gift, Given};
use crate::rules::judge::order::Place;
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::{CardLife, CardTurn, KnownCard, KnownFact, Standing, TurnBy};

/// How a gift stands of which a person said that it does not count.
const TAKEN_BACK: Standing = Standing { became: Became::NoEffect, kind: None, case: None };

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
        self.void_old(known, replaced, member);
        self.dirty.insert(Matter::Given(replaced.card));
        self.link_blank(id, known.office, replaced);
        self.touch_blank(id, replaced);
        self.judge_report(id);
    }

    /// The blank card that was given came from the office's stock: of the kind of the new card, as it lay in stock, or of
    /// the old one's.
    fn link_blank(&mut self, id: FactId, office: OfficeId, replaced: &CardReplaced) {
        let kind = |token| self.card(token).map(|card| card.kind.clone()).filter(|kind| !kind.is_empty());
        let kind = kind(replaced.card).or_else(|| kind(replaced.subject.token));
        let item = blank_cards(kind.as_deref().unwrap_or(CARD_KIND_ORDINARY));
        if self.stock(item, office).is_some() {
            self.link(links::stock(item, office), id);
            self.touch_goods(item, office);
        }
    }

    /// Marks the stock from which a blank card came.
    pub(super) fn touch_blank(&mut self, id: FactId, replaced: &CardReplaced) {
        let Some(office) = self.fact(id).map(|known| known.office) else { return };
        let tokens = [replaced.card, replaced.subject.token];
        let kinds = tokens.map(|token| self.card(token).map(|card| card.kind.clone()));
        for kind in kinds.into_iter().flatten() {
            let item = blank_cards(&kind);
            if self.linked(links::stock(item, office)).contains(&id) {
                self.touch_goods(item, office);
            }
        }
    }

    /// The old card is refused everywhere from now on, with all its media, unless it went to somebody else since: then the
    /// list says how it stands, for where it was replaced it is refused until the list says otherwise.
    pub(super) fn void_old(&mut self, known: &KnownFact, replaced: &CardReplaced, member: MemberId) {
        let Some(card) = self.card(replaced.subject.token).cloned() else { return };
        let (main, next) = (self.main_of(&card), self.card(replaced.card).map(|card| card.card));
        let next = next.unwrap_or_else(|| replaced.card.card_id());
        for one in self.with_media(&card) {
            self.void_one(one, member);
        }
        let is_void = self.card_by_id(main).is_some_and(|card| card.status == CardStatus::Void);
        let at = known.at;
        if is_void
            && self.card_by_id(main).is_some_and(|card| card.life.replaced.is_none_or(|old| at < old.1))
        {
            self.live(main, |life| life.replaced = Some((next, at)));
            self.card_ended(main, CardEnd::Replaced, at);
        }
    }

    fn void_one(&mut self, card: CardId, member: MemberId) {
        let Some(card) = self.card_by_id(card).cloned() else { return };
        let is_theirs = card.member.is_none_or(|holder| self.returns_to(holder) == self.returns_to(member));
        if !is_theirs {
            self.outcome.card_turns.insert(card.card, card.history);
            self.outcome.card_statuses.push((card.card, card.status));
            return;
        }
        if card.status == CardStatus::Void {
            self.ended_since(card, CardStatus::Void);
            return;
        }
        // A report that was received later says nothing of a card that had ended.
        let received = self.received;
        if let Some(known) = self.world.cards.get_mut(&card.card) {
            known.history.retain(|turn| turn.status != CardStatus::Lost || turn.since <= received);
        }
        self.turn_to(card.card, CardStatus::Void);
    }

    /// Judges whose a card is from all facts that gave it.
    pub(super) fn judge_given(&mut self, token: Token) {
        let linked = self.linked(links::given(token));
        let said = self.card(token).and_then(|card| said_by_act(&card.history));
        // Who put it back into stock knew of what had arrived by then.
        let stocked = said.filter(|said| said.member.is_none()).map(|said| said.since);
        let counts = |id: &FactId| {
            let received = self.fact(*id).map(|known| known.received);
            stocked.is_none_or(|stocked| received.is_some_and(|received| received > stocked))
        };
        let gifts: Vec<Gift> =
            linked.iter().filter(|id| counts(id)).filter_map(|id| self.gift(*id)).collect();
        for id in &linked {
            if let Some(known) = self.fact(*id).filter(|known| known.pin == Some(false)).cloned() {
                self.stand(*id, TAKEN_BACK, known.member);
            }
        }
        let person = said.and_then(|said| said.member).map(|holder| self.survivor(holder));
        let case = given_case(token);
        let Some(judged) = given::judge(&gifts, person) else {
            self.holds(token, None);
            self.end_case(case, "given_to_nobody");
            return;
        };
        self.give(token, &gifts, judged.holder);
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
            } else if known.standing.is_same(&doubtful) || known.standing.is_same(&TAKEN_BACK) {
                // A fact of an earlier entry does not say of which case it is; what its old card says is judged anew.
                self.stand(id, plain(id, &known), Some(gift.member));
            }
        }
    }

    /// What a fact gives, if it has effect.
    fn gift(&self, id: FactId) -> Option<Gift> {
        let known = self.fact(id)?;
        let waits = matches!(known.standing.became, Became::Held | Became::Quarantined);
        let has_none = known.standing.became == Became::NoEffect && !known.standing.is_same(&TAKEN_BACK);
        let counts = !waits && !has_none && known.pin != Some(false);
        let member = known.member.filter(|_| counts).map(|member| self.survivor(member))?;
        Some(Gift { place: Place { t: known.at, fact: id }, member })
    }

    /// Makes a member the holder of a card from when it was given to them, and registers the card if nobody had.
    fn give(&mut self, token: Token, gifts: &[Gift], holder: MemberId) {
        let Some(first) = gifts.iter().filter(|gift| gift.member == holder).min_by_key(|gift| gift.place)
        else {
            self.holds(token, None);
            return;
        };
        self.has(Need::Held(token));
        let held = self.world.held.get(&token).cloned().unwrap_or_default();
        if self.card(token).is_none() {
            self.register(token, first);
        }
        self.holds(token, Some((first.place.t, holder)));
        self.give_life(token, first);
        // Had they come after the gift, nobody would have asked whose card it is.
        for id in held {
            let waits = Standing::of(Became::Held, KIND_UNKNOWN_CARD, None);
            if self.fact(id).is_some_and(|known| !known.standing.is_same(&waits)) {
                self.leave_case(unknown_card_case(token), id);
            }
        }
    }

    /// A card that was given was issued by that, in the place of the old one and as what that was.
    fn give_life(&mut self, token: Token, first: &Gift) {
        let Some(known) = self.fact(first.place.fact).cloned() else { return };
        let subject = known.fact.as_ref().and_then(|fact| fact.event.subject()).cloned();
        let old = subject.and_then(|subject| self.card(subject.token).cloned());
        let Some(card) =
            self.card(token).filter(|card| card.history.iter().any(|turn| turn.by == TurnBy::Gift))
        else {
            return;
        };
        let (card, office) = (card.card, known.office);
        let replaces = old.as_ref().map(|old| self.main_of(old));
        let sub = old.filter(|old| old.life.rank == Rank::Sub).map(|old| old.life);
        self.live(card, |life| {
            life.rank = sub.as_ref().map_or(Rank::Main, |old| old.rank);
            life.under = sub.and_then(|old| old.under);
            (life.office, life.issued, life.replaces) = (Some(office), Some(first.place.t), replaces);
        });
    }

    /// A card is whose a gift says, from then on, unless an act said otherwise; without a gift it is whose the acts say.
    fn holds(&mut self, token: Token, gift: Option<(Instant, MemberId)>) {
        let Some(card) = self.card(token).cloned() else { return };
        let history = with_gift(&card.history, gift);
        if history == card.history {
            return;
        }
        let holder = history.last().and_then(|turn| turn.member);
        let loser = card.member.filter(|met| holder.is_none_or(|holder| self.survivor(*met) != holder));
        self.has(Need::CardById(card.card));
        self.outcome.card_turns.insert(card.card, history.clone());
        self.outcome.card_holders.push((card.card, holder));
        let id = card.card;
        self.world.cards.insert(id, KnownCard { member: holder, history, ..card });
        match holder {
            Some(_) => self.release(token),
            None => self.live(id, |life| *life = CardLife::default()),
        }
        for id in loser.map(|loser| self.used_by(token, loser)).unwrap_or_default() {
            if holder.is_some() { self.owner_changed(id) } else { self.disowned(id, token) }
        }
    }

    /// A fact of a card that turns out to be nobody's: it waits as if the card had never been known. Where goods went
    /// over the counter it stays as it is.
    fn disowned(&mut self, id: FactId, token: Token) {
        let Some(known) = self.fact(id).cloned() else { return };
        let (Some(fact), Some(old)) = (&known.fact, known.member) else { return };
        let has_effect = matches!(known.standing.became, Became::Applied | Became::AppliedWithCase);
        let goods = matches!(fact.event, Event::Spent(_) | Event::Reversed(_) | Event::HandedOut(_));
        if !has_effect || goods {
            return;
        }
        self.leave(id, &known, fact, old);
        if matches!(fact.event, Event::Earned(_) | Event::ToppedUp(_)) {
            let cause = self.fact_cause(id, &known, fact);
            self.settle(&Cause { member: Some(old), ..cause }, &[]);
        }
        self.hold_for_card(id, token);
        self.change(id, |known| known.member = None);
        if let Event::CardReplaced(replaced) = &fact.event {
            self.dirty.insert(Matter::Given(replaced.card));
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

    /// A card that was in no list is in it from now on: of the kind that its points ask for (K17), or of that of
    /// the card that it replaces.
    fn register(&mut self, token: Token, first: &Gift) {
        let old = self.fact(first.place.fact).and_then(|known| known.fact.as_ref()?.event.subject().cloned());
        let old = old.and_then(|old| self.card(old.token));
        let now_due = |card: &KnownCard| card.life.due.clone().map(|(kind, _)| kind);
        let due = old.and_then(|card| now_due(card).or_else(|| self.was_due.get(&card.card).cloned()));
        let kind = due.or_else(|| old.map(|card| card.kind.clone()));
        let kind = kind.filter(|kind| !kind.is_empty()).unwrap_or_else(|| CARD_KIND_ORDINARY.to_owned());
        let (card, status) = (token.card_id(), CardStatus::Active);
        self.has(Need::CardById(card));
        let known = KnownCard::fresh(card, &kind);
        self.world.cards.insert(card, known);
        self.world.tokens.insert(token, card);
        self.outcome.cards.push(CardSet {
            card,
            tokens: vec![token],
            member: None,
            kind,
            status,
            tail: String::new(),
            valid_from: None,
            valid_until: None,
        });
    }
}

/// The newest turn by which an act said whose a card is.
fn said_by_act(history: &[CardTurn]) -> Option<CardTurn> {
    history.iter().rfind(|turn| turn.by == TurnBy::Act).copied()
}

/// The life of a card with this gift in place of any that it had: it is whose it was given to from that moment, and not
/// before it lay in stock. Where an act named a holder, a gift has no place.
fn with_gift(history: &[CardTurn], gift: Option<(Instant, MemberId)>) -> Vec<CardTurn> {
    let mut turns: Vec<CardTurn> = history.iter().filter(|turn| turn.by != TurnBy::Gift).copied().collect();
    let said = said_by_act(&turns);
    if let Some((t, holder)) = gift.filter(|_| said.is_none_or(|said| said.member.is_none())) {
        let since = said.map_or(t, |said| said.since.max(t));
        let after_act = turns.iter().rposition(|turn| turn.by == TurnBy::Act).map_or(0, |at| at + 1);
        let before = turns[after_act..].iter().take_while(|turn| turn.since <= since).count();
        let place = after_act + before;
        let status = place.checked_sub(1).map_or(CardStatus::Active, |before| turns[before].status);
        turns.insert(place, CardTurn { since, member: Some(holder), status, by: TurnBy::Gift });
    }
    let mut holder = None;
    for turn in &mut turns {
        if turn.by == TurnBy::State {
            turn.member = holder;
        }
        holder = turn.member;
    }
    turns
}
