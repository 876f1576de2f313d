//! Starts one private PostgreSQL for a whole test run, prints its address, and stops it when a signal comes
//! or its parent is gone: so a test command that dies cannot leave it behind.

use anyhow::{Context as _, Result};
use hufu_tests::kit::lifetime;
use hufu_tests::kit::postgres::Postgres;
use std::io::Write as _;

fn main() -> Result<()> {
    let server = Postgres::start()?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.url()).context("failed to print the address")?;
    out.flush().context("failed to print the address")?;
    lifetime::wait_for_end()?;
    drop(server);
    Ok(())
}
