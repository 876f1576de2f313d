//! What a keyboard types, from its key codes. Pure: time is an argument.
//!
//! Wedges type as if on a US keyboard, whatever the country, unless somebody set them otherwise; they use Shift for
//! capitals and signs, some the number pad, and end a line with Enter or Tab. The text is then cut into frames exactly
//! as that of a serial port ([`crate::serial::line`]).
//!
//! Invariants
//! - A key without a meaning (a function key, anything with Ctrl, Alt or Meta held) and a gap in the kernel's queue
//!   spoil the line they stand in: a number that lacks a digit must not pass for another card's number.
//! - A release types nothing, a held key types once.
//!
//! Out of scope: other layouts, dead keys, input methods.

use crate::serial::line::{Framed, Framer, Protocol};

/// One event of a keyboard, as the kernel gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEvent {
    /// A key changed.
    Key {
        /// Key code of the kernel's `input-event-codes.h`.
        code: u16,
        /// What it did.
        stroke: Stroke,
    },
    /// The kernel's queue overflowed: some keys were lost.
    Lost,
}

/// What a key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Pressed.
    Down,
    /// Released.
    Up,
    /// Held, and typed again by the kernel.
    Held,
}

impl Stroke {
    /// From the value of the kernel's event.
    #[must_use]
    pub fn of_value(value: i32) -> Option<Self> {
        match value {
            0 => Some(Self::Up),
            1 => Some(Self::Down),
            2 => Some(Self::Held),
            _ => None,
        }
    }
}

const CAPS_LOCK: u16 = 58;
const LOCKS: [u16; 2] = [69, 70];
/// Keys that change what others mean, in the order of the bits of [`Decoder::held`]: two of Shift, then those that
/// make any key a command.
const MODIFIERS: [u16; 8] = [42, 54, 29, 97, 56, 100, 125, 126];
const SHIFTS: u8 = 0b11;
/// Stands for a key that has no meaning; no frame may hold it.
const SPOILED: u8 = 0;

/// Runs of keys beside each other: first code, what they type, what they type with Shift.
const RUNS: [(u16, &[u8], &[u8]); 6] = [
    (2, b"1234567890-=", b"!@#$%^&*()_+"),
    (16, b"qwertyuiop[]", b"QWERTYUIOP{}"),
    (30, b"asdfghjkl;'`", b"ASDFGHJKL:\"~"),
    (43, b"\\zxcvbnm,./", b"|ZXCVBNM<>?"),
    (71, b"789-456+1230.", b"789-456+1230."),
    (57, b" ", b" "),
];

/// What a key types; none if it types nothing.
#[must_use]
pub fn typed(code: u16, shift: bool, caps: bool) -> Option<u8> {
    match code {
        // Tab ends a line as well: many scanners are delivered so, to jump from field to field.
        28 | 96 | 15 => return Some(b'\r'),
        55 => return Some(b'*'),
        98 => return Some(b'/'),
        _ => {}
    }
    RUNS.iter().find_map(|(first, plain, shifted)| {
        let at = usize::from(code.checked_sub(*first)?);
        let is_letter = plain.get(at)?.is_ascii_lowercase();
        let keys = if shift != (caps && is_letter) { shifted } else { plain };
        keys.get(at).copied()
    })
}

/// One per open keyboard.
#[derive(Debug)]
pub struct Decoder {
    framer: Framer,
    /// Which of the [`MODIFIERS`] are down, a bit each.
    held: u8,
    caps: bool,
}

impl Decoder {
    /// For a keyboard that was just opened, with no key down.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        Self { framer: Framer::new(protocol), held: 0, caps: false }
    }

    /// When [`Decoder::idle`] is due, or `None` while nothing is pending.
    #[must_use]
    pub fn due_ns(&self) -> Option<u64> {
        self.framer.due_ns()
    }

    /// Ends whatever is pending if nothing was typed for long enough at `now_ns`.
    pub fn idle(&mut self, now_ns: u64) -> Vec<Framed> {
        self.framer.idle(now_ns)
    }

    /// Takes one event that arrived at `now_ns`.
    pub fn push(&mut self, event: KeyEvent, now_ns: u64) -> Vec<Framed> {
        match self.byte(event) {
            Some(byte) => self.framer.push(&[byte], now_ns),
            None => Vec::new(),
        }
    }

    fn byte(&mut self, event: KeyEvent) -> Option<u8> {
        let KeyEvent::Key { code, stroke } = event else {
            // A release may be among what was lost: a Shift that seems to stay down would change every line.
            self.held = 0;
            return Some(SPOILED);
        };
        if let Some(place) = MODIFIERS.iter().position(|known| *known == code) {
            let bit = 1 << place;
            match stroke {
                Stroke::Up => self.held &= !bit,
                Stroke::Down | Stroke::Held => self.held |= bit,
            }
            return None;
        }
        if stroke != Stroke::Down || LOCKS.contains(&code) {
            return None;
        }
        if code == CAPS_LOCK {
            self.caps = !self.caps;
            return None;
        }
        let is_command = self.held & !SHIFTS != 0;
        let typed = typed(code, self.held & SHIFTS != 0, self.caps).filter(|_| !is_command);
        Some(typed.unwrap_or(SPOILED))
    }
}

#[cfg(test)]
pub(crate) mod tests;
