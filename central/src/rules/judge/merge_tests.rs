//! Merging, unmerging and what they must never make or lose.

use super::super::order::testing::{place, shuffled};
use super::*;
use proptest::prelude::*;

fn member(n: u8) -> MemberId {
    MemberId([n; 16])
}

fn merged(at: i64, from: u8, into: u8) -> (Instant, LinkAct) {
    (Instant(at), LinkAct::Merged { from: member(from), into: member(into) })
}

fn holding(net: i64) -> Holding {
    Holding { available: Amount(net.max(0)), owed: Amount((-net).max(0)) }
}

fn points(net: i64) -> BTreeMap<Unit, Holding> {
    BTreeMap::from([(Unit::Pts, holding(net))])
}

/// What two members have after shifts, as net amounts of points; every account must stay at or above zero.
fn after(shifts: &[Shift], start: &[(MemberId, Holding)]) -> BTreeMap<MemberId, i64> {
    let mut accounts: BTreeMap<Side, i64> = BTreeMap::new();
    for (who, held) in start {
        accounts.insert(Side::Available(*who), held.available.0);
        accounts.insert(Side::Owed(*who), held.owed.0);
    }
    for shift in shifts {
        assert!(shift.amount.is_positive(), "{shift:?}");
        for (side, sign) in [(shift.debit, -1), (shift.credit, 1)] {
            let by = match side {
                Side::Available(_) => sign * shift.amount.0,
                Side::Owed(_) => -sign * shift.amount.0,
            };
            *accounts.entry(side).or_insert(0) += by;
        }
    }
    assert!(accounts.values().all(|amount| *amount >= 0), "below zero: {accounts:?} after {shifts:?}");
    let mut nets = BTreeMap::new();
    for (side, amount) in &accounts {
        let (Side::Available(who) | Side::Owed(who)) = side;
        let part = if matches!(side, Side::Available(_)) { *amount } else { -amount };
        *nets.entry(*who).or_insert(0) += part;
        let both = accounts[&Side::Available(*who)].min(*accounts.get(&Side::Owed(*who)).unwrap_or(&0));
        assert_eq!(both, 0, "available and owed are never both above zero");
    }
    nets
}

#[test]
fn kind_11_facts_follow_the_chain_of_successors_to_whoever_survives() {
    let links = Links::of(&[merged(20, 2, 3), merged(10, 1, 2), merged(30, 1, 4), merged(40, 3, 3)]);
    for original in 1..=3 {
        assert_eq!(
            links.survivor(member(original)),
            member(3),
            "{original}; what could not be saved is left out"
        );
    }
    assert!(links.is_part_of(member(1), member(2)) && !links.is_part_of(member(3), member(2)));
    let undone = Links::of(&[
        merged(10, 1, 2),
        merged(20, 2, 3),
        (Instant(30), LinkAct::Unmerged { from: member(2) }),
    ]);
    assert_eq!((undone.survivor(member(1)), undone.survivor(member(3))), (member(2), member(3)));
}

#[test]
fn kind_11_a_merge_is_checked_before_it_is_saved() {
    let links = Links::of(&[merged(10, 1, 2)]);
    let none = BTreeSet::new();
    let gone = BTreeSet::from([member(9)]);
    let cases = [
        (links.check_merge(member(2), member(3), &none), None),
        (links.check_merge(member(3), member(3), &none), Some(MergeError::Same { member: member(3) })),
        (
            links.check_merge(member(3), member(1), &none),
            Some(MergeError::Gone { member: member(1), survivor: member(2) }),
        ),
        (links.check_merge(member(3), member(9), &gone), Some(MergeError::Erased { member: member(9) })),
        (links.check_unmerge(member(1), &none), None),
        (links.check_unmerge(member(2), &none), Some(MergeError::NotMerged { member: member(2) })),
        (
            links.check_unmerge(member(1), &BTreeSet::from([member(2)])),
            Some(MergeError::Erased { member: member(2) }),
        ),
    ];
    for (at, (met, expected)) in cases.into_iter().enumerate() {
        assert_eq!(met.err(), expected, "case {at}");
    }
}

#[test]
fn kind_11_a_merge_moves_all_and_pays_what_is_owed_first() {
    for (from, into) in
        [(100, 50), (100, -30), (100, -300), (-40, 100), (-40, 10), (-40, -10), (0, 5), (7, 0)]
    {
        let shifts = plan_merge((member(1), &points(from)), (member(2), &points(into)));
        let nets = after(&shifts, &[(member(1), holding(from)), (member(2), holding(into))]);
        assert_eq!((nets[&member(1)], nets[&member(2)]), (0, from + into), "{from} into {into}");
    }
}

