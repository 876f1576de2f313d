//! The list of a batch check-in that nobody has confirmed yet (rule K27), so that a restart loses no collected card.
//!
//! Invariants: there is one list at a time, of one occurrence; nobody stands on it twice; it ends in the very
//! transaction that records its check-ins. Of a card only its token and the end of its number are kept.

use hufu_shared::cbor;
use hufu_shared::ids::{MemberId, OccurrenceId};
use hufu_shared::member_code::CodeNonce;
use hufu_shared::token::{CardText, MediumKind, Token};
use rusqlite::{OptionalExtension, Row, params};

use super::appending::{Appended, NewFact};
use super::error::{Step, StoreError};
use super::journal::{Journal, from_sql, to_sql};

/// Cards that a list holds at most: beyond that nobody compares it with the people in the room any more.
pub const BATCH_LINES_MAX: usize = 200;

/// A collected card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLine {
    /// Names it on the list; grows.
    pub n: u64,
    /// The card.
    pub token: Token,
    /// How it was read.
    pub medium: MediumKind,
    /// By which reader.
    pub reader: u8,
    /// Of a member code, its nonce.
    pub nonce: Option<CodeNonce>,
    /// End of its number, for staff; empty if the directory does not know it.
    pub tail: String,
}

impl BatchLine {
    /// The card as the rules take it.
    #[must_use]
    pub fn card(&self) -> CardText {
        match self.nonce {
            Some(nonce) => CardText::code(self.token, nonce),
            None => CardText::kept(self.token, self.medium),
        }
    }
}

/// What became of a card that was to be put on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// It stands there now, under this number.
    Now(u64),
    /// It, or another card of the same member, stood there already.
    Already,
    /// The list is full.
    Full,
}

impl Journal {
    /// The occurrence that a list is open for, with the list in the order in which it came.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn batch(&self) -> Result<Option<(OccurrenceId, Vec<BatchLine>)>, StoreError> {
        let occurrence = self
            .connection
            .query_row("SELECT occurrence FROM batch", [], |row| row.get(0).map(OccurrenceId))
            .optional()
            .step(&self.path, "read batch")?;
        let Some(occurrence) = occurrence else { return Ok(None) };
        let sql = "SELECT n, token, medium, reader, nonce, tail FROM batch_lines ORDER BY n";
        let mut statement = self.connection.prepare_cached(sql).step(&self.path, "prepare")?;
        let rows = statement.query_map([], line).step(&self.path, "read batch lines")?;
        let lines: Result<Vec<_>, _> = rows.collect();
        Ok(Some((occurrence, lines.step(&self.path, "read batch lines")?)))
    }

    /// Opens an empty list. False if another one holds cards.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn open_batch(&mut self, occurrence: OccurrenceId) -> Result<bool, StoreError> {
        if self.batch()?.is_some_and(|(other, lines)| other != occurrence && !lines.is_empty()) {
            return Ok(false);
        }
        self.guarded("open batch", |journal| {
            let sql = "INSERT INTO batch (one, occurrence) VALUES (1, ?1) \
                       ON CONFLICT (one) DO UPDATE SET occurrence = excluded.occurrence";
            journal.connection.execute(sql, [occurrence.0]).step(&journal.path, "open batch")?;
            Ok(true)
        })
    }

    /// Puts a card on the list; `line.n` is given here.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn list_card(&mut self, line: &BatchLine, member: Option<MemberId>) -> Result<Listed, StoreError> {
        let count: i64 = self
            .connection
            .query_row("SELECT count(*) FROM batch_lines", [], |row| row.get(0))
            .step(&self.path, "count batch lines")?;
        let token = line.token.to_bytes();
        let who: &[u8] = member.as_ref().map_or(&token, |member| &member.0);
        self.guarded("list card", |journal| {
            let sql = "SELECT 1 FROM batch_lines WHERE who = ?1";
            let known = journal.connection.query_row(sql, [who], |_| Ok(())).optional();
            if known.step(&journal.path, "look up batch line")?.is_some() {
                return Ok(Listed::Already);
            }
            if from_sql(count) >= BATCH_LINES_MAX as u64 {
                return Ok(Listed::Full);
            }
            let sql = "INSERT INTO batch_lines (who, token, medium, reader, nonce, tail) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let nonce = line.nonce.map(|nonce| nonce.0);
            let medium = cbor::encode(&line.medium);
            journal
                .connection
                .execute(sql, params![who, token, medium, line.reader, nonce, line.tail])
                .step(&journal.path, "list card")?;
            Ok(Listed::Now(from_sql(journal.connection.last_insert_rowid())))
        })
    }

    /// Takes a card off the list. False if it is not there.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn unlist_card(&mut self, n: u64) -> Result<bool, StoreError> {
        self.guarded("take card off the list", |journal| {
            let changed = journal.connection.execute("DELETE FROM batch_lines WHERE n = ?1", [to_sql(n)]);
            Ok(changed.step(&journal.path, "take card off the list")? > 0)
        })
    }

    /// Records the check-ins of a list and ends it, all or nothing. Without facts the list is given up.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn end_batch(&mut self, facts: Vec<NewFact>) -> Result<Vec<Appended>, StoreError> {
        self.guarded("end batch", |journal| {
            journal.commit_facts_with(facts, |connection, _| {
                connection.execute("DELETE FROM batch_lines", [])?;
                connection.execute("DELETE FROM batch", []).map(drop)
            })
        })
    }

    /// How often each gate was passed at an occurrence, by the gate's number, 0 for none: in and out.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn passages(&self, occurrence: OccurrenceId) -> Result<Vec<(u16, u64, u64)>, StoreError> {
        let sql = "SELECT gate, entered, gone FROM passages WHERE occurrence = ?1 ORDER BY gate";
        let mut statement = self.connection.prepare_cached(sql).step(&self.path, "prepare")?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, from_sql(row.get(1)?), from_sql(row.get(2)?)));
        let rows = statement.query_map([occurrence.0], read).step(&self.path, "read passages")?;
        let all: Result<Vec<_>, _> = rows.collect();
        all.step(&self.path, "read passages")
    }
}

