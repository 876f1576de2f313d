//! 经营日报: one page for a phone and for A4, of an office or of the club: a sentence from the figures, the figures beside
//! the same weekday a week before, and what is missing.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::Day;
use serde::Deserialize;

use super::super::Console;
use super::super::failure::Failure;
use super::super::overview::today;
use super::super::signed::SignedIn;
use super::super::ui::{Ui, number};
use super::super::words::{self, Language};
use super::shown::{Names, figure, signed};
use super::{Choice, lacking_words, office_of};
use crate::db::Tx;
use crate::rules::reports::Measure;
use crate::rules::reports::opening::{Clause, DayTold, Figure, clauses};
use crate::store::people;
use crate::store::reports::{DayReport, day_report};

/// Which office and which day; all and today by themselves.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DailyQuery {
    office: Option<String>,
    day: Option<String>,
}

/// The opening sentence in words.
pub(super) fn sentence(language: Language, clauses: &[Clause]) -> String {
    let text = |figure: &Figure| match figure {
        Figure::Plain(count) => number(*count),
        Figure::Fen(fen) => format!("¥{}", Amount(*fen).display(Unit::Cny)),
    };
    let clause = |(key, figures): &Clause| {
        let values: Vec<(&str, String)> = figures.iter().map(|(name, of)| (*name, text(of))).collect();
        let values: Vec<(&str, &str)> = values.iter().map(|(name, text)| (*name, text.as_str())).collect();
        words::text_with(language, key, &values)
    };
    let parts: Vec<String> = clauses.iter().map(clause).collect();
    // Chinese sentences follow one another without a blank.
    parts.join(if language == Language::Zh { "" } else { " " })
}

/// A figure of the page.
struct Tile {
    label: String,
    value: String,
    compared: String,
    link: String,
}

#[derive(Template)]
#[template(path = "daily.html")]
struct DailyPage {
    ui: Ui,
    offices: Vec<Choice>,
    place: String,
    day: String,
    before: String,
    after: String,
    sentence: String,
    tiles: Vec<Tile>,
    missing: String,
    open_cases: String,
    as_of: String,
    printed: String,
}

/// The figures, each with the report that it leads to.
fn tiles(ui: &Ui, (day, before): (&DayTold, &DayTold), query: &str) -> Vec<Tile> {
    let lines = [
        ("came", Measure::Count, day.came, before.came, "visits"),
        ("members", Measure::Count, day.members, before.members, "visits"),
        ("joined", Measure::Count, day.joined, before.joined, "members"),
        ("points-earned", Measure::Points, day.earned, before.earned, "points"),
        ("points-spent", Measure::Points, day.spent, before.spent, "redemptions"),
        ("paid-in", Measure::Fen, day.paid_in, before.paid_in, "money"),
        ("paid-out", Measure::Fen, day.paid_out, before.paid_out, "money"),
        ("refused", Measure::Count, day.refused, before.refused, "refusals"),
    ];
    let tile = |(key, measure, now, last, report): (&str, Measure, i64, i64, &str)| {
        let change = signed(ui, measure, now.saturating_sub(last));
        let values = [("last", figure(ui, measure, last)), ("change", change)];
        Tile {
            label: ui.t(&format!("daily-{key}")),
            value: figure(ui, measure, now),
            compared: ui.t_of("tile-compared", &values),
            link: format!("/reports/{report}?{query}"),
        }
    };
    lines.map(tile).into()
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    Query(query): Query<DailyQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("reports");
    let offices = console.app.db.read(people::offices).await?;
    let office = office_of(&offices, query.office.as_deref())?;
    let of_office = offices.iter().find(|row| Some(row.office) == office);
    let present = of_office.map_or_else(|| today(&ui), |row| row.clock.business_day(ui.now));
    let day = query.day.as_deref().and_then(|day| day.parse::<Day>().ok()).unwrap_or(present);
    let now = ui.now;
    let load = move |tx: &mut Tx<'_>| day_report(tx, (office, day), now);
    let found: DayReport = console.app.db.read(load).await?;
    let names = Names { offices: &offices, routes: &[] };
    let all = (String::new(), ui.t("report-all-offices"), office.is_none());
    let each = offices
        .iter()
        .map(|row| (row.office.to_string(), names.office(&ui, row.office), office == Some(row.office)));
    let named = office.map(|office| office.to_string()).unwrap_or_default();
    let link = |day: Day| format!("/reports/daily?office={named}&day={day}");
    let zone = of_office.map_or_else(|| ui.zone.name().to_owned(), |row| row.clock.zone.clone());
    let query = format!("office={named}&from={day}&until={day}");
    let page = DailyPage {
        place: office.map_or_else(|| ui.t("report-all-offices"), |office| names.office(&ui, office)),
        offices: [all].into_iter().chain(each).collect(),
        day: day.to_string(),
        before: link(day.plus(-1)),
        after: link(day.plus(1)),
        sentence: sentence(ui.language, &clauses(&found.day, &found.before, found.missing.len())),
        tiles: tiles(&ui, (&found.day, &found.before), &query),
        missing: lacking_words(&ui, &found.missing),
        open_cases: if found.open_cases > 0 { found.open_cases.to_string() } else { String::new() },
        as_of: ui.t_of("report-as-of", &[("time", ui.time(ui.now)), ("zone", zone)]),
        printed: ui.t_with("printed-by", &[("name", &ui.person), ("time", &ui.time(ui.now))]),
        ui,
    };
    Ok(Html(page.render()?).into_response())
}

#[cfg(test)]
#[path = "daily_tests.rs"]
mod tests;
