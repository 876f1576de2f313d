//! Acts about points: changes with their cause (K20 to K23), what makes them by itself, and the weekly message (G7).

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{FactId, Hash, MemberId, OccurrenceId, OfficeId};
use crate::time::{Day, Instant};

/// One change of a member's points. Nothing is changed without a cause (K20).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PointsChange {
    /// Its name: the same sent twice changes once.
    #[n(0)]
    pub id: Hash,
    /// Whose.
    #[n(1)]
    pub member: MemberId,
    /// How many more; below zero for fewer, never zero.
    #[n(2)]
    pub points: i64,
    /// Dictionary code of the cause: a purchase, an activity, care, a complaint, or one of the club's own.
    #[n(3)]
    pub cause: String,
    /// The office that gives them, or to which they go back.
    #[n(4)]
    pub office: OfficeId,
    /// The holding of an activity that caused it.
    #[n(5)]
    pub occurrence: Option<OccurrenceId>,
    /// What a terminal recorded and that caused it.
    #[n(6)]
    pub fact: Option<FactId>,
    /// Commitment to what the person typed about the event.
    #[n(7)]
    pub reason: Hash,
}

/// Changes of points, each a posting of its own. One that would take more than the member has available has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PointsChanged {
    /// Which.
    #[n(0)]
    pub changes: Vec<PointsChange>,
    /// Whether they wait 待审 until another person approves them (K21); else they are posted at once.
    #[n(1)]
    pub waits: bool,
    /// The trigger that made them; none where a person did.
    #[n(2)]
    pub trigger: Option<Triggered>,
}

/// How far a trigger has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Triggered {
    /// Which trigger.
    #[n(0)]
    pub trigger: Hash,
    /// What was taken in up to then has been looked at.
    #[n(1)]
    pub upto: Instant,
}

/// A decision about changes that wait. Who asked for one cannot approve it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PointsDecided {
    /// Which.
    #[n(0)]
    pub changes: Vec<Hash>,
    /// Whether they are approved and posted; else they are returned.
    #[n(1)]
    pub approved: bool,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// What sets a trigger off: something that a terminal records of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum TriggerOn {
    /// A swipe as a visit.
    #[n(0)]
    Visited,
    /// A check-in to an activity.
    #[n(1)]
    Attended,
    /// A purchase.
    #[n(2)]
    Earned,
}

impl TriggerOn {
    /// All.
    pub const ALL: [Self; 3] = [Self::Visited, Self::Attended, Self::Earned];

    /// The code in database and API: the name of the event that a terminal records.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Visited => "visited",
            Self::Attended => "attended",
            Self::Earned => "earned",
        }
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|on| on.code() == code)
    }
}

/// Makes a change of points that waits for approval whenever a terminal records something (K21, K23).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PointsTrigger {
    /// Its name; the same again changes it.
    #[n(0)]
    pub id: Hash,
    /// What sets it off.
    #[n(1)]
    pub on: TriggerOn,
    /// Only at this office; none for all.
    #[n(2)]
    pub office: Option<OfficeId>,
    /// Dictionary code of the cause that its changes have.
    #[n(3)]
    pub cause: String,
    /// Points of each change, below zero to take; of a purchase those of each full step.
    #[n(4)]
    pub points: i64,
    /// Size of one step of a purchase in fen; 0 for the same points whatever was bought.
    #[n(5)]
    pub per_fen: i64,
    /// Whether it makes no more.
    #[n(6)]
    pub retired: bool,
}

/// Those who bought in a week get a message that says what was recorded (G7). A week counts what the centre took in from
/// its Monday on, so a purchase that arrives late stands in the message of the week in which it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PurchasesDue {
    /// The Monday of the week.
    #[n(0)]
    pub week: Day,
    /// Who; many are several acts.
    #[n(1)]
    pub members: Vec<MemberId>,
}

/// Points that a person moved from one member to another, at the centre alone (only there both are known). All of it on
/// one side is on the other; what would take more than there is has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PointsTransferred {
    /// Its name: the same asked twice moves once.
    #[n(0)]
    pub id: Hash,
    /// Who gives.
    #[n(1)]
    pub from: MemberId,
    /// Who gets.
    #[n(2)]
    pub to: MemberId,
    /// How many, above zero.
    #[n(3)]
    pub points: i64,
    /// Office whose business day it counts to.
    #[n(4)]
    pub office: OfficeId,
    /// Commitment to the reason typed by the person.
    #[n(5)]
    pub reason: Hash,
}
