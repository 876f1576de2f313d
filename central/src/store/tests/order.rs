//! Verdicts follow the set of facts, not their arrival: every order of the same batches ends in the same normal form.

use super::kit::{NOON, TERMINAL_A, TERMINAL_B, Terminal, act, card, found, member, probe};
use crate::db::Db;
use hufu_shared::act::Act;

/// Net effect per cause and account, attendance, and how each fact and case stands.
async fn normal_form(db: &Db) -> Vec<Vec<String>> {
    let mut form = Vec::new();
    for name in ["net_by_cause", "admitted", "standings", "cases"] {
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
