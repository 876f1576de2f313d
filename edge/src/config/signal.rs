//! The section `[signal]`.

use std::path::PathBuf;

use data_encoding::HEXLOWER_PERMISSIVE;
use hufu_hardware::serial::port::BAUD_RANGE;
use hufu_hardware::signal::gpio::GpioLines;
use hufu_hardware::signal::lamp::{COMMAND_BYTES_MAX, LampCommands};
use serde::Deserialize;

use super::ConfigError;
use super::load::Checker;

/// Light and buzzer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalConfig {
    /// A controller on a serial port that speaks our own lines.
    Line {
        /// Path of the port.
        port: PathBuf,
        /// Bits per second.
        baud: u32,
    },
    /// A bought tower light on a serial port.
    Lamp {
        /// Path of the port.
        port: PathBuf,
        /// Bits per second.
        baud: u32,
        /// What it understands.
        commands: LampCommands,
    },
    /// A board's own pins.
    Gpio(GpioLines),
}

/// Bits per second where none are given.
const BAUD_DEFAULT: u32 = 9_600;
/// The chip where none is named.
const CHIP_DEFAULT: &str = "/dev/gpiochip0";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignal {
    #[serde(default = "line")]
    kind: String,
    port: Option<PathBuf>,
    baud: Option<u32>,
    #[serde(default)]
    commands: RawCommands,
    chip: Option<PathBuf>,
    green: Option<u32>,
    amber: Option<u32>,
    red: Option<u32>,
    blue: Option<u32>,
    buzzer: Option<u32>,
    active_low: Option<bool>,
}

fn line() -> String {
    "line".to_owned()
}

/// Bytes in hexadecimal digits, as data sheets print them.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawCommands {
    off: String,
    green: String,
    amber: String,
    red: String,
    blue: String,
    buzzer_on: String,
    buzzer_off: String,
}

impl RawSignal {
    pub(super) fn check(self, checker: &Checker<'_>) -> Result<SignalConfig, ConfigError> {
        let wrong = |key: &str, expected, met: String| checker.wrong(format!("signal.{key}"), expected, met);
        let baud = self.baud.unwrap_or(BAUD_DEFAULT);
        if !BAUD_RANGE.contains(&baud) {
            return Err(wrong("baud", "300 to 921600", baud.to_string()));
        }
        let port = self.port.filter(|port| !port.as_os_str().is_empty());
        let no_port = || wrong("port", "the path of a port", String::new());
        match self.kind.as_str() {
            "line" => Ok(SignalConfig::Line { port: port.ok_or_else(no_port)?, baud }),
            "lamp" => {
                let commands = self.commands.check(checker)?;
                Ok(SignalConfig::Lamp { port: port.ok_or_else(no_port)?, baud, commands })
            }
            "gpio" => {
                let chip = self.chip.unwrap_or_else(|| CHIP_DEFAULT.into());
                let lines = GpioLines {
                    chip,
                    green: self.green,
                    amber: self.amber,
                    red: self.red,
                    blue: self.blue,
                    buzzer: self.buzzer,
                    active_low: self.active_low.unwrap_or(false),
                };
                let mut all = lines.all();
                all.sort_unstable();
                if all.is_empty() {
                    return Err(wrong("green", "at least one line of the chip", String::new()));
                }
                if let Some(twice) = all.windows(2).find(|pair| pair[0] == pair[1]) {
                    return Err(wrong("green", "each line of the chip once", twice[0].to_string()));
                }
                Ok(SignalConfig::Gpio(lines))
            }
            met => Err(wrong("kind", "\"line\", \"lamp\" or \"gpio\"", met.to_owned())),
        }
    }
}

impl RawCommands {
    fn check(self, checker: &Checker<'_>) -> Result<LampCommands, ConfigError> {
        let bytes = |name: &str, text: String| {
            let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
            bytes.ok().filter(|bytes| bytes.len() <= COMMAND_BYTES_MAX).ok_or_else(|| {
                let expected = "at most 64 bytes as hexadecimal digits, such as \"a0 01 01 a2\"";
                checker.wrong(format!("signal.commands.{name}"), expected, text.clone())
            })
        };
        let commands = LampCommands {
            off: bytes("off", self.off)?,
            green: bytes("green", self.green)?,
            amber: bytes("amber", self.amber)?,
            red: bytes("red", self.red)?,
            blue: bytes("blue", self.blue)?,
            buzzer_on: bytes("buzzer_on", self.buzzer_on)?,
            buzzer_off: bytes("buzzer_off", self.buzzer_off)?,
        };
        if commands.off.is_empty() {
            let expected = "what switches the lamp off";
            return Err(checker.wrong("signal.commands.off".into(), expected, String::new()));
        }
        Ok(commands)
    }
}
