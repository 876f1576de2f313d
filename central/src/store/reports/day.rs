//! 经营日报: a day in figures, beside the same weekday a week before, and what is still missing of it.

use hufu_shared::ids::OfficeId;
use hufu_shared::money::Unit;
use hufu_shared::time::{Day, Instant};

use super::ledger::movements;
use super::visits::{counts, members};
use super::{Asked, SQL, lacking};
use crate::db::Tx;
use crate::rules::reports::movement::{Sums, plus, sums};
use crate::rules::reports::opening::DayTold;
use crate::rules::reports::{Against, Filter, Step};
use crate::store::{StoreError, cases};

/// Days between a day and the one it is compared with.
const WEEK_DAYS: i32 = 7;

/// A day, and what it is told with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayReport {
    /// The day.
    pub day: DayTold,
    /// The same weekday a week before.
    pub before: DayTold,
    /// Names of the terminals that may still hold facts of it.
    pub missing: Vec<String>,
    /// Cases that wait for a person, of all days.
    pub open_cases: u64,
}

/// What a unit's movements of a day come to.
fn moved(tx: &mut Tx<'_>, unit: Unit, filter: &Filter) -> Result<Sums, StoreError> {
    let found = movements(tx, unit, (filter.from, filter.until))?;
    Ok(found.iter().fold(Sums::default(), |sum, movement| plus(sum, sums(movement, filter.office))))
}

fn told(tx: &mut Tx<'_>, filter: &Filter) -> Result<DayTold, StoreError> {
    let asked = Asked::read(tx, filter, true)?;
    let mut told =
        DayTold { members: members(tx, filter.office, (filter.from, filter.until))?, ..DayTold::default() };
    for office in &asked.offices {
        for (_, event, count) in counts(tx, &asked, office.office)? {
            match event.as_str() {
                "visited" | "attended" => told.came += count,
                "refused" => told.refused += count,
                _ => {}
            }
        }
    }
    let (points, money) = (moved(tx, Unit::Pts, filter)?, moved(tx, Unit::Cny, filter)?);
    (told.earned, told.spent) = (points.earned - points.taken, points.spent);
    (told.paid_in, told.paid_out) = (money.paid_in, money.paid_out);
    for row in tx.query(SQL.get("joined"), &asked.days())? {
        if asked.takes(row.array_opt(1)?.map(OfficeId)) {
            told.joined += row.int(2)?;
        }
    }
    Ok(told)
}

/// The report of a day at one office or at all, as it is known `now`.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn day_report(
    tx: &mut Tx<'_>,
    (office, day): (Option<OfficeId>, Day),
    now: Instant,
) -> Result<DayReport, StoreError> {
    let of = |day| Filter { office, from: day, until: day, step: Step::Day, against: Against::Nothing };
    Ok(DayReport {
        day: told(tx, &of(day))?,
        before: told(tx, &of(day.plus(-WEEK_DAYS)))?,
        missing: lacking(tx, &of(day), now)?,
        open_cases: cases::open_counts(tx)?.iter().map(|kind| kind.count).sum(),
    })
}
