//! One delivery of a batch, inside its transaction: judged by `rules::ingest`, written by `store::journal`.
//!
//! A delivery that cannot be taken whole (some fact breaks a constraint) is tried fact by fact under savepoints; the
//! facts that fail are listed in the one entry and set aside for ever, so that nothing stands at the head of a queue.
//! The result is always rebuilt from what is stored, so every retry gives the same bytes.

use std::sync::Arc;

use hufu_shared::chain;
use hufu_shared::fact::stated_in;
use hufu_shared::ids::{DeviceId, EntryId, FactId, Hash};
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::{ResultPart, Upload};

use crate::db::{DbError, Question, Tx};
use crate::rules::entry::{EntryBody, Quarantined, Review, TakenBatch, TakenSample};
use crate::rules::ingest::{Ingest, Refusal, Sender, ingest, overlap_end, rests_on, review, sample};
use crate::rules::world::DeviceStatus;
use crate::store::recovery::{self, Proven, Source};
use crate::store::{StoreError, asked, contact, directory, journal, leases, world};

/// Bytes of facts kept for review of one forked enrolment; a stopped terminal may show more, at no cost of the disk.
const FORK_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes of facts that one terminal may put before a person: more than the queue of a month, less than hurts a disk.
pub const REVIEW_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What came, from whom, and what the shell adds.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The device that the certificate names.
    pub device: DeviceId,
    /// Its address.
    pub address: String,
    /// The upload.
    pub upload: Arc<Upload>,
    /// Id of the entry that it may become.
    pub entry: EntryId,
    /// The time.
    pub now: Instant,
    /// Whether it was carried by hand: then it is no contact with the device, and its clock says nothing.
    pub by_stick: bool,
    /// What it brings with this centre's own signature.
    pub proven: Proven,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Durable, now or before.
    Receipt(ResultPart),
    /// Durable likewise, for a person to look through.
    Noted(ResultPart),
    /// Facts are missing before it.
    Gap {
        /// The seq that is expected next.
        send_from: u64,
    },
    /// Facts are missing that nobody has any more.
    Lost {
        /// The first.
        from_seq: u64,
        /// The last.
        to_seq: u64,
    },
    /// Another history.
    Fork {
        /// What was met, for the terminal's staff.
        detail: String,
    },
    /// Nothing of it can be believed.
    Refused(Refusal),
}

impl Taken {
    fn noted(result: ResultPart) -> Self {
        Self::Noted(ResultPart { dispositions: Vec::new(), ..result })
    }
}

/// Takes a delivery in.
///
/// # Errors
/// [`StoreError`]; then nothing was kept.
pub fn take(tx: &mut Tx<'_>, delivery: &Delivery) -> Result<Taken, StoreError> {
    tx.ask_ahead(questions(delivery))?;
    let mut received = journal::pass_gate(tx, delivery.now)?;
    let upload = &*delivery.upload;
    let device = delivery.device;
    let Some(known) = world::device_row(tx, device)? else {
        return Ok(Taken::Refused(Refusal::Unknown { device }));
    };
    let (status, epoch) = (known.status, known.epoch);
    if status == DeviceStatus::Active && upload.header.epoch == epoch && heard(tx, delivery)? {
        received = journal::pass_gate(tx, delivery.now)?;
    }
    let Some(mut sender) = sender(tx, device, status, epoch, upload)? else {
        return Ok(Taken::Refused(Refusal::Epoch { met: upload.header.epoch, expected: epoch }));
    };
    sender.is_live = !delivery.by_stick;
    let review = review(status, epoch, upload.header.epoch);
    let judged = within_quota(tx, device, review, ingest(&sender, upload, received))?;
    let counts = (matches!(judged, Ingest::Duplicate), matches!(judged, Ingest::Gap { .. }));
    let is_heard = !matches!(judged, Ingest::Refused(_)) && !delivery.by_stick;
    let stopped = match review {
        Some(_) => in_review(tx, delivery, &judged, received)?,
        None => stopped(tx, delivery, &judged, &sender, received)?,
    };
    let taken = match stopped {
        Some(stopped) => stopped,
        None => take_in(tx, delivery, judged, (&sender, review), received)?,
    };
    // After the entry: what is written before it would have to be waited for before it can be read.
    if is_heard {
        contact::delivered(tx, device, &delivery.address, upload.attempt.waiting, counts, delivery.now)?;
    }
    Ok(taken)
}

