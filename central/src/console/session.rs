//! Sessions at the server; the cookie carries 256 random bits and nothing else.
//!
//! A session ends 15 minutes after it was last used and 12 hours after it was opened, at sign-out, and when the
//! password changes. Signing in always makes a new token.

use axum::http::{HeaderMap, header};
use hufu_shared::ids::Hash;
use hufu_shared::time::{Instant, MINUTE_US};

use crate::random::{self, NoRandom};
use crate::store::staff::Session;

/// Minutes without use after which a session ends.
pub const SESSION_IDLE_MINUTES: i64 = 15;
/// Minutes after which a session ends however much it is used.
pub const SESSION_WHOLE_MINUTES: i64 = 12 * 60;
/// Bytes of a token.
const TOKEN_BYTES: usize = 32;
/// Longest value of a cookie that is looked at.
const COOKIE_BYTES_MAX: usize = 128;

/// The cookie's name. The prefix binds it to this host over TLS; browsers refuse it over plain HTTP.
#[must_use]
pub fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-hufu" } else { "hufu" }
}

/// A new token: what the cookie carries, and what is stored.
///
/// # Errors
/// [`NoRandom`].
pub fn new_token() -> Result<(String, Hash), NoRandom> {
    let bytes: [u8; TOKEN_BYTES] = random::bytes()?;
    let text = data_encoding::BASE64URL_NOPAD.encode(&bytes);
    let stored = stored(&text);
    Ok((text, stored))
}

/// What is stored of a token.
#[must_use]
pub fn stored(token: &str) -> Hash {
    Hash::of(&[b"hufu-session", token.as_bytes()])
}

/// The cookie that opens a session.
#[must_use]
pub fn set_cookie(secure: bool, token: &str) -> String {
    let flag = if secure { "; Secure" } else { "" };
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict{flag}", cookie_name(secure))
}

/// The cookie that ends it.
#[must_use]
pub fn clear_cookie(secure: bool) -> String {
    format!("{}; Max-Age=0", set_cookie(secure, ""))
}

/// A cookie for a choice of a person, kept for a year; it is no secret.
#[must_use]
pub fn choice_cookie(secure: bool, name: &str, value: &str) -> String {
    let flag = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{flag}")
}

/// The value of a cookie; `None` if it is not there, stands twice, or is too long.
#[must_use]
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(met, _)| *met == name)
        .map(|(_, value)| value);
    let value = found.next()?;
    // A sibling host may set a second cookie of the same name: then neither is believed.
    (found.next().is_none() && value.len() <= COOKIE_BYTES_MAX).then_some(value)
}

/// Whether a session still holds.
#[must_use]
pub fn holds(session: &Session, now: Instant) -> bool {
    now.since(session.last_used) < SESSION_IDLE_MINUTES * MINUTE_US
        && now.since(session.created) < SESSION_WHOLE_MINUTES * MINUTE_US
}

/// The form token as it stands in a page.
#[must_use]
pub fn form_token(session: &Session) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&session.csrf)
}

/// Whether a form carries its session's token. Hashes are compared, so that time tells nothing of the bytes.
#[must_use]
pub fn is_form_of(session: &Session, met: &str) -> bool {
    Hash::of(&[form_token(session).as_bytes()]) == Hash::of(&[met.as_bytes()])
}
