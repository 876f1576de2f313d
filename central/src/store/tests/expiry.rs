//! The daily run of expiry, on both databases: once a day, over all whom it concerns, caught up after days without it.

use hufu_shared::act::{Act, BalancesOpened, LeaseCause, LeaseSet, MemberSet, MembersMerged, Opening};
use hufu_shared::ids::{EntryId, Hash, LeaseId, MemberId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{ExpiryMode, FixedCutoff, Policy};
use hufu_shared::time::{DAY_US, Day, Instant};
use hufu_shared::wire::lease::LeaseTerms;
use hufu_shared::wire::version::Version;

use super::kit::*;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Value};
use crate::store::expiry::{self, Step};
use crate::store::journal;
use crate::store::verify::verify;

/// Days after the day of the story.
fn on(days: i64) -> Instant {
    NOON.offset(days * DAY_US)
}

/// All rounds of the job at an instant; answers for which day it ran, and how many acts it took.
async fn round(db: &Db, now: Instant) -> Option<(Day, usize)> {
    let run = db.read(move |tx| expiry::due(tx, now)).await.expect("read")?;
    let course = db.read(move |tx| expiry::begin(tx, run)).await.expect("read");
    let mut after = None;
    for acts in 1.. {
        let mut id = [0xe0; 16];
        id[..8].copy_from_slice(&now.0.to_be_bytes());
        id[15] = u8::try_from(acts).expect("few");
        let entry = EntryId(id);
        let course = course.clone();
        let step = db.write(move |tx| expiry::step(tx, &course, after, entry, now)).await;
        match step.expect("a step") {
            Step::Upto { last, .. } => after = Some(last),
            Step::Done => return Some((run.cutoff, acts)),
            Step::Recovering => return None,
        }
    }
    None
}

