//! How a card is read in each mode: which commands, and what the answers mean. Pure; the caller carries the bytes.
//!
//! Whatever is taken as an identity is asked for twice and must come the same: a card pulled in mid-answer can leave
//! a beginning behind that happens to end like a whole answer, and such a card does not answer the second time.
//!
//! Invariants
//! - A read ends: each command is sent a bounded number of times, whatever the card answers.
//! - What comes out was whole twice, is of the configured kind of card, and is no bank card's number.
//! - A key is sent to the reader only, never to the card, and only for a card that can have such a sector.
//!
//! Public for whoever wants to drive a card without a reader, such as a fuzzer.
//! Out of scope: when to read, and how often to try again.

use super::apdu::{AfterUid, GET_UID, Response, after_get_uid};
use super::atr::CardKind;
use super::mode::{
    Aid, BLOCK_BYTES, FileRef, KeySlot, PAGE_BYTES, Piece, ReadMode, SectorKey, first_block, identity,
};
use crate::card::{ErrorKind, Medium};

/// Where a reader is asked to keep a key for the moment: its first volatile place.
const KEY_PLACE: u8 = 0x00;
/// Most rounds of "more is waiting" for one command.
const MORE_ROUNDS_MAX: usize = 4;
const OK: u16 = 0x9000;

/// Why a read came to nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault<E> {
    /// The way to the card failed.
    Way(E),
    /// The card, or what it holds, will not do.
    Card(ErrorKind),
}

/// Carries a command to the card and brings its answer, status included.
pub trait Exchange {
    /// What can fail on the way.
    type Error;

    /// One command, one answer.
    ///
    /// # Errors
    /// What failed.
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, Self::Error>;
}

/// Reads a card. `key` is the sector's, for the mode that needs one.
///
/// A card of another kind than the mode's is asked nothing: a bank card that is held to the reader by mistake has then
/// not even been spoken to.
///
/// # Errors
/// [`Fault`].
pub fn read<X: Exchange>(
    mode: &ReadMode,
    key: Option<&SectorKey>,
    kind: CardKind,
    card: &mut X,
) -> Result<Medium, Fault<X::Error>> {
    if !mode.fits(kind) {
        return Err(Fault::Card(ErrorKind::WrongCard));
    }
    match mode {
        ReadMode::Uid => uid(card).map(Medium::Uid),
        ReadMode::Classic { sector, block, key: slot, piece, .. } => {
            let key = key.ok_or(Fault::Card(ErrorKind::WrongKey))?;
            let first = first_block(*sector);
            open_sector(card, key, *slot, first)?;
            found(card, *piece, BLOCK_BYTES, u16::from(first + block))
        }
        ReadMode::Pages { first, piece } => found(card, *piece, PAGE_BYTES, u16::from(*first)),
        ReadMode::File { application, file, piece } => {
            select(card, application.as_ref(), *file)?;
            let bytes = twice(card, |card| read_file(card, *file, *piece))?;
            identity(piece.content, &bytes).map_err(Fault::Card)
        }
    }
}

/// The serial number. Readers that count it exactly want to be told its length; they say so and are asked once more.
fn uid<X: Exchange>(card: &mut X) -> Result<Vec<u8>, Fault<X::Error>> {
    twice(card, |card| {
        let mut command = GET_UID;
        let mut met = after_get_uid(&card.exchange(&command).map_err(Fault::Way)?);
        if let AfterUid::AskAgain(length) = met {
            command[4] = length;
            met = after_get_uid(&card.exchange(&command).map_err(Fault::Way)?);
        }
        match met {
            AfterUid::Uid(uid) => Ok(uid),
            AfterUid::Failed(kind) => Err(Fault::Card(kind)),
            AfterUid::AskAgain(_) => Err(Fault::Card(ErrorKind::Unsupported)),
        }
    })
}

/// Asks twice; an answer that differs is one that was cut off. An error the second time is that error: the card is gone,
/// and nobody is named by half of what it said.
fn twice<X: Exchange, T: PartialEq>(
    card: &mut X,
    ask: impl Fn(&mut X) -> Result<T, Fault<X::Error>>,
) -> Result<T, Fault<X::Error>> {
    let first = ask(card)?;
    if ask(card)? != first {
        return Err(Fault::Card(ErrorKind::CardLost));
    }
    Ok(first)
}

/// Sends a command and takes what it yields: data that waits is fetched, a wrong length is asked again.
fn send<X: Exchange>(card: &mut X, command: &[u8]) -> Result<(Vec<u8>, u16), Fault<X::Error>> {
    let mut command = command.to_vec();
    let mut whole = Vec::new();
    for _ in 0..MORE_ROUNDS_MAX {
        let answer = card.exchange(&command).map_err(Fault::Way)?;
        let Some(Response { data, status }) = Response::parse(&answer) else {
            return Err(Fault::Card(ErrorKind::CardLost));
        };
        let [high, low] = status.to_be_bytes();
        match high {
            0x61 => {
                whole.extend_from_slice(data);
                command = vec![0x00, 0xc0, 0x00, 0x00, low];
            }
            0x6c if command.len() >= 5 => {
                let last = command.len() - 1;
                command[last] = low;
            }
            // No card answers with such a status: these are the first bytes of an answer that was cut off.
            0x00..=0x5f | 0x70..=0x8f | 0xa0..=0xff => return Err(Fault::Card(ErrorKind::CardLost)),
            _ => {
                whole.extend_from_slice(data);
                return Ok((whole, status));
            }
        }
    }
    Err(Fault::Card(ErrorKind::Unsupported))
}

