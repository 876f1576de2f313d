//! The daily cash report (H4): what was paid in, paid out, undone and given back at an office on a business day, by who
//! took it and by method of payment.
//!
//! A line sums facts as terminals recorded them, whether they stand in the ledger or wait: the drawer has the money either
//! way. What of it the ledger does not have is told beside. Amounts are fen, sums are checked. A terminal's close of day
//! sums the same facts ([`hufu_shared::rules::totals`]), so its figures are found again here.
//! Out of scope: which facts are of the day, names.

use std::collections::BTreeMap;

use hufu_shared::act::{ValueEnd, ValueMoved};
use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::OperatorId;
use hufu_shared::money::{Amount, AmountOverflow, Leg, Unit};
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Became;
use serde::Serialize;

/// Method of what the centre's own desk pays out or takes back.
pub const METHOD_DESK: &str = "desk";
/// Method of goods given back: they had been paid for with stored value, and no drawer moves.
pub const METHOD_STORED_VALUE: &str = "stored_value";

/// Who took or gave the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Teller {
    /// Who was signed in at a terminal; none where nobody was.
    Operator(Option<OperatorId>),
    /// Somebody at the centre's own desk; none where it was no person.
    Desk(Option<OperatorId>),
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// 充值: paid in.
    ToppedUp,
    /// A top-up was undone: handed back.
    TopUpUndone,
    /// 退现: stored value was paid out.
    PaidOut,
    /// A paying out was undone: taken back.
    PaidOutUndone,
    /// 退货: goods bought with stored value came back; no drawer moves.
    Refunded,
}

impl What {
    /// All, in the order of the report.
    pub const ALL: [Self; 5] =
        [Self::ToppedUp, Self::TopUpUndone, Self::PaidOut, Self::PaidOutUndone, Self::Refunded];

    /// The code in the API and in keys of words.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ToppedUp => "topped_up",
            Self::TopUpUndone => "top_up_undone",
            Self::PaidOut => "paid_out",
            Self::PaidOutUndone => "paid_out_undone",
            Self::Refunded => "refunded",
        }
    }

    /// What it does to the drawer: 1 in, -1 out, 0 nothing.
    #[must_use]
    pub fn sign(self) -> i64 {
        match self {
            Self::ToppedUp | Self::PaidOutUndone => 1,
            Self::TopUpUndone | Self::PaidOut => -1,
            Self::Refunded => 0,
        }
    }
}

/// One movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// By whom.
    pub teller: Teller,
    /// Dictionary code of the method of payment.
    pub method: String,
    /// What.
    pub what: What,
    /// Fen.
    pub amount: Amount,
    /// Whether the ledger has it.
    pub is_booked: bool,
}

/// What one fact moved, if it moved money. `original` is what a reversal takes back.
#[must_use]
pub fn of_fact(fact: &Fact, original: Option<&Fact>, became: Became) -> Option<Moved> {
    let (method, what, amount) = match (&fact.event, original.map(|fact| &fact.event)) {
        (Event::ToppedUp(topped), _) => (topped.method.as_str(), What::ToppedUp, topped.amount),
        (Event::Spent(spent), _) => (spent.paid_out.as_deref()?, What::PaidOut, fen(&spent.legs)),
        (Event::Reversed(reversed), Some(Event::ToppedUp(topped))) => {
            (topped.method.as_str(), What::TopUpUndone, fen(&reversed.legs))
        }
        (Event::Reversed(reversed), Some(Event::Spent(spent))) => match spent.paid_out.as_deref() {
            Some(method) => (method, What::PaidOutUndone, fen(&reversed.legs)),
            None => (METHOD_STORED_VALUE, What::Refunded, fen(&reversed.legs)),
        },
        _ => return None,
    };
    let is_booked = matches!(became, Became::Applied | Became::AppliedWithCase);
    let teller = Teller::Operator(fact.operator);
    amount.is_positive().then(|| Moved { teller, method: method.to_owned(), what, amount, is_booked })
}

/// What a movement at the centre's own desk moved, if it moved money.
#[must_use]
pub fn of_desk(moved: &ValueMoved, by: Option<OperatorId>) -> Option<Moved> {
    let (method, what) = match (moved.from, moved.to, moved.of) {
        (ValueEnd::Member(_), ValueEnd::Cash(_), Some(_)) => (METHOD_DESK, What::TopUpUndone),
        (ValueEnd::Member(_), ValueEnd::Cash(_), None) => (METHOD_DESK, What::PaidOut),
        (ValueEnd::Redeemed(_), ValueEnd::Member(_), Some(_)) => (METHOD_STORED_VALUE, What::Refunded),
        _ => return None,
    };
    let amount = fen(&[moved.leg]);
    let teller = Teller::Desk(by);
    amount.is_positive().then(|| Moved { teller, method: method.to_owned(), what, amount, is_booked: true })
}

fn fen(legs: &[Leg]) -> Amount {
    legs.iter().find(|leg| leg.unit == Unit::Cny).map_or(Amount::ZERO, |leg| leg.amount)
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// By whom.
    pub teller: Teller,
    /// Dictionary code of the method of payment.
    pub method: String,
    /// What.
    pub what: What,
    /// How often.
    pub count: u64,
    /// Fen of all of it.
    pub amount: Amount,
    /// Fen of it that the ledger does not have: it waits, or has no effect.
    pub not_booked: Amount,
}

/// A line for each teller, method and kind, in their order.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn lines(moved: impl IntoIterator<Item = Moved>) -> Result<Vec<Line>, AmountOverflow> {
    let mut sums: BTreeMap<(Teller, String, What), (u64, Amount, Amount)> = BTreeMap::new();
    for moved in moved {
        let sum = sums.entry((moved.teller, moved.method, moved.what)).or_default();
        sum.0 += 1;
        sum.1 = sum.1.plus(moved.amount)?;
        if !moved.is_booked {
            sum.2 = sum.2.plus(moved.amount)?;
        }
    }
    let line = |((teller, method, what), (count, amount, not_booked))| Line {
        teller,
        method,
        what,
        count,
        amount,
        not_booked,
    };
    Ok(sums.into_iter().map(line).collect())
}

/// What a method of payment came to over all tellers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MethodSum {
    /// Dictionary code of the method.
    pub method: String,
    /// Fen of each kind, in the order of [`What::ALL`].
    pub amounts: [Amount; 5],
    /// Fen that the drawer, or the account of the method, should have more than before; below zero less.
    pub net: Amount,
}

/// Sums by method, in the order of their codes.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn by_method(lines: &[Line]) -> Result<Vec<MethodSum>, AmountOverflow> {
    let mut sums: BTreeMap<&str, MethodSum> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(&line.method).or_default();
        sum.method.clone_from(&line.method);
        for (amount, what) in sum.amounts.iter_mut().zip(What::ALL) {
            if what == line.what {
                *amount = amount.plus(line.amount)?;
            }
        }
        sum.net = match line.what.sign() {
            1 => sum.net.plus(line.amount)?,
            -1 => sum.net.minus(line.amount)?,
            _ => sum.net,
        };
    }
    Ok(sums.into_values().collect())
}

/// Whether a terminal may still hold facts of a day: some wait there, or it was not heard of since the day ended (or since
/// now, while it goes on). `heard` is when it was last in contact and how many facts waited there.
#[must_use]
pub fn may_lack(heard: Option<(Instant, u64)>, day_end: Instant) -> bool {
    heard.is_none_or(|(at, queued)| queued > 0 || at < day_end)
}

#[cfg(test)]
#[path = "cash_tests.rs"]
mod tests;
