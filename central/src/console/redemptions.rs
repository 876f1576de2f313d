//! Redemption 兑付 in `/api/v1` (K24): plans, their approval, carrying them out, what was redeemed, and figures.
//!
//! A plan is named by a key: sent again it changes the plan while nobody has approved it. Carrying out may be asked for as
//! often as one likes: a member redeems once by a plan.

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::act::{
    Act, RedeemedBy, RedeemedFor, RedemptionPlan, RedemptionStep, RedemptionStepped, StockClass,
};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, OfficeClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::pages::{Order, PageQuery, SortedQuery, cursor_down, is_full, next, rows_of};
use super::points::key_of;
use super::problem::Refused;
use super::signed::{Fields, Posted, SignedIn};
use super::verdict::note;
use crate::db::Tx;
use crate::rules::redemption::{self as rules, NotPlanned, State as Stands};
use crate::rules::world::KnownPlan;
use crate::store::people::{self, PeopleError};
use crate::store::redemption::{self as store, Figures, LineView};
use crate::store::{acts, journal, stock, world};

/// The parts of a field, with commas between.
fn parts(fields: &Fields, name: &str) -> Vec<String> {
    let all = fields.get(name).split([',', '，', '、']).map(str::trim);
    all.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A number of points; `empty` where nothing was written.
fn points(fields: &Fields, name: &str, empty: i64) -> Option<i64> {
    match fields.get(name) {
        "" => Some(empty),
        written => written.parse().ok(),
    }
}

/// What was planned, beside what must be looked up.
struct Written {
    id: Hash,
    name: Words,
    from: Day,
    until: Day,
    office: String,
    /// Code of the gift; none for cash.
    gift: Option<String>,
    points: i64,
    fen_per_point: i64,
    by: RedeemedBy,
    members: Vec<String>,
}

impl Written {
    fn of(fields: &Fields) -> Result<Self, &'static str> {
        let key = key_of(fields)?;
        let day = |name: &str| fields.get(name).parse::<Day>().map_err(|_| "redemption-days");
        let gift = match fields.get("kind") {
            "gift" => Some(fields.get("gift").to_owned()),
            "cash" => None,
            _ => return Err("redemption-kind"),
        };
        let fen_per_point = match &gift {
            Some(_) => 0,
            None => Amount::parse(fields.get("worth"), Unit::Cny).map_err(|_| "redemption-worth")?.0,
        };
        let at_most = match fields.get("at_most") {
            "" => None,
            written => Some(written.parse().map_err(|_| "redemption-whom")?),
        };
        Ok(Self {
            id: Hash::of(&[b"hufu-redemption-plan", key.as_bytes()]),
            name: Words { zh: fields.get("zh").to_owned(), en: fields.get("en").to_owned() },
            from: day("from")?,
            until: day("until")?,
            office: fields.get("office").to_owned(),
            gift,
            points: points(fields, "points", 0).ok_or("redemption-worth")?,
            fen_per_point,
            by: RedeemedBy {
                levels: parts(fields, "levels"),
                tags: parts(fields, "tags"),
                members: Vec::new(),
                at_least: points(fields, "at_least", 0).ok_or("redemption-whom")?,
                at_most,
            },
            members: parts(fields, "members"),
        })
    }

    /// The plan with what it names looked up, or the key of what is wrong with it.
    fn plan(&self, tx: &mut Tx<'_>) -> Result<Result<RedemptionPlan, &'static str>, PeopleError> {
        let Some(office) = people::office_of(tx, &self.office)? else { return Ok(Err("points-office")) };
        let what = match &self.gift {
            Some(code) => {
                let item = stock::item(tx, StockClass::Gift, code)?.filter(|item| !item.retired);
                let Some(item) = item else { return Ok(Err("stock-no-item")) };
                RedeemedFor::Gift { item: item.item, points: self.points }
            }
            None => RedeemedFor::Cash { fen_per_point: self.fen_per_point, points: self.points },
        };
        let mut by = self.by.clone();
        for number in &self.members {
            match people::member_by_number(tx, number)? {
                Some(member) => by.members.push(member),
                None => return Ok(Err("points-member")),
            }
        }
        let (id, name) = (self.id, self.name.clone());
        let plan = RedemptionPlan { id, name, from: self.from, until: self.until, office, by, what };
        Ok(match rules::check(&plan) {
            Ok(()) => Ok(plan),
            Err(NotPlanned::Name) => Err("redemption-name"),
            Err(NotPlanned::Period) => Err("redemption-days"),
            Err(NotPlanned::Worth) => Err("redemption-worth"),
            Err(NotPlanned::Whom) => Err("redemption-whom"),
        })
    }
}

/// Plans a redemption; answers which, or the key of what is wrong.
pub async fn plan_it(console: &Console, posted: &Posted) -> Result<Result<Hash, &'static str>, Failure> {
    let written = match Written::of(&posted.fields) {
        Ok(written) => written,
        Err(key) => return Ok(Err(key)),
    };
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<Hash, &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let plan = match written.plan(tx)? {
            Ok(plan) => plan,
            Err(key) => return Ok(Err(key)),
        };
        if let Some(known) = store::plan(tx, plan.id)?.filter(|known| !known.state.may_change()) {
            return Ok(if known.terms == plan { Ok(plan.id) } else { Err("redemption-changed") });
        }
        acts::take(tx, entry, now, &actor, &Act::RedemptionPlanned(Box::new(plan.clone())))?;
        Ok(Ok(plan.id))
    };
    Ok(console.app.write(work).await?)
}

