//! Members that turned out to be one person (kind 11), and back again.
//!
//! A merge is a link from one id to its successor; each fact keeps its original id, so a link taken away later leaves
//! nothing to guess. What was available or owed moves at once, with what is owed paid first. A lease stays with the
//! account that it was granted from and is found by its id; what it returns goes to whoever survives. Rights to be used
//! once are judged anew for the pair, and goods already handed over are only listed.
//!
//! Unmerging attributes by original id; what a side lacks goes to its `owed` and is listed before anybody confirms.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::Instant;

use super::order::Place;

/// What an act did to the links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkAct {
    /// One member goes on as another.
    Merged {
        /// Who goes.
        from: MemberId,
        /// Who stays.
        into: MemberId,
    },
    /// A merge was undone.
    Unmerged {
        /// Who had gone.
        from: MemberId,
    },
}

/// Who goes on as whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    next: BTreeMap<MemberId, MemberId>,
}

/// Why members cannot be merged or unmerged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// They are one already.
    #[error("member {member} cannot be merged with itself")]
    Same {
        /// Who.
        member: MemberId,
    },
    /// A part of another member now.
    #[error("member {member} was merged into {survivor}: choose {survivor} instead")]
    Gone {
        /// Who.
        member: MemberId,
        /// Who goes on in its place.
        survivor: MemberId,
    },
    /// Nothing is left to merge.
    #[error("member {member} was erased and cannot be merged or unmerged")]
    Erased {
        /// Who.
        member: MemberId,
    },
    /// There is no merge to undo.
    #[error("member {member} was not merged into another")]
    NotMerged {
        /// Who.
        member: MemberId,
    },
}

impl Links {
    /// The links after all acts, in order of their instants. An act that could not have been saved changes nothing.
    #[must_use]
    pub fn of(acts: &[(Instant, LinkAct)]) -> Self {
        let mut ordered = acts.to_vec();
        ordered.sort_unstable();
        let mut links = Self::default();
        for (_, act) in ordered {
            links = match act {
                LinkAct::Merged { from, into } if links.check_merge(from, into, &BTreeSet::new()).is_ok() => {
                    links.merged(from, into)
                }
                LinkAct::Unmerged { from } => links.unmerged(from),
                LinkAct::Merged { .. } => links,
            };
        }
        links
    }

    /// Who goes on in place of a member: itself, if nobody.
    #[must_use]
    pub fn survivor(&self, member: MemberId) -> MemberId {
        let mut at = member;
        // Links are only made between survivors, so there is no circle; the bound holds should that ever be untrue.
        for _ in 0..=self.next.len() {
            match self.next.get(&at) {
                Some(next) => at = *next,
                None => return at,
            }
        }
        at
    }

    /// Whether a member's facts are those of another, directly or over others.
    #[must_use]
    pub fn is_part_of(&self, original: MemberId, whole: MemberId) -> bool {
        let mut at = original;
        for _ in 0..=self.next.len() {
            if at == whole {
                return true;
            }
            let Some(next) = self.next.get(&at) else { return false };
            at = *next;
        }
        false
    }

    /// The links with one more.
    #[must_use]
    pub fn merged(&self, from: MemberId, into: MemberId) -> Self {
        let mut links = self.clone();
        links.next.insert(from, into);
        links
    }

    /// The links with one less.
    #[must_use]
    pub fn unmerged(&self, from: MemberId) -> Self {
        let mut links = self.clone();
        links.next.remove(&from);
        links
    }

    /// Whether two members can be merged.
    ///
    /// # Errors
    /// [`MergeError`] naming who stands in the way.
    pub fn check_merge(
        &self,
        from: MemberId,
        into: MemberId,
        erased: &BTreeSet<MemberId>,
    ) -> Result<(), MergeError> {
        if from == into {
            return Err(MergeError::Same { member: from });
        }
        for member in [from, into] {
            if erased.contains(&member) {
                return Err(MergeError::Erased { member });
            }
            let survivor = self.survivor(member);
            if survivor != member {
                return Err(MergeError::Gone { member, survivor });
            }
        }
        Ok(())
    }

    /// Whether a merge can be undone.
    ///
    /// # Errors
    /// [`MergeError`] if there is none, or one side was erased.
    pub fn check_unmerge(&self, from: MemberId, erased: &BTreeSet<MemberId>) -> Result<(), MergeError> {
        if !self.next.contains_key(&from) {
            return Err(MergeError::NotMerged { member: from });
        }
        match [from, self.survivor(from)].into_iter().find(|member| erased.contains(member)) {
            Some(member) => Err(MergeError::Erased { member }),
            None => Ok(()),
        }
    }
}

/// What a member has of a unit; never both above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holding {
    /// What may be used, zero or more.
    pub available: Amount,
    /// What is owed, zero or more.
    pub owed: Amount,
}

impl Holding {
    /// Available less owed.
    #[must_use]
    pub fn net(self) -> i64 {
        self.available.0.saturating_sub(self.owed.0)
    }
}

/// An account of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// What the member may use.
    Available(MemberId),
    /// What the member owes: a debit makes it more, a credit less.
    Owed(MemberId),
}

