//! Taps of one terminal, repeated and not.

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
    assert_eq!(met, [(2, 1), (5, 3)], "other cards, other terminals and what is said of other cards stand");
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
