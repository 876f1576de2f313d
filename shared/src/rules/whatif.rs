//! What a member would have: schemes and a history in, level, balances and ends out, each step with its rule's number.
//!
//! The history is walked day by day. A day begins with what is due: points whose last day has passed, a level that has
//! ended, coupons to send. Then come the day's events in the order given, then on a member day the filling up. Each day
//! is judged by the version in force on it for the member's office group and kind, and what it gave stays as given: a
//! later version never changes an earlier line. Walking on to a later day is the same as having walked there at once.
//!
//! Points are held in lots by their last day and used soonest first, which comes to the same as reckoning by sums
//! ([`super::expiry`]) as long as nothing arrives late. Out of scope: leases, late facts, other members (a ranking is
//! told, not won), and words: a line carries a key and values, the shell has the sentences.

use std::collections::BTreeMap;

use super::earn::Given;
use super::level::{self, Deed, Record, Standing};
use super::start::Begun;
use crate::scheme::Scheme;
use crate::scheme::choose::{For, in_force};
use crate::time::Day;

mod days;
mod events;
pub mod history;
pub mod line;
mod purse;
mod sale;

pub use history::{Event, History, Member, What};
pub use line::{Arg, Line};

use purse::Purse;
use sale::Done;

/// Days that one walk covers at most: a century is longer than a membership.
pub const DAYS_MAX: i32 = 36_525;
/// Events of one history at most: each is seen by every level, so the work grows with their square.
pub const EVENTS_MAX: usize = 10_000;
/// The most points or fen of one event: as many events as are read never come near what a sum can hold.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000;

/// Why nothing can be reckoned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhatIfError {
    /// The events are not in order of their days, or before the joining.
    #[error("event {number}: expected a day from {from} on, met {met}")]
    Order {
        /// Which event, from 1.
        number: usize,
        /// The earliest day that would do.
        from: Day,
        /// Its day.
        met: Day,
    },
    /// The day asked for lies before the joining.
    #[error("the last day: expected {from} or later, met {met}")]
    Until {
        /// The day of joining.
        from: Day,
        /// The day asked for.
        met: Day,
    },
    /// Too long.
    #[error(
        "a history of at most {DAYS_MAX} days and {EVENTS_MAX} events expected, met {days} days and {events} events"
    )]
    Long {
        /// Days from joining to the day asked for.
        days: i64,
        /// Events.
        events: usize,
    },
    /// An event lacks something.
    #[error("event {number}: expected {expected}")]
    Event {
        /// Which event, from 1.
        number: usize,
        /// What it needs.
        expected: &'static str,
    },
    /// Beyond what can be counted.
    #[error(transparent)]
    Overflow(#[from] crate::money::AmountOverflow),
}

/// What a member has at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The last day that was walked.
    pub day: Day,
    /// The version in force on it, if any: id and version.
    pub scheme: Option<(String, u32)>,
    /// Every step.
    pub lines: Vec<Line>,
    /// The rank held.
    pub rank: u8,
    /// The level's last day; none if it has no end.
    pub rank_until: Option<Day>,
    /// Points that can be used.
    pub points: i64,
    /// Points that wait for approval.
    pub pending: i64,
    /// Points that the member owes.
    pub owed: i64,
    /// Growth.
    pub growth: i64,
    /// What ends when, soonest first, if nothing is used: last day and points; none for what does not end.
    pub ends: Vec<(Option<Day>, i64)>,
    /// Money paid so far, less returns, in fen (rule T3).
    pub spent_fen: i64,
    /// Purchases so far (rule T3: trips).
    pub purchases: u32,
}

/// Walks a history to the end of a day.
///
/// # Errors
/// [`WhatIfError`] if the history is out of order, lacks something or is too long.
pub fn reckon(schemes: &[Scheme], history: &History, until: Day) -> Result<Outcome, WhatIfError> {
    history.check(until)?;
    // Nothing is looked ahead: an event after the day asked for plays no part, as it will play none for the ledger.
    let mut walk = Walk::new(schemes, &history.member);
    walk.join();
    for (at, event) in history.events.iter().enumerate() {
        if event.day > until {
            break;
        }
        walk.go_to(event.day)?;
        walk.happen(at + 1, event)?;
    }
    walk.go_to(until)?;
    walk.close_day()?;
    Ok(walk.outcome())
}

/// Points or growth that wait for approval.
#[derive(Debug, Clone)]
struct Waiting {
    slip: String,
    rule: String,
    points: i64,
    growth: i64,
}

