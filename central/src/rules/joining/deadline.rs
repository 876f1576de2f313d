//! How long an application may wait (G1, G2, E1).
//!
//! A deadline is the last business day on which the application still stands; it lapses when that day is over. What
//! lapsed can be completed later: then it joins as any other, and only from then on are there points (G2).

use hufu_shared::dictionary::ROUTE_OF_WEBSITE;
use hufu_shared::joining::JoiningTerms;
use hufu_shared::time::Day;

/// The last day on which an application stands; none if it never lapses.
#[must_use]
pub fn last_day(terms: &JoiningTerms, route: &str, filed: Day) -> Option<Day> {
    let days = if route == ROUTE_OF_WEBSITE { terms.verify_days } else { terms.application_days };
    (days > 0).then(|| filed.plus(i32::from(days)))
}

/// Whether an application's time is up.
#[must_use]
pub fn is_over(terms: &JoiningTerms, route: &str, filed: Day, today: Day) -> bool {
    last_day(terms, route, filed).is_some_and(|last| today > last)
}

/// The newest day of filing whose applications by a route are over; none if none ever is.
#[must_use]
pub fn over_if_filed_by(terms: &JoiningTerms, route: &str, today: Day) -> Option<Day> {
    let days = last_day(terms, route, Day(0))?.0;
    Some(today.plus(-days - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("test day")
    }

    #[test]
    fn rule_g01_g02_a_website_application_is_verified_within_a_week_or_lapses() {
        let terms = JoiningTerms::default();
        let filed = day("2026-12-28");
        for (today, over) in [("2026-12-28", false), ("2027-01-04", false), ("2027-01-05", true)] {
            assert_eq!(
                is_over(&terms, "website", filed, day(today)),
                over,
                "{today}, over the end of a year"
            );
            let by = over_if_filed_by(&terms, "website", day(today)).expect("a limit");
            assert_eq!(filed <= by, over, "{today}, the other way round");
        }
        assert_eq!(last_day(&terms, "website", day("2028-02-23")), Some(day("2028-03-01")), "a leap year");
    }

    #[test]
    fn rule_e01_any_other_application_has_thirty_days_and_zero_means_for_ever() {
        let terms = JoiningTerms::default();
        assert!(!is_over(&terms, "office", day("2026-11-22"), day("2026-12-22")));
        assert!(is_over(&terms, "centre", day("2026-11-22"), day("2026-12-23")));
        let patient = JoiningTerms { application_days: 0, verify_days: 0, ..terms };
        assert_eq!(last_day(&patient, "website", day("2026-11-22")), None);
        assert!(!is_over(&patient, "office", day("1999-01-01"), day("2026-12-23")));
        assert_eq!(over_if_filed_by(&patient, "office", day("2026-12-23")), None);
    }
}
