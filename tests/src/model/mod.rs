//! The lease protocol with every interleaving: two terminals, one member, loss, duplication, delay, crash, recall, new
//! generations, write-off, and a centre that is rolled back to a backup without knowing it.
//!
//! Nothing of the protocol is written down a second time: terminals move by `hufu_edge::rules::lease`, the centre by
//! `hufu_central::rules::lease`. The model adds only what lies between them. A message is never taken off the net, so
//! it may come late, again or not at all; a fact may be delivered alone, with the oldest echo that a real batch with it
//! could carry. A crash costs a lease its time. [`Rules`] leaves one rule out, to show that the model would notice.
//!
//! Bounds ([`Bounds`]) limit how often what a person or the outside does can happen; within them all states are met.
//! Out of scope: forks, blocks, facts that cannot be read, the second path of a centre (the model's has none: the worse
//! case), amounts other than one point at a time.

pub mod centre;
pub mod properties;
pub mod search;
pub mod state;
mod terminal;

#[cfg(test)]
mod tests;

use stateright::{Model, Property};

use centre::Centre;
use state::{Life, Mark, State, TERMINALS, Terminal};

/// How often things happen at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Points that the member has at first.
    pub points: u8,
    /// Grants and raises of one point.
    pub grants: u8,
    /// Recalls.
    pub recalls: u8,
    /// Crashes of a terminal.
    pub crashes: u8,
    /// Write-offs.
    pub write_offs: u8,
    /// Backups, each restored at most once.
    pub rollbacks: u8,
    /// Earns of one point elsewhere.
    pub earns: u8,
    /// Reversals of such earns.
    pub reversals: u8,
    /// Ends of a recovery by a person, with terminals silent.
    pub forced_ends: u8,
}

impl Bounds {
    /// Two points, and nothing happens.
    pub const NONE: Self = Self {
        points: 2,
        grants: 0,
        recalls: 0,
        crashes: 0,
        write_offs: 0,
        rollbacks: 0,
        earns: 0,
        reversals: 0,
        forced_ends: 0,
    };
}

/// The rules that the model can leave out; all stand in the real thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// A recovering centre grants nothing.
    pub no_grant_during_recovery: bool,
    /// A recovering centre takes a terminal's facts only after it has granted its leases again.
    pub regrant_before_facts: bool,
    /// What leases return pays back first what a recovery lost.
    pub recovery_loss_repaid: bool,
    /// A raise is sent as a whole state, not as a difference.
    pub raise_is_whole_state: bool,
    /// The close of a lease is a fact of the chain.
    pub close_in_chain: bool,
}

impl Rules {
    /// All rules stand.
    pub const ALL: Self = Self {
        no_grant_during_recovery: true,
        regrant_before_facts: true,
        recovery_loss_repaid: true,
        raise_is_whole_state: true,
        close_in_chain: true,
    };
}

/// The protocol within bounds.
#[derive(Debug, Clone, Copy)]
pub struct LeaseModel {
    /// How often things happen at most.
    pub bounds: Bounds,
    /// Which rules stand.
    pub rules: Rules,
}

/// What the properties need to know and nobody in the system knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ghost {
    /// Conflict kind 5 or 8 was raised against a terminal, although all are honest.
    pub accused: bool,
    /// The centre was rolled back and has not noticed.
    pub silent: bool,
    /// A person ended a recovery while a terminal was silent.
    pub forced: bool,
    /// What may be lost at most: debits while the rollback was not noticed, and credits that it lost.
    pub excuse: u8,
    /// Lives of the centre begun after the first.
    pub lives: u8,
    /// Histories begun after the first.
    pub branches: u8,
}

/// How often things have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Used {
    grants: u8,
    recalls: u8,
    crashes: u8,
    write_offs: u8,
    backups: u8,
    forced_ends: u8,
}

/// A message on the net, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// A lease state, the mark it came with, and what it added to the state before.
    State(State, Mark, u8),
    /// A recall of a generation.
    Recall(u8, u32),
    /// A close beside the chain: terminal, generation, counter. Only if the rule is left out.
    Closed(u8, u32, u8),
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct System {
    /// The centre.
    pub centre: Centre,
    /// Its backup, if one was made and not restored.
    pub backup: Option<Box<Centre>>,
    /// The terminals.
    pub terminals: [Terminal; TERMINALS],
    /// The net, sorted.
    pub net: Vec<Message>,
    /// What only the properties look at.
    pub ghost: Ghost,
    /// What is used up of the bounds.
    pub used: Used,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The centre grants a point to a terminal.
    Grant(u8),
    /// The centre recalls a terminal's lease.
    Recall(u8),
    /// An admin writes a terminal's lease off.
    WriteOff(u8),
    /// The member earns a point elsewhere.
    Earn,
    /// An earn is reversed.
    Reverse,
    /// A backup is made.
    Backup,
    /// The backup is restored, and the centre does not know.
    Rollback,
    /// A person ends a recovery.
    ForceEnd,
    /// A terminal asks, echoing its newest mark, and gets the centre's answer.
    Contact(u8),
    /// A terminal asks, echoing its newest mark, and the answer is lost.
    Echo(u8),
    /// A terminal that has learned the centre's life shows its leases.
    Report(u8),
    /// The centre gets a terminal's next fact.
    Take(u8),
    /// A terminal spends a point.
    Spend(u8),
    /// A terminal loses power.
    Crash(u8),
    /// A message arrives.
    Deliver(Message),
}

