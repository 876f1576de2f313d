//! Recorded events and the properties of the decoder.

use super::*;
use crate::card::ErrorKind;
use crate::serial::em125::{Form, KnownBy};
use crate::serial::medium::medium_of;
use proptest::prelude::*;

/// The keys that type a text on a US keyboard, with releases and Shift as wedges send them.
pub(crate) fn strokes(text: &str) -> Vec<KeyEvent> {
    let mut events = Vec::new();
    let key = |code, stroke| KeyEvent::Key { code, stroke };
    for byte in text.bytes() {
        let found = (0..127_u16).find_map(|code| {
            [false, true].into_iter().find(|s| typed(code, *s, false) == Some(byte)).map(|s| (code, s))
        });
        let (code, shift) = found.unwrap_or_else(|| panic!("no key types {byte:#x}"));
        if shift {
            events.push(key(42, Stroke::Down));
        }
        events.extend([key(code, Stroke::Down), key(code, Stroke::Up)]);
        if shift {
            events.push(key(42, Stroke::Up));
        }
    }
    events
}

/// A recording: lines `code value` as `evtest` shows them; `lost` for a gap.
fn recorded(text: &str) -> Vec<KeyEvent> {
    text.split([',', '\n'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| match line.split_once(' ') {
            None => KeyEvent::Lost,
            Some((code, value)) => {
                let stroke = Stroke::of_value(value.parse().unwrap()).unwrap();
                KeyEvent::Key { code: code.parse().unwrap(), stroke }
            }
        })
        .collect()
}

fn frames(protocol: Protocol, events: &[KeyEvent]) -> Vec<String> {
    let mut decoder = Decoder::new(protocol);
    let mut out: Vec<Framed> = events.iter().flat_map(|event| decoder.push(*event, 1)).collect();
    out.extend(decoder.idle(u64::MAX / 2));
    assert!(decoder.due_ns().is_none());
    out.iter()
        .map(|framed| match framed {
            Framed::Frame(text) => text.clone(),
            Framed::Bad(kind) => format!("!{kind:?}"),
        })
        .collect()
}

#[test]
fn recordings() {
    let table = [
        // "12" Enter of a 125 kHz reader: press, release.
        ("2 1, 2 0, 3 1, 3 0, 28 1, 28 0", vec!["12"]),
        // The number pad, with NumLock toggled around it, and its Enter.
        ("69 1, 69 0, 79 1, 79 0, 82 1, 82 0, 76 1, 76 0, 96 1, 96 0", vec!["105"]),
        // A capital with the right Shift, a small letter, Tab for an end.
        ("54 1, 30 1, 30 0, 54 0, 48 1, 48 0, 15 1, 15 0", vec!["Ab"]),
        // Shift pressed before and released after several keys; rollover: the next key before the last release.
        ("42 1, 30 1, 48 1, 30 0, 48 0, 42 0, 2 1, 2 0, 28 1", vec!["AB1"]),
        // Caps lock turns letters around, not digits.
        ("58 1, 58 0, 30 1, 30 0, 2 1, 2 0, 42 1, 48 1, 48 0, 42 0, 28 1", vec!["A1b"]),
        // A held key types once.
        ("2 1, 2 2, 2 2, 2 2, 2 0, 28 1", vec!["1"]),
        // A function key in the middle, a Ctrl chord, and a gap spoil their line and no other.
        ("2 1, 2 0, 59 1, 59 0, 3 1, 3 0, 28 1, 4 1, 28 1", vec!["!Malformed", "3"]),
        ("2 1, 29 1, 46 1, 46 0, 29 0, 3 1, 28 1, 4 1, 28 1", vec!["!Malformed", "3"]),
        ("2 1, lost, 3 1, 28 1, 4 1, 28 1", vec!["!Malformed", "3"]),
        // A Shift whose release was lost does not stay down.
        ("42 1, lost, 28 1, 2 1, 28 1", vec!["1"]),
        ("28 1, 28 0, 28 1, 28 0", vec![]),
    ];
    for (recording, expected) in table {
        assert_eq!(frames(Protocol::Line, &recorded(recording)), expected, "{recording}");
    }
}

#[test]
fn stripes_chips_and_banks_numbers_over_keys() {
    let stripe = frames(Protocol::Iso7813, &strokes("%B80001234^ZHANG/SAN^2512?\r;80001234=2512?\r"));
    assert_eq!(stripe, ["%B80001234^ZHANG/SAN^2512?;80001234=2512?"]);
    let chip = Protocol::Proximity { form: Form::H8D10, known_by: KnownBy::Bits32 };
    assert_eq!(frames(chip, &strokes("0040856634\r")), ["0040856634"]);
    for (protocol, text) in
        [(Protocol::Line, "6225880012345675\r"), (Protocol::Iso7813, ";6225880012345675?\r")]
    {
        let mut decoder = Decoder::new(protocol);
        let framed: Vec<_> = strokes(text).into_iter().flat_map(|event| decoder.push(event, 1)).collect();
        assert_eq!(framed.len(), 1);
        for framed in framed {
            assert_eq!(medium_of(protocol, framed).err(), Some(ErrorKind::PaymentCard));
        }
    }
}

#[test]
fn every_printable_sign_has_one_key() {
    for byte in b' '..=b'~' {
        let text = char::from(byte).to_string();
        let keys: Vec<_> = (0..u16::MAX)
            .flat_map(|code| [(code, false), (code, true)])
            .filter(|(code, shift)| !(55..=98).contains(code) && typed(*code, *shift, false) == Some(byte))
            .collect();
        let expected = usize::from(byte != b' ');
        assert_eq!(keys.len(), expected, "{text:?}: {keys:?}");
    }
    assert_eq!(typed(57, true, true), Some(b' '));
}

proptest! {
    #[test]
    fn what_is_typed_comes_back(text in "[!-~]([ -~]{0,60}[!-~])?") {
        let typed = format!("{text}\r");
        prop_assert_eq!(frames(Protocol::Line, &strokes(&typed)), vec![text]);
    }

    /// Any events at all: no panic, bounded memory, and afterwards a line is read.
    #[test]
    fn case_72_any_events_and_then_a_line(
        events in proptest::collection::vec((0_u16..300, 0_i32..3, 0_u8..40), 0..1_500),
        line: bool,
    ) {
        let protocol = if line { Protocol::Line } else { Protocol::Iso7813 };
        let mut decoder = Decoder::new(protocol);
        for (code, value, lost) in events {
            let stroke = Stroke::of_value(value).unwrap();
            let event = if lost == 0 { KeyEvent::Lost } else { KeyEvent::Key { code, stroke } };
            for framed in decoder.push(event, 1) {
                if let Framed::Frame(text) = framed {
                    prop_assert!(text.len() <= crate::serial::line::FRAME_BYTES_MAX);
                }
            }
        }
        decoder.idle(u64::MAX / 2);
        // The keys that hang are let go, as unplugging would.
        for code in MODIFIERS {
            decoder.push(KeyEvent::Key { code, stroke: Stroke::Up }, u64::MAX / 2);
        }
        let caps = decoder.caps;
        let got: Vec<_> = strokes(";80001234?\r")
            .into_iter()
            .flat_map(|event| decoder.push(event, u64::MAX / 2 + 1))
            .collect();
        prop_assert!(matches!(got.last(), Some(Framed::Frame(text)) if text == ";80001234?"), "caps {caps}");
    }
}
