//! The terminals of the model: what they hold and append, by the real rules of the terminal.

use hufu_edge::rules::lease::{
    self, EpochHeard, PoweredOff, Receiving, SpendingNow, Taken, learn_epoch, may_spend, spent, take_state,
};
use hufu_shared::money::{Amount, Leg};
use hufu_shared::wire::lease::LeaseState;

use super::Rules;
use super::state::{Event, Fact, Held, Life, MEMBER, Mark, State, TERMS, Terminal, UNIT, Ver, device, lease};

impl Terminal {
    /// A terminal that knows a life of the centre and nothing else.
    #[must_use]
    pub fn enrolled(life: Life) -> Self {
        Self { life, mark: None, held: Vec::new(), facts: Vec::new() }
    }

    /// Hears a signed mark. Stores a newer life first; gives whether the rest of the answer may be looked at.
    pub fn hear(&mut self, mark: Mark) -> bool {
        let heard = Life { n: mark.life, bits: mark.bits };
        match learn_epoch(Some(self.life.real()), heard.real()) {
            EpochHeard::Obsolete => return false,
            EpochHeard::Known => {}
            EpochHeard::Store(epoch) => self.life = Life::of(epoch),
        }
        let newer = self.mark.is_none_or(|old| (old.life, old.size) <= (mark.life, mark.size));
        if newer {
            self.mark = Some(mark);
        }
        true
    }

    /// A lease state arrives, with the mark of the answer that it came in. `raise` is what the state added to the one
    /// before; only a terminal that takes differences looks at it.
    pub fn receive(&mut self, rules: Rules, state: State, mark: Mark, raise: u8) {
        if !self.hear(mark) {
            return;
        }
        if !rules.raise_is_whole_state
            && let Some(held) = self.held.iter_mut().find(|held| !held.closed && same(held, &state))
        {
            held.state.granted += raise;
            held.state.version = held.state.version.max(state.version);
            return;
        }
        let holdings: Vec<lease::Holding> = self.held.iter().map(|held| held.real()).collect();
        let at = Receiving { device: device(state.to), enrolment: 1, epoch: self.life.real(), now_ns: 0 };
        match take_state(&holdings, &state.real(), at) {
            Taken::Ignore(_) => {}
            Taken::CloseFirst(fact) => {
                self.close(state.to, fact.generation);
            }
            Taken::Store(holding) => self.put(Held::of(state.to, &holding)),
        }
    }

    fn put(&mut self, fresh: Held) {
        match self.held.iter_mut().find(|held| same(held, &fresh.state)) {
            Some(held) => *held = fresh,
            None => self.held.push(fresh),
        }
        self.held.sort_by_key(|held| held.state.generation);
    }

    fn next_seq(&self) -> u64 {
        self.facts.len() as u64 + 1
    }

    fn append(&mut self, event: Event) {
        self.facts.push(Fact { event, echo: self.mark });
    }

    /// Closes a generation, if it is open, as a fact of the chain. Gives its counter.
    pub fn close(&mut self, terminal: u8, generation: u32) -> Option<u8> {
        let total = self.close_silently(terminal, generation)?;
        self.append(Event::Closed { generation, total });
        Some(total)
    }

    /// Closes a generation, if it is open, and tells the chain nothing. Gives its counter.
    pub fn close_silently(&mut self, terminal: u8, generation: u32) -> Option<u8> {
        let holdings: Vec<lease::Holding> = self.held.iter().map(|held| held.real()).collect();
        let open = lease::named(&holdings, lease(terminal), generation)?;
        let (fact, holding) = lease::close(open, self.next_seq())?;
        self.put(Held::of(terminal, &holding));
        Some(super::state::small(fact.spent_total))
    }

    /// Spends one point, if a lease pays it.
    pub fn spend(&mut self, terminal: u8) -> Option<()> {
        let holdings: Vec<lease::Holding> = self.held.iter().map(|held| held.real()).collect();
        let legs = [Leg { unit: UNIT, amount: Amount(1) }];
        let now = SpendingNow { member: MEMBER, enrolment: 1, now_ns: 0, blocked: false, frozen: false };
        let uses = may_spend(&holdings, &legs, now).ok()?;
        let used = uses.first().expect("one leg, one use");
        let open = holdings.iter().find(|held| held.state.generation == used.generation)?;
        let after = Held::of(terminal, &spent(open, used, self.next_seq())?);
        self.put(after);
        let version = u8::try_from(used.state.n).expect("versions of the model are small");
        let life = u8::try_from(used.state.epoch).expect("lives of the model are few");
        let total = super::state::small(used.spent_total);
        self.append(Event::Spent { generation: used.generation, total, state: Ver(life, version) });
        Some(())
    }

    /// Loses power: what was committed stays, and no clock measured how long it was off.
    pub fn crash(&mut self, terminal: u8) {
        for held in &mut self.held {
            let mut holding = held.real();
            holding.age = holding.age.on_boot(&TERMS, PoweredOff::Unknown, 0);
            *held = Held::of(terminal, &holding);
        }
    }

    /// What it shows a centre of a newer life.
    #[must_use]
    pub fn report(&self) -> Vec<LeaseState> {
        let holdings: Vec<lease::Holding> = self.held.iter().map(|held| held.real()).collect();
        lease::report(&holdings, 1)
    }
}

fn same(held: &Held, state: &State) -> bool {
    held.state.generation == state.generation
}
