//! 活动: the list of activities with its filters, and the form of a plan (K25). The rules are the API's.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::Admission;
use hufu_shared::dictionary::{self, Term};
use hufu_shared::ids::ActivityId;
use hufu_shared::member::{OccurrenceRow, OccurrenceState, OfficeRow};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::{DAY_US, Instant, OfficeClock};

use super::Console;
use super::activities::{ActivitiesQuery, Whole};
use super::activity_plan::plan_it;
use super::failure::{Failure, go};
use super::leases::amount;
use super::pages::{PAGE_ROWS, cursor_down, next};
use super::signed::{Posted, SignedIn};
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::random;
use crate::rules::activity::State as Where;
use crate::rules::world::KnownActivity;
use crate::store::people::{self, PeopleError};
use crate::store::{activities as store, joining, told};

/// How often an activity is held, as the form offers it.
const RHYTHMS: [&str; 3] = ["day", "week", "month"];

/// An activity as the list shows it.
struct Row {
    link: String,
    name: String,
    kind: String,
    place: String,
    heads: String,
    cost: String,
    state: String,
    tone: &'static str,
    planned: String,
}

/// The colour of a state's badge.
pub(super) fn tone(state: Where) -> &'static str {
    match state {
        Where::Planned => "wait",
        Where::Approved => "ok",
        Where::Returned => "bad",
        Where::Ended => "plain",
    }
}

/// The word of a kind, or its code where the dictionary has lost it.
pub(super) fn kind_word(ui: &Ui, kinds: &[Term], code: &str) -> String {
    kinds.iter().find(|term| term.code == code).map_or_else(|| code.to_owned(), |term| ui.pick(&term.words))
}

fn row(ui: &Ui, kinds: &[Term], id: ActivityId, known: &KnownActivity) -> Row {
    let plan = &known.plan;
    Row {
        link: format!("/activities/{id}"),
        name: ui.pick(&plan.name),
        kind: kind_word(ui, kinds, &plan.kind),
        place: plan.place.clone(),
        heads: number(plan.heads.into()),
        cost: amount(ui, Unit::Cny, plan.cost.0),
        state: ui.t(&format!("activity-state-{}", known.state.code())),
        tone: tone(known.state),
        planned: ui.time(known.planned),
    }
}

/// Code and word of a choice.
type Choice = (String, String);

/// The form of a plan: a new one, or one that is there and is planned anew.
pub(super) struct PlanForm {
    pub(super) kinds: Vec<Choice>,
    pub(super) rhythms: Vec<Choice>,
    pub(super) admissions: Vec<Choice>,
    /// Codes of the offices with their names, to be written into the field.
    pub(super) offices: String,
    /// What stands in the fields, by their names.
    pub(super) typed: Vec<(String, String)>,
    /// The activity that is planned anew; empty for a new one.
    pub(super) activity: String,
    /// Under which a new one is written, however often the form is sent.
    pub(super) key: String,
}

impl PlanForm {
    /// Over what the books offer, with what stands in the fields.
    pub(super) fn of(
        ui: &Ui,
        (kinds, offices): (&[Term], &[OfficeRow]),
        (activity, typed): (Option<ActivityId>, Vec<(String, String)>),
    ) -> Result<Self, Failure> {
        let kinds = kinds.iter().filter(|term| !term.retired);
        let offices = offices.iter().map(|row| format!("{} {}", row.code, ui.pick(&row.name)));
        let admissions = Admission::CODES.map(|(_, code)| code);
        let worded = |of: &str, code: &str| (code.to_owned(), ui.t(&format!("activity-{of}-{code}")));
        Ok(Self {
            kinds: kinds.map(|term| (term.code.clone(), ui.pick(&term.words))).collect(),
            rhythms: RHYTHMS.map(|code| worded("every", code)).into(),
            admissions: admissions.map(|code| worded("admission", code)).into(),
            offices: offices.collect::<Vec<_>>().join(&ui.t("list-and")),
            typed,
            activity: activity.map_or_else(String::new, |id| id.to_string()),
            key: ActivityId::new(ui.now, random::bytes()?).to_string(),
        })
    }

    /// What stands in a field.
    pub(super) fn typed(&self, name: &str) -> &str {
        self.typed.iter().find(|field| field.0 == name).map_or("", |field| &field.1)
    }
}

