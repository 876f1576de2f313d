//! Applications that were filed at the centre, and the end of any application (K5 to K8, G2, E1).
//!
//! An application that a terminal took is a fact and stands as facts do; one that was filed here has a row of its own,
//! which goes from state to state. Both are found by the same look-up, wait in the same case (kind 29) when they look
//! like somebody, and are decided by the same verdict. Whoever was decided first stays decided: a step that cannot be
//! taken any more has no effect.
//! Out of scope: finding look-alikes, opening forms, writing members' data.

use std::collections::BTreeMap;

use hufu_shared::act::{
    ApplicationDecided, ApplicationEnd, ApplicationFiled, AssociationDone, CaredFor, CarerSet, CaseDecided,
    LookAlikesFound, Pin, PinOutcome, Verdict,
};
use hufu_shared::fact::{Event, Fact};
use hufu_shared::form::ROUTE_OFFICE;
use hufu_shared::ids::{FactId, MemberId};
use hufu_shared::time::OfficeClock;

use super::Work;
use super::forms::{KIND_LOOK_ALIKE, look_alike_case};
use super::leaving::message_id;
use crate::rules::joining::application::{self, State, Step};
use crate::rules::joining::eligible::{self, Mode, Standing};
use crate::rules::joining::notice::About;
use crate::rules::need::Need;
use crate::rules::world::{KnownAssociation, KnownFiled};

impl Work {
    fn filed(&self, id: FactId) -> Option<&KnownFiled> {
        self.has(Need::Filed(id));
        self.world.filed.get(&id)
    }

    /// Somebody applied at the centre. The same application twice is one.
    pub(super) fn application_filed(&mut self, filed: &ApplicationFiled) {
        let id = filed.application;
        let Some(standing) = Standing::from_code(&filed.standing) else { return };
        let mode = if filed.automatic { Mode::Automatic } else { Mode::Manual };
        if !id.is_filed() || self.filed(id).is_some() || !eligible::may_come(mode, standing) {
            return;
        }
        let day = match filed.office {
            Some(office) => self.day(office, self.received),
            None => OfficeClock::default().business_day(self.received),
        };
        let known = KnownFiled {
            route: filed.route.clone(),
            way: filed.way.clone(),
            kind: filed.kind.clone(),
            office: filed.office,
            referrer: filed.referrer,
            form: filed.form,
            day,
            filed: self.received,
            state: State::Waiting,
            member: None,
            looked_up: false,
            changed: self.received,
            standing,
            automatic: filed.automatic,
            carer: filed.carer,
        };
        self.keep_filed(id, known);
    }

    fn keep_filed(&mut self, id: FactId, known: KnownFiled) {
        self.world.filed.insert(id, known.clone());
        self.outcome.filed.insert(id, known);
    }

    /// Takes a step with an application that was filed here; whether it could be taken.
    fn step(&mut self, id: FactId, step: Step, member: Option<MemberId>) -> bool {
        let Some(mut known) = self.filed(id).cloned() else { return false };
        let Some(state) = known.state.after(step) else { return false };
        (known.state, known.changed) = (state, self.received);
        known.member = member.map(|member| self.survivor(member)).or(known.member);
        if let (Step::Join, Some(member)) = (step, known.member) {
            self.details_of_filed(member, &known);
        }
        // What went into another application is told with that one.
        if let (State::Joined | State::Bound, Some(member)) = (state, known.member) {
            self.associate(id, known.standing, member);
        }
        self.keep_filed(id, known);
        if !state.is_open() {
            let is_out = matches!(step, Step::Reject | Step::Lapse);
            self.end_case(look_alike_case(id), if is_out { "turned_down" } else { "merged" });
        }
        true
    }

    /// Whom an application that was filed here looks like was looked up.
    pub(super) fn filed_looked_up(&mut self, found: &LookAlikesFound) {
        let id = found.application;
        let Some(mut known) = self.filed(id).cloned().filter(|known| !known.looked_up) else { return };
        known.looked_up = true;
        let from_office = known.route == ROUTE_OFFICE;
        self.keep_filed(id, known);
        let same = found.same_document.filter(|member| self.member(*member).is_some());
        if let Some(member) = same {
            if self.step(id, Step::Matched { from_office }, Some(member)) {
                self.tell(About::AlreadyMember, Some(self.survivor(member)), Some(id));
            }
            return;
        }
        if found.members.is_empty() && found.applications.is_empty() {
            return;
        }
        if self.step(id, Step::LooksAlike, None) {
            let mut fresh = self.fresh_case(KIND_LOOK_ALIKE, "pending");
            fresh.detail = hufu_shared::cbor::encode(found);
            let facts = found.applications.iter().copied().filter(|fact| !fact.is_filed());
            self.case(look_alike_case(id), fresh, facts);
        }
    }

