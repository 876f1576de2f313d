//! What a club of a million members and ten million transfers costs its people: finding a member, a page of a statement,
//! and the end of the year.
//!
//! Searches and statement: over HTTP on loopback, once from the product (session, form token, keyed search, unsealing,
//! masking, words) and once from a bare server, whose handler runs the same query on one connection and answers with the
//! rows as they are; both sides are asked for the same members in turns, and what is reported is the median of the ratios
//! of the turns. What the bare query takes without any HTTP stands beside it. Expiry: the job's own steps, and between
//! them raw transactions of the rows that those steps wrote, put into the same tables again; so both sides meet tables of
//! the same size. On SQLite. Ends with 1 if a goal is missed.
//!
//! `cargo bench -p hufu-tests --bench membership [-- --members N --transfers N --rotations N --folder DIR]`; with a folder
//! the generated club stays there and is used again, until its points have run out.

#[path = "membership/asked.rs"]
mod asked;
#[path = "membership/expiry.rs"]
mod expiry;
#[path = "membership/site.rs"]
mod site;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use site::Site;

/// As the service has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Members and transfers, unless told otherwise.
const MEMBERS: usize = 1_000_000;
const TRANSFERS: usize = 10_000_000;
/// Turns of each question, unless told otherwise.
const ROTATIONS: usize = 20;

/// Reads the clock that turns are measured by.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub fn clock() -> Instant {
    Instant::now()
}

/// What to measure.
pub struct Arguments {
    /// Members of the club.
    pub members: usize,
    /// Opening balances of all of them.
    pub transfers: usize,
    /// Turns of each question.
    pub rotations: usize,
    /// Where the club stays; none for a folder that goes with the bench.
    pub folder: Option<PathBuf>,
}

fn arguments() -> Result<Arguments> {
    let mut given = std::env::args().skip(1);
    let mut arguments =
        Arguments { members: MEMBERS, transfers: TRANSFERS, rotations: ROTATIONS, folder: None };
    while let Some(word) = given.next() {
        let mut number = || -> Result<usize> {
            let next = given.next().with_context(|| format!("{word} wants a number"))?;
            next.parse().with_context(|| format!("{word} wants a number, not {next:?}"))
        };
        match word.as_str() {
            "--members" => arguments.members = number()?.max(100),
            "--transfers" => arguments.transfers = number()?,
            "--rotations" => arguments.rotations = number()?.max(3),
            "--folder" => arguments.folder = Some(given.next().context("--folder wants a path")?.into()),
            // Cargo's own, which every bench gets.
            _ => {}
        }
    }
    Ok(arguments)
}

fn main() -> Result<ExitCode> {
    let arguments = arguments()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let reached = runtime.block_on(measure(&arguments))?;
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(arguments: &Arguments) -> Result<bool> {
    let temporary = tempfile::Builder::new().prefix("hufu-membership-").tempdir()?;
    let folder = arguments.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    let site = Site::open(&folder, arguments).await?;
    let found = asked::measure(&site, arguments.rotations).await?;
    let expired = expiry::measure(&site, arguments.rotations).await?;
    site.app.db.close().await;
    Ok(found && expired)
}

/// Middle and quarters of what was measured, in rising order.
pub fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |part: usize| sorted.get(sorted.len().saturating_sub(1) * part / 4).copied().unwrap_or(f64::NAN);
    [at(1), at(2), at(3)]
}

/// Milliseconds of one of so many.
pub fn ms(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e3 / count.max(1) as f64
}
