//! Who this terminal is: its key pairs, the club's CA, the sealing seed and what the centre said at enrolment.
//!
//! Files in `data_dir/identity`: `device.key` and `device.crt` (PEM), the same for `counter`, `ca.crt`, `seal.seed`,
//! `enrolment.cbor`; all 0600. Invariants:
//! - A first or repeated enrolment is built in `identity.new` and moved into place whole, so a cut leaves the old
//!   identity or the new one. What is pending there keeps its key, so a repeated attempt is the same request.
//! - A renewed pair waits as `device.{key,crt}.new` until it has connected once. A cut at any step leaves a matching
//!   pair to be found: the old one, or the new one.
//!
//! Out of scope: speaking to the centre ([`super::enrol`], [`super::renew`]) and the journal's own device id.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hufu_shared::cbor::{self, WireError};
use hufu_shared::ids::{ClubId, DeviceId, OfficeId};
use hufu_shared::scheme::Words;
use hufu_shared::seal::{OpenKey, SEAL_SEED_BYTES, SealError, SealKey};
use hufu_shared::time::SECOND_US;
use hufu_shared::token::TokenKey;
use hufu_shared::wire::enrol::{SealedTokenKeys, token_keys_place};
use hufu_shared::wire::version::CentralEpoch;
use minicbor::{Decode, Encode};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;

pub use super::files::FileError;
use super::files::{self, Step};
use super::pair::{self, OwnKey, Pair, PairError};
use crate::random;
use crate::store::NameKey;
use crate::terminal::Terminal;

const FOLDER: &str = "identity";
const PENDING: &str = "identity.new";
const REPLACED: &str = "identity.old";
const CA_FILE: &str = "ca.crt";
const SEED_FILE: &str = "seal.seed";
const ENROLMENT_FILE: &str = "enrolment.cbor";
/// Name of the pair towards the centre.
pub(super) const DEVICE: &str = "device";
/// Name of the pair of the counter page.
pub(super) const COUNTER: &str = "counter";

/// What the centre said at enrolment, without what only the wire needs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Enrolment {
    /// Who the terminal is.
    #[n(0)]
    pub device: DeviceId,
    /// What people call it.
    #[n(1)]
    pub name: String,
    /// The enrolment's number.
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
    /// The centre's life at enrolment.
    #[n(6)]
    pub central_epoch: CentralEpoch,
    /// Address of the centre, `https://host:port`.
    #[n(7)]
    pub central_url: String,
    /// The centre's key for sealing.
    #[n(8)]
    pub central_seal_key: SealKey,
    /// The centre's Ed25519 key for receipts, manifests and lease states.
    #[n(9)]
    #[cbor(with = "minicbor::bytes")]
    pub central_sign_key: [u8; 32],
    /// The token keys, still sealed to this terminal.
    #[n(10)]
    #[cbor(with = "minicbor::bytes")]
    pub token_keys: Vec<u8>,
    /// Subject public key info of the key that enrolled; the journal's chain begins with it.
    #[n(11)]
    #[cbor(with = "minicbor::bytes")]
    pub first_key: Vec<u8>,
}

