//! `kills`: so many SIGKILLs of the real terminal, with a summary; see the library's module `kill`.

use anyhow::Result;
use clap::Parser;
use hufu_tests::kill::{self, Plan};

/// Kills the real terminal again and again, and checks after each kill that nothing shown is lost or doubled.
#[derive(Debug, Parser)]
#[command(name = "kills")]
struct Arguments {
    /// SIGKILLs in all.
    #[arg(long, default_value_t = 10_000)]
    kills: u64,
    /// Terminals side by side.
    #[arg(long, default_value_t = 3)]
    lanes: usize,
    /// Kills of one terminal before it is drained and compared with the centre.
    #[arg(long, default_value_t = 250)]
    round: u64,
    /// Where the random numbers start.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let Arguments { kills, lanes, round, seed } = Arguments::parse();
    let plan = Plan { kills, lanes, kills_per_round: round, seed };
    let folder = tempfile::Builder::new().prefix("hufu-kills-").tempdir()?;
    let done = kill::play(folder.path(), &plan, |tally| println!("{tally}"));
    if done.is_err() {
        // The files of what failed are needed.
        let _ = folder.keep();
    }
    done.map(drop)
}
