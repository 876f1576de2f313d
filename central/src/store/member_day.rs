//! Whose points the member day fills up (P3), and what a member's points and level were at the end of a day.
//!
//! All of it is asked as of the day, as it was known then: a look that comes late, or looks over many days at once, finds
//! what looking in time did. What is filled up on one day counts on the next, and the level that a member has on a day is
//! walked to from where it stood, by the steps that the job of levels would take. Out of scope: levels themselves, and
//! what runs out, which are jobs of their own.

use hufu_shared::act::FilledUp;
use hufu_shared::ids::{MemberId, OfficeId};
use hufu_shared::policy::{ExpiryMode, Policy};
use hufu_shared::rules::bonus;
use hufu_shared::scheme::bonus::RoundUp;
use hufu_shared::scheme::level::Ladder;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::{StoreError, directory, jobs, known, levels, money, rows, world};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::apply::{LEVELS_JOB, ROUND_UP_JOB};
use crate::rules::as_of::{Moved, PointsPast};
use crate::rules::levels::{Moment, Seen, walk};
use crate::rules::posting::{self, PostingCode};
use crate::rules::statement;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("member_day", include_str!("../../sql/both/member_day.sql"));

/// Members that one step looks at.
pub const MEMBERS_STEP_MAX: i64 = 200;

/// What a look at members as of some day asks beside the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How points end.
    expiry: ExpiryMode,
    /// The club's zone.
    zone: String,
    /// The levels, and after which day they were not looked at; none where the club has one for all.
    levels: Option<levels::Look>,
    /// Numbers and first days of the versions of the scheme.
    versions: Vec<(u32, Day)>,
}

impl Terms {
    /// For a look up to a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn read(
        tx: &mut Tx<'_>,
        policy: &Policy,
        (until, now): (Day, Instant),
    ) -> Result<Self, StoreError> {
        let levels = match &policy.levels {
            Some(ladder) => {
                let done = jobs::looked_until(tx, LEVELS_JOB)?;
                let over = jobs::days_over(tx, (&policy.zone, done), now)?;
                let after = over.map_or(done.unwrap_or(until), |days| days.0);
                let days = (after, until);
                Some(levels::Look { scheme: ladder.scheme(), version: 0, zone: policy.zone.clone(), days })
            }
            None => None,
        };
        let versions = directory::versions(tx)?;
        Ok(Self { expiry: policy.expiry, zone: policy.zone.clone(), levels, versions })
    }

    /// A look at what members earned up to a day.
    pub(super) fn earned(&self, until: Day) -> levels::Look {
        // What was paid is asked for levels alone.
        let scheme = Ladder { levels: Vec::new() }.scheme();
        levels::Look { scheme, version: 0, zone: self.zone.clone(), days: (until, until) }
    }

    /// The version of the scheme in force on a day; 0 where none had begun.
    pub(super) fn version(&self, day: Day) -> u32 {
        statement::scheme(0, day, &self.versions)
    }
}

/// A look at whose points are to be filled up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The club's rule.
    pub rule: RoundUp,
    /// Business days: looked at up to the first, to be looked at up to the second.
    pub days: (Day, Day),
    /// The member days between them, in their order.
    member_days: Vec<Day>,
    /// What else is asked.
    terms: Terms,
    /// Which office gives points to a member without one.
    office: OfficeId,
}

/// The look that is due: if the club fills points up, and a member day is over that was not looked at.
///
/// # Errors
/// [`StoreError`].
pub fn look_due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Look>, StoreError> {
    let policy = world::policy(tx)?;
    let Some(rule) = policy.round_up.clone() else { return Ok(None) };
    let done = jobs::looked_until(tx, ROUND_UP_JOB)?;
    let Some(days) = jobs::days_over(tx, (&policy.zone, done), now)? else { return Ok(None) };
    let member_days = bonus::member_days(&rule, days);
    if member_days.is_empty() {
        return Ok(None);
    }
    let Some(office) = world::base(tx)?.offices.keys().next().copied() else { return Ok(None) };
    let terms = Terms::read(tx, &policy, (days.1, now))?;
    Ok(Some(Look { rule, days, member_days, terms, office }))
}

