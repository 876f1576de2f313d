//! One activity 活动: its plan with who decides it, its holdings with who comes and came, and what it cost (K25, K26, K28).
//! The rules are the API's.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::dictionary;
use hufu_shared::ids::{ActivityId, OccurrenceId};
use hufu_shared::member::{OccurrenceRow, OccurrenceState};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::rules::activity::{Coming, per_head};

use super::Console;
use super::activities::{Whole, cost_it, decide_it, load};
use super::activities_page::{PlanForm, kind_word, tone, typed_of};
use super::failure::{Failure, go};
use super::leases::amount;
use super::signed::{Posted, SignedIn};
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::rules::activity::{self as rule, State as Where};
use crate::store::activities::Heads;
use crate::store::joining;
use crate::store::people::{self, PeopleError};
use crate::store::rows::occurrence_state_code;

/// A holding, as the page of its activity lists it.
struct HoldingRow {
    id: String,
    link: String,
    time: String,
    state: String,
    tone: &'static str,
    places: String,
    invited: String,
    placed: String,
    waiting: String,
    came: String,
    no_shows: String,
    cost: String,
    head: String,
}

/// An item of what it cost.
struct CostRow {
    item: u32,
    what: String,
    whose: String,
    cost: String,
}

/// Members and companions, told apart: `30 + 12`.
pub(super) fn apart(ui: &Ui, members: u64, companions: u64) -> String {
    let text = |count: u64| number(i64::try_from(count).unwrap_or(i64::MAX));
    ui.t_with("activity-apart", &[("members", &text(members)), ("companions", &text(companions))])
}

/// The colour of a holding's badge.
pub(super) fn holding_tone(state: OccurrenceState) -> &'static str {
    match state {
        OccurrenceState::Planned => "wait",
        OccurrenceState::Approved => "ok",
        OccurrenceState::Ended => "plain",
    }
}

/// From when to when, the day said once where both are the same.
pub(super) fn span(ui: &Ui, row: &OccurrenceRow) -> String {
    let (starts, ends) = (ui.time(row.starts), ui.time(row.ends));
    let (day, time) = ends.split_once(' ').unwrap_or((ends.as_str(), ""));
    let short = if starts.starts_with(day) { time } else { ends.as_str() };
    format!("{starts} – {short}")
}

fn holding(ui: &Ui, row: &OccurrenceRow, heads: &Heads, cost: Option<Amount>) -> HoldingRow {
    let fen = |fen: Option<Amount>| fen.map_or_else(String::new, |fen| amount(ui, Unit::Cny, fen.0));
    let with = |coming| apart(ui, heads.count(coming), heads.announced(coming));
    let is_over = row.state == OccurrenceState::Ended;
    HoldingRow {
        id: row.occurrence.to_string(),
        link: format!("/occurrences/{}", row.occurrence),
        time: span(ui, row),
        state: ui.t(&format!("holding-state-{}", occurrence_state_code(row.state))),
        tone: holding_tone(row.state),
        places: row.places.map_or_else(|| ui.t("activity-no-limit"), |places| number(places.into())),
        invited: number(i64::try_from(heads.count(Coming::Invited)).unwrap_or(i64::MAX)),
        placed: with(Coming::Placed),
        waiting: with(Coming::Waiting),
        came: apart(ui, heads.attended.into(), heads.companions.into()),
        no_shows: if is_over { heads.no_shows.to_string() } else { String::new() },
        cost: fen(cost),
        head: fen(cost.and_then(|cost| per_head(cost, heads.came()))),
    }
}

#[derive(Template)]
#[template(path = "activity.html")]
struct OnePage {
    ui: Ui,
    link: String,
    name: String,
    kind: String,
    state: String,
    tone: &'static str,
    facts: Vec<(String, String)>,
    programme: String,
    holdings: Vec<HoldingRow>,
    costs: Vec<CostRow>,
    next_item: u32,
    total: String,
    waits: bool,
    is_own: bool,
    /// The form to plan it anew; none once it has begun.
    form: Option<PlanForm>,
    error: String,
}

