//! The one order of facts: by judged time, then by device, enrolment and seq.
//!
//! Every rule that says "the earliest", "the later one" or "in order of time" means this order, so that two judges
//! never disagree about who came first, and two facts are never equal.

use hufu_shared::ids::FactId;
use hufu_shared::time::Instant;

/// Where a fact stands among all facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// When it happened, as judged.
    pub t: Instant,
    /// Which fact: device, epoch, seq.
    pub fact: FactId,
}

#[cfg(test)]
pub(super) mod testing {
    //! Facts for the tests of judges.

    use super::{FactId, Instant, Place};
    use hufu_shared::ids::DeviceId;

    /// The fact `seq` of device `device` at microsecond `t`.
    pub fn place(t: i64, device: u8, seq: u64) -> Place {
        let fact = FactId { device: DeviceId([device; 16]), epoch: 1, seq };
        Place { t: Instant(t), fact }
    }

    /// The same items in another order, by a permutation drawn from `keys`.
    pub fn shuffled<T: Clone>(items: &[T], keys: &[u32]) -> Vec<T> {
        let mut keyed: Vec<(u32, usize)> =
            (0..items.len()).map(|at| (keys.get(at).copied().unwrap_or(0), at)).collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, at)| items[at].clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::place;

    #[test]
    fn time_goes_before_device_and_device_before_seq() {
        let mut places = [place(2, 1, 1), place(1, 2, 9), place(1, 1, 9), place(1, 1, 2)];
        places.sort_unstable();
        assert_eq!(places, [place(1, 1, 2), place(1, 1, 9), place(1, 2, 9), place(2, 1, 1)]);
    }
}
