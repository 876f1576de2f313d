//! What proves a rollback, what is granted again, who is waited for.

use hufu_shared::ids::Hash;
use hufu_shared::wire::upload::ReceiptMark;

use super::super::recovery::{
    Evidence, Standing, Terminal, evidence_of_mark, evidence_of_state, next_epoch, regrant, waiting,
};
use super::*;

const LIFE: CentralEpoch = CentralEpoch { n: 3, bits: 5 };

fn hash(byte: u8) -> Hash {
    Hash([byte; 32])
}

fn mark() -> ReceiptMark {
    ReceiptMark {
        central_epoch: LIFE,
        journal_size: 50,
        journal_head: hash(50),
        device: DEVICE,
        acked_seq: 9,
        directory: version(1),
        block: version(1),
        leases: vec![(LEASE, version(5))],
        signature: Vec::new(),
    }
}

#[test]
fn a_mark_of_something_that_this_centre_does_not_have_proves_a_rollback() {
    let standing = Standing { epoch: LIFE, journal_size: 60, head_there: Some(hash(50)), acked_seq: 9 };
    let marked = |change: fn(&mut ReceiptMark)| {
        let mut mark = mark();
        change(&mut mark);
        mark
    };
    let other_bits = |mark: &mut ReceiptMark| mark.central_epoch.bits = 6;
    let cases: [(&str, ReceiptMark, Standing, Option<Evidence>); 9] = [
        ("all is here", mark(), standing, None),
        ("a later life", marked(|m| m.central_epoch.n = 4), standing, Some(Evidence::Epoch)),
        ("another life of the same number", marked(other_bits), standing, Some(Evidence::Epoch)),
        (
            "an earlier life that was ahead: known",
            marked(|m| (m.central_epoch.n, m.journal_size) = (2, 99)),
            standing,
            None,
        ),
        ("a larger journal", marked(|m| m.journal_size = 61), standing, Some(Evidence::JournalSize)),
        (
            "another head at that size",
            mark(),
            Standing { head_there: Some(hash(51)), ..standing },
            Some(Evidence::JournalHead),
        ),
        (
            "a head that is gone",
            mark(),
            Standing { head_there: None, ..standing },
            Some(Evidence::JournalHead),
        ),
        ("a cursor ahead", mark(), Standing { acked_seq: 8, ..standing }, Some(Evidence::Cursor)),
        ("a cursor behind", mark(), Standing { acked_seq: 10, ..standing }, None),
    ];
    for (name, mark, standing, expected) in cases {
        assert_eq!(evidence_of_mark(&mark, &standing, |_| true), expected, "{name}");
    }
    assert_eq!(evidence_of_mark(&mark(), &standing, |_| false), Some(Evidence::LeaseState));
}

#[test]
fn a_lease_state_that_was_never_made_here_proves_a_rollback() {
    let state = |epoch| LeaseState { version: Version { epoch, n: 5 }, ..granted(100).state() };
    assert_eq!(evidence_of_state(&state(3), LIFE, hash(1), Some(hash(1))), None);
    for known in [None, Some(hash(2))] {
        let proof = Some(Evidence::LeaseState);
        assert_eq!(evidence_of_state(&state(3), LIFE, hash(1), known), proof, "{known:?}");
        assert_eq!(
            evidence_of_state(&state(2), LIFE, hash(1), known),
            None,
            "of the life before: to be granted again"
        );
    }
    assert_eq!(evidence_of_state(&state(4), LIFE, hash(1), None), Some(Evidence::Epoch));
}

#[test]
fn a_new_life_stands_above_every_one_met() {
    let met = [LIFE, CentralEpoch { n: 7, bits: 1 }, CentralEpoch { n: 2, bits: 2 }];
    assert_eq!(next_epoch(&met, 99), CentralEpoch { n: 8, bits: 99 });
    assert_eq!(next_epoch(&[], 99), CentralEpoch { n: 1, bits: 99 });
}

fn reported(granted_total: i64, n: u64) -> LeaseState {
    LeaseState { granted_total: Amount(granted_total), version: version(n), ..granted(100).state() }
}

