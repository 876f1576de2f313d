//! Members rise and fall in level (B1, B2, P1, P5): once for each day that is over, as it was known when it ended.

use hufu_shared::act::{Act, Actor, LevelMove, LevelsMoved};
use hufu_shared::ids::MemberId;

use super::{Going, JobError};
use crate::app::App;
use crate::rules::apply::LEVELS_JOB;
use crate::store::levels::{self, Look, MEMBERS_STEP_MAX};

/// The place before all members.
const FIRST: MemberId = MemberId([0; 16]);

async fn look(app: &App) -> Result<Option<Look>, JobError> {
    let now = app.now();
    Ok(app.db.read(move |tx| levels::look_due(tx, now)).await?)
}

/// Whether a day is over up to which nobody looked.
pub(super) async fn is_due(app: &App) -> Result<bool, JobError> {
    Ok(look(app).await?.is_some())
}

/// The steps of the next members, and where to go on.
async fn moves(
    app: &App,
    look: &Look,
    from: MemberId,
) -> Result<(Vec<LevelMove>, Option<MemberId>), JobError> {
    let look = look.clone();
    let page = move |tx: &mut crate::db::Tx<'_>| levels::moves_due(tx, &look, from, MEMBERS_STEP_MAX);
    Ok(app.db.read(page).await?)
}

/// How many steps levels would take.
pub(super) async fn count(app: &App) -> Result<u64, JobError> {
    let Some(look) = look(app).await? else { return Ok(0) };
    let (mut all, mut from) = (0, Some(FIRST));
    while let Some(member) = from {
        let (some, next) = moves(app, &look, member).await?;
        (all, from) = (all + super::counted(some.len()), next);
    }
    Ok(all)
}

/// Moves levels. Only the last step says that the day was looked at: a run that was cut off looks at all members again,
/// and finds who was moved already where they stand.
pub(super) async fn perform(going: &mut Going<'_>) -> Result<u64, JobError> {
    let Some(look) = look(going.app).await? else { return Ok(0) };
    let mut from = Some(FIRST);
    while let Some(member) = from {
        let (some, next) = moves(going.app, &look, member).await?;
        let (until, count) =
            (if next.is_some() { look.days.0 } else { look.days.1 }, super::counted(some.len()));
        if count > 0 || next.is_none() {
            let moved = LevelsMoved { until, scheme: look.version, moves: some };
            going.app.act(Actor::Job(LEVELS_JOB.to_owned()), Act::LevelsMoved(moved)).await?;
        }
        going.did(count).await?;
        from = next;
    }
    Ok(0)
}
