//! Times that nobody can tell from one side of a rule's edge to the other (kind 18), on both databases.

use hufu_shared::act::{Act, Pin, PinOutcome, Verdict};
use hufu_shared::fact::{Event, Shown, Visited};
use hufu_shared::ids::EntryId;
use hufu_shared::member::OccurrenceRow;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::{EarnCap, Period, Policy};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::time::{Day, SECOND_US};

use super::blocked::{spend, sum, with_lease};
use super::conflicts::decided;
use super::kit::*;
use super::order::normal_form;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::apply::doubtful_case;
use crate::rules::entry::EntryBody;

fn plain() -> (String, Option<i64>) {
    ("applied".to_owned(), None)
}

fn with_case(became: &str, kind: i64) -> (String, Option<i64>) {
    (became.to_owned(), Some(kind))
}

/// The salon ends a minute after noon.
async fn ends_soon(db: &Db) {
    found(db).await;
    let ends = NOON.offset(60 * SECOND_US);
    act(db, 60, NOON, Act::OccurrenceSet(OccurrenceRow { ends, ..occurrence() })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_18_a_narrow_doubt_at_the_end_is_read_in_the_members_favour() {
    each(|db| async move {
        ends_soon(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.doubt_s = 14 * 60;
        let id = a.check_in(0, 1);
        let after = a.check_in(61, 2);
        a.upload(&db).await;
        assert_eq!(standing(&db, id).await, plain());
        assert_eq!(standing(&db, after).await, with_case("no_effect", 28));
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (SALON_POINTS, 0));
        assert_eq!(count(&db, "cases_of_kind", vec![18.into()]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_18_across_a_wide_doubt_a_person_picks_the_side() {
    each(|db| async move {
        ends_soon(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.doubt_s = 16 * 60;
        let ids = [1, 2].map(|n| a.check_in(0, n));
        a.upload(&db).await;
        for id in ids {
            assert_eq!(standing(&db, id).await, with_case("held", 18));
        }
        assert_eq!(points(&db, 1).await + points(&db, 2).await, 0);
        let pin = |fact, outcome| vec![Pin { fact, outcome }];
        let counts = pin(ids[0], PinOutcome::Counts);
        act(&db, 61, NOON, decided(doubtful_case(ids[0]), Verdict::Confirm, counts)).await;
        let not = pin(ids[1], PinOutcome::DoesNotCount);
        act(&db, 62, NOON, decided(doubtful_case(ids[1]), Verdict::Reverse, not)).await;
        assert_eq!(standing(&db, ids[0]).await, plain());
        assert_eq!(standing(&db, ids[1]).await, with_case("no_effect", 18));
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (SALON_POINTS, 0));
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_18_a_plan_that_changes_ends_the_doubt() {
    each(|db| async move {
        ends_soon(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.doubt_s = 16 * 60;
        let id = a.check_in(0, 1);
        a.upload(&db).await;
        act(&db, 61, NOON, Act::OccurrenceSet(occurrence())).await;
        // Whatever judges the group next sees the plan of now.
        a.check_in(200, 1);
        a.upload(&db).await;
        assert_eq!(standing(&db, id).await, plain());
        assert_eq!(points(&db, 1).await, SALON_POINTS);
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_18_a_purchase_on_the_day_of_a_new_scheme_is_honoured_and_shown() {
    each(|db| async move {
        found(&db).await;
        act(&db, 60, NOON.offset(600 * SECOND_US), Act::SchemeSet(SchemeTerms::property_club(2, Day(0))))
            .await;
        let mut a = Terminal::start(TERMINAL_A);
        a.doubt_s = 3600;
        let bought = a.purchase(0, 1, 32_000, 6);
        let later = a.purchase(4_000, 2, 32_000, 6);
        a.upload(&db).await;
        assert_eq!(standing(&db, bought).await, with_case("applied_with_case", 18));
        assert_eq!(points(&db, 1).await, 6);
        assert_eq!(standing(&db, later).await, with_case("applied_with_case", 17), "surely after it");
        let pins = vec![Pin { fact: bought, outcome: PinOutcome::DoesNotCount }];
        act(&db, 61, NOON, decided(doubtful_case(bought), Verdict::Reverse, pins)).await;
        assert_eq!(points(&db, 1).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_18_a_purchase_at_midnight_under_a_daily_cap_is_shown() {
    each(|db| async move {
        found(&db).await;
        let cap = EarnCap {
            unit: Unit::Pts,
            period: Period::Day,
            most: Amount(6),
            events: Vec::new(),
            offices: Vec::new(),
        };
        let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
        act(&db, 60, NOON, Act::PolicySet(Box::new(policy))).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.doubt_s = 3600;
        let early = a.purchase(0, 1, 32_000, 6);
        let bought = a.purchase(11 * 3600 + 1800, 1, 32_000, 6);
        let batch = EntryBody::Batch(a.batch_at(NOON.offset(14 * 3600 * SECOND_US)));
        entry(&db, EntryId([61; 16]), NOON.offset(14 * 3600 * SECOND_US), batch).await;
        assert_eq!(standing(&db, early).await, plain());
        assert_eq!(
            standing(&db, bought).await,
            with_case("applied_with_case", 23),
            "the day of the earliest time"
        );
        let other = a.purchase(11 * 3600 + 1900, 2, 32_000, 6);
        let batch = EntryBody::Batch(a.batch_at(NOON.offset(14 * 3600 * SECOND_US)));
        entry(&db, EntryId([63; 16]), NOON.offset(14 * 3600 * SECOND_US), batch).await;
        assert_eq!(standing(&db, other).await, with_case("applied_with_case", 18));
        assert_eq!(points(&db, 2).await, 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_18_a_spend_around_the_report_of_a_lost_card_waits_and_either_side_can_be_picked() {
    for (counts, swap) in [(true, false), (false, false), (true, true), (false, true)] {
        each(move |db| async move {
            with_lease(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            a.doubt_s = 3600;
            b.record(600, Shown::Attention, Event::CardReportedLost(Visited { subject: subject(1) }));
            let spent = spend(&mut a, 0, 30, 30);
            for terminal in if swap { [&mut b, &mut a] } else { [&mut a, &mut b] } {
                terminal.upload(&db).await;
            }
            assert_eq!(standing(&db, spent).await, with_case("applied_with_case", 9));
            assert_eq!(count(&db, "cases_of_kind", vec![18.into()]).await, 1);
            let available = format!("member/{}/available", member(1));
            assert_eq!(
                sum(&db, available.clone()).await,
                70,
                "nothing of the member's until a person says so"
            );
            let outcome = if counts { PinOutcome::Counts } else { PinOutcome::DoesNotCount };
            let pins = vec![Pin { fact: spent, outcome }];
            act(&db, 110, NOON, decided(doubtful_case(spent), Verdict::Confirm, pins)).await;
            let lost = sum(&db, format!("loss/blocked/{OFFICE_A}")).await;
            let expected = if counts { (40, 0) } else { (70, -30) };
            assert_eq!((sum(&db, available).await, lost), expected);
            assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_doubts_do_not_depend_on_who_uploads_first() {
    let mut ends = Vec::new();
    for a_first in [true, false] {
        let db = Db::memory().expect("memory");
        ends_soon(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        a.doubt_s = 16 * 60;
        a.check_in(0, 1);
        a.check_in(5, 2);
        b.check_in(30, 1);
        for from_a in [a_first, !a_first] {
            let _ = if from_a { a.upload(&db).await } else { b.upload(&db).await };
        }
        ends.push(normal_form(&db).await);
    }
    assert_eq!(ends[0], ends[1]);
    assert!(ends[0].iter().all(|table| !table.is_empty()));
}
