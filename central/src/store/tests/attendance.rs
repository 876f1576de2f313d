//! Places at an occurrence, whose a card was, and cards that were at two offices at once or lost, on both databases.

use hufu_shared::act::{Act, Pin, PinOutcome, Verdict};
use hufu_shared::fact::{Event, Shown, Subject, Visited};
use hufu_shared::ids::{CardId, FactId};
use hufu_shared::member::{CardStatus, OccurrenceRow};
use hufu_shared::member_code::CodeNonce;
use hufu_shared::time::{DAY_US, SECOND_US};
use hufu_shared::token::MediumKind;

use super::conflicts::decided;
use super::kit::*;
use super::publishing::{drain, stand};
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::posting::case_id;
use crate::store::directory;

fn plain() -> (String, Option<i64>) {
    ("applied".to_owned(), None)
}

fn with_case(became: &str, kind: i64) -> (String, Option<i64>) {
    (became.to_owned(), Some(kind))
}

async fn places(db: &Db, n: u8, places: Option<u32>) {
    act(db, n, NOON, Act::OccurrenceSet(OccurrenceRow { places, ..occurrence() })).await;
}

fn swap<T>(one: T, other: T, swapped: bool) -> [T; 2] {
    if swapped { [other, one] } else { [one, other] }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_28_places_go_to_the_first_in_time_whoever_uploads_first() {
    for swapped in [false, true] {
        each(move |db| async move {
            found(&db).await;
            places(&db, 60, Some(2)).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let first = a.check_in(0, 1);
            let third = a.check_in(1200, 3);
            let second = b.check_in(600, 2);
            for terminal in swap(&mut a, &mut b, swapped) {
                terminal.upload(&db).await;
            }
            for (id, n) in [(first, 1), (second, 2)] {
                assert_eq!(standing(&db, id).await, plain());
                assert_eq!(points(&db, n).await, SALON_POINTS);
            }
            assert_eq!(standing(&db, third).await, with_case("no_effect", 28));
            assert_eq!(points(&db, 3).await, 0, "what was given before the earlier one came is taken back");
            assert_eq!(count(&db, "case_evidence", vec![28.into()]).await, 1);
            places(&db, 61, Some(3)).await;
            assert_eq!(standing(&db, third).await, plain());
            assert_eq!(points(&db, 3).await, SALON_POINTS, "a place more");
            assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_28_who_is_let_in_by_a_person_takes_a_place_before_the_others() {
    each(|db| async move {
        found(&db).await;
        places(&db, 60, Some(1)).await;
        let mut a = Terminal::start(TERMINAL_A);
        let first = a.check_in(0, 1);
        let second = a.check_in(600, 2);
        a.upload(&db).await;
        let pins = vec![Pin { fact: second, outcome: PinOutcome::Counts }];
        act(&db, 61, NOON, decided(case_id(28, &[&SALON.0]), Verdict::Confirm, pins)).await;
        assert_eq!(standing(&db, first).await, with_case("no_effect", 28));
        assert_eq!(standing(&db, second).await, plain());
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, SALON_POINTS));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_a_card_counts_for_who_had_it_and_a_person_can_give_it_to_another() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let seen = a.check_in(0, 1);
        let bought = a.purchase(60, 1, 32_000, 6);
        // While the terminal was offline, the card went to member 2.
        act(&db, 60, NOON.offset(3600 * SECOND_US), Act::CardsSet(vec![card(1, Some(member(2)))])).await;
        let after = a.purchase(7200, 1, 10_000, 2);
        a.upload(&db).await;
        for id in [seen, bought] {
            assert_eq!(standing(&db, id).await, with_case("applied_with_case", 14));
        }
        assert_eq!(standing(&db, after).await, plain());
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (SALON_POINTS + 6, 2));
        assert_eq!(count(&db, "case_evidence", vec![14.into()]).await, 2, "one case of one card");
        let case = case_id(14, &[&token(1).to_bytes(), &member(1).0, &member(2).0]);
        let pins = [seen, bought].map(|fact| Pin { fact, outcome: PinOutcome::BelongsTo(member(3)) });
        act(&db, 61, NOON, decided(case, Verdict::Bind, pins.to_vec())).await;
        assert_eq!((points(&db, 1).await, points(&db, 3).await), (0, SALON_POINTS + 6));
        for id in [seen, bought] {
            assert_eq!(standing(&db, id).await, plain());
        }
        assert_eq!((owed(&db, 1).await, count(&db, "sums_not_zero", vec![]).await), (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_facts_of_a_card_between_two_owners_wait_for_a_person() {
    each(|db| async move {
        found(&db).await;
        act(&db, 60, NOON.offset(-3000 * SECOND_US), Act::CardsSet(vec![card(1, None)])).await;
        let mut a = Terminal::start(TERMINAL_A);
        let bought = a.purchase(0, 1, 32_000, 6);
        act(&db, 61, NOON.offset(3600 * SECOND_US), Act::CardsSet(vec![card(1, Some(member(2)))])).await;
        a.upload(&db).await;
        assert_eq!(standing(&db, bought).await, with_case("held", 14));
        assert_eq!(count(&db, "postings", vec![]).await, 0);
        let case = case_id(14, &[&token(1).to_bytes(), &[0; 16], &member(2).0]);
        let pins = vec![Pin { fact: bought, outcome: PinOutcome::BelongsTo(member(2)) }];
        act(&db, 62, NOON, decided(case, Verdict::Bind, pins)).await;
        assert_eq!((standing(&db, bought).await, points(&db, 2).await), (plain(), 6));
    })
    .await;
}

fn visit(terminal: &mut Terminal, seconds: i64, n: u8) -> FactId {
    terminal.record(seconds, Shown::Accepted, Event::Visited(Visited { subject: subject(n) }))
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_03_one_card_at_two_offices_at_once_is_flagged_and_both_keep_their_effect() {
    for swapped in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let bought = a.purchase(0, 1, 32_000, 6);
            let seen = visit(&mut b, 300, 1);
            let in_time = visit(&mut b, 900, 2);
            visit(&mut a, 0, 2);
            for terminal in swap(&mut a, &mut b, swapped) {
                terminal.upload(&db).await;
            }
            for id in [bought, seen, in_time] {
                assert_eq!(standing(&db, id).await, plain());
            }
            assert_eq!(points(&db, 1).await, 6);
            assert_eq!(
                count(&db, "cases_of_kind", vec![3.into()]).await,
                1,
                "the other had time to go there"
            );
            assert_eq!(count(&db, "case_evidence", vec![3.into()]).await, 2);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_03_one_member_code_at_two_terminals_is_flagged_and_both_keep_their_effect() {
    for swapped in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let shown = |terminal: &mut Terminal, seconds, code: [u8; 8]| {
                let code = Some(CodeNonce(code));
                let subject = Subject { medium: MediumKind::MemberCode, code, ..subject(1) };
                terminal.record(seconds, Shown::Accepted, Event::Visited(Visited { subject }))
            };
            // Long enough apart for any way: only the nonce tells. Another code of the same member is none of it.
            let facts =
                [shown(&mut a, 0, [1; 8]), shown(&mut b, 1_200, [1; 8]), shown(&mut b, 2_400, [2; 8])];
            for terminal in swap(&mut a, &mut b, swapped) {
                terminal.upload(&db).await;
            }
            for id in facts {
                assert_eq!(standing(&db, id).await, plain());
            }
            assert_eq!(count(&db, "cases_of_kind", vec![3.into()]).await, 1);
            assert_eq!(count(&db, "case_evidence", vec![3.into()]).await, 2);
        })
        .await;
    }
}

async fn card_status(db: &Db, n: u8) -> String {
    probe(db, "card_status", vec![CardId([n; 16]).0.into()]).await[0].text(0).expect("text").to_owned()
}

fn report(terminal: &mut Terminal, seconds: i64, n: u8) -> FactId {
    terminal.record(seconds, Shown::Accepted, Event::CardReportedLost(Visited { subject: subject(n) }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_reported_lost_at_a_terminal_is_stopped_unless_it_took_another_turn_since() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        report(&mut a, 0, 1);
        report(&mut a, 10, 2);
        // The second card had been given to somebody else when the report came.
        act(&db, 60, NOON.offset(60 * SECOND_US), Act::CardsSet(vec![card(2, Some(member(3)))])).await;
        let outcome = a.upload(&db).await;
        assert_eq!(card_status(&db, 1).await, "lost");
        assert_eq!(card_status(&db, 2).await, "active");
        let told = [(CardId([1; 16]), CardStatus::Lost), (CardId([2; 16]), CardStatus::Active)];
        assert_eq!(outcome.card_statuses, told);
        let term = stand(&db, "one", ARRIVAL).await.expect("nobody else stands");
        drain(&db, &term, ARRIVAL).await;
        let (list, ..) = db.read(|tx| directory::blocks(tx, 0, 10)).await.expect("list");
        let list: Vec<_> = list.iter().map(|change| (change.card, change.status)).collect();
        assert_eq!(list, told, "who was told refuses the card by itself until the list says otherwise");
        let turn = outcome.card_turns[&CardId([1; 16])].last().copied().expect("turns");
        assert!(turn.since > NOON.offset(DAY_US / 4), "the block list has it from when it was told");
        assert_eq!(count(&db, "open_cases", vec![]).await, 1, "the report of the former owner, kind 14");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_places_and_owners_do_not_depend_on_who_uploads_first() {
    let mut forms = Vec::new();
    for swapped in [false, true] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        places(&db, 60, Some(2)).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        for n in 1..=4 {
            a.check_in(i64::from(n) * 1000, n);
            b.check_in(i64::from(n) * 1000 - 700 * i64::from(n % 2) + 300, 6 - n);
        }
        act(&db, 61, NOON.offset(1500 * SECOND_US), Act::CardsSet(vec![card(3, Some(member(5)))])).await;
        for terminal in swap(&mut a, &mut b, swapped) {
            terminal.upload(&db).await;
        }
        forms.push(super::order::normal_form(&db).await);
    }
    assert_eq!(forms[0], forms[1]);
    assert!(forms[0].iter().all(|table| !table.is_empty()));
}