/// What fills up the points of `limit` members after one of them and was not given; and the last member that was looked
/// at, if there are more.
///
/// # Errors
/// [`StoreError`].
pub fn due(
    tx: &mut Tx<'_>,
    look: &Look,
    (after, limit): (MemberId, i64),
) -> Result<(Vec<FilledUp>, Option<MemberId>), StoreError> {
    let found = members(tx, (after, limit))?;
    let mut all = Vec::new();
    for row in &found {
        all.extend(filled_up(tx, look, row)?);
    }
    Ok((all, rows::go_on_after(&found, limit)?))
}

/// Members who take part, after one of them: `id, joined, level_zh, status_since, office`.
pub(super) fn members(tx: &mut Tx<'_>, (after, limit): (MemberId, i64)) -> Result<Vec<Row>, StoreError> {
    Ok(tx.query(SQL.get("members"), &[after.0.into(), limit.into()])?)
}

/// What the member days of a look bring one member.
fn filled_up(tx: &mut Tx<'_>, look: &Look, row: &Row) -> Result<Vec<FilledUp>, StoreError> {
    let (member, joined) = (MemberId(row.array(0)?), rows::day_at(row, 1)?);
    let office = row.array_opt(4)?.map_or(look.office, OfficeId);
    let mut past = past(tx, &look.terms, row, look.days.1)?;
    let mut all = Vec::new();
    for day in look.member_days.iter().copied().filter(|day| joined <= *day) {
        let from = past.at_end_of(day);
        let to = bonus::rounded_up(&look.rule, from);
        let cause = posting::round_up_cause(member, day);
        if to <= from || money::flows(tx, cause)?.postings > 0 {
            continue;
        }
        if rank_on(tx, &look.terms, row, (&past, day))? >= look.rule.min_rank {
            past.give(cause, day, to - from);
            let scheme = look.terms.version(day);
            all.push(FilledUp { member, office, day, from, to, scheme });
        }
    }
    Ok(all)
}

/// All that a member got and used on days up to one, from `id, joined`.
pub(super) fn past(tx: &mut Tx<'_>, terms: &Terms, row: &Row, until: Day) -> Result<PointsPast, StoreError> {
    let clock = OfficeClock { zone: terms.zone.clone(), cutoff_minutes: 0 };
    let member = MemberId(row.array(0)?);
    let mut key = known::lot_key(member);
    key.push(i64::from(until.0).into());
    let mut moved = Vec::new();
    for line in tx.query(SQL.get("moved"), &key)? {
        let Some((cause, lot)) = known::moved(&line, member)? else { continue };
        let is_foreseen = PostingCode::is_foreseen(line.text(6)?);
        let booked = levels::booked(&clock, line.int(7)?, lot.day);
        let known = if is_foreseen { Moment::end_of(lot.day) } else { booked };
        moved.push(Moved { cause, lot, known });
    }
    Ok(PointsPast::new(moved, (terms.expiry, &terms.zone), rows::day_at(row, 1)?))
}

/// The rank that a member had at the end of a day, before what that end brings.
pub(super) fn rank_on(
    tx: &mut Tx<'_>,
    terms: &Terms,
    row: &Row,
    (past, day): (&PointsPast, Day),
) -> Result<u8, StoreError> {
    let Some(look) = &terms.levels else { return Ok(0) };
    let member = MemberId(row.array(0)?);
    // Where levels were looked at beyond the day, the next step says from where it went.
    let key = [member.0.into(), i64::from(day.0).into()];
    if let Some(next) = tx.query_opt(SQL.get("step_after"), &key)? {
        return levels::rank_at(&next, 0);
    }
    let (known, start) = levels::stands(tx, look, row)?;
    let (after, until) = (levels::looked_until(tx, look, (member, known))?, Moment::end_of(day));
    if until <= after {
        return Ok(start.rank);
    }
    let look = levels::Look { days: (look.days.0, day), ..look.clone() };
    let mut seen: Vec<Seen> =
        levels::seen(tx, &look, member)?.into_iter().map(|of| Seen { net: 0, ..of }).collect();
    // What there was is told by what is known here: what ran out may not have been taken yet.
    seen.extend(past.seen(day));
    let moves = walk(&look.scheme, (member, start), &seen, (after, until));
    Ok(moves.last().map_or(start.rank, |step| step.to.rank))
}
