//! Cards, as apply knows them.

use hufu_shared::ids::{CardId, MemberId, OfficeId};
use hufu_shared::member::CardStatus;
use hufu_shared::rules::cards::{CardEnd, Held, Rank};
use hufu_shared::time::{Day, Instant};
use minicbor::{Decode, Encode};

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCard {
    /// Its id.
    pub card: CardId,
    /// Whose it is.
    pub member: Option<MemberId>,
    /// Its state.
    pub status: CardStatus,
    /// Dictionary code of its kind.
    pub kind: String,
    /// Not accepted from then on.
    pub until: Option<Instant>,
    /// Whose it was, and its state, from when on; oldest first.
    pub history: Vec<CardTurn>,
    /// How it was issued, what it stands under and how it ended.
    pub life: CardLife,
}

impl KnownCard {
    /// A card of which nothing has happened yet.
    #[must_use]
    pub fn fresh(card: CardId, kind: &str) -> Self {
        Self {
            card,
            member: None,
            status: CardStatus::Active,
            kind: kind.to_owned(),
            until: None,
            history: Vec::new(),
            life: CardLife::default(),
        }
    }

    /// The card as the rules of issuing look at it.
    #[must_use]
    pub fn held(&self) -> Held {
        Held { member: self.member, rank: self.life.rank, status: self.status, until: self.until }
    }
}

/// How a card was issued, what it stands under and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardLife {
    /// Main card, sub card or another medium.
    pub rank: Rank,
    /// The main card that it stands under.
    pub under: Option<CardId>,
    /// Where it was issued.
    pub office: Option<OfficeId>,
    /// When; none while it lies in stock.
    pub issued: Option<Instant>,
    /// The card in whose place it was given.
    pub replaces: Option<CardId>,
    /// The card that was given in its place, and when.
    pub replaced: Option<(CardId, Instant)>,
    /// When it ended, and by what.
    pub ended: Option<(Instant, CardEnd)>,
    /// The kind that it is to be changed to by its member's points, and since when.
    pub due: Option<(String, Day)>,
}

/// A turn in the life of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardTurn {
    /// When the act was taken.
    #[n(0)]
    pub since: Instant,
    /// Whose it was from then on.
    #[n(1)]
    pub member: Option<MemberId>,
    /// Its state from then on.
    #[n(2)]
    pub status: CardStatus,
    /// What made the turn.
    #[n(3)]
    pub by: TurnBy,
}

/// What made a turn in the life of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum TurnBy {
    /// An act that said whose it is: it stands above whatever terminals gave.
    #[n(0)]
    Act,
    /// Terminals that gave it to a member: it follows from all such facts, and goes when they do.
    #[n(1)]
    Gift,
    /// Only its state changed: it is whose it was.
    #[n(2)]
    State,
}
