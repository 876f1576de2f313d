//! 日结 of an office: figures, differences with their reasons, cash, lines, what came later, and two signatures; as a page
//! that prints. What is done to a day goes through the same functions as `/api/v1` ([`super::office_day_api`]).

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::{Hash, OfficeId, OperatorId};
use hufu_shared::time::Day;
use serde::Deserialize;

use super::Console;
use super::cash::desk_names;
use super::day_lines::{self, Asked, Chosen, Lines};
use super::failure::{Failure, go};
use super::members::masked_name;
use super::office_day_shown::{Shown, shown};
use super::office_days::{office_named, people_named};
use super::signed::{Posted, SignedIn};
use super::ui::Ui;
use super::verdict::note;
use crate::db::Tx;
use crate::rules::office_day::NotDone;
use crate::rules::reconcile::Line;
use crate::store::acts::Note;
use crate::store::office_days::{self as store, Later, Sheet};
use crate::store::people::{self, PeopleError};

/// Which of the day's lines.
#[derive(Debug, Default, Deserialize)]
pub struct LinesQuery {
    only: Option<String>,
    from: Option<String>,
    rows: Option<String>,
}

/// All that a day's page tells.
pub(super) struct Read {
    pub(super) sheet: Sheet,
    /// Lines of all terminals, each with the name of its own, and their members.
    pub(super) lines: (Chosen<(Line, String)>, Vec<String>),
    /// What came on this day of days that were closed, and whose it is.
    pub(super) adjustments: Vec<(Later, String)>,
    /// What came of this day since it was closed.
    pub(super) since: Vec<(Later, String)>,
    /// Names of those who did something to the day.
    pub(super) people: BTreeMap<String, String>,
    /// Reasons by their commitments.
    pub(super) reasons: BTreeMap<Hash, String>,
    /// Names of the people at the centre's desk.
    pub(super) desk: BTreeMap<OperatorId, String>,
}

/// The office and the day of an address.
pub(super) async fn place(console: &Console, office: &str, day: &str) -> Result<(OfficeId, Day), Failure> {
    let day: Day = day.parse().map_err(|_| Failure::NotFound)?;
    let offices = console.app.db.read(people::offices).await?;
    Ok((office_named(&offices, office).ok_or(Failure::NotFound)?.office, day))
}

fn with_names(
    tx: &mut Tx<'_>,
    console: &Console,
    rows: Vec<Later>,
) -> Result<Vec<(Later, String)>, PeopleError> {
    let mut named = Vec::with_capacity(rows.len());
    for row in rows {
        let name = masked_name(tx, &console.app.vault, row.member)?;
        named.push((row, name));
    }
    Ok(named)
}

/// Reads a day with what people typed about it.
pub(super) fn read(
    tx: &mut Tx<'_>,
    console: &Console,
    of: (OfficeId, Day),
    asked: Asked,
) -> Result<Option<Read>, PeopleError> {
    let Some(sheet) = store::sheet(tx, of, console.app.now())? else { return Ok(None) };
    let lines = sheet.parts.iter().filter(|part| part.is_expected).flat_map(|part| {
        let name = sheet.name_of(part.device);
        part.day.lines.iter().map(move |line| (line.clone(), name.clone()))
    });
    let chosen = day_lines::choose(lines.collect(), asked);
    let names = day_lines::names(tx, &console.app.vault, &chosen)?;
    let adjustments = store::adjustments(tx, &sheet.cash.office, of.1)?;
    let since = store::since_closed(tx, &sheet)?;
    let mut reasons = BTreeMap::new();
    for commitment in sheet.steps.iter().filter_map(|step| step.what.reason()) {
        let text = Note::read(tx, console.app.keys.open_key(), commitment)?;
        reasons.extend(text.map(|text| (commitment, text)));
    }
    Ok(Some(Read {
        people: people_named(tx, sheet.steps.iter().map(|step| step.by.as_str()))?,
        desk: desk_names(tx, &sheet.cash)?,
        adjustments: with_names(tx, console, adjustments)?,
        since: with_names(tx, console, since)?,
        lines: (chosen, names),
        reasons,
        sheet,
    }))
}

#[derive(Template)]
#[template(path = "office_day.html")]
struct DayPage {
    ui: Ui,
    link: String,
    of: Shown,
    lines: Lines,
    /// Somebody may open it again.
    may_reopen: bool,
    /// Which form was wrong: the name of a difference, `sign` or `reopen`.
    wrong: String,
    /// What was typed there.
    typed: String,
    error: String,
}

/// A form that was not taken: which, what was typed, and the key of the words that say why.
struct Wrong {
    form: String,
    typed: String,
    key: &'static str,
}

