//! The counter page's addresses. Handlers take what was sent, hand one order to the run loop or read one snapshot,
//! and answer; nothing is decided here.
//!
//! A page without script gets a redirect after a form, the script gets the changed parts, a program that sends JSON
//! gets JSON. Reading never changes anything but the reader's own language, theme and sound, which live in cookies.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Json, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hufu_shared::seal::SealKey;
use hufu_shared::time::Instant;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::batch::BatchInput;
use super::forms::{CandidateInput, ModeInput, NoticeInput, Refused, TypedInput, UnshownInput};
use super::guard::{Guard, is_own_host, is_own_page};
use super::operators::Operators;
use super::pages::{CounterPage, Frame, PanelPage, Parts};
use super::port::{Order, Port, Snapshot};
use super::sheets::{HelpPage, StatusPage};
use super::slips::{ReprintInput, ReverseInput};
use super::tablets::{self, Tablets};
use super::undo::UndoPage;
use super::voice::Sounds;
use super::words::Ui;
use super::{assets, desk, live, practice, setup};
use crate::locale::Language;
use crate::state::{ContactSender, FindSender};

/// Longest body of a form, in bytes.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// How long a browser keeps a reader's choices, in seconds.
const CHOICE_AGE_S: u32 = 365 * 24 * 3600;

/// What all handlers share.
pub struct Counter {
    /// Snapshots and orders.
    pub port: Port,
    /// Who may speak to the page.
    pub guard: Guard,
    /// What the forms of visitors and applicants are sealed to.
    pub seal_key: SealKey,
    /// Address of the simulator's tray, in demonstrations.
    pub simulator: Option<String>,
    /// The language of readers who have not chosen.
    pub language: Language,
    /// How the page sounds.
    pub sounds: Arc<Sounds>,
    /// Asks the centre for members.
    pub finds: FindSender,
    /// Tablets that may use the page over the network; none where it is not served there.
    pub tablets: Option<Arc<Tablets>>,
    /// Tries the connection to the centre.
    pub contacts: ContactSender,
    /// Who signs in at the counter.
    pub operators: Arc<Operators>,
    /// The terminal's clock.
    pub now: Box<dyn Fn() -> Instant + Send + Sync>,
}

type Shared = State<Arc<Counter>>;

/// All addresses of the page.
pub fn router(counter: Arc<Counter>) -> Router {
    Router::new()
        // For people.
        .route("/", get(page))
        .route("/status", get(status))
        .route("/help", get(help))
        .route("/mode", post(mode))
        .route("/batch", post(batch))
        .route("/typed", post(typed))
        .route("/typed/verdict", post(verdict))
        .route("/notices", post(notice))
        .route("/unshown", post(unshown))
        .route("/undo/{seq}", get(undo))
        .route("/reverse", post(reverse))
        .route("/reprint", post(reprint))
        .merge(desk::routes::routes())
        .route("/tablets", get(tablets::pages::list).post(tablets::pages::act))
        .merge(practice::routes())
        .merge(setup::routes())
        // For the page's script.
        .route("/panel", get(panel))
        .route("/live", get(stream))
        .route("/display.png", get(display))
        .route("/a/{hash}/{name}", get(asset))
        .route("/voice/{hash}/{name}", get(clip))
        // For programs.
        .route("/state.json", get(state))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&counter), guard))
        .with_state(counter)
}

/// Host names, foreign forms, and the browser's orders on every answer.
async fn guard(State(counter): Shared, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let mut answer = if !is_own_host(headers.get(header::HOST)) {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    } else if !request.method().is_safe() && !is_own_page(headers) {
        StatusCode::FORBIDDEN.into_response()
    } else if let Some(answer) =
        desk::pin::barred(counter.port.snapshot().view.staff.staff(), request.uri().path())
    {
        answer
    } else {
        next.run(request).await
    };
    counter.guard.seal(answer.headers_mut());
    answer
}

/// A reader's choices in the address.
#[derive(Debug, Default, Deserialize)]
pub struct Choice {
    lang: Option<String>,
    theme: Option<String>,
    sound: Option<String>,
}

impl Choice {
    /// The choices among the parts of an address that has others as well.
    pub(super) fn of(query: &BTreeMap<String, String>) -> Self {
        let part = |name: &str| query.get(name).cloned();
        Self { lang: part("lang"), theme: part("theme"), sound: part("sound") }
    }

    /// The cookies that keep the choices; values that we do not offer are ignored.
    fn cookies(&self) -> Vec<HeaderValue> {
        let offered = [
            ("lang", &self.lang, ["zh-CN", "en"]),
            ("theme", &self.theme, ["light", "dark"]),
            ("sound", &self.sound, ["on", "off"]),
        ];
        let chosen = offered.into_iter().filter_map(|(name, value, values)| {
            let value = values.into_iter().find(|offer| value.as_deref() == Some(offer))?;
            let cookie =
                format!("hufu-{name}={value}; Path=/; Max-Age={CHOICE_AGE_S}; SameSite=Lax; HttpOnly");
            HeaderValue::from_str(&cookie).ok()
        });
        chosen.collect()
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key.strip_prefix("hufu-") == Some(name)).then_some(value))
}

