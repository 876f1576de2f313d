//! Cards that this terminal gave to members in place of others, until the directory knows them.

use std::sync::Arc;

use hufu_shared::fact::{Event, Purpose};
use hufu_shared::ids::MemberId;
use hufu_shared::member::{CardRow, CardStatus};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::token::Token;

use super::{Core, Fetched, Swiped};
use crate::rules::replace::OldCard;
use crate::store::{Journal, Small, StoreError};

impl Core {
    /// What is known of a card that was given here: its member, as the directory tells; the card itself as stock, if it
    /// was in it.
    pub(super) fn given_here(
        &self,
        (token, member): (Token, MemberId),
        stock: Option<CardRow>,
        (small, terms): (Arc<Small>, Option<SchemeTerms>),
    ) -> Result<Fetched, StoreError> {
        let blank = || CardRow {
            card: token.card_id(),
            token,
            member: None,
            status: CardStatus::Active,
            valid_from: None,
            valid_until: None,
            tail: String::new(),
            sub: false,
        };
        let card = CardRow { member: Some(member), ..stock.unwrap_or_else(blank) };
        let row = self.directory.member(member)?.map(|row| self.with_own_spends(row)).transpose()?;
        Ok(Fetched { token: card.token, card: Some(card), member: row, small, terms })
    }

    /// A card that was just given to a member is theirs: so staff see it, and so the next thing done is for them.
    /// What is recorded already is shown, whatever the directory says.
    pub(super) fn with_holder(&self, swiped: Swiped) -> Swiped {
        let Event::CardReplaced(replaced) = &swiped.decision.event else { return swiped };
        let Some(member) = replaced.subject.member else { return swiped };
        let known = (Arc::clone(&self.directory.small()), swiped.terms.clone());
        match self.given_here((replaced.card, member), swiped.card.clone(), known) {
            Ok(fetched) => Swiped { card: fetched.card, member: fetched.member, ..swiped },
            Err(error) => {
                tracing::error!(%error, "whose card this is now cannot be read");
                swiped
            }
        }
    }

    /// The card that is to be replaced, as the block list and the directory know it now.
    pub(super) fn old_card(
        &self,
        journal: &Journal,
        purpose: &Purpose,
    ) -> Result<Option<OldCard>, StoreError> {
        let Purpose::Replace(old) = purpose else { return Ok(None) };
        let found = self.directory.find(&[old.token])?;
        let given = journal.given_here(&[old.token]).map(|(_, member)| member);
        let sub = found.as_ref().is_some_and(|known| known.card.sub);
        let row = found.as_ref().map(|known| known.card.status).or(given.map(|_| CardStatus::Active));
        let member = match found.and_then(|known| known.member) {
            Some(member) => Some(member),
            None => given.map(|member| self.directory.member(member)).transpose()?.flatten(),
        };
        let status = journal.blocked(&old.token).or(row);
        Ok(Some(OldCard { status, member: member.map(|member| member.status), sub }))
    }
}
