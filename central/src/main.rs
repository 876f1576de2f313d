//! The central service's program: arguments, logs, command, exit code.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;
use hufu_central::commands::{self, Cli};
use tracing_subscriber::EnvFilter;

/// The service makes and drops millions of small things while one batch after another passes its gate.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is logged unless `RUST_LOG` says otherwise.
const LOG_DEFAULT: &str = "info";

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    // Answers of commands go to standard output, so logs must not.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    ExitCode::from(commands::run(Cli::parse()).await)
}
