//! What a virtual card holds beside its UID, and how it answers for it: MIFARE Classic with keys, NTAG pages, a file of
//! a processor card. Out of scope: writing, cards with cryptography of their own.

use std::ops::Range;

const STATUS_OK: [u8; 2] = [0x90, 0x00];
const STATUS_FAILED: [u8; 2] = [0x63, 0x00];
const STATUS_NOT_FOUND: [u8; 2] = [0x6A, 0x82];
const STATUS_UNKNOWN_INSTRUCTION: [u8; 2] = [0x6D, 0x00];
const STATUS_WRONG_LENGTH: [u8; 2] = [0x67, 0x00];
const BLOCK: usize = 16;
const PAGE: usize = 4;
/// Blocks of a MIFARE Classic sector below the 32nd.
const SECTOR_BLOCKS: u8 = 4;

/// A card's memory.
#[derive(Clone, Debug)]
pub enum Memory {
    /// Nothing but a UID.
    Bare,
    /// One block of a MIFARE Classic, behind a key A.
    Classic {
        /// Key A of the block's sector.
        key: [u8; 6],
        /// The block, as the reader counts.
        block: u8,
        /// What stands in it.
        data: [u8; BLOCK],
    },
    /// Pages of an NTAG, from page 0.
    Ntag(Vec<u8>),
    /// One file of one application.
    File {
        /// The application's name.
        application: Vec<u8>,
        /// The file's identifier.
        id: u16,
        /// What stands in it.
        data: Vec<u8>,
    },
}

/// What happened since the card was put in.
#[derive(Debug, Default)]
pub(super) struct Session {
    key: Option<[u8; 6]>,
    open_sector: Option<u8>,
    application: bool,
    file: bool,
}

impl Memory {
    /// The answer to an APDU, status included.
    pub(super) fn answer(&self, session: &mut Session, apdu: &[u8]) -> Vec<u8> {
        match self {
            Self::Bare => STATUS_UNKNOWN_INSTRUCTION.to_vec(),
            Self::Classic { key, block, data } => classic(session, apdu, *key, *block, data),
            Self::Ntag(memory) => match apdu {
                [0xFF, 0xB0, 0x00, page, 0x10] => {
                    let from = usize::from(*page) * PAGE;
                    part(memory, from..from + BLOCK)
                }
                _ => STATUS_UNKNOWN_INSTRUCTION.to_vec(),
            },
            Self::File { application, id, data } => file(session, apdu, application, *id, data),
        }
    }
}

fn classic(session: &mut Session, apdu: &[u8], key: [u8; 6], block: u8, data: &[u8; BLOCK]) -> Vec<u8> {
    match apdu {
        [0xFF, 0x82, 0x00, 0x00, 0x06, given @ ..] => {
            session.key = given.try_into().ok();
            if session.key.is_some() { STATUS_OK.to_vec() } else { STATUS_WRONG_LENGTH.to_vec() }
        }
        [0xFF, 0x86, 0x00, 0x00, 0x05, 0x01, 0x00, asked, 0x60, 0x00] => {
            let sector = asked / SECTOR_BLOCKS;
            let opens = session.key == Some(key) && sector == block / SECTOR_BLOCKS;
            session.open_sector = opens.then_some(sector);
            if opens { STATUS_OK.to_vec() } else { STATUS_FAILED.to_vec() }
        }
        [0xFF, 0xB0, 0x00, asked, 0x10] if session.open_sector == Some(asked / SECTOR_BLOCKS) => {
            let held = if *asked == block { *data } else { [0; BLOCK] };
            [&held[..], &STATUS_OK].concat()
        }
        [0xFF, 0x86 | 0xB0, ..] => STATUS_FAILED.to_vec(),
        _ => STATUS_UNKNOWN_INSTRUCTION.to_vec(),
    }
}

fn file(session: &mut Session, apdu: &[u8], application: &[u8], id: u16, data: &[u8]) -> Vec<u8> {
    match apdu {
        [0x00, 0xA4, 0x04, 0x00, length, name @ ..] => {
            let name = name.get(..usize::from(*length)).unwrap_or_default();
            (session.application, session.file) = (name == application, false);
            if session.application { STATUS_OK.to_vec() } else { STATUS_NOT_FOUND.to_vec() }
        }
        [0x00, 0xA4, 0x00, 0x00, 0x02, high, low, ..] => {
            session.file = session.application && u16::from_be_bytes([*high, *low]) == id;
            if session.file { STATUS_OK.to_vec() } else { STATUS_NOT_FOUND.to_vec() }
        }
        [0x00, 0xB0, high, low, length] if session.file => {
            let from = usize::from(u16::from_be_bytes([*high, *low]));
            part(data, from..from + usize::from(*length))
        }
        [0x00, 0xB0, ..] => STATUS_NOT_FOUND.to_vec(),
        _ => STATUS_UNKNOWN_INSTRUCTION.to_vec(),
    }
}

fn part(memory: &[u8], range: Range<usize>) -> Vec<u8> {
    match memory.get(range) {
        Some(bytes) => [bytes, &STATUS_OK].concat(),
        None => STATUS_WRONG_LENGTH.to_vec(),
    }
}
