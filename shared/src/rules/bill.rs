//! What is left to pay of a price, in the scheme's order of calculation, and what of it earns (rules S6 and S7).
//!
//! A reduction never takes more than is left: what a coupon or points would take beyond that is not used. A discount is
//! floored to the fen, so nobody is given a part of a fen.

use crate::money::{Amount, AmountOverflow};
use crate::scheme::bill::{Basis, Step, WHOLE_BP};

/// A price and what the member brings to reduce it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sale {
    /// The price in fen, 0 or more.
    pub price: Amount,
    /// A coupon's worth in fen.
    pub coupon: Amount,
    /// Points that are to count as cash.
    pub points: i64,
    /// What one point is worth, in fen.
    pub cash_per_point_fen: i64,
    /// The level's discount in bp; 0 for none.
    pub level_bp: u16,
    /// The birthday's discount in bp; 0 for none.
    pub birthday_bp: u16,
    /// Whether the card is at hand.
    pub has_card: bool,
    /// Whether the card was issued on this very day.
    pub is_issue_day: bool,
}

/// One reduction as it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reduced {
    /// Which.
    pub step: Step,
    /// By how much, in fen.
    pub by: Amount,
}

/// A sale reckoned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The reductions, in order.
    pub steps: Vec<Reduced>,
    /// Points that were used.
    pub points_used: i64,
    /// What is left to pay, in fen.
    pub to_pay: Amount,
    /// What of the price earns, in fen.
    pub earns_on: Amount,
}

impl Bill {
    /// What a step took, in fen; 0 for one that took nothing.
    #[must_use]
    pub fn taken(&self, step: Step) -> Amount {
        let made = self.steps.iter().find(|made| made.step == step);
        made.map_or(Amount::ZERO, |made| made.by)
    }
}

/// Why there is no discount, whoever the member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDiscount {
    /// The card was issued on this very day (rule S4).
    IssueDay,
    /// The card is not at hand (rule S9).
    NoCard,
}

/// What stands against a discount; none for a step that is no discount.
#[must_use]
pub fn no_discount(basis: &Basis, sale: &Sale, step: Step) -> Option<NoDiscount> {
    match step {
        Step::LevelDiscount if sale.is_issue_day && !basis.discount_on_issue_day => {
            Some(NoDiscount::IssueDay)
        }
        Step::LevelDiscount | Step::BirthdayDiscount if basis.discount_needs_card && !sale.has_card => {
            Some(NoDiscount::NoCard)
        }
        Step::Coupon | Step::Points | Step::LevelDiscount | Step::BirthdayDiscount => None,
    }
}

/// Reckons a sale.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn reckon(basis: &Basis, sale: &Sale) -> Result<Bill, AmountOverflow> {
    let mut rest = sale.price.max(Amount::ZERO);
    let mut bill = Bill { steps: Vec::new(), points_used: 0, to_pay: rest, earns_on: rest };
    let (mut coupon, mut by_points) = (Amount::ZERO, Amount::ZERO);
    for step in &basis.order {
        let by = match step {
            Step::Coupon => sale.coupon.max(Amount::ZERO).min(rest),
            Step::Points => {
                bill.points_used = points_that_fit(sale, rest);
                Amount(bill.points_used).times(sale.cash_per_point_fen)?
            }
            Step::LevelDiscount | Step::BirthdayDiscount if no_discount(basis, sale, *step).is_some() => {
                Amount::ZERO
            }
            Step::LevelDiscount => share(rest, sale.level_bp),
            Step::BirthdayDiscount => share(rest, sale.birthday_bp),
        };
        rest = rest.minus(by)?;
        match step {
            Step::Coupon => coupon = by,
            Step::Points => by_points = by,
            Step::LevelDiscount | Step::BirthdayDiscount => {}
        }
        if by.is_positive() {
            bill.steps.push(Reduced { step: *step, by });
        }
    }
    bill.to_pay = rest;
    bill.earns_on = earns_on(basis, rest, (coupon, by_points))?;
    Ok(bill)
}

/// What of a price earns: the money, and what a coupon and points paid of it where the scheme does not exclude them (rules
/// S6 and S7). All in fen.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn earns_on(
    basis: &Basis,
    money: Amount,
    (coupon, by_points): (Amount, Amount),
) -> Result<Amount, AmountOverflow> {
    let kept = |is_excluded: bool, part: Amount| if is_excluded { Amount::ZERO } else { part };
    let coupon = kept(basis.exclude_coupon_paid, coupon);
    money.plus(coupon)?.plus(kept(basis.exclude_points_paid, by_points))
}

/// Whole points that what is left can still take.
fn points_that_fit(sale: &Sale, rest: Amount) -> i64 {
    if sale.cash_per_point_fen <= 0 { 0 } else { sale.points.clamp(0, rest.0 / sale.cash_per_point_fen) }
}

/// A share of an amount, floored to the fen; the whole at most.
fn share(amount: Amount, bp: u16) -> Amount {
    let part = i128::from(amount.0) * i128::from(bp).min(i128::from(WHOLE_BP)) / i128::from(WHOLE_BP);
    Amount(i64::try_from(part).unwrap_or(amount.0))
}
