//! Groups 4 and 5: what earns points or growth, and the promotion sheets of shops.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::bill::Basis;
use super::start::PointsStart;
use super::terms::EarnRate;
use crate::money::Unit;
use crate::policy::Period;
use crate::time::Day;

/// One rule of earning.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct EarnRule {
    /// The number of the rule that it stands for, as postings and explanations name it, such as `S2`.
    #[n(0)]
    pub rule: String,
    /// For what.
    #[n(1)]
    pub event: EarnKind,
    /// Only for events of this code: a task, a kind of activity, a kind of card, a kind of goods; empty for those
    /// without a code; none for all.
    #[serde(default)]
    #[n(2)]
    pub of: Option<String>,
    /// What grows. Growth and points for one act are possible, one of them is advised (rule B5, contradiction X7).
    #[serde(default)]
    #[n(3)]
    pub balance: Balance,
    /// Size of one step of money in fen; 0 if money plays no part.
    #[serde(default)]
    #[n(4)]
    pub per_fen: i64,
    /// Points for each step (rule S2: 2 for 10,000 fen).
    #[serde(default)]
    #[n(5)]
    pub points_per: i64,
    /// Points for the event itself, whatever it cost.
    #[serde(default)]
    #[n(6)]
    pub fixed_points: i64,
    /// What becomes of a part of a step.
    #[serde(default)]
    #[n(7)]
    pub rounding: Rounding,
    /// Per cent of the price that must have been received before anything is earned (rule K22: 100); none for none.
    #[serde(default)]
    #[n(8)]
    pub gate_paid_percent: Option<u8>,
    /// Whether somebody must approve first (rule K21, contradiction X11).
    #[serde(default)]
    #[n(9)]
    pub approval: Approval,
    /// The most that this rule gives one member in a period; none for no bound.
    #[serde(default)]
    #[n(10)]
    pub cap: Option<RuleCap>,
    /// Whether it gives only once.
    #[serde(default)]
    #[n(11)]
    pub once: Once,
    /// Ranks that it is for; empty for all.
    #[serde(default)]
    #[n(12)]
    pub ranks: Vec<u8>,
}

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum EarnKind {
    /// A purchase 购房, 消费.
    #[n(0)]
    Purchase,
    /// Taking part in an activity 活动.
    #[n(1)]
    Activity,
    /// Care 关怀.
    #[n(2)]
    Care,
    /// A complaint 投诉, settled.
    #[n(3)]
    Complaint,
    /// A task 签到, 评价, 绑定第三方账号 (rule B3).
    #[n(4)]
    Task,
    /// Base points 基本积分 of a card, when it is issued (rule K15).
    #[n(5)]
    Base,
    /// A reward that no purchase carries (rule G8: old customers who join).
    #[n(6)]
    Promo,
    /// An order refused at the door 拒收 (rule B3). It earns nothing by any rule: it costs what the scheme's returns say.
    #[n(7)]
    Refusal,
}

impl EarnKind {
    /// Kinds that are no purchase and come with no card: somebody tells the centre of each ([`ToldTerms`]).
    pub const TOLD: [Self; 6] =
        [Self::Activity, Self::Care, Self::Complaint, Self::Task, Self::Promo, Self::Refusal];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Activity => "activity",
            Self::Care => "care",
            Self::Complaint => "complaint",
            Self::Task => "task",
            Self::Base => "base",
            Self::Promo => "promo",
            Self::Refusal => "refusal",
        }
    }

    /// The kind of a code, of those that the centre is told of.
    #[must_use]
    pub fn told(code: &str) -> Option<Self> {
        Self::TOLD.into_iter().find(|kind| kind.code() == code)
    }
}

/// What an event adds to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// Points, which are spent.
    #[default]
    #[n(0)]
    Points,
    /// Growth, which moves levels only.
    #[n(1)]
    Growth,
    /// The same number to each.
    #[n(2)]
    Both,
}

impl Balance {
    /// All.
    pub const ALL: [Self; 3] = [Self::Points, Self::Growth, Self::Both];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Growth => "growth",
            Self::Both => "both",
        }
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|balance| balance.code() == code)
    }

    /// Whether points grow.
    #[must_use]
    pub fn has_points(self) -> bool {
        matches!(self, Self::Points | Self::Both)
    }

    /// Whether growth grows.
    #[must_use]
    pub fn has_growth(self) -> bool {
        matches!(self, Self::Growth | Self::Both)
    }

    /// Whether a unit grows; money never does.
    #[must_use]
    pub fn has(self, unit: Unit) -> bool {
        match unit {
            Unit::Pts => self.has_points(),
            Unit::Growth => self.has_growth(),
            Unit::Cny => false,
        }
    }
}

/// What becomes of a part of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// It counts for nothing: 99 元 at 2 per 100 give 0. The source does not say (gap); this is the default.
    #[default]
    #[n(0)]
    FloorUnit,
    /// It counts in proportion, whole points only: 99 元 give 1.
    #[n(1)]
    Floor,
    /// In proportion, to the nearest point, half up: 99 元 give 2. Splitting a purchase may then earn more.
    #[n(2)]
    HalfUp,
}

/// Whether somebody must approve first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// It counts at once.
    #[default]
    #[n(0)]
    Auto,
    /// It waits (待加分).
    #[n(1)]
    Pending,
}

