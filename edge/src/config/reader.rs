//! One entry `[[reader]]`.

use std::path::PathBuf;

use hufu_hardware::framed::Dialect;
use hufu_hardware::pcsc::ReadMode;
use hufu_hardware::pcsc::mode::{Aid, Content, FileRef, KeySlot, Piece};
use hufu_hardware::serial::Protocol;
use hufu_hardware::serial::em125::{Form, KnownBy};
use hufu_hardware::serial::port::BAUD_RANGE;
use serde::Deserialize;

use super::ConfigError;
use super::load::Checker;

/// Baud rate where none is given.
const BAUD_DEFAULT: u32 = 9_600;
/// Bytes of a card's memory where no length is given: one block.
const LENGTH_DEFAULT: u8 = 16;

/// A reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderConfig {
    /// Smart-card slots through pcscd.
    Pcsc {
        /// Part of the slots' names; empty takes every slot.
        name_contains: String,
        /// What of a card identifies it.
        mode: ReadMode,
    },
    /// A reader on a serial port.
    Serial {
        /// Path of the port.
        port: PathBuf,
        /// Bits per second.
        baud: u32,
        /// What it sends.
        protocol: Protocol,
    },
    /// A framed swipe terminal with keys, on a serial port.
    Keypad {
        /// Path of the port.
        port: PathBuf,
        /// Bits per second.
        baud: u32,
        /// How it writes lengths and checksums.
        dialect: Dialect,
    },
    /// A reader that pretends to be a keyboard.
    Evdev {
        /// Path of the input device.
        device: PathBuf,
        /// What it types.
        protocol: Protocol,
    },
}

impl ReaderConfig {
    /// By how many bits cards of 125 kHz are known at this reader, if it reads such.
    fn known_by(&self) -> Option<KnownBy> {
        match self {
            Self::Serial { protocol: Protocol::Proximity { known_by, .. }, .. }
            | Self::Evdev { protocol: Protocol::Proximity { known_by, .. }, .. } => Some(*known_by),
            _ => None,
        }
    }
}

