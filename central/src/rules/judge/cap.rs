//! What bounds a member's earns over each other (kind 23): the club's caps over all offices, and of each rule of the scheme
//! its own cap in a calendar period, and whether it gives only once.
//!
//! The club's caps are for whatever they cover. A rule's bounds count what that rule gave, by its number and the goods that
//! it is for, whichever version rated them; the cap of the only rule of its version counts all earns of the sort.
//!
//! What stood when its day was settled stands. What people let count goes before the rest, as far as the bounds leave;
//! then each earn in order of time gets what every bound still leaves. So the later one is cut, whichever arrived first,
//! and the cut is a linked entry against it; of a rule that gives only once the first one gives. The period of an earn is
//! that of its business day at its own office. What reversals return of an earn frees room for later ones.
//!
//! Invariant: no bound is passed by what members keep, but where what was settled passes it. Out of scope: what an earn is
//! worth, and limits on spending (kind 33).

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::ids::{FactId, Hash, OfficeId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::{EarnCap, EarnEvent, Period};
use hufu_shared::scheme::earning::{Once, RuleCap};
use hufu_shared::time::Day;

use super::order::Place;
use super::reversal::Share;
use super::share;

/// For how long a bound counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// A calendar period.
    In(Period),
    /// A member's life.
    Ever,
}

impl Span {
    /// In which span a rule gives once; none for one that gives every time.
    #[must_use]
    pub fn of(once: Once) -> Option<Self> {
        match once {
            Once::No => None,
            Once::Ever => Some(Self::Ever),
            Once::In(period) => Some(Self::In(period)),
        }
    }

    /// The first day of the span that holds a day: the same for all days of one.
    #[must_use]
    pub fn first_day(self, day: Day) -> Day {
        match self {
            Self::In(period) => period.first_day(day),
            Self::Ever => Day(i32::MIN),
        }
    }
}

/// What the cap of a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// All earns of the sort.
    All,
    /// What the rule itself gave.
    Rule,
}

/// What was fixed of an earn before anything is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// So much stood when its day was settled.
    Stood(Amount),
    /// A person let it count.
    Counts,
}

/// What one rule gives of one unit for one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earn {
    /// Which fact, and when.
    pub place: Place,
    /// Its business day.
    pub day: Day,
    /// At which office.
    pub office: OfficeId,
    /// What it was for.
    pub event: EarnEvent,
    /// What is earned.
    pub unit: Unit,
    /// Its place among all that the fact earns.
    pub at: usize,
    /// The rule that rated it ([`rule_name`]).
    pub rule: Hash,
    /// How much, all other verdicts in, reversals not taken off; less than zero counts as nothing.
    pub amount: Amount,
    /// What reversals return of the fact.
    pub returned: Share,
    /// What was fixed of the fact.
    pub pin: Option<Pin>,
    /// The cap of its rule.
    pub cap: Option<(RuleCap, Counts)>,
    /// The span in which its rule gives once.
    pub once: Option<Span>,
}

/// What an earn gives under its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capped {
    /// How much it gives, reversals not taken off.
    pub gives: Amount,
    /// How much of that the member keeps; the difference is the effect of its reversals (kind 31).
    pub keeps: Amount,
    /// What caps cut off; above zero it stands in a case of kind 23. What a rule does not give again is none of it.
    pub cut: Amount,
}

/// The name of a rule, by its number and the goods that it is for: it outlasts a new version.
#[must_use]
pub fn rule_name((number, of): &(String, Option<String>)) -> Hash {
    // Neither a number nor a code holds a zero byte.
    Hash::of(&[b"hufu-earn-rule", number.as_bytes(), &[0], of.as_deref().unwrap_or_default().as_bytes()])
}

/// Judges all earns of one member; the answer is by fact and place in it.
#[must_use]
pub fn judge(caps: &[EarnCap], earns: &[Earn]) -> BTreeMap<(FactId, usize), Capped> {
    let mut used = Used::of(earns);
    let mut capped = BTreeMap::new();
    // What the parts before gave of the same unit of the same fact: reversals return a share of the sum.
    let mut sum = (None, Amount::ZERO);
    for earn in in_order(earns) {
        let wants = earn.amount.max(Amount::ZERO);
        let due = if used.has_given(earn) { Amount::ZERO } else { wants };
        let (gives, cut) = match earn.pin {
            Some(Pin::Stood(stood)) => (stood.clamp(Amount::ZERO, wants), Amount::ZERO),
            Some(Pin::Counts) | None => {
                let gives = due.min(used.left(caps, earn));
                (gives, Amount(due.0 - gives.0))
            }
        };
        let of = Some((earn.place.fact, earn.unit));
        let before = if sum.0 == of { sum.1 } else { Amount::ZERO };
        let after = Amount(before.0.saturating_add(gives.0));
        sum = (of, after);
        // 0 <= gives <= wants, and what is kept of a sum never falls when the sum grows.
        let kept = |of: Amount| of.0 - earn.returned.of(of).0;
        let keeps = Amount(kept(after) - kept(before));
        used.add(caps, earn, keeps);
        capped.insert((earn.place.fact, earn.at), Capped { gives, keeps, cut });
    }
    capped
}

