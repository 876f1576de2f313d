//! Bringing a file (F7), step by step: upload, what each header stands for, dry run, confirmation, progress, report.
//!
//! Whether all rows are taken or none, or the good ones only, is said before the dry run. Nothing is written before
//! somebody confirmed what a dry run of this very file told. Out of scope: how the rows are read and compared, which is
//! [`crate::import`]'s, the same as for the command.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::RunId;

use super::Console;
use super::data::{self, RunShown};
use super::data_words::sheet_words;
use super::data_work::{self, Asked, opened, opened_json, plain, reading, sealed, sealed_json};
use super::failure::{Failure, go};
use super::session;
use super::signed::{Fields, Posted, SignedIn};
use super::ui::{Ui, number};
use super::words::Language;
use crate::db::Tx;
use crate::import::grid::is_blank;
use crate::import::preview::{Preview, Wrong};
use crate::import::sheet::{self, SheetError};
use crate::import::{Column, Kind};
use crate::rules::joining::roles::Role;
use crate::store::StoreError;
use crate::store::exchange::{self, Direction, Part, Run, State as At};

/// Largest file that is taken.
pub const FILE_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Largest request that brings one: read so far, so that a file that is too large is refused with words.
pub const UPLOAD_BYTES_MAX: usize = FILE_BYTES_MAX + 2 * 1024 * 1024;
/// Characters of a file's name that are kept.
const NAME_CHARS_MAX: usize = 100;
/// Characters of any other field that are kept.
const FIELD_CHARS_MAX: usize = 500;
/// Roles that may bring files.
const ROLES: [Role; 2] = [Role::Admin, Role::Information];

/// Whether somebody of this role may bring files.
pub(super) fn may_import(role: Role) -> bool {
    ROLES.contains(&role)
}

/// Whether somebody of this role may bring files of a kind: opening balances give points and money.
pub(super) fn may_bring(role: Role, kind: Kind) -> bool {
    may_import(role) && (kind != Kind::Balances || role == Role::Admin)
}

/// A file with the fields sent beside it.
#[derive(Default)]
struct Upload {
    fields: Fields,
    name: String,
    bytes: Vec<u8>,
    is_large: bool,
}

/// Reads all parts; a file that is too large is read to its end, but not kept.
async fn read(mut form: Multipart) -> Result<Upload, MultipartError> {
    let mut upload = Upload::default();
    while let Some(mut field) = form.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        if name != "file" {
            let value: String = field.text().await?.chars().take(FIELD_CHARS_MAX).collect();
            upload.fields.set(&name, value);
            continue;
        }
        let called = field.file_name().unwrap_or_default();
        // Some browsers send the whole path.
        let called = called.rsplit(['/', '\\']).next().unwrap_or_default();
        upload.name = called.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
        while let Some(chunk) = field.chunk().await? {
            if upload.bytes.len() + chunk.len() > FILE_BYTES_MAX {
                upload.is_large = true;
                upload.bytes.clear();
            }
            if !upload.is_large {
                upload.bytes.extend_from_slice(&chunk);
            }
        }
    }
    Ok(upload)
}

/// The list again, with what stands against the file.
async fn refuse(console: &Console, by: &SignedIn, words: &str) -> Result<Response, Failure> {
    let viewer = (by.ui.clone(), by.session.staff, by.session.account.role);
    data::show(console, viewer, None, (words, "")).await
}

