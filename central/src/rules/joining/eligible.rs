//! Who may join (X18), and who is meant at all (K1, K4).

pub use hufu_shared::rules::start::{Applicant, NotEligible, check};

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
    use hufu_shared::joining::JoiningTerms;
    use hufu_shared::time::Day;

    fn day(text: &str) -> Day {
        text.parse().expect("test day")
    }

    fn person(born: Option<&str>) -> Applicant<'static> {
        Applicant { kind: "person", is_person: true, born: born.map(day), is_staff: false }
    }

    fn adults() -> JoiningTerms {
        JoiningTerms { min_age: 18, excludes_staff: true, ..JoiningTerms::default() }
    }

    #[test]
    fn rule_x18_who_is_not_yet_18_cannot_join_to_the_very_day() {
        let at = |born: Option<&str>, today| check(&adults(), &person(born), day(today));
        let young = Err(NotEligible::Age { min: 18 });
        assert_eq!(at(Some("2008-11-23"), "2026-11-22"), young);
        assert_eq!(at(Some("2008-11-22"), "2026-11-22"), Ok(()));
        assert_eq!(at(Some("2008-02-29"), "2026-02-27"), young, "born on a leap day");
        assert_eq!(at(Some("2008-02-29"), "2026-02-28"), Ok(()));
        assert_eq!(at(Some("2008-01-01"), "2025-12-31"), young, "over the end of a year");
        assert_eq!(at(None, "2026-11-22"), Err(NotEligible::Born { min: 18 }));
        let today = day("2026-11-22");
        assert_eq!(check(&JoiningTerms::default(), &person(None), today), Ok(()), "no rule, no question");
        let firm = Applicant { kind: "organisation", is_person: false, born: None, is_staff: false };
        assert_eq!(check(&adults(), &firm, today), Ok(()), "organisations are allowed");
    }

    #[test]
    fn rule_x18_staff_are_kept_out_where_the_club_says_so() {
        let own = Applicant { is_staff: true, ..person(Some("1980-01-01")) };
        let today = day("2026-11-22");
        assert_eq!(check(&adults(), &own, today), Err(NotEligible::Staff));
        assert_eq!(check(&JoiningTerms::default(), &own, today), Ok(()));
    }

    #[test]
    fn rule_x18_only_the_kinds_that_the_club_takes_join() {
        let terms = JoiningTerms { kinds: vec!["person".to_owned()], ..JoiningTerms::default() };
        let firm = Applicant { kind: "organisation", is_person: false, born: None, is_staff: false };
        let met = NotEligible::Kind { met: "organisation".to_owned() };
        assert_eq!(check(&terms, &firm, day("2026-11-22")), Err(met));
    }

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
