//! When a tablet becomes one of the counter's own, and how long it stays so. Pure: codes and keys come in as hashes.
//!
//! A code is offered by somebody at the board, shown there, and typed at the tablet within minutes. Few tries are
//! allowed; then the code is burnt, and no further one is offered for a while that doubles each time.
//! A paired tablet holds a key that changes daily. The key before stays good until the new one has come back once, so a
//! lost answer shuts nobody out; shown later than that, it was copied.
//! Out of scope: where codes and keys come from, and where sessions are kept.

use hufu_shared::ids::Hash;
use hufu_shared::time::{DAY_US, Instant, SECOND_US};

use super::timekeeping::Now;

/// Digits of a code.
pub const CODE_DIGITS: usize = 8;
/// How long a code holds, in seconds.
pub const CODE_LIFE_S: u32 = 300;
/// Wrong tries that burn a code.
pub const TRIES_MAX: u8 = 5;
/// How long nothing is offered after the first burnt code, in microseconds.
pub const LOCK_FIRST_US: i64 = 5 * 60 * SECOND_US;
/// How long nothing is offered at most, in microseconds.
pub const LOCK_MAX_US: i64 = 3_600 * SECOND_US;
/// A tablet that was not seen for so long must be paired again, in microseconds.
pub const IDLE_MAX_US: i64 = 30 * DAY_US;
/// A pairing ends after so long, in microseconds.
pub const LIFE_MAX_US: i64 = 365 * DAY_US;
/// A tablet's key is changed after so long, in microseconds.
pub const RENEW_AFTER_US: i64 = DAY_US;
/// A key that has not come back is made anew after so long, in microseconds.
pub const RENEW_AGAIN_US: i64 = 60 * SECOND_US;
/// How long requests with the key before are still under way after the new one came, in microseconds.
pub const OLD_KEY_GRACE_US: i64 = 60 * SECOND_US;

/// Nanoseconds of a second.
const SECOND_NS: u64 = 1_000_000_000;

/// What wrong tries have led to; kept across restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lock {
    /// Failures in a row, as whoever keeps it counts them.
    pub failed: u32,
    /// Nothing is taken before then.
    pub until: Instant,
}

impl Lock {
    /// Until when nothing is taken; none if it is open. A clock that was set back cannot prolong it beyond its bound.
    #[must_use]
    pub fn closed_until(&self, now: Instant) -> Option<Instant> {
        (self.until > now).then(|| self.until.min(now.offset(LOCK_MAX_US)))
    }

    /// After a failure that closes it: longer each time.
    #[must_use]
    pub fn closed(self, now: Instant) -> Self {
        let doubled = LOCK_FIRST_US.saturating_mul(1 << self.failed.min(16));
        Self { failed: self.failed.saturating_add(1), until: now.offset(doubled.min(LOCK_MAX_US)) }
    }
}

/// A code that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    hash: Hash,
    ends_ns: u64,
    left: u8,
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It is the code; it is used up.
    Right,
    /// It is not; so many tries are left.
    Wrong(u8),
    /// It is not, and the code is burnt.
    Burnt,
    /// No code is offered: none was asked for, or it is over, used up or burnt.
    None,
}

impl Offer {
    /// An offer from now on.
    #[must_use]
    pub fn new(hash: Hash, now: &Now) -> Self {
        let ends_ns = now.mono_ns.saturating_add(u64::from(CODE_LIFE_S) * SECOND_NS);
        Self { hash, ends_ns, left: TRIES_MAX }
    }

    /// Whether its time is over, by the clock that cannot be set.
    #[must_use]
    pub fn is_over(&self, now: &Now) -> bool {
        now.mono_ns >= self.ends_ns
    }
}

/// Tries a code against what is offered. Hashes are compared, so how long it takes says nothing of the code.
pub fn try_code(offer: &mut Option<Offer>, lock: &mut Lock, typed: &Hash, now: &Now) -> Tried {
    offer.take_if(|offer| offer.is_over(now));
    let Some(open) = offer else { return Tried::None };
    if open.hash == *typed {
        (*offer, *lock) = (None, Lock::default());
        return Tried::Right;
    }
    open.left = open.left.saturating_sub(1);
    if open.left > 0 {
        return Tried::Wrong(open.left);
    }
    (*offer, *lock) = (None, lock.closed(now.trusted));
    Tried::Burnt
}

