//! What people left open: activities end that nobody ended (K26), and terminals' days are counted that nobody closed.

use hufu_shared::time::OfficeClock;

use super::{Going, JobError};
use crate::app::App;
use crate::store::jobs::{self, ACTIVITIES_STEP_MAX};
use crate::store::{overview, people};

/// How many activities would end, counted up to a limit.
pub(super) async fn count_activities(app: &App, limit: i64) -> Result<u64, JobError> {
    let now = app.now();
    let due = app.db.read(move |tx| jobs::activities_due(tx, now, limit)).await?;
    Ok(super::counted(due.len()))
}

/// Ends activities that were left open.
pub(super) async fn end_activities(going: &mut Going<'_>) -> Result<u64, JobError> {
    loop {
        let now = going.app.now();
        let due = going.app.db.read(move |tx| jobs::activities_due(tx, now, ACTIVITIES_STEP_MAX)).await?;
        if due.is_empty() {
            return Ok(0);
        }
        for row in due {
            let (entry, now) = (going.app.entry_id()?, going.app.now());
            let ended = going.app.write(move |tx| jobs::end_activity(tx, &row, entry, now)).await?;
            going.did(u64::from(ended)).await?;
        }
    }
}

/// How many days of terminals nobody closed.
pub(super) async fn count_days(app: &App) -> Result<u64, JobError> {
    let clock = app.db.read(people::offices).await?.first().map(|row| row.clock.clone());
    let today = clock.unwrap_or_else(OfficeClock::default).business_day(app.now());
    let open = app.db.read(move |tx| overview::unclosed(tx, "", today, i64::MAX)).await?;
    Ok(super::counted(open.len()))
}

/// Says how many days of terminals nobody closed. Only who was there can close them: they are left.
pub(super) async fn tell_days(going: &mut Going<'_>) -> Result<u64, JobError> {
    let open = count_days(going.app).await?;
    if open > 0 {
        tracing::warn!(open, "terminals' days are not closed");
    }
    Ok(open)
}
