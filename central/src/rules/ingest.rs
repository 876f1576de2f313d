//! Taking facts in: a batch against the device's cursor and chain.
//!
//! The cursor is the store of what was delivered. A batch may begin before it (after a lost answer, a stick import,
//! an upgrade): then its chain must run through the hash that is stored at the last fact both sides have; the facts
//! up to there are duplicates and only the rest is new. Another hash there is a fork. A batch that begins after it
//! leaves a gap: the device is told from where to send.

use std::collections::BTreeSet;

use hufu_shared::chain;
use hufu_shared::fact::{Event, Fact, ReadError, Standing, stated_at};
use hufu_shared::ids::{DeviceId, Hash};
use hufu_shared::keys;
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::{BATCH_BYTES_MAX, BATCH_FACTS_MAX, Upload};
use hufu_shared::wire::version::{PROTO, Version};

use super::entry::{ClockSample, Quarantined, ReadOnce, Review, TakenBatch, TakenFork, TakenLoss};
use super::world::{DeviceStatus, KnownBoot, KnownEpoch};

/// What is known of the sender before the batch.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The device that the certificate names.
    pub device: DeviceId,
    /// How it stands.
    pub status: DeviceStatus,
    /// Its newest enrolment.
    pub epoch: u32,
    /// The enrolment that the batch names.
    pub known: KnownEpoch,
    /// Keys that may sign for it, DER.
    pub keys: Vec<Vec<u8>>,
    /// The hash stored at the last seq that the batch and the centre both have; `None` if the batch begins after the
    /// cursor.
    pub hash_at_overlap: Option<Hash>,
    /// What the facts of [`rests_on`] state.
    pub stated: Vec<(u64, Standing)>,
    /// Whether the device itself delivers, now; else the delivery says nothing of its clock.
    pub is_live: bool,
    /// The boot that delivers, if facts of it are here already.
    pub boot: Option<KnownBoot>,
}

/// What becomes of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ingest {
    /// There are new facts.
    New(TakenBatch),
    /// All of it is known already (kind 1).
    Duplicate,
    /// Facts are missing before it (kind 20).
    Gap {
        /// The seq that is expected next.
        send_from: u64,
    },
    /// Facts are missing before it and the device no longer holds them.
    Lost(TakenLoss),
    /// Another history (kind 21); the new facts of the other branch begin at `tail_from` in the upload.
    Fork(TakenFork),
    /// Nothing of it can be believed.
    Refused(Refusal),
}

/// Why nothing of a batch can be believed. Nothing is lost by it: the device keeps its queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A protocol of another time.
    #[error("protocol {met} met, this centre speaks {PROTO}: upgrade the centre first")]
    Proto {
        /// The protocol met.
        met: u16,
    },
    /// Another device's batch.
    #[error("batch of device {met} met in the request of device {expected}")]
    OtherDevice {
        /// Whose batch it is.
        met: DeviceId,
        /// Whose certificate it came with.
        expected: DeviceId,
    },
    /// A batch of an enrolment that is still to come.
    #[error("batch of enrolment {met} met, the device is enrolled for the {expected}. time")]
    Epoch {
        /// The enrolment met.
        met: u32,
        /// The newest one.
        expected: u32,
    },
    /// The device is not known here.
    #[error("device {device} is not known here")]
    Unknown {
        /// Which.
        device: DeviceId,
    },
    /// What a person would have to look through grows no more.
    #[error("{bytes} bytes of facts of device {device} wait for a person, {at_most} are taken at most")]
    ReviewFull {
        /// Which.
        device: DeviceId,
        /// Bytes taken so far.
        bytes: u64,
        /// Bytes at most.
        at_most: u64,
    },
    /// The header does not describe the facts.
    #[error(
        "header counts {header} facts from seq {from_seq}, the body holds {body}; 1 to {BATCH_FACTS_MAX} expected"
    )]
    Count {
        /// As the header says.
        header: u32,
        /// As the body holds.
        body: usize,
        /// The first seq.
        from_seq: u64,
    },
    /// More bytes than a batch may have.
    #[error("bodies of {met} bytes met, at most {BATCH_BYTES_MAX} expected")]
    Bytes {
        /// Bytes met.
        met: usize,
    },
    /// No such key for this enrolment.
    #[error("signing key is none of the {known} keys of this enrolment")]
    Key {
        /// How many there are.
        known: usize,
    },
    /// The signature does not hold.
    #[error("signature of the batch from seq {from_seq} does not hold")]
    Signature {
        /// The first seq.
        from_seq: u64,
    },
    /// The facts do not give the head that the header claims.
    #[error("facts {from_seq} to {to_seq} give the chain hash {computed}, the header claims {claimed}")]
    Chain {
        /// The first seq.
        from_seq: u64,
        /// The last seq.
        to_seq: u64,
        /// What the facts give.
        computed: Hash,
        /// What the header claims.
        claimed: Hash,
    },
}

