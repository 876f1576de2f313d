//! Reversals: how much of a value fact is taken back (kinds 31 and 24, rules S8 and B3).
//!
//! The effect on an original is, per leg, round(what it gave × min(1, returned so far)), where "returned" is the sum of
//! what the counting reversals name, as a share of what the original says. So it depends on the set alone; time only
//! decides which reversal shows the cut, and it follows the original when that is judged anew (another rate, a cap).
//!
//! A reversal without its original is held until that comes; one beyond it is cut, with a case; a reversal never names
//! a reversal (to undo a return, the sale is recorded again) and is held.
//!
//! What a person at the centre took back of the same original is one more of its reversals, and the first: money was
//! handed over or a member was told, so terminals share what that leaves. One that its terminal had no right to make
//! takes nothing, unless a person lets it count.
//!
//! Where the scheme leaves the points of goods that come back (S8), their reversal names its share all the same and takes
//! nothing: what a mistake takes back beside it is within what is left.
//!
//! Who gets it: the reversal of an earn first cancels what of the earn is held or in suspense, then takes from the
//! member ([`taken_from_earn`]; available before owed is the ledger's). The reversal of a spend goes back to whoever
//! bears its legs ([`given_back`]), never to the lease.
//!
//! Invariant: per leg the effects of all reversals lie between zero and what the original gave, and are all of it once
//! all is returned.

use std::collections::BTreeMap;

use hufu_shared::ids::FactId;
use hufu_shared::money::{Amount, Leg, Unit, add_leg};
use hufu_shared::mutant::{self, Mutant};

use super::order::Place;
use super::share::{self, Claim, PinError};

/// The fact that is to be reversed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// It is itself a reversal.
    pub is_reversal: bool,
    /// What it says: legs promised, spent or paid in. A unit that it does not name but gave counts as what it gave.
    pub says: Vec<Leg>,
    /// What it gave or took in the end, all verdicts but reversals in; nothing for one that does not count.
    pub gave: Vec<Leg>,
    /// What a person at the centre took back of it; it comes before all that terminals record.
    pub at_desk: Vec<Leg>,
}

/// A reversal of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// Which fact, and when.
    pub place: Place,
    /// How much of the original it names.
    pub legs: Vec<Leg>,
    /// What a person fixed: it counts in full, or not at all.
    pub pin: Option<bool>,
    /// Its terminal may not reverse this original: it counts only if a person says so.
    pub is_refused: bool,
    /// Goods came back whose points stay with the member: it has its share, and takes nothing.
    pub leaves_points: bool,
}

impl Reversal {
    /// Whether it takes nothing because its terminal had no right to make it.
    #[must_use]
    pub fn stays_refused(&self) -> bool {
        self.is_refused && self.pin.is_none()
    }
}

/// Why a reversal waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Its original is not here, or not readable.
    NoOriginal,
    /// It names a reversal.
    OfReversal,
}

/// What becomes of one reversal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// What it takes back of the original, one leg per unit, sorted, none of zero.
    pub legs: Vec<Leg>,
    /// It names more than was left: the case shows it here.
    pub is_cut: bool,
}

/// What becomes of all reversals of one original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reversals {
    /// All wait; they take nothing back yet. A case of kind 31 is open.
    Held(Held),
    /// They take back.
    Judged {
        /// Each reversal's part.
        each: BTreeMap<FactId, Effect>,
        /// All together, with what the centre's desk took back; one leg per unit, sorted, none of zero.
        total: Vec<Leg>,
    },
}

