//! A colour display with MIPI commands on SPI (ILI9341, ST7789): it records what is sent and shows the glass.
//!
//! Commands and data are told apart by the level of the DC pin at each transfer. It plays memory windows, the order of
//! rows, columns and colours, inversion, sleep and reset, as the data sheets describe them; a glass may be wired so
//! that colours are right only with swapped order or with inversion, as real modules are.
//!
//! Out of scope: gamma, tearing, scrolling and reading back; what it does not know it counts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use embedded_graphics::pixelcolor::raw::RawU16;
use embedded_graphics::pixelcolor::{Rgb565, Rgb888};
use embedded_graphics::prelude::*;
use embedded_hal::{digital, spi};

use crate::panel::Frame;

/// Columns and rows of the memory of both chips.
const MEMORY: (usize, usize) = (240, 320);
/// What memory holds after power comes: not zeros.
const GARBAGE: u16 = 0x5aa5;
/// Longest transfer that Linux takes unless it was told otherwise, in bytes.
const TRANSFER_BYTES_MAX: usize = 4_096;

/// How a glass is wired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wiring {
    /// Colours are right if the chip is told that blue comes first.
    pub bgr: bool,
    /// Colours are right if the chip is told to invert them.
    pub inverted: bool,
}

#[derive(Debug)]
struct Chip {
    memory: Vec<u16>,
    awake: bool,
    on: bool,
    sixteen_bits: bool,
    inverted: bool,
    order: u8,
    columns: (usize, usize),
    rows: (usize, usize),
    at: (usize, usize),
    command: u8,
    arguments: Vec<u8>,
    half: Option<u8>,
    unknown: usize,
}

impl Chip {
    fn new() -> Self {
        Self {
            memory: vec![GARBAGE; MEMORY.0 * MEMORY.1],
            awake: false,
            on: false,
            sixteen_bits: false,
            inverted: false,
            order: 0,
            columns: (0, 0),
            rows: (0, 0),
            at: (0, 0),
            command: 0,
            arguments: Vec::new(),
            half: None,
            unknown: 0,
        }
    }

    /// Forgets settings, keeps the picture: what command 0x01 and the reset pin do.
    fn reset(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        *self = Self { memory, unknown: self.unknown, ..Self::new() };
    }

    fn command(&mut self, command: u8) {
        (self.command, self.half) = (command, None);
        self.arguments.clear();
        match command {
            0x01 => self.reset(),
            0x10 | 0x11 => self.awake = command == 0x11,
            0x20 | 0x21 => self.inverted = command == 0x21,
            0x28 | 0x29 => self.on = command == 0x29,
            0x2c => self.at = (self.columns.0, self.rows.0),
            0x00 | 0x13 | 0x2a | 0x2b | 0x36 | 0x3a | 0xb4 => {}
            _ => self.unknown += 1,
        }
    }

    fn data(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.command != 0x2c {
                self.arguments.push(*byte);
                self.argument();
            } else if let Some(high) = self.half.take() {
                self.pixel(u16::from_be_bytes([high, *byte]));
            } else {
                self.half = Some(*byte);
            }
        }
    }

    fn argument(&mut self) {
        let pair = |at: usize| match self.arguments.get(at..at + 2) {
            Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
            _ => 0,
        };
        match (self.command, self.arguments.len()) {
            (0x2a, 4) => self.columns = (pair(0), pair(2)),
            (0x2b, 4) => self.rows = (pair(0), pair(2)),
            (0x36, 1) => self.order = self.arguments[0],
            (0x3a, 1) => self.sixteen_bits = self.arguments[0] & 0x07 == 0x05,
            _ => {}
        }
    }

    fn pixel(&mut self, value: u16) {
        let (column, row) = self.at;
        let (x, y) = if self.order & 0x20 != 0 { (row, column) } else { (column, row) };
        if x < MEMORY.0 && y < MEMORY.1 {
            let x = if self.order & 0x40 != 0 { MEMORY.0 - 1 - x } else { x };
            let y = if self.order & 0x80 != 0 { MEMORY.1 - 1 - y } else { y };
            self.memory[y * MEMORY.0 + x] = value;
        }
        self.at = if column < self.columns.1 {
            (column + 1, row)
        } else {
            (self.columns.0, if row < self.rows.1 { row + 1 } else { self.rows.0 })
        };
    }

    fn glass(&self, wiring: Wiring) -> Option<Frame> {
        if !self.awake || !self.on || !self.sixteen_bits {
            return None;
        }
        let place = |n: usize| i32::try_from(n).unwrap_or(0);
        let mut frame = Frame::new(Size::new(240, 320));
        for (at, value) in self.memory.iter().enumerate() {
            let value = if self.inverted == wiring.inverted { *value } else { !*value };
            let colour = Rgb565::from(RawU16::new(value));
            let colour = Rgb888::from(colour);
            let colour = if (self.order & 0x08 != 0) == wiring.bgr {
                colour
            } else {
                Rgb888::new(colour.b(), colour.g(), colour.r())
            };
            frame.set(Point::new(place(at % MEMORY.0), place(at / MEMORY.0)), colour);
        }
        Some(frame)
    }
}

