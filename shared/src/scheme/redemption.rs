//! Groups 8 and 9 and transfers: what points buy, what happens when goods come back, points from member to member.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Scheme;
use super::terms::Words;

/// What points buy (rules K24, S5, P2, B3). The policy is told it whole: the ledger decides by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct Redemption {
    /// Months in which points may be redeemed, 1 to 12; empty for all (rule S5: 6 and 12).
    #[n(0)]
    pub months_open: Vec<u8>,
    /// Kinds that the club offers; empty for those of the items, and cash if a point has a value.
    #[n(1)]
    pub kinds: Vec<RedeemKind>,
    /// What one point is worth as cash, in fen; 0 if it is worth none (rule S2: 100).
    #[n(2)]
    pub cash_per_point_fen: i64,
    /// The catalogue. Stock is counted at each office, not here.
    #[serde(rename = "item")]
    #[n(3)]
    pub items: Vec<Item>,
    /// Cheaper for some, on a large purchase (rule P2).
    #[serde(rename = "special_offer")]
    #[n(4)]
    pub special_offers: Vec<SpecialOffer>,
    /// Whether a plan must be approved before it is carried out (rule K24).
    #[n(5)]
    pub plan_needs_approval: bool,
}

impl Redemption {
    /// The catalogue of a scheme; none where points buy nothing.
    #[must_use]
    pub fn of(scheme: &Scheme) -> Option<Self> {
        let rules = &scheme.redemption;
        let offers = !rules.items.is_empty() || rules.cash_per_point_fen > 0;
        offers.then(|| rules.clone())
    }

    /// The item of a code.
    #[must_use]
    pub fn item(&self, code: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.code == code)
    }
}

/// What somebody gets for points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RedeemKind {
    /// Goods.
    #[n(0)]
    Gift,
    /// Money off the price.
    #[n(1)]
    Cash,
    /// A coupon.
    #[n(2)]
    Coupon,
    /// A draw 抽奖; who wins is decided elsewhere.
    #[n(3)]
    Lottery,
    /// Payment of an order.
    #[n(4)]
    OrderPay,
}

impl RedeemKind {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 5] = [
        (Self::Gift, "gift"),
        (Self::Cash, "cash"),
        (Self::Coupon, "coupon"),
        (Self::Lottery, "lottery"),
        (Self::OrderPay, "order_pay"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("gift", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// One thing of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its code; each once.
    #[n(0)]
    pub code: String,
    /// Its name.
    #[n(1)]
    pub name: Words,
    /// What it is.
    #[n(2)]
    pub kind: RedeemKind,
    /// Its normal cost in points, above zero.
    #[n(3)]
    pub cost: i64,
    /// What it is worth as cash in fen, for who brings goods back but not the gift (rule S8); 0 for its cost in points
    /// at the cash rate.
    #[serde(default)]
    #[n(4)]
    pub value_fen: i64,
    /// The rank from which on it may be had; 0 for all.
    #[serde(default)]
    #[n(5)]
    pub min_rank: u8,
    /// Months of its own; empty for those of the club.
    #[serde(default)]
    #[n(6)]
    pub months_open: Vec<u8>,
}

/// An item for less, with one purchase that is large enough (rule P2).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SpecialOffer {
    /// Code of the item; its normal cost stands there.
    #[n(0)]
    pub item: String,
    /// The purchase that opens it, in fen, at least.
    #[n(1)]
    pub min_purchase_fen: i64,
    /// The cost in points then.
    #[n(2)]
    pub cost: i64,
    /// The rank from which on.
    #[n(3)]
    pub min_rank: u8,
}

/// Goods that come back (rules S8 and B3). Part of the terms of a version: the ledger takes points back by the version that
/// rated the purchase, and one that was published later changes nothing of that.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct Returns {
    /// Whether their points are taken back, and the growth with them.
    #[n(0)]
    pub reverse_points: bool,
    /// What happens if too few are left.
    #[n(1)]
    pub shortfall: Shortfall,
    /// Points taken for an order that was refused at the door 拒收. The source names no number (gap): 0.
    #[n(2)]
    pub refusal_penalty: i64,
}

/// What happens if fewer points are left than goods brought back had earned. The ledger keeps what is missing as owed in
/// each case: goods may come back where nobody knows what the member has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// The gift comes back as well, or its worth in cash (rule S8).
    #[default]
    #[n(0)]
    ReturnGiftOrCash,
    /// The member owes the rest; what comes next pays it.
    #[n(1)]
    Negative,
    /// The goods are not taken back.
    #[n(2)]
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