impl System {
    fn send(&mut self, message: Message) {
        if let Err(at) = self.net.binary_search(&message) {
            self.net.insert(at, message);
        }
    }
}

impl LeaseModel {
    fn centre_step(&self, system: &mut System, step: Step) -> Option<()> {
        let System { centre, terminals, ghost, used, .. } = system;
        match step {
            Step::Grant(at) => {
                let before = centre.find_granted(at);
                let state = centre.grant(self.rules, at, ghost)?;
                centre.judge_waiting(self.rules, at, &terminals[usize::from(at)].facts, ghost);
                used.grants += 1;
                let mark = centre.mark(at);
                let raise = if before.is_some_and(|(open, _)| open == state.generation) {
                    state.granted - before.map_or(0, |(_, granted)| granted)
                } else {
                    state.granted
                };
                system.send(Message::State(state, mark, raise));
            }
            Step::Recall(at) => {
                let generation = centre.open_generation(at)?;
                used.recalls += 1;
                system.send(Message::Recall(at, generation));
            }
            Step::WriteOff(at) => {
                centre.write_off(self.rules, at)?;
                used.write_offs += 1;
            }
            Step::Earn => centre.earn(),
            Step::Reverse => centre.reverse(ghost),
            Step::ForceEnd => {
                centre.recovering = false;
                centre.size += 1;
                ghost.forced = true;
                used.forced_ends += 1;
            }
            _ => return None,
        }
        Some(())
    }

    fn rollback(&self, system: &mut System) -> Option<()> {
        let backup = system.backup.take()?;
        let lost_earns = system.centre.earned.saturating_sub(backup.earned);
        let rest = |centre: &Centre| centre.rows.iter().filter_map(|row| row.written_off).sum::<u8>();
        let lost_write_offs = rest(&system.centre).saturating_sub(rest(&backup));
        system.ghost.excuse += lost_earns + lost_write_offs;
        system.centre = Centre::restored(&backup, &mut system.ghost);
        Some(())
    }

    fn exchange(&self, system: &mut System, step: Step) -> Option<()> {
        let System { centre, terminals, ghost, .. } = system;
        match step {
            Step::Contact(at) | Step::Echo(at) => {
                let terminal = &mut terminals[usize::from(at)];
                if let Some(mark) = terminal.mark
                    && centre.proves_rollback(at, mark)
                {
                    centre.begin_life(Life { n: mark.life, bits: mark.bits }, ghost);
                }
                if matches!(step, Step::Contact(_)) {
                    terminal.hear(centre.mark(at));
                }
                Some(())
            }
            Step::Report(at) => {
                let terminal = &terminals[usize::from(at)];
                if terminal.life != centre.life || centre.reported[usize::from(at)] == centre.life.n {
                    return None;
                }
                let states = terminal.report();
                let echo = terminal.mark.filter(|mark| centre.proves_rollback(at, *mark));
                if echo.is_some() || states.iter().any(|state| centre.never_made(at, state)) {
                    centre.begin_life(
                        echo.map_or(centre.life, |mark| Life { n: mark.life, bits: mark.bits }),
                        ghost,
                    );
                    return Some(());
                }
                centre.report(at, &states);
                centre.judge_waiting(self.rules, at, &terminal.facts, ghost);
                Some(())
            }
            Step::Take(at) => {
                let facts = &terminals[usize::from(at)].facts;
                let fact = facts.get(usize::from(centre.cursor[usize::from(at)]))?;
                if let Some(mark) = fact.echo
                    && centre.proves_rollback(at, mark)
                {
                    centre.begin_life(Life { n: mark.life, bits: mark.bits }, ghost);
                    return Some(());
                }
                let reported = centre.reported[usize::from(at)] == centre.life.n;
                if self.rules.regrant_before_facts && !reported {
                    return None;
                }
                centre.take(self.rules, at, facts, ghost);
                Some(())
            }
            _ => None,
        }
    }

