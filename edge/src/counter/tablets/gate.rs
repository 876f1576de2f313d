//! The gate before every address that the network reaches: whoever is not paired meets the pairing page and nothing else.
//!
//! It knows no list of addresses: what is not `/pair` is closed, also what does not exist, so that a new page cannot be
//! forgotten here.
//! Invariants: a tablet's key is only ever in a cookie that scripts cannot read and other sites cannot send; a live
//! stream ends when its tablet is unpaired.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::StreamExt;
use serde::Deserialize;

use super::super::guard::{is_own_host, is_own_page};
use super::super::routes::{BODY_BYTES_MAX, Choice, Counter, choose, html, router};
use super::pages::{self, PairPage};
use super::{Admitted, CODE_DIGITS, NAME_CHARS_MAX, PairingError, Tablets};
use crate::rules::pairing::IDLE_MAX_US;

/// The one address that answers a stranger.
pub const PAIR_PATH: &str = "/pair";
/// The cookie of a tablet's key. Its prefix has browsers refuse it from anything but this very host over TLS.
pub const COOKIE: &str = "__Host-hufu-tablet";
/// A live stream is opened anew after so long, so that its tablet's key is looked at again, in seconds.
const STREAM_MAX_S: u64 = 6 * 3_600;

/// A tablet, beside each request that it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FromTablet(pub u64);

struct Gate {
    counter: Arc<Counter>,
    tablets: Arc<Tablets>,
}

/// All addresses of the page, for paired tablets only.
pub fn gated(counter: Arc<Counter>, tablets: Arc<Tablets>) -> Router {
    let gate = Arc::new(Gate { counter: Arc::clone(&counter), tablets });
    router(counter).layer(from_fn_with_state(gate, pass)).layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !is_own_host(headers.get(header::HOST)) {
        return gate.sealed(StatusCode::MISDIRECTED_REQUEST.into_response());
    }
    if !request.method().is_safe() && !is_own_page(headers) {
        return gate.sealed(StatusCode::FORBIDDEN.into_response());
    }
    let key = key(headers).map(str::to_owned);
    let admitted = match key {
        Some(key) => gate.tablets.admit(&key).await,
        None => None,
    };
    let is_pairing = request.uri().path() == PAIR_PATH;
    let Some(admitted) = admitted else {
        return if is_pairing { gate.pairing(request).await } else { gate.stranger(&request) };
    };
    let mut answer = if is_pairing {
        gate.sealed(Redirect::to("/").into_response())
    } else {
        request.extensions_mut().insert(FromTablet(admitted.n));
        next.run(request).await
    };
    if let Some(cookie) = admitted.key.as_deref().and_then(cookie) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    gate.bounded(answer, admitted)
}

impl Gate {
    fn sealed(&self, mut answer: Response) -> Response {
        self.counter.guard.seal(answer.headers_mut());
        answer
    }

    /// A live stream ends with its tablet.
    fn bounded(&self, answer: Response, admitted: Admitted) -> Response {
        let kind = answer.headers().get(header::CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            return answer;
        }
        let presence = self.tablets.present(admitted.n);
        let mut ended = admitted.ended;
        let end = async move {
            let _presence = presence;
            tokio::select! {
                _ = ended.wait_for(|ended| *ended) => {}
                () = tokio::time::sleep(Duration::from_secs(STREAM_MAX_S)) => {}
            }
        };
        let (head, body) = answer.into_parts();
        Response::from_parts(head, Body::from_stream(body.into_data_stream().take_until(Box::pin(end))))
    }

