//! Stand-ins named and ended, and whether who performed an act might do so in another's place.

use hufu_shared::act::{Act, Actor, StandInEnded, StandInNamed};
use hufu_shared::ids::OperatorId;

use super::Work;
use crate::rules::need::Need;
use crate::rules::stand_in::{self, KnownStandIn};

impl Work {
    /// Whether whoever performed an act might: a stand-in only while the one in whose place they act has them named.
    pub(super) fn may_act(&self, actor: &Actor) -> bool {
        let Actor::StandIn(staff, person) = actor else { return true };
        self.has(Need::StandIns(*person));
        let all = self.world.stand_ins.iter().filter(|(key, _)| key.0 == *person);
        stand_in::stands_in(all.map(|(_, known)| known), *staff, self.received)
    }

    /// Gives effect to an act about standing in; one about something else has none here. Only a person names, and only for
    /// themselves: who stands in hands nothing on.
    pub(super) fn act_of_stand_in(&mut self, act: &Act, actor: &Actor) {
        let Actor::Admin(person) = actor else { return };
        self.has(Need::StandIns(*person));
        let known = match act {
            Act::StandInNamed(named) => self.named(named, *person),
            Act::StandInEnded(ended) => self.ended(ended, *person),
            _ => None,
        };
        if let Some(known) = known {
            let key = (known.person, known.id);
            self.world.stand_ins.insert(key, known.clone());
            self.outcome.stand_ins.insert(key, known);
        }
    }

    fn named(&self, named: &StandInNamed, person: OperatorId) -> Option<KnownStandIn> {
        let is_new = !self.world.stand_ins.contains_key(&(person, named.id));
        let may = is_new && stand_in::check(person, named, self.received).is_ok();
        may.then_some(KnownStandIn {
            id: named.id,
            person,
            stand_in: named.stand_in,
            from: named.from,
            until: named.until,
            named: self.received,
            ended: None,
        })
    }

    fn ended(&self, ended: &StandInEnded, person: OperatorId) -> Option<KnownStandIn> {
        let known = self.world.stand_ins.get(&(person, ended.id))?;
        let ended = Some(self.received);
        known.is_open(self.received).then(|| KnownStandIn { ended, ..known.clone() })
    }
}
