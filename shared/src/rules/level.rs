//! Levels: how far a member has come, when a level is reached, and what follows when it ends (rules B1, B2, P1, P5).
//!
//! Rising is looked at whenever something happened to the member; an end on the day after the last day. Both are told
//! everything as of that day, so doing it late gives what doing it on time gave. Out of scope: who issues the new card.

use minicbor::{Decode, Encode};

use super::calendar;
use crate::policy::{MonthDay, Period};
use crate::scheme::Scheme;
use crate::scheme::level::{Level, Measure, OnExpiry, Reassess, Validity, Window};
use crate::time::Day;

/// What a member did on a day, as far as levels count it; returns are deeds of their own, below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed {
    /// The business day.
    pub day: Day,
    /// Points earned.
    pub points: i64,
    /// Money paid, in fen.
    pub spend_fen: i64,
}

/// What is known of a member as of the day of the question.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'a> {
    /// All deeds up to that day.
    pub deeds: &'a [Deed],
    /// Growth as of that day.
    pub growth: i64,
    /// Points as of that day.
    pub balance: i64,
}

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Standing {
    /// The rank held.
    #[n(0)]
    pub rank: u8,
    /// The first day of holding it.
    #[n(1)]
    pub since: Day,
    /// The last day of it; none while it has no end.
    #[n(2)]
    pub until: Option<Day>,
    /// Whether it has ended and is kept for some days of grace.
    #[n(3)]
    pub in_grace: bool,
}

/// What the end of a level led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was reached once more and goes on.
    Renewed,
    /// It is kept for some days of grace.
    Grace,
    /// The member holds a lower one.
    Fell {
        /// The rank before.
        from: u8,
    },
}

/// How far a member has come towards a level on a day.
#[must_use]
pub fn measured(level: &Level, record: Record<'_>, day: Day) -> i64 {
    let within =
        |deed: &&Deed| deed.day <= day && window_start(level.window, day).is_none_or(|from| from <= deed.day);
    let sum = |part: fn(&Deed) -> i64| {
        record.deeds.iter().filter(within).fold(0_i64, |sum, deed| sum.saturating_add(part(deed)))
    };
    match level.measure {
        Measure::None | Measure::Manual => 0,
        Measure::Growth => record.growth,
        Measure::Balance => record.balance,
        Measure::PeriodPoints => sum(|deed| deed.points),
        Measure::PeriodSpend => sum(|deed| deed.spend_fen),
    }
}

/// The first day of a window that ends with a day; none if it has no beginning.
pub(super) fn window_start(window: Window, day: Day) -> Option<Day> {
    match window {
        Window::Quarter => Some(Period::Quarter.first_day(day)),
        Window::Year => Some(Period::Year.first_day(day)),
        Window::RollingMonths(months) => calendar::months_before(day, months).map(|before| before.plus(1)),
        Window::Lifetime => None,
    }
}

/// Whether a level's measure reaches its threshold on a day.
#[must_use]
pub fn reached(level: &Level, record: Record<'_>, day: Day) -> bool {
    !matches!(level.measure, Measure::None | Measure::Manual)
        && measured(level, record, day) >= level.threshold
}

/// The last day of a level that was reached on a day; none if it has no end.
#[must_use]
pub fn valid_until(level: &Level, since: Day) -> Option<Day> {
    match level.validity {
        Validity::Forever => None,
        Validity::CalendarYear => {
            calendar::year_of(since).and_then(|year| MonthDay { month: 12, day: 31 }.in_year(year))
        }
        Validity::Months(months) => calendar::months_after(since, months),
    }
}

/// Where a member stands who joins on a day.
#[must_use]
pub fn at_start(scheme: &Scheme, day: Day) -> Standing {
    Standing { rank: scheme.base_rank(), since: day, until: None, in_grace: false }
}

/// Where a member stands who was given a rank by hand.
#[must_use]
pub fn by_hand(scheme: &Scheme, rank: u8, day: Day) -> Standing {
    let until = scheme.level(rank).and_then(|level| valid_until(level, day));
    Standing { rank, since: day, until, in_grace: false }
}

/// Where a member stands after something happened on a day: the highest level that is reached and open to the rank
/// held, step by step; or the same level renewed if it was in grace. None if nothing changes.
#[must_use]
pub fn rise(scheme: &Scheme, standing: Standing, record: Record<'_>, day: Day) -> Option<Standing> {
    let mut now = standing;
    loop {
        let open = |level: &&Level| {
            level.rank > now.rank
                && level.from_rank.is_none_or(|from| now.rank >= from)
                && reached(level, record, day)
        };
        let Some(next) = scheme.levels.iter().filter(open).max_by_key(|level| level.rank) else { break };
        now = by_hand(scheme, next.rank, day);
    }
    let own = scheme.level(now.rank);
    if now.in_grace && own.is_some_and(|level| reached(level, record, day)) {
        now = by_hand(scheme, now.rank, day);
    }
    (now != standing).then_some(now)
}

/// The growth value after a level ended (rule B2).
#[must_use]
pub fn growth_after(level: &Level, growth: i64) -> i64 {
    match level.on_expiry {
        OnExpiry::Keep => growth,
        OnExpiry::Clear => growth.min(0),
        OnExpiry::Deduct(points) => growth.saturating_sub(points).max(growth.min(0)),
    }
}

/// Assesses a member anew whose level has ended: on the day after its last day. The record's growth is the one after
/// the end ([`growth_after`]). A lower level is one that is reached by itself; without one, the base.
#[must_use]
pub fn end(scheme: &Scheme, standing: Standing, record: Record<'_>) -> (Standing, Ended) {
    let last = standing.until.unwrap_or(standing.since);
    let today = last.plus(1);
    let fell = |to: Standing| (to, Ended::Fell { from: standing.rank });
    let Some(level) = scheme.level(standing.rank) else { return fell(at_start(scheme, today)) };
    let seen_on = match level.reassess {
        Reassess::NewWindow => today,
        Reassess::EndedWindow => last,
    };
    if reached(level, record, seen_on) {
        return (by_hand(scheme, level.rank, today), Ended::Renewed);
    }
    if level.grace_days > 0 && !standing.in_grace {
        let until = Some(last.plus(level.grace_days.into()));
        return (Standing { until, in_grace: true, ..standing }, Ended::Grace);
    }
    let lower = |other: &&Level| other.rank < level.rank && reached(other, record, seen_on);
    match scheme.levels.iter().filter(lower).max_by_key(|other| other.rank) {
        Some(other) => fell(by_hand(scheme, other.rank, today)),
        None => fell(at_start(scheme, today)),
    }
}
