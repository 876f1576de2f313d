//! How much a terminal may send next and when, from what uploads have taken lately; and what one terminal may ask for.
//!
//! The centre spreads a storm: whoever has more to send is told to come back when those in front of it are done, at the
//! pace measured. Each terminal has a bucket of its own, so that one of them, broken or wicked, slows nobody else.

use hufu_shared::wire::upload::BATCH_FACTS_MAX;

/// Milliseconds that one upload should take at most; a slower centre asks for smaller batches.
const UPLOAD_TARGET_MS: u64 = 250;
/// Facts in a batch at least, however slow the centre is: smaller ones cost more than they spread.
const CREDIT_FACTS_MIN: u64 = 50;
/// Milliseconds that a terminal with more to send is asked to wait at most.
pub const NEXT_POLL_MS_MAX: u64 = 60_000;
/// Time of an upload before any was measured, microseconds.
const UPLOAD_GUESS_US: u64 = 20_000;
/// The newest measurement counts one part in so many.
const MEAN_PARTS: u64 = 8;

/// Milliseconds asked of a terminal that is turned away, at least.
const RETRY_AFTER_MS_MIN: u64 = 1_000;
/// The same at most, while its oldest fact is younger than [`OLD_QUEUE_AGE_S`].
const RETRY_AFTER_MS_MAX: u64 = 300_000;
/// The same at most, for an older queue.
pub const RETRY_AFTER_OLD_QUEUE_MS_MAX: u64 = 60_000;
/// Age of the oldest waiting fact from which a queue counts as old, in seconds.
pub const OLD_QUEUE_AGE_S: i64 = 3_600;

/// What a terminal may have taken of the centre before it must wait, in units: [`upload_cost`].
const METER_UNITS_MAX: i64 = 30_000;
/// Units that a terminal gets back each second: some ten times what a busy one needs.
const METER_UNITS_PER_S: i64 = 5_000;
/// Units of an upload beside its facts.
const METER_UPLOAD_UNITS: i64 = 10;

/// What uploads have taken lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// Mean time of an upload, microseconds; 0 before the first.
    upload_us: u64,
    /// Mean time of a fact, microseconds.
    fact_us: u64,
}

impl Pace {
    /// Takes a finished upload into the means.
    pub fn learn(&mut self, facts: usize, took_us: u64) {
        let fact_us = took_us / (facts.max(1) as u64);
        if self.upload_us == 0 {
            (self.upload_us, self.fact_us) = (took_us.max(1), fact_us);
            return;
        }
        let mean = |known: u64, new: u64| (known * (MEAN_PARTS - 1) + new) / MEAN_PARTS;
        (self.upload_us, self.fact_us) = (mean(self.upload_us, took_us).max(1), mean(self.fact_us, fact_us));
    }

    /// Facts that one upload should have at most.
    #[must_use]
    pub fn facts_max(&self) -> u32 {
        let facts = (UPLOAD_TARGET_MS * 1_000).checked_div(self.fact_us).unwrap_or(u64::MAX);
        u32::try_from(facts.clamp(CREDIT_FACTS_MIN, BATCH_FACTS_MAX as u64)).unwrap_or(u32::MAX)
    }

    /// Microseconds from one upload's end to the next while `at_once` are worked on.
    fn gap_us(&self, at_once: usize) -> u64 {
        let upload_us = if self.upload_us == 0 { UPLOAD_GUESS_US } else { self.upload_us };
        (upload_us / (at_once.max(1) as u64)).max(1)
    }
}

/// The times that were promised to terminals: one after the other at the pace measured, so that those who were turned
/// away together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slots {
    next_us: u64,
}

impl Slots {
    /// Whether somebody was promised a time that is still to come.
    #[must_use]
    pub fn is_ahead(&self, now_us: u64) -> bool {
        self.next_us > now_us
    }

    /// Promises the next time, behind `in_front` uploads that are here already; microseconds until then.
    pub fn take(&mut self, pace: &Pace, (in_front, at_once): (usize, usize), now_us: u64) -> u64 {
        let gap_us = pace.gap_us(at_once);
        let here_us = gap_us.saturating_mul(in_front as u64);
        self.next_us = self.next_us.max(now_us.saturating_add(here_us)).saturating_add(gap_us);
        // Nobody is asked to wait longer than this, so nothing beyond is promised either.
        self.next_us = self.next_us.min(now_us.saturating_add(RETRY_AFTER_MS_MAX * 1_000));
        self.next_us - now_us
    }
}

/// Milliseconds for which a terminal that is turned away is asked to wait; `queue_age_s` is the age of its oldest waiting
/// fact.
#[must_use]
pub fn retry_after_ms(wait_us: u64, queue_age_s: i64) -> u64 {
    let at_most =
        if queue_age_s >= OLD_QUEUE_AGE_S { RETRY_AFTER_OLD_QUEUE_MS_MAX } else { RETRY_AFTER_MS_MAX };
    (wait_us / 1_000).clamp(RETRY_AFTER_MS_MIN, at_most)
}

