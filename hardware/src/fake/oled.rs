//! A one-colour display chip on an I2C bus: it records what is written to it and shows the picture that a glass behind
//! it would show.
//!
//! It plays an SSD1306 (addressing by ranges) or an SH1106 (by page, 132 columns) as their data sheets describe them,
//! can be pulled from the bus, put back without its memory, and made to fail in the middle of a picture.
//!
//! Out of scope: scrolling, contrast and blinking, which Hufu does not use; what it does not know it counts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

use crate::panel::Frame;

/// Rows of eight pixels.
const PAGES: usize = 8;
/// What memory holds after power comes: not zeros.
const GARBAGE: u8 = 0xa5;

/// Which chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OledChip {
    /// 128 columns, ranges of columns and pages.
    Ssd1306,
    /// 132 columns of which the middle 128 are on the glass, one page at a time.
    Sh1106,
}

impl OledChip {
    fn columns(self) -> usize {
        match self {
            Self::Ssd1306 => 128,
            Self::Sh1106 => 132,
        }
    }

    /// Columns left of the glass.
    fn hidden(self) -> usize {
        (self.columns() - 128) / 2
    }
}

/// What power-on sets and commands change.
#[derive(Debug)]
struct Chip {
    kind: OledChip,
    memory: Vec<u8>,
    on: bool,
    pumped: bool,
    by_ranges: bool,
    columns: (usize, usize),
    pages: (usize, usize),
    at: (usize, usize),
    mirrored: bool,
    flipped: bool,
    inverted: bool,
    unknown: usize,
}

impl Chip {
    fn new(kind: OledChip) -> Self {
        Self {
            kind,
            memory: vec![GARBAGE; kind.columns() * PAGES],
            on: false,
            pumped: false,
            by_ranges: false,
            columns: (0, kind.columns() - 1),
            pages: (0, PAGES - 1),
            at: (0, 0),
            mirrored: false,
            flipped: false,
            inverted: false,
            unknown: 0,
        }
    }

    fn commands(&mut self, mut bytes: &[u8]) {
        while let Some((&command, rest)) = bytes.split_first() {
            let used = self.command(command, rest);
            bytes = &rest[used.min(rest.len())..];
        }
    }

    /// Does one command; returns how many further bytes belong to it.
    fn command(&mut self, command: u8, rest: &[u8]) -> usize {
        let number = |at: usize| rest.get(at).map_or(0, |byte| usize::from(*byte));
        let ranged = self.kind == OledChip::Ssd1306;
        match command {
            0x00..=0x0f => self.at.0 = self.at.0 & 0xf0 | usize::from(command & 0x0f),
            0x10..=0x1f => self.at.0 = self.at.0 & 0x0f | usize::from(command & 0x0f) << 4,
            0x20 if ranged => {
                self.by_ranges = number(0) == 0;
                return 1;
            }
            0x21 if ranged => {
                self.columns = (number(0), number(1));
                self.at.0 = self.columns.0;
                return 2;
            }
            0x22 if ranged => {
                self.pages = (number(0), number(1));
                self.at.1 = self.pages.0;
                return 2;
            }
            0x8d if ranged => {
                self.pumped = number(0) & 0x04 != 0;
                return 1;
            }
            0xad if !ranged => {
                self.pumped = number(0) & 0x01 != 0;
                return 1;
            }
            0xa0 | 0xa1 => self.mirrored = command & 1 != 0,
            0xa6 | 0xa7 => self.inverted = command & 1 != 0,
            0xae | 0xaf => self.on = command & 1 != 0,
            0xb0..=0xb7 => self.at.1 = usize::from(command & 0x07),
            0xc0..=0xcf => self.flipped = command & 0x08 != 0,
            // Contrast, multiplex, offset, clock, precharge, pins, deselect level: they change no pixel.
            0x81 | 0xa8 | 0xd3 | 0xd5 | 0xd9 | 0xda | 0xdb => return 1,
            0x2e | 0x30..=0x33 | 0x40..=0x7f | 0xa4 | 0xe3 => {}
            _ => self.unknown += 1,
        }
        0
    }