/// Takes in what was found good.
fn take_in(
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    judged: Ingest,
    (sender, review): (&Sender, Option<Review>),
    received: Instant,
) -> Result<Taken, StoreError> {
    let (upload, device) = (&*delivery.upload, delivery.device);
    let (acked, epoch) = (sender.known.acked_seq, sender.epoch);
    match judged {
        Ingest::New(mut batch) => {
            batch.knew = directory::known_at(tx, &batch.knew)?;
            let last = batch.from_seq + batch.bodies.len() as u64 - 1;
            if review.is_some() {
                contact::add_review_bytes(tx, device, bytes_of(&batch))?;
            }
            take_batch(tx, delivery, received, batch)?;
            keep_sealed(tx, upload, acked)?;
            let result = receipt(tx, upload, last)?;
            Ok(if review.is_some() { Taken::noted(result) } else { Taken::Receipt(result) })
        }
        Ingest::Duplicate => {
            if sender.boot.is_some()
                && let Some(sample) = sample(sender, upload, received)
            {
                let taken = TakenSample { device, epoch, sample };
                journal::take(tx, delivery.entry, received, EntryBody::Sample(taken))?;
            }
            let result = receipt(tx, upload, acked)?;
            Ok(if review.is_some() { Taken::noted(result) } else { Taken::Receipt(result) })
        }
        Ingest::Gap { send_from } => Ok(Taken::Gap { send_from }),
        Ingest::Lost(loss) => {
            let (from_seq, to_seq) = (loss.from_seq, loss.to_seq);
            journal::take(tx, delivery.entry, received, EntryBody::Lost(loss))?;
            Ok(Taken::Lost { from_seq, to_seq })
        }
        Ingest::Fork(fork) => {
            let detail = fork_words(fork.seq, fork.stored, fork.shown);
            keep_branch(tx, upload, fork.seq, received)?;
            journal::take(tx, delivery.entry, received, EntryBody::Fork(fork))?;
            Ok(Taken::Fork { detail })
        }
        Ingest::Refused(refusal) => Ok(Taken::Refused(refusal)),
    }
}

/// What every delivery asks, the gate before all: whatever is read beside it is read behind it.
fn questions(delivery: &Delivery) -> Vec<Question> {
    let (device, upload) = (delivery.device, &*delivery.upload);
    let header = &upload.header;
    let stated = rests_on(upload, header.from_seq.saturating_sub(1));
    let mut asked = vec![journal::gate()];
    asked.extend(asked::device_questions(device, header.epoch));
    asked.extend(contact::questions(device, header.epoch, upload.attempt.boot_seq, stated));
    asked.extend(recovery::questions(source(delivery), &delivery.proven));
    asked
}

/// Takes in what a delivery says with this centre's own signature; whether acts were taken.
fn heard(tx: &mut Tx<'_>, delivery: &Delivery) -> Result<bool, StoreError> {
    if let Some(mark) = &delivery.proven.mark {
        leases::echoed(tx, delivery.device, &mark.leases)?;
    }
    recovery::heard(tx, source(delivery), &delivery.proven)
}

fn source(delivery: &Delivery) -> Source {
    let enrolment = delivery.upload.header.epoch;
    Source { device: delivery.device, enrolment, entry: delivery.entry, now: delivery.now }
}

/// What a person would have to look through grows no further than [`REVIEW_BYTES_MAX`].
fn within_quota(
    tx: &mut Tx<'_>,
    device: DeviceId,
    review: Option<Review>,
    judged: Ingest,
) -> Result<Ingest, StoreError> {
    if let (Some(_), Ingest::New(batch)) = (review, &judged) {
        let bytes = contact::review_bytes(tx, device)?;
        if bytes + bytes_of(batch) > REVIEW_BYTES_MAX {
            let at_most = REVIEW_BYTES_MAX;
            return Ok(Ingest::Refused(Refusal::ReviewFull { device, bytes, at_most }));
        }
    }
    Ok(judged)
}

fn bytes_of(batch: &TakenBatch) -> u64 {
    batch.bodies.iter().map(|body| body.len() as u64).sum()
}

fn sender(
    tx: &mut Tx<'_>,
    device: DeviceId,
    status: DeviceStatus,
    epoch: u32,
    upload: &Upload,
) -> Result<Option<Sender>, StoreError> {
    let header = &upload.header;
    let named = header.epoch.min(epoch);
    let Some(known) = world::epoch_row(tx, device, named)? else { return Ok(None) };
    let hash_at_overlap = match overlap_end(header.from_seq, u64::from(header.count), known.acked_seq) {
        Some(seq) if seq == known.acked_seq => Some(known.head),
        Some(seq) => world::fact_hash(tx, FactId { device, epoch: named, seq })?,
        None => None,
    };
    // Whoever was enrolled again by a person may show what it has of before, if the key of then is gone.
    let mut keys = world::epoch_keys(tx, device, named)?;
    if named < epoch {
        keys.extend(world::epoch_keys(tx, device, epoch)?);
    }
    let boot = contact::boot(tx, device, named, upload.attempt.boot_seq)?;
    let stated = contact::stated(tx, device, named, rests_on(upload, known.acked_seq))?;
    Ok(Some(Sender { device, status, epoch, known, keys, hash_at_overlap, stated, is_live: true, boot }))
}

