//! Group 2: who may join, and from which day on points count.

use super::calendar;
use crate::scheme::start::{PointsStart, Start};
use crate::time::Day;

/// What eligibility and start ask of a member. Days are calendar days in the office's zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Code of the member's kind.
    pub kind: String,
    /// Day of birth, if known; organisations have none.
    pub born: Option<Day>,
    /// Whether it is an organisation, to which no age applies (rule R1).
    pub is_organisation: bool,
    /// Whether it is one of the club's own staff.
    pub is_staff: bool,
    /// When the first card was issued.
    pub card_issued: Option<Day>,
    /// When the first main card was issued.
    pub main_card: Option<Day>,
    /// When the data were verified.
    pub verified: Option<Day>,
}

/// Why somebody may not join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ineligible {
    /// Too young.
    #[error("{age} years old, {least} are needed")]
    TooYoung {
        /// Full years.
        age: u32,
        /// Years that are needed.
        least: u8,
    },
    /// The club asks for an age and none is known.
    #[error("no day of birth, {least} years of age are needed")]
    AgeUnknown {
        /// Years that are needed.
        least: u8,
    },
    /// The club's own staff may not collect points (rule G8).
    #[error("the club's own staff may not collect points")]
    Staff,
    /// Not for this kind of member.
    #[error("this kind of member is not admitted")]
    Kind,
}

/// Whether somebody may join on a day (contradiction X18).
///
/// # Errors
/// [`Ineligible`] with the first reason why not.
pub fn may_join(start: &Start, person: &Person, day: Day) -> Result<(), Ineligible> {
    if !start.kinds_allowed.is_empty() && !start.kinds_allowed.contains(&person.kind) {
        return Err(Ineligible::Kind);
    }
    if start.exclude_staff && person.is_staff {
        return Err(Ineligible::Staff);
    }
    let Some(least) = start.min_age.filter(|_| !person.is_organisation) else { return Ok(()) };
    match person.born.map(|born| calendar::age_on(born, day).unwrap_or(0)) {
        Some(age) if age >= u32::from(least) => Ok(()),
        Some(age) => Err(Ineligible::TooYoung { age, least }),
        None => Err(Ineligible::AgeUnknown { least }),
    }
}

/// The first day on which points count; none while the condition is not met (rules S4, G1, G2, K15).
#[must_use]
pub fn points_from(start: &Start, person: &Person) -> Option<Day> {
    if start.exclude_staff && person.is_staff {
        return None;
    }
    match start.points_start {
        PointsStart::Issue => person.card_issued,
        PointsStart::Verified => person.verified,
        PointsStart::MainCard => person.main_card,
    }
}

/// The last day on which the data of somebody who applied on a day are to be verified (rule G1: within one week); none
/// if there is no deadline.
#[must_use]
pub fn verify_until(start: &Start, applied: Day) -> Option<Day> {
    start.verify_days.map(|days| applied.plus(days.into()))
}
