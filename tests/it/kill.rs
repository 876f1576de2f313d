//! The real terminal is killed at random instants, during starts, swipes, orders and uploads: nothing that was shown is
//! lost or doubled, and its files are sound after each kill. `tests/long.sh kills` does the full number.

use anyhow::{Result, ensure};
use hufu_tests::kill::{self, Plan};

/// Kills of the quick run; the goal's full number takes too long for every change.
const KILLS: u64 = 300;
const LANES: usize = 3;

#[test]
fn goal_g01_300_kills_of_the_real_terminal_lose_and_double_nothing_that_was_shown() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("hufu-kill-").tempdir()?;
    let plan =
        Plan { kills: KILLS, lanes: LANES, kills_per_round: KILLS, seed: u64::from(std::process::id()) };
    let done = kill::play(folder.path(), &plan, |tally| println!("{tally}"));
    if done.is_err() {
        let _ = folder.keep();
    }
    let tally = done?;
    // Kills that fell into nothing would prove nothing.
    for (what, met) in [
        ("kills", tally.kills >= KILLS),
        ("kills before a start was recorded", tally.before_boot > 0),
        ("kills during a start", tally.starting > 0),
        ("kills at work", tally.working >= KILLS / 3),
        ("kills with facts to upload", tally.uploading > 0),
        ("facts seen", tally.lines >= KILLS && tally.cues >= KILLS),
        ("facts recorded and not seen", tally.unseen > 0),
        ("value facts listed for staff", tally.listed > 0),
        ("answers of the page", tally.answers > 0),
    ] {
        ensure!(met, "too few {what}: {tally}");
    }
    Ok(())
}
