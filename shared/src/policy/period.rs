//! Calendar periods, told by the business day of a fact.
//!
//! A fact has one business day, that of its office's zone and cut-off; so a period needs no zone of its own, and a cap
//! over offices in two zones counts each fact on the day that its people lived it.

use chrono::{Datelike, NaiveDate};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::time::Day;

/// A stretch of the calendar for which a cap or limit holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// One business day.
    #[n(0)]
    Day,
    /// Monday to Sunday.
    #[n(1)]
    Week,
    /// A calendar month.
    #[n(2)]
    Month,
    /// A calendar year.
    #[n(3)]
    Year,
    /// A natural quarter, from January, April, July or October.
    #[n(4)]
    Quarter,
}

impl Period {
    /// All periods, shortest first.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// The first day of the period that holds `day`: two days are in one period if these agree. A day beyond the
    /// calendar is a period of its own.
    #[must_use]
    pub fn first_day(self, day: Day) -> Day {
        let Some(date) = day.date() else { return day };
        let first = match self {
            Self::Day => Some(date),
            Self::Week => return day.plus(-to_i32(date.weekday().num_days_from_monday())),
            Self::Month => date.with_day(1),
            Self::Quarter => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
        };
        first.map_or(day, Day::from_date)
    }
}

/// Weekdays and months are small numbers.
fn to_i32(small: u32) -> i32 {
    i32::try_from(small).unwrap_or(0)
}

/// A day of a month, or the month's last one where it is shorter.
pub(super) fn day_at_most(year: i32, month: u8, day: u8) -> Option<Day> {
    let exact = |day: u8| NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day));
    (28..=day).rev().find_map(exact).or_else(|| exact(day)).map(Day::from_date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        text.parse().expect("test day")
    }

    #[test]
    fn periods_follow_the_calendar() {
        let cases = [
            (Period::Day, "2026-11-22", "2026-11-22"),
            (Period::Week, "2026-11-22", "2026-11-16"),
            (Period::Week, "2026-11-23", "2026-11-23"),
            (Period::Week, "2027-01-01", "2026-12-28"),
            (Period::Month, "2026-11-22", "2026-11-01"),
            (Period::Quarter, "2026-11-22", "2026-10-01"),
            (Period::Quarter, "2026-03-31", "2026-01-01"),
            (Period::Quarter, "2024-02-29", "2024-01-01"),
            (Period::Year, "2026-11-22", "2026-01-01"),
            (Period::Year, "2024-02-29", "2024-01-01"),
        ];
        for (period, within, first) in cases {
            assert_eq!(period.first_day(day(within)), day(first), "{period:?} of {within}");
        }
    }

    #[test]
    fn a_short_month_ends_early() {
        assert_eq!(day_at_most(2026, 2, 31), Some(day("2026-02-28")));
        assert_eq!(day_at_most(2024, 2, 29), Some(day("2024-02-29")));
        assert_eq!(day_at_most(2026, 12, 31), Some(day("2026-12-31")));
        assert_eq!(day_at_most(2026, 4, 3), Some(day("2026-04-03")));
        assert_eq!(day_at_most(2026, 13, 1), None);
    }

    proptest! {
        #[test]
        fn a_period_begins_in_itself_and_never_later(n in -200_000i32..200_000) {
            for period in Period::ALL {
                let first = period.first_day(Day(n));
                prop_assert!(first <= Day(n));
                prop_assert_eq!(period.first_day(first), first);
            }
        }

        #[test]
        fn days_beyond_the_calendar_do_not_panic(n in any::<i32>()) {
            for period in Period::ALL {
                prop_assert!(period.first_day(Day(n)) <= Day(n));
            }
        }
    }
}
