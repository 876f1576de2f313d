//! Who may join and when points begin: worked figures, edges, properties.

use hufu_shared::rules::start::*;

use crate::kit::*;

#[test]
fn rule_x18_who_may_join_is_a_rule_of_the_scheme() {
    let adult = Start { min_age: Some(18), ..Start::default() };
    let not_staff = Start { exclude_staff: true, ..Start::default() };
    let walk_ins = Start { kinds_allowed: vec!["walk-in".into()], ..Start::default() };
    let born = |text: &str| Person { born: Some(day(text)), ..Person::default() };
    let staff = Person { is_staff: true, ..born("1990-01-01") };
    let firm = Person { is_organisation: true, ..Person::default() };
    let young = Err(Ineligible::TooYoung { age: 17, least: 18 });
    let cases = [
        (&adult, born("2008-11-23"), Ok(()), "eighteen today"),
        (&adult, born("2008-11-24"), young, "eighteen tomorrow"),
        (&adult, Person::default(), Err(Ineligible::AgeUnknown { least: 18 }), "who knows"),
        (&adult, firm, Ok(()), "organisations have no age"),
        (&not_staff, staff.clone(), Err(Ineligible::Staff), "staff of the club"),
        (&adult, staff, Ok(()), "staff where that is allowed"),
        (&walk_ins, born("1990-01-01"), Err(Ineligible::Kind), "another kind"),
        (&Start::default(), Person::default(), Ok(()), "anybody"),
    ];
    for (start, person, expected, why) in cases {
        assert_eq!(may_join(start, &person, day("2026-11-23")), expected, "{why}");
    }
}

#[test]
fn rule_g01_g02_points_begin_when_the_data_are_verified() {
    let start = Start { points_start: PointsStart::Verified, verify_days: Some(7), ..Start::default() };
    let applied = Person { card_issued: Some(day("2026-02-26")), ..Person::default() };
    assert_eq!(points_from(&start, &applied), None, "not before");
    assert_eq!(verify_until(&start, day("2026-02-26")), Some(day("2026-03-05")), "within one week");
    let verified = Person { verified: Some(day("2026-03-20")), ..applied };
    assert_eq!(points_from(&start, &verified), Some(day("2026-03-20")), "late, but from then on");
}

#[test]
fn rule_x08_points_begin_with_the_card_the_proof_or_the_main_card() {
    let person = Person {
        card_issued: Some(day("2026-01-01")),
        verified: Some(day("2026-01-05")),
        main_card: Some(day("2026-01-09")),
        ..Person::default()
    };
    for (points_start, from) in [
        (PointsStart::Issue, "2026-01-01"),
        (PointsStart::Verified, "2026-01-05"),
        (PointsStart::MainCard, "2026-01-09"),
    ] {
        let start = Start { points_start, ..Start::default() };
        assert_eq!(points_from(&start, &person), Some(day(from)));
        assert_eq!(points_from(&start, &Person::default()), None);
    }
}
