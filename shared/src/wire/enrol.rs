//! Enrolment and renewal of a terminal's certificates.
//!
//! Keys are made on the terminal and never leave it; the centre sets subject and names itself, whatever a request
//! says. Token keys come back sealed to the terminal.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::ids::{ClubId, DeviceId, Hash, OfficeId};
use crate::scheme::Words;
use crate::seal::SealKey;
use crate::time::Instant;
use crate::token::TokenKey;
use crate::wire::version::CentralEpoch;

/// Bytes of an enrolment request at most.
pub const ENROL_BYTES_MAX: usize = 64 * 1024;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Purpose {
    /// The terminal itself, towards the centre.
    #[n(0)]
    Device,
    /// The counter page, towards tablets.
    #[n(1)]
    Counter,
}

/// A request for one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Csr {
    /// What for.
    #[n(0)]
    pub purpose: Purpose,
    /// PKCS#10, DER, with a P-256 key.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub der: Vec<u8>,
    /// Host names and addresses of the terminal, for the counter page.
    #[n(2)]
    pub names: Vec<String>,
}

/// A terminal asks to be enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolRequest {
    /// Protocol version of the terminal.
    #[n(0)]
    pub proto: u16,
    /// The secret part of the code.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub secret: Vec<u8>,
    /// One request per purpose; exactly one for `Device`.
    #[n(2)]
    pub csrs: Vec<Csr>,
    /// The key to which things for this terminal are sealed.
    #[n(3)]
    pub seal_key: SealKey,
    /// What the board says of itself, hashed.
    #[n(4)]
    pub board: Hash,
    /// Program version.
    #[n(5)]
    pub software: String,
}

/// A terminal is enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolAnswer {
    /// Who the terminal is from now on.
    #[n(0)]
    pub device: DeviceId,
    /// What people call it.
    #[n(1)]
    pub name: String,
    /// The enrolment just opened.
    #[n(2)]
    pub epoch: u32,
    /// The club.
    #[n(3)]
    pub club: ClubId,
    /// The club's name.
    #[n(4)]
    pub club_name: Words,
    /// Where the terminal stands.
    #[n(5)]
    pub office: OfficeId,
    /// The centre's epoch.
    #[n(6)]
    pub central_epoch: CentralEpoch,
    /// The CA's certificate, DER; its key has the fingerprint of the code.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub ca: Vec<u8>,
    /// One certificate per request, DER, in the same order.
    #[n(8)]
    pub certificates: Vec<ByteVec>,
    /// The centre's key for sealing.
    #[n(9)]
    pub central_seal_key: SealKey,
    /// The centre's Ed25519 key for receipts, manifests and lease states.
    #[n(10)]
    #[cbor(with = "minicbor::bytes")]
    pub central_sign_key: [u8; 32],
    /// [`SealedTokenKeys`] in CBOR, sealed to the terminal's key for the place `hufu-token-keys | device`.
    #[n(11)]
    #[cbor(with = "minicbor::bytes")]
    pub token_keys: Vec<u8>,
    /// The centre's clock.
    #[n(12)]
    pub central_time: Instant,
}

/// The token keys of the terminal's office group.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SealedTokenKeys {
    /// The current key first, then older ones.
    #[n(0)]
    pub keys: Vec<TokenKey>,
}

/// The place for which token keys are sealed.
#[must_use]
pub fn token_keys_place(device: DeviceId) -> Vec<u8> {
    [b"hufu-token-keys".as_slice(), &device.0].concat()
}

/// A terminal asks for new certificates with new keys.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RenewRequest {
    /// Protocol version of the terminal.
    #[n(0)]
    pub proto: u16,
    /// One request per purpose.
    #[n(1)]
    pub csrs: Vec<Csr>,
}

/// The new certificates.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RenewAnswer {
    /// One certificate per request, DER, in the same order.
    #[n(0)]
    pub certificates: Vec<ByteVec>,
}
