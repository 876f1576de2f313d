//! Cards: whose a card was when it was used, where it cannot have been, and that it was lost.
//!
//! A card that changed hands while a terminal was offline counts for who had it at the time of the fact (kind 14);
//! what came after the fact had arrived says nothing of it. Before a card was first registered it counts for its first
//! owner, so that facts held for it are bound to them. Two uses that one card cannot have had both keep their effect,
//! and the card is flagged (kind 3). A report that a card is lost stops it everywhere.

use std::collections::BTreeSet;

use hufu_shared::act::{CardSet, CardStatusSet};
use hufu_shared::fact::{Event, Fact, Subject};
use hufu_shared::ids::{CardId, FactId, Hash, MemberId};
use hufu_shared::member::CardStatus;
use hufu_shared::rules::cards::{self, CardEnd, Rank};
use hufu_shared::scheme::card::LostMode;
use hufu_shared::time::{Day, OfficeClock};
use hufu_shared::token::Token;
use hufu_shared::wire::upload::Became;
use minicbor::{Decode, Encode};

use super::Work;
use super::edge::latest;
use super::fault::plain;
use crate::rules::judge::owner::{self, Belongs, Owned, Ownership, Presented};
use crate::rules::judge::travel::{self, Impossible, Travel, Use};
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::{CardLife, CardTurn, KnownCard, KnownFact, Standing, TurnBy};

/// Number of the conflict kind "impossible travel".
const KIND_TRAVEL: u8 = 3;
/// Number of the conflict kind "card re-assigned meanwhile".
pub(super) const KIND_OWNER: u8 = 14;

/// What the admin sees of a card that changed hands: both owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OwnerCase {
    /// Who had it at the time of the facts; none if nobody can say.
    #[n(0)]
    pub then: Option<MemberId>,
    /// Who had it when they arrived.
    #[n(1)]
    pub now: Option<MemberId>,
}

/// The case about facts of a card that was somebody's when they happened and somebody else's when they arrived.
fn owner_case_id(token: Token, judged: &Ownership) -> Hash {
    let bytes = |member: Option<MemberId>| member.map_or([0; 16], |member| member.0);
    let about = [&token.to_bytes()[..], &bytes(judged.then()), &bytes(judged.now)];
    posting::case_id(KIND_OWNER, &about)
}

impl Work {
    /// The card that a token finds.
    pub(super) fn card(&self, token: Token) -> Option<&KnownCard> {
        self.has(Need::Card(token));
        self.world.tokens.get(&token).and_then(|card| self.world.cards.get(card))
    }

    /// Whose fact it is: as a person said, or whose the card was at that time, or who goes on in their place.
    pub(super) fn owner(&self, known: &KnownFact, subject: &Subject) -> Option<MemberId> {
        self.original_owner(known, subject).map(|member| self.survivor(member))
    }

    /// Whose fact it is by itself, whoever goes on in their place.
    pub(super) fn original_owner(&self, known: &KnownFact, subject: &Subject) -> Option<MemberId> {
        match self.ownership(known, subject.token).belongs {
            Belongs::To(member) => Some(member),
            Belongs::Unknown | Belongs::Ask => None,
        }
    }

    /// Whose a card was when a fact was recorded with it, by what had become of the card when the fact arrived.
    fn ownership(&self, known: &KnownFact, token: Token) -> Ownership {
        let all = self.card(token).map_or(&[][..], |card| &card.history);
        let mut owned = all.iter().filter(|turn| turn.member.is_some());
        // A card that nobody had had by then belongs to whom it was given first.
        let until = owned.next().map_or(known.received, |first| first.since.max(known.received));
        let turns = all.iter().filter(|turn| turn.since <= until);
        let history: Vec<Owned> = turns.map(|turn| Owned { from: turn.since, member: turn.member }).collect();
        let presented = Presented { lo: known.at, hi: latest(known), t: known.at, pin: known.belongs_to };
        let mut judged = owner::judge(&history, presented);
        if judged.belongs == Belongs::Ask && judged.now.is_none() {
            // Nobody's when the fact arrived, like a card never seen: whoever gets it next has its facts.
            let next = all.iter().find(|turn| turn.since > until && turn.member.is_some());
            judged.belongs = next.and_then(|turn| turn.member).map_or(Belongs::Unknown, Belongs::To);
            judged.kinds.clear();
        }
        judged
    }

