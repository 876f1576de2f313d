//! Who may join, from which day on points count, and who leaves by the club's own rule.
//!
//! The terms are the policy's ([`crate::joining`]), the start of points the scheme's; the centre's desk and the what-if
//! ask the same functions.

use super::calendar;
use crate::joining::{AutoLeave, JoiningTerms};
use crate::scheme::start::PointsStart;
use crate::time::Day;

/// Months of a year.
const YEAR_MONTHS: u16 = 12;

/// Who wants to join, as far as eligibility goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applicant<'a> {
    /// Dictionary code of the kind of member.
    pub kind: &'a str,
    /// Whether a person of flesh and blood: an organisation has no age.
    pub is_person: bool,
    /// Day of birth, if it was told.
    pub born: Option<Day>,
    /// Whether one of the club's own staff.
    pub is_staff: bool,
}

/// Why somebody may not join.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotEligible {
    /// The club does not take this kind.
    #[error("kind of member expected as one that the club takes, met {met:?}")]
    Kind {
        /// What was met.
        met: String,
    },
    /// Too young.
    #[error("{min} years expected, or more")]
    Age {
        /// Years expected.
        min: u8,
    },
    /// No day of birth, where one is needed to reckon the age.
    #[error("a day of birth expected, because members must be {min} years old")]
    Born {
        /// Years expected.
        min: u8,
    },
    /// The club's own.
    #[error("the club's own staff cannot join")]
    Staff,
}

/// Whether somebody may join.
///
/// # Errors
/// [`NotEligible`]: the first reason in the order of the rule.
pub fn check(terms: &JoiningTerms, applicant: &Applicant<'_>, today: Day) -> Result<(), NotEligible> {
    if !terms.kinds.is_empty() && !terms.kinds.iter().any(|kind| kind == applicant.kind) {
        return Err(NotEligible::Kind { met: applicant.kind.to_owned() });
    }
    if terms.excludes_staff && applicant.is_staff {
        return Err(NotEligible::Staff);
    }
    let min = terms.min_age;
    if min == 0 || !applicant.is_person {
        return Ok(());
    }
    let born = applicant.born.ok_or(NotEligible::Born { min })?;
    // Who was born on 29 February comes of age on the last day of a February that has none.
    let of_age = calendar::months_after(born, u16::from(min) * YEAR_MONTHS);
    if of_age.is_some_and(|day| day <= today) { Ok(()) } else { Err(NotEligible::Age { min }) }
}

/// What the start of points depends on. Days are calendar days in the office's zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Begun {
    /// When the first card was issued.
    pub card_issued: Option<Day>,
    /// When the first main card was issued.
    pub main_card: Option<Day>,
    /// When the data were verified.
    pub verified: Option<Day>,
}

/// The first day on which points count; none while the condition is not met (rules S4, G1, G2, K15).
#[must_use]
pub fn points_from(start: PointsStart, begun: Begun) -> Option<Day> {
    match start {
        PointsStart::Issue => begun.card_issued,
        PointsStart::Verified => begun.verified,
        PointsStart::MainCard => begun.main_card,
    }
}

/// Whether points count on a day: neither before the condition is met nor on days before that.
#[must_use]
pub fn has_begun(start: PointsStart, begun: Begun, day: Day) -> bool {
    points_from(start, begun).is_some_and(|from| from <= day)
}

/// Whether a member leaves by the club's own rule: nothing was heard of them for so many days. `heard` is the business
/// day of the newest fact about them, or of their joining.
#[must_use]
pub fn is_due(rule: &AutoLeave, heard: Day, has_value: bool, today: Day) -> bool {
    let is_spared = rule.spares_value && has_value;
    !is_spared && heard.plus(i32::from(rule.idle_days)) < today
}
