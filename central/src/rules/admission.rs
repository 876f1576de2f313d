//! How much a terminal may send next and when, from what uploads have taken lately; and what one terminal may ask for.
//!
//! The centre spreads a storm: whoever has more to send is told to come back when those in front of it are done, at the
//! pace measured. Each terminal has a bucket of its own, so that one of them, broken or wicked, slows nobody else.

use hufu_shared::wire::upload::{BATCH_FACTS_MAX, Credit, TURN_ASKED_MS_MIN};

/// Milliseconds that one upload should take at most; a slower centre asks for smaller batches.
const UPLOAD_TARGET_MS: u64 = 250;
/// Facts in a batch at least, however slow the centre is: smaller ones cost more than they spread.
const CREDIT_FACTS_MIN: u64 = 50;
/// Milliseconds until the turn of a terminal that asks for one, at most: the pace of a minute from now is not known, so
/// whoever would wait longer asks again then.
const TURN_MS_MAX: u64 = 60_000;
/// The same until so many uploads were measured: what is promised before rests on a guess, and of a storm whose first
/// minute was promised too densely all are put off who were to come in it.
const GUESSED_TURN_MS_MAX: u64 = 10_000;
const MEASURED_UPLOADS_MIN: u32 = 64;
/// Milliseconds between two that are told to ask again; it shares no factor with the time that they are spread over.
const ASK_AGAIN_STEP_MS: u64 = 997;
/// Nanoseconds of a unit before any was measured: some six thousand facts per second.
const UNIT_GUESS_NS: u64 = 150_000;
/// The newest measurement counts one part in so many.
const MEAN_PARTS: u64 = 16;
/// So many parts of a promised time are added for one more: it is for those who come without a promise, and for a pace
/// that is slower when the promised time comes.
const UNPROMISED_PARTS: u64 = 4;

/// Milliseconds asked of a terminal that is turned away, at least.
const RETRY_AFTER_MS_MIN: u64 = 1_000;

/// What a terminal may have taken of the centre before it must wait, in units: [`upload_cost`].
const METER_UNITS_MAX: i64 = 30_000;
/// Units that a terminal gets back each second: some ten times what a busy one needs.
const METER_UNITS_PER_S: i64 = 5_000;
/// Units of an upload beside its facts.
const METER_UPLOAD_UNITS: i64 = 10;

/// What uploads have taken lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// Mean time of an upload, its share of the centre only, nanoseconds; 0 before the first.
    upload_ns: u64,
    /// The same of a unit ([`upload_cost`]).
    unit_ns: u64,
    /// Mean time of a fact from the terminal's side, whatever else was worked on, microseconds.
    fact_us: u64,
    /// How many uploads were measured.
    uploads: u32,
}

impl Pace {
    /// Takes a finished upload into the means. `beside` were worked on meanwhile, itself included: of the time that it
    /// took, so many parts were theirs.
    pub fn learn(&mut self, facts: usize, took_us: u64, beside: usize) {
        let fact_us = took_us / (facts.max(1) as u64);
        let upload_ns = (took_us.saturating_mul(1_000) / (beside.max(1) as u64)).max(1);
        let unit_ns = (upload_ns / upload_cost(facts).unsigned_abs().max(1)).max(1);
        self.uploads = self.uploads.saturating_add(1);
        if self.unit_ns == 0 {
            *self = Self { upload_ns, unit_ns, fact_us, uploads: self.uploads };
            return;
        }
        let mean = |known: u64, new: u64| (known * (MEAN_PARTS - 1) + new).div_ceil(MEAN_PARTS);
        self.upload_ns = mean(self.upload_ns, upload_ns);
        self.unit_ns = mean(self.unit_ns, unit_ns);
        self.fact_us = mean(self.fact_us, fact_us);
    }

    /// Facts that one upload should have at most.
    #[must_use]
    pub fn facts_max(&self) -> u32 {
        let facts = (UPLOAD_TARGET_MS * 1_000).checked_div(self.fact_us).unwrap_or(u64::MAX);
        u32::try_from(facts.clamp(CREDIT_FACTS_MIN, BATCH_FACTS_MAX as u64)).unwrap_or(u32::MAX)
    }

    /// Milliseconds from now for which it may be relied on.
    fn known_ms(&self) -> u64 {
        if self.uploads < MEASURED_UPLOADS_MIN { GUESSED_TURN_MS_MAX } else { TURN_MS_MAX }
    }

