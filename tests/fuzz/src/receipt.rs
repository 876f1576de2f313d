//! What the centre answers: receipts against the terminal's upload lane, and lease states against what it holds.
//!
//! The input is one byte that says which answer it is, one that says what the terminal knows, and the answer. Signatures
//! are taken as checked, so that what lies behind them is reached.

use super::wire;
use hufu_edge::rules::lease::{
    Holding, Receiving, SpendingNow, Taken, close, forgettable, may_spend, report, spendable, spent,
    take_state,
};
use hufu_edge::rules::upload_plan::{Evidence, Lane, Plan, Sent, Standing, Stop, Verdict};
use hufu_shared::ids::Hash;
use hufu_shared::money::{Amount, Leg};
use hufu_shared::wire::lease::{LeaseAnswer, LeaseState};
use hufu_shared::wire::updates::Updates;
use hufu_shared::wire::upload::{BATCH_FACTS_MAX, Command, Receipt};
use hufu_shared::wire::version::CentralEpoch;

/// Bytes before the answer.
pub const CONTROL_BYTES: usize = 2;
const ENROLMENT: u32 = 1;

/// What the terminal knows, one bit each, in the second control byte.
pub mod knows {
    /// The receipt is for another attempt.
    pub const OTHER_ATTEMPT: u8 = 1;
    /// The mark's signature does not hold.
    pub const NO_MARK: u8 = 2;
    /// Its own hash there is another one.
    pub const OTHER_HASH: u8 = 4;
    /// It no longer holds the hash there.
    pub const NO_HASH: u8 = 8;
    /// Its journal ends before the receipt.
    pub const SHORTER: u8 = 16;
}

/// Reads the answer and lets the terminal act on it.
pub fn run(data: &[u8]) {
    let Some((control, rest)) = data.split_at_checked(CONTROL_BYTES) else { return };
    match control[0] % 4 {
        0 => {
            if let Some(receipt) = wire::read::<Receipt>(rest) {
                judge(&receipt, control[1]);
                leases(receipt.session.leases.iter().filter_map(|state| state.known()), control[1]);
                for command in &receipt.session.commands {
                    if let Some(command) = command.known() {
                        let bytes = hufu_shared::cbor::encode(command);
                        assert_eq!(Command::id_of(&bytes), Some(command.id));
                    }
                }
            }
        }
        1 => {
            if let Some(updates) = wire::read::<Updates>(rest) {
                leases(updates.leases.iter().filter_map(|state| state.known()), control[1]);
            }
        }
        2 => {
            if let Some(answer) = wire::read::<LeaseAnswer>(rest) {
                leases(answer.state.iter().filter_map(|state| state.known()), control[1]);
            }
        }
        _ => {
            if let Some(states) = wire::read::<Vec<LeaseState>>(rest) {
                leases(states.iter(), control[1]);
            }
        }
    }
}

/// A receipt is taken only if it is for this attempt, signed, and names this terminal's own hash.
fn judge(receipt: &Receipt, control: u8) {
    let knows = |what: u8| control & what != 0;
    let (result, session) = (&receipt.result, &receipt.session);
    let mut nonce = session.nonce;
    nonce[0] ^= u8::from(knows(knows::OTHER_ATTEMPT));
    let sent = Sent { from_seq: result.acked_seq.min(3), nonce, mono_ns: session.mono_ns };
    let end = if knows(knows::SHORTER) { result.acked_seq.saturating_sub(1) } else { result.acked_seq };
    let own = Standing { last_seq: end, acked_seq: end.min(1), oldest_held: 1 };
    let hash = if knows(knows::OTHER_HASH) { Hash::of(&[&result.head_hash.0]) } else { result.head_hash };
    let seen =
        Evidence { mark_holds: !knows(knows::NO_MARK), own_hash: (!knows(knows::NO_HASH)).then_some(hash) };
    let mut lane = Lane::default();
    let verdict = lane.receipt(&sent, receipt, &own, &seen);
    let doubtful = knows(knows::OTHER_ATTEMPT) || knows(knows::NO_MARK) || knows(knows::OTHER_HASH);
    let taken = matches!(verdict, Verdict::Take { .. });
    let missing = knows(knows::NO_HASH) || result.acked_seq > own.last_seq;
    assert_eq!(taken, !doubtful && !missing, "{verdict:?} after control {control:#x}");
    if let Verdict::Stopped(stop) = &verdict {
        // After a restart it is known that a receipt proved nothing, if not which way.
        let is_receipt = matches!(stop, Stop::Mark | Stop::Ahead { .. } | Stop::Head { .. });
        assert!(is_receipt, "a receipt led to {stop:?}");
        assert_eq!(Stop::recalled(&stop.to_string()), Stop::Mark);
        assert_eq!(lane.plan(&own), Plan::Stopped);
    }
    if let Plan::Send { facts_max, .. } = lane.plan(&own) {
        assert!((1..=BATCH_FACTS_MAX).contains(&facts_max));
    }
}

