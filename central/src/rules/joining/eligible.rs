//! Who is meant at all (K1), and whose application comes of itself (K4). Who may join is a rule that both sides apply
//! alike ([`hufu_shared::rules::start`]).

pub use hufu_shared::rules::start::{Applicant, NotEligible, check};

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
}