/// The code as people read it: two groups.
#[must_use]
pub fn grouped(code: &str) -> String {
    let (one, two) = code.split_at(code.len() / 2);
    format!("{one} {two}")
}

/// What is kept of a paired tablet's key and of its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Hash of the key that it was given last.
    pub key: Hash,
    /// Hash of the key before, and until when it is still taken; no end before the new key has come back.
    pub old: Option<(Hash, Option<Instant>)>,
    /// When it was paired.
    pub paired_at: Instant,
    /// When it was given its key.
    pub renewed_at: Instant,
    /// When it was last seen.
    pub seen_at: Instant,
}

/// What to do with a tablet that shows a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It is let in.
    Good,
    /// It is let in; its new key has come, the one before ends soon.
    Arrived,
    /// It is let in and gets a new key.
    Renew,
    /// It must be paired again.
    Over,
    /// The key was given up long ago: somebody has a copy, and nobody can tell who.
    Copied,
}

impl Session {
    /// A tablet that was just paired.
    #[must_use]
    pub fn new(key: Hash, now: Instant) -> Self {
        Self { key, old: None, paired_at: now, renewed_at: now, seen_at: now }
    }

    /// Whether a key is or was this tablet's.
    #[must_use]
    pub fn knows(&self, shown: &Hash) -> bool {
        self.key == *shown || self.old.is_some_and(|(old, _)| old == *shown)
    }

