//! Upload of facts: a signed batch one way, a receipt the other.
//!
//! The signed header says what the batch is and is the same at every attempt; the attempt part is fresh each time.
//! The receipt's *result* is the same for every retry; its *session* is made fresh. There is no "rejected": nothing
//! may stand at the head of a queue.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::chain::BatchClaim;
use crate::ids::{BootId, CommandId, DeviceId, Hash, LeaseId};
use crate::time::Instant;
use crate::wire::apart::Apart;
use crate::wire::lease::LeaseState;
use crate::wire::version::{CentralEpoch, Version};

/// Facts in one batch at most.
pub const BATCH_FACTS_MAX: usize = 500;
/// Milliseconds of a wait from which on a terminal that was put off asks for its turn on the priority lane; for less it is
/// not worth asking, and it comes by itself.
pub const TURN_ASKED_MS_MIN: u64 = 10_000;
/// Bytes of bodies in one batch at most.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 16;

/// A batch and the attempt to deliver it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Upload {
    /// What the batch is, signed.
    #[n(0)]
    pub header: BatchHeader,
    /// The facts, in order.
    #[n(1)]
    pub facts: Vec<Carried>,
    /// This attempt.
    #[n(2)]
    pub attempt: Attempt,
}

/// What a batch is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BatchHeader {
    /// Protocol version of the sender.
    #[n(0)]
    pub proto: u16,
    /// Who recorded the facts.
    #[n(1)]
    pub device: DeviceId,
    /// Its enrolment.
    #[n(2)]
    pub epoch: u32,
    /// Seq of the first fact.
    #[n(3)]
    pub from_seq: u64,
    /// Chain hash before the first fact.
    #[n(4)]
    pub prev_hash: Hash,
    /// How many facts.
    #[n(5)]
    pub count: u32,
    /// Chain hash after the last fact.
    #[n(6)]
    pub head_hash: Hash,
    /// The signing key.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub key_id: [u8; 16],
    /// ECDSA P-256 over [`BatchClaim::message`], ASN.1.
    #[n(8)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

impl BatchHeader {
    /// What the signature covers.
    #[must_use]
    pub fn claim(&self) -> BatchClaim {
        BatchClaim {
            device: self.device,
            epoch: self.epoch,
            from_seq: self.from_seq,
            count: self.count,
            head: self.head_hash,
            key_id: self.key_id,
        }
    }
}

/// A fact on its way: the exact bytes of the body, and what only the centre may read beside it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Carried {
    /// The body that is hashed.
    #[n(0)]
    pub body: ByteVec,
    /// Salt and clear field of the body's commitment, sealed to the centre.
    #[n(1)]
    pub sealed: Option<ByteVec>,
}

/// One attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Attempt {
    /// Random, echoed in the session part.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub nonce: [u8; NONCE_BYTES],
    /// The device's monotonic clock when it sent, in nanoseconds since its boot.
    #[n(1)]
    pub mono_ns: u64,
    /// Its current boot.
    #[n(2)]
    pub boot: BootId,
    /// Seq of the `Booted` fact of that boot.
    #[n(3)]
    pub boot_seq: u64,
    /// What the device's wall clock claimed when it sent.
    #[n(4)]
    pub wall: Instant,
    /// The lowest seq that the device still holds; above the centre's cursor + 1 it has lost facts.
    #[n(5)]
    pub oldest_held: u64,
    /// Facts waiting behind this batch, so that the centre can spread a storm.
    #[n(6)]
    pub waiting: u64,
    /// The mark of the last receipt, exactly as the centre signed it.
    #[n(7)]
    pub echo: Option<ReceiptMark>,
    /// The leases that the device holds; with every attempt after it has learned a newer central epoch, until a receipt
    /// of that epoch is stored.
    #[n(8)]
    pub lease_report: Option<LeaseReport>,
    /// The newest time that the centre told within this boot; bounds the boot's clock from below.
    #[n(9)]
    pub heard: Option<Heard>,
}

/// What a device holds that was granted under earlier lives of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseReport {
    /// The newest life of the centre that the device knows of: to that one it reports.
    #[n(0)]
    pub epoch: CentralEpoch,
    /// The last signed state of every generation of which the device still holds facts.
    #[n(1)]
    pub states: Vec<LeaseState>,
}

/// A time that the centre told, and when the device heard it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Heard {
    /// `central_time` of the answer.
    #[n(0)]
    pub central_time: Instant,
    /// The device's monotonic clock when the answer had come, in nanoseconds since its boot.
    #[n(1)]
    pub mono_ns: u64,
}

/// The answer to a batch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    /// The same for every retry of the batch.
    #[n(0)]
    pub result: ResultPart,
    /// Fresh.
    #[n(1)]
    pub session: SessionPart,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ResultPart {
    /// Facts up to here are durable at the centre.
    #[n(0)]
    pub acked_seq: u64,
    /// Chain hash there, as the centre computed it.
    #[n(1)]
    pub head_hash: Hash,
    /// Facts of the batch that were not plainly applied.
    #[n(2)]
    pub dispositions: Vec<Disposition>,
}

/// What became of one fact.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Disposition {
    /// The fact's seq.
    #[n(0)]
    pub seq: u64,
    /// What became of it.
    #[n(1)]
    pub became: Became,
    /// Number of the conflict kind, where there is one.
    #[n(2)]
    pub kind: Option<u8>,
    /// The case, where there is one.
    #[n(3)]
    pub case: Option<Hash>,
}

