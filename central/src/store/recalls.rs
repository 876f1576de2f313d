//! Recalls: terminals are asked to close what they hold for a member, because it is needed elsewhere: at another terminal,
//! or at the centre itself.
//!
//! One recall of a member and unit at a time: who asks meanwhile waits for the same one. Who was asked is no part of the
//! books: losing it costs a repeated message. Out of scope: which leases are asked back, which
//! [`crate::rules::lease::caps`] says, and how the order reaches the terminal ([`super::leases`]).

use hufu_shared::ids::{DeviceId, LeaseId, MemberId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::wire::lease::{RECALLED_MAX, RecallState, Recalled};

use super::StoreError;
use super::leases::{SQL, open_of};
use crate::db::{Row, Tx};
use crate::rules::lease::LeaseRow;
use crate::rules::lease::caps;

/// After this long a recall that did not bring enough is given up, in us.
const RECALL_LIMIT_US: i64 = 3 * SECOND_US;
/// A terminal that was not heard of for this long is not waited for, in us; a poll is held for 25 s.
const REACHED_WITHIN_US: i64 = 60 * SECOND_US;
/// For this long a recall stands for a terminal that comes back, in us.
pub(super) const RECALL_STANDS_US: i64 = 600 * SECOND_US;
/// Who asks, where it is the centre itself: no terminal has this id.
const CENTRE: DeviceId = DeviceId([0; 16]);

/// How far a recall has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// Who was asked to close, and what became of it.
    pub told: Vec<Recalled>,
    /// Terminals were asked for the first time: they are to be woken.
    pub has_orders: bool,
    /// Some of it may still come soon.
    pub may_come: bool,
}

/// Asks terminals to close what they hold for the member, or says how far that has come. `rows` are the member's open
/// leases; `here` asks.
///
/// # Errors
/// [`StoreError`].
pub(super) fn ask(
    tx: &mut Tx<'_>,
    rows: &[LeaseRow],
    (member, unit): (MemberId, Unit),
    (here, missing): (DeviceId, Amount),
    now: Instant,
) -> Result<Running, StoreError> {
    let mut running = recalls(tx, member, unit, now)?;
    let mut has_orders = false;
    // A recall of long ago that nobody asks about any more makes room for a new one.
    if running.iter().all(|recall| recall.asked_at < now.offset(-RECALL_STANDS_US)) {
        end(tx, member, unit)?;
        let held = tx.query(SQL.get("held"), &[member.0.into()])?;
        let held =
            held.iter().map(|row| Ok(LeaseId(row.array(0)?))).collect::<Result<Vec<_>, StoreError>>()?;
        let rows = rows.iter().filter(|row| row.member == member && held.contains(&row.lease));
        let rows: Vec<LeaseRow> = rows.cloned().collect();
        for holder in caps::recall(&rows, unit, here, missing).iter().take(RECALLED_MAX) {
            let values = [
                holder.lease.0.into(),
                i64::from(holder.generation).into(),
                holder.device.0.into(),
                member.0.into(),
                unit.code().into(),
                here.0.into(),
                now.0.into(),
                holder.amount.0.into(),
            ];
            tx.execute(SQL.get("set_recall"), &values)?;
            has_orders = true;
        }
        running = recalls(tx, member, unit, now)?;
    }
    let is_late = running.iter().all(|recall| recall.asked_at < now.offset(-RECALL_LIMIT_US));
    let is_closing = running.iter().any(|recall| recall.told.state == RecallState::Closing);
    let told = running.into_iter().map(|recall| recall.told).collect();
    Ok(Running { told, has_orders, may_come: is_closing && !is_late })
}

/// As a terminal asks, for the centre itself: so many are missing for what is to be taken there.
///
/// # Errors
/// [`StoreError`].
pub fn for_centre(
    tx: &mut Tx<'_>,
    (member, unit): (MemberId, Unit),
    missing: Amount,
    now: Instant,
) -> Result<Running, StoreError> {
    let rows = open_of(tx, member)?;
    ask(tx, &rows, (member, unit), (CENTRE, missing), now)
}

/// What was asked back is not needed any more.
///
/// # Errors
/// [`StoreError`].
pub fn end(tx: &mut Tx<'_>, member: MemberId, unit: Unit) -> Result<(), StoreError> {
    tx.execute(SQL.get("drop_recalls"), &[member.0.into(), unit.code().into()])?;
    Ok(())
}

/// A holder that was asked to close.
struct Recall {
    asked_at: Instant,
    told: Recalled,
}

fn recalls(tx: &mut Tx<'_>, member: MemberId, unit: Unit, now: Instant) -> Result<Vec<Recall>, StoreError> {
    let found = tx.query(SQL.get("recalls"), &[member.0.into(), unit.code().into()])?;
    found.iter().map(|row| recall_at(row, now)).collect()
}

fn recall_at(row: &Row, now: Instant) -> Result<Recall, StoreError> {
    let heard_at = row.int_opt(7)?.map(Instant);
    let is_reached = heard_at.is_some_and(|heard| heard >= now.offset(-REACHED_WITHIN_US));
    let state = match (row.flag(6)?, is_reached) {
        (false, _) => RecallState::Arrived,
        (true, true) => RecallState::Closing,
        (true, false) => RecallState::Unreachable,
    };
    let office = Words { zh: row.text(8)?.to_owned(), en: row.text(9)?.to_owned() };
    let told = Recalled { office, state, amount: Amount(row.int(5)?), heard_at };
    Ok(Recall { asked_at: Instant(row.int(4)?), told })
}

/// When the newest recall was asked for, in us; 0 if there is none.
///
/// # Errors
/// [`StoreError`].
pub fn newest_recall(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    Ok(tx.query_one(SQL.get("newest_recall"), &[])?.int_opt(0)?.unwrap_or(0))
}