impl Counter {
    pub(super) fn frame(&self, headers: &HeaderMap, snapshot: &Snapshot) -> Frame {
        let language = cookie(headers, "lang").and_then(Language::from_tag).unwrap_or(self.language);
        let files = assets::addresses();
        Frame {
            ui: Ui { language, zone: snapshot.view.zone, now: (self.now)() },
            theme: if cookie(headers, "theme") == Some("dark") { "dark" } else { "light" },
            muted: cookie(headers, "sound") == Some("off"),
            sounds: Arc::clone(&self.sounds),
            css: files.css.clone(),
            js: files.js.clone(),
            unpaired: self.guard.is_unpaired(),
            practice: snapshot.view.practice,
            staff: Frame::staff_text(&snapshot.view.staff, language),
        }
    }

    /// The whole page, or the changed parts for the script.
    fn show(&self, headers: &HeaderMap, status: StatusCode, typed: Typed, said: Option<String>) -> Response {
        let snapshot = self.port.snapshot();
        let frame = self.frame(headers, &snapshot);
        let p = &Parts::new(&snapshot.view, snapshot.version, &frame.ui, said);
        if is_script(headers) {
            return html(status, &PanelPage { frame: &frame, p });
        }
        let display = self.port.display().map(hufu_hardware::panel::SharedFrame::version);
        let simulator = self.simulator.as_deref();
        html(status, &CounterPage { frame: &frame, p, typed: &typed, display, simulator })
    }

    /// Hands an order to the run loop and answers in the sender's manner.
    pub(super) async fn act(
        &self,
        headers: &HeaderMap,
        order: Result<Order, Refused>,
        typed: Typed,
    ) -> Response {
        let done = match order {
            Ok(order) => self.port.order(order).await.map_err(Refused::from),
            Err(refused) => Err(refused),
        };
        let json = is_json(headers);
        match done {
            Ok(_) if json => self.state_json(StatusCode::OK),
            Ok(_) if is_script(headers) => self.show(headers, StatusCode::OK, Typed::default(), None),
            Ok(_) => Redirect::to("/").into_response(),
            Err(refused) => {
                let status = match refused {
                    Refused::Declined(super::port::Declined::Busy) => StatusCode::SERVICE_UNAVAILABLE,
                    Refused::Declined(_) => StatusCode::CONFLICT,
                    _ => StatusCode::UNPROCESSABLE_ENTITY,
                };
                if json {
                    let body = json!({ "error": refused.to_string(), "code": refused.key() });
                    return (status, Json(body)).into_response();
                }
                let ui = self.frame(headers, &self.port.snapshot()).ui;
                self.show(headers, status, typed, Some(ui.t(refused.key())))
            }
        }
    }

    pub(super) fn state_json(&self, status: StatusCode) -> Response {
        let snapshot = self.port.snapshot();
        let body = json!({ "version": snapshot.version, "now": (self.now)(), "view": snapshot.view });
        (status, Json(body)).into_response()
    }
}

/// What a page without script had typed, to be kept after an error.
#[derive(Debug)]
pub struct Typed {
    /// The pane that stays open.
    pub pane: &'static str,
    /// Yuan.
    pub amount: String,
    /// Points.
    pub points: String,
    /// Number of a slip.
    pub slip: String,
    /// Number of a card.
    pub number: String,
}

impl Default for Typed {
    fn default() -> Self {
        let empty = String::new;
        Self { pane: "swipe", amount: empty(), points: empty(), slip: empty(), number: empty() }
    }
}

/// A form or JSON, by what the sender says it is.
pub(super) struct Input<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequest<Arc<Counter>> for Input<T> {
    type Rejection = Response;

    async fn from_request(request: Request, counter: &Arc<Counter>) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let read = if is_json(&headers) {
            Json::<T>::from_request(request, counter).await.map(|Json(input)| input).ok()
        } else {
            Form::<T>::from_request(request, counter).await.map(|Form(input)| input).ok()
        };
        match read {
            Some(input) => Ok(Self(input)),
            None => Err(counter.act(&headers, Err(Refused::Request), Typed::default()).await),
        }
    }
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn is_script(headers: &HeaderMap) -> bool {
    headers.contains_key("x-fragment")
}

