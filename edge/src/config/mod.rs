//! Configuration: one TOML file, read once at start, checked whole, passed on as plain values.
//!
//! Unknown keys are errors that name the key and the line; wrong values say what was met and what was expected.
//! Environment variables `HUFU_EDGE__SECTION__KEY` override single keys of plain sections (not of lists).
//! `deploy/edge.example.toml` documents every key.
//!
//! Out of scope: whether a device or folder exists; that is found out when it is used, and may change.

mod display;
mod error;
mod load;
mod operator;
mod printer;
mod reader;
mod signal;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::locale::Language;
use crate::rules::gate::{Gate, Gates};

pub use display::{DisplayConfig, DisplayKind, MipiChip, OledChip};
pub use error::ConfigError;
pub use load::{CONFIG_PATH, load, parse};
pub use operator::OperatorConfig;
pub use printer::PrinterConfig;
pub use reader::ReaderConfig;
pub use signal::SignalConfig;

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The terminal itself.
    pub terminal: TerminalConfig,
    /// The centre.
    pub central: CentralConfig,
    /// The counter page.
    pub counter: CounterConfig,
    /// Card readers, in the order of the file; facts name them by this order.
    pub readers: Vec<ReaderConfig>,
    /// The numbered gates that they stand at.
    pub gates: Gates,
    /// Displays that members see.
    pub displays: Vec<DisplayConfig>,
    /// Who signs in at the counter; nobody is asked where there are none.
    pub operators: Vec<OperatorConfig>,
    /// Light and sound.
    pub signal: Option<SignalConfig>,
    /// Receipts.
    pub printer: Option<PrinterConfig>,
    /// Address of the tray of virtual cards that the counter page shows; none outside demonstrations.
    pub simulator_url: Option<String>,
}

/// The terminal itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalConfig {
    /// Folder for journal, directory and identity.
    pub data_dir: PathBuf,
    /// Lang of displays and commands.
    pub language: Language,
    /// Which way members pass here, at activities that count who leaves.
    pub way: Gate,
}

/// The centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentralConfig {
    /// Address of its device API, `https://host:port` without a trailing slash.
    pub url: String,
}

/// The counter page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether it may listen beyond this machine for anybody, paired or not.
    pub listen_unpaired: bool,
    /// Where it listens for paired tablets, over TLS; none if it does not.
    pub tablets: Option<SocketAddr>,
    /// Origins that may show the page inside theirs.
    pub embed_origins: Vec<String>,
    /// How loud the page sounds, in percent.
    pub volume: u8,
    /// Folder of voice clips, one per outcome, that sound instead of tones.
    pub voice_dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests;
