//! Keeping certificates young: from a third of its life on (day 10 of 30) a certificate is renewed with a new key.
//!
//! The new pair waits beside the old one until it has connected once; only then is the old one given up. So whatever
//! is lost on the way, one pair works. A certificate past its end may still renew (fault case 43).

use hufu_shared::cbor;
use hufu_shared::time::Instant;
use hufu_shared::wire::enrol::{ENROL_BYTES_MAX, Purpose, RenewAnswer, RenewRequest};
use hufu_shared::wire::version::PROTO;

use super::client::{Centre, CentreError};
use super::identity::{Identity, IdentityError};
use super::pair::{OwnKey, Pair};

const RENEW_PATH: &str = "/device/v1/renew";
/// A certificate is renewed once this part of its life is over: day 10 of 30.
const LIFE_PARTS: i64 = 3;

/// Renewal did not succeed. The pair in use is untouched.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The exchange failed.
    #[error(transparent)]
    Centre(#[from] CentreError),
    /// Keys, certificates or files.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Not one certificate per request.
    #[error("{wanted} certificates expected, met {met}")]
    Count {
        /// How many were asked for.
        wanted: usize,
        /// How many came.
        met: usize,
    },
}

/// Whether a pair should be renewed.
#[must_use]
pub fn is_due(pair: &Pair, now: Instant) -> bool {
    let life = pair.not_after.since(pair.not_before);
    now >= pair.not_before.offset(life / LIFE_PARTS)
}

/// Asks for certificates for new keys and puts them beside those in use. `names` are this machine's host names and
/// addresses, for the counter page; empty for none.
///
/// # Errors
/// [`RenewError`]; the identity is as it was.
pub async fn renew(identity: &mut Identity, centre: &Centre, names: &[String]) -> Result<(), RenewError> {
    let (device, counter) = (new_key()?, new_key()?);
    let mut csrs = vec![device.request(Purpose::Device, &[]).map_err(IdentityError::from)?];
    if !names.is_empty() {
        csrs.push(counter.request(Purpose::Counter, names).map_err(IdentityError::from)?);
    }
    let wanted = csrs.len();
    let request = cbor::encode(&RenewRequest { proto: PROTO, csrs });
    let answer = centre.post::<RenewAnswer>(RENEW_PATH, request, ENROL_BYTES_MAX).await?;
    let met = answer.certificates.len();
    let mut certificates = answer.certificates.into_iter().map(Vec::from);
    let (Some(first), true) = (certificates.next(), met == wanted) else {
        return Err(RenewError::Count { wanted, met });
    };
    let device = device.with_certificate(first).map_err(IdentityError::from)?;
    let counter = match certificates.next() {
        Some(der) => Some(counter.with_certificate(der).map_err(IdentityError::from)?),
        None => None,
    };
    Ok(identity.stage(device, counter)?)
}

fn new_key() -> Result<OwnKey, IdentityError> {
    Ok(OwnKey::generate()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::tests::ca::{DEVICE, TestCa};
    use hufu_shared::time::DAY_US;

    #[test]
    fn a_certificate_is_renewed_from_a_third_of_its_life_on() {
        let ca = TestCa::new("club");
        let key = OwnKey::generate().expect("a key");
        let csr = key.request(Purpose::Device, &[]).expect("a request");
        let mut pair = key.with_certificate(ca.device(&csr, DEVICE, (2020, 2100))).expect("its certificate");
        pair.not_before = Instant(0);
        pair.not_after = Instant(30 * DAY_US);
        assert!(!is_due(&pair, Instant(10 * DAY_US - 1)));
        assert!(is_due(&pair, Instant(10 * DAY_US)));
        assert!(is_due(&pair, Instant(300 * DAY_US)), "past its end as well");
    }
}
