//! Prints how far the numbered promises are shown, and fails on one with neither a test nor a reason.
//!
//! Exit codes: 0 all shown or excused, 1 something is neither.

use anyhow::{Context as _, Result};
use hufu_tests::coverage::{Promises, Report, compare, scan};
use hufu_tests::kit::process::tree_root;
use hufu_tests::tidy::tree;
use std::process::ExitCode;

fn main() -> Result<ExitCode> {
    let root = tree_root();
    let path = root.join("tests/coverage.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let promises: Promises =
        toml::from_str(&text).with_context(|| format!("failed to read {}", path.display()))?;
    let found = scan::numbers(&tree::read(&root)?);
    let report = compare(&promises, &found);
    print(&report);
    Ok(if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: &Report) {
    println!("lines asked for: {} shown, {} open", report.ticked, report.open.len());
    for line in &report.open {
        println!("  open  {line}");
    }
    for (page, counts) in &report.counts {
        let reasons: Vec<String> =
            counts.reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        println!("{page:7} {:3} numbers: {} with tests, {}", counts.all, counts.tested, reasons.join(", "));
    }
    let promoted = report.promote.len();
    if promoted > 0 {
        println!("{promoted} numbers have a test now, so their reason can go: {}", report.promote.join(" "));
    }
    for failure in &report.failures {
        println!("FAIL {failure}");
    }
    println!("coverage: {} failures", report.failures.len());
}
