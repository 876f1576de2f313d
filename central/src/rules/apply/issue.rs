//! Cards issued, replaced and ended at the centre (K14–K18, H5, H8), and what hangs together with a card: its other
//! media share its fate, its sub cards end with it.
//!
//! Whether an act fits is the rule's to say ([`hufu_shared::rules::cards`]); one that does not has no effect, in replay
//! as on the day. Out of scope: whose a card is that terminals gave ([`super::replace`]).

use hufu_shared::act::{CardChangesDue, CardExchanged, CardIssue, CardsEnded, blank_cards};
use hufu_shared::ids::{CardId, Hash, MemberId, OfficeId};
use hufu_shared::member::{CardStatus, MemberStatus};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::rules::cards::{self, CardEnd, Held, Rank, Wanted};
use hufu_shared::scheme::card::SubCards;
use hufu_shared::time::Instant;
use hufu_shared::token::Token;

use super::Work;
use super::ledger::{Cause, Flow};
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::{CardLife, CardTurn, KnownCard, TurnBy};

/// Number of the rule of base points.
const RULE_BASE: &str = "K15";

/// The name of what issuing a card takes from the stock.
fn issue_cause(card: CardId, received: Instant) -> Hash {
    Hash::of(&[b"hufu-cause-issue", &card.0, &received.0.to_be_bytes()])
}

impl Work {
    /// A card by its id.
    pub(super) fn card_by_id(&self, card: CardId) -> Option<&KnownCard> {
        self.has(Need::CardById(card));
        self.world.cards.get(&card)
    }

    /// Changes what is known of the life of a card.
    pub(super) fn live(&mut self, card: CardId, change: impl FnOnce(&mut CardLife)) {
        self.has(Need::CardById(card));
        let Some(known) = self.world.cards.get_mut(&card) else { return };
        let before = known.life.clone();
        change(&mut known.life);
        if known.life != before {
            let (under, life) = (known.life.under, known.life.clone());
            self.outcome.card_lives.insert(card, life);
            if let Some(main) = under.filter(|under| before.under != Some(*under)) {
                self.world.under.entry(main).or_default().insert(card);
            }
        }
    }

    /// The cards that stand under a main card by a rank and have not ended.
    fn standing_under(&self, main: CardId, rank: Rank) -> Vec<CardId> {
        self.has(Need::Under(main));
        let under = self.world.under.get(&main).into_iter().flatten();
        let stands = |card: &&CardId| {
            self.card_by_id(**card).is_some_and(|known| {
                known.life.under == Some(main) && known.life.rank == rank && known.status != CardStatus::Void
            })
        };
        under.filter(stands).copied().collect()
    }

    /// A card with its other media: they are one card to the club.
    pub(super) fn with_media(&self, card: &KnownCard) -> Vec<CardId> {
        if card.life.rank == Rank::Sub {
            return vec![card.card];
        }
        let main = self.main_of(card);
        let media = self.standing_under(main, Rank::Medium);
        let mut all: Vec<CardId> = [main].into_iter().chain(media).collect();
        if !all.contains(&card.card) {
            all.push(card.card);
        }
        all
    }

    /// The main card whose medium a card is; itself, if it is none.
    pub(super) fn main_of(&self, card: &KnownCard) -> CardId {
        card.life.under.filter(|_| card.life.rank == Rank::Medium).unwrap_or(card.card)
    }

