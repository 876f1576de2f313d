//! How much a terminal may send next and when, from what uploads have taken lately; and what one terminal may ask for.
//!
//! The centre spreads a storm: whoever has more to send is told to come back when those in front of it are done, at the
//! pace measured. Each terminal has a bucket of its own, so that one of them, broken or wicked, slows nobody else.

use hufu_shared::wire::upload::{BATCH_FACTS_MAX, Credit};

/// Milliseconds that one upload should take at most; a slower centre asks for smaller batches.
const UPLOAD_TARGET_MS: u64 = 250;
/// Facts in a batch at least, however slow the centre is: smaller ones cost more than they spread.
const CREDIT_FACTS_MIN: u64 = 50;
/// Milliseconds that a terminal with more to send is asked to wait at most.
pub const NEXT_POLL_MS_MAX: u64 = 60_000;
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

    /// What a terminal may do next while so many uploads are in front of it, `at_once` of them at a time.
    #[must_use]
    pub fn credit(&self, in_front: usize, at_once: usize) -> Credit {
        let facts = (UPLOAD_TARGET_MS * 1_000).checked_div(self.fact_us).unwrap_or(u64::MAX);
        let facts = facts.clamp(CREDIT_FACTS_MIN, BATCH_FACTS_MAX as u64);
        Credit {
            max_facts: u32::try_from(facts).unwrap_or(u32::MAX),
            next_poll_ms: u32::try_from(self.wait_ms(in_front, at_once).min(NEXT_POLL_MS_MAX))
                .unwrap_or(u32::MAX),
        }
    }

    /// Milliseconds after which a terminal that is turned away should come again; `queue_age_s` is the age of its oldest
    /// waiting fact.
    #[must_use]
    pub fn retry_after_ms(&self, in_front: usize, at_once: usize, queue_age_s: i64) -> u64 {
        let at_most =
            if queue_age_s >= OLD_QUEUE_AGE_S { RETRY_AFTER_OLD_QUEUE_MS_MAX } else { RETRY_AFTER_MS_MAX };
        self.wait_ms(in_front, at_once).clamp(RETRY_AFTER_MS_MIN, at_most)
    }

    fn wait_ms(&self, in_front: usize, at_once: usize) -> u64 {
        self.upload_us.saturating_mul(in_front as u64) / (at_once.max(1) as u64) / 1_000
    }
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
    fn the_credit_follows_the_measured_pace_and_the_uploads_in_front() {
        let mut pace = Pace::default();
        assert_eq!(pace.credit(0, 16), Credit { max_facts: 500, next_poll_ms: 0 });
        for _ in 0..40 {
            pace.learn(500, 50_000);
        }
        assert_eq!(pace.credit(0, 16), Credit { max_facts: 500, next_poll_ms: 0 }, "quick and idle");
        // 160 in front, 16 at a time, 50 ms each.
        assert_eq!(pace.credit(160, 16).next_poll_ms, 500);
        for _ in 0..60 {
            pace.learn(500, 1_000_000);
        }
        let slow = pace.credit(160, 16);
        assert!((110..=140).contains(&slow.max_facts), "a batch of a quarter of a second: {slow:?}");
        assert!((9_000..=10_000).contains(&slow.next_poll_ms), "{slow:?}");
        assert_eq!(u64::from(pace.credit(1_000_000, 1).next_poll_ms), NEXT_POLL_MS_MAX);
        for _ in 0..60 {
            pace.learn(1, 60_000_000);
        }
        assert_eq!(u64::from(pace.credit(0, 1).max_facts), CREDIT_FACTS_MIN);
    }

    #[test]
    fn an_old_queue_is_asked_back_within_a_minute() {
        let mut pace = Pace::default();
        assert_eq!(pace.retry_after_ms(500, 16, 0), RETRY_AFTER_MS_MIN, "nothing measured yet");
        pace.learn(500, 20_000_000);
        assert_eq!(pace.retry_after_ms(2_000, 16, OLD_QUEUE_AGE_S), RETRY_AFTER_OLD_QUEUE_MS_MAX);
        assert_eq!(pace.retry_after_ms(2_000, 16, OLD_QUEUE_AGE_S - 1), RETRY_AFTER_MS_MAX);
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
