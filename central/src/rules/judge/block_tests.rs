//! Blocks, reports and lifts around one spend, and how much of it the loss account bears.

use super::super::order::testing::{place, shuffled};
use super::*;
use proptest::prelude::*;

fn version(n: u64) -> Version {
    Version { epoch: 1, n }
}

fn change(at: i64, n: u64, barred: Barred) -> BlockChange {
    BlockChange { at: Instant(at), version: version(n), barred }
}

fn line(changes: &[BlockChange], reports: &[Place]) -> Timeline {
    Timeline { changes: changes.to_vec(), reports: reports.to_vec() }
}

/// A spend of device 1, seq 50, at `t` under block version `known`.
fn taken(t: i64, known: u64) -> Taken {
    let Place { t, fact: id } = place(t, 1, 50);
    Taken { id, lo: t, hi: t, t, known: version(known) }
}

#[test]
fn kind_09_a_block_that_the_terminal_did_not_know_is_honoured_and_a_lost_card_costs_the_club() {
    use Barred::{Lost, No, Stopped};
    use Payer::{Loss, Member};
    let lost = line(&[change(100, 5, Lost)], &[]);
    let stopped = line(&[change(100, 5, Stopped)], &[]);
    let found = line(&[change(100, 5, Lost), change(200, 6, No)], &[]);
    let reported = line(&[change(100, 5, Lost)], &[place(60, 2, 7)]);
    let reported_later = line(&[change(100, 5, Lost)], &[place(60, 1, 51)]);
    let found_again = line(&[change(200, 6, No)], &[place(60, 2, 7)]);
    let cases = [
        ("no block", Timeline::default(), taken(10, 4), Member, vec![]),
        ("before the block", lost.clone(), taken(99, 4), Member, vec![]),
        ("lost, list not there yet", lost, taken(100, 4), Loss, vec![9]),
        ("stopped, list not there yet", stopped, taken(150, 4), Member, vec![9]),
        ("found before", found.clone(), taken(200, 4), Member, vec![]),
        ("while it was lost", found, taken(199, 4), Loss, vec![9]),
        ("from the report on, before the act", reported.clone(), taken(60, 4), Loss, vec![9]),
        ("before the report", reported, taken(59, 4), Member, vec![]),
        ("the same terminal took the report later", reported_later, taken(70, 4), Loss, vec![9]),
        ("reported, then found", found_again, taken(250, 4), Member, vec![]),
    ];
    for (why, line, fact, payer, kinds) in cases {
        let judged = judge(&[Timeline::default(), line], fact);
        assert_eq!(judged.payer, payer, "{why}");
        assert_eq!(judged.kinds, kinds.into_iter().collect(), "{why}");
    }
}

#[test]
fn kind_10_a_terminal_that_knew_is_at_fault() {
    use Barred::{Lost, No, Stopped};
    let suspense = Blocked { payer: Payer::Suspense, kinds: BTreeSet::from([10]) };
    let cases = [
        ("in its list", line(&[change(100, 5, Stopped)], &[]), taken(150, 5)),
        ("in an older list", line(&[change(100, 5, Lost)], &[]), taken(150, 9)),
        (
            "lifted since, but not in its list",
            line(&[change(100, 5, Lost), change(120, 6, No)], &[]),
            taken(150, 5),
        ),
        ("reported there", line(&[], &[place(60, 1, 49)]), taken(70, 4)),
    ];
    for (why, line, fact) in cases {
        assert_eq!(judge(&[line], fact), suspense, "{why}");
    }
}

#[test]
fn kind_09_on_the_edge_of_the_report_a_narrow_interval_favours_the_member() {
    let lost = line(&[change(100, 5, Barred::Lost)], &[]);
    let around = |wide: i64| Taken { hi: Instant(99 + wide), ..taken(99, 4) };
    let narrow = judge(std::slice::from_ref(&lost), around(FAVOUR_MAX_US));
    assert_eq!(narrow, Blocked { payer: Payer::Loss, kinds: BTreeSet::from([9, 18]) });
    let wide = judge(&[lost], around(FAVOUR_MAX_US + 1));
    assert_eq!(wide, Blocked { payer: Payer::Suspense, kinds: BTreeSet::from([9, 18]) });
}

#[test]
fn kind_09_the_loss_is_capped_per_lease() {
    let spend = |t: i64, seq: u64, wants: i64, pin: Option<i64>| Claim {
        place: place(t, 1, seq),
        wants: Amount(wants),
        pin: pin.map(Amount),
    };
    let spends = [spend(10, 1, 60, None), spend(20, 2, 60, None), spend(30, 3, 30, Some(30))];
    let paid: Vec<i64> = paid_by_loss(Amount(100), &spends).values().map(|amount| amount.0).collect();
    assert_eq!(paid, [60, 10, 30], "what a person fixed goes first, then in order of time");
}

proptest! {
    #[test]
    fn kind_09_follows_the_set_of_blocks_and_reports(
        rows in proptest::collection::btree_map(0..100_i64, 0..3_u8, 0..6),
        told in proptest::collection::vec((0..100_i64, 1..3_u8, 0..99_u64), 0..4),
        t in 0..110_i64,
        known in 0..8_u64,
        keys in proptest::collection::vec(any::<u32>(), 6),
    ) {
        let barred = |n: u8| [Barred::No, Barred::Stopped, Barred::Lost][usize::from(n)];
        let changes: Vec<BlockChange> =
            rows.iter().zip(1..).map(|((at, n), version)| change(*at, version, barred(*n))).collect();
        let reports: Vec<Place> = told.iter().map(|(t, device, seq)| place(*t, *device, *seq)).collect();
        let judged = judge(&[line(&changes, &reports)], taken(t, known));
        let turned = line(&shuffled(&changes, &keys), &shuffled(&reports, &keys));
        prop_assert_eq!(judge(&[turned, Timeline::default()], taken(t, known)), judged);
    }
}