/// What became of a fact that was not plainly applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// Applied, and a case is open about it.
    #[n(0)]
    AppliedWithCase,
    /// Kept without effect until something else arrives or a person decides.
    #[n(1)]
    Held,
    /// Not understood here; read again after an upgrade.
    #[n(2)]
    Quarantined,
    /// One effect with another fact of the same terminal.
    #[n(3)]
    Merged,
    /// Kept; another fact has the effect.
    #[n(4)]
    NoEffect,
    /// What was held or without effect now counts.
    #[n(5)]
    Applied,
}

/// What belongs to this exchange only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionPart {
    /// The attempt's nonce.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub nonce: [u8; NONCE_BYTES],
    /// The attempt's monotonic time.
    #[n(1)]
    pub mono_ns: u64,
    /// The centre's clock.
    #[n(2)]
    pub central_time: Instant,
    /// How much the device may send next and when.
    #[n(3)]
    pub credit: Credit,
    /// Lease states that the device has not echoed yet. Each stands apart: one that is not understood is refused alone.
    #[n(4)]
    pub leases: Vec<Apart<LeaseState>>,
    /// Commands that the device has not answered yet, each apart likewise.
    #[n(5)]
    pub commands: Vec<Apart<Command>>,
    /// Where the centre stands, signed; to be echoed.
    #[n(6)]
    pub mark: ReceiptMark,
}

/// How much a device may send next and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Credit {
    /// Facts in the next batch at most.
    #[n(0)]
    pub max_facts: u32,
    /// Milliseconds to wait before the next request.
    #[n(1)]
    pub next_poll_ms: u32,
}

/// A command of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Command {
    /// Its id; carried out at most once.
    #[n(0)]
    pub id: CommandId,
    /// What to do.
    #[n(1)]
    pub order: Order,
}

impl Command {
    /// The id of a command that cannot be understood as a whole, so that it can be answered all the same.
    #[must_use]
    pub fn id_of(bytes: &[u8]) -> Option<CommandId> {
        // Not the strict reading of this wire: just the id is wanted of something known not to be understood.
        minicbor::decode::<CommandName>(bytes).ok().map(|name| name.id)
    }
}

#[derive(Decode)]
#[cbor(map)]
struct CommandName {
    #[n(0)]
    id: CommandId,
}

/// What a device can be told to do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Order {
    /// Close the business day now.
    #[n(0)]
    CloseDay,
    /// Take a new snapshot of the directory.
    #[n(1)]
    TakeSnapshot,
    /// Close a lease generation.
    #[n(2)]
    CloseLease(#[n(0)] LeaseId, #[n(1)] u32),
}

/// Where the centre stands: proof, in a device's hands, of what the centre once had.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReceiptMark {
    /// The centre's epoch.
    #[n(0)]
    pub central_epoch: CentralEpoch,
    /// Entries in the published journal.
    #[n(1)]
    pub journal_size: u64,
    /// Head of the published journal's chain.
    #[n(2)]
    pub journal_head: Hash,
    /// Whose cursor.
    #[n(3)]
    pub device: DeviceId,
    /// The device's acked seq.
    #[n(4)]
    pub acked_seq: u64,
    /// Newest directory version.
    #[n(5)]
    pub directory: Version,
    /// Newest block version.
    #[n(6)]
    pub block: Version,
    /// Version of each lease state sent.
    #[n(7)]
    pub leases: Vec<(LeaseId, Version)>,
    /// Ed25519 over [`ReceiptMark::message`].
    #[n(8)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

impl ReceiptMark {
    /// The bytes that the signature covers: a tag, then the mark's own encoding with an empty signature.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut unsigned = self.clone();
        unsigned.signature.clear();
        [b"hufu-mark".as_slice(), &crate::cbor::encode(&unsigned)].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_adds_at_most_12_bytes_to_each_fact() {
        let epoch = CentralEpoch { n: 3, bits: u64::MAX };
        let version = Version { epoch: 3, n: 5_000_000 };
        let echo = ReceiptMark {
            central_epoch: epoch,
            journal_size: 5_000_000,
            journal_head: Hash([1; 32]),
            device: DeviceId([2; 16]),
            acked_seq: 120_000,
            directory: version,
            block: version,
            leases: Vec::new(),
            signature: vec![3; 64],
        };
        let upload = |count: usize| Upload {
            header: BatchHeader {
                proto: 1,
                device: DeviceId([2; 16]),
                epoch: 3,
                from_seq: 120_001,
                prev_hash: Hash([4; 32]),
                count: 500,
                head_hash: Hash([5; 32]),
                key_id: [6; 16],
                signature: vec![7; 72],
            },
            facts: vec![Carried { body: vec![0; 100].into(), sealed: None }; count],
            attempt: Attempt {
                nonce: [8; NONCE_BYTES],
                mono_ns: 2_592_000_000_000_000,
                boot: BootId([9; 16]),
                boot_seq: 90_000,
                wall: Instant(1_795_320_000_000_000),
                oldest_held: 80_000,
                waiting: 100_000,
                echo: Some(echo.clone()),
                lease_report: None,
                heard: Some(Heard {
                    central_time: Instant(1_795_320_000_000_000),
                    mono_ns: 2_591_000_000_000_000,
                }),
            },
        };
        for count in [BATCH_FACTS_MAX, 100, 64] {
            let framing = crate::cbor::encode(&upload(count)).len() - 100 * count;
            assert!(framing <= 12 * count, "{framing} bytes for {count} facts");
        }
    }
}
