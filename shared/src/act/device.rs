//! Acts about terminals: announced, enrolled, renewed, ended.

use minicbor::{Decode, Encode};

use crate::ids::{DeviceId, Hash, OfficeId};

/// A terminal announced.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceInvited {
    /// Its identity.
    #[n(0)]
    pub device: DeviceId,
    /// Where it will stand.
    #[n(1)]
    pub office: OfficeId,
    /// What people call it.
    #[n(2)]
    pub name: String,
}

/// A key of a device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceKey {
    /// Whose.
    #[n(0)]
    pub device: DeviceId,
    /// For which enrolment.
    #[n(1)]
    pub epoch: u32,
    /// Subject public key info of the P-256 key, DER.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub key: Vec<u8>,
}

/// An enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceEnrolled {
    /// The first key of the epoch; the chain starts from it.
    #[n(0)]
    pub key: DeviceKey,
    /// The terminal's public key for what is sealed to it.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub seal_key: [u8; 32],
    /// What the board says of itself, hashed.
    #[n(2)]
    pub board: Hash,
}

/// The end of a device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceEnded {
    /// Which.
    #[n(0)]
    pub device: DeviceId,
    /// Commitment to the reason typed by the person.
    #[n(1)]
    pub reason: Hash,
}
