//! What `/api/v1` answers instead of what was asked for: problem documents (RFC 9457). The code says what is wrong to
//! programs, the sentence to people.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::failure::Failure;
use super::ui::Ui;

/// A request of the API that is not answered.
#[derive(Debug)]
pub enum Refused {
    /// What was asked cannot be done.
    Problem {
        /// Of the answer.
        status: StatusCode,
        /// What is wrong, for programs.
        code: String,
        /// The same in a sentence.
        detail: String,
    },
    /// As pages fail.
    Failure(Failure),
}

impl<E: Into<Failure>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

impl Refused {
    /// What was sent cannot be taken; `key` is of the words that say why.
    pub fn unfit(ui: &Ui, key: &str) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::Problem { status, code: key.to_owned(), detail: ui.t(key) }
    }

    /// As [`Refused::unfit`], where the rule itself has the sentence.
    pub fn unfit_as(code: &str, detail: String) -> Self {
        Self::Problem { status: StatusCode::UNPROCESSABLE_ENTITY, code: code.to_owned(), detail }
    }

    /// Somebody was faster: what was asked cannot be done to what there is now.
    pub fn conflict(ui: &Ui, key: &str) -> Self {
        Self::Problem { status: StatusCode::CONFLICT, code: key.to_owned(), detail: ui.t(key) }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code, detail) = match self {
            Self::Problem { status, code, detail } => (status, code, detail),
            Self::Failure(Failure::NotFound) => {
                (StatusCode::NOT_FOUND, "not_found".to_owned(), "there is no such thing".to_owned())
            }
            Self::Failure(Failure::Role) => (
                StatusCode::FORBIDDEN,
                "role".to_owned(),
                "this account's role does not go so far".to_owned(),
            ),
            Self::Failure(Failure::Fault(code)) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "fault".to_owned(), format!("fault {code} of the centre"))
            }
            Self::Failure(other) => return other.into_response(),
        };
        let title = status.canonical_reason().unwrap_or("refused");
        let body = json!({
            "type": format!("urn:hufu:problem:{code}"), "title": title, "status": status.as_u16(), "detail": detail,
        });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, body.to_string()).into_response()
    }
}
