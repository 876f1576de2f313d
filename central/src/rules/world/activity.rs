//! Activities, as apply knows them.

use hufu_shared::act::ActivityPlan;
use hufu_shared::time::Instant;

use crate::rules::activity::State;

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
