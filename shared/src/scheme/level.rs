//! Group 3: levels 等级. A level is reached by a measure over a window, holds for a time, and then ends or is renewed.
//!
//! Rank orders the levels. A level with measure `none` is what every member has; without one the base is rank 0, which
//! needs no entry. A level is never lost before its validity ends, whatever is spent meanwhile.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Scheme;
use super::terms::Words;
use crate::time::Day;

/// The levels of a scheme as the policy is told them: what the centre moves its members by.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// All of them, lowest first.
    #[n(0)]
    pub levels: Vec<Level>,
}

impl Ladder {
    /// The levels of a scheme; none where there is no level to rise to.
    #[must_use]
    pub fn of(scheme: &Scheme) -> Option<Self> {
        (scheme.levels.len() > 1).then(|| Self { levels: scheme.levels.clone() })
    }

    /// A scheme that says these levels and nothing else: what the rules of levels ask.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        Scheme { levels: self.levels.clone(), ..Scheme::empty("levels", 1, Day(0)) }
    }
}

/// One level.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its place among the levels, higher is better; each once.
    #[n(0)]
    pub rank: u8,
    /// Code of the kind of card that shows it (rules K14 and K19).
    #[n(1)]
    pub card_kind: String,
    /// Its name.
    #[n(2)]
    pub name: Words,
    /// What is measured.
    #[n(3)]
    pub measure: Measure,
    /// Over which time; not for `none`, `growth`, `balance` and `manual`, which are as of the day.
    #[serde(default)]
    #[n(4)]
    pub window: Window,
    /// How much the measure must come to: points, growth or fen.
    #[serde(default)]
    #[n(5)]
    pub threshold: i64,
    /// The rank that a member must hold to rise to this one; none for any (rule P5: diamond is for gold members).
    #[serde(default)]
    #[n(6)]
    pub from_rank: Option<u8>,
    /// How long it holds.
    #[serde(default)]
    #[n(7)]
    pub validity: Validity,
    /// What happens to the growth value when it ends (rule B2).
    #[serde(default)]
    #[n(8)]
    pub on_expiry: OnExpiry,
    /// Which window the measure is taken over when it ends. The sources say only "re-assessed" (gap); by default the
    /// window of the new day, so that a level for a calendar year ends with that year.
    #[serde(default)]
    #[n(9)]
    pub reassess: Reassess,
    /// Days after its end in which the level is kept and may still be renewed. No source names one (gap): 0.
    #[serde(default)]
    #[n(10)]
    pub grace_days: u16,
    /// Discount for its members, in bp of the price. Where a table is lost (gap, rule S1) the default is 0: none.
    #[serde(default)]
    #[n(11)]
    pub discount_bp: u16,
    /// Its rights, as people read them (rules B1, P5 and V2).
    #[serde(default)]
    #[n(12)]
    pub rights: Vec<Words>,
    /// Whether reaching it asks for a new card by itself (rule K17).
    #[serde(default)]
    #[n(13)]
    pub auto_replace_card: bool,
}

/// What moves a member to a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Nothing: every member has it.
    #[n(0)]
    None,
    /// The growth value 成长值 as of the day.
    #[n(1)]
    Growth,
    /// The points as of the day (rule P5).
    #[n(2)]
    Balance,
    /// Points earned within the window, whatever was spent (rule P1).
    #[n(3)]
    PeriodPoints,
    /// Money paid within the window, in fen, less returns.
    #[n(4)]
    PeriodSpend,
    /// Set by hand only (rule T2).
    #[n(5)]
    Manual,
}

/// Over which time something is measured, ending with the day of the question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The natural quarter of the day (rule P1).
    #[n(0)]
    Quarter,
    /// Its calendar year.
    #[n(1)]
    Year,
    /// So many months back to the day.
    #[n(2)]
    RollingMonths(#[n(0)] u16),
    /// Ever.
    #[n(3)]
    #[default]
    Lifetime,
}

/// How long a level holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// To the last day of the year in which it was reached (rule P1).
    #[n(0)]
    CalendarYear,
    /// To the end of the same day so many months later, or of a shorter month's last day.
    #[n(1)]
    Months(#[n(0)] u16),
    /// Always.
    #[n(2)]
    #[default]
    Forever,
}

/// What happens to the growth value at the end of a level, before the level is assessed anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// It stays.
    #[n(0)]
    #[default]
    Keep,
    /// It becomes 0.
    #[n(1)]
    Clear,
    /// So much is taken from it, down to 0 at most.
    #[n(2)]
    Deduct(#[n(0)] i64),
}

/// Over which window a level that ends is assessed anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reassess {
    /// That of the first day after the end: what was done in the old one counts no more.
    #[n(0)]
    #[default]
    NewWindow,
    /// That of the last day: who reached it once more within the old window keeps it.
    #[n(1)]
    EndedWindow,
}
