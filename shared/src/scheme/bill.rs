//! Group 6: in which order a price is reduced, and what of it earns; and all that a bill is reckoned by, as centre and
//! terminals are told it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Scheme;
use super::bonus::Birthday;
use super::redemption::{RedeemKind, Redemption};
use super::terms::Words;

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
}

/// All that a version says of what is to pay of a price (rules S4, S6, S7 and S9). The default says the usual order, and
/// that nothing but a coupon reduces a price.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct BillTerms {
    /// The order, and what a discount asks for.
    #[n(0)]
    pub basis: Basis,
    /// All levels with their discounts, lowest first; empty where no level has one.
    #[n(1)]
    pub levels: Vec<LevelDiscount>,
    /// The rank of who never moved.
    #[n(2)]
    pub base_rank: u8,
    /// What one point is worth as cash, in fen; 0 where points pay nothing.
    #[n(3)]
    pub cash_per_point_fen: i64,
    /// Months in which points pay, 1 to 12; empty for all (rule S5).
    #[n(4)]
    pub months_open: Vec<u8>,
    /// The birthday's discount, and when it may be used; none where the scheme says nothing of birthdays.
    #[n(5)]
    pub birthday: Option<Birthday>,
}

/// The discount of a level.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct LevelDiscount {
    /// The level's rank.
    #[n(0)]
    pub rank: u8,
    /// Its name, by which terminals know it.
    #[n(1)]
    pub name: Words,
    /// In bp of what is left of the price; 0 for none.
    #[n(2)]
    pub discount_bp: u16,
}

impl BillTerms {
    /// What a scheme says of bills.
    #[must_use]
    pub fn of(scheme: &Scheme) -> Self {
        let has_discounts = scheme.levels.iter().any(|level| level.discount_bp > 0);
        let levels = scheme.levels.iter().filter(|_| has_discounts).map(|level| LevelDiscount {
            rank: level.rank,
            name: level.name.clone(),
            discount_bp: level.discount_bp,
        });
        let redemption = &scheme.redemption;
        let pays = redemption.cash_per_point_fen > 0
            && (redemption.kinds.is_empty() || redemption.kinds.contains(&RedeemKind::Cash));
        Self {
            basis: scheme.basis.clone(),
            levels: levels.collect(),
            base_rank: if has_discounts { scheme.base_rank() } else { 0 },
            cash_per_point_fen: if pays { redemption.cash_per_point_fen } else { 0 },
            months_open: if pays { redemption.months_open.clone() } else { Vec::new() },
            birthday: scheme.birthday.clone(),
        }
    }

    /// The discount of a rank in bp; 0 for one that has none.
    #[must_use]
    pub fn discount_of(&self, rank: u8) -> u16 {
        self.levels.iter().find(|level| level.rank == rank).map_or(0, |level| level.discount_bp)
    }

    /// The rank of a level by its name, as people read it; that of who never moved for a member without a name. None for a
    /// name that this version does not know: nobody can say which discount that member has.
    #[must_use]
    pub fn rank_of(&self, name: Option<&Words>) -> Option<u8> {
        let Some(name) = name.filter(|_| !self.levels.is_empty()) else { return Some(self.base_rank) };
        self.levels.iter().find(|level| level.name == *name).map(|level| level.rank)
    }

    /// The birthday, if it reduces prices.
    #[must_use]
    pub fn birthday_discount(&self) -> Option<&Birthday> {
        let is_a_step = self.basis.order.contains(&Step::BirthdayDiscount);
        self.birthday.as_ref().filter(|rule| is_a_step && rule.discount_bp > 0)
    }

    /// What points are worth as cash and when, as the rule of redemption asks for it.
    #[must_use]
    pub fn redemption(&self) -> Redemption {
        let (months_open, cash_per_point_fen) = (self.months_open.clone(), self.cash_per_point_fen);
        Redemption { months_open, cash_per_point_fen, ..Redemption::default() }
    }
}
