//! `POST /device/v1/events`: a batch of facts, and its receipt.
//!
//! Whether the centre has time is decided before the body is read. What becomes of the batch is decided and written in
//! one transaction by [`crate::routes::device::intake`]; here it is read, and its outcome told.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use hufu_shared::cbor;
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::upload::{
    BATCH_BYTES_MAX, BATCH_FACTS_MAX, Credit, Receipt, ResultPart, SessionPart, Upload,
};

use super::intake::{Delivery, Taken, take};
use super::updates::{bare_mark, mark};
use super::{cbor_answer, read_body};
use crate::app::App;
use crate::error::ApiError;
use crate::middleware::Delivering;
use crate::rules::ingest::Refusal;
use crate::store::{StoreError, contact};

/// Bytes of an upload at most: its bodies, as many bytes of sealed parts, and the header.
pub const UPLOAD_BYTES_MAX: usize = 2 * BATCH_BYTES_MAX + 64 * 1024;
/// Milliseconds after a receipt until the next request of a terminal with more to send, for each upload that waits.
const POLL_PER_WAITING_MS: usize = 10;

/// `POST /device/v1/events`.
///
/// # Errors
/// [`ApiError`]: each outcome of an upload but its receipt is a problem of its own kind.
pub async fn events(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let Delivering(caller) = Delivering::from_request_parts(&mut parts, &app).await?;
    let Ok(_place) = Arc::clone(&app.uploads).try_acquire_owned() else { return Err(ApiError::busy()) };
    let upload: Upload = cbor::decode(&read_body(body, UPLOAD_BYTES_MAX).await?)?;
    let delivery = Delivery {
        device: caller.device,
        address: caller.address,
        upload: Arc::new(upload),
        entry: app.entry_id()?,
        now: app.now(),
    };
    let upload = Arc::clone(&delivery.upload);
    if mutant::on(Mutant::CursorOutsideTransaction) {
        let header = upload.header.clone();
        app.write(move |tx| contact::move_cursor_alone(tx, &header)).await?;
    }
    let taken = app.write(move |tx| take(tx, &delivery)).await?;
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
    let (device, acked, keys) = (caller.device, result.acked_seq, Arc::clone(&app.keys));
    let mark = app.db.read(move |tx| -> Result<_, StoreError> { mark(tx, &keys, device, acked) }).await?;
    let session = SessionPart {
        nonce: upload.attempt.nonce,
        mono_ns: upload.attempt.mono_ns,
        central_time: app.now(),
        credit: credit(&app),
        leases: Vec::new(),
        commands: Vec::new(),
        mark,
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
        credit: credit(app),
        leases: Vec::new(),
        commands: Vec::new(),
        mark,
    };
    Ok(cbor_answer(&Receipt { result, session }))
}

/// The more uploads wait, the later the next one of each terminal.
fn credit(app: &App) -> Credit {
    let waiting = app.config.limits.uploads_waiting_max.saturating_sub(app.uploads.available_permits());
    let wait_ms = waiting.saturating_sub(1) * POLL_PER_WAITING_MS;
    Credit {
        max_facts: u32::try_from(BATCH_FACTS_MAX).unwrap_or(u32::MAX),
        next_poll_ms: u32::try_from(wait_ms).unwrap_or(u32::MAX),
    }
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
