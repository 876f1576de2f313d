//! Finding out that this centre was rolled back, and who has not yet shown its leases since.
//!
//! A terminal's echo carries this centre's own signature; if it names what the database does not have, the database is
//! an older one than was signed for. Then a new central epoch begins at once, in the transaction that met the proof.
//! Signatures are checked before ([`Proven`]). What is granted again is decided by the rules, and who has
//! reported stands with the device.

use hufu_shared::act::{Act, Actor, LeasesReported, RecoveryEnded};
use hufu_shared::ids::{DeviceId, EntryId, Hash, LeaseId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::amount_of;
use hufu_shared::time::Instant;
use hufu_shared::wire::lease::LeaseState;
use hufu_shared::wire::upload::{Attempt, LeaseReport, ReceiptMark};
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::{StoreError, acts, asked, contact, journal, rows, world};
use crate::db::{Question, SqlFile, Tx, Value};
use crate::rules::entry::journal_start;
use crate::rules::lease::recovery::{self, Standing, Terminal, Waiting};
use crate::rules::world::DeviceStatus;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("recovery", include_str!("../../sql/both/recovery.sql"));

/// What an attempt brings with this centre's good signature on it.
#[derive(Debug, Clone, Default)]
pub struct Proven {
    /// The mark of the last receipt.
    pub mark: Option<ReceiptMark>,
    /// The leases in the terminal's hands, and the life of the centre to which it shows them.
    pub report: Option<LeaseReport>,
    /// What to do if it proves that the database went back in time.
    pub on_proof: OnProof,
}

/// What to do about a proven loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OnProof {
    /// Random bits for the epoch that begins then.
    pub bits: u64,
    /// Nothing begins yet, the answer is [`StoreError::RolledBack`]: the second path may have what was lost.
    pub ask_second_path: bool,
}

impl Proven {
    /// Keeps of an attempt what this centre signed, as `holds` says of a message and a signature; the rest proves nothing.
    #[must_use]
    pub fn of(attempt: &Attempt, holds: impl Fn(&[u8], &[u8]) -> bool) -> Self {
        let mark = attempt.echo.clone().filter(|mark| holds(&mark.message(), &mark.signature));
        let report = attempt.lease_report.clone().map(|mut report| {
            report.states.retain(|state| holds(&state.message(), &state.signature));
            report
        });
        Self { mark, report, on_proof: OnProof::default() }
    }
}

impl Proven {
    /// What the terminal says it holds, to the life `epoch` of the centre; none if it does not know of that life yet.
    /// One that holds a receipt of that life and says nothing has nothing of an earlier one: it was enrolled in this.
    fn reported_to(&self, epoch: CentralEpoch) -> Option<Vec<LeaseState>> {
        match (&self.report, &self.mark) {
            (Some(report), _) if report.epoch == epoch => Some(report.states.clone()),
            (None, Some(mark)) if mark.central_epoch == epoch => Some(Vec::new()),
            _ => None,
        }
    }
}

/// Where the acts of an attempt come from.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The terminal.
    pub device: DeviceId,
    /// Its enrolment.
    pub enrolment: u32,
    /// The entry of the delivery; the acts get ids of their own from it.
    pub entry: EntryId,
    /// The time.
    pub now: Instant,
}

/// Looks at what an attempt proves, before its facts are taken: begins a recovery, grants again what the terminal shows,
/// ends the recovery with the last terminal. Answers whether it took an act.
///
/// # Errors
/// [`StoreError`]; then nothing was kept.
pub fn heard(tx: &mut Tx<'_>, from: Source, proven: &Proven) -> Result<bool, StoreError> {
    let epoch = journal::club(tx)?.epoch;
    if let Some(mark) = &proven.mark
        && looked_at(tx, from, mark, (epoch, proven.on_proof))?
    {
        return Ok(true);
    }
    let state = world::recovery(tx)?;
    // One that reports after the wait was ended is heard just as well: its leases may be spent.
    if state.epoch != epoch.n {
        return Ok(false);
    }
    let Some(states) = proven.reported_to(epoch) else { return Ok(false) };
    let mut acted = false;
    if world::device_row(tx, from.device)?.is_some_and(|known| known.reported_epoch < epoch.n) {
        let report = LeasesReported { device: from.device, epoch: from.enrolment, states };
        take(tx, from, "report", &Act::LeasesReported(report))?;
        acted = true;
    }
    if state.since.is_some() && waiting(tx, epoch)?.is_over() {
        let ended = RecoveryEnded { epoch: epoch.n, silent: Vec::new(), reason: None };
        take(tx, from, "ended", &Act::RecoveryEnded(ended))?;
        acted = true;
    }
    Ok(acted)
}

/// Looks at a mark with this centre's good signature: if it proves that the centre was rolled back, a new epoch begins.
/// Answers whether it did.
///
/// # Errors
/// [`StoreError`]; then nothing was kept. [`StoreError::RolledBack`] if the second path is to be asked first.
pub fn look_at(
    tx: &mut Tx<'_>,
    from: Source,
    mark: &ReceiptMark,
    on_proof: OnProof,
) -> Result<bool, StoreError> {
    let epoch = journal::club(tx)?.epoch;
    looked_at(tx, from, mark, (epoch, on_proof))
}

