//! Activities: plans, their approval and their end (K25, K26), and who comes (sign-up, waiting list, cancelling).
//!
//! A holding takes attendance by its own state, so terminals need not know of plans: approving a plan approves its
//! holdings. Who is invited or has a place is told to the terminals as one who is expected, with the companions that were
//! announced. What changes for those who come is told to them (K25): the message is due from the act that changed it.
//! Out of scope: attendance, sending.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{
    Act, ActivityCostSet, ActivityDecided, ActivityPlanned, OccurrenceEnded, RemindersDue, SignUpStep,
    SignedUp,
};
use hufu_shared::ids::{ActivityId, MemberId};
use hufu_shared::member::{GUESTS_MAX, GuestRow, OccurrenceRow, OccurrenceState};
use hufu_shared::rules::activity::{Coming, OCCURRENCES_MAX, SignUp, seat};

use super::Work;
use crate::rules::activity::{self, State};
use crate::rules::joining::notice::About;
use crate::rules::need::Need;
use crate::rules::world::KnownActivity;

impl Work {
    /// Gives effect to an act about activities; one about something else has none here.
    pub(super) fn act_of_activity(&mut self, act: &Act) {
        match act {
            Act::ActivityPlanned(planned) => self.activity_planned(planned),
            Act::ActivityDecided(decided) => self.activity_decided(decided),
            Act::OccurrenceEnded(ended) => self.occurrence_ended(ended),
            Act::SignedUp(step) => self.signed_up(step),
            Act::ActivityCostSet(set) => self.activity_cost_set(set),
            Act::RemindersDue(due) => self.reminders_due(due),
            _ => {}
        }
    }

    fn activity(&self, id: ActivityId) -> Option<&KnownActivity> {
        self.has(Need::Activity(id));
        self.world.activities.get(&id)
    }

    /// The holdings of an activity, which come with it.
    fn holdings_of(&self, id: ActivityId) -> Vec<OccurrenceRow> {
        self.has(Need::Activity(id));
        self.world.occurrences.values().filter(|row| row.activity == id).cloned().collect()
    }

    fn keep_activity(&mut self, id: ActivityId, known: KnownActivity) {
        self.world.activities.insert(id, known.clone());
        self.outcome.activities.insert(id, known);
    }

    /// Whether the holdings of a plan can be taken: some, all of this activity, and none that is another's.
    fn can_hold(&self, planned: &ActivityPlanned) -> bool {
        let id = planned.plan.activity;
        let fits = |row: &OccurrenceRow| {
            let known = self.occurrence(row.occurrence);
            row.activity == id && row.starts < row.ends && known.is_none_or(|known| known.activity == id)
        };
        let distinct: BTreeSet<_> = planned.occurrences.iter().map(|row| row.occurrence).collect();
        (1..=OCCURRENCES_MAX as usize).contains(&planned.occurrences.len())
            && distinct.len() == planned.occurrences.len()
            && planned.occurrences.iter().all(fits)
    }

    /// An activity was planned, or planned anew: until it is approved none of its holdings takes attendance.
    fn activity_planned(&mut self, planned: &ActivityPlanned) {
        let id = planned.plan.activity;
        let state = self.activity(id).map(|known| known.state);
        let stood = self.holdings_of(id);
        if !activity::may_plan(state, &stood, self.received) || !self.can_hold(planned) {
            return;
        }
        for row in &stood {
            if planned.occurrences.iter().all(|other| other.occurrence != row.occurrence) {
                self.tell_all(row, About::ActivityCalledOff);
                self.occurrence_set(&OccurrenceRow { state: OccurrenceState::Ended, ..row.clone() });
            }
        }
        for row in &planned.occurrences {
            let before = stood.iter().find(|before| before.occurrence == row.occurrence);
            let guests = before.map_or(&row.guests, |before| &before.guests).clone();
            let row = OccurrenceRow { state: OccurrenceState::Planned, guests, ..row.clone() };
            self.occurrence_set(&row);
            // They are told once the plan is approved, with all else that changed.
            self.seat_at(&row, false, |_| {});
        }
        let known = KnownActivity {
            plan: planned.plan.clone(),
            state: State::Planned,
            planned_by: self.by_name(),
            planned: self.received,
            decided: None,
        };
        self.keep_activity(id, known);
    }

    /// A plan was approved, or sent back.
    fn activity_decided(&mut self, decided: &ActivityDecided) {
        let Some(known) = self.activity(decided.activity).cloned() else { return };
        if !activity::may_decide(known.state, self.is_own(&known.planned_by)) {
            return;
        }
        let state = if decided.approved { State::Approved } else { State::Returned };
        if decided.approved {
            for row in self.holdings_of(decided.activity) {
                if row.state == OccurrenceState::Planned {
                    // Nobody comes to a plan that was never approved: whoever is on the list knew an earlier one.
                    self.tell_all(&row, About::ActivityChanged);
                    self.occurrence_set(&OccurrenceRow { state: OccurrenceState::Approved, ..row });
                }
            }
        }
        let decided_at = Some(self.received);
        self.keep_activity(decided.activity, KnownActivity { state, decided: decided_at, ..known });
    }

