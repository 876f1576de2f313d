//! Reconciling a terminal's day with the ledger, line by line.
//!
//! A line is a fact: what its display promised beside what the ledger gave. Where they differ the fact's standing must
//! explain it (a case, a merge, a hold), or what came back of it (S8), or a rule that gives only once: no terminal
//! promises by it, since it would have to know all that the member bought. A difference that nothing explains means that
//! the books do not match.

use hufu_shared::fact::{DayClosed, DayTotals, Event, Fact};
use hufu_shared::ids::{FactId, Hash};
use hufu_shared::money::{Amount, Leg, Unit, add_leg};
use hufu_shared::rules::totals;
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Became;
use serde::Serialize;

/// A fact with what the ledger gave for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// Which fact.
    pub id: FactId,
    /// The fact; none if it could not be read.
    pub fact: Option<Fact>,
    /// When it happened, as judged.
    pub at: Instant,
    /// How it stands.
    pub became: Became,
    /// Number of the conflict kind.
    pub kind: Option<u8>,
    /// A case that it belongs to.
    pub case: Option<Hash>,
    /// Net points that the ledger gave a member for it.
    pub posted: Amount,
    /// The most of them that rules gave by which no terminal promises.
    pub unpromised: Amount,
    /// Points of its promise that returns take back.
    pub returned: Amount,
}

/// One line of a reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Which fact.
    pub fact: FactId,
    /// Name of its event.
    pub event: &'static str,
    /// When it happened, as judged.
    pub at: Instant,
    /// What the terminal's clock claimed.
    pub wall: Instant,
    /// Points that the display promised.
    pub promised: Amount,
    /// Points that the ledger gave.
    pub posted: Amount,
    /// How the fact stands.
    pub became: Became,
    /// Number of the conflict kind.
    pub kind: Option<u8>,
    /// A case that it belongs to.
    pub case: Option<Hash>,
    /// Whether promise and ledger agree, or the standing explains the difference.
    pub explained: bool,
}

/// One terminal's day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TerminalDay {
    /// All facts of the day, in order.
    pub lines: Vec<Line>,
    /// What the terminal closed; none while the day is open.
    pub closed: Option<DayTotals>,
    /// What the centre reckons from the range that the terminal closed.
    pub reckoned: DayTotals,
    /// Points promised.
    pub promised: Amount,
    /// Points posted.
    pub posted: Amount,
    /// Points promised and not posted, or posted and not promised, that a fact's standing explains.
    pub explained: Amount,
    /// How the day stands.
    pub state: DayState,
}

/// How a terminal's day stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    /// The terminal closed it and all agrees.
    Agrees,
    /// The terminal has not closed it; so far all agrees.
    Open,
    /// Something differs that nothing explains.
    Differs,
}

/// Reconciles one terminal's day. `closed` is the terminal's newest `DayClosed` of that day and `range` the facts
/// that it covers, by seq, with `None` for one that could not be read.
#[must_use]
pub fn terminal_day(facts: &[Booked], closed: Option<&DayClosed>, range: &[Option<Fact>]) -> TerminalDay {
    let lines: Vec<Line> = facts.iter().map(line).collect();
    let sum = |of: fn(&Line) -> i64| Amount(lines.iter().map(of).fold(0, i64::saturating_add));
    let promised = sum(|line| line.promised.0);
    let posted = sum(|line| line.posted.0);
    let explained =
        sum(|line| if line.explained { line.promised.0.saturating_sub(line.posted.0) } else { 0 });
    let reckoned = totals::of(range.iter().flatten()).unwrap_or_default();
    let totals_agree =
        closed.is_none_or(|closed| closed.totals == reckoned && range.iter().all(Option::is_some));
    let state = match (lines.iter().all(|line| line.explained) && totals_agree, closed) {
        (false, _) => DayState::Differs,
        (true, Some(_)) => DayState::Agrees,
        (true, None) => DayState::Open,
    };
    let closed = closed.map(|closed| closed.totals.clone());
    TerminalDay { lines, closed, reckoned, promised, posted, explained, state }
}

fn line(booked: &Booked) -> Line {
    let promised = booked.fact.as_ref().map_or(Amount::ZERO, promised_points);
    let standing_explains = match booked.became {
        // A case beside an effect explains no difference: what was promised must be what was given.
        Became::Applied | Became::AppliedWithCase => false,
        Became::Held | Became::Quarantined | Became::Merged | Became::NoEffect => {
            booked.posted == Amount::ZERO
        }
    };
    // What a rule gives beside may come on top of what was promised, or of what is left of that.
    let rule_explains = [0, booked.returned.0].into_iter().any(|returned| {
        let kept = promised.0.saturating_sub(returned);
        (0..=booked.unpromised.0).contains(&booked.posted.0.saturating_sub(kept))
    });
    Line {
        fact: booked.id,
        event: booked.fact.as_ref().map_or("unreadable", |fact| fact.event.name()),
        at: booked.at,
        wall: booked.fact.as_ref().map_or(booked.at, |fact| fact.wall),
        promised,
        posted: booked.posted,
        became: booked.became,
        kind: booked.kind,
        case: booked.case,
        explained: rule_explains || standing_explains,
    }
}

/// Points that a fact's display promised.
fn promised_points(fact: &Fact) -> Amount {
    let legs: &[Leg] = match &fact.event {
        Event::Attended(attended) => &attended.promised,
        Event::Earned(earned) => &earned.promised,
        _ => &[],
    };
    let mut sums = Vec::new();
    for leg in legs {
        if add_leg(&mut sums, *leg).is_err() {
            return Amount(i64::MAX);
        }
    }
    sums.iter().find(|leg| leg.unit == Unit::Pts).map_or(Amount::ZERO, |leg| leg.amount)
}
