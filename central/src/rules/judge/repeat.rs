//! Double taps (kind 2) among all taps of a terminal: same card, reader and purpose within some seconds of its own clock.
//!
//! Both facts are kept, they have one effect. A repeat opens no window of its own, or a card that lies by the reader
//! would push the next purchase ever further away. What the terminal says it repeats is believed if it is the same card,
//! reader and purpose. Facts of one terminal come in order of seq, so the order of arrival plays no part.

use std::collections::BTreeMap;

use hufu_shared::ids::FactId;
use hufu_shared::rules::repeat::Tap;

/// A tap with what decides whether it repeats another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tapped {
    /// The fact.
    pub id: FactId,
    /// The tap on the terminal's own clock.
    pub tap: Tap,
    /// Seconds within which the scheme of the fact makes it a repeat.
    pub window_s: u32,
    /// Seq of the tap that the terminal says it repeats.
    pub said: Option<u64>,
}

/// Repeats, each with the fact that has the effect for both.
#[must_use]
pub fn repeats(taps: &[Tapped]) -> BTreeMap<FactId, FactId> {
    let mut ordered: Vec<&Tapped> = taps.iter().collect();
    ordered.sort_by_key(|tapped| tapped.id);
    let mut opened: Vec<&Tapped> = Vec::new();
    let mut merged = BTreeMap::new();
    for tapped in ordered {
        let same = |first: &&&Tapped| {
            let one_terminal = (first.id.device, first.id.epoch) == (tapped.id.device, tapped.id.epoch);
            let said = tapped.said == Some(first.id.seq) && tapped.tap.key == first.tap.key;
            one_terminal && (said || tapped.tap.repeats(&first.tap, tapped.window_s))
        };
        // The latest first: it is the nearest, and most often the answer.
        match opened.iter().rev().find(same) {
            Some(first) => drop(merged.insert(tapped.id, first.id)),
            None => opened.push(tapped),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::order::testing::{place, shuffled};
    use super::*;
    use hufu_shared::money::Amount;
    use hufu_shared::rules::repeat::{TapKey, TapPurpose};
    use hufu_shared::token::Token;
    use proptest::prelude::*;

    fn tapped(device: u8, seq: u64, card: u8, at_s: u64, said: Option<u64>) -> Tapped {
        let token = Token { key_version: 1, hash: [card; 16] };
        let key = TapKey { subject: (token, 0), purpose: TapPurpose::Earn(Amount(100)) };
        let tap = Tap { key, boot: 1, mono_ns: at_s * 1_000_000_000 };
        Tapped { id: place(0, device, seq).fact, tap, window_s: 60, said }
    }

    #[test]
    fn kind_02_a_repeat_merges_into_the_tap_that_opened_the_window() {
        let taps = [
            tapped(1, 1, 1, 0, None),
            tapped(1, 2, 1, 50, None),
            tapped(1, 3, 1, 100, None),
            tapped(1, 4, 2, 101, None),
            tapped(1, 5, 1, 900, Some(3)),
            tapped(1, 6, 1, 901, Some(4)),
            tapped(2, 7, 1, 101, Some(3)),
        ];
        let met: Vec<(u64, u64)> = repeats(&taps).iter().map(|(id, first)| (id.seq, first.seq)).collect();
        assert_eq!(
            met,
            [(2, 1), (5, 3)],
            "other cards, other terminals and what is said of other cards stand"
        );
    }

    proptest! {
        #[test]
        fn kind_02_follows_the_set_of_taps(
            rows in proptest::collection::vec((1..3_u8, 1..3_u8, 0..100_u64, proptest::option::of(0..9_u64)), 0..9),
            keys in proptest::collection::vec(any::<u32>(), 9),
        ) {
            let taps: Vec<Tapped> = rows
                .iter()
                .zip(1..)
                .map(|((device, card, at, said), seq)| tapped(*device, seq, *card, *at, *said))
                .collect();
            let merged = repeats(&taps);
            prop_assert_eq!(&repeats(&shuffled(&taps, &keys)), &merged);
            prop_assert!(merged.values().all(|first| !merged.contains_key(first)), "a repeat opens no window");
        }
    }
}
