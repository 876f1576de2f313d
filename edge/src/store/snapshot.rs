//! Building a directory from a snapshot's chunks, beside the one in use.
//!
//! Chunks are checked (hash, size, number of rows) before they are unpacked, and come in the manifest's order. Nothing
//! of the directory in use changes before [`SnapshotBuilder::finish`], and then it changes whole. The manifest's
//! signature is the caller's to verify.

use std::path::PathBuf;

use hufu_shared::cbor;
use hufu_shared::ids::Hash;
use hufu_shared::member::DirectoryRow;
use hufu_shared::wire::directory::{CHUNK_BYTES_MAX, CHUNK_ROWS_MAX, Chunk, Manifest};
use rusqlite::{Connection, params};

use super::directory::{Directory, upsert};
use super::error::{Step, StoreError};
use super::journal::to_sql;
use super::open::{DIRECTORY, beside, create, open_rollback, remove_database};

/// A directory in the making.
#[derive(Debug)]
pub struct SnapshotBuilder {
    directory: Directory,
    path: PathBuf,
    connection: Connection,
    chunks: Vec<Chunk>,
    taken: usize,
}

impl SnapshotBuilder {
    /// Begins a snapshot of this manifest.
    ///
    /// # Errors
    /// [`StoreError::OtherClub`] for another club's; else what went wrong with the file.
    pub fn begin(directory: &Directory, manifest: &Manifest) -> Result<Self, StoreError> {
        if manifest.club != directory.club() {
            return Err(StoreError::OtherClub { met: manifest.club, own: directory.club() });
        }
        let path = beside(directory.path(), "snapshot");
        remove_database(&path)?;
        create(&path, &DIRECTORY, |connection| {
            connection
                .execute(
                    "INSERT INTO about (one, club, scope, central_epoch, version_epoch, version_n, made_at) \
                     VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        manifest.club.0,
                        manifest.scope.0,
                        cbor::encode(&manifest.central_epoch),
                        manifest.version.epoch,
                        to_sql(manifest.version.n),
                        manifest.made_at.0
                    ],
                )
                .map(|_| ())
        })?;
        let connection = open_rollback(&path, &DIRECTORY)?;
        // Nothing of it counts before it is put in place; it is synced then.
        connection.execute_batch("PRAGMA synchronous=OFF").step(&path, "set up")?;
        Ok(Self { directory: directory.clone(), path, connection, chunks: manifest.chunks.clone(), taken: 0 })
    }

    /// The chunk that comes next; none when all were taken.
    #[must_use]
    pub fn next_chunk(&self) -> Option<&Chunk> {
        self.chunks.get(self.taken)
    }

    /// Takes the next chunk, compressed as it came.
    ///
    /// # Errors
    /// [`StoreError::Snapshot`] saying what does not add up; the builder may be given the right bytes then.
    pub fn take_chunk(&mut self, compressed: &[u8]) -> Result<(), StoreError> {
        let refused = |detail: String| StoreError::Snapshot { detail };
        let at = self.taken + 1;
        let chunk = self.next_chunk().ok_or_else(|| refused(format!("chunk {at} was not announced")))?;
        let hash = Hash::of(&[compressed]);
        if hash != chunk.hash || compressed.len() as u64 != chunk.bytes {
            let met = compressed.len();
            return Err(refused(format!(
                "chunk {at} expected with {} bytes and hash {}, met {met} bytes and {hash}",
                chunk.bytes, chunk.hash
            )));
        }
        let plain = zstd::bulk::decompress(compressed, CHUNK_BYTES_MAX)
            .map_err(|error| refused(format!("chunk {at} does not unpack: {error}")))?;
        let rows: Vec<DirectoryRow> =
            cbor::decode(&plain).map_err(|error| refused(format!("chunk {at}: {error}")))?;
        if rows.len() != chunk.rows as usize || rows.len() > CHUNK_ROWS_MAX {
            let (met, expected) = (rows.len(), chunk.rows);
            return Err(refused(format!("chunk {at} expected with {expected} rows, met {met}")));
        }
        let transaction = self.connection.transaction().step(&self.path, "begin chunk")?;
        let written = (|| {
            for row in &rows {
                upsert(&transaction, self.directory.names(), row)?;
            }
            transaction.commit()
        })();
        written.step(&self.path, "write chunk")?;
        self.taken += 1;
        Ok(())
    }

    /// Puts the directory in place.
    ///
    /// # Errors
    /// [`StoreError::Snapshot`] if chunks are missing; else what went wrong with the file. The one in use stays then.
    pub fn finish(self) -> Result<(), StoreError> {
        if let Some(chunk) = self.next_chunk() {
            let detail = format!("chunk {} of {} is missing", chunk.hash, self.chunks.len());
            return Err(StoreError::Snapshot { detail });
        }
        let found: String = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .step(&self.path, "check snapshot")?;
        if found != "ok" {
            return Err(StoreError::Snapshot { detail: found });
        }
        self.connection.close().map_err(|(_, error)| StoreError::sqlite(&self.path, "close", error))?;
        std::fs::File::open(&self.path)
            .and_then(|file| file.sync_all())
            .map_err(|error| StoreError::io(&self.path, "sync snapshot", error))?;
        self.directory.swap(&self.path)
    }
}
