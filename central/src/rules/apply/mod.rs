//! Giving effect: a journal entry and the rows that it needs become the rows that it gives.
//!
//! One entry at a time, its facts in order of seq. Each part below owns one concern; all of them work on the same
//! [`Work`], which carries the world along so that a fact sees what the ones before it gave.

mod act;
mod attendance;
mod batch;
mod day;
mod fault;
mod held;
mod review;
mod value;

#[cfg(test)]
mod tests;

pub use act::{verdict_code, verdict_from_code};
pub use day::{DayDifference, is_possible};
pub use held::{HOLD_DAYS, unknown_card_case};
pub use review::review_case;

use std::collections::BTreeSet;

use hufu_shared::ids::{DeviceId, FactId, Hash, OfficeId};
use hufu_shared::time::{Day, Instant, OfficeClock};
use hufu_shared::wire::upload::{Became, Disposition};

use super::entry::{Entry, EntryBody};
use super::outcome::{FactChange, NoticeRow, Outcome};
use super::world::{CaseState, GroupFact, KnownCase, World};

/// Applies an entry. Never fails: what cannot have an effect is held, set aside or turned into a case.
#[must_use]
pub fn apply(world: World, entry: &Entry) -> Outcome {
    let mut work =
        Work { world, outcome: Outcome::default(), received: entry.received, touched: BTreeSet::new() };
    match &entry.body {
        EntryBody::Batch(batch) => work.batch(batch),
        EntryBody::Act(taken) => work.act(taken),
        EntryBody::Fork(fork) => work.fork(fork),
        EntryBody::Lost(loss) => work.loss(loss),
    }
    for id in std::mem::take(&mut work.touched) {
        if let Some(case) = work.world.cases.get(&id) {
            work.outcome.cases.insert(id, case.clone());
        }
    }
    work.outcome
}

/// An entry being applied.
struct Work {
    world: World,
    outcome: Outcome,
    received: Instant,
    /// Cases that changed; written once, at the end.
    touched: BTreeSet<Hash>,
}

/// How a fact stands, before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    became: Became,
    kind: Option<u8>,
    case: Option<Hash>,
}

impl Standing {
    const PLAIN: Self = Self { became: Became::Applied, kind: None, case: None };

    fn told(self, seq: u64) -> Option<Disposition> {
        (self != Self::PLAIN).then_some(Disposition {
            seq,
            became: self.became,
            kind: self.kind,
            case: self.case,
        })
    }
}

/// A fact with what the centre knows of it.
#[derive(Debug, Clone, Copy)]
struct Spot {
    id: FactId,
    at: Instant,
    day: Day,
    office: OfficeId,
}

impl Work {
    /// The business day of an instant at an office.
    fn day(&self, office: OfficeId, at: Instant) -> Day {
        let default = OfficeClock::default();
        self.world.offices.get(&office).map_or(&default, |row| &row.clock).business_day(at)
    }

    /// Opens a case or adds facts to it. A case that a person decided comes back when its facts change; one that had
    /// ended by itself is open again.
    fn case(&mut self, id: Hash, fresh: KnownCase, facts: &[FactId]) {
        let received = self.received;
        let deadline = fresh.deadline;
        let known = self.world.cases.entry(id).or_insert(fresh);
        let before = known.facts.len();
        known.facts.extend(facts);
        if known.facts.len() > before {
            known.changed = received;
            match known.state {
                CaseState::Decided => known.state = CaseState::EvidenceChanged,
                CaseState::Closed => (known.state, known.deadline) = (CaseState::Open, deadline),
                CaseState::Open | CaseState::EvidenceChanged => {}
            }
        }
        self.touched.insert(id);
    }

    /// A new case of a kind, about nothing yet.
    fn fresh_case(&self, kind: u8, automatic: &str) -> KnownCase {
        KnownCase {
            kind,
            state: CaseState::Open,
            member: None,
            occurrence: None,
            device: None,
            token: None,
            detail: Vec::new(),
            automatic: automatic.to_owned(),
            verdict: None,
            opened: self.received,
            changed: self.received,
            deadline: None,
            facts: BTreeSet::new(),
        }
    }

    /// Writes how a fact stands now: into the new row if the entry brought it, else as a change with a notice to its
    /// terminal.
    fn stand(
        &mut self,
        id: FactId,
        standing: Standing,
        member: Option<hufu_shared::ids::MemberId>,
        told: Told<'_>,
    ) {
        if let Some(row) = self.outcome.facts.iter_mut().find(|row| row.id == id) {
            row.became = standing.became;
            row.kind = standing.kind;
            row.told = standing.told(id.seq);
            row.member = member.or(row.member);
            return;
        }
        let pin = self.outcome.fact_changes.get(&id).and_then(|change| change.pin);
        let change = FactChange { became: standing.became, kind: standing.kind, member, pin };
        self.outcome.fact_changes.insert(id, change);
        self.notice(id, standing, told.other);
    }

    /// Numbers a notice to the terminal of a fact; a later one of the same entry about the same fact replaces it.
    fn notice(&mut self, fact: FactId, standing: Standing, other: Option<&GroupFact>) {
        let other_office =
            other.and_then(|other| self.world.offices.get(&other.office)).map(|office| office.code.clone());
        let earlier = self.outcome.notices.iter().position(|notice| notice.fact == fact);
        let n = match earlier {
            Some(at) => self.outcome.notices.remove(at).n,
            None => self.next_notice(fact.device),
        };
        self.outcome.notices.push(NoticeRow {
            n,
            fact,
            became: standing.became,
            kind: standing.kind,
            case: standing.case,
            other_office,
            other_at: other.map(|other| other.at),
        });
    }

    fn next_notice(&mut self, device: DeviceId) -> u64 {
        let n = self.world.notices.entry(device).or_insert(0);
        *n += 1;
        *n
    }
}

/// What a terminal is told along with how its fact stands.
#[derive(Clone, Copy, Default)]
struct Told<'a> {
    /// The fact of the other side.
    other: Option<&'a GroupFact>,
}
