//! Thousands of SIGKILLs of the real terminal at random instants, while a harness keeps its own books of what was shown
//! (goals G1 and G3, invariant I6).
//!
//! A lane is one terminal with its reader, light, staff and cable ([`lane`]); what anybody saw of a run is in [`seen`];
//! after each kill [`audit`] reads the journal from the disk and holds the two against each other. Kills fall into
//! starts, swipes, orders of staff and uploads to a real centre. At the end of a round every queue drains and the centre
//! must hold the same facts.
//!
//! Out of scope: power cuts (a killed process leaves its writes in the page cache), and what the centre makes of facts.

pub mod audit;
pub mod cast;
pub mod dice;
pub mod lane;
pub mod page;
pub mod seen;

use crate::kit::clock;
use crate::story::centre::Centre;
use crate::story::{check, cli, club};
use anyhow::{Context as _, Result, anyhow, ensure};
use dice::Dice;
use lane::{Killed, Lane, Phase};
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Kills in all.
    pub kills: u64,
    /// Terminals that are killed side by side.
    pub lanes: usize,
    /// Kills of one terminal before it is drained, compared and replaced.
    pub kills_per_round: u64,
    /// Where the random numbers start.
    pub seed: u64,
}

/// What came of it; all of it without anything lost or doubled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// SIGKILLs.
    pub kills: u64,
    /// Before the start was recorded.
    pub before_boot: u64,
    /// During the start, after it was recorded.
    pub starting: u64,
    /// During work.
    pub working: u64,
    /// With a whole cable and facts that were not receipted: during or just before an upload.
    pub uploading: u64,
    /// Cards presented.
    pub presented: u64,
    /// Cues of the light that told of a fact.
    pub cues: u64,
    /// Lines of the counter page.
    pub lines: u64,
    /// Answers to confirmations and verdicts.
    pub answers: u64,
    /// Facts of cards found in the journals.
    pub swipes: u64,
    /// Of them, those that were recorded and that nobody had seen.
    pub unseen: u64,
    /// Value facts listed for staff, summed over the starts that listed them.
    pub listed: u64,
    /// Facts compared byte by byte with the centre at the end.
    pub compared: u64,
    /// Seconds that the kills took, without founding and comparing.
    pub took: Duration,
}

impl Tally {
    fn note(&mut self, killed: &Killed) {
        let Killed { phase, seen, found, cabled } = killed;
        self.kills += 1;
        match phase {
            Phase::BeforeBoot => self.before_boot += 1,
            Phase::Starting => self.starting += 1,
            Phase::Working => self.working += 1,
        }
        self.uploading += u64::from(*cabled && found.queued > 0);
        self.presented += seen.presented.len() as u64 + seen.strangers + seen.lost;
        self.cues += seen.cues.len() as u64;
        self.lines += seen.lines.len() as u64;
        let verdicts = seen.verdicts.values().filter(|(_, answered)| *answered).count();
        self.answers += (seen.confirmed.len() + verdicts) as u64;
        self.swipes += found.swipes;
        self.unseen += found.unseen;
        self.listed += seen.listed.as_ref().map_or(0, |listed| listed.len() as u64);
    }

    fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.before_boot += other.before_boot;
        self.starting += other.starting;
        self.working += other.working;
        self.uploading += other.uploading;
        self.presented += other.presented;
        self.cues += other.cues;
        self.lines += other.lines;
        self.answers += other.answers;
        self.swipes += other.swipes;
        self.unseen += other.unseen;
        self.listed += other.listed;
        self.compared += other.compared;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_s = self.kills as f64 / self.took.as_secs_f64().max(0.001);
        writeln!(f, "kills: {} in {:.0} s, {per_s:.1} per second", self.kills, self.took.as_secs_f64())?;
        writeln!(
            f,
            "  before a start was recorded: {}, during a start: {}, at work: {}, with facts to upload: {}",
            self.before_boot, self.starting, self.working, self.uploading
        )?;
        writeln!(
            f,
            "  presented: {}; shown by the light: {}, by the page: {}, answered: {}",
            self.presented, self.cues, self.lines, self.answers
        )?;
        writeln!(
            f,
            "  facts of cards: {}, recorded and not seen: {}, listed for staff: {}",
            self.swipes, self.unseen, self.listed
        )?;
        write!(
            f,
            "  shown and lost: 0, doubled: 0, damaged files: 0; compared with the centre: {}",
            self.compared
        )
    }
}

/// Does it, round after round, each in its own folder under `folder`; `say` hears after each round.
///
/// # Errors
/// At the first thing that is lost, doubled or damaged: says which round and lane, whose files stay in the folder.
pub fn play(folder: &Path, plan: &Plan, say: impl Fn(&Tally)) -> Result<Tally> {
    let mut dice = Dice::new(plan.seed);
    let mut total = Tally::default();
    let mut round = 0;
    while total.kills < plan.kills {
        let place = folder.join(format!("round-{round}"));
        let lanes = plan.lanes.max(1);
        let left = (plan.kills - total.kills).div_ceil(lanes as u64).min(plan.kills_per_round);
        let (tally, took) = one_round(&place, lanes, left, dice.roll())
            .with_context(|| format!("in round {round} of seed {}: {}", plan.seed, place.display()))?;
        total.add(&tally);
        total.took += took;
        say(&total);
        // What went well is not kept: thousands of kills would fill the disk.
        std::fs::remove_dir_all(&place).context("failed to remove a round's files")?;
        round += 1;
    }
    Ok(total)
}

fn one_round(folder: &Path, lanes: usize, kills: u64, seed: u64) -> Result<(Tally, Duration)> {
    let mut centre = Centre::found(&folder.join("central"), None, &[])?;
    let (members, cards) = cast::csv(lanes);
    centre.import("offices", &club::offices_csv())?;
    centre.import("members", &members)?;
    centre.import("cards", &cards)?;
    centre.import("activities", &club::activities_csv())?;
    centre.serve()?;
    let mut all = Vec::new();
    for lane in 0..lanes {
        let place = folder.join(format!("lane-{lane}"));
        all.push(Lane::enrol(&place, &centre, lane, seed.wrapping_add(lane as u64))?);
    }
    let started = clock::now();
    let mut tally = Tally::default();
    for part in side_by_side(&mut all, |lane| killed_often(lane, kills))? {
        tally.add(&part);
    }
    let took = started.elapsed();
    let sides = side_by_side(&mut all, Lane::drain)?;
    let differences = check::compare_facts(&sides, &centre.engine)?;
    ensure!(differences.is_empty(), "the centre has other facts:\n{}", differences.join("\n"));
    tally.compared = sides.iter().map(|side| side.journal.facts.len() as u64).sum();
    cli::must(centre.command()?.arg("verify")).context("`hufu-central verify` found something")?;
    centre.stop()?;
    Ok((tally, took))
}

fn killed_often(lane: &mut Lane, kills: u64) -> Result<Tally> {
    let mut tally = Tally::default();
    for kill in 0..kills {
        tally.note(&lane.kill_once().with_context(|| format!("at kill {kill} of {}", lane.terminal.name))?);
    }
    Ok(tally)
}

/// Does the same with every lane at once.
fn side_by_side<T: Send>(lanes: &mut [Lane], work: impl Fn(&mut Lane) -> Result<T> + Sync) -> Result<Vec<T>> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = lanes.iter_mut().map(|lane| scope.spawn(move || work(lane))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("a lane's thread panicked"))))
            .collect()
    })
}
