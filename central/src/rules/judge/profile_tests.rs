//! Requests for one field, alike and not.

use super::super::order::testing::{place, shuffled};
use super::*;
use proptest::prelude::*;

fn request(t: i64, seq: u64, base: u64, value: u8, pin: Option<bool>) -> Request {
    Request {
        place: place(t, 1, seq),
        member: MemberId([1; 16]),
        field: "mobile".to_owned(),
        base: Version { epoch: 1, n: base },
        value: (value > 0).then_some(Hash([value; 32])),
        pin,
    }
}

fn current(n: u64) -> BTreeMap<Field, Version> {
    BTreeMap::from([((MemberId([1; 16]), "mobile".to_owned()), Version { epoch: 1, n })])
}

#[test]
fn kind_15_requests_agree_on_one_value_against_the_present_version() {
    let id = |seq: u64| place(0, 1, seq).fact;
    let cases = [
        ("one", vec![request(10, 1, 4, 7, None)], Wanted::Agreed(id(1))),
        ("one of unknown value", vec![request(10, 1, 4, 0, None)], Wanted::Agreed(id(1))),
        (
            "the same twice",
            vec![request(20, 1, 4, 7, None), request(10, 2, 4, 7, None)],
            Wanted::Agreed(id(2)),
        ),
        (
            "two values",
            vec![request(20, 1, 4, 7, None), request(10, 2, 4, 8, None)],
            Wanted::Differ(vec![id(2), id(1)]),
        ),
        (
            "two unknown values",
            vec![request(10, 1, 4, 0, None), request(20, 2, 4, 0, None)],
            Wanted::Differ(vec![id(1), id(2)]),
        ),
        ("changed since", vec![request(10, 1, 3, 7, None)], Wanted::Differ(vec![id(1)])),
        (
            "a person chose",
            vec![request(20, 1, 3, 7, Some(true)), request(10, 2, 4, 8, None)],
            Wanted::Chosen(id(1)),
        ),
        (
            "one taken out",
            vec![request(20, 1, 4, 7, Some(false)), request(10, 2, 4, 8, None)],
            Wanted::Agreed(id(2)),
        ),
        ("all taken out", vec![request(20, 1, 4, 7, Some(false))], Wanted::Dropped),
    ];
    for (why, requests, expected) in cases {
        let met: Vec<Wanted> = judge(&requests, &current(4)).into_values().collect();
        assert_eq!(met, [expected], "{why}");
    }
}

#[test]
fn kind_15_two_values_cannot_both_be_chosen() {
    let both = [request(10, 1, 4, 7, Some(true)), request(20, 2, 4, 8, Some(true))];
    let error = check_pins(&both).expect_err("two values");
    assert_eq!((error.first.seq, error.second.seq), (1, 2));
    let same = [request(10, 1, 4, 7, Some(true)), request(20, 2, 4, 7, Some(true))];
    assert_eq!(check_pins(&same), Ok(()));
}

proptest! {
    #[test]
    fn kind_15_follows_the_set_of_requests(
        rows in proptest::collection::vec((0..9_i64, 3..5_u64, 0..3_u8, proptest::option::of(any::<bool>())), 0..8),
        keys in proptest::collection::vec(any::<u32>(), 8),
    ) {
        let requests: Vec<Request> = rows
            .iter()
            .zip(1..)
            .map(|((t, base, value, pin), seq)| request(*t, seq, *base, *value, *pin))
            .collect();
        let turned = shuffled(&requests, &keys);
        prop_assert_eq!(judge(&turned, &current(4)), judge(&requests, &current(4)));
        prop_assert_eq!(check_pins(&turned), check_pins(&requests));
    }
}