/// Judges all reversals of one original; `None` while it is not here.
#[must_use]
pub fn judge(original: Option<&Original>, reversals: &[Reversal]) -> Reversals {
    let original = match original {
        None => return Reversals::Held(Held::NoOriginal),
        Some(original) if original.is_reversal => return Reversals::Held(Held::OfReversal),
        Some(original) => original,
    };
    let mut sorted: Vec<&Reversal> = reversals.iter().collect();
    sorted.sort_by_key(|reversal| reversal.place);
    let mut each: BTreeMap<FactId, Effect> =
        sorted.iter().map(|reversal| (reversal.place.fact, Effect::default())).collect();
    let mut total = Vec::new();
    for unit in Unit::ALL {
        let (gave, claims) = (leg_of(&original.gave, unit), claims_of(&sorted, unit));
        let whole = whole_of(original, unit);
        let at_desk = at_desk_of(original, unit, whole);
        let allotted = share::share(left_by(whole, at_desk), &claims);
        let mut returned = i128::from(at_desk.0);
        let mut effect_before = rounded(gave, returned, whole);
        for (claim, reversal) in claims.iter().zip(&sorted) {
            let mut part = allotted.get(&claim.place.fact).copied().unwrap_or_default();
            if mutant::on(Mutant::ReversalBeyondOriginal) {
                part = claim.wants;
            }
            returned += if reversal.leaves_points { 0 } else { i128::from(part.0) };
            let effect = rounded(gave, returned, whole);
            if let Some(to) = each.get_mut(&claim.place.fact) {
                push(&mut to.legs, unit, effect - effect_before);
                to.is_cut |= claim.pin != Some(Amount::ZERO) && part < claim.wants;
            }
            effect_before = effect;
        }
        push(&mut total, unit, effect_before);
    }
    Reversals::Judged { each, total }
}

/// Checks pins before a verdict is saved: what they let count must lie within the original.
///
/// # Errors
/// [`PinError::OverBound`] of the unit and fact that pass it.
pub fn check(original: &Original, reversals: &[Reversal]) -> Result<(), PinError> {
    let sorted: Vec<&Reversal> = reversals.iter().collect();
    Unit::ALL.into_iter().try_for_each(|unit| {
        let whole = whole_of(original, unit);
        share::check(left_by(whole, at_desk_of(original, unit, whole)), &claims_of(&sorted, unit))
    })
}

/// How much of an original its reversals return, as a share of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// What is returned, from zero to `whole`.
    pub part: Amount,
    /// The whole; zero where nothing can be returned.
    pub whole: Amount,
}

impl Share {
    /// Its share of an amount, half up: between zero and the amount, and all of it once all is returned.
    #[must_use]
    pub fn of(self, amount: Amount) -> Amount {
        share::narrow(rounded(amount, i128::from(self.part.0.max(0).min(self.whole.0)), self.whole))
    }
}

/// The share of one unit that reversals take back, whatever the original gives in the end; what a cap still leaves to
/// others depends on it ([`super::cap`]).
#[must_use]
pub fn returned(original: &Original, reversals: &[Reversal], unit: Unit) -> Share {
    let whole = whole_of(original, unit);
    if original.is_reversal {
        return Share { part: Amount::ZERO, whole };
    }
    let sorted: Vec<&Reversal> = reversals.iter().collect();
    let at_desk = at_desk_of(original, unit, whole);
    let allotted = share::share(left_by(whole, at_desk), &claims_of(&sorted, unit));
    let taking = sorted.iter().filter(|reversal| !reversal.leaves_points);
    let parts = taking.filter_map(|reversal| allotted.get(&reversal.place.fact)).chain([&at_desk]);
    Share { part: share::narrow(parts.map(|part| i128::from(part.0)).sum()), whole }
}

/// By which unit the returns of an earn are measured: what it says, else what it gave, points before growth. Goods come
/// back once: the part that is returned by it is the part of everything that the earn gave.
#[must_use]
pub fn measure(original: &Original) -> Unit {
    let units = [Unit::Pts, Unit::Growth];
    let found = [&original.says, &original.gave]
        .into_iter()
        .find_map(|legs| units.into_iter().find(|unit| leg_of(legs, *unit).is_positive()));
    found.unwrap_or(Unit::Pts)
}

/// Where the reversal of an earn takes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenFromEarn {
    /// Cancelled where it is held or in suspense; the member never had it.
    pub cancelled: Amount,
    /// Taken from the member: available first, the rest to owed.
    pub from_member: Amount,
}

