//! Ways in and out of an occurrence that counts who leaves (kind 4), on both databases.

use hufu_shared::act::{Act, Pin, PinOutcome, Verdict};
use hufu_shared::cbor;
use hufu_shared::fact::{Attended, Event, Shown, Way};
use hufu_shared::ids::FactId;
use hufu_shared::member::{OccurrenceRow, OccurrenceState};
use hufu_shared::time::{Instant, SECOND_US};

use super::conflicts::decided;
use super::kit::*;
use super::order::normal_form;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::apply::{StayEnd, StaysCase, path_case};

fn plain() -> (String, Option<i64>) {
    ("applied".to_owned(), None)
}

fn with_case(became: &str, kind: i64) -> (String, Option<i64>) {
    (became.to_owned(), Some(kind))
}

fn salon(admits_once: bool) -> OccurrenceRow {
    OccurrenceRow { exits: true, admits_once, ..occurrence() }
}

async fn plan(db: &Db, n: u8, row: OccurrenceRow) {
    act(db, n, NOON, Act::OccurrenceSet(row)).await;
}

fn pass(terminal: &mut Terminal, seconds: i64, n: u8, way: Way) -> FactId {
    let attended = Attended {
        subject: subject(n),
        occurrence: SALON,
        promised: vec![],
        repeats: None,
        gate: None,
        way,
        companions: None,
    };
    terminal.record(seconds, Shown::Accepted, Event::Attended(attended))
}

