//! The centre of the model: its books, moved by the real rules of the lease book.

use hufu_central::rules::lease::recovery::{
    Standing, evidence_of_mark, evidence_of_state, next_epoch, regrant,
};
use hufu_central::rules::lease::spend::{Block, Effect, Known, SpentLeg, judge};
use hufu_central::rules::lease::{Debts, LeaseRow, caps, close, next_generation, repay, set, write_off};
use hufu_shared::act::{LeaseCause, LeaseSet};
use hufu_shared::ids::Hash;
use hufu_shared::money::{Amount, Leg};
use hufu_shared::policy::LeasePolicy;
use hufu_shared::time::Instant;
use hufu_shared::wire::lease::LeaseState;

use super::state::{
    Event, Fact, Life, MEMBER, Mark, Row, State, TERMINALS, TERMS, UNIT, Ver, amount, device, head, lease,
    small,
};
use super::{Ghost, Rules};

/// What one device may hold in the model: more than there is.
const ROOM: Amount = Amount(100);

/// Everything that a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Centre {
    /// Which life of the centre.
    pub life: Life,
    /// Whether it recovers.
    pub recovering: bool,
    /// Entries of the journal.
    pub size: u8,
    /// Where histories begin: (number of the first entry, history).
    pub branches: Vec<(u8, u8)>,
    /// The last lease version number given in this life.
    pub version: u8,
    /// The member's `available`.
    pub available: u8,
    /// The member's `owed`.
    pub owed: u8,
    /// What lies on `loss/recovery`.
    pub loss: u8,
    /// The life whose recovery booked it last.
    pub loss_life: u8,
    /// Earns taken in.
    pub earned: u8,
    /// Reversals of earns taken in.
    pub reversed: u8,
    /// The lease book.
    pub rows: Vec<Row>,
    /// Facts taken in, per terminal.
    pub cursor: [u8; TERMINALS],
    /// Facts that wait: terminal and seq, in order.
    pub waiting: Vec<(u8, u8)>,
    /// The newest life under which each terminal reported.
    pub reported: [u8; TERMINALS],
}

impl Centre {
    /// A centre whose member has so many points.
    #[must_use]
    pub fn founded(points: u8) -> Self {
        Self {
            life: Life { n: 1, bits: 0 },
            recovering: false,
            size: 0,
            branches: vec![(0, 0)],
            version: 0,
            available: points,
            owed: 0,
            loss: 0,
            loss_life: 0,
            earned: 0,
            reversed: 0,
            rows: Vec::new(),
            cursor: [0; TERMINALS],
            waiting: Vec::new(),
            reported: [1; TERMINALS],
        }
    }

    fn branch_at(&self, size: u8) -> u8 {
        self.branches.iter().rev().find(|(first, _)| *first <= size).map_or(0, |(_, branch)| *branch)
    }

    /// What a receipt to a terminal says.
    #[must_use]
    pub fn mark(&self, terminal: u8) -> Mark {
        Mark {
            life: self.life.n,
            bits: self.life.bits,
            size: self.size,
            branch: self.branch_at(self.size),
            acked: self.cursor[usize::from(terminal)],
        }
    }

    /// Whether a mark proves a rollback.
    #[must_use]
    pub fn proves_rollback(&self, terminal: u8, mark: Mark) -> bool {
        let known = mark.size <= self.size;
        let standing = Standing {
            epoch: self.life.real(),
            journal_size: u64::from(self.size),
            head_there: known.then(|| head(self.branch_at(mark.size))),
            acked_seq: u64::from(self.cursor[usize::from(terminal)]),
        };
        evidence_of_mark(&mark.real(terminal), &standing, |_| true).is_some()
    }

    /// Whether a state of this life was never made by this centre.
    #[must_use]
    pub fn never_made(&self, terminal: u8, state: &LeaseState) -> bool {
        let name = |state: &LeaseState| Hash::of(&[&state.message()]);
        let row = self.find(terminal, state.generation);
        // An older version than the newest was made here too, or the newest would have been refused.
        let known = row
            .filter(|row| row.version >= state.version)
            .map(|row| if row.version == state.version { name(&row.state()) } else { name(state) });
        evidence_of_state(state, self.life.real(), name(state), known).is_some()
    }

    /// Begins a new life, after a mark of `met` proved a rollback.
    pub fn begin_life(&mut self, met: Life, ghost: &mut Ghost) {
        ghost.lives += 1;
        ghost.silent = false;
        self.life = Life::of(next_epoch(&[self.life.real(), met.real()], u64::from(ghost.lives)));
        self.recovering = true;
        self.version = 0;
        self.size += 1;
    }

