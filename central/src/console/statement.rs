//! A member's statement: every change of what the member has with its cause, the number of the rule and the version of the
//! scheme; as JSON by pages, and in plain sentences for printing.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::dictionary::{CAUSE, Term};
use hufu_shared::ids::MemberId;
use hufu_shared::money::Unit;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::events::kind_words;
use super::failure::Failure;
use super::leases::amount;
use super::members::{PastShown, masked_name, past_shown};
use super::pages::{is_full, rows_of};
use super::problem::Refused;
use super::signed::SignedIn;
use super::ui::Ui;
use super::words::{self, Language};
use crate::db::Tx;
use crate::store::people::{self, PeopleError};
use crate::store::statement::{self, Line, Place};
use crate::store::{brought, joining};

/// Lines that one printed page holds.
const PRINTED_MAX: i64 = 500;
/// Lines of the system before that a statement shows.
const PAST_MAX: i64 = 500;

/// Which unit, and where the page begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StatementQuery {
    unit: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

impl StatementQuery {
    /// Points unless something else is asked for.
    fn unit(&self) -> Option<Unit> {
        self.unit.as_deref().map_or(Some(Unit::Pts), Unit::from_code)
    }

    /// Where the page begins.
    fn place(&self) -> Option<Place> {
        self.cursor.as_deref().map_or(Some(Place::FIRST), Place::parse)
    }
}

/// Where the next page begins, if there may be one.
fn next(lines: &[Line], most: i64) -> Option<Place> {
    lines.last().filter(|_| is_full(lines.len(), most)).map(Line::place)
}

/// What people call a cause: the club's word, else that of the kind of an event.
pub(super) fn cause_words(language: Language, causes: &[Term], code: &str) -> String {
    let term = causes.iter().find(|term| term.code == code);
    term.map_or_else(|| kind_words(language, code), |term| language.pick(&term.words).to_owned())
}

/// Why a line is there, in words.
pub(crate) fn why(language: Language, unit: Unit, causes: &[Term], line: &Line) -> String {
    let named = |key: &str, name: &str| words::text_with(language, key, &[("name", name)]);
    let cause = line.cause.as_ref().map(|code| cause_words(language, causes, code));
    match (cause, &line.activity, &line.plan, &line.batch) {
        (Some(cause), ..) => words::text_with(language, "why-cause", &[("cause", cause.as_str())]),
        (_, Some(activity), ..) => named("why-activity", language.pick(activity)),
        (_, _, Some(plan), _) => named("why-plan", language.pick(plan)),
        (.., Some(batch)) => named("why-opening", batch),
        _ if line.other.is_some() => why_other(language, line),
        _ => words::posting(language, Some(unit), &line.code),
    }
}

/// Why a line is there that went from member to member: both sides are named.
fn why_other(language: Language, line: &Line) -> String {
    let key = if line.takes { "why-to" } else { "why-from" };
    let what = words::text(language, &format!("code-{}", line.code));
    let other = line.other.as_deref().unwrap_or_default();
    words::text_with(language, key, &[("what", what.as_str()), ("number", other)])
}

/// A line as a plain sentence.
fn sentence(ui: &Ui, unit: Unit, causes: &[Term], line: &Line) -> String {
    let key = match (line.change, line.waits) {
        (0, waits) if waits > 0 => "statement-waits",
        (0, _) => "statement-nothing",
        (change, _) if change > 0 => "statement-gets",
        _ => "statement-gives",
    };
    let size = if line.change == 0 { line.waits } else { line.change };
    let place = line.office.as_ref().map_or_else(|| ui.t("statement-centre"), |office| ui.pick(office));
    let day = line.day.to_string();
    let values = [
        ("day", day),
        ("place", place),
        ("why", why(ui.language, unit, causes, line)),
        ("amount", amount(ui, unit, size.saturating_abs())),
        ("after", amount(ui, unit, line.after)),
        ("rule", line.rule.clone()),
        ("version", line.scheme.to_string()),
    ];
    let mut text = ui.t_of(key, &values);
    if line.corrects {
        text.push_str(&ui.t("statement-corrects"));
    }
    text
}

