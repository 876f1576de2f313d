//! `hufu-central openapi`: prints the contract of the admin API, for those who make programs from it.

use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;

use super::EXIT_OK;
use crate::console::contract::document;

/// Runs the command.
///
/// # Errors
/// If the document cannot be written as text.
pub fn run() -> anyhow::Result<u8> {
    let text = serde_json::to_string_pretty(&document::document());
    let text = text.context("failed to write the document of the API")?;
    match writeln!(std::io::stdout(), "{text}") {
        // Whoever reads it may have read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("failed to print the document")
        }
        _ => Ok(EXIT_OK),
    }
}