/// A cap of the club, by its place in the policy, in one period.
type Key = (usize, Day);

/// What a bound of a rule counts: all earns of a sort or those of one rule, for how long.
type Counted = (Option<Hash>, Span);

/// What is kept so far under each cap of the club in each period, and of what bounds of rules count.
struct Used {
    caps: BTreeMap<Key, i128>,
    counted: BTreeSet<Counted>,
    sums: BTreeMap<(Counted, Unit, EarnEvent, Day), i128>,
}

impl Used {
    fn of(earns: &[Earn]) -> Self {
        let counted = earns.iter().flat_map(|earn| {
            let cap = earn.cap.map(|(cap, counts)| capped_by(earn, cap, counts));
            cap.into_iter().chain(earn.once.map(|span| (Some(earn.rule), span)))
        });
        Self { caps: BTreeMap::new(), counted: counted.collect(), sums: BTreeMap::new() }
    }

    /// What is kept so far of what a bound of an earn's rule counts.
    fn sum(&self, earn: &Earn, counted: Counted) -> i128 {
        self.sums.get(&sort(earn, counted)).copied().unwrap_or(0)
    }

    /// Whether the rule of an earn gives only once, and has.
    fn has_given(&self, earn: &Earn) -> bool {
        earn.once.is_some_and(|span| self.sum(earn, (Some(earn.rule), span)) > 0)
    }

    fn left(&self, caps: &[EarnCap], earn: &Earn) -> Amount {
        let used = |key: &Key| self.caps.get(key).copied().unwrap_or(0);
        let left = |(key, cap): (Key, &EarnCap)| (i128::from(cap.most.0) - used(&key)).max(0);
        let own = earn.cap.map(|(cap, counts)| {
            (i128::from(cap.most) - self.sum(earn, capped_by(earn, cap, counts))).max(0)
        });
        covering(caps, earn).map(left).chain(own).min().map_or(Amount(i64::MAX), share::narrow)
    }

    fn add(&mut self, caps: &[EarnCap], earn: &Earn, keeps: Amount) {
        for (key, _) in covering(caps, earn) {
            *self.caps.entry(key).or_insert(0) += i128::from(keeps.0);
        }
        for counted in &self.counted {
            if counted.0.is_none_or(|rule| rule == earn.rule) {
                *self.sums.entry(sort(earn, *counted)).or_insert(0) += i128::from(keeps.0);
            }
        }
    }
}

fn capped_by(earn: &Earn, cap: RuleCap, counts: Counts) -> Counted {
    ((counts == Counts::Rule).then_some(earn.rule), Span::In(cap.period))
}

fn sort(earn: &Earn, counted: Counted) -> (Counted, Unit, EarnEvent, Day) {
    (counted, earn.unit, earn.event, counted.1.first_day(earn.day))
}

fn covering<'a>(caps: &'a [EarnCap], earn: &Earn) -> impl Iterator<Item = (Key, &'a EarnCap)> {
    let Earn { unit, event, office, day, .. } = *earn;
    caps.iter()
        .enumerate()
        .filter(move |(_, cap)| cap.covers(unit, event, office))
        .map(move |(at, cap)| ((at, cap.period.first_day(day)), cap))
}

/// What was settled first, then what people let count, then the rest; each in order of time, a fact's units and parts in
/// their own order.
fn in_order(earns: &[Earn]) -> Vec<&Earn> {
    let turn = |pin: Option<Pin>| match pin {
        Some(Pin::Stood(_)) => 0,
        Some(Pin::Counts) => 1,
        None => 2,
    };
    let mut sorted: Vec<&Earn> = earns.iter().collect();
    sorted.sort_unstable_by_key(|earn| (turn(earn.pin), earn.place, earn.unit, earn.at));
    sorted
}

#[cfg(test)]
#[path = "cap_tests.rs"]
mod tests;