async fn points_that_run_out_after_a_month(db: &Db) {
    found(db).await;
    let policy = Policy { expiry: ExpiryMode::RollingMonths(1), ..Policy::default() };
    act(db, 40, NOON.offset(-10_000), Act::PolicySet(Box::new(policy))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b04_the_daily_run_takes_off_what_ran_out_once_and_catches_up() {
    each(|db| async move {
        points_that_run_out_after_a_month(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(0, 1, 10_000, 2);
        a.purchase(60, 2, 20_000, 4);
        a.upload(&db).await;
        assert_eq!(round(&db, on(1)).await.map(|ran| ran.0), Some(Day(20_779)), "the day that is over");
        assert_eq!(round(&db, on(1).offset(3_600_000_000)).await, None, "once a day");
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (2, 4), "nothing has run out yet");
        // The centre is down for three months; the first run after takes off everything since.
        let (day, acts) = round(&db, on(90)).await.expect("due");
        assert_eq!((day, acts), (Day(20_779 + 89), 2), "one for the members, one for the day");
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, 0));
        let taken = count(&db, "postings", vec![]).await;
        assert_eq!(round(&db, on(91)).await.expect("due").0, Day(20_779 + 90));
        assert_eq!(count(&db, "postings", vec![]).await, taken, "and nothing twice");
        while db.write(journal::publish).await.expect("published") > 0 {}
        let findings = verify(&db).await.expect("readable").findings;
        assert!(findings.is_empty(), "{:?}", findings.first());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b04_a_late_fact_is_reckoned_by_the_next_run_and_a_new_rule_for_all() {
    each(|db| async move {
        points_that_run_out_after_a_month(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(0, 1, 10_000, 2);
        a.upload(&db).await;
        round(&db, on(60)).await.expect("due");
        assert_eq!(points(&db, 1).await, 0);
        // Another terminal was dark all that time.
        let mut b = Terminal::start(TERMINAL_B);
        b.purchase(30, 1, 10_000, 2);
        let batch = b.batch();
        let late = crate::rules::entry::EntryBody::Batch(batch);
        entry(&db, EntryId([70; 16]), on(60).offset(DAY_US / 2), late).await;
        assert_eq!(points(&db, 1).await, 2, "taken in as it is");
        round(&db, on(61)).await.expect("due");
        assert_eq!(points(&db, 1).await, 0, "its day is long over");
        let policy = Policy { expiry: ExpiryMode::Never, ..Policy::default() };
        act(&db, 71, on(61).offset(1), Act::PolicySet(Box::new(policy))).await;
        let again = round(&db, on(61).offset(60_000_000)).await;
        assert!(again.is_some(), "by another rule all is reckoned anew, the same day still");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s03_x04_the_ledger_clears_first_year_members_a_year_later_than_the_others() {
    each(|db| async move {
        found(&db).await;
        let policy = Policy { expiry: ExpiryMode::FixedCutoff(FixedCutoff::RULE_S3), ..Policy::default() };
        act(&db, 40, NOON.offset(-10_000), Act::PolicySet(Box::new(policy))).await;
        let set = |n: u8, joined: Option<Day>| MemberSet {
            member: member(n),
            number: format!("M{n}"),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([n; 32]),
            joined,
        };
        // The file of members says when the second one joined; the others joined when they were entered, this year.
        let last_year = "2025-12-31".parse().expect("a day");
        act(&db, 41, NOON.offset(-9_000), Act::MembersSet(vec![set(2, Some(last_year))])).await;
        act(&db, 42, NOON.offset(-8_000), Act::MembersSet(vec![set(2, None)])).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(0, 1, 10_000, 2);
        a.purchase(60, 2, 20_000, 4);
        a.upload(&db).await;
        let both = || async { (points(&db, 1).await, points(&db, 2).await) };
        round(&db, on(39)).await.expect("due");
        assert_eq!(both().await, (2, 4), "the last day of the year is not over");
        round(&db, on(40)).await.expect("due");
        assert_eq!(both().await, (2, 0));
        round(&db, on(404)).await.expect("due");
        assert_eq!(both().await, (2, 0));
        round(&db, on(405)).await.expect("due");
        assert_eq!(both().await, (0, 0), "a year later to the day, though nothing of theirs moved since");
        while db.write(journal::publish).await.expect("published") > 0 {}
        let findings = verify(&db).await.expect("readable").findings;
        assert!(findings.is_empty(), "{:?}", findings.first());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_more_members_than_one_act_looks_at_reaches_all_of_them_once() {
    const MEMBERS: u16 = 600;
    each(|db| async move {
        points_that_run_out_after_a_month(&db).await;
        let id = |n: u16| {
            let mut id = [0x77; 16];
            id[..2].copy_from_slice(&n.to_be_bytes());
            MemberId(id)
        };
        let set = |n: u16| MemberSet {
            member: id(n),
            number: format!("N{n}"),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([9; 32]),
            joined: None,
        };
        let opening = |n: u16| Opening {
            member: id(n),
            leg: Leg { unit: Unit::Pts, amount: Amount(5) },
            office: OFFICE_A,
            at: Some(NOON.offset(-DAY_US)),
        };
        let (batch, rows) = ("before".to_owned(), (0..MEMBERS).map(opening).collect());
        act(&db, 41, NOON.offset(-9_000), Act::MembersSet((0..MEMBERS).map(set).collect())).await;
        let opened = BalancesOpened { batch, rows, reason: Hash([0; 32]) };
        act(&db, 42, NOON.offset(-8_000), Act::BalancesOpened(opened)).await;
        let before = count(&db, "postings", vec![]).await;
        let (_, acts) = round(&db, on(60)).await.expect("due");
        assert_eq!(acts, 3, "two for the members, one for the day");
        let taken = count(&db, "postings", vec![]).await;
        assert_eq!(taken - before, i64::from(MEMBERS), "one line for each");
        for day in [61, 62, 90] {
            round(&db, on(day)).await.expect("due");
        }
        assert_eq!(count(&db, "postings", vec![]).await, taken, "and nothing twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b04_what_a_merge_brought_over_runs_out_there_and_what_went_back_does_not() {
    for is_undone in [false, true] {
        each(move |db| async move {
            points_that_run_out_after_a_month(&db).await;
            let mut a = Terminal::start(TERMINAL_A);
            a.purchase(0, 1, 10_000, 2);
            a.purchase(60, 2, 20_000, 4);
            a.upload(&db).await;
            let pair = MembersMerged { survivor: member(1), merged: member(2), reason: Hash([0; 32]) };
            act(&db, 60, on(5), Act::MembersMerged(pair.clone())).await;
            if is_undone {
                act(&db, 61, on(6), Act::MembersUnmerged(pair)).await;
            }
            let leg = Leg { unit: Unit::Pts, amount: Amount(10) };
            let row = Opening { member: member(1), leg, office: OFFICE_A, at: None };
            let opened = BalancesOpened { batch: "later".to_owned(), rows: vec![row], reason: Hash([0; 32]) };
            act(&db, 62, on(20), Act::BalancesOpened(opened)).await;
            let mut told = Vec::new();
            for day in [33, 40] {
                round(&db, on(day)).await.expect("due");
                told.push((points(&db, 1).await, points(&db, 2).await));
            }
            // What came over is of the day on which it came; what went back is of the day on which it was earned.
            assert_eq!(told, if is_undone { [(10, 0), (10, 0)] } else { [(14, 0), (10, 0)] });
            super::stock::replays(&db).await;
        })
        .await;
    }
}

/// A page of members that is shorter than it seems would let a run go on behind its end, past members who wait there.
#[tokio::test(flavor = "multi_thread")]
async fn rule_b04_a_member_with_points_in_a_lease_takes_one_place_of_a_page() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(0, 1, 100_000, 20);
        a.purchase(60, 2, 100_000, 20);
        a.upload(&db).await;
        let lease = LeaseSet {
            lease: LeaseId([0xe1; 16]),
            generation: 1,
            device: TERMINAL_A,
            member: member(1),
            unit: Unit::Pts,
            granted_total: Amount(5),
            terms: LeaseTerms { ttl_s: 7 * 86_400, reboot_cost_s: 7_200, reboots_max: 3 },
            version: Version { epoch: 1, n: 1 },
            cause: LeaseCause::Granted,
        };
        act(&db, 60, ARRIVAL, Act::LeaseSet(lease)).await;
        assert_eq!(points(&db, 1).await, 15, "5 lie in the lease");
        let day = i64::from(Day(20_779).0);
        let key: [Value; 4] = [Vec::<u8>::new().into(), day.into(), day.into(), 2_i64.into()];
        let found = db.read(move |tx| tx.query(expiry::SQL.get("with_points_of"), &key)).await;
        let found = found.expect("readable");
        let members: Vec<[u8; 16]> = found.iter().map(|row| row.array(0).expect("an id")).collect();
        assert_eq!(members, [member(1).0, member(2).0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_expiry_prepares_on_both_engines() {
    prepare_all(&[&expiry::SQL]).await;
}
