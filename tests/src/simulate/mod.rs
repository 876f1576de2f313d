//! The simulator: whole clubs of terminals and their centre in one thread, on virtual time, from one seed.
//!
//! It drives the cores that ship: the terminals' store, decisions and lanes over SQLite files, the centre's routes,
//! rules and store over a SQLite file. In between travel the encoded requests and answers, which a simulated net loses,
//! repeats, delays and reorders. Machines crash, disks forget, clocks jump, terminals are cloned and restored, the
//! centre is rolled back without a word; people swipe, decide, block and enrol meanwhile. The harness keeps its own
//! record and holds the cores to the invariants, all along and at the end.
//!
//! Invariants: one seed is one thread, and replays step by step in every process (its digest is printed and compared);
//! nothing is read from a real clock or a random source on the way to a decision.
//! Out of scope: TLS, sockets, processes, PostgreSQL and real disks; they have tests of their own.

mod arrival;
pub mod books;
pub mod centre;
mod checks;
pub mod club;
pub mod counters;
pub mod desk;
pub mod device;
mod dishonest;
pub mod faults;
mod figures;
mod leases;
mod lists;
mod net;
mod people;
pub mod random;
mod rare;
mod reckon;
pub mod run;
mod staff;
mod stranger;
pub mod time;
mod value;

#[cfg(test)]
mod tests;

use std::path::Path;

use hufu_shared::ids::Hash;

use centre::block_on;
use club::Club;
use counters::Counters;
use run::{Run, Violation};

/// How large a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Terminals.
    pub devices: usize,
    /// Members, each with a card.
    pub members: usize,
    /// Days.
    pub days: usize,
}

/// What the simulated cores can do; a feature that is not there yet is not asked of them.
#[derive(Debug, Clone, Copy)]
pub struct Features {
    /// The centre may be rolled back without a word.
    pub rollback: bool,
    /// A centre that was rolled back finds that out, and calls in everything; else new facts bring the old ones.
    pub recovery: bool,
}

/// What is asked of the cores.
pub const FEATURES: Features = Features { rollback: true, recovery: true };

/// What a seed came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The seed.
    pub seed: u64,
    /// The same for every replay.
    pub digest: Hash,
    /// Steps of the event loop.
    pub steps: u64,
    /// Cards presented.
    pub swipes: u64,
    /// What was met.
    pub counters: Counters,
    /// What must not have been.
    pub violations: Vec<Violation>,
}

/// Plays one seed. If something is broken, the centre's database is kept in a folder, if one is named.
///
/// # Errors
/// If something outside of the simulated parts fails, or a core answers an error where it must not.
pub fn play(club: &Club, seed: u64, keep: Option<&Path>) -> anyhow::Result<Played> {
    let mut run = Run::new(club, seed)?;
    run.play()?;
    if run.violations.is_empty() {
        run.check_end()?;
    }
    if let Some(folder) = keep.filter(|_| !run.violations.is_empty()) {
        run.centre.keep_copy(&folder.join(format!("seed-{seed}.db")))?;
    }
    Ok(Played {
        seed,
        digest: run.digest()?,
        steps: run.steps,
        swipes: run.swipes,
        counters: run.counters.clone(),
        violations: run.violations.clone(),
    })
}
