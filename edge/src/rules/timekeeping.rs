//! How far the wall clock is trusted, and which time decisions are made with.
//!
//! A terminal may start at 1970, jump ten years ahead or step back an hour in the middle of a swipe. Three times are
//! kept apart: the **monotonic** time orders everything and never errs; the **claim** is what the wall clock says, and
//! goes into facts whatever it says; the **trusted** time is what expiry and opening hours are judged by. Trusted time
//! runs on the monotonic clock from an anchor: the centre's time if it was heard in this boot, else the wall clock at
//! start if that was plausible, else the persisted floor.
//!
//! Invariants: trusted time never goes back within a boot except by word of the centre, and then not for a mere delay;
//! it is never below the floor. The floor itself follows the centre or the monotonic clock, never the wall clock: a wrong
//! wall clock ends with the boot, a wrong floor would last.
//! Out of scope: setting the system's clock.

use hufu_shared::time::{ClockQuality, DAY_US, Instant, SECOND_US};

/// Wall clocks that stand further ahead of the floor than this at start are not believed, in days: a terminal that
/// was off for longer is rarer than a clock that jumped.
pub const AHEAD_DAYS_MAX: i64 = 400;
/// A difference between wall and monotonic clock from which a step is recorded, in microseconds.
pub const STEP_MIN_US: i64 = 2 * SECOND_US;

/// A word of the centre that is late by no more than this may be a delayed answer, in microseconds.
pub const LATE_MAX_US: i64 = 60 * SECOND_US;
/// A monotonic clock errs by less than one part in so many.
const DRIFT_MAX_PARTS: i64 = 2_000;

/// One moment on all clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// What the wall clock claims; the trusted time once the centre's is known. Goes into facts.
    pub wall: Instant,
    /// Nanoseconds since the daemon started.
    pub mono_ns: u64,
    /// How far the claim is trusted.
    pub quality: ClockQuality,
    /// What decisions and displays use.
    pub trusted: Instant,
    /// The latest time that is certain to be past, zero for none: only this is persisted as the floor.
    pub floor: Instant,
}

/// How long the machine has been up, on a clock that goes on while this program is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uptime {
    /// Names this start of the machine.
    pub boot: String,
    /// Nanoseconds for which it was up when this program's monotonic time began.
    pub before_ns: u64,
}

impl Uptime {
    /// From the name of the machine's start and what Linux writes of its uptime; none if that cannot be read. `mono_ns`
    /// is this program's monotonic time at that moment.
    #[must_use]
    pub fn of(boot: &str, uptime: &str, mono_ns: u64) -> Option<Self> {
        // Seconds with two decimals, then what the processors idled.
        let (whole, part) = uptime.split_whitespace().next()?.split_once('.')?;
        let (seconds, hundredths): (u64, u64) = (whole.parse().ok()?, part.get(..2)?.parse().ok()?);
        let up_ns = seconds.checked_mul(1_000_000_000)?.checked_add(hundredths * 10_000_000)?;
        Some(Self { boot: boot.trim().to_owned(), before_ns: up_ns.saturating_sub(mono_ns) })
    }

    /// Nanoseconds for which the machine is up at this program's monotonic time.
    #[must_use]
    pub fn at(&self, mono_ns: u64) -> u64 {
        self.before_ns.saturating_add(mono_ns)
    }
}

/// The keeper of the three times.
#[derive(Debug, Clone)]
pub struct Timekeeper {
    anchor: (Instant, u64),
    /// The persisted floor, and when it was read.
    floor: (Instant, u64),
    quality: ClockQuality,
    /// Wall minus monotonic when last looked at, to find steps.
    drift_us: i64,
    /// The centre's clock minus the wall clock, as last learned.
    offset_us: Option<i64>,
}

fn mono_us(mono_ns: u64) -> i64 {
    i64::try_from(mono_ns / 1_000).unwrap_or(i64::MAX)
}

