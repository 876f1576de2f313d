//! One reader as a state machine: pure, time is an argument.
//!
//! ```text
//!            card seen                     read whole
//!   Empty ─────────────▶ Reading ───────────────────────▶ Settled
//!     ▲                  │  │  │ 300 ms: "keep still"        │
//!     │   card gone:     │  │  └─ failed, or 2 s: "not read" ─┤
//!     └── "not read" ────┘  └─ reader gone: "not read"        │
//!     └────────────────────── card gone: "removed" ──────────┘
//! ```
//! Invariants
//! - Each card seen ends in exactly one of presented, not read.
//! - An answer that comes after its card was given up (left, timed out) is of an older generation and says nothing.
//! - A card that left and came back between two looks (the event count tells) is a new one.

use crate::card::ErrorKind;

/// After this long a read asks the member to hold the card still, in milliseconds.
pub(crate) const KEEP_STILL_AFTER_MS: u64 = 300;
/// After this long a read is given up, in milliseconds.
pub(crate) const READ_TIMEOUT_MS: u64 = 2_000;

const NS_PER_MS: u64 = 1_000_000;

/// What a read yields.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ReadCard {
    pub(crate) uid: Vec<u8>,
    pub(crate) atr: Vec<u8>,
}

/// What the slot is told.
pub(crate) enum Input {
    /// A look at the reader.
    Look {
        /// A card is in the field.
        present: bool,
        /// The service's count of insertions and removals at this reader.
        count: u32,
    },
    /// The worker is done with a read.
    Done { generation: u64, outcome: Result<ReadCard, ErrorKind> },
    /// Time passes.
    Tick,
    /// The reader or the service is gone.
    Gone(ErrorKind),
}

/// What is to be done about it, in this order.
#[derive(PartialEq, Eq)]
pub(crate) enum Action {
    /// Have the worker read the card.
    Read { generation: u64 },
    /// Tell: read whole; it was seen at this time.
    Presented { card: ReadCard, seen_ns: u64 },
    /// Tell: not read.
    Failed(ErrorKind),
    /// Tell: hold it still.
    KeepStill,
    /// Tell: it left.
    Removed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Empty,
    Reading { since_ns: u64, asked: bool },
    Settled,
}

/// The machine.
pub(crate) struct Slot {
    phase: Phase,
    generation: u64,
    count: u32,
}

impl Slot {
    pub(crate) fn new() -> Self {
        Self { phase: Phase::Empty, generation: 0, count: 0 }
    }

    /// When `Tick` is due at the latest, or `None` while nothing is under way.
    pub(crate) fn due_ns(&self) -> Option<u64> {
        match self.phase {
            Phase::Reading { since_ns, asked: false } => Some(since_ns + KEEP_STILL_AFTER_MS * NS_PER_MS),
            Phase::Reading { since_ns, asked: true } => Some(since_ns + READ_TIMEOUT_MS * NS_PER_MS),
            Phase::Empty | Phase::Settled => None,
        }
    }

    /// Takes one input and says what is to be done.
    pub(crate) fn step(&mut self, input: Input, now_ns: u64) -> Vec<Action> {
        match (self.phase, input) {
            (_, Input::Look { present, count }) => self.look(present, count, now_ns),
            (Phase::Reading { since_ns, .. }, Input::Done { generation, outcome })
                if generation == self.generation =>
            {
                self.phase = Phase::Settled;
                vec![match outcome {
                    Ok(card) => Action::Presented { card, seen_ns: since_ns },
                    Err(kind) => Action::Failed(kind),
                }]
            }
            (Phase::Reading { since_ns, .. }, Input::Tick)
                if now_ns.saturating_sub(since_ns) >= READ_TIMEOUT_MS * NS_PER_MS =>
            {
                self.phase = Phase::Settled;
                vec![Action::Failed(ErrorKind::NotAnswering)]
            }
            (Phase::Reading { since_ns, asked: false }, Input::Tick)
                if now_ns.saturating_sub(since_ns) >= KEEP_STILL_AFTER_MS * NS_PER_MS =>
            {
                self.phase = Phase::Reading { since_ns, asked: true };
                vec![Action::KeepStill]
            }
            (phase, Input::Gone(kind)) => {
                self.phase = Phase::Empty;
                match phase {
                    Phase::Reading { .. } => vec![Action::Failed(kind)],
                    Phase::Empty | Phase::Settled => Vec::new(),
                }
            }
            // A late answer of a card that was given up, or time passing with nothing to do.
            (_, Input::Done { .. } | Input::Tick) => Vec::new(),
        }
    }

    fn look(&mut self, present: bool, count: u32, now_ns: u64) -> Vec<Action> {
        let swapped = present && self.phase != Phase::Empty && count.wrapping_sub(self.count) >= 2;
        self.count = count;
        let mut actions = Vec::new();
        if !present || swapped {
            match self.phase {
                Phase::Empty => {}
                Phase::Reading { .. } => {
                    actions.extend([Action::Failed(ErrorKind::CardLost), Action::Removed])
                }
                Phase::Settled => actions.push(Action::Removed),
            }
            self.phase = Phase::Empty;
        }
        if present && self.phase == Phase::Empty {
            self.generation += 1;
            self.phase = Phase::Reading { since_ns: now_ns, asked: false };
            actions.push(Action::Read { generation: self.generation });
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn card() -> ReadCard {
        ReadCard { uid: vec![1, 2, 3, 4], atr: vec![] }
    }

    fn word(action: &Action) -> String {
        match action {
            Action::Read { generation } => format!("read {generation}"),
            Action::Presented { seen_ns, .. } => format!("presented@{}", seen_ns / NS_PER_MS),
            Action::Failed(kind) => format!("failed {kind:?}"),
            Action::KeepStill => "keep still".into(),
            Action::Removed => "removed".into(),
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
            let (mut slot, mut now, mut count, mut open, mut latest) = (Slot::new(), 0, 0, 0_i32, 0);
            for (what, wait_ms) in steps {
                now += wait_ms * NS_PER_MS;
                let input = match what {
                    0 => { count += 1; look(true, count) }
                    1 => { count += 1; look(false, count) }
                    2 => done(latest),
                    3 => failed(latest, ErrorKind::CardLost),
                    4 => Input::Gone(ErrorKind::DeviceGone),
                    _ => Input::Tick,
                };
                for action in slot.step(input, now) {
                    match action {
                        Action::Read { generation } => { prop_assert!(generation > latest); latest = generation; open += 1; }
                        Action::Presented { .. } | Action::Failed(_) => open -= 1,
                        Action::KeepStill | Action::Removed => {}
                    }
                    prop_assert!((0..=1).contains(&open));
                }
                prop_assert_eq!(slot.due_ns().is_some(), open == 1);
            }
        }
    }
}