    /// The case about facts of a card that had another owner by the time they arrived.
    fn owner_case(&mut self, id: FactId, token: Token, judged: &Ownership) -> Standing {
        let (then, case) = (judged.then(), owner_case_id(token, judged));
        let mut fresh = self.fresh_case(KIND_OWNER, if then.is_some() { "owner_then" } else { "held" });
        (fresh.member, fresh.token) = (then, Some(token));
        fresh.detail = hufu_shared::cbor::encode(&OwnerCase { then, now: judged.now });
        self.case(case, fresh, [id]);
        let became = if then.is_some() { Became::AppliedWithCase } else { Became::Held };
        Standing::of(became, KIND_OWNER, Some(case))
    }

    /// Something else is to be said of a fact now than whose card it shows.
    pub(super) fn leave_owner_case(&mut self, id: FactId) {
        let Some(known) = self.fact(id) else { return };
        // Of a spend it is said beside whatever else there is to say.
        let event =
            known.fact.as_ref().map(|fact| &fact.event).filter(|event| !matches!(event, Event::Spent(_)));
        let Some(token) = event.and_then(Event::subject).map(|subject| subject.token) else { return };
        let case = owner_case_id(token, &self.ownership(known, token));
        self.leave_case(case, id);
    }

    /// What there is to say of the card of a fact that otherwise stands plainly: it has another owner by now.
    pub(super) fn card_standing(&mut self, id: FactId) -> Option<Standing> {
        let known = self.fact(id)?;
        let fact = known.fact.as_ref().filter(|_| known.belongs_to.is_none())?;
        let subject = fact.event.subject().filter(|_| shows_card(&fact.event))?;
        let token = subject.token;
        let judged = self.ownership(known, token);
        let is_other = matches!(judged.belongs, Belongs::To(_)) && judged.kinds.contains(&KIND_OWNER);
        is_other.then(|| self.owner_case(id, token, &judged))
    }

    /// Nobody can say by the clocks whose the card was: a person decides. Whether that is so.
    pub(super) fn asks_for_owner(&mut self, id: FactId, token: Token) -> bool {
        let Some(known) = self.fact(id) else { return false };
        let judged = self.ownership(known, token);
        let asks = judged.belongs == Belongs::Ask;
        if asks {
            let standing = self.owner_case(id, token, &judged);
            self.stand(id, standing, None);
        }
        asks
    }

    /// Whether a card was a member's, or theirs in whose place the member goes on, at some time before a fact: its terminal
    /// may not have heard that it changed hands since.
    pub(super) fn had_card(&self, known: &KnownFact, token: Token, member: MemberId) -> bool {
        let is_theirs = |had: MemberId| self.returns_to(had) == self.returns_to(member);
        let turns = self.card(token).map_or(&[][..], |card| &card.history);
        let before = turns.iter().filter(|turn| turn.since <= known.high);
        before.filter_map(|turn| turn.member).any(is_theirs)
    }

    /// What there is to say of a spend that the lease of one member paid for, with a card that was somebody else's by
    /// then: the lease settles, since goods went over the counter, and a person sees both.
    pub(super) fn paid_by_last_owner(&mut self, id: FactId, payer: MemberId) -> Option<Standing> {
        let (token, judged) = self.last_owner(id, payer)?;
        Some(self.owner_case(id, token, &judged))
    }