    /// Whether it must be paired again.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        now.since(self.seen_at) > IDLE_MAX_US || now.since(self.paired_at) > LIFE_MAX_US
    }

    /// Judges a key that it knows.
    #[must_use]
    pub fn judge(&self, shown: &Hash, now: Instant) -> Shown {
        if self.is_over(now) {
            return Shown::Over;
        }
        let newest = self.key == *shown;
        match self.old {
            Some((_, None)) if newest => Shown::Arrived,
            // The new key did not come back: it may have been lost on the way.
            Some((_, None)) if now.since(self.renewed_at) >= RENEW_AGAIN_US => Shown::Renew,
            Some((_, Some(until))) if !newest && now > until => Shown::Copied,
            _ if newest && now.since(self.renewed_at) >= RENEW_AFTER_US => Shown::Renew,
            _ => Shown::Good,
        }
    }

    /// With a new key; `shown` is the one that it has now.
    #[must_use]
    pub fn renewed(self, key: Hash, shown: Hash, now: Instant) -> Self {
        Self { key, old: Some((shown, None)), renewed_at: now, ..self }
    }

    /// After its new key has come back.
    #[must_use]
    pub fn arrived(self, now: Instant) -> Self {
        Self { old: self.old.map(|(old, _)| (old, Some(now.offset(OLD_KEY_GRACE_US)))), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::time::ClockQuality;
    use proptest::prelude::*;

    fn at(second: i64) -> Now {
        let (wall, mono_ns) = (Instant(second * SECOND_US), u64::try_from(second).unwrap_or(0) * SECOND_NS);
        Now { wall, mono_ns, quality: ClockQuality::Synced, trusted: wall, floor: wall }
    }

    fn key(n: u8) -> Hash {
        Hash([n; 32])
    }

    fn offered() -> (Option<Offer>, Lock) {
        (Some(Offer::new(key(7), &at(0))), Lock::default())
    }

    #[test]
    fn threat_a_code_is_good_once_and_for_minutes_only() {
        let (mut offer, mut lock) = offered();
        assert_eq!(try_code(&mut offer, &mut lock, &key(7), &at(299)), Tried::Right);
        assert_eq!(try_code(&mut offer, &mut lock, &key(7), &at(299)), Tried::None, "used up");
        let (mut offer, mut lock) = offered();
        assert_eq!(try_code(&mut offer, &mut lock, &key(7), &at(300)), Tried::None, "too late");
        assert_eq!((offer, lock), (None, Lock::default()), "which is nobody's fault");
    }

    #[test]
    fn threat_a_code_that_is_guessed_at_is_burnt_and_the_wait_doubles_up_to_an_hour() {
        let mut lock = Lock::default();
        let mut waits = Vec::new();
        for round in 0..6 {
            let now = at(round * 10_000);
            let mut offer = Some(Offer::new(key(7), &now));
            for left in (1..TRIES_MAX).rev() {
                assert_eq!(try_code(&mut offer, &mut lock, &key(1), &now), Tried::Wrong(left));
            }
            assert_eq!(try_code(&mut offer, &mut lock, &key(1), &now), Tried::Burnt);
            assert_eq!(try_code(&mut offer, &mut lock, &key(7), &now), Tried::None, "also the right one");
            waits.push(lock.closed_until(now.trusted).expect("closed").since(now.trusted) / SECOND_US / 60);
        }
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
        let early = lock.closed_until(Instant(0)).expect("closed");
        assert_eq!(early, Instant(LOCK_MAX_US), "a clock that was set back does not close it for ever");
        assert_eq!(lock.closed_until(lock.until), None);
        let mut offer = Some(Offer::new(key(7), &at(99_999)));
        assert_eq!(try_code(&mut offer, &mut lock, &key(7), &at(99_999)), Tried::Right);
        assert_eq!(lock, Lock::default(), "who knows the code starts afresh");
    }

    #[test]
    fn a_key_is_changed_daily_and_a_lost_answer_shuts_nobody_out() {
        let day = |n: i64| Instant(n * DAY_US);
        let first = Session::new(key(1), day(0));
        assert_eq!(first.judge(&key(1), day(0)), Shown::Good);
        assert_eq!(first.judge(&key(1), day(1)), Shown::Renew);
        let second = first.renewed(key(2), key(1), day(1));
        assert_eq!(second.judge(&key(1), day(1)), Shown::Good, "requests side by side are not all renewed");
        let lost = day(1).offset(RENEW_AGAIN_US);
        assert_eq!(second.judge(&key(1), lost), Shown::Renew, "the answer was lost");
        let third = second.renewed(key(3), key(1), lost);
        assert!(third.knows(&key(1)) && third.knows(&key(3)) && !third.knows(&key(2)));
        assert_eq!(third.judge(&key(3), lost), Shown::Arrived);
        let known = third.arrived(lost);
        assert_eq!(known.judge(&key(1), lost.offset(OLD_KEY_GRACE_US)), Shown::Good, "still under way");
        assert_eq!(known.judge(&key(3), lost), Shown::Good);
    }

    #[test]
    fn threat_a_key_that_was_given_up_and_comes_back_was_copied() {
        let now = Instant(DAY_US);
        let session = Session::new(key(1), Instant(0)).renewed(key(2), key(1), now).arrived(now);
        assert_eq!(session.judge(&key(1), now.offset(OLD_KEY_GRACE_US + 1)), Shown::Copied);
    }

    #[test]
    fn a_tablet_that_was_away_for_long_or_paired_long_ago_is_paired_again() {
        let session = Session::new(key(1), Instant(0));
        assert_eq!(session.judge(&key(1), Instant(IDLE_MAX_US)), Shown::Renew);
        assert_eq!(session.judge(&key(1), Instant(IDLE_MAX_US + 1)), Shown::Over);
        let used = Session { seen_at: Instant(LIFE_MAX_US), ..session };
        assert_eq!(used.judge(&key(1), Instant(LIFE_MAX_US)), Shown::Renew);
        assert_eq!(used.judge(&key(1), Instant(LIFE_MAX_US + 1)), Shown::Over);
    }

    #[test]
    fn a_code_is_read_in_two_groups() {
        assert_eq!(grouped("01234567"), "0123 4567");
    }

    proptest! {
        /// A tablet that always keeps the newest key it was sent is never shut out, whatever answers are lost.
        #[test]
        fn whoever_keeps_the_newest_key_stays(lost in prop::collection::vec(any::<bool>(), 1..40)) {
            let mut now = Instant(0);
            let (mut session, mut held) = (Session::new(key(0), now), key(0));
            for (n, lost) in (1_u8..).zip(lost) {
                now = now.offset(RENEW_AFTER_US);
                let shown = session.judge(&held, now);
                prop_assert!(!matches!(shown, Shown::Over | Shown::Copied), "{shown:?}");
                session.seen_at = now;
                if shown == Shown::Arrived {
                    session = session.arrived(now);
                }
                if session.judge(&held, now) == Shown::Renew {
                    session = session.renewed(key(n), held, now);
                    if !lost {
                        held = key(n);
                    }
                }
            }
        }
    }
}
