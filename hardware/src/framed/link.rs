//! One end of the line: what is sent, sent again and given up, what is taken, and whether anybody is there. Pure: time
//! is an argument, bytes to write are returned.
//!
//! Invariants
//! - One frame of ours is under way at a time; at most [`WAITING_MAX`] wait, the oldest prompts give way.
//! - A frame of the terminal is taken once, however often it sends it.
//! - A burst of rubbish is answered by at most one NAK.
//! - A terminal that answers nothing is told as gone once, and as back at its first sign of life.

use std::collections::VecDeque;

use super::frame::{ACK, Cutter, Dialect, NAK, Part, frame};
use super::keypad::{Keypad, amount};
use crate::card::{Entry, ErrorKind, Evidence, Medium};
use crate::serial::line::{Framed, Protocol};
use crate::serial::medium::medium_of;

/// How long an answer is waited for, in milliseconds.
pub const ACK_WAIT_MS: u64 = 500;
/// How often a frame is sent at most.
pub const TRIES_MAX: u32 = 3;
/// A frame that does not go on for this long is damaged, in milliseconds.
pub const GAP_MS: u64 = 300;
/// After so long without a word the terminal is asked whether it is there, in milliseconds.
pub const ASK_EVERY_MS: u64 = 5_000;
/// Most frames that wait for the one under way.
pub const WAITING_MAX: usize = 8;
/// Lines of a terminal's display.
pub const LINES_MAX: u8 = 4;
/// Most characters of a prompt's line.
pub const PROMPT_CHARS_MAX: usize = 40;

const NS_PER_MS: u64 = 1_000_000;

/// What we tell the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A line of its display.
    Prompt {
        /// Which line, 1 to [`LINES_MAX`].
        line: u8,
        /// What it says; cut to [`PROMPT_CHARS_MAX`].
        text: String,
    },
    /// A sound.
    Beep(Beep),
    /// Is anybody there?
    Ask,
}

/// Sounds of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beep {
    /// It counted.
    Accepted,
    /// It did not.
    Refused,
    /// Somebody should look.
    Attention,
}

/// What the terminal tells.
#[derive(Clone, PartialEq, Eq)]
pub enum Heard {
    /// A stripe, or why it was not read.
    Read(Result<(Medium, Evidence), ErrorKind>),
    /// Something entered at its keys.
    Entered(Entry),
    /// Something entered that will not do.
    NotEntered(ErrorKind),
    /// It answers again.
    Back,
    /// It answers no more.
    Silent,
}

struct Sending {
    bytes: Vec<u8>,
    tries: u32,
    since_ns: u64,
}

/// The machine.
pub struct Link {
    dialect: Dialect,
    cutter: Cutter,
    keypad: Keypad,
    waiting: VecDeque<Command>,
    sending: Option<Sending>,
    sequence: u8,
    /// The sequence digit of the last frame taken.
    taken: Option<u8>,
    /// A NAK was sent since the line was last idle or a frame was whole.
    complained: bool,
    silent: bool,
    last_byte_ns: u64,
    last_word_ns: u64,
}

/// What comes of an input: bytes for the port, words for the caller.
#[derive(Default)]
pub struct Outcome {
    /// To be written now.
    pub write: Vec<u8>,
    /// To be told, in this order.
    pub heard: Vec<Heard>,
}

impl Link {
    /// For a port that was opened at `now_ns`; it first asks who is there.
    #[must_use]
    pub fn new(dialect: Dialect, now_ns: u64) -> Self {
        Self {
            dialect,
            cutter: Cutter::new(dialect),
            keypad: Keypad::default(),
            waiting: VecDeque::from([Command::Ask]),
            sending: None,
            sequence: 0,
            taken: None,
            complained: false,
            silent: false,
            last_byte_ns: now_ns,
            last_word_ns: now_ns,
        }
    }

    /// Has something sent as soon as the line is free.
    pub fn send(&mut self, command: Command) {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(command);
    }

    /// Takes bytes that arrived at `now_ns`.
    pub fn push(&mut self, bytes: &[u8], now_ns: u64) -> Outcome {
        let mut outcome = self.tick(now_ns);
        if bytes.is_empty() {
            return outcome;
        }
        self.last_byte_ns = now_ns;
        for part in self.cutter.push(bytes) {
            self.take(part, now_ns, &mut outcome);
        }
        self.go_on(now_ns, &mut outcome);
        outcome
    }

