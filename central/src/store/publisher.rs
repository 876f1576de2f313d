//! The publisher: gives journal, directory and block versions to what is committed, and is one at a time.
//!
//! A row elects it. Whoever stands while nobody's time runs gets the next *term* and holds it for [`TERM_US`], longer
//! with each publication; numbers are given in a transaction that locks the row and checks the term, so that one that
//! lost it, or slept past its time, writes nothing. The clock only decides who tries: two machines whose clocks differ
//! may take the term from each other, and every number is still given once.
//!
//! Invariants: a number is given after the entry's commit, and is visible only with all smaller ones; entries are
//! numbered in the order of `received`, which the gate (see [`super::journal`]) makes the order of their commits, so the
//! newest entry numbered is all that must be remembered, and whatever follows it waits.

use hufu_shared::ids::{EntryId, Hash};
use hufu_shared::time::{Instant, SECOND_US};

use super::{StoreError, directory};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::entry::{journal_link, journal_start};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("publisher", include_str!("../../sql/both/publisher.sql"));

/// How long a term lasts after it was last used, microseconds: the wait after a publisher that died.
pub const TERM_US: i64 = 3 * SECOND_US;
/// Entries numbered in one transaction: an entry may hold a batch of 256 KiB.
const ENTRIES_MAX: i64 = 64;

/// Leave to publish, until somebody else gets the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    n: i64,
    holder: String,
}

/// How far the journal is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The newest number.
    pub n: u64,
    /// Whether committed entries wait for theirs.
    pub is_waiting: bool,
}

/// The row, locked to the end of the transaction.
struct Locked {
    term: i64,
    holder: String,
    held_until: Instant,
    n: i64,
    head: Hash,
    received: i64,
}

impl Locked {
    fn load(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        let row = match tx.query_opt(SQL.get("row"), &[])? {
            Some(row) => row,
            None => {
                tx.execute(SQL.get("start"), &[journal_start().0.into()])?;
                tx.query_one(SQL.get("row"), &[])?
            }
        };
        Ok(Self {
            term: row.int(0)?,
            holder: row.text(1)?.to_owned(),
            held_until: Instant(row.int(2)?),
            n: row.int(3)?,
            head: Hash(row.array(4)?),
            received: row.int(5)?,
        })
    }

    /// Whether the holder's time runs. Nobody holds for longer than a whole term: a time further ahead was written by a
    /// clock that went wrong.
    fn runs(&self, now: Instant) -> bool {
        !self.holder.is_empty() && self.held_until > now && self.held_until <= now.offset(TERM_US)
    }

    fn is(&self, term: &Term) -> bool {
        self.term == term.n && self.holder == term.holder
    }

    fn hold(&self, tx: &mut Tx<'_>, until: Instant) -> Result<(), StoreError> {
        tx.execute(SQL.get("hold"), &[self.term.into(), self.holder.as_str().into(), until.0.into()])?;
        Ok(())
    }

    /// Numbers what waits, at most [`ENTRIES_MAX`] entries; answers how many.
    fn publish(&mut self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let waiting = tx.query(SQL.get("waiting"), &[self.received.into(), ENTRIES_MAX.into()])?;
        let mut places: Vec<Vec<Value>> = Vec::with_capacity(waiting.len());
        for row in &waiting {
            self.place(row, &mut places)?;
        }
        if !waiting.is_empty() {
            tx.execute_many(SQL.get("place"), &places)?;
            directory::number(tx, &waiting)?;
            tx.execute(SQL.get("advance"), &[self.n.into(), self.head.0.into(), self.received.into()])?;
        }
        Ok(waiting.len())
    }

    fn place(&mut self, row: &Row, places: &mut Vec<Vec<Value>>) -> Result<(), StoreError> {
        let id = EntryId(row.array(0)?);
        self.received = row.int(1)?;
        self.head = journal_link(self.head, id, Instant(self.received), row.blob(3)?);
        self.n += 1;
        places.push(vec![self.n.into(), id.0.into(), self.head.0.into()]);
        Ok(())
    }
}

/// Stands for publisher. `holder` names the process, never empty. `None` while another's time runs; who holds it
/// already gets a new term, which ends the old one.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn stand(tx: &mut Tx<'_>, holder: &str, now: Instant) -> Result<Option<Term>, StoreError> {
    let mut row = Locked::load(tx)?;
    if row.runs(now) && row.holder != holder {
        return Ok(None);
    }
    row.term += 1;
    holder.clone_into(&mut row.holder);
    row.hold(tx, now.offset(TERM_US))?;
    Ok(Some(Term { n: row.term, holder: row.holder }))
}

/// Numbers committed entries and what they changed for terminals, and lengthens the term. Answers how many, at most a
/// few dozen at a time; `None`, and nothing was written, if the term is lost or its time is over.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn publish(tx: &mut Tx<'_>, term: &Term, now: Instant) -> Result<Option<usize>, StoreError> {
    let mut row = Locked::load(tx)?;
    if !(row.is(term) && row.runs(now)) {
        return Ok(None);
    }
    row.hold(tx, now.offset(TERM_US))?;
    row.publish(tx).map(Some)
}

/// Gives the term back, so that the next one need not wait.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn resign(tx: &mut Tx<'_>, term: &Term) -> Result<(), StoreError> {
    let mut row = Locked::load(tx)?;
    if row.is(term) {
        row.holder.clear();
        row.hold(tx, Instant(0))?;
    }
    Ok(())
}

/// Numbers committed entries under a term of this one transaction, whoever held the last one: for commands, which end
/// at once and cannot wait for the time of a publisher that died. Whose term was taken stands again. Answers how many;
/// none wait when it answers 0.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn publish_once(tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    let mut row = Locked::load(tx)?;
    let count = row.publish(tx)?;
    if count > 0 {
        row.term += 1;
        row.holder.clear();
        row.hold(tx, Instant(0))?;
    }
    Ok(count)
}

/// How far the journal is published, without a lock.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn state(tx: &mut Tx<'_>) -> Result<State, StoreError> {
    match tx.query_opt(SQL.get("state"), &[])? {
        Some(row) => Ok(State { n: row.uint(0)?, is_waiting: row.int(1)? == 1 }),
        // Nothing was ever published: the first to try makes the row.
        None => Ok(State { n: 0, is_waiting: true }),
    }
}
