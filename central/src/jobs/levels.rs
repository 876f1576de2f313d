//! Members rise and fall in level (B1, B2, P1, P5), as each day that is over was known while it went on. Who rose at once
//! ([`super::rising`]) is found where they stand.

use hufu_shared::act::{Act, LevelMove, LevelsMoved};
use hufu_shared::ids::MemberId;
use hufu_shared::time::Day;

use super::daily::{Daily, Page};
use super::{FIRST_MEMBER, JobError};
use crate::app::App;
use crate::db::Tx;
use crate::rules::apply::LEVELS_JOB;
use crate::store::levels::{self, Look, MEMBERS_STEP_MAX};

/// The job.
pub(super) struct Levels;

impl Daily for Levels {
    const NAME: &'static str = LEVELS_JOB;
    type Look = Look;
    type Place = MemberId;
    type Due = LevelMove;
    const FIRST: MemberId = FIRST_MEMBER;

    async fn look(app: &App) -> Result<Option<Look>, JobError> {
        let now = app.now();
        Ok(app.db.read(move |tx| levels::look_due(tx, now)).await?)
    }

    async fn due(app: &App, look: &Look, after: MemberId) -> Result<Page<LevelMove>, JobError> {
        let look = look.clone();
        let page = move |tx: &mut Tx<'_>| levels::moves_due(tx, &look, after, MEMBERS_STEP_MAX);
        Ok(app.db.read(page).await?)
    }

    fn days(look: &Look) -> (Day, Day) {
        look.days
    }

    fn act(look: &Look, until: Day, moves: Vec<LevelMove>) -> Act {
        Act::LevelsMoved(LevelsMoved { until, scheme: look.version, moves })
    }
}
