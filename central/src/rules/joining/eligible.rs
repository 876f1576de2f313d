//! Who is meant at all (K1), and whose application comes of itself (K4). Who may join is a rule that both sides apply
//! alike ([`hufu_shared::rules::start`]).

use hufu_shared::rules::calendar;
pub use hufu_shared::rules::start::{Applicant, NotEligible, check};
use hufu_shared::time::Day;

/// Dictionary code of the kind of a member who is a person like any other.
pub const KIND_PERSON: &str = "person";
/// Dictionary codes of kinds that are organisations: they have a representative (E2) and no age.
const ORGANISATIONS: [&str; 3] = ["organisation", "enterprise", "dealer"];

/// Whether a kind of member is an organisation.
#[must_use]
pub fn is_organisation(kind: &str) -> bool {
    ORGANISATIONS.contains(&kind)
}

/// The key of the words that say why somebody may not join, and the code in the API.
#[must_use]
pub fn key_of(why: &NotEligible) -> &'static str {
    match why {
        NotEligible::Kind { .. } => "not-eligible-kind",
        NotEligible::Age { .. } => "not-eligible-age",
        NotEligible::Born { .. } => "not-eligible-born",
        NotEligible::Staff => "not-eligible-staff",
    }
}

/// Whole years that somebody has lived (T2); none for a day of birth that lies ahead.
#[must_use]
pub fn age_on(born: Day, today: Day) -> Option<i32> {
    let years = calendar::year_of(today)?.checked_sub(calendar::year_of(born)?)?;
    let months = u16::try_from(years.checked_mul(12)?).ok()?;
    let had_birthday = calendar::months_after(born, months)? <= today;
    (born <= today).then_some(years - i32::from(!had_birthday))
}

/// What an applicant is to the club (K1): all of them are registered here, or in the sales system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Has bought, and the sales system knows it.
    Buyer,
    /// Has bought of an old project that the sales system lacks.
    OldBuyer,
    /// Has shown interest.
    Potential,
    /// Neither: applies only.
    Applicant,
}

impl Standing {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 4] = [
        (Self::Buyer, "buyer"),
        (Self::OldBuyer, "old_buyer"),
        (Self::Potential, "potential"),
        (Self::Applicant, "applicant"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("applicant", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// How an application came to be (K4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A person filed it.
    Manual,
    /// The sales system made it of a purchase.
    Automatic,
}

/// Whether an application may come of itself (K4): only for buyers whom the sales system knows.
#[must_use]
pub fn may_come(mode: Mode, standing: Standing) -> bool {
    mode == Mode::Manual || standing == Standing::Buyer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_k01_k04_everybody_may_apply_and_only_a_known_buyers_application_comes_of_itself() {
        for (standing, by_itself) in [
            (Standing::Buyer, true),
            (Standing::OldBuyer, false),
            (Standing::Potential, false),
            (Standing::Applicant, false),
        ] {
            assert!(may_come(Mode::Manual, standing), "{standing:?}");
            assert_eq!(may_come(Mode::Automatic, standing), by_itself, "{standing:?}");
        }
    }

    #[test]
    fn rule_t02_the_age_is_reckoned_from_the_day_of_birth() {
        let day = |text: &str| text.parse::<Day>().expect("test day");
        for (born, today, expected) in [
            ("1949-12-31", "2026-11-22", Some(76)),
            ("1949-12-31", "2026-12-31", Some(77)),
            ("2008-02-29", "2026-02-27", Some(17)),
            ("2008-02-29", "2026-02-28", Some(18)),
            ("2026-11-22", "2026-11-22", Some(0)),
            ("2026-11-23", "2026-11-22", None),
        ] {
            assert_eq!(age_on(day(born), day(today)), expected, "{born} on {today}");
        }
    }
}
