//! ILI9341 and ST7789: colour displays on SPI with a DC pin, and mostly a reset pin and a light.
//!
//! The `mipidsi` crate knows the chips; this driver sends it the rectangle that changed. SPI has no answer, so a display
//! that was pulled and put back is found out by nothing: while idle the settings and the whole picture are sent again
//! every ten seconds, without a reset and so without anything to be seen.
//!
//! Colours are sent in 16 bits.

use std::time::Duration;

use embedded_graphics::pixelcolor::{Rgb565, Rgb888};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{Error as _, OutputPin};
use embedded_hal::spi::{Error as _, SpiDevice};
use mipidsi::interface::{Interface, InterfaceKind};
use mipidsi::models::{ILI9341Rgb565, Model, ST7789};
use mipidsi::options::{ColorInversion, ColorOrder, Orientation, Rotation};
use mipidsi::{Builder, Display, NoResetPin};

use super::bus::Open;
use super::device::{Device, DeviceError};
use super::{Depth, Frame};

/// Memory of both chips in pixels, unrotated: no display on them is larger.
pub const MIPI_SIZE_MAX: Size = Size::new(240, 320);
/// Time between two rounds of sending everything again, in milliseconds.
const KEEP_MS: u64 = 10_000;
/// Longest transfer, in bytes: Linux takes 4,096 unless told otherwise.
const TRANSFER_BYTES_MAX: usize = 4_096;
/// The command that resets the chip.
const SOFT_RESET: u8 = 0x01;
/// How long the reset pin is held low, in milliseconds; the data sheets ask for 10 microseconds.
const RESET_MS: u32 = 1;
/// Longest pause between two commands to a chip that is awake already, in nanoseconds.
const AWAKE_PAUSE_NS: u32 = 5_000_000;

/// How a display is mounted and wired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MipiSettings {
    /// Size in pixels as people see it.
    pub size: Size,
    /// How far the picture is turned clockwise on the glass.
    pub rotation: Turn,
    /// Where the glass begins in the chip's memory, unrotated, in pixels.
    pub offset: (u16, u16),
    /// The glass wants blue first.
    pub bgr: bool,
    /// The glass wants inverted colours, as most ST7789 do.
    pub inverted: bool,
}

/// Quarters of a turn, clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Turn {
    /// None.
    #[default]
    None,
    /// 90 degrees.
    Quarter,
    /// 180 degrees.
    Half,
    /// 270 degrees.
    ThreeQuarters,
}

impl Turn {
    /// From degrees.
    #[must_use]
    pub fn from_degrees(degrees: u32) -> Option<Self> {
        match degrees {
            0 => Some(Self::None),
            90 => Some(Self::Quarter),
            180 => Some(Self::Half),
            270 => Some(Self::ThreeQuarters),
            _ => None,
        }
    }

    /// True if width and height change places.
    #[must_use]
    pub fn is_sideways(self) -> bool {
        matches!(self, Self::Quarter | Self::ThreeQuarters)
    }

    fn rotation(self) -> Rotation {
        match self {
            Self::None => Rotation::Deg0,
            Self::Quarter => Rotation::Deg90,
            Self::Half => Rotation::Deg180,
            Self::ThreeQuarters => Rotation::Deg270,
        }
    }
}

impl MipiSettings {
    /// Size on the unrotated glass.
    #[must_use]
    pub fn native(&self) -> Size {
        let Size { width, height } = self.size;
        if self.rotation.is_sideways() { Size::new(height, width) } else { self.size }
    }

    /// True if size and offset lie inside the chip's memory.
    #[must_use]
    pub fn fits(&self) -> bool {
        let Size { width, height } = self.native();
        let inside = |side: u32, offset: u16, most: u32| side > 0 && side + u32::from(offset) <= most;
        inside(width, self.offset.0, MIPI_SIZE_MAX.width)
            && inside(height, self.offset.1, MIPI_SIZE_MAX.height)
    }
}

/// What is opened for a display.
#[derive(Debug)]
pub struct MipiParts<S, P> {
    /// The bus.
    pub spi: S,
    /// Tells data from commands.
    pub dc: P,
    /// Resets the chip while low.
    pub reset: Option<P>,
    /// Lights the glass while high.
    pub light: Option<P>,
}

