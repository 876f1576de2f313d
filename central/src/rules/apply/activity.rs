//! Activities: plans, their approval and their end (K25, K26), and who comes (sign-up, waiting list, cancelling).
//!
//! A holding takes attendance by its own state, so terminals need not know of plans: approving a plan approves its
//! holdings. Who is invited or has a place is told to the terminals as one who is expected. Out of scope: attendance.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{Act, ActivityCostSet, ActivityDecided, ActivityPlanned, OccurrenceEnded, SignedUp};
use hufu_shared::ids::{ActivityId, MemberId};
use hufu_shared::member::{GUESTS_MAX, GuestRow, MemberStatus, OccurrenceRow, OccurrenceState};
use hufu_shared::rules::activity::{Coming, OCCURRENCES_MAX, SignUp, seat};

use super::Work;
use crate::rules::activity::{self, State};
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
                self.occurrence_set(&OccurrenceRow { state: OccurrenceState::Ended, ..row.clone() });
            }
        }
        for row in &planned.occurrences {
            let before = stood.iter().find(|before| before.occurrence == row.occurrence);
            let guests = before.map_or(&row.guests, |before| &before.guests).clone();
            let row = OccurrenceRow { state: OccurrenceState::Planned, guests, ..row.clone() };
            self.occurrence_set(&row);
            self.seat_at(&row, |_| {});
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
        let by = self.by_name();
        if !activity::may_decide(known.state, &known.planned_by, &by) {
            return;
        }
        let state = if decided.approved { State::Approved } else { State::Returned };
        if decided.approved {
            for row in self.holdings_of(decided.activity) {
                if row.state == OccurrenceState::Planned {
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
        self.occurrence_set(&OccurrenceRow { state: OccurrenceState::Ended, ..row });
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
        let takes_part = self.member(step.member).is_some_and(|known| {
            known.status == MemberStatus::Active && !known.erased && known.merged_into.is_none()
        });
        if !is_open || !takes_part {
            return;
        }
        let now = self.received;
        self.seat_at(&row, |list| {
            let was = list.get(&step.member).map(|sign_up| sign_up.coming);
            if let Some(coming) = activity::after(was, step.step) {
                list.insert(step.member, SignUp { coming, since: now });
            }
        });
    }

    /// Changes the list of a holding, gives the places that are free, and tells terminals who is expected.
    fn seat_at(&mut self, row: &OccurrenceRow, change: impl FnOnce(&mut BTreeMap<MemberId, SignUp>)) {
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
            match sign_up.coming {
                // A terminal is told of so many at most.
                Coming::Placed | Coming::Invited if guests.len() < GUESTS_MAX => {
                    guests.entry(*member).or_insert(GuestRow { member: *member, birthday: false });
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