    /// Microseconds that so many uploads of any size take from the first one's begin to the last one's end.
    fn uploads_us(&self, uploads: usize) -> u64 {
        let guess_ns = UNIT_GUESS_NS * upload_cost(BATCH_FACTS_MAX).unsigned_abs();
        let upload_ns = if self.upload_ns == 0 { guess_ns } else { self.upload_ns };
        upload_ns.saturating_mul(uploads as u64) / 1_000
    }

    /// Microseconds to promise for an upload of so many facts.
    fn slot_us(&self, facts: usize) -> u64 {
        let facts = facts.min(self.facts_max() as usize);
        let unit_ns = if self.unit_ns == 0 { UNIT_GUESS_NS } else { self.unit_ns };
        let own_ns = unit_ns.saturating_mul(upload_cost(facts).unsigned_abs());
        (own_ns.saturating_add(own_ns / UNPROMISED_PARTS) / 1_000).max(1)
    }
}

/// The times that were promised to terminals: one after the other at the pace measured, so that those who were turned
/// away together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slots {
    next_us: u64,
    /// How many were told to ask again.
    unpromised: u64,
}

impl Slots {
    /// Whether somebody was promised a time that is still to come.
    #[must_use]
    pub fn is_ahead(&self, now_us: u64) -> bool {
        self.next_us > now_us
    }

    /// Promises the next time to an upload of so many `facts`, behind `in_front` uploads that are here already;
    /// microseconds until then. None if that is more than `at_most_us`: a promise to somebody who is told to come before
    /// it would leave the centre idle while others wait behind it.
    pub fn take(
        &mut self,
        pace: &Pace,
        facts: usize,
        in_front: usize,
        at_most_us: u64,
        now_us: u64,
    ) -> Option<u64> {
        let free_us = self.next_us.max(now_us.saturating_add(pace.uploads_us(in_front)));
        let wait_us = free_us - now_us;
        if wait_us > at_most_us {
            return None;
        }
        self.next_us = free_us.saturating_add(pace.slot_us(facts));
        Some(wait_us)
    }

    /// What a terminal that asks for its turn with so many facts is told: when to send, or when to ask again.
    pub fn turn(&mut self, pace: &Pace, facts: usize, in_front: usize, now_us: u64) -> Credit {
        let known_ms = pace.known_ms();
        let wait_us = self.take(pace, facts, in_front, known_ms * 1_000, now_us);
        let wait_ms = wait_us.map_or_else(|| self.ask_again_ms(known_ms), |wait_us| wait_us / 1_000);
        Credit {
            max_facts: wait_us.map_or(0, |_| pace.facts_max()),
            next_poll_ms: u32::try_from(wait_ms).unwrap_or(u32::MAX),
        }
    }

    /// Milliseconds after which a terminal that is turned away comes again, less than a minute. How much it would send is
    /// not known: a whole batch. Whoever would wait for long is promised nothing: it asks for its turn then, and a time
    /// that nobody comes to would be lost.
    pub fn put_off_ms(&mut self, pace: &Pace, in_front: usize, now_us: u64) -> u64 {
        let wait_us = self.take(pace, BATCH_FACTS_MAX, in_front, TURN_ASKED_MS_MIN * 1_000 - 1, now_us);
        let again = |wait_us| u64::max(wait_us / 1_000, RETRY_AFTER_MS_MIN);
        wait_us.map_or_else(|| self.ask_again_ms(TURN_MS_MAX), again)
    }

