//! `GET /device/v1/directory` and its snapshot: what terminals hold of members, cards and plans.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hufu_shared::ids::Hash;
use hufu_shared::wire::directory::{DeltaQuery, Manifest};
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::version::Version;

use super::cbor_answer;
use crate::app::App;
use crate::error::ApiError;
use crate::middleware::Caller;
use crate::store::directory::DirectoryError;
use crate::store::{StoreError, directory, journal, snapshot};

/// `GET /device/v1/directory?since=E.N`.
///
/// # Errors
/// [`ApiError`]: `malformed` for a version that is none.
pub async fn delta(
    State(app): State<App>,
    _caller: Caller,
    query: Query<DeltaQuery>,
) -> Result<Response, ApiError> {
    let since = version(&query.since)?;
    let (vault, now) = (app.vault.clone(), app.now());
    let delta = app
        .db
        .read(move |tx| -> Result<_, DirectoryError> {
            let club = journal::club(tx)?;
            directory::delta(tx, &vault, &club, since, now)
        })
        .await?;
    Ok(cbor_answer(&delta))
}

/// A version of a query string.
pub(super) fn version(text: &str) -> Result<Version, ApiError> {
    text.parse().map_err(|error: hufu_shared::wire::version::ParseVersionError| {
        ApiError::new(ProblemKind::Malformed, error.to_string())
    })
}

/// `GET /device/v1/directory/snapshot/manifest`: a recent one, or one made now.
///
/// # Errors
/// [`ApiError`] if the directory cannot be read.
pub async fn manifest(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    // One at a time: a second terminal finds what the first one had made.
    let _packing = app.packing.lock().await;
    let scope = caller.office;
    let recent = app
        .db
        .read(move |tx| -> Result<_, StoreError> {
            let club = journal::club(tx)?;
            snapshot::recent(tx, &club, scope)
        })
        .await?;
    match recent {
        Some(known) if known.scope == scope => return Ok(cbor_answer(&known)),
        Some(others) => {
            let own = Manifest { scope, signature: Vec::new(), ..others };
            if let Some(kept) = keep(&app, own, Vec::new()).await? {
                return Ok(cbor_answer(&kept));
            }
        }
        None => {}
    }
    let (vault, now) = (app.vault.clone(), app.now());
    let (manifest, packed) = app
        .db
        .read(move |tx| -> Result<_, DirectoryError> {
            let club = journal::club(tx)?;
            let packed = snapshot::pack(tx, &vault, now)?;
            Ok((snapshot::unsigned(&club, &packed, scope, now), packed))
        })
        .await?;
    match keep(&app, manifest, packed.chunks).await? {
        Some(kept) => Ok(cbor_answer(&kept)),
        None => Err(ApiError::busy()),
    }
}

/// Signs and keeps a manifest; `None` if a chunk of it is gone.
async fn keep(
    app: &App,
    mut manifest: Manifest,
    chunks: Vec<snapshot::PackedChunk>,
) -> Result<Option<Manifest>, ApiError> {
    manifest.signature = app.keys.sign(&manifest.message()).to_vec();
    let (signed, now) = (manifest.clone(), app.now());
    let work = move |tx: &mut crate::db::Tx<'_>| -> Result<_, StoreError> {
        snapshot::put(tx, &signed, &chunks, now)
    };
    Ok(app.db.write(work).await?.then_some(manifest))
}

/// `GET /device/v1/directory/snapshot/{hash}`: one chunk, from any byte on.
///
/// # Errors
/// [`ApiError`]: `not-found` for a chunk that nobody holds any more, `malformed` for a name that is no hash.
pub async fn chunk(
    State(app): State<App>,
    _caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let hash: Hash = name.parse().map_err(|_| {
        ApiError::new(ProblemKind::Malformed, "the name of a chunk expected as 64 hexadecimal digits")
    })?;
    let body = app.db.read(move |tx| -> Result<_, StoreError> { snapshot::chunk(tx, hash) }).await?;
    let Some(body) = body else {
        return Err(ApiError::new(ProblemKind::NotFound, "no such chunk; take the newest manifest"));
    };
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    Ok(ranged(body, range))
}

/// The whole body, or the part from a byte on. A range that is not understood gives the whole, as HTTP asks.
fn ranged(body: Vec<u8>, range: Option<&str>) -> Response {
    let total = body.len();
    let kind = (header::CONTENT_TYPE, "application/octet-stream".to_owned());
    let takes = (header::ACCEPT_RANGES, "bytes".to_owned());
    let asked = range.and_then(|text| text.strip_prefix("bytes=")?.split_once('-'));
    let parsed = asked.and_then(|(from, to)| {
        let from = from.parse::<usize>().ok()?;
        let end = if to.is_empty() { total } else { to.parse::<usize>().ok()?.saturating_add(1).min(total) };
        Some((from, end))
    });
    match parsed {
        None => ([kind, takes], body).into_response(),
        Some((from, end)) if from < end => {
            let place = (header::CONTENT_RANGE, format!("bytes {from}-{}/{total}", end - 1));
            (StatusCode::PARTIAL_CONTENT, [kind, takes, place], body[from..end].to_vec()).into_response()
        }
        Some(_) => {
            let place = (header::CONTENT_RANGE, format!("bytes */{total}"));
            (StatusCode::RANGE_NOT_SATISFIABLE, [kind, takes, place]).into_response()
        }
    }
}
