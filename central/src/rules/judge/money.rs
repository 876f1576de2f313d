//! Stored value (section "The ledger", last item; rule H4): undoing a top-up, and giving back what was paid for goods.
//!
//! Paying out cash is a spend like any other, from a lease. A top-up may be undone at the same terminal in the same
//! shift, while the centre has not got it or answers that what is available covers it; else a person does it, and what
//! is not there is owed. Goods bought with stored value and returned are a credit, once per slip of the sale. When money
//! paid in may be spent is [`super::issue::spendable`].
//!
//! Invariant: a slip is paid back once, and never with more than was paid on it where that is known. Out of scope: the
//! cash drawer, and sales undone as a whole, which are reversals of their fact.

use std::collections::BTreeMap;

use hufu_shared::fact::SlipKey;
use hufu_shared::ids::FactId;
use hufu_shared::money::Amount;

use super::order::Place;
use super::reversal::{FromMember, from_member};
use super::share::PinError;

/// A wish to undo a top-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoAsked {
    /// It was taken at this very terminal, in the same enrolment.
    pub same_terminal: bool,
    /// No day was closed in between ([`is_same_shift`]).
    pub same_shift: bool,
    /// The centre has it.
    pub is_acked: bool,
    /// How much was paid in.
    pub amount: Amount,
    /// What the centre says is available now; none while it cannot be asked.
    pub available: Option<Amount>,
}

/// Why a top-up is undone only by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeedsAdmin {
    /// It was taken at another terminal.
    OtherTerminal,
    /// The shift in which it was taken is closed and counted.
    OtherShift,
    /// The centre has it and cannot be asked.
    NotReached,
    /// Part of it is spent or set aside already.
    NotCovered,
}

/// Whether the desk may undo a top-up by itself.
///
/// # Errors
/// [`NeedsAdmin`] with the first reason why not.
pub fn may_undo(asked: UndoAsked) -> Result<(), NeedsAdmin> {
    if !asked.same_terminal {
        return Err(NeedsAdmin::OtherTerminal);
    }
    if !asked.same_shift {
        return Err(NeedsAdmin::OtherShift);
    }
    match (asked.is_acked, asked.available) {
        (false, _) => Ok(()),
        (true, None) => Err(NeedsAdmin::NotReached),
        (true, Some(available)) if available < asked.amount => Err(NeedsAdmin::NotCovered),
        (true, Some(_)) => Ok(()),
    }
}

/// Whether two facts of one enrolment lie in one shift: no day was closed between them.
#[must_use]
pub fn is_same_shift(one_seq: u64, other_seq: u64, day_closed_seqs: &[u64]) -> bool {
    let (first, last) = (one_seq.min(other_seq), one_seq.max(other_seq));
    !day_closed_seqs.iter().any(|closed| (first..=last).contains(closed))
}

/// An undo of a top-up as it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undone {
    /// At the terminal of the top-up, in the same enrolment.
    pub same_terminal: bool,
    /// In its shift.
    pub same_shift: bool,
    /// How much it takes back, judged as a reversal ([`super::reversal::judge`]).
    pub amount: Amount,
    /// What a person fixed: it counts, or it does not.
    pub pin: Option<bool>,
}

/// What an undo has for an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// It takes from the member; what is not there is owed (kind 24).
    Takes(FromMember),
    /// It waits for a person.
    Held(NeedsAdmin),
    /// A person said that it has no effect.
    Nothing,
}

/// Judges an undo: cash was handed out, so where the terminal kept the rule it counts whatever is available.
#[must_use]
pub fn judge_undo(undone: Undone, available: Amount) -> Undo {
    match undone.pin {
        Some(false) => Undo::Nothing,
        None if !undone.same_terminal => Undo::Held(NeedsAdmin::OtherTerminal),
        None if !undone.same_shift => Undo::Held(NeedsAdmin::OtherShift),
        Some(true) | None => Undo::Takes(from_member(undone.amount, available)),
    }
}

/// Goods returned that were paid for with stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// Which fact, and when.
    pub place: Place,
    /// The slip of the sale.
    pub slip: Option<SlipKey>,
    /// Fen to give back.
    pub amount: Amount,
    /// What a person fixed: it counts, or it does not.
    pub pin: Option<bool>,
}

/// What a return gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// A credit of so many fen.
    Credit {
        /// How much.
        gives: Amount,
        /// It asked for more than was paid on the slip; the case of kind 31 shows it.
        is_cut: bool,
    },
    /// Another return of the same slip counts (kind 32).
    OtherCounts(FactId),
    /// There is no slip to hold it against: it waits for a person.
    NoSlip,
    /// A person said that it has no effect.
    Nothing,
}

/// Judges all returns of some slips. `paid` says what was paid with stored value on a slip, where that is known.
#[must_use]
pub fn judge_returns(returns: &[Return], paid: &BTreeMap<SlipKey, Amount>) -> BTreeMap<FactId, Returned> {
    let mut counts: BTreeMap<&SlipKey, &Return> = BTreeMap::new();
    for (slip, row) in with_slip(returns).filter(|(_, row)| row.pin != Some(false)) {
        let best = counts.entry(slip).or_insert(row);
        if rank(row) < rank(best) {
            *best = row;
        }
    }
    let judge = |row: &Return| match (&row.slip, row.pin) {
        (_, Some(false)) => Returned::Nothing,
        (None, None) => Returned::NoSlip,
        (None, Some(true)) => credit(row, None),
        (Some(slip), _) => match counts.get(slip) {
            Some(best) if best.place != row.place => Returned::OtherCounts(best.place.fact),
            _ => credit(row, paid.get(slip).copied()),
        },
    };
    returns.iter().map(|row| (row.place.fact, judge(row))).collect()
}

/// Checks pins before a verdict is saved.
///
/// # Errors
/// [`PinError::OneOnly`] where two returns of one slip would count.
pub fn check_returns(returns: &[Return]) -> Result<(), PinError> {
    let mut sorted: Vec<(&SlipKey, &Return)> =
        with_slip(returns).filter(|(_, row)| row.pin == Some(true)).collect();
    sorted.sort_by_key(|(slip, row)| (*slip, row.place));
    match sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(PinError::OneOnly { first: pair[0].1.place.fact, second: pair[1].1.place.fact }),
        None => Ok(()),
    }
}

fn with_slip(returns: &[Return]) -> impl Iterator<Item = (&SlipKey, &Return)> {
    returns.iter().filter_map(|row| Some((row.slip.as_ref()?, row)))
}

/// Pinned before unpinned, then the earliest.
fn rank(row: &Return) -> (bool, Place) {
    (row.pin.is_none(), row.place)
}

fn credit(row: &Return, paid: Option<Amount>) -> Returned {
    let asks = row.amount.max(Amount::ZERO);
    let gives = paid.map_or(asks, |paid| asks.min(paid.max(Amount::ZERO)));
    Returned::Credit { gives, is_cut: gives < asks }
}

#[cfg(test)]
mod tests;
