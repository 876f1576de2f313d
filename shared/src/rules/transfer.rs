//! Points from member to member: whether a transfer is within the scheme's limits. Only with a line to the centre, since
//! only there both members are known; nothing here moves anything.

use super::calendar;
use crate::scheme::redemption::Transfer;
use crate::time::Day;

/// A transfer that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The business day.
    pub day: Day,
    /// Points.
    pub points: i64,
    /// The giver's rank.
    pub rank: u8,
    /// Points that the giver has.
    pub balance: i64,
    /// Whether there is a line to the centre.
    pub is_online: bool,
}

/// Why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTransferred {
    /// The scheme has none, or none for this rank.
    #[error("the scheme allows no transfer here")]
    NotAllowed,
    /// There is no line to the centre.
    #[error("only with a line to the centre")]
    Offline,
    /// Too few, too many at once, or more than the giver has.
    #[error("{points} points, from {least} to {most} are possible")]
    Size {
        /// Points that were asked for.
        points: i64,
        /// The fewest.
        least: i64,
        /// The most.
        most: i64,
    },
    /// More than a day or year allows.
    #[error("{given} points were given already, {most} are allowed")]
    Limit {
        /// Given in the day or year.
        given: i64,
        /// Allowed in it.
        most: i64,
    },
}

/// Whether a transfer may be made. `before` are the giver's earlier ones: day and points.
///
/// # Errors
/// [`NotTransferred`] with the first reason why not.
pub fn may_give(rules: &Transfer, wish: Wish, before: &[(Day, i64)]) -> Result<(), NotTransferred> {
    if !rules.allowed || wish.rank < rules.min_rank {
        return Err(NotTransferred::NotAllowed);
    }
    if !wish.is_online {
        return Err(NotTransferred::Offline);
    }
    let (least, most) = (rules.least.max(1), rules.most.unwrap_or(i64::MAX).min(wish.balance));
    if wish.points < least || wish.points > most {
        return Err(NotTransferred::Size { points: wish.points, least, most });
    }
    let year = calendar::year_of(wish.day);
    let given = |within: &dyn Fn(Day) -> bool| {
        before
            .iter()
            .filter(|(day, _)| within(*day))
            .fold(0_i64, |sum, (_, points)| sum.saturating_add(*points))
    };
    let bounds = [
        (rules.most_per_day, given(&|day| day == wish.day)),
        (rules.most_per_year, given(&|day| calendar::year_of(day) == year)),
    ];
    for (bound, given) in bounds {
        if let Some(most) = bound.filter(|most| given.saturating_add(wish.points) > *most) {
            return Err(NotTransferred::Limit { given, most });
        }
    }
    Ok(())
}
