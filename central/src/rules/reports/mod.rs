//! Reports without a database: which days a report is about and how they are split, what its figures look like, and how
//! they compare with those of other days.
//!
//! One [`Block`] of figures serves the chart, the table, the workbook and the print. Amounts are fen, points and counts;
//! sums are held at the ends of 64 bits. Out of scope: where figures come from (`store::reports`), words.

pub mod movement;
pub mod opening;

use chrono::{Datelike, NaiveDate};
use hufu_shared::ids::{OfficeId, OperatorId};
use hufu_shared::rules::calendar;
use hufu_shared::scheme::Words;
use hufu_shared::time::Day;

/// Rows over time that one report has at most: a report of more is told in longer steps.
pub const PERIODS_MAX: usize = 400;
/// Days that one report spans at most; a longer one begins later.
pub const DAYS_MAX: i32 = 3_660;
/// Days of a week.
const WEEK_DAYS: i32 = 7;
/// 1970-01-01 was a Thursday: days from it to the Monday of its week.
const MONDAY_BEFORE_EPOCH: i32 = 3;

/// How long a row over time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A business day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

impl Step {
    /// All, the shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The code in addresses and in keys of words.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The last day of the step that a day is in.
    fn end_of(self, day: Day) -> Day {
        match self {
            Self::Day => day,
            Self::Week => day.plus(WEEK_DAYS - 1 - (day.0 + MONDAY_BEFORE_EPOCH).rem_euclid(WEEK_DAYS)),
            Self::Month => {
                let next = first_of_month(day).and_then(|first| calendar::months_after(first, 1));
                next.map_or(day, |next| next.plus(-1))
            }
        }
    }
}

fn first_of_month(day: Day) -> Option<Day> {
    Some(Day::from_date(day.date()?.with_day(1)?))
}

/// What figures are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Nothing.
    Nothing,
    /// As many days before them; as many months for whole months.
    Before,
    /// The same days of the year before.
    Year,
}

impl Against {
    /// All.
    pub const ALL: [Self; 3] = [Self::Nothing, Self::Before, Self::Year];

    /// The code in addresses and in keys of words.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Before => "before",
            Self::Year => "year",
        }
    }
}

/// What a report is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// One office; all of them without.
    pub office: Option<OfficeId>,
    /// The first business day.
    pub from: Day,
    /// The last business day, never before the first.
    pub until: Day,
    /// How rows over time are split.
    pub step: Step,
    /// What they are compared with.
    pub against: Against,
}

impl Filter {
    /// A filter that a report can be made for: days in their order and not too many, steps long enough.
    #[must_use]
    pub fn fitting(mut self) -> Self {
        if self.until < self.from {
            (self.from, self.until) = (self.until, self.from);
        }
        self.from = self.from.max(self.until.plus(1 - DAYS_MAX));
        while self.step != Step::Month && self.periods().len() > PERIODS_MAX {
            self.step = if self.step == Step::Day { Step::Week } else { Step::Month };
        }
        self
    }

    /// The rows over time: first and last day of each, cut to the days that are asked about.
    #[must_use]
    pub fn periods(&self) -> Vec<(Day, Day)> {
        let mut periods = Vec::new();
        let mut day = self.from;
        while day <= self.until {
            let last = self.step.end_of(day).min(self.until);
            periods.push((day, last));
            day = last.plus(1);
        }
        periods
    }

    /// The row over time that a day is in; none for a day that is not asked about.
    #[must_use]
    pub fn place_of(&self, periods: &[(Day, Day)], day: Day) -> Option<usize> {
        if day < self.from {
            return None;
        }
        let at = periods.partition_point(|period| period.1 < day);
        (at < periods.len()).then_some(at)
    }

    /// The days that these are compared with; none where they are not, or the calendar does not reach so far.
    #[must_use]
    pub fn earlier(&self) -> Option<Self> {
        let (from, until) = match self.against {
            Against::Nothing => return None,
            Against::Year => (year_before(self.from)?, year_before(self.until)?),
            Against::Before => match self.whole_months() {
                Some(months) => (months_before(self.from, months)?, self.from.plus(-1)),
                None => (self.from.plus(self.from.0 - self.until.0 - 1), self.from.plus(-1)),
            },
        };
        Some(Self { from, until, against: Against::Nothing, ..*self })
    }

    /// How many months the days are, if they are whole ones.
    fn whole_months(&self) -> Option<u32> {
        let (first, after) = (self.from.date()?, self.until.plus(1).date()?);
        let is_whole = first.day() == 1 && after.day() == 1;
        let months = |date: NaiveDate| date.year() * 12 + i32::try_from(date.month()).unwrap_or_default();
        if is_whole { u32::try_from(months(after) - months(first)).ok() } else { None }
    }
}

fn months_before(day: Day, months: u32) -> Option<Day> {
    day.date()?.checked_sub_months(chrono::Months::new(months)).map(Day::from_date)
}

fn year_before(day: Day) -> Option<Day> {
    months_before(day, 12)
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// People, facts, cards: things.
    Count,
    /// Points.
    Points,
    /// Fen.
    Fen,
}

