//! The journal: taking entries in.
//!
//! [`take`] is the only way to change a derived row. It comes after the gate, a one-row lock held to the end of the
//! transaction, which puts the entries of all processes in one order and gives each a received time later than the one
//! before. Why one gate, and not a version of each row beside each entry: a transaction that passes the gate sees what
//! every earlier entry wrote and nothing of a later one, and the lock ends only when the commit is visible; so the
//! order of `received` *is* a serial order, replay may follow it, and a reader who sees one entry sees all before it.
//! The price is one entry at a time; the sync to the disk is shared (SQLite) or short (PostgreSQL).
//!
//! [`publish`] numbers what is committed, in that order; see [`super::publisher`].

use hufu_shared::cbor;
use hufu_shared::ids::{ClubId, EntryId, Hash};
use hufu_shared::scheme::Words;
use hufu_shared::time::Instant;
use hufu_shared::wire::version::{CentralEpoch, Version};

pub use super::publisher::publish_once as publish;
use super::{StoreError, outcome, rows, world};
use crate::db::{DbError, Question, SqlFile, Tx, Value};
use crate::rules::entry::{Entry, EntryBody, journal_start};
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
    Ok(Instant(now.0.max(last + 1)))
}

/// The question with which [`pass_gate`] begins, to be asked ahead of all others of a transaction.
#[must_use]
pub fn gate() -> Question {
    (SQL.get("gate"), Vec::new())
}

/// What [`club`] and [`published`] ask.
#[must_use]
pub fn questions() -> [Question; 2] {
    [(SQL.get("club"), Vec::new()), (SQL.get("published"), Vec::new())]
}

/// Holds the gate without passing it: for whoever locks rows first and may take an entry after. Rows are locked only
/// behind the gate, so that no two transactions wait for each other in a circle.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn hold_gate(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.query_one(SQL.get("gate"), &[])?;
    Ok(())
}

/// Takes an entry in: loads what it needs, applies it, writes what it gives. `received` comes from [`pass_gate`] in
/// the same transaction.
///
/// # Errors
/// [`StoreError`]; then the transaction must not be committed.
pub fn take(tx: &mut Tx<'_>, id: EntryId, received: Instant, body: EntryBody) -> Result<Outcome, StoreError> {
    tx.witness(is_taken, id.0.into());
    let bytes = cbor::encode(&body);
    let entry = Entry { id, received, body };
    let given = world::apply_entry(tx, &entry)?;
    tx.execute_later(SQL.get("pass_gate"), vec![vec![received.0.into()]])?;
    let values = [id.0.into(), received.0.into(), entry.body.kind().into(), bytes.into()];
    tx.execute_later(SQL.get("insert_entry"), vec![values.to_vec()])?;
    outcome::commit(tx, id, received, &given)?;
    Ok(given)
}

/// Whether an entry is in the journal. The gate is passed first: whoever still commits it holds the gate until then.
fn is_taken(tx: &mut Tx<'_>, id: &Value) -> Result<bool, DbError> {
    tx.query_one(SQL.get("gate"), &[])?;
    Ok(tx.query_one(SQL.get("is_taken"), std::slice::from_ref(id))?.int(0)? > 0)
}

/// Whether an entry is in the journal, as far as this transaction sees it.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn stands(tx: &mut Tx<'_>, id: EntryId) -> Result<bool, StoreError> {
    Ok(tx.query_one(SQL.get("is_taken"), &[id.0.into()])?.int(0)? > 0)
}

/// Entries taken after `received`, at most so many: id, time and bytes, in their order. `None` if the entry `last`,
/// which was there, is there no more.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn after(
    tx: &mut Tx<'_>,
    last: Option<EntryId>,
    received: Instant,
    entries_max: i64,
) -> Result<Option<Vec<(EntryId, Instant, Vec<u8>)>>, StoreError> {
    if let Some(last) = last
        && !stands(tx, last)?
    {
        return Ok(None);
    }
    let rows = tx.query(SQL.get("entries_after"), &[received.0.into(), entries_max.into()])?;
    let entries =
        rows.iter().map(|row| Ok((EntryId(row.array(0)?), Instant(row.int(1)?), row.blob(2)?.to_vec())));
    entries.collect::<Result<Vec<_>, StoreError>>().map(Some)
}

/// The newest entry, and whether the entry `known` is there; an empty copy knows none, and that stands anywhere.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn ends(tx: &mut Tx<'_>, known: Option<EntryId>) -> Result<(Option<EntryId>, bool), StoreError> {
    let newest = tx.query_opt(SQL.get("newest_entry"), &[])?;
    let newest = newest.map(|row| row.array(0).map(EntryId)).transpose()?;
    let stands = known.map_or(Ok(true), |known| stands(tx, known))?;
    Ok((newest, stands))
}

/// Puts entries back that this journal lost, after its `newest`: with their ids, times and bytes, so that the chain
/// over them is the one that was signed. Whether it did: not if something else was taken meanwhile.
///
/// # Errors
/// [`StoreError`]; then the transaction must not be committed.
pub fn put_back<'e>(
    tx: &mut Tx<'_>,
    newest: EntryId,
    entries: impl Iterator<Item = (EntryId, Instant, &'e [u8])>,
) -> Result<bool, StoreError> {
    tx.query_one(SQL.get("gate"), &[])?;
    if ends(tx, None)?.0 != Some(newest) {
        return Ok(false);
    }
    for (id, received, bytes) in entries {
        let body = cbor::decode(bytes).map_err(|source| StoreError::Stored {
            what: "entry of the second path",
            id: id.to_string(),
            source,
        })?;
        take(tx, id, received, body)?;
    }
    Ok(true)
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
