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
        let before_state = known.state;
        restate(known, has_grown);
        match known.state {
            CaseState::Closed => {
                (known.state, known.deadline) = (CaseState::Open, deadline);
                known.automatic = automatic;
            }
            state if is_new || has_grown || state != before_state => {}
            _ => return,
        }
        known.changed = received;
        self.touched.insert(id);
    }

    /// Opens a case or makes it rest on just these facts: for judgements that see all of what they judge.
    pub(super) fn case_of(&mut self, id: Hash, fresh: KnownCase, facts: BTreeSet<FactId>) {
        self.has(Need::Case(id));
        let known = self.world.cases.get(&id);
        let gone: Vec<FactId> =
            known.map(|known| known.facts.difference(&facts).copied().collect()).unwrap_or_default();
        self.case(id, fresh, facts);
        for fact in gone {
            self.leave_case(id, fact);
        }
    }

    /// Takes a fact out of a case that it is no evidence for any more, because what it was judged by has changed: a case
    /// must not remember what arrived in which order. Nothing to decide is left of a case without a fact.
    pub(super) fn leave_case(&mut self, id: Hash, fact: FactId) {
        self.has(Need::Case(id));
        let received = self.received;
        let Some(known) = self.world.cases.get_mut(&id) else { return };
        let was_there = known.facts.remove(&fact);
        if known.is_counted() {
            if !was_there {
                return;
            }
            restate(known, true);
        }
        known.changed = received;
        let is_empty = known.is_counted() && known.facts.is_empty();
        self.outcome.left_cases.insert((id, fact));
        self.touched.insert(id);
        if is_empty {
            self.end_case(id, "no_evidence");
        }
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

/// Whether what a person decided still rests on what that person saw.
fn restate(known: &mut KnownCase, has_changed: bool) {
    let differs = if known.is_counted() {
        known.decided_on.as_ref() != Some(&known.evidence())
    } else {
        has_changed || known.state == CaseState::EvidenceChanged
    };
    match known.state {
        CaseState::Decided if differs => known.state = CaseState::EvidenceChanged,
        CaseState::EvidenceChanged if !differs => known.state = CaseState::Decided,
        _ => {}
    }
}
