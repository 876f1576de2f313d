//! The replay base: the whole derived state at a place of the journal, signed, from which a replay may begin.
//!
//! It is taken by the act that changes the version of the rules of applying (or takes a base under the same), just
//! before that act is applied. So `verify` from a base repeats everything since, and the code of rules older than the
//! newest base can go. The state is every row of every derived table ([`super::dump::TABLES`]) in an order that both
//! engines agree on; its hash stands in the act, so a replay from empty checks the base, and the base the replay.
//! Of the newest base the rows themselves are kept, packed; of older ones the hash.

use std::collections::BTreeMap;

use hufu_shared::act::{Act, Actor, ApplyVersionSet};
use hufu_shared::cbor;
use hufu_shared::ids::{EntryId, Hash};
use hufu_shared::time::Instant;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::{StoreError, acts, dump, journal, rows, world};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::outcome::Outcome;
use crate::rules::world::CaseState;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("base", include_str!("../../sql/both/base.sql"));

/// Rows packed together.
const ROWS_PER_PART_MAX: usize = 2_000;
/// How hard the parts are packed: they are written seldom and read seldom.
const ZSTD_LEVEL: i32 = 9;
/// Bytes of a part unpacked, at most: rows hold a fact of 64 KiB at the utmost.
const PART_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
enum Cell {
    #[n(0)]
    Null,
    #[n(1)]
    Int(#[n(0)] i64),
    #[n(2)]
    Text(#[n(0)] String),
    #[n(3)]
    Blob(#[n(0)] ByteVec),
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Part {
    #[n(0)]
    table: String,
    #[n(1)]
    rows: Vec<Vec<Cell>>,
}

/// The derived state.
#[derive(Debug, Clone)]
pub struct State {
    /// Rows of each table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Hash over all of it.
    pub hash: Hash,
    parts: Vec<Vec<u8>>,
}

/// A base that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The act that took it.
    pub entry: EntryId,
    /// Number of that act in the journal.
    pub n: u64,
    /// The version of the rules from there on.
    pub version: u32,
    /// Hash of the state before the act.
    pub hash: Hash,
    /// The centre's signature over [`message`].
    pub signature: Vec<u8>,
}

/// What a base is signed as.
#[must_use]
pub fn message(entry: EntryId, version: u32, hash: Hash) -> Vec<u8> {
    [b"hufu-base".as_slice(), &entry.0, &version.to_be_bytes(), &hash.0].concat()
}

/// The derived state as this transaction sees it.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn state(tx: &mut Tx<'_>) -> Result<State, StoreError> {
    let mut counts = BTreeMap::new();
    let mut parts = Vec::new();
    for (table, _) in dump::TABLES.iter().copied() {
        let found = tx.query(dump::SQL.get(table), &[])?;
        let mut cells: Vec<Vec<Cell>> = found.iter().map(cells).collect();
        // The engines order text differently; the bytes of a row are the same in both.
        cells.sort_by_cached_key(cbor::encode);
        counts.insert(table, cells.len() as u64);
        for some in cells.chunks(ROWS_PER_PART_MAX) {
            parts.push(cbor::encode(&Part { table: table.to_owned(), rows: some.to_vec() }));
        }
    }
    let hashes: Vec<Hash> = parts.iter().map(|part| Hash::of(&[part])).collect();
    let hash = Hash::of(&hashes.iter().map(|hash| hash.0.as_slice()).collect::<Vec<_>>());
    Ok(State { rows: counts, hash, parts })
}

fn cells(row: &Row) -> Vec<Cell> {
    let cell = |value: &Value| match value {
        Value::Null => Cell::Null,
        Value::Int(number) => Cell::Int(*number),
        Value::Text(text) => Cell::Text(text.clone()),
        Value::Blob(bytes) => Cell::Blob(bytes.clone().into()),
    };
    row.values().iter().map(cell).collect()
}

/// A base as it would be taken, and what judging anew by it would change.
#[derive(Debug, Clone)]
pub struct Rebased {
    /// The version of the rules before.
    pub version_before: u32,
    /// The state before the act.
    pub state: State,
    /// How the cases stood that were judged anew: kind and state.
    pub before: BTreeMap<Hash, (u8, CaseState)>,
    /// What judging anew gave.
    pub outcome: Outcome,
}

/// Takes a base: keeps the state, takes the act, and with it judges every case anew that waits for a person.
///
/// # Errors
/// [`StoreError`]; then the transaction must not be committed.
pub fn take(
    tx: &mut Tx<'_>,
    id: EntryId,
    now: Instant,
    version: u32,
    sign: impl Fn(&[u8]) -> [u8; 64],
) -> Result<Rebased, StoreError> {
    // From here on nothing else is taken: the state is that of this very place.
    journal::pass_gate(tx, now)?;
    let state = state(tx)?;
    let version_before = world::base(tx)?.apply_version;
    let before = waiting(tx)?;
    let set = ApplyVersionSet { version, state: state.hash };
    let outcome = acts::take(tx, id, now, &Actor::Job("rebase".to_owned()), &Act::ApplyVersionSet(set))?;
    tx.execute(SQL.get("drop_parts"), &[])?;
    let count = state.rows.values().sum::<u64>();
    let signature = sign(&message(id, version, state.hash));
    let values =
        [id.0.into(), i64::from(version).into(), state.hash.0.into(), rows::number(count), signature.into()];
    tx.execute(SQL.get("put_base"), &values)?;
    for (n, part) in (0_i64..).zip(&state.parts) {
        let packed = zstd::bulk::compress(part, ZSTD_LEVEL).map_err(|source| StoreError::Pack { source })?;
        tx.execute(SQL.get("put_part"), &[id.0.into(), n.into(), packed.into()])?;
    }
    Ok(Rebased { version_before, state, before, outcome })
}

/// The cases that wait for a person: kind and state of each.
fn waiting(tx: &mut Tx<'_>) -> Result<BTreeMap<Hash, (u8, CaseState)>, StoreError> {
    let found = tx.query(SQL.get("waiting"), &[])?;
    let case = |row: &Row| {
        let (kind, state) = (row.int(1)?, row.text(2)?);
        let kind = u8::try_from(kind).map_err(|_| StoreError::Range { what: "kind of a case", met: kind })?;
        let state = CaseState::from_code(state).ok_or_else(|| rows::unknown("state of a case", state))?;
        Ok((Hash(row.array(0)?), (kind, state)))
    };
    found.iter().map(case).collect()
}

/// The newest base; none before the first.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn newest(tx: &mut Tx<'_>) -> Result<Option<Base>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("newest_base"), &[])? else { return Ok(None) };
    Ok(Some(Base {
        entry: EntryId(row.array(0)?),
        version: rows::u32_at(&row, 1, "apply version")?,
        hash: Hash(row.array(2)?),
        signature: row.blob(3)?.to_vec(),
        n: row.uint(4)?,
    }))
}

/// The chain hash after an entry, by its number; none if there is no such entry.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn head_at(tx: &mut Tx<'_>, n: u64) -> Result<Option<Hash>, StoreError> {
    let row = tx.query_opt(SQL.get("head_at"), &[rows::number(n)])?;
    row.map(|row| Ok(Hash(row.array(0)?))).transpose()
}