    /// Time passes: what is due is sent again or given up.
    pub fn tick(&mut self, now_ns: u64) -> Outcome {
        let mut outcome = Outcome::default();
        let idle_ms = now_ns.saturating_sub(self.last_byte_ns) / NS_PER_MS;
        if idle_ms >= GAP_MS {
            for part in self.cutter.idle() {
                self.take(part, now_ns, &mut outcome);
            }
            self.complained = false;
        }
        let late = |sending: &Sending| now_ns.saturating_sub(sending.since_ns) >= ACK_WAIT_MS * NS_PER_MS;
        if self.sending.as_ref().is_some_and(late) {
            self.again(now_ns, &mut outcome);
        }
        let quiet_ms = now_ns.saturating_sub(self.last_word_ns) / NS_PER_MS;
        if quiet_ms >= ASK_EVERY_MS && self.sending.is_none() && self.waiting.is_empty() {
            self.waiting.push_back(Command::Ask);
        }
        self.go_on(now_ns, &mut outcome);
        outcome
    }

    fn take(&mut self, part: Part, now_ns: u64, outcome: &mut Outcome) {
        match part {
            Part::Bad(kind) => {
                if !self.complained {
                    self.complained = true;
                    outcome.write.push(NAK);
                    tracing::debug!(?kind, "a frame of a swipe terminal was damaged");
                }
                return;
            }
            Part::Ack => self.sending = None,
            Part::Nak => self.again(now_ns, outcome),
            Part::Frame { sequence, command, data } => {
                outcome.write.push(ACK);
                self.complained = false;
                // A terminal that was switched on begins its count anew.
                let is_new = command == b'R' || self.taken != Some(sequence);
                self.taken = Some(sequence);
                if is_new {
                    outcome.heard.extend(self.message(command, &data, now_ns));
                }
            }
        }
        self.last_word_ns = now_ns;
        if std::mem::take(&mut self.silent) {
            outcome.heard.insert(0, Heard::Back);
        }
    }

    fn message(&mut self, command: u8, data: &[u8], now_ns: u64) -> Option<Heard> {
        match (command, data) {
            (b'R', _) => None,
            (b'T', _) => {
                let text: String = data.iter().map(|byte| char::from(*byte)).collect();
                Some(Heard::Read(medium_of(Protocol::Iso7813, Framed::Frame(text))))
            }
            (b'S', _) => Some(Heard::Read(Err(ErrorKind::Malformed))),
            (b'K', [key]) => match self.keypad.press(*key, now_ns) {
                Ok(entry) => entry.map(Heard::Entered),
                Err(kind) => Some(Heard::NotEntered(kind)),
            },
            (b'A', _) => Some(amount(data).map_or_else(Heard::NotEntered, Heard::Entered)),
            // A command of a newer terminal: it has its answer, and nothing comes of it.
            _ => None,
        }
    }

    /// Sends the frame under way again, or gives it up.
    fn again(&mut self, now_ns: u64, outcome: &mut Outcome) {
        let Some(mut sending) = self.sending.take() else { return };
        if sending.tries < TRIES_MAX {
            sending.tries += 1;
            sending.since_ns = now_ns;
            outcome.write.extend(&sending.bytes);
            self.sending = Some(sending);
            return;
        }
        // What could not be said now is old news later.
        self.waiting.clear();
        self.last_word_ns = now_ns;
        if !self.silent {
            self.silent = true;
            outcome.heard.push(Heard::Silent);
        }
    }

    fn go_on(&mut self, now_ns: u64, outcome: &mut Outcome) {
        if self.sending.is_some() {
            return;
        }
        let Some(command) = self.waiting.pop_front() else { return };
        let (letter, data) = written(&command, self.dialect);
        let bytes = frame(self.dialect, b'0' + self.sequence, letter, &data);
        self.sequence = (self.sequence + 1) % 10;
        outcome.write.extend(&bytes);
        self.sending = Some(Sending { bytes, tries: 1, since_ns: now_ns });
    }
}

fn written(command: &Command, dialect: Dialect) -> (u8, Vec<u8>) {
    match command {
        Command::Ask => (b'Q', Vec::new()),
        Command::Beep(Beep::Accepted) => (b'B', b"1".to_vec()),
        Command::Beep(Beep::Refused) => (b'B', b"2".to_vec()),
        Command::Beep(Beep::Attention) => (b'B', b"3".to_vec()),
        Command::Prompt { line, text } => {
            let text: String = text.chars().filter(|c| !c.is_control()).take(PROMPT_CHARS_MAX).collect();
            let line = format!("{}", (*line).clamp(1, LINES_MAX)).into_bytes();
            let text = match dialect {
                Dialect::Binary => text.into_bytes(),
                // 40 characters of three bytes are 240 digits; whole characters only.
                Dialect::Ascii => text.bytes().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect(),
            };
            (b'P', [line, text].concat())
        }
    }
}

#[cfg(test)]
mod tests;
