//! `simulate`: plays many seeds over all processors and says what they met.
//!
//! Exit codes: 0 all held; 1 an invariant was broken or a run failed, the seeds are named; 2 nothing was broken, but
//! something that a run must meet was not met.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;
use hufu_tests::simulate::club::Club;
use hufu_tests::simulate::counters::Counters;
use hufu_tests::simulate::{Played, Size, play};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plays clubs of terminals and their centre on virtual time
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// Terminals of each run
    #[arg(long, default_value_t = 20)]
    devices: usize,
    /// Members of each run
    #[arg(long, default_value_t = 500)]
    members: usize,
    /// Days of each run
    #[arg(long, default_value_t = 3)]
    days: usize,
    /// The first seed; with --seeds 1 a replay of it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seeds at once; all processors if not given
    #[arg(long)]
    threads: Option<usize>,
    /// Where the files of the runs are made and removed; a disk in memory if there is one
    #[arg(long)]
    scratch: Option<PathBuf>,
    /// Keep the centre's database of broken seeds in this folder
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Print each seed with its digest
    #[arg(long)]
    verbose: bool,
    /// Do not insist on what a run must meet
    #[arg(long)]
    any: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let memory = PathBuf::from("/dev/shm");
    let scratch = args.scratch.clone().unwrap_or(if memory.is_dir() { memory } else { std::env::temp_dir() });
    let size = Size { devices: args.devices, members: args.members, days: args.days };
    let club = Club::found(&scratch, size)?;
    let threads = args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let next = AtomicU64::new(args.seed);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= args.seed + args.seeds {
                        return;
                    }
                    let played = play(&club, seed, args.keep.as_deref());
                    tell(seed, &played, args.verbose);
                    if let Ok(mut results) = results.lock() {
                        results.push(played);
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_default();
    Ok(sum_up(&results, &args))
}

fn tell(seed: u64, played: &anyhow::Result<Played>, verbose: bool) {
    match played {
        Err(error) => println!("seed {seed}: failed: {error:#}"),
        Ok(played) => {
            if verbose {
                println!("seed {seed}: {} ({} steps, {} swipes)", played.digest, played.steps, played.swipes);
            }
            for violation in &played.violations {
                let hours = violation.at / 3_600_000_000;
                println!("seed {seed}: step {} (hour {hours}): {}", violation.step, violation.what);
            }
        }
    }
}

fn sum_up(results: &[anyhow::Result<Played>], args: &Args) -> ExitCode {
    let mut counters = Counters::default();
    let (mut steps, mut swipes, mut broken) = (0, 0, 0);
    for result in results {
        match result {
            Ok(played) => {
                counters.add(&played.counters);
                (steps, swipes) = (steps + played.steps, swipes + played.swipes);
                broken += u64::from(!played.violations.is_empty());
            }
            Err(_) => broken += 1,
        }
    }
    print!("{}", counters.table());
    println!("{} seeds, {steps} steps, {swipes} swipes; {broken} seeds broken", results.len());
    let missing = counters.missing();
    if broken > 0 {
        return ExitCode::from(1);
    }
    if !missing.is_empty() && !args.any {
        println!("not met, though a run must: {}", missing.join(", "));
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}
