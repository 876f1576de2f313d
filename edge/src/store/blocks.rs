//! The block list: cards that must be refused, whatever the directory says. It lies in the journal's file, so that a
//! directory that is swapped or stuck can neither lose nor delay it.

use std::collections::HashMap;

use hufu_shared::ids::MemberId;
use hufu_shared::member::CardStatus;
use hufu_shared::token::Token;
use hufu_shared::wire::updates::BlockChange;
use hufu_shared::wire::version::Version;
use rusqlite::{Connection, params};

use super::error::{Step, StoreError};
use super::journal::{Journal, to_sql};

pub(super) fn read_blocks(connection: &Connection) -> rusqlite::Result<HashMap<Token, CardStatus>> {
    let mut statement = connection.prepare("SELECT token, status FROM blocks")?;
    let rows = statement.query_map([], |row| {
        let code: String = row.get(1)?;
        // The schema allows known codes only; anything else must still refuse.
        Ok((Token::from_bytes(row.get(0)?), CardStatus::from_code(&code).unwrap_or(CardStatus::Stopped)))
    })?;
    rows.collect()
}

/// Cards that were given to members here.
pub(super) fn read_given(connection: &Connection) -> rusqlite::Result<HashMap<Token, MemberId>> {
    let mut statement = connection.prepare("SELECT token, member FROM given")?;
    let rows = statement.query_map([], |row| Ok((Token::from_bytes(row.get(0)?), MemberId(row.get(1)?))))?;
    rows.collect()
}

impl Journal {
    /// Puts a card that was reported lost or replaced here on the list; within a transaction only. It stays there until
    /// the centre's list says otherwise.
    pub(super) fn block_here(&self, token: &Token, status: CardStatus) -> Result<(), StoreError> {
        let sql = "INSERT INTO blocks (token, status) VALUES (?1, ?2) \
                   ON CONFLICT (token) DO UPDATE SET status = ?2, epoch = 0 WHERE status <> 'void'";
        let key = params![token.to_bytes(), status.code()];
        let blocked = self.connection.prepare_cached(sql).and_then(|mut put| put.execute(key));
        blocked.step(&self.path, "block card").map(drop)
    }

    /// Remembers whose a card is that was given to a member here; within a transaction only.
    pub(super) fn give_here(&self, card: &Token, member: MemberId) -> Result<(), StoreError> {
        let sql = "INSERT INTO given (token, member) VALUES (?1, ?2) \
                   ON CONFLICT (token) DO UPDATE SET member = excluded.member";
        let key = params![card.to_bytes(), member.0];
        let given = self.connection.prepare_cached(sql).and_then(|mut put| put.execute(key));
        given.step(&self.path, "give card").map(drop)
    }

    /// Whose a card is that was given to a member here, if it is one of these.
    #[must_use]
    pub fn given_here(&self, tokens: &[Token]) -> Option<(Token, MemberId)> {
        tokens.iter().find_map(|token| self.given.get(token).map(|member| (*token, *member)))
    }

    /// Cards that were given to members here and of which the directory may not have heard.
    #[must_use]
    pub fn given_cards(&self) -> Vec<Token> {
        self.given.keys().copied().collect()
    }

    /// Forgets that cards were given here: the directory says whose they are, or the centre that they are nobody's.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn forget_given(&mut self, cards: &[Token]) -> Result<(), StoreError> {
        self.guarded("forget given cards", |journal| {
            let path = journal.path.clone();
            let transaction = journal.connection.transaction().step(&path, "begin")?;
            for card in cards {
                let drop = transaction.prepare_cached("DELETE FROM given WHERE token = ?1");
                drop.and_then(|mut drop| drop.execute([card.to_bytes()])).step(&path, "forget given card")?;
            }
            transaction.commit().step(&path, "forget given cards")
        })?;
        self.given.retain(|card, _| !cards.contains(card));
        Ok(())
    }

    /// Takes changes of the block list, oldest first, and the version after them. A card that is active again leaves
    /// the list; then the directory decides.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn take_blocks(&mut self, changes: &[BlockChange], version: Version) -> Result<(), StoreError> {
        self.guarded("take blocks", |journal| {
            let path = journal.path.clone();
            let transaction = journal.connection.transaction().step(&path, "begin")?;
            let written = (|| {
                for change in changes {
                    let token = change.token.to_bytes();
                    if change.status.is_blocked() {
                        transaction
                            .prepare_cached(
                                "INSERT INTO blocks (token, card, status, epoch) VALUES (?1, ?2, ?3, ?4) \
                                 ON CONFLICT (token) DO UPDATE \
                                 SET card = excluded.card, status = excluded.status, epoch = excluded.epoch",
                            )?
                            .execute(params![token, change.card.0, change.status.code(), version.epoch])?;
                    } else {
                        transaction
                            .prepare_cached("DELETE FROM blocks WHERE token = ?1")?
                            .execute([token])?;
                    }
                }
                transaction.execute(
                    "UPDATE state SET block_epoch = ?1, block_n = ?2",
                    params![version.epoch, to_sql(version.n)],
                )?;
                transaction.commit()
            })();
            written.step(&path, "take blocks")
        })?;
        for change in changes {
            if change.status.is_blocked() {
                self.blocks.insert(change.token, change.status);
            } else {
                self.blocks.remove(&change.token);
            }
        }
        self.block = version;
        Ok(())
    }

    /// Begins the block list anew, for a centre that entered a new epoch: its versions count from the start again.
    /// The cards stay blocked until the centre's list was read whole ([`Journal::end_blocks`]).
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn restart_blocks(&mut self, epoch: u32) -> Result<(), StoreError> {
        self.take_blocks(&[], Version { epoch, n: 0 })
    }

    /// The list of the centre's epoch was read whole: cards that only an earlier epoch's list named leave it, for a
    /// centre that was rolled back may never have heard of their blocks, and could not lift them. What was reported lost
    /// here stays: the centre will hear of it from this terminal. Answers how many left.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn end_blocks(&mut self) -> Result<usize, StoreError> {
        let epoch = self.block.epoch;
        let left = self.guarded("end the block list", |journal| {
            let sql = "DELETE FROM blocks WHERE epoch <> 0 AND epoch < ?1";
            let left = journal.connection.prepare_cached(sql).and_then(|mut drop| drop.execute([epoch]));
            left.step(&journal.path, "drop forgotten blocks")
        })?;
        if left > 0 {
            self.blocks = read_blocks(&self.connection).step(&self.path, "read blocks")?;
        }
        Ok(left)
    }
}