/// A driver of one chip.
pub struct MipiDevice<M, S, P, D>
where
    M: Model<ColorFormat = Rgb565>,
    S: SpiDevice,
    P: OutputPin,
{
    open: Open<MipiParts<S, P>>,
    delay: D,
    model: fn() -> M,
    settings: MipiSettings,
    display: Option<Display<Link<S, P>, M, NoResetPin>>,
    /// Held, so that the pin keeps its level.
    reset: Option<P>,
    /// The light, on from the first picture on: what memory holds before is noise.
    light: Option<P>,
    lit: bool,
}

impl<S: SpiDevice, P: OutputPin, D: DelayNs> MipiDevice<ILI9341Rgb565, S, P, D> {
    /// An ILI9341.
    pub fn ili9341(open: Open<MipiParts<S, P>>, delay: D, settings: MipiSettings) -> Self {
        Self::of(|| ILI9341Rgb565, open, delay, settings)
    }
}

impl<S: SpiDevice, P: OutputPin, D: DelayNs> MipiDevice<ST7789, S, P, D> {
    /// An ST7789.
    pub fn st7789(open: Open<MipiParts<S, P>>, delay: D, settings: MipiSettings) -> Self {
        Self::of(|| ST7789, open, delay, settings)
    }
}

impl<M, S, P, D> MipiDevice<M, S, P, D>
where
    M: Model<ColorFormat = Rgb565>,
    S: SpiDevice,
    P: OutputPin,
    D: DelayNs,
{
    fn of(model: fn() -> M, open: Open<MipiParts<S, P>>, delay: D, settings: MipiSettings) -> Self {
        Self { open, delay, model, settings, display: None, reset: None, light: None, lit: false }
    }

    fn builder(&self, link: Link<S, P>) -> Builder<Link<S, P>, M, NoResetPin> {
        let native = self.settings.native();
        let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
        let order = if self.settings.bgr { ColorOrder::Bgr } else { ColorOrder::Rgb };
        let inversion =
            if self.settings.inverted { ColorInversion::Inverted } else { ColorInversion::Normal };
        Builder::new((self.model)(), link)
            .display_size(side(native.width), side(native.height))
            .display_offset(self.settings.offset.0, self.settings.offset.1)
            .orientation(Orientation::new().rotate(self.settings.rotation.rotation()))
            .color_order(order)
            .invert_colors(inversion)
    }
}

impl<M, S, P, D> Device for MipiDevice<M, S, P, D>
where
    M: Model<ColorFormat = Rgb565> + Send,
    S: SpiDevice + Send,
    P: OutputPin + Send,
    D: DelayNs + Send,
{
    fn size(&self) -> Size {
        self.settings.size
    }

    fn depth(&self) -> Depth {
        Depth::Rgb
    }

    fn start(&mut self) -> Result<(), DeviceError> {
        // Whatever was open is closed first: a pin can be held only once.
        (self.display, self.reset, self.light, self.lit) = (None, None, None, false);
        let mut parts = (self.open)()?;
        let pin = |error: P::Error| wrong("move reset pin", format!("{:?}", error.kind()));
        if let Some(reset) = &mut parts.reset {
            reset.set_low().map_err(pin)?;
            self.delay.delay_ms(RESET_MS);
            reset.set_high().map_err(pin)?;
        }
        let link =
            Link { spi: parts.spi, dc: parts.dc, buffer: Vec::new(), may_reset: parts.reset.is_none() };
        let builder = self.builder(link);
        let display = builder.init(&mut self.delay).map_err(|error| wrong("start display", said(&error)))?;
        (self.display, self.reset, self.light) = (Some(display), parts.reset, parts.light);
        Ok(())
    }

    fn send(&mut self, frame: &Frame, area: Rectangle) -> Result<(), DeviceError> {
        let Some((display, end)) = self.display.as_mut().zip(area.bottom_right()) else {
            return Err(wrong("send picture", "not started".to_owned()));
        };
        let side = |pixels: i32| u16::try_from(pixels).unwrap_or(0);
        let pixels = area.points().map(|point| Rgb565::from(frame.pixel(point).unwrap_or(Rgb888::BLACK)));
        let sent = display.set_pixels(
            side(area.top_left.x),
            side(area.top_left.y),
            side(end.x),
            side(end.y),
            pixels,
        );
        sent.map_err(|error| wrong("send picture", error.0))?;
        if let (Some(light), false) = (&mut self.light, self.lit) {
            light.set_high().map_err(|error| wrong("light display", format!("{:?}", error.kind())))?;
            self.lit = true;
        }
        Ok(())
    }

    fn keep(&mut self, frame: &Frame) -> Result<(), DeviceError> {
        let Some(display) = self.display.take() else {
            return Err(wrong("refresh display", "not started".to_owned()));
        };
        let mut link = display.release().0;
        link.may_reset = false;
        let builder = self.builder(link);
        let display = builder.init(&mut Short(&mut self.delay));
        self.display = Some(display.map_err(|error| wrong("refresh display", said(&error)))?);
        self.send(frame, frame.bounding_box())
    }

    fn keep_every(&self) -> Duration {
        Duration::from_millis(KEEP_MS)
    }
}

