//! Forms: applications that look like somebody (kind 29), and requests about members' data that disagree (kind 15).
//!
//! What a form says is sealed, and nothing here opens it. Whom an application looks like comes as an act; which request
//! a person took over comes as their verdict. A request is judged field by field: a verdict is about one field, so what
//! it says is kept per fact and field, as links, and never as the pin of the whole fact.
//!
//! Invariants: a request that was dealt with is not judged again; a field that was changed since a terminal looked is
//! asked about; an application that a person or its document number has placed waits no more.
//! Out of scope: finding look-alikes, writing the data.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{LookAlikesFound, Pin, PinOutcome, ProfileSet};
use hufu_shared::fact::{Event, Fact, Form, ProfileChange};
use hufu_shared::form::ROUTE_OFFICE;
use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::wire::upload::Became;
use hufu_shared::wire::version::Version;

use super::Work;
use super::earn::is_judged;
use super::fault::plain;
use super::matter::Matter;
use crate::rules::joining::eligible;
use crate::rules::joining::notice::About;
use crate::rules::judge::order::Place;
use crate::rules::judge::profile::{self, Request, Wanted};
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::{CaseState, KnownFact, KnownField, Standing};

/// Number of the conflict kind "profile change requests disagree".
pub(super) const KIND_PROFILE: u8 = 15;
/// Number of the conflict kind "application looks like a member or another application".
pub(super) const KIND_LOOK_ALIKE: u8 = 29;

/// The case about an application that looks like somebody.
#[must_use]
pub fn look_alike_case(application: FactId) -> Hash {
    posting::case_id(KIND_LOOK_ALIKE, &[&posting::fact_cause(application).0])
}

/// The case about requests for one field of a member.
#[must_use]
pub fn profile_case(member: MemberId, field: &str) -> Hash {
    posting::case_id(KIND_PROFILE, &[&member.0, field.as_bytes()])
}

impl Work {
    /// Somebody wants to join. Who it looks like is found later, and comes as an act.
    pub(super) fn application_taken(&mut self, id: FactId, known: &KnownFact, form: &Form) {
        let member = form.subject.as_ref().and_then(|subject| self.owner(known, subject));
        self.outcome.applications.insert(id, false);
        self.stand(id, plain(id, known), member);
    }

    /// A visitor was registered, or a complaint taken: it stands, as the member's whose card was shown with it.
    pub(super) fn spoken_for(&mut self, id: FactId, known: &KnownFact, form: &Form) {
        let member = form.subject.as_ref().and_then(|subject| self.owner(known, subject));
        self.stand(id, plain(id, known), member);
    }

    /// Whom an application looks like was looked up. With one member's document number it is that member's (K6); else,
    /// if it looks like somebody, it waits for a person.
    pub(super) fn look_alikes_found(&mut self, found: &LookAlikesFound) {
        let id = found.application;
        if id.is_filed() {
            self.filed_looked_up(found);
            return;
        }
        let Some(known) = self.fact(id).cloned() else { return };
        self.outcome.applications.insert(id, true);
        let Some(Fact { event: Event::ApplicationTaken(form), .. }) = &known.fact else { return };
        let same = found.same_document.filter(|member| self.member(*member).is_some());
        if let Some(member) = same.map(|member| self.survivor(member)) {
            let standing = if form.route == ROUTE_OFFICE {
                plain(id, &known)
            } else {
                Standing::of(Became::Merged, KIND_LOOK_ALIKE, None)
            };
            self.stand(id, standing, Some(member));
            self.tell(About::AlreadyMember, Some(member), Some(id));
            if form.route == ROUTE_OFFICE {
                self.associate(id, eligible::Standing::Applicant, member);
            }
            return;
        }
        if found.members.is_empty() && found.applications.is_empty() {
            return;
        }
        let mut fresh = self.fresh_case(KIND_LOOK_ALIKE, "pending");
        fresh.device = Some(id.device);
        fresh.detail = hufu_shared::cbor::encode(found);
        let taken = found.applications.iter().copied().filter(|fact| !fact.is_filed());
        let facts = taken.chain([id]);
        self.case(look_alike_case(id), fresh, facts);
        self.judge_application(id);
    }

