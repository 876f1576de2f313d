//! Acts about cards at the centre (K14–K18, H5–H8). Whether one fits is a rule ([`crate::rules::cards`]); one that does
//! not has no effect.

use minicbor::{Decode, Encode};

use crate::ids::{CardId, Hash, MemberId, OfficeId};
use crate::member::CardStatus;
use crate::rules::cards::CardEnd;
use crate::time::{Day, Instant};
use crate::token::Token;

/// A card as the journal knows it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardSet {
    /// Which card.
    #[n(0)]
    pub card: CardId,
    /// How terminals find it, one token per office group.
    #[n(1)]
    pub tokens: Vec<Token>,
    /// Whose it is; none while in stock.
    #[n(2)]
    pub member: Option<MemberId>,
    /// Dictionary code of its kind.
    #[n(3)]
    pub kind: String,
    /// Its state.
    #[n(4)]
    pub status: CardStatus,
    /// Last characters of the printed number.
    #[n(5)]
    pub tail: String,
    /// Not accepted before.
    #[n(6)]
    pub valid_from: Option<Instant>,
    /// Not accepted from then on.
    #[n(7)]
    pub valid_until: Option<Instant>,
}

/// A change of a card's state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardStatusSet {
    /// Which card.
    #[n(0)]
    pub card: CardId,
    /// The new state.
    #[n(1)]
    pub status: CardStatus,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// A card for a member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardIssue {
    /// The card, with its member; one that lies in stock keeps its id.
    #[n(0)]
    pub card: CardSet,
    /// The main card that it stands under, as a sub card or as another medium; none for a main card.
    #[n(1)]
    pub under: Option<CardId>,
    /// The office from whose stock the blank card is; none where nobody counts them.
    #[n(2)]
    pub office: Option<OfficeId>,
    /// Whether it is another medium of the main card: a stripe beside a chip, a bracelet beside a card.
    #[n(3)]
    pub medium: bool,
}

/// A card in place of another, given at the centre (H5, K17).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardExchanged {
    /// The old card.
    #[n(0)]
    pub old: CardId,
    /// The new one.
    #[n(1)]
    pub new: CardIssue,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// Cards that ended by what time or their main card brought (K17, K18).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardsEnded {
    /// Which, and by what.
    #[n(0)]
    pub cards: Vec<CardEnded>,
}

/// A card that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardEnded {
    /// Which.
    #[n(0)]
    pub card: CardId,
    /// By what.
    #[n(1)]
    pub why: CardEnd,
    /// When, by the rule: not when somebody looked.
    #[n(2)]
    pub at: Instant,
}

/// Main cards that are to be changed by their members' points (K17).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardChangesDue {
    /// The business day up to which it was looked.
    #[n(0)]
    pub until: Day,
    /// Which, oldest change first.
    #[n(1)]
    pub changes: Vec<CardChange>,
}

/// A main card that is to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardChange {
    /// Which.
    #[n(0)]
    pub card: CardId,
    /// Dictionary code of the kind that it is to be changed to.
    #[n(1)]
    pub kind: String,
    /// The first business day on which the condition was met.
    #[n(2)]
    pub day: Day,
}
