//! Changes of points with a cause (K20 to K23): posted at once, or waiting until another person approves them; and what
//! makes them by itself.
//!
//! Each change has a name and so one effect, however often it is sent. What would take more than is available has none:
//! a change that was to be posted is not kept, one that waits goes on waiting. Out of scope: who may ask, and whether a
//! cause stands in the dictionary, which is asked before.

use hufu_shared::act::{Act, PointsChange, PointsChanged, PointsDecided, PointsTrigger};
use hufu_shared::ids::{Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member::{MemberStatus, OccurrenceRow};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::rules::cards::Rank;
use hufu_shared::scheme::earning::Balance;

use super::Work;
use super::ledger::{Cause, Flow};
use crate::rules::need::Need;
use crate::rules::points::{self, Has, State};
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::{ByEvent, Decided, KnownPoints, KnownTrigger};

impl Work {
    /// Gives effect to an act about points, their redemption and events; one about something else has none here.
    pub(super) fn act_of_points(&mut self, act: &Act) {
        match act {
            Act::PointsChanged(changed) => self.points_changed(changed),
            Act::PointsDecided(decided) => self.points_decided(decided),
            Act::PointsTriggerSet(trigger) => self.points_trigger_set(trigger),
            Act::PurchasesDue(due) => self.purchases_due(due),
            Act::RedemptionPlanned(plan) => self.redemption_planned(plan),
            Act::RedemptionStepped(stepped) => self.redemption_stepped(stepped),
            Act::RedemptionRun(run) => self.redemption_run(run),
            Act::ItemRedeemed(asked) => self.item_redeemed(asked),
            Act::ItemDecided(decided) => self.item_decided(decided),
            Act::ItemTakenBack(back) => self.item_taken_back(back),
            Act::PointsTransferred(given) => self.points_transferred(given),
            Act::EventTold(told) => self.event_told(told),
            Act::EventTakenBack(taken) => self.event_taken_back(taken),
            _ => {}
        }
    }

    pub(super) fn change_of(&self, id: Hash) -> Option<&KnownPoints> {
        self.has(Need::Points(id));
        self.world.points.get(&id)
    }

    pub(super) fn keep_change(&mut self, id: Hash, known: KnownPoints) {
        self.world.points.insert(id, known.clone());
        self.outcome.points.insert(id, known);
    }

    /// Points are changed, or somebody asks for it.
    fn points_changed(&mut self, changed: &PointsChanged) {
        let (asked, asker) = (self.received, self.by_name());
        for change in &changed.changes {
            if self.change_of(change.id).is_some() || !self.says_all(change) {
                continue;
            }
            let is_posted = !changed.waits && self.post_change(change, None);
            if changed.waits || is_posted {
                let state = if is_posted { State::Posted } else { State::Waiting };
                let (change, asker) = (change.clone(), asker.clone());
                let trigger = changed.trigger.map(|by| by.trigger);
                let known =
                    KnownPoints { change, state, trigger, by_event: None, asked, asker, decided: None };
                self.keep_change(known.change.id, known);
            }
        }
        if let Some(by) = changed.trigger {
            self.has(Need::Trigger(by.trigger));
            if let Some(known) = self.world.triggers.get(&by.trigger).filter(|known| known.seen < by.upto) {
                let known = KnownTrigger { seen: by.upto, ..known.clone() };
                self.keep_trigger(by.trigger, known);
            }
        }
    }

    /// Whether a change says what it must, of a member and an activity that are there.
    fn says_all(&self, change: &PointsChange) -> bool {
        let held = change.occurrence.and_then(|id| self.holding(id));
        points::check(change, held.map(|row| row.state)).is_ok() && self.member(change.member).is_some()
    }

    /// A holding of an activity; none if there is no such.
    pub(super) fn holding(&self, id: OccurrenceId) -> Option<&OccurrenceRow> {
        self.has(Need::Occurrence(id));
        self.world.occurrences.get(&id)
    }

    /// What a member has, as far as points are taken or given.
    pub(super) fn has_points(&self, member: MemberId) -> Has {
        let known = self.member(member);
        let purse = self.purse(member, Unit::Pts);
        Has {
            takes_part: known.is_some_and(|known| known.status != MemberStatus::Left && !known.erased),
            available: purse.available,
            escrow: purse.escrow,
            may_debit: self.world.may_debit(),
            has_main_card: true,
        }
    }

    /// Whether a main card was issued to a member, where the scheme in force at an office asks for one (K15).
    pub(super) fn has_main_card(&self, member: MemberId, office: OfficeId) -> bool {
        if !points::asks_main_card(self.world.scheme_at(self.whose(office, member), self.received)) {
            return true;
        }
        self.has(Need::CardsOf(member));
        let cards = self.world.cards_of.get(&member).into_iter().flatten();
        cards.filter_map(|card| self.world.cards.get(card)).any(|card| card.life.rank == Rank::Main)
    }

    /// Posts a change, if the member has what it takes; whether it did. One for an event goes to the balance that its rule
    /// names; what an event costs is due whatever the member has, and what is missing is owed (B3).
    pub(super) fn post_change(&mut self, change: &PointsChange, by: Option<&ByEvent>) -> bool {
        let member = self.survivor(change.member);
        let has_main_card = self.has_main_card(member, change.office);
        let (has, is_due) = (self.has_points(member), by.is_some());
        let available = if is_due { i64::MAX } else { has.available };
        if points::post(change.points, Has { has_main_card, available, ..has }).is_err() {
            return false;
        }
        let (office, own) = (Account::Issuer(change.office), Account::Available(member));
        let (debit, credit) = if change.points > 0 { (office, own) } else { (own, office) };
        let amount = Amount(change.points.saturating_abs());
        let balance = by.map_or(Balance::Points, |by| by.balance);
        // What an event costs was never earned, so it is nothing less of that.
        let earns = by.is_some() && change.points > 0;
        let code = if earns { PostingCode::EarnEvent } else { PostingCode::Points };
        let units = [(Unit::Pts, balance.has_points()), (Unit::Growth, balance.has_growth())];
        let flow = |unit| Flow { debit, credit, leg: Leg { unit, amount }, code };
        let flows: Vec<Flow> = units.into_iter().filter(|unit| unit.1).map(|unit| flow(unit.0)).collect();
        let cause = self.change_cause(change, by, member);
        self.settle(&cause, &flows);
        true
    }

    /// The cause of a change: by the rule and the version that gave it for an event, else by its own.
    pub(super) fn change_cause(
        &self,
        change: &PointsChange,
        by: Option<&ByEvent>,
        member: MemberId,
    ) -> Cause {
        let own = || points::rule(change.points).to_owned();
        let rule = by.map_or_else(own, |by| by.rule.clone());
        let cause = self.cause_here(posting::points_cause(change.id), member, change.office, rule);
        Cause { scheme: by.map_or(cause.scheme, |by| by.scheme), ..cause }
    }

    /// The cause of what the centre itself does at an office now, with its rule and the version in force there.
    pub(super) fn cause_here(&self, hash: Hash, member: MemberId, office: OfficeId, rule: String) -> Cause {
        let terms = self.world.scheme_at(self.whose(office, member), self.received);
        let scheme = terms.map_or(0, |terms| terms.version);
        let when = (self.received, self.day(office, self.received));
        Cause { scheme, rule: Some(rule), ..Cause::of_the_centre(hash, Some(member), when) }
    }

    /// Changes that wait were approved or returned, by another person than who asked.
    fn points_decided(&mut self, decided: &PointsDecided) {
        let by = self.by_name();
        for id in &decided.changes {
            let Some(known) = self.change_of(*id).cloned() else { continue };
            if !points::may_decide(known.state, self.is_own(&known.asker)) {
                continue;
            }
            let state = match decided.approved {
                true if self.post_change(&known.change, known.by_event.as_ref()) => State::Posted,
                true => continue,
                false => State::Returned,
            };
            let decided = Decided { at: self.received, by: by.clone(), reason: decided.reason };
            self.keep_change(*id, KnownPoints { state, decided: Some(decided), ..known });
        }
    }

    fn keep_trigger(&mut self, id: Hash, known: KnownTrigger) {
        self.world.triggers.insert(id, known.clone());
        self.outcome.triggers.insert(id, known);
    }

    /// A trigger is set up, changed or ended. What was taken in before does not set it off.
    fn points_trigger_set(&mut self, trigger: &PointsTrigger) {
        self.has(Need::Trigger(trigger.id));
        let before = self.world.triggers.get(&trigger.id);
        let goes_on = before.filter(|known| !known.terms.retired).map(|known| known.seen);
        let seen = goes_on.unwrap_or(self.received);
        if trigger.points != 0 && !trigger.cause.is_empty() && trigger.per_fen >= 0 {
            self.keep_trigger(trigger.id, KnownTrigger { terms: trigger.clone(), seen });
        }
    }
}
