//! The section `[printer]`.

use std::path::PathBuf;

use hufu_hardware::printer::{PrinterPort, Profile, Width};
use hufu_hardware::serial::port::BAUD_RANGE;
use serde::Deserialize;

use super::ConfigError;
use super::load::Checker;
use crate::rules::slip::SlipKind;

/// A receipt printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterConfig {
    /// Where it is.
    pub port: PrinterPort,
    /// What it can do.
    pub profile: Profile,
    /// Slips that are printed without being asked for.
    pub automatic: Vec<SlipKind>,
}

/// Printed unasked where nothing else is said: wherever value changed hands, and what a guest was promised.
const AUTOMATIC: [SlipKind; 7] = [
    SlipKind::TopUp,
    SlipKind::Earn,
    SlipKind::Redeem,
    SlipKind::Spend,
    SlipKind::CashOut,
    SlipKind::Undo,
    SlipKind::Complaint,
];
/// Bits per second where none are given.
const BAUD_DEFAULT: u32 = 9_600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrinter {
    kind: String,
    port: Option<PathBuf>,
    baud: Option<u32>,
    address: Option<String>,
    paper_mm: Option<u32>,
    cuts: Option<bool>,
    makes_qr: Option<bool>,
    font_is_gbk: Option<bool>,
    answers: Option<bool>,
    automatic: Option<Vec<String>>,
}

impl RawPrinter {
    pub(super) fn check(self, checker: &Checker<'_>) -> Result<PrinterConfig, ConfigError> {
        let wrong = |key: &str, expected, met: String| checker.wrong(format!("printer.{key}"), expected, met);
        let port = self.port.filter(|port| !port.as_os_str().is_empty());
        let port = match (self.kind.as_str(), port, self.address) {
            ("serial", Some(path), None) => {
                let baud = self.baud.unwrap_or(BAUD_DEFAULT);
                if !BAUD_RANGE.contains(&baud) {
                    return Err(wrong("baud", "300 to 921600", baud.to_string()));
                }
                PrinterPort::Serial { path, baud }
            }
            ("usb", Some(path), None) => PrinterPort::Device { path },
            ("tcp", None, Some(address)) => {
                let named = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
                if named.is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
                    return Err(wrong("address", "host:port, such as 192.168.1.50:9100", address));
                }
                PrinterPort::Tcp { address }
            }
            ("serial" | "usb", _, Some(met)) => return Err(wrong("address", "for kind = \"tcp\" only", met)),
            ("serial" | "usb", None, None) => return Err(wrong("port", "the path of a port", String::new())),
            ("tcp", _, _) => return Err(wrong("address", "address, and no port", String::new())),
            (met, _, _) => return Err(wrong("kind", "\"serial\", \"usb\" or \"tcp\"", met.to_owned())),
        };
        let width = match self.paper_mm.unwrap_or(80) {
            58 => Width::Mm58,
            80 => Width::Mm80,
            met => return Err(wrong("paper_mm", "58 or 80", met.to_string())),
        };
        let common = Profile::common(width);
        let automatic = match self.automatic {
            None => AUTOMATIC.to_vec(),
            Some(codes) => codes
                .iter()
                .map(|code| {
                    SlipKind::from_code(code).ok_or_else(|| {
                        let expected = "top_up, earn, redeem, spend, cash_out, undo, badge or complaint";
                        wrong("automatic", expected, code.clone())
                    })
                })
                .collect::<Result<_, _>>()?,
        };
        Ok(PrinterConfig {
            port,
            profile: Profile {
                cuts: self.cuts.unwrap_or(common.cuts),
                draws_qr: self.makes_qr.unwrap_or(common.draws_qr),
                font_is_gbk: self.font_is_gbk.unwrap_or(common.font_is_gbk),
                answers: self.answers.unwrap_or(common.answers),
                ..common
            },
            automatic,
        })
    }
}
