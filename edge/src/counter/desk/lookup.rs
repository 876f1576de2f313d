//! `/lookup`: finding a member who has no card at hand (rule X12).
//!
//! While the centre is reached it is asked, by name, mobile, its last digits or member number; offline the terminal looks
//! through the list that the centre prepared for it, by name, and the page says that it knows no others. Whoever is picked
//! stands on the counter page to be compared before anything is done (rule H2).
//! Invariants: what was typed comes back to this browser only; nothing found is kept here.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use hufu_shared::wire::lookup::{FoundMember, LOOKUP_CHARS, LookupAnswer};
use tokio::sync::oneshot;

use super::super::forms::Refused;
use super::super::pages::Frame;
use super::super::port::{Declined, Order, Snapshot};
use super::super::routes::{Choice, Counter, Typed, choose, html};
use super::super::words::Ui;
use super::forms::{Input, given};
use super::routes::style;
use super::{DeskOrder, Done, FoundHere, Sought};
use crate::state::Finding;

/// A member who may be meant.
#[derive(Debug, Clone)]
pub struct FoundLine {
    /// What the form sends; none for a member without a card.
    pub card: Option<String>,
    /// Name, masked.
    pub name: String,
    /// Level, mobile and card, as far as they are known.
    pub marks: Vec<String>,
    /// What is in the way of the card.
    pub trouble: Option<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "desk/lookup.html")]
pub struct LookupPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the desk pages' style sheet.
    pub style: &'a str,
    /// What was typed.
    pub text: String,
    /// What is wrong with it.
    pub wrong: Option<String>,
    /// That only the own list is known, and why.
    pub offline: Option<String>,
    /// Who may be meant; none before anything was looked for.
    pub found: Option<Vec<FoundLine>>,
    /// What to do where there is nobody, or too many.
    pub next: Option<String>,
}

/// What came of looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// The centre answered.
    Centre(LookupAnswer),
    /// Only this terminal's list could be looked through; `silent` if the centre was asked and gave no answer.
    Here {
        /// Who is in it.
        found: FoundHere,
        /// Whether the centre was asked in vain.
        silent: bool,
    },
}

impl<'a> LookupPage<'a> {
    /// The page before anything was looked for.
    #[must_use]
    pub fn new(frame: &'a Frame, online: bool) -> Self {
        Self {
            frame,
            style: style(),
            text: String::new(),
            wrong: None,
            offline: (!online).then(|| frame.ui.t("desk-lookup-offline")),
            found: None,
            next: None,
        }
    }

    /// The page with what was found.
    #[must_use]
    pub fn found(frame: &'a Frame, text: &str, looked: &Looked) -> Self {
        let ui = &frame.ui;
        let mut page = Self { text: text.to_owned(), ..Self::new(frame, true) };
        let (found, more) = match looked {
            Looked::Centre(answer) if answer.too_often => {
                return Self { wrong: Some(ui.t("desk-lookup-too-often")), ..page };
            }
            Looked::Centre(answer) => (&answer.found, answer.more),
            Looked::Here { found, silent } => {
                let key = if *silent { "desk-lookup-silent" } else { "desk-lookup-offline-list" };
                page.offline = Some(ui.t1(key, "n", found.listed));
                (&found.found, found.more)
            }
        };
        page.next = match (found.is_empty(), more) {
            (_, true) => Some(ui.t("desk-lookup-more")),
            (true, false) => Some(ui.t("desk-lookup-nobody")),
            (false, false) => None,
        };
        page.found = Some(found.iter().map(|member| line(member, ui)).collect());
        page
    }
}

fn line(member: &FoundMember, ui: &Ui) -> FoundLine {
    let card = member.card.as_ref();
    let tail = card.map(|card| &card.tail).filter(|tail| !tail.is_empty());
    let marks = [
        member.level.as_ref().map(|level| ui.words(level).to_owned()),
        member.mobile.clone(),
        tail.map(|tail| ui.t1("counter-card-tail", "tail", tail)),
    ];
    let trouble = match card {
        None => Some(ui.t("desk-lookup-no-card")),
        Some(card) if card.status.is_blocked() => Some(ui.t(&format!("desk-card-{}", card.status.code()))),
        Some(_) => None,
    };
    FoundLine {
        card: card.map(|card| card.card.to_string()),
        name: member.name.clone().unwrap_or_else(|| ui.t("counter-person-secret")),
        marks: marks.into_iter().flatten().collect(),
        trouble,
    }
}

/// `GET /lookup`.
pub(super) async fn show(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Query(choice): Query<Choice>,
) -> Response {
    if let Some(answer) = choose(&choice, "/lookup") {
        return answer;
    }
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(&headers, &snapshot);
    html(StatusCode::OK, &LookupPage::new(&frame, snapshot.view.link.online))
}

/// `POST /lookup`.
pub(super) async fn find(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Form(input): Form<Input>,
) -> Response {
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(&headers, &snapshot);
    let text = given(&input, "text").unwrap_or_default();
    if !LOOKUP_CHARS.contains(&text.chars().count()) {
        let blank = LookupPage::new(&frame, snapshot.view.link.online);
        let page =
            LookupPage { text: text.to_owned(), wrong: Some(frame.ui.t("desk-lookup-short")), ..blank };
        return html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match look(&counter, &snapshot, text).await {
        Ok(looked) => html(StatusCode::OK, &LookupPage::found(&frame, text, &looked)),
        Err(declined) => {
            let wrong = Some(frame.ui.t(Refused::from(declined).key()));
            let page = LookupPage { text: text.to_owned(), wrong, ..LookupPage::new(&frame, true) };
            html(StatusCode::SERVICE_UNAVAILABLE, &page)
        }
    }
}

async fn look(counter: &Counter, snapshot: &Snapshot, text: &str) -> Result<Looked, Declined> {
    // The centre writes down who was looked for: what is practised must leave nothing there.
    let online = snapshot.view.link.online && !snapshot.view.practice;
    if online && let Some(answer) = ask(counter, text).await {
        return Ok(Looked::Centre(answer));
    }
    match counter.port.order(Order::Desk(DeskOrder::Search(Sought(text.to_owned())))).await? {
        Done::Found(found) => Ok(Looked::Here { found, silent: online }),
        _ => Err(Declined::Unable),
    }
}

async fn ask(counter: &Counter, text: &str) -> Option<LookupAnswer> {
    let (reply, answer) = oneshot::channel();
    counter.finds.try_send(Finding::Member { text: text.to_owned(), reply }).ok()?;
    answer.await.ok().flatten()
}

/// `POST /lookup/pick`.
pub(super) async fn pick(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Form(input): Form<Input>,
) -> Response {
    let card = given(&input, "card").and_then(|card| card.parse().ok()).ok_or(Refused::Request);
    counter.act(&headers, card.map(|card| Order::Desk(DeskOrder::Pick(card))), Typed::default()).await
}
