//! The journal: taking entries in, and numbering them after commit.
//!
//! [`take`] is the only way to change a derived row. It passes the gate, a one-row lock that puts entries in one
//! order and gives each a received time later than the one before. [`publish`] numbers what is committed, in that
//! order, and links it into the chain; directory and block versions are these numbers.

use hufu_shared::cbor;
use hufu_shared::ids::{ClubId, EntryId, Hash};
use hufu_shared::scheme::Words;
use hufu_shared::time::Instant;
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::{StoreError, outcome, rows, world};
use crate::db::{SqlFile, Tx};
use crate::rules::entry::{Entry, EntryBody, journal_link, journal_start};
use crate::rules::outcome::Outcome;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("journal", include_str!("../../sql/both/journal.sql"));

/// The club as founded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Club {
    /// Its id.
    pub club: ClubId,
    /// Its name.
    pub name: Words,
    /// The life of this database.
    pub epoch: CentralEpoch,
}

/// Passes the gate: from here to the end of the transaction no other entry is taken. `now` is the clock's time; the
/// answer is later than every entry before.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn pass_gate(tx: &mut Tx<'_>, now: Instant) -> Result<Instant, StoreError> {
    let last = tx.query_one(SQL.get("gate"), &[])?.int(0)?;
    let received = Instant(now.0.max(last + 1));
    tx.execute(SQL.get("pass_gate"), &[received.0.into()])?;
    Ok(received)
}

/// Takes an entry in: loads what it needs, applies it, writes what it gives. `received` comes from [`pass_gate`] in
/// the same transaction.
///
/// # Errors
/// [`StoreError`]; then the transaction must not be committed.
pub fn take(tx: &mut Tx<'_>, id: EntryId, received: Instant, body: EntryBody) -> Result<Outcome, StoreError> {
    let bytes = cbor::encode(&body);
    let entry = Entry { id, received, body };
    let given = world::apply_entry(tx, &entry)?;
    let values = [id.0.into(), received.0.into(), entry.body.kind().into(), bytes.into()];
    tx.execute(SQL.get("insert_entry"), &values)?;
    outcome::commit(tx, id, received, &given)?;
    Ok(given)
}

/// Numbers committed entries and links them into the chain. Answers how many, and whether more may wait.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn publish(tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    tx.execute(SQL.get("start_publisher"), &[journal_start().0.into()])?;
    let row = tx.query_one(SQL.get("publisher"), &[])?;
    let (mut n, mut head) = (row.int(0)?, Hash(row.array(1)?));
    let waiting = tx.query(SQL.get("unpublished"), &[])?;
    for row in &waiting {
        let id = EntryId(row.array(0)?);
        head = journal_link(head, id, Instant(row.int(1)?), row.blob(2)?);
        n += 1;
        tx.execute(SQL.get("publish_entry"), &[id.0.into(), n.into(), head.0.into()])?;
    }
    if !waiting.is_empty() {
        tx.execute(SQL.get("move_publisher"), &[n.into(), head.0.into()])?;
    }
    Ok(waiting.len())
}

/// The newest published number and the head of the chain there.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn published(tx: &mut Tx<'_>) -> Result<(u64, Hash), StoreError> {
    match tx.query_opt(SQL.get("published"), &[])? {
        Some(row) => Ok((row.uint(0)?, Hash(row.array(1)?))),
        None => Ok((0, journal_start())),
    }
}

/// The club.
///
/// # Errors
/// [`StoreError::NoClub`] before it was founded.
pub fn club(tx: &mut Tx<'_>) -> Result<Club, StoreError> {
    let row = tx.query_opt(SQL.get("club"), &[])?.ok_or(StoreError::NoClub)?;
    Ok(Club {
        club: ClubId(row.array(0)?),
        name: Words { zh: row.text(1)?.to_owned(), en: row.text(2)?.to_owned() },
        epoch: CentralEpoch {
            n: rows::u32_at(&row, 3, "central epoch")?,
            bits: u64::from_be_bytes(row.array(4)?),
        },
    })
}

/// The newest published version.
///
/// # Errors
/// [`StoreError`] if the database fails or no club was founded.
pub fn version(tx: &mut Tx<'_>) -> Result<Version, StoreError> {
    Ok(Version { epoch: club(tx)?.epoch.n, n: published(tx)?.0 })
}
