//! Activities in `/api/v1` (K25, K26, K28): plans with their holdings, approval by another person, the end of a holding,
//! and what it all cost. What cannot be done any more is answered as a conflict and changes nothing. The pages do the same
//! by the same functions.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::{Act, ActivityCostSet, ActivityDecided, Admission, OccurrenceEnded};
use hufu_shared::ids::{ActivityId, OccurrenceId, OfficeId};
use hufu_shared::member::{OccurrenceRow, OccurrenceState};
use hufu_shared::money::Amount;
use hufu_shared::rules::activity::{Coming, per_head, share_out};
use hufu_shared::time::Instant;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::activity_plan::{LINE_CHARS_MAX, cost, count, plan_it};
use super::failure::Failure;
use super::pages::{Order, rows_of};
use super::problem::Refused;
use super::signed::{Posted, SignedIn};
use super::ui::Ui;
use super::verdict::note;
use crate::db::Tx;
use crate::rules::activity::State as Where;
use crate::rules::world::KnownActivity;
use crate::store::activities::{self, Heads};
use crate::store::people::{self, PeopleError};
use crate::store::rows::occurrence_state_code;
use crate::store::{acts, journal};

/// Plans an activity, or with `activity` plans one anew: `name_zh`, `name_en`, `kind`, `place`, `programme`, `heads`,
/// `cost` in fen, `starts` and `ends` as `2026-11-22 09:00`, `every` and `times` for a recurring one, codes of `offices`
/// with commas between, `places`, `points`; `admission` once, daily (once a day), reentry (any number of times) or exits (who
/// leaves is seen, and may come back); how many `companions` a member may bring; `listed` 1 where only those may attend who
/// are expected, and the `levels` that may.
pub async fn plan(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    match plan_it(&console, &posted).await? {
        Ok((id, is_new)) => {
            let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(shown(&console, id).await?)).into_response())
        }
        Err("activity-none") => Err(Failure::NotFound.into()),
        Err(key @ "activity-begun") => Err(Refused::conflict(&ui, key)),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}

/// Which activities.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ActivitiesQuery {
    /// In this state; in any if empty.
    pub(super) state: String,
    /// Of this kind; of any if empty.
    pub(super) kind: String,
    /// `-planned` for the plan that was written last in front; the first one is by default.
    sort: Option<String>,
    /// The place after which the page begins; none for the first.
    pub(super) cursor: Option<String>,
    /// Rows of a page at most.
    pub(super) limit: Option<u32>,
}

fn plan_json(id: ActivityId, known: &KnownActivity) -> Value {
    let plan = &known.plan;
    json!({
        "activity": id, "name": plan.name, "kind": plan.kind, "place": plan.place, "programme": plan.programme,
        "heads": plan.heads, "cost_planned": plan.cost, "state": known.state.code(), "planned": known.planned,
        "decided": known.decided, "admission": plan.admission.map(Admission::code),
    })
}

/// Activities, in a `state` and of a `kind`, the one that was planned first in front, or the last by `sort`.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<ActivitiesQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    if !query.state.is_empty() && Where::from_code(&query.state).is_none() {
        return Err(Failure::NotFound.into());
    }
    let order = Order::of(query.sort.as_deref(), "planned");
    let (at, id) = order.place(&by.ui, query.cursor.as_deref())?;
    let (most, is_newest) = (rows_of(query.limit), order.name() == "-planned");
    let load = move |tx: &mut Tx<'_>| {
        let (of, from) = ((query.state.as_str(), query.kind.as_str()), (Instant(at), ActivityId(id)));
        if is_newest { activities::newest(tx, of, from, most) } else { activities::page(tx, of, from, most) }
    };
    let page = console.app.db.read(load).await?;
    let next = page.last().and_then(|(id, known)| order.next((page.len(), most), known.planned.0, &id.0));
    let rows: Vec<Value> = page.iter().map(|(id, known)| plan_json(*id, known)).collect();
    Ok(Json(json!({ "activities": rows, "next": next })))
}

/// All that is known of one activity.
pub(super) struct Whole {
    pub(super) known: KnownActivity,
    pub(super) rows: Vec<(OccurrenceRow, Heads)>,
    pub(super) costs: Vec<ActivityCostSet>,
    pub(super) offices: Vec<(OfficeId, String)>,
}

