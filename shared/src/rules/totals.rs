//! A day's totals from its facts: a terminal computes them from its own journal, the centre from what it took in,
//! and the two must agree (conflict kind 30).

use crate::fact::{DayTotals, Event, Fact, Way};
use crate::money::{AmountOverflow, Unit, add_leg};

/// Adds one fact into the totals.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits; the totals are then of no use.
pub fn add(totals: &mut DayTotals, fact: &Fact) -> Result<(), AmountOverflow> {
    totals.facts += 1;
    match &fact.event {
        Event::Visited(_) => totals.visited += 1,
        Event::Attended(attended) if attended.repeats.is_some() => totals.repeats += 1,
        Event::Attended(attended) if attended.way == Way::Out => totals.left += 1,
        Event::Attended(attended) => {
            totals.attended += 1;
            for leg in &attended.promised {
                add_leg(&mut totals.promised, *leg)?;
            }
        }
        Event::Earned(earned) if earned.repeats.is_some() => totals.repeats += 1,
        Event::Earned(earned) => {
            totals.earned += 1;
            totals.purchases = totals.purchases.plus(earned.purchase)?;
            for leg in &earned.promised {
                add_leg(&mut totals.promised, *leg)?;
            }
        }
        Event::Spent(spent) => {
            totals.spent += 1;
            for leg in &spent.legs {
                add_leg(&mut totals.spent_legs, *leg)?;
                if spent.paid_out.is_some() && leg.unit == Unit::Cny {
                    totals.paid_out = totals.paid_out.plus(leg.amount)?;
                }
            }
        }
        Event::ToppedUp(topped) => totals.topped_up = totals.topped_up.plus(topped.amount)?,
        Event::HandedOut(_) => totals.handed_out += 1,
        Event::Refused(refused) => totals.refused += u64::from(refused.count),
        Event::Reversed(_) => totals.reversed += 1,
        _ => {}
    }
    Ok(())
}

/// The totals of facts in any order.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn of<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Result<DayTotals, AmountOverflow> {
    let mut totals = DayTotals::default();
    for fact in facts {
        add(&mut totals, fact)?;
    }
    Ok(totals)
}
