//! Filling up and ranking: worked figures, edges, properties.

use hufu_shared::rules::bonus::*;
use proptest::prelude::*;

use crate::kit::*;

fn rule() -> RoundUp {
    let bracket = |from, to| Bracket { from, to };
    RoundUp {
        day: 31,
        min_rank: 1,
        brackets: vec![
            bracket(1_400, 1_500),
            bracket(1_800, 2_000),
            bracket(2_700, 3_000),
            bracket(3_600, 4_000),
        ],
        whole_bracket: true,
        step_from: 4_500,
        step: 1_000,
        ceiling: 10_000,
    }
}

#[test]
fn rule_p03_points_are_filled_up() {
    let cases = [
        (1_399, 1_399),
        (1_400, 1_500),
        (1_450, 1_500),
        (1_500, 1_500),
        (1_800, 2_000),
        (2_700, 3_000),
        (3_600, 4_000),
        (4_000, 4_000),
        (4_499, 4_499),
        (4_500, 5_000),
        (4_999, 5_000),
        (5_000, 5_000),
        (5_499, 5_499),
        (5_500, 6_000),
        (9_499, 9_499),
        (9_500, 10_000),
        (10_000, 10_000),
        (10_500, 10_500),
        (0, 0),
    ];
    for (points, expected) in cases {
        assert_eq!(rounded_up(&rule(), points), expected, "{points}");
    }
    let first_only = RoundUp { whole_bracket: false, ..rule() };
    assert_eq!((rounded_up(&first_only, 1_400), rounded_up(&first_only, 1_450)), (1_500, 1_450));
}

#[test]
fn the_member_day_of_a_short_month_is_its_last() {
    for (on, expected) in
        [("2024-02-03", "2024-02-29"), ("2025-02-03", "2025-02-28"), ("2025-12-31", "2025-12-31")]
    {
        let on: Day = on.parse().expect("test day");
        assert_eq!(member_day(&rule(), on).map(|day| day.to_string()).as_deref(), Some(expected));
    }
}

#[test]
fn rule_p03_each_member_day_of_many_months_is_found_once() {
    let on = |text: &str| -> Day { text.parse().expect("test day") };
    let told = |after, until| -> Vec<String> {
        member_days(&rule(), (on(after), on(until))).iter().map(ToString::to_string).collect()
    };
    assert_eq!(told("2025-01-30", "2025-03-31"), ["2025-01-31", "2025-02-28", "2025-03-31"]);
    assert_eq!(told("2025-01-31", "2025-03-30"), ["2025-02-28"], "after the first, up to the second");
    assert!(told("2025-02-28", "2025-02-28").is_empty());
    assert!(member_days(&rule(), (Day(i32::MAX - 1), Day(i32::MAX))).is_empty(), "beyond the calendar");
}

#[test]
fn rule_p04_periods_are_told_once_they_are_over() {
    let on = |text: &str| -> Day { text.parse().expect("test day") };
    let told = |period, after, until| -> Vec<String> {
        let ended = periods_ended(period, (on(after), on(until)));
        ended.iter().map(|(first, last)| format!("{first} {last}")).collect()
    };
    let quarter = ["2026-10-01 2026-12-31", "2027-01-01 2027-03-31"];
    assert_eq!(told(Period::Quarter, "2026-11-21", "2027-06-29"), quarter);
    assert_eq!(told(Period::Quarter, "2026-12-30", "2027-03-31"), quarter, "on its last day it is over");
    assert!(told(Period::Quarter, "2026-12-31", "2027-03-30").is_empty(), "looked at, and not over yet");
    assert_eq!(told(Period::Month, "2027-01-31", "2027-03-01"), ["2027-02-01 2027-02-28"]);
    assert_eq!(
        told(Period::Week, "2026-11-20", "2026-11-29"),
        ["2026-11-16 2026-11-22", "2026-11-23 2026-11-29"]
    );
    assert_eq!(told(Period::Day, "2026-11-20", "2026-11-21"), ["2026-11-21 2026-11-21"]);
    assert_eq!(told(Period::Year, "2026-11-20", "2026-12-31"), ["2026-01-01 2026-12-31"]);
}

#[test]
fn rule_p03_p04_the_policy_is_told_and_nothing_of_it_is_left_to_a_person() {
    let mut club = Scheme::empty("club", 1, Day(0));
    club.round_up = Some(rule());
    let ranking =
        Ranking { period: Period::Quarter, top_n: 2, min_rank: 1, award: "gift".into(), by: RankBy::Earned };
    club.ranking = Some(ranking);
    let mut policy = Policy::default();
    club.write_into(&mut policy);
    assert_eq!((&policy.round_up, &policy.ranking), (&club.round_up, &club.ranking));
    let stored = hufu_shared::cbor::encode(&policy);
    assert_eq!(hufu_shared::cbor::decode::<Policy>(&stored), Ok(policy));
    assert!(club.not_done_yet().is_empty());
}

#[test]
fn rule_p04_the_first_of_a_quarter_get_the_award() {
    let rule =
        Ranking { period: Period::Quarter, top_n: 2, min_rank: 1, award: "gift".into(), by: RankBy::Balance };
    let place = |who, rank, points, reached| Place { who, rank, points, reached: Day(reached) };
    let places = [
        place("a", 1, 900, 9),
        place("b", 1, 900, 8),
        place("c", 0, 9_000, 1),
        place("d", 2, 950, 9),
        place("e", 1, 0, 1),
    ];
    assert_eq!(first(&rule, &places), [&"d", &"b"], "ordinary members take no part; the earlier goes first");
    let all = Ranking { top_n: 100, ..rule };
    assert_eq!(first(&all, &places), [&"d", &"b", &"a"], "who has nothing is not ranked");
}

proptest! {
    #[test]
    fn filling_up_never_takes_and_twice_is_once(points in 0i64..20_000, more in 0i64..5_000) {
        let full = rounded_up(&rule(), points);
        prop_assert!(full >= points);
        prop_assert!(full <= points.max(rule().ceiling));
        prop_assert_eq!(rounded_up(&rule(), full), full);
        prop_assert!(rounded_up(&rule(), points + more) >= full, "more points never end with less");
    }
}
