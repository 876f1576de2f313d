//! A terminal's journal as it lies on the disk, read by the kit itself beside the running daemon.
//!
//! Nothing here asks a program of Hufu: rows are read with SQL, bodies are decoded from their bytes, the chain of
//! hashes is computed anew by whoever compares.

use anyhow::{Context as _, Result};
use hufu_shared::fact::{Fact, Reader};
use hufu_shared::ids::{DeviceId, Hash};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// One fact as stored.
#[derive(Clone, Debug)]
pub struct StoredFact {
    /// Its place.
    pub seq: u64,
    /// The chain's hash after it, as stored.
    pub hash: Hash,
    /// Its exact bytes.
    pub body: Vec<u8>,
    /// What they say.
    pub fact: Fact,
}

/// A whole journal.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Whose.
    pub device: DeviceId,
    /// Of which enrolment.
    pub epoch: u32,
    /// Facts up to here were receipted by the centre.
    pub acked_seq: u64,
    /// All facts, by seq.
    pub facts: Vec<StoredFact>,
    /// Conflict kinds of what the terminal was told about its facts, in order.
    pub told_kinds: Vec<u8>,
    /// How many cards must be refused.
    pub blocks: u64,
}

/// Reads the journal in a terminal's data folder.
///
/// # Errors
/// When the file cannot be read or holds a body that is no fact.
pub fn read(data_dir: &Path) -> Result<Journal> {
    let path = data_dir.join("journal.db");
    read_file(&path).with_context(|| format!("failed to read {}", path.display()))
}

fn read_file(path: &Path) -> Result<Journal> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    // One transaction, so that state and facts are of one moment.
    let tx = connection.transaction()?;
    let (device, epoch, acked): (Vec<u8>, u32, i64) =
        tx.query_row("SELECT device, epoch, acked_seq FROM state", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let device = DeviceId(device.try_into().ok().context("the device's id is not 16 bytes")?);
    let (mut facts, mut reader) = (Vec::new(), Reader::default());
    let mut statement = tx.prepare("SELECT seq, hash, body FROM facts ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, hash, body): (i64, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let hash = Hash(hash.try_into().ok().context("a chain hash is not 32 bytes")?);
        let seq = u64::try_from(seq)?;
        // Facts rest on what earlier ones stated.
        let fact = reader.read(seq, &body).with_context(|| format!("fact {seq} cannot be read"))?;
        facts.push(StoredFact { seq, hash, body, fact });
    }
    let mut statement = tx.prepare("SELECT kind FROM notices WHERE kind IS NOT NULL ORDER BY id")?;
    let told_kinds = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<u8>, _>>()?;
    let blocks: i64 = tx.query_row("SELECT count(*) FROM blocks", [], |row| row.get(0))?;
    Ok(Journal {
        device,
        epoch,
        acked_seq: u64::try_from(acked)?,
        facts,
        told_kinds,
        blocks: u64::try_from(blocks)?,
    })
}

impl Journal {
    /// Seq of the newest fact, 0 for none.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.facts.last().map_or(0, |fact| fact.seq)
    }
}