/// The last seq that a batch and the centre both have, if the batch does not begin after the cursor.
#[must_use]
pub fn overlap_end(from_seq: u64, count: u64, acked_seq: u64) -> Option<u64> {
    let last = from_seq.checked_add(count)?.checked_sub(1)?;
    (from_seq <= acked_seq + 1).then(|| last.min(acked_seq))
}

/// Seqs of facts before the new ones of a batch on which the new ones rest for what stood: one, of an honest device.
#[must_use]
pub fn rests_on(upload: &Upload, acked_seq: u64) -> BTreeSet<u64> {
    let first_new = upload.header.from_seq.max(acked_seq.saturating_add(1));
    let new = upload.facts.iter().zip(upload.header.from_seq..).filter(|(_, seq)| *seq >= first_new);
    new.filter_map(|(carried, _)| stated_at(&carried.body)).filter(|seq| *seq < first_new).collect()
}

/// Why a batch of this enrolment waits for a person; none if it takes effect at once.
#[must_use]
pub fn review(status: DeviceStatus, newest_epoch: u32, epoch: u32) -> Option<Review> {
    match status {
        _ if epoch < newest_epoch => Some(Review::EarlierEnrolment),
        DeviceStatus::Revoked => Some(Review::Revoked),
        _ => None,
    }
}

/// Judges a batch. `received` is the time that the gate gave.
#[must_use]
pub fn ingest(sender: &Sender, upload: &Upload, received: Instant) -> Ingest {
    if let Err(refusal) = check_header(sender, upload) {
        return Ingest::Refused(refusal);
    }
    let header = &upload.header;
    let hashes = match check_chain(upload) {
        Ok(hashes) => hashes,
        Err(refusal) => return Ingest::Refused(refusal),
    };
    let acked = sender.known.acked_seq;
    let count = hashes.len() as u64;
    let Some(overlap) = overlap_end(header.from_seq, count, acked) else {
        return gap(sender, upload);
    };
    let shown = if overlap < header.from_seq {
        header.prev_hash
    } else {
        index(overlap - header.from_seq).and_then(|at| hashes.get(at)).copied().unwrap_or(header.prev_hash)
    };
    let straddles = overlap >= header.from_seq && header.from_seq + count - 1 > overlap;
    if sender.hash_at_overlap != Some(shown) || (straddles && mutant::on(Mutant::ForkOnStraddle)) {
        return Ingest::Fork(TakenFork {
            device: sender.device,
            epoch: header.epoch,
            seq: overlap,
            stored: sender.hash_at_overlap.unwrap_or(sender.known.head),
            shown,
            facts: (header.from_seq + count - 1).saturating_sub(overlap),
        });
    }
    let known = index((acked + 1).saturating_sub(header.from_seq)).unwrap_or(usize::MAX).min(hashes.len());
    let known = if mutant::on(Mutant::DedupeByTime) { told_by_time(sender, upload, known) } else { known };
    if known == hashes.len() && !mutant::on(Mutant::ReceiptAppliedTwice) {
        return Ingest::Duplicate;
    }
    let known = if mutant::on(Mutant::ReceiptAppliedTwice) { 0 } else { known };
    let batch = taken(sender, upload, known, received);
    if !batch.quarantined.is_empty() && mutant::on(Mutant::BatchStuckOnPoison) {
        return Ingest::Refused(Refusal::Bytes { met: 0 });
    }
    Ingest::New(batch)
}

/// What [`Mutant::DedupeByTime`] does: facts that claim a time before the newest one are taken for known.
fn told_by_time(sender: &Sender, upload: &Upload, known: usize) -> usize {
    let is_old = |carried: &hufu_shared::wire::upload::Carried| {
        hufu_shared::cbor::decode::<Fact>(&carried.body).is_ok_and(|fact| fact.wall <= sender.known.last_at)
    };
    known + upload.facts[known..].iter().take_while(|carried| is_old(carried)).count()
}

