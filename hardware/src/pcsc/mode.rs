//! Where on a card its identity stands, and what the bytes found there mean. Pure, but for reading a key's file.
//!
//! Each configured reader has one mode. A card of another kind than the mode's is told as such
//! ([`ErrorKind::WrongCard`]), never silently passed over, and never identified by something else instead: one club
//! card must not be two cards at two readers.
//!
//! Invariants
//! - A key's bytes are shown by no `Debug`, no error and no log line.
//! - Nothing that is blank, and no bank card's number, becomes an identity.
//!
//! Out of scope: writing to cards; sectors or files that need a key diversified by card.

use std::fmt;
use std::path::{Path, PathBuf};

use super::atr::CardKind;
use crate::card::{ErrorKind, Medium};
use crate::payment::is_payment_number;

/// Sectors of the largest MIFARE Classic card.
pub const SECTORS_MAX: u8 = 40;
/// Bytes of a MIFARE Classic block.
pub const BLOCK_BYTES: usize = 16;
/// Bytes of an Ultralight or NTAG page.
pub const PAGE_BYTES: usize = 4;
/// Most bytes of an identity read from a card's memory.
pub const STORED_BYTES_MAX: usize = 48;
/// Fewest bytes of an identity that is taken as raw bytes.
pub const STORED_BYTES_MIN: usize = 4;
/// Fewest digits or letters of a number in a card's memory.
pub const STORED_CHARS_MIN: usize = 4;
/// The first page of an NTAG that holds neither its UID nor its locks.
pub const FIRST_USER_PAGE: u8 = 4;
/// Longest name of a card application (ISO 7816-5).
pub const AID_BYTES_MAX: usize = 16;
/// Shortest name of a card application.
pub const AID_BYTES_MIN: usize = 5;

/// Who registered a payment application: UnionPay, Visa, Mastercard, American Express, JCB, Discover.
const PAYMENT_PROVIDERS: [[u8; 5]; 6] = [
    [0xa0, 0x00, 0x00, 0x03, 0x33],
    [0xa0, 0x00, 0x00, 0x00, 0x03],
    [0xa0, 0x00, 0x00, 0x00, 0x04],
    [0xa0, 0x00, 0x00, 0x00, 0x25],
    [0xa0, 0x00, 0x00, 0x00, 0x65],
    [0xa0, 0x00, 0x00, 0x01, 0x52],
];

/// What a reader reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReadMode {
    /// The chip's serial number; any kind of card.
    #[default]
    Uid,
    /// A block of a MIFARE Classic sector, opened with a key.
    Classic {
        /// Sector, from 0.
        sector: u8,
        /// Block inside the sector, from 0; never the last, which holds the keys.
        block: u8,
        /// Which of the sector's two keys.
        key: KeySlot,
        /// The file that holds the key as 12 hexadecimal digits.
        key_file: PathBuf,
        /// The piece that identifies.
        piece: Piece,
    },
    /// Pages of an Ultralight or NTAG21x.
    Pages {
        /// First page.
        first: u8,
        /// The piece that identifies, counted from that page on.
        piece: Piece,
    },
    /// A file of a processor card (ISO 7816-4).
    File {
        /// The application that holds it, chosen by name; none for the one that is there after power-up.
        application: Option<Aid>,
        /// Which file.
        file: FileRef,
        /// The piece that identifies.
        piece: Piece,
    },
}

/// Which key of a MIFARE Classic sector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySlot {
    /// Key A.
    A,
    /// Key B.
    B,
}

/// A file of a processor card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRef {
    /// By its two-byte identifier: `SELECT`, then `READ BINARY`.
    Id(u16),
    /// By its short identifier, 1 to 30, in `READ BINARY` itself.
    Short(u8),
}

/// The name of a card application. Never one of a bank's.
#[derive(Clone, PartialEq, Eq)]
pub struct Aid(Vec<u8>);