    /// Judges how an application stands: as a person placed it, else as its own case says.
    pub(super) fn judge_application(&mut self, id: FactId) {
        let case = look_alike_case(id);
        self.has(Need::Case(case));
        let Some(known) = self.fact(id).cloned() else { return };
        let state = self.world.cases.get(&case).map(|case| case.state);
        let waits = matches!(state, Some(CaseState::Open | CaseState::EvidenceChanged));
        let standing = match (known.pin, known.belongs_to) {
            (Some(false), Some(_)) => Standing::of(Became::Merged, KIND_LOOK_ALIKE, Some(case)),
            (Some(false), None) => {
                Standing::of(Became::NoEffect, KIND_LOOK_ALIKE, state.is_some().then_some(case))
            }
            (Some(true), _) | (None, Some(_)) => plain(id, &known),
            (None, None) if waits => Standing::of(Became::Held, KIND_LOOK_ALIKE, Some(case)),
            (None, None) if state.is_some() => plain(id, &known),
            // Listed beside another one, and nothing was said of it.
            (None, None) => return,
        };
        if known.pin.is_some() || known.belongs_to.is_some() {
            let is_out = known.pin == Some(false) && known.belongs_to.is_none();
            self.end_case(case, if is_out { "turned_down" } else { "merged" });
        }
        let member = known.belongs_to.map(|member| self.survivor(member));
        self.stand(id, standing, member);
    }

    /// A member wants data changed.
    pub(super) fn change_requested(&mut self, id: FactId, known: &KnownFact, change: &ProfileChange) {
        let Some(subject) = &change.form.subject else {
            self.stand(id, plain(id, known), None);
            return;
        };
        let Some(member) = self.owner(known, subject) else {
            self.hold_for_card(id, subject.token);
            return;
        };
        self.link(links::profile(member), id);
        self.stand(id, plain(id, known), Some(member));
        self.dirty.insert(Matter::Profile(member));
    }

    /// A person dealt with requests for a field: the one that counts was taken over, the others were not. None of them
    /// is judged again for this field; a request for others as well stands as those give.
    pub(super) fn requests_dealt_with(&mut self, member: MemberId, field: &str, pins: &[Pin]) {
        let mut is_changed = false;
        for pin in pins {
            self.link(links::dealt_with(pin.fact, field), pin.fact);
            if pin.outcome == PinOutcome::Counts {
                self.link(links::taken_over(pin.fact, field), pin.fact);
                is_changed = true;
            }
        }
        if is_changed {
            self.field_changed(member, field);
            self.edited(member, field, None);
        }
        self.dirty.insert(Matter::Profile(member));
    }

    /// A person changed a member's data, perhaps by a request that nobody disagreed with.
    pub(super) fn profile_set(&mut self, set: &ProfileSet) {
        let member = set.member;
        for change in &set.changes {
            if let Some(fact) =
                change.request.filter(|fact| self.linked(links::profile(member)).contains(fact))
            {
                self.link(links::dealt_with(fact, &change.field), fact);
                if change.taken_over {
                    self.link(links::taken_over(fact, &change.field), fact);
                }
            }
            if change.taken_over {
                self.field_changed(member, &change.field);
                let stands = |hash: Option<Hash>| hash.map(|hash| hash.to_string());
                let of = (stands(set.data.map(|data| data.0)), stands(set.data.map(|data| data.1)));
                self.edited_from(member, &change.field, Some(set.reason), of);
            }
        }
        self.dirty.insert(Matter::Profile(member));
    }

    fn field_changed(&mut self, member: MemberId, field: &str) {
        self.has(Need::Fields(member));
        let key = (member, field.to_owned());
        let changes = self.world.fields.get(&key).map_or(0, |known| known.changes);
        let known = KnownField { changes: changes.saturating_add(1), changed: self.received };
        self.world.fields.insert(key.clone(), known);
        self.outcome.fields.insert(key, known);
    }