/// Takes a file as it is sent: it is looked at and kept, and nothing else.
pub async fn upload(
    State(console): State<Console>,
    by: SignedIn,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    if !may_import(by.session.account.role) {
        return Err(Failure::Role);
    }
    let (ui, staff) = (&by.ui, by.session.staff);
    let upload = match read(form.map_err(|_| Failure::Form)?).await {
        Ok(upload) => upload,
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refuse(&console, &by, &ui.t("data-file-large")).await;
        }
        Err(_) => return Err(Failure::Form),
    };
    if !session::is_form_of(&by.session, upload.fields.get("csrf")) {
        return Err(Failure::Form);
    }
    let Some(kind) = Kind::from_code(upload.fields.get("kind")) else { return Err(Failure::Form) };
    if !may_bring(by.session.account.role, kind) {
        return Err(Failure::Role);
    }
    let asked = Asked {
        sheet: upload.fields.get("sheet").to_owned(),
        ending: "xlsx".to_owned(),
        language: ui.language.tag().to_owned(),
        ..Asked::default()
    };
    let against = match (upload.is_large, upload.bytes.is_empty()) {
        (true, _) => Some(ui.t("data-file-large")),
        (false, true) => Some(ui.t("data-file-none")),
        (false, false) => {
            let looked = sheet::glance(kind, &upload.bytes, &plain(&asked));
            looked.err().map(|error| sheet_words(ui.language, &error))
        }
    };
    if let Some(words) = against {
        return refuse(&console, &by, &words).await;
    }
    let now = console.app.now();
    let id = RunId::new(now, console.app.ids.bytes()?);
    let run = Run::new(id, Direction::Import, (kind.code(), &upload.name), staff, now);
    let source = sealed(&console, id, Part::Source, &upload.bytes)?;
    let parts = [source, sealed_json(&console, id, Part::Asked, &asked)?];
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        exchange::forget_old(tx, now)?;
        exchange::begin(tx, &run, &parts)
    };
    console.app.db.write(work).await?;
    Ok(go(&format!("/data/runs/{id}")))
}

/// A header of the file, and what it may stand for.
struct HeaderShown {
    /// The name of its field.
    field: String,
    header: String,
    options: Vec<OptionShown>,
}

/// A column that a header may stand for.
struct OptionShown {
    value: &'static str,
    label: String,
    chosen: bool,
}

/// Rows of one kind of change that a dry run found.
struct SampleShown {
    title: String,
    count: String,
    rows: Vec<(u64, Vec<String>)>,
}

/// What a dry run told.
struct Told {
    summary: Vec<(String, String)>,
    columns: Vec<String>,
    samples: Vec<SampleShown>,
    wrong: Vec<(u64, String)>,
    /// What a press on the button would write; empty if nothing can be.
    confirm: String,
    /// Why there is no button.
    why_not: String,
}

#[derive(Template)]
#[template(path = "data_run.html")]
struct RunPage {
    ui: Ui,
    run: RunShown,
    is_import: bool,
    goes_on: bool,
    can_stop: bool,
    /// Rows written, and to be written.
    progress: Option<(u64, u64)>,
    progress_words: String,
    headers: Vec<HeaderShown>,
    wants_batch: bool,
    asked: Asked,
    told: Option<Told>,
    error: String,
}

fn column_words(ui: &Ui, column: &Column) -> String {
    let name = if ui.language == Language::Zh { column.zh } else { column.name };
    if column.required { ui.t_with("data-column-required", &[("name", name)]) } else { name.to_owned() }
}

/// What each header stands for: as was said, else by its name.
fn headers(ui: &Ui, kind: Kind, head: &[String], asked: &Asked) -> Vec<HeaderShown> {
    let mut shown = Vec::with_capacity(head.len());
    for (at, header) in head.iter().enumerate() {
        let header = header.trim_matches(is_blank);
        let by_name = kind.column(header).map_or("", |column| column.name);
        let said = asked.columns.get(at).map_or(by_name, String::as_str);
        let none = OptionShown { value: "", label: ui.t("data-leave-out"), chosen: said.is_empty() };
        let columns = kind.columns().iter().map(|column| OptionShown {
            value: column.name,
            label: column_words(ui, column),
            chosen: column.name == said,
        });
        let options = [none].into_iter().chain(columns).collect();
        shown.push(HeaderShown { field: format!("column-{at}"), header: header.to_owned(), options });
    }
    shown
}