/// What a status other than success says of a command that opens or reads.
fn refusal(status: u16) -> ErrorKind {
    match status {
        // Authentication failed; access conditions not met; key or reference blocked.
        0x6300..=0x63ff | 0x6982 | 0x6983 | 0x6984 | 0x6985 => ErrorKind::WrongKey,
        // No such file or application, no such instruction or class: a card for something else.
        0x6a82 | 0x6a83 | 0x6a86 | 0x6a88 | 0x6d00 | 0x6e00 => ErrorKind::WrongCard,
        // The file or memory ends before the piece does.
        0x6282 | 0x6700 | 0x6b00 => ErrorKind::Blank,
        _ => ErrorKind::Unsupported,
    }
}

/// As [`send`], for a command whose answer counts only when all went well.
fn expect<X: Exchange>(card: &mut X, command: &[u8]) -> Result<Vec<u8>, Fault<X::Error>> {
    match send(card, command)? {
        (data, OK) => Ok(data),
        (_, status) => Err(Fault::Card(refusal(status))),
    }
}

/// PC/SC part 3: gives the reader the key and has it open the sector of a block with it.
fn open_sector<X: Exchange>(
    card: &mut X,
    key: &SectorKey,
    slot: KeySlot,
    block: u8,
) -> Result<(), Fault<X::Error>> {
    let load = [&[0xff, 0x82, 0x00, KEY_PLACE, 0x06], &key.bytes()[..]].concat();
    match send(card, &load)? {
        (_, OK) => {}
        // The reader's fault, not the card's: it has no place for keys.
        _ => return Err(Fault::Card(ErrorKind::Unsupported)),
    }
    let slot = match slot {
        KeySlot::A => 0x60,
        KeySlot::B => 0x61,
    };
    let open = [0xff, 0x86, 0x00, 0x00, 0x05, 0x01, 0x00, block, slot, KEY_PLACE];
    expect(card, &open).map(drop)
}

/// Reads a piece of a storage card whose places have `place_bytes` each, from place `first` on.
///
/// Only the rounds that hold bytes of the piece are read, each twice: a piece may begin behind an empty block, and a
/// block that is not needed may be one that the key does not open.
fn found<X: Exchange>(
    card: &mut X,
    piece: Piece,
    place_bytes: usize,
    first: u16,
) -> Result<Medium, Fault<X::Error>> {
    let offset = usize::from(piece.offset);
    let end = offset + usize::from(piece.length);
    // Readers hand out 16 bytes at a time, of whichever card.
    let places_at_once = BLOCK_BYTES / place_bytes;
    let mut bytes = Vec::new();
    for round in offset / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES) {
        let place = usize::from(first) + round * places_at_once;
        let place = u16::try_from(place).map_err(|_| Fault::Card(ErrorKind::Blank))?.to_be_bytes();
        let command = [0xff, 0xb0, place[0], place[1], 0x10];
        bytes.extend(twice(card, |card| {
            let data = expect(card, &command)?;
            if data.len() == BLOCK_BYTES { Ok(data) } else { Err(Fault::Card(ErrorKind::CardLost)) }
        })?);
    }
    let skip = offset % BLOCK_BYTES;
    identity(piece.content, &bytes[skip..skip + end - offset]).map_err(Fault::Card)
}

/// Chooses the application, then the file in it. A short file identifier needs no choosing: the read itself names it.
fn select<X: Exchange>(
    card: &mut X,
    application: Option<&Aid>,
    file: FileRef,
) -> Result<(), Fault<X::Error>> {
    if let Some(aid) = application {
        let name = aid.bytes();
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        select_by(card, &[&[0x00, 0xa4, 0x04, 0x00, length], name].concat())?;
    }
    if let FileRef::Id(id) = file {
        let id = id.to_be_bytes();
        select_by(card, &[0x00, 0xa4, 0x00, 0x00, 0x02, id[0], id[1]])?;
    }
    Ok(())
}

/// Some cards want to be asked for their description (Le) when a file is chosen, some refuse it.
fn select_by<X: Exchange>(card: &mut X, command: &[u8]) -> Result<(), Fault<X::Error>> {
    match send(card, command)? {
        (_, OK) => Ok(()),
        (_, 0x6700) => expect(card, &[command, &[0x00]].concat()).map(drop),
        (_, status) => Err(Fault::Card(refusal(status))),
    }
}

/// Reads the piece in one command: it is at most 48 bytes, which every card hands out at once. Less is no identity.
fn read_file<X: Exchange>(card: &mut X, file: FileRef, piece: Piece) -> Result<Vec<u8>, Fault<X::Error>> {
    let [high, low] = piece.offset.to_be_bytes();
    let high = match file {
        FileRef::Id(_) => high,
        FileRef::Short(short) => 0x80 | short,
    };
    let data = expect(card, &[0x00, 0xb0, high, low, piece.length])?;
    if data.len() == usize::from(piece.length) { Ok(data) } else { Err(Fault::Card(ErrorKind::Blank)) }
}

#[cfg(test)]
mod tests;
