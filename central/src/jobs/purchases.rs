//! The weekly message to those who bought (G7), once for each week that is over. Weeks that were missed are caught up one
//! by one; a run that was cut short starts its week again, and nobody is told twice of a week.

use hufu_shared::ids::MemberId;
use hufu_shared::time::Day;

use super::next_round;
use crate::app::{ActError, App};
use crate::store::purchases;

/// Milliseconds between looks whether a week is over.
const ROUND_MS: u64 = 600_000;
/// Milliseconds from the start of the service to the first look: what was on its way then is taken in first.
const FIRST_ROUND_MS: u64 = 300_000;

/// Tells all weeks that are due; answers the newest of them.
///
/// # Errors
/// [`ActError`]; the next round goes on.
pub async fn round(app: &App) -> Result<Option<Day>, ActError> {
    let mut newest = None;
    loop {
        let now = app.now();
        let Some(week) = app.db.read(move |tx| purchases::due(tx, now)).await? else { return Ok(newest) };
        let mut after = Some(MemberId([0; 16]));
        while let Some(from) = after {
            if app.is_stopping() {
                return Ok(newest);
            }
            let (entry, now) = (app.entry_id()?, app.now());
            after = app.write(move |tx| purchases::step(tx, (week, from), entry, now)).await?;
        }
        newest = Some(week);
    }
}

/// Runs until the service stops.
pub async fn run(app: App) {
    let mut wait_ms = FIRST_ROUND_MS;
    while next_round(&app, wait_ms).await {
        wait_ms = ROUND_MS;
        match round(&app).await {
            Ok(None) => {}
            Ok(Some(week)) => tracing::info!(week = week.0, "who bought in the week is to be told"),
            Err(error) => tracing::error!(%error, "who bought in the week could not be told"),
        }
    }
}
