//! The centre's book of leases: rights to spend offline, each one generation of a lease at one device.
//!
//! A lease is two counters that only grow: the centre alone writes `granted_total`, the device alone `spent_total`. What
//! the centre set aside lies in the account `escrow/{lease}`; a [`LeaseRow`] says what of it belongs to which
//! generation. Each function takes a row and gives the row after, with the amount that the ledger moves; the caller
//! posts exactly that.
//!
//! | step | moves | function |
//! | --- | --- | --- |
//! | grant, raise | available → escrow | [`caps::propose`], [`set`] |
//! | spend | escrow → redeemed, or another payer | [`spend::judge`] |
//! | close | escrow → what [`repay`] says | [`close`] |
//! | write-off | escrow → what [`repay`] says | [`write_off`] |
//! | verdict on a suspended leg | escrow → redeemed, or back | [`spend::explain`] |
//! | regrant after a rollback | available, then loss/recovery → escrow | [`recovery::regrant`] |
//!
//! Invariants: `escrow() >= 0`; `settled + lost <= granted_total` (I10); escrow falls only by a spend, a close, a
//! write-off or a verdict, never by time (I11); a closed generation never opens again.
//! Out of scope: postings, cases and who is told (`apply`), signatures, recalls in flight.

pub mod caps;
pub mod recovery;
pub mod spend;

#[cfg(test)]
mod tests;

use hufu_shared::act::LeaseSet;
use hufu_shared::ids::{DeviceId, LeaseId, MemberId};
use hufu_shared::money::{Amount, AmountOverflow, Unit};
use hufu_shared::mutant::{Mutant, on};
use hufu_shared::time::{DAY_US, Instant, SECOND_US};
use hufu_shared::wire::lease::{LeaseState, LeaseTerms};
use hufu_shared::wire::version::{CentralEpoch, Version};

/// Generations within one central epoch at most; the epoch's number stands above them, so that no generation is given
/// twice, not even by a centre that forgot what it gave.
pub const GENERATIONS_PER_EPOCH: u32 = 1 << 16;

/// One generation of a lease, as the centre knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// Which lease.
    pub lease: LeaseId,
    /// Which generation of it.
    pub generation: u32,
    /// The device that may spend it.
    pub device: DeviceId,
    /// The enrolment of the device to which it was granted.
    pub enrolment: u32,
    /// The member it was granted from; a merge does not change it.
    pub member: MemberId,
    /// The unit.
    pub unit: Unit,
    /// All that was ever granted in this generation.
    pub granted_total: Amount,
    /// Legs paid from its escrow.
    pub settled: Amount,
    /// Legs paid by `loss/device` after it was written off.
    pub lost: Amount,
    /// What went back by its close, or by verdicts after it.
    pub released: Amount,
    /// What went back when it was written off; none while it is not.
    pub written_off: Option<Amount>,
    /// What suspended legs moved the device's counter by, and no verdict has explained yet.
    pub disputed: Amount,
    /// What verdicts took out of that without charging the lease.
    pub dismissed: Amount,
    /// The largest `spent_total` that a fact named.
    pub spent_reported: Amount,
    /// Seq of the newest fact that named it, 0 before the first.
    pub last_seq: u64,
    /// Parts of the device's counter that facts not yet read must explain (kind 25), in order.
    pub holes: Vec<Hole>,
    /// The `spent_total` of its `LeaseClosed`; none while it is open.
    pub closed: Option<Amount>,
    /// Its conditions.
    pub terms: LeaseTerms,
    /// Version of its newest state.
    pub version: Version,
    /// When that state was made.
    pub set_at: Instant,
    /// Number of the central epoch in which this generation was first granted.
    pub first_epoch: u32,
}

/// A stretch of the device's counter that no fact has explained yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hole {
    /// From this `spent_total` on.
    pub from: Amount,
    /// Up to this one.
    pub to: Amount,
}

impl LeaseRow {
    /// What lies in escrow for this generation.
    #[must_use]
    pub fn escrow(&self) -> Amount {
        let gone = self.settled.0 + self.released.0 + self.written_off.unwrap_or_default().0;
        Amount(self.granted_total.0 - gone)
    }