/// Takes states as they come, spends between them, and closes what must be closed.
fn leases<'a>(states: impl Iterator<Item = &'a LeaseState>, control: u8) {
    let mut held: Vec<Holding> = Vec::new();
    let mut seq = 1;
    for state in states {
        let at = Receiving {
            device: state.device,
            enrolment: ENROLMENT,
            epoch: CentralEpoch { n: state.version.epoch, bits: 0 },
            now_ns: seq,
        };
        let before = held.clone();
        loop {
            match take_state(&held, state, at) {
                Taken::Store(holding) => {
                    put(&mut held, holding);
                    break;
                }
                Taken::CloseFirst(named) => {
                    let is = |held: &&Holding| {
                        held.state.lease == named.lease && held.state.generation == named.generation
                    };
                    let open = held.iter().find(is).expect("what is to be closed is held").clone();
                    let (closed, holding) = close(&open, seq).expect("it is open");
                    assert_eq!(closed, named);
                    put(&mut held, holding);
                }
                Taken::Ignore(_) => break,
            }
        }
        spend(&mut held, state, seq, i64::from(control));
        check(&before, &held);
        seq += 1;
    }
    for gone in forgettable(&held, seq) {
        let holding = held.iter().find(|held| (held.state.lease, held.state.generation) == gone);
        assert!(holding.is_some_and(|holding| holding.closed), "an open lease would be forgotten");
    }
    assert!(report(&held, 0).len() <= held.len());
}

fn put(held: &mut Vec<Holding>, holding: Holding) {
    let key = |held: &Holding| (held.state.lease, held.state.generation);
    match held.iter_mut().find(|old| key(old) == key(&holding)) {
        Some(old) => *old = holding,
        None => held.push(holding),
    }
}

/// Spends a part: never more than is left, and no unit twice in one fact.
fn spend(held: &mut Vec<Holding>, state: &LeaseState, seq: u64, amount: i64) {
    let at = SpendingNow {
        member: state.member,
        enrolment: ENROLMENT,
        now_ns: seq,
        blocked: false,
        frozen: false,
    };
    let leg = Leg { unit: state.unit, amount: Amount(amount) };
    let left = spendable(held, state.unit, at);
    assert!(may_spend(held, &[leg, leg], at).is_err(), "one unit was spent twice in a fact");
    match may_spend(held, &[leg], at) {
        Ok(uses) => {
            assert!(amount > 0 && left.0 >= amount, "{left:?} were left, {amount} were spent");
            for used in uses {
                let lease = held.iter().find(|held| held.state.lease == used.lease && !held.closed);
                let after = lease.and_then(|held| spent(held, &used, seq)).expect("it is of that lease");
                put(held, after);
            }
            assert_eq!(spendable(held, state.unit, at).0, left.0 - amount);
        }
        Err(_) => assert!(amount <= 0 || left.0 < amount, "{left:?} were left"),
    }
}

/// What always holds of what a terminal holds.
fn check(before: &[Holding], held: &[Holding]) {
    for holding in held {
        let granted = holding.state.granted_total;
        assert!(holding.spent_total >= Amount::ZERO && holding.spent_total <= granted, "{holding:?}");
        let same = |other: &&Holding| {
            other.state.lease == holding.state.lease && other.state.generation == holding.state.generation
        };
        if let Some(old) = before.iter().find(same) {
            assert!(!old.closed || holding.closed, "a closed generation was opened again");
            assert!(granted >= old.state.granted_total && holding.spent_total >= old.spent_total);
        }
        let purse = |other: &&Holding| {
            let (a, b) = (&other.state, &holding.state);
            !other.closed && a.member == b.member && a.unit == b.unit
        };
        assert!(holding.closed || held.iter().filter(purse).count() == 1, "one purse is open twice");
    }
}