    /// Takes out what can make no difference any more, so that states that will behave alike are one state: marks that
    /// prove nothing, now or after the backup is restored, and messages that their terminal will ignore for ever.
    fn forget(&self, system: &mut System) {
        let System { centre, backup, terminals, net, ghost, .. } = system;
        let useful = |at: u8, mark: Mark| {
            centre.proves_rollback(at, mark)
                || backup.as_ref().is_some_and(|old| old.proves_rollback(at, mark))
        };
        for (at, terminal) in [0, 1].into_iter().zip(terminals.iter_mut()) {
            terminal.mark = terminal.mark.filter(|mark| useful(at, *mark));
            for fact in &mut terminal.facts {
                fact.echo = fact.echo.filter(|mark| useful(at, *mark));
            }
        }
        if self.rules == Rules::ALL {
            net.retain(|message| may_matter(terminals, *message));
        }
        for message in net.iter_mut() {
            if let Message::State(state, mark, _) = message
                && !useful(state.to, *mark)
            {
                *mark = Mark { life: mark.life, bits: mark.bits, ..Mark::default() };
            }
        }
        net.sort_unstable();
        if backup.is_none() && !ghost.silent {
            centre.size = 0;
            centre.branches = vec![(0, 0)];
        }
    }

    fn deliver(&self, system: &mut System, message: Message) {
        match message {
            Message::State(state, mark, raise) => {
                system.terminals[usize::from(state.to)].receive(self.rules, state, mark, raise);
            }
            Message::Recall(at, generation) => {
                let terminal = &mut system.terminals[usize::from(at)];
                if self.rules.close_in_chain {
                    terminal.close(at, generation);
                } else if let Some(total) = terminal.close_silently(at, generation) {
                    system.send(Message::Closed(at, generation, total));
                }
            }
            Message::Closed(at, generation, total) => {
                let open = system.centre.open_generation(at) == Some(generation);
                if open {
                    let seq = system.centre.cursor[usize::from(at)];
                    system.centre.closed(self.rules, at, generation, (total, seq), &mut system.ghost);
                }
            }
        }
    }
}

impl Model for LeaseModel {
    type State = System;
    type Action = Step;

    fn init_states(&self) -> Vec<System> {
        let centre = Centre::founded(self.bounds.points);
        let terminal = Terminal::enrolled(centre.life);
        vec![System {
            centre,
            backup: None,
            terminals: [terminal.clone(), terminal],
            net: Vec::new(),
            ghost: Ghost::default(),
            used: Used::default(),
        }]
    }

    fn actions(&self, system: &System, steps: &mut Vec<Step>) {
        let (used, bounds) = (&system.used, &self.bounds);
        for at in [0, 1] {
            let budget = [
                (used.grants < bounds.grants, Step::Grant(at)),
                (used.recalls < bounds.recalls, Step::Recall(at)),
                (used.write_offs < bounds.write_offs, Step::WriteOff(at)),
                (used.crashes < bounds.crashes, Step::Crash(at)),
                (true, Step::Contact(at)),
                (true, Step::Echo(at)),
                (true, Step::Report(at)),
                (true, Step::Take(at)),
                (true, Step::Spend(at)),
            ];
            steps.extend(budget.into_iter().filter_map(|(left, step)| left.then_some(step)));
        }
        let centre = &system.centre;
        let budget = [
            (centre.earned < bounds.earns, Step::Earn),
            (centre.reversed < bounds.reversals && centre.reversed < centre.earned, Step::Reverse),
            (used.backups < bounds.rollbacks && system.backup.is_none(), Step::Backup),
            (system.backup.is_some(), Step::Rollback),
            (centre.recovering && used.forced_ends < bounds.forced_ends, Step::ForceEnd),
        ];
        steps.extend(budget.into_iter().filter_map(|(left, step)| left.then_some(step)));
        steps.extend(system.net.iter().map(|message| Step::Deliver(*message)));
    }

    fn next_state(&self, system: &System, step: Step) -> Option<System> {
        let mut next = system.clone();
        match step {
            Step::Contact(_) | Step::Echo(_) | Step::Report(_) | Step::Take(_) => {
                self.exchange(&mut next, step)?;
            }
            Step::Spend(at) => next.terminals[usize::from(at)].spend(at)?,
            Step::Crash(at) => {
                next.terminals[usize::from(at)].crash(at);
                next.used.crashes += 1;
            }
            Step::Deliver(message) => self.deliver(&mut next, message),
            Step::Backup => {
                next.backup = Some(Box::new(next.centre.clone()));
                next.used.backups += 1;
            }
            Step::Rollback => self.rollback(&mut next)?,
            _ => self.centre_step(&mut next, step)?,
        }
        self.forget(&mut next);
        // A step that changes nothing is no step.
        (next != *system).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

/// Whether a terminal may still do anything about a message.
fn may_matter(terminals: &[Terminal; TERMINALS], message: Message) -> bool {
    let newest = |at: u8| terminals[usize::from(at)].held.last();
    match message {
        Message::State(state, mark, _) => {
            let old = newest(state.to).is_some_and(|held| {
                state.version <= held.state.version
                    || state.generation < held.state.generation
                    || (held.closed && state.generation <= held.state.generation)
            });
            !old && mark.life >= terminals[usize::from(state.to)].life.n
        }
        Message::Recall(at, generation) => newest(at).is_none_or(|held| {
            generation > held.state.generation || (generation == held.state.generation && !held.closed)
        }),
        Message::Closed(..) => true,
    }
}
