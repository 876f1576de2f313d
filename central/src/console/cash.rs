//! 现金日报: what was paid in, paid out, undone and given back at an office on a business day, by operator and method of
//! payment, and what terminals have not handed over yet. As a page that prints, and in `/api/v1`.

use std::collections::BTreeMap;

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::fact::DayTotals;
use hufu_shared::ids::OperatorId;
use hufu_shared::member::OfficeRow;
use hufu_shared::money::Unit;
use hufu_shared::time::Day;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::compare::short;
use super::failure::Failure;
use super::leases::amount;
use super::problem::Refused;
use super::signed::SignedIn;
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::rules::cash::{METHOD_DESK, METHOD_STORED_VALUE, Teller, What};
use crate::store::cash::{self, Report, TerminalCash};
use crate::store::{StoreError, people, staff};

/// Methods of payment that have words; any other is shown by its code.
const METHODS: [&str; 7] = ["cash", "card", "wechat", "alipay", "transfer", METHOD_DESK, METHOD_STORED_VALUE];

/// Which office, by code or id, and which day; the first office and today by default.
#[derive(Debug, Default, Deserialize)]
pub struct CashQuery {
    office: Option<String>,
    day: Option<String>,
}

/// The report, the offices to choose from, and what the people at the centre's desk are called.
struct Found {
    report: Option<Report>,
    offices: Vec<OfficeRow>,
    names: BTreeMap<OperatorId, String>,
}

async fn find(console: &Console, query: CashQuery) -> Result<Found, Failure> {
    let now = console.app.now();
    let load = move |tx: &mut Tx<'_>| -> Result<Found, StoreError> {
        let offices = people::offices(tx)?;
        let is_named = |row: &&OfficeRow| match query.office.as_deref() {
            Some(named) => row.code == named || row.office.to_string() == named,
            None => true,
        };
        let Some(office) = offices.iter().find(is_named) else {
            return Ok(Found { report: None, offices, names: BTreeMap::new() });
        };
        let asked = query.day.as_deref().and_then(|day| day.parse::<Day>().ok());
        let day = asked.unwrap_or_else(|| office.clock.business_day(now));
        let report = cash::report(tx, (office.office, day), now)?;
        let names = report.as_ref().map(|report| desk_names(tx, report)).transpose()?.unwrap_or_default();
        Ok(Found { report, offices, names })
    };
    Ok(console.app.db.read(load).await?)
}

/// What the people at the centre's desk are called who are in a report.
pub(super) fn desk_names(
    tx: &mut Tx<'_>,
    report: &Report,
) -> Result<BTreeMap<OperatorId, String>, StoreError> {
    let mut names = BTreeMap::new();
    for line in &report.lines {
        if let Teller::Desk(Some(person)) = line.teller
            && let Some(known) = staff::by_id(tx, person)?
        {
            names.insert(person, known.name);
        }
    }
    Ok(names)
}

/// The report as JSON; fen.
pub async fn api(
    State(console): State<Console>,
    Query(query): Query<CashQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    // The page shows today for a day that cannot be read; a program would take that for the day it asked for.
    if query.day.as_deref().is_some_and(|day| day.parse::<Day>().is_err()) {
        return Err(Refused::said(by.ui.language, StatusCode::BAD_REQUEST, "unreadable", ""));
    }
    let found = find(&console, query).await?;
    let report = found.report.ok_or(Failure::NotFound)?;
    let terminal = |of: &TerminalCash| {
        json!({
            "device": of.device, "name": of.name, "topped_up": of.totals.topped_up, "paid_out": of.totals.paid_out,
            "closed": of.closed.as_ref().map(|closed| json!({
                "topped_up": closed.topped_up, "paid_out": closed.paid_out,
            })),
            "last_contact": of.heard.map(|(at, _)| at), "queued": of.heard.map(|(_, queued)| queued),
            "may_lack": of.may_lack,
        })
    };
    Ok(Json(json!({
        "office": report.office.code, "day": report.day, "zone": report.office.clock.zone, "as_of": by.ui.now,
        "lines": report.lines, "methods": report.methods.iter().map(|sum| {
            let amounts: serde_json::Map<String, Value> =
                What::ALL.iter().zip(sum.amounts).map(|(what, fen)| (what.code().to_owned(), json!(fen))).collect();
            json!({ "method": sum.method, "amounts": amounts, "net": sum.net })
        }).collect::<Vec<_>>(),
        "terminals": report.terminals.iter().map(terminal).collect::<Vec<_>>(),
        "complete": report.terminals.iter().all(|of| !of.may_lack),
    })))
}

/// A line of the report in words.
pub(super) struct LineShown {
    pub(super) teller: String,
    pub(super) method: String,
    pub(super) what: String,
    pub(super) count: String,
    pub(super) amount: String,
    pub(super) not_booked: String,
}

/// What a method came to, in words.
pub(super) struct MethodShown {
    pub(super) method: String,
    pub(super) amounts: Vec<(String, String)>,
    pub(super) net: String,
}

struct TerminalShown {
    name: String,
    topped_up: String,
    paid_out: String,
    state: String,
    tone: &'static str,
    heard: String,
}

/// Sums by method and by teller, as pages show them.
pub(super) struct Sums {
    pub(super) lines: Vec<LineShown>,
    pub(super) kinds: Vec<String>,
    pub(super) methods: Vec<MethodShown>,
}

