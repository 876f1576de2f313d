//! The directory, centre to terminal: a snapshot in immutable chunks, then rows changed after a version.
//!
//! Each chunk is named by the SHA-256 of its compressed bytes, so it can be resumed, cached or carried on a stick;
//! the signed manifest lists them. A terminal keeps its directory in a file of its own and swaps it whole.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::{ClubId, Hash, OfficeId};
use crate::member::DirectoryRow;
use crate::time::Instant;
use crate::wire::version::{CentralEpoch, Version};

/// Rows in one chunk of a snapshot at most.
pub const CHUNK_ROWS_MAX: usize = 5_000;
/// Rows in one delta answer at most: what a terminal applies in one go without holding up a swipe.
pub const DELTA_ROWS_MAX: usize = 50;
/// Bytes of one uncompressed chunk at most; a larger one is refused before it is unpacked.
pub const CHUNK_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a snapshot consists of.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Manifest {
    /// The club; a terminal takes no other club's directory.
    #[n(0)]
    pub club: ClubId,
    /// The centre's epoch.
    #[n(1)]
    pub central_epoch: CentralEpoch,
    /// The directory version that the chunks add up to.
    #[n(2)]
    pub version: Version,
    /// The block version that goes with it.
    #[n(3)]
    pub block: Version,
    /// When it was made.
    #[n(4)]
    pub made_at: Instant,
    /// The office for which it was made.
    #[n(5)]
    pub scope: OfficeId,
    /// The chunks, in order.
    #[n(6)]
    pub chunks: Vec<Chunk>,
    /// Ed25519 over [`Manifest::message`].
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

/// One chunk: zstd of the CBOR array of [`DirectoryRow`]s.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Chunk {
    /// SHA-256 of the compressed bytes.
    #[n(0)]
    pub hash: Hash,
    /// How many compressed bytes.
    #[n(1)]
    pub bytes: u64,
    /// How many rows.
    #[n(2)]
    pub rows: u32,
}

impl Manifest {
    /// The bytes that the signature covers.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut unsigned = self.clone();
        unsigned.signature.clear();
        [b"hufu-manifest".as_slice(), &crate::cbor::encode(&unsigned)].concat()
    }
}

/// Since when, in the query string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaQuery {
    /// The version held, `epoch.number`.
    pub since: String,
}

/// Rows that changed after a version.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Delta {
    /// The club.
    #[n(0)]
    pub club: ClubId,
    /// The version asked from.
    #[n(1)]
    pub from: Version,
    /// The version after these rows.
    #[n(2)]
    pub to: Version,
    /// Whole rows, at most [`DELTA_ROWS_MAX`].
    #[n(3)]
    pub rows: Vec<DirectoryRow>,
    /// Whether more rows follow `to`.
    #[n(4)]
    pub more: bool,
    /// The version asked from is too old or of another life of the centre: take a snapshot.
    #[n(5)]
    pub take_snapshot: bool,
}
