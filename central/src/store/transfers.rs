//! Points that one member gives another: what stands against it, and the act.
//!
//! The limits of the club are asked here, with what the giver gave before, in the transaction that takes the act; what
//! there is to give is asked again when it is applied. Out of scope: who may, and the words of the reason.

use hufu_shared::act::{Act, Actor, PointsTransferred};
use hufu_shared::ids::{EntryId, Hash, MemberId};
use hufu_shared::money::Unit;
use hufu_shared::policy::Period;
use hufu_shared::rules::transfer::{NotTransferred, Wish, may_give};
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::acts::Note;
use super::points::SQL;
use super::{StoreError, acts, journal, levels, money, people, points, recalls, rows, world};
use crate::db::Tx;
use crate::rules::points::{NotChanged, post};
use crate::rules::posting;

/// Why points are not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotGiven {
    /// The club's limits say no.
    Limits(NotTransferred),
    /// The giver, or the other, cannot: of whom it is said.
    Member(MemberId, NotChanged),
    /// Both are one member.
    Same,
}

/// What became of the wish to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// It was done now.
    Now,
    /// It had been done under this name.
    Before,
}

/// Points that a member gave on each day since the year of a day began.
fn given_before(tx: &mut Tx<'_>, member: MemberId, day: Day) -> Result<Vec<(Day, i64)>, StoreError> {
    let year_begins = Period::Year.first_day(day);
    let key = [member.0.into(), format!("member/{member}/%").into(), i64::from(year_begins.0).into()];
    let found = tx.query(SQL.get("given_days"), &key)?;
    found.iter().map(|row| Ok((rows::day_at(row, 0)?, row.int(1)?))).collect()
}

/// Whether points may be given.
///
/// # Errors
/// [`StoreError`]; in the answer, what stands against it.
pub fn check(
    tx: &mut Tx<'_>,
    wish: &PointsTransferred,
    now: Instant,
) -> Result<Result<(), NotGiven>, StoreError> {
    let (from, to) = (points::survivor(tx, wish.from)?, points::survivor(tx, wish.to)?);
    if from == to {
        return Ok(Err(NotGiven::Same));
    }
    let (giver, taker) = (points::has(tx, from)?, points::has(tx, to)?);
    for (member, change, mut has) in [(from, wish.points.saturating_neg(), giver), (to, wish.points, taker)] {
        if change > 0 {
            has.has_main_card = points::has_main_card(tx, member, (wish.office, now))?;
        }
        if let Err(why) = post(change, has) {
            return Ok(Err(NotGiven::Member(member, why)));
        }
    }
    let office = people::offices(tx)?.into_iter().find(|row| row.office == wish.office);
    let day = office.map_or_else(OfficeClock::default, |row| row.clock).business_day(now);
    let asked = Wish {
        day,
        points: wish.points,
        rank: levels::rank(tx, from)?,
        balance: giver.available,
        is_online: true,
    };
    let terms = world::policy(tx)?.transfer.unwrap_or_default();
    let before = given_before(tx, from, day)?;
    Ok(may_give(&terms, asked, &before).map_err(NotGiven::Limits))
}

/// Gives points as an act, with the reason that was typed; the same name once.
///
/// # Errors
/// [`StoreError`], then nothing was changed; in the answer, what stands against it.
pub fn give(
    tx: &mut Tx<'_>,
    wish: &PointsTransferred,
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Result<Given, NotGiven>, StoreError> {
    journal::pass_gate(tx, now)?;
    if is_done(tx, wish.id)? {
        return Ok(Ok(Given::Before));
    }
    if let Err(why) = check(tx, wish, now)? {
        return Ok(Err(why));
    }
    let (from, to) = (points::survivor(tx, wish.from)?, points::survivor(tx, wish.to)?);
    note.put(tx, actor.staff(), now)?;
    let wish = PointsTransferred { from, to, ..wish.clone() };
    acts::take(tx, entry, now, actor, &Act::PointsTransferred(wish))?;
    recalls::end(tx, from, Unit::Pts)?;
    Ok(Ok(Given::Now))
}

/// Whether points were given under a name.
fn is_done(tx: &mut Tx<'_>, id: Hash) -> Result<bool, StoreError> {
    Ok(money::flows(tx, posting::transfer_cause(id))?.postings > 0)
}
