//! What `/api/v1` answers instead of what was asked for: problem documents (RFC 9457). The code says what is wrong to
//! programs, the sentence to people.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::failure::Failure;
use super::ui::Ui;
use super::words::{Language, text_with};

/// The media type of problem documents.
pub const MEDIA: &str = "application/problem+json";

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
    /// As pages fail; [`of_answer`] makes a problem of it in the language of who asked.
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

    /// What is wrong with any request, whatever it asks: the words are those of `problem-` and the code. `name` is what
    /// they are about, if anything.
    pub fn said(language: Language, status: StatusCode, code: &str, name: &str) -> Self {
        let key = format!("problem-{}", code.replace('_', "-"));
        let detail = text_with(language, &key, &[("name", name)]);
        Self::Problem { status, code: code.to_owned(), detail }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code, detail) = match self {
            Self::Problem { status, code, detail } => (status, code, detail),
            Self::Failure(failure) => return failure.into_response(),
        };
        let title = status.canonical_reason().unwrap_or("refused");
        let body = json!({
            "type": format!("urn:hufu:problem:{code}"), "title": title, "status": status.as_u16(), "detail": detail,
        });
        (status, [(header::CONTENT_TYPE, MEDIA)], body.to_string()).into_response()
    }
}

/// Status, code, and what the words are about, of a failure.
fn of_failure(failure: &Failure) -> (StatusCode, &'static str, &str) {
    match failure {
        Failure::SignIn => (StatusCode::UNAUTHORIZED, "signed_out", ""),
        Failure::MustChange => (StatusCode::FORBIDDEN, "must_change", ""),
        Failure::NotFound => (StatusCode::NOT_FOUND, "not_found", ""),
        Failure::Form => (StatusCode::FORBIDDEN, "form", ""),
        Failure::Role => (StatusCode::FORBIDDEN, "role", ""),
        Failure::Fault(code) => (StatusCode::INTERNAL_SERVER_ERROR, "fault", code),
    }
}

/// The code of a status that was answered with nothing that a program could read.
fn of_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "media_type",
        status if status.is_server_error() => "fault",
        _ => "unreadable",
    }
}

/// An answer of the API as it is sent: one that failed is a problem document, whoever refused it.
pub fn of_answer(language: Language, answer: Response) -> Response {
    let failure = answer.extensions().get::<Failure>().cloned();
    let is_problem = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == MEDIA);
    let status = answer.status();
    let (status, code, name) = match &failure {
        Some(failure) => of_failure(failure),
        None if is_problem || !(status.is_client_error() || status.is_server_error()) => return answer,
        None => (status, of_status(status), ""),
    };
    let mut problem = Refused::said(language, status, code, name).into_response();
    if let Some(allowed) = answer.headers().get(header::ALLOW) {
        problem.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    if status == StatusCode::UNAUTHORIZED {
        // There is no scheme for forms: who asks signs in at /login and sends its cookie.
        problem.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
    }
    problem
}
