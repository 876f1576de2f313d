//! Cases: opened and closed by judgements, decided by people.
//!
//! A case is named by its kind and what it is about, so the same disagreement is the same case whenever it is judged.
//! One that a person decided comes back while its evidence differs from what that person saw, not whenever it changes:
//! else two orders of arrival would leave it in two states. One that ended by itself opens again.

use std::collections::BTreeSet;

use hufu_shared::ids::{FactId, Hash};

use super::Work;
use crate::rules::need::Need;
use crate::rules::world::{CaseState, KnownCase};

impl Work {
    /// Opens a case or adds facts to it.
    pub(super) fn case(&mut self, id: Hash, fresh: KnownCase, facts: impl IntoIterator<Item = FactId>) {
        self.has(Need::Case(id));
        let (received, deadline, detail) = (self.received, fresh.deadline, fresh.detail.clone());
        let automatic = fresh.automatic.clone();
        let is_new = !self.world.cases.contains_key(&id);
        let known = self.world.cases.entry(id).or_insert(fresh);
        let before = known.facts.len();
        known.facts.extend(facts);
        let has_grown = known.facts.len() > before || known.detail != detail;
        known.detail = detail;
        let differs = if known.is_counted() {
            known.decided_on.as_ref() != Some(&known.evidence())
        } else {
            has_grown || known.state == CaseState::EvidenceChanged
        };
        match known.state {
            CaseState::Decided if differs => known.state = CaseState::EvidenceChanged,
            CaseState::EvidenceChanged if !differs => known.state = CaseState::Decided,
            CaseState::Closed => {
                (known.state, known.deadline) = (CaseState::Open, deadline);
                known.automatic = automatic;
            }
            _ if is_new || has_grown => {}
            _ => return,
        }
        known.changed = received;
        self.touched.insert(id);
    }

    /// Says what stands of a case by itself, where that follows from all of its facts and not from the first of them.
    pub(super) fn stands_as(&mut self, id: Hash, automatic: &str) {
        let Some(known) = self.world.cases.get_mut(&id) else { return };
        if known.state != CaseState::Closed && known.automatic != automatic {
            automatic.clone_into(&mut known.automatic);
            self.touched.insert(id);
        }
    }

    /// Ends a case that has nothing left to decide. What a person decided stays decided, as it was seen then.
    pub(super) fn end_case(&mut self, id: Hash, automatic: &str) {
        self.has(Need::Case(id));
        let decided_on = self.world.cases.get(&id).and_then(|case| case.decided_on.clone());
        match (self.world.cases.get_mut(&id), decided_on) {
            (Some(case), Some(seen)) if case.state == CaseState::EvidenceChanged => {
                (case.state, case.detail) = (CaseState::Decided, seen.detail);
                case.changed = self.received;
                self.touched.insert(id);
            }
            _ => self.close_case(id, automatic),
        }
    }

    /// Closes a case that waits for a person.
    pub(super) fn close_case(&mut self, id: Hash, automatic: &str) {
        let Some(case) = self.world.cases.get_mut(&id) else { return };
        if matches!(case.state, CaseState::Open | CaseState::EvidenceChanged) {
            case.state = CaseState::Closed;
            automatic.clone_into(&mut case.automatic);
            case.changed = self.received;
            self.touched.insert(id);
        }
    }

    /// A new case of a kind, about nothing yet.
    pub(super) fn fresh_case(&self, kind: u8, automatic: &str) -> KnownCase {
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
            decided_on: None,
            opened: self.received,
            changed: self.received,
            deadline: None,
            facts: BTreeSet::new(),
        }
    }
}
