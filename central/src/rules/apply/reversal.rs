//! Returns and undone top-ups: each concerns one original, and is judged with all others of it (kinds 31 and 24).
//!
//! What they take back is part of the original's own effect; here they only get their own standing, and wait for an
//! original that has not arrived.

use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::FactId;
use hufu_shared::wire::upload::Became;

use super::Work;
use super::earn::is_judged;
use super::fault::plain;
use super::matter::Matter;
use super::time::counted;
use crate::rules::judge::order::Place;
use crate::rules::judge::reversal::{self, Original, Reversal, Reversals};
use crate::rules::links;
use crate::rules::posting;
use crate::rules::world::Standing;

/// Number of the conflict kind "reversal without, or beyond, its original".
const KIND_REVERSAL: u8 = 31;

impl Work {
    /// Marks an original and its returns, whichever of them has just come.
    pub(super) fn touch_reversals(&mut self, original: FactId) {
        self.dirty.insert(Matter::Reversals(original));
        self.rejudge(original);
    }

    /// All returns of an original that are to be judged.
    pub(super) fn reversals_of(&self, original: FactId) -> Vec<Reversal> {
        let facts = self.linked(links::reversals(original)).into_iter();
        let known = facts.filter_map(|id| Some((id, self.fact(id)?)));
        let read = known.filter(|(_, known)| is_judged(known)).filter_map(|(id, known)| match &known.fact {
            Some(Fact { event: Event::Reversed(reversed), .. }) => Some(Reversal {
                place: Place { t: known.at, fact: id },
                legs: reversed.legs.clone(),
                pin: known.pin,
            }),
            _ => None,
        });
        read.collect()
    }

    /// Judges how each return of an original stands.
    pub(super) fn judge_reversals(&mut self, original: FactId) {
        let returns = self.reversals_of(original);
        if returns.is_empty() {
            return;
        }
        let judged = reversal::judge(self.original(original).as_ref(), &returns);
        let owner = self.world.facts.get(&original).and_then(|known| known.member);
        let about = posting::fact_cause(original);
        let case = posting::case_id(KIND_REVERSAL, &[&about.0]);
        let (is_open, automatic) = match &judged {
            Reversals::Held(_) => (true, "held"),
            Reversals::Judged { each, .. } => (each.values().any(|effect| effect.is_cut), "cut"),
        };
        if is_open {
            let mut fresh = self.fresh_case(KIND_REVERSAL, automatic);
            fresh.member = owner;
            fresh.device = Some(original.device);
            self.case(case, fresh, returns.iter().map(|reversal| reversal.place.fact));
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
                Reversals::Judged { each, .. } if each.get(&id).is_some_and(|effect| effect.is_cut) => {
                    Standing::of(Became::AppliedWithCase, KIND_REVERSAL, Some(case))
                }
                Reversals::Judged { .. } => plain(id, &known),
            };
            self.stand(id, standing, owner);
        }
    }

    /// An original as its returns see it: what it says; what it gave is its own matter. None while it is not here.
    fn original(&self, id: FactId) -> Option<Original> {
        let known = self.fact(id)?;
        let says = match &known.fact.as_ref()?.event {
            Event::Earned(earned) => earned.promised.clone(),
            Event::Spent(spent) => spent.legs.clone(),
            Event::ToppedUp(topped) => {
                vec![hufu_shared::money::Leg { unit: hufu_shared::money::Unit::Cny, amount: topped.amount }]
            }
            Event::Reversed(_) => return Some(Original { is_reversal: true, says: vec![], gave: vec![] }),
            _ => return None,
        };
        Some(Original { is_reversal: false, gave: says.clone(), says })
    }
}
