//! Reading a signing request from a terminal: the key is taken, all else is checked or ignored.
//!
//! Invariant: nothing of the request but its public key reaches a certificate.

use hufu_shared::ids::DeviceId;
use hufu_shared::keys;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

/// An honest request has about 300 bytes.
const CSR_BYTES_MAX: usize = 4096;

/// Why a signing request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// Longer than any honest request.
    #[error("it has {bytes} bytes, at most {CSR_BYTES_MAX} are taken")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not PKCS#10 in DER.
    #[error("it is not a PKCS#10 request in DER")]
    Malformed,
    /// Another kind of key.
    #[error("its key is not an ECDSA key on P-256")]
    Key,
    /// It was not signed by its own key.
    #[error("its signature does not fit its key")]
    Signature,
    /// It names another terminal.
    #[error("it asks for the name of another terminal")]
    OtherDevice,
}

/// The subject public key info (DER) of a request that `device` may have signed.
pub(super) fn public_key(der: &[u8], device: DeviceId) -> Result<Vec<u8>, CsrError> {
    if der.len() > CSR_BYTES_MAX {
        return Err(CsrError::TooLong { bytes: der.len() });
    }
    let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| CsrError::Malformed)?;
    if !rest.is_empty() {
        return Err(CsrError::Malformed);
    }
    let info = &request.certification_request_info;
    let key = info.subject_pki.raw;
    keys::p256_point(key).ok_or(CsrError::Key)?;
    // The key's kind fixes the algorithm: ECDSA with SHA-256. What the request calls it does not matter.
    keys::verify_device(key, info.raw, &request.signature_value.data).map_err(|_| CsrError::Signature)?;
    if names_other_device(&request, device) {
        return Err(CsrError::OtherDevice);
    }
    Ok(key.to_vec())
}

/// A request may stay silent about its name, or give its own; another's is an attempt to become that terminal.
fn names_other_device(request: &X509CertificationRequest<'_>, device: DeviceId) -> bool {
    let subject = &request.certification_request_info.subject;
    let common_names = subject.iter_common_name().filter_map(|name| name.as_str().ok());
    let by_subject =
        common_names.filter_map(|name| name.parse::<DeviceId>().ok()).any(|named| named != device);
    let names =
        request.requested_extensions().into_iter().flatten().filter_map(|extension| match extension {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        });
    let is_other = |name: &GeneralName<'_>| match name {
        GeneralName::URI(uri) => {
            let named = uri.rsplit('/').next().and_then(|last| last.parse::<DeviceId>().ok());
            uri.starts_with("spiffe://") && named != Some(device)
        }
        _ => false,
    };
    by_subject || names.flatten().any(is_other)
}