/// A member on the way through a history.
#[derive(Debug, Clone)]
struct Walk<'s> {
    schemes: &'s [Scheme],
    member: Member,
    begun: Begun,
    /// The day that has begun and not ended.
    day: Day,
    standing: Standing,
    purse: Purse,
    growth: i64,
    waiting: Vec<Waiting>,
    deeds: Vec<Deed>,
    /// What each rule gave, by its number and code.
    given: BTreeMap<(String, String), Vec<Given>>,
    sales: BTreeMap<String, Done>,
    birthdays_used: Vec<Day>,
    transfers: Vec<(Day, i64)>,
    /// Last event of the member's own, for membership that ends by idleness.
    seen: Day,
    left: bool,
    spent_fen: i64,
    purchases: u32,
    lines: Vec<Line>,
}

impl<'s> Walk<'s> {
    fn new(schemes: &'s [Scheme], member: &Member) -> Self {
        let standing = Standing { rank: 0, since: member.joined, until: None, in_grace: false };
        Self {
            schemes,
            member: member.clone(),
            begun: Begun::default(),
            day: member.joined,
            standing,
            purse: Purse::default(),
            growth: 0,
            waiting: Vec::new(),
            deeds: Vec::new(),
            given: BTreeMap::new(),
            sales: BTreeMap::new(),
            birthdays_used: Vec::new(),
            transfers: Vec::new(),
            seen: member.joined,
            left: false,
            spent_fen: 0,
            purchases: 0,
            lines: Vec::new(),
        }
    }

    /// The version in force on the day.
    fn scheme(&self) -> Option<&'s Scheme> {
        let ask =
            For { day: self.day, office_group: &self.member.office_group, member_kind: &self.member.kind };
        in_force(self.schemes, ask)
    }

    fn record(&self) -> Record<'_> {
        Record { deeds: &self.deeds, growth: self.growth, balance: self.purse.balance() }
    }

    /// Writes a line about what has just been done; what it changed is what differs from the line before.
    fn say(&mut self, rule: &str, key: &'static str, args: Vec<(&'static str, Arg)>) {
        let (points_after, growth_after) = (self.purse.balance(), self.growth);
        let before = self.lines.last().map_or((0, 0), |line| (line.points_after, line.growth_after));
        let version = self.scheme().map_or(0, |scheme| scheme.version);
        self.lines.push(Line {
            day: self.day,
            version,
            rule: rule.to_owned(),
            key,
            args,
            points: points_after - before.0,
            growth: growth_after - before.1,
            points_after,
            growth_after,
        });
    }

    fn outcome(self) -> Outcome {
        let scheme = self.scheme().map(|scheme| (scheme.id.clone(), scheme.version));
        Outcome {
            day: self.day,
            scheme,
            rank: self.standing.rank,
            rank_until: self.standing.until,
            points: self.purse.balance(),
            pending: self.waiting.iter().map(|waiting| waiting.points).sum(),
            owed: self.purse.owed(),
            growth: self.growth,
            ends: self.purse.ends(),
            spent_fen: self.spent_fen,
            purchases: self.purchases,
            lines: self.lines,
        }
    }

    /// Looks whether what happened lifts the member.
    fn rise(&mut self, scheme: &Scheme) {
        let Some(now) = level::rise(scheme, self.standing, self.record(), self.day) else { return };
        let renewed = now.rank == self.standing.rank;
        self.standing = now;
        let key = if renewed { "level-renewed" } else { "level-risen" };
        self.say_level("B1", key, scheme);
        if !renewed && scheme.level(now.rank).is_some_and(|level| level.auto_replace_card) {
            let kind = scheme.level(now.rank).map_or_else(String::new, |level| level.card_kind.clone());
            self.say("K17", "card-to-replace", vec![("kind", Arg::Text(kind))]);
        }
    }

    /// A line about the level held now.
    fn say_level(&mut self, rule: &str, key: &'static str, scheme: &Scheme) {
        let until = self.standing.until.map_or(Arg::Word("no-end"), Arg::Day);
        let level = scheme
            .level(self.standing.rank)
            .map_or(Arg::Word("base-level"), |level| Arg::Name(level.name.clone()));
        let rank = Arg::Number(self.standing.rank.into());
        self.say(rule, key, vec![("level", level), ("rank", rank), ("until", until)]);
    }
}
