//! The life of an activity as plain functions: planned, approved or sent back, ended (K25, K26); and what a member's step
//! makes of their coming.

use hufu_shared::act::SignUpStep;
use hufu_shared::member::OccurrenceRow;
use hufu_shared::rules::activity::{Coming, SignUp};
use hufu_shared::time::Instant;

use super::joining::notice::About;

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

/// Whether somebody may decide a plan: it waits, and another person wrote it. `is_own` says that who decides wrote it, or
/// acts in the place of who did.
#[must_use]
pub fn may_decide(state: State, is_own: bool) -> bool {
    state == State::Planned && !is_own
}

/// What a step makes of a member's coming; `None` if it changes nothing. Who signs up waits until a place is given.
///
/// Who has signed up may sign up again with other companions: who waits keeps the turn, who has a place may bring fewer.
/// More would take places from those who wait, so that begins with cancelling.
#[must_use]
pub fn after(was: Option<SignUp>, step: SignUpStep, companions: u32, now: Instant) -> Option<SignUp> {
    let fresh = |coming, companions| Some(SignUp { coming, since: now, companions });
    match (step, was.map(|was| was.coming)) {
        (SignUpStep::Invite, None | Some(Coming::Cancelled)) => fresh(Coming::Invited, 0),
        (SignUpStep::SignUp, None | Some(Coming::Invited | Coming::Cancelled)) => {
            fresh(Coming::Waiting, companions)
        }
        (SignUpStep::SignUp, Some(Coming::Waiting)) => {
            was.filter(|was| was.companions != companions).map(|was| SignUp { companions, ..was })
        }
        (SignUpStep::SignUp, Some(Coming::Placed)) => {
            was.filter(|was| companions < was.companions).map(|was| SignUp { companions, ..was })
        }
        (SignUpStep::Cancel, Some(Coming::Invited | Coming::Placed | Coming::Waiting)) => {
            fresh(Coming::Cancelled, 0)
        }
        _ => None,
    }
}

/// Whether a member with so many companions could ever be given places: a party larger than all that there are would wait
/// for ever. It is asked before somebody signs up; a sign-up that stands in the journal stays as it is.
#[must_use]
pub fn has_room(places: Option<u32>, companions: u32) -> bool {
    places.is_none_or(|places| companions < places)
}

/// What a member is told when their coming changed: an invitation, that they have a place or wait for one, or that a place
/// came free. `None` where they said so themselves, or nothing changed but their companions.
#[must_use]
pub fn notice(was: Option<Coming>, is: Coming) -> Option<About> {
    match (was, is) {
        (was, is) if was == Some(is) => None,
        (_, Coming::Invited) => Some(About::ActivityInvited),
        (Some(Coming::Waiting), Coming::Placed) => Some(About::ActivitySeated),
        (_, Coming::Placed) => Some(About::ActivityPlaced),
        (_, Coming::Waiting) => Some(About::ActivityWaiting),
        (_, Coming::Cancelled) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_k25_a_party_has_room_where_all_of_it_could_be_seated() {
        for (places, companions, has) in [
            (None, u32::MAX, true),
            (Some(1), 0, true),
            (Some(1), 1, false),
            (Some(3), 2, true),
            (Some(3), 3, false),
            (Some(u32::MAX), u32::MAX, false),
        ] {
            assert_eq!(has_room(places, companions), has, "{places:?} {companions}");
        }
    }

    #[test]
    fn rule_k26_nobody_approves_what_they_planned() {
        for (state, is_own, may) in [
            (State::Planned, false, true),
            (State::Planned, true, false),
            (State::Returned, false, false),
            (State::Approved, false, false),
            (State::Ended, false, false),
        ] {
            assert_eq!(may_decide(state, is_own), may, "{state:?} {is_own}");
        }
    }

    fn stood(coming: Coming, companions: u32) -> SignUp {
        SignUp { coming, since: Instant(5), companions }
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
                let met = after(coming.map(|coming| stood(coming, 0)), step, 0, Instant(9));
                assert_eq!(met.map(|met| met.coming), expected, "{step:?} of {coming:?}");
                assert!(met.is_none_or(|met| met.since == Instant(9)), "it stands so from now on");
            }
        }
    }

    #[test]
    fn rule_k25_companions_are_announced_anew_without_losing_the_turn() {
        let again = |was, companions| after(Some(was), SignUpStep::SignUp, companions, Instant(9));
        assert_eq!(again(stood(Coming::Waiting, 1), 3), Some(stood(Coming::Waiting, 3)), "the turn is kept");
        assert_eq!(again(stood(Coming::Waiting, 3), 3), None);
        assert_eq!(again(stood(Coming::Placed, 3), 1), Some(stood(Coming::Placed, 1)));
        assert_eq!(again(stood(Coming::Placed, 1), 3), None, "places of those who wait");
        let invited = again(stood(Coming::Invited, 0), 2);
        assert_eq!(invited, Some(SignUp { coming: Coming::Waiting, since: Instant(9), companions: 2 }));
        let cancelled = after(Some(stood(Coming::Placed, 2)), SignUpStep::Cancel, 2, Instant(9));
        assert_eq!(cancelled.map(|sign_up| sign_up.companions), Some(0), "who does not come brings nobody");
    }

    #[test]
    fn rule_k25_each_change_of_a_coming_has_its_notice() {
        use Coming::{Cancelled, Invited, Placed, Waiting};
        for (was, is, told) in [
            (None, Invited, Some(About::ActivityInvited)),
            (Some(Cancelled), Invited, Some(About::ActivityInvited)),
            (None, Placed, Some(About::ActivityPlaced)),
            (Some(Invited), Placed, Some(About::ActivityPlaced)),
            (Some(Waiting), Placed, Some(About::ActivitySeated)),
            (Some(Invited), Waiting, Some(About::ActivityWaiting)),
            (Some(Placed), Cancelled, None),
            (Some(Placed), Placed, None),
            (Some(Waiting), Waiting, None),
        ] {
            assert_eq!(notice(was, is), told, "{was:?} {is:?}");
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
