//! Gives coupons (S9, S10): a welcome to who joined, and at the end of a month to whose birthday is in the next one; once
//! for each day that is over. What was given is not given again, and days that were missed are caught up.

use hufu_shared::act::{Act, Actor, CouponGiven, CouponsGiven};
use hufu_shared::ids::MemberId;

use super::{Going, JobError};
use crate::app::App;
use crate::rules::apply::COUPONS_JOB;
use crate::store::coupons::{self, Look, MEMBERS_STEP_MAX};

/// The place before all members.
const FIRST: MemberId = MemberId([0; 16]);

async fn look(app: &App) -> Result<Option<Look>, JobError> {
    let now = app.now();
    Ok(app.db.read(move |tx| coupons::look_due(tx, now)).await?)
}

/// Whether a day is over up to which nobody looked.
pub(super) async fn is_due(app: &App) -> Result<bool, JobError> {
    Ok(look(app).await?.is_some())
}

/// What is due to the next members, and where to go on.
async fn due(
    app: &App,
    look: &Look,
    from: MemberId,
) -> Result<(Vec<CouponGiven>, Option<MemberId>), JobError> {
    let (look, vault) = (look.clone(), app.vault.clone());
    let page = move |tx: &mut crate::db::Tx<'_>| coupons::due(tx, &vault, &look, (from, MEMBERS_STEP_MAX));
    Ok(app.db.read(page).await?)
}

/// How many coupons would be given.
pub(super) async fn count(app: &App) -> Result<u64, JobError> {
    let Some(look) = look(app).await? else { return Ok(0) };
    let (mut all, mut from) = (0, Some(FIRST));
    while let Some(member) = from {
        let (some, next) = due(app, &look, member).await?;
        (all, from) = (all + super::counted(some.len()), next);
    }
    Ok(all)
}

/// Gives what is due. Only the last step says that the day was looked at.
pub(super) async fn perform(going: &mut Going<'_>) -> Result<u64, JobError> {
    let Some(look) = look(going.app).await? else { return Ok(0) };
    let mut from = Some(FIRST);
    while let Some(member) = from {
        let (some, next) = due(going.app, &look, member).await?;
        let (until, count) =
            (if next.is_some() { look.days.0 } else { look.days.1 }, super::counted(some.len()));
        if count > 0 || next.is_none() {
            let given = CouponsGiven { until, scheme: look.version, coupons: some };
            going.app.act(Actor::Job(COUPONS_JOB.to_owned()), Act::CouponsGiven(given)).await?;
        }
        going.did(count).await?;
        from = next;
    }
    Ok(0)
}
