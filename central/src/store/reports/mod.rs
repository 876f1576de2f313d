//! Figures of reports: what each report is made of, read for the days and the office that it is asked about and for
//! those that they are compared with, and which terminals may still hold facts of them.
//!
//! Figures are summed by the stored business day. Balances, levels and states are those of now: they are told once and
//! not compared.

mod activities;
mod changes;
mod day;
mod facts;
mod ledger;
mod members;
mod visits;

use hufu_shared::ids::OfficeId;
use hufu_shared::member::OfficeRow;
use hufu_shared::rules::calendar;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::cash::HEARD_WITHIN_US;
use super::{StoreError, devices, people};
use crate::db::{SqlFile, Tx, Value};
use crate::rules::cash::may_lack;
use crate::rules::reports::{Block, Filter, Label};
use crate::rules::world::DeviceStatus;

pub use day::{DayReport, day_report};

/// Statements of these files.
pub static SQL: SqlFile = SqlFile::new("reports", include_str!("../../../sql/both/reports.sql"));

/// Facts that are read one by one for a report at most, of all its days.
pub const FACTS_MAX: i64 = 200_000;

/// A report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Visits.
    Visits,
    /// Points given, redeemed, run out and outstanding.
    Points,
    /// Stored value.
    Money,
    /// Attendance by holding and gate.
    Activities,
    /// Redemption.
    Redemptions,
    /// Who joined and left, make-up and origin.
    Members,
    /// Movements between levels.
    Levels,
    /// Terminals.
    Terminals,
    /// Refusals by reason.
    Refusals,
    /// Who served.
    Operators,
    /// What activities cost (K28).
    Costs,
    /// 会员情况变动表, with the uses of the birthday's discount (S9).
    Changes,
}

impl Report {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 12] = [
        Self::Visits,
        Self::Points,
        Self::Money,
        Self::Activities,
        Self::Redemptions,
        Self::Members,
        Self::Levels,
        Self::Terminals,
        Self::Refusals,
        Self::Operators,
        Self::Costs,
        Self::Changes,
    ];

    /// The code in addresses and in keys of words.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Visits => "visits",
            Self::Points => "points",
            Self::Money => "money",
            Self::Activities => "activities",
            Self::Redemptions => "redemptions",
            Self::Members => "members",
            Self::Levels => "levels",
            Self::Terminals => "terminals",
            Self::Refusals => "refusals",
            Self::Operators => "operators",
            Self::Costs => "costs",
            Self::Changes => "changes",
        }
    }

    /// The report of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|report| report.code() == code)
    }
}

/// What is asked, with the offices that it is asked of.
struct Asked {
    filter: Filter,
    periods: Vec<(Day, Day)>,
    /// The offices that count: one, or all.
    offices: Vec<OfficeRow>,
    /// How the club tells its days apart: as its first office does.
    clock: OfficeClock,
    /// Whether these are the days asked about, not those they are compared with.
    is_first: bool,
}

impl Asked {
    fn read(tx: &mut Tx<'_>, filter: &Filter, is_first: bool) -> Result<Self, StoreError> {
        let mut offices = people::offices(tx)?;
        let clock = offices.first().map(|office| office.clock.clone()).unwrap_or_default();
        offices.retain(|row| filter.office.is_none_or(|office| row.office == office));
        Ok(Self { filter: *filter, periods: filter.periods(), offices, clock, is_first })
    }

    /// First and last day, as statements take them.
    fn days(&self) -> [Value; 2] {
        [day_value(self.filter.from), day_value(self.filter.until)]
    }

    /// An office, first and last day, as statements take them.
    fn days_of(&self, office: OfficeId) -> [Value; 3] {
        let [from, until] = self.days();
        [office.0.into(), from, until]
    }

    /// The moments that the days lie between, as statements take them: of any office.
    fn moments(&self) -> [Value; 2] {
        let clocks = || self.offices.iter().map(|office| &office.clock).chain([&self.clock]);
        let start = |clock: &OfficeClock, day| calendar::day_start(&clock.zone, day, clock.cutoff_minutes);
        let from = clocks().map(|clock| start(clock, self.filter.from)).min();
        let until = clocks().map(|clock| start(clock, self.filter.until.plus(1))).max();
        [from.map(|at| at.0).into(), until.map(|at| at.0).into()]
    }