#[test]
fn a_reported_lease_is_granted_again_up_to_its_signed_total() {
    let spent = after(granted(100), &[(40, 40)]);
    // (known here, signed total, version, available) → (escrow after, from available, from loss)
    let cases: [(&str, Option<&LeaseRow>, i64, u64, i64, (i64, i64, i64)); 4] = [
        ("never heard of", None, 80, 9, 500, (80, 80, 0)),
        ("a lost raise", Some(&spent), 130, 9, 500, (90, 30, 0)),
        ("a lost raise, half of it gone", Some(&spent), 130, 9, 20, (90, 20, 10)),
        ("nothing left at all", None, 80, 9, 0, (80, 0, 80)),
    ];
    for (name, row, total, n, available, expected) in cases {
        let again = regrant(row, &reported(total, n), 1, Amount(available), NOON).expect(name);
        let moved = (again.row.escrow().0, again.from_available.0, again.from_loss.0);
        assert_eq!((moved, again.row.version), (expected, version(n)), "{name}");
    }
}

#[test]
fn a_regrant_is_once_never_shrinks_and_never_reopens() {
    let row = granted(100);
    assert_eq!(regrant(Some(&row), &reported(100, 5), 1, Amount(500), NOON), None, "nothing is missing");
    assert_eq!(regrant(Some(&row), &reported(60, 4), 1, Amount(500), NOON), None, "an older state");
    let again = regrant(None, &reported(80, 9), 1, Amount(500), NOON).expect("unknown").row;
    assert_eq!(regrant(Some(&again), &reported(80, 9), 1, Amount(500), NOON), None, "reported again");
    let closed = close(&row, Amount(0), 1, false).row;
    assert_eq!(regrant(Some(&closed), &reported(130, 9), 1, Amount(500), NOON), None);
    let newer = regrant(Some(&row), &reported(60, 9), 1, Amount(500), NOON).expect("its version is news");
    assert_eq!((newer.row.granted_total, newer.from_available), (Amount(100), Amount::ZERO));
}

#[test]
fn what_a_written_off_lease_had_more_is_written_off_with_it() {
    let (row, _) = write_off(&granted(100)).expect("it was not");
    let again = regrant(Some(&row), &reported(130, 9), 1, Amount(500), NOON).expect("a lost raise");
    assert_eq!(
        (again.from_available, again.from_loss, again.row.escrow()),
        (Amount(0), Amount(0), Amount(0))
    );
    let spent = judge(Some(&again.row), &leg(1, 130, 130), Known::default());
    assert_eq!(spent.kind, Some(7), "the club's, not a fault of the device");
}

#[test]
fn facts_that_waited_settle_after_the_regrant() {
    let fact = SpentLeg { state: version(9), ..leg(1, 120, 120) };
    let row = granted(100);
    assert_eq!(judge(Some(&row), &fact, Known::default()).effect, spend::Effect::Held);
    let again = regrant(Some(&row), &reported(130, 9), 1, Amount(500), NOON).expect("a lost raise").row;
    let judged = judge(Some(&again), &fact, Known::default());
    assert_eq!((judged.kind, judged.row.map(|row| row.escrow())), (None, Some(Amount(10))));
}

#[test]
fn a_recovery_waits_for_every_terminal_that_is_not_revoked() {
    let terminal = |device: u8, reported_epoch, heard: Option<i64>| Terminal {
        device: DeviceId([device; 16]),
        revoked: false,
        reported_epoch,
        heard_at: heard.map(|days| NOON.offset(-days * DAY_US)),
        cap: Amount(100 * i64::from(device)),
    };
    let revoked = Terminal { revoked: true, ..terminal(5, 0, Some(0)) };
    let all = [
        terminal(1, 3, Some(0)),
        terminal(2, 2, Some(1)),
        terminal(3, 0, Some(8)),
        terminal(4, 0, None),
        revoked,
    ];
    let left = waiting(&all, LIFE, NOON);
    assert_eq!(left.silent, [DeviceId([2; 16])]);
    assert_eq!(left.long_silent, [DeviceId([3; 16]), DeviceId([4; 16])], "listed apart after seven days");
    assert_eq!((left.largest_loss, left.is_over()), (Amount(900), false));
    assert!(waiting(&[terminal(1, 3, None), revoked], LIFE, NOON).is_over());
}
