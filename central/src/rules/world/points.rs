//! Changes of points, what makes them, and redemptions, as apply knows them.

use hufu_shared::act::{PointsChange, PointsTrigger, RedemptionPlan};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::time::{Day, Instant};

use crate::rules::{points, redemption};

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// When.
    pub at: Instant,
    /// Who, as the record of edits names them.
    pub by: String,
    /// Commitment to the reason.
    pub reason: Hash,
}

/// A change of points with its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPoints {
    /// What it says.
    pub change: PointsChange,
    /// Where it is.
    pub state: points::State,
    /// The trigger that made it.
    pub trigger: Option<Hash>,
    /// When it was made.
    pub asked: Instant,
    /// Who made it, as the record of edits names them.
    pub asker: String,
    /// What became of it, where it waited.
    pub decided: Option<Decided>,
}

/// A trigger, and how far it has looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTrigger {
    /// What it says.
    pub terms: PointsTrigger,
    /// What was taken in up to then has been looked at.
    pub seen: Instant,
}

/// A plan of redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPlan {
    /// What it says.
    pub terms: RedemptionPlan,
    /// Where it is.
    pub state: redemption::State,
    /// When it was planned.
    pub planned: Instant,
    /// Who planned it, as the record of edits names them.
    pub planner: String,
    /// The newest step that somebody took.
    pub decided: Option<Decided>,
}

/// What one member got by a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedeemedLine {
    /// Of which plan.
    pub plan: Hash,
    /// Who.
    pub member: MemberId,
    /// Under which cause it stands in the ledger.
    pub cause: Hash,
    /// Points for what.
    pub line: redemption::Line,
    /// When.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
}
