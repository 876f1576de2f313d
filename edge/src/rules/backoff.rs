//! When to try the centre again: full jitter over a window that doubles from one second to five minutes, a circuit
//! that opens after five failures, and the centre's own `Retry-After`.
//!
//! One retry layer only: nothing below this module repeats a request. The random number is an argument, so a seed
//! replays the same waits. Out of scope: what to send, and which failures are worth another try at all.

/// Window of the first wait, in milliseconds.
pub const BACKOFF_BASE_MS: u64 = 1_000;
/// Window that the doubling stops at, in milliseconds.
pub const BACKOFF_WINDOW_MAX_MS: u64 = 300_000;
/// Failures in a row after which the circuit is open.
pub const CIRCUIT_FAILURES: u32 = 5;
/// Shortest wait between two probes while the circuit is open, in milliseconds: this bounds what a terminal costs a
/// centre in trouble, whatever the random numbers say.
pub const CIRCUIT_WAIT_MIN_MS: u64 = 15_000;
/// Longest `Retry-After` that is believed, in milliseconds: a wrong header must not silence a terminal for a day.
pub const RETRY_AFTER_MAX_MS: u64 = 3_600_000;
/// Longest `Retry-After` that is believed while old facts wait, in milliseconds.
pub const RETRY_AFTER_OLD_QUEUE_MAX_MS: u64 = 60_000;
/// Age of the oldest waiting fact from which the queue counts as old, in seconds.
pub const OLD_QUEUE_AGE_S: u64 = 3_600;

/// What an exchange that gave nothing says about the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    Nothing,
    /// The centre itself wants to be asked again after so many milliseconds.
    ByTheCentre(u64),
    /// Something in between, or a centre in trouble, wants that.
    BySomebody(u64),
}

impl Wish {
    /// Milliseconds to wait before the next try; `random` and `queue_age_s` as in [`Backoff::failed`].
    pub fn wait_ms(self, backoff: &mut Backoff, random: u64, queue_age_s: u64) -> u64 {
        match self {
            Self::Nothing => backoff.failed(random, None, queue_age_s),
            Self::ByTheCentre(ms) => Backoff::put_off(random, ms, queue_age_s),
            Self::BySomebody(ms) => backoff.failed(random, Some(ms), queue_age_s),
        }
    }
}

/// The state of one lane towards the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    failures: u32,
    link_used: bool,
}

