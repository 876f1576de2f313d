//! Acts about redemption 兑付 (K24): a plan says who gets what for how many points, it is approved, carried out, ended.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{Hash, ItemId, MemberId, OfficeId};
use crate::scheme::Words;
use crate::time::Day;

/// What members get for their points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RedeemedFor {
    /// One piece of an item from the shelf of the plan's office.
    #[n(0)]
    Gift {
        /// Which.
        #[n(0)]
        item: ItemId,
        /// Its cost in points, above zero.
        #[n(1)]
        points: i64,
    },
    /// Stored value.
    #[n(1)]
    Cash {
        /// What a point is worth in fen, above zero (S5: 100).
        #[n(0)]
        fen_per_point: i64,
        /// Points of each member; 0 for all that are available.
        #[n(1)]
        points: i64,
    },
}

/// Whom a plan is for: who fits all of what is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct RedeemedBy {
    /// Of one of these levels, by their name in either language; empty for all.
    #[n(0)]
    pub levels: Vec<String>,
    /// With one of these tags; empty for all.
    #[n(1)]
    pub tags: Vec<String>,
    /// One of these; empty for all.
    #[n(2)]
    pub members: Vec<MemberId>,
    /// With so many points available at least.
    #[n(3)]
    pub at_least: i64,
    /// With so many at most; none for no bound.
    #[n(4)]
    pub at_most: Option<i64>,
}

/// A plan of redemption.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RedemptionPlan {
    /// Its name in the books; the same again changes it while it is not approved.
    #[n(0)]
    pub id: Hash,
    /// What people call it.
    #[n(1)]
    pub name: Words,
    /// First day on which it may be carried out.
    #[n(2)]
    pub from: Day,
    /// Last day.
    #[n(3)]
    pub until: Day,
    /// Where the points are redeemed, and from whose shelf gifts come.
    #[n(4)]
    pub office: OfficeId,
    /// Who.
    #[n(5)]
    pub by: RedeemedBy,
    /// What for.
    #[n(6)]
    pub what: RedeemedFor,
}

/// A step of a plan that a person takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RedemptionStep {
    /// Another person than who planned it approves it.
    #[n(0)]
    Approve,
    /// It goes back to who planned it.
    #[n(1)]
    Return,
    /// Nothing more is redeemed by it.
    #[n(2)]
    End,
}

impl RedemptionStep {
    /// All, with their codes in the API.
    pub const CODES: [(Self, &'static str); 3] =
        [(Self::Approve, "approve"), (Self::Return, "return"), (Self::End, "end")];

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// A plan was approved, returned or ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RedemptionStepped {
    /// Which plan.
    #[n(0)]
    pub plan: Hash,
    /// How.
    #[n(1)]
    pub step: RedemptionStep,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// A plan carried out for some of its members, each a posting of its own. What a member or the shelf does not have, and
/// who had theirs before, is left out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RedemptionRun {
    /// Which plan.
    #[n(0)]
    pub plan: Hash,
    /// For whom; many are several acts.
    #[n(1)]
    pub members: Vec<MemberId>,
}
