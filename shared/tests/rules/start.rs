//! When points begin: each condition by its rule.

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
