//! Events that earn and are no purchases (B3, G8, K20, K21): rows that apply reads and writes, telling one, taking one
//! back, and what people look at.
//!
//! What is asked before an act is taken is asked here, in the transaction that takes it; apply asks it once more.

use hufu_shared::act::{Act, Actor, EventTakenBack, EventTold};
use hufu_shared::ids::{EntryId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::money::Amount;
use hufu_shared::rules::earn::Given;
use hufu_shared::rules::told::Before;
use hufu_shared::scheme::earning::EarnKind;
use hufu_shared::time::{Instant, OfficeClock};

use super::acts::Note;
use super::{StoreError, acts, journal, people, points, rows, world};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::outcome::Outcome;
use crate::rules::points::State;
use crate::rules::told::{self, NotTold};
use crate::rules::world::{GivenForEvent, KnownEvent, KnownPoints, Whose};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("told", include_str!("../../sql/both/told.sql"));

fn event_of(row: &Row) -> Result<KnownEvent, StoreError> {
    let (kind, percent) = (row.text(2)?, row.int(6)?);
    let told = EventTold {
        id: Hash(row.array(0)?),
        member: MemberId(row.array(1)?),
        kind: EarnKind::told(kind).ok_or_else(|| rows::unknown("kind of an event", kind))?,
        of: row.text(3)?.to_owned(),
        day: rows::day_at(row, 4)?,
        cost: Amount(row.int(5)?),
        paid_percent: u8::try_from(percent)
            .map_err(|_| StoreError::Range { what: "per cent that were received", met: percent })?,
        serial: row.text(7)?.to_owned(),
        office: OfficeId(row.array(8)?),
        occurrence: row.array_opt(9)?.map(OccurrenceId),
        reason: Hash(row.array(10)?),
    };
    Ok(KnownEvent {
        told,
        scheme: rows::u32_at(row, 11, "version of a scheme")?,
        asked: Instant(row.int(12)?),
        asker: row.text(13)?.to_owned(),
        taken: points::decided_at(row, 14)?,
    })
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (id, known) in &outcome.events {
        let told = &known.told;
        let mut values: Vec<Value> = vec![
            id.0.into(),
            told.member.0.into(),
            told.kind.code().into(),
            told.of.as_str().into(),
            i64::from(told.day.0).into(),
            told.cost.0.into(),
            i64::from(told.paid_percent).into(),
            told.serial.as_str().into(),
            told.office.0.into(),
            told.occurrence.map(|occurrence| occurrence.0).into(),
            told.reason.0.into(),
            i64::from(known.scheme).into(),
            known.asked.0.into(),
            known.asker.as_str().into(),
        ];
        values.extend(points::decided_values(known.taken.as_ref()));
        values.push(entry.0.into());
        tx.execute_later(SQL.get("set_event"), vec![values])?;
    }
    Ok(())
}

/// An event that somebody told of.
///
/// # Errors
/// [`StoreError`].
pub fn event(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownEvent>, StoreError> {
    tx.query_opt(SQL.get("event"), &[id.0.into()])?.as_ref().map(event_of).transpose()
}

/// What was given for an event, by the names of its parts.
///
/// # Errors
/// [`StoreError`].
pub fn changes(tx: &mut Tx<'_>, event: Hash) -> Result<Vec<KnownPoints>, StoreError> {
    tx.query(SQL.get("of_event"), &[event.0.into()])?.iter().map(points::change_of).collect()
}

/// What was given for the events of a member and of those who turned out to be the same, in the order of telling.
///
/// # Errors
/// [`StoreError`].
pub(super) fn given(tx: &mut Tx<'_>, member: MemberId) -> Result<Vec<GivenForEvent>, StoreError> {
    let read = |row: &Row| {
        let state = row.text(6)?;
        let state =
            State::from_code(state).ok_or_else(|| rows::unknown("state of a change of points", state))?;
        let given = Given { day: rows::day_at(row, 4)?, amount: Amount(row.int(5)?) };
        Ok(GivenForEvent {
            change: Hash(row.array(0)?),
            event: Hash(row.array(1)?),
            before: Before { rule: row.text(2)?.to_owned(), of: row.text(3)?.to_owned(), given },
            part_in: row.array_opt(7)?.map(OccurrenceId).zip(row.text_opt(8)?.map(str::to_owned)),
            counts: state != State::Returned,
        })
    };
    tx.query(SQL.get("given"), &[member.0.into()])?.iter().map(read).collect()
}

/// An event with what was given for it.
pub type Whole = (KnownEvent, Vec<KnownPoints>);

fn wholes(tx: &mut Tx<'_>, found: &[Row]) -> Result<Vec<Whole>, StoreError> {
    let mut all = Vec::with_capacity(found.len());
    for row in found {
        let known = event_of(row)?;
        let parts = changes(tx, known.told.id)?;
        all.push((known, parts));
    }
    Ok(all)
}

/// Events of a member and of those who turned out to be the same, after a place in the list, in the order of telling, at
/// most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn of_member(
    tx: &mut Tx<'_>,
    member: MemberId,
    (asked, id): (Instant, Hash),
    limit: i64,
) -> Result<Vec<Whole>, StoreError> {
    let key = [member.0.into(), asked.0.into(), id.0.into(), limit.into()];
    let found = tx.query(SQL.get("of_member"), &key)?;
    wholes(tx, &found)
}

/// Events that were told last, the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn newest(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Whole>, StoreError> {
    let found = tx.query(SQL.get("newest"), &[limit.into()])?;
    wholes(tx, &found)
}

