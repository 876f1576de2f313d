//! When a fact happened, as far as the centre can know.
//!
//! A terminal's wall clock is a claim. Each delivery bounds the clock of the boot that delivered it: it was sent
//! before it was received (`offset_high`), and after the time that the terminal had last heard from the centre
//! (`offset_low`). The time of a fact is the lower bound where there is one, else the claim, held between enrolment
//! and receipt; within an epoch it never runs back, so order within a device is always that of seq.

use hufu_shared::fact::Fact;
use hufu_shared::time::{Instant, MINUTE_US};

use super::entry::ClockSample;
use super::world::KnownBoot;

/// How far a claim may lie outside what is possible before it counts as a clock fault (kind 19).
pub const CLOCK_TOLERANCE_US: i64 = 5 * MINUTE_US;

/// The time of a fact and whether its claim was impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// When it happened, as judged.
    pub at: Instant,
    /// Not before, by what deliveries said of its boot; as judged where none said anything.
    pub low: Instant,
    /// Not after.
    pub high: Instant,
    /// Its claim lies in the future, or before the enrolment.
    pub clock_fault: bool,
}

/// Microseconds of a monotonic time.
fn micros(mono_ns: u64) -> i64 {
    i64::try_from(mono_ns / 1_000).unwrap_or(i64::MAX)
}

/// Bounds of the boot's clock that a delivery gives.
#[must_use]
pub fn sample(
    boot_seq: u64,
    sent_mono_ns: u64,
    heard: Option<(Instant, u64)>,
    received: Instant,
) -> ClockSample {
    let offset_high = received.0.saturating_sub(micros(sent_mono_ns));
    let offset_low = heard
        .map(|(central_time, mono_ns)| central_time.0.saturating_sub(micros(mono_ns)))
        .filter(|low| *low <= offset_high);
    ClockSample { boot_seq, offset_low, offset_high }
}

/// Takes a sample into a boot: bounds only ever get narrower, and one that contradicts the other is left out.
pub fn narrow(boot: &mut KnownBoot, sample: ClockSample) {
    boot.offset_high = Some(boot.offset_high.map_or(sample.offset_high, |high| high.min(sample.offset_high)));
    let low = match (boot.offset_low, sample.offset_low) {
        (Some(known), Some(new)) => Some(known.max(new)),
        (known, new) => known.or(new),
    };
    boot.offset_low = low.filter(|low| boot.offset_high.is_none_or(|high| *low <= high));
}

/// Places a fact in time. `last_at` is the largest time of an earlier fact of the epoch.
#[must_use]
pub fn place(
    fact: &Fact,
    boot: Option<&KnownBoot>,
    enrolled_at: Instant,
    received: Instant,
    last_at: Instant,
) -> Placed {
    let claim = fact.wall;
    let clock_fault =
        claim > received.offset(CLOCK_TOLERANCE_US) || claim < enrolled_at.offset(-CLOCK_TOLERANCE_US);
    let mono = micros(fact.mono_ns);
    let high = boot
        .and_then(|boot| boot.offset_high)
        .map_or(received, |offset| Instant(offset.saturating_add(mono)).min(received));
    let bound = boot.and_then(|boot| boot.offset_low).map(|offset| Instant(offset.saturating_add(mono)));
    let at = bound.unwrap_or_else(|| claim.max(enrolled_at)).min(high).max(last_at);
    Placed { at, low: bound.map_or(at, |bound| bound.min(at)), high: high.max(at), clock_fault }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::fact::{Event, FACT_FORMAT, OperatorSession, Shown};
    use hufu_shared::ids::{BootId, OperatorId};
    use hufu_shared::time::{ClockQuality, SECOND_US};
    use hufu_shared::wire::version::Version;

    const ENROLLED: Instant = Instant(1_000 * SECOND_US);
    const RECEIVED: Instant = Instant(5_000 * SECOND_US);

    fn fact(wall_s: i64, mono_s: u64) -> Fact {
        Fact {
            format: FACT_FORMAT,
            seq: 2,
            wall: Instant(wall_s * SECOND_US),
            mono_ns: mono_s * 1_000_000_000,
            boot: 1,
            clock: ClockQuality::Kept,
            directory: Version::default(),
            block: Version::default(),
            scheme: 0,
            operator: None,
            shown: Shown::Nothing,
            rule: None,
            event: Event::OperatorSignedIn(OperatorSession { operator: OperatorId([0; 16]) }),
        }
    }

    fn boot(low_s: Option<i64>, high_s: Option<i64>) -> KnownBoot {
        KnownBoot {
            boot: BootId([0; 16]),
            offset_low: low_s.map(|s| s * SECOND_US),
            offset_high: high_s.map(|s| s * SECOND_US),
        }
    }

    #[test]
    fn kind_19_a_claim_outside_enrolment_and_receipt_is_a_clock_fault_and_is_held_between_them() {
        let cases = [
            (2_000, Some(2_000), false, "plausible"),
            (5_299, Some(5_000), false, "future within tolerance"),
            (5_301, Some(5_000), true, "future"),
            (0, Some(1_000), true, "1970"),
            (701, Some(1_000), false, "just before enrolment"),
            (400_000_000, Some(5_000), true, "ten years ahead"),
        ];
        for (wall, at, fault, why) in cases {
            let placed = place(&fact(wall, 10), None, ENROLLED, RECEIVED, Instant(0));
            assert_eq!(Some(placed.at.0 / SECOND_US), at, "{why}");
            assert_eq!(placed.clock_fault, fault, "{why}");
        }
    }

    #[test]
    fn inv_16_a_bounded_boot_places_facts_by_monotonic_time_whatever_the_wall_says() {
        let bounded = boot(Some(1_990), Some(2_001));
        for wall in [0, 2_500, 400_000_000] {
            let placed = place(&fact(wall, 100), Some(&bounded), ENROLLED, RECEIVED, Instant(0));
            assert_eq!(placed.at.0, 2_090 * SECOND_US, "wall {wall}");
        }
    }

    #[test]
    fn time_never_runs_back_within_an_epoch() {
        let placed = place(&fact(2_000, 10), None, ENROLLED, RECEIVED, Instant(3_000 * SECOND_US));
        assert_eq!(placed.at.0, 3_000 * SECOND_US);
    }

    #[test]
    fn samples_narrow_and_a_contradicting_one_is_left_out() {
        let mut known = boot(None, None);
        narrow(&mut known, sample(1, 10_000_000_000, None, Instant(2_012 * SECOND_US)));
        assert_eq!(known.offset_high, Some(2_002 * SECOND_US));
        narrow(
            &mut known,
            sample(
                1,
                30_000_000_000,
                Some((Instant(2_020 * SECOND_US), 20_000_000_000)),
                Instant(2_031 * SECOND_US),
            ),
        );
        assert_eq!((known.offset_low, known.offset_high), (Some(2_000 * SECOND_US), Some(2_001 * SECOND_US)));
        let lying =
            sample(1, 30_000_000_000, Some((Instant(9_999 * SECOND_US), 0)), Instant(2_031 * SECOND_US));
        assert_eq!(lying.offset_low, None, "heard later than received");
    }
}
