//! Sets aside what members may need at terminals, before those are offline.

use hufu_shared::money::Unit;

use super::next_round;
use crate::app::App;
use crate::store::{StoreError, leases};

/// Milliseconds between rounds.
const ROUND_MS: u64 = 20_000;

/// One round: every member whom other terminals have seen lately, at every terminal of that office.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn round(app: &App) -> Result<u64, StoreError> {
    let now = app.now();
    let pairs = app.db.read(move |tx| leases::candidates(tx, now)).await?;
    let mut granted = 0;
    for pair in pairs {
        for unit in [Unit::Pts, Unit::Cny] {
            let Ok(entry) = app.entry_id() else { return Ok(granted) };
            let done = app.write(move |tx| leases::grant_ahead(tx, pair, unit, (entry, now))).await?;
            granted += u64::from(done);
        }
    }
    Ok(granted)
}

/// Runs until the service stops.
pub async fn run(app: App) {
    while next_round(&app, ROUND_MS).await {
        match round(&app).await {
            Ok(0) => {}
            Ok(granted) => tracing::info!(granted, "set aside for terminals"),
            Err(error) => tracing::error!(%error, "nothing could be set aside for terminals"),
        }
    }
}