/// Takes a step of a plan; none in the answer if there is no such plan.
pub async fn step_it(
    console: &Console,
    posted: &Posted,
    (plan, step): (Hash, RedemptionStep),
) -> Result<Option<Result<(), &'static str>>, Failure> {
    if posted.fields.get("reason").is_empty() {
        return Ok(Some(Err("reason-missing")));
    }
    let note = note(console, posted.fields.get("reason"))?;
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Option<Result<(), &'static str>>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let Some(known) = store::plan(tx, plan)? else { return Ok(None) };
        let is_own = actor.owns(&known.planner);
        if known.state.after(step, is_own).is_none() {
            let would = known.state.after(step, false).is_some();
            return Ok(Some(Err(if would { "points-own" } else { "redemption-changed" })));
        }
        note.put(tx, Some(staff), now)?;
        let stepped = RedemptionStepped { plan, step, reason: note.commitment };
        acts::take(tx, entry, now, &actor, &Act::RedemptionStepped(stepped))?;
        Ok(Some(Ok(())))
    };
    Ok(console.app.write(work).await?)
}

/// What carrying a plan out came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ran {
    /// Members who redeemed now.
    pub redeemed: u32,
    /// Members whom the plan names and who got nothing.
    pub left_out: u32,
}

/// Carries a plan out for all whom it names; none in the answer if there is no such plan.
pub async fn run_it(
    console: &Console,
    posted: &Posted,
    plan: Hash,
) -> Result<Option<Result<Ran, &'static str>>, Failure> {
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        Ok((store::plan(tx, plan)?, world::recovery(tx)?.since.is_some(), people::offices(tx)?))
    };
    let (known, is_recovering, offices) = console.app.db.read(load).await?;
    let Some(known) = known else { return Ok(None) };
    let office = offices.iter().find(|row| row.office == known.terms.office);
    let clock = office.map_or_else(OfficeClock::default, |row| row.clock.clone());
    let today = clock.business_day(console.app.now());
    if is_recovering {
        return Ok(Some(Err("money-recovering")));
    }
    if known.state != Stands::Approved {
        return Ok(Some(Err("redemption-not-approved")));
    }
    if !(known.terms.from..=known.terms.until).contains(&today) {
        return Ok(Some(Err("redemption-not-now")));
    }
    let (mut ran, mut after) = (Ran::default(), Some(MemberId([0; 16])));
    while let Some(from) = after {
        let (terms, vault, actor) = (known.terms.clone(), console.app.vault.clone(), posted.by.actor());
        let at = (console.app.entry_id()?, console.app.now());
        let work = move |tx: &mut Tx<'_>| store::step(tx, &vault, (&terms, from), &actor, at);
        let step = console.app.write(work).await?;
        ran.redeemed += step.redeemed;
        ran.left_out += step.left_out;
        after = step.last;
    }
    tracing::info!(%plan, redeemed = ran.redeemed, left_out = ran.left_out, "a redemption was carried out");
    Ok(Some(Ok(ran)))
}

fn plan_json(known: &KnownPlan, figures: Figures) -> Value {
    let (terms, decided) = (&known.terms, known.decided.as_ref());
    json!({
        "plan": terms.id, "name": terms.name, "from": terms.from, "until": terms.until, "office": terms.office,
        "what": terms.what, "by": terms.by, "state": known.state.code(), "planned": known.planned,
        "planner": known.planner, "decided": decided.map(|decided| decided.at),
        "decider": decided.map(|decided| &decided.by), "heads": figures.heads, "points": figures.points,
        "fen": figures.fen, "gifts": figures.gifts,
    })
}

