//! Enrolment: one code from the console makes this machine a terminal of the club.
//!
//! The code names the CA by fingerprint, so the very first connection already speaks to nobody else: the server must
//! present a CA certificate with that fingerprint, and a certificate by it for the address asked. Keys are made and
//! kept before anything is sent, so a lost answer is asked for again with the same request (fault case 8).
//! Out of scope: where the files lie ([`super::identity`]).

use std::path::Path;
use std::sync::{Arc, Mutex};

use hufu_shared::cbor;
use hufu_shared::code::{CaFingerprint, EnrolCode};
use hufu_shared::ids::Hash;
use hufu_shared::seal::OpenKey;
use hufu_shared::wire::enrol::{ENROL_BYTES_MAX, EnrolAnswer, EnrolRequest, Purpose};
use hufu_shared::wire::version::PROTO;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::client::{self, Centre, CentreError, ClientLimits};
use super::identity::{self, Enrolled, Enrolment, Identity, IdentityError};
use super::pair;
use super::trust::{CertificateTime, judged_at};

const ENROL_PATH: &str = "/device/v1/enrol";

/// What enrolment needs to know.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Address of the centre, `https://host:port`.
    pub url: &'a str,
    /// The code from the console.
    pub code: &'a EnrolCode,
    /// Host names and addresses of this machine, for the counter page's certificate; empty for none.
    pub names: &'a [String],
    /// What the board says of itself, hashed.
    pub board: Hash,
    /// Program version.
    pub software: &'a str,
    /// Whether an enrolment already here may be replaced.
    pub replace: bool,
}

/// Enrolment did not succeed. Nothing that was in place is lost.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The machine is a terminal already.
    #[error("this machine is enrolled already, as {name:?} (device {device}, enrolment {epoch})")]
    Already {
        /// Its name.
        name: String,
        /// Its identity.
        device: String,
        /// The enrolment's number.
        epoch: u32,
    },
    /// The server is not the centre that the code is for.
    #[error("the code is for a centre with CA {expected}, the server at {url} presents {met}")]
    OtherCa {
        /// Where.
        url: String,
        /// Fingerprint in the code.
        expected: CaFingerprint,
        /// Fingerprints of what the server presented.
        met: String,
    },
    /// The exchange failed; the centre's own words, if it gave any.
    #[error(transparent)]
    Centre(#[from] CentreError),
    /// Keys or files.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The answer contradicts itself or the request.
    #[error("the centre's answer to the enrolment: {reason}")]
    Answer {
        /// What does not fit.
        reason: String,
    },
}

/// Enrols this machine and puts its identity into place.
///
/// # Errors
/// [`EnrolError`]. After any of them the same call may be made again; the keys are kept.
pub async fn enrol(
    data_dir: &Path,
    ask: &Ask<'_>,
    limits: ClientLimits,
    time: Arc<dyn CertificateTime>,
) -> Result<Identity, EnrolError> {
    match Identity::load(data_dir) {
        Ok(old) if !ask.replace => {
            let Enrolment { name, device, epoch, .. } = old.enrolment;
            return Err(EnrolError::Already { name, device: device.to_string(), epoch });
        }
        Err(error) if !ask.replace && !matches!(error, IdentityError::NotEnrolled { .. }) => {
            return Err(error.into());
        }
        _ => {}
    }
    let pending = Identity::prepare(data_dir)?;
    let open_key = OpenKey::from_seed(&pending.seed);
    let mut csrs = vec![pending.device.request(Purpose::Device, &[]).map_err(IdentityError::from)?];
    if !ask.names.is_empty() {
        csrs.push(pending.counter.request(Purpose::Counter, ask.names).map_err(IdentityError::from)?);
    }
    let request = EnrolRequest {
        proto: PROTO,
        secret: ask.code.secret.to_vec(),
        csrs,
        seal_key: open_key.seal_key(),
        board: ask.board,
        software: ask.software.to_owned(),
    };
    let verifier = Arc::new(Pinned::new(ask.code.fingerprint, Arc::clone(&time)));
    let tls = client::tls_config_for_enrolment(verifier.clone(), time)?;
    let centre = Centre::new(ask.url, tls, limits)?;
    let answer = centre.post::<EnrolAnswer>(ENROL_PATH, cbor::encode(&request), ENROL_BYTES_MAX).await;
    let answer = answer.map_err(|error| match (error, verifier.met()) {
        (CentreError::NotTheCentre { url, .. }, Some(met)) => {
            EnrolError::OtherCa { url, expected: ask.code.fingerprint, met }
        }
        (error, _) => error.into(),
    })?;
    let enrolled = check_answer(ask, &pending, &open_key, answer)?;
    Ok(Identity::commit(data_dir, &enrolled)?)
}

