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
//! - A worker that hangs in a card is told as an outage of the reader, once, and its end as the end of the outage.

use crate::card::{ErrorKind, Medium};

/// After this long a read asks the member to hold the card still, in milliseconds.
pub(crate) const KEEP_STILL_AFTER_MS: u64 = 300;
/// After this long a read is given up, in milliseconds.
pub(crate) const READ_TIMEOUT_MS: u64 = 2_000;
/// After this long in one card the reader itself counts as down, in milliseconds: no other card can be read at it.
pub(crate) const STUCK_AFTER_MS: u64 = 5_000;

const NS_PER_MS: u64 = 1_000_000;

/// What a read yields.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ReadCard {
    pub(crate) medium: Medium,
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
    /// Tell: the reader hangs in a card that does not answer.
    Stuck,
    /// Tell: the reader works again.
    Unstuck,
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
    /// Since when the worker is in a card, and whether that was told as an outage.
    busy: Option<(u64, bool)>,
}

impl Slot {
    pub(crate) fn new() -> Self {
        Self { phase: Phase::Empty, generation: 0, count: 0, busy: None }
    }

    /// When `Tick` is due at the latest, or `None` while nothing is under way.
    pub(crate) fn due_ns(&self) -> Option<u64> {
        let stuck = match self.busy {
            Some((since_ns, false)) => Some(since_ns + STUCK_AFTER_MS * NS_PER_MS),
            _ => None,
        };
        let read = match self.phase {
            Phase::Reading { since_ns, asked: false } => Some(since_ns + KEEP_STILL_AFTER_MS * NS_PER_MS),
            Phase::Reading { since_ns, asked: true } => Some(since_ns + READ_TIMEOUT_MS * NS_PER_MS),
            Phase::Empty | Phase::Settled => None,
        };
        read.into_iter().chain(stuck).min()
    }

    /// Takes one input and says what is to be done.
    pub(crate) fn step(&mut self, input: Input, now_ns: u64) -> Vec<Action> {
        let mut actions = self.watch_worker(&input, now_ns);
        actions.extend(self.follow_card(input, now_ns));
        if actions.iter().any(|action| matches!(action, Action::Read { .. })) && self.busy.is_none() {
            self.busy = Some((now_ns, false));
        }
        actions
    }

    /// The watchdog: however the card before fared, a worker that is still in one reads no other.
    fn watch_worker(&mut self, input: &Input, now_ns: u64) -> Vec<Action> {
        match (input, self.busy) {
            (Input::Done { generation, .. }, Some((_, told))) => {
                // The newest order is still to be taken up if this was the answer to an older one.
                self.busy = (*generation != self.generation).then_some((now_ns, false));
                if told { vec![Action::Unstuck] } else { Vec::new() }
            }
            (Input::Tick, Some((since_ns, false)))
                if now_ns.saturating_sub(since_ns) >= STUCK_AFTER_MS * NS_PER_MS =>
            {
                self.busy = Some((since_ns, true));
                vec![Action::Stuck]
            }
            (Input::Gone(_), _) => {
                self.busy = None;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn follow_card(&mut self, input: Input, now_ns: u64) -> Vec<Action> {
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
mod tests;
