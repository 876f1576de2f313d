//! The close of offices' business days: rows that apply reads and writes, a day with its figures and differences, reasons,
//! signatures and reopenings, what came after a day was closed, and the list of days.
//!
//! Figures are reckoned by the statements that reconcile terminals and cash ([`super::reconcile`], [`super::cash`]), in the
//! transaction that takes a signature: nobody signs what is not so any more.

use std::collections::BTreeMap;

use hufu_shared::act::{Act, Actor, DayExplained, DayFigures, DayReopened, DaySigned};
use hufu_shared::cbor;
use hufu_shared::ids::{DeviceId, EntryId, FactId, Hash, MemberId, OfficeId};
use hufu_shared::member::OfficeRow;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::rules::calendar::day_start;
use hufu_shared::time::{Day, Instant};
use hufu_shared::wire::upload::Became;

use super::acts::Note;
use super::{StoreError, acts, cash, devices, journal, people, reconcile, rows};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::office_day::{self, DayStep, Difference, NotDone, OfficeDayState, Standing, TerminalPart};
use crate::rules::outcome::Outcome;
use crate::rules::world::{DeviceStatus, World, became_from_code};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("office_days", include_str!("../../sql/both/office_days.sql"));

/// Days before a day of which late facts are looked for: as long as terminals keep theirs, and what is not settled.
const LATE_DAYS_MAX: i32 = 45;
/// Rows of the list of days, about.
const LISTED_MAX: usize = 60;
/// Days of one step through the list, at most.
const LIST_DAYS_MAX: usize = 31;
/// Steps that the list goes back to find a day of the state that is asked for.
const LIST_STEPS_MAX: usize = 12;

/// Where and which day.
pub type OfficeDay = (OfficeId, Day);

// ---- what apply reads and writes ----

/// Fetches what was done to a day.
///
/// # Errors
/// [`StoreError`].
pub(super) fn day_in(tx: &mut Tx<'_>, world: &mut World, of: OfficeDay) -> Result<(), StoreError> {
    let known = steps(tx, of)?;
    world.office_days.insert(of, known);
    Ok(())
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for ((office, day, n), step) in &outcome.day_steps {
        let values: Vec<Value> = vec![
            office.0.into(),
            i64::from(day.0).into(),
            i64::from(*n).into(),
            step.what.code().into(),
            step.at.0.into(),
            step.by.as_str().into(),
            cbor::encode(&step.what).into(),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("set_step"), vec![values])?;
    }
    Ok(())
}

fn step_of(row: &Row) -> Result<DayStep, StoreError> {
    let what = cbor::decode(row.blob(2)?).map_err(|source| StoreError::Stored {
        what: "step of a day",
        id: row.int(0).map_or_else(|_| String::new(), |at| at.to_string()),
        source,
    })?;
    Ok(DayStep { what, by: row.text(1)?.to_owned(), at: Instant(row.int(0)?) })
}

/// What was done to a day, in order.
///
/// # Errors
/// [`StoreError`].
pub fn steps(tx: &mut Tx<'_>, (office, day): OfficeDay) -> Result<Vec<DayStep>, StoreError> {
    tx.query(SQL.get("steps"), &[office.0.into(), i64::from(day.0).into()])?.iter().map(step_of).collect()
}

fn steps_between(
    tx: &mut Tx<'_>,
    (first, last): (Day, Day),
) -> Result<BTreeMap<OfficeDay, Vec<DayStep>>, StoreError> {
    let mut known: BTreeMap<OfficeDay, Vec<DayStep>> = BTreeMap::new();
    for row in tx.query(SQL.get("steps_between"), &[i64::from(first.0).into(), i64::from(last.0).into()])? {
        let of = (OfficeId(row.array(3)?), rows::day_at(&row, 4)?);
        known.entry(of).or_default().push(step_of(&row)?);
    }
    Ok(known)
}

// ---- a day as a whole ----

/// A case about a fact of the day that waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenCase {
    /// Which.
    pub case: Hash,
    /// Number of its kind.
    pub kind: u8,
    /// Since when.
    pub opened: Instant,
}

/// An office's business day as the centre knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Office, day, cash by teller and method, and the terminals by name.
    pub cash: cash::Report,
    /// Each terminal's day against the ledger, in the order of the cash report.
    pub parts: Vec<TerminalPart>,
    /// Cases that wait.
    pub cases: Vec<OpenCase>,
    /// Whether it can be signed: it ended, or every terminal closed it.
    pub is_over: bool,
    /// The figures.
    pub figures: DayFigures,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What a signature for it stands for.
    pub seen: Hash,
    /// What was done to it.
    pub steps: Vec<DayStep>,
    /// How far it is signed.
    pub standing: Standing,
}

