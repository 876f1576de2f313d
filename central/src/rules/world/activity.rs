//! Activities and who came to them, as apply knows them.

use std::collections::BTreeSet;

use hufu_shared::act::ActivityPlan;
use hufu_shared::ids::{FactId, OfficeId};
use hufu_shared::money::Amount;
use hufu_shared::time::{Day, Instant};

use crate::rules::activity::State;
use crate::rules::judge::attendance::PlaceClaim;

/// An activity with its plan; its holdings stand beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownActivity {
    /// What is planned.
    pub plan: ActivityPlan,
    /// Where it is.
    pub state: State,
    /// Who wrote the plan, as the record of edits names people.
    pub planned_by: String,
    /// When.
    pub planned: Instant,
    /// When it was approved or sent back; none while it waits.
    pub decided: Option<Instant>,
}

/// The check-ins of one member at one occurrence, and what they gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// All check-ins.
    pub facts: BTreeSet<FactId>,
    /// The one that admits.
    pub admitted: Option<FactId>,
    /// When it did.
    pub at: Option<Instant>,
    /// Points given for it.
    pub points: Amount,
    /// The office whose account gave them.
    pub issuer: Option<OfficeId>,
    /// Companions who came in with the member.
    pub companions: u32,
}

/// A member's claim to a place at an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPlace {
    /// By what.
    pub claim: PlaceClaim,
    /// Whether there was a place.
    pub has_place: bool,
    /// Business day of the claim.
    pub day: Day,
}
