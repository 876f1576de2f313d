//! A device that says anything at all, and a centre and persons that do anything at all: the member's accounts stay
//! right, for every sequence.

use proptest::prelude::*;

use super::super::recovery::regrant;
use super::super::spend::{Bearer, Block, Effect, explain};
use super::*;

/// Anything that can happen to one lease.
#[derive(Debug, Clone)]
enum Happens {
    Set { generation: u32, granted: i64, n: u64 },
    Spend { generation: u32, amount: i64, total: i64, honest: bool, unread: bool, block: u8, state: u64 },
    Close { generation: u32, total: i64, honest: bool, unread: bool },
    WriteOff(u32),
    Explain { generation: u32, amount: i64, counts: bool },
    Report { generation: u32, granted: i64, n: u64 },
    Earn(i64),
    TakeBack(i64),
}

fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -5i64..60, 1 => Just(i64::MAX), 1 => Just(i64::MIN)]
}

fn happens() -> impl Strategy<Value = Happens> {
    let generation = || 1u32..3;
    prop_oneof![
        3 => (generation(), 0i64..60, 1u64..20).prop_map(|(generation, granted, n)| Happens::Set { generation, granted, n }),
        6 => (generation(), numbers(), numbers(), any::<[bool; 2]>(), 0u8..4, 1u64..20).prop_map(
            |(generation, amount, total, [honest, unread], block, state)| {
                Happens::Spend { generation, amount, total, honest, unread, block, state }
            }
        ),
        2 => (generation(), numbers(), any::<[bool; 2]>())
            .prop_map(|(generation, total, [honest, unread])| Happens::Close { generation, total, honest, unread }),
        1 => generation().prop_map(Happens::WriteOff),
        1 => (generation(), numbers(), any::<bool>())
            .prop_map(|(generation, amount, counts)| Happens::Explain { generation, amount, counts }),
        1 => (generation(), 0i64..60, 1u64..20)
            .prop_map(|(generation, granted, n)| Happens::Report { generation, granted, n }),
        1 => (1i64..40).prop_map(Happens::Earn),
        1 => (1i64..40).prop_map(Happens::TakeBack),
    ]
}

/// A state to be filled in.
fn blank() -> LeaseState {
    granted(1).state()
}

/// The member's accounts, moved by exactly what the functions say.
#[derive(Default)]
struct Ledger {
    rows: Vec<LeaseRow>,
    available: i64,
    owed: i64,
    loss: i64,
    /// Earned less taken back.
    earned: i64,
    /// Borne by the member in the end.
    paid: i64,
}

impl Ledger {
    fn row(&self, generation: u32) -> Option<LeaseRow> {
        self.rows.iter().find(|row| row.generation == generation).cloned()
    }

    fn put(&mut self, row: LeaseRow) {
        self.rows.retain(|old| old.generation != row.generation);
        self.rows.push(row);
    }

    fn give_back(&mut self, amount: Amount, first_epoch: u32) {
        let debts = Debts { recovery_loss: Amount(self.loss), recovery_epoch: 2, owed: Amount(self.owed) };
        let to = repay(amount, first_epoch, debts);
        self.loss -= to.to_recovery.0;
        self.owed -= to.to_owed.0;
        self.available += to.to_available.0;
    }

    fn credit(&mut self, amount: i64) {
        let owed = amount.min(self.owed);
        self.owed -= owed;
        self.available += amount - owed;
    }

    fn spend(&mut self, generation: u32, leg: &SpentLeg, known: Known) {
        let before = self.row(generation);
        let judged = judge(before.as_ref(), leg, known);
        match judged.effect {
            Effect::Settle(bearer) => {
                if bearer == Bearer::Member {
                    self.paid += leg.amount.0;
                } else {
                    self.credit(leg.amount.0);
                }
            }
            Effect::LossDevice | Effect::Suspense | Effect::Held => {
                let escrow = |row: &Option<LeaseRow>| row.as_ref().map(LeaseRow::escrow);
                assert_eq!(escrow(&before), escrow(&judged.row), "the member's accounts do not move");
            }
        }
        if let Some(row) = judged.row {
            self.put(row);
        }
    }

