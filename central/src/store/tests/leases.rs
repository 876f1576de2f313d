//! Schedules of leases that try to take more than there is, or to make somebody pay twice, on both databases: after
//! each, all sums are zero, and a member has what was earned less what the member bears.

use hufu_shared::act::{
    Act, LeaseCause, LeaseEnded, LeaseSet, LeasesReported, Pin, PinOutcome, RecoveryEnded, ValueEnd,
    ValueMoved, Verdict,
};
use hufu_shared::fact::{Event, Funding, LeaseClosed, LeaseUse, Shown, Spent};
use hufu_shared::ids::{DeviceId, FactId, Hash, LeaseId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::wire::lease::{LeaseState, LeaseTerms};
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::conflicts::decided;
use super::kit::*;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::posting::case_id;

/// The lease of terminal A for member 1, and the one of terminal B.
const LEASE_A: LeaseId = LeaseId([0xe1; 16]);
const LEASE_B: LeaseId = LeaseId([0xe2; 16]);
const TERMS: LeaseTerms = LeaseTerms { ttl_s: 7 * 86_400, reboot_cost_s: 7_200, reboots_max: 3 };
/// When the centre acts, unless a test says otherwise: before noon, when terminals spend.
const MORNING: Instant = Instant(NOON.0 - 1_800 * SECOND_US);

fn lease_of(device: DeviceId) -> LeaseId {
    if device == TERMINAL_A { LEASE_A } else { LEASE_B }
}

/// A lease state as an act: generation 1 unless `version` begins a new life.
fn set(device: DeviceId, granted: i64, version: Version) -> LeaseSet {
    LeaseSet {
        lease: lease_of(device),
        generation: 1,
        device,
        member: member(1),
        unit: Unit::Pts,
        granted_total: Amount(granted),
        terms: TERMS,
        version,
        cause: LeaseCause::Granted,
    }
}

fn first(n: u64) -> Version {
    Version { epoch: 1, n }
}

/// A club whose member 1 has so many points.
async fn with_points(db: &Db, points: i64) {
    found(db).await;
    let moved = ValueMoved {
        id: Hash([1; 32]),
        from: ValueEnd::Issuer(OFFICE_A),
        to: ValueEnd::Member(member(1)),
        leg: Leg { unit: Unit::Pts, amount: Amount(points) },
        office: OFFICE_A,
        reason: Hash([0; 32]),
        of: None,
    };
    act(db, 100, MORNING, Act::ValueMoved(moved)).await;
}

/// What a terminal writes for a spend of points by card 1: all numbers as the test wants them.
fn spend_as(terminal: &mut Terminal, seconds: i64, amount: i64, used: LeaseUse) -> FactId {
    let spent = Spent {
        subject: subject(1),
        legs: vec![Leg { unit: Unit::Pts, amount: Amount(amount) }],
        funding: vec![Funding::Lease(used)],
        slip: None,
        item: None,
        paid_out: None,
    };
    terminal.record(seconds, Shown::Redeemed, Event::Spent(spent))
}

fn used(device: DeviceId, total: i64, state: Version) -> LeaseUse {
    LeaseUse { lease: lease_of(device), generation: 1, spent_total: Amount(total), state }
}

/// A spend from the terminal's own lease, resting on version 1 of it.
fn spend(terminal: &mut Terminal, seconds: i64, amount: i64, total: i64) -> FactId {
    let used = used(terminal.device, total, first(1));
    spend_as(terminal, seconds, amount, used)
}

fn close(terminal: &mut Terminal, seconds: i64, total: i64) -> FactId {
    let lease = lease_of(terminal.device);
    let closed = LeaseClosed { lease, generation: 1, spent_total: Amount(total) };
    terminal.record(seconds, Shown::Nothing, Event::LeaseClosed(closed))
}

fn write_off(device: DeviceId) -> Act {
    let (lease, reason) = (lease_of(device), Hash([0; 32]));
    Act::LeaseWrittenOff(LeaseEnded { lease, generation: 1, second: None, reason })
}

fn lease_case(kind: u8, device: DeviceId) -> Hash {
    case_id(kind, &[&lease_of(device).0, &1u32.to_be_bytes()])
}

async fn account(db: &Db, name: String) -> i64 {
    count(db, "points", vec![name.into()]).await
}

async fn escrow(db: &Db, device: DeviceId) -> i64 {
    account(db, format!("escrow/{}", lease_of(device))).await
}

async fn device_loss(db: &Db, device: DeviceId) -> i64 {
    -account(db, format!("loss/device/{device}")).await
}

async fn recovery_loss(db: &Db) -> i64 {
    -account(db, format!("loss/recovery/{}", member(1))).await
}

async fn suspended(db: &Db, kind: u8, device: DeviceId) -> i64 {
    -account(db, format!("suspense/{}", lease_case(kind, device))).await
}

/// The member's one figure, and that all sums are zero and nothing is below.
async fn figure(db: &Db) -> i64 {
    assert_eq!(count(db, "sums_not_zero", vec![]).await, 0, "inv 1");
    let (available, owed) = (points(db, 1).await, owed(db, 1).await);
    let (a, b) = (escrow(db, TERMINAL_A).await, escrow(db, TERMINAL_B).await);
    assert!(available >= 0 && owed >= 0 && a >= 0 && b >= 0, "inv 2: {available} {owed} {a} {b}");
    available + a + b - owed
}

async fn became(db: &Db, id: FactId) -> (String, Option<i64>) {
    standing(db, id).await
}

fn told(became: &str, kind: u8) -> (String, Option<i64>) {
    (became.to_owned(), Some(i64::from(kind)))
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_03_two_offline_terminals_spend_their_own_leases_and_what_is_left_returns() {
    for swap in [false, true] {
        each(move |db| async move {
            with_points(&db, 100).await;
            act(&db, 101, MORNING, Act::LeaseSet(set(TERMINAL_A, 60, first(1)))).await;
            act(&db, 102, MORNING, Act::LeaseSet(set(TERMINAL_B, 40, first(1)))).await;
            // One point more than there is: nothing moves.
            act(&db, 103, MORNING, Act::LeaseSet(set(TERMINAL_B, 41, first(2)))).await;
            assert_eq!((points(&db, 1).await, figure(&db).await), (0, 100));
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            spend(&mut a, 0, 50, 50);
            close(&mut a, 10, 50);
            // An hour later, so that nobody wonders how the card came there.
            spend(&mut b, 3_600, 30, 30);
            let last = spend(&mut b, 3_610, 10, 40);
            close(&mut b, 3_620, 40);
            for terminal in if swap { [&mut b, &mut a] } else { [&mut a, &mut b] } {
                terminal.upload(&db).await;
            }
            assert_eq!(became(&db, last).await, ("applied".to_owned(), None));
            assert_eq!((points(&db, 1).await, figure(&db).await), (10, 10));
            assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_05_what_goes_over_waits_in_suspense_and_a_verdict_takes_only_what_the_lease_has() {
    for counts in [true, false] {
        each(move |db| async move {
            with_points(&db, 100).await;
            act(&db, 101, MORNING, Act::LeaseSet(set(TERMINAL_A, 60, first(1)))).await;
            let mut a = Terminal::start(TERMINAL_A);
            spend(&mut a, 0, 50, 50);
            let over = spend(&mut a, 10, 30, 80);
            a.upload(&db).await;
            assert_eq!(became(&db, over).await, told("applied_with_case", 5));
            assert_eq!((suspended(&db, 5, TERMINAL_A).await, figure(&db).await), (30, 50));
            // Frozen: no raise, however much is there.
            act(&db, 102, NOON, Act::LeaseSet(set(TERMINAL_A, 70, first(2)))).await;
            assert_eq!(escrow(&db, TERMINAL_A).await, 10);
            let outcome = if counts { PinOutcome::Counts } else { PinOutcome::DoesNotCount };
            let pins = vec![Pin { fact: over, outcome }];
            let verdict = if counts { Verdict::Confirm } else { Verdict::Reverse };
            act(&db, 103, NOON, decided(lease_case(5, TERMINAL_A), verdict, pins)).await;
            assert_eq!(suspended(&db, 5, TERMINAL_A).await, 0, "explained");
            close(&mut a, 20, 80);
            a.upload(&db).await;
            // Counts: ten from the lease, twenty the club's. Does not count: nobody pays, ten return.
            let expected = if counts { (20, 40) } else { (0, 50) };
            assert_eq!((device_loss(&db, TERMINAL_A).await, figure(&db).await), expected);
            assert_eq!(escrow(&db, TERMINAL_A).await, 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_07_a_written_off_lease_is_paid_by_the_club_up_to_its_rest() {
    for closes in [true, false] {
        each(move |db| async move {
            with_points(&db, 100).await;
            act(&db, 101, MORNING, Act::LeaseSet(set(TERMINAL_A, 60, first(1)))).await;
            let mut a = Terminal::start(TERMINAL_A);
            spend(&mut a, 0, 20, 20);
            a.upload(&db).await;
            act(&db, 102, NOON.offset(60 * SECOND_US), write_off(TERMINAL_A)).await;
            act(&db, 103, NOON.offset(61 * SECOND_US), write_off(TERMINAL_A)).await;
            assert_eq!((points(&db, 1).await, figure(&db).await), (80, 80), "once");
            // The same forty again at another terminal: the member has them.
            act(&db, 104, NOON.offset(62 * SECOND_US), Act::LeaseSet(set(TERMINAL_B, 80, first(1)))).await;
            let late = spend(&mut a, 90, 30, 50);
            let over = spend(&mut a, 100, 11, 61);
            if closes {
                close(&mut a, 110, 61);
            }
            a.upload(&db).await;
            assert_eq!(became(&db, late).await, told("applied_with_case", 7));
            assert_eq!(became(&db, over).await, told("applied_with_case", 5));
            assert_eq!((device_loss(&db, TERMINAL_A).await, suspended(&db, 5, TERMINAL_A).await), (30, 11));
            assert_eq!(
                (figure(&db).await, escrow(&db, TERMINAL_A).await),
                (80, 0),
                "nothing of it is the member's"
            );
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_08_a_second_copy_or_another_terminal_spends_nothing_of_the_members() {
    each(|db| async move {
        with_points(&db, 100).await;
        act(&db, 101, MORNING, Act::LeaseSet(set(TERMINAL_A, 60, first(1)))).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        // B writes A's lease into its own chain, and closes it.
        let foreign = spend_as(&mut b, 0, 60, used(TERMINAL_A, 60, first(1)));
        let shut = LeaseClosed { lease: LEASE_A, generation: 1, spent_total: Amount(60) };
        let shut = b.record(1, Shown::Nothing, Event::LeaseClosed(shut));
        b.upload(&db).await;
        assert_eq!(became(&db, foreign).await, told("applied_with_case", 8));
        assert_eq!(became(&db, shut).await, told("applied_with_case", 8));
        assert_eq!((escrow(&db, TERMINAL_A).await, suspended(&db, 8, TERMINAL_A).await), (60, 60));
        // A is not disturbed, closes, and goes on all the same.
        spend(&mut a, 0, 10, 10);
        close(&mut a, 10, 10);
        let copy = spend(&mut a, 20, 5, 15);
        close(&mut a, 30, 15);
        a.upload(&db).await;
        assert_eq!(became(&db, copy).await, told("applied_with_case", 8));
        assert_eq!((figure(&db).await, escrow(&db, TERMINAL_A).await), (90, 0));
        assert_eq!(suspended(&db, 8, TERMINAL_A).await, 65);
        let pins = [foreign, copy].map(|fact| Pin { fact, outcome: PinOutcome::Counts }).to_vec();
        act(
            &db,
            102,
            NOON.offset(90 * SECOND_US),
            decided(lease_case(8, TERMINAL_A), Verdict::Confirm, pins),
        )
        .await;
        assert_eq!((device_loss(&db, TERMINAL_A).await, device_loss(&db, TERMINAL_B).await), (5, 60));
        assert_eq!(figure(&db).await, 90, "a verdict that they count lets the club pay, not the member");
    })
    .await;
}

/// A centre that forgot a raise and a whole lease, and learns of both after facts that rest on them.
async fn rolled_back(db: &Db) -> (Terminal, Terminal, [FactId; 3]) {
    with_points(db, 100).await;
    act(db, 101, MORNING, Act::LeaseSet(set(TERMINAL_A, 30, first(1)))).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    spend(&mut a, 0, 20, 20);
    // On a raise to 80 in version 7, and a lease of 60, neither of which this centre remembers.
    let raised = spend_as(&mut a, 10, 40, used(TERMINAL_A, 60, first(7)));
    let after = close(&mut a, 20, 60);
    let unknown = spend_as(&mut b, 3_600, 25, used(TERMINAL_B, 25, first(8)));
    (a, b, [raised, after, unknown])
}

fn reported(device: DeviceId, granted: i64, n: u64) -> Act {
    let act = set(device, granted, first(n));
    let state = LeaseState {
        lease: act.lease,
        generation: 1,
        device,
        member: member(1),
        unit: Unit::Pts,
        granted_total: Amount(granted),
        terms: TERMS,
        version: act.version,
        signature: vec![1; 64],
    };
    Act::LeasesReported(LeasesReported { device, epoch: 1, states: vec![state] })
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_02_a_rolled_back_centre_accuses_nobody_and_books_what_it_lost() {
    for report_first in [true, false] {
        each(move |db| async move {
            let (mut a, mut b, facts) = rolled_back(&db).await;
            let begun = CentralEpoch { n: 2, bits: 9 };
            let at = NOON.offset(9 * 3600 * SECOND_US);
            if !report_first {
                a.upload(&db).await;
                b.upload(&db).await;
                for fact in facts {
                    assert_eq!(became(&db, fact).await, told("held", 8), "it waits");
                }
                assert_eq!(figure(&db).await, 80);
            }
            act(&db, 110, at, Act::EpochBegun(begun)).await;
            // Nothing is granted while it recovers.
            act(
                &db,
                111,
                at,
                Act::LeaseSet(LeaseSet {
                    generation: 65_537,
                    ..set(TERMINAL_A, 5, Version { epoch: 2, n: 1 })
                }),
            )
            .await;
            act(&db, 112, at, reported(TERMINAL_A, 80, 7)).await;
            act(&db, 113, at, reported(TERMINAL_A, 80, 7)).await;
            act(&db, 114, at, reported(TERMINAL_B, 60, 8)).await;
            let ended = RecoveryEnded { epoch: 2, silent: Vec::new(), reason: None };
            act(&db, 115, at, Act::RecoveryEnded(ended)).await;
            if report_first {
                // Available 70, wanted again 50 and 60: 40 are the club's for now.
                assert_eq!((points(&db, 1).await, recovery_loss(&db).await), (0, 40));
                a.upload(&db).await;
                b.upload(&db).await;
            }
            for fact in facts {
                assert_eq!(became(&db, fact).await, ("applied".to_owned(), None));
            }
            // A spent 60 of 80 and returned 20; B spent 25 and holds 35. What returns pays the loss first.
            let loss = recovery_loss(&db).await;
            assert_eq!((loss, escrow(&db, TERMINAL_B).await), (20, 35));
            assert_eq!(figure(&db).await, 100 - 60 - 25 + loss);
            close(&mut b, 3_630, 25);
            b.upload(&db).await;
            assert_eq!((recovery_loss(&db).await, figure(&db).await), (0, 15), "the member has what is true");
            assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_08_a_wait_that_a_person_ends_for_a_generation_nobody_knows_costs_the_club() {
    each(|db| async move {
        with_points(&db, 100).await;
        let mut b = Terminal::start(TERMINAL_B);
        let unknown = spend_as(&mut b, 0, 25, used(TERMINAL_B, 25, first(8)));
        b.upload(&db).await;
        assert_eq!(became(&db, unknown).await, told("held", 8));
        let pins = vec![Pin { fact: unknown, outcome: PinOutcome::Counts }];
        act(
            &db,
            110,
            NOON.offset(60 * SECOND_US),
            decided(lease_case(8, TERMINAL_B), Verdict::Confirm, pins),
        )
        .await;
        assert_eq!((device_loss(&db, TERMINAL_B).await, figure(&db).await), (25, 100));
    })
    .await;
}
