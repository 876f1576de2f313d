//! Groups 10 and 11: points filled up, an award for the first of a period, the birthday.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Scheme;
use crate::policy::Period;

/// Members who get an award at most: more are no award, and one act names them all.
pub const RANKED_MAX: u32 = 10_000;

/// Points filled up on a day of each month 积分加满 (rule P3).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RoundUp {
    /// The member day 会员日 of each month, 1 to 31; beyond a short month its last day. Not given (gap).
    #[n(0)]
    pub day: u8,
    /// The rank from which on.
    #[n(1)]
    pub min_rank: u8,
    /// What is filled up to what, below the steps; in order, without overlap.
    #[n(2)]
    #[serde(default, rename = "bracket")]
    pub brackets: Vec<Bracket>,
    /// Whether the whole of a bracket is filled up (1,450 to 1,500 as 1,400 is) or its first number only. The source is
    /// ambiguous; the default is the whole, in the member's favour.
    #[n(3)]
    #[serde(default = "yes")]
    pub whole_bracket: bool,
    /// From here on the upper half of each step is filled up to the next step.
    #[n(4)]
    pub step_from: i64,
    /// The size of a step.
    #[n(5)]
    pub step: i64,
    /// Nothing is filled up beyond this.
    #[n(6)]
    pub ceiling: i64,
}

/// From `from` up to `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Bracket {
    /// The first number that is filled up.
    #[n(0)]
    pub from: i64,
    /// What it becomes.
    #[n(1)]
    pub to: i64,
}

/// An award for those with the most points of a period (rule P4).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Ranking {
    /// The period; the award is given on the day after it.
    #[n(0)]
    pub period: Period,
    /// How many get it.
    #[n(1)]
    pub top_n: u32,
    /// The rank from which on a member takes part.
    #[n(2)]
    pub min_rank: u8,
    /// Code of the award: an item of the catalogue.
    #[n(3)]
    pub award: String,
    /// What is ranked: points earned within the period, or those held at its end. The source says only "by points"
    /// (gap); the default is those held.
    #[n(4)]
    #[serde(default)]
    pub by: RankBy,
}

/// What members are ranked by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RankBy {
    /// Points held at the end of the period.
    #[n(0)]
    #[default]
    Balance,
    /// Points earned within it.
    #[n(1)]
    Earned,
}

/// The coupons that a scheme gives by itself, as the policy is told them (rules S9 and S10).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct CouponTerms {
    /// Given to who joins, in fen; 0 for none.
    #[n(0)]
    pub welcome_fen: i64,
    /// What a birthday gives; none where it gives nothing.
    #[n(1)]
    #[serde(default)]
    pub birthday: Option<Birthday>,
}

impl CouponTerms {
    /// The coupons of a scheme; none where it gives none.
    #[must_use]
    pub fn of(scheme: &Scheme) -> Option<Self> {
        let birthday = scheme.birthday.clone().filter(|rule| rule.coupon_fen > 0);
        let gives = scheme.welcome_coupon_fen > 0 || birthday.is_some();
        gives.then_some(Self { welcome_fen: scheme.welcome_coupon_fen, birthday })
    }
}

/// What a birthday gives (rules S9 and S10).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct Birthday {
    /// When.
    #[n(0)]
    pub window: BirthdayWindow,
    /// How often in a calendar year.
    #[n(1)]
    pub max_per_year: u8,
    /// What must be shown.
    #[n(2)]
    pub evidence: Evidence,
    /// The discount, in bp of what is left of the price. The table is lost (gap): 0 until the club sets it.
    #[n(3)]
    pub discount_bp: u16,
    /// The coupon that is sent, in fen; 0 for none. Its worth is not given (gap).
    #[n(4)]
    pub coupon_fen: i64,
    /// The day of the month before on which coupon and card are sent, 31 for its last (rule S10: month-end).
    #[n(5)]
    pub send_day: u8,
}

/// When a birthday counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum BirthdayWindow {
    /// On the day; who was born on 29 February has it on the 28th in other years.
    #[n(0)]
    Day,
    /// In its month (rule S9).
    #[n(1)]
    #[default]
    Month,
}

/// What must be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The member's card.
    #[n(0)]
    Card,
    /// The card and the identity card (rule S9).
    #[n(1)]
    #[default]
    IdCard,
}

impl Default for Birthday {
    fn default() -> Self {
        Self {
            window: BirthdayWindow::Month,
            max_per_year: 1,
            evidence: Evidence::IdCard,
            discount_bp: 0,
            coupon_fen: 0,
            send_day: 31,
        }
    }
}

fn yes() -> bool {
    true
}
