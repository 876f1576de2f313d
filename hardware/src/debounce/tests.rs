//! Presentations in time, as tables.

use super::*;

const MS: u64 = 1_000_000;

enum Do {
    Tap(&'static str, u8),
    Off(&'static str),
    Swipe(u8),
}

/// Each row: time in ms, what happens, and whether a presentation counts.
fn play(rows: &[(u64, Do, Option<Verdict>)]) {
    let mut debounce = Debounce::default();
    for (line, (ms, what, expected)) in rows.iter().enumerate() {
        let at = ms * MS;
        let got = match what {
            Do::Tap(reader, card) => {
                Some(debounce.presented(&SourceId::new(0, *reader), &Medium::Uid(vec![*card; 4]), true, at))
            }
            Do::Off(reader) => {
                debounce.left(&SourceId::new(0, *reader), at);
                None
            }
            Do::Swipe(card) => Some(debounce.presented(
                &SourceId::new(1, "stripe"),
                &Medium::Line(card.to_string()),
                false,
                at,
            )),
        };
        assert_eq!(got, *expected, "row {line}");
    }
}

use Verdict::{New, Repeat};

#[test]
fn case_73_flicker_is_one_presentation_and_a_return_is_another() {
    play(&[
        (0, Do::Tap("a", 1), Some(New)),
        (5_000, Do::Off("a"), None),
        (5_400, Do::Tap("a", 1), Some(Repeat)),
        (5_500, Do::Off("a"), None),
        (6_999, Do::Tap("a", 1), Some(Repeat)),
        (7_000, Do::Off("a"), None),
        (8_501, Do::Tap("a", 1), Some(New)),
    ]);
}

#[test]
fn case_73_a_card_held_on_the_reader_counts_once() {
    play(&[
        (0, Do::Tap("a", 1), Some(New)),
        (60_000, Do::Swipe(9), Some(New)),
        (60_001, Do::Off("a"), None),
        (60_002, Do::Tap("a", 1), Some(Repeat)),
    ]);
}

#[test]
fn the_same_card_at_two_slots_of_one_terminal_is_one_presentation() {
    play(&[(0, Do::Tap("a", 1), Some(New)), (100, Do::Off("a"), None), (900, Do::Tap("b", 1), Some(Repeat))]);
}

#[test]
fn another_card_always_counts() {
    play(&[
        (0, Do::Tap("a", 1), Some(New)),
        (10, Do::Tap("a", 2), Some(New)),
        (20, Do::Tap("a", 1), Some(Repeat)),
        (30, Do::Swipe(1), Some(New)),
        (1_500, Do::Swipe(1), Some(Repeat)),
        (3_001, Do::Swipe(1), Some(New)),
    ]);
}

#[test]
fn a_stripe_read_with_fewer_tracks_is_the_same_card() {
    let stripe = |track1: Option<&str>| Medium::Stripe {
        track1: track1.map(str::to_owned),
        track2: Some("80001234=25".into()),
        number: "80001234".into(),
    };
    let (mut debounce, source) = (Debounce::default(), SourceId::new(0, "s"));
    let mut pull = |track1, ms| debounce.presented(&source, &stripe(track1), false, ms * MS);
    assert_eq!(pull(Some("B80001234^A/B^25"), 0), New);
    assert_eq!(pull(None, 900), Repeat);
}

#[test]
fn case_73_sources_that_never_say_removed_hold_nothing() {
    use crate::card::{Evidence, Presented};
    let mut debounce = Debounce::default();
    let mut read = |medium: &Medium, evidence: &Evidence, ms: u64| {
        let source = SourceId::new(0, "reader");
        let (medium, evidence) = (medium.clone(), evidence.clone());
        debounce.observe(&CardEvent::Presented(Presented { source, medium, evidence, at_ns: ms * MS }))
    };
    let tap = Evidence::Tap { atr: Vec::new(), card: crate::pcsc::atr::CardKind::Unknown };
    let number = || "80001234".to_owned();
    for (n, (medium, evidence)) in [
        (Medium::Proximity(number()), Evidence::Scan),
        (Medium::Line(number()), Evidence::Scan),
        (
            Medium::Stripe { track1: None, track2: None, number: number() },
            Evidence::Swipe { lrc_checked: false },
        ),
        (Medium::Number(number()), tap.clone()),
        (Medium::Data(vec![1, 2, 3, 4]), tap),
    ]
    .iter()
    .enumerate()
    {
        let from = n as u64 * 100_000;
        assert_eq!(read(medium, evidence, from), New, "{medium:?}");
        assert_eq!(read(medium, evidence, from + 1_000), Repeat, "{medium:?}");
        // A card on a smart-card reader lies there until it is said to have left.
        let later = if matches!(evidence, Evidence::Tap { .. }) { Repeat } else { New };
        assert_eq!(read(medium, evidence, from + 9_000), later, "{medium:?}");
    }
}

#[test]
fn memory_is_bounded() {
    let mut debounce = Debounce::default();
    for n in 0..1_000_u32 {
        let medium = Medium::Line(n.to_string());
        debounce.presented(&SourceId::new(0, "s"), &medium, false, 0);
    }
    assert_eq!(debounce.seen.len(), DEBOUNCE_MEDIA_MAX);
}
