//! Acts about value at the centre itself.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{CardId, FactId, Hash, MemberId, OfficeId, OperatorId};
use crate::money::{Amount, Leg};
use crate::time::Day;

/// Where value moved at the centre goes, or comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueEnd {
    /// A member's own balance.
    #[n(0)]
    Member(#[n(0)] MemberId),
    /// Redeemed at an office.
    #[n(1)]
    Redeemed(#[n(0)] OfficeId),
    /// Given by an office.
    #[n(2)]
    Issuer(#[n(0)] OfficeId),
    /// Cash of an office, at the centre's own desk.
    #[n(3)]
    Cash(#[n(0)] OfficeId),
    /// An adjustment by an admin.
    #[n(4)]
    Adjust(#[n(0)] OperatorId),
}

/// A movement of value at the centre. One that would take more than a member has is refused before it is an act.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ValueMoved {
    /// Its name: the same asked twice moves once.
    #[n(0)]
    pub id: Hash,
    /// Taken from.
    #[n(1)]
    pub from: ValueEnd,
    /// Given to.
    #[n(2)]
    pub to: ValueEnd,
    /// How much.
    #[n(3)]
    pub leg: Leg,
    /// Office whose business day it counts to.
    #[n(4)]
    pub office: OfficeId,
    /// Commitment to the reason typed by the person.
    #[n(5)]
    pub reason: Hash,
    /// The top-up or sale that it takes back; judged as one set with the reversals that terminals record of it.
    #[n(6)]
    pub of: Option<FactId>,
}

/// A person froze 冻结 a member's stored value, or lifted that (H4, H6, H7). What is frozen is not spent, paid out or carried
/// over; what comes in goes on. The same said twice has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ValueFrozen {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// Whether it is frozen from now on.
    #[n(1)]
    pub frozen: bool,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// One side of a carry-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ValueHolder {
    /// The member: all media of a member reach the same value.
    #[n(0)]
    pub member: MemberId,
    /// The card by which the person named the member; none where the number of the member was typed.
    #[n(1)]
    pub card: Option<CardId>,
}

/// Stored value that a person carried over 结转 from one member to another (H4): all of it on one side is on the other.
/// One that would take more than there is, or what is frozen, has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ValueCarried {
    /// Its name: the same asked twice moves once.
    #[n(0)]
    pub id: Hash,
    /// Who gives.
    #[n(1)]
    pub from: ValueHolder,
    /// Who gets; never the one who gives.
    #[n(2)]
    pub to: ValueHolder,
    /// Fen, above zero.
    #[n(3)]
    pub amount: Amount,
    /// Office whose business day it counts to.
    #[n(4)]
    pub office: OfficeId,
    /// Commitment to the reason typed by the person.
    #[n(5)]
    pub reason: Hash,
}

/// A run of the expiry of points.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PointsExpired {
    /// The cut-off: what was given to expire on or before this day does.
    #[n(0)]
    pub cutoff: Day,
    /// For whom; a run over many members is several acts.
    #[n(1)]
    pub members: Vec<MemberId>,
}
