//! Acts about value at the centre itself.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{FactId, Hash, MemberId, OfficeId, OperatorId};
use crate::money::Leg;
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
