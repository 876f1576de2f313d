//! Sealing: what only one side may read, whoever carries it.
//!
//! HPKE (RFC 9180, base mode, X25519-HKDF-SHA256-ChaCha20Poly1305). Terminals seal clear fields of facts to the
//! centre; the centre seals token keys to a terminal. The associated data binds a sealed text to its place, so that
//! it cannot be moved to another member or device.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};

use crate::ids::Hash;

/// Bytes of a sealing key, public or private.
pub const SEAL_KEY_BYTES: usize = 32;
/// Bytes of randomness from which a key pair is derived.
pub const SEAL_SEED_BYTES: usize = 32;
/// Binds every sealed text to this product and version.
const INFO: &[u8] = b"hufu-seal-1";

/// A public key that things are sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct SealKey(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; SEAL_KEY_BYTES],
);

/// The private half; opens what was sealed to its [`SealKey`].
#[derive(Clone)]
pub struct OpenKey {
    private: <X25519HkdfSha256 as Kem>::PrivateKey,
    public: SealKey,
}

/// Sealing or opening did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The bytes are not a public key.
    #[error("sealing key expected as a 32-byte X25519 public key, met other bytes")]
    Key,
    /// Too short, damaged, sealed to another key or for another place.
    #[error("sealed text cannot be opened: it is damaged, or sealed to another key or place")]
    Open,
}

impl OpenKey {
    /// The key pair of a seed of random bytes; the seed is what is stored.
    #[must_use]
    pub fn from_seed(seed: &[u8; SEAL_SEED_BYTES]) -> Self {
        let (private, public) = X25519HkdfSha256::derive_keypair(seed);
        let mut bytes = [0; SEAL_KEY_BYTES];
        bytes.copy_from_slice(&public.to_bytes());
        Self { private, public: SealKey(bytes) }
    }

    /// The public half.
    #[must_use]
    pub fn seal_key(&self) -> SealKey {
        self.public
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// [`SealError::Open`] without saying more: there is nothing to learn from a wrong guess.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (encapsulated, text) = sealed.split_at_checked(SEAL_KEY_BYTES).ok_or(SealError::Open)?;
        let encapsulated =
            <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| SealError::Open)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            INFO,
            text,
            place,
        )
        .map_err(|_| SealError::Open)
    }
}

/// Seals `clear` for the place named by `place`. Randomness comes from the operating system through HPKE itself: an
/// ephemeral key that a caller could repeat would break the seal.
///
/// # Errors
/// [`SealError::Key`] if the public key is not one.
pub fn seal(to: &SealKey, place: &[u8], clear: &[u8]) -> Result<Vec<u8>, SealError> {
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&to.0).map_err(|_| SealError::Key)?;
    let (encapsulated, text) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        INFO,
        clear,
        place,
    )
    .map_err(|_| SealError::Key)?;
    let mut sealed = encapsulated.to_bytes().to_vec();
    sealed.extend_from_slice(&text);
    Ok(sealed)
}

/// The commitment to a clear field that stands in a hashed body in its place: `SHA-256("hufu-commit" | salt | clear)`.
/// The salt travels with the clear field, sealed; erasing both leaves a hash that says nothing.
#[must_use]
pub fn commitment(salt: &[u8; 16], clear: &[u8]) -> Hash {
    Hash::of(&[b"hufu-commit", salt, clear])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_with_the_key_and_place_it_was_sealed_for() {
        let key = OpenKey::from_seed(&[1; 32]);
        let sealed = seal(&key.seal_key(), b"device 1", b"secret").expect("a good key");
        assert_eq!(key.open(b"device 1", &sealed).as_deref(), Ok(&b"secret"[..]));
        assert_eq!(key.open(b"device 2", &sealed), Err(SealError::Open));
        assert_eq!(OpenKey::from_seed(&[2; 32]).open(b"device 1", &sealed), Err(SealError::Open));
        let mut damaged = sealed.clone();
        *damaged.last_mut().expect("not empty") ^= 1;
        assert_eq!(key.open(b"device 1", &damaged), Err(SealError::Open));
        assert_eq!(key.open(b"device 1", &sealed[..10]), Err(SealError::Open));
    }

    #[test]
    fn sealing_twice_gives_two_texts() {
        let key = OpenKey::from_seed(&[1; 32]).seal_key();
        assert_ne!(seal(&key, b"p", b"same"), seal(&key, b"p", b"same"));
    }
}
