//! Writes the contact sheet of all outcomes, displays and languages as one PNG.
//!
//! `cargo run -p hufu-tests --bin contact-sheet -- OUT.png`

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;
use hufu_hardware::text::Fonts;
use hufu_tests::sheet;

/// Draws every outcome on every display in both languages.
#[derive(Debug, Parser)]
struct Arguments {
    /// The picture to write.
    out: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { out } = Arguments::parse();
    let png = sheet::sheet(&Fonts::load()).to_png().context("failed to encode the sheet")?;
    std::fs::write(&out, png).with_context(|| format!("failed to write {}", out.display()))?;
    println!("{}", out.display());
    Ok(())
}
