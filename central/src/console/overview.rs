//! 今日概览: the day in figures, and above them what waits for a person.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::rules::calendar::day_start;
use hufu_shared::time::{Day, MINUTE_US, OfficeClock};
use serde::Deserialize;

use super::Console;
use super::attention::{Attention, Todo};
use super::devices;
use super::failure::Failure;
use super::members::masked_name;
use super::signed::SignedIn;
use super::ui::{Ui, change, number};
use crate::db::Tx;
use crate::store::overview::DayFigures;
use crate::store::people::PeopleError;
use crate::store::{StoreError, overview};

/// Days between a day and the one it is compared with.
const WEEK_DAYS: i32 = 7;
/// Facts that the first page shows.
const LATEST_SHOWN: usize = 10;

/// One figure of the page.
struct Tile {
    label: String,
    value: String,
    unit: String,
    compared: String,
    link: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    ui: Ui,
    day: String,
    todos: Vec<Todo>,
    tiles: Vec<Tile>,
    lines: Vec<FactRow>,
}

/// A fact in a list.
pub struct FactRow {
    time: String,
    late: String,
    event: String,
    member: String,
    member_link: String,
    place: String,
    standing: String,
    tone: &'static str,
}

/// The business day of now, in the club's zone.
pub fn today(ui: &Ui) -> Day {
    OfficeClock { zone: ui.zone.name().to_owned(), cutoff_minutes: 0 }.business_day(ui.now)
}

/// What the figures of a day are compared by: its own, and how many cases were opened on it.
struct Measured {
    figures: DayFigures,
    cases: u64,
}

fn measured(tx: &mut Tx<'_>, ui: &Ui, day: Day) -> Result<Measured, StoreError> {
    let begins = |day: Day| day_start(ui.zone.name(), day, 0);
    Ok(Measured {
        figures: overview::day(tx, ui.office_code(), day)?,
        cases: overview::cases_opened(tx, begins(day), begins(day.plus(1)))?,
    })
}

/// The first page.
pub async fn page(State(console): State<Console>, by: SignedIn) -> Result<Response, Failure> {
    let ui = by.ui.at("home");
    let day = today(&ui);
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let now = measured(tx, &own, day)?;
        let before = measured(tx, &own, day.plus(-WEEK_DAYS))?;
        let mut lines = overview::facts(tx, own.office_code(), day, None)?;
        lines.truncate(LATEST_SHOWN);
        let names =
            lines.iter().map(|line| masked_name(tx, &vault, line.member)).collect::<Result<Vec<_>, _>>()?;
        Ok((now, before, Attention::load(tx, &own, day)?, lines, names))
    };
    let (now, before, attention, lines, names) = console.app.db.read(load).await?;
    let page = OverviewPage {
        day: day.to_string(),
        todos: attention.todos(&ui),
        tiles: tiles(&ui, day, (&now, &before), &attention),
        lines: lines.into_iter().zip(names).map(|(line, name)| fact_row(&ui, &line, name)).collect(),
        ui,
    };
    Ok(Html(page.render()?).into_response())
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn tiles(ui: &Ui, day: Day, (now, before): (&Measured, &Measured), attention: &Attention) -> Vec<Tile> {
    let facts = |event: &str| format!("/facts?day={day}{event}");
    let figure = |key: &str, unit: &str, of: fn(&DayFigures) -> i64, link: String| {
        let (value, last) = (of(&now.figures), of(&before.figures));
        let compared = [("last", number(last)), ("change", change(value - last))];
        Tile {
            label: ui.t(key),
            value: number(value),
            unit: ui.t(unit),
            compared: ui.t_of("tile-compared", &compared),
            link,
        }
    };
    let working = attention.terminals.iter().filter(|line| devices::is_working(line)).count();
    let used = [("now", now.figures.devices.to_string()), ("last", before.figures.devices.to_string())];
    let opened = [
        ("now", number(signed(now.cases))),
        ("last", number(signed(before.cases))),
        ("refused", number(signed(now.figures.refused))),
    ];
    let open: u64 = attention.kinds.iter().map(|kind| kind.count).sum();
    vec![
        figure("tile-attended", "unit-times", |of| signed(of.attended), facts("&event=attended")),
        figure("tile-members", "unit-people", |of| signed(of.members), facts("")),
        figure("tile-earned", "unit-entries", |of| signed(of.earned), facts("&event=earned")),
        figure("tile-points", "unit-points", |of| of.points, facts("&event=earned")),
        Tile {
            label: ui.t("tile-devices"),
            value: format!("{}/{working}", working - attention.silent(ui).min(working)),
            unit: ui.t("unit-devices"),
            compared: ui.t_of("tile-devices-used", &used),
            link: "/devices".to_owned(),
        },
        Tile {
            label: ui.t("tile-cases"),
            value: number(signed(open)),
            unit: ui.t("unit-entries"),
            compared: ui.t_of("tile-cases-new", &opened),
            link: "/cases".to_owned(),
        },
    ]
}

