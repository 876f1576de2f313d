//! The section `[display]`, or several entries `[[display]]`.

use std::fmt;
use std::path::{Path, PathBuf};

use embedded_graphics::prelude::Size;
use hufu_hardware::panel::framebuffer::{Geometry, PixelFormat, STRIDE_BYTES_MAX};
use hufu_hardware::panel::linux::{PinAddress, SpiWiring};
use hufu_hardware::panel::mipi::{MipiSettings, Turn};
use hufu_hardware::panel::ssd1306::{OLED_ADDRESSES, OLED_SIZE};
use hufu_hardware::panel::{Depth, PANEL_SIDE_MAX};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::ConfigError;
use super::load::Checker;

/// Size where none is given.
const SIZE_DEFAULT: &str = "320x240";
/// Clock of SPI displays where none is given, and what is accepted, in hertz.
const SPI_HZ: (u32, std::ops::RangeInclusive<u32>) = (32_000_000, 100_000..=80_000_000);
/// Address of one-colour displays where none is given.
const OLED_ADDRESS: u8 = OLED_ADDRESSES[0];

/// A display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayConfig {
    /// What it is.
    pub kind: DisplayKind,
    /// Its size in pixels, as people see it.
    pub size: Size,
    /// What a pixel can show.
    pub depth: Depth,
}

/// What a display is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisplayKind {
    /// A picture file, replaced whole.
    Png {
        /// The file.
        path: PathBuf,
    },
    /// Shown inside the counter page.
    Desk,
    /// One colour on an I2C bus.
    Oled {
        /// Which chip.
        chip: OledChip,
        /// The bus's device file.
        bus: PathBuf,
        /// 7-bit address.
        address: u8,
        /// Mounted upside down.
        turned: bool,
    },
    /// Colour on an SPI bus.
    Mipi {
        /// Which chip.
        chip: MipiChip,
        /// Bus and pins.
        wiring: SpiWiring,
        /// How it is mounted.
        settings: MipiSettings,
    },
    /// Driven by the kernel.
    Framebuffer {
        /// The device file.
        path: PathBuf,
        /// Its shape where the kernel tells none.
        geometry: Geometry,
    },
}

/// Chips of one-colour displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OledChip {
    /// The common one.
    Ssd1306,
    /// The one with 132 columns.
    Sh1106,
}

/// Chips of colour displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MipiChip {
    /// Mostly 320 by 240.
    Ili9341,
    /// Mostly 240 by 240, with inverted colours.
    St7789,
}

impl DisplayKind {
    /// The word in the configuration.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Png { .. } => "png",
            Self::Desk => "desk",
            Self::Oled { chip: OledChip::Ssd1306, .. } => "ssd1306",
            Self::Oled { chip: OledChip::Sh1106, .. } => "sh1106",
            Self::Mipi { chip: MipiChip::Ili9341, .. } => "ili9341",
            Self::Mipi { chip: MipiChip::St7789, .. } => "st7789",
            Self::Framebuffer { .. } => "framebuffer",
        }
    }

    /// The files that it needs: devices, or the folder of a picture.
    #[must_use]
    pub fn needs(&self) -> Vec<&Path> {
        match self {
            Self::Desk => Vec::new(),
            Self::Png { path } => {
                path.parent().filter(|folder| !folder.as_os_str().is_empty()).into_iter().collect()
            }
            Self::Oled { bus, .. } => vec![bus],
            Self::Mipi { wiring, .. } => {
                let pins = [Some(&wiring.dc), wiring.reset.as_ref(), wiring.light.as_ref()];
                let chips = pins.into_iter().flatten().map(|pin| pin.chip.as_path());
                [wiring.bus.as_path()].into_iter().chain(chips).collect()
            }
            Self::Framebuffer { path, .. } => vec![path],
        }
    }
}

