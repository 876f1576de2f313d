//! Levels in the ledger (B1, B2, P1, P5): how a member's level moves, by the library's rules.
//!
//! A member rises whenever something about them becomes known, by what is known then; so it is told apart on one day what
//! was reached in the morning and given back in the evening, and looking at each moment of a day at once moves what
//! looking when it is over does. What a terminal brought late counts from the moment at which it came, within the window
//! of its own day. A level ends at the beginning of a day, before what that day brings, by what was known when the day
//! before ended; the end waits until its day is over. Out of scope: the card that shows a level (K17), and posting what
//! of growth an end takes.

use std::collections::BTreeSet;

use hufu_shared::act::{LevelMove, LevelWhy};
use hufu_shared::ids::MemberId;
use hufu_shared::rules::level::{self, Deed, Ended, Record, Standing};
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::level::Measure;
use hufu_shared::time::{Day, Instant};

/// A moment of a business day, in the order in which things become known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The business day.
    pub day: Day,
    /// When it was; of what was known beforehand, before or after everything of that day.
    pub at: Instant,
}

impl Moment {
    /// Before everything of a day.
    #[must_use]
    pub fn begin_of(day: Day) -> Self {
        Self { day, at: Instant(i64::MIN) }
    }

    /// After everything of a day.
    #[must_use]
    pub fn end_of(day: Day) -> Self {
        Self { day, at: Instant(i64::MAX) }
    }
}

/// Something that a member did, and when it was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// What.
    pub deed: Deed,
    /// What it changed of the points that the member has.
    pub net: i64,
    /// What it changed of the member's growth.
    pub growth: i64,
    /// When it was known; not before the day of the deed.
    pub known: Moment,
}

/// What was known at a moment.
struct Known {
    deeds: Vec<Deed>,
    growth: i64,
    balance: i64,
}

impl Known {
    fn record(&self) -> Record<'_> {
        Record { deeds: &self.deeds, growth: self.growth, balance: self.balance }
    }
}

/// A member's way over days.
struct Walk<'a> {
    scheme: &'a Scheme,
    member: MemberId,
    stands: Standing,
    /// With what ends of levels took on the way.
    seen: Vec<Seen>,
    moves: Vec<LevelMove>,
}

impl Walk<'_> {
    fn as_of(&self, moment: Moment) -> Known {
        let known = || self.seen.iter().filter(|of| of.known <= moment && of.deed.day <= moment.day);
        let sum = |part: fn(&Seen) -> i64| known().fold(0_i64, |sum, of| sum.saturating_add(part(of)));
        Known {
            deeds: known().map(|of| of.deed).collect(),
            growth: sum(|of| of.growth),
            balance: sum(|of| of.net),
        }
    }

    /// The moments of a day that are to be looked at: each at which something was known, and its end.
    fn looks(&self, day: Day, (after, until): (Moment, Moment)) -> BTreeSet<Moment> {
        let of_day = self.seen.iter().map(|of| of.known).filter(|known| known.day == day);
        of_day.chain([Moment::end_of(day)]).filter(|moment| after < *moment && *moment <= until).collect()
    }

    /// Ends the level on a day. Growth is taken once per end, not again at the end of a grace (B2).
    fn end(&mut self, day: Day) {
        let mut known = self.as_of(Moment::end_of(day.plus(-1)));
        let held = self.scheme.level(self.stands.rank).filter(|_| !self.stands.in_grace);
        let left = held.map_or(known.growth, |held| level::growth_after(held, known.growth));
        let taken = known.growth.saturating_sub(left);
        known.growth = left;
        let (to, ended) = level::end(self.scheme, self.stands, known.record());
        let why = match ended {
            Ended::Renewed => LevelWhy::Renewed,
            Ended::Grace => LevelWhy::Grace,
            Ended::Fell { .. } => LevelWhy::Fell,
        };
        if taken > 0 {
            let deed = Deed { day, points: 0, spend_fen: 0 };
            let known = Moment::begin_of(day);
            self.seen.push(Seen { deed, net: 0, growth: taken.saturating_neg(), known });
        }
        self.step((day, why), self.stands.rank, (to, taken), &known);
    }

    /// Rises, if something higher is reached at a moment.
    fn rise(&mut self, moment: Moment) {
        if !may_rise(self.scheme, self.stands) {
            return;
        }
        let known = self.as_of(moment);
        let Some(to) = level::rise(self.scheme, self.stands, known.record(), moment.day) else { return };
        let why = if to.rank > self.stands.rank { LevelWhy::Rose } else { LevelWhy::Renewed };
        self.step((moment.day, why), to.rank, (to, 0), &known);
    }

    /// Takes a step, with what the measure of the level that was asked for came to.
    fn step(&mut self, (day, why): (Day, LevelWhy), asked: u8, (to, taken): (Standing, i64), known: &Known) {
        let asked = self.scheme.level(asked);
        let (measured, threshold) =
            asked.map_or((0, 0), |of| (level::measured(of, known.record(), day), of.threshold));
        let (from, taken) = (self.stands.rank, (taken > 0).then_some(taken));
        let member = self.member;
        self.moves.push(LevelMove { member, day, why, from, to, measured, threshold, taken, place: None });
        self.stands = to;
    }
}

/// Whether anything that a member does could raise their level, or renew it.
#[must_use]
pub fn may_rise(scheme: &Scheme, standing: Standing) -> bool {
    let leads_there = |measure: Measure| !matches!(measure, Measure::None | Measure::Manual);
    standing.in_grace
        || scheme.levels.iter().any(|level| level.rank > standing.rank && leads_there(level.measure))
}

/// The steps of a member's level after one moment and up to another, in their order. Up to a moment within a day, the
/// level rises only: one that ends on that day is left for when it is over, with all that follows.
#[must_use]
pub fn walk(
    scheme: &Scheme,
    (member, start): (MemberId, Standing),
    seen: &[Seen],
    (after, until): (Moment, Moment),
) -> Vec<LevelMove> {
    let mut walk = Walk { scheme, member, stands: start, seen: seen.to_vec(), moves: Vec::new() };
    for day in (after.day.0..=until.day.0).map(Day) {
        let has_ended = walk.stands.until.is_some_and(|last| last < day);
        if has_ended && after < Moment::begin_of(day) {
            if until < Moment::end_of(day) {
                break;
            }
            walk.end(day);
        }
        for moment in walk.looks(day, (after, until)) {
            walk.rise(moment);
        }
    }
    walk.moves
}

/// Fen that came back with a part of what a purchase promised: the same part of what was paid; all of it, where it promised
/// nothing.
#[must_use]
pub fn returned(paid: i64, gave: i64, taken: i64) -> i64 {
    if gave <= 0 {
        return paid;
    }
    let part = i128::from(paid) * i128::from(taken.clamp(0, gave)) / i128::from(gave);
    i64::try_from(part).unwrap_or(paid)
}

#[cfg(test)]
#[path = "levels_tests.rs"]
mod tests;
