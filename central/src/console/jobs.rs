//! 任务: named jobs with what waits for them, their runs with progress, and running one or counting what it would do; as a
//! page and in `/api/v1`.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::RunId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::{Failure, go};
use super::pages::{Order, rows_of};
use super::problem::Refused;
use super::signed::{Posted, SignedIn};
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::jobs;
use crate::rules::jobs::Job;
use crate::store::jobs::{self as runs, Began, Run};
use crate::store::{StoreError, staff};

/// Runs that a page of the list holds.
const RUNS_PAGE: i64 = 50;
/// Runs of all jobs that the page shows.
const RUNS_SHOWN: usize = 30;

fn run_json(run: &Run) -> Value {
    json!({
        "run": run.id, "job": run.job, "by": run.actor, "started": run.started, "seen": run.seen, "ended": run.ended,
        "done": run.done, "expected": run.expected, "left": run.left, "error": run.error,
    })
}

fn job_named(name: &str) -> Result<Job, Failure> {
    Job::from_code(name).ok_or(Failure::NotFound)
}

/// The newest runs of each job, at most `limit`.
async fn newest(console: &Console, limit: i64) -> Result<Vec<(Job, Vec<Run>)>, Failure> {
    let load = move |tx: &mut Tx<'_>| -> Result<Vec<(Job, Vec<Run>)>, StoreError> {
        Job::ALL.into_iter().map(|job| Ok((job, runs::runs(tx, job, runs::NEWEST, limit)?))).collect()
    };
    Ok(console.app.db.read(load).await?)
}

/// All jobs, whether the books have something for each, and its last run.
pub async fn list(State(console): State<Console>, _by: SignedIn) -> Result<Json<Value>, Refused> {
    let mut all = Vec::new();
    for (job, last) in newest(&console, 1).await? {
        let is_due = jobs::is_due(&console.app, job).await?;
        all.push(json!({
            "job": job.code(), "rules": job.rules(), "due": is_due, "last": last.first().map(run_json),
        }));
    }
    Ok(Json(json!({ "jobs": all })))
}