/// What people call it: kind and place.
impl fmt::Display for DisplayKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        match self {
            Self::Desk => Ok(()),
            Self::Png { path } | Self::Framebuffer { path, .. } => write!(f, " {}", path.display()),
            Self::Oled { bus, address, .. } => write!(f, " {} {address:#04x}", bus.display()),
            Self::Mipi { wiring, .. } => write!(f, " {}", wiring.bus.display()),
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDisplay {
    kind: String,
    path: Option<PathBuf>,
    size: Option<String>,
    mono: Option<bool>,
    bus: Option<PathBuf>,
    address: Option<u8>,
    rotation: Option<u32>,
    dc_pin: Option<String>,
    reset_pin: Option<String>,
    light_pin: Option<String>,
    speed_hz: Option<u32>,
    offset: Option<String>,
    bgr: Option<bool>,
    inverted: Option<bool>,
    pixels: Option<String>,
    stride_bytes: Option<usize>,
}

/// The keys that a kind of display has, beside `kind`; `None` for a kind that there is not.
fn keys_of(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "png" => Some(&["path", "size", "mono"]),
        "desk" => Some(&["size", "mono"]),
        "ssd1306" | "sh1106" => Some(&["bus", "address", "rotation"]),
        "ili9341" | "st7789" => Some(&[
            "bus",
            "size",
            "rotation",
            "dc_pin",
            "reset_pin",
            "light_pin",
            "speed_hz",
            "offset",
            "bgr",
            "inverted",
        ]),
        "framebuffer" => Some(&["path", "size", "pixels", "stride_bytes"]),
        _ => None,
    }
}

