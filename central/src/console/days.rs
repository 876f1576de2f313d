//! 日结: one terminal's business day against the ledger, line by line. Without a terminal in the address it is the list of
//! offices' days ([`super::office_days`]).

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::DeviceId;
use hufu_shared::time::Day;
use serde::Deserialize;

use super::Console;
use super::compare::{self, Compared};
use super::day_lines::{self, Asked, Lines};
use super::failure::Failure;
use super::office_days::{self, ListQuery};
use super::overview::today;
use super::signed::SignedIn;
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::rules::reconcile::{DayState, Line, TerminalDay};
use crate::store::people::{self, PeopleError};
use crate::store::{devices, reconcile};

/// Which day of which terminal, and which of its lines; or which days of the list.
#[derive(Debug, Default, Deserialize)]
pub struct DayQuery {
    device: Option<String>,
    day: Option<String>,
    only: Option<String>,
    from: Option<String>,
    rows: Option<String>,
    office: Option<String>,
    state: Option<String>,
    cursor: Option<String>,
}

impl DayQuery {
    fn lines(&self) -> Asked {
        let from = self.from.as_deref().and_then(|from| from.parse().ok());
        Asked::of(self.only.as_deref(), from, self.rows.as_deref())
    }
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
    lines: Option<Lines>,
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
    if query.device.is_none() {
        let (office, state) = (query.office, query.state);
        let asked = ListQuery { office, state, cursor: query.cursor.or(query.day) };
        return office_days::show(&console, ui, &asked).await;
    }
    let asked = query.lines();
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
        let lines = reconciled.lines.iter().map(|line| (line.clone(), ()));
        let lines = day_lines::choose(lines.collect(), asked);
        let names = day_lines::names(tx, &vault, &lines)?;
        let office = people::offices(tx)?.into_iter().find(|office| office.office == chosen.office);
        Ok((known, Some((chosen, reconciled, (lines, names), office))))
    };
    let (known, chosen) = console.app.db.read(load).await?;
    let terminals = known.iter().map(|line| (line.device.to_string(), place(&ui, line))).collect();
    let mut page = DaysPage {
        terminals,
        device: String::new(),
        day: day.to_string(),
        only: asked.only,
        place: String::new(),
        zone: String::new(),
        summary: None,
        lines: None,
        before: String::new(),
        after: String::new(),
        ui,
    };
    if let Some((line, reconciled, lines, office)) = chosen {
        let link = |day: Day| format!("/days?device={}&day={day}", line.device);
        (page.before, page.after) = (link(day.plus(-1)), link(day.plus(1)));
        page.device = line.device.to_string();
        page.place = place(&page.ui, &line);
        page.zone = office.map_or_else(String::new, |office| office.clock.zone);
        page.summary = Some(summary(&page.ui, &reconciled));
        let zone = page.zone.parse().unwrap_or(page.ui.zone);
        let base = format!("{}&", link(day));
        let number = |line: &Line, _: &()| line.fact.seq.to_string();
        page.lines = Some(Lines::of((&page.ui, zone), (&base, asked), (&lines.0, lines.1), number));
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
