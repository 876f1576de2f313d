//! The weekly message about purchases (G7): which week is due, who bought in it, and what was recorded.
//!
//! A week begins on Monday in the club's zone and counts what the centre took in from then on. So every purchase stands in
//! exactly one message, also one that a terminal brings days late; and a week that is over never changes, whatever becomes
//! of a purchase later. Out of scope: sending, and wording.

use hufu_shared::act::{Act, Actor, JobRan, PurchasesDue};
use hufu_shared::fact::Event;
use hufu_shared::ids::{EntryId, MemberId};
use hufu_shared::money::Unit;
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::{StoreError, acts, jobs, journal, known, money, rows, world};
use crate::db::{SqlFile, Tx};
use crate::rules::apply::KIND_APPROVAL;
use crate::rules::joining::period;
use crate::rules::judge::calendar;
use crate::rules::posting::{self, Account};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("purchases", include_str!("../../sql/both/purchases.sql"));

/// Name of the job in the journal.
pub const JOB: &str = "purchases";
/// Members whom one act names.
pub const MEMBERS_MAX: i64 = 200;
/// Purchases that one message lists.
const LINES_MAX: i64 = 100;
/// Days of a week.
const WEEK_DAYS: i32 = 7;

/// The Monday of the week that is to be told next: the first one after the last that was told, once it is over. A club that
/// never told one begins with the week in which it was founded.
///
/// # Errors
/// [`StoreError`].
pub fn due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Day>, StoreError> {
    Ok(weeks_due(tx, now)?.map(|(next, _)| next))
}

/// The Mondays of the first and the last week that are to be told.
fn weeks_due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<(Day, Day)>, StoreError> {
    let clock = OfficeClock { zone: world::policy(tx)?.zone, cutoff_minutes: 0 };
    let monday = |at: Instant| period::days("week", clock.business_day(at)).map(|(monday, _)| monday);
    let Some(newest) = monday(now).map(|monday| monday.plus(-WEEK_DAYS)) else { return Ok(None) };
    let next = match jobs::looked_until(tx, JOB)? {
        Some(last) => last.plus(WEEK_DAYS),
        None => jobs::founded(tx)?.and_then(monday).unwrap_or(newest),
    };
    Ok((next <= newest).then_some((next, newest)))
}

/// How many would be told now, once for each week that is due.
///
/// # Errors
/// [`StoreError`].
pub fn count(tx: &mut Tx<'_>, now: Instant) -> Result<u64, StoreError> {
    let Some((first, last)) = weeks_due(tx, now)? else { return Ok(0) };
    let (mut week, mut all) = (first, 0_u64);
    while week <= last {
        let (from, until) = span(tx, week)?;
        let row = tx.query_one(SQL.get("count_buyers"), &[from.0.into(), until.0.into()])?;
        all = all.saturating_add(row.uint(0)?);
        week = week.plus(WEEK_DAYS);
    }
    Ok(all)
}

/// When a week begins and ends.
fn span(tx: &mut Tx<'_>, week: Day) -> Result<(Instant, Instant), StoreError> {
    let zone = world::policy(tx)?.zone;
    Ok((calendar::day_start(&zone, week, 0), calendar::day_start(&zone, week.plus(WEEK_DAYS), 0)))
}

/// Takes the next buyers of a week, after `after`, as an act; or says that the week is done. Answers how many, and the last
/// of them.
///
/// # Errors
/// [`StoreError`]; then nothing was changed.
pub fn step(
    tx: &mut Tx<'_>,
    (week, after): (Day, MemberId),
    entry: EntryId,
    now: Instant,
) -> Result<(usize, Option<MemberId>), StoreError> {
    journal::pass_gate(tx, now)?;
    let (from, until) = span(tx, week)?;
    let key = [from.0.into(), until.0.into(), after.0.into(), MEMBERS_MAX.into()];
    let found = tx.query(SQL.get("buyers"), &key)?;
    let members = found.iter().map(|row| Ok(MemberId(row.array(0)?)));
    let members = members.collect::<Result<Vec<_>, StoreError>>()?;
    let (told, last, actor) = (members.len(), members.last().copied(), Actor::Job(JOB.to_owned()));
    let act = match last {
        Some(_) => Act::PurchasesDue(PurchasesDue { week, members }),
        None => Act::JobRan(JobRan { job: JOB.to_owned(), day: week }),
    };
    acts::take(tx, entry, now, &actor, &act)?;
    Ok((told, last))
}

/// A purchase, as the message tells it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recorded {
    /// Its business day.
    pub day: Day,
    /// Where.
    pub office: Words,
    /// Number of the slip.
    pub slip: Option<String>,
    /// What was paid, in fen.
    pub fen: i64,
    /// Points that it gave, by now.
    pub points: i64,
    /// Whether its points, or a part of them, wait for a person.
    pub waits: bool,
}

/// What was recorded of a member's purchases in a week, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn recorded(tx: &mut Tx<'_>, member: MemberId, week: Day) -> Result<Vec<Recorded>, StoreError> {
    let (from, until) = span(tx, week)?;
    let key = [from.0.into(), until.0.into(), member.0.into(), LINES_MAX.into()];
    let mut lines = Vec::new();
    for row in tx.query(SQL.get("recorded"), &key)? {
        let id = rows::fact_id_at(&row, 0)?;
        let Some(Event::Earned(earned)) = known::readable(tx, id, row.blob(3)?)?.map(|fact| fact.event)
        else {
            continue;
        };
        let net = money::flows(tx, posting::fact_cause(id))?.net;
        let own = net.get(&(Account::Available(member), Unit::Pts));
        lines.push(Recorded {
            day: rows::day_at(&row, 4)?,
            office: Words { zh: row.text(6)?.to_owned(), en: row.text(7)?.to_owned() },
            slip: earned.slip.map(|slip| slip.number),
            fen: earned.purchase.0,
            points: own.copied().unwrap_or(0),
            waits: row.text(5)? == "held" || row.int_opt(8)? == Some(i64::from(KIND_APPROVAL)),
        });
    }
    Ok(lines)
}
