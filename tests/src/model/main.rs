//! Searches every state of the lease protocol within bounds, and shows for each recovery rule left out the shortest
//! way to break it. Prints bounds, states, depth and time.
//!
//! Exit code 0 if all rules together hold everywhere and each rule left out breaks something; 1 otherwise.

use std::process::ExitCode;

fn main() -> ExitCode {
    let report = hufu_tests::model::search::full();
    println!("{}", report.text);
    if report.good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
