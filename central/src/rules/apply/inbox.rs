//! Cases handed to people and put off: said of what still waits for a person, and of nothing else.
//!
//! Out of scope: who may decide, which neither changes.

use hufu_shared::act::Act;
use hufu_shared::ids::Hash;

use super::Work;
use crate::rules::need::Need;
use crate::rules::world::CaseState;

impl Work {
    /// Gives effect to an act about the inbox; one about something else has none here.
    pub(super) fn act_of_inbox(&mut self, act: &Act) {
        match act {
            Act::CasesHanded(handed) => {
                let by = self.by_name();
                let waiting = self.waiting(&handed.cases);
                let rows = waiting.into_iter().map(|case| (case, (handed.to, by.clone())));
                self.outcome.cases_handed.extend(rows);
            }
            Act::CasesPutOff(put_off) => {
                let waiting = self.waiting(&put_off.cases);
                let rows = waiting.into_iter().map(|case| (case, put_off.until));
                self.outcome.cases_put_off.extend(rows);
            }
            _ => {}
        }
    }

    /// Those of these cases that wait for a person.
    fn waiting(&self, cases: &[Hash]) -> Vec<Hash> {
        let waits = |id: &&Hash| {
            self.has(Need::Case(**id));
            let state = self.world.cases.get(*id).map(|case| case.state);
            matches!(state, Some(CaseState::Open | CaseState::EvidenceChanged))
        };
        cases.iter().filter(waits).copied().collect()
    }
}
