//! Which client certificates the device port lets in.
//!
//! None at all is let in (enrolment); one that this club's root did not sign ends the handshake. One that expired not
//! longer than [`RENEWAL_GRACE_DAYS`] ago is let in so that it can renew; every handler but the renewal refuses it
//! ([`crate::ca::PeerIdentity::is_expired`]). Revocation is looked up in the database for every request.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::ca::RENEWAL_GRACE_DAYS;

const RENEWAL_GRACE_S: u64 = RENEWAL_GRACE_DAYS.unsigned_abs() * 24 * 60 * 60;

/// The library's verifier, with a door for renewals.
#[derive(Debug)]
pub(super) struct DeviceVerifier {
    pub(super) inner: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for DeviceVerifier {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.inner.verify_client_cert(leaf, intermediates, now) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after }))
                if time.as_secs().saturating_sub(not_after.as_secs()) <= RENEWAL_GRACE_S =>
            {
                // All else must hold as it did in the certificate's last second.
                let end = UnixTime::since_unix_epoch(Duration::from_secs(not_after.as_secs()));
                self.inner.verify_client_cert(leaf, intermediates, end)
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
