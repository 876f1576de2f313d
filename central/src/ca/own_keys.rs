//! The centre's own keys: Ed25519 for receipts, manifests and lease states; X25519 for what is sealed to it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use hufu_shared::ids::Hash;
use hufu_shared::seal::{OpenKey, SEAL_SEED_BYTES, SealKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::CaError;
use crate::secret_file::{self, SecretFileError};

const SIGN_FILE: &str = "sign.key";
const SEAL_FILE: &str = "seal.key";

/// Signatures that are remembered at least.
const REMEMBERED_MIN: usize = 8192;

/// The two private keys of the centre.
pub struct OwnKeys {
    sign: Ed25519KeyPair,
    open: OpenKey,
    made: Mutex<Made>,
}

/// Signatures made lately, by the hash of what was signed: terminals are told the same until something happens, and
/// show it back with every poll. When the younger half is full, the older one goes.
#[derive(Default)]
struct Made {
    younger: HashMap<Hash, [u8; 64]>,
    older: HashMap<Hash, [u8; 64]>,
}

impl std::fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnKeys(…)")
    }
}

impl OwnKeys {
    /// Makes both keys as files in `folder`, which must not hold them yet.
    ///
    /// # Errors
    /// [`CaError::File`] or [`CaError::Crypto`].
    pub fn create(folder: &Path) -> Result<Self, CaError> {
        let random = SystemRandom::new();
        let crypto = |_| CaError::Crypto { step: "make the signing key", reason: "no randomness".to_owned() };
        let document = Ed25519KeyPair::generate_pkcs8(&random).map_err(crypto)?;
        let mut seed = [0; SEAL_SEED_BYTES];
        random.fill(&mut seed).map_err(crypto)?;
        secret_file::create_folder(folder)?;
        secret_file::write_new(&folder.join(SIGN_FILE), document.as_ref())?;
        secret_file::write_new(&folder.join(SEAL_FILE), &seed)?;
        Self::open(folder)
    }

    /// Reads both keys.
    ///
    /// # Errors
    /// [`CaError::File`].
    pub fn open(folder: &Path) -> Result<Self, CaError> {
        let path = folder.join(SIGN_FILE);
        let sign = Ed25519KeyPair::from_pkcs8(&secret_file::read(&path)?)
            .map_err(|_| SecretFileError::Damaged { path, expected: "an Ed25519 key in PKCS#8" })?;
        let path = folder.join(SEAL_FILE);
        let seed: [u8; SEAL_SEED_BYTES] = secret_file::read(&path)?
            .try_into()
            .map_err(|_| SecretFileError::Damaged { path, expected: "32 random bytes" })?;
        Ok(Self { sign, open: OpenKey::from_seed(&seed), made: Mutex::default() })
    }

    /// Signs a message; verified by `hufu_shared::keys::verify_centre`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let of = Hash::of(&[message]);
        if let Some(signature) = self.remembered(of) {
            return signature;
        }
        let mut signature = [0; 64];
        signature.copy_from_slice(self.sign.sign(message).as_ref());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.younger.len() >= REMEMBERED_MIN {
            made.older = std::mem::take(&mut made.younger);
        }
        made.younger.insert(of, signature);
        signature
    }

    /// The signature of a message that was signed lately.
    fn remembered(&self, of: Hash) -> Option<[u8; 64]> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.younger.get(&of).or_else(|| made.older.get(&of)).copied()
    }

    /// Whether this key made a signature. What it signs once it signs alike again (RFC 8032, 5.1.6), and to sign costs
    /// less than half of verifying. Hashes are compared, so that the time it takes says nothing of the signature that
    /// would be right.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Hash::of(&[&self.sign(message)]) == Hash::of(&[signature])
    }

    /// The public half of the signing key.
    #[must_use]
    pub fn sign_public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        public.copy_from_slice(self.sign.public_key().as_ref());
        public
    }

    /// The public key that terminals seal to.
    #[must_use]
    pub fn seal_public(&self) -> SealKey {
        self.open.seal_key()
    }

    /// The private key that opens what was sealed to the centre.
    #[must_use]
    pub fn open_key(&self) -> &OpenKey {
        &self.open
    }
}
