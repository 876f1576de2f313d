//! Bytes to and from a card: commands, and what an answer means. Pure.
//!
//! An answer is data followed by two status bytes (ISO 7816-4). A card pulled in mid-command shows as an answer of
//! fewer than two bytes, or as the beginning of the real answer; both are "card lost" and never a UID.
//!
//! Out of scope: secure messaging, chaining.

use crate::card::ErrorKind;

/// PC/SC part 3 "GET DATA": the reader answers with the card's UID. Le 0 asks for the whole of it.
pub const GET_UID: [u8; 5] = [0xff, 0xca, 0x00, 0x00, 0x00];

/// Shortest UID there is: ISO 14443-A single size.
pub const UID_BYTES_MIN: usize = 4;

/// Longest UID accepted: ISO 14443-A triple size is 10, some readers pad to more.
pub const UID_BYTES_MAX: usize = 16;

/// First byte of a 4-byte UID that the card made up for this one tap (ISO 14443-3).
pub const RANDOM_UID_MARK: u8 = 0x08;

/// An answer split into data and status.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// Everything before the status.
    pub data: &'a [u8],
    /// SW1 and SW2 as one number; 0x9000 is success.
    pub status: u16,
}

impl<'a> Response<'a> {
    /// Splits an answer; `None` if there are not even two status bytes, that is, the card is gone.
    #[must_use]
    pub fn parse(answer: &'a [u8]) -> Option<Self> {
        let (data, status) = answer.split_last_chunk::<2>()?;
        Some(Self { data, status: u16::from_be_bytes(*status) })
    }
}

/// What to do after an answer to [`GET_UID`].
#[derive(Clone, PartialEq, Eq)]
pub enum AfterUid {
    /// The UID, complete.
    Uid(Vec<u8>),
    /// The card wants exactly this length: send the command again with it as the last byte.
    AskAgain(u8),
    /// There is no identity to be had.
    Failed(ErrorKind),
}

/// Judges the answer to [`GET_UID`].
#[must_use]
pub fn after_get_uid(answer: &[u8]) -> AfterUid {
    let Some(Response { data, status }) = Response::parse(answer) else {
        return AfterUid::Failed(ErrorKind::CardLost);
    };
    match (status, data.len()) {
        (0x9000, UID_BYTES_MIN) if data[0] == RANDOM_UID_MARK => AfterUid::Failed(ErrorKind::RandomUid),
        (0x9000, UID_BYTES_MIN..=UID_BYTES_MAX) => AfterUid::Uid(data.to_vec()),
        (0x6c00..=0x6cff, _) => AfterUid::AskAgain(status.to_be_bytes()[1]),
        // No card answers with such a status: these are the first bytes of an answer that was cut off.
        (0x0000..=0x5fff | 0x7000..=0x8fff | 0xa000..=0xffff, _) => AfterUid::Failed(ErrorKind::CardLost),
        // No data although all is well, a UID cut short (62 82), "not supported" (6A 81), "failed" (63 00).
        _ => AfterUid::Failed(ErrorKind::Unsupported),
    }
}

#[cfg(test)]
mod tests;