/// The page.
pub async fn page(
    State(console): State<Console>,
    Path((office, day)): Path<(String, String)>,
    Query(query): Query<LinesQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let of = place(&console, &office, &day).await?;
    let from = query.from.as_deref().and_then(|from| from.parse().ok());
    let asked = Asked::of(query.only.as_deref(), from, query.rows.as_deref());
    show(&console, by, (of, asked), None).await
}

async fn show(
    console: &Console,
    by: SignedIn,
    (of, asked): ((OfficeId, Day), Asked),
    wrong: Option<Wrong>,
) -> Result<Response, Failure> {
    let (actor, role, ui) = (by.actor().to_string(), by.session.account.role, by.ui.at("days"));
    let own = console.clone();
    let read = console.app.db.read(move |tx| read(tx, &own, of, asked)).await?.ok_or(Failure::NotFound)?;
    let link = format!("/days/{}/{}", of.0, of.1);
    let zone = read.sheet.cash.office.clock.tz().unwrap_or(ui.zone);
    let number = |line: &Line, name: &String| format!("{name} · {}", line.fact.seq);
    let (chosen, names) = (&read.lines.0, read.lines.1.clone());
    let lines = Lines::of((&ui, zone), (&format!("{link}?"), asked), (chosen, names), number);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let error = wrong.as_ref().map_or_else(String::new, |wrong| ui.t(wrong.key));
    let (form, typed) = wrong.map_or_else(Default::default, |wrong| (wrong.form, wrong.typed));
    let page = DayPage {
        of: shown(&ui, zone, &read, &actor),
        may_reopen: role.reopens_days() && read.sheet.standing.first.is_some(),
        wrong: form,
        link,
        lines,
        typed,
        error,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// The key of the words that say why something is not done to a day.
pub(super) fn refusal(why: NotDone) -> &'static str {
    match why {
        NotDone::Unknown => "oday-not-there",
        NotDone::Running => "oday-not-over",
        NotDone::NoReason => "oday-not-explained",
        NotDone::Changed => "oday-not-seen",
        NotDone::SamePerson => "oday-not-twice",
        NotDone::Signed => "oday-not-closed",
        NotDone::NotSigned => "oday-not-signed",
        NotDone::NoDifference => "oday-not-different",
    }
}

/// What a form of the page, or a program, wants done to a day.
pub(super) enum Wish {
    /// Give the reason of a difference.
    Explain(Hash),
    /// Sign what was seen.
    Sign(Hash),
    /// Open it again.
    Reopen,
}

/// Does it; in the answer the key of what stands against it. Opening again is for few.
pub(super) async fn do_it(
    console: &Console,
    posted: &Posted,
    (of, wish): ((OfficeId, Day), Wish),
) -> Result<Result<(), &'static str>, Failure> {
    if matches!(wish, Wish::Reopen) && !posted.by.session.account.role.reopens_days() {
        return Err(Failure::Role);
    }
    let reason = posted.fields.get("reason");
    if !matches!(wish, Wish::Sign(_)) && reason.is_empty() {
        return Ok(Err("reason-missing"));
    }
    let (note, actor) = (note(console, reason)?, posted.by.actor());
    let at = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| match wish {
        Wish::Explain(difference) => store::explain(tx, (of, difference), (&note, &actor), at),
        Wish::Sign(seen) => store::sign(tx, (of, seen), &actor, at),
        Wish::Reopen => store::reopen(tx, of, (&note, &actor), at),
    };
    Ok(console.app.write(work).await?.map_err(refusal))
}

/// Takes a form of the page: `do` explain with `difference` and `reason`, sign with `seen`, or reopen with `reason`.
pub async fn act(
    State(console): State<Console>,
    Path((office, day)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let of = place(&console, &office, &day).await?;
    let field = |name: &str| posted.fields.get(name).to_owned();
    let hash = |name: &str| posted.fields.get(name).parse::<Hash>().map_err(|_| Failure::Form);
    let (wish, form) = match posted.fields.get("do") {
        "explain" => (Wish::Explain(hash("difference")?), field("difference")),
        "sign" => (Wish::Sign(hash("seen")?), "sign".to_owned()),
        "reopen" => (Wish::Reopen, "reopen".to_owned()),
        _ => return Err(Failure::Form),
    };
    match do_it(&console, &posted, (of, wish)).await? {
        Ok(()) => Ok(go(&format!("/days/{}/{}", of.0, of.1))),
        Err(key) => {
            let wrong = Wrong { form, typed: field("reason"), key };
            show(&console, posted.by, (of, Asked::default()), Some(wrong)).await
        }
    }
}
