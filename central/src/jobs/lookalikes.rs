//! Looks up whom applications to join look like, soon after they came in.

use std::sync::Arc;

use super::next_round;
use crate::app::App;
use crate::random::NoRandom;
use crate::store::lookalikes;
use crate::store::people::PeopleError;

/// Milliseconds between rounds: a person at a counter waits for no answer, but the inbox should have it at once.
const ROUND_MS: u64 = 5_000;

/// A round failed.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The books or the vault.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// No id could be made.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// Looks up every application that waits for it, unless the service stops; answers how many.
///
/// # Errors
/// [`LookError`]; what was looked up before stays so.
pub async fn round(app: &App) -> Result<u64, LookError> {
    let mut looked_up = 0;
    while !app.is_stopping() && app.db.read(lookalikes::is_waiting).await.map_err(PeopleError::from)? {
        let (id, now, vault, keys) = (app.entry_id()?, app.now(), app.vault.clone(), Arc::clone(&app.keys));
        let done = app.write(move |tx| lookalikes::look_up(tx, (&vault, keys.open_key()), id, now)).await?;
        looked_up += u64::from(done.is_some());
    }
    Ok(looked_up)
}

/// Runs until the service stops.
pub async fn run(app: App) {
    loop {
        match round(&app).await {
            Ok(0) => {}
            Ok(looked_up) => tracing::info!(looked_up, "applications looked up"),
            Err(error) => tracing::error!(%error, "applications could not be looked up"),
        }
        if !next_round(&app, ROUND_MS).await {
            return;
        }
    }
}
