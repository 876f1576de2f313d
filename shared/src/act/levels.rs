//! Acts about levels.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::MemberId;
use crate::rules::level::Standing;
use crate::time::Day;

/// What moved a member's level, or kept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum LevelWhy {
    /// A higher level was reached.
    #[n(0)]
    Rose,
    /// The level ended and was reached once more.
    #[n(1)]
    Renewed,
    /// It ended and is kept for some days of grace.
    #[n(2)]
    Grace,
    /// It ended, and the member holds a lower one.
    #[n(3)]
    Fell,
    /// A person, or a file, said so.
    #[n(4)]
    Given,
}

impl LevelWhy {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 5] = [
        (Self::Rose, "rose"),
        (Self::Renewed, "renewed"),
        (Self::Grace, "grace"),
        (Self::Fell, "fell"),
        (Self::Given, "given"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("rose", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// A step of a member's level (B1, B2), with what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LevelMove {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// The business day as of which it was looked at.
    #[n(1)]
    pub day: Day,
    /// What brought it.
    #[n(2)]
    pub why: LevelWhy,
    /// The rank before.
    #[n(3)]
    pub from: u8,
    /// Where the member stands from then on.
    #[n(4)]
    pub to: Standing,
    /// What the measure of the level that was asked for came to: points, growth or fen; 0 for one that was given.
    #[n(5)]
    pub measured: i64,
    /// What it had to come to.
    #[n(6)]
    pub threshold: i64,
    /// Growth that the end of the level takes, above zero (B2); none if it takes none.
    #[n(7)]
    pub taken: Option<i64>,
    /// Its place among the member's steps, from 1: a step that was taken is not taken again, whoever found it too. None in
    /// acts from before places were told, of which a step as of a day that was looked at is not taken again.
    #[n(8)]
    pub place: Option<u32>,
}

/// Levels moved, as of days that are over, or up to now by rising alone. A member's steps stand in one act, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LevelsMoved {
    /// All members were looked at up to this business day; before the last step of a run, and where members rose within a
    /// day, the day of the run before.
    #[n(0)]
    pub until: Day,
    /// Version of the scheme whose levels they are; 0 where none had begun.
    #[n(1)]
    pub scheme: u32,
    /// The steps.
    #[n(2)]
    pub moves: Vec<LevelMove>,
}