fn fact_row(ui: &Ui, line: &overview::FactLine, member: String) -> FactRow {
    let late = line.received.since(line.at);
    FactRow {
        time: ui.time(line.at),
        // A fact that came at once needs no second time.
        late: if late > 10 * MINUTE_US {
            ui.t_with("fact-late", &[("time", &ui.time(line.received))])
        } else {
            String::new()
        },
        event: ui.t(&format!("event-{}", line.event)),
        member,
        member_link: line.member.map(|id| format!("/members/{id}")).unwrap_or_default(),
        place: format!("{} · {}", line.office, line.device),
        standing: standing_words(ui, &line.became, line.kind),
        tone: standing_tone(&line.became),
    }
}

/// How a fact stands, in words.
pub fn standing_words(ui: &Ui, became: &str, kind: Option<u8>) -> String {
    let words = ui.t(&format!("became-{became}"));
    match kind {
        Some(kind) => ui
            .t_with("standing-of-kind", &[("standing", &words), ("kind", &ui.t(&format!("kind-{kind:02}")))]),
        None => words,
    }
}

/// The badge of a standing.
pub fn standing_tone(became: &str) -> &'static str {
    match became {
        "applied" => "ok",
        "merged" => "plain",
        "quarantined" => "bad",
        _ => "wait",
    }
}

/// Filter of the list of facts.
#[derive(Debug, Deserialize)]
pub struct FactsQuery {
    day: Option<String>,
    event: Option<String>,
}

#[derive(Template)]
#[template(path = "facts.html")]
struct FactsPage {
    ui: Ui,
    day: String,
    events: Vec<(&'static str, String, bool)>,
    lines: Vec<FactRow>,
    total: String,
    filtered: bool,
}

/// Events that the list can be filtered by.
const EVENTS: [&str; 4] = ["attended", "earned", "visited", "refused"];

/// Facts of a day.
pub async fn facts(
    State(console): State<Console>,
    Query(query): Query<FactsQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("home");
    let day = query.day.as_deref().and_then(|day| day.parse().ok()).unwrap_or_else(|| today(&ui));
    let event = query.event.filter(|event| EVENTS.contains(&event.as_str()));
    let vault = console.app.vault.clone();
    let (of, office) = (event.clone(), ui.office_code().to_owned());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let lines = overview::facts(tx, &office, day, of.as_deref())?;
        let names =
            lines.iter().map(|line| masked_name(tx, &vault, line.member)).collect::<Result<Vec<_>, _>>()?;
        Ok((lines, names))
    };
    let (lines, names) = console.app.db.read(load).await?;
    let lines: Vec<_> = lines.into_iter().zip(names).map(|(line, name)| fact_row(&ui, &line, name)).collect();
    let page = FactsPage {
        day: day.to_string(),
        total: ui.t_with("list-total", &[("n", &lines.len().to_string())]),
        filtered: event.is_some(),
        events: EVENTS
            .map(|code| (code, ui.t(&format!("event-{code}")), event.as_deref() == Some(code)))
            .to_vec(),
        lines,
        ui,
    };
    Ok(Html(page.render()?).into_response())
}
