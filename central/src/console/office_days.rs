//! The list of offices' business days with how far each is signed, as a page and in `/api/v1`.

use std::collections::BTreeMap;

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::member::OfficeRow;
use hufu_shared::time::{Day, OfficeClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::problem::Refused;
use super::signed::SignedIn;
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::rules::office_day::{OfficeDayState, Signature, Standing};
use crate::store::office_days::{self as store, DayLine, ListAsked};
use crate::store::{StoreError, people, reconcile, staff};

/// Which days: of an office by code or id, in a state, from a day backwards.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    pub(super) office: Option<String>,
    pub(super) state: Option<String>,
    pub(super) cursor: Option<String>,
}

/// The office that a text names, by code or id.
pub(super) fn office_named(offices: &[OfficeRow], named: &str) -> Option<OfficeRow> {
    offices.iter().find(|row| row.code == named || row.office.to_string() == named).cloned()
}

/// Names of people as the journal knows them, for those that it names.
pub(super) fn people_named<'a>(
    tx: &mut Tx<'_>,
    all: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let mut names = BTreeMap::new();
    for by in all {
        if names.contains_key(by) {
            continue;
        }
        let known = staff::named(tx, by)?.into_iter().next();
        names.insert(by.to_owned(), known.unwrap_or_else(|| by.to_owned()));
    }
    Ok(names)
}

/// The badge of a state.
pub(super) fn tone(state: OfficeDayState) -> &'static str {
    match state {
        OfficeDayState::Running => "plain",
        OfficeDayState::Open | OfficeDayState::SignedOnce => "wait",
        OfficeDayState::Signed => "ok",
        OfficeDayState::Reopened => "bad",
    }
}

/// A state in words.
pub(super) fn state_words(ui: &Ui, state: OfficeDayState) -> String {
    ui.t(&format!("oday-state-{}", state.code().replace('_', "-")))
}

/// The signatures of a day, in their order.
pub(super) fn signatures(standing: &Standing) -> impl Iterator<Item = &Signature> {
    standing.first.iter().chain(&standing.second)
}

/// What was found.
struct Found {
    offices: Vec<OfficeRow>,
    lines: Vec<DayLine>,
    next: Option<Day>,
    names: BTreeMap<String, String>,
    /// Whether any terminal was ever enrolled.
    has_terminals: bool,
}

/// The days that are asked for; none where the office, the state or the day is none.
async fn find(console: &Console, query: &ListQuery) -> Result<Option<Found>, Failure> {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (named, now) = (said(&query.office), console.app.now());
    let Ok(state) = said(&query.state).map(|code| OfficeDayState::from_code(&code).ok_or(())).transpose()
    else {
        return Ok(None);
    };
    let Ok(last) = said(&query.cursor).map(|day| day.parse::<Day>()).transpose() else { return Ok(None) };
    let load = move |tx: &mut Tx<'_>| -> Result<Option<Found>, StoreError> {
        let offices = people::offices(tx)?;
        let office = match named.as_deref().map(|named| office_named(&offices, named)) {
            Some(None) => return Ok(None),
            found => found.flatten().map(|row| row.office),
        };
        let clock = offices.first().map_or_else(OfficeClock::default, |row| row.clock.clone());
        let last = last.unwrap_or_else(|| clock.business_day(now).plus(1));
        let (lines, next) = store::list(tx, ListAsked { office, state, last }, now)?;
        let signers = lines.iter().flat_map(|line| signatures(&line.standing)).map(|of| of.by.as_str());
        let names = people_named(tx, signers)?;
        let has_terminals = !reconcile::terminals(tx)?.is_empty();
        Ok(Some(Found { offices, lines, next, names, has_terminals }))
    };
    Ok(console.app.db.read(load).await?)
}

/// A signature as programs read it.
pub(super) fn signature_json(signature: Option<&Signature>) -> Value {
    signature
        .map_or(Value::Null, |of| json!({ "by": of.by, "at": of.at, "seen": of.seen, "figures": of.figures }))
}

/// Days of offices, the newest first.
pub async fn api(
    State(console): State<Console>,
    Query(query): Query<ListQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let found = find(&console, &query).await?.ok_or(Failure::NotFound)?;
    let line = |line: &DayLine| {
        json!({
            "office": line.office.office, "code": line.office.code, "day": line.day, "state": line.state,
            "facts": line.facts, "terminals": line.terminals, "open_cases": line.open_cases,
            "first": signature_json(line.standing.first.as_ref()),
            "second": signature_json(line.standing.second.as_ref()),
        })
    };
    Ok(Json(json!({ "days": found.lines.iter().map(line).collect::<Vec<_>>(), "next": found.next })))
}

struct LineShown {
    link: String,
    day: String,
    place: String,
    facts: String,
    terminals: String,
    open_cases: String,
    state: String,
    tone: &'static str,
    signed: String,
}

#[derive(Template)]
#[template(path = "office_days.html")]
struct ListPage {
    ui: Ui,
    /// Offices to choose from: id, words.
    offices: Vec<(String, String)>,
    office: String,
    /// States to choose from: code, words.
    states: Vec<(String, String)>,
    state: String,
    lines: Vec<LineShown>,
    /// Where earlier days are; empty where there are none.
    next: String,
    has_terminals: bool,
    is_filtered: bool,
}

/// The page.
pub(super) async fn show(console: &Console, ui: Ui, query: &ListQuery) -> Result<Response, Failure> {
    // Where the console is narrowed to an office, so is the list; an empty filter means all.
    let narrowed = || ui.office.as_ref().map(|office| office.id.to_string());
    let office = query.office.clone().or_else(narrowed);
    let query = &ListQuery { office, state: query.state.clone(), cursor: query.cursor.clone() };
    let found = find(console, query).await?.ok_or(Failure::NotFound)?;
    let (office, state) = (query.office.clone().unwrap_or_default(), query.state.clone().unwrap_or_default());
    let chosen = office_named(&found.offices, &office).map_or_else(String::new, |row| row.office.to_string());
    let count = |count: u64| number(i64::try_from(count).unwrap_or(i64::MAX));
    let place = |row: &OfficeRow| format!("{} {}", row.code, ui.pick(&row.name));
    let line = |line: &DayLine| {
        let zone = line.office.clock.tz().unwrap_or(ui.zone);
        let signed = signatures(&line.standing).map(|of| {
            let name = found.names.get(&of.by).unwrap_or(&of.by);
            format!("{name} {}", ui.time_in(of.at, zone))
        });
        LineShown {
            link: format!("/days/{}/{}", line.office.office, line.day),
            day: line.day.to_string(),
            place: place(&line.office),
            facts: count(line.facts),
            terminals: count(line.terminals),
            open_cases: count(line.open_cases),
            state: state_words(&ui, line.state),
            tone: tone(line.state),
            signed: signed.collect::<Vec<_>>().join(" · "),
        }
    };
    let page = ListPage {
        offices: found.offices.iter().map(|row| (row.office.to_string(), place(row))).collect(),
        states: OfficeDayState::ALL.map(|of| (of.code().to_owned(), state_words(&ui, of))).to_vec(),
        lines: found.lines.iter().map(line).collect(),
        next: found
            .next
            .map_or_else(String::new, |day| format!("/days?office={chosen}&state={state}&cursor={day}")),
        has_terminals: found.has_terminals,
        is_filtered: !office.is_empty() || !state.is_empty(),
        office: chosen,
        state,
        ui,
    };
    Ok(Html(page.render()?).into_response())
}
