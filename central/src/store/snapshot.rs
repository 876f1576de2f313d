//! Snapshots of the directory: immutable chunks named by their hash, and a signed manifest per office.
//!
//! Chunks are the same for all offices, so one that was made for another office lately is used again; a terminal then
//! takes the rest as deltas. Rows come in order: schemes, offices, occurrences, members, cards, each by id.

use hufu_shared::cbor;
use hufu_shared::ids::{Hash, OfficeId};
use hufu_shared::member::DirectoryRow;
use hufu_shared::time::{DAY_US, Instant};
use hufu_shared::wire::directory::{CHUNK_ROWS_MAX, Chunk, Manifest};
use hufu_shared::wire::version::Version;

use super::directory::{DirectoryError, Making, SQL, card_row, head, lock_head, member_row, schemes};
use super::expected::occurrence_row;
use super::journal::Club;
use super::{StoreError, rows};
use crate::db::{Row, Tx, Value};
use crate::vault::Vault;

/// Changes by which a snapshot may lie behind and still be handed out.
pub const SNAPSHOT_BEHIND_MAX: u64 = 1_000;
/// How hard chunks are packed: most of a row is random tokens, which more effort does not make smaller.
const ZSTD_LEVEL: i32 = 3;
/// Chunks that no manifest names are kept this long for terminals that still fetch them.
const CHUNK_KEPT_US: i64 = DAY_US;

/// A chunk with its bytes.
#[derive(Debug, Clone)]
pub struct PackedChunk {
    /// What the manifest says of it.
    pub chunk: Chunk,
    /// Zstd of the CBOR array of rows.
    pub body: Vec<u8>,
}

/// Everything that a snapshot consists of, from one state of the database.
#[derive(Debug, Clone)]
pub struct Packed {
    /// The directory's number.
    pub directory: u64,
    /// The block list's number.
    pub block: u64,
    /// All rows.
    pub chunks: Vec<PackedChunk>,
}

/// Packs the whole directory.
///
/// # Errors
/// [`DirectoryError`].
pub fn pack(tx: &mut Tx<'_>, vault: &Vault, at: Instant) -> Result<Packed, DirectoryError> {
    let numbers = head(tx)?;
    let making = Making::by_scheme(tx, vault, at)?;
    let mut packer = Packer::default();
    for terms in schemes(tx)? {
        packer.add(DirectoryRow::Scheme(terms))?;
    }
    each(tx, "offices_from", |_, row| packer.add(DirectoryRow::Office(rows::office(row)?)))?;
    each(tx, "occurrences_from", |tx, row| {
        packer.add(DirectoryRow::Occurrence(occurrence_row(tx, &making, row)?))
    })?;
    each(tx, "members_from", |tx, row| packer.add(DirectoryRow::Member(member_row(tx, &making, row)?)))?;
    each(tx, "cards_from", |_, row| packer.add(DirectoryRow::Card(card_row(row)?)))?;
    packer.flush()?;
    Ok(Packed { directory: numbers.directory, block: numbers.block, chunks: packer.chunks })
}

