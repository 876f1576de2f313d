//! Case tables and the property that every read ends exactly once.

use super::*;
use proptest::prelude::*;

fn card() -> ReadCard {
    ReadCard { medium: Medium::Uid(vec![1, 2, 3, 4]), atr: vec![] }
}

fn word(action: &Action) -> String {
    match action {
        Action::Read { generation } => format!("read {generation}"),
        Action::Presented { seen_ns, .. } => format!("presented@{}", seen_ns / NS_PER_MS),
        Action::Failed(kind) => format!("failed {kind:?}"),
        Action::KeepStill => "keep still".into(),
        Action::Removed => "removed".into(),
        Action::Stuck => "stuck".into(),
        Action::Unstuck => "unstuck".into(),
    }
}

fn look(present: bool, count: u32) -> Input {
    Input::Look { present, count }
}

fn done(generation: u64) -> Input {
    Input::Done { generation, outcome: Ok(card()) }
}

fn failed(generation: u64, kind: ErrorKind) -> Input {
    Input::Done { generation, outcome: Err(kind) }
}

/// Rows: time in ms, input, what is to be done.
fn play(rows: Vec<(u64, Input, &str)>) {
    let mut slot = Slot::new();
    for (line, (ms, input, expected)) in rows.into_iter().enumerate() {
        let got: Vec<_> = slot.step(input, ms * NS_PER_MS).iter().map(word).collect();
        assert_eq!(got.join(", "), expected, "row {line}");
    }
}

#[test]
fn a_card_is_read_and_leaves() {
    play(vec![
        (0, look(false, 0), ""),
        (10, look(true, 1), "read 1"),
        (12, look(true, 1), ""),
        (40, done(1), "presented@10"),
        (50, Input::Tick, ""),
        (9_000, look(false, 2), "removed"),
        (9_100, look(true, 3), "read 2"),
    ]);
}

#[test]
fn case_70_pulled_mid_read_is_not_read_and_the_late_answer_says_nothing() {
    play(vec![
        (0, look(true, 1), "read 1"),
        (20, look(false, 2), "failed CardLost, removed"),
        (21, done(1), ""),
        (900, look(true, 3), "read 2"),
        (905, done(1), ""),
        (910, done(2), "presented@900"),
    ]);
}

#[test]
fn case_70_the_worker_notices_first() {
    play(vec![
        (0, look(true, 1), "read 1"),
        (20, failed(1, ErrorKind::CardLost), "failed CardLost"),
        (400, look(false, 2), "removed"),
    ]);
}

#[test]
fn a_silent_card_is_asked_for_patience_and_then_given_up() {
    play(vec![
        (0, look(true, 1), "read 1"),
        (299, Input::Tick, ""),
        (300, Input::Tick, "keep still"),
        (1_999, Input::Tick, ""),
        (2_000, Input::Tick, "failed NotAnswering"),
        (2_500, done(1), ""),
        (3_000, look(false, 2), "removed"),
    ]);
}

#[test]
fn a_card_that_left_and_came_back_between_two_looks_is_a_new_one() {
    play(vec![
        (0, look(true, 1), "read 1"),
        (5, done(1), "presented@0"),
        (400, look(true, 3), "removed, read 2"),
        (800, look(true, 5), "failed CardLost, removed, read 3"),
        (801, done(2), ""),
        (802, done(3), "presented@800"),
    ]);
}

#[test]
fn a_card_that_never_answers_is_an_outage_of_the_reader_until_it_does() {
    play(vec![
        (0, look(true, 1), "read 1"),
        (2_000, Input::Tick, "failed NotAnswering"),
        (2_100, look(false, 2), "removed"),
        // Another card at the same reader waits behind the hanging one.
        (3_000, look(true, 3), "read 2"),
        (5_000, Input::Tick, "stuck, failed NotAnswering"),
        (5_500, Input::Tick, ""),
        (9_000, done(1), "unstuck"),
        (9_010, done(2), ""),
        (9_100, look(false, 4), "removed"),
        (9_200, look(true, 5), "read 3"),
        (9_210, done(3), "presented@9200"),
        (20_000, Input::Tick, ""),
    ]);
}

#[test]
fn a_reader_that_goes_takes_its_read_with_it() {
    play(vec![
        (0, look(true, 1), "read 1"),
        (5, Input::Gone(ErrorKind::ServiceGone), "failed ServiceGone"),
        (6, done(1), ""),
        (700, look(true, 0), "read 2"),
        (701, done(2), "presented@700"),
        (702, Input::Gone(ErrorKind::DeviceGone), ""),
    ]);
}

proptest! {
    /// Whatever happens: reads and their endings alternate, and nothing is presented twice.
    #[test]
    fn every_read_ends_exactly_once(steps in proptest::collection::vec((0_u8..6, 0_u64..900), 1..200)) {
        let (mut slot, mut now, mut count, mut open, mut latest, mut stuck) = (Slot::new(), 0, 0, 0_i32, 0, false);
        for (what, wait_ms) in steps {
            now += wait_ms * NS_PER_MS;
            let input = match what {
                0 => { count += 1; look(true, count) }
                1 => { count += 1; look(false, count) }
                2 => done(latest),
                3 => failed(latest, ErrorKind::CardLost),
                4 => { stuck = false; Input::Gone(ErrorKind::DeviceGone) }
                _ => Input::Tick,
            };
            for action in slot.step(input, now) {
                match action {
                    Action::Read { generation } => { prop_assert!(generation > latest); latest = generation; open += 1; }
                    Action::Presented { .. } | Action::Failed(_) => open -= 1,
                    Action::Stuck => { prop_assert!(!stuck); stuck = true; }
                    Action::Unstuck => { prop_assert!(stuck); stuck = false; }
                    Action::KeepStill | Action::Removed => {}
                }
                prop_assert!((0..=1).contains(&open));
            }
            prop_assert!(slot.due_ns().is_some() || open == 0, "an open read has a deadline");
        }
    }
}
