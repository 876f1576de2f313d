//! Check-ins. For an occurrence that admits once, the earliest check-in of a member admits; the others were "also
//! seen" (kind 27). The verdict follows the set of check-ins, not their arrival: it is judged anew whenever one comes.
//!
//! A check-in whose time is too uncertain to say whether the occurrence was running waits for a person (kind 18).
//!
//! Where an occurrence has a number of places, they go to members in order of time, those that a person let count
//! first; who finds none is kept without points (kind 28). An earlier check-in that arrives later takes the place. Who comes
//! with companions takes a place for each: those of the check-in that admits.
//!
//! Points go to the member once. If a later arrival turns out to be earlier, the member keeps them and only the office
//! whose account gave them changes.
//!
//! Only who is admitted has attendance. A check-in that turns out to be another member's leaves none behind, as if it had
//! never been thought to be theirs; what was posted meanwhile is there, taken back.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::fact::{Attended, Event, Way};
use hufu_shared::ids::{DeviceId, FactId, MemberId, OccurrenceId};
use hufu_shared::member::{COMPANIONS_MAX, OccurrenceRow, OccurrenceState};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::time::{Instant, OfficeClock};
use hufu_shared::wire::upload::Became;

use super::Work;
use super::earn::{KIND_REPEAT, is_judged};
use super::edge::{KIND_DOUBTFUL, timing_of};
use super::fault::plain;
use super::ledger::{Cause, Flow};
use super::matter::Matter;
use super::stays::way;
use crate::rules::judge::attendance::{PlaceClaim, without_place};
use crate::rules::judge::interval::Timing;
use crate::rules::judge::settle::Reach;
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::{Group, KnownFact, KnownPlace, Standing};

/// Number of the conflict kind "admitted at two terminals".
pub(super) const KIND_TWO_TERMINALS: u8 = 27;
/// Number of the conflict kind "over capacity, closed or not approved".
pub(super) const KIND_NOT_RUNNING: u8 = 28;

/// A check-in of a group.
pub(super) type Seen = (FactId, KnownFact);

/// Rank of a check-in among those that may admit: what a person let count first, then the earliest.
fn rank(seen: &Seen) -> (bool, Instant, FactId) {
    (seen.1.pin != Some(true), seen.1.at, seen.0)
}

/// Which check-in of a group admits; one that a person took out never does.
#[must_use]
fn admits(facts: &[Seen]) -> Option<FactId> {
    if mutant::on(Mutant::PinIgnoredAsBound) {
        return facts.iter().min_by_key(|seen| (seen.1.at, seen.0)).map(|seen| seen.0);
    }
    facts.iter().filter(|seen| seen.1.pin != Some(false)).min_by_key(|seen| rank(seen)).map(|seen| seen.0)
}

/// How a check-in lies to what an occurrence took attendance for. One that was ended since did so until its end: a
/// fact from before it may arrive later.
fn runs(row: &OccurrenceRow, known: &KnownFact) -> Timing {
    if row.state == OccurrenceState::Planned || !row.is_held_at(known.office) {
        return Timing::Outside;
    }
    timing_of(known, row.starts, row.ends)
}

/// How many companions came in with a check-in: what a terminal says beyond what any plan allows is not believed.
fn companions(known: &KnownFact) -> u32 {
    match known.fact.as_ref().map(|fact| &fact.event) {
        Some(Event::Attended(attended)) => attended.companions.unwrap_or(0).min(COMPANIONS_MAX),
        _ => 0,
    }
}

/// Check-ins that speak for their terminal, one each: the one that a person let count, else the earliest. The others
/// of the same terminal are repeats, however the group stands, so the evidence does not depend on order of arrival.
fn spokesmen(facts: &[Seen]) -> BTreeSet<FactId> {
    let mut first: BTreeMap<DeviceId, &Seen> = BTreeMap::new();
    for seen in facts {
        let held = first.entry(seen.0.device).or_insert(seen);
        if rank(seen) < rank(held) {
            *held = seen;
        }
    }
    first.values().map(|seen| seen.0).collect()
}

