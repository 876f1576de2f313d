//! The same slip twice, and a slip re-created (kind 32, rule G6): points never count twice for one sale.
//!
//! A slip is its shop, number and printed date, never the day of the fact. All facts that carry a slip or replace it
//! are its *family*. In a family the last replacement in order of time counts; without one, the earliest fact. A fact
//! lies in the family of its own slip and in that of the slip it replaces, and counts only if it wins in both: of a
//! chain A ← B ← C only C counts. What does not count gives nothing, so whatever of it was not yet reversed is
//! reversed by the difference, whichever arrives first.
//!
//! A replacement hands a sale on. Where B and D both replace A and C replaces B, the sale went to D: C re-creates a
//! slip that had lost it, and does not count either, or the sale would count through D and C. A fact that a person let
//! count takes the sale back along that same line.
//!
//! Invariant: at most one fact of a family counts, and no two facts count for the slip at the root of their line; for
//! any facts and pins, in any order. Out of scope: what a sale is worth (kind 17), double taps (kind 2).

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::fact::SlipKey;
use hufu_shared::ids::FactId;
use hufu_shared::mutant::{self, Mutant};

use super::order::Place;
use super::share::PinError;

/// An earn with a slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipFact {
    /// Which fact, and when.
    pub place: Place,
    /// Its own slip.
    pub slip: Option<SlipKey>,
    /// The slip that it re-creates.
    pub replaces: Option<SlipKey>,
    /// What a person fixed: it counts, or it does not.
    pub pin: Option<bool>,
}

/// What becomes of the facts about some slips.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slips {
    /// Facts that count. All others of the set give nothing.
    pub counts: BTreeSet<FactId>,
    /// One per slip with more than one fact, by slip.
    pub cases: Vec<SlipCase>,
}

/// What an admin sees of one slip: old and new side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipCase {
    /// The slip that it is about.
    pub slip: SlipKey,
    /// The fact that has the sale of this slip; it may have lost it in turn where its own slip was replaced.
    pub holder: Option<FactId>,
    /// All facts of the family in order of time.
    pub lines: Vec<SlipLine>,
    /// Whether it needs a look: two facts carry this very slip, or two replace it. A slip replaced once is only
    /// shown.
    pub doubled: bool,
}

/// One line of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipLine {
    /// Which fact, and when.
    pub place: Place,
    /// The slip that it carries.
    pub slip: Option<SlipKey>,
    /// Whether it replaces the case's slip; else it is the old one.
    pub is_new: bool,
    /// Whether it counts in the end.
    pub counts: bool,
}

/// Judges all facts about some slips. The set must be closed: with a fact, all facts of the families it lies in.
#[must_use]
pub fn judge(facts: &[SlipFact]) -> Slips {
    let families = Families::of(facts);
    let counts: BTreeSet<FactId> = families
        .facts
        .iter()
        .filter(|fact| families.counts(fact) || mutant::on(Mutant::SlipCountedTwice))
        .map(|fact| fact.place.fact)
        .collect();
    let cases = families
        .by_slip
        .iter()
        .filter(|(_, members)| members.len() > 1)
        .map(|(slip, members)| families.case(slip, members, &counts))
        .collect();
    Slips { counts, cases }
}

/// Checks pins before a verdict is saved: two facts may not both be fixed to count for one sale.
///
/// # Errors
/// [`PinError::OneOnly`] with the first two, in order of time, that cannot both count.
pub fn check(facts: &[SlipFact]) -> Result<(), PinError> {
    let families = Families::of(facts);
    let mut taken: BTreeMap<&SlipKey, Place> = BTreeMap::new();
    for fact in families.facts.iter().filter(|fact| fact.pin == Some(true)) {
        for slip in families.line(fact) {
            if let Some(first) = taken.insert(slip, fact.place)
                && first != fact.place
            {
                return Err(PinError::OneOnly { first: first.fact, second: fact.place.fact });
            }
        }
    }
    Ok(())
}

/// The slips whose families a fact lies in.
pub fn slips_of(fact: &SlipFact) -> impl Iterator<Item = &SlipKey> {
    carried(fact).into_iter().chain(&fact.replaces)
}

/// The slip that a fact brings in. One re-created under its own number brings none: it only replaces.
fn carried(fact: &SlipFact) -> Option<&SlipKey> {
    fact.slip.as_ref().filter(|slip| fact.replaces.as_ref() != Some(*slip))
}

/// All families of a set, with who wins in each.
struct Families<'a> {
    /// In order of time.
    facts: Vec<&'a SlipFact>,
    by_slip: BTreeMap<&'a SlipKey, Vec<&'a SlipFact>>,
    winners: BTreeMap<&'a SlipKey, FactId>,
}

