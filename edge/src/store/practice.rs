//! The copy of the journal on which staff practise: a file of its own, never opened as a journal, thrown away at the end.
//!
//! It begins as the journal stands, so that balances, leases and lists answer alike; nothing of it ever goes back. Sync
//! holds the journal's own handle, so it cannot even see the copy. The file carries a mark of its own: a program that
//! takes it for a journal refuses it.

use std::path::Path;

use super::error::{Step, StoreError};
use super::handle::Store;
use super::open::{PRACTICE, open_plain, remove_database};
use crate::terminal::Terminal;

/// Name of the copy's file in the data folder.
pub const PRACTICE_FILE: &str = "practice.db";

impl Store {
    /// Copies the journal as it stands to a file beside it, to practise on; what a practice before left there is gone.
    ///
    /// # Errors
    /// [`StoreError`] naming file and fault; then nothing is left of the copy.
    pub fn practise(&self, data_dir: &Path, terminal: &Terminal) -> Result<Self, StoreError> {
        let path = data_dir.join(PRACTICE_FILE);
        let made = self.copy(&path).and_then(|()| Self::open_practice(&path, terminal));
        if made.is_err() {
            forget_practice(data_dir)?;
        }
        made
    }

    fn copy(&self, path: &Path) -> Result<(), StoreError> {
        remove_database(path)?;
        self.with(|journal| {
            let Some(name) = path.to_str() else {
                let detail = std::io::Error::other("the data folder's name is not text");
                return Err(StoreError::io(path, "copy the journal to", detail));
            };
            journal.connection.execute("VACUUM INTO ?1", [name]).step(path, "copy the journal to").map(drop)
        })?;
        let connection = open_plain(path)?;
        connection.pragma_update(None, "application_id", PRACTICE.application_id).step(path, "mark")?;
        connection.close().map_err(|(_, error)| StoreError::sqlite(path, "close", error))
    }
}

/// Throws the copy away, if there is one.
///
/// # Errors
/// [`StoreError`] if the file cannot be removed.
pub fn forget_practice(data_dir: &Path) -> Result<(), StoreError> {
    remove_database(&data_dir.join(PRACTICE_FILE))
}
