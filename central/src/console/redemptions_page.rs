//! 兑付: plans with their figures, a new plan, and one plan with what members got (K24). The rules are the API's.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::{RedeemedFor, RedemptionStep, StockClass};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::money::Unit;

use super::Console;
use super::failure::{Failure, go};
use super::leases::amount;
use super::members::masked_name;
use super::redemptions::{Ran, page, plan_it, run_it, step_it};
use super::signed::{Posted, SignedIn};
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::random;
use crate::rules::redemption::State as Stands;
use crate::rules::world::KnownPlan;
use crate::store::people::{self, PeopleError};
use crate::store::redemption::{self as store, Figures};
use crate::store::stock;

/// Plans, and lines of one, that a page lists.
const LISTED_MAX: i64 = 100;

/// A plan as it is shown.
struct Row {
    link: String,
    name: String,
    period: String,
    what: String,
    state: String,
    tone: &'static str,
    heads: String,
    points: String,
    gifts: String,
    cash: String,
}

/// What a plan gives for what, in words.
pub(super) fn what_words(ui: &Ui, what: &RedeemedFor) -> String {
    match what {
        RedeemedFor::Gift { points, .. } => ui.t_with("redemption-gift-for", &[("n", &number(*points))]),
        RedeemedFor::Cash { fen_per_point, .. } => {
            ui.t_with("redemption-cash-for", &[("worth", &amount(ui, Unit::Cny, *fen_per_point))])
        }
    }
}

fn row(ui: &Ui, known: &KnownPlan, figures: Figures) -> Row {
    let terms = &known.terms;
    Row {
        link: format!("/redemptions/{}", terms.id),
        name: ui.pick(&terms.name),
        period: format!("{} – {}", terms.from, terms.until),
        what: what_words(ui, &terms.what),
        state: ui.t(&format!("redemption-{}", known.state.code())),
        tone: match known.state {
            Stands::Planned => "wait",
            Stands::Approved => "ok",
            Stands::Returned => "bad",
            Stands::Ended => "plain",
        },
        heads: number(figures.heads),
        points: number(figures.points),
        gifts: number(figures.gifts),
        cash: amount(ui, Unit::Cny, figures.fen),
    }
}

#[derive(Template)]
#[template(path = "redemptions.html")]
struct ListPage {
    ui: Ui,
    rows: Vec<Row>,
    offices: Vec<(String, String)>,
    gifts: Vec<(String, String)>,
    /// What was typed, by the names of the fields.
    typed: Vec<(String, String)>,
    once: String,
    error: String,
}

impl ListPage {
    /// What was typed into a field.
    fn typed(&self, name: &str) -> &str {
        self.typed.iter().find(|field| field.0 == name).map_or("", |field| &field.1)
    }
}

/// All plans, and a form for one more.
pub async fn list(State(console): State<Console>, by: SignedIn) -> Result<Response, Failure> {
    show_list(&console, by.ui.at("points"), Vec::new(), "").await
}

async fn show_list(
    console: &Console,
    ui: Ui,
    typed: Vec<(String, String)>,
    error: &str,
) -> Result<Response, Failure> {
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let rows = page(tx, ("-planned", i64::MAX, Hash([0xff; 32])), LISTED_MAX)?;
        Ok((rows, people::offices(tx)?, stock::items(tx)?))
    };
    let (plans, offices, items) = console.app.db.read(load).await?;
    let gifts = items.iter().filter(|item| item.class == StockClass::Gift && !item.retired);
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = ListPage {
        rows: plans.iter().map(|(known, figures)| row(&ui, known, *figures)).collect(),
        offices: offices.iter().map(|row| (row.code.clone(), ui.pick(&row.name))).collect(),
        gifts: gifts.map(|item| (item.code.clone(), ui.pick(&item.words))).collect(),
        typed,
        once: data_encoding::HEXLOWER.encode(&random::bytes::<16>()?),
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Plans one.
pub async fn plan(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    match plan_it(&console, &posted).await? {
        Ok(id) => Ok(go(&format!("/redemptions/{id}"))),
        Err(key) => {
            let typed = posted.fields.all().map(|(name, value)| (name.to_owned(), value.to_owned()));
            show_list(&console, posted.by.ui.clone().at("points"), typed.collect(), key).await
        }
    }
}

/// What a member got.
struct LineRow {
    link: String,
    who: String,
    points: String,
    what: String,
    time: String,
}

#[derive(Template)]
#[template(path = "redemption.html")]
struct OnePage {
    ui: Ui,
    row: Row,
    whom: Vec<String>,
    lines: Vec<LineRow>,
    more: bool,
    waits: bool,
    is_own: bool,
    runs: bool,
    ended: bool,
    done: String,
    error: String,
}

/// One plan.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let (ui, me) = (by.ui.clone().at("points"), by.actor().to_string());
    show_one(&console, (ui, me), id, (String::new(), String::new())).await
}

