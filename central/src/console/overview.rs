//! 今日概览: the day in figures, and above them what waits for a person.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::time::{Day, MINUTE_US, OfficeClock};
use serde::Deserialize;

use super::Console;
use super::devices::{self, Presence};
use super::failure::Failure;
use super::members::masked_name;
use super::signed::SignedIn;
use super::ui::{Ui, change, number};
use crate::db::Tx;
use crate::store::overview::UNCLOSED_LISTED_MAX;
use crate::store::people::PeopleError;
use crate::store::{cases, devices as device_store, overview};

/// Days between a day and the one it is compared with.
const WEEK_DAYS: i32 = 7;

/// One figure of the page.
struct Tile {
    label: String,
    value: String,
    unit: String,
    compared: String,
    link: String,
}

/// One line of what waits.
struct Todo {
    what: String,
    since: String,
    link: String,
    tone: &'static str,
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

/// The first page.
pub async fn page(State(console): State<Console>, by: SignedIn) -> Result<Response, Failure> {
    let ui = by.ui.at("home");
    let day = today(&ui);
    let vault = console.app.vault.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let figures = (overview::day(tx, day)?, overview::day(tx, day.plus(-WEEK_DAYS))?);
        let unclosed = overview::unclosed(tx, day, UNCLOSED_LISTED_MAX)?;
        let mut lines = overview::facts(tx, day, None)?;
        lines.truncate(10);
        let names =
            lines.iter().map(|line| masked_name(tx, &vault, line.member)).collect::<Result<Vec<_>, _>>()?;
        Ok((figures, unclosed, cases::open_counts(tx)?, device_store::list(tx)?, lines, names))
    };
    let (figures, unclosed, kinds, terminals, lines, names) = console.app.db.read(load).await?;
    let mut todos: Vec<Todo> = kinds
        .iter()
        .map(|kind| Todo {
            what: ui.t_with(
                "todo-case",
                &[("kind", &ui.t(&format!("kind-{:02}", kind.kind))), ("n", &kind.count.to_string())],
            ),
            since: ui.t_with("todo-oldest", &[("ago", &ui.ago(kind.oldest))]),
            link: format!("/cases?kind={}", kind.kind),
            tone: "bad",
        })
        .collect();
    let silent: Vec<_> =
        terminals.iter().filter(|line| devices::presence(line, ui.now) == Presence::Offline).collect();
    todos.extend(silent.iter().map(|line| Todo {
        what: ui.t_with("todo-offline", &[("name", &line.name)]),
        since: devices::state_words(&ui, line),
        link: format!("/devices/{}", line.device),
        tone: "wait",
    }));
    todos.extend(unclosed.iter().map(|open| Todo {
        what: ui.t_with("todo-unclosed", &[("name", &open.name), ("day", &open.day.to_string())]),
        since: ui.t_with("todo-facts", &[("n", &open.facts.to_string())]),
        link: format!("/days?device={}&day={}", open.device, open.day),
        tone: "wait",
    }));
    let tiles =
        tiles(&ui, day, figures, (&terminals, silent.len()), kinds.iter().map(|kind| kind.count).sum());
    let lines = lines.into_iter().zip(names).map(|(line, name)| fact_row(&ui, &line, name)).collect();
    let page = OverviewPage { day: day.to_string(), todos, tiles, lines, ui };
    Ok(Html(page.render()?).into_response())
}

fn tiles(
    ui: &Ui,
    day: Day,
    (now, before): (overview::DayFigures, overview::DayFigures),
    (terminals, silent): (&[device_store::DeviceLine], usize),
    open: u64,
) -> Vec<Tile> {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let tile = |key: &str, unit: &str, value: i64, last: i64, link: String| Tile {
        label: ui.t(key),
        value: number(value),
        unit: ui.t(unit),
        compared: ui.t_with("tile-compared", &[("last", &number(last)), ("change", &change(value - last))]),
        link,
    };
    let working = terminals.iter().filter(|line| devices::is_working(line)).count();
    vec![
        tile(
            "tile-attended",
            "unit-times",
            signed(now.attended),
            signed(before.attended),
            format!("/facts?day={day}&event=attended"),
        ),
        tile(
            "tile-members",
            "unit-people",
            signed(now.members),
            signed(before.members),
            format!("/facts?day={day}"),
        ),
        tile(
            "tile-earned",
            "unit-entries",
            signed(now.earned),
            signed(before.earned),
            format!("/facts?day={day}&event=earned"),
        ),
        tile(
            "tile-points",
            "unit-points",
            now.points,
            before.points,
            format!("/facts?day={day}&event=earned"),
        ),
        Tile {
            label: ui.t("tile-devices"),
            value: format!("{}/{working}", working - silent.min(working)),
            unit: ui.t("unit-devices"),
            compared: ui.t_with(
                "tile-devices-used",
                &[("now", &now.devices.to_string()), ("last", &before.devices.to_string())],
            ),
            link: "/devices".to_owned(),
        },
        Tile {
            label: ui.t("tile-cases"),
            value: number(signed(open)),
            unit: ui.t("unit-entries"),
            compared: ui.t_with("tile-refused", &[("n", &number(signed(now.refused)))]),
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
    let of = event.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let lines = overview::facts(tx, day, of.as_deref())?;
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