impl Backoff {
    /// Failures since the last success.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether only probes are sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.failures >= CIRCUIT_FAILURES
    }

    /// An exchange succeeded: the next failure begins with a short wait again.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A network link came up. The first one of an outage starts the waits over and gives `true`: try at once. A
    /// link that flaps does not, or each flap would be a try.
    pub fn link_came(&mut self) -> bool {
        if self.failures == 0 || self.link_used {
            return false;
        }
        *self = Self { failures: 0, link_used: true };
        true
    }

    /// An exchange failed: milliseconds to wait before the next try.
    ///
    /// `random` is any random number; `retry_after_ms` is what the centre asked for; `queue_age_s` is the age of the
    /// oldest waiting fact, 0 for an empty queue.
    pub fn failed(&mut self, random: u64, retry_after_ms: Option<u64>, queue_age_s: u64) -> u64 {
        self.failures = self.failures.saturating_add(1);
        let doublings = (self.failures - 1).min(16);
        let window = (BACKOFF_BASE_MS << doublings).min(BACKOFF_WINDOW_MAX_MS);
        let jittered = random % (window + 1);
        let own = if self.is_open() { jittered.max(CIRCUIT_WAIT_MIN_MS) } else { jittered };
        retry_after_ms.map_or(own, |asked| Self::put_off(random, asked, queue_age_s).max(own))
    }

    /// The centre is there and said when to come again: milliseconds until then. That is no failure; one that counted it
    /// as such would stay away for minutes after the turn that a busy centre gave it.
    ///
    /// `random` and `queue_age_s` as in [`Backoff::failed`].
    #[must_use]
    pub fn put_off(random: u64, asked_ms: u64, queue_age_s: u64) -> u64 {
        let is_old = queue_age_s >= OLD_QUEUE_AGE_S;
        let at_most = if is_old { RETRY_AFTER_OLD_QUEUE_MAX_MS } else { RETRY_AFTER_MAX_MS };
        let believed = asked_ms.clamp(BACKOFF_BASE_MS, at_most);
        // Never before the time asked for; spread over a tenth of it after, so that a fleet does not come back as one.
        believed + random % (believed / 10 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator so that a seed replays: xorshift64*.
    struct Seeded(u64);

    impl Seeded {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
        }
    }

    fn tries_in_one_hour(mut random: impl FnMut() -> u64) -> u32 {
        let (mut backoff, mut at_ms, mut tries) = (Backoff::default(), 0_u64, 0_u32);
        while at_ms < 3_600_000 {
            tries += 1;
            // A failing try itself takes a moment.
            at_ms += 50 + backoff.failed(random(), None, 0);
        }
        tries
    }

    #[test]
    fn case_39_an_hour_of_errors_costs_few_tries_and_opens_the_circuit() {
        for seed in 1..=200 {
            let mut seeded = Seeded(seed);
            let tries = tries_in_one_hour(|| seeded.next());
            assert!((15..=60).contains(&tries), "seed {seed}: {tries} tries");
        }
        // The bound holds even for the worst random numbers there are.
        let worst = tries_in_one_hour(|| 0);
        assert!(worst <= CIRCUIT_FAILURES + 3_600_000 / 15_000, "{worst} tries");
        let mut backoff = Backoff::default();
        for _ in 0..CIRCUIT_FAILURES {
            backoff.failed(7, None, 0);
        }
        assert!(backoff.is_open());
        backoff.succeeded();
        assert!(!backoff.is_open());
    }

    #[test]
    fn case_40_retry_after_600_s_is_honoured_with_jitter() {
        let mut seeded = Seeded(42);
        let waits: Vec<u64> =
            (0..100).map(|_| Backoff::default().failed(seeded.next(), Some(600_000), 30)).collect();
        assert!(waits.iter().all(|wait| (600_000..=660_000).contains(wait)), "{waits:?}");
        let spread = waits.iter().max().zip(waits.iter().min()).map(|(max, min)| max - min);
        assert!(spread > Some(30_000), "the fleet comes back spread: {spread:?}");
    }

    #[test]
    fn an_old_queue_waits_a_minute_at_most_for_a_busy_centre() {
        let mut seeded = Seeded(3);
        let wait = Backoff::default().failed(seeded.next(), Some(600_000), OLD_QUEUE_AGE_S);
        assert!((60_000..=66_000).contains(&wait), "{wait}");
        let endless = Backoff::default().failed(seeded.next(), Some(u64::MAX / 2), 0);
        assert!(endless <= RETRY_AFTER_MAX_MS * 11 / 10, "{endless}");
    }

    #[test]
    fn a_busy_centre_is_asked_again_when_it_said_however_often_it_says_so() {
        let mut seeded = Seeded(5);
        for _ in 0..20 {
            let wait = Backoff::put_off(seeded.next(), 20_000, OLD_QUEUE_AGE_S);
            assert!((20_000..=22_000).contains(&wait), "{wait}");
        }
        assert!(
            Backoff::put_off(0, 0, 0) >= BACKOFF_BASE_MS,
            "one that says at once is not asked without end"
        );
        // Whatever is in between and says so is believed as well, but it counts as trouble.
        let mut backoff = Backoff::default();
        for _ in 0..CIRCUIT_FAILURES {
            backoff.failed(seeded.next(), Some(0), 0);
        }
        assert!(backoff.failed(seeded.next(), Some(0), 0) >= CIRCUIT_WAIT_MIN_MS);
    }

    #[test]
    fn waits_are_jittered_over_the_whole_window_and_replay_from_a_seed() {
        let run = |seed| {
            let (mut seeded, mut backoff) = (Seeded(seed), Backoff::default());
            (0..14).map(|_| backoff.failed(seeded.next(), None, 0)).collect::<Vec<_>>()
        };
        assert_eq!(run(9), run(9));
        assert_ne!(run(9), run(10));
        for seed in 1..=100 {
            let waits = run(seed);
            assert!(waits[0] <= BACKOFF_BASE_MS);
            assert!(waits.iter().all(|wait| *wait <= BACKOFF_WINDOW_MAX_MS));
        }
        let firsts: Vec<u64> = (1..=400).map(|seed| run(seed)[0]).collect();
        assert!(firsts.iter().any(|wait| *wait < 100) && firsts.iter().any(|wait| *wait > 900));
    }

    #[test]
    fn a_new_link_tries_at_once_but_only_once_in_an_outage() {
        let mut backoff = Backoff::default();
        assert!(!backoff.link_came(), "nothing to start over");
        for _ in 0..8 {
            backoff.failed(1, None, 0);
        }
        assert!(backoff.link_came());
        assert!(backoff.failed(u64::MAX, None, 0) <= BACKOFF_BASE_MS);
        assert!(!backoff.link_came(), "a flapping link is not a reason");
        backoff.succeeded();
        backoff.failed(1, None, 0);
        assert!(backoff.link_came(), "another outage");
    }
}
