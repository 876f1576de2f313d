//! Which scheme is in force for a day, an office and a kind of member.
//!
//! Of all that fit, the one that says most about whom it is for wins (office group before member kind), then the highest
//! version that has begun, as terminals and ledger choose. So a special scheme need not be cut out of the general one,
//! and a later version never says anything of the days before it began.
//!
//! A scheme as it is written names groups of offices, and the what-if asks by them ([`in_force`]). What terminals and
//! ledger are told names the offices themselves, those that were in the groups when it was published ([`Scope`]), and they
//! ask by it ([`terms_in_force`]): an office that changes its group later changes nothing that was decided before.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Scheme, SchemeTerms};
use crate::ids::OfficeId;
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

/// How much a version says about whom it is for: of those that fit, the largest wins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    /// Whether it is for some offices only; this goes before the kinds.
    pub offices: bool,
    /// Whether it is for some kinds of members only.
    pub kinds: bool,
}

/// Where, for whom and until when a version holds, as terminals and ledger are told it. The default is everywhere,
/// everybody, and until the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// The offices that it is for; empty for all.
    #[n(0)]
    pub offices: Vec<OfficeId>,
    /// Codes of the member kinds that it is for; empty for all.
    #[n(1)]
    pub member_kinds: Vec<String>,
    /// The last calendar day on which it applies; none while no end is known.
    #[n(2)]
    pub last_day: Option<Day>,
}

/// Where and when something is done, as a version is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The business day at the office.
    pub day: Day,
    /// The office.
    pub office: OfficeId,
}

/// The scheme in force, if any.
#[must_use]
pub fn in_force<'s>(schemes: &'s [Scheme], ask: For<'_>) -> Option<&'s Scheme> {
    let said = |scheme: &&Scheme| (scheme.weight(), scheme.version, scheme.valid_from, scheme.id.clone());
    schemes.iter().filter(|scheme| scheme.fits(ask)).max_by_key(said)
}

/// The version in force at an office on a day for a kind of member, if any; an empty code for a member without one.
#[must_use]
pub fn terms_in_force<'t>(versions: &'t [SchemeTerms], at: At, kind: &str) -> Option<&'t SchemeTerms> {
    let fits = |terms: &&SchemeTerms| terms.holds_at(at) && terms.is_for_kind(kind);
    versions.iter().filter(fits).max_by_key(|terms| (terms.weight(), terms.version))
}

/// Whether another version is in force at an office on a day for some kind of member than for a member without one:
/// who does not know the kind then cannot tell which one decides.
#[must_use]
pub fn depends_on_kind(versions: &[SchemeTerms], at: At) -> bool {
    let version_for = |kind: &str| terms_in_force(versions, at, kind).map(|terms| terms.version);
    let general = version_for("");
    versions.iter().flat_map(SchemeTerms::member_kinds).any(|kind| version_for(kind) != general)
}

fn within(scope: &[String], code: &str) -> bool {
    scope.is_empty() || scope.iter().any(|one| one == code)
}

impl Scheme {
    /// Whether it is for such a day, office and member.
    #[must_use]
    pub fn fits(&self, ask: For<'_>) -> bool {
        self.valid_from <= ask.day
            && self.valid_to.is_none_or(|last| ask.day <= last)
            && within(&self.scope_office_groups, ask.office_group)
            && within(&self.scope_member_kinds, ask.member_kind)
    }

    /// How much it says about whom it is for.
    #[must_use]
    pub fn weight(&self) -> Weight {
        let (groups, kinds) = (&self.scope_office_groups, &self.scope_member_kinds);
        Weight { offices: !groups.is_empty(), kinds: !kinds.is_empty() }
    }

    /// Its scope as it is told, with the offices of its groups; none for a version without one.
    #[must_use]
    pub fn scope(&self, offices: Vec<OfficeId>) -> Option<Scope> {
        let scope = Scope { offices, member_kinds: self.scope_member_kinds.clone(), last_day: self.valid_to };
        Some(scope).filter(|scope| *scope != Scope::default())
    }
}

impl SchemeTerms {
    /// The offices that it is for; empty for all.
    #[must_use]
    pub fn offices(&self) -> &[OfficeId] {
        self.scope.as_ref().map_or(&[][..], |scope| &scope.offices)
    }

    /// Codes of the member kinds that it is for; empty for all.
    #[must_use]
    pub fn member_kinds(&self) -> &[String] {
        self.scope.as_ref().map_or(&[][..], |scope| &scope.member_kinds)
    }

    /// The last calendar day on which it applies; none while no end is known.
    #[must_use]
    pub fn last_day(&self) -> Option<Day> {
        self.scope.as_ref().and_then(|scope| scope.last_day)
    }

    /// How much it says about whom it is for.
    #[must_use]
    pub fn weight(&self) -> Weight {
        Weight { offices: !self.offices().is_empty(), kinds: !self.member_kinds().is_empty() }
    }

    /// Whether it is for an office.
    #[must_use]
    pub fn is_for_office(&self, office: OfficeId) -> bool {
        self.offices().is_empty() || self.offices().contains(&office)
    }

    /// Whether it is for a kind of member; an empty code for a member without one.
    #[must_use]
    pub fn is_for_kind(&self, kind: &str) -> bool {
        within(self.member_kinds(), kind)
    }

    /// Whether it applies at an office on a day, to some members at least.
    #[must_use]
    pub fn holds_at(&self, at: At) -> bool {
        self.valid_from <= at.day
            && self.last_day().is_none_or(|last| at.day <= last)
            && self.is_for_office(at.office)
    }

    /// Whether nobody could say which of two versions is meant: they begin on one day, say as much about whom they are for,
    /// and are for some of the same members at some of the same offices, but not for all of the same. One that is for
    /// exactly the same goes before the other, as a correction does.
    #[must_use]
    pub fn clashes_with(&self, other: &Self) -> bool {
        let ((offices, kinds), (their_offices, their_kinds)) = (self.lists(), other.lists());
        // What is for all overlaps with what is for all: both say as much.
        let overlap = (offices.is_empty() || !offices.is_disjoint(&their_offices))
            && (kinds.is_empty() || !kinds.is_disjoint(&their_kinds));
        let is_same = offices == their_offices && kinds == their_kinds;
        self.valid_from == other.valid_from && self.weight() == other.weight() && overlap && !is_same
    }

    /// Whether another version never begins because of this one: it is older, was to begin later, and is for nobody whom
    /// this one is not for.
    #[must_use]
    pub fn overtakes(&self, other: &Self) -> bool {
        let ((offices, kinds), (their_offices, their_kinds)) = (self.lists(), other.lists());
        self.version > other.version
            && self.valid_from < other.valid_from
            && self.last_day().is_none()
            && self.weight() == other.weight()
            && offices.is_superset(&their_offices)
            && kinds.is_superset(&their_kinds)
    }

    fn lists(&self) -> (BTreeSet<OfficeId>, BTreeSet<&str>) {
        let kinds = self.member_kinds().iter().map(String::as_str);
        (self.offices().iter().copied().collect(), kinds.collect())
    }
}
