//! Ways in and out of an occurrence that counts exits (kind 4): a state machine per member, outside → inside → outside.
//!
//! Where a step is missing (in twice, out without in, no out at all) it is inferred at the rule's time and marked; the
//! facts around it are listed for a person, who accepts or edits. Nothing is dropped and no time of a fact changes.

use std::collections::BTreeSet;

pub use hufu_shared::fact::Way as Passage;
use hufu_shared::ids::FactId;
use hufu_shared::time::Instant;

/// One passing of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passing {
    /// When.
    pub t: Instant,
    /// The fact.
    pub id: FactId,
    /// Which way.
    pub way: Passage,
}

/// What is inferred where a step is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StayRule {
    /// Nobody was in before.
    pub starts: Instant,
    /// Nobody was in after.
    pub ends: Instant,
    /// The longest stay that is inferred, in us; none for no limit.
    pub longest_us: Option<i64>,
    /// Whether the occurrence is over, so that who is still in has gone without a trace.
    pub over: bool,
}

/// One end of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By a fact.
    Seen(FactId, Instant),
    /// Nobody saw it.
    Inferred(Instant),
    /// Still in.
    Open,
}

/// One stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// Its beginning.
    pub from: End,
    /// Its end.
    pub to: End,
}

/// The stays of one member, and what is wrong with the way there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    /// In order of time.
    pub stays: Vec<Stay>,
    /// Facts beside which a step is missing.
    pub broken: BTreeSet<FactId>,
    /// Entries after a lawful exit: the same attendance goes on.
    pub returns: BTreeSet<FactId>,
}

/// Judges all passings of one member at one occurrence.
#[must_use]
pub fn path(passings: &[Passing], rule: StayRule) -> Path {
    let mut ordered = passings.to_vec();
    ordered.sort_unstable();
    ordered.dedup_by_key(|passing| passing.id);
    let mut path = Path::default();
    let mut inside: Option<Passing> = None;
    let mut edge = rule.starts;
    // An exit alone is no entry to come back from.
    let mut entered = false;
    for passing in ordered {
        match (inside, passing.way) {
            (None, Passage::In) => {
                if entered {
                    path.returns.insert(passing.id);
                }
                (inside, entered) = (Some(passing), true);
            }
            (Some(entry), Passage::Out) => {
                path.stays.push(Stay { from: seen(entry), to: seen(passing) });
                (inside, edge) = (None, passing.t);
            }
            (Some(entry), Passage::In) => {
                let to = End::Inferred(rule.close(entry.t, passing.t));
                path.stays.push(Stay { from: seen(entry), to });
                path.broken.extend([entry.id, passing.id]);
                inside = Some(passing);
            }
            (None, Passage::Out) => {
                let from = End::Inferred(rule.open(edge, passing.t));
                path.stays.push(Stay { from, to: seen(passing) });
                path.broken.insert(passing.id);
                edge = passing.t;
            }
        }
    }
    if let Some(entry) = inside {
        let to = if rule.over { End::Inferred(rule.close(entry.t, rule.ends)) } else { End::Open };
        path.stays.push(Stay { from: seen(entry), to });
        path.broken.extend(rule.over.then_some(entry.id));
    }
    path
}

fn seen(passing: Passing) -> End {
    End::Seen(passing.id, passing.t)
}

impl StayRule {
    fn close(&self, entry: Instant, next: Instant) -> Instant {
        let longest = self.longest_us.map_or(next, |longest| entry.offset(longest));
        next.min(self.ends).min(longest).max(entry)
    }

    fn open(&self, edge: Instant, exit: Instant) -> Instant {
        let longest = self.longest_us.map_or(edge, |longest| exit.offset(-longest));
        edge.max(longest).min(exit)
    }
}

#[cfg(test)]
#[path = "stays_tests.rs"]
mod tests;