#[derive(Debug)]
struct Bus {
    chip: Chip,
    wiring: Wiring,
    plugged: bool,
    is_data: bool,
    fail_after: Option<usize>,
    tape: Vec<(bool, Vec<u8>)>,
    resets: usize,
    lit: bool,
}

/// An SPI bus with one colour display on it. Clones are the same bus; it is the `SpiDevice` itself.
#[derive(Debug, Clone)]
pub struct FakeMipi(Arc<Mutex<Bus>>);

/// Which pin of a [`FakeMipi`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Dc,
    Reset,
    Light,
}

/// One of its pins.
#[derive(Debug, Clone)]
pub struct FakeMipiPin {
    bus: FakeMipi,
    which: Which,
}

impl FakeMipi {
    /// A display that has just got power.
    #[must_use]
    pub fn new(wiring: Wiring) -> Self {
        Self(Arc::new(Mutex::new(Bus {
            chip: Chip::new(),
            wiring,
            plugged: true,
            is_data: false,
            fail_after: None,
            tape: Vec::new(),
            resets: 0,
            lit: false,
        })))
    }

    /// The pin that tells data from commands.
    #[must_use]
    pub fn dc(&self) -> FakeMipiPin {
        FakeMipiPin { bus: self.clone(), which: Which::Dc }
    }

    /// The pin that resets it while low.
    #[must_use]
    pub fn reset(&self) -> FakeMipiPin {
        FakeMipiPin { bus: self.clone(), which: Which::Reset }
    }

    /// The pin of the light behind the glass.
    #[must_use]
    pub fn light(&self) -> FakeMipiPin {
        FakeMipiPin { bus: self.clone(), which: Which::Light }
    }

    /// The glass, 240 wide and 320 high however it is mounted; `None` while it is dark.
    #[must_use]
    pub fn glass(&self) -> Option<Frame> {
        let bus = self.lock();
        bus.chip.glass(bus.wiring).filter(|_| bus.plugged)
    }

    /// All transfers since the last call, oldest first: true for data, and the bytes.
    #[must_use]
    pub fn take_tape(&self) -> Vec<(bool, Vec<u8>)> {
        std::mem::take(&mut self.lock().tape)
    }

    /// How often the reset pin was pulled.
    #[must_use]
    pub fn resets(&self) -> usize {
        self.lock().resets
    }

    /// True if the light is on.
    #[must_use]
    pub fn is_lit(&self) -> bool {
        self.lock().lit
    }

    /// Commands that this chip does not know.
    #[must_use]
    pub fn unknown_commands(&self) -> usize {
        self.lock().chip.unknown
    }

    /// Pulls the display, or puts it back without what it knew. SPI has no answer: transfers succeed either way.
    pub fn set_plugged(&self, plugged: bool) {
        let mut bus = self.lock();
        if plugged && !bus.plugged {
            bus.chip = Chip::new();
        }
        bus.plugged = plugged;
    }

    /// After so many further transfers every one fails, until [`FakeMipi::mend`] is called.
    pub fn fail_after(&self, transfers: usize) {
        self.lock().fail_after = Some(transfers);
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
    fn write(&mut self, bytes: &[u8]) -> Result<(), spi::ErrorKind> {
        match &mut self.fail_after {
            Some(0) => return Err(spi::ErrorKind::Other),
            Some(left) => *left -= 1,
            None => {}
        }
        if bytes.is_empty() || bytes.len() > TRANSFER_BYTES_MAX {
            return Err(spi::ErrorKind::Other);
        }
        self.tape.push((self.is_data, bytes.to_vec()));
        match (self.plugged, self.is_data) {
            (false, _) => {}
            (true, true) => self.chip.data(bytes),
            (true, false) => bytes.iter().for_each(|command| self.chip.command(*command)),
        }
        Ok(())
    }
}

impl spi::ErrorType for FakeMipi {
    type Error = spi::ErrorKind;
}

impl spi::SpiDevice for FakeMipi {
    fn transaction(&mut self, operations: &mut [spi::Operation<'_, u8>]) -> Result<(), spi::ErrorKind> {
        let mut bus = self.lock();
        for operation in operations {
            match operation {
                spi::Operation::Write(bytes) => bus.write(bytes)?,
                spi::Operation::Transfer(into, bytes) => {
                    bus.write(bytes)?;
                    into.fill(0);
                }
                spi::Operation::TransferInPlace(bytes) => {
                    bus.write(bytes)?;
                    bytes.fill(0);
                }
                spi::Operation::Read(into) => into.fill(0),
                spi::Operation::DelayNs(_) => {}
            }
        }
        Ok(())
    }
}

impl digital::ErrorType for FakeMipiPin {
    type Error = digital::ErrorKind;
}

impl digital::OutputPin for FakeMipiPin {
    fn set_low(&mut self) -> Result<(), digital::ErrorKind> {
        let mut bus = self.bus.lock();
        match self.which {
            Which::Dc => bus.is_data = false,
            Which::Reset => {
                bus.resets += 1;
                if bus.plugged {
                    bus.chip.reset();
                }
            }
            Which::Light => bus.lit = false,
        }
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), digital::ErrorKind> {
        let mut bus = self.bus.lock();
        match self.which {
            Which::Dc => bus.is_data = true,
            Which::Reset => {}
            Which::Light => bus.lit = true,
        }
        Ok(())
    }
}
