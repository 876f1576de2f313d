//! How often terminals look for members: a desk needs a few a minute, whoever copies a club needs thousands.
//!
//! Counted per process and forgotten with it: several processes together allow a terminal that many times as often.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hufu_shared::ids::DeviceId;
use hufu_shared::time::{Instant, MINUTE_US};
use hufu_shared::wire::lookup::LOOKUPS_PER_MINUTE_MAX;

/// How often each terminal asked in the minute in which it last did.
#[derive(Debug, Default)]
pub struct Pace(Mutex<HashMap<DeviceId, (i64, u32)>>);

impl Pace {
    /// Counts an ask; whether it is one too many.
    pub fn is_too_often(&self, device: DeviceId, now: Instant) -> bool {
        let minute = now.0.div_euclid(MINUTE_US);
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = asked.entry(device).or_insert((minute, 0));
        let count = if last.0 == minute { last.1.saturating_add(1) } else { 1 };
        *last = (minute, count);
        count > LOOKUPS_PER_MINUTE_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_a_terminal_that_copies_the_club_is_slowed_down_and_others_are_not() {
        let (pace, now) = (Pace::default(), Instant(7 * MINUTE_US));
        let (one, two) = (DeviceId([1; 16]), DeviceId([2; 16]));
        let refused = (0..50).filter(|_| pace.is_too_often(one, now)).count();
        assert_eq!(refused, 30);
        assert!(!pace.is_too_often(two, now));
        assert!(!pace.is_too_often(one, now.offset(MINUTE_US)), "the next minute");
    }
}
