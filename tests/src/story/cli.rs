//! Runs one of Hufu's commands to its end, with a time limit, and keeps what it said.

use crate::kit::clock;
use anyhow::{Context as _, Result, ensure};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long a command may take.
const COMMAND_LIMIT_MS: u64 = 180_000;

/// What a command said.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started or takes too long; not when it fails.
pub fn run(command: &mut Command) -> Result<Said> {
    let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(err.try_clone()?)
        .spawn()
        .with_context(|| format!("failed to start {command:?}"))?;
    let ended = clock::poll(Duration::from_millis(COMMAND_LIMIT_MS), || child.try_wait().transpose());
    let Some(ended) = ended else {
        child.kill().context("failed to end a command that took too long")?;
        child.wait().context("failed to end a command that took too long")?;
        anyhow::bail!("{command:?} took longer than {COMMAND_LIMIT_MS} ms");
    };
    let code = ended.context("failed to wait for a command")?.code().unwrap_or(-1);
    let text = |file: &mut std::fs::File| -> Result<String> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Said { code, out: text(&mut out)?, err: text(&mut err)? })
}

/// Runs a command that must succeed; its standard output.
///
/// # Errors
/// As [`run`], or when its exit code is not 0: shows what it said.
pub fn must(command: &mut Command) -> Result<String> {
    let said = run(command)?;
    ensure!(said.code == 0, "{command:?} ended with {}:\n{}{}", said.code, said.out, said.err);
    Ok(said.out)
}
