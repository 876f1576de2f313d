//! What time brings about in joining and leaving: applications lapse whose time is up (G1, G2, E1), members are put down
//! as leaving of whom nothing was heard (K11), and of who was erased nothing stays that a terminal brings later (X17).
//!
//! Each is an act of its own, so a run that was cut short goes on where it stopped, and one that comes late does what it
//! would have done in time. A person still audits every leaving.

use hufu_shared::act::{Act, Actor, LeaveFiled};
use hufu_shared::ids::MemberId;
use hufu_shared::time::{Day, OfficeClock};

use super::{FIRST_MEMBER, Going, JobError};
use crate::app::App;
use crate::store::{erasure, lapses, world};

/// Name of these jobs in the journal.
const JOB: &str = "joining";

fn today(app: &App) -> Day {
    OfficeClock::default().business_day(app.now())
}

/// How many applications would lapse, counted up to a limit of each kind.
pub(super) async fn count_lapsing(app: &App, limit: i64) -> Result<u64, JobError> {
    let today = today(app);
    let due = app.db.read(move |tx| lapses::to_lapse(tx, today, limit)).await?;
    Ok(super::counted(due.len()))
}

/// Lets applications lapse whose time is up.
pub(super) async fn lapse(going: &mut Going<'_>) -> Result<u64, JobError> {
    let today = today(going.app);
    loop {
        let due = going.app.db.read(move |tx| lapses::to_lapse(tx, today, lapses::LAPSE_STEP_MAX)).await?;
        if due.is_empty() {
            return Ok(0);
        }
        for application in due {
            let (entry, now, vault) = (going.app.entry_id()?, going.app.now(), going.app.vault.clone());
            going.app.write(move |tx| lapses::lapse(tx, &vault, (entry, JOB), application, now)).await?;
            going.did(1).await?;
        }
    }
}

/// How many sealed parts would be forgotten, counted up to a limit.
pub(super) async fn count_late(app: &App, limit: i64) -> Result<u64, JobError> {
    let late = app.db.read(move |tx| erasure::sealed_late(tx, limit)).await?;
    Ok(super::counted(late.len()))
}

/// Of who was erased nothing stays, though a terminal that was away brings it later.
pub(super) async fn forget_late(going: &mut Going<'_>) -> Result<u64, JobError> {
    loop {
        let vault = going.app.vault.clone();
        let gone = going.app.db.write(move |tx| erasure::forget_late(tx, &vault)).await?;
        if gone == 0 {
            return Ok(0);
        }
        going.did(super::counted(gone)).await?;
    }
}

/// Members who would be put down as leaving, after one of them, and how far the look went; none at its end, and at once
/// if the club has no such rule.
async fn idle(app: &App, after: MemberId) -> Result<(Vec<LeaveFiled>, Option<MemberId>), JobError> {
    let today = today(app);
    let Some(rule) = app.db.read(world::policy).await?.joining.auto_leave else {
        return Ok((Vec::new(), None));
    };
    let kind = rule.kind.clone();
    let (idle, last) = app.db.read(move |tx| lapses::idle(tx, &rule, after, today)).await?;
    let filed = |member| LeaveFiled { member, kind: kind.clone(), reason: lapses::NO_REASON };
    Ok((idle.into_iter().map(filed).collect(), last))
}

/// Whether the club has a rule by which members leave by themselves.
pub(super) async fn has_rule(app: &App) -> Result<bool, JobError> {
    Ok(app.db.read(world::policy).await?.joining.auto_leave.is_some())
}

/// How many members would be put down as leaving.
pub(super) async fn count_idle(app: &App) -> Result<u64, JobError> {
    let (mut members, mut after) = (0, Some(FIRST_MEMBER));
    while let Some(from) = after {
        let (idle, last) = idle(app, from).await?;
        (members, after) = (members + super::counted(idle.len()), last);
    }
    Ok(members)
}

/// Puts members down as leaving of whom nothing was heard.
pub(super) async fn leave(going: &mut Going<'_>) -> Result<u64, JobError> {
    let mut after = Some(FIRST_MEMBER);
    while let Some(from) = after {
        let (idle, last) = idle(going.app, from).await?;
        for filed in idle {
            going.app.act(Actor::Job(JOB.to_owned()), Act::LeaveFiled(filed)).await?;
            going.did(1).await?;
        }
        after = last;
    }
    Ok(0)
}