    /// A card ended. The sub cards of a main card end with it, unless they follow it to the one in its place (K17).
    pub(super) fn card_ended(&mut self, card: CardId, why: CardEnd, at: Instant) {
        let due = self.card_by_id(card).and_then(|known| known.life.due.clone());
        self.was_due.extend(due.map(|(kind, _)| (card, kind)));
        self.live(card, |life| {
            let earlier = life.ended.is_none_or(|(ended, _)| at < ended);
            life.ended = if earlier { Some((at, why)) } else { life.ended };
            life.due = None;
        });
        let Some(known) = self.card_by_id(card).cloned() else { return };
        if known.life.rank != Rank::Main {
            return;
        }
        let follows = self.world.policy.cards.sub_on_main_replace == SubCards::Follow;
        let next = known.life.replaced.map(|(next, _)| next).filter(|_| why == CardEnd::Replaced && follows);
        for sub in self.standing_under(card, Rank::Sub) {
            match next {
                Some(next) => self.live(sub, |life| life.under = Some(next)),
                None => {
                    self.turn_to(sub, CardStatus::Void);
                    self.live(sub, |life| life.ended = Some((at, CardEnd::MainEnded)));
                }
            }
        }
        for medium in self.standing_under(card, Rank::Medium) {
            self.turn_to(medium, CardStatus::Void);
            self.live(medium, |life| life.ended = Some((at, why)));
        }
    }

    /// A card is in a state from now on.
    pub(super) fn turn_to(&mut self, card: CardId, status: CardStatus) {
        self.has(Need::CardById(card));
        let since = self.received;
        if let Some(known) = self.world.cards.get_mut(&card)
            && known.status != status
        {
            known.status = status;
            let member = known.member;
            super::card::push_turn(&mut known.history, CardTurn { since, member, status, by: TurnBy::State });
            self.outcome.card_turns.insert(card, known.history.clone());
            self.outcome.card_statuses.push((card, status));
        }
    }

    /// Cards were issued.
    pub(super) fn cards_issued(&mut self, issues: &[CardIssue]) {
        for issue in issues {
            self.issue(issue);
        }
    }

    fn issue(&mut self, issue: &CardIssue) {
        let Some(member) = issue.card.member.filter(|member| self.takes_part(*member)) else { return };
        let under = issue.under.and_then(|main| self.card_by_id(main)).map(KnownCard::held);
        let wanted = Wanted { member, kind: &issue.card.kind, medium: issue.medium, under };
        let has = self.cards_held(member);
        let Ok(rank) = cards::issue(&self.world.policy.cards, wanted, &has, self.received) else { return };
        if self.is_free(issue) && self.takes_blank(issue) {
            self.give_out(issue, member, rank);
        }
    }

    /// Whether a member can be given a card, come to activities and be told of them: who left, was stopped, erased or merged
    /// cannot.
    pub(super) fn takes_part(&self, member: MemberId) -> bool {
        self.member(member).is_some_and(|known| {
            known.status == MemberStatus::Active && !known.erased && known.merged_into.is_none()
        })
    }

    fn cards_held(&self, member: MemberId) -> Vec<Held> {
        self.has(Need::CardsOf(member));
        let all = self.world.cards_of.get(&member).into_iter().flatten();
        all.filter_map(|card| self.card_by_id(*card)).map(KnownCard::held).collect()
    }

    /// Whether the card to be issued is nobody's, and each of its tokens finds it or nothing.
    fn is_free(&self, issue: &CardIssue) -> bool {
        let (id, tokens) = (issue.card.card, &issue.card.tokens);
        let is_own = |token: &Token| self.card(*token).is_none_or(|known| known.card == id);
        let in_stock = self.card_by_id(id).is_none_or(|known| {
            known.member.is_none() && known.status == CardStatus::Active && known.life.ended.is_none()
        });
        !tokens.is_empty() && tokens.iter().all(is_own) && in_stock && issue.card.status == CardStatus::Active
    }

    /// Takes the blank card from the stock of the office, where somebody counts it. Whether there was one.
    fn takes_blank(&mut self, issue: &CardIssue) -> bool {
        let Some(office) = issue.office.filter(|_| !issue.medium) else { return true };
        let cause = issue_cause(issue.card.card, self.received);
        self.take_one(blank_cards(&issue.card.kind), office, cause)
    }

