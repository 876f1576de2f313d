//! `POST /device/v1/enrol` and `POST /device/v1/renew`: certificates for terminals.
//!
//! A code opens one enrolment for one key: the first key that presents it wins, and only that key may ask again until
//! the code expires, because an answer can be lost. Wrong guesses are committed before they are refused.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use hufu_shared::act::{Act, Actor, DeviceEnrolled, DeviceKey};
use hufu_shared::cbor;
use hufu_shared::ids::{DeviceId, EntryId, Hash};
use hufu_shared::seal::seal;
use hufu_shared::time::Instant;
use hufu_shared::token::TokenKey;
use hufu_shared::wire::enrol::{
    Csr, ENROL_BYTES_MAX, EnrolAnswer, EnrolRequest, Purpose, RenewAnswer, RenewRequest, SealedTokenKeys,
    token_keys_place,
};
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::version::PROTO;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use super::{cbor_answer, read_body};
use crate::app::App;
use crate::ca::{CaError, PeerIdentity};
use crate::db::Tx;
use crate::error::ApiError;
use crate::middleware::{Renewing, address};
use crate::rules::world::KnownDevice;
use crate::store::devices::{Certificate, CodeVerdict};
use crate::store::journal::Club;
use crate::store::{StoreError, acts, contact, devices, journal, world};

/// Certificates that one request may ask for: one per purpose.
const CSRS_MAX: usize = 2;

/// One enrolment on its way.
#[derive(Clone)]
struct Enrolling {
    asked: EnrolRequest,
    made: Made,
    device: DeviceId,
    entry: EntryId,
    now: Instant,
    address: String,
}

/// Certificates made, in the order of the requests, and what the device's own says.
#[derive(Clone)]
struct Made {
    certificates: Vec<Vec<u8>>,
    own: PeerIdentity,
}

/// `POST /device/v1/enrol`.
///
/// # Errors
/// [`ApiError`]: `malformed`, `code`, `refused`.
pub async fn enrol(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let asked: EnrolRequest = cbor::decode(&read_body(body, ENROL_BYTES_MAX).await?)?;
    check(asked.proto, &asked.csrs)?;
    let now = app.now();
    let key = requested_key(&asked.csrs)?;
    let secret = asked.secret.clone();
    let verdict = app
        .db
        .write(move |tx| -> Result<_, StoreError> { devices::judge_code(tx, &secret, key, now) })
        .await?;
    let device = opened(verdict)?;
    let made = issue(&app, &asked.csrs, device, now)?;
    let entry = app.entry_id()?;
    let enrolling = Enrolling { asked, made, device, entry, now, address: address(&parts) };
    let taking = enrolling.clone();
    // A second look in the transaction that uses the code: of two keys at once, one wins.
    let taken = app.write(move |tx| take_enrolment(tx, &taking)).await?;
    let (known, club) = taken.map_err(|verdict| match opened(verdict) {
        Ok(_) => ApiError::new(ProblemKind::Code, CODE_REFUSED),
        Err(error) => error,
    })?;
    tracing::info!(device = %device, name = ?known.name, epoch = known.epoch, "a terminal enrolled");
    answer(&app, enrolling, &known, club).await
}

/// What a refused terminal is told: nothing that helps to guess.
const CODE_REFUSED: &str = "the code is wrong, was used, or is older than 10 minutes; ask for a new one";

fn opened(verdict: CodeVerdict) -> Result<DeviceId, ApiError> {
    match verdict {
        CodeVerdict::Opens { device, .. } => Ok(device),
        other => {
            tracing::warn!(verdict = ?other, "an enrolment code was refused");
            Err(ApiError::new(ProblemKind::Code, CODE_REFUSED))
        }
    }
}

fn check(proto: u16, csrs: &[Csr]) -> Result<(), ApiError> {
    if proto != PROTO {
        let detail = format!("protocol {proto} met, this centre speaks {PROTO}");
        return Err(ApiError::new(ProblemKind::Refused, detail));
    }
    let device = csrs.iter().filter(|csr| csr.purpose == Purpose::Device).count();
    if device != 1 || csrs.len() > CSRS_MAX {
        let detail = format!(
            "exactly one request for purpose device and at most one for counter expected, met {} requests, {device} \
             of them for device",
            csrs.len()
        );
        return Err(ApiError::new(ProblemKind::Refused, detail));
    }
    Ok(())
}

/// Names the key of the device's request. Whether it is a good one is checked before anything is signed.
fn requested_key(csrs: &[Csr]) -> Result<Hash, ApiError> {
    let named = csrs.iter().find(|csr| csr.purpose == Purpose::Device);
    let parsed = named.and_then(|csr| X509CertificationRequest::from_der(&csr.der).ok());
    let Some((_, request)) = parsed else {
        return Err(ApiError::new(ProblemKind::Refused, "the request for device is not PKCS#10 in DER"));
    };
    Ok(Hash::of(&[request.certification_request_info.subject_pki.raw]))
}

