//! Journals of earlier enrolments, which a new enrolment leaves beside its own: nobody uploads what is in them.
//!
//! Out of scope: setting them aside, which the store does at the first start after an enrolment.

use std::path::{Path, PathBuf};

use crate::store::{JOURNAL_FILE, JournalState, read_state};

/// A journal set aside that holds facts without a receipt.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) path: PathBuf,
    pub(super) state: JournalState,
}

/// Those with facts that the centre has not acknowledged, by name. What cannot be read is not listed: `queue list` on it
/// says why.
pub(super) fn unacknowledged(data_dir: &Path) -> Vec<Aside> {
    let start = format!("{JOURNAL_FILE}.epoch-");
    let is_aside = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        let epoch = name.and_then(|name| name.strip_prefix(&start));
        epoch.is_some_and(|epoch| epoch.parse::<u32>().is_ok())
    };
    let entries = std::fs::read_dir(data_dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<Aside> = entries
        .filter(is_aside)
        .filter_map(|path| read_state(&path).ok().map(|state| Aside { path, state }))
        .filter(|aside| aside.state.queue_len() > 0)
        .collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}
