//! The life of an activity as plain functions: planned, approved or sent back, ended (K25, K26); and what a member's step
//! makes of their coming.

use hufu_shared::act::SignUpStep;
use hufu_shared::member::OccurrenceRow;
use hufu_shared::rules::activity::Coming;
use hufu_shared::time::Instant;

/// Where an activity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for approval.
    Planned,
    /// May run.
    Approved,
    /// Sent back to whoever planned it.
    Returned,
    /// All of its holdings are over.
    Ended,
}

impl State {
    const ALL: [Self; 4] = [Self::Planned, Self::Approved, Self::Returned, Self::Ended];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Approved => "approved",
            Self::Returned => "returned",
            Self::Ended => "ended",
        }
    }

    /// The state of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Whether a plan may be written, or written again. One that was approved may be until its first holding begins: it
/// waits for approval anew, and what runs is not taken back.
#[must_use]
pub fn may_plan(state: Option<State>, holdings: &[OccurrenceRow], now: Instant) -> bool {
    match state {
        None | Some(State::Planned | State::Returned) => true,
        Some(State::Approved) => holdings.iter().all(|row| now < row.starts),
        Some(State::Ended) => false,
    }
}

/// Whether somebody may decide a plan: it waits, and another person wrote it.
#[must_use]
pub fn may_decide(state: State, planned_by: &str, by: &str) -> bool {
    state == State::Planned && planned_by != by
}

/// What a step makes of a member's coming; `None` if it changes nothing. Who signs up waits until a place is given.
#[must_use]
pub fn after(coming: Option<Coming>, step: SignUpStep) -> Option<Coming> {
    match (step, coming) {
        (SignUpStep::Invite, None | Some(Coming::Cancelled)) => Some(Coming::Invited),
        (SignUpStep::SignUp, None | Some(Coming::Invited | Coming::Cancelled)) => Some(Coming::Waiting),
        (SignUpStep::Cancel, Some(Coming::Invited | Coming::Placed | Coming::Waiting)) => {
            Some(Coming::Cancelled)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_k26_nobody_approves_what_they_planned() {
        for (state, by, may) in [
            (State::Planned, "admin:2", true),
            (State::Planned, "admin:1", false),
            (State::Returned, "admin:2", false),
            (State::Approved, "admin:2", false),
            (State::Ended, "admin:2", false),
        ] {
            assert_eq!(may_decide(state, "admin:1", by), may, "{state:?} {by}");
        }
    }

    #[test]
    fn rule_k25_a_step_that_changes_nothing_is_none() {
        use Coming::{Cancelled, Invited, Placed, Waiting};
        for (step, changes) in [
            (SignUpStep::Invite, [(None, Invited), (Some(Cancelled), Invited)].to_vec()),
            (
                SignUpStep::SignUp,
                [(None, Waiting), (Some(Invited), Waiting), (Some(Cancelled), Waiting)].to_vec(),
            ),
            (
                SignUpStep::Cancel,
                [(Some(Invited), Cancelled), (Some(Placed), Cancelled), (Some(Waiting), Cancelled)].to_vec(),
            ),
        ] {
            for coming in [None, Some(Invited), Some(Placed), Some(Waiting), Some(Cancelled)] {
                let expected = changes.iter().find(|change| change.0 == coming).map(|change| change.1);
                assert_eq!(after(coming, step), expected, "{step:?} of {coming:?}");
            }
        }
    }

    #[test]
    fn every_state_has_its_code() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
        }
        assert_eq!(State::from_code("moon"), None);
    }
}
