//! Answers to reset of real cards.

use super::*;

#[test]
fn kinds() {
    let storage = |hi, lo| [&STORAGE_HEAD[..], &[3, hi, lo, 0, 0, 0, 0, 0x6a]].concat();
    let table: &[(Vec<u8>, CardKind)] = &[
        (storage(0, 1), CardKind::Classic1k),
        (storage(0, 2), CardKind::Classic4k),
        (storage(0, 3), CardKind::Ultralight),
        (storage(0, 0x26), CardKind::ClassicMini),
        (storage(0x12, 0x34), CardKind::Storage(0x1234)),
        // DESFire EV1 as most readers show it.
        (vec![0x3b, 0x81, 0x80, 0x01, 0x80, 0x80], CardKind::Iso14443Part4),
        (vec![0x3b, 0x95, 0x13, 0x81, 0x01], CardKind::Contact),
        (vec![0x3f, 0x00], CardKind::Contact),
        (STORAGE_HEAD.to_vec(), CardKind::Iso14443Part4),
        (vec![0x3b], CardKind::Unknown),
        (vec![], CardKind::Unknown),
    ];
    for (atr, kind) in table {
        assert_eq!(card_kind(atr), *kind, "{atr:02x?}");
    }
}
