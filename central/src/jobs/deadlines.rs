//! Ends cases whose time is up: what their automatic outcome left open stays without effect.

use super::next_round;
use crate::app::{ActError, App};
use crate::store::cases::{self, CASES_ENDED_MAX};

/// Milliseconds between rounds.
const ROUND_MS: u64 = 60_000;

/// Ends all cases whose time is up, unless the service stops; answers how many.
///
/// # Errors
/// [`ActError`] if the database fails, or no id can be made.
pub async fn round(app: &App) -> Result<usize, ActError> {
    let mut ended = 0;
    loop {
        let (id, now) = (app.entry_id()?, app.now());
        let some = app.write(move |tx| cases::end_overdue(tx, id, now)).await?;
        ended += some;
        if i64::try_from(some).unwrap_or(i64::MAX) < CASES_ENDED_MAX || app.is_stopping() {
            return Ok(ended);
        }
    }
}

/// Runs until the service stops.
pub async fn run(app: App) {
    loop {
        match round(&app).await {
            Ok(0) => {}
            Ok(ended) => tracing::info!(ended, "cases ended by themselves"),
            Err(error) => tracing::error!(%error, "cases whose time is up could not be ended"),
        }
        if !next_round(&app, ROUND_MS).await {
            return;
        }
    }
}
