//! `mutants`: switches the known wrong turns of the cores on, one at a time, and says which check notices each.
//!
//! A wrong turn in the moving parts must be noticed by the simulator within some seeds; one in a pure rule by the
//! property that the rule's tests hold, asked here of the same public function. First all are off and nothing may be
//! noticed. Exit codes: 0 every mutant that has a check is noticed; 1 one is not, or something is noticed with all off.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use hufu_shared::mutant::{self, Mutant};
use hufu_tests::simulate::club::Club;
use hufu_tests::simulate::{Size, play};

mod rules;

/// Shows that each known wrong turn would be noticed
#[derive(Debug, Parser)]
struct Args {
    /// Seeds of the simulator per mutant, at most
    #[arg(long, default_value_t = 40)]
    seeds: u64,
    /// Only this one, by its name in the code
    #[arg(long)]
    only: Option<String>,
    /// Where the files of the runs are made and removed
    #[arg(long, default_value = "/dev/shm")]
    scratch: PathBuf,
}

/// Runs of the simulator are small: a wrong turn that only shows in a crowd would be a rare one.
const SIZE: Size = Size { devices: 6, members: 40, days: 1 };
/// Mutants that the simulator must notice by itself.
const BY_SIMULATOR: [Mutant; 14] = [
    Mutant::VersionBeforeCommit,
    Mutant::AckBeforeSync,
    Mutant::DedupeByTime,
    Mutant::CursorOutsideTransaction,
    Mutant::ForkOnStraddle,
    Mutant::StoredClockSample,
    Mutant::PinIgnoredAsBound,
    Mutant::DoubleTapByWallClock,
    Mutant::ReceiptAppliedTwice,
    Mutant::VerdictOverriddenByLateFact,
    Mutant::BlockIgnoredUntilDirectory,
    Mutant::BatchStuckOnPoison,
    Mutant::DeskJudgedApart,
    Mutant::TopUpReversedByAnyone,
];

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let club = Club::found(&args.scratch, SIZE)?;
    let mut failed = false;
    if args.only.is_none() {
        failed |= told("none", noticed(&club, None, args.seeds.min(10)), false);
    }
    let wanted = |mutant: &Mutant| args.only.as_ref().is_none_or(|name| *name == format!("{mutant:?}"));
    let (mut caught, mut checked) = (0, 0);
    for mutant in Mutant::ALL.into_iter().filter(wanted) {
        let name = format!("{mutant:?}");
        let Some(by) = noticed_by_any(&club, mutant, args.seeds) else {
            println!("{name:<30} has no check yet");
            continue;
        };
        checked += 1;
        let missed = told(&name, by, true);
        caught += u32::from(!missed);
        failed |= missed;
    }
    println!("{caught} of {checked} mutants with a check were noticed; there are {}", Mutant::ALL.len());
    Ok(ExitCode::from(u8::from(failed)))
}

/// Prints what became of a mutant; whether that is not what should be.
fn told(name: &str, by: Option<String>, should: bool) -> bool {
    match &by {
        Some(by) => println!("{name:<30} noticed by {by}"),
        None => println!("{name:<30} not noticed"),
    }
    by.is_some() != should
}

/// What notices a mutant: none if nothing looks for it, or what was said.
fn noticed_by_any(club: &Club, mutant: Mutant, seeds: u64) -> Option<Option<String>> {
    if BY_SIMULATOR.contains(&mutant) {
        return Some(noticed(club, Some(mutant), seeds));
    }
    let rule = rules::of(mutant)?;
    let broken = mutant::with(Some(mutant), || (rule.check)());
    Some(broken.err().map(|words| format!("{}: {words}", rule.name)))
}

/// What the simulator says first.
fn noticed(club: &Club, mutant: Option<Mutant>, seeds: u64) -> Option<String> {
    (1..=seeds).find_map(|seed| {
        let played = mutant::with(mutant, || {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(club, seed, None)))
        });
        let words = match played {
            Ok(Ok(played)) => played.violations.first()?.what.clone(),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "a core's own assertion".to_owned(),
        };
        Some(format!("the simulator, seed {seed}: {}", words.chars().take(110).collect::<String>()))
    })
}
