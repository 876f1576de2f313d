//! Gives coupons (S9, S10): a welcome to who joined, and at the end of a month to whose birthday is in the next one.

use hufu_shared::act::{Act, CouponGiven, CouponsGiven};
use hufu_shared::ids::MemberId;
use hufu_shared::time::Day;

use super::daily::{Daily, Page};
use super::{FIRST_MEMBER, JobError};
use crate::app::App;
use crate::db::Tx;
use crate::rules::apply::COUPONS_JOB;
use crate::store::coupons::{self, Look, MEMBERS_STEP_MAX};

/// The job.
pub(super) struct Coupons;

impl Daily for Coupons {
    const NAME: &'static str = COUPONS_JOB;
    type Look = Look;
    type Place = MemberId;
    type Due = CouponGiven;
    const FIRST: MemberId = FIRST_MEMBER;

    async fn look(app: &App) -> Result<Option<Look>, JobError> {
        let now = app.now();
        Ok(app.db.read(move |tx| coupons::look_due(tx, now)).await?)
    }

    async fn due(app: &App, look: &Look, after: MemberId) -> Result<Page<CouponGiven>, JobError> {
        let (look, vault) = (look.clone(), app.vault.clone());
        let page = move |tx: &mut Tx<'_>| coupons::due(tx, &vault, &look, (after, MEMBERS_STEP_MAX));
        Ok(app.db.read(page).await?)
    }

    fn days(look: &Look) -> (Day, Day) {
        look.days
    }

    fn act(look: &Look, until: Day, coupons: Vec<CouponGiven>) -> Act {
        Act::CouponsGiven(CouponsGiven { until, scheme: look.version, coupons })
    }
}
