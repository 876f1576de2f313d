//! `pin`: makes the file that holds an operator's PIN, hashed.

use std::io::{BufRead, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Failure;
use super::exit::Exit;
use crate::config::Config;
use crate::counter::operators::{hash, is_pin};
use crate::locale::{Args, text, text_with};

/// Where the PIN goes.
#[derive(Debug, clap::Args)]
pub(super) struct PinArguments {
    /// The file of `pin_file`, made anew
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(config: &Config, arguments: &PinArguments) -> Result<(), Failure> {
    let language = config.terminal.language;
    eprint!("{} ", text(language, "command-pin-ask"));
    let mut line = String::new();
    let other = |error: std::io::Error| Failure::new(Exit::Other, error);
    std::io::stdin().lock().read_line(&mut line).map_err(other)?;
    let pin = line.trim();
    if !is_pin(pin) {
        return Err(Failure::new(Exit::Other, anyhow::anyhow!(text(language, "command-pin-weak"))));
    }
    let hashed = hash(pin).map_err(|error| Failure::new(Exit::Other, error))?;
    write(&arguments.file, &hashed).map_err(|error| {
        Failure::new(Exit::Other, anyhow::anyhow!("write {}: {error}", arguments.file.display()))
    })?;
    let file = arguments.file.display().to_string();
    println!("{}", text_with(language, "command-pin-kept", &Args::from([("file", file)])));
    Ok(())
}

fn write(path: &Path, hashed: &str) -> std::io::Result<()> {
    let staged = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&staged)?;
    writeln!(file, "{hashed}")?;
    file.sync_all()?;
    std::fs::rename(staged, path)
}
