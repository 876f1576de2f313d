//! Changes of points with their cause: rows that apply reads and writes, whether a change can be made to what there is,
//! what triggers have to look at, and what people look at.

use hufu_shared::act::{Act, Actor, PointsChange, PointsChanged, PointsTrigger, TriggerOn, Triggered};
use hufu_shared::cbor;
use hufu_shared::fact::Event;
use hufu_shared::ids::{EntryId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::Unit;
use hufu_shared::scheme::Words;
use hufu_shared::scheme::earning::Balance;
use hufu_shared::time::Instant;

use super::{StoreError, acts, journal, known, money, people, redemption, rows, ties, told, world};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::apply::KIND_APPROVAL;
use crate::rules::need::Need;
use crate::rules::outcome::Outcome;
use crate::rules::points::{self, Has, NotChanged, State};
use crate::rules::posting;
use crate::rules::world::{ByEvent, Decided, KnownPoints, KnownTrigger, World};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("points", include_str!("../../sql/both/points.sql"));

/// Name of the job that triggers run in.
pub const TRIGGER_JOB: &str = "points";
/// Facts that one step of a trigger looks at: more than two batches, so that one is always whole.
const FACTS_MAX: usize = 1_200;
/// Merges of one member into another that are followed.
const MERGES_MAX: usize = 64;

/// Fetches a change of points, a trigger, an event or a plan of redemption.
///
/// # Errors
/// [`StoreError`].
pub(super) fn fetch_in(tx: &mut Tx<'_>, world: &mut World, need: Need) -> Result<(), StoreError> {
    match need {
        Need::Points(id) => world.points.extend(change(tx, id)?.map(|known| (id, known))),
        Need::Trigger(id) => {
            let row = tx.query_opt(SQL.get("trigger"), &[id.0.into()])?;
            world.triggers.extend(row.as_ref().map(trigger_of).transpose()?.map(|known| (id, known)));
        }
        Need::Told(id) => world.events.extend(told::event(tx, id)?.map(|known| (id, known))),
        Need::ToldOf(member) => {
            world.told.insert(member, told::given(tx, member)?);
        }
        Need::Plan(id) => world.plans.extend(redemption::plan(tx, id)?.map(|known| (id, known))),
        _ => {}
    }
    Ok(())
}

/// What somebody decided, from when, who and why.
///
/// # Errors
/// [`StoreError`] if the row does not hold it.
pub(super) fn decided_at(row: &Row, column: usize) -> Result<Option<Decided>, StoreError> {
    let Some(at) = row.int_opt(column)? else { return Ok(None) };
    let by = row.text_opt(column + 1)?.unwrap_or_default().to_owned();
    Ok(Some(Decided { at: Instant(at), by, reason: Hash(row.array(column + 2)?) }))
}

/// The three values of what somebody decided.
pub(super) fn decided_values(decided: Option<&Decided>) -> [Value; 3] {
    [
        decided.map(|decided| decided.at.0).into(),
        decided.map(|decided| decided.by.clone()).into(),
        rows::hash_value(decided.map(|decided| decided.reason)),
    ]
}

/// A change of points, from the columns of it that the statements name.
///
/// # Errors
/// [`StoreError`] if the row does not hold one.
pub(super) fn change_of(row: &Row) -> Result<KnownPoints, StoreError> {
    let state = row.text(10)?;
    let fact = row.blob_opt(6)?.is_some().then(|| rows::fact_id_at(row, 6)).transpose()?;
    let change = PointsChange {
        id: Hash(row.array(0)?),
        member: MemberId(row.array(1)?),
        points: row.int(2)?,
        cause: row.text(3)?.to_owned(),
        office: OfficeId(row.array(4)?),
        occurrence: row.array_opt(5)?.map(OccurrenceId),
        fact,
        reason: Hash(row.array(9)?),
    };
    Ok(KnownPoints {
        change,
        state: State::from_code(state).ok_or_else(|| rows::unknown("state of a change of points", state))?,
        trigger: row.array_opt(11)?.map(Hash),
        by_event: by_event(row)?,
        asked: Instant(row.int(12)?),
        asker: row.text(13)?.to_owned(),
        decided: decided_at(row, 14)?,
    })
}

/// What event a change was given for, and by what.
fn by_event(row: &Row) -> Result<Option<ByEvent>, StoreError> {
    let Some(event) = row.array_opt(17)?.map(Hash) else { return Ok(None) };
    let balance = row.text(20)?;
    Ok(Some(ByEvent {
        event,
        rule: row.text(18)?.to_owned(),
        of: row.text(19)?.to_owned(),
        balance: Balance::from_code(balance).ok_or_else(|| rows::unknown("balance", balance))?,
        scheme: rows::u32_at(row, 21, "version of a scheme")?,
    }))
}

fn by_event_values(by: Option<&ByEvent>) -> [Value; 5] {
    [
        rows::hash_value(by.map(|by| by.event)),
        by.map(|by| by.rule.clone()).into(),
        by.map(|by| by.of.clone()).into(),
        by.map(|by| by.balance.code().to_owned()).into(),
        by.map(|by| i64::from(by.scheme)).into(),
    ]
}

fn trigger_of(row: &Row) -> Result<KnownTrigger, StoreError> {
    let terms: PointsTrigger = cbor::decode(row.blob(0)?).map_err(|source| StoreError::Stored {
        what: "trigger of points",
        id: String::new(),
        source,
    })?;
    Ok(KnownTrigger { terms, seen: Instant(row.int(1)?) })
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (id, known) in &outcome.points {
        let change = &known.change;
        let mut values: Vec<Value> = vec![
            id.0.into(),
            change.member.0.into(),
            change.points.into(),
            change.cause.as_str().into(),
            change.office.0.into(),
            change.occurrence.map(|occurrence| occurrence.0).into(),
        ];
        values.extend(rows::fact_id_values_opt(change.fact));
        values.extend([
            change.reason.0.into(),
            known.state.code().into(),
            rows::hash_value(known.trigger),
            known.asked.0.into(),
            known.asker.as_str().into(),
        ]);
        values.extend(decided_values(known.decided.as_ref()));
        values.extend(by_event_values(known.by_event.as_ref()));
        values.extend([posting::points_cause(*id).0.into(), entry.0.into()]);
        tx.execute_later(SQL.get("set_change"), vec![values])?;
    }
    for (id, known) in &outcome.triggers {
        let values: Vec<Value> =
            vec![id.0.into(), cbor::encode(&known.terms).into(), known.seen.0.into(), entry.0.into()];
        tx.execute_later(SQL.get("set_trigger"), vec![values])?;
    }
    told::commit(tx, entry, outcome)?;
    redemption::commit(tx, entry, outcome)
}

/// A change of points.
///
/// # Errors
/// [`StoreError`].
pub fn change(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownPoints>, StoreError> {
    tx.query_opt(SQL.get("change"), &[id.0.into()])?.as_ref().map(change_of).transpose()
}

/// Before all changes, the one that was asked for first in front.
pub const FIRST_ASKED: (&str, i64, Hash) = ("asked", i64::MIN, Hash([0; 32]));

/// Changes in a state after a place in the order `sort`, at most `limit`: by when they were `asked` for, or by their
/// `points`; with a `-` in front the newest or largest first.
///
/// # Errors
/// [`StoreError`].
pub fn changes(
    tx: &mut Tx<'_>,
    state: State,
    (sort, at, id): (&str, i64, Hash),
    limit: i64,
) -> Result<Vec<KnownPoints>, StoreError> {
    let statement = match sort {
        "-asked" => "changes_by_asked_down",
        "points" => "changes_by_points",
        "-points" => "changes_by_points_down",
        _ => "changes_by_asked",
    };
    let key = [state.code().into(), at.into(), id.0.into(), limit.into()];
    let mut found = Vec::new();
    for row in tx.query(SQL.get(statement), &key)? {
        found.extend(change(tx, Hash(row.array(0)?))?);
    }
    Ok(found)
}

/// How many changes wait for a person.
///
/// # Errors
/// [`StoreError`].
pub fn waiting(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    Ok(tx.query_one(SQL.get("waiting"), &[])?.uint(0)?)
}

/// How many purchases have points that wait for approval by the scheme: each has a case.
///
/// # Errors
/// [`StoreError`].
pub fn purchases_waiting(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    Ok(tx.query_one(SQL.get("purchases_waiting"), &[i64::from(KIND_APPROVAL).into()])?.uint(0)?)
}

/// Activities that were approved, with when they begin, the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn activities(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(OccurrenceId, Words, Instant)>, StoreError> {
    let read = |row: &Row| {
        let name = Words { zh: row.text(1)?.to_owned(), en: row.text(2)?.to_owned() };
        Ok((OccurrenceId(row.array(0)?), name, Instant(row.int(3)?)))
    };
    tx.query(SQL.get("activities"), &[limit.into()])?.iter().map(read).collect()
}

/// All triggers.
///
/// # Errors
/// [`StoreError`].
pub fn triggers(tx: &mut Tx<'_>) -> Result<Vec<KnownTrigger>, StoreError> {
    tx.query(SQL.get("triggers"), &[])?.iter().map(trigger_of).collect()
}

/// Who goes on in place of a member: itself, if nobody.
///
/// # Errors
/// [`StoreError`].
pub fn survivor(tx: &mut Tx<'_>, member: MemberId) -> Result<MemberId, StoreError> {
    let mut at = member;
    for _ in 0..MERGES_MAX {
        match ties::merged_into(tx, at)? {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(at)
}

/// What a member has, as far as points are taken or given; of one who was merged, what the one who goes on has.
///
/// # Errors
/// [`StoreError`].
pub fn has(tx: &mut Tx<'_>, member: MemberId) -> Result<Has, StoreError> {
    let member = survivor(tx, member)?;
    let balances = tx.query(world::SQL.get("purse"), &[member.0.into()])?;
    let escrow = tx.query(world::SQL.get("purse_escrow"), &[member.0.into()])?;
    let purse = known::purses(member, &balances, &escrow)?.get(&(member, Unit::Pts)).copied();
    let purse = purse.unwrap_or_default();
    let standing = money::standing(tx, member)?;
    Ok(Has {
        takes_part: standing.is_some_and(|row| row.status != MemberStatus::Left && !row.erased),
        available: purse.available,
        escrow: purse.escrow,
        may_debit: world::recovery(tx)?.since.is_none(),
        has_main_card: true,
    })
}

/// Points that a member owes; of one who was merged, what the one who goes on owes.
///
/// # Errors
/// [`StoreError`].
pub fn owed(tx: &mut Tx<'_>, member: MemberId) -> Result<i64, StoreError> {
    let member = survivor(tx, member)?;
    let balances = tx.query(world::SQL.get("purse"), &[member.0.into()])?;
    Ok(known::purses(member, &balances, &[])?.get(&(member, Unit::Pts)).map_or(0, |purse| purse.owed))
}

/// Whether a change says all that it must, and could be posted now, after others of the same batch that give or take
/// `besides`. One that waits is not asked what the member has: that is looked at when it is approved.
///
/// # Errors
/// [`StoreError`]; in the answer, why it cannot be made.
pub fn check(
    tx: &mut Tx<'_>,
    change: &PointsChange,
    (waits, besides): (bool, i64),
    now: Instant,
) -> Result<Result<(), NotChanged>, StoreError> {
    let occurrence = match change.occurrence {
        Some(id) => people::occurrence(tx, id)?.map(|row| row.state),
        None => None,
    };
    if let Err(why) = points::check(change, occurrence) {
        return Ok(Err(why));
    }
    let mut has = has(tx, change.member)?;
    if waits {
        return Ok(if has.takes_part { Ok(()) } else { Err(NotChanged::Member) });
    }
    has.available = has.available.saturating_add(besides);
    if change.points > 0 {
        let member = survivor(tx, change.member)?;
        has.has_main_card = has_main_card(tx, member, (change.office, now))?;
    }
    Ok(points::post(change.points, has))
}

/// Whether a main card was issued to a member, or the scheme in force at an office asks for none (K15).
///
/// # Errors
/// [`StoreError`].
pub(super) fn has_main_card(
    tx: &mut Tx<'_>,
    member: MemberId,
    (office, now): (OfficeId, Instant),
) -> Result<bool, StoreError> {
    let base = world::base_of(tx, member)?;
    if !points::asks_main_card(base.scheme_at(base.whose(office, member), now)) {
        return Ok(true);
    }
    Ok(tx.query_one(SQL.get("main_cards"), &[member.0.into()])?.uint(0)? > 0)
}

/// How many changes the triggers would make now.
///
/// # Errors
/// [`StoreError`].
pub fn count_due(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let Some(upto) = newest_entry(tx)? else { return Ok(0) };
    let mut count = 0;
    for mut known in waking(tx, upto)? {
        loop {
            let (changes, looked) = due(tx, &known, upto)?;
            count += changes.len();
            match looked {
                Some(seen) if known.seen < seen && seen < upto => known.seen = seen,
                _ => break,
            }
        }
    }
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

/// When the newest entry was taken; none in a journal without any.
fn newest_entry(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    Ok(tx.query_one(SQL.get("newest_entry"), &[])?.int_opt(0)?.map(Instant))
}

/// Triggers that go on and have not looked at everything up to a moment.
fn waking(tx: &mut Tx<'_>, upto: Instant) -> Result<Vec<KnownTrigger>, StoreError> {
    let mut all = triggers(tx)?;
    all.retain(|known| !known.terms.retired && known.seen < upto);
    Ok(all)
}

/// The next step of the triggers: which makes which changes, and how far it has looked then.
fn next_step(tx: &mut Tx<'_>) -> Result<Option<(Triggered, Vec<PointsChange>)>, StoreError> {
    let Some(upto) = newest_entry(tx)? else { return Ok(None) };
    for known in waking(tx, upto)? {
        let (changes, looked) = due(tx, &known, upto)?;
        if let Some(seen) = looked.filter(|seen| !changes.is_empty() || *seen < upto) {
            return Ok(Some((Triggered { trigger: known.terms.id, upto: seen }, changes)));
        }
    }
    Ok(None)
}

/// Whether the triggers have a step to take.
///
/// # Errors
/// [`StoreError`].
pub fn is_due(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(next_step(tx)?.is_some())
}

/// Takes the next step of the triggers, as an act; answers how many changes it made, none if there is nothing to do.
///
/// # Errors
/// [`StoreError`]; then nothing was changed.
pub fn step(tx: &mut Tx<'_>, entry: EntryId, now: Instant) -> Result<Option<usize>, StoreError> {
    journal::pass_gate(tx, now)?;
    let Some((by, changes)) = next_step(tx)? else { return Ok(None) };
    let made = changes.len();
    let changed = PointsChanged { changes, waits: true, trigger: Some(by) };
    acts::take(tx, entry, now, &Actor::Job(TRIGGER_JOB.to_owned()), &Act::PointsChanged(changed))?;
    Ok(Some(made))
}

/// What a trigger makes of what was taken in since it last looked, and up to when that is; none if there was nothing.
fn due(
    tx: &mut Tx<'_>,
    known: &KnownTrigger,
    upto: Instant,
) -> Result<(Vec<PointsChange>, Option<Instant>), StoreError> {
    let terms = &known.terms;
    let limit = i64::try_from(FACTS_MAX).unwrap_or(i64::MAX);
    let key = [terms.on.code().into(), known.seen.0.into(), upto.0.into(), limit.into()];
    let found = tx.query(SQL.get("recorded"), &key)?;
    let received = |row: &Row| Ok::<_, StoreError>(Instant(row.int(6)?));
    let Some(last) = found.last().map(received).transpose()? else { return Ok((Vec::new(), None)) };
    // A batch that was cut in two is looked at whole by the next step.
    let is_full = found.len() >= FACTS_MAX;
    let seen = if is_full { last.offset(-1) } else { upto };
    let mut changes = Vec::new();
    for row in &found {
        if received(row)? <= seen {
            changes.extend(made(tx, terms, row)?);
        }
    }
    Ok((changes, Some(seen)))
}

/// The change that a trigger makes of one fact.
fn made(tx: &mut Tx<'_>, terms: &PointsTrigger, row: &Row) -> Result<Option<PointsChange>, StoreError> {
    let fact = rows::fact_id_at(row, 0)?;
    let office = OfficeId(row.array(5)?);
    if terms.office.is_some_and(|only| only != office) {
        return Ok(None);
    }
    let bought = match terms.on {
        TriggerOn::Earned => match known::readable(tx, fact, row.blob(3)?)?.map(|fact| fact.event) {
            Some(Event::Earned(earned)) => Some(earned.purchase.0),
            _ => return Ok(None),
        },
        TriggerOn::Visited | TriggerOn::Attended => None,
    };
    let Some(points) = points::given(terms, bought) else { return Ok(None) };
    let id = points::triggered(terms.id, fact);
    Ok(Some(PointsChange {
        id,
        member: MemberId(row.array(4)?),
        points,
        cause: terms.cause.clone(),
        office,
        occurrence: row.array_opt(7)?.map(OccurrenceId),
        fact: Some(fact),
        reason: Hash([0; 32]),
    }))
}
