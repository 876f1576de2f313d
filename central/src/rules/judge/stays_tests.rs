//! Ways in and out with steps missing.

use super::*;
use hufu_shared::ids::DeviceId;
use proptest::prelude::*;

fn id(seq: u64) -> FactId {
    FactId { device: DeviceId([1; 16]), epoch: 1, seq }
}

fn pass(seq: u64, t: i64, way: Passage) -> Passing {
    Passing { t: Instant(t), id: id(seq), way }
}

const RULE: StayRule =
    StayRule { starts: Instant(100), ends: Instant(1_000), longest_us: Some(300), over: true };

#[test]
fn kind_04_a_missing_step_is_inferred_at_the_rules_time_and_marked() {
    use Passage::{In, Out};
    let at = |seq: u64, t: i64| End::Seen(id(seq), Instant(t));
    let inferred = |t: i64| End::Inferred(Instant(t));
    let cases: [(&str, Vec<Passing>, Vec<(End, End)>, Vec<u64>); 7] = [
        ("nobody", vec![], vec![], vec![]),
        ("lawful", vec![pass(1, 200, In), pass(2, 300, Out)], vec![(at(1, 200), at(2, 300))], vec![]),
        (
            "in twice",
            vec![pass(1, 200, In), pass(2, 250, In), pass(3, 400, Out)],
            vec![(at(1, 200), inferred(250)), (at(2, 250), at(3, 400))],
            vec![1, 2],
        ),
        (
            "in twice, far apart",
            vec![pass(1, 200, In), pass(2, 900, In), pass(3, 950, Out)],
            vec![(at(1, 200), inferred(500)), (at(2, 900), at(3, 950))],
            vec![1, 2],
        ),
        ("out without in", vec![pass(1, 350, Out)], vec![(inferred(100), at(1, 350))], vec![1]),
        ("out missing", vec![pass(1, 600, In)], vec![(at(1, 600), inferred(900))], vec![1]),
        ("out missing near the end", vec![pass(1, 900, In)], vec![(at(1, 900), inferred(1_000))], vec![1]),
    ];
    for (why, passings, stays, broken) in cases {
        let judged = path(&passings, RULE);
        let met: Vec<(End, End)> = judged.stays.iter().map(|stay| (stay.from, stay.to)).collect();
        assert_eq!(met, stays, "{why}");
        assert_eq!(judged.broken, broken.into_iter().map(id).collect(), "{why}");
    }
}

#[test]
fn kind_04_who_went_out_and_comes_back_attends_still() {
    use Passage::{In, Out};
    let passings = [pass(1, 200, In), pass(2, 300, Out), pass(3, 400, In)];
    let judged = path(&passings, StayRule { over: false, ..RULE });
    assert_eq!(judged.returns, BTreeSet::from([id(3)]));
    assert!(judged.broken.is_empty());
    assert_eq!(judged.stays[1].to, End::Open);
    let only_out = path(&[pass(1, 200, Out), pass(2, 300, In)], RULE);
    assert!(only_out.returns.is_empty(), "nobody saw the first entry, so this one admits");
}

proptest! {
    #[test]
    fn kind_04_the_path_follows_the_set_of_passings(
        mut passings in proptest::collection::vec((0..20_u64, 0..1_100_i64, any::<bool>()), 0..12),
        turn in 0..12_usize,
    ) {
        passings.sort_by_key(|row| row.0);
        passings.dedup_by_key(|row| row.0);
        let way = |out: bool| if out { Passage::Out } else { Passage::In };
        let mut facts: Vec<Passing> =
            passings.into_iter().map(|(seq, t, out)| pass(seq, t, way(out))).collect();
        let judged = path(&facts, RULE);
        if !facts.is_empty() {
            let by = turn % facts.len();
            facts.rotate_left(by);
        }
        facts.reverse();
        prop_assert_eq!(path(&facts, RULE), judged);
    }
}