fn line_json(ui: &Ui, unit: Unit, causes: &[Term], line: &Line) -> Value {
    json!({
        "posting": line.posting, "booked": line.booked, "at": line.at, "day": line.day, "code": line.code,
        "change": line.change, "waits": line.waits, "after": line.after, "corrects": line.corrects,
        "cause": line.cause, "activity": line.activity, "plan": line.plan, "other": line.other, "office": line.office,
        "terminal": line.device, "batch": line.batch, "rule": line.rule, "scheme": line.scheme, "case": line.case,
        "sentence": sentence(ui, unit, causes, line),
    })
}

/// A page of a member's statement, the oldest line first; `unit` is `PTS`, `GROWTH` or `CNY`.
pub async fn of_member(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    Query(query): Query<StatementQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let unit = query.unit().ok_or(Failure::NotFound)?;
    let (after, most) = (query.place().ok_or(Failure::NotFound)?, rows_of(query.limit));
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let lines = statement::lines(tx, (member, unit), after, most)?;
        Ok((people::member(tx, member)?, lines, joining::terms(tx, CAUSE)?))
    };
    let (row, lines, causes) = console.app.db.read(load).await?;
    let row = row.ok_or(Failure::NotFound)?;
    let next = next(&lines, most).map(|place| place.text());
    let rows: Vec<Value> = lines.iter().map(|line| line_json(&by.ui, unit, &causes, line)).collect();
    Ok(Json(
        json!({ "member": member, "number": row.number, "unit": unit.code(), "lines": rows, "next": next }),
    ))
}

/// A line as it is printed.
struct Printed {
    day: String,
    sentence: String,
    change: String,
    after: String,
    rule: String,
    version: u32,
}

#[derive(Template)]
#[template(path = "statement.html")]
struct StatementPage {
    ui: Ui,
    back: String,
    name: String,
    number: String,
    unit: &'static str,
    /// Whether the member ever had growth: clubs without say nothing of it.
    has_growth: bool,
    lines: Vec<Printed>,
    /// What the member did in the system before: on the first page, apart from the ledger.
    past: Vec<PastShown>,
    printed: String,
    next: String,
}

/// The statement for printing.
pub async fn page(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    Query(query): Query<StatementQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("members");
    let unit = query.unit().ok_or(Failure::NotFound)?;
    let after = query.place().ok_or(Failure::NotFound)?;
    let (vault, is_first) = (console.app.vault.clone(), query.cursor.is_none());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let lines = statement::lines(tx, (member, unit), after, PRINTED_MAX)?;
        let name = masked_name(tx, &vault, Some(member))?;
        let past = if is_first {
            brought::past_of(tx, &vault, member, brought::FIRST_PAST, PAST_MAX)?
        } else {
            Vec::new()
        };
        let has_growth = statement::has(tx, member, Unit::Growth)?;
        Ok((people::member(tx, member)?, (name, past, has_growth), lines, joining::terms(tx, CAUSE)?))
    };
    let (row, (name, past, has_growth), lines, causes) = console.app.db.read(load).await?;
    let row = row.ok_or(Failure::NotFound)?;
    let back = format!("/members/{member}");
    let next = next(&lines, PRINTED_MAX);
    let next = next.map(|place| format!("{back}/statement?unit={}&cursor={}", unit.code(), place.text()));
    let signed = |line: &Line| {
        let sign = if line.change > 0 { "+" } else { "" };
        format!("{sign}{}", amount(&ui, unit, line.change))
    };
    let printed = |line: &Line| Printed {
        day: line.day.to_string(),
        sentence: sentence(&ui, unit, &causes, line),
        change: signed(line),
        after: amount(&ui, unit, line.after),
        rule: line.rule.clone(),
        version: line.scheme,
    };
    let who = ui.t_with("statement-printed", &[("who", &ui.person), ("time", &ui.time(ui.now))]);
    let page = StatementPage {
        lines: lines.iter().map(printed).collect(),
        past: past.iter().map(|line| past_shown(&ui, line)).collect(),
        back,
        name,
        number: row.number,
        unit: unit.code(),
        has_growth,
        printed: who,
        next: next.unwrap_or_default(),
        ui,
    };
    Ok(Html(page.render()?).into_response())
}
