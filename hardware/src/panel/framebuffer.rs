//! A Linux framebuffer: pixels written straight into the device file, for displays that the kernel drives.
//!
//! The shape comes from the configuration; where the kernel tells its own (`/sys/class/graphics/fb0/`), that one
//! counts, and a display smaller than configured is an error that says so. Only the rows and columns that changed are
//! written. Every ten seconds the whole picture is written again, which wipes out what a console may have printed.
//!
//! Out of scope: setting a mode, and waiting for the vertical blank; both need calls that this project does without.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use embedded_graphics::pixelcolor::raw::ToBytes;
use embedded_graphics::pixelcolor::{Rgb565, Rgb888};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

use super::device::{Device, DeviceError};
use super::{Depth, Frame, PANEL_SIDE_MAX};

/// Where the kernel tells the shapes of framebuffers.
pub const SYSFS_GRAPHICS: &str = "/sys/class/graphics";
/// Time between two rounds of writing everything again, in milliseconds.
const KEEP_MS: u64 = 10_000;
/// Longest row accepted, in bytes.
pub const STRIDE_BYTES_MAX: usize = 1 << 20;

/// How a pixel is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// Two bytes, little-endian: 5 bits red, 6 green, 5 blue.
    Rgb565,
    /// Four bytes: blue, green, red, nothing.
    Xrgb8888,
}

impl PixelFormat {
    /// By the word in a configuration.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "rgb565" => Some(Self::Rgb565),
            "xrgb8888" => Some(Self::Xrgb8888),
            _ => None,
        }
    }

    /// Bytes of a pixel.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Rgb565 => 2,
            Self::Xrgb8888 => 4,
        }
    }

    fn push(self, colour: Rgb888, into: &mut Vec<u8>) {
        match self {
            Self::Rgb565 => into.extend(Rgb565::from(colour).to_le_bytes()),
            Self::Xrgb8888 => into.extend([colour.b(), colour.g(), colour.r(), 0]),
        }
    }
}

/// The shape of a framebuffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Columns and rows.
    pub size: Size,
    /// How a pixel is stored.
    pub format: PixelFormat,
    /// Distance between the beginnings of two rows, in bytes.
    pub stride_bytes: usize,
}

impl Geometry {
    /// Rows one after the other without a gap.
    #[must_use]
    pub fn packed(size: Size, format: PixelFormat) -> Self {
        Self { size, format, stride_bytes: size.width as usize * format.bytes() }
    }

    /// What the kernel tells in `virtual_size`, `bits_per_pixel` and `stride`.
    ///
    /// # Errors
    /// The name of the file that cannot be used, and what is in it.
    pub fn parse(
        virtual_size: &str,
        bits_per_pixel: &str,
        stride: &str,
    ) -> Result<Self, (&'static str, String)> {
        let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=PANEL_SIDE_MAX).contains(side));
        let size = virtual_size.trim().split_once(',').and_then(|(w, h)| Some(Size::new(side(w)?, side(h)?)));
        let size = size.ok_or_else(|| ("virtual_size", virtual_size.trim().to_owned()))?;
        let format = match bits_per_pixel.trim() {
            "16" => PixelFormat::Rgb565,
            "32" => PixelFormat::Xrgb8888,
            met => return Err(("bits_per_pixel", met.to_owned())),
        };
        let row = size.width as usize * format.bytes();
        let stride_bytes = stride.trim().parse().ok().filter(|s| (row..=STRIDE_BYTES_MAX).contains(s));
        let stride_bytes = stride_bytes.ok_or_else(|| ("stride", stride.trim().to_owned()))?;
        Ok(Self { size, format, stride_bytes })
    }

    /// What the kernel tells of the device; `None` if it tells nothing.
    fn of_device(device: &Path, sysfs: &Path) -> Result<Option<Self>, DeviceError> {
        let Some(name) = device.file_name() else { return Ok(None) };
        let read = |file: &str| std::fs::read_to_string(sysfs.join(name).join(file));
        let (Ok(size), Ok(bits), Ok(stride)) = (read("virtual_size"), read("bits_per_pixel"), read("stride"))
        else {
            return Ok(None);
        };
        let shape = Self::parse(&size, &bits, &stride).map_err(|(file, met)| DeviceError::Shape {
            expected: format!("16 or 32 bits per pixel and a size in {file}"),
            met: format!("{met:?}"),
        })?;
        Ok(Some(shape))
    }
}

/// The driver.
#[derive(Debug)]
pub struct FramebufferDevice {
    path: PathBuf,
    sysfs: PathBuf,
    configured: Geometry,
    open: Option<(File, Geometry)>,
}

impl FramebufferDevice {
    /// A framebuffer behind a device file; `sysfs` is [`SYSFS_GRAPHICS`] but in tests.
    pub fn new(path: impl Into<PathBuf>, configured: Geometry, sysfs: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), sysfs: sysfs.into(), configured, open: None }
    }

    fn write(&mut self, frame: &Frame, area: Rectangle) -> std::io::Result<()> {
        let Some((file, shape)) = &self.open else {
            return Err(std::io::Error::other("not started"));
        };
        let mut row = Vec::with_capacity(area.size.width as usize * shape.format.bytes());
        for y in area.rows() {
            row.clear();
            for x in area.columns() {
                shape.format.push(frame.pixel(Point::new(x, y)).unwrap_or(Rgb888::BLACK), &mut row);
            }
            let place = |at: i32| usize::try_from(at).unwrap_or(0);
            let at = place(y) * shape.stride_bytes + place(area.top_left.x) * shape.format.bytes();
            file.write_all_at(&row, at as u64)?;
        }
        Ok(())
    }
}

impl Device for FramebufferDevice {
    fn size(&self) -> Size {
        self.configured.size
    }

    fn depth(&self) -> Depth {
        Depth::Rgb
    }

    fn start(&mut self) -> Result<(), DeviceError> {
        self.open = None;
        let failed = |error: std::io::Error| DeviceError::Open {
            path: self.path.display().to_string(),
            detail: error.to_string(),
        };
        // Never made: a plain file in /dev would hide that there is no display.
        let file = File::options().write(true).open(&self.path).map_err(failed)?;
        let shape = Geometry::of_device(&self.path, &self.sysfs)?.unwrap_or(self.configured);
        let wanted = self.configured.size;
        if shape.size.width < wanted.width || shape.size.height < wanted.height {
            return Err(DeviceError::Shape {
                expected: format!("{}x{} pixels by the configuration", wanted.width, wanted.height),
                met: format!("{}x{}", shape.size.width, shape.size.height),
            });
        }
        self.open = Some((file, shape));
        Ok(())
    }

    fn send(&mut self, frame: &Frame, area: Rectangle) -> Result<(), DeviceError> {
        let written = self.write(frame, area);
        written.map_err(|error| {
            self.open = None;
            DeviceError::Bus { step: "write picture", detail: error.to_string() }
        })
    }

    fn keep(&mut self, frame: &Frame) -> Result<(), DeviceError> {
        self.send(frame, frame.bounding_box())
    }

    fn keep_every(&self) -> Duration {
        Duration::from_millis(KEEP_MS)
    }
}

#[cfg(test)]
mod tests;
