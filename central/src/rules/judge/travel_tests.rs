//! One card at two offices, nearer and farther apart.

use super::super::order::testing::shuffled;
use super::*;
use hufu_shared::ids::DeviceId;
use proptest::prelude::*;

fn used(device: u8, office: u8, lo: i64, hi: i64) -> Use {
    let id = FactId { device: DeviceId([device; 16]), epoch: 1, seq: 1 };
    Use { id, office: OfficeId([office; 16]), lo: Instant(lo), hi: Instant(hi) }
}

fn travel() -> Travel {
    let far = (OfficeId([1; 16]), OfficeId([3; 16]));
    Travel { default_us: 100, pairs: BTreeMap::from([(far, 1_000)]) }
}

#[test]
fn kind_03_two_offices_are_impossible_only_if_the_farthest_ends_are_too_close() {
    let cases = [
        ("at once", used(1, 1, 0, 0), used(2, 2, 0, 0), Some(0)),
        ("just too close", used(1, 1, 0, 0), used(2, 2, 99, 99), Some(99)),
        ("long enough", used(1, 1, 0, 0), used(2, 2, 100, 100), None),
        ("perhaps long enough", used(1, 1, 0, 50), used(2, 2, 60, 100), None),
        ("too close whatever the clocks did", used(1, 1, 0, 50), used(2, 2, 60, 99), Some(99)),
        ("one inside the other", used(1, 1, 0, 90), used(2, 2, 40, 50), Some(50)),
        ("farther offices", used(1, 3, 0, 0), used(2, 1, 999, 999), Some(999)),
        ("one office", used(1, 1, 0, 0), used(2, 1, 1, 1), None),
    ];
    for (why, one, other, apart) in cases {
        let found = impossible(&[one, other], &travel());
        assert_eq!(found.first().map(|pair| pair.apart_us), apart, "{why}");
        assert!(found.iter().all(|pair| (pair.one, pair.other) == (one.id, other.id)), "{why}");
    }
}

#[test]
fn kind_03_the_policy_says_how_long_a_way_is() {
    let (one, other) = (OfficeId([7; 16]), OfficeId([3; 16]));
    let row = hufu_shared::policy::Travel { a: one, b: other, minutes: 0 };
    let policy = Policy { travel_minutes: 5, travel_between: vec![row], ..Policy::default() };
    let travel = Travel::of(&policy);
    assert_eq!((travel.between(one, other), travel.between(other, one)), (0, 0), "next door");
    assert_eq!(travel.between(one, OfficeId([1; 16])), 5 * MINUTE_US);
}

proptest! {
    #[test]
    fn kind_03_finds_every_pair_in_any_order(
        rows in proptest::collection::vec((1..4_u8, 0..2_000_i64, 0..300_i64), 0..12),
        keys in proptest::collection::vec(any::<u32>(), 12),
    ) {
        let uses: Vec<Use> =
            rows.iter().zip(1..).map(|((office, lo, wide), device)| used(device, *office, *lo, lo + wide)).collect();
        let found = impossible(&uses, &travel());
        prop_assert_eq!(impossible(&shuffled(&uses, &keys), &travel()), found.clone());
        let pairs = uses.iter().flat_map(|one| uses.iter().map(move |other| (one, other)));
        let naive = pairs
            .filter(|(one, other)| one.id < other.id)
            .filter(|(one, other)| {
                let apart = (other.hi.0 - one.lo.0).max(one.hi.0 - other.lo.0);
                apart < travel().between(one.office, other.office)
            })
            .count();
        prop_assert_eq!(found.len(), naive);
    }
}