/// A posting to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Of what.
    pub unit: Unit,
    /// Taken from.
    pub debit: Side,
    /// Given to.
    pub credit: Side,
    /// How much, above zero.
    pub amount: Amount,
}

/// What moves when `from` goes on as `into`.
#[must_use]
pub fn plan_merge(
    from: (MemberId, &BTreeMap<Unit, Holding>),
    into: (MemberId, &BTreeMap<Unit, Holding>),
) -> Vec<Shift> {
    let of =
        |holdings: &BTreeMap<Unit, Holding>, unit: Unit| holdings.get(&unit).copied().unwrap_or_default();
    let mut shifts = Vec::new();
    for unit in Unit::ALL {
        let gone = of(from.1, unit);
        let moved = give(unit, gone.available.0, Side::Available(from.0), into.0, of(into.1, unit).owed.0);
        let charged = charge(unit, gone.owed.0, Side::Owed(from.0), into.0, of(into.1, unit).available.0);
        shifts.extend(moved.into_iter().chain(charged));
    }
    shifts
}

/// Gives an amount to a member: what the member owes is paid first.
fn give(unit: Unit, amount: i64, debit: Side, to: MemberId, owes: i64) -> Vec<Shift> {
    let paid = amount.min(owes).max(0);
    shifts(unit, [(debit, Side::Owed(to), paid), (debit, Side::Available(to), amount.saturating_sub(paid))])
}

/// Takes an amount from a member: what is not there is owed.
fn charge(unit: Unit, amount: i64, credit: Side, from: MemberId, has: i64) -> Vec<Shift> {
    let taken = amount.min(has).max(0);
    shifts(
        unit,
        [(Side::Available(from), credit, taken), (Side::Owed(from), credit, amount.saturating_sub(taken))],
    )
}

fn shifts(unit: Unit, rows: [(Side, Side, i64); 2]) -> Vec<Shift> {
    let positive = rows.into_iter().filter(|row| row.2 > 0);
    positive.map(|(debit, credit, amount)| Shift { unit, debit, credit, amount: Amount(amount) }).collect()
}

/// Something that a member got or gave, by the id that the fact or act itself names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Whose it was when it was recorded.
    pub original: MemberId,
    /// Of what.
    pub unit: Unit,
    /// How much; below zero for what was given.
    pub amount: i64,
}

/// What undoing a merge does, shown before anybody confirms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unmerge {
    /// What moves.
    pub shifts: Vec<Shift>,
    /// What a side will owe that it did not owe before.
    pub lacking: Vec<(MemberId, Unit, Amount)>,
}

/// Plans the undoing of a merge of `leaving`, whose survivor has `holdings`. `effects` are all that the leaving side ever
/// brought, got and gave, but for the shifts of merges; a spend settled from a lease of the other side is one of them.
/// Everything else stays with the survivor, so nothing is made or lost.
#[must_use]
pub fn plan_unmerge(
    links: &Links,
    leaving: MemberId,
    effects: &[Effect],
    holdings: &BTreeMap<Unit, Holding>,
) -> Unmerge {
    let survivor = links.survivor(leaving);
    let mut plan = Unmerge::default();
    for unit in Unit::ALL {
        let own = effects.iter().filter(|effect| effect.unit == unit);
        let own = own.filter(|effect| links.is_part_of(effect.original, leaving));
        let share = own.fold(0_i64, |sum, effect| sum.saturating_add(effect.amount));
        let held = holdings.get(&unit).copied().unwrap_or_default();
        let (shifts, short) = if share >= 0 {
            let shifts = charge(unit, share, Side::Available(leaving), survivor, held.available.0);
            (shifts, (survivor, share.saturating_sub(held.available.0)))
        } else {
            let due = share.saturating_neg();
            (give(unit, due, Side::Owed(leaving), survivor, held.owed.0), (leaving, due))
        };
        plan.shifts.extend(shifts);
        plan.lacking.extend((short.1 > 0).then_some((short.0, unit, Amount(short.1))));
    }
    plan
}

/// One use of a right that everybody has once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RightUse {
    /// When, and by which fact.
    pub place: Place,
    /// Who used it, as the fact names them.
    pub original: MemberId,
    /// Which right: the hash of what it is about.
    pub right: Hash,
    /// What a person fixed: it counts, or it does not.
    pub pin: Option<bool>,
}

/// Uses beyond the one that counts, per survivor and right: pinned ones count first, then the earliest.
#[must_use]
pub fn used_again(links: &Links, uses: &[RightUse]) -> BTreeSet<FactId> {
    let mut ordered: Vec<&RightUse> = uses.iter().filter(|used| used.pin != Some(false)).collect();
    ordered.sort_by_key(|used| (used.pin != Some(true), used.place));
    let mut counted = BTreeSet::new();
    let again = ordered.iter().filter(|used| !counted.insert((links.survivor(used.original), used.right)));
    again.map(|used| used.place.fact).collect()
}

/// Uses that a change of links makes the second of their right: listed before it is confirmed, never taken back.
#[must_use]
pub fn clashes(before: &Links, after: &Links, uses: &[RightUse]) -> BTreeSet<FactId> {
    &used_again(after, uses) - &used_again(before, uses)
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
