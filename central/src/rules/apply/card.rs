//! Cards: whose a card was when it was used.
//!
//! A card that changed hands while a terminal was offline counts for who had it at the time of the fact (kind 14).
//! Before it was first registered it counts for its first owner, so that facts held for it are bound to them.

use hufu_shared::act::{CardSet, CardStatusSet};
use hufu_shared::fact::Subject;
use hufu_shared::ids::MemberId;
use hufu_shared::time::Instant;
use hufu_shared::token::Token;

use super::Work;
use crate::rules::need::Need;
use crate::rules::world::{CardTurn, KnownCard, KnownFact};

impl Work {
    /// The card that a token finds.
    pub(super) fn card(&self, token: Token) -> Option<&KnownCard> {
        self.has(Need::Card(token));
        self.world.tokens.get(&token).and_then(|card| self.world.cards.get(card))
    }

    /// Whose fact it is: as a person said, or whose the card was at that time.
    pub(super) fn owner(&self, known: &KnownFact, subject: &Subject) -> Option<MemberId> {
        let card = self.card(subject.token);
        known.belongs_to.or_else(|| card.and_then(|card| owner_at(card, known.at)))
    }

    /// A card was registered or changed: what was held for it takes effect.
    pub(super) fn card_set(&mut self, row: &CardSet) {
        self.has(Need::CardById(row.card));
        let turn = CardTurn { since: self.received, member: row.member, status: row.status };
        let known = self.world.cards.entry(row.card).or_insert_with(|| KnownCard {
            card: row.card,
            member: None,
            status: row.status,
            history: Vec::new(),
        });
        (known.member, known.status) = (row.member, row.status);
        push_turn(&mut known.history, turn);
        self.outcome.card_turns.insert(row.card, known.history.clone());
        self.world.tokens.retain(|_, card| *card != row.card);
        for token in &row.tokens {
            self.world.tokens.insert(*token, row.card);
            self.world.fetched.insert(Need::Card(*token));
        }
        self.outcome.cards.push(row.clone());
        if row.member.is_some() {
            for token in &row.tokens {
                self.release(*token);
            }
        }
    }

    pub(super) fn card_status_set(&mut self, set: &CardStatusSet) {
        self.has(Need::CardById(set.card));
        let received = self.received;
        if let Some(card) = self.world.cards.get_mut(&set.card)
            && card.status != set.status
        {
            card.status = set.status;
            let turn = CardTurn { since: received, member: card.member, status: set.status };
            push_turn(&mut card.history, turn);
            self.outcome.card_turns.insert(set.card, card.history.clone());
            self.outcome.card_statuses.push((set.card, set.status));
        }
    }
}

/// Adds a turn, if it turns anything.
fn push_turn(history: &mut Vec<CardTurn>, turn: CardTurn) {
    if history.last().is_none_or(|last| (last.member, last.status) != (turn.member, turn.status)) {
        history.push(turn);
    }
}

/// Whose a card was at an instant. While it was nobody's, its facts wait for its next owner.
fn owner_at(card: &KnownCard, at: Instant) -> Option<MemberId> {
    let before = card.history.iter().rev().find(|turn| turn.since <= at);
    let after = || card.history.iter().find(|turn| turn.since > at && turn.member.is_some());
    before.filter(|turn| turn.member.is_some()).or_else(after).and_then(|turn| turn.member)
}
