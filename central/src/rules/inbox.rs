//! The order of the inbox, and what is at stake in a case.
//!
//! What must be decided soon stands in front, what was put off behind; within that the oldest first. A case that was put
//! off comes back before its time if its evidence changed since. Out of scope: who sees it.

use std::collections::BTreeMap;

use hufu_shared::fact::Event;
use hufu_shared::ids::OperatorId;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{DAY_US, Instant};

/// Before its deadline a case is urgent for this long.
pub const URGENT_US: i64 = DAY_US;

/// Whose a case is, and until when it is put off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Care {
    /// Who has it; nobody in particular if none.
    pub staff: Option<OperatorId>,
    /// What that person is called; empty for nobody.
    pub name: String,
    /// Until when it is put off, and since when.
    pub put_off: Option<(Instant, Instant)>,
}

impl Care {
    /// Until when a case that changed last at `changed` is put off; none if it is not, any more.
    #[must_use]
    pub fn until(&self, changed: Instant, now: Instant) -> Option<Instant> {
        let (until, since) = self.put_off?;
        (now < until && changed <= since).then_some(until)
    }
}

/// How soon a case wants somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Its deadline is over.
    Overdue,
    /// Its deadline is near.
    Urgent,
    /// It waits like any other.
    Waiting,
    /// It was put off.
    PutOff,
}

/// How soon a case wants somebody. A deadline does not wait for whoever put the case off.
#[must_use]
pub fn rank(deadline: Option<Instant>, put_off: Option<Instant>, now: Instant) -> Rank {
    match deadline {
        Some(deadline) if deadline <= now => Rank::Overdue,
        _ if put_off.is_some() => Rank::PutOff,
        Some(deadline) if deadline.since(now) <= URGENT_US => Rank::Urgent,
        _ => Rank::Waiting,
    }
}

/// What a fact says that it moved, or promised to.
#[must_use]
pub fn said(event: &Event) -> Vec<Leg> {
    match event {
        Event::Attended(attended) => attended.promised.clone(),
        Event::Earned(earned) => earned.promised.clone(),
        Event::Spent(spent) => spent.legs.clone(),
        Event::Reversed(reversed) => reversed.legs.clone(),
        Event::ToppedUp(topped_up) => vec![Leg { unit: Unit::Cny, amount: topped_up.amount }],
        _ => Vec::new(),
    }
}

/// What is at stake: of each unit what the facts say, or what the ledger has for them if that is more.
#[must_use]
pub fn stake(said: &[Leg], posted: &[Leg]) -> Vec<Leg> {
    let total = |legs: &[Leg]| {
        let mut sums: BTreeMap<Unit, i64> = BTreeMap::new();
        for leg in legs {
            let sum = sums.entry(leg.unit).or_insert(0);
            *sum = sum.saturating_add(leg.amount.0.saturating_abs());
        }
        sums
    };
    let mut found = total(said);
    for (unit, amount) in total(posted) {
        let sum = found.entry(unit).or_insert(0);
        *sum = (*sum).max(amount);
    }
    let leg = |(unit, amount)| Leg { unit, amount: Amount(amount) };
    found.into_iter().map(leg).filter(|leg| leg.amount.0 > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_795_341_600_000_000);

    #[test]
    fn what_is_over_stands_in_front_and_what_was_put_off_behind() {
        let hours = |n: i64| Some(NOW.offset(n * 3_600_000_000));
        for (deadline, put_off, expected) in [
            (None, None, Rank::Waiting),
            (hours(0), None, Rank::Overdue),
            (hours(-1), hours(4), Rank::Overdue),
            (hours(24), None, Rank::Urgent),
            (hours(25), None, Rank::Waiting),
            (hours(24), hours(4), Rank::PutOff),
            (None, hours(4), Rank::PutOff),
        ] {
            assert_eq!(rank(deadline, put_off, NOW), expected, "{deadline:?} {put_off:?}");
        }
        assert!(Rank::Overdue < Rank::Urgent && Rank::Urgent < Rank::Waiting && Rank::Waiting < Rank::PutOff);
    }

    #[test]
    fn a_case_that_changed_since_it_was_put_off_comes_back() {
        let (since, until) = (NOW.offset(-10), NOW.offset(10));
        let care = Care { put_off: Some((until, since)), ..Care::default() };
        assert_eq!(care.until(since, NOW), Some(until));
        assert_eq!(care.until(since.offset(1), NOW), None, "its evidence changed");
        assert_eq!(care.until(since, until), None, "its time has come");
        assert_eq!(Care::default().until(since, NOW), None);
    }

    #[test]
    fn at_stake_is_what_was_said_or_what_was_posted_whichever_is_more() {
        let points = |amount| Leg { unit: Unit::Pts, amount: Amount(amount) };
        let yuan = |amount| Leg { unit: Unit::Cny, amount: Amount(amount) };
        assert!(stake(&[], &[]).is_empty());
        assert_eq!(stake(&[points(20), points(20)], &[points(20)]), [points(40)]);
        assert_eq!(stake(&[points(20)], &[points(-50), yuan(-900)]), [points(50), yuan(900)]);
        assert!(stake(&[yuan(0)], &[]).is_empty());
    }
}
