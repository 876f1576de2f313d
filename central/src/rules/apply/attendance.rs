//! Check-ins. For an occurrence that admits once, the earliest check-in of a member admits; the others were "also
//! seen" (kind 27). The verdict follows the set of check-ins, not their arrival: it is judged anew whenever one comes.
//!
//! Points go to the member once. If a later arrival turns out to be earlier, the member keeps them and only the office
//! whose account gave them changes. Which office gives follows the set as well, so every order of arrival ends in the
//! same net effect per account.

use hufu_shared::fact::{Attended, Fact};
use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::ids::{DeviceId, FactId, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member::{OccurrenceRow, OccurrenceState};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::rules::repeat::Tap;
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Became;

use super::fault::KIND_CLOCK;
use super::{Spot, Standing, Told, Work};
use crate::rules::posting::{self, Account, Posting, PostingCode};
use crate::rules::world::{Group, GroupFact};

/// Number of the conflict kind "double tap".
pub(super) const KIND_REPEAT: u8 = 2;
/// Number of the conflict kind "admitted at two terminals".
pub(super) const KIND_TWO_TERMINALS: u8 = 27;
/// Number of the conflict kind "over capacity, closed or not approved".
const KIND_NOT_RUNNING: u8 = 28;

/// Which check-in of a group admits: pinned ones first, then the earliest; ones pinned out never.
#[must_use]
pub(super) fn admits(facts: &[GroupFact]) -> Option<FactId> {
    facts
        .iter()
        .filter(|fact| fact.pin != Some(false))
        .min_by_key(|fact| (fact.pin != Some(true), fact.at, fact.id))
        .map(|fact| fact.id)
}

/// Whether an occurrence took attendance at an instant. One that was ended since did so until its end: a fact from
/// before it may arrive later.
fn was_running(row: &OccurrenceRow, at: Instant) -> bool {
    row.state != OccurrenceState::Planned && row.starts <= at && at < row.ends
}

/// Check-ins that speak for their terminal, one each: the one that a person let count, else the earliest. The others
/// of the same terminal are repeats, however the group stands, so the evidence does not depend on order of arrival.
fn spokesmen(facts: &[GroupFact]) -> BTreeSet<FactId> {
    let mut first: BTreeMap<DeviceId, &GroupFact> = BTreeMap::new();
    for fact in facts {
        let rank = |fact: &GroupFact| (fact.pin != Some(true), fact.at, fact.id);
        let held = first.entry(fact.id.device).or_insert(fact);
        if rank(fact) < rank(held) {
            *held = fact;
        }
    }
    first.values().map(|fact| fact.id).collect()
}

impl Work {
    /// A check-in by a fact.
    pub(super) fn attended(&mut self, spot: Spot, fact: &Fact, attended: &Attended) {
        let Some(member) = self.owner(&attended.subject) else {
            self.hold_for_card(spot.id, attended.subject.token);
            return;
        };
        if self.is_repeat(spot.id, fact, attended.repeats) {
            let merged = Standing { became: Became::Merged, kind: Some(KIND_REPEAT), case: None };
            self.stand(spot.id, merged, Some(member), Told::default());
            return;
        }
        self.check_in(spot, member, attended.occurrence, fact.scheme);
    }

    /// Takes a check-in of a known member into its group and judges the group.
    pub(super) fn check_in(&mut self, spot: Spot, member: MemberId, occurrence: OccurrenceId, scheme: u32) {
        let Some(row) = self.world.occurrences.get(&occurrence).cloned() else {
            let held = Standing { became: Became::Held, kind: Some(KIND_NOT_RUNNING), case: None };
            self.stand(spot.id, held, Some(member), Told::default());
            return;
        };
        if !was_running(&row, spot.at) || !row.is_held_at(spot.office) {
            self.not_running(spot, member, &row);
            return;
        }
        if !row.admits_once {
            self.stand(spot.id, Standing::PLAIN, Some(member), Told::default());
            self.give_for_each(spot, member, &row, scheme);
            return;
        }
        let seen = GroupFact {
            id: spot.id,
            at: spot.at,
            office: spot.office,
            pin: None,
            became: Became::Applied,
            kind: None,
        };
        self.world.groups.entry((member, occurrence)).or_default().facts.push(seen);
        self.stand(spot.id, Standing::PLAIN, Some(member), Told::default());
        self.judge(member, &row, scheme);
    }

    /// Judges the check-ins of a member at an occurrence from the whole set.
    pub(super) fn judge(&mut self, member: MemberId, row: &OccurrenceRow, scheme: u32) {
        let key = (member, row.occurrence);
        let Some(mut group) = self.world.groups.remove(&key) else { return };
        let speak = spokesmen(&group.facts);
        for at in 0..group.facts.len() {
            if !speak.contains(&group.facts[at].id) {
                let merged = Standing { became: Became::Merged, kind: Some(KIND_REPEAT), case: None };
                self.restand(&mut group, at, merged, member);
            }
        }
        group.facts.retain(|fact| speak.contains(&fact.id));
        let admitted = admits(&group.facts);
        let case =
            (speak.len() > 1).then(|| posting::case_id(KIND_TWO_TERMINALS, &[&member.0, &row.occurrence.0]));
        if let Some(case) = case {
            let mut fresh = self.fresh_case(KIND_TWO_TERMINALS, "earliest_admits");
            fresh.member = Some(member);
            fresh.occurrence = Some(row.occurrence);
            let ids: Vec<FactId> = group.facts.iter().map(|fact| fact.id).collect();
            self.case(case, fresh, &ids);
        }
        for at in 0..group.facts.len() {
            let standing = match (case, admitted == Some(group.facts[at].id)) {
                (None, true) => Standing::PLAIN,
                // A person took out the only one.
                (None, false) => Standing { became: Became::NoEffect, kind: None, case: None },
                (Some(_), true) => {
                    Standing { became: Became::AppliedWithCase, kind: Some(KIND_TWO_TERMINALS), case }
                }
                (Some(_), false) => {
                    Standing { became: Became::NoEffect, kind: Some(KIND_TWO_TERMINALS), case }
                }
            };
            self.restand(&mut group, at, standing, member);
        }
        self.give_once(&mut group, admitted, member, row, scheme);
        self.outcome.groups.insert(key, group.clone());
        self.world.groups.insert(key, group);
    }

    /// Writes how one check-in of a group stands, if that is new.
    fn restand(&mut self, group: &mut Group, at: usize, standing: Standing, member: MemberId) {
        let fact = &mut group.facts[at];
        // A wrong clock stays said of a check-in that else stands plainly.
        let clock = fact.kind == Some(KIND_CLOCK) && standing == Standing::PLAIN;
        if clock || (fact.became, fact.kind) == (standing.became, standing.kind) {
            return;
        }
        (fact.became, fact.kind) = (standing.became, standing.kind);
        let id = fact.id;
        let others = group.facts.iter().filter(|fact| fact.id.device != id.device);
        let other = others.min_by_key(|fact| (fact.at, fact.id)).cloned();
        self.stand(id, standing, Some(member), Told { other: other.as_ref() });
    }

    /// Gives the points of an occurrence once, and moves them to the office of the check-in that admits.
    fn give_once(
        &mut self,
        group: &mut Group,
        admitted: Option<FactId>,
        member: MemberId,
        row: &OccurrenceRow,
        scheme: u32,
    ) {
        let winner = admitted.and_then(|id| group.facts.iter().find(|fact| fact.id == id)).cloned();
        group.admitted = admitted;
        let cause = posting::attendance_cause(member, row.occurrence);
        let (debit, credit, amount, code) = match (&winner, group.issuer) {
            (Some(winner), None) if row.points.is_positive() => (
                Account::Issuer(winner.office),
                Account::Available(member),
                row.points,
                PostingCode::EarnActivity,
            ),
            (Some(winner), Some(issuer)) if issuer != winner.office => (
                Account::Issuer(winner.office),
                Account::Issuer(issuer),
                group.points,
                PostingCode::IssuerMoved,
            ),
            (None, Some(issuer)) => {
                self.take_back(group, cause, member, issuer, scheme);
                return;
            }
            _ => return,
        };
        let Some(winner) = winner else { return };
        self.outcome.postings.push(Posting {
            id: posting::posting_id(cause, group.postings),
            cause,
            ordinal: group.postings,
            debit,
            credit,
            leg: Leg { unit: Unit::Pts, amount },
            code,
            member: Some(member),
            fact: Some(winner.id),
            case: None,
            at: winner.at,
            day: self.day(winner.office, winner.at),
            scheme,
            rule: None,
        });
        group.postings += 1;
        group.points = amount;
        group.issuer = Some(winner.office);
    }

    /// Takes back what a group gave when a person decided that no check-in counts: from what the member has, the rest
    /// is owed.
    fn take_back(
        &mut self,
        group: &mut Group,
        cause: hufu_shared::ids::Hash,
        member: MemberId,
        issuer: OfficeId,
        scheme: u32,
    ) {
        let has = self.world.available.get(&member).copied().unwrap_or(Amount::ZERO);
        let now = Amount(group.points.0.min(has.0.max(0)));
        let rest = Amount(group.points.0 - now.0);
        let Some(first) = group.facts.iter().min_by_key(|fact| (fact.at, fact.id)).cloned() else { return };
        let parts = [(Account::Available(member), now), (Account::Owed(member), rest)];
        for (account, amount) in parts.into_iter().filter(|part| part.1.is_positive()) {
            self.outcome.postings.push(Posting {
                id: posting::posting_id(cause, group.postings),
                cause,
                ordinal: group.postings,
                debit: account,
                credit: Account::Issuer(issuer),
                leg: Leg { unit: Unit::Pts, amount },
                code: PostingCode::Reversal,
                member: Some(member),
                fact: Some(first.id),
                case: None,
                at: first.at,
                day: self.day(first.office, first.at),
                scheme,
                rule: None,
            });
            group.postings += 1;
        }
        group.points = Amount::ZERO;
        group.issuer = None;
    }

    /// Points for each check-in of an occurrence that admits any number of times.
    fn give_for_each(&mut self, spot: Spot, member: MemberId, row: &OccurrenceRow, scheme: u32) {
        if row.points.is_positive() {
            let leg = Leg { unit: Unit::Pts, amount: row.points };
            self.give(spot, member, leg, PostingCode::EarnActivity, scheme, None);
        }
    }

    /// A check-in outside the plan is kept, gives nothing, and is listed.
    fn not_running(&mut self, spot: Spot, member: MemberId, row: &OccurrenceRow) {
        let case = posting::case_id(KIND_NOT_RUNNING, &[&row.occurrence.0]);
        let mut fresh = self.fresh_case(KIND_NOT_RUNNING, "kept_without_points");
        fresh.occurrence = Some(row.occurrence);
        self.case(case, fresh, &[spot.id]);
        let standing = Standing { became: Became::NoEffect, kind: Some(KIND_NOT_RUNNING), case: Some(case) };
        self.stand(spot.id, standing, Some(member), Told::default());
    }

    /// Whether a fact repeats an earlier one of the same terminal: as the terminal says and the centre finds, or as
    /// the centre finds by itself.
    pub(super) fn is_repeat(&self, id: FactId, fact: &Fact, said: Option<u64>) -> bool {
        let Some(tap) = Tap::of(fact) else { return false };
        let window = self.scheme(fact.scheme).map_or(0, |scheme| scheme.repeat_window_s);
        self.world.taps.range(..id.seq).any(|(seq, earlier)| {
            tap.repeats(earlier, window) || (said == Some(*seq) && tap.key == earlier.key)
        })
    }
}