    fn data(&mut self, bytes: &[u8]) {
        let columns = self.kind.columns();
        for byte in bytes {
            let (column, page) = self.at;
            if let Some(place) = self.memory.get_mut(page * columns + column).filter(|_| column < columns) {
                *place = *byte;
            }
            if !self.by_ranges {
                // Page addressing stays in its page; an SSD1306 begins it again, an SH1106 stops at the end.
                let ranged = self.kind == OledChip::Ssd1306;
                self.at.0 = if ranged && column + 1 >= columns { 0 } else { column + 1 };
            } else if column < self.columns.1 {
                self.at.0 += 1;
            } else {
                self.at.0 = self.columns.0;
                self.at.1 = if page < self.pages.1 { page + 1 } else { self.pages.0 };
            }
        }
    }

    /// The glass, as usual modules carry it: upright with mirrored columns and flipped rows.
    fn picture(&self) -> Option<Frame> {
        if !self.on || !self.pumped {
            return None;
        }
        let mut frame = Frame::new(Size::new(128, 64));
        for y in 0..64_usize {
            for x in 0..128_usize {
                let glass = if self.mirrored { x } else { 127 - x };
                let row = if self.flipped { y } else { 63 - y };
                let byte = self.memory[row / 8 * self.kind.columns() + glass + self.kind.hidden()];
                if (byte >> (row % 8) & 1 == 1) != self.inverted {
                    let place = |n: usize| i32::try_from(n).unwrap_or(0);
                    frame.set(Point::new(place(x), place(y)), Rgb888::WHITE);
                }
            }
        }
        Some(frame)
    }
}

#[derive(Debug)]
struct Bus {
    chip: Chip,
    address: u8,
    plugged: bool,
    fail_after: Option<usize>,
    tape: Vec<Vec<u8>>,
}

/// An I2C bus with one display chip on it. Clones are the same bus.
#[derive(Debug, Clone)]
pub struct FakeOled(Arc<Mutex<Bus>>);

impl FakeOled {
    /// A chip that has just got power.
    #[must_use]
    pub fn new(kind: OledChip, address: u8) -> Self {
        let chip = Chip::new(kind);
        Self(Arc::new(Mutex::new(Bus { chip, address, plugged: true, fail_after: None, tape: Vec::new() })))
    }

    /// What the glass shows; `None` while it is dark.
    #[must_use]
    pub fn picture(&self) -> Option<Frame> {
        let bus = self.lock();
        bus.chip.picture().filter(|_| bus.plugged)
    }

    /// All writes since the last call, oldest first: a control byte (0x00 command, 0x40 data), then what it said.
    #[must_use]
    pub fn take_tape(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.lock().tape)
    }

    /// Commands that neither chip has or this one does not know.
    #[must_use]
    pub fn unknown_commands(&self) -> usize {
        self.lock().chip.unknown
    }

    /// Pulls the display, or puts it back without what it knew.
    pub fn set_plugged(&self, plugged: bool) {
        let mut bus = self.lock();
        if plugged && !bus.plugged {
            bus.chip = Chip::new(bus.chip.kind);
        }
        bus.plugged = plugged;
    }

    /// After so many further writes every one fails, until the display is pulled or [`FakeOled::mend`] is called.
    pub fn fail_after(&self, writes: usize) {
        self.lock().fail_after = Some(writes);
    }

    /// The bus works again.
    pub fn mend(&self) {
        self.lock().fail_after = None;
    }

    fn lock(&self) -> MutexGuard<'_, Bus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bus {
    fn write(&mut self, address: u8, bytes: &[u8]) -> Result<(), ErrorKind> {
        if !self.plugged || address != self.address {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
        }
        match &mut self.fail_after {
            Some(0) => return Err(ErrorKind::Bus),
            Some(left) => *left -= 1,
            None => {}
        }
        self.tape.push(bytes.to_vec());
        match bytes.split_first() {
            Some((0x00, commands)) => self.chip.commands(commands),
            Some((0x40, data)) => self.chip.data(data),
            _ => self.chip.unknown += 1,
        }
        Ok(())
    }
}

impl ErrorType for FakeOled {
    type Error = ErrorKind;
}

impl I2c for FakeOled {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let mut bus = self.lock();
        for operation in operations {
            match operation {
                Operation::Write(bytes) => bus.write(address, bytes)?,
                // Modules leave the read line of both chips useless.
                Operation::Read(bytes) => bytes.fill(0xff),
            }
        }
        Ok(())
    }
}
