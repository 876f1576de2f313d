//! One entry of the central journal: a batch as it was accepted, or an act.
//!
//! The journal is a hash chain of its own: `h_n = SHA-256(0x02 | h_{n-1} | id | received | body)`, with `h_0` the hash
//! of `"hufu-journal"`. Entries get their number after commit, from the publisher, in the order of `received`, which
//! the gate makes strictly growing.

use std::sync::{Arc, OnceLock};

use hufu_shared::act::{Act, Actor, SeenCursor};
use hufu_shared::fact::{Fact, ReadError, Reader, Standing};
use hufu_shared::ids::{DeviceId, EntryId, Hash};
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Heard;
use hufu_shared::wire::version::Version;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::judge::interval::Sample;

/// An entry with what the gate gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id, from the shell.
    pub id: EntryId,
    /// When it was taken; greater than that of every entry before.
    pub received: Instant,
    /// What it is.
    pub body: EntryBody,
}

/// What an entry is. The bytes are hashed, so numbers are given for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum EntryBody {
    /// Facts were taken in.
    #[n(0)]
    Batch(#[n(0)] TakenBatch),
    /// The centre did something.
    #[n(1)]
    Act(#[n(0)] TakenAct),
    /// A device showed another fact at a seq already taken (kind 21).
    #[n(2)]
    Fork(#[n(0)] TakenFork),
    /// A device no longer holds facts that the centre has not got (kind 20).
    #[n(3)]
    Lost(#[n(0)] TakenLoss),
    /// A delivery without anything new bounded the clock of its boot better.
    #[n(4)]
    Sample(#[n(0)] TakenSample),
}

/// The new facts of an accepted batch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TakenBatch {
    /// Whose.
    #[n(0)]
    pub device: DeviceId,
    /// Of which enrolment.
    #[n(1)]
    pub epoch: u32,
    /// Seq of the first body.
    #[n(2)]
    pub from_seq: u64,
    /// Chain hash after the last body.
    #[n(3)]
    pub head: Hash,
    /// The bodies, exactly as they came.
    #[n(4)]
    pub bodies: Vec<ByteVec>,
    /// Facts that could not be read or applied when the batch was taken; applying skips exactly these, always.
    #[n(5)]
    pub quarantined: Vec<Quarantined>,
    /// What this delivery says of the device's clock, if it narrows the boot that delivered by more than a second.
    #[n(6)]
    pub sample: Option<ClockSample>,
    /// What facts before the batch state of what stood, as far as facts in it rest on them.
    #[n(7)]
    pub stated: Vec<(u64, Standing)>,
    /// Why all facts in it wait for a person; none if they take effect at once.
    #[n(8)]
    pub review: Option<Review>,
    /// Of each version of the block list and of the directory by which a spend in it was decided, or that a request in it
    /// knew a field by: when the newest act was taken that the version holds.
    #[n(9)]
    pub knew: Vec<(Version, Instant)>,
    /// Its facts, once they were asked for; in no bytes.
    #[cbor(skip)]
    pub read: ReadOnce,
}

/// What was read of a batch, each fact in its order.
pub type ReadFacts = Arc<[Result<Fact, ReadError>]>;

/// The facts of a batch as they were read the first time: judging, asking ahead and applying look at the same ones. They
/// count for the very bodies that they were read of, which the chain's head tells, and say nothing of the batch besides.
#[derive(Debug, Clone, Default)]
pub struct ReadOnce(OnceLock<((u64, Hash), ReadFacts)>);

impl PartialEq for ReadOnce {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ReadOnce {}

/// Why facts wait for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Review {
    /// The terminal was revoked (kind 26).
    #[n(0)]
    Revoked,
    /// A later enrolment of the terminal replaced this one (kind 22).
    #[n(1)]
    EarlierEnrolment,
}

impl Review {
    /// Number of the conflict kind.
    #[must_use]
    pub fn kind(self) -> u8 {
        match self {
            Self::Revoked => 26,
            Self::EarlierEnrolment => 22,
        }
    }
}

impl TakenBatch {
    /// The facts in order of seq. What stays the same over many facts is put back, so each is whole.
    #[must_use]
    pub fn facts(&self) -> ReadFacts {
        let of = (self.from_seq, self.head);
        let (read_of, facts) = self.read.0.get_or_init(|| (of, self.read()));
        if *read_of == of { Arc::clone(facts) } else { self.read() }
    }

    fn read(&self) -> ReadFacts {
        let mut reader = Reader::knowing(self.stated.iter().copied());
        self.bodies.iter().zip(self.from_seq..).map(|(body, seq)| reader.read(seq, body)).collect()
    }
}

/// A fact set aside.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Quarantined {
    /// Its seq.
    #[n(0)]
    pub seq: u64,
    /// Why.
    #[n(1)]
    pub error: String,
}

/// What one delivery says of the clock of the boot that delivered. It came when its entry was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClockSample {
    /// Seq of the `Booted` fact of the boot that delivered.
    #[n(0)]
    pub boot_seq: u64,
    /// The device's monotonic clock when it sent, in nanoseconds.
    #[n(1)]
    pub sent_mono_ns: u64,
    /// The newest time that the centre had told it in that boot; none before it heard any.
    #[n(2)]
    pub heard: Option<Heard>,
}

impl ClockSample {
    /// The sample of an entry that was received then.
    #[must_use]
    pub fn at(&self, received: Instant) -> Sample {
        let heard = self.heard.map(|heard| (heard.central_time, heard.mono_ns));
        Sample { sent_mono_ns: self.sent_mono_ns, received, heard }.plausible()
    }
}

/// A clock sample on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TakenSample {
    /// Whose.
    #[n(0)]
    pub device: DeviceId,
    /// Of which enrolment.
    #[n(1)]
    pub epoch: u32,
    /// What it says.
    #[n(2)]
    pub sample: ClockSample,
}

