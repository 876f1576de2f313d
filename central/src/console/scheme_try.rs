//! The what-if panel: a made-up history, or what a member paid, line by line with the numbers of the rules, by the library
//! that the ledger uses. Nothing is written. Out of scope: what else a member did; a person can add it to the history.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::rules::whatif;
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::ready::READY;
use hufu_shared::time::Day;

use super::Console;
use super::failure::Failure;
use super::scheme_text;
use super::schemes::{known, today};
use super::signed::{Fields, Posted, SignedIn};
use super::ui::{Ui, change, number};
use crate::commands::what_if::{level_name, sentence, table};
use crate::db::Tx;
use crate::store::levels::stand;
use crate::store::{StoreError, people};

/// What stands in the form at first.
const EXAMPLE: &str =
    "day,what,fen\n2026-01-10,card,\n2026-01-10,purchase,10000\n2026-02-01,purchase,250000\n";
/// The choice of the club's own versions.
const OWN: &str = "own";

struct LineShown {
    day: String,
    rule: String,
    says: String,
    points: String,
    after: String,
    growth: String,
}

struct Reckoned {
    facts: Vec<(String, String)>,
    lines: Vec<LineShown>,
    ends: Vec<String>,
}

#[derive(Template)]
#[template(path = "scheme_try.html")]
struct TryPage {
    ui: Ui,
    /// Which schemes can be tried: code, name, whether it is chosen.
    choices: Vec<(String, String, bool)>,
    history: String,
    number: String,
    born: String,
    until: String,
    error: String,
    reckoned: Option<Reckoned>,
}

/// The versions of a choice.
async fn chosen(console: &Console, choice: &str) -> Result<Vec<Scheme>, Failure> {
    if choice == OWN {
        let known = known(console).await?;
        return Ok(known.terms.iter().filter_map(|terms| known.scheme(terms)).collect());
    }
    let ready = READY.iter().find(|ready| ready.id == choice).ok_or(Failure::NotFound)?;
    Ok(scheme_text::read(ready.text).into_iter().collect())
}

fn reckon(ui: &Ui, schemes: &[Scheme], fields: &Fields) -> Result<Reckoned, String> {
    let unread = |why: String| ui.t_with("try-unread", &[("why", &why)]);
    if schemes.is_empty() {
        return Err(ui.t("try-no-scheme"));
    }
    let day = |name: &str| match fields.get(name) {
        "" => Ok(None),
        day => day.parse::<Day>().map(Some).map_err(|_| ui.t("try-day")),
    };
    let (born, until) = (day("born")?, day("until")?);
    let text = fields.raw("history").replace("\r\n", "\n");
    let history = table("CSV", &text, (born, "")).map_err(|error| unread(format!("{error:#}")))?;
    let last = history.events.last().map_or(history.member.joined, |event| event.day);
    let outcome = whatif::reckon(schemes, &history, until.unwrap_or(last));
    let outcome = outcome.map_err(|error| unread(error.to_string()))?;
    let end = outcome.rank_until.map_or_else(|| ui.t("whatif-word-no-end"), |day| day.to_string());
    let facts = [
        ("try-until", outcome.day.to_string()),
        ("col-level", level_name(ui.language, schemes, &outcome)),
        ("try-level-until", end),
        ("try-points", number(outcome.points)),
        ("try-pending", number(outcome.pending)),
        ("try-owed", number(outcome.owed)),
        ("try-growth", number(outcome.growth)),
    ];
    let none = |amount: i64| if amount == 0 { String::new() } else { change(amount) };
    let lines = outcome.lines.iter().map(|line| LineShown {
        day: line.day.to_string(),
        rule: line.rule.clone(),
        says: sentence(ui.language, line),
        points: none(line.points),
        after: number(line.points_after),
        growth: none(line.growth),
    });
    let ends = outcome.ends.iter().map(|(last, points)| match last {
        Some(last) => ui.t_of("whatif-ends", &[("points", number(*points)), ("last", last.to_string())]),
        None => ui.t_of("whatif-stays", &[("points", number(*points))]),
    });
    Ok(Reckoned {
        facts: facts.map(|(key, value)| (ui.t(key), value)).to_vec(),
        lines: lines.collect(),
        ends: ends.collect(),
    })
}

/// What a member paid, as a history to be tried; none if nobody has the number.
async fn history_of(console: &Console, number: &str) -> Result<Option<String>, Failure> {
    let (number, now) = (number.to_owned(), console.app.now());
    let load = move |tx: &mut Tx<'_>| -> Result<Option<Vec<(Day, i64)>>, StoreError> {
        let member = people::member_by_number(tx, &number)?;
        member.map(|member| stand::paid(tx, member, now)).transpose()
    };
    let Some(paid) = console.app.db.read(load).await? else { return Ok(None) };
    let joined = paid.first().map_or_else(|| today(console), |first| first.0);
    let mut text = format!("day,what,fen\n{joined},card,\n");
    text.extend(paid.iter().map(|(day, fen)| format!("{day},purchase,{fen}\n")));
    Ok(Some(text))
}

fn show(ui: Ui, fields: &Fields, reckoned: Option<Result<Reckoned, String>>) -> Result<Response, Failure> {
    let choice = fields.get("scheme");
    let own = (OWN.to_owned(), ui.t("try-own"), choice == OWN || choice.is_empty());
    let shipped = READY.iter().filter_map(|ready| {
        let name = ui.pick(&scheme_text::read(ready.text).ok()?.name);
        Some((ready.id.to_owned(), name, choice == ready.id))
    });
    let (reckoned, error) = match reckoned {
        None => (None, String::new()),
        Some(Ok(reckoned)) => (Some(reckoned), String::new()),
        Some(Err(error)) => (None, error),
    };
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let history = fields.raw("history");
    let page = TryPage {
        choices: [own].into_iter().chain(shipped).collect(),
        history: if history.is_empty() { EXAMPLE.to_owned() } else { history.to_owned() },
        number: fields.get("number").to_owned(),
        born: fields.get("born").to_owned(),
        until: fields.get("until").to_owned(),
        error,
        reckoned,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// The form.
pub async fn page(by: SignedIn) -> Result<Response, Failure> {
    show(by.ui.at("schemes"), &Fields::default(), None)
}

/// The form with what it comes to.
pub async fn act(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let mut posted = posted.settled()?;
    let ui = posted.by.ui.clone().at("schemes");
    // Enter in any field presses the first button, so one without a number means the history.
    if posted.fields.get("step") == "load" && !posted.fields.get("number").is_empty() {
        let history = history_of(&console, posted.fields.get("number")).await?;
        let Some(history) = history else {
            let words = ui.t("try-no-member");
            return show(ui, &posted.fields, Some(Err(words)));
        };
        posted.fields.set("history", history);
        return show(ui, &posted.fields, None);
    }
    let schemes = chosen(&console, posted.fields.get("scheme")).await?;
    let reckoned = reckon(&ui, &schemes, &posted.fields);
    show(ui, &posted.fields, Some(reckoned))
}