/// The identity cannot be read, written or trusted.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is none.
    #[error("no enrolment in {}: run `hufu-edge enrol` first", folder.display())]
    NotEnrolled {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file does not hold what it should.
    #[error("{} expected to hold {expected}: {reason}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What was found instead.
        reason: String,
    },
    /// A private file may be read by others.
    #[error("{} may be read by others (mode {mode:o}): make it 0600 and consider the key stolen", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A certificate is not this device's, or not by this CA.
    #[error("certificate is not one for this terminal: {reason}")]
    Certificate {
        /// What does not fit.
        reason: String,
    },
    /// A key could not be made or used.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// The token keys cannot be opened.
    #[error("the token keys of the enrolment: {0}")]
    TokenKeys(#[from] SealError),
    /// The token keys opened, but are not what they should be.
    #[error("the token keys of the enrolment: {0}")]
    TokenKeysWire(#[from] WireError),
}

/// The keys of an enrolment that the centre has not yet answered.
pub struct Pending {
    /// The key towards the centre.
    pub device: OwnKey,
    /// The key of the counter page.
    pub counter: OwnKey,
    /// Seed of the sealing key.
    pub seed: [u8; SEAL_SEED_BYTES],
}

/// What one enrolment brought.
pub struct Enrolled {
    /// What the centre said.
    pub enrolment: Enrolment,
    /// The CA's certificate, DER.
    pub ca: Vec<u8>,
    /// The pair towards the centre.
    pub device: Pair,
    /// The pair of the counter page, if one was asked for.
    pub counter: Option<Pair>,
}

/// Who this terminal is.
#[derive(Clone)]
pub struct Identity {
    folder: PathBuf,
    /// What the centre said at enrolment.
    pub enrolment: Enrolment,
    ca: CertificateDer<'static>,
    open_key: OpenKey,
    name_key: NameKey,
    device: Pair,
    staged: Option<Pair>,
    counter: Option<Pair>,
}

impl Identity {
    /// Reads and checks the identity in a data folder, finishing what a cut left unfinished.
    ///
    /// # Errors
    /// [`IdentityError`]; [`IdentityError::NotEnrolled`] if there is none.
    pub fn load(data_dir: &Path) -> Result<Self, IdentityError> {
        let (folder, pending) = (data_dir.join(FOLDER), data_dir.join(PENDING));
        if !folder.exists() && Self::read(&pending).is_ok() {
            // The cut came between moving the old one away and the new one in; the new one is complete.
            files::perform(&[Step::Rename(pending, folder.clone()), Step::SyncFolder(data_dir.to_owned())])?;
            files::perform(&[Step::Remove(data_dir.join(REPLACED))])?;
        }
        if !folder.exists() {
            return Err(IdentityError::NotEnrolled { folder: data_dir.to_owned() });
        }
        Self::read(&folder)
    }

    fn read(folder: &Path) -> Result<Self, IdentityError> {
        let enrolment_path = folder.join(ENROLMENT_FILE);
        let enrolment = cbor::decode::<Enrolment>(&required(&enrolment_path)?)
            .map_err(|error| damaged(enrolment_path, "an enrolment", error))?;
        let ca_path = folder.join(CA_FILE);
        let ca = pair::certificate_from_pem(&required(&ca_path)?)
            .map_err(|error| damaged(ca_path, "the club's CA certificate", error))?;
        let seed_path = folder.join(SEED_FILE);
        let seed = <[u8; SEAL_SEED_BYTES]>::try_from(private(&seed_path)?)
            .map_err(|met| damaged(seed_path, "32 random bytes", format!("{} bytes", met.len())))?;
        let (device, staged) = load_pair(folder, DEVICE)?;
        let has_counter = pair_paths(folder, COUNTER)[1].exists();
        let counter = if has_counter { Some(load_pair(folder, COUNTER)?.0) } else { None };
        check_device(&ca, &device, &enrolment)?;
        let staged = staged.filter(|pair| check_device(&ca, pair, &enrolment).is_ok());
        let folder = folder.to_owned();
        let (open_key, name_key) = (OpenKey::from_seed(&seed), NameKey::from_seed(&seed));
        Ok(Self { folder, enrolment, ca, open_key, name_key, device, staged, counter })
    }

    /// The keys of an enrolment about to be tried. Those of an attempt that was cut are used again, so that the code
    /// still fits them (fault case 8).
    ///
    /// # Errors
    /// [`IdentityError`] if they cannot be made durable.
    pub fn prepare(data_dir: &Path) -> Result<Pending, IdentityError> {
        let folder = data_dir.join(PENDING);
        if let Some(pending) = read_pending(&folder)? {
            return Ok(pending);
        }
        let seed = random::bytes();
        let pending = Pending { device: OwnKey::generate()?, counter: OwnKey::generate()?, seed };
        files::perform(&prepare_steps(data_dir, &pending))?;
        Ok(pending)
    }

    /// Puts an enrolment into place, replacing the one before.
    ///
    /// # Errors
    /// [`IdentityError`]; what was in place before then still is.
    pub fn commit(data_dir: &Path, enrolled: &Enrolled) -> Result<Self, IdentityError> {
        check_device(&CertificateDer::from(enrolled.ca.clone()), &enrolled.device, &enrolled.enrolment)?;
        files::perform(&commit_steps(data_dir, enrolled))?;
        Self::load(data_dir)
    }

    /// Keeps a renewed pair beside the one in use, until it has connected.
    ///
    /// # Errors
    /// [`IdentityError`]; the pair in use is untouched.
    pub fn stage(&mut self, device: Pair, counter: Option<Pair>) -> Result<(), IdentityError> {
        check_device(&self.ca, &device, &self.enrolment)?;
        files::perform(&stage_steps(&self.folder, DEVICE, &device))?;
        if let Some(counter) = counter {
            files::perform(&stage_steps(&self.folder, COUNTER, &counter))?;
            files::perform(&promote_steps(&self.folder, COUNTER))?;
            self.counter = Some(counter);
        }
        self.staged = Some(device);
        Ok(())
    }

    /// The renewed pair has connected: it becomes the one in use.
    ///
    /// # Errors
    /// [`IdentityError`] if the files cannot be moved; both pairs then still stand.
    pub fn promote(&mut self) -> Result<(), IdentityError> {
        let Some(pair) = self.staged.clone() else { return Ok(()) };
        files::perform(&promote_steps(&self.folder, DEVICE))?;
        self.device = pair;
        self.staged = None;
        Ok(())
    }

    /// Gives up a renewed pair that the centre does not take.
    ///
    /// # Errors
    /// [`FileError`] if its files cannot be removed; the pair in use is untouched.
    pub fn unstage(&mut self) -> Result<(), FileError> {
        let [_, _, key, certificate] = pair_paths(&self.folder, DEVICE);
        files::perform(&[
            Step::Remove(certificate),
            Step::Remove(key),
            Step::SyncFolder(self.folder.clone()),
        ])?;
        self.staged = None;
        Ok(())
    }

    /// The pair in use towards the centre.
    #[must_use]
    pub fn device(&self) -> &Pair {
        &self.device
    }

    /// A renewed pair that has not connected yet.
    #[must_use]
    pub fn staged(&self) -> Option<&Pair> {
        self.staged.as_ref()
    }

    /// The counter page's pair.
    #[must_use]
    pub fn counter(&self) -> Option<&Pair> {
        self.counter.as_ref()
    }

    /// The club's CA, the only root trusted.
    #[must_use]
    pub fn ca(&self) -> &CertificateDer<'static> {
        &self.ca
    }

    /// Opens what is sealed to this terminal.
    #[must_use]
    pub fn open_key(&self) -> &OpenKey {
        &self.open_key
    }

    /// What the rest of the daemon needs to know of it.
    ///
    /// # Errors
    /// As [`Identity::token_keys`].
    pub fn terminal(&self) -> Result<Terminal, IdentityError> {
        let enrolment = self.enrolment.clone();
        Ok(Terminal {
            device: enrolment.device,
            epoch: enrolment.epoch,
            name: enrolment.name,
            club: enrolment.club,
            club_name: enrolment.club_name,
            office: enrolment.office,
            first_key: enrolment.first_key,
            token_keys: self.token_keys()?,
            name_key: self.name_key.clone(),
        })
    }

    /// The token keys of the office group, the current one first.
    ///
    /// # Errors
    /// [`IdentityError::TokenKeys`] or [`IdentityError::TokenKeysWire`] if they were sealed to another terminal or
    /// are damaged.
    pub fn token_keys(&self) -> Result<Vec<TokenKey>, IdentityError> {
        open_token_keys(&self.open_key, &self.enrolment)
    }
}

