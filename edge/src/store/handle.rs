//! The handle to the journal that is passed around: one connection behind one lock.
//!
//! Blocking callers (the dispatch loop, commands) use [`Store::with`]; async ones the named operations, which run on a
//! thread for blocking work. A panic while the lock was held may have left a transaction half written in memory, so the
//! handle refuses from then on and the program has to start again.

use std::path::Path;
use std::sync::{Arc, Mutex};

use hufu_shared::ids::{DeviceId, Hash};
use hufu_shared::time::Instant;
use hufu_shared::wire::updates::{BlockChange, Notice};
use hufu_shared::wire::version::{CentralEpoch, Version};
use tokio::sync::watch;

use super::error::StoreError;
use super::journal::Journal;
use super::queue::{JournalState, Receipted, StoredFact};
use crate::terminal::Terminal;

/// The journal's handle. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    journal: Arc<Mutex<Journal>>,
    last_seq: watch::Sender<u64>,
}

impl Store {
    /// Opens the terminal's journal, or begins one.
    ///
    /// # Errors
    /// [`StoreError`] naming file and fault; a file that is not this terminal's is left as it is.
    pub fn open(path: &Path, terminal: &Terminal) -> Result<Self, StoreError> {
        let journal = Journal::open(path, terminal)?;
        let (last_seq, _) = watch::channel(journal.last_seq());
        Ok(Self { journal: Arc::new(Mutex::new(journal)), last_seq })
    }

    /// Opens the journal of an earlier enrolment; see [`Journal::open_aside`].
    ///
    /// # Errors
    /// As [`Journal::open_aside`].
    pub fn open_aside(path: &Path, own: DeviceId) -> Result<Self, StoreError> {
        let journal = Journal::open_aside(path, own)?;
        let (last_seq, _) = watch::channel(journal.last_seq());
        Ok(Self { journal: Arc::new(Mutex::new(journal)), last_seq })
    }

    /// Opens a copy that was made to practise on.
    pub(super) fn open_practice(path: &Path, terminal: &Terminal) -> Result<Self, StoreError> {
        let journal = Journal::open_practice(path, terminal)?;
        let (last_seq, _) = watch::channel(journal.last_seq());
        Ok(Self { journal: Arc::new(Mutex::new(journal)), last_seq })
    }

    /// Works on the journal; blocks until it is free and the work is done.
    ///
    /// # Errors
    /// What the work returns; [`StoreError::Failed`] after a panic in earlier work.
    pub fn with<T>(&self, work: impl FnOnce(&mut Journal) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut journal = self.journal.lock().map_err(|_| StoreError::Failed {
            detail: "a thread panicked while it worked on the journal".to_owned(),
        })?;
        let result = work(&mut journal);
        let last = journal.last_seq();
        drop(journal);
        self.last_seq.send_if_modified(|seen| {
            let grew = *seen != last;
            *seen = last;
            grew
        });
        result
    }

    /// As [`Store::with`], for async callers.
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Journal) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // Without a runtime nobody else waits: a simulation runs its lanes on one thread.
        if tokio::runtime::Handle::try_current().is_err() {
            return self.with(work);
        }
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || store.with(work)).await;
        done.unwrap_or_else(|error| Err(StoreError::Failed { detail: error.to_string() }))
    }

    /// Wakes whenever facts were appended; holds the seq of the newest.
    #[must_use]
    pub fn appended(&self) -> watch::Receiver<u64> {
        self.last_seq.subscribe()
    }

    /// Where the journal stands.
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn state(&self) -> Result<JournalState, StoreError> {
        self.call(|journal| journal.state()).await
    }

    /// Facts from `from_seq` on; see [`Journal::pending`].
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn pending(
        &self,
        from_seq: u64,
        facts_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredFact>, StoreError> {
        self.call(move |journal| journal.pending(from_seq, facts_max, bytes_max)).await
    }

    /// Chain hash after a fact; see [`Journal::hash_at`].
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn hash_at(&self, seq: u64) -> Result<Option<Hash>, StoreError> {
        self.call(move |journal| journal.hash_at(seq)).await
    }

    /// Takes a verified receipt; see [`Journal::take_receipt`].
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn take_receipt(&self, receipt: Receipted) -> Result<(), StoreError> {
        self.call(move |journal| journal.take_receipt(&receipt)).await
    }

    /// Takes changes of the block list; see [`Journal::take_blocks`].
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn take_blocks(&self, changes: Vec<BlockChange>, version: Version) -> Result<(), StoreError> {
        self.call(move |journal| journal.take_blocks(&changes, version)).await
    }

    /// Takes notices; see [`Journal::take_notices`].
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn take_notices(&self, notices: Vec<Notice>) -> Result<(), StoreError> {
        self.call(move |journal| journal.take_notices(&notices)).await
    }

    /// Stores a newer epoch of the centre, before anything of it is used.
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn set_central_epoch(&self, epoch: CentralEpoch) -> Result<(), StoreError> {
        self.call(move |journal| journal.set_central_epoch(epoch)).await
    }

    /// Stores why uploading stopped, or that it goes on.
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn set_stopped(&self, why: Option<String>) -> Result<(), StoreError> {
        self.call(move |journal| journal.set_stopped(why.as_deref())).await
    }

    /// Notes that the directory was current at `at`; see [`Journal::set_directory_at`].
    ///
    /// # Errors
    /// As [`Store::with`].
    pub async fn set_directory_at(&self, at: Instant) -> Result<(), StoreError> {
        self.call(move |journal| {
            journal.set_directory_at(at);
            Ok(())
        })
        .await
    }
}
