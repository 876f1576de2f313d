//! The daily run of expiry: whose points may have run out, and how far it is.
//!
//! A run for a day takes every cut-off up to the end of that day, so days on which the centre was down are caught up by
//! the next run. It goes over members in the order of their ids, some hundred to an act; the last act says that the day
//! is done. One that was cut off starts again: what it posted stands by its cause and is not posted twice.
//!
//! Only members whom it may concern are looked at: those with points of days whose cut-off has come since the last run,
//! and those whose points moved since then, for a late fact changes what ran out. The latter are read once for a run:
//! asked for each act anew, a run over a million members would walk over all of them a thousand times.
//!
//! Out of scope: what runs out, which is for [`crate::rules::judge::expiry`].

use std::collections::BTreeSet;
use std::sync::Arc;

use hufu_shared::act::{Act, Actor, JobRan, PointsExpired};
use hufu_shared::ids::{EntryId, MemberId};
use hufu_shared::time::{DAY_US, Day, Instant, OfficeClock};

use super::{StoreError, acts, journal, world};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::apply::EXPIRY_JOB;
use crate::rules::entry::{Entry, EntryBody, TakenAct};
use crate::rules::judge::expiry::earned_between;
use crate::rules::outcome::Outcome;
use crate::rules::world::World;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("expiry", include_str!("../../sql/both/expiry.sql"));

/// Members that one act looks at.
pub const MEMBERS_MAX: usize = 500;
/// What moved this long before the last run ended is looked at once more, in us: it may have moved while that ran.
const OVERLAP_US: i64 = DAY_US;

/// A run that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The day at whose end it cuts.
    pub cutoff: Day,
    /// The day of the last run; none if there was none, or all is to be reckoned anew.
    last: Option<Day>,
    /// What moved after this is looked at.
    since: Instant,
}

/// A run with whom it looks at beside those whose points' time has come.
#[derive(Debug, Clone)]
pub struct Round {
    run: Run,
    /// Whose points moved since the last run, in the order of their ids; none stands for everybody.
    changed: Option<Arc<[MemberId]>>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Some members were looked at.
    Upto {
        /// The last of them.
        last: MemberId,
        /// Of how many of them points were taken off, or given back.
        changed: u64,
    },
    /// The day is done.
    Done,
    /// Not while the centre recovers: nothing may be taken from anybody.
    Recovering,
}

/// The run that is due: for the newest day that is over in the club's zone, if that was not done yet.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Run>, StoreError> {
    let policy = world::base(tx)?.policy;
    let clock = OfficeClock { zone: policy.zone, cutoff_minutes: 0 };
    let cutoff = clock.business_day(now).plus(-1);
    let row = tx.query_opt(SQL.get("last_run"), &[EXPIRY_JOB.into()])?;
    let (mut last, mut since) = (None, Instant(i64::MIN));
    if let Some(row) = row
        && let Some(day) = row.int_opt(0)?
    {
        let day = i32::try_from(day).map_err(|_| StoreError::Range { what: "day of a job", met: day })?;
        (last, since) = (Some(Day(day)), Instant(row.int(1)?.saturating_sub(OVERLAP_US)));
    }
    Ok(last.is_none_or(|last| last < cutoff).then_some(Run { cutoff, last, since }))
}

/// Begins a run. What moves while it goes on is looked at by the next one.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn begin(tx: &mut Tx<'_>, run: Run) -> Result<Round, StoreError> {
    if run.last.is_none() {
        return Ok(Round { run, changed: None });
    }
    let found = tx.query(SQL.get("changed_since"), &[run.since.0.into()])?;
    let changed: Vec<MemberId> = members(&found)?;
    Ok(Round { run, changed: Some(changed.into()) })
}

fn members(found: &[Row]) -> Result<Vec<MemberId>, StoreError> {
    found.iter().map(|row| Ok(MemberId(row.array(0)?))).collect()
}

/// Takes the next members of a run, after `after`, as an act; or says that the day is done.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn step(
    tx: &mut Tx<'_>,
    round: &Round,
    after: Option<MemberId>,
    entry: EntryId,
    now: Instant,
) -> Result<Step, StoreError> {
    journal::pass_gate(tx, now)?;
    let world = world::base(tx)?;
    if !world.may_debit() {
        return Ok(Step::Recovering);
    }
    let cutoff = round.run.cutoff;
    let members = candidates(tx, round, &world, after)?;
    let actor = Actor::Job(EXPIRY_JOB.to_owned());
    let Some(last) = members.last().copied() else {
        let ran = JobRan { job: EXPIRY_JOB.to_owned(), day: cutoff };
        acts::take(tx, entry, now, &actor, &Act::JobRan(ran))?;
        return Ok(Step::Done);
    };
    let act = Act::PointsExpired(PointsExpired { cutoff, members });
    let given = acts::take(tx, entry, now, &actor, &act)?;
    Ok(Step::Upto { last, changed: changed(&given) })
}

/// Of how many members an act takes points off, or gives them back.
fn changed(given: &Outcome) -> u64 {
    let members: BTreeSet<_> = given.postings.iter().map(|posting| posting.member).collect();
    u64::try_from(members.len()).unwrap_or(u64::MAX)
}

/// What [`step`] would do, with nothing done.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn look(
    tx: &mut Tx<'_>,
    round: &Round,
    after: Option<MemberId>,
    now: Instant,
) -> Result<Step, StoreError> {
    let world = world::base(tx)?;
    if !world.may_debit() {
        return Ok(Step::Recovering);
    }
    let cutoff = round.run.cutoff;
    let members = candidates(tx, round, &world, after)?;
    let Some(last) = members.last().copied() else { return Ok(Step::Done) };
    let act = Act::PointsExpired(PointsExpired { cutoff, members });
    let taken = TakenAct { actor: Actor::Job(EXPIRY_JOB.to_owned()), act, seen: Vec::new() };
    let entry = Entry { id: EntryId([0; 16]), received: now, body: EntryBody::Act(taken) };
    Ok(Step::Upto { last, changed: changed(&world::apply_entry(tx, &entry)?) })
}

/// The next members whom a run may concern, in the order of their ids.
fn candidates(
    tx: &mut Tx<'_>,
    round: &Round,
    world: &World,
    after: Option<MemberId>,
) -> Result<Vec<MemberId>, StoreError> {
    let place: Vec<u8> = after.map_or_else(Vec::new, |member| member.0.to_vec());
    let limit = i64::try_from(MEMBERS_MAX).unwrap_or(i64::MAX);
    let Some(changed) = &round.changed else {
        return members(&tx.query(SQL.get("everybody"), &[place.into(), limit.into()])?);
    };
    let seen = changed.partition_point(|member| after.is_some_and(|after| *member <= after));
    let mut found: BTreeSet<MemberId> = changed[seen..].iter().take(MEMBERS_MAX).copied().collect();
    let run = round.run;
    if let Some((first, last)) = earned_between(world.policy.expiry, run.last, run.cutoff) {
        let days = [place.into(), i64::from(first.0).into(), i64::from(last.0).into(), limit.into()];
        found.extend(members(&tx.query(SQL.get("with_points_of"), &days)?)?);
    }
    Ok(found.into_iter().take(MEMBERS_MAX).collect())
}
