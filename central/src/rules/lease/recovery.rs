//! Leases of a centre that was rolled back: what proves it, what is granted again, and when it is over.
//!
//! A centre that finds its own signature on something it does not have was rolled back. It begins a new central epoch,
//! and until every terminal has shown the leases it holds nothing debits `available`: what terminals hold was set aside
//! once, and only they know how much. Each lease shown is granted again up to its signed `granted_total`, before the
//! terminal's facts are taken; what `available` cannot cover is the club's loss, paid back first by what such leases
//! return ([`super::repay`]).
//! Out of scope: signatures (checked before), the second path of grants and acts, who is told.

use hufu_shared::ids::{DeviceId, Hash};
use hufu_shared::money::Amount;
use hufu_shared::time::Instant;
use hufu_shared::wire::lease::LeaseState;
use hufu_shared::wire::upload::ReceiptMark;
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::{LeaseRow, fresh_row};

/// What the centre knows to compare a mark with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its epoch.
    pub epoch: CentralEpoch,
    /// Entries of its published journal.
    pub journal_size: u64,
    /// Head of its journal's chain at the mark's size; none if it has no such size.
    pub head_there: Option<Hash>,
    /// The device's cursor in the enrolment that the mark is about.
    pub acked_seq: u64,
}

/// Proof that the centre once had more, or something else, than it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// A later epoch, or the same number with other random bits.
    Epoch,
    /// A larger journal.
    JournalSize,
    /// Another head at the same size.
    JournalHead,
    /// A cursor above the device's.
    Cursor,
    /// A lease state that was never made here.
    LeaseState,
}

/// What a mark with this centre's good signature proves. `lease_known` says whether the lease version named was made
/// here. Marks of earlier epochs prove nothing new: that they are ahead is why the epoch ended.
#[must_use]
pub fn evidence_of_mark(
    mark: &ReceiptMark,
    standing: &Standing,
    lease_known: impl Fn(&(hufu_shared::ids::LeaseId, Version)) -> bool,
) -> Option<Evidence> {
    if mark.central_epoch != standing.epoch {
        return (mark.central_epoch.n >= standing.epoch.n).then_some(Evidence::Epoch);
    }
    if mark.journal_size > standing.journal_size {
        return Some(Evidence::JournalSize);
    }
    if standing.head_there != Some(mark.journal_head) {
        return Some(Evidence::JournalHead);
    }
    if mark.acked_seq > standing.acked_seq {
        return Some(Evidence::Cursor);
    }
    (!mark.leases.iter().all(lease_known)).then_some(Evidence::LeaseState)
}

/// What a lease state with this centre's good signature proves. `known` is the hash of the state that this centre made
/// with that lease and version, if it made one. States of earlier epochs prove nothing new.
#[must_use]
pub fn evidence_of_state(
    state: &LeaseState,
    epoch: CentralEpoch,
    state_hash: Hash,
    known: Option<Hash>,
) -> Option<Evidence> {
    if state.version.epoch > epoch.n {
        return Some(Evidence::Epoch);
    }
    (state.version.epoch == epoch.n && known != Some(state_hash)).then_some(Evidence::LeaseState)
}

/// The epoch to begin: its number stands above every one met, in the database, on the second path and in any echo.
#[must_use]
pub fn next_epoch(met: &[CentralEpoch], bits: u64) -> CentralEpoch {
    let highest = met.iter().map(|epoch| epoch.n).max().unwrap_or(0);
    CentralEpoch { n: highest.saturating_add(1), bits }
}

/// What granting a reported lease again did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regrant {
    /// The row after.
    pub row: LeaseRow,
    /// What moves from the member's `available` into escrow.
    pub from_available: Amount,
    /// What moves from `loss/recovery` into escrow, because nothing was available.
    pub from_loss: Amount,
}

/// Grants a lease again up to the signed `granted_total`, whatever member, device or block list say today: it was
/// granted once, and it may be spent. `row` is what the centre knows of that lease and generation, `enrolment` the
/// reporting device's. `None` if nothing is missing, or the lease was closed. A regrant never shrinks a lease and never reopens one.
///
/// Of a lease that was written off here the member's part was given back, so what it had more is written off with it:
/// spends up to there are `loss/device`, and nothing moves now.
#[must_use]
pub fn regrant(
    row: Option<&LeaseRow>,
    state: &LeaseState,
    enrolment: u32,
    available: Amount,
    at: Instant,
) -> Option<Regrant> {
    let before = row.map_or(Amount::ZERO, |row| row.granted_total);
    let missing = Amount(state.granted_total.0.saturating_sub(before.0));
    let newer = row.is_none_or(|row| state.version > row.version);
    let ended = row.is_some_and(|row| row.closed.is_some());
    if ended || (!newer && !missing.is_positive()) {
        return None;
    }
    let fresh = || LeaseRow { granted_total: Amount::ZERO, ..fresh_row(state, enrolment, at) };
    let mut row = row.cloned().unwrap_or_else(fresh);
    let missing = missing.max(Amount::ZERO);
    row.granted_total = Amount(row.granted_total.0 + missing.0);
    row.version = row.version.max(state.version);
    row.terms = if newer { state.terms.clone() } else { row.terms };
    if let Some(rest) = row.written_off {
        row.written_off = Some(Amount(rest.0 + missing.0));
        return Some(Regrant { row, from_available: Amount::ZERO, from_loss: Amount::ZERO });
    }
    let from_available = missing.min(available.max(Amount::ZERO));
    let from_loss = Amount(missing.0 - from_available.0);
    Some(Regrant { row, from_available, from_loss })
}

/// A terminal that a recovery waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Which.
    pub device: DeviceId,
    /// A revoked one is not waited for.
    pub revoked: bool,
    /// Number of the newest central epoch under which it reported its leases, 0 for none.
    pub reported_epoch: u32,
    /// When it was last heard of.
    pub heard_at: Option<Instant>,
    /// The most that it may hold over all members.
    pub cap: Amount,
}

/// Who a recovery still waits for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Terminals that were heard of lately.
    pub silent: Vec<DeviceId>,
    /// Terminals that had been silent for [`SILENT_DAYS`] before the restored state's last entry, listed apart.
    pub long_silent: Vec<DeviceId>,
    /// The largest loss if the wait ended now: the sum of the caps of both.
    pub largest_loss: Amount,
}

impl Waiting {
    /// Whether nobody is waited for, so that the recovery ends by itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.silent.is_empty() && self.long_silent.is_empty()
    }
}

/// Days without a word before the restored state's last entry after which a terminal is listed apart.
pub const SILENT_DAYS: i64 = 7;

/// Who the recovery of `epoch` still waits for; `last_entry` is when the restored state's last entry was received.
#[must_use]
pub fn waiting(terminals: &[Terminal], epoch: CentralEpoch, last_entry: Instant) -> Waiting {
    let mut waiting = Waiting::default();
    for terminal in terminals {
        if terminal.revoked || terminal.reported_epoch >= epoch.n {
            continue;
        }
        let long_ago = last_entry.offset(-SILENT_DAYS * hufu_shared::time::DAY_US);
        let long = terminal.heard_at.is_none_or(|heard| heard < long_ago);
        let list = if long { &mut waiting.long_silent } else { &mut waiting.silent };
        list.push(terminal.device);
        waiting.largest_loss = Amount(waiting.largest_loss.0.saturating_add(terminal.cap.0));
    }
    waiting
}
