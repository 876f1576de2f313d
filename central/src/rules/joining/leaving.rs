//! Leaving (K11, K12) and coming back (C5).
//!
//! ```text
//! (member) ──file──▶ filed 待退 ──archive──▶ archived 归档 ──restore──▶ restored (a member again)
//!    ▲                  ├──refuse──▶ refused (stays a member)
//!    │                  └──hear────▶ withdrawn (put down by the club's rule, and heard of before the audit)
//! ```
//! While somebody is 待退 they still take part: the audit may take weeks, and nothing was decided. An archived record
//! keeps everything, the balance too; it takes no part, is found by the centre alone, and comes back whole. Whom the club's
//! rule put down and who is heard of after all stands as if never put down: so a job that comes late leads to the same.

use hufu_shared::act::Actor;
use hufu_shared::joining::AutoLeave;
pub use hufu_shared::rules::start::is_due;
use hufu_shared::time::Day;

/// Where somebody's leaving is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// 待退: put down, to be audited.
    Filed,
    /// 归档: gone.
    Archived,
    /// Audited, and not allowed.
    Refused,
    /// Came back from the archive.
    Restored,
    /// Put down by the club's rule, and then heard of: as if it had not been.
    Withdrawn,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is put down.
    File,
    /// It is audited and granted.
    Archive,
    /// It is audited and not granted.
    Refuse,
    /// The record is taken out of the archive.
    Restore,
    /// Something is heard of a member whom the club's rule put down.
    Hear,
}

impl State {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 5] = [
        (Self::Filed, "filed"),
        (Self::Archived, "archived"),
        (Self::Refused, "refused"),
        (Self::Restored, "restored"),
        (Self::Withdrawn, "withdrawn"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("filed", |row| row.1)
    }

    /// The state of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// Where a step leads from where somebody's leaving is, nothing for one who never left; `None` if it cannot be taken.
#[must_use]
pub fn after(state: Option<State>, step: Step) -> Option<State> {
    match (state, step) {
        (None | Some(State::Refused | State::Restored | State::Withdrawn), Step::File) => Some(State::Filed),
        (Some(State::Filed), Step::Archive) => Some(State::Archived),
        (Some(State::Filed), Step::Refuse) => Some(State::Refused),
        (Some(State::Archived), Step::Restore) => Some(State::Restored),
        (Some(State::Filed), Step::Hear) => Some(State::Withdrawn),
        _ => None,
    }
}

/// Whether somebody may put a leaving down (K11): the service centre and the centre's own jobs, never a terminal.
#[must_use]
pub fn may_file(actor: &Actor) -> bool {
    !matches!(actor, Actor::Device(_))
}

/// Whether a fact of a business day withdraws what the club's rule put down on another: had it been known then, the rule
/// would not have.
#[must_use]
pub fn is_heard(rule: &AutoLeave, filed: Day, heard: Day) -> bool {
    heard >= filed.plus(-i32::from(rule.idle_days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::ids::{DeviceId, OperatorId};

    #[test]
    fn rule_k11_c05_every_step_from_every_state() {
        use State::{Archived, Filed, Refused, Restored, Withdrawn};
        let steps = [Step::File, Step::Archive, Step::Refuse, Step::Restore, Step::Hear];
        let table = [
            (None, [Some(Filed), None, None, None, None]),
            (Some(Filed), [None, Some(Archived), Some(Refused), None, Some(Withdrawn)]),
            (Some(Archived), [None, None, None, Some(Restored), None]),
            (Some(Refused), [Some(Filed), None, None, None, None]),
            (Some(Restored), [Some(Filed), None, None, None, None]),
            (Some(Withdrawn), [Some(Filed), None, None, None, None]),
        ];
        for (state, expected) in table {
            assert_eq!(steps.map(|step| after(state, step)), expected, "from {state:?}");
        }
        for (state, code) in State::CODES {
            assert_eq!((state.code(), State::from_code(code)), (code, Some(state)));
        }
    }

    #[test]
    fn rule_k11_no_terminal_puts_a_leaving_down() {
        assert!(may_file(&Actor::Admin(OperatorId([1; 16]))));
        assert!(may_file(&Actor::Job("leaving".to_owned())));
        assert!(may_file(&Actor::Command("import".to_owned())));
        assert!(!may_file(&Actor::Device(DeviceId([1; 16]))));
    }

    #[test]
    fn rule_k11_a_fact_that_the_rule_would_have_counted_withdraws_what_it_put_down() {
        let day = |text: &str| text.parse::<Day>().expect("test day");
        let rule = AutoLeave { kind: "unreachable".to_owned(), idle_days: 20, spares_value: false };
        let filed = day("2026-11-22");
        for (heard, expected) in [("2026-11-01", false), ("2026-11-02", true), ("2026-12-24", true)] {
            assert_eq!(is_heard(&rule, filed, day(heard)), expected, "{heard}");
            let in_time = !is_due(&rule, day(heard), false, filed);
            assert_eq!(in_time, expected, "{heard}: as if it had been known on that day");
        }
    }

    #[test]
    fn rule_k11_who_was_not_heard_of_leaves_by_the_clubs_rule() {
        let day = |text: &str| text.parse::<Day>().expect("test day");
        let rule = AutoLeave { kind: "unreachable".to_owned(), idle_days: 365, spares_value: true };
        let heard = day("2027-02-28");
        assert!(!is_due(&rule, heard, false, day("2028-02-28")), "the last day");
        assert!(is_due(&rule, heard, false, day("2028-02-29")), "a leap day is a day");
        assert!(!is_due(&rule, heard, true, day("2030-01-01")), "who still has points stays");
        let strict = AutoLeave { spares_value: false, ..rule };
        assert!(is_due(&strict, heard, true, day("2030-01-01")));
    }
}
