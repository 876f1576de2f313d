//! 会员申请: applications to join and requests to change data that nobody disagrees with; a person deals with each.
//!
//! What a form says is sealed and is shown masked. Forms that disagree or look like somebody are cases, and the list
//! leads there. Dealing with a form writes the member's data and the act in one transaction.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::form::FormContent;
use hufu_shared::ids::{FactId, MemberId, OfficeId};
use hufu_shared::member::OfficeRow;
use hufu_shared::seal::OpenKey;

use super::Console;
use super::cases::fact_text;
use super::failure::{Failure, go};
use super::first_card::FirstCard;
use super::forms::{field_words, shown};
use super::members::{found_by, masked_name};
use super::place::{self, End, Shell, Wanted};
use super::signed::{Posted, SignedIn};
use super::ui::Ui;
use super::verdict::note;
use crate::db::Tx;
use crate::random;
use crate::store::people::{self, PeopleError};
use crate::store::requests::{self, Asks, Origin, State as Waits, Waiting};
use crate::store::{journal, lookalikes, points};
use crate::vault::{Vault, mask};

/// Applications that the list shows.
const APPLICATIONS_MAX: i64 = 100;
/// Members that a search offers.
const FOUND_MAX: usize = 10;

struct Row {
    link: String,
    verb: String,
    kind: String,
    who: String,
    asks: String,
    place: String,
    received: String,
    age: String,
    state: String,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "requests.html")]
struct RequestsPage {
    ui: Ui,
    rows: Vec<Row>,
    done: String,
    more: String,
    /// That changes of points wait too; they have a page of their own.
    points: String,
}

/// One line of what is asked for: label, as it is on file, as it is asked for.
pub(super) struct Asked {
    pub(super) label: String,
    stored: String,
    pub(super) value: String,
}

/// A member who may be the applicant.
struct Found {
    id: String,
    title: String,
}

#[derive(Template)]
#[template(path = "request.html")]
struct RequestPage {
    ui: Ui,
    id: String,
    kind: String,
    who: String,
    member_link: String,
    place: String,
    received: String,
    age: String,
    asked: Vec<Asked>,
    joins: bool,
    ready: bool,
    /// Its time is up: it can be completed, and not turned down.
    lapsed: bool,
    state: String,
    find: String,
    searched: bool,
    found: Vec<Found>,
    reason: String,
    error: String,
}

