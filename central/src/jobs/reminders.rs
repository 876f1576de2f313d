//! Members with a place at a holding that begins within a day are to be reminded of it (K25). What is due follows from the
//! books: whoever was reminded of that start is not among them any more, so a run that was cut short goes on with the rest.

use hufu_shared::act::Actor;

use super::{Going, JobError};
use crate::app::App;
use crate::rules::jobs::Job;
use crate::store::activities;

/// Holdings of one run; the next run takes the others.
const HOLDINGS_MAX: i64 = 500;

/// How many holdings have members to be reminded, counted up to a limit.
pub(super) async fn count(app: &App, limit: i64) -> Result<u64, JobError> {
    let now = app.now();
    let due = app.db.read(move |tx| activities::to_remind(tx, now, limit)).await?;
    Ok(super::counted(due.len()))
}

/// Reminds them; counts holdings.
pub(super) async fn perform(going: &mut Going<'_>) -> Result<u64, JobError> {
    let now = going.app.now();
    let due = going.app.db.read(move |tx| activities::to_remind(tx, now, HOLDINGS_MAX)).await?;
    for occurrence in due {
        let mut some = false;
        loop {
            let (entry, now) = (going.app.entry_id()?, going.app.now());
            let actor = Actor::Job(Job::Reminders.code().to_owned());
            let remind =
                move |tx: &mut crate::db::Tx<'_>| activities::remind(tx, occurrence, (entry, &actor), now);
            let reminded = going.app.write(remind).await?;
            if reminded == 0 {
                break;
            }
            some = true;
        }
        going.did(u64::from(some)).await?;
    }
    Ok(0)
}
