//! The end of a business day at a terminal: its range of facts and what they come to.
//!
//! The terminal and the centre each reckon the totals from the facts themselves ([`crate::rules::totals`]). Out of
//! scope: what follows where the two do not agree.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::money::{Amount, Leg};
use crate::time::Day;

/// A terminal's own account of a day, computed from its journal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct DayClosed {
    /// The business day.
    #[n(0)]
    pub day: Day,
    /// First seq that it covers.
    #[n(1)]
    pub from_seq: u64,
    /// Last seq that it covers, the one before this fact.
    #[n(2)]
    pub to_seq: u64,
    /// What the facts in that range come to.
    #[n(3)]
    pub totals: DayTotals,
    /// Nobody handed over: the terminal closed by itself at the cut-off (未人工交班). Confirms no money.
    #[n(4)]
    #[cbor(default)]
    pub unattended: bool,
    /// What was counted, if it was.
    #[n(5)]
    pub counted: Option<Counted>,
}

/// What a person counted at the start or the end of a shift.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Counted {
    /// Fen in the drawer.
    #[n(0)]
    pub cash: Amount,
    /// Gifts on the shelf.
    #[n(1)]
    pub gifts: u32,
    /// Cards that belong to nobody yet.
    #[n(2)]
    pub blank_cards: u32,
    /// Fen that the terminal expected in the drawer; none at the start.
    #[n(3)]
    pub cash_expected: Option<Amount>,
    /// Gifts that the terminal expected on the shelf; none at the start.
    #[n(4)]
    pub gifts_expected: Option<u32>,
    /// Dictionary code of the reason of a difference; none without one.
    #[n(5)]
    pub reason: Option<String>,
    /// Blank cards that the terminal expected; none at the start.
    #[n(6)]
    pub blank_cards_expected: Option<u32>,
}

/// Sums over a range of facts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct DayTotals {
    /// Facts in the range, of every kind.
    #[n(0)]
    pub facts: u64,
    /// Visits.
    #[n(1)]
    pub visited: u64,
    /// Check-ins that were no repeats; who left is counted in [`DayTotals::left`].
    #[n(2)]
    pub attended: u64,
    /// Repeats.
    #[n(3)]
    pub repeats: u64,
    /// Purchases and other earns that were no repeats.
    #[n(4)]
    pub earned: u64,
    /// What displays promised, per unit, sorted by unit.
    #[n(5)]
    pub promised: Vec<Leg>,
    /// Fen of purchases that were no repeats.
    #[n(6)]
    pub purchases: Amount,
    /// Spends.
    #[n(7)]
    pub spent: u64,
    /// What was spent, per unit.
    #[n(8)]
    pub spent_legs: Vec<Leg>,
    /// Fen paid in.
    #[n(9)]
    pub topped_up: Amount,
    /// Hand-outs.
    #[n(10)]
    pub handed_out: u64,
    /// Refusals, each counted as often as it happened.
    #[n(11)]
    pub refused: u64,
    /// Value facts reversed.
    #[n(12)]
    pub reversed: u64,
    /// Fen of stored value paid out in money; part of what was spent, too.
    #[n(13)]
    #[cbor(default)]
    pub paid_out: Amount,
    /// Times that somebody left an occurrence that counts it, without repeats.
    #[n(14)]
    #[cbor(default)]
    pub left: u64,
}
