//! Ends cases whose time is up: what their automatic outcome left open stays without effect.

use super::{Going, JobError};
use crate::app::App;
use crate::store::cases::{self, CASES_ENDED_MAX};

/// How many cases would end, counted up to a limit.
pub(super) async fn count(app: &App, limit: i64) -> Result<u64, JobError> {
    let now = app.now();
    let cases = app.db.read(move |tx| cases::overdue(tx, now, limit)).await?;
    Ok(super::counted(cases.len()))
}

/// Ends all cases whose time is up.
pub(super) async fn perform(going: &mut Going<'_>) -> Result<u64, JobError> {
    loop {
        let (id, now) = (going.app.entry_id()?, going.app.now());
        let some = going.app.write(move |tx| cases::end_overdue(tx, id, now)).await?;
        going.did(super::counted(some)).await?;
        if i64::try_from(some).unwrap_or(i64::MAX) < CASES_ENDED_MAX {
            return Ok(0);
        }
    }
}
