//! Acts about the catalogue 目录兑换 (K24, S5, P2): one member gives points for one thing, another person approves it where
//! the club asks for that, it is taken back.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{FactId, Hash, ItemId, MemberId, OfficeId};

/// What one member gives points for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Redeems {
    /// An item of the catalogue.
    #[n(0)]
    Item {
        /// Its code there.
        #[n(0)]
        code: String,
        /// The item of stock that has this code; none where nobody keeps it in stock.
        #[n(1)]
        stock: Option<ItemId>,
        /// The purchase that opens a special offer (P2); none for the normal cost.
        #[n(2)]
        purchase: Option<FactId>,
    },
    /// Stored value at the rate of the catalogue (S5).
    #[n(1)]
    Cash {
        /// Points, above zero.
        #[n(0)]
        points: i64,
    },
}

impl Redeems {
    /// The purchase that is named.
    #[must_use]
    pub fn purchase(&self) -> Option<FactId> {
        match self {
            Self::Item { purchase, .. } => *purchase,
            Self::Cash { .. } => None,
        }
    }

    /// The item of stock that is handed out.
    #[must_use]
    pub fn stock(&self) -> Option<ItemId> {
        match self {
            Self::Item { stock, .. } => *stock,
            Self::Cash { .. } => None,
        }
    }

    /// Whether both ask for the same thing. Which item of stock stands for it is looked up whenever somebody asks.
    #[must_use]
    pub fn asks_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Item { code, purchase, .. }, Self::Item { code: asked, purchase: opens, .. }) => {
                (code, purchase) == (asked, opens)
            }
            _ => self == other,
        }
    }
}

/// A member redeems, with a line to the centre: a right that counts once is never spent on a terminal's word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ItemRedeemed {
    /// Its name in the books: the same again has no effect.
    #[n(0)]
    pub id: Hash,
    /// Who.
    #[n(1)]
    pub member: MemberId,
    /// Where: whose day it is, and whose shelf.
    #[n(2)]
    pub office: OfficeId,
    /// For what.
    #[n(3)]
    pub what: Redeems,
    /// Commitment to what the person typed.
    #[n(4)]
    pub reason: Hash,
}

/// A redemption that waited was approved or returned by another person than who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ItemDecided {
    /// Which.
    #[n(0)]
    pub redemption: Hash,
    /// Whether it may be.
    #[n(1)]
    pub approved: bool,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// A redemption was taken back: the points return, and what was given for them comes back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ItemTakenBack {
    /// Which.
    #[n(0)]
    pub redemption: Hash,
    /// Commitment to the reason typed by the person.
    #[n(1)]
    pub reason: Hash,
}
