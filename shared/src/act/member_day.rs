//! Acts about what comes round: points filled up on the member day 会员日 (P3), and the award for the first of a period
//! 排名奖励 (P4).

use minicbor::{Decode, Encode};

use crate::ids::{Hash, ItemId, MemberId, OfficeId};
use crate::time::Day;

/// A member's points as they stood at the end of a member day, and what they were filled up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FilledUp {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// The office that gives them: the member's own.
    #[n(1)]
    pub office: OfficeId,
    /// The member day: once for each member in its month.
    #[n(2)]
    pub day: Day,
    /// Points at its end, as known then: those in leases are the member's still.
    #[n(3)]
    pub from: i64,
    /// What they became, above `from`.
    #[n(4)]
    pub to: i64,
    /// Version of the scheme in force on the day; 0 where none had begun.
    #[n(5)]
    pub scheme: u32,
}

/// Points were filled up on member days that are over.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PointsFilledUp {
    /// Everybody was looked at up to this business day; before the last step of a run, the day of the run before.
    #[n(0)]
    pub until: Day,
    /// Whose.
    #[n(1)]
    pub members: Vec<FilledUp>,
}

/// A place of a ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ranked {
    /// Who.
    #[n(0)]
    pub member: MemberId,
    /// The points that were ranked, above zero.
    #[n(1)]
    pub points: i64,
    /// The business day on which the member had so many.
    #[n(2)]
    pub reached: Day,
}

/// The first of a period were found, each to get the award.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MembersRanked {
    /// The first business day of the period.
    #[n(0)]
    pub from: Day,
    /// Its last one: the points are those known at its end.
    #[n(1)]
    pub until: Day,
    /// Version of the scheme in force on that day; 0 where none had begun.
    #[n(2)]
    pub scheme: u32,
    /// Code of the award.
    #[n(3)]
    pub award: String,
    /// Who, the first of all first.
    #[n(4)]
    pub places: Vec<Ranked>,
}

/// The award of a ranking was given to its member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RankingAwarded {
    /// Which award.
    #[n(0)]
    pub award: Hash,
    /// The office that gave it.
    #[n(1)]
    pub office: OfficeId,
    /// The item that was taken from its shelf; none for what is no item of stock.
    #[n(2)]
    pub item: Option<ItemId>,
    /// Commitment to what the person typed.
    #[n(3)]
    pub reason: Hash,
}
