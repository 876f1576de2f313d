//! Check-ins of an occurrence: who is admitted, by which fact, and which office's account gives the points.
//!
//! - K26: only while it is approved and running, at an office that holds it; else kept without points (kind 28). An
//!   interval on an edge of that span is read in the member's favour if narrow, else a person decides (kind 18).
//! - Kind 2: a repeated tap has one effect with the first ([`super::repeat`]).
//! - Kind 27: where a member is admitted once, the earliest `t` admits; one check-in speaks for each terminal, the others
//!   of it are repeats; those of other terminals were "also seen". Points once, from the admitting office.
//! - Kind 28: places go to members in order of time, pinned ones first.
//! - Kind 4: where exits are counted, a way without an exit is completed by [`super::stays`].
//!
//! Out of scope: whose card it was ([`super::owner`]), how many points, posting.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::ids::{DeviceId, FactId, MemberId, OfficeId};
use hufu_shared::member::{OccurrenceRow, OccurrenceState};
use hufu_shared::rules::repeat::Tap;
use hufu_shared::time::Instant;

use super::interval::{self, Timing};
use super::repeat::{self, Tapped};
use super::stays::{self, Passage, Passing, Path, StayRule};

/// What an occurrence allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Spans in which it took attendance, each until, not including, its end.
    pub open: Vec<(Instant, Instant)>,
    /// Offices that hold it; empty for all.
    pub offices: Vec<OfficeId>,
    /// Whether a member is admitted once only.
    pub admits_once: bool,
    /// Members whom it has room for; none for no limit.
    pub places: Option<u32>,
    /// How ways in and out are completed; none where exits are not counted.
    pub stays: Option<StayRule>,
}

/// One check-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckIn {
    /// The fact.
    pub id: FactId,
    /// Whose it is judged to be.
    pub member: MemberId,
    /// Where.
    pub office: OfficeId,
    /// Not before.
    pub lo: Instant,
    /// Not after.
    pub hi: Instant,
    /// The time that orders it.
    pub t: Instant,
    /// The tap on the terminal's own clock.
    pub tap: Tap,
    /// Seconds within which the scheme of the fact makes a tap a repeat.
    pub window_s: u32,
    /// Seq of the check-in that the terminal says it repeats.
    pub repeats: Option<u64>,
    /// Which way.
    pub way: Passage,
    /// What a person fixed: it counts, or it does not.
    pub pin: Option<bool>,
}

/// How a check-in stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It admits, and gives what the occurrence gives.
    Counts,
    /// Another terminal's check-in admits (kind 27).
    AlsoSeen,
    /// One effect with this fact of the same terminal (kind 2).
    Merged(FactId),
    /// All places were taken before (kind 28).
    Surplus,
    /// Closed, not approved, or not held there (kind 28).
    NotRunning,
    /// Its time is too uncertain to say (kind 18): waits for a person.
    Doubtful,
    /// A person took it out.
    TakenOut,
    /// Back after a lawful exit: the same attendance.
    Returned,
    /// A way out.
    Exit,
}

/// What becomes of one check-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The fact.
    pub id: FactId,
    /// Whose.
    pub member: MemberId,
    /// How it stands.
    pub stands: Stands,
    /// Numbers of the conflict kinds that list it.
    pub kinds: BTreeSet<u8>,
}

/// The points of an occurrence, to be given once each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Credit {
    /// To whom.
    pub member: MemberId,
    /// For which check-in.
    pub fact: FactId,
    /// From which office's account.
    pub office: OfficeId,
    /// When.
    pub t: Instant,
}

/// The judgement of all check-ins of an occurrence, or of one member there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judged {
    /// In order of fact.
    pub verdicts: BTreeMap<FactId, Verdict>,
    /// In order of member and fact.
    pub credits: BTreeSet<Credit>,
    /// Ways in and out, where exits are counted.
    pub paths: BTreeMap<MemberId, Path>,
}

/// Why pins cannot be saved together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// One admission is all there is.
    #[error(
        "member {member} is admitted once: fact {second} cannot count while fact {first} is fixed to count"
    )]
    TwoAdmissions {
        /// Who.
        member: MemberId,
        /// Fixed to count.
        first: FactId,
        /// Fixed to count as well.
        second: FactId,
    },
    /// There is no room.
    #[error("facts of {met} members are fixed to count, the occurrence has {places} places")]
    TooManyPlaces {
        /// Members with a pinned check-in.
        met: usize,
        /// Places.
        places: u32,
    },
}

