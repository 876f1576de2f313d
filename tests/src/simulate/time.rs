//! Virtual time: one true clock for the run, and the clocks of its machines, which may be wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hufu_central::clock::Clock as CentreTime;
use hufu_edge::clock::Readings;
use hufu_shared::time::{Instant, SECOND_US};

/// Microseconds in a millisecond.
pub const MS: i64 = 1_000;
/// Microseconds in a second.
pub const S: i64 = SECOND_US;
/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * S;
/// Microseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;
/// Midnight of the first day of every run, in Shanghai: 2026-11-22.
pub const FIRST_DAY: i64 = 1_795_276_800 * S;

/// The true time; clones share it.
#[derive(Debug, Clone, Default)]
pub struct TrueTime(Arc<AtomicI64>);

impl TrueTime {
    /// Now, in microseconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Moves on.
    pub fn set(&self, at: i64) {
        self.0.store(at, Ordering::Relaxed);
    }
}

/// The clocks of one machine in one boot: the monotonic one never errs, the wall clock is off by `error`.
#[derive(Debug, Clone)]
pub struct MachineClock {
    /// The true time.
    pub time: TrueTime,
    /// When this boot began.
    pub booted_at: i64,
    /// Added to the true time by the wall clock, in microseconds.
    pub error: Arc<AtomicI64>,
}

impl Readings for MachineClock {
    fn wall(&self) -> Instant {
        Instant((self.time.now() + self.error.load(Ordering::Relaxed)).max(0))
    }

    fn mono_ns(&self) -> u64 {
        u64::try_from(self.time.now() - self.booted_at).unwrap_or(0) * 1_000
    }
}

impl CentreTime for TrueTime {
    fn now(&self) -> Instant {
        Instant(Self::now(self))
    }

    /// How fast this machine is must not matter: a seed replays identically.
    fn mono_us(&self) -> u64 {
        u64::try_from(Self::now(self)).unwrap_or(0)
    }
}
