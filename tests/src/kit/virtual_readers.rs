//! Starts a private pcscd with virtual slots for the demo and for work by hand, says in one line of JSON how to
//! reach them, and stops when a signal comes or its parent is gone.

use anyhow::{Context as _, Result};
use clap::Parser;
use hufu_tests::kit::lifetime;
use hufu_tests::kit::pcscd::Pcscd;
use serde_json::json;
use std::io::Write as _;

/// A private pcscd with virtual reader slots.
#[derive(Parser)]
struct Arguments {
    /// How many slots (1 to 8)
    #[arg(long, default_value_t = 2)]
    slots: usize,
    /// Runs in a mount namespace of its own even where no other pcscd runs
    #[arg(long)]
    apart: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let pcscd = if arguments.apart {
        Pcscd::start_in_namespace(arguments.slots)?
    } else {
        Pcscd::start(arguments.slots)?
    };
    let slots: Vec<_> = (0..arguments.slots)
        .map(|slot| json!({ "port": pcscd.port(slot), "reader": pcscd.reader_name(slot) }))
        .collect();
    let namespace = pcscd.namespace().map(|pid| pid.as_raw_nonzero().get());
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({ "slots": slots, "namespace": namespace }))
        .context("failed to print the slots")?;
    out.flush().context("failed to print the slots")?;
    lifetime::wait_for_end()?;
    drop(pcscd);
    Ok(())
}