impl Plan {
    /// The plan of an occurrence's row; `changes` are its states in order of time, each from its instant on, and none
    /// where only the present state is known: one that was ended since then did run until its planned end.
    #[must_use]
    pub fn of(row: &OccurrenceRow, changes: &[(Instant, OccurrenceState)], stays: Option<StayRule>) -> Self {
        let always = [(Instant(i64::MIN), row.state)];
        let known_end = changes.is_empty() && row.state == OccurrenceState::Ended;
        let changes = if changes.is_empty() { &always } else { changes };
        let runs = |state: OccurrenceState| state == OccurrenceState::Approved || known_end;
        let untils = changes.iter().skip(1).map(|change| change.0).chain([Instant(i64::MAX)]);
        let spans = changes.iter().zip(untils).filter(|(change, _)| runs(change.1));
        let mut open: Vec<(Instant, Instant)> = Vec::new();
        for (from, to) in spans.map(|(change, until)| (change.0.max(row.starts), until.min(row.ends))) {
            match open.last_mut() {
                // One span, if nothing lies between: no edge is left for an interval to lie on.
                Some(last) if last.1 == from => last.1 = to,
                _ if from < to => open.push((from, to)),
                _ => {}
            }
        }
        Self { open, offices: row.offices.clone(), admits_once: row.admits_once, places: row.places, stays }
    }

    /// Whether a check-in can count by itself: in time and place, or because a person said so.
    fn can_count(&self, fact: &CheckIn) -> bool {
        fact.pin == Some(true) || self.timing(fact) <= Timing::Favoured
    }

    fn timing(&self, fact: &CheckIn) -> Timing {
        if !self.offices.is_empty() && !self.offices.contains(&fact.office) {
            return Timing::Outside;
        }
        let spans = self.open.iter().map(|span| interval::timing(fact.lo, fact.hi, span.0, span.1));
        spans.min().unwrap_or(Timing::Outside)
    }
}

/// Whether pins can be saved: the bounds hold over pinned check-ins as over the others.
///
/// # Errors
/// [`PinError`] naming the pins that break a bound.
pub fn check_pins(plan: &Plan, facts: &[CheckIn]) -> Result<(), PinError> {
    let mut pinned: BTreeMap<MemberId, FactId> = BTreeMap::new();
    let mut counting: Vec<&CheckIn> = facts.iter().filter(|fact| fact.pin == Some(true)).collect();
    counting.sort_by_key(|fact| (fact.t, fact.id));
    for fact in counting.iter().filter(|fact| fact.way == Passage::In) {
        let first = *pinned.entry(fact.member).or_insert(fact.id);
        if plan.admits_once && first != fact.id {
            return Err(PinError::TwoAdmissions { member: fact.member, first, second: fact.id });
        }
    }
    match plan.places {
        Some(places) if pinned.len() > places as usize => {
            Err(PinError::TooManyPlaces { met: pinned.len(), places })
        }
        _ => Ok(()),
    }
}

/// Judges all check-ins of an occurrence.
#[must_use]
pub fn judge_occurrence(plan: &Plan, facts: &[CheckIn]) -> Judged {
    let mut by_member: BTreeMap<MemberId, Vec<CheckIn>> = BTreeMap::new();
    for fact in facts {
        by_member.entry(fact.member).or_default().push(fact.clone());
    }
    let mut judged = Judged::default();
    for facts in by_member.values() {
        let one = judge_member(plan, facts);
        judged.verdicts.extend(one.verdicts);
        judged.credits.extend(one.credits);
        judged.paths.extend(one.paths);
    }
    let pinned: BTreeSet<FactId> =
        facts.iter().filter(|fact| fact.pin == Some(true)).map(|fact| fact.id).collect();
    let mut claims: BTreeMap<MemberId, PlaceClaim> = BTreeMap::new();
    for credit in &judged.credits {
        let claim =
            PlaceClaim { free: !pinned.contains(&credit.fact), t: credit.t, fact: credit.fact, heads: 1 };
        let first = claims.entry(credit.member).or_insert(claim);
        *first = claim.min(*first);
    }
    judged.leave_out(&without_place(plan.places, &claims));
    judged
}

