//! Triggers (K21): makes a change of points that waits for approval of what terminals recorded.
//!
//! Each change has a name of its trigger and its fact, so a step that runs twice makes nothing twice; and a trigger goes on
//! where it had looked to, so what was taken in while nothing ran is caught up.

use super::{Going, JobError};
use crate::app::App;
use crate::store::points;

/// Whether a trigger has something to look at that it has not kept.
pub(super) async fn is_due(app: &App) -> Result<bool, JobError> {
    Ok(app.db.read(points::is_due).await?)
}

/// How many changes the triggers would make.
pub(super) async fn count(app: &App) -> Result<u64, JobError> {
    Ok(app.db.read(points::count_due).await?)
}

/// Makes all changes that are due.
pub(super) async fn perform(going: &mut Going<'_>) -> Result<u64, JobError> {
    loop {
        let (entry, now) = (going.app.entry_id()?, going.app.now());
        match going.app.write(move |tx| points::step(tx, entry, now)).await? {
            Some(made) => going.did(super::counted(made)).await?,
            None => return Ok(0),
        }
    }
}
