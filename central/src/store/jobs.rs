//! Runs of jobs as people look at them, and what only jobs look for.
//!
//! A run is written down when it begins, while it goes on, and when it ends; one that stopped saying that it goes on was
//! cut off. None of this is part of the books: losing it costs a second look.

use hufu_shared::act::{Act, Actor};
use hufu_shared::cards::CardTerms;
use hufu_shared::ids::{CardId, EntryId, RunId};
use hufu_shared::member::{LATE_EXIT_US, OccurrenceRow};
use hufu_shared::time::{DAY_US, Day, Instant, OfficeClock, SECOND_US};

use super::{StoreError, acts, api_requests, cards, exchange, journal, rows, world};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::jobs::{Job, Past, left_open};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("jobs", include_str!("../../sql/both/jobs.sql"));

/// A run that says nothing for so long was cut off, in us.
const CUT_OFF_AFTER_US: i64 = 600 * SECOND_US;
/// Runs are shown for so long, in us.
const KEPT_US: i64 = 400 * DAY_US;
/// What a run that was cut off says.
pub const CUT_OFF: &str = "cut off";
/// Activities that one step ends.
pub const ACTIVITIES_STEP_MAX: i64 = 50;

/// A run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Which.
    pub id: RunId,
    /// Of which job, by its name.
    pub job: String,
    /// Who asked for it: `clock`, `admin/ID`, or `command`.
    pub actor: String,
    /// When it began.
    pub started: Instant,
    /// When it last said that it goes on.
    pub seen: Instant,
    /// When it ended; none while it goes on.
    pub ended: Option<Instant>,
    /// How much was done.
    pub done: u64,
    /// How much there was to do when it began; none where nobody counted.
    pub expected: Option<u64>,
    /// How much is left for the next run, or for people; none while that is not known.
    pub left: Option<u64>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What became of the wish to begin a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Began {
    /// It goes on now.
    Now,
    /// Another run of the job goes on.
    Other(RunId),
}

/// Begins a run, unless another of the same job goes on. What was cut off before is said so, and what is kept for a while
/// only is forgotten: some job runs each day.
///
/// # Errors
/// [`StoreError`]; then nothing was changed.
pub fn start(tx: &mut Tx<'_>, id: RunId, job: Job, actor: &str, now: Instant) -> Result<Began, StoreError> {
    journal::hold_gate(tx)?;
    let alive = now.offset(-CUT_OFF_AFTER_US);
    if let Some(row) = tx.query_opt(SQL.get("running"), &[job.code().into(), alive.0.into()])? {
        return Ok(Began::Other(RunId(row.array(0)?)));
    }
    tx.execute(SQL.get("cut_off"), &[job.code().into(), CUT_OFF.into()])?;
    tx.execute(SQL.get("prune"), &[now.offset(-KEPT_US).0.into()])?;
    api_requests::forget_old(tx, now)?;
    exchange::forget_old(tx, now)?;
    tx.execute(SQL.get("start"), &[id.0.into(), job.code().into(), actor.into(), now.0.into()])?;
    Ok(Began::Now)
}

/// Says how much a run that goes on has to do.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn expect(tx: &mut Tx<'_>, id: RunId, expected: u64, now: Instant) -> Result<(), StoreError> {
    tx.execute(SQL.get("expect"), &[id.0.into(), rows::number(expected), now.0.into()])?;
    Ok(())
}

/// Says that a run goes on, and how far it is.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn progress(tx: &mut Tx<'_>, id: RunId, done: u64, now: Instant) -> Result<(), StoreError> {
    tx.execute(SQL.get("progress"), &[id.0.into(), now.0.into(), rows::number(done)])?;
    Ok(())
}

/// Ends a run; `left` is what is left, or why it failed.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn finish(
    tx: &mut Tx<'_>,
    id: RunId,
    done: u64,
    left: Result<u64, &str>,
    now: Instant,
) -> Result<(), StoreError> {
    let values = [
        id.0.into(),
        now.0.into(),
        rows::number(done),
        left.ok().map(|left| i64::try_from(left).unwrap_or(i64::MAX)).into(),
        left.err().map(str::to_owned).into(),
    ];
    tx.execute(SQL.get("finish"), &values)?;
    Ok(())
}

/// What is known of earlier runs of a job.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn past(tx: &mut Tx<'_>, job: Job) -> Result<Past, StoreError> {
    let row = tx.query_one(SQL.get("past"), &[job.code().into()])?;
    Ok(Past { done: row.int_opt(0)?.map(Instant), failed: row.int_opt(1)?.map(Instant) })
}

/// One run.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn run(tx: &mut Tx<'_>, id: RunId) -> Result<Option<Run>, StoreError> {
    tx.query_opt(SQL.get("run"), &[id.0.into()])?.as_ref().map(run_of).transpose()
}

