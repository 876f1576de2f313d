//! Lets applications lapse whose time is up, and puts down as leaving those of whom nothing was heard.
//!
//! Each is an act of its own, so a round that was cut short goes on where it stopped, and one that comes late does what
//! it would have done in time. A person still audits every leaving.

use hufu_shared::act::{Act, Actor, LeaveFiled};
use hufu_shared::ids::MemberId;
use hufu_shared::time::OfficeClock;

use super::next_round;
use crate::app::{ActError, App};
use crate::store::people::PeopleError;
use crate::store::{erasure, lapses, world};

/// Name of the job in the journal.
const JOB: &str = "joining";
/// Milliseconds between rounds.
const ROUND_MS: u64 = 600_000;
/// Milliseconds from the start of the service to the first round: what was on its way then is taken in first.
const FIRST_ROUND_MS: u64 = 300_000;
/// Applications that one round lets lapse; the next goes on.
const LAPSES_PER_ROUND_MAX: u32 = 10_000;

/// A round could not be done.
#[derive(Debug, thiserror::Error)]
pub enum JoiningError {
    /// An act.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The books or the vault.
    #[error(transparent)]
    People(#[from] PeopleError),
}

/// Does what is due today; answers how many applications lapsed, and how many members were put down as leaving.
///
/// # Errors
/// [`JoiningError`]; what was done before stays done.
pub async fn round(app: &App) -> Result<(u32, u32), JoiningError> {
    let today = OfficeClock::default().business_day(app.now());
    let (mut lapsed, mut left) = (0, 0);
    while lapsed < LAPSES_PER_ROUND_MAX {
        let due = app.db.read(move |tx| lapses::to_lapse(tx, today)).await.map_err(PeopleError::from)?;
        if due.is_empty() {
            break;
        }
        for application in due {
            if app.is_stopping() {
                return Ok((lapsed, left));
            }
            let (entry, now, vault) = (app.entry_id().map_err(ActError::from)?, app.now(), app.vault.clone());
            app.write(move |tx| lapses::lapse(tx, &vault, (entry, JOB), application, now)).await?;
            lapsed += 1;
        }
    }
    forget_late(app).await?;
    let policy = app.db.read(world::policy).await.map_err(PeopleError::from)?;
    let Some(rule) = policy.joining.auto_leave else { return Ok((lapsed, left)) };
    let mut after = Some(MemberId([0; 16]));
    while let Some(from) = after.filter(|_| !app.is_stopping()) {
        let asked = rule.clone();
        let found = app.db.read(move |tx| lapses::idle(tx, &asked, from, today)).await;
        let (idle, last) = found.map_err(PeopleError::from)?;
        for member in idle {
            let filed = LeaveFiled { member, kind: rule.kind.clone(), reason: lapses::NO_REASON };
            app.act(Actor::Job(JOB.to_owned()), Act::LeaveFiled(filed)).await?;
            left += 1;
        }
        after = last;
    }
    Ok((lapsed, left))
}

/// Of who was erased nothing stays, though a terminal that was away brings it later.
async fn forget_late(app: &App) -> Result<(), JoiningError> {
    let vault = app.vault.clone();
    let gone = app.db.write(move |tx| erasure::forget_late(tx, &vault)).await?;
    if gone > 0 {
        tracing::info!(gone, "forms about people who were erased are gone");
    }
    Ok(())
}

/// Runs until the service stops.
pub async fn run(app: App) {
    let mut wait_ms = FIRST_ROUND_MS;
    while next_round(&app, wait_ms).await {
        wait_ms = ROUND_MS;
        match round(&app).await {
            Ok((0, 0)) => {}
            Ok((lapsed, left)) => {
                tracing::info!(lapsed, left, "applications lapsed, members put down as leaving")
            }
            Err(error) => tracing::error!(%error, "what is due in joining and leaving could not be done"),
        }
    }
}
