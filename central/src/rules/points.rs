//! Changes of points with a cause (K20 to K23), as plain functions: what a change must say, whether it can be posted to
//! what a member has, who may decide one that waits, and what a trigger gives.
//!
//! A change never takes more than is available (K23): what lies in leases is asked back first, by the shell. Out of
//! scope: postings ([`super::apply`]) and words.

use hufu_shared::act::{PointsChange, PointsTrigger};
use hufu_shared::dictionary::CAUSE_ACTIVITY;
use hufu_shared::ids::{FactId, Hash};
use hufu_shared::member::OccurrenceState;
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::start::PointsStart;

use super::posting;

/// The most points of one change, up or down: a larger one is a slip of the finger.
pub const POINTS_MAX: i64 = 10_000_000;

/// Where a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// 待审: it waits for another person.
    Waiting,
    /// It stands in the ledger.
    Posted,
    /// It was returned and has no effect.
    Returned,
}

impl State {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 3] =
        [(Self::Waiting, "waiting"), (Self::Posted, "posted"), (Self::Returned, "returned")];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("waiting", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// What a member has, as far as a change of points looks at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Has {
    /// The member takes part: there, and neither left nor erased.
    pub takes_part: bool,
    /// Points that can be taken now.
    pub available: i64,
    /// Points in leases at terminals.
    pub escrow: i64,
    /// The centre does not recover from a rollback.
    pub may_debit: bool,
    /// A main card was issued to the member, or the scheme asks for none (K15).
    pub has_main_card: bool,
}

/// Why a change is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    /// No points, or too many.
    #[error("points expected from 1 to {POINTS_MAX}, up or down")]
    Points,
    /// It has no cause (K20).
    #[error("a cause is expected")]
    Cause,
    /// The cause is an activity, and none that was approved is named (K26).
    #[error("an approved activity is expected")]
    Activity,
    /// The member does not take part.
    #[error("the member does not take part")]
    Member,
    /// Points exist only for who holds a main card (K15).
    #[error("a main card of the member is expected, because points begin with it")]
    MainCard,
    /// Nothing is taken from anybody while the centre recovers.
    #[error("the centre recovers and takes nothing from anybody")]
    Recovering,
    /// More than the member has (K23).
    #[error("more than is available: {missing} are missing, {escrow} lie at terminals")]
    Short {
        /// Points that are missing.
        missing: i64,
        /// Points that lie in leases: asked back, they may cover it.
        escrow: i64,
    },
}

/// Whether a change says all that it must. `occurrence` is the state of the activity that it names.
///
/// # Errors
/// [`NotChanged`] with the first thing that is wrong with it.
pub fn check(change: &PointsChange, occurrence: Option<OccurrenceState>) -> Result<(), NotChanged> {
    if change.points == 0 || change.points.unsigned_abs() > POINTS_MAX.unsigned_abs() {
        return Err(NotChanged::Points);
    }
    if change.cause.is_empty() {
        return Err(NotChanged::Cause);
    }
    let named = change.occurrence.is_some();
    if (change.cause == CAUSE_ACTIVITY || named) && !is_held(occurrence) {
        return Err(NotChanged::Activity);
    }
    Ok(())
}

/// Whether an activity may be a cause: it is there, and its plan was approved (K26).
#[must_use]
pub fn is_held(occurrence: Option<OccurrenceState>) -> bool {
    occurrence.is_some_and(|state| state != OccurrenceState::Planned)
}

/// Whether points exist only for who holds a main card, by the version in force (K15).
#[must_use]
pub fn asks_main_card(terms: Option<&SchemeTerms>) -> bool {
    let Some(terms) = terms else { return false };
    let starts = [terms.earning.as_ref().map(|of| of.start), terms.told.as_ref().map(|of| of.start)];
    starts.contains(&Some(PointsStart::MainCard))
}

/// Whether so many points can be posted to what a member has.
///
/// # Errors
/// [`NotChanged`] with what stands against it.
pub fn post(points: i64, has: Has) -> Result<(), NotChanged> {
    if !has.takes_part {
        return Err(NotChanged::Member);
    }
    if points >= 0 {
        return if has.has_main_card { Ok(()) } else { Err(NotChanged::MainCard) };
    }
    if !has.may_debit {
        return Err(NotChanged::Recovering);
    }
    let missing = points.saturating_neg().saturating_sub(has.available);
    if missing > 0 { Err(NotChanged::Short { missing, escrow: has.escrow.max(0) }) } else { Ok(()) }
}

/// Whether somebody may approve or return what somebody asked for (K21): another person, while it waits. `is_own` says that
/// who decides asked for it, or acts in the place of who did.
#[must_use]
pub fn may_decide(state: State, is_own: bool) -> bool {
    state == State::Waiting && !is_own
}

/// The number of the rule that a change stands for.
#[must_use]
pub fn rule(points: i64) -> &'static str {
    if points < 0 { "K23" } else { "K20" }
}

/// The name of the change that a trigger makes of a fact: once for each.
#[must_use]
pub fn triggered(trigger: Hash, fact: FactId) -> Hash {
    Hash::of(&[b"hufu-points-trigger", &trigger.0, &posting::fact_cause(fact).0])
}

