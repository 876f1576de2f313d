//! Verdicts follow the set of facts, not their arrival: every order of the same batches ends in the same normal form.

use super::kit::{
    NOON, SALON, SALON_POINTS, TERMINAL_A, TERMINAL_B, Terminal, act, card, count, found, member, points,
    probe, standing,
};
use crate::db::Db;
use crate::rules::posting::case_id;
use hufu_shared::act::{Act, CaseDecided, Pin, PinOutcome, Verdict};
use hufu_shared::ids::{FactId, Hash};

/// Net effect per cause and account, attendance, and how each fact and case stands. A case that ended by itself is none:
/// whether there ever was one depends on what was known when.
pub(super) async fn normal_form(db: &Db) -> Vec<Vec<String>> {
    tables(db, ["net_by_cause", "admitted", "standings", "cases"]).await
}

/// The normal form where a member has something and owes something by turns: what a cause came to between the two
/// depends on what else the member had, so both are one account of it.
pub(super) async fn normal_form_of_one_account(db: &Db) -> Vec<Vec<String>> {
    tables(db, ["net_by_cause_and_member", "admitted", "standings", "cases"]).await
}

async fn tables(db: &Db, names: [&'static str; 4]) -> Vec<Vec<String>> {
    let mut form = Vec::new();
    for name in names {
        form.push(
            probe(db, name, vec![])
                .await
                .iter()
                .map(|row| format!("{:?}", (0..row.columns()).map(|at| row.value(at)).collect::<Vec<_>>()))
                .collect(),
        );
    }
    form
}

/// The batches of two terminals that meet in every way: `true` is a batch of A, `false` one of B.
async fn run(order: &[bool]) -> Vec<Vec<String>> {
    let db = Db::memory().expect("memory");
    found(&db).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    let mut turns = (0, 0);
    for from_a in order {
        let (terminal, turn, shift) =
            if *from_a { (&mut a, &mut turns.0, 0) } else { (&mut b, &mut turns.1, 300) };
        let seconds = *turn * 1000 + shift;
        terminal.check_in(seconds, 1 + u8::try_from(*turn).expect("few"));
        terminal.purchase(seconds + 20, 1, 32_000, 6);
        terminal.check_in(seconds + 40, 9);
        terminal.upload(&db).await;
        *turn += 1;
    }
    act(&db, 90, NOON, Act::CardsSet(vec![card(9, Some(member(3)))])).await;
    normal_form(&db).await
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_every_order_of_arrival_ends_in_the_same_normal_form() {
    let orders: [[bool; 6]; 6] = [
        [true, true, true, false, false, false],
        [false, false, false, true, true, true],
        [true, false, true, false, true, false],
        [false, true, false, true, false, true],
        [true, false, false, true, true, false],
        [false, true, true, false, false, true],
    ];
    let expected = run(&orders[0]).await;
    assert!(expected.iter().all(|table| !table.is_empty()), "the run meets all of it");
    for order in &orders[1..] {
        assert_eq!(run(order).await, expected, "{order:?}");
    }
}

/// Plays random steps of two terminals and an admin, and looks at the ledger after every commit.
async fn random_day(seed: u64, look: &'static str) {
    let db = Db::memory().expect("memory");
    found(&db).await;
    let mut terminals = [Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B)];
    let mut check_ins: Vec<(u8, FactId)> = Vec::new();
    let mut state = seed;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for step in 0..STEPS {
        let terminal = &mut terminals[usize::from(draw(2) == 1)];
        let who = 1 + u8::try_from(draw(5)).expect("small");
        match draw(8) {
            0..=2 => check_ins.push((who, terminal.check_in(step * 20, who))),
            3..=5 => {
                let fen = 5_000 * i64::try_from(draw(9)).expect("small");
                terminal.purchase(step * 20, who, fen, fen / 10_000 * 2);
            }
            6 => {
                // Whoever looks at the case takes some of the member's check-ins out and lets others count.
                let pins = check_ins.iter().filter(|seen| seen.0 == who).map(|seen| Pin {
                    fact: seen.1,
                    outcome: if draw(3) == 0 { PinOutcome::Counts } else { PinOutcome::DoesNotCount },
                });
                let case = case_id(27, &[&member(who).0, &SALON.0]);
                let decided = CaseDecided {
                    case,
                    verdict: Verdict::Reverse,
                    pins: pins.collect(),
                    reason: Hash([0; 32]),
                };
                act(&db, 100 + u8::try_from(step).expect("small"), NOON, Act::CaseDecided(decided)).await;
            }
            _ => drop(terminal.upload(&db).await),
        }
        assert_eq!(count(&db, look, vec![]).await, 0, "step {step} of seed {seed}");
    }
    let moved = count(&db, "postings", vec![]).await;
    assert!(moved > 10, "seed {seed} moves points: {moved} postings");
}

/// Steps of one random day; each is an entry at most, named by one byte.
const STEPS: i64 = 120;

#[tokio::test(flavor = "multi_thread")]
async fn inv_01_all_accounts_sum_to_zero_after_every_commit() {
    for seed in 1..=6 {
        random_day(seed, "sums_not_zero").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_02_no_member_account_is_ever_on_the_wrong_side_of_zero() {
    for seed in 11..=16 {
        random_day(seed, "wrong_side_of_zero").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_74_two_terminals_in_the_same_second_have_one_winner_in_every_order() {
    let mut winners = Vec::new();
    for a_first in [true, false] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let at_a = a.check_in(100, 1);
        let at_b = b.check_in(100, 1);
        for from_a in [a_first, !a_first] {
            let _ = if from_a { a.upload(&db).await } else { b.upload(&db).await };
        }
        assert_eq!(count(&db, "facts", vec![]).await, 4, "both are recorded");
        assert_eq!(points(&db, 1).await, SALON_POINTS, "points once");
        winners.push((standing(&db, at_a).await, standing(&db, at_b).await));
    }
    assert_eq!(winners[0], winners[1]);
    assert_eq!(winners[0].0.0, "applied_with_case", "the smaller device id wins a tie");
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_evidence_and_standing_do_not_depend_on_who_uploads_first() {
    let mut ends = Vec::new();
    for a_first in [true, false] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        a.check_in(0, 1);
        a.check_in(4000, 1);
        b.check_in(300, 1);
        for from_a in [a_first, !a_first] {
            let _ = if from_a { a.upload(&db).await } else { b.upload(&db).await };
        }
        assert_eq!(
            count(&db, "case_evidence", vec![27.into()]).await,
            2,
            "one check-in speaks for each terminal"
        );
        ends.push(normal_form(&db).await);
    }
    assert_eq!(ends[0], ends[1]);
}