/// The fact that a page names.
pub fn fact_of(text: &str) -> Option<FactId> {
    let mut parts = text.rsplitn(3, '.');
    let (seq, epoch, device) = (parts.next()?, parts.next()?, parts.next()?);
    Some(FactId { device: device.parse().ok()?, epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
}

fn content(tx: &mut Tx<'_>, key: &OpenKey, id: FactId) -> Result<Option<FormContent>, PeopleError> {
    Ok(lookalikes::content(tx, key, id)?.and_then(Result::ok))
}

/// Who asks: the member's name, or the one in the form; masked.
pub(super) fn who(
    tx: &mut Tx<'_>,
    (vault, key): (&Vault, &OpenKey),
    ui: &Ui,
    waiting: &Waiting,
) -> Result<String, PeopleError> {
    if let Asks::Change(member, _) = waiting.asks {
        return masked_name(tx, vault, member);
    }
    let content = content(tx, key, waiting.id)?;
    let name = content.as_ref().and_then(|content| content.get("name").map(mask::name));
    Ok(name.unwrap_or_else(|| ui.t("alike-unreadable")))
}

fn kind_key(asks: &Asks) -> &'static str {
    match asks {
        Asks::Join => "request-join",
        Asks::Change(..) => "request-change",
    }
}

/// How a form stands: key of the words, and the badge.
pub(super) fn state_of(waiting: &Waiting) -> (&'static str, &'static str) {
    match waiting.state {
        Waits::Ready => ("request-ready", "wait"),
        Waits::LookedUp => ("request-looked-up", "plain"),
        Waits::Case(_) => ("request-case", "bad"),
        Waits::UnknownCard => ("request-unknown-card", "plain"),
        Waits::Lapsed => ("request-lapsed", "plain"),
    }
}

/// Where a form came from.
pub(super) fn place_of(ui: &Ui, offices: &[OfficeRow], waiting: &Waiting) -> String {
    let name = |office: OfficeId| {
        let row = offices.iter().find(|row| row.office == office);
        row.map_or_else(|| "—".to_owned(), |row| ui.pick(&row.name))
    };
    match &waiting.origin {
        Origin::Terminal(office, device) => format!("{} · {device}", name(*office)),
        Origin::Centre(route, None) => ui.pick(route),
        Origin::Centre(route, Some(office)) => format!("{} · {}", ui.pick(route), name(*office)),
    }
}

/// The list.
pub async fn list(State(console): State<Console>, by: SignedIn) -> Result<Response, Failure> {
    let ui = by.ui.at("requests");
    let (vault, keys, own) = (console.app.vault.clone(), console.app.keys.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let (changes, is_cut) = requests::changes(tx)?;
        let mut waiting = requests::applications(tx, APPLICATIONS_MAX)?;
        waiting.extend(changes);
        waiting.sort_by_key(|waiting| (waiting.received, waiting.id));
        waiting.extend(requests::lapsed(tx, APPLICATIONS_MAX)?);
        let offices = people::offices(tx)?;
        let mut rows = Vec::with_capacity(waiting.len());
        for waiting in &waiting {
            let name = who(tx, (&vault, keys.open_key()), &own, waiting)?;
            rows.push(row(&own, &offices, waiting, name));
        }
        Ok((rows, is_cut, points::waiting(tx)?))
    };
    let (rows, is_cut, points) = console.app.db.read(load).await?;
    let scanned = requests::CHANGES_SCANNED_MAX.to_string();
    let done = match ui.path.split_once("?done=") {
        Some((_, what @ ("join" | "bind" | "reject" | "take" | "decline"))) => {
            ui.t(&format!("request-done-{what}"))
        }
        _ => String::new(),
    };
    let more = if is_cut { ui.t_with("requests-more", &[("n", &scanned)]) } else { String::new() };
    let points = match points {
        0 => String::new(),
        n => ui.t_with("requests-points", &[("n", &n.to_string())]),
    };
    Ok(Html(RequestsPage { rows, done, more, points, ui }.render()?).into_response())
}

fn row(ui: &Ui, offices: &[OfficeRow], waiting: &Waiting, who: String) -> Row {
    let fields = match &waiting.asks {
        Asks::Join => Vec::new(),
        Asks::Change(_, fields) => fields.iter().map(|field| field_words(ui, field)).collect(),
    };
    let (state, tone) = state_of(waiting);
    let (link, verb) = match waiting.state {
        Waits::Case(case) => (format!("/cases/{case}"), ui.t("case-open")),
        // Nobody can deal with it yet.
        Waits::LookedUp | Waits::UnknownCard => {
            (format!("/requests/{}", fact_text(waiting.id)), ui.t("request-view"))
        }
        Waits::Ready | Waits::Lapsed => {
            (format!("/requests/{}", fact_text(waiting.id)), ui.t("request-deal"))
        }
    };
    Row {
        link,
        verb,
        kind: ui.t(kind_key(&waiting.asks)),
        who,
        asks: if fields.is_empty() { "—".to_owned() } else { fields.join("、") },
        place: place_of(ui, offices, waiting),
        received: ui.time(waiting.received),
        age: ui.ago(waiting.received),
        state: ui.t(state),
        tone,
    }
}

/// What a person typed and found so far.
#[derive(Default)]
struct Typed {
    find: String,
    searched: bool,
    found: Vec<MemberId>,
    reason: String,
    error: String,
}

/// One form.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<String>,
    by: SignedIn,
) -> Result<Response, Failure> {
    show(&console, by.ui.at("requests"), &id, Typed::default(), StatusCode::OK).await
}