    /// Restores a backup: the same numbers again, another history.
    #[must_use]
    pub fn restored(backup: &Self, ghost: &mut Ghost) -> Self {
        ghost.branches += 1;
        ghost.silent = true;
        let mut centre = backup.clone();
        centre.branches.push((centre.size + 1, ghost.branches));
        centre
    }

    fn rows_of(&self, terminal: u8) -> Vec<LeaseRow> {
        self.rows.iter().filter(|row| row.terminal == terminal).map(|row| row.real()).collect()
    }

    fn find(&self, terminal: u8, generation: u32) -> Option<LeaseRow> {
        let row = self.rows.iter().find(|row| row.terminal == terminal && row.generation == generation);
        row.map(|row| row.real())
    }

    fn put(&mut self, terminal: u8, row: &LeaseRow) {
        let row = Row::of(terminal, row);
        let same = |old: &&mut Row| old.terminal == terminal && old.generation == row.generation;
        match self.rows.iter_mut().find(same) {
            Some(old) => *old = row,
            None => self.rows.push(row),
        }
        self.rows.sort_by_key(|row| (row.terminal, row.generation));
    }

    /// The generation that a recall of the terminal's lease would name.
    #[must_use]
    pub fn open_generation(&self, terminal: u8) -> Option<u32> {
        self.rows_of(terminal).iter().find(|row| row.is_open()).map(|row| row.generation)
    }

    /// The open generation of a terminal's lease and what is granted of it.
    #[must_use]
    pub fn find_granted(&self, terminal: u8) -> Option<(u32, u8)> {
        let open = self.rows.iter().find(|row| row.terminal == terminal && row.real().is_open())?;
        Some((open.generation, open.granted))
    }

    /// Grants one point to a terminal: a raise of the open generation, else a new one. Gives the state to send.
    pub fn grant(&mut self, rules: Rules, terminal: u8, ghost: &mut Ghost) -> Option<State> {
        let rows = self.rows_of(terminal);
        let open = rows.iter().find(|row| row.is_open());
        let granted = open.map_or(Amount::ZERO, |row| row.granted_total);
        let wanted_total = Amount(granted.0 + 1);
        let book = self.book(rules, open.cloned());
        let more = caps::propose(&book, caps::Ask::Authorize { wanted_total }, &policy()).ok()?;
        let last = rows.iter().map(|row| row.generation).max();
        let generation = open.map_or_else(|| next_generation(last, self.life.real()), |row| row.generation);
        let act = LeaseSet {
            lease: lease(terminal),
            generation,
            device: device(terminal),
            member: MEMBER,
            unit: UNIT,
            granted_total: Amount(granted.0 + more.0),
            terms: TERMS,
            version: Ver(self.life.n, self.version + 1).real(),
            cause: LeaseCause::Raised,
        };
        let done = set(&rows, &act, 1, amount(self.available), Instant(0)).ok()?;
        self.version += 1;
        self.size += 1;
        self.available -= small(done.moved);
        if ghost.silent {
            ghost.excuse += small(done.moved);
        }
        self.put(terminal, &done.row);
        Some(State::of(terminal, &done.row.state()))
    }

    fn book(&self, rules: Rules, open: Option<LeaseRow>) -> caps::Book {
        let escrow = self.rows.iter().map(|row| row.real().escrow().0).sum();
        caps::Book {
            unit: UNIT,
            available: amount(self.available),
            owed: amount(self.owed),
            member_escrow: Amount(escrow),
            open,
            device_escrow: Amount::ZERO,
            device_raised: Amount::ZERO,
            recovering: self.recovering && rules.no_grant_during_recovery,
            frozen: false,
            member_active: true,
            known_here: true,
        }
    }

    /// Gives an amount back that leaves the escrow of a lease.
    fn give_back(&mut self, rules: Rules, back: Amount, first_life: u32) {
        let loss = if rules.recovery_loss_repaid { self.loss } else { 0 };
        let debts = Debts {
            recovery_loss: amount(loss),
            recovery_epoch: u32::from(self.loss_life),
            owed: amount(self.owed),
        };
        let to = repay(back, first_life, debts);
        self.loss -= small(to.to_recovery);
        self.owed -= small(to.to_owed);
        self.available += small(to.to_available);
    }

    /// An admin writes the terminal's open lease off.
    pub fn write_off(&mut self, rules: Rules, terminal: u8) -> Option<()> {
        let open = self.open_generation(terminal).and_then(|generation| self.find(terminal, generation))?;
        let (row, rest) = write_off(&open)?;
        self.size += 1;
        self.put(terminal, &row);
        self.give_back(rules, rest, row.first_epoch);
        Some(())
    }

    /// An earn of one point by a terminal elsewhere.
    pub fn earn(&mut self) {
        self.size += 1;
        self.earned += 1;
        if self.owed > 0 {
            self.owed -= 1;
        } else {
            self.available += 1;
        }
    }

