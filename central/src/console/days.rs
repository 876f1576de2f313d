//! 日结: one terminal's business day against the ledger, line by line.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::DeviceId;
use hufu_shared::time::Day;
use serde::Deserialize;

use super::Console;
use super::compare::{self, Compared};
use super::failure::Failure;
use super::members::masked_name;
use super::overview::{standing_tone, standing_words, today};
use super::signed::SignedIn;
use super::ui::{Ui, change, number};
use crate::db::Tx;
use crate::rules::reconcile::{DayState, Line, TerminalDay};
use crate::rules::world::became_code;
use crate::store::people::{self, PeopleError};
use crate::store::{devices, reconcile};

/// Which day of which terminal.
#[derive(Debug, Default, Deserialize)]
pub struct DayQuery {
    device: Option<String>,
    day: Option<String>,
    only: Option<String>,
}

struct LineShown {
    number: String,
    time: String,
    wall: String,
    member: String,
    event: String,
    promised: String,
    posted: String,
    standing: String,
    tone: &'static str,
    case_link: String,
    mark: String,
    differs: bool,
}

struct Summary {
    state: String,
    tone: &'static str,
    note: String,
    promised: String,
    posted: String,
    explained: String,
    unexplained: String,
    closed: bool,
    open: bool,
    totals: Compared,
}

#[derive(Template)]
#[template(path = "days.html")]
struct DaysPage {
    ui: Ui,
    terminals: Vec<(String, String)>,
    device: String,
    day: String,
    only: bool,
    place: String,
    zone: String,
    summary: Option<Summary>,
    lines: Vec<LineShown>,
    all_lines: usize,
    before: String,
    after: String,
}

/// The page.
pub async fn page(
    State(console): State<Console>,
    Query(query): Query<DayQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("days");
    let day: Day = query.day.as_deref().and_then(|day| day.parse().ok()).unwrap_or_else(|| today(&ui));
    let wanted: Option<DeviceId> = query.device.as_deref().and_then(|id| id.parse().ok());
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        // One that is named in the address is shown wherever it stands.
        let is_shown = |line: &devices::DeviceLine| {
            line.epoch > 0 && (wanted == Some(line.device) || !own.leaves_out(line.office))
        };
        let known: Vec<_> = devices::list(tx)?.into_iter().filter(is_shown).collect();
        let chosen = wanted.or_else(|| known.first().map(|line| line.device));
        let chosen = known.iter().find(|line| Some(line.device) == chosen).cloned();
        let Some(chosen) = chosen else { return Ok((known, None)) };
        let reconciled = reconcile::day(tx, chosen.device, day)?;
        let mut names = Vec::with_capacity(reconciled.lines.len());
        for line in &reconciled.lines {
            let member = people::member_of_fact(tx, line.fact)?;
            names.push(masked_name(tx, &vault, member)?);
        }
        let office = people::offices(tx)?.into_iter().find(|office| office.office == chosen.office);
        Ok((known, Some((chosen, reconciled, names, office))))
    };
    let (known, chosen) = console.app.db.read(load).await?;
    let terminals = known.iter().map(|line| (line.device.to_string(), place(&ui, line))).collect();
    let only = query.only.as_deref() == Some("differs");
    let mut page = DaysPage {
        terminals,
        device: String::new(),
        day: day.to_string(),
        only,
        place: String::new(),
        zone: String::new(),
        summary: None,
        lines: Vec::new(),
        all_lines: 0,
        before: String::new(),
        after: String::new(),
        ui,
    };
    if let Some((line, reconciled, names, office)) = chosen {
        let link = |day: Day| format!("/days?device={}&day={day}", line.device);
        (page.before, page.after) = (link(day.plus(-1)), link(day.plus(1)));
        page.device = line.device.to_string();
        page.place = place(&page.ui, &line);
        page.zone = office.map_or_else(String::new, |office| office.clock.zone);
        page.summary = Some(summary(&page.ui, &reconciled));
        page.all_lines = reconciled.lines.len();
        let zone = page.zone.parse().unwrap_or(page.ui.zone);
        let lines = reconciled.lines.iter().zip(names);
        let shown = lines.filter(|(line, _)| !only || line.promised != line.posted);
        page.lines = shown.map(|(line, name)| line_shown(&page.ui, zone, line, name)).collect();
    }
    Ok(Html(page.render()?).into_response())
}

fn place(ui: &Ui, line: &devices::DeviceLine) -> String {
    match &line.office_words {
        Some((code, name)) => format!("{code} {} · {}", ui.pick(name), line.name),
        None => line.name.clone(),
    }
}

fn summary(ui: &Ui, day: &TerminalDay) -> Summary {
    let (key, tone) = match day.state {
        DayState::Agrees => ("agrees", "ok"),
        DayState::Open => ("open", "wait"),
        DayState::Differs => ("differs", "bad"),
    };
    let unexplained: i64 = day
        .lines
        .iter()
        .filter(|line| !line.explained)
        .map(|line| line.promised.0.abs_diff(line.posted.0) as i64)
        .sum();
    Summary {
        state: ui.t(&format!("day-{key}")),
        note: if unexplained == 0 && day.state == DayState::Differs {
            ui.t("day-totals-note")
        } else {
            ui.t(&format!("day-{key}-note"))
        },
        open: unexplained == 0 && day.state == DayState::Differs,
        tone,
        promised: number(day.promised.0),
        posted: number(day.posted.0),
        explained: number(day.explained.0),
        unexplained: number(unexplained),
        closed: day.closed.is_some(),
        totals: day
            .closed
            .as_ref()
            .map_or_else(Compared::default, |closed| compare::day_totals(ui, closed, &day.reckoned)),
    }
}

fn line_shown(ui: &Ui, zone: chrono_tz::Tz, line: &Line, member: String) -> LineShown {
    let differs = line.promised != line.posted;
    let became = became_code(line.became);
    let points = |amount: i64, event: &str| {
        if amount == 0 && !matches!(event, "attended" | "earned") { "—".to_owned() } else { change(amount) }
    };
    LineShown {
        number: line.fact.seq.to_string(),
        time: ui.seconds_in(line.at, zone).split(' ').nth(1).unwrap_or_default().to_owned(),
        // The claim is worth a place only where it is another minute.
        wall: if line.wall.since(line.at).abs() > 60_000_000 {
            ui.t_with("line-claimed", &[("time", &ui.time_in(line.wall, zone))])
        } else {
            String::new()
        },
        member,
        event: ui.t(&format!("event-{}", line.event)),
        promised: points(line.promised.0, line.event),
        posted: points(line.posted.0, line.event),
        standing: standing_words(ui, became, line.kind),
        tone: standing_tone(became),
        case_link: line.case.map(|case| format!("/cases/{case}")).unwrap_or_default(),
        mark: match (differs, line.explained) {
            (false, _) => String::new(),
            (true, true) => {
                ui.t_with("line-explained", &[("change", &change(line.posted.0 - line.promised.0))])
            }
            (true, false) => {
                ui.t_with("line-unexplained", &[("change", &change(line.posted.0 - line.promised.0))])
            }
        },
        differs,
    }
}