    /// Such a spend turned out to repeat another.
    pub(super) fn leave_last_owner(&mut self, id: FactId, payer: MemberId) {
        if let Some((token, judged)) = self.last_owner(id, payer) {
            self.leave_case(owner_case_id(token, &judged), id);
        }
    }

    fn last_owner(&self, id: FactId, payer: MemberId) -> Option<(Token, Ownership)> {
        let known = self.fact(id).filter(|known| known.pin.is_none() && known.belongs_to.is_none())?;
        let token = known.fact.as_ref()?.event.subject()?.token;
        let Belongs::To(owner) = self.ownership(known, token).belongs else { return None };
        if self.returns_to(owner) == self.returns_to(payer) {
            return None;
        }
        let kinds = BTreeSet::from([KIND_OWNER]);
        Some((token, Ownership { belongs: Belongs::To(payer), now: Some(owner), kinds }))
    }

    /// Looks for other uses of the card too near in time for the way between their offices.
    pub(super) fn travelled(&mut self, id: FactId, known: &KnownFact, fact: &Fact) {
        let Some(subject) = fact.event.subject().filter(|_| shows_card(&fact.event)) else { return };
        self.code_copied(id, known, subject);
        let (token, travel) = (subject.token, Travel::of(&self.world.policy));
        if travel.longest() == 0 || self.world.offices.len() < 2 {
            return;
        }
        self.link(links::seen(token, Day::utc(known.at)), id);
        let (from, to) = (known.at.offset(-travel.longest()), latest(known).offset(travel.longest()));
        if Day::utc(to).0 - Day::utc(from).0 > 2 {
            // Over so long a time the card can have been anywhere.
            return;
        }
        let days = Day::utc(from).0..=Day::utc(to).0;
        let near = days.flat_map(|day| self.linked(links::seen(token, Day(day))));
        let uses: Vec<Use> = near.filter_map(|id| Some(used(id, self.fact(id)?))).collect();
        let mut found: Vec<Impossible> = travel::impossible(&uses, &travel);
        found.retain(|pair| pair.one == id || pair.other == id);
        if found.is_empty() {
            return;
        }
        let mut fresh = self.fresh_case(KIND_TRAVEL, "card_flagged");
        (fresh.token, fresh.member) = (Some(token), self.owner(known, subject));
        let facts = found.iter().flat_map(|pair| [pair.one, pair.other]);
        self.case(posting::case_id(KIND_TRAVEL, &[&token.to_bytes()]), fresh, facts);
    }

    /// Looks for the same member code at another terminal. Each takes a code once and none can know of the others, so one
    /// of the two saw a copy: as good as a card at two places at once.
    fn code_copied(&mut self, id: FactId, known: &KnownFact, subject: &Subject) {
        let Some(nonce) = subject.code else { return };
        let link = links::code(nonce);
        self.link(link, id);
        let elsewhere = |other: &FactId| other.device != id.device;
        let mut facts: Vec<FactId> = self.linked(link).into_iter().filter(elsewhere).collect();
        if facts.is_empty() {
            return;
        }
        facts.push(id);
        let mut fresh = self.fresh_case(KIND_TRAVEL, "card_flagged");
        (fresh.token, fresh.member) = (Some(subject.token), self.owner(known, subject));
        self.case(posting::case_id(KIND_TRAVEL, &[&subject.token.to_bytes()]), fresh, facts);
    }

    /// A terminal was told that a card is lost.
    pub(super) fn reported_lost(&mut self, id: FactId, known: &KnownFact, subject: &Subject) {
        let Some(member) = self.owner(known, subject) else {
            self.hold_for_card(id, subject.token);
            return;
        };
        self.stand(id, plain(id, known), Some(member));
        self.refuse_lost(known, subject.token);
    }

