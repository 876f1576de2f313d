//! The only reader of time.
//!
//! Rules and stores take [`Instant`] as an argument; shells ask a [`Clock`] and pass the answer on. The clock may step
//! back; that journal entries never do (received time is the maximum of the previous one and now) is the store's matter.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use hufu_shared::time::Instant;

/// Where monotonic time is counted from.
static BEGAN: LazyLock<tokio::time::Instant> = LazyLock::new(tokio::time::Instant::now);

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970-01-01 00:00 UTC, as the machine claims them.
    fn now(&self) -> Instant;

    /// Microseconds since some moment of this run, which no step of the wall clock moves: what lasts is measured by it.
    fn mono_us(&self) -> u64 {
        u64::try_from(BEGAN.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Instant {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
        };
        Instant(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_past_the_day_this_was_written() {
        assert!(SystemClock.now() > Instant(1_763_000_000_000_000));
    }
}
