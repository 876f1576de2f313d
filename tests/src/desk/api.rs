//! Routes of the tray: its page and files, and `GET /cards`, `GET /terminals`, `GET /terminals/{name}/paper.png`,
//! `POST /terminals/{name}/…`.
//!
//! Posts take JSON only, which a page of another origin cannot send without asking first, and nobody answers it.

use super::cards::{Card, Kind};
use super::terminal::{TAP_MS, Terminal};
use super::texts::{Language, page};
use super::wiring::Line;
use super::{Desk, Refusal, Shared};
use crate::kit::http::plain_client;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;

/// All routes.
pub fn router(desk: Shared) -> Router {
    Router::new()
        .route("/", get(show_page))
        .route("/desk.css", get(style))
        .route("/desk.js", get(script))
        .route("/cards", get(cards))
        .route("/terminals", get(terminals))
        .route("/terminals/{name}/tap", post(tap))
        .route("/terminals/{name}/insert", post(insert))
        .route("/terminals/{name}/remove", post(remove))
        .route("/terminals/{name}/swipe", post(swipe))
        .route("/terminals/{name}/keyed_swipe", post(keyed_swipe))
        .route("/terminals/{name}/scan", post(scan))
        .route("/terminals/{name}/keys", post(keys))
        .route("/terminals/{name}/amount", post(amount))
        .route("/terminals/{name}/cable", post(cable))
        .route("/terminals/{name}/paper", post(paper))
        .route("/terminals/{name}/paper.png", get(picture_of_paper))
        .layer(from_fn_with_state(desk.clone(), protect))
        .with_state(desk)
}

/// Which card a hand holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    card: String,
    /// For a tap: how long, in milliseconds.
    #[serde(default = "usual_tap_ms")]
    hold_ms: u64,
}

/// Keys that are pressed, one after the other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressed {
    keys: String,
}

/// An amount that is confirmed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmed {
    fen: u64,
}

/// A cable that is pulled or put in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plugged {
    cable: String,
    plugged: bool,
}

/// Paper that is taken out or put in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paper {
    out: bool,
}

fn usual_tap_ms() -> u64 {
    TAP_MS
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Self::UnknownCard | Self::UnknownTerminal => StatusCode::NOT_FOUND,
            Self::WrongKind | Self::NoDevice | Self::WrongInput => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Occupied => StatusCode::CONFLICT,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoCode => StatusCode::BAD_GATEWAY,
        };
        (status, Json(json!({ "code": self.code() }))).into_response()
    }
}

impl Desk {
    fn card(&self, label: &str) -> Result<&Card, Refusal> {
        self.cards.iter().find(|card| card.label == label).ok_or(Refusal::UnknownCard)
    }

    fn terminal(&self, name: &str) -> Result<&Terminal, Refusal> {
        self.terminals.iter().find(|terminal| terminal.name == name).ok_or(Refusal::UnknownTerminal)
    }
}

async fn show_page(
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let language = Language::choose(query.get("lang").map(String::as_str), accepted);
    let page = page(language).map_err(|error| {
        tracing::error!("failed to make the page: {error:#}");
        StatusCode::INTERNAL_SERVER_ERROR
    })?;
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8"), (VARY, "Accept-Language")], page).into_response())
}

async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("static/desk.css")).into_response()
}

async fn script() -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("static/desk.js")).into_response()
}

async fn cards(State(desk): State<Shared>) -> Response {
    Json(&desk.cards).into_response()
}

async fn terminals(State(desk): State<Shared>) -> Response {
    let mut list = Vec::new();
    for terminal in &desk.terminals {
        let lying = terminal.lying();
        let roll = terminal.line(Line::Printer).and_then(|printer| printer.roll());
        list.push(json!({
            "name": terminal.name,
            "takes": terminal.takes(),
            "busy": lying.is_none(),
            "lying": lying.unwrap_or_default(),
            "keys": terminal.line(Line::Keys).and_then(|keys| keys.face()),
            "printed": roll.map(|roll| roll.printed().len()),
            "cables": terminal.cables(),
        }));
    }
    Json(list).into_response()
}