pub(super) fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "failed to render a page of the counter");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Keeps the reader's choices and leads back to the same page without them.
pub(super) fn choose(choice: &Choice, path: &str) -> Option<Response> {
    let cookies = choice.cookies();
    if cookies.is_empty() {
        return None;
    }
    let mut answer = Redirect::to(path).into_response();
    for cookie in cookies {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Some(answer)
}

async fn page(State(counter): Shared, headers: HeaderMap, Query(choice): Query<Choice>) -> Response {
    choose(&choice, "/").unwrap_or_else(|| counter.show(&headers, StatusCode::OK, Typed::default(), None))
}

async fn panel(State(counter): Shared, mut headers: HeaderMap) -> Response {
    headers.insert("x-fragment", HeaderValue::from_static("1"));
    counter.show(&headers, StatusCode::OK, Typed::default(), None)
}

async fn status(State(counter): Shared, headers: HeaderMap, Query(choice): Query<Choice>) -> Response {
    if let Some(answer) = choose(&choice, "/status") {
        return answer;
    }
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(&headers, &snapshot);
    let parts = Parts::new(&snapshot.view, snapshot.version, &frame.ui, None);
    let page = StatusPage::new(&frame, &snapshot.view, format!("{} · {}", parts.office, parts.terminal));
    html(StatusCode::OK, &page)
}

async fn help(State(counter): Shared, headers: HeaderMap, Query(choice): Query<Choice>) -> Response {
    if let Some(answer) = choose(&choice, "/help") {
        return answer;
    }
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(&headers, &snapshot);
    html(StatusCode::OK, &HelpPage::new(&frame, frame.ui.words(&snapshot.view.place_word)))
}

async fn undo(
    State(counter): Shared,
    headers: HeaderMap,
    Path(seq): Path<u64>,
    Query(choice): Query<Choice>,
) -> Response {
    if let Some(answer) = choose(&choice, &format!("/undo/{seq}")) {
        return answer;
    }
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(&headers, &snapshot);
    let page = UndoPage::new(&frame, &snapshot.view, seq);
    let status = if page.line.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    html(status, &page)
}

async fn mode(State(counter): Shared, headers: HeaderMap, Input(input): Input<ModeInput>) -> Response {
    let pane = match input.mode.as_str() {
        "earn" => "earn",
        "spend" => "spend",
        "top_up" | "cash_out" => "top_up",
        _ => "swipe",
    };
    let order = input.order();
    let (amount, points) = (input.amount.unwrap_or_default(), input.points.unwrap_or_default());
    let slip = input.slip.unwrap_or_default();
    counter.act(&headers, order, Typed { pane, amount, points, slip, ..Typed::default() }).await
}

async fn batch(State(counter): Shared, headers: HeaderMap, Input(input): Input<BatchInput>) -> Response {
    counter.act(&headers, input.order(), Typed::default()).await
}

async fn typed(State(counter): Shared, headers: HeaderMap, Input(input): Input<TypedInput>) -> Response {
    let order = input.order();
    counter.act(&headers, order, Typed { pane: "typed", number: input.number, ..Typed::default() }).await
}

async fn verdict(
    State(counter): Shared,
    headers: HeaderMap,
    Input(input): Input<CandidateInput>,
) -> Response {
    counter.act(&headers, input.order(), Typed::default()).await
}

async fn notice(State(counter): Shared, headers: HeaderMap, Input(input): Input<NoticeInput>) -> Response {
    counter.act(&headers, input.order(), Typed::default()).await
}

async fn unshown(State(counter): Shared, headers: HeaderMap, Input(input): Input<UnshownInput>) -> Response {
    counter.act(&headers, input.order(), Typed::default()).await
}

async fn reverse(State(counter): Shared, headers: HeaderMap, Input(input): Input<ReverseInput>) -> Response {
    let order = input.order();
    let (slip, points, amount) = (input.slip, input.points, input.amount);
    let typed = Typed {
        pane: "reverse",
        slip: slip.unwrap_or_default(),
        points: points.unwrap_or_default(),
        amount: amount.unwrap_or_default(),
        ..Typed::default()
    };
    counter.act(&headers, order, typed).await
}

async fn reprint(State(counter): Shared, headers: HeaderMap, Input(input): Input<ReprintInput>) -> Response {
    counter.act(&headers, input.order(), Typed::default()).await
}

async fn stream(State(counter): Shared) -> Response {
    live::stream(counter.port.clone()).into_response()
}

async fn state(State(counter): Shared) -> Response {
    counter.state_json(StatusCode::OK)
}

async fn display(State(counter): Shared) -> Response {
    let Some(shared) = counter.port.display() else { return StatusCode::NOT_FOUND.into_response() };
    let (_, png) = shared.png();
    ([(header::CONTENT_TYPE, "image/png")], png.to_vec()).into_response()
}

async fn clip(State(counter): Shared, Path((hash, name)): Path<(String, String)>) -> Response {
    kept(counter.sounds.file(&hash, &name))
}

async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    kept(assets::file(&hash, &name))
}

/// A file that a browser may keep for ever: its address changes with its content.
fn kept(file: Option<(Vec<u8>, &'static str)>) -> Response {
    let Some((bytes, kind)) = file else { return StatusCode::NOT_FOUND.into_response() };
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, bytes).into_response()
}