/// The ends of the stays in the case about a member, in seconds after noon; what was inferred is marked.
async fn stays(db: &Db, n: u8) -> Vec<(Option<i64>, bool)> {
    let rows = probe(db, "case_detail", vec![path_case(member(n), SALON).0.into()]).await;
    let case: StaysCase = cbor::decode(rows[0].blob(0).expect("bytes")).expect("stays");
    let seconds = |at: Instant| (at.since(NOON) + SECOND_US / 2).div_euclid(SECOND_US);
    let end = |end: &StayEnd| (end.at.map(seconds), end.inferred);
    case.stays.iter().flat_map(|(from, to)| [end(from), end(to)]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_04_who_leaves_and_comes_back_has_one_attendance_and_no_case() {
    for once in [true, false] {
        each(move |db| async move {
            found(&db).await;
            plan(&db, 60, salon(once)).await;
            let mut a = Terminal::start(TERMINAL_A);
            let facts = [(0, Way::In), (600, Way::Out), (660, Way::In), (1_200, Way::Out)];
            let facts = facts.map(|(seconds, way)| pass(&mut a, seconds, 1, way));
            a.upload(&db).await;
            for id in facts {
                assert_eq!(standing(&db, id).await, plain(), "{id:?}");
            }
            assert_eq!(points(&db, 1).await, SALON_POINTS);
            plan(&db, 61, OccurrenceRow { state: OccurrenceState::Ended, ..salon(once) }).await;
            assert_eq!(count(&db, "cases_of_kind", vec![4.into()]).await, 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_04_who_comes_back_at_once_at_the_same_reader_repeats_nothing() {
    each(|db| async move {
        found(&db).await;
        plan(&db, 60, salon(true)).await;
        let mut a = Terminal::start(TERMINAL_A);
        let ways = [(0, Way::In), (10, Way::Out), (20, Way::In), (30, Way::Out)];
        let facts = ways.map(|(seconds, way)| pass(&mut a, seconds, 1, way));
        let twice = pass(&mut a, 35, 1, Way::Out);
        a.upload(&db).await;
        for id in facts {
            assert_eq!(standing(&db, id).await, plain(), "{id:?}");
        }
        assert_eq!(standing(&db, twice).await, with_case("merged", 2));
        plan(&db, 61, OccurrenceRow { state: OccurrenceState::Ended, ..salon(true) }).await;
        assert_eq!(count(&db, "cases_of_kind", vec![4.into()]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_04_in_twice_is_closed_at_the_second_entry_and_a_person_may_edit_it() {
    each(|db| async move {
        found(&db).await;
        plan(&db, 60, salon(false)).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let first = pass(&mut a, 0, 1, Way::In);
        let second = pass(&mut b, 600, 1, Way::In);
        let out = pass(&mut b, 900, 1, Way::Out);
        b.upload(&db).await;
        assert_eq!(count(&db, "cases_of_kind", vec![4.into()]).await, 0, "a lawful way so far");
        a.upload(&db).await;
        for id in [first, second] {
            assert_eq!(standing(&db, id).await, with_case("applied_with_case", 4));
        }
        assert_eq!(standing(&db, out).await, plain());
        let seen = |at| (Some(at), false);
        assert_eq!(stays(&db, 1).await, [seen(0), (Some(600), true), seen(600), seen(900)]);
        let pins = vec![
            Pin { fact: first, outcome: PinOutcome::DoesNotCount },
            Pin { fact: second, outcome: PinOutcome::Counts },
        ];
        act(&db, 61, NOON, decided(path_case(member(1), SALON), Verdict::Merge, pins)).await;
        assert_eq!(standing(&db, first).await, ("no_effect".to_owned(), None));
        assert_eq!(standing(&db, second).await, plain());
        assert_eq!((points(&db, 1).await, count(&db, "sums_not_zero", vec![]).await), (SALON_POINTS, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_04_who_never_left_is_taken_to_have_gone_at_the_end_until_the_exit_comes() {
    each(|db| async move {
        found(&db).await;
        plan(&db, 60, salon(true)).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let entry = pass(&mut a, 0, 1, Way::In);
        let stays_in = pass(&mut a, 10, 2, Way::In);
        a.upload(&db).await;
        assert_eq!(count(&db, "cases_of_kind", vec![4.into()]).await, 0, "still in");
        plan(&db, 61, OccurrenceRow { state: OccurrenceState::Ended, ..salon(true) }).await;
        assert_eq!(count(&db, "case_evidence", vec![4.into()]).await, 2);
        assert_eq!(stays(&db, 1).await, [(Some(0), false), (Some(8 * 3600), true)]);
        assert_eq!(standing(&db, entry).await, with_case("applied_with_case", 4));
        act(&db, 62, NOON, decided(path_case(member(2), SALON), Verdict::Confirm, vec![])).await;
        pass(&mut b, 700, 1, Way::Out);
        b.upload(&db).await;
        assert_eq!(standing(&db, entry).await, plain());
        assert_eq!(standing(&db, stays_in).await, with_case("applied_with_case", 4), "accepted as inferred");
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (SALON_POINTS, SALON_POINTS));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_04_an_exit_without_an_entry_gives_nothing_and_is_listed() {
    each(|db| async move {
        found(&db).await;
        plan(&db, 60, salon(true)).await;
        let mut a = Terminal::start(TERMINAL_A);
        let out = pass(&mut a, 300, 1, Way::Out);
        a.upload(&db).await;
        assert_eq!(standing(&db, out).await, with_case("applied_with_case", 4));
        assert_eq!(stays(&db, 1).await, [(Some(-4 * 3600), true), (Some(300), false)]);
        assert_eq!(points(&db, 1).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_a_way_in_and_out_is_judged_alike_whichever_gate_is_heard_first() {
    for once in [true, false] {
        let mut ends = Vec::new();
        for a_first in [true, false] {
            let db = Db::memory().expect("memory");
            found(&db).await;
            plan(&db, 60, salon(once)).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            for (seconds, n, way) in
                [(0, 1, Way::In), (900, 1, Way::In), (0, 2, Way::In), (2_000, 3, Way::Out)]
            {
                pass(&mut a, seconds, n, way);
            }
            for (seconds, n, way) in [(500, 1, Way::Out), (700, 2, Way::In), (1_500, 3, Way::Out)] {
                pass(&mut b, seconds, n, way);
            }
            for from_a in [a_first, !a_first] {
                let _ = if from_a { a.upload(&db).await } else { b.upload(&db).await };
            }
            ends.push(normal_form(&db).await);
        }
        assert_eq!(ends[0], ends[1], "admits once: {once}");
        assert!(ends[0].iter().all(|table| !table.is_empty()));
    }
}
