//! Case tables and properties of the framer.

use super::*;
use crate::serial::iso7813;
use proptest::prelude::*;

const MS: u64 = 1_000_000;

fn show(framed: &[Framed]) -> Vec<String> {
    framed
        .iter()
        .map(|f| match f {
            Framed::Frame(text) => text.clone(),
            Framed::Bad(kind) => format!("!{kind:?}"),
        })
        .collect()
}

/// Pieces at times in ms, then silence; everything that came out.
fn frames(protocol: Protocol, pieces: &[(u64, &[u8])]) -> Vec<String> {
    let mut framer = Framer::new(protocol);
    let mut out = Vec::new();
    for (ms, piece) in pieces {
        out.extend(framer.push(piece, ms * MS));
        assert!(framer.kept.len() <= FRAME_BYTES_MAX);
    }
    out.extend(framer.idle(u64::MAX / 2));
    assert!(framer.kept.is_empty() && framer.due_ns().is_none());
    show(&out)
}

#[test]
fn line_ends_of_all_sorts() {
    use Protocol::{Iso7813, Line};
    let table: &[(Protocol, &[u8], &[&str])] = &[
        (Iso7813, b";1234?\r", &[";1234?"]),
        (Iso7813, b";1234?\n", &[";1234?"]),
        (Iso7813, b";1234?\r\n;5678?\r\n", &[";1234?", ";5678?"]),
        (Iso7813, b"\x02;1234?\x03", &[";1234?"]),
        (Iso7813, b";1234?", &[";1234?"]),
        (Iso7813, b"%B1234^A/B^25?;1234?\r", &["%B1234^A/B^25?;1234?"]),
        // Tracks on lines of their own are one swipe.
        (Iso7813, b"%B1234^A/B^25?\r\n;1234?\r\n", &["%B1234^A/B^25?;1234?"]),
        (Iso7813, b"%B1234^A/B^25?\r", &["%B1234^A/B^25?"]),
        (Iso7813, b"\r\n\r\n", &[]),
        (Line, b"HUFU:abc\r", &["HUFU:abc"]),
        (Line, b"\x02 abc def \x03", &["abc def"]),
        (Line, b"a\r\nb\nc\r", &["a", "b", "c"]),
        (Line, "欢迎\r".as_bytes(), &["欢迎"]),
        (Line, b"abc", &["abc"]),
        (Line, b"\xff\xfe\xfd\r", &["!Malformed"]),
        (Line, b"ab\x00cd\r", &["!Malformed"]),
        (Line, b"\x00\x00ab\r", &["ab"]),
    ];
    for (protocol, bytes, expected) in table {
        assert_eq!(frames(*protocol, &[(0, bytes)]), *expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn pieces_with_pauses() {
    use Protocol::{Iso7813, Line};
    assert_eq!(frames(Iso7813, &[(0, b";62258800"), (200, b"12345678?\r")]), [";6225880012345678?"]);
    // A pause beyond the flush cuts: neither half may pass for a whole number.
    let cut = frames(Iso7813, &[(0, b";62258800"), (301, b"12345678?\r")]);
    assert_eq!(cut, [";62258800", "!Malformed"]);
    assert!(iso7813::parse(&cut[0]).is_err());
    // A scanner that has shown that it ends lines is held to it.
    assert_eq!(
        frames(Line, &[(0, b"first\r"), (1_000, b"half a long code"), (2_000, b" and the rest\r")]),
        ["first", "!Malformed", "and the rest"]
    );
    // One that never did is flushed by silence.
    assert_eq!(frames(Line, &[(0, b"first"), (1_000, b"second")]), ["first", "second"]);
}

#[test]
fn case_72_rubbish_is_told_once_and_the_next_frame_is_read() {
    use Protocol::{Iso7813, Line};
    let rubbish: Vec<u8> = (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for quiet in [b'\r', b'\n', ETX, b'%', b';'] {
        let mut noise = rubbish.clone();
        noise.retain(|b| *b != quiet);
        let got = frames(Iso7813, &[(0, &noise), (5_000, b";80001234?\r")]);
        assert_eq!(got.last().unwrap(), ";80001234?");
    }
    let endless = vec![b'7'; 1_000_000];
    assert_eq!(frames(Iso7813, &[(0, &endless), (1_000, b";80001234?\r")]), ["!Malformed", ";80001234?"]);
    assert_eq!(frames(Line, &[(0, &endless), (1_000, b"ok\r")]), ["!TooLong", "ok"]);
    assert_eq!(frames(Line, &[(0, &endless), (1, b"\rok\r")]), ["ok"]);
    let open = [b";".as_slice(), &endless].concat();
    assert_eq!(frames(Iso7813, &[(0, &open), (1_000, b";80001234?\r")]), ["!TooLong", ";80001234?"]);
    // The frame follows the rubbish without a pause and without a line end.
    let glued = [open.as_slice(), b";80001234?\r"].concat();
    assert_eq!(frames(Iso7813, &[(0, &glued)]), [";80001234?"]);
    assert_eq!(frames(Iso7813, &[(0, &[0; 4_096]), (1, b";80001234?\r")]), [";80001234?"]);
    assert_eq!(frames(Iso7813, &[(0, b"\xff\x80")]), [""; 0], "line noise is nobody's attempt");
}

#[test]
fn case_72_a_nul_inside_a_track_is_no_number() {
    let got = frames(Protocol::Iso7813, &[(0, b";8000\x001234?\r;80005678?\r")]);
    assert_eq!(iso7813::parse(&got[0]).map(|s| s.number), Err(ErrorKind::Malformed));
    assert_eq!(got[1], ";80005678?");
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), proptest::sample::select(b"%;?=^+\r\n\x030123456789".to_vec())];
    proptest::collection::vec(byte, 0..1_500)
}

proptest! {
    #[test]
    fn the_cut_into_pieces_does_not_matter(bytes in noise(), cuts in proptest::collection::vec(1_usize..40, 0..60), line: bool) {
        let protocol = if line { Protocol::Line } else { Protocol::Iso7813 };
        let mut pieces: Vec<(u64, &[u8])> = Vec::new();
        let mut rest = bytes.as_slice();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push((pieces.len() as u64, piece));
            rest = after;
        }
        pieces.push((pieces.len() as u64, rest));
        prop_assert_eq!(frames(protocol, &pieces), frames(protocol, &[(0, &bytes)]));
    }

    #[test]
    fn case_72_any_rubbish_then_a_pause_then_a_frame(bytes in noise()) {
        let got = frames(Protocol::Iso7813, &[(0, &bytes), (1_000, b";80001234?\r")]);
        prop_assert_eq!(got.last().map(String::as_str), Some(";80001234?"));
    }
}