pub(super) fn load(tx: &mut Tx<'_>, id: ActivityId) -> Result<Option<Whole>, PeopleError> {
    let Some(known) = activities::activity(tx, id)? else { return Ok(None) };
    let mut heads = activities::heads(tx, id)?;
    let rows = activities::occurrences_of(tx, id)?.into_iter().map(|row| {
        let heads = heads.remove(&row.occurrence).unwrap_or_default();
        (row, heads)
    });
    let rows = rows.collect();
    let offices = people::offices(tx)?.into_iter().map(|row| (row.office, row.code)).collect();
    Ok(Some(Whole { known, rows, costs: activities::costs(tx, id)?, offices }))
}

impl Whole {
    /// What each holding cost with its share of the common cost, by all heads that came: members and companions.
    pub(super) fn shared_out(&self) -> Option<Vec<Amount>> {
        let sum = |occurrence: Option<OccurrenceId>| {
            let own = self.costs.iter().filter(|item| item.occurrence == occurrence);
            own.map(|item| item.cost.0).sum::<i64>()
        };
        let own: Vec<(Amount, u32)> =
            self.rows.iter().map(|(row, heads)| (Amount(sum(Some(row.occurrence))), heads.came())).collect();
        share_out(&own, Amount(sum(None)))
    }

    /// The codes of the offices of a holding.
    pub(super) fn codes(&self, row: &OccurrenceRow) -> Vec<String> {
        let code = |office: &OfficeId| {
            self.offices.iter().find(|known| known.0 == *office).map(|known| known.1.clone())
        };
        row.offices.iter().filter_map(code).collect()
    }

    /// How often a member comes in, as the plan chose or as its holdings were set to before plans chose.
    pub(super) fn admission(&self) -> Admission {
        let first = self.rows.first().map(|(row, _)| Admission::of(row));
        self.known.plan.admission.or(first).unwrap_or_default()
    }

    fn json(&self, id: ActivityId) -> Value {
        let shares = self.shared_out().unwrap_or_default();
        let rows = self.rows.iter().enumerate().map(|(at, (row, heads))| {
            let cost = shares.get(at).copied();
            json!({
                "occurrence": row.occurrence, "starts": row.starts, "ends": row.ends,
                "state": occurrence_state_code(row.state), "places": row.places, "points": row.points,
                "admits_once": row.admits_once, "exits": row.exits, "audience": row.audience,
                "offices": self.codes(row),
                "invited": heads.count(Coming::Invited), "placed": heads.count(Coming::Placed),
                "waiting": heads.count(Coming::Waiting), "cancelled": heads.count(Coming::Cancelled),
                "companions_placed": heads.announced(Coming::Placed),
                "companions_waiting": heads.announced(Coming::Waiting),
                "attended": heads.attended, "companions": heads.companions,
                "no_shows": (row.state == OccurrenceState::Ended).then_some(heads.no_shows),
                "cost": cost, "cost_per_head": cost.and_then(|cost| per_head(cost, heads.came())),
            })
        });
        let costs = self.costs.iter().map(|item| {
            json!({ "item": item.item, "what": item.what, "occurrence": item.occurrence, "cost": item.cost })
        });
        let total: i64 = shares.iter().map(|cost| cost.0).sum();
        let (members, companions) = self.came();
        let mut whole = plan_json(id, &self.known);
        whole["admission"] = json!(self.admission().code());
        whole["occurrences"] = rows.collect();
        whole["costs"] = costs.collect();
        whole["cost"] = json!(Amount(total));
        whole["attended"] = json!(members);
        whole["companions"] = json!(companions);
        whole["cost_per_head"] = json!(per_head(Amount(total), members.saturating_add(companions)));
        // Before anybody came: what a head would cost if all come that are expected.
        whole["cost_per_head_planned"] = json!(per_head(self.known.plan.cost, self.known.plan.heads));
        whole
    }

    /// Members and companions who came, over all holdings.
    pub(super) fn came(&self) -> (u32, u32) {
        let sum = |of: fn(&Heads) -> u32| self.rows.iter().map(|row| of(&row.1)).fold(0, u32::saturating_add);
        (sum(|heads| heads.attended), sum(|heads| heads.companions))
    }
}

async fn shown(console: &Console, id: ActivityId) -> Result<Value, Refused> {
    let whole = console.app.db.read(move |tx| load(tx, id)).await?;
    Ok(whole.ok_or(Failure::NotFound)?.json(id))
}

/// One activity: its plan, each holding with who comes and came, and what it cost.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<ActivityId>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    Ok(Json(shown(&console, id).await?))
}

/// How programs are told what keeps a step of an activity from being taken.
fn refused(ui: &Ui, key: &'static str) -> Refused {
    match key {
        "activity-none" => Failure::NotFound.into(),
        "reason-missing" => Refused::unfit(ui, key),
        _ => Refused::conflict(ui, key),
    }
}

