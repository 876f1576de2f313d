//! Leases on the wire: a member's right to spend offline, set aside at the centre for one device.
//!
//! A lease is two counters that only grow. The centre alone writes `granted_total`, the device alone its
//! `spent_total`; what is left is the difference. The centre always sends the whole state, never a change of it.

use minicbor::{Decode, Encode};

use crate::ids::{DeviceId, LeaseId, MemberId};
use crate::money::{Amount, Unit};
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
