//! Days, their rows and what they are compared with, by case tables.

use super::*;

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn filter(from: &str, until: &str, step: Step, against: Against) -> Filter {
    Filter { office: None, from: day(from), until: day(until), step, against }
}

#[test]
fn rows_over_time_are_cut_to_the_days_asked_about() {
    let cases = [
        ("2026-11-20", "2026-11-22", Step::Day, vec!["2026-11-20", "2026-11-21", "2026-11-22"]),
        // 2026-11-22 is a Sunday.
        ("2026-11-20", "2026-11-24", Step::Week, vec!["2026-11-22", "2026-11-24"]),
        ("2026-11-16", "2026-11-22", Step::Week, vec!["2026-11-22"]),
        ("2026-01-31", "2026-03-02", Step::Month, vec!["2026-01-31", "2026-02-28", "2026-03-02"]),
        ("2028-02-01", "2028-02-29", Step::Month, vec!["2028-02-29"]),
    ];
    for (from, until, step, ends) in cases {
        let filter = filter(from, until, step, Against::Nothing);
        let periods = filter.periods();
        let met: Vec<String> = periods.iter().map(|period| period.1.to_string()).collect();
        assert_eq!(met, ends, "{from} {until} {step:?}");
        assert_eq!(periods[0].0, day(from));
        let gaps = periods.windows(2).filter(|pair| pair[0].1.plus(1) != pair[1].0).count();
        assert_eq!(gaps, 0, "each begins where the one before it ended");
        for (at, period) in periods.iter().enumerate() {
            assert_eq!(filter.place_of(&periods, period.0), Some(at));
            assert_eq!(filter.place_of(&periods, period.1), Some(at));
        }
        assert_eq!(filter.place_of(&periods, day(from).plus(-1)), None);
        assert_eq!(filter.place_of(&periods, day(until).plus(1)), None);
    }
}

#[test]
fn days_are_compared_with_as_many_before_or_with_the_year_before() {
    let cases = [
        ("2026-11-10", "2026-11-12", Against::Before, Some(("2026-11-07", "2026-11-09"))),
        ("2026-11-10", "2026-11-10", Against::Before, Some(("2026-11-09", "2026-11-09"))),
        // Whole months have whole months before them, however long those are.
        ("2026-03-01", "2026-03-31", Against::Before, Some(("2026-02-01", "2026-02-28"))),
        ("2026-01-01", "2026-03-31", Against::Before, Some(("2025-10-01", "2025-12-31"))),
        ("2026-03-01", "2026-03-30", Against::Before, Some(("2026-01-30", "2026-02-28"))),
        ("2026-11-10", "2026-11-12", Against::Year, Some(("2025-11-10", "2025-11-12"))),
        ("2028-02-29", "2028-02-29", Against::Year, Some(("2027-02-28", "2027-02-28"))),
        ("2026-11-10", "2026-11-12", Against::Nothing, None),
    ];
    for (from, until, against, wanted) in cases {
        let earlier = filter(from, until, Step::Day, against).earlier();
        let met = earlier.map(|earlier| (earlier.from, earlier.until));
        assert_eq!(met, wanted.map(|(from, until)| (day(from), day(until))), "{from} {until} {against:?}");
    }
}

#[test]
fn days_the_wrong_way_round_and_too_many_of_them_are_made_to_fit() {
    let turned = filter("2026-11-12", "2026-11-10", Step::Day, Against::Nothing).fitting();
    assert_eq!((turned.from, turned.until), (day("2026-11-10"), day("2026-11-12")));
    let long = filter("1990-01-01", "2026-11-10", Step::Day, Against::Nothing).fitting();
    assert_eq!((long.until.0 - long.from.0 + 1, long.step), (DAYS_MAX, Step::Month));
    let two_years = filter("2024-11-11", "2026-11-10", Step::Day, Against::Nothing).fitting();
    assert_eq!(two_years.step, Step::Week);
    assert!(two_years.periods().len() <= PERIODS_MAX);
}

fn block(rows: Vec<Row>) -> Block {
    let columns = vec![Column::new("count", Measure::Count), Column::new("members", Measure::Count).apart()];
    Block::new(("changes", Shape::Bars), vec!["what"], columns, rows)
}

#[test]
fn totals_add_up_only_what_adds_up_and_rows_find_themselves_in_the_past() {
    let row = |name: &str, values: [i64; 2]| Row::new(vec![Label::Text(name.to_owned())], values.to_vec());
    let mut now = block(vec![row("a", [1, 5]), row("b", [2, 6])]);
    let earlier = block(vec![row("b", [7, 8]), row("c", [9, 9])]);
    assert_eq!(now.total, [Some(3), None]);
    now.compare(&earlier);
    assert_eq!(now.rows[0].before, [Some(0), Some(0)], "it was not there");
    assert_eq!(now.rows[1].before, [Some(7), Some(8)]);
    assert_eq!(now.total_before, [Some(16), None]);
    assert_eq!(now.with_total("members", Some(9)).total, [Some(3), Some(9)]);

    let over_time = |days: &[(&str, i64)]| {
        let row = |(at, value): &(&str, i64)| ((day(at), day(at)), vec![Some(*value)]);
        let columns = vec![Column::new("count", Measure::Count)];
        Block::over_time("visits", columns, days.iter().map(row).collect())
    };
    let mut march = over_time(&[("2026-03-30", 4), ("2026-03-31", 5)]);
    march.compare(&over_time(&[("2026-02-28", 3)]));
    assert_eq!(march.rows[0].before, [Some(3)], "by their place");
    assert_eq!(march.rows[1].before, [None], "there was no such day");
    assert!(over_time(&[("2026-03-30", 0)]).is_empty() && !march.is_empty());
}