impl RawDisplay {
    fn given(&self) -> impl Iterator<Item = &'static str> {
        let all = [
            ("path", self.path.is_some()),
            ("size", self.size.is_some()),
            ("mono", self.mono.is_some()),
            ("bus", self.bus.is_some()),
            ("address", self.address.is_some()),
            ("rotation", self.rotation.is_some()),
            ("dc_pin", self.dc_pin.is_some()),
            ("reset_pin", self.reset_pin.is_some()),
            ("light_pin", self.light_pin.is_some()),
            ("speed_hz", self.speed_hz.is_some()),
            ("offset", self.offset.is_some()),
            ("bgr", self.bgr.is_some()),
            ("inverted", self.inverted.is_some()),
            ("pixels", self.pixels.is_some()),
            ("stride_bytes", self.stride_bytes.is_some()),
        ];
        all.into_iter().filter(|(_, given)| *given).map(|(name, _)| name)
    }

    pub(super) fn check(self, at: usize, checker: &Checker<'_>) -> Result<DisplayConfig, ConfigError> {
        let one = One { at, checker };
        let Some(keys) = keys_of(&self.kind) else {
            let expected =
                "\"png\", \"desk\", \"ssd1306\", \"sh1106\", \"ili9341\", \"st7789\" or \"framebuffer\"";
            return Err(one.wrong("kind", expected, self.kind));
        };
        if let Some(stray) = self.given().find(|name| !keys.contains(name)) {
            return Err(one.wrong(stray, "no such key for this kind of display", "a value".to_owned()));
        }
        let depth = if self.mono.unwrap_or(false) { Depth::Mono } else { Depth::Rgb };
        match self.kind.as_str() {
            "png" => {
                let (size, path) = (one.size(self.size, SIZE_DEFAULT)?, one.path("path", self.path)?);
                Ok(DisplayConfig { kind: DisplayKind::Png { path }, size, depth })
            }
            "desk" => {
                Ok(DisplayConfig { kind: DisplayKind::Desk, size: one.size(self.size, SIZE_DEFAULT)?, depth })
            }
            "ssd1306" => self.oled(OledChip::Ssd1306, &one),
            "sh1106" => self.oled(OledChip::Sh1106, &one),
            "ili9341" => self.mipi(MipiChip::Ili9341, &one),
            "st7789" => self.mipi(MipiChip::St7789, &one),
            _ => self.framebuffer(&one),
        }
    }

    fn oled(self, chip: OledChip, one: &One<'_>) -> Result<DisplayConfig, ConfigError> {
        let bus = one.path("bus", self.bus)?;
        let address = self.address.unwrap_or(OLED_ADDRESS);
        if !OLED_ADDRESSES.contains(&address) {
            return Err(one.wrong("address", "0x3C or 0x3D", format!("{address:#04x}")));
        }
        let turned = match self.rotation {
            None | Some(0) => false,
            Some(180) => true,
            Some(met) => return Err(one.wrong("rotation", "0 or 180 degrees", met.to_string())),
        };
        let kind = DisplayKind::Oled { chip, bus, address, turned };
        Ok(DisplayConfig { kind, size: OLED_SIZE, depth: Depth::Mono })
    }

    fn mipi(self, chip: MipiChip, one: &One<'_>) -> Result<DisplayConfig, ConfigError> {
        let is_st = chip == MipiChip::St7789;
        let size = one.size(self.size, if is_st { "240x240" } else { SIZE_DEFAULT })?;
        // Both chips stand upright; a wide picture lies on its side.
        let degrees = self.rotation.unwrap_or(if size.width > size.height { 90 } else { 0 });
        let rotation = Turn::from_degrees(degrees)
            .ok_or_else(|| one.wrong("rotation", "0, 90, 180 or 270 degrees", degrees.to_string()))?;
        let offset = self.offset.unwrap_or_else(|| "0,0".to_owned());
        let offset = parse_offset(&offset)
            .ok_or_else(|| one.wrong("offset", "columns and rows, such as \"0,80\"", offset.clone()))?;
        let bgr = self.bgr.unwrap_or(!is_st);
        let inverted = self.inverted.unwrap_or(is_st);
        let settings = MipiSettings { size, rotation, offset, bgr, inverted };
        if !settings.fits() {
            let met = format!("{}x{} at {},{}", size.width, size.height, offset.0, offset.1);
            return Err(one.wrong("size", "at most 240x320 before rotation, with the offset", met));
        }
        let speed_hz = self.speed_hz.unwrap_or(SPI_HZ.0);
        if !SPI_HZ.1.contains(&speed_hz) {
            return Err(one.wrong("speed_hz", "100000 to 80000000", speed_hz.to_string()));
        }
        let wiring = SpiWiring {
            bus: one.path("bus", self.bus)?,
            speed_hz,
            dc: one.pin("dc_pin", self.dc_pin.unwrap_or_default())?,
            reset: self.reset_pin.map(|pin| one.pin("reset_pin", pin)).transpose()?,
            light: self.light_pin.map(|pin| one.pin("light_pin", pin)).transpose()?,
        };
        Ok(DisplayConfig { kind: DisplayKind::Mipi { chip, wiring, settings }, size, depth: Depth::Rgb })
    }

    fn framebuffer(self, one: &One<'_>) -> Result<DisplayConfig, ConfigError> {
        let size = one.size(self.size, "800x480")?;
        let pixels = self.pixels.unwrap_or_else(|| "xrgb8888".to_owned());
        let format = PixelFormat::from_code(&pixels)
            .ok_or_else(|| one.wrong("pixels", "\"rgb565\" or \"xrgb8888\"", pixels.clone()))?;
        let mut geometry = Geometry::packed(size, format);
        if let Some(stride_bytes) = self.stride_bytes {
            if !(geometry.stride_bytes..=STRIDE_BYTES_MAX).contains(&stride_bytes) {
                let expected = "at least the bytes of a row, and below a mebibyte";
                return Err(one.wrong("stride_bytes", expected, stride_bytes.to_string()));
            }
            geometry.stride_bytes = stride_bytes;
        }
        let kind = DisplayKind::Framebuffer { path: one.path("path", self.path)?, geometry };
        Ok(DisplayConfig { kind, size, depth: Depth::Rgb })
    }
}

/// Checks the values of one entry and names it in errors.
struct One<'a> {
    at: usize,
    checker: &'a Checker<'a>,
}