    /// Whether the device may still be spending it: neither closed nor written off.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none() && self.written_off.is_none()
    }

    /// What of escrow the device says it spent, although no readable fact settled it: it stays until explained.
    #[must_use]
    pub fn unexplained(&self) -> Amount {
        let top = self.spent_reported.max(self.closed.unwrap_or_default());
        let open = top.0 - self.settled.0 - self.lost.0 - self.dismissed.0;
        Amount(open).max(Amount::ZERO).min(self.escrow())
    }

    /// What the device can still spend at most, as far as the centre knows.
    #[must_use]
    pub fn remaining(&self) -> Amount {
        if self.is_open() { Amount(self.escrow().0 - self.unexplained().0) } else { Amount::ZERO }
    }

    /// What may be lost if a written-off lease was spent at a silent device; a figure on the case, not a posting.
    #[must_use]
    pub fn contingent_loss(&self) -> Amount {
        match (self.written_off, self.closed) {
            (Some(rest), None) => Amount(rest.0 - self.lost.0),
            _ => Amount::ZERO,
        }
    }

    /// The state to sign and send.
    #[must_use]
    pub fn state(&self) -> LeaseState {
        LeaseState {
            lease: self.lease,
            generation: self.generation,
            device: self.device,
            member: self.member,
            unit: self.unit,
            granted_total: self.granted_total,
            terms: self.terms.clone(),
            version: self.version,
            signature: Vec::new(),
        }
    }

    /// Whether a write-off now needs a second person: before its time and one day are over the device may be spending.
    #[must_use]
    pub fn write_off_needs_second(&self, now: Instant) -> bool {
        let ttl_us = i64::try_from(self.terms.ttl_s).unwrap_or(i64::MAX).saturating_mul(SECOND_US);
        now < self.set_at.offset(ttl_us.saturating_add(DAY_US))
    }
}

/// The number of the next generation of a lease: above every earlier one, and of no other central epoch.
#[must_use]
pub fn next_generation(last: Option<u32>, epoch: CentralEpoch) -> u32 {
    let floor = epoch.n.saturating_sub(1).saturating_mul(GENERATIONS_PER_EPOCH).saturating_add(1);
    last.map_or(floor, |last| floor.max(last.saturating_add(1)))
}

/// What setting a lease did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The row after.
    pub row: LeaseRow,
    /// What moves from `available` into escrow.
    pub moved: Amount,
}

/// Why a lease cannot be set so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetRefused {
    /// The generation is closed or written off.
    #[error("lease generation expected open, met one that has ended")]
    Ended,
    /// Another generation of the lease is open.
    #[error("no other open generation of the lease expected")]
    OtherOpen,
    /// `granted_total` would shrink, or the version would not grow.
    #[error("a lease may only grow")]
    Shrinks,
    /// Device, member or unit differ from those of a generation of the lease: a lease is of one purse for ever.
    #[error("lease expected of the same device, member and unit")]
    OtherPurse,
    /// The generation was granted to an earlier enrolment: the counter of today's begins elsewhere.
    #[error("lease expected of the device's newest enrolment")]
    OtherEnrolment,
    /// More than the member has available.
    #[error("at most what is available may be set aside")]
    NotAvailable,
}

/// Sets a lease: a grant, a raise, or a new generation. `rows` are all known generations of that lease; `enrolment` is
/// the device's newest.
///
/// # Errors
/// [`SetRefused`]; nothing changes then.
pub fn set(
    rows: &[LeaseRow],
    act: &LeaseSet,
    enrolment: u32,
    available: Amount,
    at: Instant,
) -> Result<Set, SetRefused> {
    if rows.iter().any(|row| row.generation != act.generation && row.is_open()) {
        return Err(SetRefused::OtherOpen);
    }
    if rows.iter().any(|row| (row.device, row.member, row.unit) != (act.device, act.member, act.unit)) {
        return Err(SetRefused::OtherPurse);
    }
    let known = rows.iter().find(|row| row.generation == act.generation);
    if let Some(row) = known {
        allow_raise(row, act, enrolment)?;
    } else if rows.iter().any(|row| row.generation > act.generation || row.version >= act.version)
        || act.granted_total < Amount::ZERO
    {
        return Err(SetRefused::Shrinks);
    }
    let before = known.map_or(Amount::ZERO, |row| row.granted_total);
    let moved = act.granted_total.minus(before).map_err(|AmountOverflow| SetRefused::Shrinks)?;
    if moved > available.max(Amount::ZERO) {
        return Err(SetRefused::NotAvailable);
    }
    let fresh = || fresh_row(&state_of(act), enrolment, at);
    let row = LeaseRow {
        granted_total: act.granted_total,
        terms: act.terms.clone(),
        version: act.version,
        set_at: at,
        ..known.cloned().unwrap_or_else(fresh)
    };
    Ok(Set { row, moved })
}

fn allow_raise(row: &LeaseRow, act: &LeaseSet, enrolment: u32) -> Result<(), SetRefused> {
    if !row.is_open() {
        return Err(SetRefused::Ended);
    }
    if row.enrolment != enrolment {
        return Err(SetRefused::OtherEnrolment);
    }
    if act.granted_total < row.granted_total || act.version <= row.version {
        return Err(SetRefused::Shrinks);
    }
    Ok(())
}