impl Aid {
    /// A name of 5 to 16 bytes; `None` for another length or a payment application.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let fits = (AID_BYTES_MIN..=AID_BYTES_MAX).contains(&bytes.len());
        let is_payment =
            PAYMENT_PROVIDERS.iter().any(|head| bytes.starts_with(head)) || bytes.ends_with(b"PAY.SYS.DDF01");
        (fits && !is_payment).then(|| Self(bytes.to_vec()))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// Which bytes of the place read identify, and how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Bytes to pass over.
    pub offset: u16,
    /// Bytes to take, 1 to [`STORED_BYTES_MAX`].
    pub length: u8,
    /// How they are written.
    pub content: Content,
}

/// How an identity is written in a card's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// ASCII letters and digits, ended by NUL, FF or the piece's end.
    Text,
    /// Two digits a byte, filled up with F.
    Bcd,
    /// The bytes themselves.
    Bytes,
}

/// A key of a MIFARE Classic sector. It shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SectorKey([u8; 6]);

impl SectorKey {
    /// From 12 hexadecimal digits; spaces, colons and line ends around them are passed over.
    ///
    /// # Errors
    /// What is wrong with the text, without any of it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let digits: Vec<u32> = text
            .chars()
            .filter(|c| !c.is_ascii_whitespace() && *c != ':')
            .map(|c| c.to_digit(16).ok_or(KeyError::NotHex))
            .collect::<Result<_, _>>()?;
        if digits.len() != 12 {
            return Err(KeyError::Length { met: digits.len() });
        }
        let mut key = [0; 6];
        for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::try_from(pair[0] * 16 + pair[1]).map_err(|_| KeyError::NotHex)?;
        }
        Ok(Self(key))
    }

    /// From its file, which strangers must not be able to read.
    ///
    /// # Errors
    /// Which step failed, naming the file and nothing of its content.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        use std::os::unix::fs::PermissionsExt as _;
        let file = || path.display().to_string();
        let met = std::fs::metadata(path).map_err(|source| KeyError::Read { file: file(), source })?;
        if met.permissions().mode() & 0o007 != 0 {
            return Err(KeyError::Open { file: file() });
        }
        let text = std::fs::read_to_string(path).map_err(|source| KeyError::Read { file: file(), source })?;
        Self::parse(&text)
    }

    pub(super) fn bytes(&self) -> [u8; 6] {
        self.0
    }
}

impl fmt::Debug for SectorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SectorKey")
    }
}

/// A sector's key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("read key file {file}: {source}")]
    Read {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// Everybody on the machine could read it.
    #[error("key file {file}: expected to be closed to others (mode 0640 or less)")]
    Open {
        /// Which file.
        file: String,
    },
    /// A character that is none.
    #[error("sector key: expected 12 hexadecimal digits, met another character")]
    NotHex,
    /// Too few or too many.
    #[error("sector key: expected 12 hexadecimal digits, met {met}")]
    Length {
        /// Digits met.
        met: usize,
    },
}

impl ReadMode {
    /// Whether a card of this kind can be read this way at all.
    #[must_use]
    pub fn fits(&self, card: CardKind) -> bool {
        use CardKind::{Classic1k, Classic4k, ClassicMini, Contact, Iso14443Part4, Storage, Ultralight};
        match self {
            Self::Uid => true,
            Self::Classic { .. } => matches!(card, Classic1k | Classic4k | ClassicMini),
            // Newer chips of the family have names of their own, which readers show or not.
            Self::Pages { .. } => matches!(card, Ultralight | Storage(_)),
            Self::File { .. } => matches!(card, Iso14443Part4 | Contact),
        }
    }