impl One<'_> {
    fn wrong(&self, name: &str, expected: &'static str, met: String) -> ConfigError {
        self.checker.wrong(format!("display[{}].{name}", self.at), expected, met)
    }

    fn size(&self, text: Option<String>, default: &str) -> Result<Size, ConfigError> {
        let text = text.unwrap_or_else(|| default.to_owned());
        let expected = "width x height in pixels, such as \"320x240\", up to 4096 each";
        parse_size(&text).ok_or_else(|| self.wrong("size", expected, text))
    }

    fn path(&self, name: &str, path: Option<PathBuf>) -> Result<PathBuf, ConfigError> {
        let expected = if name == "bus" { "the device file of a bus" } else { "the path of a file" };
        let given = path.filter(|path| !path.as_os_str().is_empty());
        given.ok_or_else(|| self.wrong(name, expected, String::new()))
    }

    fn pin(&self, name: &str, text: String) -> Result<PinAddress, ConfigError> {
        let expected = "chip and line of a pin, such as \"gpiochip0:25\"";
        parse_pin(&text).ok_or_else(|| self.wrong(name, expected, text))
    }
}

fn parse_size(text: &str) -> Option<Size> {
    let (width, height) = text.split_once('x')?;
    let side = |text: &str| text.parse().ok().filter(|side| (1..=PANEL_SIDE_MAX).contains(side));
    Some(Size::new(side(width)?, side(height)?))
}

/// Columns and rows, such as `0,80`.
fn parse_offset(text: &str) -> Option<(u16, u16)> {
    let (columns, rows) = text.split_once(',')?;
    Some((columns.trim().parse().ok()?, rows.trim().parse().ok()?))
}

/// A chip's device file, with or without its folder, and a line: `gpiochip0:25`, `/dev/gpiochip0:25`.
fn parse_pin(text: &str) -> Option<PinAddress> {
    let (chip, line) = text.rsplit_once(':')?;
    let line = line.parse().ok()?;
    let name = chip.strip_prefix("/dev/").unwrap_or(chip);
    let plain =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte));
    (plain && !name.starts_with('/')).then(|| PinAddress { chip: Path::new("/dev").join(name), line })
}

/// One section or several entries; a visitor, because an untagged enum would lose the line of an error.
#[derive(Default)]
pub(super) struct OneOrMany(pub(super) Vec<RawDisplay>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a section [display] or entries [[display]]")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany, A::Error> {
                RawDisplay::deserialize(MapAccessDeserializer::new(map)).map(|one| OneOrMany(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<OneOrMany, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pins_offsets_and_sizes_are_read() {
        let pin = PinAddress { chip: "/dev/gpiochip0".into(), line: 25 };
        assert_eq!(parse_pin("gpiochip0:25"), Some(pin.clone()));
        assert_eq!(parse_pin("/dev/gpiochip0:25"), Some(pin));
        for wrong in ["", "25", "gpiochip0", "gpiochip0:", ":25", "gpiochip0:-1", "gpio chip:1", "/etc/x:1"] {
            assert_eq!(parse_pin(wrong), None, "{wrong}");
        }
        assert_eq!(parse_offset("0, 80"), Some((0, 80)));
        assert_eq!(parse_offset("80"), None);
        assert_eq!(parse_size("0x5"), None);
        assert_eq!(parse_size("4097x5"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(width in 1..=PANEL_SIDE_MAX, height in 1..=PANEL_SIDE_MAX, line: u32, offset: (u16, u16)) {
            prop_assert_eq!(parse_size(&format!("{width}x{height}")), Some(Size::new(width, height)));
            let pin = parse_pin(&format!("gpiochip3:{line}"));
            prop_assert_eq!(pin, Some(PinAddress { chip: "/dev/gpiochip3".into(), line }));
            prop_assert_eq!(parse_offset(&format!("{},{}", offset.0, offset.1)), Some(offset));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,24}") {
            if let Some(size) = parse_size(&text) {
                prop_assert!((1..=PANEL_SIDE_MAX).contains(&size.width) && (1..=PANEL_SIDE_MAX).contains(&size.height));
            }
            if let Some(pin) = parse_pin(&text) {
                prop_assert!(pin.chip.starts_with("/dev"));
            }
            let _ = parse_offset(&text);
        }
    }
}
