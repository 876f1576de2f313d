//! What a page hears while it is open: that cases changed, and how many wait. Nothing else stands in the stream; what changed
//! is fetched with the person's own rights.
//!
//! One stream per page. It ends with the session, with the service, and when nobody reads it; being open is no use of the
//! session, else a page that was left alone would keep it for ever.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use hufu_shared::ids::Hash;
use hufu_shared::time::Instant;
use serde::Deserialize;
use tokio::sync::watch;

use super::Console;
use super::failure::Failure;
use super::session::{self, cookie, cookie_name};
use super::ui::Ui;
use crate::db::Tx;
use crate::store::{StoreError, inbox, people, staff};

/// Seconds between two signs of life of a stream; the session is looked at as often.
pub const KEEP_ALIVE_S: u64 = 15;
/// Milliseconds that are waited after news: a busy hour is told once a second, not a thousand times.
const GATHER_MS: u64 = 1_000;
/// Header with which a browser says what it heard last.
const LAST_HEARD: &str = "last-event-id";

/// What a page compares: how many cases wait, and when the newest of them changed.
type Heard = (u64, Instant);

/// The stored token of a session that holds, without using it; none if there is none. What is told here is fetched by
/// script, which a page to sign in would not help.
async fn quiet(console: &Console, headers: &HeaderMap) -> Result<Option<Hash>, Failure> {
    let Some(token) = cookie(headers, cookie_name(console.secure())) else { return Ok(None) };
    let token = session::stored(token);
    Ok(holds(console, token).await?.then_some(token))
}

/// What is answered where nobody is signed in.
fn nobody() -> Response {
    StatusCode::UNAUTHORIZED.into_response()
}

/// Whether a session holds whose person may see cases.
async fn holds(console: &Console, token: Hash) -> Result<bool, Failure> {
    let session = console.app.db.read(move |tx| staff::session(tx, token)).await?;
    let now = console.app.now();
    Ok(session.is_some_and(|session| {
        session::holds(&session, now) && !session.must_change && session.account.role.is_of_centre()
    }))
}

/// An open stream.
struct Listener {
    console: Console,
    token: Hash,
    heard: Option<Heard>,
    published: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
}

impl Listener {
    /// The next news; none once the session or the service ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let is_stopping = *self.stopping.borrow();
            if is_stopping || !holds(&self.console, self.token).await.ok()? {
                return None;
            }
            let heard = self.console.app.db.read(inbox::version).await.ok()?;
            if self.heard != Some(heard) {
                self.heard = Some(heard);
                return Some(changed(heard));
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(KEEP_ALIVE_S)) => {}
                _ = self.stopping.changed() => return None,
                news = self.published.changed() => {
                    news.ok()?;
                    tokio::time::sleep(Duration::from_millis(GATHER_MS)).await;
                }
            }
        }
    }
}

/// That cases changed, and how many wait.
fn changed((count, newest): Heard) -> Event {
    Event::default().event("cases").id(newest.0.to_string()).data(count.to_string())
}

fn events(listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    })
}

/// The stream of a page.
pub async fn stream(State(console): State<Console>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(token) = quiet(&console, &headers).await? else { return Ok(nobody()) };
    let last = headers.get(LAST_HEARD).and_then(|id| id.to_str().ok()?.parse().ok()).map(Instant);
    let now = console.app.db.read(inbox::version).await?;
    // Who comes back and missed nothing is told nothing.
    let heard = last.filter(|last| *last == now.1).map(|_| now);
    let (published, stopping) = (console.app.published.subscribe(), console.app.stopping.subscribe());
    let listener = Listener { console, token, heard, published, stopping };
    let alive = KeepAlive::new().interval(Duration::from_secs(KEEP_ALIVE_S));
    Ok(Sse::new(events(listener)).keep_alive(alive).into_response())
}

/// What a list was read at.
#[derive(Debug, Deserialize)]
pub struct SinceQuery {
    since: Option<i64>,
    /// The filter of the list.
    kind: Option<u8>,
    mine: Option<u8>,
}

#[derive(Template)]
#[template(path = "parts/news.html")]
struct News {
    ui: Ui,
    /// How many cases are new or changed; nothing for none.
    news: String,
    again: String,
}

/// How many cases came or changed since a list was read, for its own line: nothing moves under the pointer.
pub async fn news(
    State(console): State<Console>,
    headers: HeaderMap,
    Query(query): Query<SinceQuery>,
) -> Result<Response, Failure> {
    if quiet(&console, &headers).await?.is_none() {
        return Ok(nobody());
    }
    let since = Instant(query.since.unwrap_or(i64::MAX));
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok((
            inbox::new_since(tx, since)?,
            people::offices(tx)?.first().and_then(|office| office.clock.tz().ok()),
        ))
    };
    let (count, zone) = console.app.db.read(load).await?;
    let mut ui = Ui::of(&headers, console.app.now());
    ui.zone = zone.unwrap_or(ui.zone);
    let news = if count > 0 { ui.t_with("live-news", &[("n", &count.to_string())]) } else { String::new() };
    let filter = super::inbox::InboxQuery::of(
        &query.kind.map(|kind| kind.to_string()).unwrap_or_default(),
        if query.mine == Some(1) { "1" } else { "" },
    );
    let page = News { news, again: format!("/cases{}", filter.text()), ui };
    Ok((StatusCode::OK, Html(page.render()?)).into_response())
}

/// How many cases wait, for pages whose stream is dead.
pub async fn count(State(console): State<Console>, headers: HeaderMap) -> Result<Response, Failure> {
    if quiet(&console, &headers).await?.is_none() {
        return Ok(nobody());
    }
    let heard = console.app.db.read(inbox::version).await?;
    Ok((StatusCode::OK, Html(heard.0.to_string())).into_response())
}
