//! Raises members' levels within moments of what reaches them (B2); what ends is left to the job of the days that are over.
//!
//! Each process looks at what was taken in since it last looked, from the beginning of the day on when it starts. That is
//! kept nowhere: losing it costs a second look, and a member who rose is found where they stand. A club without levels
//! pays for reading its policy.

use hufu_shared::time::Instant;

use super::{JobError, counted, next_round};
use crate::app::App;
use crate::store::levels;

/// Milliseconds between rounds: who paid should find their level risen before they are out of the door.
const ROUND_MS: u64 = 2_000;
/// Members that are looked at in one transaction.
const MEMBERS_ROUND_MAX: usize = 200;

/// Raises all who rise by what was taken in after a moment, and moves it on; answers how many steps that were.
///
/// # Errors
/// [`JobError`]; what was raised stays so, and the next round looks at all again.
pub async fn round(app: &App, since: &mut Option<Instant>) -> Result<u64, JobError> {
    let (from, now) = (*since, app.now());
    let Some(mut news) = app.db.read(move |tx| levels::news(tx, from, now)).await? else { return Ok(0) };
    let (mut risen, moved) = (0, std::mem::take(&mut news.members));
    for part in moved.chunks(MEMBERS_ROUND_MAX) {
        if app.is_stopping() {
            return Ok(risen);
        }
        let (about, part) = (news.clone(), part.to_vec());
        let members = app.db.read(move |tx| levels::rising(tx, &about, &part)).await?;
        if !members.is_empty() {
            let (entry, now) = (app.entry_id()?, app.now());
            risen += counted(app.write(move |tx| levels::rise(tx, &members, entry, now)).await?);
        }
    }
    *since = Some(news.newest);
    Ok(risen)
}

/// Runs until the service stops.
pub async fn run(app: App) {
    let mut since = None;
    while next_round(&app, ROUND_MS).await {
        match round(&app, &mut since).await {
            Ok(0) => {}
            Ok(risen) => tracing::info!(risen, "levels rose"),
            Err(error) => tracing::error!(%error, "levels could not be raised"),
        }
    }
}
