//! Items handed out once, twice and by mistake.

use super::*;
use hufu_shared::ids::DeviceId;
use proptest::prelude::*;

fn handed(seq: u64, t: i64, who: u8, item: u8, pin: Option<bool>) -> Handed {
    Handed {
        id: FactId { device: DeviceId([1; 16]), epoch: 1, seq },
        t: Instant(t),
        member: MemberId([who; 16]),
        occurrence: OccurrenceId([1; 16]),
        item: ItemId([item; 16]),
        pin,
    }
}

#[test]
fn kind_34_the_second_hand_out_of_an_item_is_listed_with_the_first() {
    let cases = [
        ("once", vec![handed(1, 10, 1, 1, None)], vec![]),
        ("two items", vec![handed(1, 10, 1, 1, None), handed(2, 20, 1, 2, None)], vec![]),
        ("two members", vec![handed(1, 10, 1, 1, None), handed(2, 20, 2, 1, None)], vec![]),
        ("twice", vec![handed(1, 20, 1, 1, None), handed(2, 10, 1, 1, None)], vec![vec![2, 1]]),
        ("never was", vec![handed(1, 20, 1, 1, Some(false)), handed(2, 10, 1, 1, None)], vec![]),
        ("let be", vec![handed(1, 20, 1, 1, Some(true)), handed(2, 30, 1, 1, None)], vec![vec![1, 2]]),
    ];
    for (why, facts, expected) in cases {
        let met: Vec<Vec<u64>> =
            handed_twice(&facts).values().map(|ids| ids.iter().map(|id| id.seq).collect()).collect();
        assert_eq!(met, expected, "{why}");
    }
}

proptest! {
    #[test]
    fn kind_34_follows_the_set(rows in proptest::collection::vec((0..50_i64, 1..3_u8, 1..3_u8), 0..12)) {
        let facts: Vec<Handed> =
            rows.iter().zip(1..).map(|((t, who, item), seq)| handed(seq, *t, *who, *item, None)).collect();
        let turned: Vec<Handed> = facts.iter().rev().copied().collect();
        prop_assert_eq!(handed_twice(&facts), handed_twice(&turned));
    }
}
