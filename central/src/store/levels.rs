//! Levels of members: rows that apply reads and writes, which members the job moves, and what people look at.

use std::collections::BTreeMap;

use hufu_shared::act::{LevelMove, LevelWhy};
use hufu_shared::fact::Event;
use hufu_shared::ids::{EntryId, FactId, MemberId};
use hufu_shared::money::Unit;
use hufu_shared::policy::amount_of;
use hufu_shared::rules::level::{self, Deed, Standing};
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::level::Measure;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::{StoreError, cards, coupons, directory, jobs, known, rankings, rows, world};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::apply::LEVELS_JOB;
use crate::rules::levels::{self, Seen};
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
        Need::Level(member) => world.levels.extend(level(tx, member)?.map(|known| (member, known))),
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
    if let Some(known) = level(tx, member)? {
        return Ok(known.standing.rank);
    }
    let ladder = world::policy(tx)?.levels;
    Ok(ladder.map_or(0, |ladder| ladder.scheme().base_rank()))
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
        };
        Ok(LevelStep { moved, scheme: rows::u32_at(row, 10, "version of a scheme")? })
    };
    tx.query(SQL.get("steps"), &[member.0.into(), n.into(), limit.into()])?.iter().map(read).collect()
}

/// A look at the levels of all members.
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

/// The look that is due: up to the newest day that is over, if that was not looked at, and if the club has levels.
///
/// # Errors
/// [`StoreError`].
pub fn look_due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Look>, StoreError> {
    let policy = world::policy(tx)?;
    let Some(ladder) = policy.levels else { return Ok(None) };
    let done = jobs::looked_until(tx, LEVELS_JOB)?;
    let Some(days) = jobs::days_over(tx, (&policy.zone, done), now)? else { return Ok(None) };
    let version = statement::scheme(0, days.1, &directory::versions(tx)?);
    Ok(Some(Look { scheme: ladder.scheme(), version, zone: policy.zone, days }))
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
        let member = MemberId(row.array(0)?);
        let (start, from) = stands(tx, look, row)?;
        let seen = seen(tx, look, member)?;
        due.extend(levels::walk(&look.scheme, (member, start), &seen, (from, look.days.1)));
    }
    Ok((due, rows::go_on_after(&found, limit)?))
}

/// Where a member's level stands, from `id, joined, level_zh, status_since`, and after which day a look goes on.
///
/// # Errors
/// [`StoreError`].
pub(super) fn stands(tx: &mut Tx<'_>, look: &Look, row: &Row) -> Result<(Standing, Day), StoreError> {
    Ok(match level(tx, MemberId(row.array(0)?))? {
        Some(known) => (known.standing, known.day.max(look.days.0)),
        None => (first(row, look)?, look.days.0),
    })
}

/// Where a member stands whose level never moved: on the level of whose name they were brought here, else on what every
/// member has. A level that was brought runs from the day on which the member came to take part, not from the look: looked
/// at each day, it would never end.
fn first(row: &Row, look: &Look) -> Result<Standing, StoreError> {
    let named = row.text_opt(2)?;
    let clock = OfficeClock { zone: look.zone.clone(), cutoff_minutes: 0 };
    let brought = look.scheme.levels.iter().find(|level| Some(level.name.zh.as_str()) == named);
    Ok(match brought {
        Some(brought) => level::by_hand(&look.scheme, brought.rank, clock.business_day(Instant(row.int(3)?))),
        None => level::at_start(&look.scheme, rows::day_at(row, 1)?),
    })
}

/// What a member did up to the last day of a look, with the day on which each was known.
///
/// # Errors
/// [`StoreError`].
pub(super) fn seen(tx: &mut Tx<'_>, look: &Look, member: MemberId) -> Result<Vec<Seen>, StoreError> {
    let clock = OfficeClock { zone: look.zone.clone(), cutoff_minutes: 0 };
    let key = [member.0.into(), i64::from(look.days.1.0).into()];
    let mut all = Vec::new();
    for row in tx.query(SQL.get("points"), &key)? {
        let of = cards::points_day(&row, member)?;
        let booked = clock.business_day(Instant(row.int(5)?));
        let known = if PostingCode::is_foreseen(row.text(1)?) { of.day } else { booked.max(of.day) };
        all.push(Seen { deed: Deed { day: of.day, points: of.earned, spend_fen: 0 }, net: of.net, known });
    }
    if look.scheme.levels.iter().any(|level| level.measure == Measure::PeriodSpend) {
        spent(tx, &clock, &key, &mut all)?;
    }
    Ok(all)
}

/// What a member paid, less what came back of it. A return may stand before its purchase: its terminal's clock says when it
/// was; and all returns of a purchase bring back no more than was paid.
fn spent(tx: &mut Tx<'_>, clock: &OfficeClock, key: &[Value], all: &mut Vec<Seen>) -> Result<(), StoreError> {
    let mut bought: BTreeMap<FactId, (i64, i64, Day)> = BTreeMap::new();
    let mut returned = Vec::new();
    for row in tx.query(SQL.get("spent"), key)? {
        let id = rows::fact_id_at(&row, 0)?;
        let day = rows::day_at(&row, 4)?;
        let known = clock.business_day(Instant(row.int(5)?)).max(day);
        let seen = |spend_fen: i64| Seen { deed: Deed { day, points: 0, spend_fen }, net: 0, known };
        match known::readable(tx, id, row.blob(3)?)?.map(|fact| fact.event) {
            Some(Event::Earned(earned)) => {
                let gave = amount_of(&earned.promised, Unit::Pts).0;
                bought.insert(id, (earned.purchase.0, gave, known));
                all.push(seen(earned.purchase.0));
            }
            Some(Event::Reversed(reversed)) => {
                returned.push((reversed.original, amount_of(&reversed.legs, Unit::Pts).0, seen(0)));
            }
            _ => {}
        }
    }
    let mut taken: BTreeMap<FactId, i64> = BTreeMap::new();
    for (original, points, seen) in returned {
        let Some((paid, gave, known)) = bought.get(&original) else { continue };
        let before = taken.entry(original).or_insert(0);
        let back = levels::returned(*paid, *gave, points).min(paid.saturating_sub(*before));
        *before = before.saturating_add(back);
        let deed = Deed { spend_fen: back.saturating_neg(), ..seen.deed };
        all.push(Seen { deed, known: seen.known.max(*known), ..seen });
    }
    Ok(())
}
