//! Group 2: who may be a member, when their points begin, by what duplicates are found, and what ends a membership.

use serde::{Deserialize, Serialize};

/// Who may join, and when points begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Start {
    /// Full years of age from which on a person may join (rule R1: 18); none for any age.
    pub min_age: Option<u8>,
    /// Whether the club's own staff may not collect points (rule G8).
    pub exclude_staff: bool,
    /// Codes of the member kinds that may join; empty for all.
    pub kinds_allowed: Vec<String>,
    /// From when on points count (contradiction X8).
    pub points_start: PointsStart,
    /// By what duplicates are looked for, first key first (rules K6 and K7, contradiction X13).
    pub dedupe_keys: Vec<DedupeKey>,
    /// Days within which the data must be verified (rule G1: one week); none without a deadline. What happens then is
    /// not said by any source (gap): nothing is lost, points go on waiting until somebody verifies (rule G2).
    pub verify_days: Option<u16>,
    /// What ends a membership by itself (rule K11). The conditions are not given (gap); by default nothing does.
    pub auto_leave: AutoLeave,
}

/// From when on points count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointsStart {
    /// From the day on which the first card of any sort was issued (rule S4: on that very day).
    #[default]
    Issue,
    /// From the day on which the data were verified (rules G1 and G2).
    Verified,
    /// From the day on which a main card was issued (rule K15).
    MainCard,
}

/// By what two applications are found to be one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DedupeKey {
    /// Number of the identity card 身份证号.
    IdNumber,
    /// Number of the passport.
    Passport,
    /// Mobile phone.
    Mobile,
    /// Whole name.
    Name,
    /// Phone at home 家庭电话.
    HomePhone,
}

/// What ends a membership by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoLeave {
    /// Nothing.
    #[default]
    Never,
    /// So many months in which the member neither came nor bought.
    IdleMonths(u16),
    /// The deadline for verifying the data passed.
    NotVerified,
}