    fn give_out(&mut self, issue: &CardIssue, member: MemberId, rank: Rank) {
        let mut row = issue.card.clone();
        if rank == Rank::Sub {
            row.valid_until =
                cards::sub_until(&self.world.policy.cards, self.received, issue.card.valid_until);
        }
        self.card_set(&row);
        let (under, office, issued) = (issue.under, issue.office, self.received);
        self.live(row.card, |life| {
            *life = CardLife { rank, under: under.filter(|_| rank != Rank::Main), office, ..life.clone() };
            life.issued = Some(issued);
        });
        if rank != Rank::Medium {
            self.give_base_points(row.card, &row.kind, member, office);
        }
    }

    /// Base points 基本积分 come with a card of their kind, once (K15). A sub card's are the member's as well.
    fn give_base_points(&mut self, card: CardId, kind: &str, member: MemberId, office: Option<OfficeId>) {
        let base = self.world.policy.cards.base_points.clone();
        let Some(office) = office.or_else(|| self.world.offices.keys().next().copied()) else { return };
        let day = self.day(office, self.received);
        // Which cards bring points is the club's for all.
        let newest = self.world.schemes.iter().rfind(|(_, scheme)| scheme.terms.scope.is_none());
        let scheme = newest.map_or(0, |(version, _)| *version);
        for of in base.iter().filter(|of| of.kind.as_deref().is_none_or(|of| of == kind)) {
            let about = if of.once { member.0 } else { card.0 };
            let hash = posting::base_points_cause(about, &of.rule);
            let cause = Cause::of_the_centre(hash, Some(member), (self.received, day));
            let cause = Cause { scheme, rule: Some(RULE_BASE.to_owned()), ..cause };
            let flow = Flow {
                debit: Account::Issuer(office),
                credit: Account::Available(member),
                leg: Leg { unit: Unit::Pts, amount: Amount(of.points) },
                code: PostingCode::BasePoints,
            };
            self.settle(&cause, &[flow]);
        }
    }

    /// A card was replaced at the centre: the old one is void, and whatever the member has stays with the member (H5).
    pub(super) fn card_exchanged(&mut self, exchanged: &CardExchanged) {
        let (old, new) = (exchanged.old, &exchanged.new);
        let Some(known) = self.card_by_id(old).cloned() else { return };
        let fits = cards::replace(&self.world.policy.cards, known.held(), &new.card.kind).is_ok();
        let Some(member) = known.member.filter(|member| new.card.member == Some(*member)) else { return };
        if !fits || new.medium || known.life.rank != Rank::Main || !self.takes_part(self.survivor(member)) {
            return;
        }
        if !self.is_free(new) || !self.takes_blank(new) {
            return;
        }
        self.card_set(&new.card);
        let (office, received) = (new.office, self.received);
        self.live(new.card.card, |life| {
            life.rank = Rank::Main;
            (life.office, life.issued, life.replaces) = (office, Some(received), Some(old));
        });
        self.live(old, |life| life.replaced = Some((new.card.card, received)));
        self.turn_to(old, CardStatus::Void);
        self.card_ended(old, CardEnd::Replaced, received);
    }

    /// Time, or their main cards, ended cards (K17, K18).
    pub(super) fn cards_ended(&mut self, ended: &CardsEnded) {
        for of in &ended.cards {
            let stands = self.card_by_id(of.card).is_some_and(|known| known.status != CardStatus::Void);
            if stands {
                self.turn_to(of.card, CardStatus::Void);
                self.card_ended(of.card, of.why, of.at);
            }
        }
    }

    /// Points ask for other cards (K17): whoever gives the member the next one sees it.
    pub(super) fn card_changes_due(&mut self, due: &CardChangesDue) {
        for change in &due.changes {
            let known = self.card_by_id(change.card);
            let stands = known.is_some_and(|known| {
                known.life.rank == Rank::Main && known.status != CardStatus::Void && known.kind != change.kind
            });
            if stands {
                self.live(change.card, |life| life.due = Some((change.kind.clone(), change.day)));
            }
        }
        self.outcome.jobs.insert(CARD_CHANGE_JOB.to_owned(), Some(due.until));
    }
}

/// Name of the job that finds which cards points change.
pub const CARD_CHANGE_JOB: &str = "card_change";