impl Timekeeper {
    /// At the start of the daemon. `floor` is the latest time that was ever persisted, zero for none.
    #[must_use]
    pub fn start(wall: Instant, mono_ns: u64, floor: Instant) -> Self {
        let ahead_max = floor.offset(AHEAD_DAYS_MAX * DAY_US);
        let plausible = wall >= floor && (floor.0 == 0 || wall <= ahead_max);
        // Without any floor a clock near 1970 is still a clock that was never set.
        let set = wall.0 > 365 * DAY_US;
        let (from, quality) = if plausible && set {
            (wall, ClockQuality::Kept)
        } else {
            (floor.max(Instant(0)), ClockQuality::Floor)
        };
        Self {
            anchor: (from, mono_ns),
            floor: (floor, mono_ns),
            quality,
            drift_us: wall.0.saturating_sub(mono_us(mono_ns)),
            offset_us: None,
        }
    }

    /// The moment at which wall and monotonic clock were just read.
    #[must_use]
    pub fn now(&self, wall: Instant, mono_ns: u64) -> Now {
        let elapsed = mono_us(mono_ns.saturating_sub(self.anchor.1));
        let trusted = self.anchor.0.offset(elapsed);
        let wall = if self.quality == ClockQuality::Synced { trusted } else { wall };
        Now { wall, mono_ns, quality: self.quality, trusted, floor: self.floor_at(trusted, mono_ns) }
    }

    fn floor_at(&self, trusted: Instant, mono_ns: u64) -> Instant {
        let (floor, read_ns) = self.floor;
        match self.quality {
            ClockQuality::Synced => trusted,
            // Without a floor nothing is certain, and a few seconds after 1970 would only look like one.
            _ if floor.0 == 0 => floor,
            _ => floor.offset(mono_us(mono_ns.saturating_sub(read_ns))).min(trusted),
        }
    }

    /// Takes the centre's clock, as heard at `mono_ns`. An answer can only be late, never early: what seems to set the
    /// clock back a little is most likely a delay, and is followed no faster than a clock may drift.
    pub fn learn(&mut self, centre: Instant, wall: Instant, mono_ns: u64) {
        let predicted = self.now(wall, mono_ns).trusted;
        let behind = predicted.since(centre);
        let mut set_to = centre;
        if self.quality == ClockQuality::Synced && behind > 0 && behind <= LATE_MAX_US {
            let elapsed = mono_us(mono_ns.saturating_sub(self.anchor.1));
            set_to = predicted.offset(-behind.min(elapsed / DRIFT_MAX_PARTS));
        }
        self.anchor = (set_to, mono_ns);
        self.quality = ClockQuality::Synced;
        self.offset_us = Some(set_to.since(wall));
    }

    /// Compares the wall clock with the monotonic one. Returns by how much the wall clock was stepped since the last
    /// look, if it was.
    pub fn observe(&mut self, wall: Instant, mono_ns: u64) -> Option<i64> {
        let drift = wall.0.saturating_sub(mono_us(mono_ns));
        let step = drift.saturating_sub(self.drift_us);
        if step.abs() < STEP_MIN_US {
            // Slow slewing is how a clock is kept right; it is followed, not recorded.
            self.drift_us = drift;
            return None;
        }
        self.drift_us = drift;
        if let Some(offset) = &mut self.offset_us {
            *offset = offset.saturating_sub(step);
        }
        let trusted = self.now(wall, mono_ns).trusted;
        match self.quality {
            ClockQuality::Synced => {}
            // A clock that is put forward to a plausible time was set by someone, most likely by NTP.
            ClockQuality::Kept | ClockQuality::Floor
                if wall >= trusted && wall <= trusted.offset(AHEAD_DAYS_MAX * DAY_US) =>
            {
                self.anchor = (wall, mono_ns);
                self.quality = ClockQuality::Kept;
            }
            ClockQuality::Kept | ClockQuality::Floor => self.quality = ClockQuality::Floor,
        }
        Some(step)
    }