    /// The row over time of a moment at an office, by its clock.
    fn place_at(&self, office: Option<OfficeId>, at: Instant) -> Option<usize> {
        let clock = self.offices.iter().find(|row| Some(row.office) == office).map(|row| &row.clock);
        self.place_of(clock.unwrap_or(&self.clock).business_day(at))
    }

    /// The row over time of a day.
    fn place_of(&self, day: Day) -> Option<usize> {
        self.filter.place_of(&self.periods, day)
    }

    /// Whether what belongs to an office, or to none, counts.
    fn takes(&self, office: Option<OfficeId>) -> bool {
        self.filter.office.is_none() || self.filter.office == office
    }

    /// Whether figures of offices are told side by side.
    fn has_offices(&self) -> bool {
        self.offices.len() > 1
    }
}

fn day_value(day: Day) -> Value {
    i64::from(day.0).into()
}

/// The figures of a label among groups, which stand in the order in which they were met; a new one begins at zero.
fn grouped<const N: usize>(groups: &mut Vec<(Label, [i64; N])>, label: Label) -> &mut [i64; N] {
    let at = groups.iter().position(|group| group.0 == label).unwrap_or_else(|| {
        groups.push((label, [0; N]));
        groups.len() - 1
    });
    &mut groups[at].1
}

/// The blocks of a report; none where it would have to read more than [`FACTS_MAX`] facts one by one.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn blocks(tx: &mut Tx<'_>, report: Report, filter: &Filter) -> Result<Option<Vec<Block>>, StoreError> {
    let asked = Asked::read(tx, filter, true)?;
    let Some(mut blocks) = read(tx, report, &asked)? else { return Ok(None) };
    if let Some(earlier) = filter.earlier() {
        let asked = Asked::read(tx, &earlier, false)?;
        let Some(before) = read(tx, report, &asked)? else { return Ok(None) };
        for block in &mut blocks {
            if let Some(other) = before.iter().find(|other| other.key == block.key) {
                block.compare(other);
            }
        }
    }
    Ok(Some(blocks))
}

fn read(tx: &mut Tx<'_>, report: Report, asked: &Asked) -> Result<Option<Vec<Block>>, StoreError> {
    let blocks = match report {
        Report::Visits => visits::visits(tx, asked)?,
        Report::Points => ledger::points(tx, asked)?,
        Report::Money => ledger::money(tx, asked)?,
        Report::Activities => activities::attendance(tx, asked)?,
        Report::Redemptions => ledger::redemptions(tx, asked)?,
        Report::Members => members::members(tx, asked)?,
        Report::Levels => members::levels(tx, asked)?,
        Report::Terminals => facts::terminals(tx, asked)?,
        Report::Refusals => return facts::refusals(tx, asked),
        Report::Operators => return facts::operators(tx, asked),
        Report::Costs => activities::costs(tx, asked)?,
        Report::Changes => changes::changes(tx, asked)?,
    };
    Ok(Some(blocks))
}

/// Names of the terminals that may still hold facts of the days that a report is about, as it is known `now`.
///
/// # Errors
/// [`StoreError`].
pub fn lacking(tx: &mut Tx<'_>, filter: &Filter, now: Instant) -> Result<Vec<String>, StoreError> {
    let offices = people::offices(tx)?;
    let mut names = Vec::new();
    for line in devices::list(tx)? {
        let is_here = filter.office.is_none_or(|office| line.office == office);
        let is_in_use = line.epoch > 0 && line.status != DeviceStatus::Revoked;
        let clock = offices.iter().find(|row| row.office == line.office).map(|row| row.clock.clone());
        let clock = clock.unwrap_or_default();
        let end = calendar::day_start(&clock.zone, filter.until.plus(1), clock.cutoff_minutes);
        // What was enrolled after these days never recorded any of them.
        let was_there = line.enrolled.is_some_and(|(_, at)| at < end);
        let heard = line.contact.as_ref().map(|contact| (contact.at, contact.queued));
        if is_here && is_in_use && was_there && may_lack(heard, end.min(now.offset(-HEARD_WITHIN_US))) {
            names.push(line.name);
        }
    }
    Ok(names)
}
