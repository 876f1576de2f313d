//! The route table: who serves what, on which port.

use axum::Router;
use axum::routing::{get, post};
use hufu_shared::wire::enrol::ENROL_BYTES_MAX;
use hufu_shared::wire::lease::AUTHORIZE_PATH;
use hufu_shared::wire::lookup::LOOKUP_PATH;
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::spread::SPREAD_PATH;
use hufu_shared::wire::undo::UNDO_PATH;

use crate::app::App;
use crate::error::ApiError;
use crate::middleware::log_refusal;
use crate::routes::device::{directory, enrol, events, leases, lookup, spread, updates};
use crate::routes::health;

/// The device port.
pub fn device(app: App) -> Router {
    let small = axum::extract::DefaultBodyLimit::max(ENROL_BYTES_MAX);
    let large = axum::extract::DefaultBodyLimit::max(events::UPLOAD_BYTES_MAX);
    Router::new()
        .route("/device/v1/enrol", post(enrol::enrol).layer(small))
        .route("/device/v1/renew", post(enrol::renew).layer(small))
        .route("/device/v1/events", post(events::events).layer(large))
        .route(AUTHORIZE_PATH, post(leases::authorize))
        .route(UNDO_PATH, post(leases::undo))
        .route(LOOKUP_PATH, post(lookup::lookup))
        .route(SPREAD_PATH, post(spread::spread))
        .route("/device/v1/updates", get(updates::updates))
        .route("/device/v1/directory", get(directory::delta))
        .route("/device/v1/directory/snapshot/manifest", get(directory::manifest))
        .route("/device/v1/directory/snapshot/{hash}", get(directory::chunk))
        .fallback(nothing_here)
        .layer(axum::middleware::from_fn(log_refusal))
        .with_state(app)
}

/// The console port.
pub fn console(app: App) -> Router {
    let health = Router::new().route("/health", get(health::health)).with_state(app.clone());
    health.merge(crate::console::router(app))
}

async fn nothing_here() -> ApiError {
    ApiError::new(ProblemKind::NotFound, "no such address in the device API, version 1")
}
