//! Goods that come back and orders refused at the door (rules S8 and B3).
//!
//! What is taken back is the difference between what a sale earned and what it earns without the goods, by the version
//! that rated it; so bringing back in parts takes what bringing back at once takes.

use crate::money::{Amount, AmountOverflow};
use crate::scheme::redemption::{Returns, Shortfall};

/// What happens to points when goods come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Points taken now.
    pub taken: i64,
    /// Points that the member owes; what comes next pays them.
    pub owed: i64,
    /// Points that are missing and stand against a gift or cash.
    pub short: i64,
    /// Cash that is to be paid for them if the gift is not brought back, in fen.
    pub cash_fen: i64,
}

/// Too few points are left, and the club does not take goods back then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTakenBack {
    /// Points are missing.
    #[error("{needs} points are to be given back, the member has {has}")]
    Short {
        /// Points to give back.
        needs: i64,
        /// The member's.
        has: i64,
    },
    /// Beyond what can be counted.
    #[error(transparent)]
    Overflow(#[from] AmountOverflow),
}

/// Points to take back: what a sale earned, less what it earns without the goods, and less what was taken back before.
#[must_use]
pub fn due(earned: i64, earns_now: i64, taken_before: i64) -> i64 {
    earned.saturating_sub(earns_now.max(0)).saturating_sub(taken_before).max(0)
}

/// Takes points back from what a member has (rule S8).
///
/// # Errors
/// [`NotTakenBack`] where the club takes no goods back for which points are missing.
pub fn take_back(
    rules: &Returns,
    due: i64,
    has: i64,
    cash_per_point_fen: i64,
) -> Result<TakenBack, NotTakenBack> {
    if !rules.reverse_points || due <= 0 {
        return Ok(TakenBack::default());
    }
    let taken = due.min(has.max(0));
    let missing = due - taken;
    match rules.shortfall {
        _ if missing == 0 => Ok(TakenBack { taken, ..TakenBack::default() }),
        Shortfall::Negative => Ok(TakenBack { taken, owed: missing, ..TakenBack::default() }),
        Shortfall::Block => Err(NotTakenBack::Short { needs: due, has }),
        Shortfall::ReturnGiftOrCash => {
            let cash_fen = Amount(missing).times(cash_per_point_fen)?.0;
            Ok(TakenBack { taken, short: missing, cash_fen, ..TakenBack::default() })
        }
    }
}

/// What comes back to a member who brings the gift back instead of cash: its cost, less the points that were missing.
#[must_use]
pub fn gift_returned(short: i64, gift_cost: i64) -> i64 {
    gift_cost.saturating_sub(short).max(0)
}

/// Points for an order that was refused at the door (rule B3). No gift stands against them, so what is missing is owed,
/// whatever the club does about goods: what an order costs does not hang on which purchases were known by then.
#[must_use]
pub fn refusal(rules: &Returns, has: i64) -> TakenBack {
    let penalty = rules.refusal_penalty.max(0);
    let taken = penalty.min(has.max(0));
    TakenBack { taken, owed: penalty - taken, ..TakenBack::default() }
}

/// Cash that stands for points that are missing, in fen (rule S8); none where a point is worth none, or beyond 64 bits.
#[must_use]
pub fn cash_for(missing: i64, cash_per_point_fen: i64) -> Option<Amount> {
    let cash = Amount(missing.max(0)).times(cash_per_point_fen.max(0)).ok()?;
    Some(cash).filter(|cash| cash.is_positive())
}
