//! The device API, `/device/v1`: what terminals say to the centre (`hufu_shared::wire`).
//!
//! Bodies are CBOR, errors problem documents. Every handler but the enrolment takes a
//! [`crate::middleware::Caller`], which the database has confirmed for this very request.

pub mod directory;
pub mod enrol;
pub mod events;
pub mod intake;
pub mod leases;
pub mod lookup;
pub mod spread;
pub mod updates;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hufu_shared::cbor;
use hufu_shared::wire::CBOR_TYPE;
use hufu_shared::wire::problem::ProblemKind;
use minicbor::Encode;

use crate::error::ApiError;

/// Reads a body of at most `at_most` bytes.
async fn read_body(body: Body, at_most: usize) -> Result<axum::body::Bytes, ApiError> {
    axum::body::to_bytes(body, at_most).await.map_err(|error| {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if inner.is::<http_body_util::LengthLimitError>() {
                let detail = format!("body expected with at most {at_most} bytes");
                return ApiError::closing(ProblemKind::TooLarge, detail);
            }
            cause = inner.source();
        }
        ApiError::closing(ProblemKind::Malformed, format!("the body did not come whole: {error}"))
    })
}

/// An answer in CBOR.
fn cbor_answer<T: Encode<()>>(value: &T) -> Response {
    ([(header::CONTENT_TYPE, CBOR_TYPE)], cbor::encode(value)).into_response()
}

#[cfg(test)]
mod tests;
