//! Points filled up on the member day, and the first of a period (rules P3 and P4).

use super::calendar;
use crate::policy::{MonthDay, Period};
use crate::scheme::bonus::{Ranking, RoundUp};
use crate::time::Day;

/// What points become on the member day: never less, never beyond the ceiling unless they were beyond it before.
#[must_use]
pub fn rounded_up(rule: &RoundUp, points: i64) -> i64 {
    let in_bracket =
        |from: i64, to: i64| points == from || (rule.whole_bracket && (from..to).contains(&points));
    if let Some(bracket) = rule.brackets.iter().find(|bracket| in_bracket(bracket.from, bracket.to)) {
        return bracket.to;
    }
    let step = rule.step.max(1);
    let within = points.rem_euclid(step);
    if points < rule.step_from || points >= rule.ceiling || within * 2 < step {
        return points;
    }
    points.saturating_add(step - within).min(rule.ceiling)
}

/// The member day of the month that holds a day; none beyond the calendar.
#[must_use]
pub fn member_day(rule: &RoundUp, day: Day) -> Option<Day> {
    let month = calendar::month_of(day)?;
    MonthDay { month, day: rule.day }.in_year(calendar::year_of(day)?)
}

/// The member days after one day and up to another, in their order.
#[must_use]
pub fn member_days(rule: &RoundUp, (after, until): (Day, Day)) -> Vec<Day> {
    let mut days = Vec::new();
    let mut month = Some(Period::Month.first_day(after));
    while let Some(first) = month.filter(|first| *first <= until) {
        days.extend(member_day(rule, first).filter(|day| (after..=until).contains(day) && *day != after));
        // Beyond the calendar there is no next month.
        month = calendar::months_after(first, 1).filter(|next| *next > first);
    }
    days
}

/// The periods that ended after one day and up to another, each with its first and last day, in their order.
#[must_use]
pub fn periods_ended(period: Period, (after, until): (Day, Day)) -> Vec<(Day, Day)> {
    let mut ended = Vec::new();
    let mut begins = Some(period.first_day(after.plus(1)));
    while let Some(first) = begins {
        begins = next_period(period, first).filter(|next| *next > first);
        match begins.map(|next| next.plus(-1)).filter(|last| *last <= until) {
            Some(last) => ended.push((first, last)),
            None => break,
        }
    }
    ended
}

/// The first day of the period after the one that begins on a day; none beyond the calendar.
fn next_period(period: Period, first: Day) -> Option<Day> {
    match period {
        Period::Day => Some(first.plus(1)),
        Period::Week => Some(first.plus(7)),
        Period::Month => calendar::months_after(first, 1),
        Period::Quarter => calendar::months_after(first, 3),
        Period::Year => calendar::months_after(first, 12),
    }
}

/// A member who takes part in a ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<T> {
    /// Who.
    pub who: T,
    /// The member's rank.
    pub rank: u8,
    /// Points that are ranked.
    pub points: i64,
    /// The day on which that number was reached; the earlier goes first among equals. The source is silent (gap).
    pub reached: Day,
}

/// Those who get the award, first of all first: by points, then by who had them earlier, then by name. Who has nothing
/// is not ranked.
#[must_use]
pub fn first<'p, T: Ord>(rule: &Ranking, places: &'p [Place<T>]) -> Vec<&'p T> {
    let mut ranked: Vec<&Place<T>> =
        places.iter().filter(|place| place.rank >= rule.min_rank && place.points > 0).collect();
    ranked.sort_by(|a, b| {
        b.points.cmp(&a.points).then(a.reached.cmp(&b.reached)).then_with(|| a.who.cmp(&b.who))
    });
    let most = usize::try_from(rule.top_n).unwrap_or(usize::MAX);
    ranked.into_iter().take(most).map(|place| &place.who).collect()
}
