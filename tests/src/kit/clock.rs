//! The kit's only reader of time: waits and time limits of tests, never a rule.

use std::time::{Duration, Instant, SystemTime};

/// How long a wait sleeps between two looks.
const POLL_MS: u64 = 20;

/// Now, on the monotonic clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests measure real waits; rules take time as an argument")]
pub fn now() -> Instant {
    Instant::now()
}

/// Now, on the wall clock, as days and times in files for people are made.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "test files name today's activities; rules take time as an argument"
)]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Looks again and again until `look` gives something; `None` when `limit` has passed.
pub fn poll<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if now() >= end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(POLL_MS));
    }
}