impl Work {
    /// A check-in by a fact.
    pub(super) fn attended(&mut self, id: FactId, known: &KnownFact, attended: &Attended) {
        let Some(fact) = &known.fact else { return };
        let Some(member) = self.owner(known, &attended.subject) else {
            self.hold_for_card(id, attended.subject.token);
            return;
        };
        if self.is_repeat(id, fact, attended.repeats) {
            self.stand(id, Standing::of(Became::Merged, KIND_REPEAT, None), Some(member));
            return;
        }
        if self.occurrence(attended.occurrence).is_none() {
            self.link(links::occurrence(attended.occurrence), id);
            self.stand(id, Standing::of(Became::Held, KIND_NOT_RUNNING, None), Some(member));
            return;
        }
        self.stand(id, plain(id, known), Some(member));
        self.has(Need::Group(member, attended.occurrence));
        let group = self.world.groups.entry((member, attended.occurrence)).or_default();
        group.facts.insert(id);
        if mutant::on(Mutant::VerdictOverriddenByLateFact) {
            for other in group.facts.clone() {
                self.change(other, |known| known.pin = None);
            }
        }
        self.dirty.insert(Matter::Attendance(member, attended.occurrence));
    }

    pub(super) fn occurrence(&self, id: OccurrenceId) -> Option<&OccurrenceRow> {
        self.has(Need::Occurrence(id));
        self.world.occurrences.get(&id)
    }

    /// An occurrence was planned or changed: check-ins that waited for it take effect.
    pub(super) fn occurrence_set(&mut self, row: &OccurrenceRow) {
        let known = self.occurrence(row.occurrence).cloned();
        let before = known.as_ref().and_then(|row| row.places);
        self.world.occurrences.insert(row.occurrence, row.clone());
        if before != row.places {
            let without = self.without_place(row);
            self.touch_places(row, &without);
        }
        self.touch_stays(known.as_ref(), row);
        self.world.fetched.insert(Need::Occurrence(row.occurrence));
        self.outcome.occurrences.push(row.clone());
        if row.state == OccurrenceState::Ended {
            self.holding_over(row.activity);
        }
        for id in self.linked(links::occurrence(row.occurrence)) {
            let waits = self.fact(id).is_some_and(|known| {
                known.standing.is_same(&Standing::of(Became::Held, KIND_NOT_RUNNING, None))
            });
            if waits {
                self.change(id, |known| known.standing = plain(id, known));
                self.take_effect(id);
            }
        }
    }

    /// Judges the check-ins of a member at an occurrence from the whole set.
    pub(super) fn judge_attendance(&mut self, member: MemberId, occurrence: OccurrenceId) {
        let Some(row) = self.occurrence(occurrence).cloned() else { return };
        let key = (member, occurrence);
        self.has(Need::Group(member, occurrence));
        let Some(mut group) = self.world.groups.remove(&key) else { return };
        let had = group.admitted.is_some();
        let is_settled = |id: &FactId| self.fact(*id).is_some_and(|known| self.is_fixed(*id, known));
        if !group.facts.is_empty() && group.facts.iter().all(is_settled) {
            self.world.groups.insert(key, group);
            return;
        }
        let mut seen = self.seen(&group, member);
        self.judge_running(&row, &mut seen);
        let broken = self.judge_path(member, &row, &mut seen);
        let admitted = admits(&seen);
        let has_place = self.has_place(&row, member, seen.iter().find(|seen| admitted == Some(seen.0)));
        if row.admits_once {
            self.judge_once(member, &row, &mut group, seen, has_place);
        } else {
            if row.places.is_some() || row.exits || row.audience.counted == Some(true) {
                let first = seen.iter().find(|seen| admitted == Some(seen.0));
                group.admitted = admitted;
                group.at = first.map(|first| first.1.at);
                group.companions = first.map_or(0, |first| companions(&first.1));
                group.issuer = first.filter(|_| has_place).map(|first| first.1.office);
            }
            for (id, known) in seen {
                self.judge_each(member, &row, id, &known, has_place);
            }
        }
        self.mark_broken(member, &row, &broken);
        if had || group.admitted.is_some() {
            self.outcome.groups.insert(key, group.clone());
        }
        self.world.groups.insert(key, group);
    }

    /// Whether a member whose check-in would admit finds a place; who had one before and has none now, or the other
    /// way round, is judged again.
    fn has_place(&mut self, row: &OccurrenceRow, member: MemberId, first: Option<&Seen>) -> bool {
        if row.places.is_none() {
            return true;
        }
        self.has(Need::Places(row.occurrence));
        let places = self.world.places.entry(row.occurrence).or_default();
        match first {
            Some((id, known)) => {
                let heads = companions(known).saturating_add(1);
                let claim = PlaceClaim { free: known.pin != Some(true), t: known.at, fact: *id, heads };
                places.insert(member, KnownPlace { claim, has_place: true, day: known.day });
            }
            None => drop(places.remove(&member)),
        }
        let without = self.without_place(row);
        if let Some(place) = self.world.places.entry(row.occurrence).or_default().get_mut(&member) {
            place.has_place = !without.contains(&member);
        }
        self.touch_places(row, &without);
        !without.contains(&member)
    }