#[test]
fn kind_11_unmerging_lists_what_a_side_will_owe() {
    let links = Links::of(&[merged(10, 1, 2), merged(5, 7, 1)]);
    let effect = |n: u8, amount: i64| Effect { original: member(n), unit: Unit::Pts, amount };
    // Brought 120 and 5 more by one merged into it before; the survivor has since spent most of it.
    let effects = [effect(1, 120), effect(7, 5), effect(2, 900)];
    let plan = plan_unmerge(&links, member(1), &effects, &points(45));
    assert_eq!(plan.lacking, [(member(2), Unit::Pts, Amount(80))]);
    let nets = after(&plan.shifts, &[(member(1), holding(0)), (member(2), holding(45))]);
    assert_eq!((nets[&member(1)], nets[&member(2)]), (125, -80));
    // It spent more than it ever had: the other side's points paid for that.
    let plan = plan_unmerge(&links, member(1), &[effect(1, 20), effect(1, -50)], &points(-10));
    assert_eq!(plan.lacking, [(member(1), Unit::Pts, Amount(30))]);
    let nets = after(&plan.shifts, &[(member(1), holding(0)), (member(2), holding(-10))]);
    assert_eq!((nets[&member(1)], nets[&member(2)]), (-30, 20));
}

#[test]
fn kind_11_rights_used_once_each_are_used_twice_by_the_pair() {
    let used = |t: i64, seq: u64, who: u8, right: u8, pin: Option<bool>| RightUse {
        place: place(t, 1, seq),
        original: member(who),
        right: Hash([right; 32]),
        pin,
    };
    let alone = Links::default();
    let pair = alone.merged(member(1), member(2));
    let cases = [
        ("the later one", vec![used(20, 1, 1, 1, None), used(10, 2, 2, 1, None)], vec![1]),
        ("other rights", vec![used(20, 1, 1, 1, None), used(10, 2, 2, 2, None)], vec![]),
        ("pinned first", vec![used(20, 1, 1, 1, Some(true)), used(10, 2, 2, 1, None)], vec![2]),
        ("taken out", vec![used(20, 1, 1, 1, Some(false)), used(10, 2, 2, 1, None)], vec![]),
        ("twice by one was so before", vec![used(20, 1, 1, 1, None), used(10, 2, 1, 1, None)], vec![]),
    ];
    for (why, uses, expected) in cases {
        let seqs: Vec<u64> = clashes(&alone, &pair, &uses).iter().map(|fact| fact.seq).collect();
        assert_eq!(seqs, expected, "{why}");
    }
}

proptest! {
    #[test]
    fn kind_11_merge_and_unmerge_conserve_and_give_back(
        (one, other) in (-500..500_i64, -500..500_i64),
        since in proptest::collection::vec((any::<bool>(), -300..300_i64), 0..8),
        keys in proptest::collection::vec(any::<u32>(), 9),
    ) {
        let links = Links::default().merged(member(1), member(2));
        let mut effects = vec![Effect { original: member(1), unit: Unit::Pts, amount: one }];
        let by = |first: bool| if first { member(1) } else { member(2) };
        effects.extend(since.iter().map(|(first, amount)| {
            Effect { original: by(*first), unit: Unit::Pts, amount: *amount }
        }));
        let now = one + other + since.iter().map(|row| row.1).sum::<i64>();
        let plan = plan_unmerge(&links, member(1), &effects, &points(now));
        let nets = after(&plan.shifts, &[(member(1), holding(0)), (member(2), holding(now))]);
        let own: i64 = one + since.iter().filter(|row| row.0).map(|row| row.1).sum::<i64>();
        prop_assert_eq!(nets[&member(1)], own);
        prop_assert_eq!(nets[&member(1)] + nets[&member(2)], now, "nothing made, nothing lost");
        let listed: i64 = plan.lacking.iter().map(|row| row.2.0).sum();
        let owed_before = (-now).max(0);
        let owed_after: i64 = nets.values().map(|net| (-net).max(0)).sum();
        prop_assert!(listed >= owed_after - owed_before, "whoever will owe is listed");
        prop_assert_eq!(plan_unmerge(&links, member(1), &shuffled(&effects, &keys), &points(now)), plan);
    }

    #[test]
    fn kind_11_links_follow_the_set_of_acts(
        rows in proptest::collection::vec((1..6_u8, 1..6_u8, any::<bool>()), 0..10),
        keys in proptest::collection::vec(any::<u32>(), 10),
    ) {
        let acts: Vec<(Instant, LinkAct)> = (0..).zip(&rows).map(|(at, (from, into, undo))| {
            if *undo {
                (Instant(at), LinkAct::Unmerged { from: member(*from) })
            } else {
                merged(at, *from, *into)
            }
        }).collect();
        let links = Links::of(&acts);
        prop_assert_eq!(&Links::of(&shuffled(&acts, &keys)), &links);
        for n in 1..6 {
            let survivor = links.survivor(member(n));
            prop_assert_eq!(links.survivor(survivor), survivor, "no circle");
            prop_assert!(links.is_part_of(member(n), survivor));
        }
    }
}