/// Opens the token keys of an enrolment.
pub(super) fn open_token_keys(key: &OpenKey, enrolment: &Enrolment) -> Result<Vec<TokenKey>, IdentityError> {
    let clear = key.open(&token_keys_place(enrolment.device), &enrolment.token_keys)?;
    Ok(cbor::decode::<SealedTokenKeys>(&clear)?.keys)
}

/// Checks that a device certificate is by this CA, for client authentication, and names this device. A certificate
/// past its end passes: it may still renew (fault case 43).
fn check_device(ca: &CertificateDer<'_>, pair: &Pair, enrolment: &Enrolment) -> Result<(), IdentityError> {
    let refused = |reason: String| IdentityError::Certificate { reason };
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone().into_owned()).map_err(|error| refused(format!("the CA certificate: {error}")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| refused(error.to_string()))?;
    let seconds = u64::try_from(pair.not_before.0 / SECOND_US).unwrap_or(0);
    let when = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    verifier.verify_client_cert(pair.certificate(), &[], when).map_err(|error| refused(error.to_string()))?;
    let wanted = format!("/device/{}", enrolment.device);
    let names = pair::uris_of(pair.certificate())?;
    if names.iter().any(|name| name.ends_with(&wanted)) {
        return Ok(());
    }
    Err(refused(format!("it names {names:?}, expected a name ending in {wanted}")))
}

fn load_pair(folder: &Path, name: &str) -> Result<(Pair, Option<Pair>), IdentityError> {
    let [key_path, certificate_path, new_key_path, new_certificate_path] = pair_paths(folder, name);
    let key = private(&key_path)?;
    let certificate = files::read(&certificate_path)?.unwrap_or_default();
    let new_certificate = files::read(&new_certificate_path)?;
    let staged = match (files::read(&new_key_path)?, &new_certificate) {
        (Some(key), Some(certificate)) => Pair::from_pem(&key, certificate).ok(),
        _ => None,
    };
    match Pair::from_pem(&key, &certificate) {
        Ok(current) => Ok((current, staged)),
        Err(error) => {
            // Cut between the two renames: the key is the new one already, its certificate still waits.
            let moved = new_certificate.and_then(|certificate| Pair::from_pem(&key, &certificate).ok());
            let Some(current) = moved else {
                return Err(damaged(key_path, "the key of the certificate beside it", error));
            };
            let rename = Step::Rename(new_certificate_path, certificate_path);
            files::perform(&[rename, Step::SyncFolder(folder.to_owned())])?;
            Ok((current, None))
        }
    }
}

