//! Triggers (K21): makes a change of points that waits for approval of what terminals recorded.
//!
//! Each change has a name of its trigger and its fact, so a step that runs twice makes nothing twice; and a trigger goes on
//! where it had looked to, so what was taken in while nothing ran is caught up.

use super::next_round;
use crate::app::{ActError, App};
use crate::store::points;

/// Milliseconds between rounds.
const ROUND_MS: u64 = 60_000;

/// Makes all changes that are due; answers how many.
///
/// # Errors
/// [`ActError`]; what was made before stays, and the next round goes on.
pub async fn round(app: &App) -> Result<usize, ActError> {
    let mut all = 0;
    while !app.is_stopping() {
        let (entry, now) = (app.entry_id()?, app.now());
        match app.write(move |tx| points::step(tx, entry, now)).await? {
            Some(made) => all += made,
            None => break,
        }
    }
    Ok(all)
}

/// Runs until the service stops.
pub async fn run(app: App) {
    while next_round(&app, ROUND_MS).await {
        match round(&app).await {
            Ok(0) => {}
            Ok(made) => tracing::info!(made, "changes of points wait for approval"),
            Err(error) => tracing::error!(%error, "changes of points could not be made"),
        }
    }
}
