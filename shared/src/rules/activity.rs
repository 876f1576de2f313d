//! Activities as plain functions: when a recurring one is held, who has a place, and what each holding cost (K25–K28).
//!
//! Out of scope: attendance itself, which is judged from facts.

use std::collections::BTreeMap;

use chrono::{LocalResult, Months, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::ids::MemberId;
use crate::money::Amount;
use crate::time::Instant;

/// Holdings of one activity at most: a daily one over a quarter of a year.
pub const OCCURRENCES_MAX: u32 = 100;

/// How often a recurring activity is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Each day.
    Day,
    /// Each week, on the same weekday.
    Week,
    /// Each month, on the same day of the month; on the last one where a month is shorter.
    Month,
}

impl Every {
    /// The one of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "day" => Some(Self::Day),
            "week" => Some(Self::Week),
            "month" => Some(Self::Month),
            _ => None,
        }
    }

    fn nth(self, first: NaiveDateTime, n: u32) -> Option<NaiveDateTime> {
        match self {
            Self::Day => first.checked_add_signed(TimeDelta::try_days(i64::from(n))?),
            Self::Week => first.checked_add_signed(TimeDelta::try_weeks(i64::from(n))?),
            Self::Month => first.checked_add_months(Months::new(n)),
        }
    }
}

/// Start and end of each holding: the first as written in the time of the office, the others at the same time of day by
/// its clocks. A time that the clocks skip is the first one after the gap, one that they show twice is the earlier.
/// `None` if the end is not after the start, the times are none of the calendar, or there are more than
/// [`OCCURRENCES_MAX`] or none at all.
#[must_use]
pub fn holdings(
    (starts, ends): (NaiveDateTime, NaiveDateTime),
    every: Every,
    times: u32,
    zone: Tz,
) -> Option<Vec<(Instant, Instant)>> {
    if ends <= starts || !(1..=OCCURRENCES_MAX).contains(&times) {
        return None;
    }
    let long = ends - starts;
    (0..times)
        .map(|n| {
            // The end follows from the start, so that one that begins on the last of a month ends after it begins.
            let starts = every.nth(starts, n)?;
            let (starts, ends) = (moment(starts, zone)?, moment(starts.checked_add_signed(long)?, zone)?);
            (starts < ends).then_some((starts, ends))
        })
        .collect()
}

/// Half hours that clocks skip at most.
const GAP_HALF_HOURS_MAX: i64 = 48;

fn moment(local: NaiveDateTime, zone: Tz) -> Option<Instant> {
    (0..GAP_HALF_HOURS_MAX).find_map(|half_hours| {
        let local = local.checked_add_signed(TimeDelta::try_minutes(half_hours * 30)?)?;
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(Instant(at.timestamp_micros())),
            LocalResult::None => None,
        }
    })
}

/// Where somebody's coming to a holding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coming {
    /// Invited, and has not answered.
    Invited,
    /// Has a place.
    Placed,
    /// Waits for a place.
    Waiting,
    /// Does not come.
    Cancelled,
}

impl Coming {
    const ALL: [Self; 4] = [Self::Invited, Self::Placed, Self::Waiting, Self::Cancelled];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Placed => "placed",
            Self::Waiting => "waiting",
            Self::Cancelled => "cancelled",
        }
    }

    /// The one of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|coming| coming.code() == code)
    }
}

/// A member's coming, and since when it stands so: those who wait are served in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignUp {
    /// Where it stands.
    pub coming: Coming,
    /// Since when.
    pub since: Instant,
    /// Companions whom the member brings along: each takes a place.
    pub companions: u32,
}

impl SignUp {
    /// Places that it takes: the member's own, and one for each companion.
    #[must_use]
    pub fn heads(&self) -> usize {
        usize::try_from(self.companions).unwrap_or(usize::MAX).saturating_add(1)
    }
}

/// Gives free places to whoever waits longest, of two at the same instant to the smaller id; answers who got one. Who waits
/// with more companions than there is room for waits on, and a smaller party behind is let past: no place stays empty for
/// them. Nobody who has a place loses it, also where there are fewer places than before.
pub fn seat(list: &mut BTreeMap<MemberId, SignUp>, places: Option<u32>, now: Instant) -> Vec<MemberId> {
    let placed = list.values().filter(|sign_up| sign_up.coming == Coming::Placed).map(SignUp::heads);
    let taken = placed.fold(0, usize::saturating_add);
    let mut free = places.map_or(usize::MAX, |places| (places as usize).saturating_sub(taken));
    let mut waiting: Vec<(Instant, MemberId, SignUp)> = list
        .iter()
        .filter(|(_, sign_up)| sign_up.coming == Coming::Waiting)
        .map(|(member, sign_up)| (sign_up.since, *member, *sign_up))
        .collect();
    waiting.sort_unstable_by_key(|(since, member, _)| (*since, *member));
    let mut seated = Vec::new();
    for (_, member, sign_up) in waiting {
        if let Some(left) = free.checked_sub(sign_up.heads()) {
            free = left;
            list.insert(member, SignUp { coming: Coming::Placed, since: now, ..sign_up });
            seated.push(member);
        }
    }
    seated
}

/// What each holding cost with its share of what is common to all (平摊): the common cost goes to the holdings by their
/// heads, and what does not divide falls to those with the largest remainders, of equal ones to the first. Where nobody
/// came anywhere all bear the same. Nothing is lost: the shares come to the whole. `None` where the sum does not fit.
#[must_use]
pub fn share_out(own: &[(Amount, u32)], common: Amount) -> Option<Vec<Amount>> {
    if own.is_empty() {
        return Some(Vec::new());
    }
    let nobody = own.iter().all(|(_, heads)| *heads == 0);
    let weights: Vec<i128> =
        own.iter().map(|(_, heads)| if nobody { 1 } else { i128::from(*heads) }).collect();
    let all: i128 = weights.iter().sum();
    let whole = i128::from(common.0);
    let mut shares: Vec<i128> = weights.iter().map(|weight| whole * weight / all).collect();
    let mut order: Vec<usize> = (0..own.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse((whole * weights[*at]).rem_euclid(all)), *at));
    let left = usize::try_from(whole - shares.iter().sum::<i128>()).ok()?;
    for at in order.into_iter().take(left) {
        shares[at] += 1;
    }
    let totals = own
        .iter()
        .zip(shares)
        .map(|((own, _), share)| i64::try_from(i128::from(own.0) + share).ok().map(Amount));
    totals.collect()
}

/// What one head cost, in fen, rounded up: a club that plans by it must not fall short. None where nobody came.
#[must_use]
pub fn per_head(cost: Amount, heads: u32) -> Option<Amount> {
    (heads > 0).then(|| {
        Amount(cost.0.max(0).unsigned_abs().div_ceil(u64::from(heads)).try_into().unwrap_or(i64::MAX))
    })
}

#[cfg(test)]
#[path = "activity_tests.rs"]
mod tests;