/// Whom a plan is for, in words.
pub(super) fn whom(ui: &Ui, known: &KnownPlan) -> Vec<String> {
    let by = &known.terms.by;
    let mut told = Vec::new();
    if !by.levels.is_empty() {
        told.push(ui.t_with("redemption-by-levels", &[("names", &by.levels.join(&ui.t("list-and")))]));
    }
    if !by.tags.is_empty() {
        told.push(ui.t_with("redemption-by-tags", &[("names", &by.tags.join(&ui.t("list-and")))]));
    }
    if !by.members.is_empty() {
        told.push(ui.t_with("redemption-by-members", &[("n", &by.members.len().to_string())]));
    }
    if by.at_least > 0 {
        told.push(ui.t_with("redemption-by-least", &[("n", &number(by.at_least))]));
    }
    if let Some(most) = by.at_most {
        told.push(ui.t_with("redemption-by-most", &[("n", &number(most))]));
    }
    if told.is_empty() { vec![ui.t("redemption-by-all")] } else { told }
}

async fn show_one(
    console: &Console,
    (ui, me): (Ui, String),
    id: Hash,
    (done, error): (String, String),
) -> Result<Response, Failure> {
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let Some(known) = store::plan(tx, id)? else { return Ok(None) };
        let figures = store::figures(tx, id)?;
        let mut lines = Vec::new();
        for view in store::lines(tx, id, MemberId([0; 16]), LISTED_MAX)? {
            let cash = (view.line.fen > 0).then(|| amount(&own, Unit::Cny, view.line.fen));
            let gift = || own.t_with("redemption-pieces", &[("n", &view.line.pieces.to_string())]);
            lines.push(LineRow {
                link: format!("/members/{}", view.member),
                who: format!("{} · {}", masked_name(tx, &vault, Some(view.member))?, view.number),
                points: number(-view.line.points),
                what: cash.unwrap_or_else(gift),
                time: own.time(view.at),
            });
        }
        Ok(Some((known, figures, lines)))
    };
    let (known, figures, lines) = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = OnePage {
        row: row(&ui, &known, figures),
        whom: whom(&ui, &known),
        more: figures.heads > i64::try_from(lines.len()).unwrap_or(0),
        lines,
        waits: known.state == Stands::Planned,
        is_own: known.planner == me,
        runs: known.state == Stands::Approved,
        ended: known.state == Stands::Ended,
        done,
        error,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Approves, returns, ends or carries out a plan.
pub async fn act(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let (ui, me) = (posted.by.ui.clone().at("points"), posted.by.actor().to_string());
    let done = match posted.fields.get("step") {
        "run" => run_it(&console, &posted, id).await?.ok_or(Failure::NotFound)?.map(Some),
        code => match RedemptionStep::from_code(code) {
            Some(step) => {
                step_it(&console, &posted, (id, step)).await?.ok_or(Failure::NotFound)?.map(|()| None)
            }
            None => Err("verdict-none"),
        },
    };
    let shown = match done {
        Ok(None) => return Ok(go(&format!("/redemptions/{id}"))),
        Ok(Some(Ran { redeemed, left_out })) => {
            let values = [("n", redeemed.to_string()), ("left", left_out.to_string())];
            (ui.t_of("redemption-ran", &values), String::new())
        }
        Err(key) => (String::new(), ui.t(key)),
    };
    show_one(&console, (ui, me), id, shown).await
}
