//! Takes off points that ran out, once for each day that is over.

use hufu_shared::time::Day;

use super::next_round;
use crate::app::{ActError, App};
use crate::store::expiry::{self, Step};

/// Milliseconds between looks whether a day is over.
const ROUND_MS: u64 = 600_000;
/// Milliseconds from the start of the service to the first look: what was on its way then is taken in first.
const FIRST_ROUND_MS: u64 = 300_000;

/// Runs the newest day that is over, and with it all days since the last run; answers which. Nothing is run twice, and
/// nothing while the centre recovers.
///
/// # Errors
/// [`ActError`] if the database fails, or no id can be made; the next round goes on.
pub async fn round(app: &App) -> Result<Option<Day>, ActError> {
    let now = app.now();
    let Some(run) = app.db.read(move |tx| expiry::due(tx, now)).await? else { return Ok(None) };
    let mut after = None;
    loop {
        let (id, now) = (app.entry_id()?, app.now());
        match app.write(move |tx| expiry::step(tx, run, after, id, now)).await? {
            // What was taken off stays so; the next start goes on with the rest.
            Step::Upto(_) if app.is_stopping() => return Ok(None),
            Step::Upto(member) => after = Some(member),
            Step::Done => return Ok(Some(run.cutoff)),
            Step::Recovering => return Ok(None),
        }
    }
}

/// Runs until the service stops.
pub async fn run(app: App) {
    let mut wait_ms = FIRST_ROUND_MS;
    while next_round(&app, wait_ms).await {
        wait_ms = ROUND_MS;
        match round(&app).await {
            Ok(None) => {}
            Ok(Some(day)) => tracing::info!(day = day.0, "points that ran out were taken off"),
            Err(error) => tracing::error!(%error, "points that ran out could not be taken off"),
        }
    }
}
