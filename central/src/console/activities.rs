//! Activities in `/api/v1` (K25, K26, K28): plans with their holdings, approval by another person, the end of a holding,
//! and what it all cost. What cannot be done any more is answered as a conflict and changes nothing.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::{
    Act, ActivityCostSet, ActivityDecided, ActivityPlan, ActivityPlanned, OccurrenceEnded,
};
use hufu_shared::dictionary;
use hufu_shared::ids::{ActivityId, OccurrenceId, OfficeId};
use hufu_shared::member::{Audience, OccurrenceRow, OccurrenceState};
use hufu_shared::money::Amount;
use hufu_shared::rules::activity::{Coming, Every, holdings, per_head, share_out};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Instant, OfficeClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::applications::{cursor, next, rows_of};
use super::failure::Failure;
use super::problem::Refused;
use super::signed::{Fields, Posted, SignedIn};
use super::verdict::reasoned;
use crate::db::Tx;
use crate::import::text;
use crate::random;
use crate::rules::activity::{self as rule, State as Where};
use crate::rules::world::KnownActivity;
use crate::store::activities::{self, Heads};
use crate::store::people::{self, PeopleError, office_of};
use crate::store::rows::occurrence_state_code;
use crate::store::{acts, joining, journal};

/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 50;
/// Characters of a place, and of what was paid for.
const LINE_CHARS_MAX: usize = 100;
/// Characters of a programme at most (rule C3).
const PROGRAMME_CHARS_MAX: usize = 2_000;
/// Points for one attendance at most: above that a comma was forgotten.
const POINTS_MAX: u32 = 1_000_000;
/// Fen of one cost at most.
const COST_MAX: i64 = 100_000_000_000;

/// What was written, before it is known to the books.
struct Written {
    plan: ActivityPlan,
    times: Vec<(Instant, Instant)>,
    offices: Vec<String>,
    places: Option<u32>,
    points: u32,
    admits_once: bool,
    exits: bool,
    audience: Audience,
}

/// A whole number; what is left out is none.
fn whole<T: std::str::FromStr>(fields: &Fields, name: &str) -> Result<Option<T>, ()> {
    match fields.get(name) {
        "" => Ok(None),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().map(Some).map_err(|_| ()),
        _ => Err(()),
    }
}

