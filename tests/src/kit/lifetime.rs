//! When a helper program that only holds services should end: on a signal, or when who started it is gone.
//!
//! A test command that is killed would otherwise leave a database server behind.

use anyhow::{Context as _, Result};
use rustix::process::getppid;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How often the parent is looked at.
const PARENT_POLL_MS: u64 = 500;

/// Returns on SIGTERM, SIGINT or SIGHUP, or when the parent process has changed.
///
/// # Errors
/// When the signals cannot be listened for.
pub fn wait_for_end() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(ended())
}

/// As [`wait_for_end`], inside a runtime.
///
/// # Errors
/// When the signals cannot be listened for.
pub async fn ended() -> Result<()> {
    let parent = getppid();
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    let mut hang_up = signal(SignalKind::hangup()).context("failed to listen for SIGHUP")?;
    let orphaned = async {
        while getppid() == parent {
            tokio::time::sleep(Duration::from_millis(PARENT_POLL_MS)).await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
        () = orphaned => {}
    }
    Ok(())
}
