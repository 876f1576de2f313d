//! Leases on the wire: a member's right to spend offline, set aside at the centre for one device.
//!
//! A lease is two counters that only grow. The centre alone writes `granted_total`, the device alone its
//! `spent_total`; what is left is the difference. The centre always sends the whole state, never a change of it.
//!
//! The signature covers the state's own encoding, so a field added to it later must get a number from 64 on: a reader
//! that skipped it could not check the signature.

use minicbor::{Decode, Encode};

use crate::ids::{DeviceId, LeaseId, MemberId};
use crate::money::{Amount, Unit};
use crate::scheme::Words;
use crate::time::Instant;
use crate::wire::apart::Apart;
use crate::wire::version::Version;

/// The whole state of a lease as the centre wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseState {
    /// Which lease.
    #[n(0)]
    pub lease: LeaseId,
    /// Grows when a closed lease is granted again.
    #[n(1)]
    pub generation: u32,
    /// The device that may spend it.
    #[n(2)]
    pub device: DeviceId,
    /// The member whose points or money it is.
    #[n(3)]
    pub member: MemberId,
    /// The unit.
    #[n(4)]
    pub unit: Unit,
    /// All that was ever granted in this generation.
    #[n(5)]
    pub granted_total: Amount,
    /// Its conditions.
    #[n(6)]
    pub terms: LeaseTerms,
    /// A device stores a state only if its version is higher than the one it has.
    #[n(7)]
    pub version: Version,
    /// Ed25519 over [`LeaseState::message`].
    #[n(8)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

/// Conditions of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseTerms {
    /// Seconds on the device's monotonic clock after which it refuses.
    #[n(0)]
    pub ttl_s: u64,
    /// Seconds that a reboot without a battery clock costs.
    #[n(1)]
    pub reboot_cost_s: u64,
    /// Reboots without a battery clock after which it refuses.
    #[n(2)]
    pub reboots_max: u32,
}

impl LeaseState {
    /// The bytes that the signature covers.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut unsigned = self.clone();
        unsigned.signature.clear();
        [b"hufu-lease".as_slice(), &crate::cbor::encode(&unsigned)].concat()
    }
}

/// Where a device asks for a raise, or for a first lease: `POST`, [`LeaseAsk`] in, [`LeaseAnswer`] out.
pub const AUTHORIZE_PATH: &str = "/device/v1/leases/authorize";
/// Bytes of an ask at most.
pub const LEASE_ASK_BYTES_MAX: usize = 1024;
/// Bytes of an answer at most.
pub const LEASE_ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Holders that an answer lists at most.
pub const RECALLED_MAX: usize = 32;

/// A device asks for enough to spend. It may be asked again, word for word, as often as its answer is lost: what is
/// wanted is a total and not a difference, and nothing is charged by asking.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseAsk {
    /// The lease that the device holds open for the member and unit; none for a first one.
    #[n(0)]
    pub lease: Option<LeaseId>,
    /// Its generation; 0 without a lease. The centre does nothing for another generation than the open one.
    #[n(1)]
    pub generation: u32,
    /// Whose points or money.
    #[n(2)]
    pub member: MemberId,
    /// The unit.
    #[n(3)]
    pub unit: Unit,
    /// What `granted_total` must reach: the device's `spent_total` of that generation plus the amount to be spent.
    #[n(4)]
    pub wanted_total: Amount,
}

/// The answer to [`LeaseAsk`]. The device decides by the lease as it then stands, whatever else is said here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseAnswer {
    /// The lease after the ask; none if there is none. It may be raised and still not reach what was wanted.
    #[n(0)]
    pub state: Option<Apart<LeaseState>>,
    /// What became of the ask.
    #[n(1)]
    pub became: AskBecame,
    /// The member's one figure in this unit, available + escrow − owed; none where it may not be told.
    #[n(2)]
    pub figure: Option<Amount>,
    /// Terminals elsewhere that hold some of it, with what came of recalling it; at most [`RECALLED_MAX`].
    #[n(3)]
    pub recalled: Vec<Recalled>,
    /// While recalling: milliseconds after which to ask again.
    #[n(4)]
    pub again_ms: u32,
}

/// What became of an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AskBecame {
    /// The state reaches what was wanted.
    #[n(0)]
    Granted,
    /// Not yet: other holders were asked to close. Ask again after `again_ms`.
    #[n(1)]
    Recalling,
    /// The member has too little over all.
    #[n(2)]
    TooLittle,
    /// The member would have enough, but holders do not answer; the recall was given up.
    #[n(3)]
    Unreachable,
    /// The member owes something first.
    #[n(4)]
    Owing,
    /// A limit of this device: per day, or over all members.
    #[n(5)]
    Limit,
    /// The member may not spend: stopped, left, unknown, all cards blocked, or what they have in the unit frozen.
    #[n(6)]
    Member,
    /// The centre recovers and gives nothing out for now.
    #[n(7)]
    Recovering,
    /// The generation named is not the open one.
    #[n(8)]
    Generation,
    /// The leases of this device are frozen until a person has looked.
    #[n(9)]
    Frozen,
}

/// A terminal elsewhere that holds some of what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Recalled {
    /// Its office.
    #[n(0)]
    pub office: Words,
    /// What came of recalling it.
    #[n(1)]
    pub state: RecallState,
    /// How much: what arrived, or what may still come.
    #[n(2)]
    pub amount: Amount,
    /// When the terminal was last heard of.
    #[n(3)]
    pub heard_at: Option<Instant>,
}

/// What came of recalling one lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum RecallState {
    /// The terminal was asked and is reached.
    #[n(0)]
    Closing,
    /// It closed, and the rest is the member's again.
    #[n(1)]
    Arrived,
    /// It is offline; what it holds cannot be had before it comes back.
    #[n(2)]
    Unreachable,
}
