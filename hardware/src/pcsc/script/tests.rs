//! Every mode over small cards in memory, and over answers that make no sense.

use super::*;
use crate::pcsc::mode::Content;
use proptest::prelude::*;

const CLUB_KEY: [u8; 6] = [0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5];
const PIECE: Piece = Piece { offset: 0, length: 16, content: Content::Text };

/// A card that answers by a rule, and what it was asked.
struct Card<F> {
    answer: F,
    asked: Vec<Vec<u8>>,
}

impl<F: FnMut(&[u8], usize) -> Vec<u8>> Exchange for Card<F> {
    type Error = ();

    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, ()> {
        self.asked.push(command.to_vec());
        Ok((self.answer)(command, self.asked.len()))
    }
}

fn card<F: FnMut(&[u8], usize) -> Vec<u8>>(answer: F) -> Card<F> {
    Card { answer, asked: Vec::new() }
}

fn ok(data: &[u8]) -> Vec<u8> {
    [data, &[0x90, 0x00]].concat()
}

fn classic(key: KeySlot, piece: Piece) -> ReadMode {
    ReadMode::Classic { sector: 2, block: 1, key, key_file: "key".into(), piece }
}

/// A Classic card whose sector 2 opens with the club's key A and holds a number in block 9.
fn m1(command: &[u8]) -> Vec<u8> {
    match command {
        [0xff, 0x82, 0x00, 0x00, 0x06, key @ ..] if *key == CLUB_KEY => ok(&[]),
        [0xff, 0x86, 0x00, 0x00, 0x05, 0x01, 0x00, 8, 0x60, 0x00] => ok(&[]),
        [0xff, 0xb0, 0x00, 9, 0x10] => ok(b"80001234\0\0\0\0\0\0\0\0"),
        [0xff, 0xb0, 0x00, 10, 0x10] => ok(b"0123456789abcdef"),
        _ => vec![0x63, 0x00],
    }
}

#[test]
fn a_sector_is_opened_with_the_configured_key() {
    let key = SectorKey::parse("a0a1a2a3a4a5").unwrap();
    let mut club = card(|command, _| m1(command));
    let met = read(&classic(KeySlot::A, PIECE), Some(&key), CardKind::Classic1k, &mut club);
    assert_eq!(met, Ok(Medium::Number("80001234".into())));
    assert_eq!(club.asked.len(), 4, "key, open, and the block twice");
    let across = Piece { offset: 14, length: 10, content: Content::Bytes };
    let met = read(&classic(KeySlot::A, across), Some(&key), CardKind::Classic4k, &mut card(|c, _| m1(c)));
    assert_eq!(met, Ok(Medium::Data([0, 0, b'0', b'1', b'2', b'3', b'4', b'5', b'6', b'7'].to_vec())));
    // The other key, another club's key, and no key at all.
    let met = read(&classic(KeySlot::B, PIECE), Some(&key), CardKind::Classic1k, &mut card(|c, _| m1(c)));
    assert_eq!(met, Err(Fault::Card(ErrorKind::WrongKey)));
    let met = read(&classic(KeySlot::A, PIECE), None, CardKind::Classic1k, &mut card(|c, _| m1(c)));
    assert_eq!(met, Err(Fault::Card(ErrorKind::WrongKey)));
}

#[test]
fn a_card_of_another_kind_is_told_without_a_question() {
    let mut never = card(|_, _| panic!("asked"));
    let key = SectorKey::parse("ffffffffffff").unwrap();
    for kind in [CardKind::Ultralight, CardKind::Iso14443Part4, CardKind::Contact, CardKind::Unknown] {
        let met = read(&classic(KeySlot::A, PIECE), Some(&key), kind, &mut never);
        assert_eq!(met, Err(Fault::Card(ErrorKind::WrongCard)), "{kind:?}");
    }
}

#[test]
fn pages_are_read_four_at_a_time() {
    let piece = Piece { offset: 4, length: 20, content: Content::Bytes };
    let mut ntag = card(|command, _| match command {
        [0xff, 0xb0, 0x00, 6, 0x10] => ok(&(0..16).collect::<Vec<u8>>()),
        [0xff, 0xb0, 0x00, 10, 0x10] => ok(&(16..32).collect::<Vec<u8>>()),
        other => panic!("{other:02x?}"),
    });
    let met = read(&ReadMode::Pages { first: 6, piece }, None, CardKind::Ultralight, &mut ntag);
    assert_eq!(met, Ok(Medium::Data((4..24).collect())));
}

