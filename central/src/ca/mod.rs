//! The club's private certificate authority, and the centre's own keys.
//!
//! `init` makes one root; `serve` gives itself a server certificate and gives terminals theirs. A terminal trusts this
//! root and no public authority; the centre trusts no certificate that this root did not sign, and asks its database
//! about the rest (revocation, quarantine).
//!
//! Invariants: subject and names of a certificate are set here, whatever a request says; private keys of terminals are
//! made on terminals; every private key of the centre is a file of mode 0600.
//! Out of scope: enrolment codes (`hufu_shared::code`), who may enrol, revocation.

mod authority;
mod csr;
mod identity;
mod own_keys;

pub use authority::{Authority, ServerIdentity};
pub use csr::CsrError;
pub use identity::{IdentityError, PeerIdentity};
pub use own_keys::OwnKeys;

use crate::secret_file::SecretFileError;

/// Days that a terminal's certificate is valid; it renews from day 10 on.
pub const LEAF_DAYS: i64 = 30;
/// Days after its end during which an expired certificate still authenticates a renewal, and nothing else.
pub const RENEWAL_GRACE_DAYS: i64 = 180;

/// The certificate authority cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A key or certificate file cannot be used.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The signing request was refused.
    #[error("the signing request was refused: {0}")]
    Csr(#[from] CsrError),
    /// A name that cannot stand in a certificate.
    #[error("the name {name:?} cannot stand in a certificate: {reason}")]
    Name {
        /// The name, cut to 64 characters.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The cryptographic library refused.
    #[error("could not {step}: {reason}")]
    Crypto {
        /// What was tried.
        step: &'static str,
        /// The library's own words.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