impl Sheet {
    /// Its state in a word.
    #[must_use]
    pub fn state(&self) -> OfficeDayState {
        self.standing.state(self.is_over)
    }

    /// What people call a terminal; its id if it is none of the day's.
    #[must_use]
    pub fn name_of(&self, device: DeviceId) -> String {
        let known = self.cash.terminals.iter().find(|of| of.device == device);
        known.map_or_else(|| device.to_string(), |of| of.name.clone())
    }
}

/// The first moment after a business day of an office.
fn end_of(office: &OfficeRow, day: Day) -> Instant {
    day_start(&office.clock.zone, day.plus(1), office.clock.cutoff_minutes)
}

/// An office's business day as the centre knows it `now`; none if there is no such office.
///
/// # Errors
/// [`StoreError`].
pub fn sheet(tx: &mut Tx<'_>, (office, day): OfficeDay, now: Instant) -> Result<Option<Sheet>, StoreError> {
    let Some(cash) = cash::report(tx, (office, day), now)? else { return Ok(None) };
    let (end, lines, mut parts) = (end_of(&cash.office, day), devices::list(tx)?, Vec::new());
    for of in &cash.terminals {
        let line = lines.iter().find(|line| line.device == of.device);
        let stood_here = line.is_some_and(|line| {
            let is_used = line.office == office && line.status == DeviceStatus::Active;
            is_used && line.enrolled.is_some_and(|(_, since)| since < end)
        });
        let counted = reconcile::closing(tx, of.device, day)?.and_then(|(_, closed)| closed.counted);
        parts.push(TerminalPart {
            device: of.device,
            is_expected: stood_here || of.totals.facts > 0,
            may_lack: of.may_lack,
            day: reconcile::day(tx, of.device, day)?,
            counted,
        });
    }
    let mut cases = Vec::new();
    for row in tx.query(SQL.get("open_cases"), &[office.0.into(), i64::from(day.0).into()])? {
        let kind = row.int(0)?;
        let kind = u8::try_from(kind).map_err(|_| StoreError::Range { what: "kind of a case", met: kind })?;
        cases.push(OpenCase { case: Hash(row.array(2)?), kind, opened: Instant(row.int(1)?) });
    }
    let names: Vec<Hash> = cases.iter().map(|case| case.case).collect();
    let figures = office_day::figures(&parts, &cash.methods, cases.len())
        .map_err(|_| StoreError::Range { what: "figures of a day", met: Amount(i64::MAX).0 })?;
    let differences = office_day::differences((office, day), &parts, &names);
    let steps = steps(tx, (office, day))?;
    Ok(Some(Sheet {
        is_over: office_day::is_over(now >= end, &parts),
        seen: office_day::seen(&figures, &differences),
        standing: Standing::of(&steps),
        cash,
        parts,
        cases,
        figures,
        differences,
        steps,
    }))
}

// ---- what people do to it ----