/// What became of the wish to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It is told now.
    Now,
    /// It had been told.
    Before,
}

/// Whether an event can be told now.
fn check(tx: &mut Tx<'_>, wish: &EventTold, now: Instant) -> Result<Result<(), NotTold>, StoreError> {
    let office = people::offices(tx)?.into_iter().find(|row| row.office == wish.office);
    let today = office.map_or_else(OfficeClock::default, |row| row.clock).business_day(now);
    let held = match wish.occurrence {
        Some(id) => people::occurrence(tx, id)?,
        None => None,
    };
    if let Err(why) = told::check(wish, today, held.as_ref()) {
        return Ok(Err(why));
    }
    if !points::has(tx, wish.member)?.takes_part {
        return Ok(Err(NotTold::Member));
    }
    let member = points::survivor(tx, wish.member)?;
    Ok(if told::was_given(wish, &given(tx, member)?) { Err(NotTold::Given) } else { Ok(()) })
}

/// Tells of an event as an act, with what was typed about it, if anything; the same once.
///
/// # Errors
/// [`StoreError`], then nothing was changed; in the answer, what stands against it.
pub fn tell(
    tx: &mut Tx<'_>,
    wish: &EventTold,
    (note, actor): (Option<&Note>, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Result<Told, NotTold>, StoreError> {
    let received = journal::pass_gate(tx, now)?;
    if let Some(known) = event(tx, wish.id)? {
        return Ok(if known.told.is_same(wish) { Ok(Told::Before) } else { Err(NotTold::Other) });
    }
    if let Err(why) = check(tx, wish, received)? {
        return Ok(Err(why));
    }
    if let Some(note) = note {
        note.put(tx, actor.staff(), now)?;
    }
    acts::take(tx, entry, now, actor, &Act::EventTold(Box::new(wish.clone())))?;
    Ok(Ok(Told::Now))
}

/// Takes an event back as an act, with the reason that was typed.
///
/// # Errors
/// [`StoreError`], then nothing was changed; in the answer, what stands against it.
pub fn take_back(
    tx: &mut Tx<'_>,
    wish: &EventTakenBack,
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Result<(), NotTold>, StoreError> {
    journal::pass_gate(tx, now)?;
    let Some(known) = event(tx, wish.event)? else { return Ok(Err(NotTold::Unknown)) };
    if known.taken.is_some() {
        return Ok(Err(NotTold::TakenBack));
    }
    if world::recovery(tx)?.since.is_some() {
        return Ok(Err(NotTold::Recovering));
    }
    note.put(tx, actor.staff(), now)?;
    acts::take(tx, entry, now, actor, &Act::EventTakenBack(wish.clone()))?;
    Ok(Ok(()))
}

/// Points that a new plan of an activity begins with, by the version of the scheme in force.
///
/// # Errors
/// [`StoreError`].
pub fn plan_points(tx: &mut Tx<'_>, now: Instant) -> Result<Option<i64>, StoreError> {
    let base = world::base(tx)?;
    let office = base.offices.keys().next().copied();
    // A plan is for whoever comes.
    let terms = office.and_then(|office| base.scheme_at(Whose::anybody(office), now));
    Ok(terms.and_then(|terms| terms.told.as_ref()).and_then(told::plan_points))
}
