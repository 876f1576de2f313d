//! Acts about coupons 券: rights to a sum off a price, each used once at most.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{Hash, MemberId, OfficeId};
use crate::time::Day;

/// What a coupon was given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum CouponWhy {
    /// Somebody joined (S10).
    #[n(0)]
    Welcome,
    /// A birthday comes (S9, S10).
    #[n(1)]
    Birthday,
    /// Points were given for it (K24).
    #[n(2)]
    Redeemed,
}

impl CouponWhy {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 3] =
        [(Self::Welcome, "welcome"), (Self::Birthday, "birthday"), (Self::Redeemed, "redeemed")];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("welcome", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// A coupon that is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CouponGiven {
    /// Its name: the same for the same member and cause, so that it is given once.
    #[n(0)]
    pub id: Hash,
    /// Whose.
    #[n(1)]
    pub member: MemberId,
    /// What for.
    #[n(2)]
    pub why: CouponWhy,
    /// Its worth in fen, above zero.
    #[n(3)]
    pub fen: i64,
    /// The first business day on which it may be used.
    #[n(4)]
    pub from: Day,
    /// The last one; none where it has no end.
    #[n(5)]
    pub until: Option<Day>,
}

/// Coupons that fell due on days that are over.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CouponsGiven {
    /// Everybody was looked at up to this business day; before the last step of a run, the day of the run before.
    #[n(0)]
    pub until: Day,
    /// Version of the scheme that gives them; 0 where none had begun.
    #[n(1)]
    pub scheme: u32,
    /// Which.
    #[n(2)]
    pub coupons: Vec<CouponGiven>,
}

/// A coupon was used, with a line to the centre: a right that counts once is never spent on a terminal's word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CouponUsed {
    /// Which.
    #[n(0)]
    pub coupon: Hash,
    /// Where.
    #[n(1)]
    pub office: OfficeId,
    /// Commitment to what the person typed: the slip, and what was shown.
    #[n(2)]
    pub reason: Hash,
}
