//! Which terminal asks, by its certificate and by what the database says of it at this moment.
//!
//! The handshake has verified the certificate against the club's root; whether its key, its device and its enrolment
//! still count is looked up for every request, so a revocation holds from the next request on.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use hufu_shared::ids::{DeviceId, Hash, OfficeId};
use hufu_shared::wire::problem::ProblemKind;

use crate::app::App;
use crate::ca::PeerIdentity;
use crate::error::ApiError;
use crate::net::{PeerAddress, PeerCertificate};
use crate::rules::world::DeviceStatus;
use crate::store::devices::{self, KnownKey};

/// A terminal that may ask for anything: neither revoked nor stopped until a person decides.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The terminal.
    pub device: DeviceId,
    /// Its enrolment.
    pub epoch: u32,
    /// Where it stands.
    pub office: OfficeId,
    /// How it stands: revoked only within [`Delivering`]; stopped only there and within [`Reporting`].
    pub status: DeviceStatus,
    /// SHA-256 of its public key.
    pub key_id: Hash,
    /// Its address, without the port.
    pub address: String,
}

/// A terminal that may deliver facts and hear of blocks, even while it is stopped.
#[derive(Debug, Clone)]
pub struct Reporting(pub Caller);

/// A terminal that may deliver facts, even one that was revoked: what it shows waits for a person.
#[derive(Debug, Clone)]
pub struct Delivering(pub Caller);

/// A terminal that may renew: its certificate may have ended lately.
#[derive(Debug, Clone)]
pub struct Renewing(pub Caller);

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Reporting(caller) = Reporting::from_request_parts(parts, app).await?;
        unstopped(caller)
    }
}

impl FromRequestParts<App> for Reporting {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let shown = shown(parts)?;
        if shown.is_expired(app.now()) {
            let detail = "the certificate has ended: only a renewal is served";
            return Err(ApiError::closing(ProblemKind::Unauthenticated, detail));
        }
        Ok(Self(identify(app, &shown, address(parts), false).await?))
    }
}

impl FromRequestParts<App> for Delivering {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let shown = shown(parts)?;
        if shown.is_expired(app.now()) {
            let detail = "the certificate has ended: only a renewal is served";
            return Err(ApiError::closing(ProblemKind::Unauthenticated, detail));
        }
        Ok(Self(identify(app, &shown, address(parts), true).await?))
    }
}

impl FromRequestParts<App> for Renewing {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let shown = shown(parts)?;
        Ok(Self(unstopped(identify(app, &shown, address(parts), false).await?)?))
    }
}

/// Who holds a copy of a terminal's key gets no members' names by it, and no new key.
fn unstopped(caller: Caller) -> Result<Caller, ApiError> {
    let (kind, why) = match caller.status {
        DeviceStatus::Forked => (ProblemKind::Fork, "showed two histories"),
        DeviceStatus::Lost => (ProblemKind::Lost, "lost facts"),
        _ => return Ok(caller),
    };
    Err(ApiError::new(kind, format!("device {} {why}; a person must enrol it again", caller.device)))
}

/// The address that a request came from, without the port.
pub(crate) fn address(parts: &Parts) -> String {
    parts.extensions.get::<PeerAddress>().map(|peer| peer.0.ip().to_string()).unwrap_or_default()
}

fn shown(parts: &Parts) -> Result<PeerIdentity, ApiError> {
    let refused = |detail: String| ApiError::closing(ProblemKind::Unauthenticated, detail);
    let Some(certificate) = parts.extensions.get::<PeerCertificate>() else {
        return Err(refused("no client certificate was shown; a terminal enrols first".to_owned()));
    };
    PeerIdentity::read(&certificate.0).map_err(|error| refused(error.to_string()))
}

/// Asks the database about a caller again: a long wait may have outlived its right.
///
/// # Errors
/// [`ApiError`] as for a new request.
pub async fn confirm(app: &App, caller: &Caller) -> Result<(), ApiError> {
    judge(app, caller.key_id, caller.device, false).await.map(|_| ())
}

async fn identify(
    app: &App,
    shown: &PeerIdentity,
    address: String,
    even_revoked: bool,
) -> Result<Caller, ApiError> {
    if shown.club != app.authority.club() {
        return Err(ApiError::closing(ProblemKind::Unauthenticated, "the certificate is another club's"));
    }
    let known = judge(app, shown.key_id, shown.device, even_revoked).await?;
    Ok(Caller {
        device: known.device,
        epoch: known.epoch,
        office: known.office,
        status: known.status,
        key_id: shown.key_id,
        address,
    })
}

/// What the database says of a key at this moment.
async fn judge(app: &App, key: Hash, device: DeviceId, even_revoked: bool) -> Result<KnownKey, ApiError> {
    let known = app.db.read(move |tx| devices::by_key(tx, key)).await?;
    let Some(known) = known.filter(|known| known.device == device) else {
        let detail = "the certificate's key is not known here; the terminal must be enrolled again";
        return Err(ApiError::closing(ProblemKind::Unauthenticated, detail));
    };
    if known.status == DeviceStatus::Revoked && !even_revoked {
        let detail = format!("device {} ({}) was revoked", known.device, known.name);
        return Err(ApiError::closing(ProblemKind::Revoked, detail));
    }
    if known.certified_epoch != known.epoch {
        let (met, now) = (known.certified_epoch, known.epoch);
        let detail =
            format!("certificate of enrolment {met} met, the device is enrolled for the {now}. time");
        return Err(ApiError::closing(ProblemKind::Epoch, detail));
    }
    Ok(known)
}
