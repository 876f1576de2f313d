//! Whether the terminal is ready to go offline.

use hufu_shared::time::Instant;
use serde::Serialize;

/// Part by part, and what nobody watches meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ReadinessView {
    /// Part by part.
    pub parts: Vec<ReadyPart>,
    /// Rules that only the centre enforces, as words.
    pub unenforced: Vec<&'static str>,
    /// Until when members and cards last; none before the first directory.
    pub until: Option<Instant>,
}

/// One part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReadyPart {
    /// What, as a word.
    pub item: &'static str,
    /// `ready`, `look` or `bad`.
    pub grade: &'static str,
    /// Until when, where it runs out.
    pub until: Option<Instant>,
}
