//! What the commands know of journals beside the current one, and of queues that left on a stick.
//!
//! A new enrolment leaves the journal before it beside its own; what is in it still goes to the centre, for a person to
//! look through. Of a queue that was exported the command notes how far it went, in a small file beside the journal: the
//! daemon owns the journal itself, and sends on until it has a receipt whatever the note says.
//! Out of scope: setting journals aside, and sending them.

use std::path::{Path, PathBuf};

use crate::store::{JournalState, asides, read_state};
use crate::sync::files::{self, FileError, Step};

/// A journal set aside that holds facts without a receipt.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) path: PathBuf,
    pub(super) state: JournalState,
}

/// Those with facts that the centre has not acknowledged, by name. What cannot be read is not listed: `queue list` on it
/// says why.
pub(super) fn unacknowledged(data_dir: &Path) -> Vec<Aside> {
    let read = |path: PathBuf| read_state(&path).ok().map(|state| Aside { path, state });
    asides(data_dir).into_iter().filter_map(read).filter(|aside| aside.state.queue_len() > 0).collect()
}

fn note_path(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".stick");
    PathBuf::from(name)
}

/// Notes that the queue of a journal left on a stick, up to `seq`.
pub(super) fn note_handed_over(journal: &Path, epoch: u32, seq: u64) -> Result<(), FileError> {
    let (path, text) = (note_path(journal), format!("{epoch} {seq}\n"));
    let folder = journal.parent().unwrap_or_else(|| Path::new(".")).to_owned();
    let waiting = path.with_extension("stick.new");
    files::perform(&[
        Step::Write(waiting.clone(), text.into_bytes()),
        Step::Rename(waiting, path),
        Step::SyncFolder(folder),
    ])
}

/// The seq up to which the queue left on a stick, while facts up to there have no receipt.
pub(super) fn handed_over(journal: &Path, state: &JournalState) -> Option<u64> {
    let text = std::fs::read_to_string(note_path(journal)).ok()?;
    let (epoch, seq) = text.trim().split_once(' ')?;
    let (epoch, seq): (u32, u64) = (epoch.parse().ok()?, seq.parse().ok()?);
    (epoch == state.epoch && seq > state.acked_seq).then_some(seq)
}
