//! A change under an `Idempotency-Key` is made once: the answer is kept, sealed, for as long as [`KEPT_US`] says, and told
//! again to the same person who sends the same again. Another request under the key is refused, and so is the same one
//! while the first goes on.
//!
//! What a person may ask again is kept: not a fault of the centre, nor that somebody must sign in or may not. Where an
//! operation has a field `key`, which lasts as long as the record, and none is sent, the record is named by this key.
//!
//! [`KEPT_US`]: crate::store::api_requests::KEPT_US

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hufu_shared::ids::Hash;
use hufu_shared::seal;

use super::super::Console;
use super::super::failure::Failure;
use super::super::problem::{self, Refused};
use super::super::session;
use super::super::signed::{Fields, Newcomer, SignedIn};
use super::super::words::Language;
use super::gate::TOKEN_FIELD;
use crate::store::api_requests::{self, Begun, Kept, RUN_BYTES};

/// The header that bears the key.
pub(super) const KEY_HEADER: &str = "idempotency-key";
/// The field that names a change, where the operation has one: kept as long as the record.
pub(super) const KEY_FIELD: &str = "key";
/// The header of an answer that was given before.
const REPLAYED_HEADER: &str = "idempotency-replayed";
/// Largest answer that is kept.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Under which key something is asked, and what.
pub(super) struct Asked {
    /// As it was sent.
    pub(super) key: String,
    /// Keyed hash of the request, which may hold personal data.
    pub(super) print: Hash,
    /// Whether the key is also to name the record that is made, for as long as that lasts.
    pub(super) names_record: bool,
}

/// A request that goes on: its name, and that of this try at it.
type Going = (Hash, [u8; RUN_BYTES]);

/// Answers a change under a key.
pub(super) async fn answer(
    console: Console,
    language: Language,
    asked: Asked,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let by = match Newcomer::from_request_parts(&mut parts, &console).await {
        Ok(Newcomer(by)) => by,
        Err(failure) => return failure.into_response(),
    };
    if let Err(failure) = may_ask(&parts, &by) {
        return failure.into_response();
    }
    // What somebody was told in one role is not told again in another.
    let print = Hash::of(&[&asked.print.0, by.session.account.role.code().as_bytes()]);
    let id = Hash::of(&[b"hufu-api-request", &by.session.staff.0, asked.key.as_bytes()]);
    if asked.names_record
        && let Some(fields) = parts.extensions.get_mut::<Fields>()
    {
        // Two people may choose the same key; records have their names of all of them.
        fields.set(KEY_FIELD, id.to_string());
    }
    let request = Request::from_parts(parts, body);
    let (begun, run) = match begin(&console, (id, print)).await {
        Ok(begun) => begun,
        Err(failure) => return failure.into_response(),
    };
    match begun {
        Begun::Now => {}
        Begun::Done(kept) => return again(&console, id, &kept).unwrap_or_else(Failure::into_response),
        Begun::Other => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Refused::said(language, status, "key_other", "").into_response();
        }
        Begun::GoesOn => {
            return Refused::said(language, StatusCode::CONFLICT, "key_goes_on", "").into_response();
        }
    }
    let work = async move {
        let answer = problem::of_answer(language, next.run(request).await);
        keep(&console, (id, run), answer).await
    };
    // Who asked may be gone before it is done: then the answer waits for them to ask again.
    match tokio::spawn(work).await {
        Ok(answer) => answer,
        Err(error) => Failure::fault(&error).into_response(),
    }
}

/// A kept answer comes from no handler, so what every handler asks of a change is asked here: the session's token, and a
/// password of their own.
fn may_ask(parts: &Parts, by: &SignedIn) -> Result<(), Failure> {
    let token = parts.extensions.get::<Fields>().map_or("", |fields| fields.get(TOKEN_FIELD));
    if !session::is_form_of(&by.session, token) {
        return Err(Failure::Form);
    }
    if by.session.must_change { Err(Failure::MustChange) } else { Ok(()) }
}

async fn begin(console: &Console, of: (Hash, Hash)) -> Result<(Begun, [u8; RUN_BYTES]), Failure> {
    let (run, now) = (crate::random::bytes::<RUN_BYTES>()?, console.app.now());
    let begun = console.app.db.write(move |tx| api_requests::begin(tx, of, run, now)).await?;
    Ok((begun, run))
}

/// The answer that was given before.
fn again(console: &Console, id: Hash, kept: &Kept) -> Result<Response, Failure> {
    let opened = console.app.keys.open_key().open(&id.0, &kept.sealed);
    let body = opened.map_err(|error| Failure::fault(&error))?;
    let status = StatusCode::from_u16(kept.status).map_err(|error| Failure::fault(&error))?;
    let mut answer = (status, Body::from(body)).into_response();
    let headers = answer.headers_mut();
    headers.insert(HeaderName::from_static(REPLAYED_HEADER), HeaderValue::from_static("true"));
    if let Ok(media) = HeaderValue::from_str(&kept.media) {
        headers.insert(header::CONTENT_TYPE, media);
    }
    Ok(answer)
}

/// Whether the same request is answered the same from now on.
fn lasts(status: StatusCode) -> bool {
    !status.is_server_error() && status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN
}

/// Keeps an answer, or forgets that it was asked for.
async fn keep(console: &Console, going: Going, answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let bytes = match to_bytes(body, ANSWER_BYTES_MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return Failure::fault(&error).into_response(),
    };
    let media = parts.headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let media = media.unwrap_or_default().to_owned();
    let done = if lasts(parts.status) {
        put(console, going, (parts.status, media), &bytes).await
    } else {
        console.app.db.write(move |tx| api_requests::forget(tx, going)).await.map_err(Failure::from)
    };
    if done.is_err() {
        // The change stands: who asked is told so now, and who asks again is told that it goes on.
        tracing::error!("the answer under an idempotency key could not be kept");
    }
    Response::from_parts(parts, Body::from(bytes))
}

async fn put(
    console: &Console,
    going: Going,
    (status, media): (StatusCode, String),
    clear: &[u8],
) -> Result<(), Failure> {
    let sealed = seal::seal(&console.app.keys.seal_public(), &going.0.0, clear);
    let sealed = sealed.map_err(|error| Failure::fault(&error))?;
    let kept = Kept { status: status.as_u16(), media, sealed };
    Ok(console.app.db.write(move |tx| api_requests::end(tx, going, &kept)).await?)
}
