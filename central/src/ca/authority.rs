//! The root: made once, kept in files, signs terminals' and the server's certificates.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use hufu_shared::code::CaFingerprint;
use hufu_shared::ids::{ClubId, DeviceId};
use hufu_shared::time::{DAY_US, Instant, MINUTE_US};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SerialNumber,
    SubjectPublicKeyInfo,
};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::{CaError, LEAF_DAYS, csr, identity};
use crate::secret_file::{self, SecretFileError};

const CA_KEY_FILE: &str = "ca.key";
const CA_CERTIFICATE_FILE: &str = "ca.crt";
/// Certificate and key in one file, so that a power cut never leaves a mixed pair.
const SERVER_FILE: &str = "server.pem";
/// A club keeps its root for as long as its terminals; changing it means enrolling all again.
const ROOT_DAYS: i64 = 20 * 366;
const SERVER_DAYS: i64 = 90;
/// With less left, the server certificate is made anew.
const SERVER_RENEW_DAYS: i64 = 10;
/// Certificates begin a little earlier: clocks of terminals differ.
const BACKDATE_US: i64 = 60 * MINUTE_US;
/// Host names and addresses in one certificate.
const NAMES_MAX: usize = 16;
const NAME_BYTES_MAX: usize = 253;

/// The club's root, able to sign.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    public_key_info: Vec<u8>,
    club: ClubId,
    folder: PathBuf,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({}, {:?})", self.club, self.fingerprint())
    }
}

/// The server's certificate and key, for the TLS listener.
#[derive(Debug)]
pub struct ServerIdentity {
    /// Leaf first, then the root.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// When it ends.
    pub not_after: Instant,
}

fn crypto(step: &'static str) -> impl Fn(rcgen::Error) -> CaError {
    move |error| CaError::Crypto { step, reason: error.to_string() }
}

impl Authority {
    /// Makes the root of a club as files in `folder`, which must not hold one yet.
    ///
    /// # Errors
    /// [`CaError`]; [`SecretFileError::Exists`] if there is a root already.
    pub fn create(folder: &Path, club: ClubId, now: Instant) -> Result<Self, CaError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(crypto("make the root key"))?;
        let mut params = params(&format!("Hufu CA {club}"), now, ROOT_DAYS)?;
        // The club stands in the subject: the files alone must be enough to go on.
        params.distinguished_name.push(DnType::OrganizationName, club.to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(crypto("sign the root certificate"))?;
        secret_file::create_folder(folder)?;
        secret_file::write_new(&folder.join(CA_KEY_FILE), key.serialize_pem().as_bytes())?;
        secret_file::write_new(&folder.join(CA_CERTIFICATE_FILE), certificate.pem().as_bytes())?;
        Self::open(folder)
    }

