//! What goes into the journal, and what it answers.

use hufu_shared::fact::{Event, Shown};
use hufu_shared::ids::{FactId, Hash, OperatorId};
use hufu_shared::time::{ClockQuality, Instant};
use hufu_shared::wire::version::Version;

use crate::rules::timekeeping::Now;

/// A fact to be appended; the journal adds its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFact {
    /// What the wall clock claimed.
    pub wall: Instant,
    /// Nanoseconds since the daemon started.
    pub mono_ns: u64,
    /// How far the claim is trusted.
    pub clock: ClockQuality,
    /// Directory that the decision used.
    pub directory: Version,
    /// Scheme version that the decision used.
    pub scheme: u32,
    /// Who was signed in.
    pub operator: Option<OperatorId>,
    /// What people are about to be shown.
    pub shown: Shown,
    /// The rule that computed a value.
    pub rule: Option<String>,
    /// What happened.
    pub event: Event,
    /// What only the centre may read.
    pub sealed: Option<Vec<u8>>,
}

impl NewFact {
    /// A fact about the terminal itself, that nothing is shown for.
    #[must_use]
    pub fn of_terminal(event: Event, directory: Version, now: &Now) -> Self {
        Self {
            wall: now.wall,
            mono_ns: now.mono_ns,
            clock: now.quality,
            directory,
            scheme: 0,
            operator: None,
            shown: Shown::Nothing,
            rule: None,
            event,
            sealed: None,
        }
    }
}

/// A fact that is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its name; none for a refusal whose window is still open.
    pub id: Option<FactId>,
    /// Chain hash after it, or the head before it if it has no place yet.
    pub hash: Hash,
    /// How often it happened so far; above 1 for counted refusals only.
    pub count: u32,
}