/// An act with its circumstances.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TakenAct {
    /// Who performed it.
    #[n(0)]
    pub actor: Actor,
    /// What was done.
    #[n(1)]
    pub act: Act,
    /// How far each device's facts were known; for acts whose meaning rests on it.
    #[n(2)]
    pub seen: Vec<SeenCursor>,
}

/// Two histories of one device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TakenFork {
    /// Whose.
    #[n(0)]
    pub device: DeviceId,
    /// Of which enrolment.
    #[n(1)]
    pub epoch: u32,
    /// A seq at which both histories have a fact.
    #[n(2)]
    pub seq: u64,
    /// The chain hash that the centre has there.
    #[n(3)]
    pub stored: Hash,
    /// The chain hash that the device showed there.
    #[n(4)]
    pub shown: Hash,
    /// Facts that the device showed from the fork on.
    #[n(5)]
    pub facts: u64,
}

/// Facts that nobody has any more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TakenLoss {
    /// Whose.
    #[n(0)]
    pub device: DeviceId,
    /// Of which enrolment.
    #[n(1)]
    pub epoch: u32,
    /// First seq missing.
    #[n(2)]
    pub from_seq: u64,
    /// Last seq missing.
    #[n(3)]
    pub to_seq: u64,
}

impl EntryBody {
    /// Name of the kind of entry in database and console.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Batch(_) => "batch",
            Self::Act(taken) => taken.act.name(),
            Self::Fork(_) => "fork",
            Self::Lost(_) => "lost",
            Self::Sample(_) => "sample",
        }
    }

    /// The device that it concerns as a sender.
    #[must_use]
    pub fn device(&self) -> Option<(DeviceId, u32)> {
        match self {
            Self::Batch(batch) => Some((batch.device, batch.epoch)),
            Self::Fork(fork) => Some((fork.device, fork.epoch)),
            Self::Lost(loss) => Some((loss.device, loss.epoch)),
            Self::Sample(taken) => Some((taken.device, taken.epoch)),
            Self::Act(_) => None,
        }
    }
}

/// The hash before the first entry.
#[must_use]
pub fn journal_start() -> Hash {
    Hash::of(&[b"hufu-journal"])
}

/// The hash after an entry.
#[must_use]
pub fn journal_link(previous: Hash, id: EntryId, received: Instant, body: &[u8]) -> Hash {
    Hash::of(&[&[0x02], &previous.0, &id.0, &received.0.to_be_bytes(), body])
}