/// Approves a plan or sends it back; answers the key of what keeps it from that.
pub(super) async fn decide_it(
    console: &Console,
    posted: &Posted,
    (id, approved): (ActivityId, bool),
) -> Result<Result<(), &'static str>, Failure> {
    let reason = posted.fields.get("reason");
    if reason.is_empty() {
        return Ok(Err("reason-missing"));
    }
    let note = note(console, reason)?;
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let Some(known) = activities::activity(tx, id)? else { return Ok(Err("activity-none")) };
        if known.state != Where::Planned {
            return Ok(Err("activity-decided"));
        }
        note.put(tx, Some(staff), now)?;
        let decided = ActivityDecided { activity: id, approved, reason: note.commitment };
        let given = acts::take(tx, entry, now, &actor, &Act::ActivityDecided(decided))?;
        // It waited until this very act: only that it is their own plan can keep somebody from deciding it.
        Ok(if given.activities.contains_key(&id) { Ok(()) } else { Err("activity-own") })
    };
    Ok(console.app.write(work).await?)
}

/// Approves a plan (`approved` 1) or sends it back (0), by somebody who did not write it.
pub async fn decide(
    State(console): State<Console>,
    Path(id): Path<ActivityId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let approved = match posted.fields.get("approved") {
        "1" => true,
        "0" => false,
        _ => return Err(Refused::unfit(&ui, "verdict-none")),
    };
    match decide_it(&console, &posted, (id, approved)).await? {
        Ok(()) => Ok(Json(shown(&console, id).await?)),
        Err(key) => Err(refused(&ui, key)),
    }
}

/// Ends a holding; answers the key of what keeps it from that.
pub(super) async fn end_it(
    console: &Console,
    posted: &Posted,
    id: OccurrenceId,
) -> Result<Result<(), &'static str>, Failure> {
    let reason = posted.fields.get("reason");
    if reason.is_empty() {
        return Ok(Err("reason-missing"));
    }
    let note = note(console, reason)?;
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let Some(row) = people::occurrence(tx, id)? else { return Ok(Err("activity-none")) };
        if row.state != OccurrenceState::Approved {
            return Ok(Err("activity-not-running"));
        }
        note.put(tx, Some(staff), now)?;
        let ended = OccurrenceEnded { occurrence: id, reason: note.commitment };
        acts::take(tx, entry, now, &actor, &Act::OccurrenceEnded(ended))?;
        Ok(Ok(()))
    };
    Ok(console.app.write(work).await?)
}

/// Ends a holding (结束): it takes no attendance any more. Before it began that calls it off.
pub async fn end(
    State(console): State<Console>,
    Path(id): Path<OccurrenceId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    match end_it(&console, &posted, id).await? {
        Ok(()) => Ok(Json(json!({ "occurrence": id, "state": "ended" }))),
        Err(key) => Err(refused(&ui, key)),
    }
}

/// Writes down an item of the cost of an activity that is there; answers the key of what is wrong with it.
pub(super) async fn cost_it(
    console: &Console,
    posted: &Posted,
    id: ActivityId,
) -> Result<Result<(), &'static str>, Failure> {
    let fields = &posted.fields;
    let item = count(fields, "item", u32::MAX).ok().flatten().filter(|item| *item > 0);
    let (Some(item), Some(cost)) = (item, cost(fields).ok().flatten()) else {
        return Ok(Err("activity-number"));
    };
    let what = fields.get("what").to_owned();
    if !(1..=LINE_CHARS_MAX).contains(&what.chars().count()) {
        return Ok(Err("activity-text"));
    }
    let occurrence = match fields.get("occurrence") {
        "" => None,
        id => match id.parse() {
            Ok(id) => Some(id),
            Err(_) => return Ok(Err("activity-occurrence")),
        },
    };
    let set = ActivityCostSet { activity: id, item, what, occurrence, cost };
    let given = console.app.act(posted.by.actor(), Act::ActivityCostSet(set)).await?;
    let is_taken = given.activity_costs.contains_key(&(id, item));
    Ok(if is_taken { Ok(()) } else { Err("activity-occurrence") })
}

/// Writes down an item of what an activity cost: its number `item`, `what`, `cost` in fen, and the `occurrence` that it was
/// for, or none for what is common to all. A cost of 0 takes the item out.
pub async fn set_cost(
    State(console): State<Console>,
    Path(id): Path<ActivityId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    shown(&console, id).await?;
    match cost_it(&console, &posted, id).await? {
        Ok(()) => Ok(Json(shown(&console, id).await?)),
        Err(key) => Err(Refused::unfit(&posted.by.ui, key)),
    }
}
