//! Fills points up on the member day of each month (P3), and finds the first of each period that is over (P4).

use hufu_shared::act::{Act, Actor, FilledUp, MembersRanked, PointsFilledUp};
use hufu_shared::ids::MemberId;
use hufu_shared::time::Day;

use super::daily::{Daily, Page};
use super::{FIRST_MEMBER, Going, JobError, counted};
use crate::app::App;
use crate::db::Tx;
use crate::rules::apply::{RANKING_JOB, ROUND_UP_JOB};
use crate::store::member_day::{self, Look, MEMBERS_STEP_MAX};
use crate::store::rankings;

/// The job that fills points up.
pub(super) struct RoundUp;

impl Daily for RoundUp {
    const NAME: &'static str = ROUND_UP_JOB;
    type Look = Look;
    type Place = MemberId;
    type Due = FilledUp;
    const FIRST: MemberId = FIRST_MEMBER;

    async fn look(app: &App) -> Result<Option<Look>, JobError> {
        let now = app.now();
        Ok(app.db.read(move |tx| member_day::look_due(tx, now)).await?)
    }

    async fn due(app: &App, look: &Look, after: MemberId) -> Result<Page<FilledUp>, JobError> {
        let look = look.clone();
        let page = move |tx: &mut Tx<'_>| member_day::due(tx, &look, (after, MEMBERS_STEP_MAX));
        Ok(app.db.read(page).await?)
    }

    fn days(look: &Look) -> (Day, Day) {
        look.days
    }

    fn act(_: &Look, until: Day, members: Vec<FilledUp>) -> Act {
        Act::PointsFilledUp(PointsFilledUp { until, members })
    }
}

async fn ranking(app: &App) -> Result<Option<rankings::Look>, JobError> {
    let now = app.now();
    Ok(app.db.read(move |tx| rankings::look_due(tx, now)).await?)
}

/// Whether a period is over that nobody ranked.
pub(super) async fn is_ranking_due(app: &App) -> Result<bool, JobError> {
    Ok(ranking(app).await?.is_some())
}

/// Ranks a period: all members are read, some at a time, and those who cannot come first any more are let go of.
async fn ranked(app: &App, look: &rankings::Look, period: (Day, Day)) -> Result<MembersRanked, JobError> {
    let (mut places, mut from) = (Vec::new(), Some(FIRST_MEMBER));
    while let Some(after) = from {
        let of = look.clone();
        let page = move |tx: &mut Tx<'_>| rankings::places(tx, &of, period, after);
        let (some, next) = app.db.read(page).await?;
        places.extend(some);
        rankings::keep_first(look, &mut places);
        from = next;
    }
    Ok(rankings::ranked(look, period, &places))
}

/// How many awards would be found.
pub(super) async fn count_ranked(app: &App) -> Result<u64, JobError> {
    let Some(look) = ranking(app).await? else { return Ok(0) };
    let mut all = 0;
    for period in look.periods.iter().copied() {
        all += counted(ranked(app, &look, period).await?.places.len());
    }
    Ok(all)
}

/// Finds the awards of the periods that are over, each period by an act of its own: it was looked at, or it was not.
pub(super) async fn rank(going: &mut Going<'_>) -> Result<u64, JobError> {
    let Some(look) = ranking(going.app).await? else { return Ok(0) };
    for period in look.periods.iter().copied() {
        let found = ranked(going.app, &look, period).await?;
        let count = counted(found.places.len());
        going.app.act(Actor::Job(RANKING_JOB.to_owned()), Act::MembersRanked(found)).await?;
        going.did(count).await?;
    }
    Ok(0)
}