/// Gives the reason of a difference as an act.
///
/// # Errors
/// [`StoreError`], then nothing was changed; in the answer, what stands against it.
pub fn explain(
    tx: &mut Tx<'_>,
    (of, difference): (OfficeDay, Hash),
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Result<(), NotDone>, StoreError> {
    journal::pass_gate(tx, now)?;
    let Some(sheet) = sheet(tx, of, now)? else { return Ok(Err(NotDone::Unknown)) };
    if sheet.standing.second.is_some() {
        return Ok(Err(NotDone::Signed));
    }
    let Some(found) = sheet.differences.iter().find(|known| known.id == difference) else {
        return Ok(Err(NotDone::NoDifference));
    };
    let (office, day) = of;
    let (matter, device, reason) = (found.matter, found.device, note.commitment);
    note.put(tx, actor.staff(), now)?;
    let act = Act::DayExplained(DayExplained { office, day, difference, matter, device, reason });
    acts::take(tx, entry, now, actor, &act)?;
    Ok(Ok(()))
}

/// Signs a day for what was seen, as an act.
///
/// # Errors
/// [`StoreError`], then nothing was changed; in the answer, what stands against it.
pub fn sign(
    tx: &mut Tx<'_>,
    (of, seen): (OfficeDay, Hash),
    actor: &Actor,
    (entry, now): (EntryId, Instant),
) -> Result<Result<(), NotDone>, StoreError> {
    journal::pass_gate(tx, now)?;
    let Some(sheet) = sheet(tx, of, now)? else { return Ok(Err(NotDone::Unknown)) };
    let is_so = (sheet.is_over, sheet.differences.as_slice(), sheet.seen);
    if let Err(why) = office_day::may_sign(&sheet.standing, (&actor.to_string(), seen), is_so) {
        return Ok(Err(why));
    }
    let ((office, day), figures) = (of, sheet.figures);
    acts::take(tx, entry, now, actor, &Act::DaySigned(DaySigned { office, day, seen, figures }))?;
    Ok(Ok(()))
}

/// Opens a signed day again as an act.
///
/// # Errors
/// [`StoreError`], then nothing was changed; in the answer, what stands against it.
pub fn reopen(
    tx: &mut Tx<'_>,
    (office, day): OfficeDay,
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Result<(), NotDone>, StoreError> {
    journal::pass_gate(tx, now)?;
    if !people::offices(tx)?.iter().any(|row| row.office == office) {
        return Ok(Err(NotDone::Unknown));
    }
    if Standing::of(&steps(tx, (office, day))?).first.is_none() {
        return Ok(Err(NotDone::NotSigned));
    }
    note.put(tx, actor.staff(), now)?;
    let act = Act::DayReopened(DayReopened { office, day, reason: note.commitment });
    acts::take(tx, entry, now, actor, &act)?;
    Ok(Ok(()))
}

// ---- what came after a day was closed ----

/// A fact that came, or changed, after its day was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// The day that it concerns.
    pub day: Day,
    /// When it was put on record.
    pub recorded: Instant,
    /// Whether the fact itself came so late; else what was booked for it changed.
    pub is_late: bool,
    /// Which fact.
    pub fact: FactId,
    /// Name of its event.
    pub event: String,
    /// When it happened, as judged.
    pub at: Instant,
    /// How it stands.
    pub became: Became,
    /// Number of the conflict kind.
    pub kind: Option<u8>,
    /// Whose it is.
    pub member: Option<MemberId>,
    /// What it gave members after its day was closed, by unit; below zero for what was taken.
    pub sums: Vec<(Unit, i64)>,
}

/// What came or changed from one moment to another of days that were closed before. `closed` says when each was.
fn later(
    tx: &mut Tx<'_>,
    (office, days): (OfficeId, (Day, Day)),
    (from, until): (Instant, Instant),
    closed: &BTreeMap<Day, Instant>,
) -> Result<Vec<Later>, StoreError> {
    let key: [Value; 5] = [
        office.0.into(),
        i64::from(days.0.0).into(),
        i64::from(days.1.0).into(),
        from.0.into(),
        until.0.into(),
    ];
    let mut found = Vec::new();
    for row in tx.query(SQL.get("later"), &key)? {
        let day = rows::day_at(&row, 5)?;
        let Some(closed) = closed.get(&day).copied() else { continue };
        let is_then = |at: Instant| at > closed && at >= from && at < until;
        let (came, changed) = (Instant(row.int(6)?), Instant(row.int(7)?));
        let is_late = is_then(came);
        if !is_late && !is_then(changed) {
            continue;
        }
        let fact = rows::fact_id_at(&row, 0)?;
        let sums = moved(tx, fact, (from.max(closed.offset(1)), until))?;
        // A time that is known better now, or a standing that books nothing, changes no figure.
        if !is_late && sums.is_empty() {
            continue;
        }
        let became = row.text(8)?;
        found.push(Later {
            day,
            recorded: if is_late { came } else { changed },
            is_late,
            fact,
            event: row.text(3)?.to_owned(),
            at: Instant(row.int(4)?),
            became: became_from_code(became).ok_or_else(|| rows::unknown("what became of a fact", became))?,
            kind: rows::kind_at(&row, 9)?,
            member: row.array_opt(10)?.map(MemberId),
            sums,
        });
    }
    Ok(found)
}

/// What was booked for a fact in a time, by unit.
fn moved(
    tx: &mut Tx<'_>,
    fact: FactId,
    (from, until): (Instant, Instant),
) -> Result<Vec<(Unit, i64)>, StoreError> {
    let mut key = rows::fact_id_values(fact).to_vec();
    key.extend([from.0.into(), until.0.into()]);
    let mut sums = Vec::new();
    for row in tx.query(SQL.get("moved"), &key)? {
        let unit = row.text(0)?;
        let unit = Unit::from_code(unit).ok_or_else(|| rows::unknown("unit", unit))?;
        sums.extend(Some((unit, row.int(1)?)).filter(|(_, sum)| *sum != 0));
    }
    Ok(sums)
}

/// What came or changed since a day was closed; nothing while it is open.
///
/// # Errors
/// [`StoreError`].
pub fn since_closed(tx: &mut Tx<'_>, sheet: &Sheet) -> Result<Vec<Later>, StoreError> {
    let Some(closed) = sheet.standing.closed_at() else { return Ok(Vec::new()) };
    let (office, day) = (sheet.cash.office.office, sheet.cash.day);
    let all = (closed.offset(1), Instant(i64::MAX));
    later(tx, (office, (day, day)), all, &BTreeMap::from([(day, closed)]))
}

/// 次日调整: what came or changed on a day of other days of the office that were closed before.
///
/// # Errors
/// [`StoreError`].
pub fn adjustments(tx: &mut Tx<'_>, office: &OfficeRow, day: Day) -> Result<Vec<Later>, StoreError> {
    let days = (day.plus(-LATE_DAYS_MAX), day.plus(-1));
    let known = steps_between(tx, days)?;
    let of_office = known.iter().filter(|(of, _)| of.0 == office.office);
    let closed = of_office.filter_map(|(of, steps)| Some((of.1, Standing::of(steps).closed_at()?)));
    let closed: BTreeMap<Day, Instant> = closed.collect();
    if closed.is_empty() {
        return Ok(Vec::new());
    }
    let start = day_start(&office.clock.zone, day, office.clock.cutoff_minutes);
    later(tx, (office.office, days), (start, end_of(office, day)), &closed)
}

// ---- the list ----

/// A day of an office in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayLine {
    /// Where.
    pub office: OfficeRow,
    /// Which day.
    pub day: Day,
    /// Facts that are here.
    pub facts: u64,
    /// Terminals that recorded.
    pub terminals: u64,
    /// Cases that wait.
    pub open_cases: u64,
    /// How far it is signed.
    pub standing: Standing,
    /// Its state in a word.
    pub state: OfficeDayState,
}