fn issue(app: &App, csrs: &[Csr], device: DeviceId, now: Instant) -> Result<Made, ApiError> {
    let refused = |error: CaError| match error {
        CaError::Csr(_) | CaError::Name { .. } => ApiError::new(ProblemKind::Refused, error.to_string()),
        other => ApiError::fault(&other),
    };
    // A name that means the asking machine itself gives no power over the centre.
    let reserved: Vec<String> = app.names.iter().filter(|name| !is_loopback(name)).cloned().collect();
    let (mut certificates, mut own) = (Vec::new(), None);
    for csr in csrs {
        let made = match csr.purpose {
            Purpose::Device => app.authority.issue_device(&csr.der, device, now),
            Purpose::Counter => app.authority.issue_counter(&csr.der, device, &csr.names, &reserved, now),
        };
        let made = made.map_err(refused)?;
        if csr.purpose == Purpose::Device {
            own = Some(PeerIdentity::read(&made).map_err(|error| ApiError::fault(&error))?);
        }
        certificates.push(made);
    }
    let own = own.ok_or_else(|| ApiError::new(ProblemKind::Refused, "no request for purpose device"))?;
    Ok(Made { certificates, own })
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Uses the code and opens the enrolment, or finds the one that this key opened already.
fn take_enrolment(
    tx: &mut Tx<'_>,
    enrolling: &Enrolling,
) -> Result<Result<(KnownDevice, Club), CodeVerdict>, StoreError> {
    let Enrolling { asked, made, device, entry, now, address } = enrolling;
    let (device, now, own) = (*device, *now, &made.own);
    let is_used = match devices::judge_code(tx, &asked.secret, own.key_id, now)? {
        CodeVerdict::Opens { is_used, .. } => is_used,
        refused => return Ok(Err(refused)),
    };
    if !is_used {
        let epoch = world::device_row(tx, device)?.map_or(0, |known| known.epoch) + 1;
        let enrolled = DeviceEnrolled {
            key: DeviceKey { device, epoch, key: own.public_key_info.clone() },
            seal_key: asked.seal_key.0,
            board: asked.board,
        };
        devices::use_code(tx, device, own.key_id, now)?;
        acts::take(tx, *entry, now, &Actor::Device(device), &Act::DeviceEnrolled(enrolled))?;
    }
    let Some(known) = world::device_row(tx, device)? else {
        return Ok(Err(CodeVerdict::Unknown));
    };
    remember(tx, own, device, known.epoch, now)?;
    contact::enrolled(tx, device, address, &asked.software, now)?;
    let club = journal::club(tx)?;
    Ok(Ok((known, club)))
}

fn remember(
    tx: &mut Tx<'_>,
    own: &PeerIdentity,
    device: DeviceId,
    epoch: u32,
    now: Instant,
) -> Result<(), StoreError> {
    let certificate = Certificate { key: own.key_id, device, epoch, not_after: own.not_after };
    devices::add_certificate(tx, &certificate, now)
}

async fn answer(
    app: &App,
    enrolling: Enrolling,
    known: &KnownDevice,
    club: Club,
) -> Result<Response, ApiError> {
    let Enrolling { asked, made, device, .. } = enrolling;
    let keys = std::sync::Arc::clone(&app.keys);
    let token_keys: Vec<TokenKey> = app.db.read(move |tx| devices::token_keys(tx, keys.open_key())).await?;
    let clear = cbor::encode(&SealedTokenKeys { keys: token_keys });
    let sealed = seal(&asked.seal_key, &token_keys_place(device), &clear)
        .map_err(|error| ApiError::new(ProblemKind::Refused, error.to_string()))?;
    Ok(cbor_answer(&EnrolAnswer {
        device,
        name: known.name.clone(),
        epoch: known.epoch,
        club: club.club,
        club_name: club.name,
        office: known.office,
        central_epoch: club.epoch,
        ca: app.authority.certificate().to_vec(),
        certificates: made.certificates.into_iter().map(Into::into).collect(),
        central_seal_key: app.keys.seal_public(),
        central_sign_key: app.keys.sign_public(),
        token_keys: sealed,
        central_time: app.now(),
    }))
}

/// `POST /device/v1/renew`: new keys, by the old certificate. The old one counts until it ends.
///
/// # Errors
/// [`ApiError`]: `unauthenticated`, `revoked`, `refused`.
pub async fn renew(
    State(app): State<App>,
    Renewing(caller): Renewing,
    body: Body,
) -> Result<Response, ApiError> {
    let asked: RenewRequest = cbor::decode(&read_body(body, ENROL_BYTES_MAX).await?)?;
    check(asked.proto, &asked.csrs)?;
    let now = app.now();
    let made = issue(&app, &asked.csrs, caller.device, now)?;
    let (entry, own, device, epoch) = (app.entry_id()?, made.own.clone(), caller.device, caller.epoch);
    app.write(move |tx| -> Result<_, StoreError> {
        // A repeat after a lost answer makes no second act.
        if !devices::has_key(tx, device, epoch, &own.public_key_info)? {
            let act = Act::DeviceRenewed(DeviceKey { device, epoch, key: own.public_key_info.clone() });
            acts::take(tx, entry, now, &Actor::Device(device), &act)?;
        }
        remember(tx, &own, device, epoch, now)
    })
    .await?;
    let certificates = made.certificates.into_iter().map(Into::into).collect();
    Ok(cbor_answer(&RenewAnswer { certificates }))
}
