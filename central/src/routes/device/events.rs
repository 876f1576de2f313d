//! `POST /device/v1/events`: a batch of facts, and its receipt.
//!
//! Whether the centre has time is decided before the body is read, by when the oldest fact of the terminal's queue happened
//! (`?oldest=<microseconds>`; a terminal that does not say has a young one). What becomes of the batch is decided and written in
//! one transaction by [`crate::routes::device::intake`]; here it is read, and its outcome told.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use hufu_shared::cbor;
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::time::Instant;
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::upload::{BATCH_BYTES_MAX, Receipt, ResultPart, SessionPart, Upload};

use super::intake::{Delivery, Taken, take};
use super::updates::{bare_mark, told};
use super::{cbor_answer, read_body};
use crate::app::App;
use crate::db::Tx;
use crate::error::ApiError;
use crate::middleware::Delivering;
use crate::rules::ingest::Refusal;
use crate::store::recovery::Proven;
use crate::store::{StoreError, contact};

/// Bytes of an upload at most: its bodies, as many bytes of sealed parts, and the header.
pub const UPLOAD_BYTES_MAX: usize = 2 * BATCH_BYTES_MAX + 64 * 1024;
/// `POST /device/v1/events`.
///
/// # Errors
/// [`ApiError`]: each outcome of an upload but its receipt is a problem of its own kind.
pub async fn events(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let Delivering(caller) = Delivering::from_request_parts(&mut parts, &app).await?;
    let now = app.now();
    let place = app.uploads.enter(caller.device, oldest(&parts, now)).await;
    let mut place = place.map_err(|busy| ApiError::busy_for(busy.retry_after_ms))?;
    let upload: Upload = cbor::decode(&read_body(body, UPLOAD_BYTES_MAX).await?)?;
    let proven = Proven::of(&upload.attempt, |message, signature| app.keys.has_signed(message, signature));
    let delivery = Delivery {
        device: caller.device,
        address: caller.address,
        upload: Arc::new(upload),
        entry: app.entry_id()?,
        now: app.now(),
        by_stick: false,
        proven,
    };
    let upload = Arc::clone(&delivery.upload);
    if mutant::on(Mutant::CursorOutsideTransaction) {
        let header = upload.header.clone();
        app.write(move |tx| contact::move_cursor_alone(tx, &header)).await?;
    }
    let work = move |tx: &mut Tx<'_>, on_proof| {
        let mut delivery = delivery.clone();
        delivery.proven.on_proof = on_proof;
        take(tx, &delivery)
    };
    let taken = app.proving(work).await;
    place.worked(upload.facts.len());
    let taken = taken?;
    app.taken().await?;
    let result = match taken {
        Taken::Receipt(result) => result,
        Taken::Noted(result) => return bare(&app, &upload, result).await,
        Taken::Gap { send_from } => {
            let detail = format!(
                "batch begins at seq {}, the centre expects {send_from} next: send from there",
                upload.header.from_seq
            );
            return Err(ApiError::gap(send_from, detail));
        }
        Taken::Lost { from_seq, to_seq } => {
            let detail = format!(
                "facts {from_seq} to {to_seq} are missing here and no longer held by the terminal; a person must decide"
            );
            return Err(ApiError::lost(from_seq, detail));
        }
        Taken::Fork { detail } => return Err(ApiError::new(ProblemKind::Fork, detail)),
        Taken::Refused(refusal) => return Err(refused(&refusal)),
    };
    let (device, acked, keys, now) = (caller.device, result.acked_seq, Arc::clone(&app.keys), app.now());
    let told = app.db.read(move |tx| told(tx, &keys, (device, acked), now)).await?;
    let session = SessionPart {
        nonce: upload.attempt.nonce,
        mono_ns: upload.attempt.mono_ns,
        central_time: app.now(),
        credit: app.uploads.credit(upload.attempt.waiting),
        leases: told.leases.into_iter().map(Into::into).collect(),
        commands: told.commands.into_iter().map(Into::into).collect(),
        mark: told.mark,
    };
    Ok(cbor_answer(&Receipt { result, session }))
}

/// The answer about facts that wait for a person: that they are durable, and nothing else.
async fn bare(app: &App, upload: &Upload, result: ResultPart) -> Result<Response, ApiError> {
    let (device, acked, keys) = (upload.header.device, result.acked_seq, Arc::clone(&app.keys));
    let mark =
        app.db.read(move |tx| -> Result<_, StoreError> { bare_mark(tx, &keys, device, acked) }).await?;
    let session = SessionPart {
        nonce: upload.attempt.nonce,
        mono_ns: upload.attempt.mono_ns,
        central_time: app.now(),
        credit: app.uploads.credit(upload.attempt.waiting),
        leases: Vec::new(),
        commands: Vec::new(),
        mark,
    };
    Ok(cbor_answer(&Receipt { result, session }))
}

/// When the oldest fact of the terminal's queue happened, as its request says.
fn oldest(parts: &Parts, now: Instant) -> Instant {
    let said = parts.uri.query().and_then(|query| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix("oldest="))?;
        value.parse().ok().map(Instant)
    });
    said.unwrap_or(now)
}

fn refused(refusal: &Refusal) -> ApiError {
    let kind = match refusal {
        Refusal::Proto { .. } => ProblemKind::Refused,
        Refusal::OtherDevice { .. } => ProblemKind::OtherDevice,
        Refusal::Epoch { .. } => ProblemKind::Epoch,
        Refusal::Unknown { .. } | Refusal::ReviewFull { .. } => ProblemKind::Revoked,
        Refusal::Count { .. } => ProblemKind::Malformed,
        Refusal::Bytes { .. } => ProblemKind::TooLarge,
        Refusal::Key { .. } | Refusal::Signature { .. } => ProblemKind::Signature,
        Refusal::Chain { .. } => ProblemKind::Chain,
    };
    ApiError::new(kind, refusal.to_string())
}