/// What is asked of the list.
#[derive(Debug, Clone, Copy)]
pub struct ListAsked {
    /// Of this office alone.
    pub office: Option<OfficeId>,
    /// In this state alone.
    pub state: Option<OfficeDayState>,
    /// The newest day.
    pub last: Day,
}

/// Days of offices on which something was recorded or signed, the newest first, and the day with which the list goes on.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    tx: &mut Tx<'_>,
    asked: ListAsked,
    now: Instant,
) -> Result<(Vec<DayLine>, Option<Day>), StoreError> {
    let mut offices = people::offices(tx)?;
    offices.retain(|row| asked.office.is_none_or(|office| office == row.office));
    let days = (LISTED_MAX / offices.len().max(1)).clamp(1, LIST_DAYS_MAX);
    let back = 1 - i32::try_from(days).unwrap_or(1);
    let mut last = asked.last;
    for _ in 0..LIST_STEPS_MAX {
        let first = last.plus(back);
        let mut lines = lines(tx, &offices, (first, last), now)?;
        lines.retain(|line| asked.state.is_none_or(|state| state == line.state));
        let mut before = None;
        for office in &offices {
            let key = [office.office.0.into(), i64::from(first.0).into()];
            let row = tx.query_opt(SQL.get("newest_before"), &key)?;
            before = before.max(row.map(|row| rows::day_at(&row, 0)).transpose()?);
        }
        match before {
            Some(day) if lines.is_empty() => last = day,
            before => return Ok((lines, before)),
        }
    }
    Ok((Vec::new(), Some(last)))
}

fn lines(
    tx: &mut Tx<'_>,
    offices: &[OfficeRow],
    (first, last): (Day, Day),
    now: Instant,
) -> Result<Vec<DayLine>, StoreError> {
    let days: [Value; 2] = [i64::from(first.0).into(), i64::from(last.0).into()];
    let mut counts: BTreeMap<OfficeDay, (u64, u64, u64)> = BTreeMap::new();
    for row in tx.query(SQL.get("counts"), &days)? {
        let of = (OfficeId(row.array(0)?), rows::day_at(&row, 1)?);
        counts.insert(of, (row.uint(2)?, row.uint(3)?, 0));
    }
    for row in tx.query(SQL.get("case_counts"), &days)? {
        let of = (OfficeId(row.array(0)?), rows::day_at(&row, 1)?);
        counts.entry(of).or_default().2 = row.uint(2)?;
    }
    let mut known = steps_between(tx, (first, last))?;
    for of in known.keys() {
        counts.entry(*of).or_default();
    }
    let mut lines = Vec::new();
    for ((office, day), (facts, terminals, open_cases)) in counts {
        let Some(office) = offices.iter().find(|row| row.office == office).cloned() else { continue };
        let standing = Standing::of(&known.remove(&(office.office, day)).unwrap_or_default());
        let state = standing.state(now >= end_of(&office, day));
        lines.push(DayLine { office, day, facts, terminals, open_cases, standing, state });
    }
    lines.sort_by(|one, other| other.day.cmp(&one.day).then_with(|| one.office.code.cmp(&other.office.code)));
    Ok(lines)
}
