//! What points buy: the catalogue, special offers, cash, and the months in which it is open (rules K24, S5, P2, B3).

use super::calendar;
use crate::money::{Amount, AmountOverflow};
use crate::scheme::redemption::{Item, RedeemKind, Redemption};
use crate::time::Day;

/// Who asks, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The business day.
    pub day: Day,
    /// The member's rank.
    pub rank: u8,
    /// Points that the member has.
    pub balance: i64,
    /// The purchase made along with it, in fen; 0 for none. One purchase, not the sum of several (rule P2).
    pub purchase_fen: i64,
}

/// Points given for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redeemed {
    /// What is given.
    pub kind: RedeemKind,
    /// Points that it costs now.
    pub points: i64,
    /// Points that it costs normally.
    pub normal: i64,
    /// What it is worth in fen, for cash and for who returns goods without the gift.
    pub worth_fen: i64,
    /// Whether a plan must be approved first; otherwise the points are deducted at once.
    pub pending: bool,
    /// Number of the rule that it stands for: of special offers, else of months, else of redemption.
    pub rule: &'static str,
}

/// Why it cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRedeemed {
    /// It is not a month for it.
    #[error("not open in month {month}")]
    Closed {
        /// The month met.
        month: u8,
    },
    /// The catalogue has no such thing, or the club does not offer this kind.
    #[error("the scheme does not offer {what}")]
    NotOffered {
        /// What was asked for.
        what: String,
    },
    /// For higher ranks.
    #[error("from rank {needs} on, the member has {has}")]
    Rank {
        /// The rank that is needed.
        needs: u8,
        /// The member's.
        has: u8,
    },
    /// Too few points.
    #[error("{needs} points are needed, the member has {has}")]
    Short {
        /// Points that are needed.
        needs: i64,
        /// The member's.
        has: i64,
    },
    /// Beyond what can be counted.
    #[error(transparent)]
    Overflow(#[from] AmountOverflow),
}

/// An item of the catalogue, at its normal cost or that of a special offer.
///
/// # Errors
/// [`NotRedeemed`] with the first reason why not.
pub fn item(rules: &Redemption, code: &str, ask: Ask) -> Result<Redeemed, NotRedeemed> {
    let not_offered = || NotRedeemed::NotOffered { what: code.to_owned() };
    let item = rules.item(code).ok_or_else(not_offered)?;
    let months = if item.months_open.is_empty() { &rules.months_open } else { &item.months_open };
    open(months, ask.day)?;
    if ask.rank < item.min_rank {
        return Err(NotRedeemed::Rank { needs: item.min_rank, has: ask.rank });
    }
    let special = rules
        .special_offers
        .iter()
        .filter(|offer| {
            offer.item == code && ask.rank >= offer.min_rank && ask.purchase_fen >= offer.min_purchase_fen
        })
        .map(|offer| offer.cost)
        .min();
    let points = special.unwrap_or(item.cost).min(item.cost);
    enough(points, ask.balance)?;
    let worth_fen = worth(rules, item)?;
    let rule = match months.is_empty() {
        _ if points < item.cost => "P2",
        false => "S5",
        true => "K24",
    };
    let pending = rules.plan_needs_approval;
    Ok(Redeemed { kind: item.kind, points, normal: item.cost, worth_fen, pending, rule })
}

/// Points as cash (rule S5: at 1:1, in June and December). It is deducted at once.
///
/// # Errors
/// [`NotRedeemed`] with the first reason why not.
pub fn cash(rules: &Redemption, points: i64, ask: Ask) -> Result<Redeemed, NotRedeemed> {
    let kinds = &rules.kinds;
    if rules.cash_per_point_fen <= 0 || !(kinds.is_empty() || kinds.contains(&RedeemKind::Cash)) {
        return Err(NotRedeemed::NotOffered { what: "cash".to_owned() });
    }
    open(&rules.months_open, ask.day)?;
    enough(points, ask.balance)?;
    let worth_fen = Amount(points).times(rules.cash_per_point_fen)?.0;
    Ok(Redeemed { kind: RedeemKind::Cash, points, normal: points, worth_fen, pending: false, rule: "S5" })
}

/// What an item is worth in fen (rule S8): its own worth, else its cost at the cash rate.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn worth(rules: &Redemption, item: &Item) -> Result<i64, AmountOverflow> {
    if item.value_fen > 0 {
        Ok(item.value_fen)
    } else {
        Amount(item.cost).times(rules.cash_per_point_fen).map(|worth| worth.0)
    }
}

fn open(months: &[u8], day: Day) -> Result<(), NotRedeemed> {
    let month = calendar::month_of(day).unwrap_or(0);
    if months.is_empty() || months.contains(&month) { Ok(()) } else { Err(NotRedeemed::Closed { month }) }
}

fn enough(needs: i64, has: i64) -> Result<(), NotRedeemed> {
    if (0..=has).contains(&needs) { Ok(()) } else { Err(NotRedeemed::Short { needs, has }) }
}
