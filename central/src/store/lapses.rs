//! What time brings about in joining and leaving: applications that lapse (G2, E1), members of whom nothing is heard
//! (K11). Finds who is next; the job makes the act. Whoever was dealt with is not found again.

use hufu_shared::dictionary::{ROUTE, ROUTE_OF_OFFICE};
use hufu_shared::ids::{FactId, MemberId};
use hufu_shared::joining::AutoLeave;
use hufu_shared::time::{Day, OfficeClock};

use super::joining::{self, SQL};
use super::{StoreError, rows, world};
use crate::db::Tx;
use crate::rules::joining::deadline;
use crate::rules::judge::calendar;

/// Members looked at in one step.
pub const IDLE_STEP_MAX: i64 = 200;

/// The application that lapsed longest ago and still waits; none if none did.
///
/// # Errors
/// [`StoreError`].
pub fn to_lapse(tx: &mut Tx<'_>, today: Day) -> Result<Option<FactId>, StoreError> {
    let terms = world::policy(tx)?.joining;
    let by = |route: &str| deadline::over_if_filed_by(&terms, route, today);
    if let Some(day) = by(ROUTE_OF_OFFICE) {
        let key = [i64::from(day.0).into(), 1_i64.into()];
        if let Some(row) = tx.query_opt(SQL.get("lapsing_taken"), &key)? {
            return rows::fact_id_at(&row, 0).map(Some);
        }
    }
    for term in joining::terms(tx, ROUTE)? {
        let Some(day) = by(&term.code) else { continue };
        let key = [term.code.as_str().into(), i64::from(day.0).into(), 1_i64.into()];
        if let Some(row) = tx.query_opt(SQL.get("lapsing_filed"), &key)? {
            return Ok(Some(FactId::filed(row.array(0)?)));
        }
    }
    Ok(None)
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
        let has_value = tx.query_one(SQL.get("value_of"), &[member.0.into()])?.int(0)? > 0;
        if !(rule.spares_value && has_value) {
            idle.push(member);
        }
    }
    let is_full = i64::try_from(found.len()).is_ok_and(|rows| rows >= IDLE_STEP_MAX);
    Ok((idle, last.filter(|_| is_full)))
}
