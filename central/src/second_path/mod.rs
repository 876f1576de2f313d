//! The second path: a copy of the journal on another disk, written before anybody is answered.
//!
//! Configured by `data.second_path`. Each entry is on both disks before its answer leaves, so a centre whose database
//! goes back in time (a backup, a snapshot of the machine, a server that took over too early) has what it lost: at its
//! start, when a terminal proves the loss, and when the copy itself meets it, the entries are put back in their order,
//! and the head of the chain is the one that was signed. Then nothing has to be recovered from terminals.
//! If the database went on without them (the two are *apart*), nothing can be put back between: the copy is set aside
//! for people, a new central epoch begins, above every one in the copy, and a new copy is made.
//!
//! Invariants: the copy is a beginning of the journal, or the journal a beginning of it, or they are apart; one process
//! writes it at a time. Out of scope: what lies beside the journal (personal data, sealed texts, staff, sessions). What
//! people typed is erased there, so it may not lie in a file that only grows.

mod segment;
#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use hufu_shared::act::{Act, Actor};
use hufu_shared::cbor;
use hufu_shared::ids::{EntryId, Hash};
use hufu_shared::time::Instant;
use hufu_shared::wire::version::CentralEpoch;

use crate::db::{Db, DbError};
use crate::jobs::publisher;
use crate::random::NoRandom;
use crate::rules::entry::EntryBody;
use crate::rules::lease::recovery;
use crate::secret_file::{SecretFileError, create_folder};
use crate::store::{StoreError, acts, journal};
use segment::{Place, Record, SEGMENT_BYTES_MAX};

/// Entries copied at a time: one may hold a batch of 256 KiB.
const ENTRIES_PER_READ_MAX: i64 = 64;
/// The file whose lock says who writes.
const LOCK_FILE: &str = "writer.lock";

/// The second path cannot be used; reads after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum SecondPathError {
    /// The operating system refused.
    #[error("{step} the second path {}: {source}", path.display())]
    Io {
        /// What was tried.
        step: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Its folder cannot be made.
    #[error("make the folder of the second path: {0}")]
    Folder(#[from] SecretFileError),
    /// Another process writes it.
    #[error(
        "write the second path {}: another process writes it; each needs a folder of its own in data.second_path",
        path.display()
    )]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// A file is not what was written.
    #[error("read the second path {} at byte {at}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        at: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// What was put back gives another chain.
    #[error("put entries back from the second path: the journal then ends at {met}, the copy at {expected}")]
    Head {
        /// The head of the journal.
        met: Hash,
        /// The head of the copy.
        expected: Hash,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bits for an epoch.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

impl SecondPathError {
    fn io(step: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { step, path: path.to_owned(), source }
    }
}

impl From<DbError> for SecondPathError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// What the copy had that the database had not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brought {
    /// Nothing.
    Nothing,
    /// So many entries, and they are back.
    Back(u64),
    /// The database went on without so many, and keeps its own. The copy was set aside in a folder.
    Apart {
        /// Entries in the copy that are not in the database.
        missing: u64,
        /// Where they lie.
        folder: PathBuf,
    },
}

/// The copy, while this process writes it.
#[derive(Debug)]
pub struct SecondPath {
    folder: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
    writer: tokio::sync::Mutex<Writer>,
}

/// How far the copy is, and where it goes on.
#[derive(Debug)]
struct Writer {
    at: Place,
    /// The newest file and its bytes; none in an empty copy.
    file: Option<(PathBuf, u64)>,
    /// The last append failed, and may have left a part of a record.
    is_torn: bool,
}