/// What [`heard`] will ask.
pub fn questions(from: Source, proven: &Proven) -> Vec<Question> {
    let mut asked = journal::questions().to_vec();
    asked.push(asked::policy_question());
    if let Some(mark) = &proven.mark {
        asked.push(contact::cursor_question(from.device, from.enrolment));
        asked.push((SQL.get("head_at"), vec![rows::number(mark.journal_size)]));
        let known =
            |(lease, version): &(LeaseId, Version)| (SQL.get("is_known"), lease_key(*lease, *version));
        asked.extend(mark.leases.iter().map(known));
    }
    asked
}

fn looked_at(
    tx: &mut Tx<'_>,
    from: Source,
    mark: &ReceiptMark,
    (epoch, on_proof): (CentralEpoch, OnProof),
) -> Result<bool, StoreError> {
    if !proves_rollback(tx, from, mark, epoch)? {
        return Ok(false);
    }
    if on_proof.ask_second_path {
        return Err(StoreError::RolledBack);
    }
    let epoch = recovery::next_epoch(&[epoch, mark.central_epoch], on_proof.bits);
    tracing::error!(
        device = %from.device,
        epoch = epoch.n,
        journal_size = mark.journal_size,
        "this centre was rolled back: a terminal holds its signature on what it does not have"
    );
    take(tx, from, "epoch", &Act::EpochBegun(epoch))?;
    Ok(true)
}

fn take(tx: &mut Tx<'_>, from: Source, label: &str, act: &Act) -> Result<(), StoreError> {
    let mut id = [0; 16];
    id.copy_from_slice(&Hash::of(&[b"hufu-recovery", &from.entry.0, label.as_bytes()]).0[..16]);
    acts::take(tx, EntryId(id), from.now, &Actor::Device(from.device), act).map(|_| ())
}

fn proves_rollback(
    tx: &mut Tx<'_>,
    from: Source,
    mark: &ReceiptMark,
    epoch: CentralEpoch,
) -> Result<bool, StoreError> {
    if mark.device != from.device {
        // Another terminal's cursor says nothing of this one's; it can show its mark itself.
        return Ok(false);
    }
    let (journal_size, _) = journal::published(tx)?;
    let acked_seq = contact::cursor(tx, from.device, from.enrolment)?.map_or(0, |(seq, _)| seq);
    let head_there = head_at(tx, mark.journal_size)?;
    let mut unknown = false;
    for (lease, version) in &mark.leases {
        unknown |= !is_known(tx, *lease, *version)?;
    }
    let standing = Standing { epoch, journal_size, head_there, acked_seq };
    Ok(recovery::evidence_of_mark(mark, &standing, |_| !unknown).is_some())
}

/// The head of the published chain at a size.
fn head_at(tx: &mut Tx<'_>, size: u64) -> Result<Option<Hash>, StoreError> {
    if size == 0 {
        return Ok(Some(journal_start()));
    }
    let row = tx.query_opt(SQL.get("head_at"), &[rows::number(size)])?;
    row.map(|row| Ok(Hash(row.array(0)?))).transpose()
}

/// Whether a version of a lease's state, or a later one, was made here.
fn is_known(tx: &mut Tx<'_>, lease: LeaseId, version: Version) -> Result<bool, StoreError> {
    Ok(tx.query_one(SQL.get("is_known"), &lease_key(lease, version))?.int(0)? > 0)
}

fn lease_key(lease: LeaseId, version: Version) -> Vec<Value> {
    vec![lease.0.into(), i64::from(version.epoch).into(), rows::number(version.n)]
}

/// Who a recovery still waits for, and what ending the wait could cost at most.
///
/// # Errors
/// [`StoreError`].
pub fn waiting(tx: &mut Tx<'_>, epoch: CentralEpoch) -> Result<Waiting, StoreError> {
    let policy = world::base(tx)?.policy;
    let since = world::recovery(tx)?.since.unwrap_or_default();
    let mut terminals = Vec::new();
    for row in tx.query(SQL.get("terminals"), &[])? {
        let status = row.text(1)?;
        let status =
            DeviceStatus::from_code(status).ok_or_else(|| rows::unknown("status of a device", status))?;
        if status == DeviceStatus::Invited {
            continue;
        }
        terminals.push(Terminal {
            device: DeviceId(row.array(0)?),
            revoked: status == DeviceStatus::Revoked,
            reported_epoch: rows::u32_at(&row, 2, "epoch of a report")?,
            heard_at: row.int_opt(3)?.map(Instant),
            cap: Amount(Unit::ALL.iter().map(|unit| amount_of(&policy.lease.device_cap, *unit).0).sum()),
        });
    }
    Ok(recovery::waiting(&terminals, epoch, since))
}
