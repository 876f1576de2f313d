//! Settles business days 40 days after they were.

use hufu_shared::time::Day;

use super::next_round;
use crate::app::{ActError, App};
use crate::store::acts;

/// Milliseconds between rounds.
const ROUND_MS: u64 = 3_600_000;
/// Milliseconds from the start of the service to the first round: what was on its way then is taken in first.
const FIRST_ROUND_MS: u64 = 600_000;

/// Settles the newest day that is due, and with it all before; answers which.
///
/// # Errors
/// [`ActError`] if the database fails, or no id can be made.
pub async fn round(app: &App) -> Result<Option<Day>, ActError> {
    let (id, now) = (app.entry_id()?, app.now());
    Ok(app.write(move |tx| acts::settle_day(tx, id, now)).await?)
}

/// Runs until the service stops.
pub async fn run(app: App) {
    let mut wait_ms = FIRST_ROUND_MS;
    while next_round(&app, wait_ms).await {
        wait_ms = ROUND_MS;
        match round(&app).await {
            Ok(None) => {}
            Ok(Some(day)) => tracing::info!(day = day.0, "business day settled"),
            Err(error) => tracing::error!(%error, "no business day could be settled"),
        }
    }
}