/// What stands between commas.
fn names(text: &str) -> Vec<String> {
    text.split([',', '，']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl Written {
    fn of(fields: &Fields, activity: ActivityId) -> Result<Self, &'static str> {
        let line = |name: &str, most: usize, needed: bool| {
            let text = fields.get(name);
            let chars = text.chars().count();
            (chars <= most && (chars > 0 || !needed)).then(|| text.to_owned()).ok_or("activity-text")
        };
        let zh = line("name_zh", NAME_CHARS_MAX, true)?;
        let en = Some(line("name_en", NAME_CHARS_MAX, false)?).filter(|en| !en.is_empty());
        let number = |name: &str| whole::<u32>(fields, name).map_err(|()| "activity-number");
        let cost = whole::<i64>(fields, "cost").map_err(|()| "activity-number")?.unwrap_or(0);
        let points = number("points")?.unwrap_or(0);
        if cost > COST_MAX || points > POINTS_MAX || number("places")? == Some(0) {
            return Err("activity-number");
        }
        Ok(Self {
            plan: ActivityPlan {
                activity,
                name: Words { en: en.unwrap_or_else(|| zh.clone()), zh },
                kind: fields.get("kind").to_owned(),
                place: line("place", LINE_CHARS_MAX, false)?,
                programme: line("programme", PROGRAMME_CHARS_MAX, false)?,
                heads: number("heads")?.unwrap_or(0),
                cost: Amount(cost),
            },
            times: times(fields)?,
            offices: names(fields.get("offices")),
            places: number("places")?,
            points,
            admits_once: fields.get("admits_once") != "0",
            exits: fields.get("exits") == "1",
            audience: Audience { listed: fields.get("listed") == "1", levels: names(fields.get("levels")) },
        })
    }

    /// The holdings; those that stood keep their names in the order of their starts.
    fn rows(
        &self,
        stood: &[OccurrenceRow],
        offices: &[OfficeId],
        mut fresh: impl FnMut() -> Result<OccurrenceId, Failure>,
    ) -> Result<Vec<OccurrenceRow>, Failure> {
        let mut stood = stood.iter().filter(|row| row.state != OccurrenceState::Ended);
        let mut row = |(starts, ends): &(Instant, Instant)| -> Result<OccurrenceRow, Failure> {
            let before = stood.next();
            Ok(OccurrenceRow {
                occurrence: before.map_or_else(&mut fresh, |row| Ok(row.occurrence))?,
                activity: self.plan.activity,
                name: self.plan.name.clone(),
                starts: *starts,
                ends: *ends,
                state: OccurrenceState::Planned,
                admits_once: self.admits_once,
                points: Amount(self.points.into()),
                places: self.places,
                offices: offices.to_vec(),
                exits: self.exits,
                gifts: before.map_or_else(Vec::new, |row| row.gifts.clone()),
                guests: Vec::new(),
                audience: self.audience.clone(),
            })
        };
        self.times.iter().map(&mut row).collect()
    }
}

/// When it is held: `starts` and `ends` of the first time, `every` day, week or month, so many `times`.
fn times(fields: &Fields) -> Result<Vec<(Instant, Instant)>, &'static str> {
    let local = |name: &str| text::local(fields.get(name)).map_err(|_| "activity-times");
    let first = (local("starts")?, local("ends")?);
    let every = match fields.get("every") {
        "" => Every::Day,
        code => Every::from_code(code).ok_or("activity-times")?,
    };
    let times = whole(fields, "times").map_err(|()| "activity-times")?.unwrap_or(1);
    let zone = OfficeClock::default().tz().map_err(|_| "activity-times")?;
    holdings(first, every, times, zone).ok_or("activity-times")
}

/// Plans an activity, or with `activity` plans one anew: `name_zh`, `name_en`, `kind`, `place`, `programme`, `heads`,
/// `cost` in fen, `starts` and `ends` as `2026-11-22 09:00`, `every` and `times` for a recurring one, codes of `offices`
/// with commas between, `places`, `points`, `admits_once`, `exits`; `listed` 1 where only those may attend who are
/// expected, and the `levels` that may.
pub async fn plan(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let (ui, now) = (posted.by.ui.clone(), console.app.now());
    let named = match posted.fields.get("activity") {
        "" => None,
        id => Some(id.parse::<ActivityId>().map_err(|_| Failure::NotFound)?),
    };
    let id = named.map_or_else(|| Ok::<_, Failure>(ActivityId::new(now, random::bytes()?)), Ok)?;
    let written = Written::of(&posted.fields, id).map_err(|key| Refused::unfit(&ui, key))?;
    let fresh: Vec<OccurrenceId> = written
        .times
        .iter()
        .map(|_| Ok::<_, Failure>(OccurrenceId::new(now, random::bytes()?)))
        .collect::<Result<_, _>>()?;
    let (entry, actor) = (console.app.entry_id()?, posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let known = activities::activity(tx, id)?;
        let stood = activities::occurrences_of(tx, id)?;
        if named.is_some() && known.is_none() && stood.is_empty() {
            return Ok(Err("activity-none"));
        }
        if !joining::can_choose(tx, dictionary::ACTIVITY_KIND, &written.plan.kind)? {
            return Ok(Err("activity-kind"));
        }
        if !rule::may_plan(known.as_ref().map(|known| known.state), &stood, now) {
            return Ok(Err("activity-begun"));
        }
        let mut offices = Vec::new();
        for code in &written.offices {
            match office_of(tx, code)? {
                Some(office) => offices.push(office),
                None => return Ok(Err("activity-office")),
            }
        }
        let mut names = fresh.iter().copied();
        let rows = written.rows(&stood, &offices, || names.next().ok_or(Failure::NotFound));
        let Ok(occurrences) = rows else { return Ok(Err("activity-times")) };
        let planned = ActivityPlanned { plan: written.plan.clone(), occurrences };
        let given = acts::take(tx, entry, now, &actor, &Act::ActivityPlanned(Box::new(planned)))?;
        Ok(if given.activities.contains_key(&id) { Ok(()) } else { Err("activity-begun") })
    };
    match console.app.write(work).await? {
        Ok(()) => {}
        Err("activity-none") => return Err(Failure::NotFound.into()),
        Err(key @ "activity-begun") => return Err(Refused::conflict(&ui, key)),
        Err(key) => return Err(Refused::unfit(&ui, key)),
    }
    let status = if named.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(shown(&console, id).await?)).into_response())
}

