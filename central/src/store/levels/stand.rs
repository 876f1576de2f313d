//! Where members would stand if other levels held: found by the same steps that the job takes, and nothing is written.

use hufu_shared::ids::MemberId;
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::level::Ladder;
use hufu_shared::time::{Day, Instant};

use super::{LEVELS_JOB, Look, Moment, SQL, StoreError, jobs, moves_of, rows, stands, up_to_today, world};
use crate::db::Tx;

/// A member whose level would be another one: who, the rank by the club's own levels, and by the others.
pub type Elsewhere = (MemberId, u8, u8);

/// Members of `limit` after one of them whose level at the end of today would be another if these levels held from now on
/// instead of the club's own; and the last member that was looked at, if there are more.
///
/// # Errors
/// [`StoreError`].
pub fn elsewhere(
    tx: &mut Tx<'_>,
    levels: &Scheme,
    now: Instant,
    (after, limit): (MemberId, i64),
) -> Result<(Vec<Elsewhere>, Option<MemberId>), StoreError> {
    let policy = world::policy(tx)?;
    let none = || Scheme::empty("levels", 1, Day(0));
    let own = policy.levels.as_ref().map_or_else(none, Ladder::scheme);
    let done = jobs::looked_until(tx, LEVELS_JOB)?;
    let over = jobs::days_over(tx, (&policy.zone, done), now)?;
    let look = up_to_today(tx, (own, policy.zone, over), now)?;
    let other = Look { scheme: levels.clone(), ..look.clone() };
    let until = Moment::end_of(look.days.1);
    let found = tx.query(SQL.get("members"), &[after.0.into(), limit.into()])?;
    let mut moved = Vec::new();
    for row in &found {
        let mut ranks = [0; 2];
        for (rank, look) in ranks.iter_mut().zip([&look, &other]) {
            let (_, start) = stands(tx, look, row)?;
            *rank = moves_of(tx, look, row, until)?.last().map_or(start.rank, |step| step.to.rank);
        }
        let [own, other] = ranks;
        if own != other {
            moved.push((MemberId(row.array(0)?), own, other));
        }
    }
    Ok((moved, rows::go_on_after(&found, limit)?))
}
