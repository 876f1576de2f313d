//! The only reader of time.
//!
//! [`SystemClock`] reads the machine's clocks; [`Clock`] joins a source of readings with the pure
//! [`Timekeeper`], so that tests and the simulator hand in readings of their own.

use std::sync::{Arc, Mutex, PoisonError};

use hufu_hardware::card::MonotonicClock;
use hufu_shared::time::Instant;

use crate::rules::timekeeping::{Now, Timekeeper, Uptime};

/// Where readings come from.
pub trait Readings: Send + Sync {
    /// What the wall clock says.
    fn wall(&self) -> Instant;
    /// Nanoseconds since a start of its own; never goes back.
    fn mono_ns(&self) -> u64;
}

/// How long this machine has been up, as Linux says it; none where it says nothing. `mono_ns` is this program's
/// monotonic time now.
#[must_use]
pub fn uptime(mono_ns: u64) -> Option<Uptime> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let up = std::fs::read_to_string("/proc/uptime").ok()?;
    Uptime::of(&boot, &up, mono_ns)
}

/// The machine's own clocks; monotonic time counts from the making of this value.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// Starts counting.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this module is the one reader of time")]
    pub fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Readings for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this module is the one reader of time")]
    fn wall(&self) -> Instant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // Before 1970 there is nothing to tell; the timekeeper does not believe zero either.
        Instant(since.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
    }

    fn mono_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// The terminal's clock: readings, judged. Cheap to clone; all clones share what was learned.
#[derive(Clone)]
pub struct Clock {
    readings: Arc<dyn Readings>,
    keeper: Arc<Mutex<Timekeeper>>,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({:?})", self.now())
    }
}

impl Clock {
    /// A clock over `readings`; `floor` is the latest time ever persisted, zero for none.
    #[must_use]
    pub fn new(readings: Arc<dyn Readings>, floor: Instant) -> Self {
        let keeper = Timekeeper::start(readings.wall(), readings.mono_ns(), floor);
        Self { readings, keeper: Arc::new(Mutex::new(keeper)) }
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Now {
        // Read under the lock, so that two callers' moments are in the order of their readings.
        let keeper = self.keeper();
        keeper.now(self.readings.wall(), self.readings.mono_ns())
    }

    /// Takes the centre's clock as just heard. `round_trip_ns` is how long the exchange took: half of it is added.
    pub fn learn(&self, centre: Instant, round_trip_ns: u64) {
        let half_us = i64::try_from(round_trip_ns / 2_000).unwrap_or(0);
        let (wall, mono_ns) = (self.readings.wall(), self.readings.mono_ns());
        self.keeper().learn(centre.offset(half_us), wall, mono_ns);
    }

    /// By how many microseconds the wall clock was stepped since the last look, if it was.
    #[must_use]
    pub fn look_for_step(&self) -> Option<i64> {
        self.keeper().observe(self.readings.wall(), self.readings.mono_ns())
    }

    /// The centre's clock minus the wall clock in microseconds, if it was heard in this boot.
    #[must_use]
    pub fn offset_us(&self) -> Option<i64> {
        self.keeper().offset_us()
    }

    /// The monotonic part alone, for drivers.
    #[must_use]
    pub fn monotonic(&self) -> MonotonicClock {
        let readings = Arc::clone(&self.readings);
        MonotonicClock::new(move || readings.mono_ns())
    }

    fn keeper(&self) -> std::sync::MutexGuard<'_, Timekeeper> {
        // Every change under the lock is whole before it can panic.
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::time::ClockQuality;

    #[test]
    fn the_system_clock_runs_and_is_plausible() {
        let clock = Clock::new(Arc::new(SystemClock::start()), Instant(0));
        let (a, b) = (clock.now(), clock.now());
        assert!(b.mono_ns >= a.mono_ns && b.trusted >= a.trusted);
        assert_eq!(a.quality, ClockQuality::Kept);
        clock.learn(Instant(a.wall.0 + 60_000_000), 0);
        assert!(clock.offset_us().is_some_and(|o| (59_000_000..61_000_000).contains(&o)));
        assert_eq!(clock.now().quality, ClockQuality::Synced);
    }
}
