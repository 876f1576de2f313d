//! What the ledger moved, as reports sum it: given, taken back, redeemed, run out, paid in and out, by office.
//!
//! A movement is a sum of postings of one day, code and pair of accounts. It is read by its house account, which names
//! the office; what only went from one of a member's accounts to another is no movement here. What is given and waits for
//! a person counts once it is set free; what was paid in counts at once, and is told as other until members have it.

use std::collections::BTreeMap;

use hufu_shared::ids::OfficeId;
use hufu_shared::time::Day;

use crate::rules::posting::{Account, PostingCode};

/// One side of a movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// What members have, set aside or not.
    Members,
    /// What waits for a person.
    Held,
    /// An account of the house.
    House(Account),
    /// Anything else: losses, disputes.
    Other,
}

impl Side {
    /// Of the name that the database groups by: a class for accounts of which there are many, else the account itself.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "members" => Self::Members,
            "held" => Self::Held,
            name => Account::parse(name).map_or(Self::Other, Self::House),
        }
    }
}

/// Postings of one day between the same accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The business day.
    pub day: Day,
    /// Why, as a code.
    pub code: String,
    /// Taken from.
    pub from: Side,
    /// Given to.
    pub to: Side,
    /// The office of what was set free, which no account names.
    pub office: Option<OfficeId>,
    /// What set free is of, by the name of its event; empty where no fact gave it.
    pub event: String,
    /// How much, above zero.
    pub amount: i64,
}

/// What movements come to; each in the unit of the movements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Given to members.
    pub earned: i64,
    /// Taken back from them.
    pub taken: i64,
    /// Redeemed or spent, less what was given back.
    pub spent: i64,
    /// Ran out.
    pub expired: i64,
    /// Paid in, less what was undone.
    pub paid_in: i64,
    /// Paid out, less what was undone.
    pub paid_out: i64,
    /// By how much members have more.
    pub change: i64,
}

impl Sums {
    /// What of the change none of the others explains: brought over, lost, disputed.
    #[must_use]
    pub fn other(&self) -> i64 {
        let known = self.earned - self.taken - self.spent - self.expired + self.paid_in - self.paid_out;
        self.change - known
    }

    /// Adds a part of an office.
    fn add(&mut self, part: Part, amount: i64) {
        let sum = match part {
            Part::Earned => &mut self.earned,
            Part::Taken => &mut self.taken,
            Part::Spent => &mut self.spent,
            Part::Expired => &mut self.expired,
            Part::PaidIn => &mut self.paid_in,
            Part::PaidOut => &mut self.paid_out,
        };
        *sum = sum.saturating_add(amount);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Earned,
    Taken,
    Spent,
    Expired,
    PaidIn,
    PaidOut,
}

/// What a movement is, for which office, and how much with its sign.
type Told = (Part, Option<OfficeId>, i64);

/// What one side of a movement says; `out` if it was taken from this side.
fn said(movement: &Movement, account: &Account, out: bool) -> Option<Told> {
    let signed = if out { movement.amount } else { -movement.amount };
    let is_undone = movement.code == PostingCode::Reversal.code();
    let is_brought = movement.code == PostingCode::Opening.code();
    let across = [&movement.from, &movement.to].into_iter().all(|side| matches!(side, Side::House(_)));
    let waits = [&movement.from, &movement.to].contains(&&Side::Held);
    match account {
        Account::Issuer(_) if is_brought || waits => None,
        Account::Issuer(office) if across => Some((Part::Earned, Some(*office), signed)),
        Account::Issuer(office) if out => Some((Part::Earned, Some(*office), movement.amount)),
        Account::Issuer(office) => Some((Part::Taken, Some(*office), movement.amount)),
        Account::Adjust(_) if out => Some((Part::Earned, None, movement.amount)),
        Account::Adjust(_) => Some((Part::Taken, None, movement.amount)),
        Account::Redeemed(office) => Some((Part::Spent, Some(*office), -signed)),
        Account::Expired => Some((Part::Expired, None, -signed)),
        // Money back for a top-up leaves the drawer, money back for a paying out comes into it.
        Account::Cash(office, _) if out && is_undone => Some((Part::PaidOut, Some(*office), -signed)),
        Account::Cash(office, _) if out || is_undone || movement.code == PostingCode::TopUp.code() => {
            Some((Part::PaidIn, Some(*office), signed))
        }
        Account::Cash(office, _) => Some((Part::PaidOut, Some(*office), -signed)),
        _ => None,
    }
}

/// What was set free, or held back after all.
fn set_free(movement: &Movement) -> Option<Told> {
    let signed = match (&movement.from, &movement.to) {
        (Side::Held, Side::Members) => movement.amount,
        (Side::Members, Side::Held) => -movement.amount,
        _ => return None,
    };
    let is_on_its_way =
        [PostingCode::Merge, PostingCode::Transfer, PostingCode::CarryOver, PostingCode::Opening]
            .iter()
            .any(|code| code.code() == movement.code);
    // Money was paid in when the drawer took it, whether the cash was counted then or not.
    if is_on_its_way || movement.event == "topped_up" {
        return None;
    }
    Some((Part::Earned, movement.office, signed))
}

fn told(movement: &Movement) -> impl Iterator<Item = Told> {
    let side = |side: &Side, out| match side {
        Side::House(account) => said(movement, account, out),
        _ => None,
    };
    [side(&movement.from, true), side(&movement.to, false), set_free(movement)].into_iter().flatten()
}

/// By how much a movement makes members have more.
fn change(movement: &Movement) -> i64 {
    let is_theirs = |side: &Side| i64::from(*side == Side::Members);
    (is_theirs(&movement.to) - is_theirs(&movement.from)) * movement.amount
}

/// What one movement comes to, for one office or for all; of one office nobody knows by how much members have more.
#[must_use]
pub fn sums(movement: &Movement, office: Option<OfficeId>) -> Sums {
    let mut sums = Sums::default();
    for (part, at, amount) in told(movement) {
        if office.is_none() || at == office {
            sums.add(part, amount);
        }
    }
    sums.change = if office.is_none() { change(movement) } else { 0 };
    sums
}

/// The sum of two sums.
#[must_use]
pub fn plus(a: Sums, b: Sums) -> Sums {
    Sums {
        earned: a.earned.saturating_add(b.earned),
        taken: a.taken.saturating_add(b.taken),
        spent: a.spent.saturating_add(b.spent),
        expired: a.expired.saturating_add(b.expired),
        paid_in: a.paid_in.saturating_add(b.paid_in),
        paid_out: a.paid_out.saturating_add(b.paid_out),
        change: a.change.saturating_add(b.change),
    }
}

/// What movements come to at each office; what is of none is left out.
#[must_use]
pub fn by_office(movements: &[Movement]) -> BTreeMap<OfficeId, Sums> {
    let mut offices: BTreeMap<OfficeId, Sums> = BTreeMap::new();
    for (part, office, amount) in movements.iter().flat_map(told) {
        if let Some(office) = office {
            offices.entry(office).or_default().add(part, amount);
        }
    }
    offices
}

#[cfg(test)]
#[path = "movement_tests.rs"]
mod tests;