impl<'a> Families<'a> {
    fn of(facts: &'a [SlipFact]) -> Self {
        let mut sorted: Vec<&SlipFact> = facts.iter().collect();
        sorted.sort_by_key(|fact| fact.place);
        let mut by_slip: BTreeMap<&SlipKey, Vec<&SlipFact>> = BTreeMap::new();
        for fact in &sorted {
            for slip in slips_of(fact) {
                by_slip.entry(slip).or_default().push(fact);
            }
        }
        let mut families = Self { facts: sorted, by_slip, winners: BTreeMap::new() };
        families.winners = families.taken_by_pins();
        for (slip, members) in &families.by_slip {
            if !families.winners.contains_key(slip)
                && let Some(winner) = unpinned_winner(slip, members)
            {
                families.winners.insert(slip, winner.place.fact);
            }
        }
        families
    }

    /// A fact that a person let count wins in its families, and so does each fact through which the sale came to it.
    /// Of two that want the same sale the earlier has it.
    fn taken_by_pins(&self) -> BTreeMap<&'a SlipKey, FactId> {
        let mut winners = BTreeMap::new();
        for fact in self.facts.iter().filter(|fact| fact.pin == Some(true)) {
            let line = self.line_with_holders(fact);
            if line.iter().all(|(slip, _)| !winners.contains_key(slip)) {
                winners.extend(line);
            }
        }
        winners
    }

    /// The families that a sale passed through on its way to a fact: its own slip's, that of the slip it replaces,
    /// that of the slip which that one replaced, and so on.
    fn line(&self, fact: &'a SlipFact) -> Vec<&'a SlipKey> {
        self.line_with_holders(fact).into_iter().map(|(slip, _)| slip).collect()
    }

    fn line_with_holders(&self, fact: &'a SlipFact) -> Vec<(&'a SlipKey, FactId)> {
        let mut line: Vec<(&SlipKey, FactId)> =
            carried(fact).into_iter().map(|slip| (slip, fact.place.fact)).collect();
        let own = line.len();
        let stands_for = |slip| self.bearer(slip).is_some_and(|bearer| bearer.place == fact.place);
        let mut at = fact;
        while let Some(replaced) = &at.replaces {
            // A circle of replacements ends where it began. One that comes back to the fact's own slip, for which another
            // fact stands, goes on through that one: the sale is what came to it.
            let is_own = carried(fact) == Some(replaced) && stands_for(replaced);
            if is_own || line[own..].iter().any(|(slip, _)| *slip == replaced) {
                break;
            }
            line.push((replaced, at.place.fact));
            match self.bearer(replaced) {
                Some(bearer) => at = bearer,
                None => break,
            }
        }
        line
    }

    /// The fact that stands for a slip before anybody replaced it.
    fn bearer(&self, slip: &SlipKey) -> Option<&'a SlipFact> {
        let members = self.by_slip.get(slip)?;
        let carries = members.iter().filter(|fact| carried(fact) == Some(slip));
        carries.min_by_key(|fact| (rank(fact.pin), fact.place)).copied()
    }

    fn counts(&self, fact: &'a SlipFact) -> bool {
        let id = fact.place.fact;
        let wins = |slip: &SlipKey| self.winners.get(slip) == Some(&id);
        fact.pin != Some(false) && slips_of(fact).all(wins) && self.has_the_sale(fact)
    }

    /// Whether the sale was ever handed on to the fact: each holder on its line won where it replaced.
    fn has_the_sale(&self, fact: &'a SlipFact) -> bool {
        let line = self.line_with_holders(fact);
        line.iter().all(|(slip, holder)| self.winners.get(slip) == Some(holder))
    }

    fn case(&self, slip: &SlipKey, members: &[&SlipFact], counts: &BTreeSet<FactId>) -> SlipCase {
        let replacing = members.iter().filter(|fact| fact.replaces.as_ref() == Some(slip)).count();
        let lines = members
            .iter()
            .map(|fact| SlipLine {
                place: fact.place,
                slip: fact.slip.clone(),
                is_new: fact.replaces.as_ref() == Some(slip),
                counts: counts.contains(&fact.place.fact),
            })
            .collect();
        SlipCase {
            slip: slip.clone(),
            holder: self.winners.get(slip).copied(),
            lines,
            doubled: replacing > 1 || members.len() - replacing > 1,
        }
    }
}

/// Who wins a family in which nobody was fixed to count.
fn unpinned_winner<'a>(slip: &SlipKey, members: &[&'a SlipFact]) -> Option<&'a SlipFact> {
    let candidates = || members.iter().filter(|fact| fact.pin != Some(false));
    let last_new =
        candidates().filter(|fact| fact.replaces.as_ref() == Some(slip)).max_by_key(|fact| fact.place);
    last_new.or_else(|| candidates().min_by_key(|fact| fact.place)).copied()
}

/// Facts that a person let count stand for their slip first, those taken out last.
fn rank(pin: Option<bool>) -> u8 {
    match pin {
        Some(true) => 0,
        None => 1,
        Some(false) => 2,
    }
}

#[cfg(test)]
mod tests;
