//! What the centre is being asked, and what came of it.

use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::Instant;
use hufu_shared::wire::lease::RecallState;
use serde::{Serialize, Serializer};

use super::{PersonView, Purpose};
use crate::rules::decide::value::Why;

/// Why a top-up was not undone at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotUndone {
    /// Part of it is spent or set aside already.
    NotCovered,
    /// Its shift is counted.
    OtherShift,
    /// It was undone before.
    Undone,
    /// The centre recovers.
    Recovering,
    /// The centre did not answer.
    NoAnswer,
    /// Anything else.
    Unable,
}

/// The centre is being asked for more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskingView {
    /// Names this asking: grows with each.
    pub n: u64,
    /// What for.
    pub purpose: Purpose,
    /// Whose card.
    pub person: Option<PersonView>,
    /// Since when.
    pub since: Instant,
    /// Terminals elsewhere that hold some of it.
    pub recalled: Vec<RecalledView>,
}

/// A terminal elsewhere that holds some of what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecalledView {
    /// Its office.
    pub office: Words,
    /// What came of recalling it.
    #[serde(serialize_with = "recall_name")]
    pub state: RecallState,
    /// How much, as it is written.
    pub amount: Leg,
    /// When it was last heard of.
    pub heard_at: Option<Instant>,
}

/// What was missing for a spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShortView {
    /// In which unit.
    pub unit: Unit,
    /// What was wanted.
    pub wanted: Amount,
    /// What could be spent here now.
    pub possible: Amount,
    /// How much the member lacks over all; none if it is only out of reach.
    pub missing: Option<Amount>,
    /// Why.
    #[serde(serialize_with = "why_name")]
    pub why: Why,
}

fn why_name<S: Serializer>(why: &Why, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{why:?}"))
}

fn recall_name<S: Serializer>(state: &RecallState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{state:?}"))
}
