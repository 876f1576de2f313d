//! The program `hufu-edge`: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use hufu_edge::commands::{Arguments, run};

fn main() -> ExitCode {
    run(&Arguments::parse())
}
