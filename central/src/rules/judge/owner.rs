//! Whose card it was (kind 14): the owner at `t(f)`, whoever has it by now.
//!
//! A card that nobody had owned before the fact is the unknown card of kind 13: its facts were held and belong to whom it
//! is given first. A card that had been taken from one member and not yet given to the next is nobody's: a person decides.

use std::collections::BTreeSet;

use hufu_shared::ids::MemberId;
use hufu_shared::time::Instant;

use super::interval::FAVOUR_MAX_US;

/// A change of ownership, by an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    /// When the act was taken; acts never share an instant.
    pub from: Instant,
    /// Whose from then on; none for a card put back into stock.
    pub member: Option<MemberId>,
}

/// What of a fact bears on whose card it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// Not before.
    pub lo: Instant,
    /// Not after.
    pub hi: Instant,
    /// The time that decides.
    pub t: Instant,
    /// To whom a person gave it.
    pub pin: Option<MemberId>,
}

/// To whom a fact belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// To this member.
    To(MemberId),
    /// Nobody ever had the card: held until somebody does (kind 13).
    Unknown,
    /// A person decides.
    Ask,
}

/// The judgement of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// To whom it belongs.
    pub belongs: Belongs,
    /// Who has the card now.
    pub now: Option<MemberId>,
    /// Numbers of the conflict kinds that list it.
    pub kinds: BTreeSet<u8>,
}

impl Ownership {
    /// Whose it was, if that can be said.
    #[must_use]
    pub fn then(&self) -> Option<MemberId> {
        match self.belongs {
            Belongs::To(member) => Some(member),
            Belongs::Unknown | Belongs::Ask => None,
        }
    }
}

/// Judges whose card was presented, from all its changes of ownership.
#[must_use]
pub fn judge(history: &[Owned], fact: Presented) -> Ownership {
    let mut history = history.to_vec();
    history.sort_unstable();
    let now = history.last().and_then(|last| last.member);
    let mut kinds = BTreeSet::new();
    if let Some(member) = fact.pin {
        kinds.extend((now != Some(member)).then_some(14));
        return Ownership { belongs: Belongs::To(member), now, kinds };
    }
    let mut belongs = at(&history, fact.t);
    if at(&history, fact.lo) != at(&history, fact.hi) {
        kinds.insert(18);
        // Between two owners there is no member in whose favour a wide interval could be read.
        if fact.hi.since(fact.lo) > FAVOUR_MAX_US {
            belongs = Belongs::Ask;
        }
    }
    match belongs {
        Belongs::Unknown => kinds.extend([13]),
        Belongs::To(member) => kinds.extend((now != Some(member)).then_some(14)),
        Belongs::Ask => kinds.extend([14]),
    }
    Ownership { belongs, now, kinds }
}

/// The owner at an instant; `history` is in order of time.
fn at(history: &[Owned], t: Instant) -> Belongs {
    let (before, after) = history.split_at(history.partition_point(|owned| owned.from <= t));
    let next = after.iter().find_map(|owned| owned.member);
    match before.last().map(|owned| owned.member) {
        Some(Some(member)) => Belongs::To(member),
        _ if before.iter().any(|owned| owned.member.is_some()) => Belongs::Ask,
        _ => next.map_or(Belongs::Unknown, Belongs::To),
    }
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