fn index(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

fn check_header(sender: &Sender, upload: &Upload) -> Result<(), Refusal> {
    let header = &upload.header;
    if header.proto != PROTO {
        return Err(Refusal::Proto { met: header.proto });
    }
    if header.device != sender.device {
        return Err(Refusal::OtherDevice { met: header.device, expected: sender.device });
    }
    if header.epoch > sender.epoch {
        return Err(Refusal::Epoch { met: header.epoch, expected: sender.epoch });
    }
    let body = upload.facts.len();
    let possible = header.from_seq > 0 && header.from_seq.checked_add(body as u64).is_some();
    if body == 0 || body > BATCH_FACTS_MAX || u64::from(header.count) != body as u64 || !possible {
        return Err(Refusal::Count { header: header.count, body, from_seq: header.from_seq });
    }
    let bytes: usize = upload.facts.iter().map(|carried| carried.body.len()).sum();
    if bytes > BATCH_BYTES_MAX {
        return Err(Refusal::Bytes { met: bytes });
    }
    let Some(key) = sender.keys.iter().find(|key| chain::key_id(key) == header.key_id) else {
        return Err(Refusal::Key { known: sender.keys.len() });
    };
    keys::verify_device(key, &header.claim().message(), &header.signature)
        .map_err(|_| Refusal::Signature { from_seq: header.from_seq })
}

/// The chain hash after each fact, if the last is the head that the header claims.
fn check_chain(upload: &Upload) -> Result<Vec<Hash>, Refusal> {
    let header = &upload.header;
    let mut hash = header.prev_hash;
    let hashes: Vec<Hash> = upload
        .facts
        .iter()
        .map(|carried| {
            hash = chain::link(hash, &carried.body);
            hash
        })
        .collect();
    if hash == header.head_hash {
        return Ok(hashes);
    }
    Err(Refusal::Chain {
        from_seq: header.from_seq,
        to_seq: header.from_seq + hashes.len() as u64 - 1,
        computed: hash,
        claimed: header.head_hash,
    })
}

/// A gap is the device's to fill, unless it says that it no longer holds what is missing.
fn gap(sender: &Sender, upload: &Upload) -> Ingest {
    let send_from = sender.known.acked_seq + 1;
    if upload.attempt.oldest_held > send_from {
        return Ingest::Lost(TakenLoss {
            device: sender.device,
            epoch: upload.header.epoch,
            from_seq: send_from,
            to_seq: upload.attempt.oldest_held - 1,
        });
    }
    Ingest::Gap { send_from }
}

/// What a delivery says of the device's clock, if that counts: if it narrows the boot that delivers by more than a second.
#[must_use]
pub fn sample(sender: &Sender, upload: &Upload, received: Instant) -> Option<ClockSample> {
    // The boots of an earlier enrolment are long over: the clock of today's says nothing of them.
    let is_of_now = sender.is_live && upload.header.epoch == sender.epoch;
    let attempt = &upload.attempt;
    let sample =
        ClockSample { boot_seq: attempt.boot_seq, sent_mono_ns: attempt.mono_ns, heard: attempt.heard };
    // A copy of the machine counts its boots alike: until its history is seen to differ only the boot's own id tells it.
    let counts = |boot: &KnownBoot| boot.boot == attempt.boot && boot.clock.counts(sample.at(received));
    (is_of_now && sender.boot.as_ref().is_none_or(counts)).then_some(sample)
}

fn taken(sender: &Sender, upload: &Upload, skip: usize, received: Instant) -> TakenBatch {
    let header = &upload.header;
    let review = review(sender.status, sender.epoch, header.epoch);
    let sample = sample(sender, upload, received);
    let mut batch = TakenBatch {
        device: header.device,
        epoch: header.epoch,
        from_seq: header.from_seq + skip as u64,
        head: header.head_hash,
        bodies: upload.facts[skip..].iter().map(|carried| carried.body.clone()).collect(),
        quarantined: Vec::new(),
        sample,
        stated: sender.stated.clone(),
        review,
        knew: Vec::new(),
        read: ReadOnce::default(),
    };
    let facts = batch.facts();
    batch.knew = decided_by(&facts).into_iter().map(|version| (version, Instant::default())).collect();
    batch.quarantined = facts
        .iter()
        .zip(batch.from_seq..)
        .filter_map(|(fact, seq)| {
            fact.as_ref().err().map(|error| Quarantined { seq, error: error.to_string() })
        })
        .collect();
    batch
}

/// Versions of the block list and the directory by which spends were decided and requests were made. When the newest
/// act in each was taken, the store adds.
fn decided_by(facts: &[Result<Fact, ReadError>]) -> BTreeSet<Version> {
    let of_fact = |fact: &Fact| match &fact.event {
        Event::Spent(_) => vec![fact.block, fact.directory],
        Event::ProfileChangeRequested(change) => change.fields.iter().map(|field| field.1).collect(),
        _ => Vec::new(),
    };
    facts.iter().flatten().flat_map(of_fact).collect()
}

#[cfg(test)]
#[path = "ingest_tests.rs"]
mod tests;
