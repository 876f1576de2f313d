//! Codes made by a key and read again; clocks of every quality; every way to spoil one.

use super::*;
use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

const CLUB: ClubId = ClubId([7; 16]);
const MADE: Instant = Instant(1_790_000_000 * SECOND_US);

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed")
}

fn public(pair: &Ed25519KeyPair) -> [u8; CENTRE_KEY_BYTES] {
    pair.public_key().as_ref().try_into().expect("32 bytes")
}

fn code(nonce: u8) -> MemberCode {
    let token = Token { key_version: 3, hash: [0xc5; 16] };
    MemberCode { token, made_at: MADE, nonce: CodeNonce([nonce; NONCE_BYTES]) }
}

fn shown(code: &MemberCode, seed: u8) -> String {
    let signature = pair(seed).sign(&code.message(CLUB));
    code.text(signature.as_ref().try_into().expect("64 bytes"))
}

#[test]
fn a_code_is_read_as_it_was_made_and_fits_a_small_qr() {
    let text = shown(&code(9), 1);
    assert_eq!(text.len(), CODE_CHARS);
    assert!(text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{text}");
    assert!(is_meant(&text) && is_meant(&text.to_lowercase()));
    for line in [text.clone(), text.to_lowercase(), format!(" {text} ")] {
        let read = SignedCode::parse(&line).expect("whole");
        assert_eq!(read.verify(CLUB, &public(&pair(1))), Ok(code(9)));
    }
    // Printed card numbers that begin alike are card numbers.
    assert!(!is_meant("HM100042") && !is_meant("会员") && !is_meant(""));
}

#[test]
fn threat_t07_only_this_clubs_centre_makes_codes() {
    let text = shown(&code(9), 1);
    let read = SignedCode::parse(&text).expect("whole");
    assert_eq!(read.verify(CLUB, &public(&pair(2))), Err(MemberCodeError::Signature));
    assert_eq!(read.verify(ClubId([8; 16]), &public(&pair(1))), Err(MemberCodeError::Signature));
    // Each single character matters.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    for at in CODE_PREFIX.len()..CODE_CHARS {
        let mut bytes = text.clone().into_bytes();
        let place = alphabet.iter().position(|b| *b == bytes[at]).expect("of the alphabet");
        bytes[at] = alphabet[(place + 16) % 32];
        let spoiled = String::from_utf8(bytes).expect("ASCII");
        let met = SignedCode::parse(&spoiled).and_then(|read| read.verify(CLUB, &public(&pair(1))));
        assert!(met.is_err(), "character {at}");
    }
    for line in [&text[..CODE_CHARS - 1], "HM1", "", &format!("{text}A"), &text.replace("HM1", "HM2")] {
        assert_eq!(SignedCode::parse(line), Err(MemberCodeError::Damaged), "{line}");
    }
}

#[test]
fn a_code_holds_for_a_minute_and_clocks_are_doubted_as_they_deserve() {
    use ClockQuality::{Floor, Kept, Synced};
    use MemberCodeError::{Early, Over};
    let table = [
        (Synced, 0, Ok(Holds::Now)),
        (Synced, -30, Ok(Holds::Now)),
        (Synced, -31, Err(Early)),
        (Synced, 90, Ok(Holds::Now)),
        (Synced, 91, Err(Over)),
        (Kept, -300, Ok(Holds::Now)),
        (Kept, -301, Err(Early)),
        (Kept, 360, Ok(Holds::Now)),
        (Kept, 361, Err(Over)),
        // A floor only says "at least so late".
        (Floor, -31_536_000, Ok(Holds::Perhaps)),
        (Floor, 90, Ok(Holds::Perhaps)),
        (Floor, 91, Err(Over)),
    ];
    for (quality, age_s, expected) in table {
        let met = code(1).holds(MADE.offset(age_s * SECOND_US), quality);
        assert_eq!(met, expected, "{quality:?} {age_s} s");
    }
    assert_eq!(code(1).over_at(), MADE.offset(360 * SECOND_US));
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused(line in "(HM1)?[A-Z2-7a-z]{0,160}|\\PC{0,200}") {
        let _ = is_meant(&line);
        if let Ok(read) = SignedCode::parse(&line) {
            prop_assert_eq!(read.verify(CLUB, &public(&pair(1))), Err(MemberCodeError::Signature));
        }
    }

    #[test]
    fn every_code_comes_back(hash: [u8; 16], nonce: [u8; 8], seconds: u32, version: u16) {
        let token = Token { key_version: version, hash };
        let made_at = Instant(i64::from(seconds) * SECOND_US);
        let code = MemberCode { token, made_at, nonce: CodeNonce(nonce) };
        let read = SignedCode::parse(&shown(&code, 5)).expect("own text");
        prop_assert_eq!(read.verify(CLUB, &public(&pair(5))), Ok(code));
    }
}
