//! What a terminal is set to do when a card comes, and what it needs to know for that.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Paid, SlipKey, Subject};
use crate::ids::{ItemId, OccurrenceId};
use crate::money::{Amount, Leg};

/// What a terminal was set to do when a card came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Only look the member up.
    #[n(0)]
    LookUp,
    /// Check in to an occurrence.
    #[n(1)]
    CheckIn(#[n(0)] OccurrenceId),
    /// Earn on a purchase of so many fen.
    #[n(2)]
    Earn(#[n(0)] Amount),
    /// Record a visit.
    #[n(3)]
    Visit,
    /// Spend points or stored value.
    #[n(4)]
    Spend(#[n(0)] Spending),
    /// Pay in stored value.
    #[n(5)]
    TopUp(#[n(0)] ToppingUp),
    /// Hand something out.
    #[n(6)]
    HandOut(#[n(0)] Handing),
    /// Take the card's holder at their word that it is lost.
    #[n(7)]
    ReportLost,
    /// Earn on a purchase with a slip.
    #[n(8)]
    EarnSlip(#[n(0)] Purchase),
    /// Leave an occurrence that counts who leaves.
    #[n(9)]
    CheckOut(#[n(0)] OccurrenceId),
    /// Give the member of this other card the one that is presented, in its place.
    #[n(10)]
    Replace(#[n(0)] Subject),
    /// Check in to an occurrence with companions, as staff counted them.
    #[n(11)]
    CheckInParty(#[n(0)] Party),
}

impl Purpose {
    /// The occurrence that a member comes in to.
    #[must_use]
    pub fn enters(&self) -> Option<OccurrenceId> {
        match self {
            Self::CheckIn(occurrence) => Some(*occurrence),
            Self::CheckInParty(party) => Some(party.occurrence),
            _ => None,
        }
    }
}

/// A member with companions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Party {
    /// What they come to.
    #[n(0)]
    pub occurrence: OccurrenceId,
    /// Companions, beside the member.
    #[n(1)]
    pub companions: u32,
}

/// What is to be spent: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Spending {
    /// At least one leg, one per unit, each above zero.
    #[n(0)]
    pub legs: Vec<Leg>,
    /// The slip printed for it.
    #[n(1)]
    pub slip: Option<SlipKey>,
    /// What it is spent on, if handed out.
    #[n(2)]
    pub item: Option<ItemId>,
    /// Stored value to be paid out in money: dictionary code of the way to pay. None where it is spent.
    #[n(3)]
    pub paid_out: Option<String>,
}

/// What is to be paid in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct ToppingUp {
    /// Fen, above zero.
    #[n(0)]
    pub amount: Amount,
    /// Dictionary code of the payment method.
    #[n(1)]
    pub method: String,
    /// The slip printed for it.
    #[n(2)]
    pub slip: SlipKey,
}

/// What is to be handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Handing {
    /// At what.
    #[n(0)]
    pub occurrence: OccurrenceId,
    /// What.
    #[n(1)]
    pub item: ItemId,
    /// How many, above zero.
    #[n(2)]
    pub quantity: u32,
}

/// A purchase with a slip.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Purchase {
    /// The money that was paid, in fen.
    #[n(0)]
    pub amount: Amount,
    /// The sales slip.
    #[n(1)]
    pub slip: SlipKey,
    /// The slip that it re-creates (rule G6).
    #[n(2)]
    pub replaces: Option<SlipKey>,
    /// What the slip says beside the money; none for a plain purchase.
    #[n(3)]
    pub paid: Option<Paid>,
}