    /// A card that was reported lost is refused everywhere from now on, with all its media, unless it took another turn
    /// since the report. Then the list says that it is not: where it was reported it is refused until the list says
    /// otherwise. A sub card is cancelled (K18).
    pub(super) fn refuse_lost(&mut self, known: &KnownFact, token: Token) {
        let Some(card) = self.card(token).cloned() else { return };
        for card in self.with_media(&card) {
            self.refuse_one(known, card);
        }
    }

    fn refuse_one(&mut self, known: &KnownFact, card: CardId) {
        let Some(card) = self.card_by_id(card).cloned() else { return };
        let refused = cards::step(card.life.rank, CardStatus::Active, CardStatus::Lost);
        let refused = refused.unwrap_or(CardStatus::Lost);
        let since = card.history.iter().rposition(|turn| turn.since <= known.at).unwrap_or(0);
        if card.status != CardStatus::Active {
            self.ended_since(card, refused);
            return;
        }
        if since + 1 < card.history.len() {
            self.outcome.card_turns.insert(card.card, card.history);
            self.outcome.card_statuses.push((card.card, card.status));
            return;
        }
        self.turn_to(card.card, refused);
        if refused == CardStatus::Void {
            self.card_ended(card.card, CardEnd::Lost, self.received);
        } else {
            self.ask_for_another(card.card, known.day);
        }
    }

    /// Of two reports of a loss the one that was received first began it, in whatever order they are taken: what
    /// terminals knew of it is measured by that. So it is with cards that were replaced; one that was lost before had
    /// its turn as a lost one.
    pub(super) fn ended_since(&mut self, mut card: KnownCard, status: CardStatus) {
        let received = self.received;
        let Some(last) = card.history.last().copied().filter(|turn| turn.since > received) else { return };
        let turn = CardTurn { since: received, member: last.member, status, by: TurnBy::State };
        let before = card.history.len() - 1;
        match (last.status, card.history.get(before.wrapping_sub(1)).map(|turn| turn.status)) {
            (met, _) if met == status => card.history[before].since = received,
            (CardStatus::Void, Some(CardStatus::Lost)) if card.history[before - 1].since > received => {
                card.history[before - 1] = turn;
            }
            (CardStatus::Void, earlier) if earlier != Some(status) => card.history.insert(before, turn),
            _ => return,
        }
        self.outcome.card_turns.insert(card.card, card.history.clone());
        self.outcome.card_statuses.push((card.card, card.status));
        self.world.cards.insert(card.card, card);
    }

    /// A card was registered or changed: what was held for it takes effect.
    pub(super) fn card_set(&mut self, row: &CardSet) {
        self.has(Need::CardById(row.card));
        let turn = CardTurn { since: self.received, member: row.member, status: row.status, by: TurnBy::Act };
        let fresh = || KnownCard { status: row.status, ..KnownCard::fresh(row.card, &row.kind) };
        let known = self.world.cards.entry(row.card).or_insert_with(fresh);
        let (was, had) = (known.status, known.member);
        (known.member, known.status, known.until) = (row.member, row.status, row.valid_until);
        known.kind.clone_from(&row.kind);
        push_turn(&mut known.history, turn);
        self.outcome.card_turns.insert(row.card, known.history.clone());
        self.world.tokens.retain(|_, card| *card != row.card);
        for token in &row.tokens {
            self.world.tokens.insert(*token, row.card);
            self.world.fetched.insert(Need::Card(*token));
        }
        self.outcome.cards.push(row.clone());
        self.begin_life(row, had);
        match (was == CardStatus::Void, row.status == CardStatus::Void) {
            (false, true) => self.card_ended(row.card, CardEnd::Voided, self.received),
            (true, false) => self.live(row.card, |life| life.ended = None),
            _ => {}
        }
        if row.member.is_some() {
            for token in &row.tokens {
                self.release(*token);
            }
        }
    }

