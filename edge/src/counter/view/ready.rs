//! Whether the terminal is ready to go offline.

use hufu_shared::time::Instant;
use hufu_shared::wire::readiness::{Part, Readiness, Unenforced};
use serde::Serialize;

/// Part by part, and what nobody watches meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ReadinessView {
    /// Part by part.
    pub parts: Vec<Part>,
    /// Rules that only the centre enforces.
    pub unenforced: Vec<Unenforced>,
    /// Until when members and cards last; none before the first directory.
    pub until: Option<Instant>,
}

impl From<&ReadinessView> for Readiness {
    fn from(view: &ReadinessView) -> Self {
        Self { parts: view.parts.clone(), unenforced: view.unenforced.clone() }
    }
}

impl From<Readiness> for ReadinessView {
    fn from(ready: Readiness) -> Self {
        Self { until: ready.until(), parts: ready.parts, unenforced: ready.unenforced }
    }
}
