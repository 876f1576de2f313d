//! What can go wrong with the terminal's files. Callers react to few kinds; everything else is for people to read.

use std::path::{Path, PathBuf};

use hufu_shared::ids::{ClubId, DeviceId, LeaseId};

/// A file of the terminal cannot be used, or a step on it failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refuses.
    #[error("{step} {}: {source}", path.display())]
    Io {
        /// What was tried.
        step: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refuses.
    #[error("{step} in {}: {source}", path.display())]
    Sqlite {
        /// What was tried.
        step: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file is not a database of ours. It was not touched.
    #[error("{} is not a Hufu {expected}: {met}; it was left as it is. Move it aside to go on", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        met: String,
    },
    /// A newer program wrote the file. It was not touched.
    #[error(
        "{} was written by a newer version (format {met}, this program knows up to {known}); it was left as it \
         is. Install the newer version", path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Format met.
        met: i64,
        /// Newest format known.
        known: i64,
    },
    /// The journal is another device's. It was not touched.
    #[error(
        "{} is the journal of device {met}, but this terminal is device {own}; it was left as it is. Move the \
         data folder of the other device away", path.display()
    )]
    OtherDevice {
        /// Which file.
        path: PathBuf,
        /// Whose journal it is.
        met: DeviceId,
        /// Who this terminal is.
        own: DeviceId,
    },
    /// The journal is of a later enrolment than the identity.
    #[error("{} is of enrolment {met}, but the identity is of enrolment {own}", path.display())]
    LaterEpoch {
        /// Which file.
        path: PathBuf,
        /// Enrolment of the journal.
        met: u32,
        /// Enrolment of the identity.
        own: u32,
    },
    /// The directory is another club's.
    #[error("directory of club {met} refused: this terminal belongs to club {own}")]
    OtherClub {
        /// Whose directory it is.
        met: ClubId,
        /// Whose terminal this is.
        own: ClubId,
    },
    /// The content contradicts itself.
    #[error("{} is damaged: {detail}. It was kept; nothing new is recorded in it", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A snapshot does not add up to what its manifest says.
    #[error("snapshot refused: {detail}")]
    Snapshot {
        /// What was met and what was expected.
        detail: String,
    },
    /// A fact does not fit the lease that it names; nothing was recorded. A defect of this program.
    #[error("{}: the fact does not fit generation {generation} of lease {lease}", path.display())]
    Lease {
        /// Which file.
        path: PathBuf,
        /// Which lease.
        lease: LeaseId,
        /// Its generation.
        generation: u32,
    },
    /// The disk is full.
    #[error("{step} in {}: the disk is full", path.display())]
    Full {
        /// What was tried.
        step: &'static str,
        /// Which file.
        path: PathBuf,
    },
    /// A step on the journal failed earlier in a way that leaves its state unknown; the program must start again.
    #[error("the journal failed earlier and must be opened anew: {detail}")]
    Failed {
        /// What had happened.
        detail: String,
    },
}

impl StoreError {
    /// Names file and step of a SQLite error.
    pub(super) fn sqlite(path: &Path, step: &'static str, source: rusqlite::Error) -> Self {
        if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
            return Self::Full { step, path: path.to_owned() };
        }
        Self::Sqlite { step, path: path.to_owned(), source }
    }

    pub(super) fn io(path: &Path, step: &'static str, source: std::io::Error) -> Self {
        Self::Io { step, path: path.to_owned(), source }
    }

    /// Whether the disk is full, which staff can do something about.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Whether what the file holds can no longer be relied on, as opposed to a step that may succeed later.
    pub(super) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        match self {
            Self::Damaged { .. } => true,
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(Code::SystemIoFailure | Code::DatabaseCorrupt | Code::NotADatabase)
            ),
            _ => false,
        }
    }

    /// Whether another connection held the file for longer than was waited for.
    pub(super) fn is_busy(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        let Self::Sqlite { source, .. } = self else { return false };
        matches!(source.sqlite_error_code(), Some(Code::DatabaseBusy | Code::DatabaseLocked))
    }

    /// Whether the state on the disk is unknown after it, so that the connection must not be used on. A commit that
    /// failed in the middle of a sync may or may not be there; trying again could tell a lie.
    pub(super) fn is_fatal(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        let Self::Sqlite { source, .. } = self else { return false };
        matches!(
            source.sqlite_error_code(),
            Some(Code::SystemIoFailure | Code::DatabaseCorrupt | Code::NotADatabase | Code::CannotOpen)
        )
    }
}

/// Attaches file and step to a SQLite result.
pub(super) trait Step<T> {
    fn step(self, path: &Path, step: &'static str) -> Result<T, StoreError>;
}

impl<T> Step<T> for rusqlite::Result<T> {
    fn step(self, path: &Path, step: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::sqlite(path, step, source))
    }
}