async fn told(console: &Console, plan: Hash) -> Result<Json<Value>, Refused> {
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        Ok((store::plan(tx, plan)?, store::figures(tx, plan)?))
    };
    let (known, figures) = console.app.db.read(load).await?;
    Ok(Json(plan_json(&known.ok_or(Failure::NotFound)?, figures)))
}

/// Plans a redemption: `key`, `zh`, `en`, `from`, `until`, `office`, `kind` `gift` (with `gift` and `points`) or `cash` (with
/// `worth` in yuan, and `points` for each or none for all), and whom by `levels`, `tags`, `members`, `at_least`, `at_most`.
pub async fn plan(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    match plan_it(&console, &posted).await? {
        Ok(id) => told(&console, id).await,
        Err(key @ "redemption-changed") => Err(Refused::conflict(&ui, key)),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}

/// Approves, returns or ends a plan: `step` is `approve`, `return` or `end`.
pub async fn step(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let step = RedemptionStep::from_code(posted.fields.get("step"));
    let step = step.ok_or_else(|| Refused::unfit(&ui, "verdict-none"))?;
    match step_it(&console, &posted, (id, step)).await?.ok_or(Failure::NotFound)? {
        Ok(()) => told(&console, id).await,
        Err(key @ ("redemption-changed" | "points-own")) => Err(Refused::conflict(&ui, key)),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}

/// Carries a plan out: answers how many redeemed now, and how many got nothing.
pub async fn run(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let ran = run_it(&console, &posted, id).await?.ok_or(Failure::NotFound)?;
    let ran = ran.map_err(|key| Refused::conflict(&ui, key))?;
    let Json(mut plan) = told(&console, id).await?;
    plan["redeemed_now"] = json!(ran.redeemed);
    plan["left_out"] = json!(ran.left_out);
    Ok(Json(plan))
}

/// A page of plans, the newest first, each with its figures.
pub(super) fn page(
    tx: &mut Tx<'_>,
    from: (&str, i64, Hash),
    most: i64,
) -> Result<Vec<(KnownPlan, Figures)>, PeopleError> {
    let mut rows = Vec::new();
    for known in store::plans(tx, from, most)? {
        let figures = store::figures(tx, known.terms.id)?;
        rows.push((known, figures));
    }
    Ok(rows)
}

/// Plans, the newest first, each with its figures.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<SortedQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let order = Order::of(query.sort.as_deref(), "-planned");
    let (at, id) = order.place(&by.ui, query.cursor.as_deref())?;
    let (most, sort) = (rows_of(query.limit), order.name().to_owned());
    let page = console.app.db.read(move |tx| page(tx, (&sort, at, Hash(id)), most)).await?;
    let last = page.last();
    let next = last.and_then(|(known, _)| order.next((page.len(), most), known.planned.0, &known.terms.id.0));
    let rows: Vec<Value> = page.iter().map(|(known, figures)| plan_json(known, *figures)).collect();
    Ok(Json(json!({ "redemptions": rows, "next": next })))
}

/// One plan with its figures.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    told(&console, id).await
}

/// Which lines.
#[derive(Debug, Deserialize)]
pub struct LinesQuery {
    cursor: Option<MemberId>,
    limit: Option<u32>,
}

/// What members got by a plan.
pub async fn lines(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    Query(query): Query<LinesQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (after, most) = (query.cursor.unwrap_or(MemberId([0; 16])), rows_of(query.limit));
    let page = console.app.db.read(move |tx| store::lines(tx, id, after, most)).await?;
    let next = page.last().filter(|_| is_full(page.len(), most)).map(|view| view.member);
    let row = |view: &LineView| {
        json!({
            "member": view.member, "number": view.number, "points": view.line.points, "fen": view.line.fen,
            "pieces": view.line.pieces, "at": view.at, "day": view.day,
        })
    };
    Ok(Json(json!({ "lines": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}

/// What one member redeemed, the newest first.
pub async fn of_member(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    Query(query): Query<PageQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (at, plan) = cursor_down(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let load = move |tx: &mut Tx<'_>| store::lines_of(tx, member, (at, Hash(plan)), most);
    let page = console.app.db.read(load).await?;
    let next = page.last().and_then(|(plan, _, _, at, _)| next((page.len(), most), *at, &plan.0));
    let row = |(plan, name, line, at, day): &store::OwnLine| {
        json!({
            "plan": plan, "name": name, "points": line.points, "fen": line.fen, "pieces": line.pieces, "at": at,
            "day": day,
        })
    };
    Ok(Json(json!({ "redemptions": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}
