//! Jobs that look at all members, or at all main cards, once for each day that is over, a few in one transaction. What was
//! done is not done again, and days that were missed are caught up. Only the last step says that the days were looked at: a
//! run that was cut off looks at all again, and finds what was done already where it stands.

use hufu_shared::act::{Act, Actor};
use hufu_shared::ids::MemberId;
use hufu_shared::time::Day;

use super::{Going, JobError, counted};
use crate::app::App;

/// What is due to some of them, and after whom to go on.
pub(super) type Page<T, P = MemberId> = (Vec<T>, Option<P>);

/// Such a job.
pub(super) trait Daily {
    /// Its name in the books.
    const NAME: &'static str;
    /// What days are looked at, and by which terms.
    type Look;
    /// Where it goes on: a member, or a card.
    type Place: Copy;
    /// What is due to one of them.
    type Due;
    /// The place before all.
    const FIRST: Self::Place;

    /// The look that is due, if any.
    async fn look(app: &App) -> Result<Option<Self::Look>, JobError>;

    /// What is due to those after one.
    async fn due(
        app: &App,
        look: &Self::Look,
        after: Self::Place,
    ) -> Result<Page<Self::Due, Self::Place>, JobError>;

    /// Business days of a look: looked at up to the first, to be looked at up to the second.
    fn days(look: &Self::Look) -> (Day, Day);

    /// The act that does what is due, and says up to which day all were looked at.
    fn act(look: &Self::Look, until: Day, due: Vec<Self::Due>) -> Act;
}

/// Whether a day is over up to which nobody looked.
pub(super) async fn is_due<D: Daily>(app: &App) -> Result<bool, JobError> {
    Ok(D::look(app).await?.is_some())
}

/// How much would be done.
pub(super) async fn count<D: Daily>(app: &App) -> Result<u64, JobError> {
    let Some(look) = D::look(app).await? else { return Ok(0) };
    let (mut all, mut from) = (0, Some(D::FIRST));
    while let Some(after) = from {
        let (due, next) = D::due(app, &look, after).await?;
        (all, from) = (all + counted(due.len()), next);
    }
    Ok(all)
}

/// Does what is due.
pub(super) async fn perform<D: Daily>(going: &mut Going<'_>) -> Result<u64, JobError> {
    let Some(look) = D::look(going.app).await? else { return Ok(0) };
    let (before, over) = D::days(&look);
    let mut from = Some(D::FIRST);
    while let Some(after) = from {
        let (due, next) = D::due(going.app, &look, after).await?;
        let count = counted(due.len());
        if count > 0 || next.is_none() {
            let until = if next.is_some() { before } else { over };
            going.app.act(Actor::Job(D::NAME.to_owned()), D::act(&look, until, due)).await?;
        }
        going.did(count).await?;
        from = next;
    }
    Ok(0)
}