/// In which order runs are told, and where the page begins.
#[derive(Debug, Deserialize)]
pub struct RunsQuery {
    sort: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Runs of a job, newest first.
pub async fn of_job(
    State(console): State<Console>,
    Path(name): Path<String>,
    Query(query): Query<RunsQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let job = job_named(&name)?;
    let order = Order::of(query.sort.as_deref(), "-started");
    let (at, run) = order.place(&by.ui, query.cursor.as_deref())?;
    let (most, sort) = (rows_of(query.limit), order.name().to_owned());
    let load = move |tx: &mut Tx<'_>| runs::runs(tx, job, (&sort, at, RunId(run)), most);
    let found = console.app.db.read(load).await?;
    let next = found.last().and_then(|run| order.next((found.len(), most), run.started.0, &run.id.0));
    Ok(Json(json!({ "runs": found.iter().map(run_json).collect::<Vec<_>>(), "next": next })))
}

/// What a job would do now, with nothing done.
pub async fn dry_run(
    State(console): State<Console>,
    Path(name): Path<String>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let job = job_named(&name)?;
    Ok(Json(json!({ "job": job.code(), "would_do": jobs::dry_run(&console.app, job).await? })))
}

/// One run, with how far it is.
pub async fn one(
    State(console): State<Console>,
    Path(run): Path<RunId>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let found = console.app.db.read(move |tx| runs::run(tx, run)).await?.ok_or(Failure::NotFound)?;
    Ok(Json(run_json(&found)))
}

/// Begins a run, which goes on by itself; or says which one goes on already.
async fn start(console: &Console, job: Job, posted: &Posted) -> Result<(RunId, Began), Failure> {
    let (run, began) = jobs::begin(&console.app, job, &posted.by.actor()).await?;
    if began == Began::Now {
        let app = console.app.clone();
        // How it ended is written down with the run, whoever looks.
        tokio::spawn(async move {
            match jobs::go_on_counted(&app, job, run).await {
                Ok(done) => tracing::info!(job = job.code(), done, "job ran"),
                Err(error) => tracing::error!(job = job.code(), %error, "job failed"),
            }
        });
    }
    Ok((run, began))
}

/// Runs a job: answers the run at once, which then goes on. While another of the job goes on, that is the conflict.
pub async fn run(
    State(console): State<Console>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let job = job_named(&name)?;
    match start(&console, job, &posted).await? {
        (run, Began::Now) => {
            Ok((StatusCode::ACCEPTED, Json(json!({ "job": job.code(), "run": run }))).into_response())
        }
        (_, Began::Other(_)) => Err(Refused::conflict(&posted.by.ui, "job-goes-on")),
    }
}

struct JobShown {
    code: &'static str,
    name: String,
    what: String,
    rules: &'static str,
    /// What it would do; empty unless asked for.
    would: String,
    last: String,
    tone: &'static str,
    goes_on: bool,
}

struct RunShown {
    job: String,
    by: String,
    started: String,
    ended: String,
    done: String,
    left: String,
    state: String,
    tone: &'static str,
}

/// A run that goes on.
struct Going {
    name: String,
    /// How far it is, of how much; none where nobody counted.
    bar: Option<(u64, u64)>,
    words: String,
    since: String,
}

/// What of the page goes on by itself.
#[derive(Template)]
#[template(path = "parts/jobs_live.html")]
struct LivePart {
    ui: Ui,
    going: Vec<Going>,
    /// Whether it is asked for by the page that shows it: one that is told that all ended.
    asked: bool,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    ui: Ui,
    jobs: Vec<JobShown>,
    runs: Vec<RunShown>,
    counted: bool,
    going: Vec<Going>,
    asked: bool,
    error: String,
}

/// Whether to count what each job would do, and whether only what goes on is asked for.
#[derive(Debug, Default, Deserialize)]
pub struct PageQuery {
    count: Option<u8>,
    live: Option<u8>,
}

/// The page.
pub async fn page(
    State(console): State<Console>,
    Query(query): Query<PageQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("jobs");
    if query.live != Some(1) {
        return show(&console, ui, query.count == Some(1), "", StatusCode::OK).await;
    }
    let last = newest(&console, 1).await?;
    let going = last.iter().flat_map(|(_, runs)| runs).filter_map(|run| going(&ui, run)).collect();
    Ok(Html(LivePart { ui, going, asked: true }.render()?).into_response())
}

/// How far a run is that goes on.
fn going(ui: &Ui, run: &Run) -> Option<Going> {
    if run.ended.is_some() {
        return None;
    }
    let count = |count: u64| number(i64::try_from(count).unwrap_or(i64::MAX));
    // More may have come since it was counted.
    let bar = run.expected.map(|expected| (run.done, expected.max(run.done)));
    let words = match bar {
        Some((done, all)) => ui.t_of("run-progress", &[("done", count(done)), ("all", count(all))]),
        None => ui.t_of("run-so-far", &[("done", count(run.done))]),
    };
    Some(Going { name: words_of(ui, &run.job), bar, words, since: ui.ago(run.started) })
}

/// The button of the page.
pub async fn press(
    State(console): State<Console>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    match start(&console, job_named(&name)?, &posted).await? {
        (_, Began::Now) => Ok(go("/jobs")),
        (_, Began::Other(_)) => {
            let ui = posted.by.ui.clone().at("jobs");
            show(&console, ui, false, "job-goes-on", StatusCode::CONFLICT).await
        }
    }
}

fn words_of(ui: &Ui, job: &str) -> String {
    ui.t(&format!("job-{}", job.replace('_', "-")))
}

/// How a run stands, in words, and its tone.
fn state(ui: &Ui, run: &Run) -> (String, &'static str) {
    match (&run.error, run.ended) {
        (Some(error), _) if error == runs::CUT_OFF => (ui.t("run-cut-off"), "wait"),
        (Some(error), _) => (ui.t_with("run-failed", &[("error", error)]), "bad"),
        (None, None) => (ui.t("run-goes-on"), "wait"),
        (None, Some(_)) => (ui.t("run-done"), "ok"),
    }
}

async fn show(
    console: &Console,
    ui: Ui,
    counts: bool,
    error: &str,
    status: StatusCode,
) -> Result<Response, Failure> {
    let (mut shown, mut all) = (Vec::new(), Vec::new());
    for (job, newest) in newest(console, RUNS_PAGE).await? {
        let would = if counts { jobs::dry_run(&console.app, job).await?.to_string() } else { String::new() };
        let last = newest.first();
        shown.push(JobShown {
            code: job.code(),
            name: words_of(&ui, job.code()),
            what: ui.t(&format!("job-what-{}", job.code().replace('_', "-"))),
            rules: job.rules(),
            would,
            last: last.map_or_else(|| ui.t("job-never"), |run| ui.time(run.started)),
            tone: last.map_or("", |run| state(&ui, run).1),
            goes_on: last.is_some_and(|run| run.ended.is_none()),
        });
        all.extend(newest);
    }
    all.sort_by_key(|run| std::cmp::Reverse((run.started, run.id)));
    all.truncate(RUNS_SHOWN);
    let mut lines = Vec::with_capacity(all.len());
    for run in &all {
        lines.push(run_shown(console, &ui, run).await?);
    }
    let page = JobsPage {
        going: all.iter().filter_map(|run| going(&ui, run)).collect(),
        asked: false,
        jobs: shown,
        runs: lines,
        counted: counts,
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

async fn run_shown(console: &Console, ui: &Ui, run: &Run) -> Result<RunShown, Failure> {
    let actor = run.actor.clone();
    let known = console.app.db.read(move |tx| staff::named(tx, &actor)).await?;
    let by = match (ui.called(&known), run.actor.split_once('/')) {
        (Some(known), _) => known,
        (None, Some(("job", _))) => ui.t("run-by-clock"),
        (None, Some(("command", _))) => ui.t("run-by-command"),
        (None, _) => run.actor.clone(),
    };
    let (state, tone) = state(ui, run);
    let count = |count: u64| number(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(RunShown {
        job: words_of(ui, &run.job),
        by,
        started: ui.time(run.started),
        ended: run.ended.map_or_else(|| "—".to_owned(), |at| ui.time(at)),
        done: count(run.done),
        left: run.left.map_or_else(|| "—".to_owned(), count),
        state,
        tone,
    })
}