/// Points that a trigger gives for a fact, of a purchase by its full steps; none if that is nothing, or no number.
#[must_use]
pub fn given(trigger: &PointsTrigger, purchase_fen: Option<i64>) -> Option<i64> {
    let points = match (trigger.per_fen, purchase_fen) {
        (per_fen, Some(fen)) if per_fen > 0 => (fen / per_fen).checked_mul(trigger.points)?,
        (per_fen, None) if per_fen > 0 => return None,
        _ => trigger.points,
    };
    (points != 0 && points.unsigned_abs() <= POINTS_MAX.unsigned_abs()).then_some(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::act::TriggerOn;
    use hufu_shared::ids::{DeviceId, MemberId, OccurrenceId, OfficeId};

    fn change(points: i64, cause: &str) -> PointsChange {
        PointsChange {
            id: Hash([1; 32]),
            member: MemberId([2; 16]),
            points,
            cause: cause.to_owned(),
            office: OfficeId([3; 16]),
            occurrence: None,
            fact: None,
            reason: Hash([0; 32]),
        }
    }

    #[test]
    fn rule_k20_no_change_without_points_and_cause_and_an_activity_is_named() {
        assert_eq!(check(&change(5, "purchase"), None), Ok(()));
        assert_eq!(check(&change(-5, "complaint"), None), Ok(()));
        assert_eq!(check(&change(0, "purchase"), None), Err(NotChanged::Points));
        assert_eq!(check(&change(POINTS_MAX + 1, "purchase"), None), Err(NotChanged::Points));
        assert_eq!(check(&change(i64::MIN, "purchase"), None), Err(NotChanged::Points));
        assert_eq!(check(&change(5, ""), None), Err(NotChanged::Cause));
        assert_eq!(check(&change(5, "activity"), None), Err(NotChanged::Activity));
        let named = PointsChange { occurrence: Some(OccurrenceId([4; 16])), ..change(5, "activity") };
        assert_eq!(check(&named, Some(OccurrenceState::Planned)), Err(NotChanged::Activity), "K26");
        for state in [OccurrenceState::Approved, OccurrenceState::Ended] {
            assert_eq!(check(&named, Some(state)), Ok(()));
        }
        let unknown = PointsChange { cause: "care".to_owned(), ..named };
        assert_eq!(check(&unknown, None), Err(NotChanged::Activity), "one that nobody knows");
    }

    #[test]
    fn rule_k23_nothing_takes_more_than_is_available() {
        let has = Has { takes_part: true, available: 30, escrow: 20, may_debit: true, has_main_card: true };
        for (points, expected) in [
            (1, Ok(())),
            (-30, Ok(())),
            (-31, Err(NotChanged::Short { missing: 1, escrow: 20 })),
            (i64::MIN, Err(NotChanged::Short { missing: i64::MAX - 30, escrow: 20 })),
        ] {
            assert_eq!(post(points, has), expected, "{points}");
        }
        let recovering = Has { may_debit: false, ..has };
        assert_eq!(post(-1, recovering), Err(NotChanged::Recovering));
        assert_eq!(post(1, recovering), Ok(()), "credits go on");
        assert_eq!(post(1, Has { takes_part: false, ..has }), Err(NotChanged::Member));
        let without = Has { has_main_card: false, ..has };
        assert_eq!(post(1, without), Err(NotChanged::MainCard), "K15");
        assert_eq!(post(-1, without), Ok(()), "what is there can be taken");
    }

    #[test]
    fn rule_k21_only_another_person_decides_and_only_what_waits() {
        assert!(may_decide(State::Waiting, false));
        assert!(!may_decide(State::Waiting, true), "their own");
        for state in [State::Posted, State::Returned] {
            assert!(!may_decide(state, false));
        }
        for (state, code) in State::CODES {
            assert_eq!((state.code(), State::from_code(code)), (code, Some(state)));
        }
    }

    #[test]
    fn rule_k21_a_trigger_gives_by_steps_of_a_purchase_or_the_same_for_each_and_names_it_once() {
        let trigger = |points, per_fen| PointsTrigger {
            id: Hash([7; 32]),
            on: TriggerOn::Earned,
            office: None,
            cause: "purchase".to_owned(),
            points,
            per_fen,
            retired: false,
        };
        for (points, per_fen, bought, expected) in [
            (2, 10_000, Some(25_000), Some(4)),
            (2, 10_000, Some(9_999), None),
            (-3, 0, Some(9_999), Some(-3)),
            (6, 0, None, Some(6)),
            (6, 100, None, None),
            (i64::MAX, 1, Some(2), None),
        ] {
            assert_eq!(given(&trigger(points, per_fen), bought), expected, "{points} per {per_fen}");
        }
        let fact = |seq| FactId { device: DeviceId([1; 16]), epoch: 1, seq };
        assert_eq!(triggered(Hash([7; 32]), fact(1)), triggered(Hash([7; 32]), fact(1)));
        assert_ne!(triggered(Hash([7; 32]), fact(1)), triggered(Hash([7; 32]), fact(2)));
        assert_ne!(triggered(Hash([8; 32]), fact(1)), triggered(Hash([7; 32]), fact(1)));
    }
}