impl SecondPath {
    /// Opens the copy in a folder, made if need be, for this process alone.
    ///
    /// # Errors
    /// [`SecondPathError`].
    pub fn open(folder: &Path) -> Result<Self, SecondPathError> {
        create_folder(folder)?;
        let path = folder.join(LOCK_FILE);
        let lock = File::create(&path).map_err(|source| SecondPathError::io("write", &path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SecondPathError::Taken { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(SecondPathError::io("lock", &path, source)),
        }
        let mut writer = Writer { at: Place::start(), file: None, is_torn: false };
        for file in segment::list(folder)?.into_iter().rev() {
            let read = segment::read(&file)?;
            if read.cut_bytes > 0 {
                let (path, bytes) = (file.display(), read.cut_bytes);
                tracing::warn!(%path, bytes, "an entry was cut off before its answer, and is taken off");
                segment::cut(&file, read.whole_bytes)?;
            }
            // A file without a whole record was only begun.
            if let Some(last) = read.records.last() {
                writer.at = Place::after(last);
                writer.file = Some((file, read.whole_bytes));
                break;
            }
        }
        Ok(Self { folder: folder.to_owned(), _lock: lock, writer: tokio::sync::Mutex::new(writer) })
    }

    /// How many entries the copy has, and the chain hash after the last.
    pub async fn head(&self) -> (u64, Hash) {
        let at = self.writer.lock().await.at;
        (at.n, at.hash)
    }

    /// Copies what the journal has more; when this answers, it is on the second disk. A journal that has less is given
    /// back what it lost first. `bits` and `now` are for the epoch that may have to begin.
    ///
    /// # Errors
    /// [`SecondPathError`]; then nobody may be answered that relies on it.
    pub async fn follow(&self, db: &Db, bits: u64, now: Instant) -> Result<(), SecondPathError> {
        let mut writer = self.writer.lock().await;
        loop {
            let at = writer.at;
            let read =
                db.read(move |tx| journal::after(tx, at.id, at.received, ENTRIES_PER_READ_MAX)).await?;
            let Some(entries) = read else {
                self.bring_back_into(&mut writer, db, bits, now).await?;
                continue;
            };
            if entries.is_empty() {
                return Ok(());
            }
            self.append(&mut writer, entries).await?;
        }
    }

    /// Gives a journal back what it lost. Meant before a centre opens its ports, and when a terminal proves a loss.
    ///
    /// # Errors
    /// [`SecondPathError`]; then the database is as it was.
    pub async fn bring_back(&self, db: &Db, bits: u64, now: Instant) -> Result<Brought, SecondPathError> {
        let mut writer = self.writer.lock().await;
        self.bring_back_into(&mut writer, db, bits, now).await
    }

    async fn append(
        &self,
        writer: &mut Writer,
        entries: Vec<(EntryId, Instant, Vec<u8>)>,
    ) -> Result<(), SecondPathError> {
        let mut at = writer.at;
        let mut records = Vec::with_capacity(entries.len());
        for (id, received, body) in entries {
            let (record, after) = at.follow(id, received, body);
            records.push(record);
            at = after;
        }
        let file = writer.file.clone().filter(|(_, bytes)| *bytes < SEGMENT_BYTES_MAX);
        let (path, bytes) = file.unwrap_or_else(|| (segment::file_of(&self.folder, writer.at.n + 1), 0));
        let was_torn = std::mem::replace(&mut writer.is_torn, true);
        let to = path.clone();
        let written = on_a_thread(move || {
            if was_torn && to.exists() {
                segment::cut(&to, bytes)?;
            }
            segment::append(&to, &records, bytes == 0)
        })
        .await?;
        *writer = Writer { at, file: Some((path, bytes + written)), is_torn: false };
        Ok(())
    }

    async fn bring_back_into(
        &self,
        writer: &mut Writer,
        db: &Db,
        bits: u64,
        now: Instant,
    ) -> Result<Brought, SecondPathError> {
        let at = writer.at;
        let (newest, stands) = db.read(move |tx| journal::ends(tx, at.id)).await?;
        if stands {
            return Ok(Brought::Nothing);
        }
        let folder = self.folder.clone();
        let tail = match newest {
            Some(newest) => on_a_thread(move || after(&folder, newest)).await?,
            None => None,
        };
        match (newest, tail) {
            (Some(newest), Some(tail)) => {
                let count = tail.len() as u64;
                let back = db
                    .write(move |tx| {
                        let entries =
                            tail.iter().map(|record| (record.id, record.received, &record.body[..]));
                        journal::put_back(tx, newest, entries)
                    })
                    .await?;
                if !back {
                    // Another process took an entry in between: then the two are apart.
                    return self.set_aside(writer, db, bits, now).await;
                }
                publisher::publish_now(db).await?;
                let (n, met) = db.read(journal::published).await?;
                if (n, met) != (at.n, at.hash) {
                    return Err(SecondPathError::Head { met, expected: at.hash });
                }
                tracing::error!(
                    entries = count,
                    "the database had gone back in time: what it had lost was put back from the second path"
                );
                Ok(Brought::Back(count))
            }
            _ => self.set_aside(writer, db, bits, now).await,
        }
    }

    /// Keeps the copy for people, begins an epoch above all of it, and starts a new copy.
    async fn set_aside(
        &self,
        writer: &mut Writer,
        db: &Db,
        bits: u64,
        now: Instant,
    ) -> Result<Brought, SecondPathError> {
        let (missing, epochs) = self.lost(db).await?;
        let end = writer.at;
        let mut id = [0; 16];
        id.copy_from_slice(&Hash::of(&[b"hufu-apart", &end.hash.0, &bits.to_be_bytes()]).0[..16]);
        let id = EntryId(id);
        db.write(move |tx| -> Result<_, StoreError> {
            let met: Vec<_> = epochs.iter().copied().chain([journal::club(tx)?.epoch]).collect();
            let begun = Act::EpochBegun(recovery::next_epoch(&met, bits));
            acts::take(tx, id, now, &Actor::Job("second_path".to_owned()), &begun)
        })
        .await?;
        let aside = self.folder.join(format!("apart-{:012}-{}", end.n, &end.hash.to_string()[..8]));
        let from = self.folder.clone();
        let to = aside.clone();
        on_a_thread(move || move_files(&from, &to)).await?;
        *writer = Writer { at: Place::start(), file: None, is_torn: false };
        tracing::error!(
            missing,
            folder = %aside.display(),
            "the database went on without entries that the second path has: a new epoch begins, the copy was set aside"
        );
        Ok(Brought::Apart { missing, folder: aside })
    }

    /// How many entries of the copy the journal does not have, and the epochs that were begun in them.
    async fn lost(&self, db: &Db) -> Result<(u64, Vec<CentralEpoch>), SecondPathError> {
        let mut lost = 0;
        let mut epochs = Vec::new();
        for file in segment::list(&self.folder)?.into_iter().rev() {
            let read = on_a_thread(move || segment::read(&file)).await?;
            for record in read.records.into_iter().rev() {
                let id = record.id;
                if db.read(move |tx| journal::stands(tx, id)).await? {
                    return Ok((lost, epochs));
                }
                lost += 1;
                if let Ok(EntryBody::Act(taken)) = cbor::decode(&record.body) {
                    match taken.act {
                        Act::EpochBegun(epoch) => epochs.push(epoch),
                        Act::ClubFounded(founded) => epochs.push(founded.epoch),
                        _ => {}
                    }
                }
            }
        }
        Ok((lost, epochs))
    }
}

/// The records after an entry; none if the copy does not have it.
fn after(folder: &Path, newest: EntryId) -> Result<Option<Vec<Record>>, SecondPathError> {
    let mut tail = Vec::new();
    for file in segment::list(folder)?.into_iter().rev() {
        let mut records = segment::read(&file)?.records;
        let found = records.iter().position(|record| record.id == newest);
        let later = records.split_off(found.map_or(0, |index| index + 1));
        tail.splice(0..0, later);
        if found.is_some() {
            return Ok(Some(tail));
        }
    }
    Ok(None)
}

fn move_files(from: &Path, to: &Path) -> Result<(), SecondPathError> {
    create_folder(to)?;
    for file in segment::list(from)? {
        if let Some(name) = file.file_name() {
            std::fs::rename(&file, to.join(name))
                .map_err(|source| SecondPathError::io("set aside", &file, source))?;
        }
    }
    Ok(())
}

/// Disks may be slow; what waits for one may not hold up the rest of the service.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecondPathError> + Send + 'static,
) -> Result<T, SecondPathError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::from(DbError::Panicked))?
}