    /// An application was decided, turned down, or its time was up.
    pub(super) fn application_decided(&mut self, decided: &ApplicationDecided) {
        let (id, end) = (decided.application, decided.end);
        let (about, member) = match end {
            ApplicationEnd::Joined(member) => (About::Joined, Some(member)),
            ApplicationEnd::Bound(member) => (About::AlreadyMember, Some(member)),
            ApplicationEnd::Rejected => (About::Rejected, None),
            ApplicationEnd::Lapsed => (About::Lapsed, None),
        };
        if member.is_some_and(|member| self.member(member).is_none()) {
            return;
        }
        let is_taken = if id.is_filed() {
            let step = match end {
                ApplicationEnd::Joined(_) => Step::Join,
                ApplicationEnd::Bound(_) => Step::Bind,
                ApplicationEnd::Rejected => Step::Reject,
                ApplicationEnd::Lapsed => Step::Lapse,
            };
            self.step(id, step, member)
        } else {
            self.taken_decided(id, member)
        };
        if is_taken {
            let member = member.map(|member| self.survivor(member));
            self.tell(about, member, Some(id));
        }
    }

    /// Whether an application that a terminal took has lapsed: its applicant is told so once.
    fn is_lapsed(&self, id: FactId) -> bool {
        let lapsed = message_id(About::Lapsed, (None, Some(id)), 0);
        self.has(Need::Message(lapsed));
        self.world.messages.contains_key(&lapsed)
    }

    /// Decides an application that a terminal took; whether it still waited, or was put aside and is completed now.
    fn taken_decided(&mut self, id: FactId, member: Option<MemberId>) -> bool {
        let Some(known) = self.fact(id).cloned() else { return false };
        let is_application = matches!(&known.fact, Some(Fact { event: Event::ApplicationTaken(_), .. }));
        let is_placed = known.member.is_some() || known.belongs_to.is_some();
        // Put aside because its time was up, it can be completed (G2); turned down by a person, it cannot.
        let is_over = known.pin.is_some() && (member.is_none() || !self.is_lapsed(id));
        if !is_application || is_placed || is_over {
            return false;
        }
        self.change(id, |known| {
            known.pin = if member.is_some() { None } else { Some(false) };
            known.belongs_to = member;
        });
        self.rejudge(id);
        if let Some(member) = member {
            self.associate(id, Standing::Applicant, self.survivor(member));
        }
        true
    }

    /// The sales system is to be told of an application that has its member (K9); once, whoever the member becomes.
    pub(super) fn associate(&mut self, id: FactId, standing: Standing, member: MemberId) {
        self.has(Need::Associations(id));
        for step in application::associate(standing) {
            let key = (id, *step);
            if !self.world.associations.contains_key(&key) {
                let known = KnownAssociation { member, due: self.received, done: None };
                self.world.associations.insert(key, known.clone());
                self.outcome.associations.insert(key, known);
            }
        }
    }

    /// The sales system has done what it was told.
    pub(super) fn association_done(&mut self, done: &AssociationDone) {
        let Some(step) = application::Association::from_code(&done.step) else { return };
        self.has(Need::Associations(done.application));
        let key = (done.application, step);
        let Some(known) = self.world.associations.get(&key).filter(|known| known.done.is_none()) else {
            return;
        };
        let known = KnownAssociation { done: Some(self.received), ..known.clone() };
        self.world.associations.insert(key, known.clone());
        self.outcome.associations.insert(key, known);
    }

    /// Somebody else cares for a member or an application.
    pub(super) fn carer_set(&mut self, set: &CarerSet) {
        match set.of {
            CaredFor::Member(member) => self.member_carer_set(member, set),
            CaredFor::Application(id) => {
                let Some(known) = self.filed(id).cloned() else { return };
                self.keep_filed(id, KnownFiled { carer: Some(set.carer), changed: self.received, ..known });
            }
        }
    }

    /// A verdict about look-alikes places applications that were filed here, and everybody is told.
    pub(super) fn alike_decided(&mut self, decided: &CaseDecided) {
        let mut said: BTreeMap<FactId, (Option<MemberId>, bool)> = BTreeMap::new();
        for Pin { fact, outcome } in &decided.pins {
            let row = said.entry(*fact).or_default();
            match outcome {
                PinOutcome::BelongsTo(member) => row.0 = Some(*member),
                PinOutcome::DoesNotCount => row.1 = true,
                PinOutcome::Counts => {}
            }
        }
        for (id, (member, is_out)) in said {
            let step = match (member, is_out) {
                (Some(_), true) => Step::Merge,
                (Some(_), false) if decided.verdict == Verdict::Bind => Step::Bind,
                (Some(_), false) => Step::Join,
                (None, true) => Step::Reject,
                (None, false) => continue,
            };
            let is_taken = !id.is_filed() || self.step(id, step, member);
            let about = match step {
                Step::Bind => About::AlreadyMember,
                Step::Join => About::Joined,
                Step::Reject => About::Rejected,
                // Told with the application that it went into.
                _ => continue,
            };
            if is_taken {
                self.tell(about, member.map(|member| self.survivor(member)), Some(id));
            }
            if let (false, Some(member), true) = (id.is_filed(), member, step != Step::Reject) {
                self.associate(id, Standing::Applicant, self.survivor(member));
            }
        }
    }
}