/// A device that waits for a person gets no new facts in; what it shows is kept for the review, both branches alike.
fn stopped(
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    judged: &Ingest,
    sender: &Sender,
    received: Instant,
) -> Result<Option<Taken>, StoreError> {
    let acked = sender.known.acked_seq;
    if matches!(judged, Ingest::Refused(_)) {
        return Ok(None);
    }
    match sender.status {
        DeviceStatus::Forked => {
            let from = if let Ingest::Fork(fork) = judged { fork.seq } else { acked };
            keep_branch(tx, &delivery.upload, from, received)?;
            let detail = "this terminal showed two histories; a person must enrol it again".to_owned();
            Ok(Some(Taken::Fork { detail }))
        }
        DeviceStatus::Lost if !matches!(judged, Ingest::Duplicate) => {
            let to_seq = delivery.upload.attempt.oldest_held.saturating_sub(1).max(acked + 1);
            Ok(Some(Taken::Lost { from_seq: acked + 1, to_seq }))
        }
        _ => Ok(None),
    }
}

/// What is shown for review may neither stop a terminal nor start it: a fork is kept beside, a loss is only told.
fn in_review(
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    judged: &Ingest,
    received: Instant,
) -> Result<Option<Taken>, StoreError> {
    match judged {
        Ingest::Fork(fork) => {
            keep_branch(tx, &delivery.upload, fork.seq, received)?;
            let detail = fork_words(fork.seq, fork.stored, fork.shown);
            Ok(Some(Taken::Fork { detail }))
        }
        Ingest::Lost(loss) => Ok(Some(Taken::Lost { from_seq: loss.from_seq, to_seq: loss.to_seq })),
        _ => Ok(None),
    }
}

fn fork_words(seq: u64, stored: Hash, shown: Hash) -> String {
    format!(
        "the chain at seq {seq} is {stored} here, the terminal shows {shown}: a person must enrol it again"
    )
}

/// Takes the batch as one entry, if need be with the facts listed that cannot be applied.
fn take_batch(
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    received: Instant,
    mut batch: TakenBatch,
) -> Result<(), StoreError> {
    let whole = tx.savepoint("batch", |tx| {
        journal::take(tx, delivery.entry, received, EntryBody::Batch(batch.clone())).map(|_| ())
    });
    let error = match whole {
        Err(StoreError::Db(error)) if !may_be_of_a_fact(&error) => return Err(error.into()),
        Err(error) => error,
        Ok(()) => return Ok(()),
    };
    let failing = failing_facts(tx, delivery, received, &batch)?;
    if failing.is_empty() {
        return Err(error);
    }
    tracing::error!(
        device = %batch.device,
        epoch = batch.epoch,
        facts = ?failing.iter().map(|fact| fact.seq).collect::<Vec<_>>(),
        %error,
        "facts could not be applied and were set aside"
    );
    batch.quarantined.extend(failing);
    batch.quarantined.sort_by_key(|fact| fact.seq);
    journal::take(tx, delivery.entry, received, EntryBody::Batch(batch)).map(|_| ())
}

/// Whether a failure may be the doing of a fact. No fact is set aside because the database was slow or went away.
fn may_be_of_a_fact(error: &DbError) -> bool {
    let is_away = matches!(error, DbError::Timeout { .. } | DbError::Pool { .. } | DbError::Closed);
    !(is_away || error.is_transient() || error.is_storage())
}

/// End of a trial: everything in it is undone.
enum Trial {
    Over(Vec<Quarantined>),
    Failed(StoreError),
}

