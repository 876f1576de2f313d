//! Ways in and out of an occurrence that counts who leaves (kind 4). Where a step is missing it is inferred at the
//! rule's time and marked; a person accepts that, or says which of the records hold.
//!
//! Who comes back after a lawful exit goes on with the same attendance. What is inferred gives and takes nothing.

use std::collections::BTreeSet;

use hufu_shared::fact::{Event, Fact, Way};
use hufu_shared::ids::{DeviceId, FactId, Hash, MemberId, OccurrenceId};
use hufu_shared::member::{OccurrenceRow, OccurrenceState};
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Became;
use minicbor::{Decode, Encode};

use super::Work;
use super::attendance::Seen;
use super::fault::plain;
use super::ledger::Cause;
use super::matter::Matter;
use crate::rules::judge::stays::{self, End, Passing, Path, StayRule};
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::{KnownFact, Standing};

/// Number of the conflict kind "attendance without a legal path".
const KIND_PATH: u8 = 4;

/// What the admin sees: the stays of a member, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StaysCase {
    /// Each with its two ends.
    #[n(0)]
    pub stays: Vec<(StayEnd, StayEnd)>,
}

/// One end of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StayEnd {
    /// When; none for who is still in.
    #[n(0)]
    pub at: Option<Instant>,
    /// Nobody saw it.
    #[n(1)]
    pub inferred: bool,
}

/// The case about a member's way in and out of an occurrence.
#[must_use]
pub fn path_case(member: MemberId, occurrence: OccurrenceId) -> Hash {
    posting::case_id(KIND_PATH, &[&member.0, &occurrence.0])
}

impl Work {
    /// Judges the way of a member; what only leaves or comes back is taken out of `seen`. Answers the facts beside which
    /// a step is missing.
    pub(super) fn judge_path(
        &mut self,
        member: MemberId,
        row: &OccurrenceRow,
        seen: &mut Vec<Seen>,
    ) -> BTreeSet<FactId> {
        let path = if row.exits { path(row, seen) } else { Path::default() };
        if row.exits {
            self.path_case(member, row, &path);
        }
        let mut entered: BTreeSet<DeviceId> = BTreeSet::new();
        for (id, known) in std::mem::take(seen) {
            let leaves = way(&known) == Way::Out;
            let again = row.exits && row.admits_once && !entered.insert(id.device);
            if leaves || path.returns.contains(&id) || (again && known.pin != Some(true)) {
                let standing = if known.pin == Some(false) {
                    Standing { became: Became::NoEffect, kind: None, case: None }
                } else {
                    plain(id, &known)
                };
                self.stand(id, standing, Some(member));
                self.gives_nothing(member, row, id, &known);
            } else {
                seen.push((id, known));
            }
        }
        path.broken
    }

    /// What only leaves or comes back gives nothing; it may have been taken for an entry before.
    fn gives_nothing(&mut self, member: MemberId, row: &OccurrenceRow, id: FactId, known: &KnownFact) {
        if let Some(fact) = known.fact.as_ref().filter(|_| row.exits && !row.admits_once) {
            let cause = Cause { member: Some(member), ..self.fact_cause(id, known, fact) };
            self.settle(&cause, &[]);
        }
    }

    /// Says of the facts beside which a step is missing that it is, where nothing else is to be said of them.
    pub(super) fn mark_broken(&mut self, member: MemberId, row: &OccurrenceRow, broken: &BTreeSet<FactId>) {
        let standing =
            Standing::of(Became::AppliedWithCase, KIND_PATH, Some(path_case(member, row.occurrence)));
        for id in broken {
            if self.fact(*id).is_some_and(|known| known.standing.is_same(&Standing::PLAIN)) {
                self.stand(*id, standing, None);
            }
        }
    }

    fn path_case(&mut self, member: MemberId, row: &OccurrenceRow, path: &Path) {
        let case = path_case(member, row.occurrence);
        if path.broken.is_empty() {
            self.end_case(case, "path_whole");
            return;
        }
        let stays = path.stays.iter().map(|stay| (end(stay.from), end(stay.to))).collect();
        let mut fresh = self.fresh_case(KIND_PATH, "closed_by_rule");
        (fresh.member, fresh.occurrence) = (Some(member), Some(row.occurrence));
        fresh.detail = hufu_shared::cbor::encode(&StaysCase { stays });
        self.case_of(case, fresh, path.broken.iter().copied().collect());
    }

    /// An occurrence ended, or its plan changed: who is still in has gone, or has not.
    pub(super) fn touch_stays(&mut self, before: Option<&OccurrenceRow>, row: &OccurrenceRow) {
        let same = before.is_some_and(|before| {
            (before.state, before.starts, before.ends, before.exits)
                == (row.state, row.starts, row.ends, row.exits)
        });
        if same || before.is_none() || !row.exits {
            return;
        }
        self.has(Need::Places(row.occurrence));
        let members = self.world.places.get(&row.occurrence).into_iter().flatten().map(|(member, _)| *member);
        let touched: Vec<Matter> = members.map(|member| Matter::Attendance(member, row.occurrence)).collect();
        self.dirty.extend(touched);
    }
}

/// Which way a check-in went.
pub(super) fn way(known: &KnownFact) -> Way {
    match &known.fact {
        Some(Fact { event: Event::Attended(attended), .. }) => attended.way,
        _ => Way::In,
    }
}

fn path(row: &OccurrenceRow, seen: &[Seen]) -> Path {
    let holds = seen.iter().filter(|(_, known)| known.pin != Some(false));
    let passings: Vec<Passing> =
        holds.map(|(id, known)| Passing { t: known.at, id: *id, way: way(known) }).collect();
    let over = row.state == OccurrenceState::Ended;
    stays::path(&passings, StayRule { starts: row.starts, ends: row.ends, longest_us: None, over })
}

fn end(end: End) -> StayEnd {
    match end {
        End::Seen(_, at) => StayEnd { at: Some(at), inferred: false },
        End::Inferred(at) => StayEnd { at: Some(at), inferred: true },
        End::Open => StayEnd { at: None, inferred: false },
    }
}