    /// Not paired, or no longer: a person gets the pairing page, a program nothing.
    fn stranger(&self, request: &Request) -> Response {
        let headers = request.headers();
        let accepts = headers.get(header::ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
        let is_person =
            request.method() == Method::GET && accepts.windows(9).any(|kind| kind == b"text/html");
        if is_person {
            return self.page(headers, StatusCode::UNAUTHORIZED, PairInput::default(), None);
        }
        self.sealed(StatusCode::UNAUTHORIZED.into_response())
    }

    async fn pairing(&self, request: Request) -> Response {
        let headers = request.headers().clone();
        match *request.method() {
            Method::GET | Method::HEAD => {
                let choice = Query::<Choice>::try_from_uri(request.uri()).map(|Query(choice)| choice);
                let chosen = choose(&choice.unwrap_or_default(), PAIR_PATH).map(|answer| self.sealed(answer));
                chosen.unwrap_or_else(|| self.page(&headers, StatusCode::OK, PairInput::default(), None))
            }
            Method::POST => match Form::<PairInput>::from_request(request, &()).await {
                Ok(Form(input)) => self.pair(&headers, input).await,
                Err(_) => self.page(
                    &headers,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    PairInput::default(),
                    Some(Said::plain("tablet-wrong-form")),
                ),
            },
            _ => self.sealed(StatusCode::METHOD_NOT_ALLOWED.into_response()),
        }
    }

    async fn pair(&self, headers: &HeaderMap, input: PairInput) -> Response {
        let code: String = pages::folded_digits(&input.code);
        let name = input.name.trim().to_owned();
        if code.len() != CODE_DIGITS {
            let said = Said::plain("tablet-wrong-code");
            return self.page(headers, StatusCode::UNPROCESSABLE_ENTITY, input, Some(said));
        }
        if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            let said = Said::plain("tablet-wrong-name");
            return self.page(headers, StatusCode::UNPROCESSABLE_ENTITY, input, Some(said));
        }
        let tablets = Arc::clone(&self.tablets);
        let paired = tokio::task::spawn_blocking(move || tablets.pair(&code, &name)).await;
        let error = match paired {
            Ok(Ok(key)) => {
                let mut answer = Redirect::to("/").into_response();
                answer.headers_mut().extend(cookie(&key).map(|cookie| (header::SET_COOKIE, cookie)));
                return self.sealed(answer);
            }
            Ok(Err(error)) => error,
            Err(_) => return self.sealed(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        };
        tracing::info!(%error, "a tablet was not paired");
        let status = match &error {
            PairingError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::FORBIDDEN,
        };
        let input = PairInput { code: String::new(), ..input };
        self.page(headers, status, input, Some(Said::of(&error)))
    }

    fn page(
        &self,
        headers: &HeaderMap,
        status: StatusCode,
        input: PairInput,
        said: Option<Said>,
    ) -> Response {
        let ui = self.counter.frame(headers, &self.counter.port.snapshot()).ui;
        let error = said.map(|said| match said.left {
            Some(left) => ui.t1(said.key, "left", left.to_string()),
            None => ui.t(said.key),
        });
        let page = PairPage { ui, style: pages::STYLE, name: input.name, code: input.code, error };
        let mut answer = self.sealed(html(status, &page));
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, pages::policy());
        answer
    }
}

/// What is typed at the pairing page.
#[derive(Debug, Default, Deserialize)]
struct PairInput {
    #[serde(default)]
    code: String,
    #[serde(default)]
    name: String,
}

/// Why a tablet was not paired, in words.
struct Said {
    key: &'static str,
    left: Option<u8>,
}

impl Said {
    fn plain(key: &'static str) -> Self {
        Self { key, left: None }
    }

    fn of(error: &PairingError) -> Self {
        match error {
            PairingError::Wrong(left) => Self { key: "tablet-not-wrong", left: Some(*left) },
            other => Self::plain(pages::why(other)),
        }
    }
}

fn key(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

fn cookie(key: &str) -> Option<HeaderValue> {
    let age_s = IDLE_MAX_US / hufu_shared::time::SECOND_US;
    let text = format!("{COOKIE}={key}; Path=/; Max-Age={age_s}; Secure; HttpOnly; SameSite=Strict");
    HeaderValue::from_str(&text).ok()
}