    fn without_place(&self, row: &OccurrenceRow) -> BTreeSet<MemberId> {
        self.has(Need::Places(row.occurrence));
        let places = self.world.places.get(&row.occurrence).into_iter().flatten();
        let claims = places.filter_map(|(member, place)| Some((*member, self.claim(place)?)));
        without_place(row.places, &claims.collect())
    }

    /// A claim to a place; who had one when the day was settled goes before all others, who had none claims none.
    fn claim(&self, place: &KnownPlace) -> Option<PlaceClaim> {
        match self.reach_of(place.claim.fact, place.day) {
            Reach::Fixed if place.claim.free => {
                place.has_place.then_some(PlaceClaim { free: false, ..place.claim })
            }
            _ => Some(place.claim),
        }
    }

    /// Marks all for whom having a place changed.
    fn touch_places(&mut self, row: &OccurrenceRow, without: &BTreeSet<MemberId>) {
        let places = self.world.places.get(&row.occurrence).into_iter().flatten();
        let changed = places.filter(|(member, place)| place.has_place == without.contains(*member));
        self.dirty.extend(changed.map(|(member, _)| Matter::Attendance(*member, row.occurrence)));
    }

    /// The case about what is kept of an occurrence without points: the surplus, and what lies outside its plan.
    fn surplus(&mut self, row: &OccurrenceRow, id: FactId) -> Standing {
        let case = posting::case_id(KIND_NOT_RUNNING, &[&row.occurrence.0]);
        let listed = Standing::of(Became::NoEffect, KIND_NOT_RUNNING, Some(case));
        let is_new = self.fact(id).is_some_and(|known| !known.standing.is_same(&listed));
        if is_new || self.fresh.contains_key(&id) || self.before.contains_key(&id) {
            let mut fresh = self.fresh_case(KIND_NOT_RUNNING, "kept_without_points");
            fresh.occurrence = Some(row.occurrence);
            self.case(case, fresh, [id]);
        }
        listed
    }

    /// The check-ins of a group that were no repeats at their terminal and are this member's, in order of time. One of
    /// a settled day is fixed to count, or is none of them.
    fn seen(&self, group: &Group, member: MemberId) -> Vec<Seen> {
        let facts = group.facts.iter().filter_map(|id| Some((*id, self.fact(*id)?.clone())));
        let mut seen: Vec<Seen> = facts
            .filter(|(_, known)| known.member == Some(member) && !waits_elsewhere(known))
            .filter(|(_, known)| is_judged(known))
            .filter_map(|(id, known)| Some((id, KnownFact { pin: self.pin_in(id, &known)?, ..known })))
            .collect();
        seen.sort_by_key(|(id, known)| (known.at, *id));
        seen
    }

    /// Takes out what lies outside the plan: it is kept, gives nothing, and is listed. What may lie outside waits for a
    /// person, unless the doubt is small.
    fn judge_running(&mut self, row: &OccurrenceRow, seen: &mut Vec<Seen>) {
        for (id, known) in std::mem::take(seen) {
            // Who was in may leave when it is over.
            if row.exits && way(&known) == Way::Out {
                seen.push((id, known));
                continue;
            }
            let timing = runs(row, &known);
            let in_doubt = timing == Timing::Doubtful && known.pin != Some(true);
            self.end_doubt(
                id,
                known.standing.kind == Some(KIND_DOUBTFUL) && !in_doubt && known.pin.is_none(),
            );
            let standing = match (timing, known.pin) {
                (Timing::Outside, None | Some(false)) => self.surplus(row, id),
                (Timing::Doubtful, None) => self.doubt(id, Became::Held, "held_in_doubt"),
                (Timing::Doubtful, Some(false)) => Standing::of(Became::NoEffect, KIND_DOUBTFUL, None),
                _ => {
                    seen.push((id, known));
                    continue;
                }
            };
            self.stand(id, standing, None);
        }
    }

