//! Acts about what was brought over from another system, and about what was taken out of this one.

use minicbor::{Decode, Encode};

use crate::ids::{Hash, MemberId, OfficeId, OperatorId};
use crate::money::Leg;
use crate::time::Instant;

/// Opening balances: what members had in the system that the club used before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BalancesOpened {
    /// Name of the batch, 1 to 50 characters. With member, unit and time it names an opening: the same one taken twice
    /// posts once.
    #[n(0)]
    pub batch: String,
    /// The openings.
    #[n(1)]
    pub rows: Vec<Opening>,
    /// Commitment to the cause that a person gave (K20).
    #[n(2)]
    pub reason: Hash,
}

/// One opening balance.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Opening {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// How much of which unit, above zero.
    #[n(1)]
    pub leg: Leg,
    /// The office that stands for it.
    #[n(2)]
    pub office: OfficeId,
    /// When it was earned, which says when it runs out; none for when the act is taken.
    #[n(3)]
    pub at: Option<Instant>,
}

/// Transactions of the system that the club used before. They are shown, and are in no balance.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HistoryBrought {
    /// Name of the batch, 1 to 50 characters.
    #[n(0)]
    pub batch: String,
    /// The transactions.
    #[n(1)]
    pub lines: Vec<PastLine>,
}

/// One transaction of another system.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PastLine {
    /// Its name, which follows from batch, member and what identifies it there: the same one twice is one.
    #[n(0)]
    pub id: Hash,
    /// Whose.
    #[n(1)]
    pub member: MemberId,
    /// When, as the other system has it.
    #[n(2)]
    pub at: Instant,
    /// What it changed there, with its sign; at most one leg of each unit.
    #[n(3)]
    pub legs: Vec<Leg>,
    /// Commitment to what it was, where, and under which number; the words are the vault's.
    #[n(4)]
    pub words: Hash,
}

/// A list was taken out of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DataExported {
    /// Which list: `members`, `cards`, `balances` or `statements`.
    #[n(0)]
    pub what: String,
    /// How many rows it has.
    #[n(1)]
    pub rows: u64,
    /// Whether personal data stands in it as it is; else it is masked.
    #[n(2)]
    pub clear: bool,
    /// By whose rights; none for the masked list of the centre's own machine.
    #[n(3)]
    pub staff: Option<OperatorId>,
    /// Commitment to the reason; none where nobody had to give one.
    #[n(4)]
    pub reason: Option<Hash>,
}