async fn show(
    console: &Console,
    ui: Ui,
    id: &str,
    typed: Typed,
    status: StatusCode,
) -> Result<Response, Failure> {
    let fact = fact_of(id).ok_or(Failure::NotFound)?;
    let (vault, keys, own) = (console.app.vault.clone(), console.app.keys.clone(), ui.clone());
    let found = typed.found.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let Some(waiting) = requests::one(tx, fact)? else { return Ok(None) };
        let with = (&vault, keys.open_key());
        let name = who(tx, with, &own, &waiting)?;
        let asked = asked(tx, with, &own, &waiting)?;
        let mut offered = Vec::new();
        for member in &found {
            let number = people::member(tx, *member)?.map(|row| row.number).unwrap_or_default();
            let title = format!("{} · {number}", masked_name(tx, &vault, Some(*member))?);
            offered.push(Found { id: member.to_string(), title });
        }
        Ok(Some((waiting, name, asked, offered, people::offices(tx)?)))
    };
    let loaded = console.app.db.read(load).await?;
    // Somebody else has dealt with it, or it never was: the list says what there is.
    let Some((waiting, who, asked, found, offices)) = loaded else { return Ok(go("/requests")) };
    let page = RequestPage {
        id: id.to_owned(),
        kind: ui.t(kind_key(&waiting.asks)),
        who,
        member_link: match waiting.asks {
            Asks::Change(Some(member), _) => format!("/members/{member}"),
            _ => String::new(),
        },
        place: place_of(&ui, &offices, &waiting),
        received: ui.time(waiting.received),
        age: ui.ago(waiting.received),
        asked,
        joins: waiting.asks == Asks::Join,
        ready: matches!(waiting.state, Waits::Ready | Waits::Lapsed),
        lapsed: waiting.state == Waits::Lapsed,
        state: ui.t(state_of(&waiting).0),
        find: typed.find,
        searched: typed.searched,
        found,
        reason: typed.reason,
        error: typed.error,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// What a form asks for, a line for each field.
pub(super) fn asked(
    tx: &mut Tx<'_>,
    (vault, key): (&Vault, &OpenKey),
    ui: &Ui,
    waiting: &Waiting,
) -> Result<Vec<Asked>, PeopleError> {
    let content = content(tx, key, waiting.id)?.unwrap_or_default();
    let (fields, stored): (Vec<String>, _) = match &waiting.asks {
        Asks::Join => {
            let written = content.fields.iter().filter(|field| !field.1.trim().is_empty());
            (written.map(|field| field.0.clone()).collect(), None)
        }
        Asks::Change(member, fields) => {
            let stored = member.map(|member| vault.reveal(tx, member)).transpose()?.flatten();
            (fields.clone(), stored)
        }
    };
    let line = |field: &String| Asked {
        label: field_words(ui, field),
        stored: stored
            .as_ref()
            .and_then(|personal| personal.field(field))
            .map_or_else(|| ui.t("field-none"), |value| shown(ui, field, &value)),
        value: content
            .get(field)
            .map_or_else(|| ui.t("alike-unreadable"), |value| shown(ui, field, value.trim())),
    };
    Ok(fields.iter().map(line).collect())
}

/// What a person does with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deal {
    /// The applicant becomes a new member.
    Join,
    /// The applicant is this member.
    Bind(MemberId),
    /// Nothing becomes of the application.
    Reject,
    /// The request is taken over.
    Take,
    /// The request is not.
    Decline,
}

/// Whether a form in a state can be dealt with so: one whose time is up can be completed only (G2).
fn can_be(deal: Deal, state: Waits) -> bool {
    match state {
        Waits::Ready => true,
        Waits::Lapsed => matches!(deal, Deal::Join | Deal::Bind(_)),
        Waits::LookedUp | Waits::Case(_) | Waits::UnknownCard => false,
    }
}

