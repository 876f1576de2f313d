//! One holding of an activity 场次: who is invited, has a place or waits, who came through which gate, and its end with those
//! who did not come (K25, K26). Members and companions are counted apart. The rules are the API's.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::{MemberId, OccurrenceId};
use hufu_shared::member::{OccurrenceRow, OccurrenceState};
use hufu_shared::rules::activity::Coming;
use hufu_shared::time::Instant;

use super::Console;
use super::activities::end_it;
use super::activity_page::{apart, holding_tone, span};
use super::failure::{Failure, go};
use super::guests::step_it;
use super::members::masked_name;
use super::pages::{PAGE_ROWS, PageQuery, cursor, next};
use super::signed::{Posted, SignedIn};
use super::ui::Ui;
use crate::db::Tx;
use crate::store::activities::{self, ComingLine, GateHeads, Heads};
use crate::store::people::{self, PeopleError};
use crate::store::rows::occurrence_state_code;

/// Somebody on the list.
struct GuestRow {
    link: String,
    who: String,
    coming: String,
    tone: &'static str,
    companions: String,
    since: String,
    came: String,
}

/// What came through a gate.
struct GateRow {
    gate: String,
    heads: String,
}

#[derive(Template)]
#[template(path = "holding.html")]
struct HoldingPage {
    ui: Ui,
    link: String,
    activity: String,
    name: String,
    time: String,
    state: String,
    tone: &'static str,
    facts: Vec<(String, String)>,
    /// None on a page after the first: every check-in that admitted is read for them.
    gates: Option<Vec<GateRow>>,
    guests: Vec<GuestRow>,
    next: String,
    /// How many companions a member may bring, as the label of their field; empty for nobody.
    companions: String,
    /// Somebody can still be invited, sign up or cancel.
    is_open: bool,
    can_end: bool,
    /// What was typed as a number, to be kept after an error.
    number: String,
    error: String,
}

/// What the page reads.
struct Read {
    row: OccurrenceRow,
    heads: Heads,
    gates: Option<BTreeMap<Option<u16>, GateHeads>>,
    lines: Vec<(ComingLine, String)>,
}

fn guest(ui: &Ui, line: &ComingLine, name: &str) -> GuestRow {
    let coming = line.sign_up.coming;
    let is_in = line.attended.is_some();
    GuestRow {
        link: format!("/members/{}", line.member),
        who: format!("{name} · {}", line.number),
        coming: ui.t(&format!("coming-{}", coming.code())),
        tone: match coming {
            Coming::Placed => "ok",
            Coming::Waiting | Coming::Invited => "wait",
            Coming::Cancelled => "plain",
        },
        companions: line.sign_up.companions.to_string(),
        since: ui.time(line.sign_up.since),
        came: if is_in { apart(ui, 1, line.came.into()) } else { String::new() },
    }
}

fn facts(ui: &Ui, row: &OccurrenceRow, heads: &Heads) -> Vec<(String, String)> {
    let with = |coming| apart(ui, heads.count(coming), heads.announced(coming));
    let places = row.places.map_or_else(|| ui.t("activity-no-limit"), |places| places.to_string());
    let mut facts = vec![
        ("activity-places", places),
        ("coming-invited", heads.count(Coming::Invited).to_string()),
        ("coming-placed", with(Coming::Placed)),
        ("coming-waiting", with(Coming::Waiting)),
        ("coming-cancelled", heads.count(Coming::Cancelled).to_string()),
        ("activity-came", apart(ui, heads.attended.into(), heads.companions.into())),
    ];
    if row.state == OccurrenceState::Ended {
        facts.push(("activity-no-shows", heads.no_shows.to_string()));
    }
    facts.into_iter().map(|(key, value)| (ui.t(key), value)).collect()
}

/// One holding.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<OccurrenceId>,
    Query(query): Query<PageQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let from = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    show(&console, by.ui.at("activities"), (id, from), ("", "")).await
}

fn read(
    tx: &mut Tx<'_>,
    console: &Console,
    (id, (since, member)): (OccurrenceId, (Instant, [u8; 16])),
) -> Result<Option<Read>, PeopleError> {
    let Some(row) = people::occurrence(tx, id)? else { return Ok(None) };
    let heads = activities::heads(tx, row.activity)?.remove(&id).unwrap_or_default();
    let mut lines = Vec::new();
    for line in activities::list(tx, id, (since, MemberId(member)), PAGE_ROWS)? {
        let name = masked_name(tx, &console.app.vault, Some(line.member))?;
        lines.push((line, name));
    }
    let is_first = since == Instant(i64::MIN);
    let gates = is_first.then(|| activities::gates(tx, id)).transpose()?;
    Ok(Some(Read { row, heads, gates, lines }))
}

async fn show(
    console: &Console,
    ui: Ui,
    (id, from): (OccurrenceId, (Instant, [u8; 16])),
    (number, error): (&str, &str),
) -> Result<Response, Failure> {
    let of = console.clone();
    let found = console.app.db.read(move |tx| read(tx, &of, (id, from))).await?;
    let Read { row, heads, gates, lines } = found.ok_or(Failure::NotFound)?;
    let next =
        lines.last().and_then(|(line, _)| next((lines.len(), PAGE_ROWS), line.sign_up.since, &line.member.0));
    let gate = |(gate, heads): (&Option<u16>, &GateHeads)| GateRow {
        gate: gate.map_or_else(
            || ui.t("activity-gate-none"),
            |gate| ui.t_with("activity-gate", &[("n", &gate.to_string())]),
        ),
        heads: apart(&ui, heads.members, heads.companions),
    };
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = HoldingPage {
        link: format!("/occurrences/{id}"),
        activity: format!("/activities/{}", row.activity),
        name: ui.pick(&row.name),
        time: span(&ui, &row),
        state: ui.t(&format!("holding-state-{}", occurrence_state_code(row.state))),
        tone: holding_tone(row.state),
        facts: facts(&ui, &row, &heads),
        gates: gates.map(|gates| gates.iter().map(gate).collect()),
        guests: lines.iter().map(|(line, name)| guest(&ui, line, name)).collect(),
        next: next.map_or_else(String::new, |after| format!("/occurrences/{id}?cursor={after}")),
        companions: match row.companions_most() {
            0 => String::new(),
            most => ui.t_with("guest-companions-label", &[("n", &most.to_string())]),
        },
        is_open: row.state == OccurrenceState::Approved && ui.now < row.ends,
        can_end: row.state == OccurrenceState::Approved,
        number: number.to_owned(),
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui: ui.clone(),
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Invites somebody, signs them up or cancels; or ends the holding.
pub async fn act(
    State(console): State<Console>,
    Path(id): Path<OccurrenceId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let done = match posted.fields.get("step") {
        "end" => end_it(&console, &posted, id).await?,
        _ => step_it(&console, &posted, id).await?.map(drop),
    };
    match done {
        Ok(()) => Ok(go(&format!("/occurrences/{id}"))),
        Err("activity-none" | "guest-none") => Err(Failure::NotFound),
        Err(key) => {
            let (ui, number) = (posted.by.ui.clone().at("activities"), posted.fields.get("number"));
            show(&console, ui, (id, (Instant(i64::MIN), [0; 16])), (number, key)).await
        }
    }
}