/// The most that one rule gives one member in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RuleCap {
    /// In which.
    #[n(0)]
    pub period: Period,
    /// How much.
    #[n(1)]
    pub most: i64,
}

/// Whether a rule gives only once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Once {
    /// It gives every time.
    #[default]
    #[n(0)]
    No,
    /// Once in a member's life.
    #[n(1)]
    Ever,
    /// Once in a period.
    #[n(2)]
    In(#[n(0)] Period),
}

/// A shop's promotion for some days (rules G3 to G5). What counts is A × B + C; the source does not say what the
/// letters mean (gap): here A is the sale, B a factor, C a fixed add-on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// Its number; of several that fit, the largest wins (rule G5).
    #[n(0)]
    pub sheet_no: u64,
    /// Code of the shop; empty for all shops.
    #[serde(default)]
    #[n(1)]
    pub office: String,
    /// First day of sale.
    #[n(2)]
    pub date_from: Day,
    /// Last day of sale.
    #[n(3)]
    pub date_to: Day,
    /// The day on which it was entered. It counts for sales of later days only, since a promotion must be in the
    /// system beforehand (rule G3).
    #[n(4)]
    pub entered: Day,
    /// What A is.
    #[serde(default)]
    #[n(5)]
    pub a_basis: SheetBasis,
    /// B in bp: 10,000 counts the sale once, 15,000 one and a half times.
    #[serde(default = "once_bp")]
    #[n(6)]
    pub b_factor_bp: i64,
    /// C in fen.
    #[serde(default)]
    #[n(7)]
    pub c_addend_fen: i64,
}

/// All by which a purchase is rated: what terminals promise and the ledger posts by alike ([`crate::rules::purchase`]).
/// Part of the terms of a version, so a posting can be reckoned again from the version that it names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct EarnTerms {
    /// The rules that give points or growth for purchases, whatever the member's rank. What a cap or "once" leaves of
    /// one over several purchases is judged where all of them are known. A cap of the only rule that gives a unit holds
    /// for all of it that purchases give, of one among several for what that rule gives ([`EarnTerms::is_alone`]).
    #[n(0)]
    pub rules: Vec<EarnRule>,
    /// Promotion sheets.
    #[n(1)]
    pub sheets: Vec<Sheet>,
    /// From when on points count.
    #[n(2)]
    pub start: PointsStart,
    /// What of a price earns.
    #[n(3)]
    pub basis: Basis,
}

impl EarnTerms {
    /// Whether only one rule gives a unit for purchases.
    #[must_use]
    pub fn is_alone(&self, unit: Unit) -> bool {
        self.rules.iter().filter(|rule| rule.balance.has(unit)).count() == 1
    }
}

/// All by which events are rated that are no purchases ([`crate::rules::told`]). Part of the terms of a version, so that a
/// posting can be reckoned again from the version that it names. Terminals make no use of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct ToldTerms {
    /// The rules for kinds of [`EarnKind::TOLD`], in the scheme's order.
    #[n(0)]
    pub rules: Vec<EarnRule>,
    /// From when on points count.
    #[n(1)]
    pub start: PointsStart,
}

/// What A of a promotion is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum SheetBasis {
    /// What earns of the price by the basis of calculation 实销: without points, coupons and discounts.
    #[default]
    #[n(0)]
    Earning,
    /// The price on the slip.
    #[n(1)]
    Price,
}

fn once_bp() -> i64 {
    super::bill::WHOLE_BP
}

impl EarnRule {
    /// A rule that gives nothing yet.
    #[must_use]
    pub fn new(rule: &str, event: EarnKind) -> Self {
        Self {
            rule: rule.to_owned(),
            event,
            of: None,
            balance: Balance::Points,
            per_fen: 0,
            points_per: 0,
            fixed_points: 0,
            rounding: Rounding::FloorUnit,
            gate_paid_percent: None,
            approval: Approval::Auto,
            cap: None,
            once: Once::No,
            ranks: Vec::new(),
        }
    }

    /// Whether it may be for a purchase as terminals know it: without a code.
    #[must_use]
    pub fn is_for_any_purchase(&self) -> bool {
        self.event == EarnKind::Purchase && self.of.as_deref().is_none_or(str::is_empty)
    }

    /// Whether what it gives for a purchase follows, but for its cap, from that purchase alone: not from the member's
    /// level, nor from whether it gave before. Only such a rule can be promised where the purchase alone is known.
    #[must_use]
    pub fn follows_from_sale(&self) -> bool {
        self.once == Once::No && self.for_every_rank()
    }

    /// Whether it is for members of every rank. A rule for some is a person's work where purchases are concerned: which
    /// rank a member held on the day is not known for certain at a terminal that works alone, and a level that is moved
    /// late must not change what was promised.
    #[must_use]
    pub fn for_every_rank(&self) -> bool {
        self.ranks.is_empty()
    }

    /// The rate as a terminal can apply it by itself; none if more than the amount matters.
    #[must_use]
    pub fn plain_rate(&self) -> Option<EarnRate> {
        let plain = self.balance.has_points()
            && self.per_fen > 0
            && self.fixed_points == 0
            && self.rounding == Rounding::FloorUnit
            && self.gate_paid_percent.is_none()
            && self.approval == Approval::Auto
            && self.follows_from_sale()
            && self.cap.is_none()
            && self.is_for_any_purchase();
        plain.then_some(EarnRate { per_fen: self.per_fen, points: self.points_per })
    }
}
