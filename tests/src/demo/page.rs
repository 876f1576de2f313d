//! The demo's page and its few addresses: the page, its files, the facts that tick the checklist, the acts of hands.
//!
//! It serves loopback only. Acts are JSON, which a page of another origin cannot send without asking first.

use super::acts::{Act, perform};
use super::hall::{Card, Hall};
use super::watch::Ticks;
use anyhow::{Context as _, Result};
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hufu_tests::desk::texts::{Language, escape, fill};
use hufu_tests::story::model::Place;
use serde_json::json;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

const PAGE: &str = include_str!("static/demo.html");

/// What all requests share.
#[derive(Debug)]
struct Shared {
    hall: Arc<Hall>,
    ticks: Ticks,
}

type Demo = State<Arc<Shared>>;

/// All routes.
pub fn router(hall: Arc<Hall>) -> Router {
    let shared = Arc::new(Shared { hall, ticks: Ticks::default() });
    Router::new()
        .route("/", get(|| async { Redirect::to("/demo") }))
        .route("/demo", get(page))
        .route("/demo.css", get(|| async { file("text/css", include_str!("static/demo.css")) }))
        .route("/demo.js", get(|| async { file("text/javascript", include_str!("static/demo.js")) }))
        .route("/facts.json", get(facts))
        .route("/display/{terminal}", get(display))
        .route("/code/{member}", get(code))
        .route("/act", post(act))
        .layer(from_fn_with_state(Arc::clone(&shared), protect))
        .with_state(shared)
}

fn file(kind: &str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, format!("{kind}; charset=utf-8"))], text).into_response()
}

async fn page(
    State(demo): Demo,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let language = Language::choose(query.get("lang").map(String::as_str), accepted);
    let made = make(&demo.hall, language).map_err(|error| {
        tracing::error!("failed to make the page: {error:#}");
        StatusCode::INTERNAL_SERVER_ERROR
    })?;
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8"), (VARY, "Accept-Language")], made).into_response())
}

fn make(hall: &Hall, language: Language) -> Result<String> {
    let of_kind = |kind: &str| hall.cards.iter().filter(|card| card.kind == kind).collect::<Vec<_>>();
    let page = PAGE
        .replace("{{ cards_a }}", &buttons(&of_kind("pcsc"))?)
        .replace("{{ cards_b }}", &buttons(&of_kind("stripe"))?)
        .replace("{{ counter_a }}", &escape(&hall.counters[0]))
        .replace("{{ counter_b }}", &escape(&hall.counters[1]))
        .replace("{{ console }}", &format!("http://{}", hall.centre.console))
        .replace("{{ password }}", &escape(&hall.password));
    fill(&page, language)
}

fn buttons(cards: &[&Card]) -> Result<String> {
    let mut text = String::new();
    for card in cards {
        let label = escape(&card.label);
        // What is printed in brackets says the kind, which the row of buttons says already.
        let short = escape(card.label.split(['（', '(']).next().unwrap_or_default());
        // A note that only repeats the label says nothing.
        let note = card.note.as_deref().filter(|note| !card.label.starts_with(note));
        let note = note.map(|note| format!("<small>{}</small>", escape(note)));
        let note = note.unwrap_or_default();
        write!(
            text,
            "<button type=\"button\" class=\"plastic\" data-card=\"{label}\">{short}{note}</button>"
        )
        .context("failed to write the page")?;
    }
    Ok(text)
}

async fn facts(State(demo): Demo) -> Response {
    let looked = tokio::task::spawn_blocking(move || demo.ticks.look(&demo.hall)).await;
    match looked {
        Ok(Ok(facts)) => Json(facts).into_response(),
        Ok(Err(error)) => {
            tracing::warn!("failed to look at the facts: {error:#}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(error) => {
            tracing::error!("failed to look at the facts: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn display(State(demo): Demo, Path(terminal): Path<String>) -> Response {
    let place = match terminal.as_str() {
        "a.png" => Place::A,
        "b.png" => Place::B,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let path = tokio::task::spawn_blocking(move || demo.hall.things().at(place).picture()).await;
    let Ok(path) = path else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    match tokio::fs::read(path).await {
        Ok(bytes) => ([(CONTENT_TYPE, "image/png")], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A member's phone asks for a code.
async fn code(State(demo): Demo, Path(member): Path<String>) -> Response {
    match tokio::task::spawn_blocking(move || demo.hall.member_code(&member)).await {
        Ok(Ok(code)) => code.into_response(),
        Ok(Err(error)) => {
            tracing::warn!("failed to get a member code: {error:#}");
            StatusCode::BAD_GATEWAY.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn act(State(demo): Demo, Json(act): Json<Act>) -> Response {
    let done = tokio::task::spawn_blocking(move || perform(&demo.hall, &act)).await;
    let failure = match done {
        Ok(Ok(())) => return StatusCode::NO_CONTENT.into_response(),
        Ok(Err(error)) => format!("{error:#}"),
        Err(error) => error.to_string(),
    };
    tracing::warn!("an act failed: {failure}");
    (StatusCode::CONFLICT, Json(json!({ "error": failure }))).into_response()
}

/// Headers of every answer: own files only, frames of the three pages, nobody frames this one.
async fn protect(State(demo): Demo, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let hall = &demo.hall;
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         frame-src {} {} http://{}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hall.counters[0], hall.counters[1], hall.centre.console
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
