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

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("test day")
    }

    #[test]
    fn rule_x18_who_may_join_is_a_rule_of_the_scheme() {
        let adult = Start { min_age: Some(18), ..Start::default() };
        let not_staff = Start { exclude_staff: true, ..Start::default() };
        let walk_ins = Start { kinds_allowed: vec!["walk-in".into()], ..Start::default() };
        let born = |text: &str| Person { born: Some(day(text)), ..Person::default() };
        let staff = Person { is_staff: true, ..born("1990-01-01") };
        let firm = Person { is_organisation: true, ..Person::default() };
        let young = Err(Ineligible::TooYoung { age: 17, least: 18 });
        let cases = [
            (&adult, born("2008-11-23"), Ok(()), "eighteen today"),
            (&adult, born("2008-11-24"), young, "eighteen tomorrow"),
            (&adult, Person::default(), Err(Ineligible::AgeUnknown { least: 18 }), "who knows"),
            (&adult, firm, Ok(()), "organisations have no age"),
            (&not_staff, staff.clone(), Err(Ineligible::Staff), "staff of the club"),
            (&adult, staff, Ok(()), "staff where that is allowed"),
            (&walk_ins, born("1990-01-01"), Err(Ineligible::Kind), "another kind"),
            (&Start::default(), Person::default(), Ok(()), "anybody"),
        ];
        for (start, person, expected, why) in cases {
            assert_eq!(may_join(start, &person, day("2026-11-23")), expected, "{why}");
        }
    }

    #[test]
    fn rule_g01_g02_points_begin_when_the_data_are_verified() {
        let start = Start { points_start: PointsStart::Verified, verify_days: Some(7), ..Start::default() };
        let applied = Person { card_issued: Some(day("2026-02-26")), ..Person::default() };
        assert_eq!(points_from(&start, &applied), None, "not before");
        assert_eq!(verify_until(&start, day("2026-02-26")), Some(day("2026-03-05")), "within one week");
        let verified = Person { verified: Some(day("2026-03-20")), ..applied };
        assert_eq!(points_from(&start, &verified), Some(day("2026-03-20")), "late, but from then on");
    }

    #[test]
    fn rule_x08_points_begin_with_the_card_the_proof_or_the_main_card() {
        let person = Person {
            card_issued: Some(day("2026-01-01")),
            verified: Some(day("2026-01-05")),
            main_card: Some(day("2026-01-09")),
            ..Person::default()
        };
        for (points_start, from) in [
            (PointsStart::Issue, "2026-01-01"),
            (PointsStart::Verified, "2026-01-05"),
            (PointsStart::MainCard, "2026-01-09"),
        ] {
            let start = Start { points_start, ..Start::default() };
            assert_eq!(points_from(&start, &person), Some(day(from)));
            assert_eq!(points_from(&start, &Person::default()), None);
        }
    }
}