/// By what a member claims a place, in the order in which places are given: pinned ones first, then by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlaceClaim {
    /// Whether no person fixed it.
    pub free: bool,
    /// When.
    pub t: Instant,
    /// The first check-in of the member that counts.
    pub fact: FactId,
    /// Places that it takes: the member's own, and one for each companion.
    pub heads: u32,
}

/// Members for whom no place is left. A party that finds less room than it has heads finds none, and takes none from those
/// who come after it.
#[must_use]
pub fn without_place(places: Option<u32>, claims: &BTreeMap<MemberId, PlaceClaim>) -> BTreeSet<MemberId> {
    let Some(places) = places else { return BTreeSet::new() };
    let mut queue: Vec<(PlaceClaim, MemberId)> =
        claims.iter().map(|(member, claim)| (*claim, *member)).collect();
    queue.sort_unstable();
    let mut free = places;
    let mut left_out = BTreeSet::new();
    for (claim, member) in queue {
        match free.checked_sub(claim.heads) {
            Some(left) => free = left,
            None => {
                left_out.insert(member);
            }
        }
    }
    left_out
}

impl Judged {
    /// Takes admission and points from members for whom no place is left.
    pub fn leave_out(&mut self, members: &BTreeSet<MemberId>) {
        self.credits.retain(|credit| !members.contains(&credit.member));
        for verdict in self.verdicts.values_mut() {
            if verdict.stands == Stands::Counts && members.contains(&verdict.member) {
                verdict.stands = Stands::Surplus;
                verdict.kinds.insert(28);
            }
        }
    }

    /// The facts of each case: by kind, and by member where the case is about one (kinds 4 and 27).
    #[must_use]
    pub fn cases(&self) -> BTreeMap<(u8, Option<MemberId>), BTreeSet<FactId>> {
        let mut cases: BTreeMap<(u8, Option<MemberId>), BTreeSet<FactId>> = BTreeMap::new();
        for verdict in self.verdicts.values() {
            for kind in verdict.kinds.iter().filter(|kind| **kind != 2) {
                let about = matches!(kind, 4 | 27).then_some(verdict.member);
                cases.entry((*kind, about)).or_default().insert(verdict.id);
            }
        }
        cases
    }
}

/// Judges all check-ins of one member at an occurrence, as if it had room.
#[must_use]
pub fn judge_member(plan: &Plan, facts: &[CheckIn]) -> Judged {
    let mut ordered: Vec<&CheckIn> = facts.iter().collect();
    ordered.sort_by_key(|fact| (fact.t, fact.id));
    ordered.dedup_by_key(|fact| fact.id);
    let repeats = repeats(plan, &ordered);
    let path = path(plan, &ordered, &repeats);
    let mut judged = Judged::default();
    let mut candidates: Vec<&CheckIn> = Vec::new();
    for fact in ordered {
        let (stands, kinds) = alone(plan, fact, &repeats, path.as_ref());
        let may_count = stands == Stands::Counts || (stands == Stands::TakenOut && plan.can_count(fact));
        if may_count && fact.way == Passage::In {
            candidates.push(fact);
        }
        let verdict = Verdict { id: fact.id, member: fact.member, stands, kinds };
        judged.verdicts.insert(fact.id, verdict);
    }
    if plan.admits_once {
        admit_once(&candidates, &mut judged.verdicts);
    }
    for (id, verdict) in &mut judged.verdicts {
        verdict.kinds.extend(path.as_ref().filter(|path| path.broken.contains(id)).map(|_| 4));
    }
    for fact in candidates {
        if judged.verdicts.get(&fact.id).is_some_and(|verdict| verdict.stands == Stands::Counts) {
            let credit = Credit { member: fact.member, fact: fact.id, office: fact.office, t: fact.t };
            judged.credits.insert(credit);
        }
    }
    judged.paths.extend(path.zip(facts.first()).map(|(path, fact)| (fact.member, path)));
    judged
}

