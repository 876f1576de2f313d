//! Group 6: in which order a price is reduced, and what of it earns.

use serde::{Deserialize, Serialize};

/// The whole of a price, in bp.
pub const WHOLE_BP: i64 = 10_000;

/// The order of calculation and the basis of earning (rules S6 and S7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Basis {
    /// Whether what was paid with points earns nothing (rule S6).
    pub exclude_points_paid: bool,
    /// Whether what was paid with a coupon earns nothing (rule S7).
    pub exclude_coupon_paid: bool,
    /// In which order the price is reduced; a step that is not named does not happen.
    pub order: Vec<Step>,
    /// Whether the discount of a level holds on the day on which the card was issued. Rule S4: no.
    pub discount_on_issue_day: bool,
    /// Whether a discount needs the card at hand (rule S9).
    pub discount_needs_card: bool,
}

/// One reduction of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A coupon's amount.
    Coupon,
    /// Points that count as cash.
    Points,
    /// The discount of the level, in bp of what is left.
    LevelDiscount,
    /// The discount of the birthday, in bp of what is left.
    BirthdayDiscount,
}

impl Default for Basis {
    fn default() -> Self {
        Self {
            exclude_points_paid: true,
            exclude_coupon_paid: true,
            order: vec![Step::Coupon, Step::Points, Step::LevelDiscount, Step::BirthdayDiscount],
            discount_on_issue_day: false,
            discount_needs_card: true,
        }
    }
}