/// Before all runs of a job, the newest in front.
pub const NEWEST: (&str, i64, RunId) = ("-started", i64::MAX, RunId([0xff; 16]));

/// Runs of a job after a place in the order `sort`, at most `limit`: `started` for the first one in front, `-started` for
/// the newest.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn runs(
    tx: &mut Tx<'_>,
    job: Job,
    (sort, started, id): (&str, i64, RunId),
    limit: i64,
) -> Result<Vec<Run>, StoreError> {
    let statement = if sort == "started" { "runs_first" } else { "runs_of" };
    let key = [job.code().into(), started.into(), id.0.into(), limit.into()];
    tx.query(SQL.get(statement), &key)?.iter().map(run_of).collect()
}

fn run_of(row: &Row) -> Result<Run, StoreError> {
    Ok(Run {
        id: RunId(row.array(0)?),
        job: row.text(1)?.to_owned(),
        actor: row.text(2)?.to_owned(),
        started: Instant(row.int(3)?),
        seen: Instant(row.int(4)?),
        ended: row.int_opt(5)?.map(Instant),
        done: row.uint(6)?,
        left: row.int_opt(7)?.and_then(|left| u64::try_from(left).ok()),
        error: row.text_opt(8)?.map(str::to_owned),
        expected: row.int_opt(9)?.and_then(|expected| u64::try_from(expected).ok()),
    })
}

/// Activities that were left open (K26), the longest over first, at most `limit`: each as it is to be set.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn activities_due(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<OccurrenceRow>, StoreError> {
    let over = now.offset(-LATE_EXIT_US);
    let found = tx.query(SQL.get("left_open"), &[over.0.into(), limit.into()])?;
    let rows = found.iter().map(rows::occurrence).collect::<Result<Vec<_>, _>>()?;
    Ok(rows.iter().filter_map(|row| left_open(row, now)).collect())
}

/// Ends one activity that was left open, unless it was changed meanwhile; whether it was ended.
///
/// # Errors
/// [`StoreError`]; then nothing was changed.
pub fn end_activity(
    tx: &mut Tx<'_>,
    ended: &OccurrenceRow,
    entry: EntryId,
    now: Instant,
) -> Result<bool, StoreError> {
    journal::pass_gate(tx, now)?;
    let known = super::people::occurrence(tx, ended.occurrence)?;
    let Some(row) = known.and_then(|row| left_open(&row, now)) else { return Ok(false) };
    let actor = Actor::Job(Job::Activities.code().to_owned());
    acts::take(tx, entry, now, &actor, &Act::OccurrenceSet(row))?;
    Ok(true)
}

/// When the club was founded; none before that.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn founded(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    Ok(tx.query_one(SQL.get("founded"), &[])?.int_opt(0)?.map(Instant))
}

/// A look at which cards points change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The club's terms of cards.
    pub terms: CardTerms,
    /// Business days: looked at up to the first, to be looked at up to the second.
    pub days: (Day, Day),
}

/// The look at cards that is due: up to the newest day that is over, if that was not looked at, and if points change any
/// card at all.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn card_look_due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Look>, StoreError> {
    let policy = world::policy(tx)?;
    let asks = policy.cards.levels.iter().any(|level| level.measure.is_some());
    let done = cards::changes_until(tx)?;
    let days = days_over(tx, (&policy.zone, done), now)?;
    Ok(days.filter(|_| asks).map(|days| Look { terms: policy.cards, days }))
}

/// The business days of a zone that are over and were not looked at: after the first, up to the second; none if there are
/// none. `done` is the day up to which somebody looked.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) fn days_over(
    tx: &mut Tx<'_>,
    (zone, done): (&str, Option<Day>),
    now: Instant,
) -> Result<Option<(Day, Day)>, StoreError> {
    let clock = OfficeClock { zone: zone.to_owned(), cutoff_minutes: 0 };
    let until = clock.business_day(now).plus(-1);
    let after = match done {
        Some(day) => day,
        // Nothing was before the club was.
        None => founded(tx)?.map_or(until, |at| clock.business_day(at)).plus(-1),
    };
    Ok((after < until).then_some((after, until)))
}

/// The day up to which a job looked, as the books have it.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) fn looked_until(tx: &mut Tx<'_>, job: &str) -> Result<Option<Day>, StoreError> {
    let row = tx.query_opt(cards::SQL.get("job_day"), &[job.into()])?;
    row.as_ref().map(|row| rows::day_opt(row, 0)).transpose().map(Option::flatten)
}

/// Main cards that one step looks at.
pub const CARDS_STEP_MAX: i64 = 200;
/// The place before all cards.
pub const FIRST_CARD: CardId = CardId([0; 16]);
