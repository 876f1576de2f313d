//! Where members would stand if other levels held, found by the same steps that the job takes; and what one paid, for a
//! what-if. Nothing is written.

use hufu_shared::ids::MemberId;
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::level::Ladder;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::{
    LEVELS_JOB, Look, Moment, SQL, StoreError, jobs, moves_of, rows, spent, stands, up_to_today, world,
};
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

/// What a member paid up to today as it counts now, by business day: what came back is taken off what was paid before it,
/// the last first.
///
/// # Errors
/// [`StoreError`].
pub fn paid(tx: &mut Tx<'_>, member: MemberId, now: Instant) -> Result<Vec<(Day, i64)>, StoreError> {
    let clock = OfficeClock { zone: world::policy(tx)?.zone, cutoff_minutes: 0 };
    let key = [member.0.into(), i64::from(clock.business_day(now).0).into()];
    let mut all = Vec::new();
    spent(tx, &clock, &key, &mut all)?;
    let mut deeds: Vec<(Day, i64)> = all.iter().map(|of| (of.deed.day, of.deed.spend_fen)).collect();
    deeds.sort_by_key(|deed| deed.0);
    Ok(kept(&deeds))
}

/// What was paid for good, in order of days.
fn kept(deeds: &[(Day, i64)]) -> Vec<(Day, i64)> {
    let mut kept: Vec<(Day, i64)> = Vec::new();
    for (day, fen) in deeds {
        let mut back = fen.saturating_neg();
        if *fen > 0 {
            kept.push((*day, *fen));
        }
        while back > 0
            && let Some(last) = kept.last_mut()
        {
            let taken = back.min(last.1);
            last.1 -= taken;
            back -= taken;
            if last.1 == 0 {
                kept.pop();
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_was_not_paid() {
        let day = Day;
        for (deeds, left) in [
            (&[][..], &[][..]),
            (&[(day(1), 500), (day(2), 300)][..], &[(day(1), 500), (day(2), 300)][..]),
            (&[(day(1), 500), (day(2), 300), (day(3), -300)][..], &[(day(1), 500)][..]),
            (&[(day(1), 500), (day(2), 300), (day(3), -400)][..], &[(day(1), 400)][..]),
            (&[(day(1), -100), (day(2), 300)][..], &[(day(2), 300)][..]),
            (&[(day(1), 100), (day(2), -300)][..], &[][..]),
        ] {
            assert_eq!(kept(deeds), left, "{deeds:?}");
        }
    }
}
