//! Tests of levels: windows, thresholds, validity, what follows an end.

use hufu_shared::rules::level::*;
use proptest::prelude::*;

use crate::kit::*;

fn level(rank: u8, measure: Measure, threshold: i64) -> Level {
    Level {
        rank,
        card_kind: format!("k{rank}"),
        name: Words { zh: "级".into(), en: "Level".into() },
        measure,
        window: Window::Lifetime,
        threshold,
        from_rank: None,
        validity: Validity::Forever,
        on_expiry: OnExpiry::Keep,
        reassess: Reassess::NewWindow,
        grace_days: 0,
        discount_bp: 0,
        rights: Vec::new(),
        auto_replace_card: false,
    }
}

fn scheme(levels: Vec<Level>) -> Scheme {
    Scheme { levels, ..Scheme::empty("club", 1, day("2020-01-01")) }
}

fn deed(on: &str, points: i64) -> Deed {
    Deed { day: day(on), points, spend_fen: points * 100 }
}

fn growth(growth: i64) -> Record<'static> {
    Record { growth, ..Record::default() }
}

#[test]
fn rule_p01_a_natural_quarter_is_measured() {
    let gold = Level { window: Window::Quarter, ..level(1, Measure::PeriodPoints, 1_200) };
    let cases: [(&[Deed], &str, bool, &str); 6] = [
        (&[deed("2025-01-01", 600), deed("2025-03-31", 600)], "2025-03-31", true, "first and last day"),
        (&[deed("2025-01-01", 600), deed("2025-03-31", 599)], "2025-03-31", false, "1199"),
        (&[deed("2025-03-31", 600), deed("2025-04-01", 600)], "2025-04-01", false, "two quarters"),
        (&[deed("2024-02-29", 1_200)], "2024-03-31", true, "a leap day"),
        (&[deed("2025-12-31", 1_199), deed("2026-01-01", 1)], "2026-01-01", false, "the year's end"),
        (&[deed("2025-01-05", 1_300), deed("2025-02-05", -200)], "2025-02-05", false, "a return counts"),
    ];
    for (deeds, on, expected, why) in cases {
        let record = Record { deeds, ..Record::default() };
        assert_eq!(reached(&gold, record, day(on)), expected, "{why}");
    }
}

#[test]
fn windows_end_with_the_day_of_the_question() {
    let deeds = [deed("2024-02-29", 1), deed("2025-02-28", 10), deed("2025-03-01", 100)];
    let record = Record { deeds: &deeds, ..Record::default() };
    let cases = [
        (Window::Lifetime, "2025-03-01", 111),
        (Window::Lifetime, "2025-02-28", 11),
        (Window::Year, "2025-03-01", 110),
        (Window::Quarter, "2025-02-28", 10),
        (Window::RollingMonths(12), "2025-02-28", 11),
        (Window::RollingMonths(12), "2025-03-01", 110),
        (Window::RollingMonths(1), "2025-03-31", 100),
    ];
    for (window, on, expected) in cases {
        let level = Level { window, ..level(1, Measure::PeriodPoints, 1) };
        assert_eq!(measured(&level, record, day(on)), expected, "{window:?} on {on}");
    }
    let spend = Level { window: Window::Year, ..level(1, Measure::PeriodSpend, 1) };
    assert_eq!(measured(&spend, record, day("2025-03-01")), 11_000);
    let balance = Record { balance: 5_000, ..Record::default() };
    assert!(reached(&level(2, Measure::Balance, 5_000), balance, day("2025-03-01")));
    assert!(!reached(&level(2, Measure::Balance, 5_001), balance, day("2025-03-01")));
}

#[test]
fn rule_b01_reaching_a_value_rises_to_the_highest_level_that_is_open() {
    let club = scheme(vec![
        level(1, Measure::Growth, 100),
        level(2, Measure::Growth, 500),
        Level { from_rank: Some(2), ..level(3, Measure::Growth, 900) },
        level(9, Measure::Manual, 0),
    ]);
    let start = at_start(&club, day("2025-01-01"));
    let on = day("2025-05-05");
    for (value, rank) in [(99, None), (100, Some(1)), (499, Some(1)), (500, Some(2)), (900, Some(3))] {
        assert_eq!(rise(&club, start, growth(value), on).map(|now| now.rank), rank, "{value}");
    }
    let open = Level { from_rank: Some(1), ..level(3, Measure::Balance, 10) };
    let gated = scheme(vec![level(1, Measure::Growth, 100), open]);
    let rich = Record { balance: 10, ..Record::default() };
    assert_eq!(rise(&gated, start, rich, on), None, "only for those of rank 1");
    assert_eq!(by_hand(&club, 9, on).rank, 9, "some ranks are given by hand only");
    let top = by_hand(&club, 9, on);
    assert_eq!(rise(&club, top, growth(100), on), None, "nobody falls by rising");
}

