//! One step of a reckoning: day, rule, what happened as a key with values, and what it changed.

use serde::Serialize;

use crate::scheme::Words;
use crate::time::Day;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The day.
    pub day: Day,
    /// The version of the scheme in force on it; 0 for none.
    pub version: u32,
    /// The number of the rule, such as `S2`; empty if no rule stands behind it.
    pub rule: String,
    /// The sentence, a key of the shell's words.
    pub key: &'static str,
    /// What stands in it.
    pub args: Vec<(&'static str, Arg)>,
    /// Points by which the balance changed.
    pub points: i64,
    /// Growth by which it changed.
    pub growth: i64,
    /// Points after it.
    pub points_after: i64,
    /// Growth after it.
    pub growth_after: i64,
}

/// A value in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// A whole number.
    Number(i64),
    /// Money in fen.
    Fen(i64),
    /// A calendar day.
    Day(Day),
    /// A code as the scheme has it.
    Text(String),
    /// A name in both languages.
    Name(Words),
    /// A word that the shell knows by this key.
    Word(&'static str),
}

/// All sentences, so that a shell can prove that it has words for each.
pub const KEYS: [&str; 49] = [
    "joined",
    "not-admitted",
    "no-scheme",
    "waits-for-start",
    "verified",
    "card-issued",
    "card-to-replace",
    "welcome-coupon",
    "birthday-coupon",
    "sheet",
    "coupon-paid",
    "points-paid",
    "points-not-paid",
    "level-discount",
    "birthday-discount",
    "no-birthday",
    "to-pay",
    "earned",
    "grown",
    "granted",
    "growth-granted",
    "pending",
    "approved",
    "gate",
    "capped",
    "once",
    "nothing-earned",
    "returned",
    "return-short",
    "gift-back",
    "return-refused",
    "unknown-slip",
    "refusal",
    "redeemed",
    "redeem-planned",
    "not-redeemed",
    "gave",
    "got",
    "not-given",
    "adjusted",
    "level-by-hand",
    "level-risen",
    "level-renewed",
    "level-grace",
    "level-fell",
    "growth-reduced",
    "expired",
    "rounded-up",
    "left",
];

/// All words that stand in sentences by key.
pub const WORDS: [&str; 18] = [
    "no-end",
    "base-level",
    "too-young",
    "age-unknown",
    "staff",
    "kind",
    "closed",
    "not-offered",
    "rank",
    "short",
    "birth-unknown",
    "not-now",
    "used",
    "evidence",
    "not-allowed",
    "size",
    "limit",
    "cash",
];