    /// The centre's clock minus the wall clock, in microseconds, if it was heard in this boot.
    #[must_use]
    pub fn offset_us(&self) -> Option<i64> {
        self.offset_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND_NS: u64 = 1_000_000_000;
    const HOUR_US: i64 = 3_600 * SECOND_US;
    /// 2026-11-22 00:00 UTC.
    const TODAY: Instant = Instant(1_795_305_600 * SECOND_US);

    #[test]
    fn the_machines_uptime_is_read_from_what_linux_writes() {
        let uptime = Uptime::of("ab-cd\n", "15780.25 9000.11\n", 250_000_000).expect("readable");
        assert_eq!((uptime.boot.as_str(), uptime.before_ns), ("ab-cd", 15_780_000_000_000));
        assert_eq!(uptime.at(1_000_000_000), 15_781_000_000_000);
        assert_eq!(Uptime::of("a", "soon", 0), None);
        assert_eq!(Uptime::of("a", "99999999999999999999.00 1", 0), None);
    }

    #[test]
    fn case_25_a_clock_at_1970_uses_the_floor_and_is_corrected_by_the_centre() {
        let start = Instant(7 * SECOND_US);
        let mut keeper = Timekeeper::start(start, 0, TODAY);
        let now = keeper.now(start.offset(SECOND_US), SECOND_NS);
        assert_eq!(now.quality, ClockQuality::Floor);
        assert_eq!(now.trusted, TODAY.offset(SECOND_US), "judged by the floor, running on");
        assert_eq!(now.wall, start.offset(SECOND_US), "the claim is kept whatever it says");
        let centre = TODAY.offset(HOUR_US);
        keeper.learn(centre, start.offset(2 * SECOND_US), 2 * SECOND_NS);
        let after = keeper.now(start.offset(3 * SECOND_US), 3 * SECOND_NS);
        assert_eq!((after.quality, after.trusted), (ClockQuality::Synced, centre.offset(SECOND_US)));
        assert_eq!(after.wall, after.trusted);
    }

    #[test]
    fn case_25_without_a_floor_a_clock_that_was_never_set_is_not_believed() {
        let keeper = Timekeeper::start(Instant(5), 0, Instant(0));
        assert_eq!(keeper.now(Instant(5), 0).quality, ClockQuality::Floor);
        assert_eq!(Timekeeper::start(TODAY, 0, Instant(0)).now(TODAY, 0).quality, ClockQuality::Kept);
    }

    #[test]
    fn case_26_a_jump_of_ten_years_moves_no_decision() {
        let ahead = TODAY.offset(3_650 * DAY_US);
        // While running: the step is recorded, trusted time runs on.
        let mut keeper = Timekeeper::start(TODAY, 0, TODAY.offset(-HOUR_US));
        assert_eq!(keeper.observe(ahead, SECOND_NS), Some(ahead.since(TODAY) - SECOND_US));
        let now = keeper.now(ahead, SECOND_NS);
        assert_eq!((now.trusted, now.quality), (TODAY.offset(SECOND_US), ClockQuality::Floor));
        assert_eq!(now.wall, ahead, "the claim is kept");
        // At start: not believed.
        let keeper = Timekeeper::start(ahead, 0, TODAY);
        assert_eq!(keeper.now(ahead, 0).trusted, TODAY);
    }

    #[test]
    fn case_26_a_good_step_forward_keeps_an_offline_terminal_as_it_was() {
        let mut keeper = Timekeeper::start(TODAY, 0, TODAY.offset(-HOUR_US));
        let stepped = TODAY.offset(10 * 60 * SECOND_US);
        assert!(keeper.observe(stepped, 0).is_some());
        let now = keeper.now(stepped.offset(SECOND_US), SECOND_NS);
        assert_eq!((now.quality, now.trusted), (ClockQuality::Kept, stepped.offset(SECOND_US)));
    }

    #[test]
    fn case_26_a_clock_that_is_ahead_moves_the_floor_no_faster_than_time_goes() {
        let ahead = TODAY.offset(100 * DAY_US);
        let mut keeper = Timekeeper::start(ahead, 0, TODAY);
        assert_eq!(keeper.now(ahead, 0).quality, ClockQuality::Kept);
        assert_eq!(keeper.now(ahead, 7 * SECOND_NS).floor, TODAY.offset(7 * SECOND_US));
        keeper.learn(TODAY.offset(HOUR_US), ahead, 8 * SECOND_NS);
        assert_eq!(keeper.now(ahead, 8 * SECOND_NS).floor, TODAY.offset(HOUR_US));
        // Before the first word of the centre there is none.
        assert_eq!(Timekeeper::start(TODAY, 0, Instant(0)).now(TODAY, SECOND_NS).floor, Instant(0));
    }

    #[test]
    fn case_27_a_step_back_of_an_hour_is_recorded_and_trusted_time_goes_on() {
        let mut keeper = Timekeeper::start(TODAY, 0, Instant(0));
        let before = keeper.now(TODAY.offset(10 * SECOND_US), 10 * SECOND_NS);
        assert_eq!(keeper.observe(TODAY.offset(11 * SECOND_US - HOUR_US), 11 * SECOND_NS), Some(-HOUR_US));
        let after = keeper.now(TODAY.offset(12 * SECOND_US - HOUR_US), 12 * SECOND_NS);
        assert_eq!(after.trusted.since(before.trusted), 2 * SECOND_US);
        assert!(after.mono_ns > before.mono_ns);
    }

    #[test]
    fn a_delayed_answer_of_the_centre_does_not_set_the_clock_back() {
        let mut keeper = Timekeeper::start(TODAY, 0, Instant(0));
        keeper.learn(TODAY, TODAY, 0);
        // Twenty seconds on, an answer that was stamped twenty seconds ago.
        let wall = TODAY.offset(20 * SECOND_US);
        keeper.learn(TODAY, wall, 20 * SECOND_NS);
        let behind = wall.since(keeper.now(wall, 20 * SECOND_NS).trusted);
        assert!((0..=10_000).contains(&behind), "moved by {behind} us");
        // One that is ahead is followed at once, and so is a centre whose clock really was set back.
        keeper.learn(TODAY.offset(30 * SECOND_US), wall, 20 * SECOND_NS);
        assert_eq!(keeper.now(wall, 20 * SECOND_NS).trusted, TODAY.offset(30 * SECOND_US));
        keeper.learn(TODAY.offset(-HOUR_US), wall, 20 * SECOND_NS);
        assert_eq!(keeper.now(wall, 20 * SECOND_NS).trusted, TODAY.offset(-HOUR_US));
    }

    #[test]
    fn a_step_after_the_centre_was_heard_changes_nothing_but_the_known_offset() {
        let mut keeper = Timekeeper::start(TODAY, 0, Instant(0));
        keeper.learn(TODAY.offset(5 * SECOND_US), TODAY, 0);
        assert_eq!(keeper.offset_us(), Some(5 * SECOND_US));
        assert!(keeper.observe(TODAY.offset(HOUR_US), 0).is_some());
        assert_eq!(keeper.now(TODAY.offset(HOUR_US), 0).quality, ClockQuality::Synced);
        assert_eq!(keeper.offset_us(), Some(5 * SECOND_US - HOUR_US));
    }

    proptest! {
        #[test]
        fn case_27_trusted_time_never_goes_back_without_the_centre(
            steps in proptest::collection::vec((0u64..100, -100_000i64..100_000), 1..40),
        ) {
            let mut keeper = Timekeeper::start(TODAY, 0, TODAY);
            let (mut mono_ns, mut offset, mut last) = (0, 0, TODAY);
            for (seconds, step_s) in steps {
                mono_ns += seconds * SECOND_NS;
                offset += step_s * SECOND_US;
                let wall = TODAY.offset(mono_us(mono_ns) + offset);
                keeper.observe(wall, mono_ns);
                let trusted = keeper.now(wall, mono_ns).trusted;
                prop_assert!(trusted >= last);
                last = trusted;
            }
        }
    }
}
