//! Group 6: in which order a price is reduced, and what of it earns.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The whole of a price, in bp.
pub const WHOLE_BP: i64 = 10_000;

/// The order of calculation and the basis of earning (rules S6 and S7).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct Basis {
    /// Whether what was paid with points earns nothing (rule S6).
    #[n(0)]
    pub exclude_points_paid: bool,
    /// Whether what was paid with a coupon earns nothing (rule S7).
    #[n(1)]
    pub exclude_coupon_paid: bool,
    /// In which order the price is reduced; a step that is not named does not happen.
    #[n(2)]
    pub order: Vec<Step>,
    /// Whether the discount of a level holds on the day on which the card was issued. Rule S4: no.
    #[n(3)]
    pub discount_on_issue_day: bool,
    /// Whether a discount needs the card at hand (rule S9).
    #[n(4)]
    pub discount_needs_card: bool,
}

/// One reduction of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A coupon's amount.
    #[n(0)]
    Coupon,
    /// Points that count as cash.
    #[n(1)]
    Points,
    /// The discount of the level, in bp of what is left.
    #[n(2)]
    LevelDiscount,
    /// The discount of the birthday, in bp of what is left.
    #[n(3)]
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

impl Basis {
    /// Whether it excludes from earning what the default excludes.
    #[must_use]
    pub fn same_share(&self) -> bool {
        let usual = Self::default();
        (self.exclude_points_paid, self.exclude_coupon_paid)
            == (usual.exclude_points_paid, usual.exclude_coupon_paid)
    }

    /// Whether it reduces prices as the default does, whatever it says of earning.
    #[must_use]
    pub fn same_discounts(&self) -> bool {
        let usual = Self::default();
        let of = |basis: &Self| (basis.order.clone(), basis.discount_on_issue_day, basis.discount_needs_card);
        of(self) == of(&usual)
    }
}
