//! Which version of the scheme decides what is done at an office for a member, and by which one a purchase is rated.
//!
//! A version may be for some offices and some kinds of members only ([`hufu_shared::scheme::choose`]); of which kind a
//! member was is asked only where some version looks at it. Out of scope: what a version gives.

use std::collections::BTreeSet;

use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{MemberId, OfficeId};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::time::{Instant, OfficeClock};

use super::World;
use crate::rules::judge::rate::{self, Kinds, Published, Rated};

/// A member of whom no kind was ever said.
static NO_KIND: Kinds = Kinds { first: String::new(), turns: Vec::new() };

/// A scheme version, and when it was published: it takes effect no earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedScheme {
    /// The terms.
    pub terms: SchemeTerms,
    /// When it was published.
    pub published: Instant,
}

/// For whom a version is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose<'a> {
    /// The office at which something is done.
    pub office: OfficeId,
    /// Of which kinds the member was for whom it is done.
    pub kinds: &'a Kinds,
}

impl Whose<'_> {
    /// Of an office, for a member of whom no kind is known.
    #[must_use]
    pub fn anybody(office: OfficeId) -> Self {
        Self { office, kinds: &NO_KIND }
    }
}

impl World {
    /// Whether a version is for some kinds of members only.
    #[must_use]
    pub fn asks_kinds(&self) -> bool {
        self.schemes.values().any(|scheme| !scheme.terms.member_kinds().is_empty())
    }

    /// Of an office and a member whose kinds were fetched.
    #[must_use]
    pub fn whose(&self, office: OfficeId, member: MemberId) -> Whose<'_> {
        Whose { office, kinds: self.kinds.get(&member).unwrap_or(&NO_KIND) }
    }

    /// When each version of the scheme is in effect.
    #[must_use]
    pub fn versions(&self, whose: Whose<'_>) -> Vec<Published> {
        let default = OfficeClock::default();
        let clock = self.offices.get(&whose.office).map_or(&default, |office| &office.clock);
        let there = self.schemes.values().filter(|scheme| scheme.terms.is_for_office(whose.office));
        there.flat_map(|scheme| rate::spans(&scheme.terms, scheme.published, clock, whose.kinds)).collect()
    }

    /// The version in force at an instant.
    #[must_use]
    pub fn scheme_at(&self, whose: Whose<'_>, at: Instant) -> Option<&SchemeTerms> {
        let version = rate::in_force(&self.versions(whose), at)?;
        self.schemes.get(&version).map(|scheme| &scheme.terms)
    }

    /// By which version a purchase is rated, by when it happened and the latest that it can have happened.
    #[must_use]
    pub fn rated(&self, whose: Whose<'_>, fact: &Fact, (t, hi): (Instant, Instant)) -> Rated {
        let decided = rate::Decided { used: fact.scheme, t, hi, is_spend: false, pin: None };
        match rate::judge(&self.versions(whose), self.policy.rate_grace_days, decided) {
            Rated::Again { by } | Rated::InGrace { in_force: by }
                if self.was_left_open(whose.office, fact, t) =>
            {
                Rated::Open { by }
            }
            rated => rated,
        }
    }

    /// Whether a terminal promised nothing of a purchase, as it does where it cannot tell the member's kind: it then names
    /// the version for members without one.
    fn was_left_open(&self, office: OfficeId, fact: &Fact, t: Instant) -> bool {
        let promises_nothing = matches!(&fact.event, Event::Earned(earned) if earned.promised.is_empty());
        promises_nothing && rate::in_force(&self.versions(Whose::anybody(office)), t) == Some(fact.scheme)
    }

    /// The versions by which a purchase may be rated, whatever kind its member turns out to be of; the moments as for
    /// [`World::rated`].
    #[must_use]
    pub fn rated_by_any(&self, office: OfficeId, fact: &Fact, when: (Instant, Instant)) -> BTreeSet<u32> {
        let named = self.schemes.values().flat_map(|scheme| scheme.terms.member_kinds());
        let named: BTreeSet<&String> = named.collect();
        let kinds = named.into_iter().map(|kind| Kinds { first: kind.clone(), turns: Vec::new() });
        let rated = |kinds: Kinds| self.rated(Whose { office, kinds: &kinds }, fact, when);
        kinds.chain([Kinds::default()]).map(|kinds| rated(kinds).version(fact.scheme)).collect()
    }

    /// Whether the points of a purchase stay with the member when its goods come back, by the version that rates it
    /// (S8); the moments as for [`World::rated`].
    #[must_use]
    pub fn leaves_points(&self, whose: Whose<'_>, fact: &Fact, when: (Instant, Instant)) -> bool {
        if !matches!(fact.event, Event::Earned(_)) {
            return false;
        }
        let version = self.rated(whose, fact, when).version(fact.scheme);
        let scheme = self.schemes.range(..=version).next_back();
        scheme.is_some_and(|(_, scheme)| !scheme.terms.returned().reverse_points)
    }
}
