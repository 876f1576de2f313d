//! Group 3: levels 等级. A level is reached by a measure over a window, holds for a time, and then ends or is renewed.
//!
//! Rank orders the levels. A level with measure `none` is what every member has; without one the base is rank 0, which
//! needs no entry. A level is never lost before its validity ends, whatever is spent meanwhile.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::terms::Words;

/// One level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its place among the levels, higher is better; each once.
    pub rank: u8,
    /// Code of the kind of card that shows it (rules K14 and K19).
    pub card_kind: String,
    /// Its name.
    pub name: Words,
    /// What is measured.
    pub measure: Measure,
    /// Over which time; not for `none`, `growth`, `balance` and `manual`, which are as of the day.
    #[serde(default)]
    pub window: Window,
    /// How much the measure must come to: points, growth or fen.
    #[serde(default)]
    pub threshold: i64,
    /// The rank that a member must hold to rise to this one; none for any (rule P5: diamond is for gold members).
    #[serde(default)]
    pub from_rank: Option<u8>,
    /// How long it holds.
    #[serde(default)]
    pub validity: Validity,
    /// What happens to the growth value when it ends (rule B2).
    #[serde(default)]
    pub on_expiry: OnExpiry,
    /// Which window the measure is taken over when it ends. The sources say only "re-assessed" (gap); by default the
    /// window of the new day, so that a level for a calendar year ends with that year.
    #[serde(default)]
    pub reassess: Reassess,
    /// Days after its end in which the level is kept and may still be renewed. No source names one (gap): 0.
    #[serde(default)]
    pub grace_days: u16,
    /// Discount for its members, in bp of the price. Where a table is lost (gap, rule S1) the default is 0: none.
    #[serde(default)]
    pub discount_bp: u16,
    /// Its rights, as people read them (rules B1, P5 and V2).
    #[serde(default)]
    pub rights: Vec<Words>,
    /// Whether reaching it asks for a new card by itself (rule K17).
    #[serde(default)]
    pub auto_replace_card: bool,
}

/// What moves a member to a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Nothing: every member has it.
    None,
    /// The growth value 成长值 as of the day.
    Growth,
    /// The points as of the day (rule P5).
    Balance,
    /// Points earned within the window, whatever was spent (rule P1).
    PeriodPoints,
    /// Money paid within the window, in fen, less returns.
    PeriodSpend,
    /// Set by hand only (rule T2).
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// To the last day of the year in which it was reached (rule P1).
    CalendarYear,
    /// To the end of the same day so many months later, or of a shorter month's last day.
    Months(u16),
    /// Always.
    #[default]
    Forever,
}

/// What happens to the growth value at the end of a level, before the level is assessed anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// It stays.
    #[default]
    Keep,
    /// It becomes 0.
    Clear,
    /// So much is taken from it, down to 0 at most.
    Deduct(i64),
}

/// Over which window a level that ends is assessed anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reassess {
    /// That of the first day after the end: what was done in the old one counts no more.
    #[default]
    NewWindow,
    /// That of the last day: who reached it once more within the old window keeps it.
    EndedWindow,
}