/// One card must be one card at every reader: all 125 kHz readers know cards by as many bits.
pub(super) fn check_all(readers: &[ReaderConfig], checker: &Checker<'_>) -> Result<(), ConfigError> {
    let mut known = readers.iter().enumerate().filter_map(|(at, reader)| Some((at, reader.known_by()?)));
    let Some((_, first)) = known.next() else { return Ok(()) };
    match known.find(|(_, by)| *by != first) {
        None => Ok(()),
        Some((at, by)) => Err(checker.wrong(
            format!("reader[{at}].known_by_bits"),
            "as many bits as at the 125 kHz reader before it, or a card would be two cards",
            by.bits().to_string(),
        )),
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReader {
    kind: String,
    name_contains: Option<String>,
    read: Option<String>,
    sector: Option<u8>,
    block: Option<u8>,
    key: Option<String>,
    key_file: Option<PathBuf>,
    page: Option<u8>,
    application: Option<String>,
    file: Option<String>,
    short_file: Option<u8>,
    offset: Option<u16>,
    length: Option<u8>,
    content: Option<String>,
    port: Option<PathBuf>,
    device: Option<PathBuf>,
    baud: Option<u32>,
    protocol: Option<String>,
    form: Option<String>,
    known_by_bits: Option<u32>,
    dialect: Option<String>,
    /// Checked with the other gates.
    pub(super) gate: Option<u16>,
}

/// An entry under check: keys are taken out as they are understood; what is left over has no business there.
struct Entry<'a> {
    at: usize,
    raw: RawReader,
    checker: &'a Checker<'a>,
}

impl RawReader {
    pub(super) fn check(self, at: usize, checker: &Checker<'_>) -> Result<ReaderConfig, ConfigError> {
        let kind = self.kind.clone();
        let mut entry = Entry { at, raw: self, checker };
        let config = match kind.as_str() {
            "pcsc" => entry.pcsc()?,
            "serial" => entry.serial()?,
            "evdev" => {
                let device = entry.raw.device.take().filter(|path| !path.as_os_str().is_empty());
                let device =
                    device.ok_or_else(|| entry.wrong("device", "the path of an input device", ""))?;
                let protocol = entry.raw.protocol.take().unwrap_or_else(|| "line".to_owned());
                ReaderConfig::Evdev { device, protocol: entry.protocol(&protocol)? }
            }
            met => return Err(entry.wrong("kind", "\"pcsc\", \"serial\" or \"evdev\"", met)),
        };
        entry.nothing_left()?;
        Ok(config)
    }
}

impl Entry<'_> {
    fn wrong(&self, key: &str, expected: &'static str, met: &str) -> ConfigError {
        self.checker.wrong(format!("reader[{}].{key}", self.at), expected, met.to_owned())
    }

    fn pcsc(&mut self) -> Result<ReaderConfig, ConfigError> {
        let name_contains = self.raw.name_contains.take().unwrap_or_default();
        let read = self.raw.read.take().unwrap_or_else(|| "uid".to_owned());
        let mode = match read.as_str() {
            "uid" => ReadMode::Uid,
            "classic" => {
                let sector = self.raw.sector.take().ok_or_else(|| self.wrong("sector", "0 to 39", ""))?;
                let key_file = self.raw.key_file.take();
                let key_file = key_file
                    .ok_or_else(|| self.wrong("key_file", "the path of a file with the sector's key", ""))?;
                let key = match self.raw.key.take().as_deref() {
                    None | Some("A") => KeySlot::A,
                    Some("B") => KeySlot::B,
                    // The bytes of a key may have been written here by mistake: they are not repeated.
                    Some(_) => return Err(self.wrong("key", "\"A\" or \"B\"", "something else")),
                };
                let block = self.raw.block.take().unwrap_or(0);
                ReadMode::Classic { sector, block, key, key_file, piece: self.piece()? }
            }
            "pages" => {
                let first = self.raw.page.take().ok_or_else(|| self.wrong("page", "4 to 254", ""))?;
                ReadMode::Pages { first, piece: self.piece()? }
            }
            "file" => {
                let application = self.application()?;
                ReadMode::File { application, file: self.file()?, piece: self.piece()? }
            }
            met => {
                let expected = "\"uid\", \"classic\", \"pages\" or \"file\"";
                return Err(self.wrong("read", expected, met));
            }
        };
        mode.check().map_err(|(key, expected)| self.wrong(key, expected, "what cannot be read"))?;
        Ok(ReaderConfig::Pcsc { name_contains, mode })
    }

    fn piece(&mut self) -> Result<Piece, ConfigError> {
        let content = match self.raw.content.take().as_deref() {
            None | Some("text") => Content::Text,
            Some("bcd") => Content::Bcd,
            Some("bytes") => Content::Bytes,
            Some(met) => return Err(self.wrong("content", "\"text\", \"bcd\" or \"bytes\"", met)),
        };
        let offset = self.raw.offset.take().unwrap_or(0);
        Ok(Piece { offset, length: self.raw.length.take().unwrap_or(LENGTH_DEFAULT), content })
    }

    fn application(&mut self) -> Result<Option<Aid>, ConfigError> {
        let Some(text) = self.raw.application.take() else { return Ok(None) };
        let bytes = data_encoding::HEXUPPER_PERMISSIVE.decode(text.as_bytes()).ok();
        let aid = bytes.as_deref().and_then(Aid::new);
        let expected = "5 to 16 bytes in hexadecimal digits, never a bank's application";
        aid.map(Some).ok_or_else(|| self.wrong("application", expected, &text))
    }

    fn file(&mut self) -> Result<FileRef, ConfigError> {
        match (self.raw.file.take(), self.raw.short_file.take()) {
            (None, Some(short)) => Ok(FileRef::Short(short)),
            (Some(id), None) if id.len() == 4 => u16::from_str_radix(&id, 16)
                .map(FileRef::Id)
                .map_err(|_| self.wrong("file", "four hexadecimal digits", &id)),
            (Some(id), None) => Err(self.wrong("file", "four hexadecimal digits", &id)),
            (None, None) => Err(self.wrong("file", "a file, here or as short_file", "")),
            (Some(_), Some(_)) => Err(self.wrong("short_file", "either file or short_file", "both")),
        }
    }

    fn serial(&mut self) -> Result<ReaderConfig, ConfigError> {
        let port = self.raw.port.take().filter(|port| !port.as_os_str().is_empty());
        let port = port.ok_or_else(|| self.wrong("port", "the path of a serial port", ""))?;
        let baud = self.raw.baud.take().unwrap_or(BAUD_DEFAULT);
        if !BAUD_RANGE.contains(&baud) {
            return Err(self.wrong("baud", "300 to 921600", &baud.to_string()));
        }
        let protocol = self.raw.protocol.take().unwrap_or_else(|| "iso7813".to_owned());
        if protocol == "keypad" {
            let dialect = match self.raw.dialect.take().as_deref() {
                None | Some("binary") => Dialect::Binary,
                Some("ascii") => Dialect::Ascii,
                Some(met) => return Err(self.wrong("dialect", "\"binary\" or \"ascii\"", met)),
            };
            return Ok(ReaderConfig::Keypad { port, baud, dialect });
        }
        Ok(ReaderConfig::Serial { port, baud, protocol: self.protocol(&protocol)? })
    }

    fn protocol(&mut self, name: &str) -> Result<Protocol, ConfigError> {
        match name {
            "iso7813" => Ok(Protocol::Iso7813),
            "line" => Ok(Protocol::Line),
            "125khz" => {
                let name = self.raw.form.take().unwrap_or_default();
                let form = Form::of_name(&name)
                    .ok_or_else(|| self.wrong("form", "\"8H10D\", \"6H8D\", \"2.4H5D\" or \"10H\"", &name))?;
                let bits = self.raw.known_by_bits.take().unwrap_or(form.natural().bits());
                let known_by = KnownBy::of_bits(bits);
                let known_by =
                    known_by.ok_or_else(|| self.wrong("known_by_bits", "32 or 24", &bits.to_string()))?;
                if form.bits() < known_by.bits() {
                    let expected = "no more bits than the form holds: 24 for 6H8D and 2.4H5D";
                    return Err(self.wrong("known_by_bits", expected, &bits.to_string()));
                }
                Ok(Protocol::Proximity { form, known_by })
            }
            met => {
                let expected = "\"iso7813\", \"line\", \"125khz\" or, on a serial port, \"keypad\"";
                Err(self.wrong("protocol", expected, met))
            }
        }
    }

    fn nothing_left(&self) -> Result<(), ConfigError> {
        let raw = &self.raw;
        let left = [
            ("name_contains", raw.name_contains.is_some()),
            ("read", raw.read.is_some()),
            ("sector", raw.sector.is_some()),
            ("block", raw.block.is_some()),
            ("key", raw.key.is_some()),
            ("key_file", raw.key_file.is_some()),
            ("page", raw.page.is_some()),
            ("application", raw.application.is_some()),
            ("file", raw.file.is_some()),
            ("short_file", raw.short_file.is_some()),
            ("offset", raw.offset.is_some()),
            ("length", raw.length.is_some()),
            ("content", raw.content.is_some()),
            ("port", raw.port.is_some()),
            ("device", raw.device.is_some()),
            ("baud", raw.baud.is_some()),
            ("protocol", raw.protocol.is_some()),
            ("form", raw.form.is_some()),
            ("known_by_bits", raw.known_by_bits.is_some()),
            ("dialect", raw.dialect.is_some()),
        ];
        match left.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((key, _)) => Err(self.wrong(key, "no such key for this kind of reader", "a value")),
        }
    }
}
