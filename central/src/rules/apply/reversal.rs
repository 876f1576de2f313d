//! Returns and undone top-ups: each concerns one original, and is judged with all others of it (kinds 31 and 24).
//!
//! What they take back is part of the original's own effect; here they only get their own standing, and wait for an
//! original that has not arrived. What a person at the centre took back is one of them, and the first.
//!
//! A top-up is undone by its own terminal in its own shift; what another terminal, or a later shift, records against it
//! takes nothing and is listed: else a terminal could empty whoever it names. A person undoes it at the centre's desk.

use std::collections::BTreeSet;

use hufu_shared::act::ValueMoved;
use hufu_shared::cbor;
use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{FactId, Hash};
use hufu_shared::money::{Leg, Unit};
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::wire::upload::Became;
use minicbor::{Decode, Encode};

use super::Work;
use super::earn::is_judged;
use super::fault::plain;
use super::matter::Matter;
use super::time::counted;
use crate::rules::judge::order::Place;
use crate::rules::judge::reversal::{self, Original, Reversal, Reversals};
use crate::rules::links;
use crate::rules::posting;
use crate::rules::world::{DeskReturn, KnownFact, Standing};

/// Number of the conflict kind "reversal without, or beyond, its original".
const KIND_REVERSAL: u8 = 31;

/// What the admin sees beside the returns themselves.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReversalCase {
    /// What they take back.
    #[n(0)]
    pub original: FactId,
    /// What it says; nothing while it is not here.
    #[n(1)]
    pub says: Vec<Leg>,
    /// What a person at the centre took back of it.
    #[n(2)]
    pub at_desk: Option<DeskReturn>,
}

/// The case about the returns of a fact.
#[must_use]
pub fn reversal_case(original: FactId) -> Hash {
    posting::case_id(KIND_REVERSAL, &[&posting::fact_cause(original).0])
}

impl Work {
    /// Marks an original and its returns, whichever of them has just come. A return of a return, or of what gives nothing,
    /// takes nothing, but a terminal may send a chain of them as long as it likes, or a circle: each is marked once.
    pub(super) fn touch_reversals(&mut self, original: FactId) {
        let mut at = original;
        let mut seen = BTreeSet::new();
        while seen.insert(at) {
            self.dirty.insert(Matter::Reversals(at));
            match self.fact(at).and_then(|known| known.fact.as_ref()).map(|fact| &fact.event) {
                Some(Event::Reversed(reversed)) => at = reversed.original,
                Some(Event::Earned(_) | Event::Spent(_) | Event::ToppedUp(_)) => return self.rejudge(at),
                _ => return,
            }
        }
    }

    /// All returns of an original that are to be judged.
    pub(super) fn reversals_of(&self, original: FactId) -> Vec<Reversal> {
        let mut read = Vec::new();
        let leaves_points = self.leaves_points(original);
        for id in self.linked(links::reversals(original)) {
            let Some(known) = self.fact(id).filter(|known| is_judged(known)) else { continue };
            let Some(Fact { event: Event::Reversed(reversed), .. }) = &known.fact else { continue };
            read.push(Reversal {
                place: Place { t: known.at, fact: id },
                legs: reversed.legs.clone(),
                pin: known.pin,
                is_refused: !self.may_reverse(original, id),
                leaves_points: leaves_points && reversed.brings_goods_back(),
            });
        }
        read
    }

    /// Whether a terminal may reverse a fact by itself: a top-up only where and while it may be undone.
    fn may_reverse(&self, original: FactId, reversal: FactId) -> bool {
        let known = self.fact(original);
        let is_top_up =
            known.is_some_and(|known| matches!(known.fact, Some(Fact { event: Event::ToppedUp(_), .. })));
        if !is_top_up || mutant::on(Mutant::TopUpReversedByAnyone) {
            return true;
        }
        let same_terminal = (original.device, original.epoch) == (reversal.device, reversal.epoch);
        let shift = original.seq..reversal.seq;
        same_terminal
            && !shift.is_empty()
            && !self
                .linked(links::closings(original.device))
                .into_iter()
                .any(|closed| closed.epoch == original.epoch && shift.contains(&closed.seq))
    }

    /// A closing of a shift that came out of a review: what a terminal undid after it may have been too late.
    pub(super) fn shift_ended(&mut self, closed: FactId) {
        let undone = self.linked(links::undone_at(closed.device)).into_iter();
        let later = undone.filter(|id| id.epoch == closed.epoch && id.seq > closed.seq);
        let originals = later.filter_map(|id| match &self.fact(id)?.fact.as_ref()?.event {
            Event::Reversed(reversed) => Some(reversed.original),
            _ => None,
        });
        for original in originals.collect::<Vec<_>>() {
            self.touch_reversals(original);
        }
    }