fn wrong(step: &'static str, detail: String) -> DeviceError {
    DeviceError::Bus { step, detail }
}

fn said<P>(error: &mipidsi::InitError<LinkError, P>) -> String {
    match error {
        mipidsi::InitError::Interface(error) => error.0.clone(),
        mipidsi::InitError::ResetPin(_) => "reset pin".to_owned(),
        mipidsi::InitError::InvalidConfiguration(which) => format!("{which:?}"),
    }
}

/// Pauses that end early: a chip that is awake needs none of those after a reset.
struct Short<'a, D>(&'a mut D);

impl<D: DelayNs> DelayNs for Short<'_, D> {
    fn delay_ns(&mut self, ns: u32) {
        self.0.delay_ns(ns.min(AWAKE_PAUSE_NS));
    }

    // The provided ones would come in many small pieces, each of them short enough.
    fn delay_us(&mut self, us: u32) {
        self.delay_ns(us.saturating_mul(1_000));
    }

    fn delay_ms(&mut self, ms: u32) {
        self.delay_ns(ms.saturating_mul(1_000_000));
    }
}

/// What the bus or the pin said.
#[derive(Debug)]
struct LinkError(String);

/// Bus and DC pin, as the crate wants them. Its own link borrows its buffer, sends empty transfers, and always resets.
struct Link<S, P> {
    spi: S,
    dc: P,
    buffer: Vec<u8>,
    /// False if the command that resets is left out.
    may_reset: bool,
}

impl<S: SpiDevice, P: OutputPin> Link<S, P> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.spi.write(bytes).map_err(|error| LinkError(error.kind().to_string()))
    }

    fn set_data(&mut self, data: bool) -> Result<(), LinkError> {
        let set = if data { self.dc.set_high() } else { self.dc.set_low() };
        set.map_err(|error| LinkError(format!("DC pin: {:?}", error.kind())))
    }
}

impl<S: SpiDevice, P: OutputPin> Interface for Link<S, P> {
    type Word = u8;
    type Error = LinkError;

    const KIND: InterfaceKind = InterfaceKind::Serial4Line;

    fn send_command(&mut self, command: u8, args: &[u8]) -> Result<(), LinkError> {
        if command == SOFT_RESET && !self.may_reset {
            return Ok(());
        }
        self.set_data(false)?;
        self.write(&[command])?;
        self.set_data(true)?;
        if args.is_empty() { Ok(()) } else { self.write(args) }
    }

    fn send_pixels<const N: usize>(
        &mut self,
        pixels: impl IntoIterator<Item = [u8; N]>,
    ) -> Result<(), LinkError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut sent = Ok(());
        for pixel in pixels {
            if buffer.len() + N > TRANSFER_BYTES_MAX {
                sent = self.write(&buffer);
                buffer.clear();
                if sent.is_err() {
                    break;
                }
            }
            buffer.extend(pixel);
        }
        if sent.is_ok() && !buffer.is_empty() {
            sent = self.write(&buffer);
        }
        self.buffer = buffer;
        sent
    }

    fn send_repeated_pixel<const N: usize>(&mut self, pixel: [u8; N], count: u32) -> Result<(), LinkError> {
        self.send_pixels((0..count).map(|_| pixel))
    }
}

#[cfg(test)]
mod tests;
