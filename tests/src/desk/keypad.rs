//! A framed swipe terminal with keys and four lines of display, as its maker would build it: the other end of the
//! protocol in `hufu_hardware::framed`, dialect `binary`.
//!
//! It acknowledges what it is told, shows prompts, and sends keys, amounts and tracks one at a time, each again until it
//! is acknowledged. Pure: bytes in, bytes out, time is an argument.

use hufu_hardware::framed::frame::{Cutter, Dialect, Part, frame};
use serde::Serialize;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
/// How long it waits for an acknowledgement.
const ACK_WAIT: Duration = Duration::from_millis(500);
/// How often it sends a frame.
const TRIES: u32 = 3;
/// What it says it is.
const MODEL: &[u8] = b"HF-KEYS";
/// Lines of its display.
const LINES: usize = 4;

/// What a person at it sees and hears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Face {
    /// Its display, line by line.
    pub lines: [String; LINES],
    /// The last beep: 1 accepted, 2 refused, 3 attention.
    pub beep: Option<char>,
}

/// The terminal.
#[derive(Debug)]
pub struct Keypad {
    /// What it shows.
    pub face: Face,
    cutter: Cutter,
    sequence: u8,
    taken: Option<u8>,
    waiting: VecDeque<(u8, Vec<u8>)>,
    sending: Option<(Vec<u8>, u32, Instant)>,
}

impl Default for Keypad {
    fn default() -> Self {
        Self {
            face: Face::default(),
            cutter: Cutter::new(Dialect::Binary),
            sequence: 0,
            taken: None,
            waiting: VecDeque::from([(b'R', MODEL.to_vec())]),
            sending: None,
        }
    }
}

impl Keypad {
    /// Something a person did at it: `K` a key, `A` an amount in fen, `T` a stripe.
    pub fn send(&mut self, command: u8, data: &[u8]) {
        self.waiting.push_back((command, data.to_vec()));
    }

    /// Takes what came, and time; gives what it sends.
    pub fn turn(&mut self, bytes: &[u8], now: Instant) -> Vec<u8> {
        let mut out = Vec::new();
        for part in self.cutter.push(bytes) {
            match part {
                Part::Ack => self.sending = None,
                Part::Nak => self.again(now, &mut out),
                Part::Bad(_) => out.push(NAK),
                Part::Frame { sequence, command, data } => {
                    out.push(ACK);
                    if self.taken.replace(sequence) != Some(sequence) {
                        self.told(command, &data);
                    }
                }
            }
        }
        if self.sending.as_ref().is_some_and(|(_, _, since)| now.duration_since(*since) >= ACK_WAIT) {
            self.again(now, &mut out);
        }
        if self.sending.is_none()
            && let Some((command, data)) = self.waiting.pop_front()
        {
            let bytes = frame(Dialect::Binary, b'0' + self.sequence, command, &data);
            self.sequence = (self.sequence + 1) % 10;
            out.extend(&bytes);
            self.sending = Some((bytes, 1, now));
        }
        out
    }

    fn again(&mut self, now: Instant, out: &mut Vec<u8>) {
        let Some((bytes, tries, _)) = self.sending.take() else { return };
        if tries < TRIES {
            out.extend(&bytes);
            self.sending = Some((bytes, tries + 1, now));
        }
    }

    fn told(&mut self, command: u8, data: &[u8]) {
        match (command, data) {
            (b'Q', _) => self.send(b'R', MODEL),
            (b'B', [beep]) => self.face.beep = Some(char::from(*beep)),
            (b'P', [line @ b'1'..=b'4', text @ ..]) => {
                self.face.lines[usize::from(line - b'1')] = String::from_utf8_lossy(text).into_owned();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::clock;
    use hufu_hardware::framed::link::{Beep, Command, Heard, Link};

    /// Carries bytes between both ends until neither says anything.
    fn talk(link: &mut Link, keypad: &mut Keypad) -> Vec<Heard> {
        let (mut heard, mut to_terminal) = (Vec::new(), link.tick(1).write);
        for _ in 0..40 {
            let to_us = keypad.turn(&to_terminal, clock::now());
            let outcome = link.push(&to_us, 1);
            heard.extend(outcome.heard);
            to_terminal = outcome.write;
        }
        heard
    }

    #[test]
    fn it_speaks_the_protocol_of_the_real_source() {
        let (mut link, mut keypad) = (Link::new(Dialect::Binary, 1), Keypad::default());
        link.send(Command::Prompt { line: 2, text: "欢迎光临".to_owned() });
        link.send(Command::Beep(Beep::Refused));
        for key in *b"80001234E" {
            keypad.send(b'K', &[key]);
        }
        keypad.send(b'A', b"12500");
        keypad.send(b'T', b";80001234?");
        let heard = talk(&mut link, &mut keypad);
        assert_eq!(keypad.face.lines[1], "欢迎光临");
        assert_eq!(keypad.face.beep, Some('2'));
        assert!(
            matches!(heard.as_slice(), [Heard::Entered(_), Heard::Entered(_), Heard::Read(Ok(_))]),
            "{} heard",
            heard.len()
        );
    }
}