/// How a check-in stands before others of the member compete with it.
fn alone(
    plan: &Plan,
    fact: &CheckIn,
    repeats: &BTreeMap<FactId, FactId>,
    path: Option<&Path>,
) -> (Stands, BTreeSet<u8>) {
    let timing = plan.timing(fact);
    let edge = matches!(timing, Timing::Favoured | Timing::Doubtful).then_some(18);
    let kinds = |kind: Option<u8>| kind.into_iter().chain(edge).collect();
    if let (None | Some(false), Some(first)) = (fact.pin, repeats.get(&fact.id)) {
        return (Stands::Merged(*first), BTreeSet::from([2]));
    }
    match (fact.pin, fact.way, timing) {
        (Some(false), ..) => (Stands::TakenOut, kinds(None)),
        (_, Passage::Out, _) => (Stands::Exit, kinds(None)),
        (Some(true), ..) => (Stands::Counts, kinds((timing == Timing::Outside).then_some(28))),
        (None, _, Timing::Outside) => (Stands::NotRunning, kinds(Some(28))),
        (None, _, Timing::Doubtful) => (Stands::Doubtful, kinds(None)),
        _ if path.is_some_and(|path| path.returns.contains(&fact.id)) => (Stands::Returned, kinds(None)),
        _ => (Stands::Counts, kinds(None)),
    }
}

/// Repeats, each with the tap that opened the window; a way out repeats no way in. A tap before the doors open is no
/// reason to lose the one after it: what cannot count by itself opens no window for what can.
fn repeats(plan: &Plan, ordered: &[&CheckIn]) -> BTreeMap<FactId, FactId> {
    let of = |way: Passage, all: bool| {
        let one_way = ordered.iter().filter(|fact| fact.way == way);
        let facts = one_way.filter(|fact| all || plan.can_count(fact));
        let taps = facts.map(|fact| Tapped {
            id: fact.id,
            tap: fact.tap.clone(),
            window_s: fact.window_s,
            said: fact.repeats,
        });
        repeat::repeats(&taps.collect::<Vec<_>>())
    };
    let mut merged = of(Passage::In, false);
    merged.append(&mut of(Passage::Out, false));
    let idle: BTreeSet<FactId> =
        ordered.iter().filter(|fact| !plan.can_count(fact)).map(|fact| fact.id).collect();
    let others = of(Passage::In, true).into_iter().chain(of(Passage::Out, true));
    let others: Vec<_> = others.filter(|(id, _)| idle.contains(id)).collect();
    for (id, first) in others {
        let first = merged.get(&first).copied().unwrap_or(first);
        merged.insert(id, first);
    }
    merged
}

/// The way in and out, of what is neither a repeat nor outside nor taken out by a person.
fn path(plan: &Plan, ordered: &[&CheckIn], repeats: &BTreeMap<FactId, FactId>) -> Option<Path> {
    let rule = plan.stays?;
    let holds = |fact: &&&CheckIn| match fact.pin {
        Some(pinned) => pinned,
        None => !repeats.contains_key(&fact.id) && plan.timing(fact) <= Timing::Favoured,
    };
    let passing = |fact: &&CheckIn| Passing { t: fact.t, id: fact.id, way: fact.way };
    let passings: Vec<Passing> = ordered.iter().filter(holds).map(passing).collect();
    Some(stays::path(&passings, rule))
}

/// Of candidates in order of time one admits; the others were repeats at their terminal or also seen.
fn admit_once(candidates: &[&CheckIn], verdicts: &mut BTreeMap<FactId, Verdict>) {
    // What a person let count goes before what came first; who was taken out still speaks for its terminal, so that a
    // repeat does not step into its place.
    let rank = |fact: &CheckIn| (fact.pin != Some(true), fact.t, fact.id);
    let mut speaks: BTreeMap<DeviceId, &CheckIn> = BTreeMap::new();
    for fact in candidates {
        let held = speaks.entry(fact.id.device).or_insert(fact);
        if rank(fact) < rank(held) {
            *held = fact;
        }
    }
    let admitted = speaks.values().filter(|fact| fact.pin != Some(false)).min_by_key(|fact| rank(fact));
    let admitted = admitted.map(|fact| fact.id);
    for fact in candidates {
        let Some(verdict) = verdicts.get_mut(&fact.id) else { continue };
        let speaker = speaks.get(&fact.id.device).map_or(fact.id, |speaker| speaker.id);
        if speaker != fact.id {
            verdict.stands = Stands::Merged(speaker);
            verdict.kinds = BTreeSet::from([2]);
            continue;
        }
        if verdict.stands == Stands::Counts && admitted != Some(fact.id) {
            verdict.stands = Stands::AlsoSeen;
        }
        verdict.kinds.extend((speaks.len() > 1).then_some(27));
    }
}

#[cfg(test)]
#[path = "attendance_tests.rs"]
mod tests;
