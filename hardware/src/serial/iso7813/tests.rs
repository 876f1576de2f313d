//! Case tables and properties of the track parser.

use super::*;
use crate::payment::is_payment_number;
use proptest::prelude::*;

fn number(frame: &str) -> Result<String, ErrorKind> {
    parse(frame).map(|swipe| swipe.number)
}

#[test]
fn whole_swipes() {
    let table = [
        // Bare membership numbers, without '=' and without Luhn.
        (";62258800?", "62258800"),
        ("%80001234?", "80001234"),
        (";8001=2512?", "8001"),
        // Fails Luhn, so no bank's.
        (";6225880012345678=2512?", "6225880012345678"),
        ("%B80001234^ZHANG/SAN^2512101?", "80001234"),
        ("%B8000 1234^ZHANG/SAN^2512101?", "80001234"),
        // Track 2 decides where both were read.
        ("%B80001234^ZHANG/SAN^2512101?;80005678=2512101?", "80005678"),
        // One track unread, in either way that readers say so.
        ("%E?;80005678=2512101?", "80005678"),
        ("%B80001234^ZHANG/SAN^2512101?;E?", "80001234"),
        ("%?;80005678?", "80005678"),
        ("%B80001234^A/B^2512?;80005678?+0180001234==1?", "80005678"),
        // Rubbish before the first track.
        ("xyz;80001234?", "80001234"),
        ("?%;80001234?", "80001234"),
        ("%abc;80001234?", "80001234"),
        (";80001234?  ", "80001234"),
    ];
    for (frame, expected) in table {
        assert_eq!(number(frame).as_deref(), Ok(expected), "{frame}");
    }
}

#[test]
fn what_is_not_a_swipe() {
    use ErrorKind::{Malformed, TooLong};
    let table = [
        ("", Malformed),
        ("?", Malformed),
        (";?", Malformed),
        (";E?", Malformed),
        ("%E?;E?", Malformed),
        (";80001234", Malformed),
        ("80001234?", Malformed),
        (";123?", Malformed),
        (";8000A234?", Malformed),
        ("%B^ZHANG/SAN^2512?", Malformed),
        ("%MEMBER?", Malformed),
        (";80001234?;", ErrorKind::Checksum),
        (";80001234?;8", Malformed),
        // A track begun and not ended: what follows may be the rest of a number.
        (";80001;234567?", Malformed),
        (";80001%B234567^A/B^2512?", Malformed),
        ("%B80001234;5678?", Malformed),
        (";80001234?xyz", ErrorKind::Checksum),
    ];
    for (frame, expected) in table {
        assert_eq!(number(frame), Err(expected), "{frame}");
    }
    let long = format!(";{}?", "1".repeat(TRACK_2_CHARS_MAX));
    assert_eq!(number(&long), Err(Malformed));
    assert_eq!(number(&"1".repeat(200)), Err(TooLong));
}

#[test]
fn case_72_a_checksum_that_is_there_must_hold() {
    assert_eq!(lrc(";6225880012345678=2512?"), Some('6'));
    let table = [
        (";6225880012345678=2512?6", Ok(true)),
        (";6225880012345678=2512?", Ok(false)),
        (";6225880012345678=2512?7", Err(ErrorKind::Checksum)),
        (";6225880012345679=2512?6", Err(ErrorKind::Checksum)),
    ];
    for (frame, expected) in table {
        assert_eq!(parse(frame).map(|s| s.lrc_checked), expected, "{frame}");
    }
    assert_eq!(lrc("nothing"), None);
    assert_eq!(lrc(";12a?"), None);
}

#[test]
fn case_72_a_checksum_that_looks_like_a_sentinel_is_still_one() {
    // Searched for: bare numbers whose checksum is ';' or '?', alone and before another track.
    let mut met = [false; 2];
    for n in 80_000_000..80_000_400_u32 {
        let track = format!(";{n}?");
        let sum = lrc(&track).unwrap();
        met[0] |= sum == ';';
        met[1] |= sum == '?';
        let alone = parse(&format!("{track}{sum}")).unwrap();
        assert_eq!((alone.number, alone.lrc_checked), (n.to_string(), true), "{track}{sum}");
        let first = format!("%B{n}^A/B^25?");
        let first_sum = lrc(&first).unwrap();
        let both = parse(&format!("{first}{first_sum}{track}{sum}")).unwrap();
        assert!(both.lrc_checked && both.track1.is_some() && both.track2.is_some());
    }
    assert_eq!(met, [true; 2], "the search must have met both");
}

#[test]
fn bank_cards_are_refused() {
    let table = [
        ("6225880012345675", true),
        ("6225880012345678", false),
        ("4111111111111111", true),
        ("5555555555554444", true),
        ("2223003122003222", true),
        ("378282246310005", true),
        ("30569309025904", true),
        ("3530111333300000", true),
        ("6011111111111117", true),
        ("8171999927660000", true),
        // Valid by Luhn, but no bank's range; and too short.
        ("8000000000000000", false),
        ("18", false),
        ("62", false),
        ("6225-8800-1234-5675", false),
    ];
    for (digits, expected) in table {
        assert_eq!(is_payment_number(digits), expected, "{digits}");
    }
    for frame in [
        ";6225880012345675=2512101?",
        "%B6225880012345675^ZHANG/SAN^2512101?",
        "%B6225880012345675^ZHANG/SAN^2512101?;80001234?",
        "%B80001234^ZHANG/SAN^2512101?;6225880012345675=2512101?",
    ] {
        assert_eq!(number(frame), Err(ErrorKind::PaymentCard), "{frame}");
    }
}

proptest! {
    #[test]
    fn never_panics_and_numbers_are_whole(frame in "[ -~]{0,120}") {
        if let Ok(swipe) = parse(&frame) {
            prop_assert!(swipe.number.len() >= NUMBER_DIGITS_MIN);
            let ended = [format!(";{}?", swipe.number), format!(";{}=", swipe.number), format!("%{}?", swipe.number)];
            let of_track_1 = swipe.track1.is_some_and(|t| number_of_track_1(&t).as_ref() == Some(&swipe.number));
            prop_assert!(ended.iter().any(|e| frame.contains(e)) || of_track_1);
        }
    }

    #[test]
    fn never_panics_on_any_text(frame in "\\PC{0,60}") {
        drop(parse(&frame));
    }

    #[test]
    fn any_membership_number_comes_back(number in "[0-9]{4,12}", with_lrc: bool, expiry in "(=[0-9]{4,10})?") {
        let track = format!(";{number}{expiry}?");
        let sum = if with_lrc { lrc(&track).unwrap().to_string() } else { String::new() };
        let swipe = parse(&format!("{track}{sum}"));
        prop_assert_eq!(swipe.map(|s| (s.number, s.lrc_checked)).ok(), Some((number, with_lrc)));
    }

    /// Cutting a swipe anywhere never yields another number.
    #[test]
    fn no_partial_identity(number in "[0-9]{8,12}", from in 0_usize..20, to in 0_usize..20) {
        let track = format!(";{number}=2512?");
        let cut = &track[from.min(track.len())..];
        let cut = &cut[..to.min(cut.len())];
        if let Ok(swipe) = parse(cut) {
            prop_assert_eq!(swipe.number, number);
        }
    }
}
