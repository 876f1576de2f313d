//! What a page answers instead of itself.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::words::{Language, text};
use crate::db::DbError;
use crate::jobs::JobError;
use crate::random::NoRandom;
use crate::store::StoreError;
use crate::store::people::PeopleError;
use crate::vault::VaultError;

/// A request that gets no page.
#[derive(Debug, Clone)]
pub enum Failure {
    /// Nobody is signed in: to the sign-in page.
    SignIn,
    /// The password must be changed first.
    MustChange,
    /// There is no such thing.
    NotFound,
    /// The form is not of this session.
    Form,
    /// The person's role does not go so far.
    Role,
    /// A fault of the centre, with a short code that the log names too.
    Fault(String),
}

macro_rules! faults {
    ($($error:ty),+) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::fault(&error)
            }
        }
    )+};
}

faults!(
    StoreError,
    DbError,
    VaultError,
    PeopleError,
    NoRandom,
    askama::Error,
    crate::app::ActError,
    JobError
);

impl Failure {
    /// A fault: the cause goes to the log only.
    pub fn fault(error: &dyn std::error::Error) -> Self {
        let code = crate::random::bytes::<3>()
            .map_or_else(|_| "000000".to_owned(), |b| data_encoding::HEXUPPER.encode(&b));
        tracing::error!(%error, code, "a page failed by a fault of the centre");
        Self::Fault(code)
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    css: String,
    title: [String; 2],
    next: [String; 2],
    code: String,
}

/// Sends a browser elsewhere after a change, or before anything.
pub fn go(to: &str) -> Response {
    let place = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

impl IntoResponse for Failure {
    /// The page says what it is of, so that the API can say the same in its own way.
    fn into_response(self) -> Response {
        let mut page = self.clone().page();
        page.extensions_mut().insert(self);
        page
    }
}

impl Failure {
    fn page(self) -> Response {
        let both = |key: &str| [text(Language::Zh, key), text(Language::En, key)];
        let (status, title, next, code) = match self {
            Self::SignIn => return go("/login"),
            Self::MustChange => return go("/password"),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                both("failure-not-found"),
                both("failure-not-found-next"),
                String::new(),
            ),
            Self::Form => {
                (StatusCode::FORBIDDEN, both("failure-form"), both("failure-form-next"), String::new())
            }
            Self::Role => {
                (StatusCode::FORBIDDEN, both("failure-role"), both("failure-role-next"), String::new())
            }
            Self::Fault(code) => {
                (StatusCode::INTERNAL_SERVER_ERROR, both("failure-fault"), both("failure-fault-next"), code)
            }
        };
        let page = FailurePage { css: super::assets::address("console.css"), title, next, code };
        match page.render() {
            Ok(body) => (status, Html(body)).into_response(),
            Err(_) => status.into_response(),
        }
    }
}

/// For every path that leads nowhere.
pub async fn not_found() -> Failure {
    Failure::NotFound
}