fn state_of(act: &LeaseSet) -> LeaseState {
    LeaseState {
        lease: act.lease,
        generation: act.generation,
        device: act.device,
        member: act.member,
        unit: act.unit,
        granted_total: act.granted_total,
        terms: act.terms.clone(),
        version: act.version,
        signature: Vec::new(),
    }
}

fn fresh_row(state: &LeaseState, enrolment: u32, at: Instant) -> LeaseRow {
    LeaseRow {
        lease: state.lease,
        generation: state.generation,
        device: state.device,
        enrolment,
        member: state.member,
        unit: state.unit,
        granted_total: state.granted_total,
        settled: Amount::ZERO,
        lost: Amount::ZERO,
        released: Amount::ZERO,
        written_off: None,
        disputed: Amount::ZERO,
        dismissed: Amount::ZERO,
        spent_reported: Amount::ZERO,
        last_seq: 0,
        holes: Vec::new(),
        closed: None,
        terms: state.terms.clone(),
        version: state.version,
        set_at: at,
        first_epoch: state.version.epoch,
    }
}

/// What a `LeaseClosed` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The row after.
    pub row: LeaseRow,
    /// What leaves escrow; [`repay`] says where to.
    pub release: Amount,
    /// 5 if the counter does not agree with the facts seen, 8 if the generation was closed already.
    pub kind: Option<u8>,
}

/// Takes in a `LeaseClosed`, when the cursor passes it. Releases `granted_total` − `spent_total`; what of `spent_total`
/// no fact has settled stays in escrow until explained. Of a written-off lease nothing is left to release. `unread` says
/// that facts of the device since [`LeaseRow::last_seq`] could not be read. A close of a generation that is not known here,
/// or with a held fact before it, is held itself and must not get here.
#[must_use]
pub fn close(row: &LeaseRow, spent_total: Amount, seq: u64, unread: bool) -> Closed {
    if row.closed.is_some() {
        return Closed { row: row.clone(), release: Amount::ZERO, kind: Some(spend::KIND_STALE) };
    }
    let mut row = LeaseRow { closed: Some(spent_total), last_seq: row.last_seq.max(seq), ..row.clone() };
    let gap = spent_total > row.spent_reported;
    if gap && unread && row.spent_reported < row.granted_total {
        row.holes.push(Hole { from: row.spent_reported, to: spent_total.min(row.granted_total) });
    }
    let agrees = spent_total == row.spent_reported || (gap && unread && spent_total <= row.granted_total);
    let release = release_rest(&mut row);
    Closed { row, release, kind: (!agrees).then_some(spend::KIND_OVER) }
}

/// Of a closed row, releases what nothing claims. Zero for an open one.
fn release_rest(row: &mut LeaseRow) -> Amount {
    if row.closed.is_none() {
        return Amount::ZERO;
    }
    let claimed = if on(Mutant::CloseOutsideChain) { Amount::ZERO } else { row.unexplained() };
    let release = Amount(row.escrow().0 - claimed.0);
    row.released = Amount(row.released.0 + release.0);
    release
}

/// Writes a lease off: all that lies in its escrow goes back, and what the device spent of it unseen will be a loss.
/// Gives the row after and the amount; `None` if it was written off already.
#[must_use]
pub fn write_off(row: &LeaseRow) -> Option<(LeaseRow, Amount)> {
    let rest = row.escrow();
    row.written_off.is_none().then(|| (LeaseRow { written_off: Some(rest), ..row.clone() }, rest))
}

/// What a member owes before anything returned is theirs, in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Debts {
    /// What recoveries booked to `loss/recovery` for the member and unit and was not paid back.
    pub recovery_loss: Amount,
    /// Number of the central epoch whose recovery booked it last; leases granted in an earlier one pay it back.
    pub recovery_epoch: u32,
    /// The member's `owed`.
    pub owed: Amount,
}

/// Where an amount goes that a lease returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repaid {
    /// To `loss/recovery`.
    pub to_recovery: Amount,
    /// To the member's `owed`.
    pub to_owed: Amount,
    /// To the member's `available`.
    pub to_available: Amount,
}

/// Where an amount goes that leaves the escrow of a lease towards its member: first what a recovery lost, if the lease
/// was granted before that recovery ended, then `owed`, then `available`.
#[must_use]
pub fn repay(amount: Amount, first_epoch: u32, debts: Debts) -> Repaid {
    let before_recovery = first_epoch < debts.recovery_epoch && !on(Mutant::RecoveryLossNotRepaid);
    let loss = if before_recovery { debts.recovery_loss } else { Amount::ZERO };
    let owed = if on(Mutant::OwedNotPaidFirst) { Amount::ZERO } else { debts.owed };
    let to_recovery = amount.min(loss);
    let to_owed = Amount(amount.0 - to_recovery.0).min(owed);
    let to_available = Amount(amount.0 - to_recovery.0 - to_owed.0);
    Repaid { to_recovery, to_owed, to_available }
}
