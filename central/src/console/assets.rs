//! Style and scripts of the console, embedded, under a name that carries their hash: they may be kept for ever. What
//! comes from others lies in `assets/vendor` as `assets.lock` names it. Each file is compressed once, when it is first
//! asked for.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hufu_shared::ids::Hash;
use rust_embed::RustEmbed;

use super::failure::Failure;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// One file, as it is sent.
#[derive(Clone)]
struct Kept {
    plain: Bytes,
    /// The same compressed; none where that saves nothing.
    gzip: Option<Bytes>,
    address: String,
}

static KEPT: LazyLock<Mutex<HashMap<String, Kept>>> = LazyLock::new(Mutex::default);

fn kept(name: &str) -> Option<Kept> {
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = all.get(name) {
        return Some(kept.clone());
    }
    let plain = Bytes::from(Files::get(name)?.data.into_owned());
    let hash = data_encoding::HEXLOWER.encode(&Hash::of(&[&plain]).0[..8]);
    let gzip = compressed(&plain).filter(|gzip| gzip.len() < plain.len());
    let kept = Kept { plain, gzip, address: format!("/a/{hash}/{name}") };
    all.insert(name.to_owned(), kept.clone());
    Some(kept)
}

fn compressed(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Address of a file of `assets/`, such as `console.css` or `vendor/htmx/htmx.min.js`; empty if there is none.
pub fn address(name: &str) -> String {
    kept(name).map_or_else(String::new, |kept| kept.address)
}

/// Whether somebody takes gzip: named, and not with a weight of zero.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    accepted.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// Answers one file.
pub async fn file(Path((hash, name)): Path<(String, String)>, asked: HeaderMap) -> Result<Response, Failure> {
    let kept = kept(&name).filter(|kept| kept.address == format!("/a/{hash}/{name}"));
    let kept = kept.ok_or(Failure::NotFound)?;
    let kind = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    Ok(match kept.gzip.filter(|_| takes_gzip(&asked)) {
        Some(gzip) => (headers, [(header::CONTENT_ENCODING, "gzip")], gzip).into_response(),
        None => (headers, kept.plain).into_response(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::io::Read as _;

    use super::*;

    /// Files and their hashes by folder, as the lock says; other keys of a folder are left out.
    fn locked() -> BTreeMap<String, String> {
        let lock: toml::Table = include_str!("../../assets/assets.lock").parse().unwrap();
        let mut files = BTreeMap::new();
        for (folder, said) in &lock {
            for (file, hash) in said["sha256"].as_table().unwrap() {
                files.insert(format!("vendor/{folder}/{file}"), hash.as_str().unwrap().to_owned());
            }
        }
        files
    }

    #[test]
    fn what_comes_from_others_is_what_the_lock_names() {
        let locked = locked();
        let there: BTreeSet<String> =
            Files::iter().map(|name| name.into_owned()).filter(|name| name.starts_with("vendor/")).collect();
        assert_eq!(there, locked.keys().cloned().collect(), "files of vendor/ and lines of assets.lock");
        for (name, hash) in locked {
            let read = Files::get(&name).unwrap().data;
            assert_eq!(data_encoding::HEXLOWER.encode(&Hash::of(&[&read]).0), hash, "{name}");
        }
    }

    #[tokio::test]
    async fn a_file_is_sent_compressed_to_who_takes_it_and_only_under_its_own_hash() {
        let address = address("console.css");
        let (hash, name) = address.strip_prefix("/a/").unwrap().split_once('/').unwrap();
        let asked = |encoding: &str, hash: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, encoding.parse().unwrap());
            file(Path((hash.to_owned(), name.to_owned())), headers)
        };
        let plain = asked("br, gzip;q=0", hash).await.unwrap();
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        let plain = axum::body::to_bytes(plain.into_body(), 1 << 20).await.unwrap();
        let gzip = asked("br, gzip", hash).await.unwrap();
        assert_eq!(gzip.headers()[header::CONTENT_ENCODING], "gzip");
        let gzip = axum::body::to_bytes(gzip.into_body(), 1 << 20).await.unwrap();
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut read).unwrap();
        assert_eq!(read, plain);
        assert!(asked("gzip", "0000000000000000").await.is_err());
    }
}