    /// Reads the root.
    ///
    /// # Errors
    /// [`CaError::File`].
    pub fn open(folder: &Path) -> Result<Self, CaError> {
        let path = folder.join(CA_KEY_FILE);
        let text = secret_file::read(&path)?;
        let damaged = |path: &Path, expected| SecretFileError::Damaged { path: path.to_owned(), expected };
        let text = String::from_utf8(text).map_err(|_| damaged(&path, "a key in PEM"))?;
        let key = KeyPair::from_pem(&text).map_err(|_| damaged(&path, "a P-256 key in PEM"))?;
        let path = folder.join(CA_CERTIFICATE_FILE);
        let expected = "the certificate of ca.key in PEM";
        let certificate = CertificateDer::from_pem_slice(&secret_file::read(&path)?)
            .map_err(|_| damaged(&path, expected))?;
        let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|_| damaged(&path, expected))?;
        let organization = parsed.subject().iter_organization().next().and_then(|name| name.as_str().ok());
        let club = organization.and_then(|name| name.parse().ok()).ok_or_else(|| damaged(&path, expected))?;
        let public_key_info = parsed.public_key().raw.to_vec();
        if public_key_info != key.subject_public_key_info() {
            return Err(damaged(&path, expected).into());
        }
        let issuer =
            Issuer::from_ca_cert_der(&certificate, key).map_err(crypto("read the root certificate"))?;
        Ok(Self { issuer, certificate, public_key_info, club, folder: folder.to_owned() })
    }

    /// The root certificate: what terminals trust and what clients' certificates are checked against.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The club that this root belongs to.
    #[must_use]
    pub fn club(&self) -> ClubId {
        self.club
    }

    /// What an enrolment code carries.
    #[must_use]
    pub fn fingerprint(&self) -> CaFingerprint {
        CaFingerprint::of(&self.public_key_info)
    }

    /// A terminal's certificate towards the centre, DER; 30 days.
    ///
    /// # Errors
    /// [`CaError::Csr`] if the request is refused.
    pub fn issue_device(&self, request: &[u8], device: DeviceId, now: Instant) -> Result<Vec<u8>, CaError> {
        let mut params = params(&device.to_string(), now, LEAF_DAYS)?;
        params.subject_alt_names = vec![self.device_name(device)?];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(request, device, params)
    }

    /// A certificate for a terminal's counter page, DER; 30 days. `names` are the terminal's host names and addresses;
    /// none of `reserved` (the centre's own) is given away, else a terminal could pose as the centre.
    ///
    /// # Errors
    /// [`CaError::Csr`] if the request is refused, [`CaError::Name`] for a name.
    pub fn issue_counter(
        &self,
        request: &[u8],
        device: DeviceId,
        names: &[String],
        reserved: &[String],
        now: Instant,
    ) -> Result<Vec<u8>, CaError> {
        let mut params = params(&device.to_string(), now, LEAF_DAYS)?;
        params.subject_alt_names = checked_names(names)?;
        let reserved = checked_names(reserved)?;
        let taken = names.iter().zip(&params.subject_alt_names).find(|(_, name)| reserved.contains(name));
        if let Some((name, _)) = taken {
            return Err(CaError::Name { name: name.clone(), reason: "it is the centre's own" });
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(request, device, params)
    }

    /// The server's certificate for `names`: the stored one, or a new one if it is missing, has less than 10 days left,
    /// or was made for other names.
    ///
    /// # Errors
    /// [`CaError::Name`] for a name, [`CaError::File`] for the file.
    pub fn server_identity(&self, names: &[String], now: Instant) -> Result<ServerIdentity, CaError> {
        let path = self.folder.join(SERVER_FILE);
        let wanted = checked_names(names)?;
        if wanted.is_empty() {
            return Err(CaError::Name { name: String::new(), reason: "the server needs at least one name" });
        }
        if path.exists()
            && let Some(stored) = self.read_server(&secret_file::read(&path)?, &wanted)
            && stored.not_after.since(now) >= SERVER_RENEW_DAYS * DAY_US
        {
            return Ok(stored);
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(crypto("make the server key"))?;
        let mut params = params("Hufu central", now, SERVER_DAYS)?;
        params.subject_alt_names.clone_from(&wanted);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &self.issuer).map_err(crypto("sign the server certificate"))?;
        let text = format!("{}{}", leaf.pem(), key.serialize_pem());
        secret_file::replace(&path, text.as_bytes())?;
        let expected = "a certificate and its key in PEM";
        let made = self.read_server(text.as_bytes(), &wanted);
        Ok(made.ok_or(SecretFileError::Damaged { path, expected })?)
    }

    fn read_server(&self, pem: &[u8], wanted: &[SanType]) -> Option<ServerIdentity> {
        let leaf = CertificateDer::from_pem_slice(pem).ok()?;
        let key = PrivateKeyDer::from_pem_slice(pem).ok()?;
        let (_, parsed) = X509Certificate::from_der(&leaf).ok()?;
        let (_, root) = X509Certificate::from_der(&self.certificate).ok()?;
        let names = parsed.subject_alternative_name().ok()??.value;
        let names: Vec<SanType> = names.general_names.iter().map(san_of).collect::<Option<_>>()?;
        let is_ours = parsed.issuer() == root.subject() && names == wanted;
        let not_after = Instant(parsed.validity().not_after.timestamp().saturating_mul(1_000_000));
        let chain = vec![leaf.clone(), self.certificate.clone()];
        is_ours.then_some(ServerIdentity { chain, key, not_after })
    }

    fn device_name(&self, device: DeviceId) -> Result<SanType, CaError> {
        let uri = identity::device_uri(self.club, device);
        let text = uri.as_str().try_into().map_err(crypto("name the terminal"))?;
        Ok(SanType::URI(text))
    }

    fn sign(&self, request: &[u8], device: DeviceId, params: CertificateParams) -> Result<Vec<u8>, CaError> {
        let key = csr::public_key(request, device)?;
        let key = SubjectPublicKeyInfo::from_der(&key).map_err(crypto("read the key of the request"))?;
        let leaf = params.signed_by(&key, &self.issuer).map_err(crypto("sign the certificate"))?;
        Ok(leaf.der().to_vec())
    }
}

fn params(name: &str, now: Instant, days: i64) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    let seconds = |at: Instant| Duration::from_micros(u64::try_from(at.0).unwrap_or(0));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + seconds(now.offset(-BACKDATE_US));
    params.not_after = epoch + seconds(now.offset(days * DAY_US));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let mut serial = [0_u8; 16];
    SystemRandom::new().fill(&mut serial).map_err(|_| CaError::Crypto {
        step: "number the certificate",
        reason: "no randomness".to_owned(),
    })?;
    // A serial number is a positive integer of at most 20 bytes.
    serial[0] = (serial[0] & 0x7f) | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

/// Host names and addresses as they stand in a certificate; no wildcards, nothing that is not a name.
fn checked_names(names: &[String]) -> Result<Vec<SanType>, CaError> {
    let wrong = |name: &str, reason| CaError::Name { name: name.chars().take(64).collect(), reason };
    if names.len() > NAMES_MAX {
        return Err(wrong(&names[NAMES_MAX], "there are more than 16 names"));
    }
    let check = |name: &String| {
        if let Ok(address) = IpAddr::from_str(name) {
            return Ok(SanType::IpAddress(address));
        }
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // An all-digit last label would be read as an address by some clients.
        let is_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if name.len() > NAME_BYTES_MAX || is_number || !name.split('.').all(is_label) {
            return Err(wrong(
                name,
                "expected a host name of letters, digits, hyphens and dots, or an address",
            ));
        }
        let text = name.to_ascii_lowercase();
        Ok(SanType::DnsName(text.as_str().try_into().map_err(crypto("name the server"))?))
    };
    names.iter().map(check).collect()
}

fn san_of(name: &x509_parser::extensions::GeneralName<'_>) -> Option<SanType> {
    use x509_parser::extensions::GeneralName;
    match name {
        GeneralName::DNSName(text) => Some(SanType::DnsName((*text).try_into().ok()?)),
        GeneralName::IPAddress(bytes) => {
            let address = match bytes.len() {
                4 => IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?),
                16 => IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?),
                _ => return None,
            };
            Some(SanType::IpAddress(address))
        }
        _ => None,
    }
}
