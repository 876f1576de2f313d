//! The card that an applicant gets when the application is approved (K2, K16): the one whose number the person typed, or
//! the one that was shown with the application at a terminal. Typing a number at approval issues the card; who has none
//! is given one later.

use hufu_shared::act::CardSet;
use hufu_shared::dictionary::CARD_KIND_ORDINARY;
use hufu_shared::ids::{CardId, EntryId, FactId};
use hufu_shared::member::CardStatus;
use hufu_shared::token::{CardText, MediumKind, Token};

use super::Console;
use super::failure::Failure;
use crate::db::Tx;
use crate::random;
use crate::store::lookalikes;
use crate::store::people::{self, PeopleError};

/// A card that may be given.
#[derive(Debug, Clone)]
pub struct FirstCard {
    /// The tokens of the number that was typed; empty if none was.
    tokens: Vec<Token>,
    /// The last characters of that number.
    tail: String,
    /// The id that the card gets if nobody knew it.
    fresh: CardId,
    /// The id of the entry that gives it.
    pub entry: EntryId,
}

impl FirstCard {
    /// Out of what was typed, nothing being nothing; else the key of what is wrong.
    ///
    /// # Errors
    /// [`Failure`] if the keys of tokens cannot be read.
    pub async fn typed(console: &Console, number: &str) -> Result<Result<Self, &'static str>, Failure> {
        let fresh = CardId::new(console.app.now(), random::bytes()?);
        let none = Self { tokens: Vec::new(), tail: String::new(), fresh, entry: console.app.entry_id()? };
        if number.is_empty() {
            return Ok(Ok(none));
        }
        let Ok(text) = CardText::number(MediumKind::Typed, number) else { return Ok(Err("card-number-bad")) };
        let keys = console.token_keys().await?;
        let mut tokens: Vec<Token> = keys.iter().map(|key| key.token(&text)).collect();
        tokens.sort_unstable();
        Ok(Ok(Self { tokens, tail: text.tail(), ..none }))
    }

    /// The card to be given with an application, not yet anybody's; else the key of what is wrong with the one typed.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn choose(
        &self,
        tx: &mut Tx<'_>,
        application: FactId,
    ) -> Result<Result<Option<CardSet>, &'static str>, PeopleError> {
        let is_typed = !self.tokens.is_empty();
        let tokens = if is_typed { self.tokens.clone() } else { shown_with(tx, application)? };
        if tokens.is_empty() {
            return Ok(Ok(None));
        }
        for token in &tokens {
            let Some(card) = people::card_by_token(tx, *token)? else { continue };
            let is_free = card.member.is_none() && card.status == CardStatus::Active;
            return Ok(match (is_free, is_typed) {
                (true, _) => Ok(Some(card)),
                (false, true) => Err("card-not-free"),
                // Somebody's already: it says who came with the applicant, and is given to nobody else.
                (false, false) => Ok(None),
            });
        }
        Ok(Ok(Some(CardSet {
            card: self.fresh,
            tokens,
            member: None,
            kind: CARD_KIND_ORDINARY.to_owned(),
            status: CardStatus::Active,
            tail: self.tail.clone(),
            valid_from: None,
            valid_until: None,
        })))
    }
}

/// The card that was shown with an application at a terminal.
fn shown_with(tx: &mut Tx<'_>, application: FactId) -> Result<Vec<Token>, PeopleError> {
    let form = if application.is_filed() { None } else { lookalikes::form(tx, application)? };
    Ok(form.and_then(|form| form.subject).map(|subject| subject.token).into_iter().collect())
}
