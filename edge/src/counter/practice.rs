//! `/practice`: what practice is, and the switch. Whether it is on stands in every snapshot, so every page says so.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::desk::routes::style;
use super::forms::Refused;
use super::pages::Frame;
use super::port::Order;
use super::routes::{Choice, Counter, Input, Typed, choose, html};

/// `POST /practice`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PracticeInput {
    /// `begin` or `end`.
    act: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "desk/practice.html")]
pub struct PracticePage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the second style sheet.
    pub style: &'static str,
    /// Why nothing happened.
    pub declined: Option<String>,
}

impl<'a> PracticePage<'a> {
    /// The page.
    #[must_use]
    pub fn new(frame: &'a Frame) -> Self {
        Self { frame, style: style(), declined: None }
    }
}

/// The page's address.
pub(super) fn routes() -> Router<Arc<Counter>> {
    Router::new().route("/practice", get(show).post(switch))
}

async fn show(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Query(choice): Query<Choice>,
) -> Response {
    if let Some(answer) = choose(&choice, "/practice") {
        return answer;
    }
    let snapshot = counter.port.snapshot();
    html(StatusCode::OK, &PracticePage::new(&counter.frame(&headers, &snapshot)))
}

async fn switch(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Input(input): Input<PracticeInput>,
) -> Response {
    let order = match input.act.as_str() {
        "begin" => Ok(Order::Practise(true)),
        "end" => Ok(Order::Practise(false)),
        _ => Err(Refused::Request),
    };
    counter.act(&headers, order, Typed::default()).await
}