    /// Whether a person said something of a request for one field: `links` makes the link of what.
    fn is_said(&self, id: FactId, field: &str, link: fn(FactId, &str) -> Hash) -> bool {
        self.linked(link(id, field)).contains(&id)
    }

    /// The version of a field as a request knew it: the newest, or one before it if the field changed after what the
    /// terminal had seen.
    fn known_version(&self, member: MemberId, field: &str, base: Version) -> Version {
        self.has(Need::Fields(member));
        let Some(known) = self.world.fields.get(&(member, field.to_owned())) else {
            return Version::default();
        };
        self.has(Need::Knew(base));
        let is_newest = self.world.knew.get(&base).is_some_and(|at| *at >= known.changed);
        Version { epoch: 0, n: known.changes.saturating_sub(u64::from(!is_newest)) }
    }

    /// The requests about a member's data that nobody has dealt with, field by field; all facts that ask for something;
    /// and each field that was ever asked for.
    fn requests(&self, member: MemberId) -> (Vec<Request>, BTreeMap<FactId, Vec<String>>, BTreeSet<String>) {
        let (mut requests, mut fields, mut asked) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        for id in self.linked(links::profile(member)) {
            let Some(known) = self.fact(id).filter(|known| is_judged(known)) else { continue };
            let Some(Fact { event: Event::ProfileChangeRequested(change), .. }) = &known.fact else {
                continue;
            };
            asked.extend(change.fields.iter().map(|(field, _)| field.clone()));
            if known.member != Some(member) {
                continue;
            }
            let place = Place { t: known.at, fact: id };
            fields.insert(id, change.fields.iter().map(|(field, _)| field.clone()).collect());
            let open = change.fields.iter().filter(|(field, _)| !self.is_said(id, field, links::dealt_with));
            requests.extend(open.map(|(field, base)| Request {
                place,
                member,
                field: field.clone(),
                base: self.known_version(member, field, *base),
                value: None,
                pin: None,
            }));
        }
        (requests, fields, asked)
    }

    /// Judges all requests about a member's data that nobody has dealt with, field by field. What a request wants is
    /// sealed, so two for one field agree with nobody but themselves.
    pub(super) fn judge_profile(&mut self, member: MemberId) {
        let (requests, facts, asked) = self.requests(member);
        let version = |changes: u64| Version { epoch: 0, n: changes };
        let current = self.world.fields.iter().filter(|((of, _), _)| *of == member);
        let current = current.map(|(key, known)| (key.clone(), version(known.changes))).collect();
        let wanted = profile::judge(&requests, &current);
        let mut waits: BTreeMap<FactId, Hash> = BTreeMap::new();
        for ((_, field), wanted) in &wanted {
            let Wanted::Differ(open) = wanted else { continue };
            let case = profile_case(member, field);
            let mut fresh = self.fresh_case(KIND_PROFILE, "person_decides");
            (fresh.member, fresh.detail) = (Some(member), field.as_bytes().to_vec());
            self.case_of(case, fresh, open.iter().copied().collect());
            waits.extend(open.iter().map(|fact| (*fact, case)));
        }
        for field in asked {
            let case = profile_case(member, &field);
            if !matches!(wanted.get(&(member, field)), Some(Wanted::Differ(_))) {
                self.end_case(case, "once");
            }
        }
        for (id, fields) in facts {
            let Some(known) = self.fact(id).cloned() else { continue };
            let refused = |field: &String| {
                self.is_said(id, field, links::dealt_with) && !self.is_said(id, field, links::taken_over)
            };
            let standing = match waits.get(&id) {
                Some(case) => Standing::of(Became::Held, KIND_PROFILE, Some(*case)),
                None if !fields.is_empty() && fields.iter().all(refused) => {
                    Standing::of(Became::NoEffect, KIND_PROFILE, None)
                }
                None => plain(id, &known),
            };
            self.stand(id, standing, Some(member));
        }
    }
}
