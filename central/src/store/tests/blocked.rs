//! Spends that a block or the lease's own time bears on, on both databases: who pays, and that replay says the same.

use hufu_shared::act::{Act, CardStatusSet, LeaseCause, LeaseSet, ValueEnd, ValueMoved};
use hufu_shared::fact::{Event, Funding, LeaseUse, Shown, Spent, Visited};
use hufu_shared::ids::{CardId, EntryId, FactId, Hash, LeaseId};
use hufu_shared::member::CardStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::wire::lease::LeaseTerms;
use hufu_shared::wire::version::Version;

use super::kit::{
    NOON, OFFICE_A, TERMINAL_A, TERMINAL_B, Terminal, act, count, entry, found, member, standing, subject,
    third_terminal,
};
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::apply::lease_case;
use crate::rules::entry::EntryBody;
use crate::store::journal;

const LEASE: LeaseId = LeaseId([0xe7; 16]);
const FIRST: Version = Version { epoch: 1, n: 1 };
const MORNING: Instant = Instant(NOON.0 - 1_800 * SECOND_US);

/// Member 1 has 100 points, 60 of them in a lease of an hour at terminal A.
pub(super) async fn with_lease(db: &Db) {
    found(db).await;
    let moved = ValueMoved {
        id: Hash([1; 32]),
        from: ValueEnd::Issuer(OFFICE_A),
        to: ValueEnd::Member(member(1)),
        leg: Leg { unit: Unit::Pts, amount: Amount(100) },
        office: OFFICE_A,
        reason: Hash([0; 32]),
        of: None,
    };
    act(db, 100, MORNING, Act::ValueMoved(moved)).await;
    let set = LeaseSet {
        lease: LEASE,
        generation: 1,
        device: TERMINAL_A,
        member: member(1),
        unit: Unit::Pts,
        granted_total: Amount(60),
        terms: LeaseTerms { ttl_s: 3_600, reboot_cost_s: 7_200, reboots_max: 3 },
        version: FIRST,
        cause: LeaseCause::Granted,
    };
    act(db, 101, MORNING, Act::LeaseSet(set)).await;
}

pub(super) fn spend(terminal: &mut Terminal, seconds: i64, amount: i64, total: i64) -> FactId {
    let used = LeaseUse { lease: LEASE, generation: 1, spent_total: Amount(total), state: FIRST };
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

pub(super) async fn sum(db: &Db, account: String) -> i64 {
    count(db, "points", vec![account.into()]).await
}

async fn available_and_escrow(db: &Db) -> (i64, i64) {
    assert_eq!(count(db, "sums_not_zero", vec![]).await, 0, "inv 1");
    let available = sum(db, format!("member/{}/available", member(1))).await;
    (available, sum(db, format!("escrow/{LEASE}")).await)
}

fn kind(n: i64) -> (String, Option<i64>) {
    ("applied_with_case".to_owned(), Some(n))
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_06_a_spend_after_the_lease_ran_out_settles_and_is_flagged() {
    each(|db| async move {
        with_lease(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let first = spend(&mut a, 0, 10, 10);
        let late = spend(&mut a, 3_700, 20, 30);
        a.upload(&db).await;
        assert_eq!(standing(&db, first).await, ("applied".to_owned(), None));
        assert_eq!(standing(&db, late).await, kind(6));
        assert_eq!(available_and_escrow(&db).await, (40, 30));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_09_a_card_reported_lost_elsewhere_costs_the_club_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            with_lease(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let before = spend(&mut a, -900, 5, 5);
            b.record(-600, Shown::Attention, Event::CardReportedLost(Visited { subject: subject(1) }));
            let after = spend(&mut a, 0, 30, 35);
            for terminal in if swap { [&mut b, &mut a] } else { [&mut a, &mut b] } {
                terminal.upload(&db).await;
            }
            assert_eq!(standing(&db, before).await, ("applied".to_owned(), None));
            assert_eq!(standing(&db, after).await, kind(9));
            assert_eq!(sum(&db, format!("loss/blocked/{OFFICE_A}")).await, -30);
            assert_eq!(available_and_escrow(&db).await, (70, 25));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_a_spend_over_its_lease_with_a_lost_card_is_in_both_cases_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            with_lease(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            b.record(-600, Shown::Attention, Event::CardReportedLost(Visited { subject: subject(1) }));
            let over = spend(&mut a, 0, 90, 90);
            for terminal in if swap { [&mut b, &mut a] } else { [&mut a, &mut b] } {
                terminal.upload(&db).await;
            }
            assert_eq!(standing(&db, over).await, kind(5));
            for kind in [5, 9] {
                let case = lease_case(kind, LEASE, 1);
                assert_eq!(
                    count(&db, "facts_of_case", vec![case.0.into()]).await,
                    1,
                    "kind {kind}, swapped {swap}"
                );
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_of_two_reports_of_a_loss_the_one_received_first_is_what_terminals_knew() {
    for swap in [false, true] {
        each(move |db| async move {
            with_lease(&db).await;
            let third = third_terminal(&db).await;
            let (mut b, mut c) = (Terminal::start(TERMINAL_B), Terminal::start(third));
            let (first, second) = (NOON.offset(SECOND_US), NOON.offset(600 * SECOND_US));
            let mut reports = Vec::new();
            for (n, terminal, received) in [(110, &mut b, first), (111, &mut c, second)] {
                terminal.record(
                    -600,
                    Shown::Attention,
                    Event::CardReportedLost(Visited { subject: subject(1) }),
                );
                reports.push((n, received, terminal.batch_at(received)));
            }
            if swap {
                reports.reverse();
            }
            for (n, received, batch) in reports {
                let body = EntryBody::Batch(batch);
                let taken =
                    db.write(move |tx| journal::take(tx, EntryId([n; 16]), received, body.clone())).await;
                assert!(taken.is_ok(), "{taken:?}");
            }
            // This terminal's list holds what was taken until the first report, and no more.
            let mut a = Terminal::start(TERMINAL_A);
            let spent = spend(&mut a, 300, 30, 30);
            let mut batch = a.batch();
            batch.knew = vec![(FIRST, first)];
            entry(&db, EntryId([112; 16]), NOON.offset(8 * 3600 * SECOND_US), EntryBody::Batch(batch)).await;
            assert_eq!(standing(&db, spent).await, kind(10));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_10_a_terminal_that_knew_of_the_block_bears_suspicion_and_the_member_nothing() {
    each(|db| async move {
        with_lease(&db).await;
        let at = MORNING.offset(60 * SECOND_US);
        let lost = CardStatusSet { card: CardId([1; 16]), status: CardStatus::Lost, reason: Hash([0; 32]) };
        act(&db, 102, at, Act::CardStatusSet(lost)).await;
        let mut a = Terminal::start(TERMINAL_A);
        let spent = spend(&mut a, 0, 30, 30);
        let mut batch = a.batch();
        batch.knew = vec![(FIRST, at)];
        entry(&db, EntryId([103; 16]), NOON.offset(8 * 3600 * SECOND_US), EntryBody::Batch(batch)).await;
        assert_eq!(standing(&db, spent).await, kind(10));
        let case = lease_case(10, LEASE, 1);
        assert_eq!(sum(&db, format!("suspense/{case}")).await, -30);
        assert_eq!(available_and_escrow(&db).await, (70, 30));
    })
    .await;
}
