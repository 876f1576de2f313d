//! By which time certificates are judged.
//!
//! A terminal learns the time from the centre, and reaches the centre over TLS, which needs the time. A clock at 1970 or
//! a floor that was persisted far ahead must not close that circle: until the centre was heard, a server's certificate
//! is judged within its own validity. Everything else (authority, name, signatures, use) is judged as ever, and once the
//! centre was heard so is the time (fault cases 25 and 26).
//! Out of scope: which authority is trusted.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::pair;
use crate::clock::Clock;
use hufu_shared::time::{ClockQuality, SECOND_US};

/// A time that knows whether it is the centre's.
pub trait CertificateTime: TimeProvider {
    /// Whether the time is known: then a certificate outside its validity is refused.
    fn is_sure(&self) -> bool;
}

/// The terminal's trusted time: the system's clock may stand at 1970 or ten years ahead.
#[derive(Debug)]
pub struct TrustedTime(pub Clock);

impl TimeProvider for TrustedTime {
    fn current_time(&self) -> Option<UnixTime> {
        let us = u64::try_from(self.0.now().trusted.0).unwrap_or(0);
        Some(UnixTime::since_unix_epoch(Duration::from_micros(us)))
    }
}

impl CertificateTime for TrustedTime {
    fn is_sure(&self) -> bool {
        self.0.now().quality == ClockQuality::Synced
    }
}

/// The time by which `leaf` is judged: `now`, unless the time is not known and `now` is outside the validity.
pub(super) fn judged_at(leaf: &CertificateDer<'_>, now: UnixTime, time: &dyn CertificateTime) -> UnixTime {
    if time.is_sure() {
        return now;
    }
    // What cannot be read is refused by the verifier, at whatever time.
    let Ok((from, until)) = pair::validity_of(leaf) else { return now };
    let seconds = |us: i64| u64::try_from(us / SECOND_US).unwrap_or(0);
    let at = now.as_secs().min(seconds(until.0)).max(seconds(from.0));
    UnixTime::since_unix_epoch(Duration::from_secs(at))
}

/// The library's verifier, asked for the right time.
#[derive(Debug)]
pub(super) struct ClubVerifier {
    pub(super) inner: Arc<WebPkiServerVerifier>,
    pub(super) time: Arc<dyn CertificateTime>,
}

impl ServerCertVerifier for ClubVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let now = judged_at(end_entity, now, self.time.as_ref());
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
