//! Starts one private PostgreSQL for a whole test run, prints its address, and stops it when standard input ends
//! or a signal comes: so a test command that dies cannot leave it behind.

use anyhow::{Context as _, Result};
use hufu_tests::kit::postgres::Postgres;
use std::io::Write as _;
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<()> {
    let server = Postgres::start()?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.url()).context("failed to print the address")?;
    out.flush().context("failed to print the address")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
        let mut input = tokio::io::stdin();
        let mut byte = [0_u8; 1];
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = input.read(&mut byte) => {}
        }
        anyhow::Ok(())
    })?;
    runtime.shutdown_background();
    drop(server);
    Ok(())
}
