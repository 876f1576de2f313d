//! One line per refused request: who, what, why; never a body.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::ca::PeerIdentity;
use crate::error::Told;
use crate::net::{PeerAddress, PeerCertificate};

/// Logs the answer if it is a refusal.
pub async fn log_refusal(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<PeerAddress>().map(|peer| peer.0.to_string());
    let certificate = request.extensions().get::<PeerCertificate>().cloned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let told = response.extensions().get::<Told>();
        let shown = certificate.and_then(|leaf| PeerIdentity::read(&leaf.0).ok());
        tracing::warn!(
            status = status.as_u16(),
            %method,
            path = ?path,
            peer = peer.unwrap_or_default(),
            device = shown.map(|shown| shown.device.to_string()).unwrap_or_default(),
            problem = told.map(|told| told.kind.as_str()).unwrap_or_default(),
            detail = ?told.map(|told| told.detail.as_str()).unwrap_or_default(),
            "a terminal's request was refused"
        );
    }
    response
}
