//! `hufu-central import`: takes members, cards, offices, activities, opening balances or history from a file.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::console::words::Language;
use crate::import::grid::Encoding;
use crate::import::mapping::Mapping;
use crate::import::run::{self, Means, Report, Request};
use crate::import::sheet::Reading;
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
    /// The file: CSV in UTF-8 or GB18030, or a workbook (.xlsx); its first row is the header
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
    /// The sheet of a workbook; the first one if none is named
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// The encoding of a CSV file
    #[arg(long, value_enum, default_value_t)]
    pub encoding: Encoding,
    /// Which header stands for a column, such as number=客户编号; may stand several times
    #[arg(long, value_name = "COLUMN=HEADER", value_parser = pair)]
    pub map: Vec<(String, String)>,
    /// A file of such mappings: lines as number = "客户编号", and ignore = ["备注"]
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// A header whose cells are not looked at; may stand several times
    #[arg(long, value_name = "HEADER")]
    pub ignore: Vec<String>,
    /// What the batch of balances or history is called; the same rows of one batch are taken once
    #[arg(long, value_name = "NAME")]
    pub batch: Option<String>,
    /// Cause of opening balances whose rows give none
    #[arg(long, value_name = "TEXT")]
    pub cause: Option<String>,
    /// Where to write the rows that were not taken, and those that look like somebody (.csv or .xlsx)
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Language of the report file: zh-CN or en
    #[arg(long, value_name = "LANGUAGE", default_value = "zh-CN", value_parser = language)]
    pub language: Language,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Print an empty file with the header and one example row, and stop
    #[arg(long)]
    pub template: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (column, header) = text.split_once('=').ok_or("expected COLUMN=HEADER")?;
    Ok((column.trim().to_owned(), header.trim().to_owned()))
}

/// The language of a tag, as an argument of a command.
///
/// # Errors
/// What was expected.
pub fn language(text: &str) -> Result<Language, String> {
    Language::from_tag(text).ok_or_else(|| "expected zh-CN or en".to_owned())
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
        partial: args.partial,
        dry_run: args.dry_run,
        force: args.force,
        reading: Reading { mapping: mapping(args)?, sheet: args.sheet.clone(), encoding: args.encoding },
        batch: args.batch.clone(),
        cause: args.cause.clone(),
        ..Request::new(args.kind, name, bytes)
    };
    let report =
        run::import(means, request).await.with_context(|| format!("failed to import {}", path.display()))?;
    run::publish(means.db).await.context("failed to number what was imported")?;
    if let Some(path) = &args.report {
        report.details.write(args.kind, args.language, path).context("failed to write the report")?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", told(&report, args.dry_run));
    }
    Ok(if report.rejected > 0 { EXIT_BAD_ROWS } else { EXIT_TAKEN })
}

/// What the arguments say of the headers; what stands on the command line goes before the file.
fn mapping(args: &ImportArgs) -> anyhow::Result<Mapping> {
    let mut mapping = match &args.mapping {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| format!("failed to read {}", path.display()))?;
            Mapping::read(args.kind, &text)?
        }
        None => Mapping::default(),
    };
    for (column, header) in &args.map {
        mapping.map(args.kind, column, header)?;
    }
    args.ignore.iter().for_each(|header| mapping.ignore(header));
    Ok(mapping)
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
        "{} ({}): {} rows; new {}, changed {}, unchanged {}, rejected {}",
        report.kind.code(),
        report.read_as,
        report.rows,
        report.new,
        report.changed,
        report.unchanged,
        report.rejected
    );
    if report.alike > 0 {
        let _ = writeln!(
            text,
            "{} new rows look like a member who is there, or like an earlier row; --report FILE names them",
            report.alike
        );
    }
    for (unit, sum) in &report.sums {
        let _ = writeln!(text, "new openings in {unit}: {sum}");
    }
    text.push_str(match (report.imported, dry_run) {
        (true, _) if report.new + report.changed == 0 => "nothing changed: all of it was here already\n",
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
