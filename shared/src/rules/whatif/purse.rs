//! Points in lots by their last day. What is used takes what ends soonest, in the member's favour; what comes pays
//! debts first. Invariant: a balance and a debt are never both above zero.

use crate::time::Day;

/// Points that came together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lot {
    last: Option<Day>,
    left: i64,
    slip: String,
}

/// A member's points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purse {
    lots: Vec<Lot>,
    owed: i64,
}

impl Purse {
    /// Points that can be used.
    pub fn balance(&self) -> i64 {
        self.lots.iter().map(|lot| lot.left).sum()
    }

    /// Points that the member owes.
    pub fn owed(&self) -> i64 {
        self.owed
    }

    /// Takes points in, for a slip or none; debts are paid first.
    pub fn put(&mut self, points: i64, last: Option<Day>, slip: &str) {
        let paid = points.min(self.owed).max(0);
        self.owed -= paid;
        if points > paid {
            self.lots.push(Lot { last, left: points - paid, slip: slip.to_owned() });
        }
    }

    /// Notes a debt, as far as nothing is there to pay it.
    pub fn owe(&mut self, points: i64) {
        let rest = points - self.take(points);
        self.owed += rest;
    }

    /// Uses points, those that end soonest first; gives back how many there were.
    pub fn take(&mut self, points: i64) -> i64 {
        self.take_where(points, |_| true)
    }

    /// Takes back points of a slip first, then any others.
    pub fn take_back(&mut self, points: i64, slip: &str) -> i64 {
        let own = self.take_where(points, |lot| lot.slip == slip);
        own + self.take(points - own)
    }

    fn take_where(&mut self, points: i64, which: impl Fn(&Lot) -> bool) -> i64 {
        // What never ends goes last; a stable sort leaves the older first among equals.
        self.lots.sort_by_key(|lot| (lot.last.is_none(), lot.last));
        let mut rest = points.max(0);
        for lot in self.lots.iter_mut().filter(|lot| which(lot)) {
            let part = rest.min(lot.left);
            lot.left -= part;
            rest -= part;
        }
        self.lots.retain(|lot| lot.left > 0);
        points.max(0) - rest
    }

    /// Drops what ended before a day: last days and points, soonest first.
    pub fn end_before(&mut self, day: Day) -> Vec<(Day, i64)> {
        let ended: Vec<(Day, i64)> = self
            .ends()
            .into_iter()
            .filter_map(|(last, points)| last.filter(|last| *last < day).map(|last| (last, points)))
            .collect();
        self.lots.retain(|lot| lot.last.is_none_or(|last| last >= day));
        ended
    }

    /// What ends when, soonest first; what never ends stands last.
    pub fn ends(&self) -> Vec<(Option<Day>, i64)> {
        let mut sums: Vec<(Option<Day>, i64)> = Vec::new();
        let mut lots: Vec<&Lot> = self.lots.iter().collect();
        lots.sort_by_key(|lot| (lot.last.is_none(), lot.last));
        for lot in lots {
            match sums.last_mut() {
                Some((last, sum)) if *last == lot.last => *sum += lot.left,
                _ => sums.push((lot.last, lot.left)),
            }
        }
        sums
    }
}
