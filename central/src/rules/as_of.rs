//! What a member's points came to at the end of a day that is over, as it was known then: what belonged to the member, in
//! leases too, less what was owed and less what had run out.
//!
//! What a terminal brought later counts not for that day, so looking late finds what looking in time did. What ran out is
//! reckoned here from what was known, whether or not the job that takes it has come by; what runs out with the day itself
//! is the member's until it ends. Out of scope: where the postings come from, and what becomes of the figure
//! ([`hufu_shared::rules::bonus`]).

use std::collections::BTreeMap;

use hufu_shared::ids::Hash;
use hufu_shared::policy::ExpiryMode;
use hufu_shared::rules::level::Deed;
use hufu_shared::time::Day;

use super::apply::{lots, run_out};
use super::judge::expiry::cut_off;
use super::levels::{Moment, Seen};
use super::world::Lot;

/// What one posting gave or took, and when it was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Its cause.
    pub cause: Hash,
    /// How much, when.
    pub lot: Lot,
    /// When it was known; not before its own day.
    pub known: Moment,
}

/// All that a member got and used.
#[derive(Debug, Clone)]
pub struct PointsPast {
    moved: Vec<Moved>,
    expiry: ExpiryMode,
    zone: String,
    joined: Day,
}

impl PointsPast {
    /// Of a member who joined on a day, whose points end as the club says.
    #[must_use]
    pub fn new(moved: Vec<Moved>, (expiry, zone): (ExpiryMode, &str), joined: Day) -> Self {
        Self { moved, expiry, zone: zone.to_owned(), joined }
    }

    /// Points are given with the end of a day, known on it.
    pub fn give(&mut self, cause: Hash, day: Day, points: i64) {
        let at = cut_off(day, &self.zone).offset(-1);
        let lot = Lot { at, day, amount: points, granted: None, spent: None };
        self.moved.push(Moved { cause, lot, known: Moment::end_of(day) });
    }

    /// What ran out before a day, by the last days on which it could be used.
    fn ended_before(&self, day: Day) -> Vec<(Day, i64)> {
        let known = self.moved.iter().filter(|of| of.known.day <= day && of.lot.day <= day);
        let lots = lots(known.map(|of| (of.cause, of.lot)));
        run_out(&lots, (self.expiry, self.zone.as_str(), Some(self.joined)), day.plus(-1))
    }

    /// What each day up to one changed, as known at the end of that one.
    fn days(&self, day: Day) -> BTreeMap<Day, i64> {
        let mut days = BTreeMap::new();
        let known = self.moved.iter().filter(|of| of.known.day <= day && of.lot.day <= day);
        // Between a member and a lease nothing changes hands.
        let moved = known.filter(|of| of.lot.granted.is_none()).map(|of| (of.lot.day, of.lot.amount));
        let ended = self.ended_before(day).into_iter().map(|(last, points)| (last, -points));
        for (on, amount) in moved.chain(ended) {
            let sum: &mut i64 = days.entry(on).or_default();
            *sum = sum.saturating_add(amount);
        }
        days
    }

    /// Points at the end of a day; below zero for what was owed.
    #[must_use]
    pub fn at_end_of(&self, day: Day) -> i64 {
        self.days(day).values().fold(0, |sum, amount| sum.saturating_add(*amount))
    }

    /// Points at the end of a day, and since which day there were as many.
    #[must_use]
    pub fn held_at(&self, day: Day) -> (i64, Day) {
        since(&self.days(day), day)
    }

    /// The same as the rules of levels look at it, up to a day.
    #[must_use]
    pub fn seen(&self, day: Day) -> Vec<Seen> {
        let seen = |on, net, known| {
            let deed = Deed { day: on, points: 0, spend_fen: 0 };
            Seen { deed, net, growth: 0, known }
        };
        let known = self.moved.iter().filter(|of| of.known.day <= day && of.lot.granted.is_none());
        let moved = known.map(|of| seen(of.lot.day, of.lot.amount, of.known));
        let ended = self
            .ended_before(day)
            .into_iter()
            .map(|(last, points)| seen(last, -points, Moment::end_of(last)));
        moved.chain(ended).collect()
    }
}

/// Points earned from one day to another, as known at the end of the latter, and since which day there were as many.
#[must_use]
pub fn earned_within(seen: &[Seen], (from, until): (Day, Day)) -> (i64, Day) {
    let mut days: BTreeMap<Day, i64> = BTreeMap::new();
    for of in seen.iter().filter(|of| of.known.day <= until && (from..=until).contains(&of.deed.day)) {
        let sum = days.entry(of.deed.day).or_default();
        *sum = sum.saturating_add(of.deed.points);
    }
    since(&days, until)
}