/// Takes nothing on trust but the CA's key: the answer must fit our keys, the code and itself.
fn check_answer(
    ask: &Ask<'_>,
    pending: &identity::Pending,
    open_key: &OpenKey,
    answer: EnrolAnswer,
) -> Result<Enrolled, EnrolError> {
    let wrong = |reason: String| EnrolError::Answer { reason };
    let ca_key = pair::public_key_of(&answer.ca).map_err(|error| wrong(error.to_string()))?;
    let met = CaFingerprint::of(&ca_key);
    if met != ask.code.fingerprint {
        let (url, expected) = (ask.url.to_owned(), ask.code.fingerprint);
        return Err(EnrolError::OtherCa { url, expected, met: met.to_string() });
    }
    let wanted = if ask.names.is_empty() { 1 } else { 2 };
    if answer.certificates.len() != wanted {
        return Err(wrong(format!("{wanted} certificates expected, met {}", answer.certificates.len())));
    }
    let mut certificates = answer.certificates.into_iter().map(Vec::from);
    let mut next = |key: &pair::OwnKey| {
        let Some(der) = certificates.next() else { return Ok(None) };
        key.with_certificate(der).map(Some).map_err(|error| wrong(error.to_string()))
    };
    let device = next(&pending.device)?;
    let counter = next(&pending.counter)?;
    let Some(device) = device else { return Err(wrong("no certificate for the device".to_owned())) };
    let enrolment = Enrolment {
        device: answer.device,
        name: answer.name,
        epoch: answer.epoch,
        club: answer.club,
        club_name: answer.club_name,
        office: answer.office,
        central_epoch: answer.central_epoch,
        central_url: ask.url.trim().trim_end_matches('/').to_owned(),
        central_seal_key: answer.central_seal_key,
        central_sign_key: answer.central_sign_key,
        token_keys: answer.token_keys,
        first_key: device.public_key_info().to_vec(),
    };
    // Keys that cannot be opened would leave a terminal that knows no card; better no terminal.
    identity::open_token_keys(open_key, &enrolment)?;
    Ok(Enrolled { enrolment, ca: answer.ca, device, counter })
}

/// Trusts the one CA whose key has the fingerprint, and only for the name asked.
#[derive(Debug)]
struct Pinned {
    expected: CaFingerprint,
    provider: Arc<CryptoProvider>,
    time: Arc<dyn CertificateTime>,
    met: Mutex<Option<String>>,
}

impl Pinned {
    fn new(expected: CaFingerprint, time: Arc<dyn CertificateTime>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Self { expected, provider, time, met: Mutex::new(None) }
    }

    /// What was presented instead, if the fingerprint was not among it.
    fn met(&self) -> Option<String> {
        self.met.lock().ok().and_then(|met| met.clone())
    }

    fn note(&self, presented: &[&CertificateDer<'_>]) {
        let fingerprint = |certificate: &&CertificateDer<'_>| {
            let key = pair::public_key_of(certificate).ok()?;
            Some(CaFingerprint::of(&key).to_string())
        };
        let list: Vec<String> = presented.iter().filter_map(fingerprint).collect();
        if let Ok(mut met) = self.met.lock() {
            *met = Some(if list.is_empty() { "no CA".to_owned() } else { list.join(", ") });
        }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let is_pinned = |certificate: &&CertificateDer<'_>| {
            pair::public_key_of(certificate).is_ok_and(|key| CaFingerprint::of(&key) == self.expected)
        };
        let Some(ca) = intermediates.iter().find(is_pinned) else {
            // The leaf is named only if nothing else came: its fingerprint is never the one in a code.
            let leaf = [end_entity];
            let rest: Vec<&CertificateDer<'_>> = intermediates.iter().collect();
            self.note(if rest.is_empty() { &leaf } else { &rest });
            return Err(rustls::Error::General("no CA with the code's fingerprint".to_owned()));
        };
        let mut roots = RootCertStore::empty();
        roots.add(ca.clone().into_owned())?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?;
        let now = judged_at(end_entity, now, self.time.as_ref());
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        // Only TLS 1.3 is offered.
        Err(rustls::Error::General("TLS 1.2 is not spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
