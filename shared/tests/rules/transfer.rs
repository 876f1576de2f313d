//! Points from member to member: worked figures, edges, properties.

use hufu_shared::rules::{calendar, transfer::*};
use proptest::prelude::*;

use crate::kit::*;

fn rules() -> Transfer {
    Transfer {
        allowed: true,
        least: 10,
        most: Some(500),
        most_per_day: Some(600),
        most_per_year: Some(1_000),
        min_rank: 1,
    }
}

#[test]
fn a_transfer_is_online_and_within_its_limits() {
    let wish = Wish { day: day("2026-01-01"), points: 500, rank: 1, balance: 2_000, is_online: true };
    let size = |points, most| Err(NotTransferred::Size { points, least: 10, most });
    let cases: [(Wish, &[(&str, i64)], Result<(), NotTransferred>, &str); 8] = [
        (wish, &[], Ok(()), "within all"),
        (Wish { is_online: false, ..wish }, &[], Err(NotTransferred::Offline), "no line"),
        (Wish { rank: 0, ..wish }, &[], Err(NotTransferred::NotAllowed), "not for this rank"),
        (Wish { points: 9, ..wish }, &[], size(9, 500), "too few"),
        (Wish { points: 501, ..wish }, &[], size(501, 500), "too many"),
        (Wish { balance: 300, ..wish }, &[], size(500, 300), "more than there are"),
        (
            wish,
            &[("2026-01-01", 101)],
            Err(NotTransferred::Limit { given: 101, most: 600 }),
            "more than a day allows",
        ),
        (wish, &[("2025-12-31", 1_000)], Ok(()), "another day and year"),
    ];
    for (wish, before, expected, why) in cases {
        let before: Vec<(Day, i64)> = before.iter().map(|(on, points)| (day(on), *points)).collect();
        assert_eq!(may_give(&rules(), wish, &before), expected, "{why}");
    }
    assert_eq!(may_give(&Transfer::default(), wish, &[]), Err(NotTransferred::NotAllowed), "off by default");
}

proptest! {
    #[test]
    fn no_row_of_transfers_passes_the_limits(
        wishes in proptest::collection::vec((0i32..400, 0i64..700), 1..40),
    ) {
        let mut given: Vec<(Day, i64)> = Vec::new();
        for (n, points) in wishes {
            let wish = Wish { day: day("2026-01-01").plus(n), points, rank: 1, balance: 9_999, is_online: true };
            if may_give(&rules(), wish, &given).is_ok() {
                given.push((wish.day, points));
            }
        }
        for year in [2026, 2027] {
            let sum: i64 =
                given.iter().filter(|(on, _)| calendar::year_of(*on) == Some(year)).map(|(_, p)| p).sum();
            prop_assert!(sum <= 1_000);
        }
    }
}
