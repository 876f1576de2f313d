//! Style and script of the console, embedded, under a name that carries their hash: they may be kept for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hufu_shared::ids::Hash;
use rust_embed::RustEmbed;

use super::failure::Failure;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

fn address(name: &str) -> String {
    let bytes = Files::get(name).map(|file| file.data).unwrap_or_default();
    let hash = data_encoding::HEXLOWER.encode(&Hash::of(&[&bytes]).0[..8]);
    format!("/a/{hash}/{name}")
}

static CSS: LazyLock<String> = LazyLock::new(|| address("console.css"));
static SCRIPT: LazyLock<String> = LazyLock::new(|| address("console.js"));

/// Address of the style sheet.
pub fn css() -> String {
    CSS.clone()
}

/// Address of the script.
pub fn script() -> String {
    SCRIPT.clone()
}

/// Answers one file.
pub async fn file(Path((hash, name)): Path<(String, String)>) -> Result<Response, Failure> {
    let file = Files::get(&name).ok_or(Failure::NotFound)?;
    if address(&name) != format!("/a/{hash}/{name}") {
        return Err(Failure::NotFound);
    }
    let kind = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, file.data.into_owned()).into_response())
}
