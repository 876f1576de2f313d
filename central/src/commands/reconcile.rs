//! `hufu-central reconcile`: compares what every terminal recorded on a business day with the ledger.

use std::fmt::Write as _;

use clap::Args;
use hufu_shared::ids::DeviceId;
use hufu_shared::time::Day;
use serde::Serialize;

use crate::db::Db;
use crate::rules::reconcile::{DayState, TerminalDay};
use crate::store::{StoreError, reconcile};

/// Every terminal agrees with the ledger, or its day is open and agrees so far.
pub const EXIT_AGREES: u8 = 0;
/// Something differs that nothing explains; it was printed.
pub const EXIT_DIFFERS: u8 = 5;

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct ReconcileArgs {
    /// The business day, as YYYY-MM-DD
    #[arg(long)]
    pub day: Day,
    /// Print every line of every terminal as JSON
    #[arg(long)]
    pub json: bool,
}

/// One terminal's day, with its name.
#[derive(Debug, Serialize)]
struct Reconciled {
    device: DeviceId,
    name: String,
    #[serde(flatten)]
    day: TerminalDay,
}

/// Runs the command; prints the comparison and answers the exit code.
///
/// # Errors
/// If the database cannot be read.
pub async fn run(args: &ReconcileArgs, db: &Db) -> anyhow::Result<u8> {
    let day = args.day;
    let days = db
        .read(move |tx| {
            reconcile::terminals(tx)?
                .into_iter()
                .map(|terminal| {
                    let day = reconcile::day(tx, terminal.device, day)?;
                    Ok(Reconciled { device: terminal.device, name: terminal.name, day })
                })
                .collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    // A terminal that had nothing to do on that day has nothing to agree on.
    let days: Vec<Reconciled> = days
        .into_iter()
        .filter(|terminal| !terminal.day.lines.is_empty() || terminal.day.closed.is_some())
        .collect();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&days)?);
    } else {
        print!("{}", told(day, &days));
    }
    let differs = days.iter().any(|terminal| terminal.day.state == DayState::Differs);
    Ok(if differs { EXIT_DIFFERS } else { EXIT_AGREES })
}

/// The comparison in words.
fn told(day: Day, days: &[Reconciled]) -> String {
    let mut text = String::new();
    for terminal in days {
        let state = match terminal.day.state {
            DayState::Agrees => "agrees",
            DayState::Open => "not closed yet, agrees so far",
            DayState::Differs => "DIFFERS",
        };
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "{}: {} facts, points promised {}, posted {}, explained by cases and merges {}: {state}",
            terminal.name,
            terminal.day.lines.len(),
            terminal.day.promised,
            terminal.day.posted,
            terminal.day.explained,
        );
        for line in terminal.day.lines.iter().filter(|line| !line.explained) {
            let _ = writeln!(
                text,
                "  fact {} ({}): promised {}, posted {}, and nothing explains it",
                line.fact, line.event, line.promised, line.posted
            );
        }
        if let Some(closed) = terminal.day.closed.as_ref().filter(|closed| **closed != terminal.day.reckoned)
        {
            let _ = writeln!(text, "  the terminal closed {closed:?}");
            let _ = writeln!(text, "  the centre reckons  {:?}", terminal.day.reckoned);
        }
    }
    let count = |state| days.iter().filter(|terminal| terminal.day.state == state).count();
    let _ = writeln!(
        text,
        "reconcile {day}: {} agree, {} not closed yet, {} differ",
        count(DayState::Agrees),
        count(DayState::Open),
        count(DayState::Differs)
    );
    text
}