    /// The reversal of an earn: what was spent meanwhile is owed.
    pub fn reverse(&mut self, ghost: &mut Ghost) {
        self.size += 1;
        self.reversed += 1;
        if ghost.silent || self.recovering {
            ghost.excuse += 1;
        }
        if self.available > 0 {
            self.available -= 1;
        } else {
            self.owed += 1;
        }
    }

    /// A terminal shows what it holds; all is granted again.
    pub fn report(&mut self, terminal: u8, states: &[LeaseState]) {
        for state in states {
            let row = self.find(terminal, state.generation);
            let Some(done) = regrant(row.as_ref(), state, 1, amount(self.available), Instant(0)) else {
                continue;
            };
            self.size += 1;
            self.available -= small(done.from_available);
            self.loss += small(done.from_loss);
            if done.from_loss.is_positive() {
                self.loss_life = self.life.n;
            }
            self.put(terminal, &done.row);
        }
        self.reported[usize::from(terminal)] = self.life.n;
        if self.reported.iter().all(|life| *life == self.life.n) {
            self.recovering = false;
        }
        self.size += 1;
    }

    /// Judges again what waits, in order: the rows changed.
    pub fn judge_waiting(&mut self, rules: Rules, terminal: u8, facts: &[Fact], ghost: &mut Ghost) {
        let (mine, others) = self.waiting.iter().partition(|(at, _)| *at == terminal);
        self.waiting = others;
        let mine: Vec<(u8, u8)> = mine;
        for (_, seq) in mine {
            self.effect(rules, terminal, seq, facts, ghost);
        }
    }

    /// Takes the terminal's next fact.
    pub fn take(&mut self, rules: Rules, terminal: u8, facts: &[Fact], ghost: &mut Ghost) {
        self.cursor[usize::from(terminal)] += 1;
        self.size += 1;
        let seq = self.cursor[usize::from(terminal)];
        self.effect(rules, terminal, seq, facts, ghost);
    }

    /// Whether an earlier fact about the same generation waits.
    fn waits_before(&self, terminal: u8, seq: u8, facts: &[Fact]) -> bool {
        let generation = |seq: u8| match facts[usize::from(seq) - 1].event {
            Event::Spent { generation, .. } | Event::Closed { generation, .. } => generation,
        };
        let own = generation(seq);
        self.waiting.iter().any(|(at, other)| *at == terminal && *other < seq && generation(*other) == own)
    }

    fn effect(&mut self, rules: Rules, terminal: u8, seq: u8, facts: &[Fact], ghost: &mut Ghost) {
        let held_before = self.waits_before(terminal, seq, facts);
        match facts[usize::from(seq) - 1].event {
            Event::Spent { generation, total, state } => {
                let leg = SpentLeg {
                    device: device(terminal),
                    enrolment: 1,
                    seq: u64::from(seq),
                    unit: UNIT,
                    amount: Amount(1),
                    spent_total: amount(total),
                    state: state.real(),
                    member: Some(MEMBER),
                };
                let known = Known { unread: false, held_before, block: Block::None, late: false };
                let row = self.find(terminal, generation);
                let judged = judge(row.as_ref(), &leg, known);
                match judged.effect {
                    Effect::Held => self.wait(terminal, seq),
                    Effect::Suspense => ghost.accused = true,
                    Effect::Settle(_) | Effect::LossDevice => {}
                }
                if let Some(row) = judged.row {
                    self.put(terminal, &row);
                }
            }
            Event::Closed { generation, total } => match self.find(terminal, generation) {
                Some(_) if !held_before => self.closed(rules, terminal, generation, (total, seq), ghost),
                _ => self.wait(terminal, seq),
            },
        }
    }

    fn wait(&mut self, terminal: u8, seq: u8) {
        self.waiting.push((terminal, seq));
        self.waiting.sort_unstable();
    }

    /// A close reached the centre: the counter that it names, and the seq of its fact.
    pub fn closed(
        &mut self,
        rules: Rules,
        terminal: u8,
        generation: u32,
        close_at: (u8, u8),
        ghost: &mut Ghost,
    ) {
        let Some(row) = self.find(terminal, generation) else { return };
        let done = close(&row, amount(close_at.0), u64::from(close_at.1), false);
        ghost.accused |= done.kind.is_some();
        self.put(terminal, &done.row);
        self.give_back(rules, done.release, done.row.first_epoch);
    }
}

fn policy() -> LeasePolicy {
    let room = vec![Leg { unit: UNIT, amount: ROOM }];
    LeasePolicy {
        device_cap: room.clone(),
        device_daily: room.clone(),
        office_cap: room,
        ..LeasePolicy::default()
    }
}
