//! Cards of members whom staff found without them.
//!
//! Read with the same connection as swipes, one row at a time: a look-up never holds one up for long.

use hufu_shared::ids::{CardId, MemberId};
use hufu_shared::member::CardRow;

use super::directory::Directory;
use super::error::{Step, StoreError};

const CARD_OF_ID: &str = "SELECT row FROM cards WHERE card = ?1";
const CARDS_OF_MEMBER: &str = "SELECT row FROM cards WHERE member = ?1";

impl Directory {
    /// A card by its id, for staff who found its member without it.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be read.
    pub fn card(&self, card: CardId) -> Result<Option<CardRow>, StoreError> {
        let reader = self.reader();
        let Some(connection) = reader.as_ref() else { return Ok(None) };
        self.row(connection, CARD_OF_ID, &card.0).inspect_err(|error| self.note_damage(error))
    }

    /// The card of a member that is best acted for: one in use, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be read.
    pub fn card_of(&self, member: MemberId) -> Result<Option<CardRow>, StoreError> {
        let reader = self.reader();
        let Some(connection) = reader.as_ref() else { return Ok(None) };
        let path = self.path();
        let mut statement = connection.prepare_cached(CARDS_OF_MEMBER).step(path, "prepare")?;
        let mut rows = statement.query([member.0]).step(path, "look up")?;
        let mut best: Option<CardRow> = None;
        while let Some(row) = rows.next().step(path, "look up")? {
            let card: CardRow = self.decoded(row, 0)?;
            if best.as_ref().is_none_or(|best| best.status.is_blocked() && !card.status.is_blocked()) {
                best = Some(card);
            }
        }
        Ok(best)
    }
}
