//! Facts before and after an erasure, and what a lease returns to nobody.

use super::super::order::testing::{place, shuffled};
use super::*;
use proptest::prelude::*;

fn member(n: u8) -> MemberId {
    MemberId([n; 16])
}

fn seen(device: u8, seq: u64) -> SeenCursor {
    SeenCursor { device: DeviceId([device; 16]), epoch: 1, seq }
}

fn fact(device: u8, seq: u64) -> FactId {
    place(0, device, seq).fact
}

#[test]
fn kind_12_later_facts_of_an_erased_member_are_kept_and_give_nothing() {
    let links = Links::default().merged(member(1), member(2));
    let tombs = [Tombstone::new(member(2), &[seen(1, 10), seen(2, 5)])];
    let cases = [
        ("somebody else", member(3), fact(1, 11), Does::Else, Left::All),
        ("seen by the act", member(2), fact(1, 10), Does::Else, Left::All),
        ("not seen", member(2), fact(1, 11), Does::Else, Left::Orphan),
        ("from a device that the act did not know", member(2), fact(3, 1), Does::Else, Left::Orphan),
        ("of one merged into it", member(1), fact(2, 6), Does::Else, Left::Orphan),
        ("an out lease still settles", member(1), fact(2, 6), Does::SpendsLease, Left::Settles),
    ];
    for (why, who, id, does, expected) in cases {
        assert_eq!(judge(&tombs, &links, who, id, does), expected, "{why}");
    }
}

#[test]
fn kind_12_what_a_lease_returns_goes_to_whoever_survives_or_to_the_sink() {
    let links = Links::default().merged(member(1), member(2));
    let erased = BTreeSet::from([member(3)]);
    assert_eq!(lease_return(&erased, &links, member(1)), Return::Member(member(2)));
    assert_eq!(lease_return(&erased, &links, member(3)), Return::Sink);
    let erased = BTreeSet::from([member(2)]);
    assert_eq!(lease_return(&erased, &links, member(1)), Return::Sink);
}

#[test]
fn kind_12_erasing_sweeps_what_is_there_and_all_ids() {
    let held = |available: i64, owed: i64| Holding { available: Amount(available), owed: Amount(owed) };
    let holdings =
        BTreeMap::from([(Unit::Pts, held(30, 0)), (Unit::Growth, held(0, 0)), (Unit::Cny, held(0, 5))]);
    assert_eq!(sweep(&holdings), [(Unit::Pts, held(30, 0)), (Unit::Cny, held(0, 5))]);
    let links = Links::default().merged(member(1), member(2)).merged(member(4), member(1));
    let known = (1..6).map(member).collect();
    assert_eq!(ids_of(&links, &known, member(2)), [1, 2, 4].map(member).into());
}

proptest! {
    #[test]
    fn kind_12_follows_the_set_of_erasures(
        rows in proptest::collection::vec((1..4_u8, 1..4_u8, 0..20_u64), 0..6),
        who in 1..4_u8,
        device in 1..4_u8,
        seq in 0..20_u64,
        keys in proptest::collection::vec(any::<u32>(), 6),
    ) {
        let tombs: Vec<Tombstone> =
            rows.iter().map(|(who, device, seq)| Tombstone::new(member(*who), &[seen(*device, *seq)])).collect();
        let links = Links::default().merged(member(1), member(2));
        let left = judge(&tombs, &links, member(who), fact(device, seq), Does::Else);
        let turned = shuffled(&tombs, &keys);
        prop_assert_eq!(judge(&turned, &links, member(who), fact(device, seq), Does::Else), left);
    }
}