    fn step(&mut self, at: usize, what: &Happens) {
        let seq = at as u64 + 1;
        match *what {
            Happens::Set { generation, granted, n } => {
                let act = act(generation, granted, n);
                if let Ok(done) = set(&self.rows, &act, 1, Amount(self.available), NOON) {
                    self.available -= done.moved.0;
                    self.put(done.row);
                }
            }
            Happens::Spend { generation, amount, total, honest, unread, block, state } => {
                let at = self.row(generation).map_or(0, |row| row.spent_reported.0);
                let total = if honest { at.saturating_add(amount) } else { total };
                let state = if honest { 0 } else { state };
                let block = match block {
                    0 => Block::Before,
                    1 => Block::After { reported_lost: true },
                    2 => Block::After { reported_lost: false },
                    _ => Block::None,
                };
                let leg = SpentLeg { state: version(state), ..leg(seq, amount, total) };
                self.spend(generation, &leg, Known { unread, block, ..Known::default() });
            }
            Happens::Close { generation, total, honest, unread } => {
                let Some(row) = self.row(generation) else { return };
                let total = if honest { row.spent_reported } else { Amount(total) };
                let done = close(&row, total, seq, unread);
                self.give_back(done.release, row.first_epoch);
                self.put(done.row);
            }
            Happens::WriteOff(generation) => {
                let Some((row, rest)) = self.row(generation).as_ref().and_then(write_off) else { return };
                self.give_back(rest, row.first_epoch);
                self.put(row);
            }
            Happens::Explain { generation, amount, counts } => {
                let Some(row) = self.row(generation) else { return };
                let done = explain(&row, Amount(amount), counts);
                self.paid += done.settled.0;
                self.give_back(done.release, row.first_epoch);
                self.put(done.row);
            }
            Happens::Report { generation, granted, n } => {
                let state =
                    LeaseState { generation, granted_total: Amount(granted), version: version(n), ..blank() };
                let row = self.row(generation);
                if let Some(done) = regrant(row.as_ref(), &state, 1, Amount(self.available), NOON) {
                    self.available -= done.from_available.0;
                    self.loss += done.from_loss.0;
                    self.put(done.row);
                }
            }
            Happens::Earn(amount) => {
                self.earned += amount;
                self.credit(amount);
            }
            Happens::TakeBack(amount) => {
                self.earned -= amount;
                let taken = amount.min(self.available);
                self.available -= taken;
                self.owed += amount - taken;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn inv_02_03_10_11_hold_whatever_a_device_says(story in proptest::collection::vec(happens(), 1..40)) {
        let mut ledger = Ledger { available: 100, earned: 100, ..Ledger::default() };
        for (at, what) in story.iter().enumerate() {
            let before = ledger.rows.clone();
            ledger.step(at, what);
            prop_assert!(ledger.available >= 0 && ledger.owed >= 0 && ledger.loss >= 0);
            let escrow: i64 = ledger.rows.iter().map(|row| row.escrow().0).sum();
            let figure = ledger.available + escrow - ledger.owed - ledger.loss;
            prop_assert_eq!(ledger.earned - ledger.paid, figure, "conservation after {:?}", what);
            for row in &ledger.rows {
                prop_assert!(row.escrow().0 >= 0 && row.remaining().0 >= 0 && row.disputed.0 >= 0);
                prop_assert!(row.settled.0 + row.lost.0 <= row.granted_total.0);
                prop_assert!(row.released.0 == 0 || row.closed.is_some());
                let old = before.iter().find(|old| old.generation == row.generation);
                let Some(old) = old else { continue };
                prop_assert!(old.closed.is_none() || old.closed == row.closed, "closed stays closed");
                prop_assert!(old.settled <= row.settled && old.granted_total <= row.granted_total);
                let spent = matches!(what, Happens::Spend { .. } | Happens::Explain { .. });
                let ended = matches!(what, Happens::Close { .. } | Happens::WriteOff(_));
                prop_assert!(spent || ended || old.escrow() <= row.escrow(), "escrow fell by {:?}", what);
            }
        }
    }
}
