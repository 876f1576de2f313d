//! Acts about goods on shelves: blank cards and gifts, by office and item.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{FactId, Hash, ItemId, OfficeId};
use crate::scheme::Words;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum StockClass {
    /// Something that is handed out.
    #[n(0)]
    Gift,
    /// Cards that belong to nobody yet.
    #[n(1)]
    BlankCard,
}

impl StockClass {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Gift, Self::BlankCard];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Gift => "gift",
            Self::BlankCard => "blank_card",
        }
    }

    /// The class of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }
}

/// The item that the blank cards of a kind are, at every office.
#[must_use]
pub fn blank_cards(kind: &str) -> ItemId {
    let hash = Hash::of(&[b"hufu-blank-cards", kind.as_bytes()]).0;
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    ItemId(id)
}

/// An item of the list of what is kept in stock.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StockItem {
    /// Which; that of blank cards is [`blank_cards`].
    #[n(0)]
    pub item: ItemId,
    /// What it is.
    #[n(1)]
    pub class: StockClass,
    /// For machines: dictionary code of the kind for blank cards, the club's own code for gifts.
    #[n(2)]
    pub code: String,
    /// For people.
    #[n(3)]
    pub words: Words,
    /// Whether it can no longer be chosen.
    #[n(4)]
    pub retired: bool,
}

/// Where goods come from or go to. Those that are nowhere on a shelf any more count for the office of the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StockEnd {
    /// The shelf of an office.
    #[n(0)]
    Shelf(#[n(0)] OfficeId),
    /// Whoever they are bought from.
    #[n(1)]
    Supplier,
    /// Damaged, or thrown away.
    #[n(2)]
    Spoiled,
    /// Given out without a terminal.
    #[n(3)]
    Issued,
}

/// A movement of goods. One that would take more from a shelf than the books have there has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StockMoved {
    /// Its name: the same asked twice moves once.
    #[n(0)]
    pub id: Hash,
    /// What.
    #[n(1)]
    pub item: ItemId,
    /// Taken from.
    #[n(2)]
    pub from: StockEnd,
    /// Brought to; one of both ends is a shelf.
    #[n(3)]
    pub to: StockEnd,
    /// How many pieces, above zero.
    #[n(4)]
    pub pieces: u32,
    /// Commitment to the reason typed by the person.
    #[n(5)]
    pub reason: Hash,
}

/// A shelf was counted: what the books had differently is a difference from then on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StockCounted {
    /// Its name: the same sent twice counts once.
    #[n(0)]
    pub id: Hash,
    /// What.
    #[n(1)]
    pub item: ItemId,
    /// Where.
    #[n(2)]
    pub office: OfficeId,
    /// How many pieces lay there.
    #[n(3)]
    pub pieces: u32,
    /// Commitment to the reason typed by the person.
    #[n(4)]
    pub reason: Hash,
}

/// A person explained the difference that a close of day found on the shelf.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StockExplained {
    /// The close of day.
    #[n(0)]
    pub fact: FactId,
    /// Of what.
    #[n(1)]
    pub class: StockClass,
    /// Of which items how many are to be booked: together the difference, or none where only the count was wrong.
    #[n(2)]
    pub lines: Vec<ExplainedLine>,
    /// Commitment to the explanation typed by the person.
    #[n(3)]
    pub reason: Hash,
}

/// A part of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ExplainedLine {
    /// What.
    #[n(0)]
    pub item: ItemId,
    /// How many pieces more there are; below zero for fewer.
    #[n(1)]
    pub pieces: i64,
    /// Where they went, or came from.
    #[n(2)]
    pub end: StockEnd,
}
