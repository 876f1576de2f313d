//! What time brings about in joining and leaving: applications that lapse (G2, E1), members of whom nothing is heard
//! (K11). Finds who is next; the job makes the act. Whoever was dealt with is not found again.

use hufu_shared::act::{Act, Actor, ApplicationDecided, ApplicationEnd};
use hufu_shared::dictionary::{ROUTE_OF_OFFICE, ROUTE_OF_WEBSITE};
use hufu_shared::ids::{EntryId, FactId, Hash, MemberId};
use hufu_shared::joining::AutoLeave;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::joining::SQL;
use super::people::PeopleError;
use super::{StoreError, acts, journal, rows, world};
use crate::db::Tx;
use crate::rules::joining::deadline;
use crate::rules::judge::calendar;
use crate::vault::Vault;

/// Members looked at in one step.
pub const IDLE_STEP_MAX: i64 = 200;
/// Applications found in one step.
pub const LAPSE_STEP_MAX: i64 = 200;
/// Nobody typed a reason: the rule is the reason.
pub const NO_REASON: Hash = Hash([0; 32]);

/// Applications that lapsed and still wait, those that wait longest first, at most `limit` of each kind.
///
/// # Errors
/// [`StoreError`].
pub fn to_lapse(tx: &mut Tx<'_>, today: Day, limit: i64) -> Result<Vec<FactId>, StoreError> {
    let terms = world::policy(tx)?.joining;
    // A route that never lapses is over for who filed before all days.
    let by = |route: &str| {
        let day = deadline::over_if_filed_by(&terms, route, today);
        day.map_or(i64::MIN, |day| i64::from(day.0))
    };
    let (website, other) = (by(ROUTE_OF_WEBSITE), by(ROUTE_OF_OFFICE));
    let taken = tx.query(SQL.get("lapsing_taken"), &[other.into(), limit.into()])?;
    let mut found = taken.iter().map(|row| rows::fact_id_at(row, 0)).collect::<Result<Vec<_>, _>>()?;
    let key = [ROUTE_OF_WEBSITE.into(), website.into(), other.into(), limit.into()];
    for row in tx.query(SQL.get("lapsing_filed"), &key)? {
        found.push(FactId::filed(row.array(0)?));
    }
    Ok(found)
}

/// Lets an application lapse: it is said in the journal, and nobody is like it from now on. What it says stays sealed, so
/// that it can be completed (G2).
///
/// # Errors
/// [`PeopleError`]; then nothing was kept.
pub fn lapse(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (entry, job): (EntryId, &str),
    application: FactId,
    now: Instant,
) -> Result<(), PeopleError> {
    journal::pass_gate(tx, now)?;
    vault.forget_form(tx, application)?;
    let decided = ApplicationDecided { application, end: ApplicationEnd::Lapsed, reason: NO_REASON };
    acts::take(tx, entry, now, &Actor::Job(job.to_owned()), &Act::ApplicationDecided(decided))?;
    Ok(())
}

/// Members after one of them of whom nothing was heard for as long as the club's rule says, with the rule; and how far
/// the look went, none at the end.
type Idle = (Vec<MemberId>, Option<MemberId>);

/// The next members who leave by the club's rule (K11).
///
/// # Errors
/// [`StoreError`].
pub fn idle(tx: &mut Tx<'_>, rule: &AutoLeave, after: MemberId, today: Day) -> Result<Idle, StoreError> {
    // Heard of on this day or later: not idle.
    let since = today.plus(-i32::from(rule.idle_days));
    let zone = OfficeClock::default().zone;
    let start = calendar::day_start(&zone, since, 0);
    let key = [start.0.into(), after.0.into(), i64::from(since.0).into(), IDLE_STEP_MAX.into()];
    let found = tx.query(SQL.get("idle_members"), &key)?;
    let mut idle = Vec::new();
    let mut last = None;
    for row in &found {
        let member = MemberId(row.array(0)?);
        last = Some(member);
        if !(rule.spares_value && row.flag(1)?) {
            idle.push(member);
        }
    }
    let is_full = i64::try_from(found.len()).is_ok_and(|rows| rows >= IDLE_STEP_MAX);
    Ok((idle, last.filter(|_| is_full)))
}
