//! `/setup`: each part of the terminal tried by whoever stands before it, ending in one verdict.
//!
//! The page only asks and shows; results are the run loop's, and whether they suffice is decided in `rules`.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use hufu_shared::fact::RefusalReason;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::desk::routes::style;
use super::face::look;
use super::forms::Refused;
use super::pages::Frame;
use super::port::{Declined, Order};
use super::routes::{Choice, Counter, Input, choose, html, is_json};
use super::view::{CounterView, Outcome as Seen};
use super::words::Ui;
use crate::rules::decide::Outcome;
use crate::rules::setup::{Part, Standing, Tried, missing};
use crate::state::Contacting;

/// What the set-up page asks the run loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetupOrder {
    /// The centre was tried: milliseconds, or why not.
    Contacted(Result<u64, String>),
    /// The next card is to be tried, not counted.
    Card,
    /// Draw the test picture.
    Picture,
    /// Give light and sound of an outcome.
    Sound(Outcome),
    /// Print the test slip.
    Slip,
    /// What the person saw, heard or read.
    Answer {
        /// Of which part.
        part: Part,
        /// Whether it was right.
        worked: bool,
    },
    /// Try no longer.
    GiveUp,
}

/// What is being tried now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupDoing {
    /// A card is waited for.
    Card,
    /// The test picture was drawn: was it seen?
    Picture,
    /// A sound was given: was it heard?
    Sound,
    /// The test slip is on its way.
    Slip {
        /// What holds the printer up.
        hindered: Option<&'static str>,
    },
    /// The test slip is out: can it be read?
    Printed,
}

impl SetupDoing {
    /// The part that the person is asked about.
    #[must_use]
    pub fn asks(&self) -> Option<Part> {
        match self {
            Self::Picture => Some(Part::Display),
            Self::Sound => Some(Part::Sound),
            Self::Printed => Some(Part::Printer),
            Self::Card | Self::Slip { .. } => None,
        }
    }

    fn waits(&self) -> Option<Part> {
        match self {
            Self::Card => Some(Part::Reader),
            Self::Slip { .. } => Some(Part::Printer),
            _ => None,
        }
    }
}

/// How a part stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupPart {
    /// Which part.
    pub part: Part,
    /// What of it is there; none if none is configured.
    pub there: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// What came of trying it last.
    pub tried: Option<Tried>,
}

impl Serialize for SetupPart {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.part.code(), self.standing.code()).serialize(serializer)
    }
}

/// How the set-up stands: part of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SetupView {
    /// Every part.
    pub parts: Vec<SetupPart>,
    /// What is being tried now.
    pub doing: Option<SetupDoing>,
}

impl SetupView {
    /// The parts that keep the terminal from going to work.
    #[must_use]
    pub fn missing(&self) -> Vec<Part> {
        let parts: Vec<(Part, Standing)> = self.parts.iter().map(|each| (each.part, each.standing)).collect();
        missing(&parts)
    }
}

/// A sound that can be played.
#[derive(Debug)]
pub struct SoundButton {
    /// What the form sends.
    pub act: String,
    /// Its name.
    pub title: String,
    /// Notes, as the script plays them.
    pub tones: String,
    /// Address of a voice clip.
    pub voice: String,
    /// Whether muting leaves it audible.
    pub insists: bool,
}

/// A part as the page shows it.
#[derive(Debug)]
pub struct PartCard {
    /// Its word.
    pub code: &'static str,
    /// Its name.
    pub title: String,
    /// Class: `ok`, `wait`, `bad` or none.
    pub class: &'static str,
    /// How it stands.
    pub state: String,
    /// The devices.
    pub there: Option<String>,
    /// What was met, and when.
    pub met: Option<String>,
    /// What to do.
    pub todo: String,
    /// What is going on.
    pub doing: Option<String>,
    /// Whether the person is asked.
    pub asks: Option<String>,
    /// Whether it can be given up.
    pub waits: bool,
    /// The button that tries it; none where there is nothing to try.
    pub button: Option<String>,
    /// The sounds.
    pub sounds: Vec<SoundButton>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "desk/setup.html")]
