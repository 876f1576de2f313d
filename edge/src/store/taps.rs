//! Recent taps in memory: what a double tap is compared with. Gone with the process, as a new boot starts anew anyway.

use std::collections::{HashMap, VecDeque};

use hufu_shared::money::Leg;
use hufu_shared::rules::repeat::TapKey;
use hufu_shared::token::Token;

use super::journal::RecentTap;

/// Taps kept at most; beyond that the oldest are forgotten, so memory and time per swipe stay bounded.
pub(super) const TAPS_MAX: usize = 4_096;
/// Nanoseconds for which a tap is kept: no window for repeats is longer than this hour.
const KEPT_NS: u64 = 3_600_000_000_000;

/// Spends kept at most: a repeat comes within a minute.
const SPENDS_MAX: usize = 64;

/// A spend of this boot.
#[derive(Debug)]
pub(super) struct RecentSpend {
    pub(super) token: Token,
    pub(super) legs: Vec<Leg>,
    pub(super) tap: RecentTap,
}

/// The last tap of each card, reader and purpose.
#[derive(Debug, Default)]
pub(super) struct Taps {
    spends: VecDeque<RecentSpend>,
    by_key: HashMap<TapKey, RecentTap>,
    /// In the order in which they came; an entry that was tapped again since is skipped when its turn comes.
    order: VecDeque<(TapKey, u64)>,
}

impl Taps {
    pub(super) fn get(&self, key: &TapKey) -> Option<&RecentTap> {
        self.by_key.get(key)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets a tap that was taken back: what comes next repeats nothing.
    pub(super) fn forget(&mut self, seq: u64) {
        self.by_key.retain(|_, tap| tap.seq != seq);
        self.spends.retain(|spend| spend.tap.seq != seq);
    }

    /// The newest spend of these legs with this card.
    pub(super) fn spend(&self, token: &Token, legs: &[Leg]) -> Option<&RecentTap> {
        let newest_first = self.spends.iter().rev();
        newest_first
            .filter(|spend| spend.token == *token && spend.legs == legs)
            .map(|spend| &spend.tap)
            .next()
    }

    pub(super) fn take_spend(&mut self, spend: RecentSpend) {
        self.spends.push_back(spend);
        if self.spends.len() > SPENDS_MAX {
            self.spends.pop_front();
        }
    }

    /// Takes a tap in and forgets those that can no longer be repeated.
    pub(super) fn take(&mut self, key: TapKey, tap: RecentTap) {
        // Who went the other way in between repeats nothing.
        if let Some(opposite) = key.opposite() {
            self.by_key.remove(&opposite);
        }
        self.order.push_back((key.clone(), tap.mono_ns));
        self.by_key.insert(key, tap);
        let keep_from = tap.mono_ns.saturating_sub(KEPT_NS);
        while self.order.len() > TAPS_MAX || self.order.front().is_some_and(|oldest| oldest.1 < keep_from) {
            let Some((key, mono_ns)) = self.order.pop_front() else { return };
            if self.by_key.get(&key).is_some_and(|tap| tap.mono_ns == mono_ns) {
                self.by_key.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::rules::repeat::TapPurpose;
    use hufu_shared::time::Instant;
    use hufu_shared::token::Token;

    fn key(n: u64) -> TapKey {
        let mut hash = [0; 16];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        TapKey { subject: (Token { key_version: 1, hash }, 0), purpose: TapPurpose::Visit }
    }

    fn tap(seq: u64, mono_ns: u64) -> RecentTap {
        RecentTap { seq, at: Instant(0), mono_ns }
    }

    #[test]
    fn the_newest_tap_of_a_key_stays_and_old_ones_go() {
        let mut taps = Taps::default();
        taps.take(key(1), tap(1, 0));
        taps.take(key(2), tap(2, KEPT_NS / 2));
        taps.take(key(1), tap(3, KEPT_NS));
        taps.take(key(3), tap(4, KEPT_NS + 1));
        assert_eq!(taps.get(&key(1)).map(|tap| tap.seq), Some(3), "tapped again since");
        taps.take(key(4), tap(5, 2 * KEPT_NS));
        assert_eq!(taps.get(&key(2)), None, "older than an hour");
    }

    #[test]
    fn a_tap_that_was_taken_back_is_compared_with_no_longer() {
        let mut taps = Taps::default();
        taps.take(key(1), tap(1, 0));
        taps.take(key(2), tap(2, 1));
        taps.forget(1);
        assert_eq!((taps.get(&key(1)), taps.get(&key(2)).map(|tap| tap.seq)), (None, Some(2)));
        taps.take(key(1), tap(3, 2));
        taps.take(key(3), tap(4, KEPT_NS + 1));
        assert_eq!(
            taps.get(&key(1)).map(|tap| tap.seq),
            Some(3),
            "the old entry's turn takes no newer tap along"
        );
    }

    #[test]
    fn however_many_come_the_memory_is_bounded() {
        let mut taps = Taps::default();
        for n in 0..20_000 {
            taps.take(key(n), tap(n, n));
        }
        assert_eq!((taps.order.len(), taps.by_key.len()), (TAPS_MAX, TAPS_MAX));
        assert!(taps.get(&key(19_999)).is_some() && taps.get(&key(1)).is_none());
    }
}
