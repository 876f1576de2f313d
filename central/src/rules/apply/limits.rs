//! Issuing is bounded as spending is: what a device gives in a day beyond its limits is taken in, and its effect held
//! for a person.
//!
//! Judged once, when a fact is taken in, by what the device had given on that day by then; never again. A person
//! releases it by a pin or an act; then it counts from its own time like any other.

use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{DeviceId, FactId};
use hufu_shared::money::Amount;
use hufu_shared::time::Day;

use super::Work;
use super::earn::KIND_OVER_LIMIT;
use crate::rules::judge::issue::{self, Gives, Issued};
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::KnownFact;

impl Work {
    /// Judges a fact that has just arrived: whether its effect waits for a person.
    pub(super) fn judge_limit(&mut self, id: FactId) {
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(fact) = &known.fact else { return };
        let gives = self.gives(id, &known, fact);
        if gives == Gives::default() {
            return;
        }
        let before = self.issued(id.device, known.day);
        let limits = self.world.policy.issue_limits(known.office);
        match issue::judge(&limits, before, gives) {
            Ok(after) => {
                self.world.issued.insert((id.device, known.day), after);
                self.outcome.issued.insert((id.device, known.day), after);
            }
            Err(over) => {
                self.change(id, |known| known.over_limit = true);
                let case = posting::case_id(KIND_OVER_LIMIT, &[&posting::fact_cause(id).0]);
                let mut fresh = self.fresh_case(KIND_OVER_LIMIT, "held");
                fresh.device = Some(id.device);
                fresh.detail = format!("{over:?}").into_bytes();
                self.case(case, fresh, [id]);
            }
        }
    }

    fn issued(&self, device: DeviceId, day: Day) -> Issued {
        self.has(Need::Issued(device, day));
        self.world.issued.get(&(device, day)).copied().unwrap_or_default()
    }

    /// What a fact would give at once, before caps; nothing for a repeat. What waits for approval is a person's matter
    /// anyway.
    fn gives(&self, id: FactId, known: &KnownFact, fact: &Fact) -> Gives {
        match &fact.event {
            Event::Earned(earned) if !self.is_repeat(id, fact, earned.repeats) => {
                Gives { points: self.gives_at_most(known, fact, earned), top_up: Amount::ZERO }
            }
            Event::ToppedUp(topped) => Gives { points: Amount::ZERO, top_up: topped.amount },
            _ => Gives::default(),
        }
    }
}