/// Which activities.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ActivitiesQuery {
    state: String,
    kind: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

fn plan_json(id: ActivityId, known: &KnownActivity) -> Value {
    let plan = &known.plan;
    json!({
        "activity": id, "name": plan.name, "kind": plan.kind, "place": plan.place, "programme": plan.programme,
        "heads": plan.heads, "cost_planned": plan.cost, "state": known.state.code(), "planned": known.planned,
        "decided": known.decided,
    })
}

/// Activities, in a `state` and of a `kind`, the one that was planned first in front.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<ActivitiesQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    if !query.state.is_empty() && Where::from_code(&query.state).is_none() {
        return Err(Failure::NotFound.into());
    }
    let (at, id) = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let load =
        move |tx: &mut Tx<'_>| activities::page(tx, (&query.state, &query.kind), (at, ActivityId(id)), most);
    let page = console.app.db.read(load).await?;
    let next = page.last().and_then(|(id, known)| next((page.len(), most), known.planned, &id.0));
    let rows: Vec<Value> = page.iter().map(|(id, known)| plan_json(*id, known)).collect();
    Ok(Json(json!({ "activities": rows, "next": next })))
}

/// All that is known of one activity.
struct Whole {
    known: KnownActivity,
    rows: Vec<(OccurrenceRow, Heads)>,
    costs: Vec<ActivityCostSet>,
    offices: Vec<(OfficeId, String)>,
}

fn load(tx: &mut Tx<'_>, id: ActivityId) -> Result<Option<Whole>, PeopleError> {
    let Some(known) = activities::activity(tx, id)? else { return Ok(None) };
    let mut rows = Vec::new();
    for row in activities::occurrences_of(tx, id)? {
        let heads = activities::heads(tx, row.occurrence)?;
        rows.push((row, heads));
    }
    let offices = people::offices(tx)?.into_iter().map(|row| (row.office, row.code)).collect();
    Ok(Some(Whole { known, rows, costs: activities::costs(tx, id)?, offices }))
}

impl Whole {
    /// What each holding cost with its share of the common cost.
    fn shared_out(&self) -> Option<Vec<Amount>> {
        let sum = |occurrence: Option<OccurrenceId>| {
            let own = self.costs.iter().filter(|item| item.occurrence == occurrence);
            own.map(|item| item.cost.0).sum::<i64>()
        };
        let own: Vec<(Amount, u32)> = self
            .rows
            .iter()
            .map(|(row, heads)| (Amount(sum(Some(row.occurrence))), heads.attended))
            .collect();
        share_out(&own, Amount(sum(None)))
    }