    /// What begins with a card's holder: when it was issued, and for a kind of sub cards the main card that it stands
    /// under. Another holder is another issue.
    fn begin_life(&mut self, row: &CardSet, had: Option<MemberId>) {
        let Some(member) = row.member.filter(|member| had != Some(*member)) else { return };
        self.world.cards_of.entry(member).or_default().insert(row.card);
        let is_sub = self.world.policy.cards.is_sub(&row.kind);
        let under = if is_sub { self.main_card(member) } else { None };
        let (rank, issued) = (if is_sub { Rank::Sub } else { Rank::Main }, Some(self.received));
        self.live(row.card, |life| *life = CardLife { rank, under, issued, ..CardLife::default() });
    }

    /// The main card of a member that stands, the newest if there are several.
    fn main_card(&self, member: MemberId) -> Option<CardId> {
        self.has(Need::CardsOf(member));
        let all = self.world.cards_of.get(&member).into_iter().flatten();
        let known = all.filter_map(|card| self.card_by_id(*card));
        let mains = known.filter(|card| card.life.rank == Rank::Main && card.held().stands(self.received));
        mains.max_by_key(|card| (card.life.issued, card.card)).map(|card| card.card)
    }

    /// Where the club replaces what was lost (K18), the report asks for the card in its place.
    fn ask_for_another(&mut self, card: CardId, day: Day) {
        let Some(known) = self.card_by_id(card) else { return };
        let asks = self.world.policy.cards.lost_mode == LostMode::Replace && known.life.rank == Rank::Main;
        if asks && known.life.due.is_none() {
            let kind = known.kind.clone();
            self.live(card, |life| life.due = Some((kind, day)));
        }
    }

    /// It was found: what its loss asked for is not asked for any more.
    fn ask_no_more(&mut self, card: CardId) {
        let Some(kind) = self.card_by_id(card).map(|known| known.kind.clone()) else { return };
        self.live(card, |life| life.due = life.due.take().filter(|(due, _)| *due != kind));
    }

    /// A person changes the state of a card, with all its media; a step that the rules do not know has no effect (K18,
    /// H6–H8).
    pub(super) fn card_status_set(&mut self, set: &CardStatusSet) {
        let Some(card) = self.card_by_id(set.card).cloned() else { return };
        for one in self.with_media(&card) {
            let Some(known) = self.card_by_id(one) else { continue };
            let step = cards::step(known.life.rank, known.status, set.status);
            let Some(status) = step else { continue };
            let was = known.status;
            self.turn_to(one, status);
            if status == CardStatus::Lost {
                let day = OfficeClock::default().business_day(self.received);
                self.ask_for_another(one, day);
            } else if was == CardStatus::Lost {
                self.ask_no_more(one);
            }
            if status == CardStatus::Void {
                let why = if set.status == CardStatus::Lost { CardEnd::Lost } else { CardEnd::Voided };
                self.card_ended(one, why, self.received);
            }
        }
    }
}

/// Adds a turn, if it turns anything. That an act says whose a card is which terminals gave to the same member does: it
/// is theirs from then on whatever becomes of those facts.
pub(super) fn push_turn(history: &mut Vec<CardTurn>, turn: CardTurn) {
    let is_same = history.last().is_some_and(|last| (last.member, last.status) == (turn.member, turn.status));
    let said = history.iter().rfind(|turn| turn.by != TurnBy::State).map(|turn| turn.by);
    let confirms = turn.by == TurnBy::Act && said == Some(TurnBy::Gift);
    if !is_same || confirms {
        history.push(turn);
    }
}

/// Whether an event says that the card was there. A refusal has no effect that could be anybody's.
fn shows_card(event: &Event) -> bool {
    !matches!(
        event,
        Event::Refused(_)
            | Event::ApplicationTaken(_)
            | Event::ProfileChangeRequested(_)
            | Event::VisitorRegistered(_)
            | Event::ComplaintTaken(_)
    )
}

fn used(id: FactId, known: &KnownFact) -> Use {
    Use { id, office: known.office, lo: known.at, hi: latest(known) }
}
