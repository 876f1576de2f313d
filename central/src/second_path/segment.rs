//! The files of the second path: journal entries with their places, one after the other.
//!
//! A file holds records, each four bytes of length (big-endian) and then CBOR; it is called after the number of its
//! first entry, `000000000001.journal`, and only ever grows. Each record carries the chain hash after it, so a file
//! proves itself: whatever was changed in it gives another hash than the next record says.
//! A record that was cut off at the end of the newest file was never answered for, and is taken off.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use hufu_shared::cbor;
use hufu_shared::ids::{EntryId, Hash};
use hufu_shared::time::Instant;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::SecondPathError;
use crate::rules::entry::{journal_link, journal_start};

/// Bytes after which the next entry begins a new file.
pub const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Ending of a file's name.
const ENDING: &str = "journal";
/// Bytes of the length before a record.
const LENGTH_BYTES: usize = 4;

/// An entry and its place.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Record {
    /// Its number, from 1.
    #[n(0)]
    pub n: u64,
    /// Its id.
    #[n(1)]
    pub id: EntryId,
    /// When it was taken.
    #[n(2)]
    pub received: Instant,
    /// Its bytes, as the journal has them.
    #[n(3)]
    pub body: ByteVec,
    /// The chain hash after it.
    #[n(4)]
    pub hash: Hash,
}

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Entries in it.
    pub n: u64,
    /// The chain hash after the last.
    pub hash: Hash,
    /// When the last was taken.
    pub received: Instant,
    /// Which the last is; none in an empty copy.
    pub id: Option<EntryId>,
}

impl Place {
    /// Before the first entry.
    #[must_use]
    pub fn start() -> Self {
        Self { n: 0, hash: journal_start(), received: Instant(i64::MIN), id: None }
    }

    /// The record of the entry that follows, and the place after it.
    #[must_use]
    pub fn follow(&self, id: EntryId, received: Instant, body: Vec<u8>) -> (Record, Self) {
        let hash = journal_link(self.hash, id, received, &body);
        let record = Record { n: self.n + 1, id, received, body: body.into(), hash };
        let after = Self::after(&record);
        (record, after)
    }

    /// The place after a record.
    #[must_use]
    pub fn after(record: &Record) -> Self {
        Self { n: record.n, hash: record.hash, received: record.received, id: Some(record.id) }
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct Segment {
    /// Its records, in order.
    pub records: Vec<Record>,
    /// Bytes up to the end of the last whole record.
    pub whole_bytes: u64,
    /// Bytes after it: of a record that was cut off.
    pub cut_bytes: u64,
}

/// The files in a folder, in the order of their entries.
///
/// # Errors
/// [`SecondPathError::Io`].
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, SecondPathError> {
    let read = std::fs::read_dir(folder).map_err(|source| SecondPathError::io("list", folder, source))?;
    let mut files = Vec::new();
    for file in read {
        let path = file.map_err(|source| SecondPathError::io("list", folder, source))?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The file whose first entry has this number.
#[must_use]
pub fn file_of(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:012}.{ENDING}"))
}

/// Reads a file and checks the chain inside it.
///
/// # Errors
/// [`SecondPathError::Io`], and [`SecondPathError::Damaged`] with the place.
pub fn read(path: &Path) -> Result<Segment, SecondPathError> {
    let bytes = std::fs::read(path).map_err(|source| SecondPathError::io("read", path, source))?;
    let mut segment = Segment { records: Vec::new(), whole_bytes: 0, cut_bytes: 0 };
    let mut at = 0;
    while let Some((record, end)) = next(path, &bytes, at)? {
        let before = segment.records.last().map(|last: &Record| Place::after(last));
        let first = (record.n == 1).then(Place::start);
        if let Some(before) = before.or(first) {
            let (expected, _) = before.follow(record.id, record.received, record.body.to_vec());
            if (expected.n, expected.hash) != (record.n, record.hash) {
                let reason = format!("entry {} does not follow entry {} with its hash", record.n, before.n);
                return Err(SecondPathError::Damaged { path: path.to_owned(), at: at as u64, reason });
            }
        }
        segment.records.push(record);
        at = end;
    }
    segment.whole_bytes = at as u64;
    segment.cut_bytes = (bytes.len() - at) as u64;
    Ok(segment)
}

/// The record at a place and where it ends; none if what is there is no whole record.
fn next(path: &Path, bytes: &[u8], at: usize) -> Result<Option<(Record, usize)>, SecondPathError> {
    let Some(length) = bytes.get(at..at + LENGTH_BYTES) else { return Ok(None) };
    let length = u32::from_be_bytes(length.try_into().expect("four bytes were taken")) as usize;
    let from = at + LENGTH_BYTES;
    let Some(body) = bytes.get(from..from + length) else { return Ok(None) };
    let record = cbor::decode(body).map_err(|error| SecondPathError::Damaged {
        path: path.to_owned(),
        at: at as u64,
        reason: error.to_string(),
    })?;
    Ok(Some((record, from + length)))
}

/// Appends records, and answers when they are on the disk; answers the bytes written.
///
/// # Errors
/// [`SecondPathError::Io`]; then the file may end with a part of them, see [`cut`]. `is_new` says whether the file may
/// be made: one that was there and is gone (a disk that was taken out) must not begin again in the middle.
pub fn append(path: &Path, records: &[Record], is_new: bool) -> Result<u64, SecondPathError> {
    let mut bytes = Vec::new();
    for record in records {
        let body = cbor::encode(record);
        let length = u32::try_from(body.len()).map_err(|_| {
            let source = std::io::Error::other(format!("entry {} has {} bytes", record.n, body.len()));
            SecondPathError::io("write to", path, source)
        })?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(body);
    }
    let open = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(is_new).append(true).open(path)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        // A new file is there after a power cut only if its folder is on the disk too.
        match (is_new, path.parent()) {
            (true, Some(folder)) => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    };
    open().map_err(|source| SecondPathError::io("write to", path, source))?;
    Ok(bytes.len() as u64)
}

/// Takes off what follows the last whole record.
///
/// # Errors
/// [`SecondPathError::Io`].
pub fn cut(path: &Path, whole_bytes: u64) -> Result<(), SecondPathError> {
    let cut = || -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(whole_bytes)?;
        file.sync_data()
    };
    cut().map_err(|source| SecondPathError::io("shorten", path, source))
}