fn told(ui: &Ui, kind: Kind, preview: &Preview, asked: &Asked) -> Told {
    let count = |n: usize| number(i64::try_from(n).unwrap_or(i64::MAX));
    let [new, changed, unchanged, rejected] = preview.counts;
    let mut summary: Vec<(String, String)> = [
        ("data-rows", preview.rows),
        ("data-new", new),
        ("data-changed", changed),
        ("data-unchanged", unchanged),
        ("data-rejected", rejected),
        ("data-alike", preview.alike),
    ]
    .map(|(key, n)| (ui.t(key), count(n)))
    .to_vec();
    summary.push((ui.t("data-read-as"), preview.read_as.clone()));
    summary.extend(
        preview
            .sums
            .iter()
            .map(|(unit, sum)| (ui.t(&format!("data-sum-{}", unit.to_lowercase())), sum.clone())),
    );
    let titles = ["data-new", "data-changed", "data-unchanged"];
    let samples = titles
        .into_iter()
        .zip(preview.counts)
        .zip(&preview.samples.rows)
        .map(|((key, n), rows)| SampleShown { title: ui.t(key), count: count(n), rows: rows.clone() });
    let named =
        |name: &String| kind.column(name).map_or_else(|| name.clone(), |column| column_words(ui, column));
    let is_whole = rejected == 0 || asked.partial;
    let can = is_whole && preview.writes() > 0;
    let why_not = match (is_whole, can) {
        (false, _) => ui.t_of("data-all-or-none", &[("n", count(rejected))]),
        (true, false) => ui.t("data-nothing-to-do"),
        (true, true) => String::new(),
    };
    let wrong = |cell: &Wrong| {
        let words = if ui.language == Language::Zh { &cell.zh } else { &cell.en };
        (cell.row, words.clone())
    };
    let press = || ui.t_of("data-confirm", &[("n", count(preview.writes()))]);
    let confirm = if can { press() } else { String::new() };
    Told {
        summary,
        columns: preview.samples.columns.iter().map(named).collect(),
        samples: samples.filter(|sample| !sample.rows.is_empty()).collect(),
        wrong: preview.wrong.iter().map(wrong).collect(),
        confirm,
        why_not,
    }
}

/// One run: what is to be said of it, what it would do, how far it is, or how it ended.
pub async fn page(
    State(console): State<Console>,
    Path(id): Path<RunId>,
    by: SignedIn,
) -> Result<Response, Failure> {
    show(&console, &by, id, None).await
}