/// Deals with a form, or looks for a member.
pub async fn deal(
    State(console): State<Console>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone().at("requests");
    let fields = &posted.fields;
    let mut typed = Typed {
        find: fields.get("find").to_owned(),
        reason: fields.get("reason").to_owned(),
        ..Typed::default()
    };
    let deal = match (fields.get("deal"), fields.get("member").parse()) {
        ("find", _) => {
            let (vault, text) = (console.app.vault.clone(), typed.find.clone());
            let found = console.app.db.read(move |tx| found_by(tx, &vault, &text, FOUND_MAX)).await?;
            (typed.found, typed.searched) = (found, true);
            return show(&console, ui, &id, typed, StatusCode::OK).await;
        }
        ("join", _) => Ok(Deal::Join),
        ("bind", Ok(member)) => Ok(Deal::Bind(member)),
        ("bind", Err(_)) => Err("bind-choose"),
        ("reject", _) => Ok(Deal::Reject),
        ("take", _) => Ok(Deal::Take),
        ("decline", _) => Ok(Deal::Decline),
        _ => Err("verdict-none"),
    };
    let done = match deal {
        _ if typed.reason.is_empty() => Err("reason-missing"),
        Ok(deal) => dealt(&console, &posted, (&id, deal)).await?,
        Err(key) => Err(key),
    };
    match done {
        Ok(()) => Ok(go(&format!("/requests?done={}", fields.get("deal")))),
        Err(key) => {
            typed.error = ui.t(key);
            show(&console, ui, &id, typed, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// Writes what was decided, all in one transaction; or the key of what is wrong.
async fn dealt(
    console: &Console,
    posted: &Posted,
    (id, deal): (&str, Deal),
) -> Result<Result<(), &'static str>, Failure> {
    let fact = fact_of(id).ok_or(Failure::NotFound)?;
    let note = note(console, posted.fields.get("reason"))?;
    let (actor, staff, now) = (posted.by.actor(), posted.by.session.staff, console.app.now());
    let entries = (console.app.entry_id()?, console.app.entry_id()?);
    let (fresh, salt) = (MemberId::new(now, random::bytes()?), random::bytes()?);
    let (vault, keys) = (console.app.vault.clone(), console.app.keys.clone());
    let card = match FirstCard::typed(console, posted.fields.get("card")).await? {
        Ok(card) => card,
        Err(key) => return Ok(Err(key)),
    };
    let wanted = Wanted { number: posted.fields.get("number").to_owned(), card };
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let waiting = requests::one(tx, fact)?.filter(|waiting| can_be(deal, waiting.state));
        let Some(waiting) = waiting else { return Ok(Err("request-changed")) };
        let (vault, key) = (&vault, keys.open_key());
        let (entry, wanted) = (entries.0, &wanted);
        let shell = Shell { vault, key, actor: &actor, entry, fresh, salt, wanted, now };
        let done = match (deal, &waiting.asks) {
            (Deal::Join | Deal::Bind(_) | Deal::Reject, Asks::Join) => {
                let end = match deal {
                    Deal::Bind(member) => End::Bind(member),
                    Deal::Reject => End::Reject,
                    _ => End::Join,
                };
                place::alone(tx, &shell, (entries.1, fact), (end, note.commitment))?
            }
            (Deal::Take | Deal::Decline, Asks::Change(Some(member), fields)) => {
                let said = place::Said { member: *member, fields, taken_over: deal == Deal::Take };
                place::said(tx, &shell, (entries.1, fact), (&said, note.commitment))?
            }
            _ => Err("request-changed"),
        };
        if done.is_ok() {
            note.put(tx, Some(staff), now)?;
        }
        Ok(done)
    };
    Ok(console.app.write(work).await?)
}
