//! 数据 (F7): one list of all files that were brought and lists that were taken out, how each stands, who it was, and
//! where to begin the next one.
//!
//! A list is taken out by the rights of who asks, for a reason, and kept for seven days for that person alone. Out of
//! scope: what becomes of a file that was brought ([`super::data_import`]).

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::Sensitivity;
use hufu_shared::ids::{OperatorId, RunId};
use serde::Deserialize;

use super::Console;
use super::data_import::may_bring;
use super::data_words::Trouble;
use super::data_work::{self, Asked, opened, opened_json, sealed_json};
use super::failure::{Failure, go};
use super::pages::{PageQuery, cursor_down, next};
use super::signed::{Posted, SignedIn};
use super::ui::{Ui, number};
use super::verdict::REASON_CHARS_MAX;
use super::words::Language;
use crate::db::Tx;
use crate::export::What;
use crate::import::Kind;
use crate::rules::joining::roles::{Reads, Role};
use crate::store::exchange::{self, Direction, Part, Run, State as At};
use crate::store::{StoreError, staff};

/// Runs that a page of the list holds.
const RUNS_PAGE: i64 = 50;
/// The media type of a workbook.
const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A run as it is shown.
pub(super) struct RunShown {
    pub(super) link: String,
    pub(super) started: String,
    pub(super) way: String,
    pub(super) what: String,
    pub(super) name: String,
    pub(super) by: String,
    pub(super) rows: String,
    pub(super) state: String,
    pub(super) tone: &'static str,
    /// Why it was asked for, or why it failed.
    pub(super) said: String,
    /// Until when its file is kept; empty if it has none.
    pub(super) expires: String,
    /// Whether the file can be fetched by who looks.
    pub(super) can_fetch: bool,
}

/// The tone of a state.
pub(super) fn tone(state: At) -> &'static str {
    match state {
        At::Waiting | At::Checking | At::Checked | At::Running => "wait",
        At::Done => "ok",
        At::Failed | At::CutOff => "bad",
        At::Stopped => "",
    }
}

/// What a run is about, in words.
pub(super) fn what_words(ui: &Ui, run: &Run) -> String {
    match run.direction {
        Direction::Import => ui.t(&format!("data-kind-{}", run.what)),
        Direction::Export => ui.t(&format!("export-{}", run.what)),
    }
}

/// Why a run failed, in the language of who looks; empty if it did not.
pub(super) fn error_words<'r>(ui: &Ui, run: &'r Run) -> &'r str {
    let [zh, en] = &run.error;
    if ui.language == Language::Zh { zh } else { en }
}

/// A run with who it was of, and whether its file is there.
type Listed = (Run, Option<String>, bool);

fn load(tx: &mut Tx<'_>, run: Run) -> Result<Listed, StoreError> {
    let who = staff::by_id(tx, run.staff)?.map(|person| person.name);
    let has_file = exchange::has_part(tx, run.id, Part::Result)?;
    Ok((run, who, has_file))
}

/// A run as it is shown to somebody.
pub(super) async fn shown(
    console: &Console,
    ui: &Ui,
    (run, who, has_file): &Listed,
    viewer: OperatorId,
) -> Result<RunShown, Failure> {
    let state = run.standing(ui.now);
    let error = error_words(ui, run);
    let said = match (error, run.direction) {
        ("", Direction::Export) => {
            let asked: Option<Asked> = opened_json(console, run.id, Part::Asked).await?;
            asked.map(|asked| asked.reason).unwrap_or_default()
        }
        (error, _) => error.to_owned(),
    };
    let is_kept = *has_file && !run.is_over(ui.now);
    Ok(RunShown {
        link: format!("/data/runs/{}", run.id),
        started: ui.time(run.started),
        way: ui.t(&format!("data-way-{}", run.direction.code())),
        what: what_words(ui, run),
        name: run.name.clone(),
        by: who.clone().unwrap_or_default(),
        rows: number(i64::try_from(run.done).unwrap_or(i64::MAX)),
        state: ui.t(&format!("data-state-{}", state.code())),
        tone: tone(state),
        said,
        expires: if is_kept { ui.time(run.expires) } else { String::new() },
        can_fetch: is_kept && run.staff == viewer,
    })
}

/// A run with what is told beside it, if there is one.
pub(super) async fn one(console: &Console, id: RunId) -> Result<Listed, Failure> {
    let find = move |tx: &mut Tx<'_>| -> Result<Option<Listed>, StoreError> {
        exchange::run(tx, id)?.map(|run| load(tx, run)).transpose()
    };
    console.app.db.read(find).await?.ok_or(Failure::NotFound)
}

