//! Calendar arithmetic that rules share: where a day begins, a day of the year after another, months later.
//!
//! Days beyond the calendar lie at its ends; nothing here fails.

use crate::policy::MonthDay;
use crate::time::{Day, Instant, MINUTE_US};
use chrono::{DateTime, Datelike, Months, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// Half hours to look ahead for the first moment of a day that summer time begins with.
const GAP_HALF_HOURS_MAX: i32 = 48;

/// The first instant of a business day: local midnight in the zone and the office's cut-off after it. A zone that
/// cannot be read counts as the default one, as for business days.
#[must_use]
pub fn day_start(zone: &str, day: Day, cutoff_minutes: u16) -> Instant {
    let zone: Tz = zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
    let beyond = if day.0 < 0 { Instant(i64::MIN) } else { Instant(i64::MAX) };
    let Some(date) = day.date() else { return beyond };
    let midnight = date.and_time(NaiveTime::MIN);
    let exists = |half_hours: i32| -> Option<DateTime<Tz>> {
        let local = midnight.checked_add_signed(TimeDelta::try_minutes(i64::from(half_hours) * 30)?)?;
        zone.from_local_datetime(&local).earliest()
    };
    (0..GAP_HALF_HOURS_MAX).find_map(exists).map_or(beyond, |start| {
        Instant(start.timestamp_micros()).offset(i64::from(cutoff_minutes) * MINUTE_US)
    })
}

/// The year of a day; none beyond the calendar.
#[must_use]
pub fn year_of(day: Day) -> Option<i32> {
    day.date().map(|date| date.year())
}

/// The first such day of a year that is not before `day`.
#[must_use]
pub fn on_or_after(month_day: MonthDay, day: Day) -> Option<Day> {
    let year = year_of(day)?;
    month_day.in_year(year).filter(|found| *found >= day).or_else(|| month_day.in_year(year.checked_add(1)?))
}

/// The same day so many months later, or the last of a shorter month.
#[must_use]
pub fn months_after(day: Day, months: u16) -> Option<Day> {
    day.date()?.checked_add_months(Months::new(u32::from(months))).map(Day::from_date)
}

/// The same day so many months earlier, or the last of a shorter month.
#[must_use]
pub fn months_before(day: Day, months: u16) -> Option<Day> {
    day.date()?.checked_sub_months(Months::new(u32::from(months))).map(Day::from_date)
}

/// The month of a day, 1 to 12; none beyond the calendar.
#[must_use]
pub fn month_of(day: Day) -> Option<u8> {
    day.date().and_then(|date| u8::try_from(date.month()).ok())
}

/// Day and month of a day.
#[must_use]
pub fn month_day(day: Day) -> Option<MonthDay> {
    let date = day.date()?;
    Some(MonthDay { month: u8::try_from(date.month()).ok()?, day: u8::try_from(date.day()).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("test day")
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_zone_and_after_its_cut_off() {
        let cases = [
            ("Asia/Shanghai", "2016-01-01", 0, "2015-12-31T16:00:00Z"),
            ("Asia/Shanghai", "2026-11-22", 180, "2026-11-21T19:00:00Z"),
            ("America/Sao_Paulo", "2018-11-04", 0, "2018-11-04T03:00:00Z"),
            ("no such zone", "2016-01-01", 0, "2015-12-31T16:00:00Z"),
        ];
        for (zone, on, cutoff, expected) in cases {
            let expected = DateTime::parse_from_rfc3339(expected).expect("test instant").timestamp_micros();
            assert_eq!(day_start(zone, day(on), cutoff), Instant(expected), "{zone} {on}");
        }
        assert_eq!(day_start("UTC", Day(i32::MAX), 0), Instant(i64::MAX));
        assert_eq!(day_start("UTC", Day(i32::MIN), 0), Instant(i64::MIN));
    }

    #[test]
    fn a_day_begins_where_its_business_day_begins() {
        let clock = crate::time::OfficeClock { cutoff_minutes: 90, ..Default::default() };
        for n in [0, 7_000, 20_000, 20_780] {
            let start = day_start(&clock.zone, Day(n), clock.cutoff_minutes);
            assert_eq!(clock.business_day(start), Day(n));
            assert_eq!(clock.business_day(start.offset(-1)), Day(n - 1));
        }
    }

    #[test]
    fn days_of_a_year_and_months_later() {
        let end = MonthDay { month: 12, day: 31 };
        assert_eq!(on_or_after(end, day("2026-12-31")), Some(day("2026-12-31")));
        let may = MonthDay { month: 5, day: 1 };
        assert_eq!(on_or_after(may, day("2026-05-02")), Some(day("2027-05-01")));
        assert_eq!(months_after(day("2026-01-31"), 1), Some(day("2026-02-28")));
        assert_eq!(months_after(day("2024-02-29"), 12), Some(day("2025-02-28")));
        assert_eq!(months_after(Day(i32::MAX), 1), None);
        assert_eq!(months_before(day("2026-03-31"), 1), Some(day("2026-02-28")));
        assert_eq!(months_before(day("2024-02-29"), 12), Some(day("2023-02-28")));
        assert_eq!(month_day(day("2024-02-29")), Some(MonthDay { month: 2, day: 29 }));
    }

    #[test]
    fn days_of_the_summer_times_of_1986_to_1991_begin_where_they_began() {
        // The clocks went from 02:00 to 03:00 (in 1986 from 02:00 on 4 May); midnight itself was never skipped.
        for (on, expected) in [
            ("1986-05-04", "1986-05-03T16:00:00Z"),
            ("1986-05-05", "1986-05-04T15:00:00Z"),
            ("1986-09-14", "1986-09-13T15:00:00Z"),
            ("1986-09-15", "1986-09-14T16:00:00Z"),
            ("1988-04-18", "1988-04-17T15:00:00Z"),
            ("1991-09-15", "1991-09-14T15:00:00Z"),
            ("1991-09-16", "1991-09-15T16:00:00Z"),
            ("1992-06-01", "1992-05-31T16:00:00Z"),
        ] {
            let expected = DateTime::parse_from_rfc3339(expected).expect("test instant").timestamp_micros();
            assert_eq!(day_start("Asia/Shanghai", day(on), 0), Instant(expected), "{on}");
        }
    }
}
