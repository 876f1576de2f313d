//! Who a peer is, read from the certificate that the TLS handshake has already verified.

use hufu_shared::ids::{ClubId, DeviceId, Hash};
use hufu_shared::time::{Instant, SECOND_US};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// The URI that names a terminal in its certificate.
pub(super) fn device_uri(club: ClubId, device: DeviceId) -> String {
    format!("spiffe://{club}/device/{device}")
}

/// What a terminal's certificate says. That it is not revoked, the database says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The club it was made for.
    pub club: ClubId,
    /// The terminal.
    pub device: DeviceId,
    /// Its public key (subject public key info, DER): batches are signed with it.
    pub public_key_info: Vec<u8>,
    /// SHA-256 of the public key: what the database knows the key by.
    pub key_id: Hash,
    /// When the certificate ends. After that only a renewal is served.
    pub not_after: Instant,
}

/// The certificate does not name a terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not an X.509 certificate in DER.
    #[error("the client certificate is not X.509 in DER")]
    Malformed,
    /// No name of ours, or more than one.
    #[error("the client certificate names {met} terminals, expected exactly one")]
    Names {
        /// How many it names.
        met: usize,
    },
    /// Not a P-256 key.
    #[error("the client certificate's key is not on P-256")]
    Key,
}

impl PeerIdentity {
    /// Reads a leaf certificate in DER.
    ///
    /// # Errors
    /// [`IdentityError`] if it does not name exactly one terminal of one club, with a P-256 key.
    pub fn read(der: &[u8]) -> Result<Self, IdentityError> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| IdentityError::Malformed)?;
        let names = certificate.subject_alternative_name().map_err(|_| IdentityError::Malformed)?;
        let uris = names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        let named: Vec<(ClubId, DeviceId)> = uris.filter_map(parse_device_uri).collect();
        let [(club, device)] = named[..] else { return Err(IdentityError::Names { met: named.len() }) };
        let public_key_info = certificate.public_key().raw.to_vec();
        hufu_shared::keys::p256_point(&public_key_info).ok_or(IdentityError::Key)?;
        let key_id = Hash::of(&[&public_key_info]);
        let not_after = Instant(certificate.validity().not_after.timestamp().saturating_mul(SECOND_US));
        Ok(Self { club, device, public_key_info, key_id, not_after })
    }

    /// Whether only a renewal may be served.
    #[must_use]
    pub fn is_expired(&self, now: Instant) -> bool {
        now > self.not_after
    }
}

fn parse_device_uri(uri: &str) -> Option<(ClubId, DeviceId)> {
    let (club, device) = uri.strip_prefix("spiffe://")?.split_once("/device/")?;
    Some((club.parse().ok()?, device.parse().ok()?))
}
