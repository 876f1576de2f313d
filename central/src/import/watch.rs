//! How far an import is, and whether it is to stop: what the one who performs it and the one who looks at it share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    rows: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Watch {
    /// So many more rows are written for good.
    pub fn did(&self, rows: usize) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows that are written for good.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Asks it to stop before the next rows are written.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it is to stop.
    #[must_use]
    pub fn is_to_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
