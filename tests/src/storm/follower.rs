//! What a simulated device holds of the directory: a snapshot, then deltas and the block list by numbers, as the wire
//! gives them. It may ask another process of the centre each time.

use super::link::Link;
use anyhow::{Context as _, Result, ensure};
use hufu_shared::cbor;
use hufu_shared::ids::{CardId, Hash};
use hufu_shared::member::{CardStatus, DirectoryRow};
use hufu_shared::wire::directory::{Delta, Manifest};
use hufu_shared::wire::updates::Updates;
use hufu_shared::wire::version::Version;
use std::collections::BTreeMap;

/// Bytes of an unpacked chunk at most.
const CHUNK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A copy of the directory.
#[derive(Debug, Default)]
pub struct Follower {
    /// Its version.
    pub directory: Version,
    /// The version of its block list.
    pub block: Version,
    /// Rows by kind and id, in their encoding.
    pub rows: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    /// Cards that a block list named, with what it said last.
    pub blocks: BTreeMap<CardId, CardStatus>,
}

fn key(row: &DirectoryRow) -> (&'static str, Vec<u8>) {
    match row {
        DirectoryRow::Office(row) => ("office", row.office.0.to_vec()),
        DirectoryRow::Occurrence(row) => ("occurrence", row.occurrence.0.to_vec()),
        DirectoryRow::Member(row) => ("member", row.member.0.to_vec()),
        DirectoryRow::Card(row) => ("card", row.card.0.to_vec()),
        DirectoryRow::Scheme(terms) => ("scheme", i64::from(terms.version).to_be_bytes().to_vec()),
    }
}

/// A row without the moment at which it was made, which differs from one making to the next.
fn timeless(row: DirectoryRow) -> DirectoryRow {
    match row {
        DirectoryRow::Member(mut row) => {
            row.points_at = hufu_shared::time::Instant(0);
            DirectoryRow::Member(row)
        }
        other => other,
    }
}

impl Follower {
    fn put(&mut self, rows: Vec<DirectoryRow>) {
        for row in rows {
            let row = timeless(row);
            self.rows.insert(key(&row), cbor::encode(&row));
        }
    }

    /// Takes a whole snapshot.
    ///
    /// # Errors
    /// When a chunk is not what its manifest says.
    pub async fn take_snapshot(&mut self, link: &mut Link) -> Result<()> {
        let manifest: Manifest = link.get("/device/v1/directory/snapshot/manifest").await?.read()?;
        self.rows.clear();
        for chunk in &manifest.chunks {
            let said = link.get(&format!("/device/v1/directory/snapshot/{}", chunk.hash)).await?;
            let super::link::Said::Answer(body) = said else {
                anyhow::bail!("no chunk {}: {said:?}", chunk.hash)
            };
            ensure!(Hash::of(&[&body]) == chunk.hash, "chunk {} has other bytes", chunk.hash);
            let plain = zstd::bulk::decompress(&body, CHUNK_BYTES_MAX).context("failed to unpack a chunk")?;
            self.put(cbor::decode::<Vec<DirectoryRow>>(&plain)?);
        }
        self.directory = manifest.version;
        Ok(())
    }

    /// Takes deltas until the newest.
    ///
    /// # Errors
    /// When a delta does not join on, or the versions run back.
    pub async fn take_deltas(&mut self, link: &mut Link) -> Result<()> {
        loop {
            let path = format!("/device/v1/directory?since={}", self.directory);
            let delta: Delta = link.get(&path).await?.read()?;
            ensure!(!delta.take_snapshot, "a snapshot is asked for at {}", self.directory);
            ensure!(delta.from == self.directory && delta.to >= delta.from, "a delta that does not join on");
            self.directory = delta.to;
            self.put(delta.rows);
            if !delta.more {
                return Ok(());
            }
        }
    }

    /// Asks for what is new, held open for at most `wait_ms`; takes what comes, also deltas.
    ///
    /// # Errors
    /// When the centre is not reached, refuses, or its versions run back.
    pub async fn poll(&mut self, link: &mut Link, wait_ms: u32) -> Result<Updates> {
        let path = format!(
            "/device/v1/updates?directory={}&block={}&notices=0&wait_ms={wait_ms}&queued=0",
            self.directory, self.block
        );
        let updates: Updates = link.get(&path).await?.read()?;
        ensure!(updates.block >= self.block && updates.directory >= self.directory, "versions run back");
        self.block = updates.block;
        for change in &updates.blocks {
            self.blocks.insert(change.card, change.status);
        }
        if updates.directory > self.directory {
            self.take_deltas(link).await?;
        }
        Ok(updates)
    }
}
