//! A model that takes bytes at one end of a line, answers questions, and keeps what lies on its paper.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What is set and what was printed, shared with the test that watches. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Roll(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    printed: Vec<u8>,
    paper_out: bool,
    near_end: bool,
    cover_open: bool,
    silent: bool,
    /// After so many further bytes the paper is out.
    ends_after: Option<usize>,
}

impl Roll {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The bytes that were printed; questions are not among them.
    #[must_use]
    pub fn printed(&self) -> Vec<u8> {
        self.with(|state| state.printed.clone())
    }

    /// Takes the paper out, or puts a new roll in.
    pub fn set_paper_out(&self, out: bool) {
        self.with(|state| state.paper_out = out);
    }

    /// The roll is near its end, or not.
    pub fn set_near_end(&self, near: bool) {
        self.with(|state| state.near_end = near);
    }

    /// Opens or closes the cover.
    pub fn set_cover_open(&self, open: bool) {
        self.with(|state| state.cover_open = open);
    }

    /// From now on it answers nothing, or answers again.
    pub fn set_silent(&self, silent: bool) {
        self.with(|state| state.silent = silent);
    }

    /// The paper ends after so many further bytes.
    pub fn end_after(&self, bytes: usize) {
        self.with(|state| state.ends_after = Some(bytes));
    }
}

/// The model at its end of a line.
#[derive(Debug)]
pub struct ModelPrinter {
    roll: Roll,
    /// Bytes of a question that is not whole yet.
    held: Vec<u8>,
}

impl ModelPrinter {
    /// A model and its roll of paper.
    #[must_use]
    pub fn new() -> (Self, Roll) {
        let roll = Roll::default();
        (Self { roll: roll.clone(), held: Vec::new() }, roll)
    }

    /// Takes bytes until the line ends.
    pub fn serve(&mut self, mut line: impl Read + Write) {
        let mut bytes = [0; 512];
        while let Ok(n @ 1..) = line.read(&mut bytes) {
            let answers = self.take(&bytes[..n]);
            if line.write_all(&answers).is_err() {
                return;
            }
        }
    }

    /// Takes bytes; what it answers.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let mut answers = Vec::new();
        while let Some((taken, answer)) = self.next() {
            self.held.drain(..taken);
            answers.extend(answer);
        }
        answers
    }

    /// The next command or byte: how many bytes it is, and the answer to it. None if it is not whole yet.
    fn next(&mut self) -> Option<(usize, Option<u8>)> {
        let silent = self.roll.with(|state| state.silent);
        let answer = |byte: u8| Some(byte).filter(|_| !silent);
        match self.held.as_slice() {
            [0x10, 0x04, n, ..] => Some((3, answer(self.status(*n)))),
            // In its turn: not while something before it is not on the paper.
            [0x1d, b'r', _, ..] if self.stands() => Some((3, None)),
            [0x1d, b'r', _, ..] => Some((3, answer(0x00))),
            [0x10] | [0x10, 0x04] | [0x1d] | [0x1d, b'r'] => None,
            // Pictures and codes hold any bytes: they are taken whole.
            [0x1d, b'v', b'0', _, xl, xh, yl, yh, rest @ ..] => {
                let number = |low: &u8, high: &u8| usize::from(*low) + usize::from(*high) * 256;
                let length = number(xl, xh) * number(yl, yh);
                (rest.len() >= length).then(|| self.print(8 + length))
            }
            [0x1d, b'v', ..] => None,
            [0x1d, b'(', b'k', low, high, rest @ ..] => {
                let length = usize::from(*low) + usize::from(*high) * 256;
                (rest.len() >= length).then(|| self.print(5 + length))
            }
            [0x1d, b'(', ..] => None,
            [0x1b..=0x1d, _, ..] => Some(self.print(2)),
            [0x1b | 0x1c] => None,
            [_, ..] => Some(self.print(1)),
            [] => None,
        }
    }

    /// Whether printing stands still.
    fn stands(&self) -> bool {
        self.roll.with(|state| state.paper_out || state.cover_open)
    }

    fn print(&mut self, length: usize) -> (usize, Option<u8>) {
        let bytes = self.held[..length].to_vec();
        self.roll.with(|state| {
            if let Some(left) = &mut state.ends_after {
                *left = left.saturating_sub(length);
                if *left == 0 {
                    (state.ends_after, state.paper_out) = (None, true);
                }
            }
            // What comes while it stands is lost: models differ, and this is the worse one.
            if !state.paper_out && !state.cover_open {
                state.printed.extend(bytes);
            }
        });
        (length, None)
    }

    fn status(&self, question: u8) -> u8 {
        self.roll.with(|state| {
            let bit = |on: bool, mask: u8| if on { mask } else { 0 };
            let stands = state.paper_out || state.cover_open;
            let said = match question {
                1 => bit(stands, 0x08),
                2 => bit(state.cover_open, 0x04) | bit(state.paper_out, 0x20),
                3 => 0,
                _ => bit(state.near_end, 0x0c) | bit(state.paper_out, 0x60),
            };
            0x12 | said
        })
    }
}