/// What stands in the form of a plan that is written anew.
pub(super) fn typed_of(ui: &Ui, whole: &Whole) -> Vec<(String, String)> {
    let plan = &whole.known.plan;
    let rows = whole.rows.iter().map(|(row, _)| row).filter(|row| row.state != OccurrenceState::Ended);
    let rows: Vec<&OccurrenceRow> = rows.collect();
    let first = rows.first();
    // The clock by which plans are written, which need not be that of the page.
    let zone = OfficeClock::default().tz().unwrap_or(ui.zone);
    let local = |at: Instant| ui.time_in(at, zone).replace(' ', "T");
    let apart = first.zip(rows.get(1)).map(|(first, second)| second.starts.since(first.starts) / DAY_US);
    let every = match apart {
        None | Some(..=1) => "day",
        Some(2..=7) => "week",
        Some(_) => "month",
    };
    let mut typed = vec![
        ("name_zh", plan.name.zh.clone()),
        ("name_en", plan.name.en.clone()),
        ("kind", plan.kind.clone()),
        ("place", plan.place.clone()),
        ("programme", plan.programme.clone()),
        ("heads", plan.heads.to_string()),
        ("yuan", plain_yuan(plan.cost)),
        ("admission", whole.admission().code().to_owned()),
        ("every", every.to_owned()),
        ("times", rows.len().to_string()),
    ];
    if let Some(row) = first {
        typed.extend([
            ("starts", local(row.starts)),
            ("ends", local(row.ends)),
            ("places", row.places.map_or_else(String::new, |places| places.to_string())),
            ("points", row.points.0.to_string()),
            ("companions", row.companions_most().to_string()),
            ("offices", whole.codes(row).join(",")),
            ("levels", row.audience.levels.join(",")),
            ("listed", if row.audience.listed { "1" } else { "" }.to_owned()),
        ]);
    }
    typed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An amount as a field takes it: without commas.
fn plain_yuan(cost: Amount) -> String {
    cost.display(Unit::Cny).replace(',', "")
}

#[derive(Template)]
#[template(path = "activities.html")]
struct ListPage {
    ui: Ui,
    rows: Vec<Row>,
    states: Vec<Choice>,
    kinds: Vec<Choice>,
    state: String,
    kind: String,
    next: String,
    form: PlanForm,
    error: String,
}

/// Activities, the newest plan in front, and a form for one more, with the points that the scheme gives for taking part.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<ActivitiesQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let now = console.app.now();
    let points = console.app.db.read(move |tx| told::plan_points(tx, now)).await?;
    let typed = points.map(|points| ("points".to_owned(), points.to_string()));
    show(&console, by.ui.at("activities"), query, (typed.into_iter().collect(), "")).await
}

async fn show(
    console: &Console,
    ui: Ui,
    query: ActivitiesQuery,
    (typed, error): (Vec<(String, String)>, &str),
) -> Result<Response, Failure> {
    if !query.state.is_empty() && Where::from_code(&query.state).is_none() {
        return Err(Failure::NotFound);
    }
    let from = cursor_down(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let (state, kind) = (query.state.clone(), query.kind.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let page = store::newest(tx, (&state, &kind), (from.0, ActivityId(from.1)), PAGE_ROWS)?;
        Ok((page, joining::terms(tx, dictionary::ACTIVITY_KIND)?, people::offices(tx)?))
    };
    let (page, kinds, offices) = console.app.db.read(load).await?;
    let next = page.last().and_then(|(id, known)| next((page.len(), PAGE_ROWS), known.planned, &id.0));
    let link =
        |after: String| format!("/activities?state={}&kind={}&cursor={after}", query.state, query.kind);
    let states = [Where::Planned, Where::Approved, Where::Returned, Where::Ended].map(Where::code);
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = ListPage {
        rows: page.iter().map(|(id, known)| row(&ui, &kinds, *id, known)).collect(),
        states: states.map(|code| (code.to_owned(), ui.t(&format!("activity-state-{code}")))).into(),
        kinds: kinds.iter().map(|term| (term.code.clone(), ui.pick(&term.words))).collect(),
        next: next.map_or_else(String::new, link),
        form: PlanForm::of(&ui, (&kinds, &offices), (None, typed))?,
        state: query.state,
        kind: query.kind,
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Plans one, or plans one anew.
pub async fn plan(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    match plan_it(&console, &posted).await? {
        Ok((id, _)) => Ok(go(&format!("/activities/{id}"))),
        Err("activity-none") => Err(Failure::NotFound),
        Err(key) => {
            let typed = posted.fields.all().map(|(name, value)| (name.to_owned(), value.to_owned()));
            let shown = (typed.collect(), key);
            match posted.fields.get("activity").parse() {
                Ok(id) => super::activity_page::replanned(&console, &posted, id, shown).await,
                Err(_) => {
                    let ui = posted.by.ui.clone().at("activities");
                    show(&console, ui, ActivitiesQuery::default(), shown).await
                }
            }
        }
    }
}
