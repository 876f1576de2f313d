//! Leaving and coming back (K11, K12, C5), and what people are to be told of their matters (K2).
//!
//! Who is 待退 takes part as before. Archiving changes the member's state and nothing else: cards, points and history
//! stay with the record, terminals refuse the member from the next directory on, and coming back is the same the other
//! way. Out of scope: erasure of the personal data, which is an act of its own (X17).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{Actor, LeaveDecided, LeaveFiled, MemberRestored, MessagesTold, PurchasesDue};
use hufu_shared::ids::{FactId, Hash, MemberId, OccurrenceId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::Unit;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::Work;
use crate::rules::joining::leaving::{self, State, Step};
use crate::rules::joining::notice::About;
use crate::rules::need::Need;
use crate::rules::outcome::Edit;
use crate::rules::world::{KnownLeaving, KnownMessage};

/// Who withdraws what the club's rule put down, in the record of edits.
const AUTO_LEAVE: &str = "auto_leave";

/// The message about a matter: the same matter is told once.
#[must_use]
pub fn message_id(
    about: About,
    (member, application): (Option<MemberId>, Option<FactId>),
    matter: i64,
) -> Hash {
    let member = member.map_or([0; 16], |member| member.0);
    let application = application.as_ref().map(hufu_shared::cbor::encode).unwrap_or_default();
    let matter = matter.to_be_bytes();
    Hash::of(&[b"hufu-message", about.code().as_bytes(), &member, &application, &matter])
}

/// A message that is due from an instant on, to nobody yet.
fn due(about: About, due: Instant) -> KnownMessage {
    KnownMessage {
        about,
        member: None,
        application: None,
        due,
        told: None,
        round: 0,
        channel: None,
        week: None,
        occurrence: None,
    }
}

impl Work {
    /// Takes a step in somebody's leaving; `None` if it cannot be taken by somebody who is who they are now.
    fn leaves(&mut self, member: MemberId, step: Step) -> Option<Option<KnownLeaving>> {
        let known = self.member(member)?;
        let is_here = !known.erased && known.merged_into.is_none();
        let was = known.status;
        self.has(Need::Leaving(member));
        let before = self.world.leavings.get(&member).cloned();
        let state = leaving::after(before.as_ref().map(|leaving| leaving.state), step)?;
        let fits = match state {
            State::Filed | State::Archived | State::Refused | State::Withdrawn => was != MemberStatus::Left,
            State::Restored => was == MemberStatus::Left,
        };
        (is_here && fits).then_some(before)
    }

    fn keep_leaving(&mut self, member: MemberId, known: KnownLeaving, reason: Hash) {
        let before = self.world.leavings.get(&member).map(|known| known.state.code().to_owned());
        let after = Some(known.state.code().to_owned());
        self.edited_from(member, "leaving", Some(reason), (before, after));
        self.world.leavings.insert(member, known.clone());
        self.outcome.leavings.insert(member, known);
    }

    fn set_member_status(&mut self, member: MemberId, status: MemberStatus) {
        let Some(mut known) = self.member(member).cloned() else { return };
        (known.status, known.status_since) = (status, self.received);
        self.world.members.insert(member, known.clone());
        self.outcome.member_ties.insert(member, known);
    }

    /// Somebody is put down as leaving. From a terminal it has no effect: only the service centre may (K11).
    pub(super) fn leave_filed(&mut self, actor: &Actor, filed: &LeaveFiled) {
        if !leaving::may_file(actor) || self.leaves(filed.member, Step::File).is_none() {
            return;
        }
        let known = KnownLeaving {
            kind: filed.kind.clone(),
            state: State::Filed,
            automatic: matches!(actor, Actor::Job(_)),
            filed: self.received,
            changed: self.received,
        };
        self.keep_leaving(filed.member, known, filed.reason);
    }

    /// A leaving was audited.
    pub(super) fn leave_decided(&mut self, decided: &LeaveDecided) {
        let (step, state, about) = if decided.archived {
            (Step::Archive, State::Archived, About::Left)
        } else {
            (Step::Refuse, State::Refused, About::Stays)
        };
        let Some(Some(before)) = self.leaves(decided.member, step) else { return };
        let is_told = decided.archived || !before.automatic;
        let matter = before.filed.0;
        let known = KnownLeaving { state, changed: self.received, ..before };
        self.keep_leaving(decided.member, known, decided.reason);
        if decided.archived {
            self.set_member_status(decided.member, MemberStatus::Left);
        }
        // Who never asked to leave need not hear that they stay.
        if is_told {
            self.tell_of(about, (Some(decided.member), None), matter);
        }
    }

    /// Whom the club's rule put down, and who is heard of by this entry, is put down no more (K11): by a fact that the rule
    /// would have counted, or by value where the rule spares it. A job that comes late leaves the same members alone.
    pub(super) fn withdraw_leavings(&mut self) {
        let Some(rule) = self.world.policy.joining.auto_leave.clone() else { return };
        let facts = self.fresh.keys().chain(self.before.keys()).filter_map(|id| self.world.facts.get(id));
        let mut heard: BTreeMap<MemberId, Day> = BTreeMap::new();
        for (member, day) in facts.filter_map(|known| Some((known.member?, known.day))) {
            let newest = heard.entry(member).or_insert(day);
            *newest = day.max(*newest);
        }
        let credited = self.outcome.postings.iter().filter_map(|posting| posting.credit.member());
        let credited: BTreeSet<MemberId> = credited.filter(|_| rule.spares_value).collect();
        for member in heard.keys().chain(&credited).copied().collect::<BTreeSet<_>>() {
            self.has(Need::Leaving(member));
            let Some(known) = self.world.leavings.get(&member).cloned() else { continue };
            let filed = OfficeClock::default().business_day(known.filed);
            let is_heard = heard.get(&member).is_some_and(|day| leaving::is_heard(&rule, filed, *day));
            let has_value = credited.contains(&member)
                && [Unit::Pts, Unit::Cny].into_iter().any(|unit| self.purse(member, unit).available > 0);
            if let Some(state) = leaving::after(Some(known.state), Step::Hear)
                && known.automatic
                && (is_heard || has_value)
            {
                let by = Actor::Job(AUTO_LEAVE.to_owned()).to_string();
                let (before, after) = (known.state.code().to_owned(), state.code().to_owned());
                let edit = Edit { by, reason: None, before: Some(before), after: Some(after) };
                self.outcome.edits.insert((member, "leaving".to_owned()), edit);
                let known = KnownLeaving { state, changed: self.received, ..known };
                self.world.leavings.insert(member, known.clone());
                self.outcome.leavings.insert(member, known);
            }
        }
    }

    /// An archived member comes back.
    pub(super) fn member_restored(&mut self, restored: &MemberRestored) {
        let Some(Some(before)) = self.leaves(restored.member, Step::Restore) else { return };
        let matter = before.filed.0;
        let known = KnownLeaving { state: State::Restored, changed: self.received, ..before };
        self.keep_leaving(restored.member, known, restored.reason);
        self.set_member_status(restored.member, MemberStatus::Active);
        self.tell_of(About::Restored, (Some(restored.member), None), matter);
    }

    /// A person is to be told of an application.
    pub(super) fn tell(&mut self, about: About, member: Option<MemberId>, application: Option<FactId>) {
        self.tell_of(about, (member, application), 0);
    }

    /// Who bought in a week is to be told what was recorded (G7): once for each week, whoever they go on as.
    pub(super) fn purchases_due(&mut self, due: &PurchasesDue) {
        for member in &due.members {
            let member = self.survivor(*member);
            if self.member(member).is_some_and(|known| !known.erased) {
                self.tell_of(About::Purchases, (Some(member), None), i64::from(due.week.0));
            }
        }
    }

    fn tell_of(&mut self, about: About, of: (Option<MemberId>, Option<FactId>), matter: i64) {
        let (member, application) = of;
        let week = i32::try_from(matter).ok().map(Day).filter(|_| about == About::Purchases);
        let known = KnownMessage { member, application, week, ..due(about, self.received) };
        self.put_message(message_id(about, of, matter), known);
    }

    /// Who comes to a holding is to be told of it: once for each matter, which is when their coming came to stand so, when
    /// the plan was approved anew, or when it begins.
    pub(super) fn tell_of_holding(
        &mut self,
        about: About,
        (occurrence, member): (OccurrenceId, MemberId),
        matter: Instant,
    ) {
        // Terminals would refuse anybody else.
        if !self.takes_part(member) {
            return;
        }
        let parts = [&member.0[..], &occurrence.0, &matter.0.to_be_bytes()].concat();
        let id = Hash::of(&[b"hufu-message", about.code().as_bytes(), &parts]);
        let (member, occurrence) = (Some(member), Some(occurrence));
        self.put_message(id, KnownMessage { member, occurrence, ..due(about, self.received) });
    }

    /// A message is due, unless it was before.
    fn put_message(&mut self, id: Hash, known: KnownMessage) {
        self.has(Need::Message(id));
        if let Entry::Vacant(place) = self.world.messages.entry(id) {
            place.insert(known.clone());
            self.outcome.messages.insert(id, known);
        }
    }

    /// A round told people; what was told before stays in the round that told it.
    pub(super) fn messages_told(&mut self, told: &MessagesTold) {
        for id in &told.messages {
            self.has(Need::Message(*id));
            let Some(known) = self.world.messages.get(id).filter(|known| known.told.is_none()) else {
                continue;
            };
            let known = KnownMessage {
                told: Some(self.received),
                round: told.round,
                channel: Some(told.channel.clone()),
                ..known.clone()
            };
            self.world.messages.insert(*id, known.clone());
            self.outcome.messages.insert(*id, known);
        }
    }
}
