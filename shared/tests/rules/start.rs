//! Who may join and who leaves, and when points begin: each condition by its rule.

use hufu_shared::joining::{AutoLeave, JoiningTerms};
use hufu_shared::rules::start::*;

use crate::kit::*;

#[test]
fn rule_g01_g02_points_begin_when_the_data_are_verified() {
    let applied = Begun { card_issued: Some(day("2026-02-26")), ..Begun::default() };
    assert_eq!(points_from(PointsStart::Verified, applied), None, "not before");
    let verified = Begun { verified: Some(day("2026-03-20")), ..applied };
    let from = points_from(PointsStart::Verified, verified);
    assert_eq!(from, Some(day("2026-03-20")), "late, but from then on");
}

#[test]
fn rule_x08_points_begin_with_the_card_the_proof_or_the_main_card() {
    let begun = Begun {
        card_issued: Some(day("2026-01-01")),
        verified: Some(day("2026-01-05")),
        main_card: Some(day("2026-01-09")),
    };
    for (start, from) in [
        (PointsStart::Issue, "2026-01-01"),
        (PointsStart::Verified, "2026-01-05"),
        (PointsStart::MainCard, "2026-01-09"),
    ] {
        assert_eq!(points_from(start, begun), Some(day(from)));
        assert_eq!(points_from(start, Begun::default()), None);
    }
}

#[test]
fn rule_x18_who_may_join_is_a_matter_of_kind_of_staff_and_of_age() {
    let terms = JoiningTerms {
        kinds: vec!["个人".to_owned(), "企业".to_owned()],
        excludes_staff: true,
        min_age: 18,
        ..JoiningTerms::default()
    };
    let person =
        Applicant { kind: "个人", is_person: true, born: Some(day("2008-03-01")), is_staff: false };
    let firm = Applicant { kind: "企业", is_person: false, born: None, is_staff: false };
    let on = |applicant: Applicant<'_>, today: &str| check(&terms, &applicant, day(today));
    let stranger = Applicant { kind: "学生", ..person };
    assert_eq!(on(stranger, "2026-03-01"), Err(NotEligible::Kind { met: "学生".to_owned() }));
    assert_eq!(on(Applicant { is_staff: true, ..person }, "2026-03-01"), Err(NotEligible::Staff));
    assert_eq!(on(Applicant { born: None, ..person }, "2026-03-01"), Err(NotEligible::Born { min: 18 }));
    assert_eq!(on(person, "2026-02-28"), Err(NotEligible::Age { min: 18 }), "the day before");
    assert_eq!(on(person, "2026-03-01"), Ok(()), "on the birthday");
    assert_eq!(on(firm, "2026-03-01"), Ok(()), "an organisation has no age");
    let leap = Applicant { born: Some(day("2008-02-29")), ..person };
    assert_eq!(on(leap, "2026-02-27"), Err(NotEligible::Age { min: 18 }));
    assert_eq!(on(leap, "2026-02-28"), Ok(()), "a year without the day");
    let open = JoiningTerms::default();
    for anybody in [stranger, Applicant { is_staff: true, born: None, ..person }] {
        assert_eq!(check(&open, &anybody, day("2026-03-01")), Ok(()), "a club without rules takes everybody");
    }
}

#[test]
fn rule_k11_who_was_not_heard_of_for_long_is_put_down_as_leaving_unless_spared() {
    let rule = AutoLeave { kind: "联系无效".to_owned(), idle_days: 365, spares_value: true };
    let unsparing = AutoLeave { spares_value: false, ..rule.clone() };
    // Rule, last heard of, has value, today, whether due: the last of so many days is still theirs.
    for (rule, heard, has_value, today, due) in [
        (&rule, "2025-03-01", false, "2026-03-01", false),
        (&rule, "2025-03-01", false, "2026-03-02", true),
        (&rule, "2025-03-01", true, "2026-03-02", false),
        (&unsparing, "2025-03-01", true, "2026-03-02", true),
        (&unsparing, "2024-02-29", true, "2025-02-28", false),
        (&unsparing, "2024-02-29", true, "2025-03-01", true),
    ] {
        assert_eq!(is_due(rule, day(heard), has_value, day(today)), due, "{heard} {has_value} {today}");
    }
}