fn line(row: &Row<'_>) -> rusqlite::Result<BatchLine> {
    let medium: Vec<u8> = row.get(2)?;
    let nonce: Option<[u8; 8]> = row.get(4)?;
    Ok(BatchLine {
        n: from_sql(row.get(0)?),
        token: Token::from_bytes(row.get(1)?),
        // A way of reading that only a newer program knows is told as typed: the weakest evidence.
        medium: cbor::decode(&medium).unwrap_or(MediumKind::Typed),
        reader: row.get(3)?,
        nonce: nonce.map(CodeNonce),
        tail: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::*;
    use crate::store::{JOURNAL_FILE, Store};

    fn line(n: u8) -> BatchLine {
        let subject = subject(n);
        let nonce = (n == 3).then_some(CodeNonce([3; 8]));
        BatchLine {
            n: 0,
            token: subject.token,
            medium: subject.medium,
            reader: 2,
            nonce,
            tail: "0042".into(),
        }
    }

    #[test]
    fn rule_k27_a_list_survives_a_restart_and_ends_with_its_facts() {
        let folder = tempfile::tempdir().expect("a folder");
        let member = MemberId([1; 16]);
        {
            let store = booted(folder.path());
            store.with(|journal| {
                assert!(journal.open_batch(OCCASION)?);
                assert_eq!(journal.list_card(&line(1), Some(member))?, Listed::Now(1));
                assert_eq!(journal.list_card(&line(2), Some(member))?, Listed::Already, "the same member");
                assert_eq!(journal.list_card(&line(2), None)?, Listed::Now(2));
                assert_eq!(journal.list_card(&line(3), None)?, Listed::Now(3));
                assert!(journal.unlist_card(2)? && !journal.unlist_card(2)?);
                assert!(!journal.open_batch(OccurrenceId([9; 16]))?, "the cards are of another");
                Ok(())
            })
        }
        .expect("written");
        let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens again");
        store
            .with(|journal| {
                let (occurrence, lines) = journal.batch()?.expect("still open");
                assert_eq!((occurrence, lines.len()), (OCCASION, 2));
                assert_eq!(lines[0], BatchLine { n: 1, ..line(1) });
                assert_eq!(lines[1].card().coded(), Some((line(3).token, CodeNonce([3; 8]))));
                let facts = journal.end_batch(vec![attended(1, &at(1)), attended(3, &at(1))])?;
                assert_eq!(facts.len(), 2);
                assert_eq!(journal.batch()?, None);
                assert_eq!(journal.attendance(OCCASION)?, 2);
                assert_eq!(journal.passages(OCCASION)?, [(0, 2, 0)]);
                Ok(())
            })
            .expect("recorded");
    }

    #[test]
    fn a_list_is_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        store
            .with(|journal| {
                journal.open_batch(OCCASION)?;
                for n in 0..BATCH_LINES_MAX {
                    let mut member = [0; 16];
                    member[..8].copy_from_slice(&n.to_be_bytes());
                    assert!(matches!(journal.list_card(&line(1), Some(MemberId(member)))?, Listed::Now(_)));
                }
                assert_eq!(journal.list_card(&line(1), None)?, Listed::Full);
                Ok(())
            })
            .expect("written");
    }
}
