//! Levels of members: rows that apply reads and writes, which members move, and what people look at.
//!
//! Two look at the same history by the same walk: the job of the days that are over, at all members, and whoever raises
//! members at once, at those of whom something was taken in ([`news`]). Nobody rises at once while a day that is over waits
//! for its look: what that day brings comes first. A level that a file names is given by hand ([`given`]).

pub mod stand;
use std::collections::BTreeMap;

use hufu_shared::act::{Act, Actor, LevelMove, LevelWhy, LevelsMoved, MemberSet};
use hufu_shared::fact::Event;
use hufu_shared::ids::{EntryId, FactId, MemberId};
use hufu_shared::money::{Leg, Unit};
use hufu_shared::policy::amount_of;
use hufu_shared::rules::level::{self, Deed, Standing};
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::level::{Level, Measure};
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::{StoreError, acts, cards, coupons, directory, jobs, journal, known, rankings, rows, world};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::apply::LEVELS_JOB;
use crate::rules::judge::calendar;
use crate::rules::judge::reversal::{self, Original};
use crate::rules::levels::{self, Moment, Seen};
use crate::rules::need::Need;
use crate::rules::outcome::Outcome;
use crate::rules::posting::PostingCode;
use crate::rules::statement;
use crate::rules::world::{KnownLevel, LevelStep, World};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("levels", include_str!("../../sql/both/levels.sql"));

/// Members that one step looks at.
pub const MEMBERS_STEP_MAX: i64 = 200;

/// Fetches where a member's level stands, or a coupon.
///
/// # Errors
/// [`StoreError`].
pub(super) fn fetch_in(tx: &mut Tx<'_>, world: &mut World, need: Need) -> Result<(), StoreError> {
    match need {
        Need::Level(member) => super::members::level_in(tx, world, member)?,
        Need::Coupon(id) => world.coupons.extend(coupons::coupon(tx, id)?.map(|known| (id, known))),
        _ => {}
    }
    Ok(())
}

/// A rank in a column.
///
/// # Errors
/// [`StoreError`] if it holds none.
pub(super) fn rank_at(row: &Row, column: usize) -> Result<u8, StoreError> {
    let rank = row.int(column)?;
    u8::try_from(rank).map_err(|_| rows::unknown("rank of a level", &rank.to_string()))
}

fn level_of(row: &Row) -> Result<KnownLevel, StoreError> {
    let standing = Standing {
        rank: rank_at(row, 2)?,
        since: rows::day_at(row, 3)?,
        until: rows::day_opt(row, 4)?,
        in_grace: row.flag(5)?,
    };
    Ok(KnownLevel { steps: rows::u32_at(row, 0, "step of a level")?, day: rows::day_at(row, 1)?, standing })
}

/// Where a member's level stands; none if it never moved.
///
/// # Errors
/// [`StoreError`].
pub fn level(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<KnownLevel>, StoreError> {
    tx.query_opt(SQL.get("level"), &[member.0.into()])?.as_ref().map(level_of).transpose()
}

/// The rank that a member holds.
///
/// # Errors
/// [`StoreError`].
pub fn rank(tx: &mut Tx<'_>, member: MemberId) -> Result<u8, StoreError> {
    let policy = world::policy(tx)?;
    let known = super::members::level(tx, &policy, member)?;
    let base = || policy.levels.as_ref().map_or(0, |ladder| ladder.scheme().base_rank());
    Ok(known.map_or_else(base, |known| known.standing.rank))
}

/// Writes what an entry gave, of coupons and awards as well.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for ((member, n), step) in &outcome.level_steps {
        let (moved, to) = (&step.moved, step.moved.to);
        let values: Vec<Value> = vec![
            member.0.into(),
            i64::from(*n).into(),
            i64::from(moved.day.0).into(),
            moved.why.code().into(),
            i64::from(moved.from).into(),
            i64::from(to.rank).into(),
            i64::from(to.since.0).into(),
            to.until.map(|until| i64::from(until.0)).into(),
            i64::from(to.in_grace).into(),
            moved.measured.into(),
            moved.threshold.into(),
            i64::from(step.scheme).into(),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("set_step"), vec![values])?;
    }
    coupons::commit(tx, entry, outcome)?;
    rankings::commit(tx, entry, outcome)
}

