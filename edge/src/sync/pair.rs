//! A private key and the certificate made for it: made here, matched here, signed with here.
//!
//! Invariant: a [`Pair`] only exists if the certificate names the key's public half; a mixed pair cannot be built.
//! Keys are ECDSA P-256 in PKCS#8 and never leave the terminal. Out of scope: files, and who signs certificates.

use std::sync::Arc;

use data_encoding::BASE64;
use hufu_shared::chain;
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::wire::enrol::{Csr, Purpose};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Characters of a line of PEM.
const PEM_LINE_CHARS: usize = 64;

/// A key or certificate could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The cryptographic library refused.
    #[error("{step}: {reason}")]
    Crypto {
        /// What was tried.
        step: &'static str,
        /// Its words.
        reason: String,
    },
    /// The bytes are not a certificate.
    #[error("certificate expected as X.509 in DER, met {bytes} other bytes")]
    Certificate {
        /// How many.
        bytes: usize,
    },
    /// The certificate was made for another key.
    #[error("certificate was made for another key than the one beside it")]
    Mixed,
}

/// A private key whose certificate is still to come.
pub struct OwnKey {
    pair: KeyPair,
}

impl OwnKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// [`PairError::Crypto`].
    pub fn generate() -> Result<Self, PairError> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(crypto("make a key"))?;
        Ok(Self { pair })
    }

    /// From PEM as [`OwnKey::to_pem`] wrote it.
    ///
    /// # Errors
    /// [`PairError::Crypto`] if it is not a P-256 key in PKCS#8.
    pub fn from_pem(pem: &[u8]) -> Result<Self, PairError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(crypto("read the key"))?;
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256)
            .map_err(crypto("read the key"))?;
        Ok(Self { pair })
    }

    /// PKCS#8 in PEM. Secret.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.pair.serialize_pem()
    }

    /// Subject public key info, DER.
    #[must_use]
    pub fn public_key_info(&self) -> Vec<u8> {
        self.pair.subject_public_key_info()
    }

    /// A request for a certificate. It names nobody: the centre sets subject and names.
    ///
    /// # Errors
    /// [`PairError::Crypto`].
    pub fn request(&self, purpose: Purpose, names: &[String]) -> Result<Csr, PairError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&self.pair).map_err(crypto("sign the request"))?;
        Ok(Csr { purpose, der: request.der().to_vec(), names: names.to_vec() })
    }

    /// The pair with its certificate.
    ///
    /// # Errors
    /// [`PairError::Mixed`] if the certificate is another key's.
    pub fn with_certificate(&self, der: Vec<u8>) -> Result<Pair, PairError> {
        let parsed = parse(&der)?;
        if parsed.public_key().raw != self.public_key_info() {
            return Err(PairError::Mixed);
        }
        let (not_before, not_after) = validity(&parsed);
        let key_der = self.pair.serialize_der();
        let public_key_info = self.public_key_info();
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key_der, &random)
            .map_err(crypto("read the key"))?;
        let (key, certificate) = (Arc::new(key), CertificateDer::from(der));
        Ok(Pair { key_der, key, certificate, public_key_info, not_before, not_after })
    }
}

/// A key with its certificate.
#[derive(Clone)]
pub struct Pair {
    key_der: Vec<u8>,
    /// The same key, ready to sign: to read it costs as much as a signature.
    key: Arc<EcdsaKeyPair>,
    certificate: CertificateDer<'static>,
    public_key_info: Vec<u8>,
    /// First instant at which the certificate holds.
    pub not_before: Instant,
    /// Last instant at which the certificate holds.
    pub not_after: Instant,
}

impl Pair {
    /// From two files in PEM.
    ///
    /// # Errors
    /// [`PairError`], with [`PairError::Mixed`] if they do not belong together.
    pub fn from_pem(key: &[u8], certificate: &[u8]) -> Result<Self, PairError> {
        OwnKey::from_pem(key)?.with_certificate(certificate_from_pem(certificate)?.to_vec())
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Subject public key info, DER.
    #[must_use]
    pub fn public_key_info(&self) -> &[u8] {
        &self.public_key_info
    }

    /// The key's short name in batch headers.
    #[must_use]
    pub fn key_id(&self) -> [u8; 16] {
        chain::key_id(&self.public_key_info)
    }

    /// The private key as TLS wants it.
    #[must_use]
    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key_der.clone()))
    }

    /// The private key in PEM. Secret.
    #[must_use]
    pub fn key_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key_der)
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// Signs a message: ECDSA P-256 SHA-256, ASN.1.
    ///
    /// # Errors
    /// [`PairError::Crypto`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, PairError> {
        let signature = self.key.sign(&SystemRandom::new(), message).map_err(crypto("sign"))?;
        Ok(signature.as_ref().to_vec())
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pair(key {})", data_encoding::HEXLOWER.encode(&self.key_id()[..6]))
    }
}

/// A certificate out of PEM.
///
/// # Errors
/// [`PairError::Certificate`].
pub fn certificate_from_pem(text: &[u8]) -> Result<CertificateDer<'static>, PairError> {
    let der = CertificateDer::from_pem_slice(text)
        .map_err(|_| PairError::Certificate { bytes: text.len() })?
        .into_owned();
    parse(&der)?;
    Ok(der)
}

/// Subject public key info of a certificate.
///
/// # Errors
/// [`PairError::Certificate`].
pub fn public_key_of(certificate: &[u8]) -> Result<Vec<u8>, PairError> {
    Ok(parse(certificate)?.public_key().raw.to_vec())
}

/// The first and the last instant at which a certificate holds.
///
/// # Errors
/// [`PairError::Certificate`].
pub fn validity_of(certificate: &[u8]) -> Result<(Instant, Instant), PairError> {
    Ok(validity(&parse(certificate)?))
}

fn validity(parsed: &X509Certificate<'_>) -> (Instant, Instant) {
    let seconds = |at: i64| Instant(at.saturating_mul(SECOND_US));
    let (from, until) = (parsed.validity().not_before, parsed.validity().not_after);
    (seconds(from.timestamp()), seconds(until.timestamp()))
}

/// The URIs that a certificate names its subject by.
///
/// # Errors
/// [`PairError::Certificate`].
pub fn uris_of(certificate: &[u8]) -> Result<Vec<String>, PairError> {
    use x509_parser::extensions::GeneralName;
    let parsed = parse(certificate)?;
    let wrong = |_| PairError::Certificate { bytes: certificate.len() };
    let Some(names) = parsed.subject_alternative_name().map_err(wrong)? else { return Ok(Vec::new()) };
    let uri = |name: &GeneralName<'_>| match name {
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        _ => None,
    };
    Ok(names.value.general_names.iter().filter_map(uri).collect())
}

/// DER as PEM.
#[must_use]
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_LINE_CHARS));
        lines.push_str(line);
        lines.push('\n');
        rest = after;
    }
    lines.push_str(&format!("-----END {label}-----\n"));
    lines
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, PairError> {
    match X509Certificate::from_der(der) {
        Ok(([], parsed)) => Ok(parsed),
        _ => Err(PairError::Certificate { bytes: der.len() }),
    }
}

fn crypto<E: std::fmt::Display>(step: &'static str) -> impl FnOnce(E) -> PairError {
    move |error| PairError::Crypto { step, reason: error.to_string() }
}