async fn tap(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Json(held): Json<Held>,
) -> Result<Response, Refusal> {
    let asked = desk.terminal(&name)?.tap(desk.card(&held.card)?, held.hold_ms).await?;
    Ok(Json(json!({ "read": asked != Some(0) })).into_response())
}

async fn insert(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Json(held): Json<Held>,
) -> Result<StatusCode, Refusal> {
    desk.terminal(&name)?.put(desk.card(&held.card)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(State(desk): State<Shared>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let asked = desk.terminal(&name)?.take().await?;
    Ok(Json(json!({ "read": asked > 0 })).into_response())
}

async fn swipe(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Json(held): Json<Held>,
) -> Result<StatusCode, Refusal> {
    desk.terminal(&name)?.swipe(desk.card(&held.card)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn keyed_swipe(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Json(held): Json<Held>,
) -> Result<StatusCode, Refusal> {
    desk.terminal(&name)?.keyed_swipe(desk.card(&held.card)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn scan(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Json(held): Json<Held>,
) -> Result<StatusCode, Refusal> {
    let (terminal, card) = (desk.terminal(&name)?, desk.card(&held.card)?);
    if card.kind != Kind::Code {
        return Err(Refusal::WrongKind);
    }
    let text = match (&card.text, &card.member) {
        (Some(text), _) => text.clone(),
        (None, Some(member)) => fresh_code(&desk, member).await.map_err(|error| {
            tracing::warn!("failed to get a member code: {error:#}");
            Refusal::NoCode
        })?,
        (None, None) => return Err(Refusal::NoCode),
    };
    terminal.scan(&text)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A member code as the member's phone would get it now.
async fn fresh_code(desk: &Desk, member: &str) -> anyhow::Result<String> {
    let address =
        desk.codes.as_deref().ok_or_else(|| anyhow::anyhow!("the tray was started without --codes"))?;
    let answer = plain_client()?.get(format!("{address}{member}")).send().await?.error_for_status()?;
    Ok(answer.text().await?)
}

async fn keys(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Json(pressed): Json<Pressed>,
) -> Result<StatusCode, Refusal> {
    desk.terminal(&name)?.keys(&pressed.keys)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn amount(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Json(confirmed): Json<Confirmed>,
) -> Result<StatusCode, Refusal> {
    desk.terminal(&name)?.amount(confirmed.fen)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn cable(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Json(plugged): Json<Plugged>,
) -> Result<StatusCode, Refusal> {
    desk.terminal(&name)?;
    // A service takes a moment to start.
    let done = tokio::task::spawn_blocking(move || {
        desk.terminal(&name).and_then(|terminal| terminal.plug(&plugged.cable, plugged.plugged))
    });
    done.await.unwrap_or(Err(Refusal::NotReady))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn paper(
    State(desk): State<Shared>,
    Path(name): Path<String>,
    Json(paper): Json<Paper>,
) -> Result<StatusCode, Refusal> {
    let printer = desk.terminal(&name)?.line(Line::Printer).and_then(|printer| printer.roll());
    printer.ok_or(Refusal::NoDevice)?.set_paper_out(paper.out);
    Ok(StatusCode::NO_CONTENT)
}

async fn picture_of_paper(State(desk): State<Shared>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let terminal = desk.terminal(&name)?;
    let printer = terminal.line(Line::Printer).ok_or(Refusal::NoDevice)?;
    let picture = printer.paper().map_err(|_| Refusal::NotReady)?.ok_or(Refusal::NotReady)?;
    Ok(([(CONTENT_TYPE, "image/png")], picture).into_response())
}

/// Headers of every answer: nothing but the tray's own files runs in it, and only named pages frame it.
async fn protect(State(desk): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self' {}",
        desk.embed_origins.join(" ")
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(policy.trim_end()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
