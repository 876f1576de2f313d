//! 报表: the list of reports, one page for each of them, the same as a workbook, and the day's report.
//!
//! A page, its chart, its print and its workbook are written from the same blocks of figures. What is asked stands in the
//! address. Nothing personal is told but members' numbers in the list of S9, so a workbook needs no reason.

mod daily;
mod sheet;
mod shown;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use hufu_shared::dictionary::{ROUTE, Term};
use hufu_shared::ids::OfficeId;
use hufu_shared::member::OfficeRow;
use hufu_shared::time::Day;
use serde::Deserialize;

use super::Console;
use super::failure::Failure;
use super::overview::today;
use super::signed::SignedIn;
use super::ui::Ui;
use crate::db::Tx;
use crate::rules::reports::{Against, Block, Filter, Step};
use crate::store::reports::{self, Report};
use crate::store::{StoreError, joining, people};
use shown::{BlockShown, Names};

/// Days that a report is about by itself, the present one among them.
const DAYS_SHOWN: i32 = 30;

/// What the address asks for; what is left out, or cannot be read, is as usual.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ReportQuery {
    office: Option<String>,
    from: Option<String>,
    until: Option<String>,
    step: Option<String>,
    against: Option<String>,
}

/// The office that is named by code or id; none for all.
fn office_of(offices: &[OfficeRow], named: Option<&str>) -> Result<Option<OfficeId>, Failure> {
    let Some(named) = named.filter(|named| !named.is_empty()) else { return Ok(None) };
    let found = offices.iter().find(|row| row.code == named || row.office.to_string() == named);
    found.map(|row| Some(row.office)).ok_or(Failure::NotFound)
}

impl ReportQuery {
    fn filter(&self, offices: &[OfficeRow], today: Day) -> Result<Filter, Failure> {
        let day = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Day>().ok());
        let until = day(&self.until).unwrap_or(today);
        let step = Step::ALL.into_iter().find(|step| Some(step.code()) == self.step.as_deref());
        let against = Against::ALL.into_iter().find(|one| Some(one.code()) == self.against.as_deref());
        let filter = Filter {
            office: office_of(offices, self.office.as_deref())?,
            from: day(&self.from).unwrap_or(until.plus(1 - DAYS_SHOWN)),
            until,
            step: step.unwrap_or(Step::Day),
            against: against.unwrap_or(Against::Before),
        };
        Ok(filter.fitting())
    }
}

/// A report with what it is told with.
struct Found {
    report: Report,
    filter: Filter,
    /// None where it spans too many facts.
    blocks: Option<Vec<Block>>,
    /// Names of the terminals that may still hold facts of its days.
    lacking: Vec<String>,
    offices: Vec<OfficeRow>,
    routes: Vec<Term>,
}

impl Found {
    fn names(&self) -> Names<'_> {
        Names { offices: &self.offices, routes: &self.routes }
    }

    /// The zone by which its days are told apart, of one office or of the club.
    fn zone(&self, ui: &Ui) -> String {
        let of_office = self.offices.iter().find(|row| Some(row.office) == self.filter.office);
        of_office.map_or_else(|| ui.zone.name().to_owned(), |row| row.clock.zone.clone())
    }

    /// What was asked, in words: it stands on the page, in print and in the workbook.
    fn asked(&self, ui: &Ui) -> String {
        let office = match self.filter.office {
            Some(office) => self.names().office(ui, office),
            None => ui.t("report-all-offices"),
        };
        let days = [self.filter.from, self.filter.until].map(|day| day.to_string());
        let mut text = ui.t_of(
            "report-asked",
            &[
                ("office", office),
                ("from", days[0].clone()),
                ("until", days[1].clone()),
                ("step", ui.t(&format!("report-step-{}", self.filter.step.code()))),
            ],
        );
        if let Some(earlier) = self.filter.earlier() {
            let days = [("from", earlier.from.to_string()), ("until", earlier.until.to_string())];
            text.push_str(&ui.t_of("report-asked-against", &days));
        }
        text
    }

    /// As of when, in which zone.
    fn as_of(&self, ui: &Ui) -> String {
        ui.t_of("report-as-of", &[("time", ui.time(ui.now)), ("zone", self.zone(ui))])
    }

    /// The same question as part of an address.
    fn query(&self) -> String {
        let filter = &self.filter;
        let office = filter.office.map(|office| office.to_string()).unwrap_or_default();
        format!(
            "office={office}&from={}&until={}&step={}&against={}",
            filter.from,
            filter.until,
            filter.step.code(),
            filter.against.code()
        )
    }
}