#[test]
fn a_file_of_a_processor_card() {
    let piece = Piece { offset: 2, length: 8, content: Content::Text };
    let application = Aid::new(b"HUFU.CLUB");
    let by_id = ReadMode::File { application, file: FileRef::Id(0x0015), piece };
    let mut cpu = card(|command, _| match command {
        // "More is waiting" after a choice, a wrong length at a read: as older operating systems of cards do.
        [0x00, 0xa4, 0x04, 0x00, 9, name @ ..] if name == b"HUFU.CLUB" => vec![0x61, 0x10],
        [0x00, 0xc0, 0x00, 0x00, 0x10] => ok(&[0x6f; 16]),
        [0x00, 0xa4, 0x00, 0x00, 2, 0x00, 0x15] => vec![0x67, 0x00],
        [0x00, 0xa4, 0x00, 0x00, 2, 0x00, 0x15, 0x00] => ok(&[0x62, 0x00]),
        [0x00, 0xb0, 0x00, 0x02, 8] => ok(b"80005678"),
        other => panic!("{other:02x?}"),
    });
    assert_eq!(read(&by_id, None, CardKind::Iso14443Part4, &mut cpu), Ok(Medium::Number("80005678".into())));

    let short = ReadMode::File { application: None, file: FileRef::Short(0x15), piece };
    let mut cpu = card(|command, _| match command {
        [0x00, 0xb0, 0x95, 0x02, 8] => ok(b"80005678"),
        other => panic!("{other:02x?}"),
    });
    assert_eq!(read(&short, None, CardKind::Contact, &mut cpu), Ok(Medium::Number("80005678".into())));
}

#[test]
fn each_refusal_has_its_reason() {
    let file = ReadMode::File { application: None, file: FileRef::Short(1), piece: PIECE };
    for (status, kind) in [
        ([0x69, 0x82], ErrorKind::WrongKey),
        ([0x6a, 0x82], ErrorKind::WrongCard),
        ([0x6d, 0x00], ErrorKind::WrongCard),
        ([0x62, 0x82], ErrorKind::Blank),
        ([0x6f, 0x00], ErrorKind::Unsupported),
        ([0x61, 0x00], ErrorKind::Unsupported),
        ([0x00, 0x01], ErrorKind::CardLost),
    ] {
        let met = read(&file, None, CardKind::Contact, &mut card(|_, _| status.to_vec()));
        assert_eq!(met, Err(Fault::Card(kind)), "{status:02x?}");
    }
    let met = read(&file, None, CardKind::Contact, &mut card(|_, _| ok(b"too short")));
    assert_eq!(met, Err(Fault::Card(ErrorKind::Blank)));
}

#[test]
fn case_70_a_beginning_that_looks_like_a_whole_answer_does_not_come_twice() {
    let treacherous = [1, 2, 3, 4, 0x90, 0x00];
    let mut pulled = card(|_, asked| if asked == 1 { treacherous.to_vec() } else { Vec::new() });
    let met = read(&ReadMode::Uid, None, CardKind::Classic1k, &mut pulled);
    assert_eq!(met, Err(Fault::Card(ErrorKind::CardLost)));
    let mut pulled = card(|_, asked| if asked == 1 { ok(&[7; 16]) } else { Vec::new() });
    let met = read(&ReadMode::Pages { first: 4, piece: PIECE }, None, CardKind::Ultralight, &mut pulled);
    assert_eq!(met, Err(Fault::Card(ErrorKind::CardLost)));
}

proptest! {
    /// Whatever a card answers: an end within a bounded number of questions, and no random serial number.
    #[test]
    fn any_answers_end_in_a_medium_or_a_reason(
        answers in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..24),
        offset in 0_u16..40, length in 1_u8..48,
    ) {
        let piece = Piece { offset, length, content: Content::Bytes };
        let key = SectorKey::parse("ffffffffffff").unwrap();
        for mode in [
            ReadMode::Uid,
            classic(KeySlot::B, piece),
            ReadMode::Pages { first: 4, piece },
            ReadMode::File { application: Aid::new(b"HUFU.CLUB"), file: FileRef::Id(1), piece },
        ] {
            for kind in [CardKind::Classic1k, CardKind::Ultralight, CardKind::Contact] {
                let mut any = card(|_, asked| answers[asked % answers.len()].clone());
                let met = read(&mode, Some(&key), kind, &mut any);
                prop_assert!(any.asked.len() <= 64, "{}", any.asked.len());
                if let Ok(Medium::Uid(uid)) = &met {
                    prop_assert!(uid.len() != 4 || uid[0] != 0x08);
                }
            }
        }
    }
}
