//! Which scheme is in force for a day, an office and a kind of member.
//!
//! Of all that fit, the one that says most about whom it is for wins (office group before member kind), then the highest
//! version that has begun, as terminals and ledger choose. So a special scheme need not be cut out of the general one,
//! and a later version never says anything of the days before it began.

use super::Scheme;
use crate::time::Day;

/// For whom a scheme is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct For<'a> {
    /// The business day at the office.
    pub day: Day,
    /// Code of the office's group; empty if it has none.
    pub office_group: &'a str,
    /// Code of the member's kind; empty if it has none.
    pub member_kind: &'a str,
}

/// The scheme in force, if any.
#[must_use]
pub fn in_force<'s>(schemes: &'s [Scheme], ask: For<'_>) -> Option<&'s Scheme> {
    schemes.iter().filter(|scheme| scheme.fits(ask)).max_by_key(|scheme| {
        let named = |scope: &Vec<String>| !scope.is_empty();
        (
            named(&scheme.scope_office_groups),
            named(&scheme.scope_member_kinds),
            scheme.version,
            scheme.valid_from,
            scheme.id.as_str(),
        )
    })
}

impl Scheme {
    /// Whether it is for such a day, office and member.
    #[must_use]
    pub fn fits(&self, ask: For<'_>) -> bool {
        let within = |scope: &[String], code: &str| scope.is_empty() || scope.iter().any(|one| one == code);
        self.valid_from <= ask.day
            && self.valid_to.is_none_or(|last| ask.day <= last)
            && within(&self.scope_office_groups, ask.office_group)
            && within(&self.scope_member_kinds, ask.member_kind)
    }
}
