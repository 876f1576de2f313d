//! Answers of cards, whole and cut short.

use super::*;
use proptest::prelude::*;

fn judge(answer: &[u8]) -> Result<Vec<u8>, ErrorKind> {
    match after_get_uid(answer) {
        AfterUid::Uid(uid) => Ok(uid),
        AfterUid::Failed(kind) => Err(kind),
        AfterUid::AskAgain(_) => Err(ErrorKind::Other),
    }
}

#[test]
fn answers_to_get_uid() {
    type Row<'a> = (&'a [u8], Result<&'a [u8], ErrorKind>);
    let table: &[Row<'_>] = &[
        (&[0xde, 0xad, 0xbe, 0xef, 0x90, 0x00], Ok(&[0xde, 0xad, 0xbe, 0xef])),
        (&[4, 0x78, 0x2e, 0x21, 0x80, 0x1d, 0x80, 0x90, 0], Ok(&[4, 0x78, 0x2e, 0x21, 0x80, 0x1d, 0x80])),
        (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x90, 0], Ok(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10])),
        // 08 marks a random UID only where the UID has four bytes.
        (&[8, 1, 2, 3, 0x90, 0], Err(ErrorKind::RandomUid)),
        (&[8, 1, 2, 3, 4, 5, 6, 0x90, 0], Ok(&[8, 1, 2, 3, 4, 5, 6])),
        (&[1, 2, 3, 0x90, 0], Err(ErrorKind::Unsupported)),
        (&[0x90, 0], Err(ErrorKind::Unsupported)),
        (&[1, 2, 3, 4, 0x62, 0x82], Err(ErrorKind::Unsupported)),
        (&[0x6a, 0x81], Err(ErrorKind::Unsupported)),
        (&[0x63, 0x00], Err(ErrorKind::Unsupported)),
    ];
    for (answer, expected) in table {
        assert_eq!(judge(answer), expected.map(<[u8]>::to_vec), "{answer:02x?}");
    }
    assert!(matches!(after_get_uid(&[0x6c, 0x07]), AfterUid::AskAgain(7)));
}

#[test]
fn case_70_an_answer_cut_short_is_a_lost_card_and_no_identity() {
    assert_eq!(judge(&[]), Err(ErrorKind::CardLost));
    assert_eq!(judge(&[0x90]), Err(ErrorKind::CardLost));
    // The first half of a UID, whose last two bytes stand where a status should.
    assert_eq!(judge(&[0x04, 0xa2, 0x2b]), Err(ErrorKind::CardLost));
    assert_eq!(judge(&[0x04, 0x78, 0x2e, 0x21, 0x80, 0x1d]), Err(ErrorKind::CardLost));
}

proptest! {
    #[test]
    fn only_whole_successful_answers_identify(answer in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(uid) = judge(&answer) {
            prop_assert!(answer.ends_with(&[0x90, 0x00]));
            prop_assert_eq!(&answer[..answer.len() - 2], &uid[..]);
            prop_assert!((UID_BYTES_MIN..=UID_BYTES_MAX).contains(&uid.len()));
        }
    }
}