/// A column of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in keys of words.
    pub key: &'static str,
    /// What it counts.
    pub measure: Measure,
    /// Whether its rows add up: members seen on two days may be the same.
    pub adds: bool,
    /// Whether the chart shows it.
    pub drawn: bool,
}

impl Column {
    /// A column that adds up and is drawn.
    #[must_use]
    pub const fn new(key: &'static str, measure: Measure) -> Self {
        Self { key, measure, adds: true, drawn: true }
    }

    /// The same in the table only.
    #[must_use]
    pub const fn quiet(self) -> Self {
        Self { drawn: false, ..self }
    }

    /// The same whose rows do not add up.
    #[must_use]
    pub const fn apart(self) -> Self {
        Self { adds: false, ..self }
    }
}

/// What a row is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// Days from the first to the last.
    Period(Day, Day),
    /// An office.
    Office(OfficeId),
    /// Somebody at a terminal; none where nobody was signed in.
    Operator(Option<OperatorId>),
    /// The club's words.
    Words(Words),
    /// A key of words.
    Key(String),
    /// A text as it is.
    Text(String),
}

/// A row of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is of, one for each head of the block.
    pub labels: Vec<Label>,
    /// A figure for each column; none where there is no such figure.
    pub values: Vec<Option<i64>>,
    /// The same of the days compared with; empty where nothing is compared.
    pub before: Vec<Option<i64>>,
}

impl Row {
    /// A row.
    #[must_use]
    pub fn new(labels: Vec<Label>, values: Vec<i64>) -> Self {
        Self { labels, values: values.into_iter().map(Some).collect(), before: Vec::new() }
    }
}

/// How a block is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Lines over time.
    Lines,
    /// Bars, one group for each row.
    Bars,
    /// Parts of a whole: the first column that is drawn.
    Pie,
    /// Not at all: a list.
    List,
}

impl Shape {
    /// The code that the script of charts knows.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Bars => "bars",
            Self::Pie => "pie",
            Self::List => "list",
        }
    }
}

/// Figures with what they are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its name in keys of words.
    pub key: &'static str,
    /// What the labels of rows are called, in keys of words.
    pub heads: Vec<&'static str>,
    /// What is counted.
    pub columns: Vec<Column>,
    /// The figures.
    pub rows: Vec<Row>,
    /// A figure for each column over all rows; none where they do not add up.
    pub total: Vec<Option<i64>>,
    /// The same of the days compared with; empty where nothing is compared.
    pub total_before: Vec<Option<i64>>,
    /// How it is drawn.
    pub shape: Shape,
}

impl Block {
    /// A block whose total is the sum of its rows.
    #[must_use]
    pub fn new(
        (key, shape): (&'static str, Shape),
        heads: Vec<&'static str>,
        columns: Vec<Column>,
        rows: Vec<Row>,
    ) -> Self {
        let sum = |at: usize| {
            let values = rows.iter().filter_map(|row| row.values.get(at).copied().flatten());
            values.fold(0_i64, i64::saturating_add)
        };
        let total = columns.iter().enumerate().map(|(at, column)| column.adds.then(|| sum(at))).collect();
        Self { key, heads, columns, rows, total, total_before: Vec::new(), shape }
    }

    /// A block over time.
    #[must_use]
    pub fn over_time(
        key: &'static str,
        columns: Vec<Column>,
        rows: Vec<((Day, Day), Vec<Option<i64>>)>,
    ) -> Self {
        let row = |((from, until), values)| Row {
            labels: vec![Label::Period(from, until)],
            values,
            before: Vec::new(),
        };
        let shape = if rows.len() > 1 { Shape::Lines } else { Shape::Bars };
        Self::new((key, shape), vec!["period"], columns, rows.into_iter().map(row).collect())
    }

    /// The same with the figure of a column over all rows, where it is known and no sum.
    #[must_use]
    pub fn with_total(mut self, key: &str, value: Option<i64>) -> Self {
        let at = self.columns.iter().position(|column| column.key == key);
        if let Some(total) = at.and_then(|at| self.total.get_mut(at)) {
            *total = value;
        }
        self
    }

    /// Puts the figures of earlier days beside: rows over time by their place, others by what they are of.
    pub fn compare(&mut self, earlier: &Self) {
        self.total_before.clone_from(&earlier.total);
        for (at, row) in self.rows.iter_mut().enumerate() {
            let is_of_time = matches!(row.labels.first(), Some(Label::Period(..)));
            let other = if is_of_time {
                earlier.rows.get(at)
            } else {
                earlier.rows.iter().find(|other| other.labels == row.labels)
            };
            row.before = match other {
                Some(other) => other.values.clone(),
                // What was not there came to nothing; a period that was not there came to no figure.
                None => vec![if is_of_time { None } else { Some(0) }; row.values.len()],
            };
        }
    }

    /// Whether there is nothing to see.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let all = self.rows.iter().flat_map(|row| row.values.iter().chain(&row.before));
        all.flatten().all(|value| *value == 0)
    }
}

#[cfg(test)]
mod tests;
