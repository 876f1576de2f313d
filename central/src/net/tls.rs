//! TLS settings of the two ports; one crypto provider, ring.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};

use super::verifier::DeviceVerifier;
use crate::ca::ServerIdentity;

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("could not {step}: {reason}")]
pub struct TlsError {
    step: &'static str,
    reason: String,
}

fn failed<E: std::fmt::Display>(step: &'static str) -> impl Fn(E) -> TlsError {
    move |error| TlsError { step, reason: error.to_string() }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The server's certificate, which a renewal replaces while the server runs; new handshakes use the new one.
#[derive(Debug)]
pub struct SwappableIdentity {
    current: RwLock<Arc<CertifiedKey>>,
}

impl SwappableIdentity {
    /// Starts with this certificate.
    ///
    /// # Errors
    /// [`TlsError`] if key and certificate do not fit.
    pub fn new(identity: ServerIdentity) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self { current: RwLock::new(certified(identity)?) }))
    }

    /// Uses another certificate from now on.
    ///
    /// # Errors
    /// [`TlsError`] if key and certificate do not fit; the old one stays.
    pub fn replace(&self, identity: ServerIdentity) -> Result<(), TlsError> {
        let new = certified(identity)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }
}

fn certified(identity: ServerIdentity) -> Result<Arc<CertifiedKey>, TlsError> {
    let ServerIdentity { chain, key, .. } = identity;
    let certified = CertifiedKey::from_der(chain, key, &provider());
    certified.map(Arc::new).map_err(failed("use the server certificate"))
}

impl ResolvesServerCert for SwappableIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The device port: TLS 1.3 only; a client certificate is optional, but must be of one of `roots` when shown.
///
/// # Errors
/// [`TlsError`] if a root is no certificate.
pub fn device_config(
    roots: &[CertificateDer<'static>],
    identity: Arc<SwappableIdentity>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).map_err(failed("trust the root certificate"))?;
    }
    let inner = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider())
        .allow_unauthenticated()
        .build()
        .map_err(failed("verify client certificates"))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(failed("choose TLS 1.3"))?
        .with_client_cert_verifier(Arc::new(DeviceVerifier { inner }))
        .with_cert_resolver(identity);
    // A resumed session would skip the client certificate's verification.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(with_protocols(config)))
}

/// The console and its API: TLS 1.2 or 1.3, no client certificates.
///
/// # Errors
/// [`TlsError`].
pub fn console_config(identity: Arc<SwappableIdentity>) -> Result<Arc<ServerConfig>, TlsError> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS12, &TLS13])
        .map_err(failed("choose TLS 1.2 and 1.3"))?
        .with_no_client_auth()
        .with_cert_resolver(identity);
    Ok(Arc::new(with_protocols(config)))
}

fn with_protocols(mut config: ServerConfig) -> ServerConfig {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}
