//! What stands on every answer of the console, and which requests may change something.
//!
//! A change needs three things: a session by a cookie that other sites cannot send, an origin that is this one, and
//! the session's own form token. Each alone would do in a browser without faults.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Console;
use super::problem::{self, Refused};
use super::ui::language_of;

/// What the paths of the API begin with.
const API_PREFIX: &str = "/api/";

/// The policy of every page: nothing but own files, no inline script or style, forms to this host only.
#[must_use]
pub fn content_policy(embed_origins: &[String]) -> String {
    let frames = if embed_origins.is_empty() { "'none'".to_owned() } else { embed_origins.join(" ") };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {frames}"
    )
}

/// Whether a request that changes something comes from a page of this host. Over HTTP/2 the host stands in the address
/// (`:authority`) and not in a header.
#[must_use]
pub fn is_own_origin(headers: &HeaderMap, uri: &Uri, secure: bool) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text(HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site != "same-origin") {
        return false;
    }
    // Programs without a browser send no origin; they cannot be made to send another's cookie either.
    let Some(origin) = text(header::ORIGIN) else { return true };
    let scheme = if secure { "https" } else { "http" };
    let host = text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
    host.is_some_and(|host| origin == format!("{scheme}://{host}"))
}

/// Refuses changes from other origins, sees that the API fails in its own way, and puts the headers on every answer.
pub async fn guard(State(console): State<Console>, request: Request, next: Next) -> Response {
    let is_change = !matches!(*request.method(), Method::GET | Method::HEAD);
    let is_api = request.uri().path().starts_with(API_PREFIX);
    let language = language_of(request.headers());
    if is_change && !is_own_origin(request.headers(), request.uri(), console.secure()) {
        tracing::warn!(path = request.uri().path(), "refused a change from another origin");
        let refused = Refused::said(language, StatusCode::FORBIDDEN, "origin", "");
        let page = (StatusCode::FORBIDDEN, "403").into_response();
        return with_headers(&console, if is_api { refused.into_response() } else { page });
    }
    let answer = next.run(request).await;
    with_headers(&console, if is_api { problem::of_answer(language, answer) } else { answer })
}

fn with_headers(console: &Console, mut response: Response) -> Response {
    let policy = content_policy(&console.app.config.console.embed_origins);
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if console.app.config.console.embed_origins.is_empty() {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    if console.secure() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
