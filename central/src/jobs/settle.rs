//! Settles business days 40 days after they were.

use hufu_shared::time::OfficeClock;

use super::{Going, JobError};
use crate::app::App;
use crate::rules::judge::settle;
use crate::store::{StoreError, acts, world};

/// How many days would be settled; one, with all before it, if none ever was.
pub(super) async fn count(app: &App) -> Result<u64, JobError> {
    let today = OfficeClock::default().business_day(app.now());
    let settled = app.db.read(world::settled).await?;
    let days = settle::due(today, settled).map_or(0, |due| settled.map_or(1, |settled| due.0 - settled.0));
    Ok(u64::try_from(days).unwrap_or(0))
}

/// Settles the newest day that is due, and with it all before.
pub(super) async fn perform(going: &mut Going<'_>) -> Result<u64, JobError> {
    let days = count(going.app).await?;
    let (id, now) = (going.app.entry_id()?, going.app.now());
    let settled =
        going.app.write(move |tx| -> Result<_, StoreError> { acts::settle_day(tx, id, now) }).await?;
    if let Some(day) = settled {
        tracing::info!(day = day.0, "business day settled");
        going.did(days).await?;
    }
    Ok(0)
}
