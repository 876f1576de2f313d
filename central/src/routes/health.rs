//! Whether the service works, for whoever watches it: the database answers, and how far the journal is published.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::App;
use crate::error::ApiError;
use crate::store::journal;

/// The answer.
#[derive(Debug, Serialize)]
pub struct Health {
    status: &'static str,
    version: &'static str,
    journal: u64,
}

/// `GET /health`.
///
/// # Errors
/// [`ApiError`] if the database does not answer.
pub async fn health(State(app): State<App>) -> Result<Json<Health>, ApiError> {
    let (journal, _) = app.db.read(journal::published).await?;
    Ok(Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION"), journal }))
}