    /// What is wrong with it, if anything: a word for the key of the configuration and what is expected there.
    ///
    /// # Errors
    /// The key's name and the expectation.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let piece = match self {
            Self::Uid => return Ok(()),
            Self::Classic { sector, block, piece, .. } => {
                if *sector >= SECTORS_MAX {
                    return Err(("sector", "0 to 39"));
                }
                let trailer = blocks_in_sector(*sector) - 1;
                if *block >= trailer {
                    return Err(("block", "a block before the sector's last, which holds its keys"));
                }
                let room = usize::from(trailer - *block) * BLOCK_BYTES;
                if usize::from(piece.offset) + usize::from(piece.length) > room {
                    return Err(("length", "a piece that ends before the sector's last block"));
                }
                piece
            }
            Self::Pages { first, piece } => {
                if *first < FIRST_USER_PAGE {
                    return Err(("page", "4 or more: the pages before hold serial number and locks"));
                }
                let last = usize::from(*first)
                    + (usize::from(piece.offset) + usize::from(piece.length)).div_ceil(PAGE_BYTES);
                if last > usize::from(u8::MAX) {
                    return Err(("length", "a piece that ends before page 255"));
                }
                piece
            }
            Self::File { file, piece, .. } => {
                match file {
                    FileRef::Short(short) if !(1..=30).contains(short) => {
                        return Err(("short_file", "1 to 30"));
                    }
                    // With a short identifier the offset has one byte.
                    FileRef::Short(_) if piece.offset > 0xff => return Err(("offset", "0 to 255")),
                    FileRef::Id(_) if piece.offset > 0x7fff => return Err(("offset", "0 to 32767")),
                    _ => piece,
                }
            }
        };
        let least = if piece.content == Content::Bytes { STORED_BYTES_MIN } else { 1 };
        if !(least..=STORED_BYTES_MAX).contains(&usize::from(piece.length)) {
            return Err(("length", "1 to 48 bytes (4 to 48 for content = \"bytes\")"));
        }
        Ok(())
    }
}

/// Blocks of a MIFARE Classic sector; the last holds the keys.
pub(super) fn blocks_in_sector(sector: u8) -> u8 {
    if sector < 32 { 4 } else { 16 }
}

/// The number under which a reader knows a sector's first block.
pub(super) fn first_block(sector: u8) -> u8 {
    if sector < 32 { sector * 4 } else { 128 + (sector - 32) * 16 }
}

/// What the bytes of a piece identify.
///
/// # Errors
/// [`ErrorKind::Blank`], [`ErrorKind::Malformed`] or [`ErrorKind::PaymentCard`].
pub(super) fn identity(content: Content, bytes: &[u8]) -> Result<Medium, ErrorKind> {
    if bytes.iter().all(|b| *b == 0) || bytes.iter().all(|b| *b == 0xff) {
        return Err(ErrorKind::Blank);
    }
    match content {
        Content::Text => text(bytes).map(Medium::Number),
        Content::Bcd => bcd(bytes).map(Medium::Number),
        Content::Bytes => {
            let is_payment = [text(bytes), bcd(bytes)].contains(&Err(ErrorKind::PaymentCard));
            if is_payment {
                return Err(ErrorKind::PaymentCard);
            }
            Ok(Medium::Data(bytes.to_vec()))
        }
    }
}

fn text(bytes: &[u8]) -> Result<String, ErrorKind> {
    let end = bytes.iter().position(|b| matches!(b, 0 | 0xff)).unwrap_or(bytes.len());
    let number: String = bytes[..end].trim_ascii().iter().map(|b| char::from(*b)).collect();
    if number.is_empty() {
        return Err(ErrorKind::Blank);
    }
    if !number.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(ErrorKind::Malformed);
    }
    checked(number)
}

fn bcd(bytes: &[u8]) -> Result<String, ErrorKind> {
    let nibbles: Vec<u8> = bytes.iter().flat_map(|b| [b >> 4, b & 0x0f]).collect();
    let end = nibbles.iter().position(|n| *n == 0x0f).unwrap_or(nibbles.len());
    let (number, fill) = nibbles.split_at(end);
    if number.iter().any(|n| *n > 9) || fill.iter().any(|n| *n != 0x0f) {
        return Err(ErrorKind::Malformed);
    }
    if number.is_empty() {
        return Err(ErrorKind::Blank);
    }
    checked(number.iter().map(|n| char::from(b'0' + n)).collect())
}

fn checked(number: String) -> Result<String, ErrorKind> {
    if number.len() < STORED_CHARS_MIN {
        return Err(ErrorKind::Malformed);
    }
    if is_payment_number(&number) {
        return Err(ErrorKind::PaymentCard);
    }
    Ok(number)
}

#[cfg(test)]
mod tests;