    /// Admits one check-in of those that were running.
    fn judge_once(
        &mut self,
        member: MemberId,
        row: &OccurrenceRow,
        group: &mut Group,
        mut seen: Vec<Seen>,
        has_place: bool,
    ) {
        let speak = spokesmen(&seen);
        for (id, _) in seen.iter().filter(|seen| !speak.contains(&seen.0)) {
            self.stand(*id, Standing::of(Became::Merged, KIND_REPEAT, None), Some(member));
        }
        seen.retain(|seen| speak.contains(&seen.0));
        let admitted = admits(&seen);
        let case =
            (seen.len() > 1).then(|| posting::case_id(KIND_TWO_TERMINALS, &[&member.0, &row.occurrence.0]));
        if let Some(case) = case {
            let mut fresh = self.fresh_case(KIND_TWO_TERMINALS, "earliest_admits");
            (fresh.member, fresh.occurrence) = (Some(member), Some(row.occurrence));
            self.case_of(case, fresh, seen.iter().map(|seen| seen.0).collect());
        }
        for (id, known) in &seen {
            let standing = match (case, admitted == Some(*id)) {
                (_, true) if !has_place => self.surplus(row, *id),
                (None, true) => plain(*id, known),
                // A person took out the only one.
                (None, false) => Standing { became: Became::NoEffect, kind: None, case: None },
                (Some(_), true) => Standing::of(Became::AppliedWithCase, KIND_TWO_TERMINALS, case),
                (Some(_), false) => Standing::of(Became::NoEffect, KIND_TWO_TERMINALS, case),
            };
            let other = seen.iter().find(|other| other.0.device != id.device);
            if let Some((_, other)) = other {
                self.others.insert(*id, (other.office, other.at));
            }
            self.stand(*id, standing, Some(member));
        }
        let winner = seen.iter().find(|seen| admitted == Some(seen.0));
        self.give_once(group, winner, member, row, has_place);
    }

    /// Gives the points of an occurrence once, from the office of the check-in that admits.
    fn give_once(
        &mut self,
        group: &mut Group,
        winner: Option<&Seen>,
        member: MemberId,
        row: &OccurrenceRow,
        has_place: bool,
    ) {
        // Something may have been posted also where this check-in is the only one: for one that was theirs before.
        let hash = posting::attendance_cause(member, row.occurrence);
        // Points once given are not re-rated when the plan changes later.
        let points = if group.points.is_positive() { group.points } else { row.points };
        let gives = winner.filter(|_| has_place);
        let flows: Vec<Flow> = gives.iter().map(|(_, winner)| give(winner, member, points)).collect();
        let at = winner.map(|winner| winner.1.at).or(group.at).unwrap_or(self.received);
        let day = match (winner, group.issuer) {
            (Some((_, known)), _) => known.day,
            (None, Some(office)) => self.day(office, at),
            (None, None) => OfficeClock::default().business_day(at),
        };
        let scheme = winner.and_then(|(_, known)| known.fact.as_ref()).map_or(0, |fact| fact.scheme);
        let cause = Cause {
            hash,
            member: Some(member),
            fact: winner.map(|winner| winner.0).or(group.admitted),
            case: None,
            at,
            day,
            scheme,
            rule: None,
            repays_recovery: false,
        };
        self.settle(&cause, &flows);
        group.admitted = winner.map(|winner| winner.0);
        group.at = winner.map(|winner| winner.1.at);
        group.companions = winner.map_or(0, |winner| companions(&winner.1));
        group.points = gives.map_or(Amount::ZERO, |_| points);
        // A claim that nobody's account gave anything for is one without a place.
        group.issuer = gives.map(|winner| winner.1.office);
    }

    /// Points for each check-in of an occurrence that admits any number of times.
    fn judge_each(
        &mut self,
        member: MemberId,
        row: &OccurrenceRow,
        id: FactId,
        known: &KnownFact,
        has_place: bool,
    ) {
        let Some(fact) = known.fact.as_ref().filter(|fact| matches!(fact.event, Event::Attended(_))) else {
            return;
        };
        let counts = known.pin != Some(false) && has_place;
        let standing = match (known.pin, has_place) {
            (Some(false), _) => Standing { became: Became::NoEffect, kind: None, case: None },
            (_, true) => plain(id, known),
            (_, false) => self.surplus(row, id),
        };
        self.stand(id, standing, Some(member));
        let flows: Vec<Flow> = counts.then(|| give(known, member, row.points)).into_iter().collect();
        let cause = Cause { member: Some(member), ..self.fact_cause(id, known, fact) };
        self.settle(&cause, &flows);
    }
}

/// Whether a check-in waits for something that is no matter of its group: its card, or its occurrence.
fn waits_elsewhere(known: &KnownFact) -> bool {
    known.standing.became == Became::Held && known.standing.kind != Some(KIND_DOUBTFUL)
}

fn give(known: &KnownFact, member: MemberId, points: Amount) -> Flow {
    Flow {
        debit: Account::Issuer(known.office),
        credit: Account::Available(member),
        leg: Leg { unit: Unit::Pts, amount: points },
        code: PostingCode::EarnActivity,
    }
}