/// One part of a base, unpacked; none after the last.
///
/// # Errors
/// [`StoreError`] if the database fails or the part is damaged.
pub fn part(tx: &mut Tx<'_>, base: &Base, n: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("part"), &[base.entry.0.into(), n.into()])? else { return Ok(None) };
    let part = zstd::bulk::decompress(row.blob(0)?, PART_BYTES_MAX);
    part.map(Some).map_err(|source| StoreError::Pack { source })
}

/// Puts a part into a database that holds nothing yet. `is_first` says that it is the first part.
///
/// # Errors
/// [`StoreError`].
pub fn put(tx: &mut Tx<'_>, bytes: &[u8], is_first: bool) -> Result<(), StoreError> {
    if is_first {
        // The one row that a new database has.
        tx.execute(SQL.get("clear_policy"), &[])?;
    }
    let stored = |source| StoreError::Stored { what: "replay base", id: String::new(), source };
    let part: Part = cbor::decode(bytes).map_err(stored)?;
    let known = dump::TABLES.iter().find(|(table, _)| *table == part.table);
    let (table, _) =
        known.ok_or_else(|| StoreError::Code { what: "table of a replay base", met: part.table.clone() })?;
    let value = |cell: Cell| match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => Value::Int(number),
        Cell::Text(text) => Value::Text(text),
        Cell::Blob(bytes) => Value::Blob(bytes.into()),
    };
    for row in part.rows {
        let values: Vec<Value> = row.into_iter().map(value).collect();
        tx.execute(SQL.get(table), &values)?;
    }
    Ok(())
}
