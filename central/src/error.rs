//! The one error that handlers of the device API answer with: a problem document (RFC 9457).
//!
//! Which error belongs where: rules answer verdicts, stores their own enums, and handlers turn both into [`ApiError`].
//! A fault of the centre is logged with its cause and told without it; a refusal is told whole, because the terminal's
//! staff must act on it. Who logs a refusal is [`crate::middleware::log_refusal`], once per request.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hufu_shared::cbor::WireError;
use hufu_shared::wire::problem::{PROBLEM_TYPE, Problem, ProblemKind};

use crate::db::DbError;
use crate::random::NoRandom;
use crate::store::StoreError;
use crate::store::devices::TokenKeyError;
use crate::store::directory::DirectoryError;
use crate::store::people::PeopleError;

/// Milliseconds after which a terminal turned away may come again.
const BUSY_RETRY_MS: u32 = 2_000;

/// What a handler answers instead of success.
#[derive(Debug)]
pub struct ApiError {
    problem: Box<Problem>,
    /// The connection must not be used again.
    closes: bool,
}

/// Left in the extensions of an answer for the log.
#[derive(Debug, Clone)]
pub struct Told {
    /// Kind of the problem.
    pub kind: String,
    /// Its detail.
    pub detail: String,
}

impl ApiError {
    /// A refusal.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { problem: Box::new(kind.problem(detail)), closes: false }
    }

    /// A refusal after which the connection is closed.
    #[must_use]
    pub fn closing(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { closes: true, ..Self::new(kind, detail) }
    }

    /// A gap: from where the terminal must send.
    #[must_use]
    pub fn gap(send_from: u64, detail: impl Into<String>) -> Self {
        let mut error = Self::new(ProblemKind::Gap, detail);
        error.problem.send_from = Some(send_from);
        error
    }

    /// Facts that nobody has any more; `send_from` is what the centre expected.
    #[must_use]
    pub fn lost(send_from: u64, detail: impl Into<String>) -> Self {
        let mut error = Self::new(ProblemKind::Lost, detail);
        error.problem.send_from = Some(send_from);
        error
    }

    /// The centre has too much to do.
    #[must_use]
    pub fn busy() -> Self {
        let mut error = Self::new(ProblemKind::Busy, "too many uploads are waiting; come again");
        error.problem.retry_after_ms = Some(BUSY_RETRY_MS);
        error
    }

    /// As [`ApiError::busy`], with a measured time after which to come again.
    #[must_use]
    pub fn busy_for(retry_after_ms: u64) -> Self {
        let mut error = Self::busy();
        error.problem.retry_after_ms = Some(u32::try_from(retry_after_ms).unwrap_or(u32::MAX));
        error
    }

    /// A fault of the centre: its cause goes to the log only.
    #[must_use]
    pub fn fault(cause: &dyn std::error::Error) -> Self {
        tracing::error!(%cause, "a request failed by a fault of the centre");
        Self::new(ProblemKind::Internal, "the centre failed; its log says why")
    }

    /// The problem.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_TYPE)], body).into_response();
        if let Some(wait_ms) = self.problem.retry_after_ms {
            response.headers_mut().insert(header::RETRY_AFTER, wait_ms.div_ceil(1_000).into());
        }
        if self.closes {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(Told { kind: self.problem.kind, detail: self.problem.detail });
        response
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        if error.is_transient() || matches!(error, DbError::Pool { .. } | DbError::Closed) {
            tracing::warn!(%error, "the database could not take a request");
            return Self::busy();
        }
        Self::fault(&error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Db(error) => error.into(),
            // Another process of this centre may have the rules; what is sent is kept until one does.
            error @ StoreError::ApplyVersion { .. } => {
                tracing::error!(%error, "nothing can be taken in");
                Self::busy()
            }
            other => Self::fault(&other),
        }
    }
}

impl From<DirectoryError> for ApiError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Store(error) => error.into(),
            other => Self::fault(&other),
        }
    }
}

impl From<PeopleError> for ApiError {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Store(error) => error.into(),
            PeopleError::Db(error) => error.into(),
            other => Self::fault(&other),
        }
    }
}

impl From<TokenKeyError> for ApiError {
    fn from(error: TokenKeyError) -> Self {
        match error {
            TokenKeyError::Store(error) => error.into(),
            other => Self::fault(&other),
        }
    }
}

impl From<NoRandom> for ApiError {
    fn from(error: NoRandom) -> Self {
        Self::fault(&error)
    }
}

impl From<WireError> for ApiError {
    fn from(error: WireError) -> Self {
        Self::new(ProblemKind::Malformed, error.to_string())
    }
}