pub struct SetupPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the second style sheet.
    pub style: &'static str,
    /// Class of the verdict.
    pub class: &'static str,
    /// The verdict.
    pub verdict: String,
    /// What is missing.
    pub note: String,
    /// Why nothing happened.
    pub declined: Option<String>,
    /// Whether the page looks again by itself.
    pub again: bool,
    /// The parts.
    pub parts: Vec<PartCard>,
}

/// The sounds that are played: each that staff have to tell apart.
const SOUNDS: [(&str, Outcome, Seen); 5] = [
    ("accepted", Outcome::Accepted, Seen::Accepted),
    ("recorded", Outcome::Recorded, Seen::Recorded),
    ("already_in", Outcome::AlreadyIn, Seen::AlreadyIn),
    ("unknown_card", Outcome::UnknownCard, Seen::UnknownCard),
    ("refused", Outcome::Refused(RefusalReason::R01), Seen::Refused(RefusalReason::R01)),
];

impl<'a> SetupPage<'a> {
    /// The page of a snapshot.
    #[must_use]
    pub fn new(frame: &'a Frame, view: &CounterView, declined: Option<String>) -> Self {
        let ui = &frame.ui;
        let setup = &view.setup;
        let missing = setup.missing();
        let names: Vec<String> =
            missing.iter().map(|part| ui.t(&format!("setup-part-{}", part.code()))).collect();
        let (class, verdict, note) = if missing.is_empty() {
            ("ok", ui.t("setup-ready"), ui.t("setup-ready-note"))
        } else {
            let what = names.join(&ui.t("counter-verdict-and"));
            ("bad", ui.t("setup-missing"), ui.t1("setup-missing-note", "what", what))
        };
        Self {
            frame,
            style: style(),
            class,
            verdict,
            note,
            declined,
            again: setup.doing.as_ref().is_some_and(|doing| doing.waits().is_some()),
            parts: setup.parts.iter().map(|part| card(part, view, frame)).collect(),
        }
    }
}

fn card(of: &SetupPart, view: &CounterView, frame: &Frame) -> PartCard {
    let ui = &frame.ui;
    let code = of.part.code();
    let doing = view.setup.doing.as_ref();
    let waits = doing.is_some_and(|doing| doing.waits() == Some(of.part));
    let is_there = of.standing != Standing::Absent;
    PartCard {
        code,
        title: ui.t(&format!("setup-part-{code}")),
        class: match of.standing {
            Standing::Works => "ok",
            Standing::Absent if !of.part.is_needed() => "",
            Standing::Fails | Standing::Absent => "bad",
            Standing::Untried | Standing::Changed | Standing::Old => "wait",
        },
        state: ui.t(&format!("setup-standing-{}", of.standing.code())),
        there: of.there.clone().filter(|there| !there.is_empty()),
        met: of.tried.as_ref().map(|tried| met(tried, ui)),
        todo: ui.t(&todo_key(of)),
        doing: doing.filter(|_| waits).map(|doing| doing_text(doing, ui)),
        asks: doing
            .and_then(SetupDoing::asks)
            .filter(|part| *part == of.part)
            .map(|_| ui.t(&format!("setup-ask-{code}"))),
        waits,
        button: (is_there && of.part != Part::Sound).then(|| ui.t(&format!("setup-try-{code}"))),
        sounds: if of.part == Part::Sound { sounds(frame) } else { Vec::new() },
    }
}

fn todo_key(of: &SetupPart) -> String {
    let code = of.part.code();
    match of.standing {
        Standing::Fails => format!("setup-fails-{code}"),
        Standing::Absent => format!("setup-absent-{code}"),
        _ => format!("setup-how-{code}"),
    }
}

fn doing_text(doing: &SetupDoing, ui: &Ui) -> String {
    match doing {
        SetupDoing::Slip { hindered: Some(hindrance) } => {
            ui.t1("setup-doing-hindered", "why", ui.t(&format!("printer-{hindrance}")))
        }
        SetupDoing::Slip { hindered: None } => ui.t("setup-doing-slip"),
        _ => ui.t("setup-doing-card"),
    }
}