/// The facts of a plan, by their words.
fn facts(ui: &Ui, whole: &Whole) -> Vec<(String, String)> {
    let plan = &whole.known.plan;
    let first = whole.rows.first().map(|(row, _)| row);
    let heads = number(plan.heads.into());
    let trial = per_head(plan.cost, plan.heads).map_or_else(String::new, |fen| amount(ui, Unit::Cny, fen.0));
    let (members, companions) = whole.came();
    let companions_most = first.map_or(0, OccurrenceRow::companions_most);
    let mut facts = vec![
        ("activity-place", plan.place.clone()),
        ("activity-heads", heads),
        ("activity-cost-planned", amount(ui, Unit::Cny, plan.cost.0)),
        ("activity-head-planned", trial),
        ("activity-admission", ui.t(&format!("activity-admission-{}", whole.admission().code()))),
        ("activity-companions-most", companions_most.to_string()),
        ("activity-came", apart(ui, members.into(), companions.into())),
    ];
    if let Some(row) = first {
        facts.push(("activity-points", number(row.points.0)));
        facts.push(("activity-offices", whole.codes(row).join(&ui.t("list-and"))));
        facts.push(("activity-levels", row.audience.levels.join(&ui.t("list-and"))));
    }
    let facts = facts.into_iter().filter(|fact| !fact.1.is_empty());
    facts.map(|(key, value)| (ui.t(key), value)).collect()
}

/// One activity.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<ActivityId>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let me = by.actor().to_string();
    show(&console, (by.ui.at("activities"), me), id, (None, "")).await
}

/// The same after a form by which it was to be planned anew could not be taken: with what was typed.
pub(super) async fn replanned(
    console: &Console,
    posted: &Posted,
    id: ActivityId,
    (typed, error): (Vec<(String, String)>, &str),
) -> Result<Response, Failure> {
    let (ui, me) = (posted.by.ui.clone().at("activities"), posted.by.actor().to_string());
    show(console, (ui, me), id, (Some(typed), error)).await
}

async fn show(
    console: &Console,
    (ui, me): (Ui, String),
    id: ActivityId,
    (typed, error): (Option<Vec<(String, String)>>, &str),
) -> Result<Response, Failure> {
    let read = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        Ok((load(tx, id)?, joining::terms(tx, dictionary::ACTIVITY_KIND)?, people::offices(tx)?))
    };
    let (whole, kinds, offices) = console.app.db.read(read).await?;
    let whole = whole.ok_or(Failure::NotFound)?;
    let shares = whole.shared_out().unwrap_or_default();
    let stood: Vec<OccurrenceRow> = whole.rows.iter().map(|(row, _)| row.clone()).collect();
    let form = if rule::may_plan(Some(whole.known.state), &stood, ui.now) {
        let typed = typed.unwrap_or_else(|| typed_of(&ui, &whole));
        Some(PlanForm::of(&ui, (&kinds, &offices), (Some(id), typed))?)
    } else {
        None
    };
    let holdings = whole.rows.iter().enumerate();
    let holdings = holdings.map(|(at, (row, heads))| holding(&ui, row, heads, shares.get(at).copied()));
    let time_of = |id: OccurrenceId| stood.iter().find(|row| row.occurrence == id).map(|row| span(&ui, row));
    let costs = whole.costs.iter().map(|item| CostRow {
        item: item.item,
        what: item.what.clone(),
        whose: item.occurrence.and_then(time_of).unwrap_or_else(|| ui.t("activity-cost-common")),
        cost: amount(&ui, Unit::Cny, item.cost.0),
    });
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = OnePage {
        link: format!("/activities/{id}"),
        name: ui.pick(&whole.known.plan.name),
        kind: kind_word(&ui, &kinds, &whole.known.plan.kind),
        state: ui.t(&format!("activity-state-{}", whole.known.state.code())),
        tone: tone(whole.known.state),
        facts: facts(&ui, &whole),
        programme: whole.known.plan.programme.clone(),
        holdings: holdings.collect(),
        costs: costs.collect(),
        next_item: whole.costs.iter().map(|item| item.item).max().unwrap_or(0).saturating_add(1),
        total: amount(&ui, Unit::Cny, shares.iter().map(|cost| cost.0).sum()),
        waits: whole.known.state == Where::Planned,
        is_own: whole.known.planned_by == me,
        form,
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui: ui.clone(),
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Approves a plan, sends it back, or writes down what something cost.
pub async fn act(
    State(console): State<Console>,
    Path(id): Path<ActivityId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let done = match posted.fields.get("step") {
        "approve" => decide_it(&console, &posted, (id, true)).await?,
        "return" => decide_it(&console, &posted, (id, false)).await?,
        "cost" => cost_it(&console, &posted, id).await?,
        _ => Err("verdict-none"),
    };
    match done {
        Ok(()) => Ok(go(&format!("/activities/{id}"))),
        Err("activity-none") => Err(Failure::NotFound),
        Err(key) => {
            let (ui, me) = (posted.by.ui.clone().at("activities"), posted.by.actor().to_string());
            show(&console, (ui, me), id, (None, key)).await
        }
    }
}