#[derive(Template)]
#[template(path = "cash.html")]
struct CashPage {
    ui: Ui,
    /// None for a club that has no office yet.
    sheet: Option<Sheet>,
}

/// What the page says of an office's day.
struct Sheet {
    offices: Vec<(String, String)>,
    office: String,
    place: String,
    day: String,
    zone: String,
    before: String,
    after: String,
    sums: Sums,
    terminals: Vec<TerminalShown>,
    /// How many terminals may still hold facts of the day; empty if none.
    lacking: String,
    /// Who looked at it when.
    printed: String,
}

/// The page.
pub async fn page(
    State(console): State<Console>,
    Query(query): Query<CashQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("cash");
    let chosen = ui.office.as_ref().map(|office| office.code.clone());
    let found = find(&console, CashQuery { office: query.office.or(chosen), day: query.day }).await?;
    let words = |row: &OfficeRow| format!("{} {}", row.code, ui.pick(&row.name));
    let offices = found.offices.iter().map(|row| (row.office.to_string(), words(row))).collect();
    let Some(report) = found.report else {
        // A club without offices has no cash; an office that was named and is not there is another matter.
        if !found.offices.is_empty() {
            return Err(Failure::NotFound);
        }
        return Ok(Html(CashPage { ui, sheet: None }.render()?).into_response());
    };
    let zone = report.office.clock.tz().unwrap_or(ui.zone);
    let link = |day: Day| format!("/cash?office={}&day={day}", report.office.office);
    let lacking = report.terminals.iter().filter(|of| of.may_lack).count();
    let sheet = Sheet {
        offices,
        office: report.office.office.to_string(),
        place: words(&report.office),
        day: report.day.to_string(),
        zone: report.office.clock.zone.clone(),
        before: link(report.day.plus(-1)),
        after: link(report.day.plus(1)),
        sums: sums(&ui, &report, &found.names),
        terminals: report.terminals.iter().map(|of| terminal(&ui, zone, of)).collect(),
        lacking: if lacking > 0 { lacking.to_string() } else { String::new() },
        printed: ui.t_with("printed-by", &[("name", &ui.person), ("time", &ui.time(ui.now))]),
    };
    Ok(Html(CashPage { ui, sheet: Some(sheet) }.render()?).into_response())
}

/// The sums of a report in words.
pub(super) fn sums(ui: &Ui, report: &Report, names: &BTreeMap<OperatorId, String>) -> Sums {
    let yuan = |fen: i64| amount(ui, Unit::Cny, fen);
    let line = |line: &crate::rules::cash::Line| LineShown {
        teller: teller(ui, names, line.teller),
        method: method(ui, &line.method),
        what: ui.t(&format!("cash-{}", line.what.code().replace('_', "-"))),
        count: number(i64::try_from(line.count).unwrap_or(i64::MAX)),
        amount: yuan(line.amount.0),
        not_booked: if line.not_booked.is_positive() { yuan(line.not_booked.0) } else { "—".to_owned() },
    };
    let kinds: Vec<String> =
        What::ALL.iter().map(|what| ui.t(&format!("cash-{}", what.code().replace('_', "-")))).collect();
    let sum = |sum: &crate::rules::cash::MethodSum| MethodShown {
        method: method(ui, &sum.method),
        amounts: kinds.iter().cloned().zip(sum.amounts.iter().map(|fen| yuan(fen.0))).collect(),
        net: yuan(sum.net.0),
    };
    let lines = report.lines.iter().map(line).collect();
    let methods = report.methods.iter().map(sum).collect();
    Sums { lines, kinds, methods }
}

/// Who took the money, in words.
fn teller(ui: &Ui, names: &BTreeMap<OperatorId, String>, teller: Teller) -> String {
    match teller {
        Teller::Operator(Some(operator)) => short(&operator.to_string()),
        Teller::Operator(None) => ui.t("side-no-operator"),
        Teller::Desk(person) => {
            let name = person.and_then(|person| names.get(&person));
            name.map_or_else(|| ui.t("cash-desk"), |name| format!("{} · {name}", ui.t("cash-desk")))
        }
    }
}

/// A method of payment in words; one of the club's own by its code.
pub(super) fn method(ui: &Ui, code: &str) -> String {
    if METHODS.contains(&code) {
        ui.t(&format!("method-{}", code.replace('_', "-")))
    } else {
        code.to_owned()
    }
}

fn terminal(ui: &Ui, zone: chrono_tz::Tz, of: &TerminalCash) -> TerminalShown {
    let yuan = |fen: i64| amount(ui, Unit::Cny, fen);
    let money = |totals: &DayTotals| (totals.topped_up, totals.paid_out);
    let (key, tone) = match (of.may_lack, &of.closed) {
        (true, _) => ("cash-lacks", "bad"),
        (false, Some(closed)) if money(closed) == money(&of.totals) => ("cash-closed", "ok"),
        (false, Some(_)) => ("cash-closed-other", "wait"),
        (false, None) => ("cash-not-closed", "wait"),
    };
    let heard = of.heard.map(|(at, queued)| {
        let (time, queued) = (ui.time_in(at, zone), queued.to_string());
        ui.t_with("cash-heard", &[("time", &time), ("n", &queued)])
    });
    TerminalShown {
        name: of.name.clone(),
        topped_up: yuan(of.totals.topped_up.0),
        paid_out: yuan(of.totals.paid_out.0),
        state: ui.t(key),
        tone,
        heard: heard.unwrap_or_else(|| ui.t("cash-never-heard")),
    }
}