/// What days come to together, and since which of them it was no less; the last one, if nothing ever was.
fn since(days: &BTreeMap<Day, i64>, last: Day) -> (i64, Day) {
    let all = days.values().fold(0_i64, |sum, amount| sum.saturating_add(*amount));
    let (mut sum, mut since) = (0_i64, None);
    for (day, amount) in days {
        sum = sum.saturating_add(*amount);
        since = if sum < all { None } else { since.or(Some(*day)) };
    }
    (all, since.unwrap_or(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::ids::LeaseId;

    fn moved(n: u8, (day, known): (i32, i32), amount: i64) -> Moved {
        let at = cut_off(Day(day), "Asia/Shanghai").offset(-i64::from(n) * 1_000_000);
        let lot = Lot { at, day: Day(day), amount, granted: None, spent: None };
        Moved { cause: Hash([n; 32]), lot, known: Moment::end_of(Day(known)) }
    }

    fn past(moved: Vec<Moved>, expiry: ExpiryMode) -> PointsPast {
        PointsPast::new(moved, (expiry, "Asia/Shanghai"), Day(20_000))
    }

    #[test]
    fn rule_p03_what_was_known_later_counts_not_for_the_day() {
        let late = moved(2, (20_780, 20_790), 400);
        let past = past(vec![moved(1, (20_779, 20_779), 1_000), late], ExpiryMode::Never);
        let told = [20_778, 20_779, 20_789, 20_790].map(|day| past.at_end_of(Day(day)));
        assert_eq!(told, [0, 1_000, 1_000, 1_400]);
        assert_eq!(past.held_at(Day(20_790)), (1_400, Day(20_780)), "it counts on its own day then");
    }

    #[test]
    fn rule_p03_points_in_a_lease_are_the_member_s_and_what_is_owed_is_not() {
        let lease = LeaseId([7; 16]);
        let mut granted = moved(2, (20_780, 20_780), 300);
        granted.lot.granted = Some(lease);
        let mut spent = moved(3, (20_781, 20_781), -100);
        spent.lot.spent = Some(lease);
        let got = moved(1, (20_779, 20_779), 1_000);
        let past = past(vec![got, granted, spent, moved(4, (20_782, 20_782), -1_200)], ExpiryMode::Never);
        let told = [20_780, 20_781, 20_782].map(|day| past.at_end_of(Day(day)));
        assert_eq!(told, [1_000, 900, -300]);
    }

    #[test]
    fn rule_p03_what_runs_out_with_a_day_is_there_until_it_ends_and_what_was_filled_up_ends_too() {
        let got = moved(1, (20_779, 20_779), 1_400);
        let mut past = past(vec![got], ExpiryMode::RollingMonths(1));
        let last = hufu_shared::rules::expiry::last_day(ExpiryMode::RollingMonths(1), Day(20_779), None);
        let last = last.expect("it ends");
        assert_eq!([last, last.plus(1)].map(|day| past.at_end_of(day)), [1_400, 0]);
        past.give(Hash([9; 32]), Day(20_780), 100);
        assert_eq!([last, last.plus(1), last.plus(2)].map(|day| past.at_end_of(day)), [1_500, 100, 0]);
        let balance: i64 = past.seen(last.plus(1)).iter().map(|of| of.net).sum();
        assert_eq!(balance, 100, "levels look at the same");
    }

    #[test]
    fn rule_p04_who_had_so_many_earlier_is_told_by_the_day_since_which_there_were_no_fewer() {
        let all = vec![
            moved(1, (20_779, 20_779), 500),
            moved(2, (20_780, 20_780), -200),
            moved(3, (20_781, 20_781), 100),
            moved(4, (20_783, 20_783), 50),
            moved(5, (20_784, 20_784), -50),
        ];
        let past = past(all, ExpiryMode::Never);
        assert_eq!(past.held_at(Day(20_785)), (400, Day(20_781)), "more on the way is no fewer");
        assert_eq!(past.held_at(Day(20_770)), (0, Day(20_770)));
        let seen = past.seen(Day(20_785)).into_iter().map(|of| {
            let deed = Deed { points: of.net.max(0), ..of.deed };
            Seen { deed, ..of }
        });
        let seen: Vec<Seen> = seen.collect();
        assert_eq!(earned_within(&seen, (Day(20_780), Day(20_782))), (100, Day(20_781)), "within it alone");
    }
}
