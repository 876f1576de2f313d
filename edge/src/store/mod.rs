//! What the terminal keeps: its journal, and the directory that the centre lets it know.
//!
//! `journal.db` is the only copy of what happened until the centre has it. [`Store`] is the handle to its one
//! connection, shared behind a lock: one writer, and only it checkpoints. `directory.db` can always be fetched again;
//! [`Directory`] is its handle.
//!
//! Invariants: nothing is answered before its commit is on the disk; a file that is not ours is never written to; a
//! connection that met an I/O error commits nothing any more.
//! Out of scope: deciding, sending, showing.

mod appending;
mod batch;
mod blocks;
mod codes;
mod directory;
mod error;
mod found;
mod handle;
mod journal;
mod leases;
mod lifecycle;
mod names;
mod notices;
mod open;
mod paper;
mod practice;
mod queue;
mod room;
mod setup;
mod snapshot;
mod tablets;
mod taps;
mod totals;
mod values;

pub use appending::{Appended, NewFact};
pub use batch::{BATCH_LINES_MAX, BatchLine, Listed};
pub use directory::{About, Directory, Known, Small};
pub use error::StoreError;
pub use handle::Store;
pub use journal::{Attended, Journal, RecentTap};
pub use leases::{Allowance, LeaseEnd, LeaseTaken};
pub use lifecycle::{BootInfo, Booting, asides};
pub use names::NameKey;
pub use notices::OpenNotice;
pub use practice::{PRACTICE_FILE, forget_practice};
pub use queue::{JournalState, Receipted, StoredFact, read_anchor, read_facts, read_state, read_whole};
pub use snapshot::SnapshotBuilder;
pub use tablets::TabletRow;
pub use totals::Closing;
pub use values::{ValueFact, ValueKind};

/// Name of the journal's file in the data folder.
pub const JOURNAL_FILE: &str = "journal.db";
/// Name of the directory's file in the data folder.
pub const DIRECTORY_FILE: &str = "directory.db";

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
