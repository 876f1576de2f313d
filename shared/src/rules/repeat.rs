//! Double taps: the same card, at the same reader, for the same purpose, within some seconds of monotonic time
//! (conflict kind 2). Both facts are kept; they have one effect.
//!
//! The wall clock plays no part: it may be stepped between two taps.

use crate::fact::{Event, Fact, Shown, Subject, Way};
use crate::ids::OccurrenceId;
use crate::money::Amount;

/// What makes two taps "the same": card, reader and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TapKey {
    /// Token of the card, and the reader.
    pub subject: (crate::token::Token, u8),
    /// What the tap was for.
    pub purpose: TapPurpose,
}

impl TapKey {
    /// The same card at the same reader going the other way: who went out in between has come in anew.
    #[must_use]
    pub fn opposite(&self) -> Option<Self> {
        let purpose = match self.purpose {
            TapPurpose::CheckIn(occurrence) => TapPurpose::CheckOut(occurrence),
            TapPurpose::CheckOut(occurrence) => TapPurpose::CheckIn(occurrence),
            TapPurpose::Visit | TapPurpose::Earn(_) => return None,
        };
        Some(Self { subject: self.subject, purpose })
    }
}

/// The purpose of a tap, where a repeat has no effect of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TapPurpose {
    /// A visit.
    Visit,
    /// A check-in to this occurrence.
    CheckIn(OccurrenceId),
    /// Leaving this occurrence.
    CheckOut(OccurrenceId),
    /// A purchase of so many fen; another amount is another purchase.
    Earn(Amount),
}

/// One tap on the terminal's own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// What makes it the same as another.
    pub key: TapKey,
    /// Seq of the `Booted` fact: monotonic times of two boots cannot be compared.
    pub boot: u64,
    /// Monotonic nanoseconds since that boot.
    pub mono_ns: u64,
}

impl Tap {
    /// The tap of a fact, or `None` for facts that no tap made or whose repeats each count.
    #[must_use]
    pub fn of(fact: &Fact) -> Option<Self> {
        let (subject, purpose): (&Subject, TapPurpose) = match &fact.event {
            Event::Visited(seen) => (&seen.subject, TapPurpose::Visit),
            Event::Attended(attended) => {
                let purpose = match attended.way {
                    Way::In => TapPurpose::CheckIn(attended.occurrence),
                    Way::Out => TapPurpose::CheckOut(attended.occurrence),
                };
                (&attended.subject, purpose)
            }
            // A purchase with a slip is known by its slip, not by its amount.
            Event::Earned(earned) if earned.slip.is_none() => {
                (&earned.subject, TapPurpose::Earn(earned.purchase))
            }
            _ => return None,
        };
        let key = TapKey { subject: (subject.token, subject.reader), purpose };
        Some(Self { key, boot: fact.boot, mono_ns: fact.mono_ns })
    }

    /// The tap that a later one may repeat. A repeat opens no window of its own, or a card that lies by the reader
    /// would push the next purchase ever further away.
    #[must_use]
    pub fn opening(fact: &Fact) -> Option<Self> {
        let repeats = match &fact.event {
            Event::Attended(attended) => attended.repeats.is_some(),
            Event::Earned(earned) => earned.repeats.is_some(),
            Event::Visited(_) => fact.shown == Shown::AlreadyIn,
            _ => false,
        };
        if repeats { None } else { Self::of(fact) }
    }

    /// Whether this tap repeats an earlier one.
    #[must_use]
    pub fn repeats(&self, earlier: &Self, window_s: u32) -> bool {
        let window_ns = u64::from(window_s) * 1_000_000_000;
        self.key == earlier.key
            && self.boot == earlier.boot
            && self.mono_ns.checked_sub(earlier.mono_ns).is_some_and(|gap| gap <= window_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Token;

    fn tap(reader: u8, boot: u64, seconds: u64) -> Tap {
        let token = Token { key_version: 1, hash: [1; 16] };
        Tap {
            key: TapKey { subject: (token, reader), purpose: TapPurpose::Visit },
            boot,
            mono_ns: seconds * 1_000_000_000,
        }
    }

    #[test]
    fn kind_02_a_repeat_is_told_by_card_reader_purpose_and_monotonic_time() {
        let first = tap(0, 1, 100);
        let mut other_purpose = tap(0, 1, 110);
        other_purpose.key.purpose = TapPurpose::Earn(Amount(100));
        let cases = [
            (tap(0, 1, 100), true, "same moment"),
            (tap(0, 1, 160), true, "end of the window"),
            (tap(0, 1, 161), false, "after the window"),
            (tap(1, 1, 110), false, "another reader"),
            (tap(0, 2, 110), false, "another boot"),
            (tap(0, 1, 90), false, "before it"),
            (other_purpose, false, "another purpose"),
        ];
        for (second, expected, why) in cases {
            assert_eq!(second.repeats(&first, 60), expected, "{why}");
        }
    }
}
