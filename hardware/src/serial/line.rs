//! Cuts a stream of bytes into frames. Pure: time is an argument.
//!
//! Serial data comes in pieces of any size, with rubbish around it. A frame ends with CR, LF, CRLF or ETX, or, for
//! devices that end nothing, when the line was idle for [`IDLE_FLUSH_MS`].
//!
//! Invariants
//! - The result does not depend on how the bytes were cut into pieces (unless pauses between them exceed the flush).
//! - At most [`FRAME_BYTES_MAX`] bytes are kept, whatever comes.
//! - After any rubbish the next frame is read; one burst of rubbish is told at most once.
//! - A scanner that has ended a line once must end every line: a text cut by a pause is then not taken for a whole one.

use super::em125::{Form, KnownBy};
use crate::card::ErrorKind;

/// Most bytes of one frame. Three stripe tracks have 226, signed member codes about 200.
pub const FRAME_BYTES_MAX: usize = 512;
/// Silence that ends a frame, in milliseconds.
pub const IDLE_FLUSH_MS: u64 = 300;
/// Fewer bytes of rubbish than this are line noise (a plug, a reader's start-up), not somebody's attempt.
pub const NOISE_BYTES_MAX: usize = 8;

/// What the device speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Tracks of a magnetic stripe, from `%` or `;` on.
    Iso7813,
    /// One text per line, UTF-8 without control characters.
    Line,
    /// Numbers of 125 kHz chips, one per line.
    Proximity {
        /// The form in which the reader prints them.
        form: Form,
        /// By how much of a number the club knows its cards.
        known_by: KnownBy,
    },
}

impl Protocol {
    fn is_stripe(self) -> bool {
        self == Self::Iso7813
    }
}

/// What came out.
#[derive(Clone, PartialEq, Eq)]
pub enum Framed {
    /// A frame, without its end.
    Frame(String),
    /// Something came that is no frame.
    Bad(ErrorKind),
}

const ETX: u8 = 0x03;
const NS_PER_MS: u64 = 1_000_000;

/// The cutter. One per open port.
#[derive(Debug)]
pub struct Framer {
    protocol: Protocol,
    kept: Vec<u8>,
    /// True while the rest of an over-long line is being skipped.
    skipping: bool,
    /// Bytes dropped since the line was last idle.
    dropped: usize,
    /// What to say about them, if nothing better comes.
    complaint: ErrorKind,
    /// A frame came out, or a complaint was made, since the line was last idle.
    told: bool,
    ends_lines: bool,
    last_byte_ns: Option<u64>,
}

impl Framer {
    /// For a port that was just opened.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            kept: Vec::new(),
            skipping: false,
            dropped: 0,
            complaint: ErrorKind::Malformed,
            told: false,
            ends_lines: false,
            last_byte_ns: None,
        }
    }

    /// When [`Framer::idle`] is due, or `None` while nothing is pending.
    #[must_use]
    pub fn due_ns(&self) -> Option<u64> {
        self.last_byte_ns.map(|last| last + IDLE_FLUSH_MS * NS_PER_MS)
    }

    /// Takes bytes that arrived at `now_ns`.
    pub fn push(&mut self, bytes: &[u8], now_ns: u64) -> Vec<Framed> {
        let mut out = self.idle(now_ns);
        for byte in bytes {
            self.take(*byte, &mut out);
        }
        if !bytes.is_empty() {
            self.last_byte_ns = Some(now_ns);
        }
        out
    }

    /// Ends whatever is pending if the line has been idle for long enough at `now_ns`.
    pub fn idle(&mut self, now_ns: u64) -> Vec<Framed> {
        let mut out = Vec::new();
        if self.due_ns().is_none_or(|due| now_ns < due) {
            return out;
        }
        self.last_byte_ns = None;
        if !self.protocol.is_stripe() && self.ends_lines && !self.kept.is_empty() {
            self.drop_kept(ErrorKind::Malformed);
        }
        self.end_frame(&mut out);
        if self.dropped > NOISE_BYTES_MAX && !self.told {
            out.push(Framed::Bad(self.complaint));
        }
        (self.skipping, self.dropped, self.told, self.complaint) = (false, 0, false, ErrorKind::Malformed);
        out
    }

    fn take(&mut self, byte: u8, out: &mut Vec<Framed>) {
        match byte {
            b'\r' | b'\n' | ETX => {
                self.ends_lines |= !self.kept.is_empty();
                self.skipping = false;
                // Tracks of one swipe may stand on lines of their own: track 1 waits for a track 2 to follow.
                let waits = self.protocol.is_stripe() && is_track_1_only(&self.kept);
                if !waits {
                    self.end_frame(out);
                }
            }
            _ if self.skipping => self.dropped += 1,
            _ if self.kept.is_empty() && !self.may_begin(byte) => {
                self.dropped += usize::from(!matches!(byte, 0 | 0x02 | b' '));
            }
            _ => {
                self.kept.push(byte);
                if self.kept.len() > FRAME_BYTES_MAX {
                    self.overflow();
                }
            }
        }
    }

    fn may_begin(&self, byte: u8) -> bool {
        // Spaces, NUL and STX before a text are not part of it.
        if self.protocol.is_stripe() { matches!(byte, b'%' | b';') } else { byte > b' ' }
    }

    fn overflow(&mut self) {
        // A real swipe may have begun inside the rubbish: keep what follows the last start sentinel.
        let start = self.kept.iter().rposition(|b| matches!(b, b'%' | b';'));
        let tail = start.filter(|_| self.protocol.is_stripe());
        let tail = tail.filter(|at| *at > FRAME_BYTES_MAX / 2).map(|at| self.kept.split_off(at));
        self.drop_kept(ErrorKind::TooLong);
        self.skipping = !self.protocol.is_stripe();
        self.kept = tail.unwrap_or_default();
    }

    fn drop_kept(&mut self, complaint: ErrorKind) {
        self.dropped += self.kept.len();
        self.complaint = complaint;
        self.kept.clear();
    }

    fn end_frame(&mut self, out: &mut Vec<Framed>) {
        let kept = std::mem::take(&mut self.kept);
        let text = if self.protocol.is_stripe() {
            // A stripe has ASCII only; rubbish before the track is the parser's to skip.
            Some(kept.iter().map(|b| char::from(*b)).collect::<String>())
        } else {
            String::from_utf8(kept).ok().filter(|t| !t.contains(char::is_control))
        };
        match text.as_deref().map(str::trim_end) {
            Some("") => {}
            Some(text) => {
                self.told = true;
                out.push(Framed::Frame(text.to_owned()));
            }
            None => {
                self.told = true;
                out.push(Framed::Bad(ErrorKind::Malformed));
            }
        }
    }
}

/// True if the text is track 1, whole, and nothing else.
fn is_track_1_only(kept: &[u8]) -> bool {
    kept.first() == Some(&b'%') && !kept.contains(&b';') && kept.contains(&b'?')
}

#[cfg(test)]
mod tests;