fn met(tried: &Tried, ui: &Ui) -> String {
    let key = format!("setup-met-{}", tried.met);
    let mut parts = tried.detail.split('\t').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let text = match tried.met.as_str() {
        "read" => {
            let (source, medium) = (next(), ui.t(&format!("setup-medium-{}", next())));
            let tail = next();
            let tail = if tail.is_empty() { String::new() } else { ui.t1("counter-card-tail", "tail", tail) };
            ui.t2(&key, ("source", source), ("what", [medium, tail].join(" ")))
        }
        "hindered" => {
            let why = Some(next()).filter(|code| !code.is_empty());
            let why =
                why.map_or_else(|| ui.t("setup-met-not_printed"), |code| ui.t(&format!("printer-{code}")));
            ui.t1(&key, "why", why)
        }
        "answered" | "silent" | "unread" => ui.t1(&key, "detail", next()),
        _ => ui.t(&key),
    };
    ui.t2("setup-met-at", ("time", ui.minute(tried.at)), ("what", text))
}

fn sounds(frame: &Frame) -> Vec<SoundButton> {
    let button = |(name, _, seen): (&str, Outcome, Seen)| {
        let look = look(seen);
        SoundButton {
            act: format!("sound:{name}"),
            title: frame.ui.t(&format!("counter-word-{}", look.key)),
            tones: super::face::tones(look.sound),
            voice: frame.sounds.clip(look.key).to_owned(),
            insists: look.insists,
        }
    };
    SOUNDS.map(button).into()
}

/// The page's address.
pub(super) fn routes() -> Router<Arc<Counter>> {
    Router::new().route("/setup", get(show).post(act))
}

async fn show(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Query(choice): Query<Choice>,
) -> Response {
    choose(&choice, "/setup").unwrap_or_else(|| page(&counter, &headers, StatusCode::OK, None))
}

fn page(counter: &Counter, headers: &HeaderMap, status: StatusCode, declined: Option<&Refused>) -> Response {
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(headers, &snapshot);
    let declined = declined.map(|refused| frame.ui.t(refused.key()));
    html(status, &SetupPage::new(&frame, &snapshot.view, declined))
}

/// `POST /setup`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetupInput {
    /// What to try, or what came of it.
    act: String,
}

async fn act(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Input(input): Input<SetupInput>,
) -> Response {
    let done = match order(&input.act, &counter).await {
        Ok(order) => counter.port.order(Order::Setup(order)).await.map_err(Refused::from),
        Err(refused) => Err(refused),
    };
    match done {
        Ok(_) if is_json(&headers) => counter.state_json(StatusCode::OK),
        Ok(_) => Redirect::to("/setup").into_response(),
        Err(refused) => {
            let status = match refused {
                Refused::Declined(Declined::Busy) => StatusCode::SERVICE_UNAVAILABLE,
                Refused::Declined(_) => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            page(&counter, &headers, status, Some(&refused))
        }
    }
}

async fn order(act: &str, counter: &Counter) -> Result<SetupOrder, Refused> {
    let (what, which) = act.split_once(':').unwrap_or((act, ""));
    let part = || Part::from_code(which).ok_or(Refused::Request);
    Ok(match what {
        "central" => SetupOrder::Contacted(contact(counter).await),
        "reader" => SetupOrder::Card,
        "display" => SetupOrder::Picture,
        "printer" => SetupOrder::Slip,
        "sound" => {
            let sound = SOUNDS.into_iter().find(|(name, ..)| *name == which);
            SetupOrder::Sound(sound.ok_or(Refused::Request)?.1)
        }
        "yes" => SetupOrder::Answer { part: part()?, worked: true },
        "no" => SetupOrder::Answer { part: part()?, worked: false },
        "stop" => SetupOrder::GiveUp,
        _ => return Err(Refused::Request),
    })
}

/// One exchange with the centre, now.
async fn contact(counter: &Counter) -> Result<u64, String> {
    let (reply, answer) = oneshot::channel();
    let busy = || "the terminal is already asking".to_owned();
    counter.contacts.try_send(Contacting { reply }).map_err(|_| busy())?;
    answer.await.map_err(|_| busy())?
}
