//! One entry `[[reader]]`.

use std::path::PathBuf;

use hufu_hardware::serial::port::BAUD_RANGE;
use serde::Deserialize;

use super::load::Checker;

/// Baud rate where none is given.
const BAUD_DEFAULT: u32 = 9_600;

/// A reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderConfig {
    /// Smart-card slots through pcscd.
    Pcsc {
        /// Part of the slots' names; empty takes every slot.
        name_contains: String,
    },
    /// A reader on a serial port.
    Serial {
        /// Path of the port.
        port: PathBuf,
        /// Bits per second.
        baud: u32,
        /// What it sends.
        protocol: SerialProtocol,
    },
}

/// What a serial reader sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SerialProtocol {
    /// Tracks of a magnetic stripe.
    Iso7813,
    /// One code per line.
    Line,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReader {
    kind: String,
    name_contains: Option<String>,
    port: Option<PathBuf>,
    baud: Option<u32>,
    protocol: Option<String>,
}

impl RawReader {
    pub(super) fn check(self, at: usize, checker: &Checker<'_>) -> Result<ReaderConfig, super::ConfigError> {
        let key = |name: &str| format!("reader[{at}].{name}");
        let stray = |name: &str| {
            checker.wrong(key(name), "no such key for this kind of reader", "a value".to_owned())
        };
        match self.kind.as_str() {
            "pcsc" => {
                for (name, given) in [
                    ("port", self.port.is_some()),
                    ("baud", self.baud.is_some()),
                    ("protocol", self.protocol.is_some()),
                ] {
                    if given {
                        return Err(stray(name));
                    }
                }
                Ok(ReaderConfig::Pcsc { name_contains: self.name_contains.unwrap_or_default() })
            }
            "serial" => {
                if self.name_contains.is_some() {
                    return Err(stray("name_contains"));
                }
                let port = self
                    .port
                    .filter(|port| !port.as_os_str().is_empty())
                    .ok_or_else(|| checker.wrong(key("port"), "the path of a serial port", String::new()))?;
                let baud = self.baud.unwrap_or(BAUD_DEFAULT);
                if !BAUD_RANGE.contains(&baud) {
                    return Err(checker.wrong(key("baud"), "300 to 921600", baud.to_string()));
                }
                let protocol = match self.protocol.as_deref() {
                    None | Some("iso7813") => SerialProtocol::Iso7813,
                    Some("line") => SerialProtocol::Line,
                    Some(met) => {
                        return Err(checker.wrong(
                            key("protocol"),
                            "\"iso7813\" or \"line\"",
                            met.to_owned(),
                        ));
                    }
                };
                Ok(ReaderConfig::Serial { port, baud, protocol })
            }
            met => Err(checker.wrong(key("kind"), "\"pcsc\" or \"serial\"", met.to_owned())),
        }
    }
}