    /// When one that was promised nothing asks again: in the second half of the time that is promised, and not all of
    /// them at once.
    fn ask_again_ms(&mut self, promised_ms: u64) -> u64 {
        self.unpromised = self.unpromised.wrapping_add(1);
        promised_ms / 2 + self.unpromised.wrapping_mul(ASK_AGAIN_STEP_MS) % (promised_ms / 2)
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

    /// A pace learned from many uploads of 500 facts.
    fn learned(took_us: u64, beside: usize) -> Pace {
        let mut pace = Pace::default();
        for _ in 0..90 {
            pace.learn(500, took_us, beside);
        }
        pace
    }

    #[test]
    fn batches_shrink_as_the_centre_slows() {
        assert_eq!(Pace::default().facts_max(), 500, "nothing measured yet");
        for (took_us, at_least, at_most) in [(50_000, 500, 500), (1_000_000, 110, 140), (90_000_000, 50, 50)]
        {
            let pace = learned(took_us, 1);
            assert!((at_least..=at_most).contains(&pace.facts_max()), "{took_us} us: {}", pace.facts_max());
        }
    }

    #[test]
    fn those_who_are_turned_away_together_are_asked_back_one_after_the_other() {
        // Sixteen beside each other, 163.2 ms each: one each 10.2 ms, 20 us a unit; a fifth is left free.
        let pace = learned(163_200, 16);
        let mut slots = Slots::default();
        let mut take = |facts, in_front, now_us| slots.take(&pace, facts, in_front, 300_000_000, now_us);
        let waits: Vec<u64> = (0..2_000).filter_map(|_| take(500, 64, 0)).collect();
        assert_eq!((waits[0], waits[1_999]), (652_800, 652_800 + 1_999 * 12_750));
        assert!(waits.windows(2).all(|pair| pair[1] - pair[0] == 12_750));
        assert_eq!(take(500, 0, 30_000_000), Some(0), "a quiet centre takes whoever comes");
        assert_eq!(take(40, 0, 30_000_000), Some(12_750), "behind it");
        assert_eq!(take(40, 0, 30_000_000), Some(14_000), "fifty units are soon done");
        assert!(slots.is_ahead(30_000_000) && !slots.is_ahead(30_100_000));
    }

    #[test]
    fn one_upload_alone_and_sixteen_beside_each_other_are_the_same_pace() {
        let (alone, beside) = (learned(20_400, 1), learned(326_400, 16));
        assert_eq!(alone.slot_us(200), beside.slot_us(200));
        assert!(alone.facts_max() > beside.facts_max(), "whoever waits for sixteen sends less at once");
    }

    #[test]
    fn what_is_not_promised_leaves_no_gap() {
        let pace = learned(163_200, 16);
        let mut slots = Slots::default();
        let told: Vec<Credit> = (0..10_000).map(|_| slots.turn(&pace, 500, 0, 0)).collect();
        let promised = told.iter().filter(|turn| turn.max_facts > 0).count();
        assert_eq!(promised, 60_000_000_usize.div_ceil(12_750), "as many as a minute takes");
        assert!(!slots.is_ahead(60_012_750), "nothing beyond is promised");
        let mut again: Vec<u32> =
            told.iter().filter(|turn| turn.max_facts == 0).map(|turn| turn.next_poll_ms).collect();
        again.sort_unstable();
        assert!((30_000..60_000).contains(&again[0]) && again.last() < Some(&60_000), "the others ask again");
        let most = again.chunk_by(|a, b| a / 1_000 == b / 1_000).map(<[u32]>::len).max();
        assert!(most <= Some(again.len() / 30 + 2), "{most:?} of {} in one second", again.len());
    }

    #[test]
    fn before_anything_was_measured_only_seconds_are_promised_and_the_others_ask_soon() {
        let (mut pace, mut slots) = (Pace::default(), Slots::default());
        let told: Vec<Credit> = (0..5_000).map(|_| slots.turn(&pace, 200, 0, 0)).collect();
        let promised = told.iter().filter(|turn| turn.max_facts > 0).count();
        assert!((200..300).contains(&promised), "{promised} in ten seconds by the guess");
        assert!(told.iter().all(|turn| turn.next_poll_ms <= 10_000));
        for _ in 0..MEASURED_UPLOADS_MIN {
            pace.learn(200, 40_000, 1);
        }
        let told: Vec<Credit> = (0..5_000).map(|_| slots.turn(&pace, 200, 0, 10_000_000)).collect();
        let promised = told.iter().filter(|turn| turn.max_facts > 0).count();
        assert!(
            (1_190..1_210).contains(&promised),
            "{promised} in a minute of 40 ms each and a fourth part free"
        );
    }

    #[test]
    fn whoever_is_put_off_has_a_time_soon_or_asks_for_one_within_a_minute() {
        let (pace, mut slots) = (learned(163_200, 16), Slots::default());
        let told: Vec<u64> = (0..5_000).map(|_| slots.put_off_ms(&pace, 40, 0)).collect();
        let (soon, asking): (Vec<u64>, Vec<u64>) = told.iter().partition(|ms| **ms < TURN_ASKED_MS_MIN);
        assert_eq!(told[0], RETRY_AFTER_MS_MIN, "nobody comes at once");
        assert_eq!(soon.len(), 10_000_000_usize.saturating_sub(408_000).div_ceil(12_750));
        assert!(!slots.is_ahead(10_012_750), "no time is kept for those who ask");
        assert!(asking.iter().all(|ms| (30_000..60_000).contains(ms)), "an old queue waits a minute at most");
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
