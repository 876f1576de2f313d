//! `hufu-central import`: takes members, cards, offices or activities from a CSV file.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::import::run::{self, Means, Report, Request};
use crate::import::{BAD_ROWS_SHOWN_MAX, Kind};

/// Everything was taken, or could be.
pub const EXIT_TAKEN: u8 = 0;
/// Rows are bad; without `--partial` nothing was taken.
pub const EXIT_BAD_ROWS: u8 = 3;

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = columns_help())]
pub struct ImportArgs {
    /// What the file holds
    #[arg(value_enum)]
    pub kind: Kind,
    /// The CSV file: UTF-8, first row is the header
    #[arg(required_unless_present = "template")]
    pub file: Option<PathBuf>,
    /// Tell what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Take the good rows even if others are bad
    #[arg(long)]
    pub partial: bool,
    /// Take a file that was taken before
    #[arg(long)]
    pub force: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Print an empty file with the header and one example row, and stop
    #[arg(long)]
    pub template: bool,
}

/// Runs the command; prints its report and answers the exit code.
///
/// # Errors
/// If the file cannot be read as a whole, was taken before, or the database fails.
pub async fn run(args: &ImportArgs, means: &Means<'_>) -> anyhow::Result<u8> {
    let path = args.file.as_ref().context("no file was named")?;
    let bytes = std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let request = Request {
        kind: args.kind,
        name,
        bytes,
        partial: args.partial,
        dry_run: args.dry_run,
        force: args.force,
    };
    let report =
        run::import(means, request).await.with_context(|| format!("failed to import {}", path.display()))?;
    run::publish(means.db).await.context("failed to number what was imported")?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", told(&report, args.dry_run));
    }
    Ok(if report.rejected > 0 { EXIT_BAD_ROWS } else { EXIT_TAKEN })
}

/// The report in words.
fn told(report: &Report, dry_run: bool) -> String {
    let mut text = String::new();
    for cell in &report.bad {
        let _ = writeln!(text, "{cell}");
    }
    if report.bad_cells > BAD_ROWS_SHOWN_MAX {
        let _ = writeln!(text, "… and {} more", report.bad_cells - BAD_ROWS_SHOWN_MAX);
    }
    let _ = writeln!(
        text,
        "{}: {} rows; new {}, changed {}, unchanged {}, rejected {}",
        report.kind.code(),
        report.rows,
        report.new,
        report.changed,
        report.unchanged,
        report.rejected
    );
    text.push_str(match (report.imported, dry_run) {
        (true, _) => "imported\n",
        (false, true) => "dry run: nothing was changed\n",
        (false, false) => {
            "nothing was imported: correct the rows above, or take the good ones with --partial\n"
        }
    });
    text
}

fn columns_help() -> String {
    let mut text = String::from("Columns (English or Chinese name in the header; * must be filled):\n");
    for kind in Kind::ALL {
        let _ = writeln!(text, "\n{}", kind.code());
        for column in kind.columns() {
            let star = if column.required { "*" } else { " " };
            let _ = writeln!(text, " {star} {} ({}): {}", column.name, column.zh, column.holds);
        }
    }
    text.push_str("\nExit codes: 0 taken (or dry run without bad rows), 3 bad rows, 1 anything else.\n");
    text
}