/// The steps of a member's level, the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn steps(tx: &mut Tx<'_>, member: MemberId, limit: i64) -> Result<Vec<LevelStep>, StoreError> {
    steps_before(tx, member, i64::MAX, limit)
}

/// The same before one of this number: a member's steps are counted from 1 without gaps.
///
/// # Errors
/// [`StoreError`].
pub fn steps_before(
    tx: &mut Tx<'_>,
    member: MemberId,
    n: i64,
    limit: i64,
) -> Result<Vec<LevelStep>, StoreError> {
    let read = |row: &Row| {
        let (known, why) = (level_of(row)?, row.text(6)?);
        let moved = LevelMove {
            member,
            day: known.day,
            why: LevelWhy::from_code(why).ok_or_else(|| rows::unknown("reason of a level", why))?,
            from: rank_at(row, 7)?,
            to: known.standing,
            measured: row.int(8)?,
            threshold: row.int(9)?,
            // What was taken stands in the ledger.
            taken: None,
            place: Some(known.steps),
        };
        Ok(LevelStep { moved, scheme: rows::u32_at(row, 10, "version of a scheme")? })
    };
    tx.query(SQL.get("steps"), &[member.0.into(), n.into(), limit.into()])?.iter().map(read).collect()
}

/// A look at the levels of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// A scheme that says the club's levels.
    pub scheme: Scheme,
    /// Version of the scheme in force; 0 where none had begun.
    pub version: u32,
    /// The club's zone.
    pub zone: String,
    /// Business days: looked at up to the first, to be looked at up to the second.
    pub days: (Day, Day),
}

impl Look {
    /// The clock of the club's days.
    fn clock(&self) -> OfficeClock {
        OfficeClock { zone: self.zone.clone(), cutoff_minutes: 0 }
    }
}

/// The club's levels and zone, and the days that are over and were not looked at.
type Terms = (Scheme, String, Option<(Day, Day)>);