/// Units of an upload.
#[must_use]
pub fn upload_cost(facts: usize) -> i64 {
    METER_UPLOAD_UNITS.saturating_add(i64::try_from(facts).unwrap_or(i64::MAX))
}

/// What one terminal has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    units: i64,
    /// When that was, microseconds on any clock that runs forward.
    at_us: u64,
}

impl Meter {
    /// A full one.
    #[must_use]
    pub fn full(at_us: u64) -> Self {
        Self { units: METER_UNITS_MAX, at_us }
    }

    /// Milliseconds that the terminal must wait before its next upload; 0 if it need not.
    pub fn wait_ms(&mut self, now_us: u64) -> u64 {
        self.refill(now_us);
        let missing = self.units.min(0).unsigned_abs();
        missing.saturating_mul(1_000).div_ceil(METER_UNITS_PER_S.unsigned_abs())
    }

    /// Takes the units of an upload.
    pub fn take(&mut self, units: i64, now_us: u64) {
        self.refill(now_us);
        self.units = self.units.saturating_sub(units);
    }

    /// Whether nothing would be lost by forgetting it.
    #[must_use]
    pub fn is_full(mut self, now_us: u64) -> bool {
        self.refill(now_us);
        self.units >= METER_UNITS_MAX
    }

    fn refill(&mut self, now_us: u64) {
        let elapsed = i64::try_from(now_us.saturating_sub(self.at_us)).unwrap_or(i64::MAX);
        let back = elapsed.saturating_mul(METER_UNITS_PER_S) / 1_000_000;
        // Less than one unit is not lost: its time stays on account.
        if back > 0 {
            self.units = self.units.saturating_add(back).min(METER_UNITS_MAX);
            self.at_us = now_us;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_shrink_as_the_centre_slows() {
        let mut pace = Pace::default();
        assert_eq!(pace.facts_max(), 500, "nothing measured yet");
        for (took_us, at_least, at_most) in [(50_000, 500, 500), (1_000_000, 110, 140), (90_000_000, 50, 50)]
        {
            for _ in 0..90 {
                pace.learn(500, took_us);
            }
            assert!((at_least..=at_most).contains(&pace.facts_max()), "{took_us} us: {}", pace.facts_max());
        }
    }

    #[test]
    fn those_who_are_turned_away_together_are_asked_back_one_after_the_other() {
        let mut pace = Pace::default();
        for _ in 0..60 {
            pace.learn(500, 160_000);
        }
        let mut slots = Slots::default();
        assert!(!slots.is_ahead(0));
        // Sixteen at a time, 160 ms each: one each 10 ms.
        let waits: Vec<u64> = (0..2_000).map(|_| slots.take(&pace, (64, 16), 0)).collect();
        assert_eq!((waits[0], waits[1_999]), (650_000, 20_640_000));
        assert!(waits.windows(2).all(|pair| pair[1] - pair[0] == 10_000));
        assert!(slots.is_ahead(20_000_000) && !slots.is_ahead(21_000_000));
        assert_eq!(slots.take(&pace, (0, 16), 30_000_000), 10_000, "a quiet centre takes whoever comes");
    }

    #[test]
    fn an_old_queue_is_asked_back_within_a_minute() {
        assert_eq!(retry_after_ms(5_000, 0), RETRY_AFTER_MS_MIN);
        assert_eq!(retry_after_ms(900_000_000, OLD_QUEUE_AGE_S), RETRY_AFTER_OLD_QUEUE_MS_MAX);
        assert_eq!(retry_after_ms(900_000_000, OLD_QUEUE_AGE_S - 1), RETRY_AFTER_MS_MAX);
    }

    #[test]
    fn threat_t08_one_terminal_is_held_to_its_own_share() {
        let mut meter = Meter::full(0);
        let (mut now_us, mut taken, mut waited_ms) = (0, 0, 0);
        for _ in 0..1_000 {
            let wait_ms = meter.wait_ms(now_us);
            waited_ms += wait_ms;
            now_us += wait_ms * 1_000;
            meter.take(upload_cost(500), now_us);
            taken += 500;
        }
        assert!(waited_ms > 0);
        let per_s = taken * 1_000 / waited_ms;
        assert!((4_900..=6_500).contains(&per_s), "{per_s} facts per second, the burst included");
        // A busy honest one is never held up: a full batch each 200 ms.
        let mut meter = Meter::full(0);
        for n in 0..1_000_u64 {
            assert_eq!(meter.wait_ms(n * 200_000), 0, "upload {n}");
            meter.take(upload_cost(500), n * 200_000);
        }
        assert!(!meter.is_full(999 * 200_000) && meter.is_full(300_000_000));
    }
}