/// Runs through a table by id, a page at a time.
fn each(
    tx: &mut Tx<'_>,
    statement: &str,
    mut visit: impl FnMut(&mut Tx<'_>, &Row) -> Result<(), DirectoryError>,
) -> Result<(), DirectoryError> {
    let page = i64::try_from(CHUNK_ROWS_MAX).unwrap_or(i64::MAX);
    let mut after = Value::Blob(Vec::new());
    loop {
        let found = tx.query(SQL.get(statement), &[after, page.into()])?;
        for row in &found {
            visit(tx, row)?;
        }
        match found.last() {
            Some(last) if found.len() == CHUNK_ROWS_MAX => after = last.value(0)?.clone(),
            _ => return Ok(()),
        }
    }
}

#[derive(Default)]
struct Packer {
    rows: Vec<DirectoryRow>,
    chunks: Vec<PackedChunk>,
}

impl Packer {
    fn add(&mut self, row: DirectoryRow) -> Result<(), DirectoryError> {
        self.rows.push(row);
        if self.rows.len() == CHUNK_ROWS_MAX { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DirectoryError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let clear = cbor::encode(&std::mem::take(&mut self.rows));
        let body = zstd::bulk::compress(&clear, ZSTD_LEVEL).map_err(DirectoryError::Pack)?;
        let chunk = Chunk { hash: Hash::of(&[&body]), bytes: body.len() as u64, rows };
        self.chunks.push(PackedChunk { chunk, body });
        Ok(())
    }
}

/// The manifest of an office, if it is recent enough; else one made for another office, not signed for this one.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn recent(tx: &mut Tx<'_>, club: &Club, scope: OfficeId) -> Result<Option<Manifest>, StoreError> {
    let newest = head(tx)?.directory;
    for (statement, values) in [("snapshot", vec![scope.0.into()]), ("newest_snapshot", Vec::new())] {
        let Some(row) = tx.query_opt(SQL.get(statement), &values)? else { continue };
        let is_near = newest.saturating_sub(row.uint(1)?) <= SNAPSHOT_BEHIND_MAX;
        if row.int(0)? == i64::from(club.epoch.n) && is_near {
            return manifest(row.blob(2)?).map(Some);
        }
    }
    Ok(None)
}

fn manifest(bytes: &[u8]) -> Result<Manifest, StoreError> {
    cbor::decode(bytes).map_err(|source| StoreError::Stored { what: "manifest", id: String::new(), source })
}

/// A manifest for an office, to be signed.
#[must_use]
pub fn unsigned(club: &Club, packed: &Packed, scope: OfficeId, at: Instant) -> Manifest {
    let version = |n| Version { epoch: club.epoch.n, n };
    Manifest {
        club: club.club,
        central_epoch: club.epoch,
        version: version(packed.directory),
        block: version(packed.block),
        made_at: at,
        scope,
        chunks: packed.chunks.iter().map(|packed| packed.chunk.clone()).collect(),
        signature: Vec::new(),
    }
}

/// Keeps a signed manifest, new chunks, and drops chunks that nobody needs any more. Answers `false`, and keeps nothing,
/// if a chunk of the manifest is there no more: another process may have dropped it since the manifest was read.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn put(
    tx: &mut Tx<'_>,
    signed: &Manifest,
    chunks: &[PackedChunk],
    now: Instant,
) -> Result<bool, StoreError> {
    // One at a time over all processes: what is dropped here is named by nobody.
    lock_head(tx)?;
    for packed in chunks {
        let values = [packed.chunk.hash.0.into(), packed.body.clone().into(), now.0.into()];
        tx.execute(SQL.get("put_chunk"), &values)?;
    }
    for chunk in &signed.chunks {
        if tx.execute(SQL.get("touch_chunk"), &[chunk.hash.0.into(), now.0.into()])? == 0 {
            return Ok(false);
        }
    }
    let values = [
        signed.scope.0.into(),
        i64::from(signed.version.epoch).into(),
        rows::number(signed.version.n),
        cbor::encode(signed).into(),
    ];
    tx.execute(SQL.get("put_snapshot"), &values)?;
    let mut named = Vec::new();
    for row in tx.query(SQL.get("manifests"), &[])? {
        named.extend(manifest(row.blob(0)?)?.chunks.into_iter().map(|chunk| chunk.hash));
    }
    for row in tx.query(SQL.get("old_chunks"), &[now.offset(-CHUNK_KEPT_US).0.into()])? {
        let hash = Hash(row.array(0)?);
        if !named.contains(&hash) {
            tx.execute(SQL.get("drop_chunk"), &[hash.0.into()])?;
        }
    }
    Ok(true)
}

/// The bytes of a chunk.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn chunk(tx: &mut Tx<'_>, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.query_opt(SQL.get("chunk"), &[hash.0.into()])?;
    row.map(|row| Ok(row.blob(0)?.to_vec())).transpose()
}