#[derive(Template)]
#[template(path = "data.html")]
struct DataPage {
    ui: Ui,
    /// Kinds of files that can be brought: code and words; none for who may not.
    kinds: Vec<(&'static str, String)>,
    /// Lists that can be taken out.
    lists: Vec<(&'static str, String)>,
    /// Whether the person's role may read personal data as it is.
    may_clear: bool,
    runs: Vec<RunShown>,
    next: String,
    error: String,
    reason: String,
}

/// The page.
pub async fn page(
    State(console): State<Console>,
    Query(query): Query<PageQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let role = by.session.account.role;
    show(&console, (by.ui, by.session.staff, role), query.cursor.as_deref(), ("", "")).await
}

/// The list, with what stands against what was asked, and the reason that was typed.
pub(super) async fn show(
    console: &Console,
    (ui, viewer, role): (Ui, OperatorId, Role),
    after: Option<&str>,
    (error, reason): (&str, &str),
) -> Result<Response, Failure> {
    let (at, id) = cursor_down(after).ok_or(Failure::NotFound)?;
    let ui = ui.at("data");
    let find = move |tx: &mut Tx<'_>| -> Result<Vec<Listed>, StoreError> {
        let found = exchange::runs(tx, (at, RunId(id)), RUNS_PAGE)?;
        found.into_iter().map(|run| load(tx, run)).collect()
    };
    let found = console.app.db.read(find).await?;
    let last = found.last().map(|(run, ..)| run);
    let more = last.and_then(|run| next((found.len(), RUNS_PAGE), run.started, &run.id.0));
    let mut runs = Vec::with_capacity(found.len());
    for listed in &found {
        runs.push(shown(console, &ui, listed, viewer).await?);
    }
    let kinds = Kind::ALL.into_iter().filter(|kind| may_bring(role, *kind));
    let page = DataPage {
        kinds: kinds.map(|kind| (kind.code(), ui.t(&format!("data-kind-{}", kind.code())))).collect(),
        lists: What::ALL.map(|what| (what.code(), ui.t(&format!("export-{}", what.code())))).to_vec(),
        may_clear: role.reads(Sensitivity::Personal) != Reads::No,
        runs,
        next: more.unwrap_or_default(),
        error: error.to_owned(),
        reason: reason.to_owned(),
        ui,
    };
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Html(page.render()?)).into_response())
}

/// Takes a list out, beside the request: what it holds follows from who asks.
pub async fn take_out(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let (fields, session) = (&posted.fields, &posted.by.session);
    let (ui, viewer, role) = (posted.by.ui.clone(), session.staff, session.account.role);
    let what = What::from_code(fields.get("what"));
    let reason: String = fields.get("reason").chars().take(REASON_CHARS_MAX).collect();
    let clear = fields.get("clear") == "1";
    let against = match what {
        None => Some("data-no-list"),
        Some(_) if reason.is_empty() => Some("reason-missing"),
        Some(_) if clear && role.reads(Sensitivity::Personal) == Reads::No => Some("data-not-allowed"),
        Some(_) => None,
    };
    let (Some(what), None) = (what, against) else {
        let error = against.map(|key| ui.t(key)).unwrap_or_default();
        return show(&console, (ui, viewer, role), None, (&error, &reason)).await;
    };
    let ending = if fields.get("ending") == "csv" { "csv" } else { "xlsx" };
    let asked = Asked {
        reason,
        clear,
        ending: ending.to_owned(),
        language: ui.language.tag().to_owned(),
        ..Asked::default()
    };
    let (now, name) = (console.app.now(), format!("{}.{ending}", what.code()));
    let id = RunId::new(now, console.app.ids.bytes()?);
    let run = Run::new(id, Direction::Export, (what.code(), &name), viewer, now);
    let parts = [sealed_json(&console, id, Part::Asked, &asked)?];
    let begun = run.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        exchange::forget_old(tx, now)?;
        exchange::begin(tx, &begun, &parts)
    };
    console.app.db.write(work).await?;
    data_work::go_on(&console, run, viewer, false);
    Ok(go(&format!("/data/runs/{id}")))
}

/// A file as a browser keeps it; its name is plain, for what people called theirs may be anything.
fn download(bytes: Vec<u8>, name: &str) -> Response {
    let media = if name.ends_with(".csv") { "text/csv; charset=utf-8" } else { WORKBOOK };
    let place = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let place = place.unwrap_or(HeaderValue::from_static("attachment"));
    let media = HeaderValue::from_static(media);
    ([(header::CONTENT_TYPE, media), (header::CONTENT_DISPOSITION, place)], bytes).into_response()
}

/// The file of a run: the list, or the rows that were brought with what is wrong with each. Only for who asked for it,
/// whose rights it was made by.
pub async fn file(
    State(console): State<Console>,
    Path(id): Path<RunId>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let (run, ..) = one(&console, id).await?;
    if run.staff != by.session.staff {
        return Err(Failure::Role);
    }
    if run.is_over(console.app.now()) {
        return Err(Failure::NotFound);
    }
    let asked: Asked = opened_json(&console, id, Part::Asked).await?.unwrap_or_default();
    let bytes = opened(&console, id, Part::Result).await?.ok_or(Failure::NotFound)?;
    let ending = if asked.ending == "csv" { "csv" } else { "xlsx" };
    let name = match run.direction {
        Direction::Import => format!("{}-report.{ending}", run.what),
        Direction::Export => format!("{}.{ending}", run.what),
    };
    Ok(download(bytes, &name))
}

/// In which form a template is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TemplateQuery {
    r#as: String,
}

/// An empty file of a kind, with its headers and a row of examples.
pub async fn template(
    State(console): State<Console>,
    Path(kind): Path<String>,
    Query(query): Query<TemplateQuery>,
    _by: SignedIn,
) -> Result<Response, Failure> {
    let kind = Kind::from_code(&kind).ok_or(Failure::NotFound)?;
    if query.r#as == "csv" {
        return Ok(download(kind.template().into_bytes(), &format!("{}.csv", kind.code())));
    }
    let id = RunId::new(console.app.now(), console.app.ids.bytes()?);
    let made = tokio::task::spawn_blocking(move || data_work::template(&console, id, kind)).await;
    match made.map_err(|error| Failure::fault(&error))? {
        Ok(bytes) => Ok(download(bytes, &format!("{}.xlsx", kind.code()))),
        Err(Trouble::Failure(failure)) => Err(failure),
        Err(trouble) => {
            let [_, en] = trouble.told();
            tracing::error!(error = en, "a template could not be written");
            Err(Failure::Fault(String::new()))
        }
    }
}