fn read_pending(folder: &Path) -> Result<Option<Pending>, IdentityError> {
    let key = |name: &str| -> Result<Option<OwnKey>, IdentityError> {
        let [path, ..] = pair_paths(folder, name);
        Ok(files::read(&path)?.and_then(|pem| OwnKey::from_pem(&pem).ok()))
    };
    let seed = files::read(&folder.join(SEED_FILE))?.and_then(|bytes| bytes.try_into().ok());
    Ok(match (key(DEVICE)?, key(COUNTER)?, seed) {
        (Some(device), Some(counter), Some(seed)) => Some(Pending { device, counter, seed }),
        _ => None,
    })
}

fn prepare_steps(data_dir: &Path, pending: &Pending) -> Vec<Step> {
    let folder = data_dir.join(PENDING);
    let key = |name: &str, key: &OwnKey| {
        let [path, ..] = pair_paths(&folder, name);
        Step::Write(path, key.to_pem().into_bytes())
    };
    vec![
        Step::Remove(folder.clone()),
        Step::Folder(folder.clone()),
        Step::Write(folder.join(SEED_FILE), pending.seed.to_vec()),
        key(COUNTER, &pending.counter),
        key(DEVICE, &pending.device),
        Step::SyncFolder(folder),
        Step::SyncFolder(data_dir.to_owned()),
    ]
}

fn commit_steps(data_dir: &Path, enrolled: &Enrolled) -> Vec<Step> {
    let (folder, pending) = (data_dir.join(FOLDER), data_dir.join(PENDING));
    let replaced = data_dir.join(REPLACED);
    let certificate = |name: &str, pair: &Pair| {
        let [_, path, ..] = pair_paths(&pending, name);
        Step::Write(path, pair.certificate_pem().into_bytes())
    };
    let mut steps = vec![
        Step::Write(pending.join(CA_FILE), pair::pem("CERTIFICATE", &enrolled.ca).into_bytes()),
        certificate(DEVICE, &enrolled.device),
    ];
    steps.extend(enrolled.counter.as_ref().map(|counter| certificate(COUNTER, counter)));
    // Written last: a folder with a readable enrolment is complete.
    steps.push(Step::Write(pending.join(ENROLMENT_FILE), cbor::encode(&enrolled.enrolment)));
    steps.push(Step::SyncFolder(pending.clone()));
    if folder.exists() {
        steps.push(Step::Remove(replaced.clone()));
        steps.push(Step::Rename(folder.clone(), replaced.clone()));
    }
    steps.push(Step::Rename(pending, folder));
    steps.push(Step::SyncFolder(data_dir.to_owned()));
    steps.push(Step::Remove(replaced));
    steps
}

fn stage_steps(folder: &Path, name: &str, pair: &Pair) -> Vec<Step> {
    let [_, _, key, certificate] = pair_paths(folder, name);
    vec![
        Step::Remove(certificate.clone()),
        Step::Remove(key.clone()),
        Step::Write(key, pair.key_pem().into_bytes()),
        Step::Write(certificate, pair.certificate_pem().into_bytes()),
        Step::SyncFolder(folder.to_owned()),
    ]
}

fn promote_steps(folder: &Path, name: &str) -> Vec<Step> {
    let [key, certificate, new_key, new_certificate] = pair_paths(folder, name);
    vec![
        Step::Rename(new_key, key),
        Step::Rename(new_certificate, certificate),
        Step::SyncFolder(folder.to_owned()),
    ]
}

/// Key, certificate, waiting key, waiting certificate.
fn pair_paths(folder: &Path, name: &str) -> [PathBuf; 4] {
    ["key", "crt", "key.new", "crt.new"].map(|end| folder.join(format!("{name}.{end}")))
}

fn required(path: &Path) -> Result<Vec<u8>, IdentityError> {
    files::read(path)?.ok_or_else(|| damaged(path.to_owned(), "part of the enrolment", "it is missing"))
}

fn private(path: &Path) -> Result<Vec<u8>, IdentityError> {
    let bytes = required(path)?;
    let mode = std::fs::metadata(path).map_err(files::failed("read", path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(IdentityError::Exposed { path: path.to_owned(), mode: mode & 0o777 });
    }
    Ok(bytes)
}

fn damaged(path: PathBuf, expected: &'static str, reason: impl ToString) -> IdentityError {
    IdentityError::Damaged { path, expected, reason: reason.to_string() }
}

#[cfg(test)]
mod tests;
