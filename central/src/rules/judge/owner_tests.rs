//! A card handed on, put back and found, and whose facts are whose.

use super::super::order::testing::shuffled;
use super::*;
use proptest::prelude::*;

fn member(n: u8) -> MemberId {
    MemberId([n; 16])
}

fn owned(from: i64, n: u8) -> Owned {
    Owned { from: Instant(from), member: (n > 0).then(|| member(n)) }
}

fn at_time(t: i64) -> Presented {
    Presented { lo: Instant(t), hi: Instant(t), t: Instant(t), pin: None }
}

#[test]
fn kind_14_a_fact_belongs_to_the_owner_at_its_time() {
    let to = |n: u8| Belongs::To(member(n));
    let first = vec![owned(100, 1)];
    let handed_on = vec![owned(100, 1), owned(200, 2)];
    let stocked = vec![owned(50, 0), owned(100, 1), owned(200, 0), owned(300, 2)];
    let cases: [(&str, &[Owned], Presented, Belongs, Vec<u8>); 9] = [
        ("never registered", &[], at_time(10), Belongs::Unknown, vec![13]),
        ("in stock, never owned", &[owned(50, 0)], at_time(60), Belongs::Unknown, vec![13]),
        ("held, then registered", &first, at_time(10), to(1), vec![]),
        ("owner then and now", &first, at_time(100), to(1), vec![]),
        ("owner then, not now", &handed_on, at_time(199), to(1), vec![14]),
        ("from the change on", &handed_on, at_time(200), to(2), vec![]),
        ("before its first owner, who is not the owner now", &stocked, at_time(70), to(1), vec![14]),
        ("between two owners", &stocked, at_time(250), Belongs::Ask, vec![14]),
        (
            "a person gave it to somebody",
            &stocked,
            Presented { pin: Some(member(1)), ..at_time(250) },
            to(1),
            vec![14],
        ),
    ];
    for (why, history, fact, belongs, kinds) in cases {
        let judged = judge(history, fact);
        assert_eq!(judged.belongs, belongs, "{why}");
        assert_eq!(judged.kinds, kinds.into_iter().collect(), "{why}");
    }
}

#[test]
fn kind_14_a_wide_interval_around_the_change_is_a_persons_to_decide() {
    let history = [owned(0, 1), owned(10 * FAVOUR_MAX_US, 2)];
    let around = |wide: i64| Presented {
        lo: Instant(10 * FAVOUR_MAX_US - 1),
        hi: Instant(10 * FAVOUR_MAX_US - 1 + wide),
        t: Instant(10 * FAVOUR_MAX_US - 1),
        pin: None,
    };
    let narrow = judge(&history, around(FAVOUR_MAX_US));
    assert_eq!((narrow.belongs, narrow.kinds), (Belongs::To(member(1)), BTreeSet::from([14, 18])));
    let wide = judge(&history, around(FAVOUR_MAX_US + 1));
    assert_eq!((wide.belongs, wide.kinds), (Belongs::Ask, BTreeSet::from([14, 18])));
}

proptest! {
    #[test]
    fn kind_14_follows_the_set_of_changes(
        rows in proptest::collection::btree_map(0..100_i64, 0..4_u8, 0..8),
        t in -10..110_i64,
        keys in proptest::collection::vec(any::<u32>(), 8),
    ) {
        let history: Vec<Owned> = rows.iter().map(|(from, n)| owned(*from, *n)).collect();
        let judged = judge(&history, at_time(t));
        prop_assert_eq!(judge(&shuffled(&history, &keys), at_time(t)), judged.clone());
        prop_assert_eq!(judged.belongs == Belongs::Unknown, rows.values().all(|n| *n == 0));
    }
}
