//! Opens the buses and pins of a Linux board through the kernel's character devices.
//!
//! Everything is opened anew after each failure, since a bus on USB may come back as another device behind the same
//! path. Nothing here is worth a test without a board; the drivers are tested against recording buses.

use std::path::{Path, PathBuf};

use linux_embedded_hal::gpio_cdev::{Chip, LineRequestFlags};
use linux_embedded_hal::spidev::{SpiModeFlags, SpidevOptions};
use linux_embedded_hal::{CdevPin, Delay, I2cdev, SpidevDevice};

use super::bus::Open;
use super::device::{Device, DeviceError};
use super::framebuffer::{FramebufferDevice, Geometry, SYSFS_GRAPHICS};
use super::mipi::{MipiDevice, MipiParts, MipiSettings};
use super::sh1106::Sh1106Device;
use super::ssd1306::Ssd1306Device;

/// Who holds a pin, as `gpioinfo` shows it.
const CONSUMER: &str = "hufu";

/// A line of a GPIO chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinAddress {
    /// The chip's device file.
    pub chip: PathBuf,
    /// The line's number on it.
    pub line: u32,
}

/// Where a colour display on SPI is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpiWiring {
    /// The bus's device file, which stands for its chip select too.
    pub bus: PathBuf,
    /// Clock, in hertz.
    pub speed_hz: u32,
    /// Tells data from commands.
    pub dc: PinAddress,
    /// Resets the display.
    pub reset: Option<PinAddress>,
    /// The light behind the glass.
    pub light: Option<PinAddress>,
}

fn failed(path: &Path, error: &impl ToString) -> DeviceError {
    DeviceError::Open { path: path.display().to_string(), detail: error.to_string() }
}

/// Opens an I2C bus.
#[must_use]
pub fn i2c(bus: PathBuf) -> Open<I2cdev> {
    Box::new(move || I2cdev::new(&bus).map_err(|error| failed(&bus, &error)))
}

fn pin(address: &PinAddress, high: bool) -> Result<CdevPin, DeviceError> {
    let held = Chip::new(&address.chip)
        .and_then(|mut chip| chip.get_line(address.line))
        .and_then(|line| line.request(LineRequestFlags::OUTPUT, u8::from(high), CONSUMER))
        .and_then(CdevPin::new);
    held.map_err(|error| DeviceError::Open {
        path: format!("{}, line {}", address.chip.display(), address.line),
        detail: error.to_string(),
    })
}

fn spi(wiring: &SpiWiring) -> Result<SpidevDevice, DeviceError> {
    let mut spi = SpidevDevice::open(&wiring.bus).map_err(|error| failed(&wiring.bus, &error))?;
    let options = SpidevOptions::new()
        .bits_per_word(8)
        .max_speed_hz(wiring.speed_hz)
        .mode(SpiModeFlags::SPI_MODE_0)
        .build();
    spi.configure(&options).map_err(|error| failed(&wiring.bus, &error))?;
    Ok(spi)
}

fn parts(wiring: SpiWiring) -> Open<MipiParts<SpidevDevice, CdevPin>> {
    Box::new(move || {
        Ok(MipiParts {
            spi: spi(&wiring)?,
            dc: pin(&wiring.dc, false)?,
            reset: wiring.reset.as_ref().map(|address| pin(address, true)).transpose()?,
            light: wiring.light.as_ref().map(|address| pin(address, false)).transpose()?,
        })
    })
}

/// An SSD1306 on an I2C bus.
#[must_use]
pub fn ssd1306(bus: PathBuf, address: u8, turned: bool) -> Box<dyn Device> {
    Box::new(Ssd1306Device::new(i2c(bus), address, turned))
}

/// An SH1106 on an I2C bus.
#[must_use]
pub fn sh1106(bus: PathBuf, address: u8, turned: bool) -> Box<dyn Device> {
    Box::new(Sh1106Device::new(i2c(bus), address, turned))
}

/// A framebuffer behind a device file.
#[must_use]
pub fn framebuffer(path: PathBuf, configured: Geometry) -> Box<dyn Device> {
    Box::new(FramebufferDevice::new(path, configured, SYSFS_GRAPHICS))
}

/// An ILI9341 on an SPI bus.
#[must_use]
pub fn ili9341(wiring: SpiWiring, settings: MipiSettings) -> Box<dyn Device> {
    Box::new(MipiDevice::ili9341(parts(wiring), Delay, settings))
}

/// An ST7789 on an SPI bus.
#[must_use]
pub fn st7789(wiring: SpiWiring, settings: MipiSettings) -> Box<dyn Device> {
    Box::new(MipiDevice::st7789(parts(wiring), Delay, settings))
}