    /// A holding was ended.
    fn occurrence_ended(&mut self, ended: &OccurrenceEnded) {
        let Some(row) = self.occurrence(ended.occurrence).cloned() else { return };
        if row.state != OccurrenceState::Approved {
            return;
        }
        if self.received < row.starts {
            self.tell_all(&row, About::ActivityCalledOff);
        }
        self.occurrence_set(&OccurrenceRow { state: OccurrenceState::Ended, ..row });
    }

    /// Tells all who come to a holding, or are asked to, unless it is over.
    fn tell_all(&mut self, row: &OccurrenceRow, about: About) {
        if row.state == OccurrenceState::Ended {
            return;
        }
        self.has(Need::SignUps(row.occurrence));
        let list = self.world.sign_ups.get(&row.occurrence).into_iter().flatten();
        let come = list.filter(|(_, sign_up)| sign_up.coming != Coming::Cancelled);
        let members: Vec<MemberId> = come.map(|(member, _)| *member).collect();
        for member in members {
            self.tell_of_holding(about, (row.occurrence, member), self.received);
        }
    }

    /// Members with a place are to be reminded.
    fn reminders_due(&mut self, due: &RemindersDue) {
        let Some(row) = self.occurrence(due.occurrence).cloned() else { return };
        self.has(Need::SignUps(row.occurrence));
        let list = self.world.sign_ups.get(&row.occurrence).cloned().unwrap_or_default();
        let has_place =
            |member: &&MemberId| list.get(*member).is_some_and(|known| known.coming == Coming::Placed);
        if row.state == OccurrenceState::Approved && self.received < row.starts {
            for member in due.members.iter().filter(has_place) {
                self.tell_of_holding(About::ActivityReminder, (row.occurrence, *member), row.starts);
            }
        }
    }

    /// A holding is over: with the last one its activity is.
    pub(super) fn holding_over(&mut self, id: ActivityId) {
        let is_over = self.holdings_of(id).iter().all(|row| row.state == OccurrenceState::Ended);
        let known = self.activity(id).filter(|known| is_over && known.state == State::Approved).cloned();
        if let Some(known) = known {
            self.keep_activity(id, KnownActivity { state: State::Ended, ..known });
        }
    }

    /// A member was invited, signed up, or cancelled.
    fn signed_up(&mut self, step: &SignedUp) {
        let Some(row) = self.occurrence(step.occurrence).cloned() else { return };
        let is_open = row.state == OccurrenceState::Approved && self.received < row.ends;
        let takes_part = self.takes_part(step.member);
        let companions = step.companions.unwrap_or(0);
        let may_bring = step.step != SignUpStep::SignUp || companions <= row.companions_most();
        if !is_open || !takes_part || !may_bring {
            return;
        }
        let now = self.received;
        self.seat_at(&row, true, |list| {
            if let Some(sign_up) =
                activity::after(list.get(&step.member).copied(), step.step, companions, now)
            {
                list.insert(step.member, sign_up);
            }
        });
    }

    /// Changes the list of a holding, gives the places that are free, and tells terminals who is expected; with `tells`
    /// also those for whom something changed.
    fn seat_at(
        &mut self,
        row: &OccurrenceRow,
        tells: bool,
        change: impl FnOnce(&mut BTreeMap<MemberId, SignUp>),
    ) {
        self.has(Need::SignUps(row.occurrence));
        let before = self.world.sign_ups.get(&row.occurrence).cloned().unwrap_or_default();
        let mut list = before.clone();
        change(&mut list);
        seat(&mut list, row.places, self.received);
        let changed: Vec<(MemberId, SignUp)> = list
            .iter()
            .filter(|(member, sign_up)| before.get(*member) != Some(*sign_up))
            .map(|(member, sign_up)| (*member, *sign_up))
            .collect();
        let mut guests: BTreeMap<MemberId, GuestRow> =
            row.guests.iter().map(|guest| (guest.member, *guest)).collect();
        for (member, sign_up) in &changed {
            self.outcome.sign_ups.insert((row.occurrence, *member), *sign_up);
            let was = before.get(member).map(|sign_up| sign_up.coming);
            if let Some(about) = activity::notice(was, sign_up.coming).filter(|_| tells) {
                self.tell_of_holding(about, (row.occurrence, *member), sign_up.since);
            }
            match sign_up.coming {
                // A terminal is told of so many at most.
                Coming::Placed | Coming::Invited
                    if guests.len() < GUESTS_MAX || guests.contains_key(member) =>
                {
                    let fresh = GuestRow { member: *member, birthday: false, companions: None };
                    let guest = guests.entry(*member).or_insert(fresh);
                    guest.companions = (sign_up.companions > 0).then_some(sign_up.companions);
                }
                Coming::Cancelled | Coming::Waiting => {
                    guests.remove(member);
                }
                _ => {}
            }
        }
        self.world.sign_ups.insert(row.occurrence, list);
        let guests: Vec<GuestRow> = guests.into_values().collect();
        if guests != row.guests {
            self.occurrence_set(&OccurrenceRow { guests, ..row.clone() });
        }
    }

    /// An item of what an activity cost was written down.
    fn activity_cost_set(&mut self, set: &ActivityCostSet) {
        let is_known = self.activity(set.activity).is_some();
        let is_of_it = set.occurrence.is_none_or(|occurrence| {
            self.occurrence(occurrence).is_some_and(|row| row.activity == set.activity)
        });
        if is_known && is_of_it && set.item > 0 && set.cost.0 >= 0 {
            self.outcome.activity_costs.insert((set.activity, set.item), set.clone());
        }
    }
}