async fn show(
    console: &Console,
    by: &SignedIn,
    id: RunId,
    typed: Option<(Asked, String)>,
) -> Result<Response, Failure> {
    let ui = by.ui.clone().at("data");
    let listed = data::one(console, id).await?;
    let run = &listed.0;
    let shown = data::shown(console, &ui, &listed, by.session.staff).await?;
    let (state, kind) = (run.standing(ui.now), Kind::from_code(&run.what));
    let may = kind.is_some_and(|kind| may_bring(by.session.account.role, kind));
    let status = if typed.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (asked, error) = match typed {
        Some(typed) => typed,
        None => {
            let kept: Option<Asked> = opened_json(console, id, Part::Asked).await?;
            (kept.unwrap_or_default(), data::error_words(&ui, run).to_owned())
        }
    };
    let mut headers_shown = Vec::new();
    if let (At::Waiting | At::Checked, Some(kind), true) = (state, kind, may)
        && let Some(source) = opened(console, id, Part::Source).await?
        && let Ok(looked) = sheet::glance(kind, &source, &plain(&asked))
    {
        headers_shown = headers(&ui, kind, &looked.head, &asked);
    }
    let preview: Option<Preview> = match state {
        At::Checked | At::Done if run.direction == Direction::Import => {
            opened_json(console, id, Part::Preview).await?
        }
        _ => None,
    };
    let mut told = preview.zip(kind).map(|(preview, kind)| told(&ui, kind, &preview, &asked));
    if let Some(told) = told.as_mut().filter(|_| state != At::Checked || !may) {
        told.confirm.clear();
        told.why_not.clear();
    }
    let progress = (state == At::Running && run.total > 0).then(|| (run.done.min(run.total), run.total));
    let page = RunPage {
        is_import: run.direction == Direction::Import,
        goes_on: state.goes_on(),
        can_stop: state == At::Running && run.direction == Direction::Import && may,
        progress_words: progress.map_or_else(String::new, |(done, total)| {
            ui.t_of("data-progress", &[("n", shown_count(done)), ("of", shown_count(total))])
        }),
        progress,
        headers: headers_shown,
        wants_batch: matches!(kind, Some(Kind::Balances | Kind::History)),
        run: shown,
        asked,
        told,
        error,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

fn shown_count(n: u64) -> String {
    number(i64::try_from(n).unwrap_or(i64::MAX))
}

/// What was said of the headers and of how the rows are taken.
fn asked_of(fields: &Fields, before: Asked, columns: usize) -> Asked {
    Asked {
        columns: (0..columns).map(|at| fields.get(&format!("column-{at}")).to_owned()).collect(),
        partial: fields.get("partial") == "1",
        force: fields.get("force") == "1",
        batch: fields.get("batch").to_owned(),
        cause: fields.get("cause").to_owned(),
        ..before
    }
}

/// What stands against a mapping before the rows are looked at, in words.
fn check_mapping(ui: &Ui, kind: Kind, head: &[String], asked: &Asked) -> Result<(), String> {
    let words = |error: &SheetError| sheet_words(ui.language, error);
    let mut seen = BTreeSet::new();
    for name in asked.columns.iter().filter(|name| !name.is_empty()) {
        let column = kind.column(name).ok_or_else(|| ui.t("data-column-unknown"))?;
        if !seen.insert(column.name) {
            return Err(ui.t_of("data-column-twice", &[("name", column_words(ui, column))]));
        }
    }
    let missing = kind.columns().iter().find(|column| column.required && !seen.contains(column.name));
    if let Some(column) = missing {
        return Err(words(&SheetError::Missing { name: column.name, zh: column.zh }));
    }
    reading(kind, head, asked).map(|_| ()).map_err(|error| words(&error))
}

/// The next step of a run: `check` tries it, `run` does what the dry run told, `stop` ends it before the next rows.
pub async fn act(
    State(console): State<Console>,
    Path(id): Path<RunId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled_as(&ROLES)?;
    let (run, ..) = data::one(&console, id).await?;
    if run.direction != Direction::Import || run.is_over(console.app.now()) {
        return Err(Failure::NotFound);
    }
    let role = posted.by.session.account.role;
    if !Kind::from_code(&run.what).is_some_and(|kind| may_bring(role, kind)) {
        return Err(Failure::Role);
    }
    match posted.fields.get("step") {
        "check" => return check(&console, &posted, run).await,
        "run" => {
            let now = console.app.now();
            let turned = move |tx: &mut Tx<'_>| exchange::turn(tx, id, (At::Checked, At::Running), now);
            if console.app.db.write(turned).await? {
                data_work::go_on(&console, run, posted.by.session.staff, false);
            }
        }
        "stop" => console.app.db.write(move |tx| exchange::stop(tx, id)).await?,
        _ => return Err(Failure::Form),
    }
    Ok(go(&format!("/data/runs/{id}")))
}

async fn check(console: &Console, posted: &Posted, run: Run) -> Result<Response, Failure> {
    let (id, ui) = (run.id, &posted.by.ui);
    let kind = Kind::from_code(&run.what).ok_or(Failure::NotFound)?;
    let before: Asked = opened_json(console, id, Part::Asked).await?.unwrap_or_default();
    let source = opened(console, id, Part::Source).await?.ok_or(Failure::NotFound)?;
    let looked = sheet::glance(kind, &source, &plain(&before)).map_err(|error| Failure::fault(&error))?;
    let asked = asked_of(&posted.fields, before, looked.head.len());
    if let Err(words) = check_mapping(ui, kind, &looked.head, &asked) {
        return show(console, &posted.by, id, Some((asked, words))).await;
    }
    let (_, kept) = sealed_json(console, id, Part::Asked, &asked)?;
    let now = console.app.now();
    let work = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
        let turned = exchange::turn(tx, id, (At::Waiting, At::Checking), now)?
            || exchange::turn(tx, id, (At::Checked, At::Checking), now)?;
        if turned {
            exchange::put_part(tx, id, Part::Asked, &kept)?;
        }
        Ok(turned)
    };
    if console.app.db.write(work).await? {
        data_work::go_on(console, run, posted.by.session.staff, true);
    }
    Ok(go(&format!("/data/runs/{id}")))
}