/// Which terminals are still to upload, in words; empty if none.
fn lacking_words(ui: &Ui, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let all = names.join(&ui.t("report-and"));
    ui.t_of("report-lacking", &[("n", names.len().to_string()), ("names", all)])
}

async fn find(console: &Console, ui: &Ui, name: &str, query: &ReportQuery) -> Result<Found, Failure> {
    let report = Report::from_code(name).ok_or(Failure::NotFound)?;
    let offices = console.app.db.read(people::offices).await?;
    let filter = query.filter(&offices, today(ui))?;
    let now = ui.now;
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let blocks = reports::blocks(tx, report, &filter)?;
        Ok((blocks, reports::lacking(tx, &filter, now)?, joining::terms(tx, ROUTE)?))
    };
    let (blocks, lacking, routes) = console.app.db.read(load).await?;
    Ok(Found { report, filter, blocks, lacking, offices, routes })
}

/// A choice of a filter: its value, its words, and whether it is chosen.
type Choice = (String, String, bool);

#[derive(Template)]
#[template(path = "reports.html")]
struct ListPage {
    ui: Ui,
    /// Address, name and what it tells of each report.
    reports: Vec<(String, String, String)>,
}

/// The list of reports.
async fn list(by: SignedIn) -> Result<Response, Failure> {
    let ui = by.ui.at("reports");
    let line = |code: &str| {
        let name = ui.t(&format!("report-{code}"));
        (format!("/reports/{code}"), name, ui.t(&format!("report-{code}-says")))
    };
    let codes = ["daily"].into_iter().chain(Report::ALL.into_iter().map(Report::code));
    let reports = codes.map(line).collect();
    Ok(Html(ListPage { reports, ui }.render()?).into_response())
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    ui: Ui,
    title: String,
    /// Path of the page, of the form and of the workbook.
    path: String,
    sheet: String,
    offices: Vec<Choice>,
    steps: Vec<Choice>,
    against: Vec<Choice>,
    from: String,
    until: String,
    asked: String,
    as_of: String,
    lacking: String,
    too_long: bool,
    blocks: Vec<BlockShown>,
    printed: String,
}

/// One report.
async fn one(
    State(console): State<Console>,
    Path(name): Path<String>,
    Query(query): Query<ReportQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("reports");
    let found = find(&console, &ui, &name, &query).await?;
    let code = found.report.code();
    let filter = &found.filter;
    let names = found.names();
    let all = (String::new(), ui.t("report-all-offices"), filter.office.is_none());
    let offices = found.offices.iter().map(|row| {
        (row.office.to_string(), names.office(&ui, row.office), filter.office == Some(row.office))
    });
    let step = |step: Step| {
        (step.code().to_owned(), ui.t(&format!("report-step-{}", step.code())), filter.step == step)
    };
    let against = |one: Against| {
        (one.code().to_owned(), ui.t(&format!("report-against-{}", one.code())), filter.against == one)
    };
    let blocks = found.blocks.iter().flatten();
    let page = ReportPage {
        title: ui.t(&format!("report-{code}")),
        path: format!("/reports/{code}"),
        sheet: format!("/reports/{code}/xlsx?{}", found.query()),
        offices: [all].into_iter().chain(offices).collect(),
        steps: Step::ALL.map(step).to_vec(),
        against: Against::ALL.map(against).to_vec(),
        from: filter.from.to_string(),
        until: filter.until.to_string(),
        asked: found.asked(&ui),
        as_of: found.as_of(&ui),
        lacking: lacking_words(&ui, &found.lacking),
        too_long: found.blocks.is_none(),
        blocks: blocks.map(|block| BlockShown::of(&ui, names, block)).collect(),
        printed: ui.t_with("printed-by", &[("name", &ui.person), ("time", &ui.time(ui.now))]),
        ui,
    };
    Ok(Html(page.render()?).into_response())
}

/// One report as a workbook.
async fn workbook(
    State(console): State<Console>,
    Path(name): Path<String>,
    Query(query): Query<ReportQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let found = find(&console, &by.ui, &name, &query).await?;
    let bytes = sheet::written(&by.ui, &found).map_err(|error| Failure::fault(&error))?;
    let filter = &found.filter;
    let file = format!("hufu-{}-{}-{}.xlsx", found.report.code(), filter.from, filter.until);
    let headers = [
        (
            header::CONTENT_TYPE,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    Ok((headers, bytes).into_response())
}

/// The routes of reports.
pub(super) fn router() -> Router<Console> {
    Router::new()
        .route("/reports", get(list))
        .route("/reports/daily", get(daily::page))
        .route("/reports/{name}", get(one))
        .route("/reports/{name}/xlsx", get(workbook))
}
