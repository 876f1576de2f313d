//! What an event earns: by amount, by the event itself, through a gate, up to a cap, once or each time.
//!
//! The basis is what of a price earns ([`super::bill`], then [`super::promotion`]). Whole numbers throughout; the
//! product is taken in 128 bits, so nothing is lost on the way.

use crate::money::{Amount, AmountOverflow};
use crate::policy::Period;
use crate::scheme::EarnRate;
use crate::scheme::earning::{Approval, Balance, EarnKind, EarnRule, Once, Rounding};
use crate::time::Day;

/// The number of the rule of plain rates, as facts and postings name it.
pub const RULE_S2: &str = "S2";

/// Points for a purchase by rule S2: `points` for each full `per_fen` of the price, the rest of the price counts for
/// nothing. A rate with a step of zero or less gives nothing.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn points_for_purchase(rate: EarnRate, purchase: Amount) -> Result<Amount, AmountOverflow> {
    by_amount(rate.per_fen, rate.points, Rounding::FloorUnit, purchase)
}

/// Points for an amount of money: `points` for each `per_fen`, a part of a step as the rounding says.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn by_amount(
    per_fen: i64,
    points: i64,
    rounding: Rounding,
    basis: Amount,
) -> Result<Amount, AmountOverflow> {
    if per_fen <= 0 || !basis.is_positive() {
        return Ok(Amount::ZERO);
    }
    let (step, amount, points) = (i128::from(per_fen), i128::from(basis.0), i128::from(points));
    let earned = match rounding {
        Rounding::FloorUnit => amount / step * points,
        Rounding::Floor => amount * points / step,
        Rounding::HalfUp => (2 * amount * points + step) / (2 * step),
    };
    i64::try_from(earned).map(Amount).map_err(|_| AmountOverflow)
}

/// One event that may earn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning<'a> {
    /// What it is.
    pub event: EarnKind,
    /// Its code: a task, a kind of activity or card; empty if it has none.
    pub of: &'a str,
    /// What of money counts, in fen; 0 if money plays no part.
    pub basis: Amount,
    /// Per cent of the price that was received.
    pub paid_percent: u8,
    /// The business day.
    pub day: Day,
    /// The member's rank.
    pub rank: u8,
}

/// What a rule gave the member before; what was taken back stands below zero, on the day of what it was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// On which business day.
    pub day: Day,
    /// How much.
    pub amount: Amount,
}

/// What one rule gives for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gives {
    /// How much.
    pub amount: Amount,
    /// To which balance.
    pub balance: Balance,
    /// Whether somebody must approve first.
    pub pending: bool,
    /// Why it is less than the rate says; none if it is all.
    pub less: Option<Less>,
}

/// Why a rule gives less than its rate, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Less {
    /// Too little of the price was received (rule K22).
    Gate {
        /// Per cent that are needed.
        needs: u8,
        /// Per cent that were received.
        paid: u8,
    },
    /// The rest of the cap was less.
    Cap {
        /// The cap.
        most: Amount,
        /// What the rate says.
        wanted: Amount,
    },
    /// It gives only once, and has.
    Once,
}

/// What a rule gives for an event; none if the rule is for something else. `before` is what it gave this member so far,
/// net of what was taken back.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn gives(rule: &EarnRule, what: &Earning<'_>, before: &[Given]) -> Result<Option<Gives>, AmountOverflow> {
    let other_code = rule.of.as_deref().is_some_and(|of| of != what.of);
    let other_rank = !rule.ranks.is_empty() && !rule.ranks.contains(&what.rank);
    if rule.event != what.event || other_code || other_rank {
        return Ok(None);
    }
    let (balance, pending) = (rule.balance, rule.approval == Approval::Pending);
    let nothing = |less| Ok(Some(Gives { amount: Amount::ZERO, balance, pending: false, less: Some(less) }));
    if let Some(needs) = rule.gate_paid_percent.filter(|needs| what.paid_percent < *needs) {
        return nothing(Less::Gate { needs, paid: what.paid_percent });
    }
    let again = match rule.once {
        Once::No => false,
        Once::Ever => sum(before.iter())?.is_positive(),
        Once::In(period) => given_in(period, what.day, before)?.is_positive(),
    };
    if again {
        return nothing(Less::Once);
    }
    let wanted = by_amount(rule.per_fen, rule.points_per, rule.rounding, what.basis)?
        .plus(Amount(rule.fixed_points))?;
    let (amount, less) = match rule.cap {
        Some(cap) => {
            let rest = Amount(cap.most).minus(given_in(cap.period, what.day, before)?)?.max(Amount::ZERO);
            let less = (rest < wanted).then_some(Less::Cap { most: Amount(cap.most), wanted });
            (wanted.min(rest), less)
        }
        None => (wanted, None),
    };
    Ok(Some(Gives { amount, balance, pending, less }))
}

/// What was given in the period of a day.
fn given_in(period: Period, day: Day, before: &[Given]) -> Result<Amount, AmountOverflow> {
    let start = period.first_day(day);
    sum(before.iter().filter(|given| period.first_day(given.day) == start))
}

fn sum<'g>(mut given: impl Iterator<Item = &'g Given>) -> Result<Amount, AmountOverflow> {
    given.try_fold(Amount::ZERO, |sum, given| sum.plus(given.amount))
}