/// Splits what is taken back of an earn of which `held` never reached the member.
#[must_use]
pub fn taken_from_earn(effect: Amount, held: Amount) -> TakenFromEarn {
    let effect = effect.max(Amount::ZERO);
    let cancelled = effect.min(held.max(Amount::ZERO));
    // 0 <= cancelled <= effect.
    TakenFromEarn { cancelled, from_member: Amount(effect.0 - cancelled.0) }
}

/// Gives what is taken back of a spend to those who bear it, in the order given (the member first), each up to what
/// they bear. What nobody bears is given to nobody.
#[must_use]
pub fn given_back<B: Copy>(effect: Amount, bearers: &[(B, Amount)]) -> Vec<(B, Amount)> {
    let mut left = effect.max(Amount::ZERO);
    let mut given = Vec::new();
    for (bearer, bears) in bearers {
        let bears = if mutant::on(Mutant::ReversalToAsker) { left } else { *bears };
        let part = left.min(bears.max(Amount::ZERO));
        if part.is_positive() {
            left = Amount(left.0 - part.0);
            given.push((*bearer, part));
        }
    }
    given
}

/// What a reversal takes from a member: what is there, the rest is owed (kind 24).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FromMember {
    /// From available.
    pub available: Amount,
    /// Added to owed; above zero it opens a case of kind 24.
    pub owed: Amount,
}

/// Splits what is taken from a member who has `available`.
#[must_use]
pub fn from_member(takes: Amount, available: Amount) -> FromMember {
    let takes = takes.max(Amount::ZERO);
    let there = takes.min(available.max(Amount::ZERO));
    FromMember { available: there, owed: Amount(takes.0 - there.0) }
}

/// What the original's leg is a whole of.
fn whole_of(original: &Original, unit: Unit) -> Amount {
    let says = leg_of(&original.says, unit);
    if says.is_positive() { says } else { leg_of(&original.gave, unit).max(Amount::ZERO) }
}

/// What the centre's desk took back of the whole.
fn at_desk_of(original: &Original, unit: Unit, whole: Amount) -> Amount {
    leg_of(&original.at_desk, unit).clamp(Amount::ZERO, whole.max(Amount::ZERO))
}

/// What that leaves to terminals.
fn left_by(whole: Amount, at_desk: Amount) -> Amount {
    // 0 <= at_desk <= whole, where there is a whole at all.
    Amount(whole.0.saturating_sub(at_desk.0))
}

/// What each reversal claims of a unit, in order of time.
fn claims_of(sorted: &[&Reversal], unit: Unit) -> Vec<Claim> {
    let claim = |reversal: &&Reversal| {
        let wants = leg_of(&reversal.legs, unit).max(Amount::ZERO);
        let counts = if reversal.stays_refused() { Some(false) } else { reversal.pin };
        let pin = counts.map(|counts| if counts { wants } else { Amount::ZERO });
        Claim { place: reversal.place, wants, pin }
    };
    sorted.iter().map(claim).collect()
}

fn leg_of(legs: &[Leg], unit: Unit) -> Amount {
    share::narrow(legs.iter().filter(|leg| leg.unit == unit).map(|leg| i128::from(leg.amount.0)).sum())
}

/// `gave × returned / whole`, half up, with `0 <= returned <= whole`; so it lies between 0 and `gave`.
fn rounded(gave: Amount, returned: i128, whole: Amount) -> i128 {
    let (gave, whole) = (i128::from(gave.0.max(0)), i128::from(whole.0));
    if whole <= 0 { 0 } else { (2 * gave * returned + whole) / (2 * whole) }
}

fn push(legs: &mut Vec<Leg>, unit: Unit, amount: i128) {
    let amount = share::narrow(amount);
    if amount.is_positive() {
        // One leg per unit: there is nothing to add to.
        let _ = add_leg(legs, Leg { unit, amount });
    }
}

#[cfg(test)]
mod tests;