/// The terms of a look; none in a club without levels.
fn terms(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Terms>, StoreError> {
    let policy = world::policy(tx)?;
    let Some(ladder) = policy.levels else { return Ok(None) };
    let done = jobs::looked_until(tx, LEVELS_JOB)?;
    let days = jobs::days_over(tx, (&policy.zone, done), now)?;
    Ok(Some((ladder.scheme(), policy.zone, days)))
}

/// The look that is due: up to the newest day that is over, if that was not looked at, and if the club has levels.
///
/// # Errors
/// [`StoreError`].
pub fn look_due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Look>, StoreError> {
    let Some((scheme, zone, Some(days))) = terms(tx, now)? else { return Ok(None) };
    let version = statement::scheme(0, days.1, &directory::versions(tx)?);
    Ok(Some(Look { scheme, version, zone, days }))
}

/// The look at the day that goes on; none in a club without levels, and while a day that is over was not looked at.
fn look_today(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Look>, StoreError> {
    let Some((scheme, zone, None)) = terms(tx, now)? else { return Ok(None) };
    up_to_today(tx, (scheme, zone, None), now).map(Some)
}

/// The look at the day that goes on, and at those that are over and were not looked at.
fn up_to_today(tx: &mut Tx<'_>, (scheme, zone, over): Terms, now: Instant) -> Result<Look, StoreError> {
    let today = OfficeClock { zone: zone.clone(), cutoff_minutes: 0 }.business_day(now);
    let version = statement::scheme(0, today, &directory::versions(tx)?);
    let after = over.map_or(today.plus(-1), |days| days.0);
    Ok(Look { scheme, version, zone, days: (after, today) })
}

/// Steps of members' levels that are due, of `limit` members after one of them; and the last member that was looked at, if
/// there are more. Looking over many days at once finds what looking on each of them does.
///
/// # Errors
/// [`StoreError`].
pub fn moves_due(
    tx: &mut Tx<'_>,
    look: &Look,
    after: MemberId,
    limit: i64,
) -> Result<(Vec<LevelMove>, Option<MemberId>), StoreError> {
    let found = tx.query(SQL.get("members"), &[after.0.into(), limit.into()])?;
    let mut due = Vec::new();
    for row in &found {
        due.extend(moves_of(tx, look, row, Moment::end_of(look.days.1))?);
    }
    Ok((due, rows::go_on_after(&found, limit)?))
}

/// Steps of one member's level that are due up to a moment, each with its place.
fn moves_of(tx: &mut Tx<'_>, look: &Look, row: &Row, until: Moment) -> Result<Vec<LevelMove>, StoreError> {
    let member = MemberId(row.array(0)?);
    let (known, start) = stands(tx, look, row)?;
    let may_end = start.until.is_some_and(|last| last < until.day);
    if !may_end && !levels::may_rise(&look.scheme, start) {
        return Ok(Vec::new());
    }
    let after = looked_until(tx, look, (member, known))?;
    let seen = seen(tx, look, member)?;
    let mut moves = levels::walk(&look.scheme, (member, start), &seen, (after, until));
    for (step, place) in moves.iter_mut().zip(known.map_or(0, |known| known.steps).saturating_add(1)..) {
        step.place = Some(place);
    }
    Ok(moves)
}

/// Up to when a member's level was looked at, whose last step is this one.
///
/// # Errors
/// [`StoreError`].
pub(super) fn looked_until(
    tx: &mut Tx<'_>,
    look: &Look,
    (member, known): (MemberId, Option<KnownLevel>),
) -> Result<Moment, StoreError> {
    let Some(known) = known.filter(|known| known.day > look.days.0) else {
        return Ok(Moment::end_of(look.days.0));
    };
    // Who took the last step had looked at all that was taken in before it.
    let at = Instant(tx.query_one(SQL.get("stepped"), &[member.0.into()])?.int(0)?);
    Ok(Moment { day: known.day, at })
}

/// Where a member stands, from `id, joined, level_zh, status_since`, and their last step, if they ever took one.
///
/// # Errors
/// [`StoreError`].
pub(super) fn stands(
    tx: &mut Tx<'_>,
    look: &Look,
    row: &Row,
) -> Result<(Option<KnownLevel>, Standing), StoreError> {
    let known = level(tx, MemberId(row.array(0)?))?;
    let standing = known.map_or_else(|| first(row, look), |known| Ok(known.standing))?;
    Ok((known, standing))
}

/// What a file that names other levels of members than they are read by does to them in a club with levels, before its rows
/// are taken: each stands on the level of that name from today on, for the whole of its time. What was due to them until
/// then comes first. None if nobody's level is another.
///
/// # Errors
/// [`StoreError`].
pub fn given(tx: &mut Tx<'_>, rows: &[MemberSet], now: Instant) -> Result<Option<Act>, StoreError> {
    let Some((scheme, zone, over)) = terms(tx, now)? else { return Ok(None) };
    let look = up_to_today(tx, (scheme, zone, over), now)?;
    let until = Moment { day: look.days.1, at: now };
    let mut moves: Vec<LevelMove> = Vec::new();
    for set in rows {
        let named = |level: &&Level| set.level.as_ref().is_some_and(|name| name.zh == level.name.zh);
        let Some(level) = look.scheme.levels.iter().find(named) else { continue };
        let Some(row) = tx.query_opt(SQL.get("member"), &[set.member.0.into()])? else { continue };
        if row.text_opt(2)? == Some(level.name.zh.as_str()) {
            continue;
        }
        let due = moves_of(tx, &look, &row, until)?;
        let (known, start) = stands(tx, &look, &row)?;
        let place = known.map_or(0, |known| known.steps);
        let last = due.last().map(|last| (last.to.rank, last.place.unwrap_or(place)));
        let (from, place) = last.unwrap_or((start.rank, place));
        moves.extend(due);
        moves.push(LevelMove {
            member: set.member,
            day: look.days.1,
            why: LevelWhy::Given,
            from,
            to: level::by_hand(&look.scheme, level.rank, look.days.1),
            measured: 0,
            threshold: 0,
            taken: None,
            place: Some(place.saturating_add(1)),
        });
    }
    let moved = LevelsMoved { until: look.days.0, scheme: look.version, moves };
    Ok((!moved.moves.is_empty()).then_some(Act::LevelsMoved(moved)))
}

/// What was taken in, as far as anybody may rise by it.
#[derive(Debug, Clone)]
pub struct News {
    look: Look,
    /// Whom it is about.
    pub members: Vec<MemberId>,
    /// Up to this, which is when the newest entry was taken.
    pub newest: Instant,
    /// The clock's time.
    now: Instant,
}

/// What was taken in since a moment; of one who begins to look, since the day began. None if nothing was, in a club without
/// levels, and while a day that is over was not looked at.
///
/// # Errors
/// [`StoreError`].
pub fn news(tx: &mut Tx<'_>, since: Option<Instant>, now: Instant) -> Result<Option<News>, StoreError> {
    let Some(look) = look_today(tx, now)? else { return Ok(None) };
    let since = since.unwrap_or_else(|| calendar::day_start(&look.zone, look.days.1, 0));
    let newest = tx.query_one(SQL.get("newest"), &[])?.int_opt(0)?.map(Instant);
    let Some(newest) = newest.filter(|newest| since < *newest) else { return Ok(None) };
    let found = tx.query(SQL.get("moved"), &[since.0.into()])?;
    let members = found.iter().map(|row| Ok(MemberId(row.array(0)?)));
    let members = members.collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Some(News { look, members, newest, now }))
}

/// Those of some members whom news is about who rise by it.
///
/// # Errors
/// [`StoreError`].
pub fn rising(tx: &mut Tx<'_>, news: &News, of: &[MemberId]) -> Result<Vec<MemberId>, StoreError> {
    let until = Moment { day: news.look.days.1, at: news.now.max(news.newest) };
    let mut members = Vec::new();
    for member in of {
        if let Some(row) = tx.query_opt(SQL.get("member"), &[member.0.into()])?
            && !moves_of(tx, &news.look, &row, until)?.is_empty()
        {
            members.push(*member);
        }
    }
    Ok(members)
}

/// Raises members by all that was taken in so far, as one act; answers how many steps that were. Behind the gate they are
/// asked once more: who rose meanwhile is left alone.
///
/// # Errors
/// [`StoreError`]; then nothing was changed.
pub fn rise(
    tx: &mut Tx<'_>,
    members: &[MemberId],
    entry: EntryId,
    now: Instant,
) -> Result<usize, StoreError> {
    let now = journal::pass_gate(tx, now)?;
    let Some(look) = look_today(tx, now)? else { return Ok(0) };
    let until = Moment { day: look.days.1, at: now };
    let mut moves = Vec::new();
    for member in members {
        if let Some(row) = tx.query_opt(SQL.get("member"), &[member.0.into()])? {
            moves.extend(moves_of(tx, &look, &row, until)?);
        }
    }
    let steps = moves.len();
    if steps > 0 {
        // All members stand looked at up to the day before, as they did.
        let moved = LevelsMoved { until: look.days.0, scheme: look.version, moves };
        acts::take(tx, entry, now, &Actor::Job(LEVELS_JOB.to_owned()), &Act::LevelsMoved(moved))?;
    }
    Ok(steps)
}

/// Where a member stands whose level never moved: on the level of whose name they were brought here, else on what every
/// member has. A level that was brought runs from the day on which the member came to take part, not from the look: looked
/// at each day, it would never end.
fn first(row: &Row, look: &Look) -> Result<Standing, StoreError> {
    let named = row.text_opt(2)?;
    let brought = look.scheme.levels.iter().find(|level| Some(level.name.zh.as_str()) == named);
    Ok(match brought {
        Some(brought) => {
            level::by_hand(&look.scheme, brought.rank, look.clock().business_day(Instant(row.int(3)?)))
        }
        None => level::at_start(&look.scheme, rows::day_at(row, 1)?),
    })
}

/// When something of a day was known: when it was booked, and not before its day.
pub(super) fn booked(clock: &OfficeClock, at: i64, day: Day) -> Moment {
    let at = Instant(at);
    Moment { day: clock.business_day(at).max(day), at }
}

/// What a member did up to the last day of a look, with the moment at which each was known.
///
/// # Errors
/// [`StoreError`].
pub(super) fn seen(tx: &mut Tx<'_>, look: &Look, member: MemberId) -> Result<Vec<Seen>, StoreError> {
    let clock = look.clock();
    let key = [member.0.into(), i64::from(look.days.1.0).into()];
    let mut all = Vec::new();
    for row in tx.query(SQL.get("points"), &key)? {
        let (of, code) = (cards::points_day(&row, member)?, row.text(1)?);
        // What time takes is known beforehand, whenever the job that takes it came by.
        let known = if PostingCode::is_foreseen(code) {
            Moment::end_of(of.day)
        } else if code == PostingCode::LevelEnded.code() {
            Moment::begin_of(of.day)
        } else {
            booked(&clock, row.int(5)?, of.day)
        };
        let is_growth = row.text(6)? == Unit::Growth.code();
        let (earned, net, growth) = if is_growth { (0, 0, of.net) } else { (of.earned, of.net, 0) };
        all.push(Seen { deed: Deed { day: of.day, points: earned, spend_fen: 0 }, net, growth, known });
    }
    if look.scheme.levels.iter().any(|level| level.measure == Measure::PeriodSpend) {
        spent(tx, &clock, &key, &mut all)?;
    }
    Ok(all)
}

/// From when on something about money counts, and from when on it does no more.
type Counts = (Moment, Option<Moment>);

/// When a fact about money counts: as its terminal was told, until it was judged otherwise. What was judged more than once
/// counts as it stands since the last time.
fn counted(row: &Row, clock: &OfficeClock, day: Day) -> Result<Counts, StoreError> {
    let counts = |became: &str| matches!(became, "applied" | "applied_with_case");
    let (taken, changed) = (booked(clock, row.int(5)?, day), booked(clock, row.int(8)?, day));
    Ok(match (counts(row.text_opt(7)?.unwrap_or("applied")), counts(row.text(6)?)) {
        (true, true) => (taken, None),
        (true, false) => (taken, Some(changed)),
        (false, _) => (changed, None),
    })
}

/// What a member paid, less what came back of it. A return may stand before its purchase: its terminal's clock says when it
/// was; and all returns of a purchase bring back no more than was paid. What counts no more was paid until then, less what
/// had come back of it by then.
fn spent(tx: &mut Tx<'_>, clock: &OfficeClock, key: &[Value], all: &mut Vec<Seen>) -> Result<(), StoreError> {
    // What was paid, the whole of which returns name a part, and when it counts.
    let mut bought: BTreeMap<FactId, (i64, Leg, Counts)> = BTreeMap::new();
    let mut returned = Vec::new();
    for row in tx.query(SQL.get("spent"), key)? {
        let (id, day) = (rows::fact_id_at(&row, 0)?, rows::day_at(&row, 4)?);
        let counts = counted(&row, clock, day)?;
        match known::readable(tx, id, row.blob(3)?)?.map(|fact| fact.event) {
            Some(Event::Earned(earned)) => {
                let fen = earned.purchase.0;
                paid(all, (day, fen), counts);
                let (says, gave, at_desk) = (earned.promised, Vec::new(), Vec::new());
                let original = Original { is_reversal: false, says, gave, at_desk };
                let unit = reversal::measure(&original);
                bought.insert(id, (fen, Leg { unit, amount: amount_of(&original.says, unit) }, counts));
            }
            Some(Event::Reversed(reversed)) => returned.push((reversed, day, counts)),
            _ => {}
        }
    }
    let mut taken: BTreeMap<FactId, i64> = BTreeMap::new();
    for (reversed, day, (known, void)) in returned {
        let Some((fen, whole, (since, until))) = bought.get(&reversed.original) else { continue };
        let before = taken.entry(reversed.original).or_insert(0);
        let part = amount_of(&reversed.legs, whole.unit).0;
        let back = levels::returned(*fen, whole.amount.0, part).min(fen.saturating_sub(*before));
        let until = void.into_iter().chain(*until).min();
        paid(all, (day, back.saturating_neg()), (known.max(*since), until));
        if void.is_none() {
            *before = before.saturating_add(back);
        }
    }
    Ok(())
}

/// Notes what was paid on a day, from when on it counts until it does no more; below zero, what came back.
fn paid(all: &mut Vec<Seen>, (day, fen): (Day, i64), (known, void): Counts) {
    let seen = |spend_fen: i64, known: Moment| {
        let deed = Deed { day, points: 0, spend_fen };
        Seen { deed, net: 0, growth: 0, known }
    };
    all.push(seen(fen, known));
    all.extend(void.map(|void| seen(fen.saturating_neg(), void.max(known))));
}
