//! Redemptions from the catalogue, as apply knows them.

use std::collections::BTreeMap;

use hufu_shared::act::ItemRedeemed;
use hufu_shared::ids::{FactId, Hash};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant};

use super::Decided;
use crate::rules::catalogue::{State, Terms};

/// A redemption of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRedemption {
    /// What was asked for.
    pub asked: ItemRedeemed,
    /// What it was called in the catalogue; none for cash.
    pub name: Option<Words>,
    /// What it comes to.
    pub terms: Terms,
    /// When it was asked for.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
    /// Who asked, as the record of edits names them.
    pub asker: String,
    /// Where it is.
    pub state: State,
    /// Pieces that were taken from a shelf for it: none where nobody counts them.
    pub pieces: i64,
    /// The newest step that somebody took.
    pub decided: Option<Decided>,
}

/// Redemptions that an entry concerns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redemptions {
    /// By name.
    pub by_id: BTreeMap<Hash, KnownRedemption>,
    /// Which one stands that a purchase opened the offer for.
    pub opened: BTreeMap<FactId, Hash>,
}
