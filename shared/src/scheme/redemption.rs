//! Groups 8 and 9 and transfers: what points buy, what happens when goods come back, points from member to member.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::terms::Words;

/// What points buy (rules K24, S5, P2, B3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redemption {
    /// Months in which points may be redeemed, 1 to 12; empty for all (rule S5: 6 and 12).
    pub months_open: Vec<u8>,
    /// Kinds that the club offers; empty for those of the items, and cash if a point has a value.
    pub kinds: Vec<RedeemKind>,
    /// What one point is worth as cash, in fen; 0 if it is worth none (rule S2: 100).
    pub cash_per_point_fen: i64,
    /// The catalogue. Stock is counted at each office, not here.
    #[serde(rename = "item")]
    pub items: Vec<Item>,
    /// Cheaper for some, on a large purchase (rule P2).
    #[serde(rename = "special_offer")]
    pub special_offers: Vec<SpecialOffer>,
    /// Whether a plan must be approved before it is carried out (rule K24).
    pub plan_needs_approval: bool,
}

/// What somebody gets for points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedeemKind {
    /// Goods.
    Gift,
    /// Money off the price.
    Cash,
    /// A coupon.
    Coupon,
    /// A draw 抽奖; who wins is decided elsewhere.
    Lottery,
    /// Payment of an order.
    OrderPay,
}

/// One thing of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its code; each once.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// What it is.
    pub kind: RedeemKind,
    /// Its normal cost in points, above zero.
    pub cost: i64,
    /// What it is worth as cash in fen, for who brings goods back but not the gift (rule S8); 0 for its cost in points
    /// at the cash rate.
    #[serde(default)]
    pub value_fen: i64,
    /// The rank from which on it may be had; 0 for all.
    #[serde(default)]
    pub min_rank: u8,
    /// Months of its own; empty for those of the club.
    #[serde(default)]
    pub months_open: Vec<u8>,
}

/// An item for less, with one purchase that is large enough (rule P2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialOffer {
    /// Code of the item; its normal cost stands there.
    pub item: String,
    /// The purchase that opens it, in fen, at least.
    pub min_purchase_fen: i64,
    /// The cost in points then.
    pub cost: i64,
    /// The rank from which on.
    pub min_rank: u8,
}

/// Goods that come back (rules S8 and B3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Returns {
    /// Whether their points are taken back.
    pub reverse_points: bool,
    /// What happens if too few are left.
    pub shortfall: Shortfall,
    /// Points taken for an order that was refused at the door 拒收. The source names no number (gap): 0.
    pub refusal_penalty: i64,
}

/// What happens if fewer points are left than goods brought back had earned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// The gift comes back as well, or its worth in cash (rule S8).
    #[default]
    ReturnGiftOrCash,
    /// The member owes the rest; what comes next pays it.
    Negative,
    /// The goods are not taken back.
    Block,
}

impl Default for Returns {
    fn default() -> Self {
        Self { reverse_points: true, shortfall: Shortfall::ReturnGiftOrCash, refusal_penalty: 0 }
    }
}

/// Points from member to member: only with a line to the centre, within limits. No source describes it (gap): off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct Transfer {
    /// Whether it may be done at all.
    #[n(0)]
    pub allowed: bool,
    /// The fewest points at once; 0 for any.
    #[n(1)]
    pub least: i64,
    /// The most at once; none for no bound.
    #[n(2)]
    pub most: Option<i64>,
    /// The most that one member gives in a day; none for no bound.
    #[n(3)]
    pub most_per_day: Option<i64>,
    /// The most that one member gives in a calendar year; none for no bound.
    #[n(4)]
    pub most_per_year: Option<i64>,
    /// The rank from which on a member may give; 0 for all.
    #[n(5)]
    pub min_rank: u8,
}