    /// Takes what a person at the centre takes back of a fact into the set of its reversals; whether it is the first of
    /// the kind. The same asked twice is one.
    pub(super) fn taken_back_at_desk(&mut self, original: FactId, moved: &ValueMoved) -> bool {
        let back = DeskReturn {
            id: moved.id,
            leg: moved.leg,
            at: self.received,
            day: self.day(moved.office, self.received),
        };
        if self.fact(original).is_some_and(|known| known.at_desk.is_some()) {
            return false;
        }
        self.change(original, |known| known.at_desk = Some(back));
        self.touch_reversals(original);
        true
    }

    /// Judges how each return of an original stands.
    pub(super) fn judge_reversals(&mut self, original: FactId) {
        let returns = self.reversals_of(original);
        if returns.is_empty() {
            return;
        }
        let says = self.original(original);
        let judged = reversal::judge(says.as_ref(), &returns);
        let case = reversal_case(original);
        let is_refused = returns.iter().any(Reversal::stays_refused);
        let (is_open, automatic) = match &judged {
            Reversals::Held(_) => (true, "waits_for_original"),
            Reversals::Judged { .. } if is_refused => (true, "refused"),
            Reversals::Judged { each, .. } => (each.values().any(|effect| effect.is_cut), "cut"),
        };
        let known = self.world.facts.get(&original);
        let owner = known.and_then(|known| known.member);
        if is_open {
            let sides = ReversalCase {
                original,
                says: says.map(|original| original.says).unwrap_or_default(),
                at_desk: known.and_then(|known| known.at_desk),
            };
            let mut fresh = self.fresh_case(KIND_REVERSAL, automatic);
            fresh.member = owner;
            fresh.device = Some(original.device);
            fresh.detail = cbor::encode(&sides);
            self.case_of(case, fresh, returns.iter().map(|reversal| reversal.place.fact).collect());
            self.stands_as(case, automatic);
        } else {
            self.end_case(case, "original_came");
        }
        for reversal in &returns {
            let id = reversal.place.fact;
            let Some(known) = self.fact(id).cloned() else { continue };
            if counted(&known) && self.is_fixed(id, &known) {
                continue;
            }
            let standing = match &judged {
                Reversals::Held(_) => Standing::of(Became::Held, KIND_REVERSAL, Some(case)),
                Reversals::Judged { .. } if reversal.pin == Some(false) => {
                    Standing { became: Became::NoEffect, kind: None, case: None }
                }
                Reversals::Judged { .. } if reversal.stays_refused() => {
                    Standing::of(Became::NoEffect, KIND_REVERSAL, Some(case))
                }
                Reversals::Judged { each, .. } if each.get(&id).is_some_and(|effect| effect.is_cut) => {
                    Standing::of(Became::AppliedWithCase, KIND_REVERSAL, Some(case))
                }
                Reversals::Judged { .. } => plain(id, &known),
            };
            self.stand(id, standing, owner);
        }
        self.review_offer(original);
    }

    /// An original as its returns see it: what it says; what it gave is its own matter, but for a purchase that promised
    /// nothing, as one whose points wait for approval does. None while it is not here.
    fn original(&self, id: FactId) -> Option<Original> {
        let known = self.fact(id)?;
        let (mut is_reversal, mut says) = (false, Vec::new());
        match &known.fact.as_ref()?.event {
            Event::Earned(earned) if earned.promised.is_empty() => {
                says.extend(self.gives_by_rules(id).into_iter().flatten());
            }
            Event::Earned(earned) => says.clone_from(&earned.promised),
            Event::Spent(spent) => says.clone_from(&spent.legs),
            Event::ToppedUp(topped) => says.push(Leg { unit: Unit::Cny, amount: topped.amount }),
            Event::Reversed(_) => is_reversal = true,
            _ => return None,
        }
        Some(Original { is_reversal, gave: says.clone(), says, at_desk: desk_legs(known) })
    }
}

/// What a person at the centre took back of a fact.
pub(super) fn desk_legs(known: &KnownFact) -> Vec<Leg> {
    let seen = known.at_desk.filter(|_| !mutant::on(Mutant::DeskJudgedApart));
    seen.iter().map(|back| back.leg).collect()
}
