//! The certificate that the board shows to tablets: made here, signed by itself, kept for good.
//!
//! A tablet's browser cannot know it; staff compare its fingerprint once, when they pair the tablet. That comparison is
//! all that makes it trusted, so it has no end that would come on some day when nobody compares, and a certificate that is
//! damaged is never quietly replaced by another one.
//! Invariant: key and certificate are one file, written whole: there is never half of them.
//! Out of scope: the certificates towards the centre.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXUPPER;
use hufu_shared::ids::Hash;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd};
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use crate::sync::files::{self, FileError, Step};
use crate::sync::pair::{Pair, PairError};

/// Name of the file in the data folder.
pub const CERTIFICATE_FILE: &str = "tablets.pem";
/// Years between which it holds: a board without a clock must be inside, too.
const YEARS: (i32, i32) = (2000, 2099);
/// Hexadecimal digits between two gaps of a fingerprint.
const GROUP_CHARS: usize = 4;

/// The certificate cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is in it.
    #[error(
        "use {}: {source}. If it cannot be restored, remove it: a new one is made, and staff compare its fingerprint \
         again at each tablet",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: PairError,
    },
    /// The cryptographic library refused.
    #[error("make a certificate for tablets: {0}")]
    Make(#[from] rcgen::Error),
    /// TLS cannot be served with it.
    #[error("serve tablets: {0}")]
    Serve(#[from] rustls::Error),
}

/// The certificate, ready to be served.
pub struct Certificate {
    pair: Pair,
}

impl Certificate {
    /// The one of a data folder, made if there is none yet. `address` is where tablets reach the board, if that is known.
    ///
    /// # Errors
    /// [`TlsError`] naming the file.
    pub fn open(data_dir: &Path, address: IpAddr) -> Result<Self, TlsError> {
        let path = data_dir.join(CERTIFICATE_FILE);
        let text = match files::read(&path)? {
            Some(text) => text,
            None => make(&path, address)?,
        };
        let pair = Pair::from_pem(&text, &text).map_err(|source| TlsError::Damaged { path, source })?;
        Ok(Self { pair })
    }

    /// What staff compare: SHA-256 of the certificate, as browsers show it, in groups.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hex = HEXUPPER.encode(&Hash::of(&[self.pair.certificate()]).0);
        let digits: Vec<char> = hex.chars().collect();
        digits.chunks(GROUP_CHARS).map(String::from_iter).collect::<Vec<_>>().join(" ")
    }

    /// Serves with it: TLS 1.2 and 1.3, no client certificates.
    ///
    /// # Errors
    /// [`TlsError::Serve`].
    pub fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![self.pair.certificate().clone()], self.pair.private_key())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn make(path: &Path, address: IpAddr) -> Result<Vec<u8>, TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    let mut addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), address];
    addresses.retain(|address| !address.is_unspecified());
    addresses.dedup();
    params.subject_alt_names.extend(addresses.into_iter().map(SanType::IpAddress));
    params.distinguished_name.push(DnType::CommonName, "Hufu terminal");
    (params.not_before, params.not_after) = (date_time_ymd(YEARS.0, 1, 1), date_time_ymd(YEARS.1, 12, 31));
    let certificate = params.self_signed(&key)?;
    let text = [key.serialize_pem(), certificate.pem()].concat().into_bytes();
    let staged = path.with_extension("pem.new");
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    files::perform(&[
        Step::Write(staged.clone(), text.clone()),
        Step::Rename(staged, path.to_owned()),
        Step::SyncFolder(folder.to_owned()),
    ])?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    #[test]
    fn the_certificate_is_made_once_kept_from_others_and_never_quietly_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Certificate::open(folder.path(), ANY).expect("made").fingerprint();
        assert_eq!((first.len(), first.split(' ').count()), (79, 16), "{first}");
        let again = Certificate::open(folder.path(), ANY).expect("read");
        assert_eq!(again.fingerprint(), first);
        again.acceptor().expect("serves");
        let path = folder.path().join(CERTIFICATE_FILE);
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "its key is nobody else's");
        std::fs::write(&path, "half").expect("written");
        let error = Certificate::open(folder.path(), ANY).err().expect("refused").to_string();
        assert!(error.contains("tablets.pem") && error.contains("remove it"), "{error}");
    }
}
