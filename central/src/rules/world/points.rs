//! Changes of points, what makes them, and redemptions, as apply knows them.

use hufu_shared::act::{EventTold, PointsChange, PointsTrigger, RedemptionPlan};
use hufu_shared::ids::{Hash, MemberId, OccurrenceId};
use hufu_shared::rules::told::Before;
use hufu_shared::scheme::earning::Balance;
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
    /// The event that it was given for, and by what; none for a change that a person or a trigger made.
    pub by_event: Option<ByEvent>,
    /// When it was made.
    pub asked: Instant,
    /// Who made it, as the record of edits names them.
    pub asker: String,
    /// What became of it, where it waited.
    pub decided: Option<Decided>,
}

/// The event that a change was given for, and the rule and version of the scheme that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByEvent {
    /// The event.
    pub event: Hash,
    /// Number of the rule.
    pub rule: String,
    /// The code that the rule is for; empty if it is for all.
    pub of: String,
    /// What grows by it.
    pub balance: Balance,
    /// Version of the scheme.
    pub scheme: u32,
}

/// An event that somebody told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEvent {
    /// What was told.
    pub told: EventTold,
    /// Version of the scheme that rated it; 0 where none was in force on its day.
    pub scheme: u32,
    /// When it was told.
    pub asked: Instant,
    /// Who told of it, as the record of edits names them.
    pub asker: String,
    /// Who took it back, if anybody did.
    pub taken: Option<Decided>,
}

/// What was given for an event of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenForEvent {
    /// The change of points that it is.
    pub change: Hash,
    /// The event.
    pub event: Hash,
    /// By which rule, how much, on which day.
    pub before: Before,
    /// The holding of an activity in which the member took part, with the code of that part; none for another event.
    pub part_in: Option<(OccurrenceId, String)>,
    /// Whether it counts for what rules give once or up to a cap: it was neither returned nor taken back.
    pub counts: bool,
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
