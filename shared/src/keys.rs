//! Signatures: batches by a device's P-256 key, what the centre says by its Ed25519 key.
//!
//! Only verification and the bytes covered live here as rules; private keys are held by the shells.

use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};

/// Bytes of an Ed25519 public key.
pub const CENTRE_KEY_BYTES: usize = 32;

/// Bytes of DER that stand before the point in the subject public key info of a P-256 key (RFC 5480).
const P256_INFO_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The key is not of the expected kind.
    #[error("public key expected as a P-256 subject public key info, met other bytes")]
    Key,
    /// Key, message and signature do not belong together.
    #[error("signature does not match its key and message")]
    Mismatch,
}

/// The uncompressed point inside a P-256 subject public key info, or `None` if it is another kind of key.
#[must_use]
pub fn p256_point(public_key_info: &[u8]) -> Option<&[u8]> {
    let point = public_key_info.strip_prefix(&P256_INFO_PREFIX)?;
    (point.len() == 65 && point[0] == 4).then_some(point)
}

/// Verifies an ECDSA P-256 SHA-256 signature (ASN.1) of a device.
///
/// # Errors
/// [`SignatureError`].
pub fn verify_device(public_key_info: &[u8], message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let point = p256_point(public_key_info).ok_or(SignatureError::Key)?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
        .verify(message, signature)
        .map_err(|_| SignatureError::Mismatch)
}

/// Verifies an Ed25519 signature of the centre.
///
/// # Errors
/// [`SignatureError::Mismatch`].
pub fn verify_centre(
    public_key: &[u8; CENTRE_KEY_BYTES],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(message, signature)
        .map_err(|_| SignatureError::Mismatch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

    #[test]
    fn a_device_signature_holds_for_its_key_and_message_only() {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("key generation");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random)
            .expect("own document");
        let info = [&P256_INFO_PREFIX[..], key.public_key().as_ref()].concat();
        let signature = key.sign(&random, b"message").expect("signing");
        assert_eq!(verify_device(&info, b"message", signature.as_ref()), Ok(()));
        assert_eq!(verify_device(&info, b"massage", signature.as_ref()), Err(SignatureError::Mismatch));
        assert_eq!(verify_device(b"no key", b"message", signature.as_ref()), Err(SignatureError::Key));
    }
}
