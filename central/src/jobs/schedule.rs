//! Runs named jobs by the clock, one after another.
//!
//! Several processes over one database run it side by side: a job that one of them runs the others leave alone.

use hufu_shared::act::Actor;
use hufu_shared::time::OfficeClock;

use super::{JobError, begin, go_on, is_due, next_round};
use crate::app::App;
use crate::rules::jobs::{Job, may_look};
use crate::store::jobs::{self as runs, Began};

/// Milliseconds between looks.
const ROUND_MS: u64 = 60_000;
/// Milliseconds from the start of the service to the first look: what was on its way then is taken in first.
const FIRST_ROUND_MS: u64 = 300_000;
/// Who asks for what the clock asks for.
const CLOCK: &str = "clock";

/// Runs every job that is due.
pub async fn round(app: &App) {
    for job in Job::ALL {
        if app.is_stopping() {
            return;
        }
        match look(app, job).await {
            Ok(None) => {}
            Ok(Some(done)) => tracing::info!(job = job.code(), done, "job ran"),
            Err(JobError::Stopped) => return,
            Err(error) => tracing::error!(job = job.code(), %error, "job failed"),
        }
    }
}

/// Runs a job if it is due; answers how much was done.
async fn look(app: &App, job: Job) -> Result<Option<u64>, JobError> {
    let past = app.db.read(move |tx| runs::past(tx, job)).await?;
    if !may_look(job, past, &OfficeClock::default(), app.now()) || !is_due(app, job).await? {
        return Ok(None);
    }
    let by = Actor::Job(CLOCK.to_owned());
    match begin(app, job, &by).await? {
        (run, Began::Now) => go_on(app, job, run).await.map(Some),
        (_, Began::Other(_)) => Ok(None),
    }
}

/// Runs until the service stops.
pub async fn run(app: App) {
    let mut wait_ms = FIRST_ROUND_MS;
    while next_round(&app, wait_ms).await {
        wait_ms = ROUND_MS;
        round(&app).await;
    }
}
