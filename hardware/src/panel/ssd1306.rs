//! SSD1306: one-colour displays of 128 by 64 pixels on I2C.
//!
//! The `ssd1306` crate keeps the display's memory and sends the box that was drawn to; this driver only draws what
//! changed. A display that does not acknowledge is gone; every second one command that changes nothing asks for it,
//! since a display that was pulled and put back is dark until it is started again.

use std::time::Duration;

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use embedded_hal::i2c::I2c;
use ssd1306::mode::BufferedGraphicsMode;
use ssd1306::prelude::*;
use ssd1306::{I2CDisplayInterface, Ssd1306};

use super::bus::{Open, Watched};
use super::device::{Device, DeviceError};
use super::{Depth, Frame};

/// Size in pixels.
pub const OLED_SIZE: Size = Size::new(128, 64);
/// Addresses that these displays can be set to, by a solder bridge.
pub const OLED_ADDRESSES: [u8; 2] = [0x3c, 0x3d];
/// Time between two questions whether the display is there, in milliseconds.
pub(super) const OLED_KEEP_MS: u64 = 1_000;

type Chip<B> = Ssd1306<I2CInterface<Watched<B>>, DisplaySize128x64, BufferedGraphicsMode<DisplaySize128x64>>;

/// The driver.
pub struct Ssd1306Device<B: I2c> {
    open: Open<B>,
    address: u8,
    /// Mounted upside down.
    turned: bool,
    chip: Option<Chip<B>>,
}

impl<B: I2c> Ssd1306Device<B> {
    /// A display at a 7-bit address; `turned` draws upside down.
    pub fn new(open: Open<B>, address: u8, turned: bool) -> Self {
        Self { open, address, turned, chip: None }
    }

    /// Does something with the chip; after an error the chip is let go, and the bus says what was wrong.
    fn with(
        &mut self,
        step: &'static str,
        act: impl FnOnce(&mut Chip<B>) -> Result<(), ()>,
    ) -> Result<(), DeviceError> {
        let Some(mut chip) = self.chip.take() else {
            return Err(DeviceError::Bus { step, detail: "not started".into() });
        };
        if act(&mut chip).is_ok() {
            self.chip = Some(chip);
            return Ok(());
        }
        Err(chip.release().release().error(step))
    }
}

impl<B: I2c + Send> Device for Ssd1306Device<B> {
    fn size(&self) -> Size {
        OLED_SIZE
    }

    fn depth(&self) -> Depth {
        Depth::Mono
    }

    fn start(&mut self) -> Result<(), DeviceError> {
        self.chip = None;
        let interface = I2CDisplayInterface::new_custom_address(Watched::new((self.open)()?), self.address);
        let rotation = if self.turned { DisplayRotation::Rotate180 } else { DisplayRotation::Rotate0 };
        self.chip = Some(Ssd1306::new(interface, DisplaySize128x64, rotation).into_buffered_graphics_mode());
        self.with("start display", |chip| chip.init().map_err(drop))
    }

    fn send(&mut self, frame: &Frame, area: Rectangle) -> Result<(), DeviceError> {
        self.with("send picture", |chip| {
            for point in area.points() {
                let (x, y) = (point.x.unsigned_abs(), point.y.unsigned_abs());
                chip.set_pixel(x, y, frame.is_lit(point));
            }
            chip.flush().map_err(drop)
        })
    }

    fn keep(&mut self, _: &Frame) -> Result<(), DeviceError> {
        self.with("ask for the display", |chip| chip.set_display_on(true).map_err(drop))
    }

    fn keep_every(&self) -> Duration {
        Duration::from_millis(OLED_KEEP_MS)
    }
}

#[cfg(test)]
mod tests;
