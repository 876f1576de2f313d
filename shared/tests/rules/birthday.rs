//! The birthday: worked figures, edges, properties.

use hufu_shared::rules::birthday::*;

use crate::kit::*;

const ALL: Shown = Shown { card: true, id_card: true, own_use: true };

#[test]
fn rule_s09_own_use_in_the_month_once_a_year_with_the_identity_card() {
    let rule = Birthday::default();
    let spent = NoBirthday::Used { used: 1, most: 1 };
    let no_card = Shown { card: false, ..ALL };
    let no_id = Shown { id_card: false, ..ALL };
    let a_friend = Shown { own_use: false, ..ALL };
    let cases: [(&str, &[&str], Shown, Result<(), NoBirthday>, &str); 8] = [
        ("2026-02-01", &[], ALL, Ok(()), "the first day of the month"),
        ("2026-02-28", &[], ALL, Ok(()), "its last day"),
        ("2026-03-01", &[], ALL, Err(NoBirthday::NotNow), "the month is over"),
        ("2026-02-10", &["2026-02-01"], ALL, Err(spent), "once a year"),
        ("2026-02-10", &["2025-02-28"], ALL, Ok(()), "last year's does not count"),
        ("2026-02-10", &[], no_card, Err(NoBirthday::Evidence), "without the card"),
        ("2026-02-10", &[], no_id, Err(NoBirthday::Evidence), "without the identity card"),
        ("2026-02-10", &[], a_friend, Err(NoBirthday::NotOwnUse), "for somebody else"),
    ];
    for (on, used, shown, expected, why) in cases {
        let used: Vec<Day> = used.iter().map(|text| day(text)).collect();
        assert_eq!(may_use(&rule, Some(day("1988-02-29")), day(on), &used, shown), expected, "{why}");
    }
    assert_eq!(may_use(&rule, None, day("2026-02-01"), &[], ALL), Err(NoBirthday::Unknown));
}

#[test]
fn rule_x14_window_limit_and_evidence_are_parameters() {
    let on_the_day = Birthday {
        window: BirthdayWindow::Day,
        evidence: Evidence::Card,
        max_per_year: 2,
        ..Birthday::default()
    };
    let born = Some(day("1988-02-29"));
    let card = Shown { id_card: false, ..ALL };
    for (on, fits) in
        [("2024-02-29", true), ("2024-02-28", false), ("2026-02-28", true), ("2026-03-01", false)]
    {
        assert_eq!(may_use(&on_the_day, born, day(on), &[], card).is_ok(), fits, "{on}");
    }
    assert_eq!(may_use(&on_the_day, born, day("2026-02-28"), &[day("2026-02-28")], card), Ok(()));
}

#[test]
fn rule_s10_the_birthday_coupon_goes_out_at_the_end_of_the_month_before() {
    let rule = Birthday::default();
    for (year, month, sent) in
        [(2026, 3, "2026-02-28"), (2024, 3, "2024-02-29"), (2026, 1, "2025-12-31"), (2026, 12, "2026-11-30")]
    {
        assert_eq!(send_on(&rule, year, month), Some(day(sent)));
    }
}
