//! Frames whole, damaged, in pieces, and inside rubbish.

use super::*;
use proptest::prelude::*;

const DIALECTS: [Dialect; 2] = [Dialect::Binary, Dialect::Ascii];

fn words(parts: &[Part]) -> Vec<String> {
    parts
        .iter()
        .map(|part| match part {
            Part::Frame { sequence, command, data } => {
                format!("{}{}{}", char::from(*sequence), char::from(*command), String::from_utf8_lossy(data))
            }
            Part::Ack => "ack".into(),
            Part::Nak => "nak".into(),
            Part::Bad(kind) => format!("!{kind:?}"),
        })
        .collect()
}

fn cut(dialect: Dialect, bytes: &[u8]) -> Vec<String> {
    let mut cutter = Cutter::new(dialect);
    let mut parts = cutter.push(bytes);
    parts.extend(cutter.idle());
    assert!(!cutter.is_inside());
    words(&parts)
}

#[test]
fn the_documented_bytes() {
    // LRC by hand: 03^30^4B^35^03 = 4E; with the length "003", 30^30^33^30^4B^35^03 = 7E.
    assert_eq!(frame(Dialect::Binary, b'0', b'K', b"5"), [2, 3, b'0', b'K', b'5', 3, 0x4e]);
    assert_eq!(frame(Dialect::Ascii, b'0', b'K', b"5"), b"\x020030K5\x037E");
    for dialect in DIALECTS {
        let track = frame(dialect, b'7', b'T', b";80001234?");
        assert_eq!(cut(dialect, &track), ["7T;80001234?"]);
        let two = [&[ACK][..], &track, &[NAK], &frame(dialect, b'8', b'Q', b"")].concat();
        assert_eq!(cut(dialect, &two), ["ack", "7T;80001234?", "nak", "8Q"]);
    }
}

#[test]
fn case_72_damage_is_told_and_the_next_frame_is_read() {
    for dialect in DIALECTS {
        let good = frame(dialect, b'1', b'K', b"5");
        for at in 1..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x41;
            let met = cut(dialect, &[&bad[..], &frame(dialect, b'2', b'K', b"6")].concat());
            assert_eq!(met.last().map(String::as_str), Some("2K6"), "{dialect:?} byte {at}: {met:?}");
            assert!(met.len() >= 2 && met[0].starts_with('!'), "{dialect:?} byte {at}: {met:?}");
        }
        // A frame cut off by the next; answers' bytes inside a damaged frame are no answers.
        let half = &frame(dialect, b'1', b'T', &[ACK, NAK, b'a', b'b', b'c'])[..7];
        let met = cut(dialect, &[half, &frame(dialect, b'2', b'K', b"6")].concat());
        assert_eq!(met.last().map(String::as_str), Some("2K6"), "{dialect:?} {met:?}");
        assert!(!met.contains(&"ack".to_owned()) && !met.contains(&"nak".to_owned()), "{met:?}");
        let endless = vec![STX; 1_000_000];
        let met = cut(dialect, &[&endless[..], &frame(dialect, b'2', b'K', b"6")].concat());
        assert_eq!(met.last().map(String::as_str), Some("2K6"));
    }
}

proptest! {
    #[test]
    fn what_is_framed_comes_back(data in proptest::collection::vec(any::<u8>(), 0..=248), sequence in 0_u8..10) {
        for dialect in DIALECTS {
            let bytes = frame(dialect, b'0' + sequence, b'P', &data);
            prop_assert!(bytes.len() <= FRAME_BYTES_MAX);
            let mut cutter = Cutter::new(dialect);
            let parts = cutter.push(&bytes);
            let expected = Part::Frame { sequence: b'0' + sequence, command: b'P', data: data.clone() };
            prop_assert!(parts == vec![expected]);
        }
    }

    /// Rubbish of any sort: bounded memory, no panic, the same in any pieces; after a pause a frame is read.
    #[test]
    fn case_72_any_rubbish_then_a_pause_then_a_frame(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(vec![STX, ETX, ACK, NAK, b'0', 2, 3])], 0..1_500),
        pieces in 1_usize..50,
    ) {
        for dialect in DIALECTS {
            let (mut whole, mut cutter) = (Cutter::new(dialect), Cutter::new(dialect));
            let mut parts = Vec::new();
            for piece in bytes.chunks(pieces) {
                parts.extend(cutter.push(piece));
                prop_assert!(cutter.kept.len() <= FRAME_BYTES_MAX);
            }
            prop_assert_eq!(words(&parts), words(&whole.push(&bytes)));
            cutter.idle();
            prop_assert!(!cutter.is_inside());
            let met = words(&cutter.push(&frame(dialect, b'5', b'K', b"7")));
            prop_assert_eq!(met, vec!["5K7".to_owned()]);
        }
    }
}
