//! The periods by which people look at what changed (C3).

use hufu_shared::time::Day;

use chrono::{Datelike, Days, NaiveDate};

/// The first day of a period and the day after its last: `today`, `week` (from Monday), `month`, `last_month`; none for
/// any other word.
#[must_use]
pub fn days(period: &str, today: Day) -> Option<(Day, Day)> {
    let date = today.date()?;
    let month = NaiveDate::from_ymd_opt(date.year(), date.month(), 1)?;
    let monday = date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday())))?;
    let next = today.plus(1);
    match period {
        "today" => Some((today, next)),
        "week" => Some((Day::from_date(monday), next)),
        "month" => Some((Day::from_date(month), next)),
        "last_month" => {
            let last = month.pred_opt()?;
            let first = NaiveDate::from_ymd_opt(last.year(), last.month(), 1)?;
            Some((Day::from_date(first), Day::from_date(month)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_c03_today_this_week_this_month_and_last_month() {
        let day = |text: &str| text.parse::<Day>().expect("test day");
        for (today, period, from, until) in [
            ("2026-11-22", "today", "2026-11-22", "2026-11-23"),
            ("2026-11-22", "week", "2026-11-16", "2026-11-23"),
            ("2026-11-23", "week", "2026-11-23", "2026-11-24"),
            ("2026-01-02", "week", "2025-12-29", "2026-01-03"),
            ("2026-11-22", "month", "2026-11-01", "2026-11-23"),
            ("2026-01-31", "last_month", "2025-12-01", "2026-01-01"),
            ("2028-03-31", "last_month", "2028-02-01", "2028-03-01"),
        ] {
            assert_eq!(days(period, day(today)), Some((day(from), day(until))), "{period} on {today}");
        }
        assert_eq!(days("year", day("2026-11-22")), None);
    }
}