#[test]
fn rule_x06_how_long_a_level_holds_is_a_parameter() {
    let cases = [
        (Validity::Forever, "2025-05-05", None),
        (Validity::CalendarYear, "2025-05-05", Some("2025-12-31")),
        (Validity::CalendarYear, "2025-12-31", Some("2025-12-31")),
        (Validity::Months(12), "2024-02-29", Some("2025-02-28")),
        (Validity::Months(1), "2025-01-31", Some("2025-02-28")),
    ];
    for (validity, since, until) in cases {
        let level = Level { validity, ..level(1, Measure::Growth, 1) };
        assert_eq!(valid_until(&level, day(since)), until.map(day), "{validity:?} from {since}");
    }
}

#[test]
fn rule_b02_when_a_level_ends_growth_is_reduced_and_the_level_assessed_anew() {
    let club = |on_expiry| {
        let yearly = |rank, threshold| Level {
            validity: Validity::CalendarYear,
            on_expiry,
            ..level(rank, Measure::Growth, threshold)
        };
        scheme(vec![yearly(1, 100), yearly(2, 500)])
    };
    let cases = [
        (OnExpiry::Keep, 600, 600, 2, Ended::Renewed),
        (OnExpiry::Clear, 600, 0, 0, Ended::Fell { from: 2 }),
        (OnExpiry::Deduct(300), 600, 300, 1, Ended::Fell { from: 2 }),
        (OnExpiry::Deduct(100), 600, 500, 2, Ended::Renewed),
        (OnExpiry::Deduct(900), 600, 0, 0, Ended::Fell { from: 2 }),
    ];
    for (on_expiry, before, after, rank, expected) in cases {
        let club = club(on_expiry);
        let held = by_hand(&club, 2, day("2025-03-03"));
        let left = growth_after(club.level(2).expect("it exists"), before);
        assert_eq!(left, after, "{on_expiry:?}");
        let (now, ended) = end(&club, held, growth(left));
        assert_eq!((now.rank, ended, now.since), (rank, expected, day("2026-01-01")), "{on_expiry:?}");
    }
}

#[test]
fn a_level_that_ends_may_be_kept_in_grace_and_renewed() {
    let kept = Level {
        validity: Validity::CalendarYear,
        window: Window::Year,
        grace_days: 31,
        ..level(1, Measure::PeriodPoints, 100)
    };
    let club = scheme(vec![kept]);
    let held = by_hand(&club, 1, day("2025-03-03"));
    let old = [deed("2025-03-03", 100)];
    let record = Record { deeds: &old, ..Record::default() };
    let (grace, ended) = end(&club, held, record);
    assert_eq!((ended, grace.until, grace.in_grace), (Ended::Grace, Some(day("2026-01-31")), true));
    assert_eq!(rise(&club, grace, record, day("2026-01-15")), None);
    let again = [old[0], deed("2026-01-20", 100)];
    let now = rise(&club, grace, Record { deeds: &again, ..Record::default() }, day("2026-01-20"));
    assert_eq!(now.map(|now| (now.rank, now.until)), Some((1, Some(day("2026-12-31")))));
    assert_eq!(end(&club, grace, record).1, Ended::Fell { from: 1 }, "the grace ends as well");
}

#[test]
fn who_reaches_it_again_within_the_ended_window_may_keep_it() {
    let by = |reassess| {
        scheme(vec![Level {
            validity: Validity::CalendarYear,
            window: Window::Year,
            reassess,
            ..level(1, Measure::PeriodPoints, 100)
        }])
    };
    let deeds = [deed("2025-03-03", 100)];
    let record = Record { deeds: &deeds, ..Record::default() };
    for (reassess, expected) in
        [(Reassess::NewWindow, Ended::Fell { from: 1 }), (Reassess::EndedWindow, Ended::Renewed)]
    {
        let club = by(reassess);
        assert_eq!(end(&club, by_hand(&club, 1, day("2025-03-03")), record).1, expected, "{reassess:?}");
    }
}

proptest! {
    #[test]
    fn more_never_leads_to_a_lower_level(value in 0i64..2_000, more in 0i64..2_000) {
        let club = scheme(vec![
            level(1, Measure::Growth, 100),
            Level { from_rank: Some(1), ..level(2, Measure::Growth, 500) },
            level(3, Measure::Growth, 1_500),
        ]);
        let start = at_start(&club, day("2025-01-01"));
        let rank = |value| rise(&club, start, growth(value), day("2025-05-05")).map_or(0, |now| now.rank);
        prop_assert!(rank(value) <= rank(value + more));
    }

    #[test]
    fn rising_twice_is_rising_once(value in 0i64..2_000) {
        let club = scheme(vec![level(1, Measure::Growth, 100), level(2, Measure::Growth, 500)]);
        let on = day("2025-05-05");
        let once = rise(&club, at_start(&club, on), growth(value), on);
        let stands = once.unwrap_or_else(|| at_start(&club, on));
        prop_assert_eq!(rise(&club, stands, growth(value), on), None);
    }
}
