//! The weekly message to those who bought (G7), once for each week that is over. Weeks that were missed are caught up one
//! by one; a run that was cut short starts its week again, and nobody is told twice of a week.

use super::{FIRST_MEMBER, Going, JobError};
use crate::app::App;
use crate::store::purchases;

/// Whether a week is over that was not told.
pub(super) async fn is_due(app: &App) -> Result<bool, JobError> {
    let now = app.now();
    Ok(app.db.read(move |tx| purchases::due(tx, now)).await?.is_some())
}

/// How many would be told, once for each week that is due.
pub(super) async fn count(app: &App) -> Result<u64, JobError> {
    let now = app.now();
    Ok(app.db.read(move |tx| purchases::count(tx, now)).await?)
}

/// Tells all weeks that are due.
pub(super) async fn perform(going: &mut Going<'_>) -> Result<u64, JobError> {
    loop {
        let now = going.app.now();
        let Some(week) = going.app.db.read(move |tx| purchases::due(tx, now)).await? else { return Ok(0) };
        let mut after = Some(FIRST_MEMBER);
        while let Some(from) = after {
            let (entry, now) = (going.app.entry_id()?, going.app.now());
            let step = move |tx: &mut crate::db::Tx<'_>| purchases::step(tx, (week, from), entry, now);
            let (told, last) = going.app.write(step).await?;
            going.did(super::counted(told)).await?;
            after = last;
        }
    }
}
