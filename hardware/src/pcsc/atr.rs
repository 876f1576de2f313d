//! What a card is, from its answer to reset. Pure.
//!
//! For contactless cards the reader makes the ATR up after PC/SC part 3: storage cards carry a registered name
//! (`3B 8F 80 01 80 4F 0C A0 00 00 03 06 SS NN NN 00 00 00 00 TCK`), all others the card's historical bytes
//! (`3B 8n 80 01 …`). This is evidence for people and for choosing how to read on, never proof: any card can claim it.

/// Kind of card, as far as the ATR tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CardKind {
    /// MIFARE Classic 1K and its many copies.
    Classic1k,
    /// MIFARE Classic 4K.
    Classic4k,
    /// MIFARE Mini.
    ClassicMini,
    /// MIFARE Ultralight, NTAG21x.
    Ultralight,
    /// Another storage card, by its registered PC/SC name.
    Storage(u16),
    /// An ISO 14443-4 processor card (DESFire, NTAG 424, FM1208, ...).
    Iso14443Part4,
    /// Anything else with a well-formed ATR, as a rule a contact card.
    Contact,
    /// No ATR, or not one.
    Unknown,
}

const STORAGE_HEAD: [u8; 12] = [0x3b, 0x8f, 0x80, 0x01, 0x80, 0x4f, 0x0c, 0xa0, 0x00, 0x00, 0x03, 0x06];

/// Reads the kind off an ATR.
#[must_use]
pub fn card_kind(atr: &[u8]) -> CardKind {
    if atr.len() >= 15 && atr.starts_with(&STORAGE_HEAD) {
        return match u16::from_be_bytes([atr[13], atr[14]]) {
            0x0001 => CardKind::Classic1k,
            0x0002 => CardKind::Classic4k,
            0x0003 => CardKind::Ultralight,
            0x0026 => CardKind::ClassicMini,
            name => CardKind::Storage(name),
        };
    }
    match atr {
        [0x3b, t0, 0x80, 0x01, ..] if t0 & 0xf0 == 0x80 => CardKind::Iso14443Part4,
        [0x3b | 0x3f, _, ..] => CardKind::Contact,
        _ => CardKind::Unknown,
    }
}

#[cfg(test)]
mod tests;
