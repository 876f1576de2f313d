//! Case tables of modes, keys and contents.

use super::*;
use proptest::prelude::*;

const PIECE: Piece = Piece { offset: 0, length: 16, content: Content::Text };

fn classic(sector: u8, block: u8, piece: Piece) -> ReadMode {
    ReadMode::Classic { sector, block, key: KeySlot::A, key_file: "key".into(), piece }
}

fn word(read: Result<Medium, ErrorKind>) -> String {
    match read {
        Ok(Medium::Number(number)) => number,
        Ok(Medium::Data(bytes)) => format!("{bytes:02x?}"),
        Ok(other) => format!("{other:?}"),
        Err(kind) => format!("!{kind:?}"),
    }
}

#[test]
fn what_bytes_mean() {
    use Content::{Bcd, Bytes, Text};
    let table: &[(Content, &[u8], &str)] = &[
        (Text, b"80001234\0\0\0\0", "80001234"),
        (Text, b"A80001234\xff\xff", "A80001234"),
        (Text, b"  80001234  ", "80001234"),
        (Text, b"8000;234", "!Malformed"),
        (Text, b"123", "!Malformed"),
        (Text, &[0; 16], "!Blank"),
        (Text, &[0xff; 16], "!Blank"),
        (Text, b"\x00\x0012345678", "!Blank"),
        (Text, b"6225880012345675", "!PaymentCard"),
        (Bcd, &[0x80, 0x00, 0x12, 0x34], "80001234"),
        (Bcd, &[0x80, 0x00, 0x12, 0x3f, 0xff], "8000123"),
        (Bcd, &[0x80, 0x0a], "!Malformed"),
        (Bcd, &[0x80, 0xf0, 0x12], "!Malformed"),
        (Bcd, &[0x62, 0x25, 0x88, 0x00, 0x12, 0x34, 0x56, 0x75], "!PaymentCard"),
        (Bytes, &[1, 2, 3, 4], "[01, 02, 03, 04]"),
        (Bytes, &[0, 0, 0, 0], "!Blank"),
        // A bank's number is one in whatever form it lies there.
        (Bytes, b"6225880012345675", "!PaymentCard"),
        (Bytes, &[0x62, 0x25, 0x88, 0x00, 0x12, 0x34, 0x56, 0x75, 0xff], "!PaymentCard"),
    ];
    for (content, bytes, expected) in table {
        assert_eq!(word(identity(*content, bytes)), *expected, "{content:?} {bytes:02x?}");
    }
}

#[test]
fn a_mode_that_can_never_work_names_its_key() {
    let piece = |offset, length, content| Piece { offset, length, content };
    let file = |file, piece| ReadMode::File { application: None, file, piece };
    let table = [
        (ReadMode::Uid, None),
        (classic(1, 0, PIECE), None),
        (classic(39, 14, PIECE), None),
        (classic(40, 0, PIECE), Some("sector")),
        (classic(1, 3, PIECE), Some("block")),
        (classic(39, 15, PIECE), Some("block")),
        (classic(1, 2, piece(1, 16, Content::Text)), Some("length")),
        (classic(1, 0, piece(0, 48, Content::Text)), None),
        (classic(1, 0, piece(0, 3, Content::Bytes)), Some("length")),
        (classic(1, 0, piece(0, 0, Content::Text)), Some("length")),
        (ReadMode::Pages { first: 4, piece: PIECE }, None),
        (ReadMode::Pages { first: 3, piece: PIECE }, Some("page")),
        (ReadMode::Pages { first: 254, piece: PIECE }, Some("length")),
        (file(FileRef::Id(0x0005), PIECE), None),
        (file(FileRef::Short(31), PIECE), Some("short_file")),
        (file(FileRef::Short(5), piece(256, 4, Content::Text)), Some("offset")),
        (file(FileRef::Id(5), piece(0x8000, 4, Content::Text)), Some("offset")),
    ];
    for (mode, expected) in table {
        assert_eq!(mode.check().err().map(|(key, _)| key), expected, "{mode:?}");
    }
}

#[test]
fn a_banks_application_cannot_be_configured() {
    assert!(Aid::new(b"HUFU1").is_some() && Aid::new(b"HUFU").is_none() && Aid::new(&[1; 17]).is_none());
    assert!(Aid::new(&[0xa0, 0, 0, 3, 0x33, 1, 1]).is_none());
    assert!(Aid::new(b"1PAY.SYS.DDF01").is_none() && Aid::new(b"2PAY.SYS.DDF01").is_none());
}

#[test]
fn threat_t01_a_key_comes_from_its_file_and_is_shown_nowhere() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m1.key");
    std::fs::write(&path, "a0:b1:C2 D3 e4 f5\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let key = SectorKey::load(&path).unwrap();
    assert_eq!(key.bytes(), [0xa0, 0xb1, 0xc2, 0xd3, 0xe4, 0xf5]);
    assert_eq!(format!("{key:?}"), "SectorKey");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
    let error = SectorKey::load(&path).unwrap_err().to_string();
    assert!(error.contains("m1.key") && error.contains("closed to others"), "{error}");
    let absent = SectorKey::load(&folder.path().join("absent")).unwrap_err().to_string();
    assert!(absent.contains("absent"), "{absent}");
    for (text, expected) in [("a0b1c2d3e4", "met 10"), ("a0b1c2d3e4fx", "another character"), ("", "met 0")] {
        let error = SectorKey::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected) && (text.is_empty() || !error.contains(text)), "{error}");
    }
}

#[test]
fn kinds_that_fit() {
    use CardKind::{Classic1k, Classic4k, Contact, Iso14443Part4, Storage, Ultralight, Unknown};
    let file = ReadMode::File { application: None, file: FileRef::Id(5), piece: PIECE };
    let pages = ReadMode::Pages { first: 4, piece: PIECE };
    let table = [
        (ReadMode::Uid, vec![Classic1k, Ultralight, Iso14443Part4, Contact, Unknown]),
        (classic(1, 0, PIECE), vec![Classic1k, Classic4k]),
        (pages, vec![Ultralight, Storage(0x3a)]),
        (file, vec![Iso14443Part4, Contact]),
    ];
    let all = [Classic1k, Classic4k, Ultralight, Storage(0x3a), Iso14443Part4, Contact, Unknown];
    for (mode, kinds) in table {
        for kind in all {
            let expected = mode == ReadMode::Uid || kinds.contains(&kind);
            assert_eq!(mode.fits(kind), expected, "{mode:?} {kind:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_yield_an_identity_or_a_reason_and_never_a_banks_number(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        for content in [Content::Text, Content::Bcd, Content::Bytes] {
            match identity(content, &bytes) {
                Ok(Medium::Number(number)) => {
                    prop_assert!(number.len() >= STORED_CHARS_MIN && !is_payment_number(&number));
                }
                Ok(Medium::Data(data)) => prop_assert_eq!(&data, &bytes),
                Ok(other) => prop_assert!(false, "{other:?}"),
                Err(kind) => prop_assert!(matches!(kind, ErrorKind::Blank | ErrorKind::Malformed | ErrorKind::PaymentCard)),
            }
        }
    }
}
