//! Frames and single answers out of a stream of bytes. Pure.
//!
//! Invariants
//! - At most [`FRAME_BYTES_MAX`] bytes are kept, whatever comes.
//! - After rubbish, or a damaged frame, the next whole frame is read, also when it begins inside the rubbish.
//! - The result does not depend on how the bytes were cut into pieces.
//! - A byte inside a frame, whole or damaged, is never taken for an answer.

use crate::card::ErrorKind;

/// Most bytes of a body: sequence digit, command, data. Two stripe tracks have 119.
pub const BODY_BYTES_MAX: usize = 250;
/// Most bytes of a frame in either dialect.
pub const FRAME_BYTES_MAX: usize = BODY_BYTES_MAX + 7;
const BODY_BYTES_MIN: usize = 2;

pub(super) const STX: u8 = 0x02;
pub(super) const ETX: u8 = 0x03;
pub(super) const ACK: u8 = 0x06;
pub(super) const NAK: u8 = 0x15;

/// How length and checksum are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// One byte each.
    Binary,
    /// Three decimal and two hexadecimal digits.
    Ascii,
}

impl Dialect {
    fn length_bytes(self) -> usize {
        match self {
            Self::Binary => 1,
            Self::Ascii => 3,
        }
    }

    fn lrc_bytes(self) -> usize {
        match self {
            Self::Binary => 1,
            Self::Ascii => 2,
        }
    }
}

/// What came.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// A whole frame whose checksum holds.
    Frame {
        /// Its sequence digit.
        sequence: u8,
        /// Its command letter.
        command: u8,
        /// Its data.
        data: Vec<u8>,
    },
    /// The other side has our frame.
    Ack,
    /// The other side wants our frame again.
    Nak,
    /// A frame began and was none.
    Bad(ErrorKind),
}

/// Writes a frame; data beyond [`BODY_BYTES_MAX`] is cut off at the end.
#[must_use]
pub fn frame(dialect: Dialect, sequence: u8, command: u8, data: &[u8]) -> Vec<u8> {
    let data = &data[..data.len().min(BODY_BYTES_MAX - BODY_BYTES_MIN)];
    let length = data.len() + BODY_BYTES_MIN;
    let mut bytes = vec![STX];
    match dialect {
        Dialect::Binary => bytes.push(u8::try_from(length).unwrap_or(u8::MAX)),
        Dialect::Ascii => bytes.extend(format!("{length:03}").into_bytes()),
    }
    bytes.extend([sequence, command]);
    bytes.extend(data);
    bytes.push(ETX);
    bytes.extend(lrc(dialect, &bytes[1..]));
    bytes
}

fn lrc(dialect: Dialect, covered: &[u8]) -> Vec<u8> {
    let sum = covered.iter().fold(0, |sum, byte| sum ^ byte);
    match dialect {
        Dialect::Binary => vec![sum],
        Dialect::Ascii => format!("{sum:02X}").into_bytes(),
    }
}

/// The cutter. One per open port.
#[derive(Debug)]
pub struct Cutter {
    dialect: Dialect,
    kept: Vec<u8>,
}

/// What the bytes at hand begin with.
enum Begins {
    /// Not yet to be told.
    More,
    /// A frame of so many bytes.
    Whole(usize),
    /// No frame.
    Wrong(ErrorKind),
}

impl Cutter {
    /// For a port that was just opened.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, kept: Vec::new() }
    }

    /// True while a frame has begun and is not whole.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Part> {
        let mut parts = Vec::new();
        for byte in bytes {
            self.take(*byte, &mut parts);
        }
        parts
    }

    /// Gives up a frame that was begun and does not go on.
    pub fn idle(&mut self) -> Vec<Part> {
        if self.kept.is_empty() {
            return Vec::new();
        }
        // A whole frame may have begun inside the one that never ended.
        let mut parts = self.drop_start(ErrorKind::Malformed);
        while self.is_inside() {
            parts.extend(self.drop_start(ErrorKind::Malformed));
        }
        parts
    }

    fn take(&mut self, byte: u8, parts: &mut Vec<Part>) {
        if self.kept.is_empty() {
            match byte {
                STX => self.kept.push(byte),
                ACK => parts.push(Part::Ack),
                NAK => parts.push(Part::Nak),
                _ => {}
            }
            return;
        }
        self.kept.push(byte);
        self.look(parts);
    }

    /// Takes what is whole off the front, and what is wrong.
    fn look(&mut self, parts: &mut Vec<Part>) {
        while !self.kept.is_empty() {
            match self.begins() {
                Begins::More => return,
                Begins::Whole(length) => {
                    let rest = self.kept.split_off(length);
                    let whole = std::mem::replace(&mut self.kept, rest);
                    let body = &whole[1 + self.dialect.length_bytes()..length - 1 - self.dialect.lrc_bytes()];
                    parts.push(Part::Frame { sequence: body[0], command: body[1], data: body[2..].to_vec() });
                    self.skip_to_start(0);
                }
                Begins::Wrong(kind) => {
                    parts.push(Part::Bad(kind));
                    self.skip_to_start(1);
                }
            }
        }
    }

    fn drop_start(&mut self, kind: ErrorKind) -> Vec<Part> {
        let mut parts = vec![Part::Bad(kind)];
        self.skip_to_start(1);
        self.look(&mut parts);
        parts
    }

    /// What stands before the next start of a frame belonged to one that was damaged.
    fn skip_to_start(&mut self, from: usize) {
        let start = self.kept.iter().skip(from).position(|byte| *byte == STX).map(|at| at + from);
        self.kept.drain(..start.unwrap_or(self.kept.len()));
    }

    fn begins(&self) -> Begins {
        let (head, tail) = (1 + self.dialect.length_bytes(), 1 + self.dialect.lrc_bytes());
        let Some(length) = self.kept.get(1..head) else { return self.half_length() };
        let Some(body) = self.body_bytes(length) else { return Begins::Wrong(ErrorKind::Malformed) };
        let etx = head + body;
        let Some(whole) = self.kept.get(..etx + tail) else {
            return match self.kept.get(etx) {
                Some(&ETX) | None => Begins::More,
                Some(_) => Begins::Wrong(ErrorKind::Malformed),
            };
        };
        let (covered, checksum) = whole[1..].split_at(etx);
        if whole[etx] != ETX || !whole[head].is_ascii_digit() || !whole[head + 1].is_ascii_uppercase() {
            return Begins::Wrong(ErrorKind::Malformed);
        }
        if lrc(self.dialect, covered) != checksum {
            return Begins::Wrong(ErrorKind::Checksum);
        }
        Begins::Whole(whole.len())
    }

    /// A length that cannot become one is wrong before it is whole.
    fn half_length(&self) -> Begins {
        let digits = self.dialect == Dialect::Binary || self.kept[1..].iter().all(u8::is_ascii_digit);
        if digits { Begins::More } else { Begins::Wrong(ErrorKind::Malformed) }
    }

    fn body_bytes(&self, length: &[u8]) -> Option<usize> {
        let body = match self.dialect {
            Dialect::Binary => usize::from(*length.first()?),
            Dialect::Ascii => {
                let digits =
                    std::str::from_utf8(length).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
                digits?.parse().ok()?
            }
        };
        (BODY_BYTES_MIN..=BODY_BYTES_MAX).contains(&body).then_some(body)
    }
}

#[cfg(test)]
mod tests;