impl From<DbError> for Trial {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

/// Tries each fact as an entry of its own and undoes all of them; answers which failed, and why.
fn failing_facts(
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    received: Instant,
    batch: &TakenBatch,
) -> Result<Vec<Quarantined>, StoreError> {
    let tried: Result<(), Trial> = tx.savepoint("trial", |tx| {
        let mut failing = Vec::new();
        let mut head = chain_before(tx, batch).map_err(Trial::Failed)?;
        let within = batch.bodies.iter().zip(batch.from_seq..);
        let within = within.filter_map(|(body, seq)| stated_in(body).map(|standing| (seq, standing)));
        let stated: Vec<_> = batch.stated.iter().copied().chain(within).collect();
        for (index, body) in (0_i64..).zip(&batch.bodies) {
            let seq = batch.from_seq + index.unsigned_abs();
            head = chain::link(head, body);
            let one = TakenBatch {
                from_seq: seq,
                head,
                bodies: vec![body.clone()],
                stated: stated.clone(),
                quarantined: batch.quarantined.iter().filter(|fact| fact.seq == seq).cloned().collect(),
                ..batch.clone()
            };
            let id = trial_id(delivery.entry, seq);
            // Every entry has a time of its own; these are undone, so they may run ahead.
            let at = received.offset(1 + index);
            let result = tx
                .savepoint("fact", |tx| journal::take(tx, id, at, EntryBody::Batch(one.clone())).map(|_| ()));
            match result {
                Ok(()) => {}
                Err(StoreError::Db(error)) if !may_be_of_a_fact(&error) => {
                    return Err(Trial::Failed(error.into()));
                }
                Err(error) => {
                    failing.push(Quarantined { seq, error: error.to_string() });
                    let aside = TakenBatch {
                        quarantined: vec![Quarantined { seq, error: error.to_string() }],
                        ..one
                    };
                    journal::take(tx, id, at, EntryBody::Batch(aside)).map_err(Trial::Failed)?;
                }
            }
        }
        Err(Trial::Over(failing))
    });
    match tried {
        Err(Trial::Over(failing)) => Ok(failing),
        Err(Trial::Failed(error)) => Err(error),
        Ok(()) => Ok(Vec::new()),
    }
}

fn chain_before(tx: &mut Tx<'_>, batch: &TakenBatch) -> Result<Hash, StoreError> {
    Ok(contact::cursor(tx, batch.device, batch.epoch)?.map_or(Hash([0; 32]), |(_, head)| head))
}

/// An id that no other entry has; it is gone with the trial.
fn trial_id(entry: EntryId, seq: u64) -> EntryId {
    let mut id = [0; 16];
    id.copy_from_slice(&Hash::of(&[b"hufu-trial", &entry.0, &seq.to_be_bytes()]).0[..16]);
    EntryId(id)
}

/// Keeps the sealed parts of the facts that are new.
fn keep_sealed(tx: &mut Tx<'_>, upload: &Upload, acked_before: u64) -> Result<(), StoreError> {
    let header = &upload.header;
    for (carried, seq) in upload.facts.iter().zip(header.from_seq..) {
        if let (Some(sealed), true) = (&carried.sealed, seq > acked_before) {
            contact::put_sealed(tx, FactId { device: header.device, epoch: header.epoch, seq }, sealed)?;
        }
    }
    Ok(())
}

/// Keeps the facts from `seq` on of a branch that is not taken in, as far as [`FORK_BYTES_MAX`] allows.
fn keep_branch(tx: &mut Tx<'_>, upload: &Upload, seq: u64, received: Instant) -> Result<(), StoreError> {
    let header = &upload.header;
    let mut hash = header.prev_hash;
    let mut kept = contact::fork_bytes(tx, header.device, header.epoch)?;
    for (carried, at) in upload.facts.iter().zip(header.from_seq..) {
        hash = chain::link(hash, &carried.body);
        if at < seq {
            continue;
        }
        let more = carried.body.len() as u64;
        if kept + more > FORK_BYTES_MAX {
            let (device, epoch) = (header.device, header.epoch);
            tracing::warn!(%device, epoch, kept, seq = at, "a branch is full: facts of it are kept no more");
            break;
        }
        let id = FactId { device: header.device, epoch: header.epoch, seq: at };
        if contact::put_fork_fact(tx, id, hash, &carried.body, received)? {
            kept += more;
        }
    }
    Ok(())
}

/// The result of the part of a batch that is durable: the same for every retry.
fn receipt(tx: &mut Tx<'_>, upload: &Upload, cursor: u64) -> Result<ResultPart, StoreError> {
    let header = &upload.header;
    let last = header.from_seq + u64::from(header.count) - 1;
    let acked_seq = last.min(cursor);
    let id = FactId { device: header.device, epoch: header.epoch, seq: acked_seq };
    let told = contact::told_question(header.device, header.epoch, (header.from_seq, acked_seq));
    tx.ask_ahead(vec![asked::hash_question(id), told])?;
    let head_hash = world::fact_hash(tx, id)?.unwrap_or(header.head_hash);
    let dispositions = contact::told(tx, header.device, header.epoch, header.from_seq, acked_seq)?;
    Ok(ResultPart { acked_seq, head_hash, dispositions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_25_a_fact_is_never_set_aside_because_the_database_was_slow_or_away() {
        let statement = || "journal.add".to_owned();
        let reason = || "gone".to_owned();
        let away = [
            DbError::Timeout { statement: statement(), limit_ms: 30_000 },
            DbError::Pool { reason: reason() },
            DbError::Closed,
            DbError::Commit { reason: reason(), transient: false },
            DbError::Commit { reason: reason(), transient: true },
        ];
        for error in away {
            assert!(!may_be_of_a_fact(&error), "{error}");
        }
        let of_the_fact = DbError::Parameter { statement: statement(), reason: "too large".to_owned() };
        assert!(may_be_of_a_fact(&of_the_fact));
    }
}