    fn json(&self, id: ActivityId) -> Value {
        let shares = self.shared_out().unwrap_or_default();
        let office = |office: &OfficeId| {
            self.offices.iter().find(|known| known.0 == *office).map(|known| known.1.clone())
        };
        let rows = self.rows.iter().enumerate().map(|(at, (row, heads))| {
            let cost = shares.get(at).copied();
            json!({
                "occurrence": row.occurrence, "starts": row.starts, "ends": row.ends,
                "state": occurrence_state_code(row.state), "places": row.places, "points": row.points,
                "admits_once": row.admits_once, "exits": row.exits, "audience": row.audience,
                "offices": row.offices.iter().filter_map(office).collect::<Vec<_>>(),
                "invited": heads.count(Coming::Invited), "placed": heads.count(Coming::Placed),
                "waiting": heads.count(Coming::Waiting), "cancelled": heads.count(Coming::Cancelled),
                "attended": heads.attended,
                "no_shows": (row.state == OccurrenceState::Ended).then_some(heads.no_shows),
                "cost": cost, "cost_per_head": cost.and_then(|cost| per_head(cost, heads.attended)),
            })
        });
        let costs = self.costs.iter().map(|item| {
            json!({ "item": item.item, "what": item.what, "occurrence": item.occurrence, "cost": item.cost })
        });
        let (total, heads) =
            (shares.iter().map(|cost| cost.0).sum(), self.rows.iter().map(|row| row.1.attended).sum());
        let mut whole = plan_json(id, &self.known);
        whole["occurrences"] = rows.collect();
        whole["costs"] = costs.collect();
        whole["cost"] = json!(Amount(total));
        whole["attended"] = json!(heads);
        whole["cost_per_head"] = json!(per_head(Amount(total), heads));
        // Before anybody came: what a head would cost if all come that are expected.
        whole["cost_per_head_planned"] = json!(per_head(self.known.plan.cost, self.known.plan.heads));
        whole
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
    let note = reasoned(&console, &ui, &posted.fields)?;
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
    match console.app.write(work).await? {
        Ok(()) => Ok(Json(shown(&console, id).await?)),
        Err("activity-none") => Err(Failure::NotFound.into()),
        Err(key) => Err(Refused::conflict(&ui, key)),
    }
}

/// Ends a holding (结束): it takes no attendance any more.
pub async fn end(
    State(console): State<Console>,
    Path(id): Path<OccurrenceId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let note = reasoned(&console, &ui, &posted.fields)?;
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Option<bool>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let Some(row) = people::occurrence(tx, id)? else { return Ok(None) };
        if row.state != OccurrenceState::Approved {
            return Ok(Some(false));
        }
        note.put(tx, Some(staff), now)?;
        let ended = OccurrenceEnded { occurrence: id, reason: note.commitment };
        acts::take(tx, entry, now, &actor, &Act::OccurrenceEnded(ended))?;
        Ok(Some(true))
    };
    match console.app.write(work).await? {
        Some(true) => Ok(Json(json!({ "occurrence": id, "state": "ended" }))),
        Some(false) => Err(Refused::conflict(&ui, "activity-not-running")),
        None => Err(Failure::NotFound.into()),
    }
}

/// Writes down an item of what an activity cost: its number `item`, `what`, `cost` in fen, and the `occurrence` that it
/// was for, or none for what is common to all. A cost of 0 takes the item out.
pub async fn set_cost(
    State(console): State<Console>,
    Path(id): Path<ActivityId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let (ui, fields) = (posted.by.ui.clone(), &posted.fields);
    let item = whole::<u32>(fields, "item").ok().flatten().filter(|item| *item > 0);
    let cost = whole::<i64>(fields, "cost").ok().flatten().filter(|cost| *cost <= COST_MAX);
    let (Some(item), Some(cost)) = (item, cost) else {
        return Err(Refused::unfit(&ui, "activity-number"));
    };
    let what = fields.get("what").to_owned();
    if !(1..=LINE_CHARS_MAX).contains(&what.chars().count()) {
        return Err(Refused::unfit(&ui, "activity-text"));
    }
    let occurrence = match fields.get("occurrence") {
        "" => None,
        id => Some(id.parse().map_err(|_| Refused::unfit(&ui, "activity-occurrence"))?),
    };
    let set = ActivityCostSet { activity: id, item, what, occurrence, cost: Amount(cost) };
    shown(&console, id).await?;
    let given = console.app.act(posted.by.actor(), Act::ActivityCostSet(set)).await?;
    if !given.activity_costs.contains_key(&(id, item)) {
        return Err(Refused::unfit(&ui, "activity-occurrence"));
    }
    Ok(Json(shown(&console, id).await?))
}
