//! SH1106: one-colour displays of 128 by 64 pixels on I2C that look like an SSD1306 and are not.
//!
//! The chip's memory has 132 columns, of which the glass shows those from 2 on, and it is written one page (eight rows)
//! at a time: page, column, then bytes whose lowest bit is the uppermost pixel. Drivers for it are written against an
//! older set of traits, so this one is our own; it is short.

use std::time::Duration;

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use embedded_hal::i2c::I2c;

use super::bus::{Open, Watched};
use super::device::{Device, DeviceError};
use super::ssd1306::{OLED_KEEP_MS, OLED_SIZE};
use super::{Depth, Frame};

/// Columns of memory left of the glass.
const COLUMN_OFFSET: u32 = 2;
/// Rows that one byte holds.
const PAGE_ROWS: u32 = 8;
/// Says that commands follow, or pixels.
const COMMANDS: u8 = 0x00;
const PIXELS: u8 = 0x40;
/// A command that does nothing.
const NOTHING: u8 = 0xe3;

/// What the chip is told before the order of columns and rows: off, clock, all 64 rows, no offset, first line, charge
/// pump, pins, precharge, contrast, deselect level, memory shown, not inverted.
const SETTINGS: [u8; 21] = [
    0xae, 0xd5, 0x80, 0xa8, 0x3f, 0xd3, 0x00, 0x40, 0xad, 0x8b, 0x32, 0xda, 0x12, 0xd9, 0x22, 0x81, 0x80,
    0xdb, 0x35, 0xa4, 0xa6,
];

/// The driver.
pub struct Sh1106Device<B: I2c> {
    open: Open<B>,
    address: u8,
    /// Mounted upside down.
    turned: bool,
    bus: Option<Watched<B>>,
}

impl<B: I2c> Sh1106Device<B> {
    /// A display at a 7-bit address; `turned` draws upside down.
    pub fn new(open: Open<B>, address: u8, turned: bool) -> Self {
        Self { open, address, turned, bus: None }
    }

    /// Writes one message; after an error the bus is let go.
    fn write(&mut self, step: &'static str, message: &[u8]) -> Result<(), DeviceError> {
        let Some(mut bus) = self.bus.take() else {
            return Err(DeviceError::Bus { step, detail: "not started".into() });
        };
        if bus.write(self.address, message).is_err() {
            return Err(bus.error(step));
        }
        self.bus = Some(bus);
        Ok(())
    }

    /// Writes a stretch of one page that begins at a column of the glass.
    fn write_page(&mut self, page: u32, column: u32, bytes: &[u8]) -> Result<(), DeviceError> {
        let low_byte = |number: u32| number.to_le_bytes()[0];
        let column = low_byte(column + COLUMN_OFFSET);
        let place = [COMMANDS, 0xb0 | low_byte(page), column & 0x0f, 0x10 | column >> 4];
        self.write("send picture", &place)?;
        let message: Vec<u8> = [PIXELS].into_iter().chain(bytes.iter().copied()).collect();
        self.write("send picture", &message)
    }
}

/// Eight pixels, the uppermost in the lowest bit.
fn column_of_page(frame: &Frame, x: u32, page: u32) -> u8 {
    (0..PAGE_ROWS).fold(0, |byte, row| {
        let point = Point::new(x.cast_signed(), (page * PAGE_ROWS + row).cast_signed());
        byte | u8::from(frame.is_lit(point)) << row
    })
}

impl<B: I2c + Send> Device for Sh1106Device<B> {
    fn size(&self) -> Size {
        OLED_SIZE
    }

    fn depth(&self) -> Depth {
        Depth::Mono
    }

    fn start(&mut self) -> Result<(), DeviceError> {
        self.bus = None;
        self.bus = Some(Watched::new((self.open)()?));
        let orders: [u8; 2] = if self.turned { [0xa0, 0xc0] } else { [0xa1, 0xc8] };
        let message: Vec<u8> = [COMMANDS].into_iter().chain(SETTINGS).chain(orders).chain([0xaf]).collect();
        self.write("start display", &message)
    }

    fn send(&mut self, frame: &Frame, area: Rectangle) -> Result<(), DeviceError> {
        let Some(end) = area.bottom_right() else { return Ok(()) };
        let (left, right) = (area.top_left.x.unsigned_abs(), end.x.unsigned_abs());
        let pages = area.top_left.y.unsigned_abs() / PAGE_ROWS..=end.y.unsigned_abs() / PAGE_ROWS;
        for page in pages {
            let bytes: Vec<u8> = (left..=right).map(|x| column_of_page(frame, x, page)).collect();
            self.write_page(page, left, &bytes)?;
        }
        Ok(())
    }

    fn keep(&mut self, _: &Frame) -> Result<(), DeviceError> {
        self.write("ask for the display", &[COMMANDS, NOTHING])
    }

    fn keep_every(&self) -> Duration {
        Duration::from_millis(OLED_KEEP_MS)
    }
}

#[cfg(test)]
mod tests;
