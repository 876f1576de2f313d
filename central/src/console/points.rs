//! Changes of points with their cause in `/api/v1` (K20 to K23): one, a batch that is checked whole before anything is
//! posted, what waits and is approved or returned by another person, and what makes changes by itself.
//!
//! A change carries a key: sent twice it is made once. Nothing takes more than a member has; what lies at terminals is
//! asked back, and the answer says where. What a person types about the event is sealed.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::{Act, PointsChange, PointsChanged, PointsDecided, PointsTrigger, TriggerOn};
use hufu_shared::dictionary;
use hufu_shared::ids::{Hash, MemberId, OfficeId};
use hufu_shared::member::OfficeRow;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::scheme::earning::Balance;
use hufu_shared::wire::lease::{RecallState, Recalled};
use serde_json::{Value, json};

use super::Console;
use super::cases::fact_text;
use super::failure::Failure;
use super::pages::{Order, SortedQuery, rows_of};
use super::problem::Refused;
use super::signed::{Fields, Posted, SignedIn};
use super::ui::{Ui, number};
use super::verdict::note;
use crate::db::Tx;
use crate::rules::points::{NotChanged, State as Stands, may_decide};
use crate::rules::world::{KnownPoints, KnownTrigger};
use crate::store::acts::Note;
use crate::store::people::{self, PeopleError};
use crate::store::{acts, joining, journal, points, recalls};

/// Rows of one batch at most.
pub const BATCH_MAX: usize = 500;
/// What the heading of the column of points reads.
const HEADS: [&str; 2] = ["积分", "points"];
/// Longest key of a request.
const KEY_CHARS_MAX: usize = 100;

/// The key under which something is asked, or the key of the words that say that it has none.
pub(super) fn key_of(fields: &Fields) -> Result<&str, &'static str> {
    let key = fields.get("key");
    if key.is_empty() || key.chars().count() > KEY_CHARS_MAX { Err("points-key") } else { Ok(key) }
}

/// A change as it was written.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The member's number.
    pub member: String,
    /// How many more, or fewer.
    pub points: String,
    /// Code of the cause, or its word.
    pub cause: String,
    /// Code of the office; the member's own where it is empty.
    pub office: String,
    /// The activity.
    pub activity: String,
    /// What is typed about the event.
    pub about: String,
}

impl Written {
    /// From a form.
    pub fn of(fields: &Fields) -> Self {
        let [member, points, cause, office, activity, about] =
            ["member", "points", "cause", "office", "activity", "reason"]
                .map(|name| fields.get(name).to_owned());
        Self { member, points, cause, office, activity, about }
    }

    /// A row of a batch: number, points, cause, office and what there is to say, with commas between; what a row leaves
    /// out is as the form says.
    fn of_row(row: &csv::StringRecord, fields: &Fields) -> Self {
        let cell = |at: usize| row.get(at).map_or("", str::trim).to_owned();
        let form = Self::of(fields);
        let or = |cell: String, form: String| if cell.is_empty() { form } else { cell };
        Self {
            member: cell(0),
            points: cell(1),
            cause: or(cell(2), form.cause),
            office: or(cell(3), form.office),
            activity: form.activity,
            about: or(cell(4), form.about),
        }
    }
}

/// The rows of a batch, with their line numbers; a first line that names its columns is its heading.
pub fn rows_typed(fields: &Fields) -> Result<Vec<(usize, Written)>, &'static str> {
    let text = fields.raw("rows").trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for (at, record) in (1..).zip(reader.records()) {
        let record = record.map_err(|_| "points-batch")?;
        let written = Written::of_row(&record, fields);
        let is_head = at == 1 && HEADS.contains(&written.points.to_lowercase().as_str());
        if !is_head && record.iter().any(|cell| !cell.trim().is_empty()) {
            rows.push((at, written));
        }
    }
    if rows.is_empty() || rows.len() > BATCH_MAX { Err("points-batch") } else { Ok(rows) }
}

fn points_of(written: &str) -> Option<i64> {
    let ascii = written.replace(['−', '－'], "-").replace('＋', "+");
    ascii.parse().ok().filter(|points| *points != 0)
}

/// Why a change cannot be made.
#[derive(Debug, Clone)]
pub enum Wrong {
    /// The key of the words that say why.
    Key(&'static str),
    /// Points are missing; of those that lie at terminals, who was asked to give them back.
    Short(i64, i64, Vec<Recalled>),
}

impl Wrong {
    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Key(key) => key,
            Self::Short(..) => "points-short",
        }
    }

    /// In words.
    pub fn text(&self, ui: &Ui) -> String {
        match self {
            Self::Short(missing, ..) => {
                ui.t_with("points-short", &[("missing", &number(*missing))]) + &self.away(ui)
            }
            Self::Key(_) => ui.t(self.code()),
        }
    }

    /// Of what is missing, what lies at terminals and who was asked for it; nothing where none does.
    pub fn away(&self, ui: &Ui) -> String {
        let Self::Short(_, escrow @ 1.., recalled) = self else { return String::new() };
        let key = if recalled.is_empty() { "points-short-there" } else { "points-short-away" };
        let one = |recalled: &Recalled| {
            let state = match recalled.state {
                RecallState::Closing => "points-recall-closing",
                RecallState::Arrived => "points-recall-arrived",
                RecallState::Unreachable => "points-recall-unreachable",
            };
            let values = [("office", ui.pick(&recalled.office)), ("n", number(recalled.amount.0))];
            ui.t_of(state, &values)
        };
        let told: Vec<String> = recalled.iter().map(one).collect();
        ui.t_with(key, &[("n", &number(*escrow))]) + &told.join(&ui.t("list-and"))
    }
}

/// Asks back what lies at terminals, if that could cover what is missing, and says why a change is not made.
pub(super) fn wrong(
    tx: &mut Tx<'_>,
    (member, why): (MemberId, NotChanged),
    now: hufu_shared::time::Instant,
) -> Result<Wrong, PeopleError> {
    Ok(match why {
        NotChanged::Points => Wrong::Key("points-number"),
        NotChanged::Cause => Wrong::Key("points-cause"),
        NotChanged::Activity => Wrong::Key("points-activity"),
        NotChanged::Member => Wrong::Key("points-member"),
        NotChanged::MainCard => Wrong::Key("points-main-card"),
        NotChanged::Recovering => Wrong::Key("money-recovering"),
        NotChanged::Short { missing, escrow } => {
            let mut told = Vec::new();
            if escrow > 0 {
                told = recalls::for_centre(tx, (member, Unit::Pts), Amount(missing), now)?.told;
            }
            Wrong::Short(missing, escrow, told)
        }
    })
}

/// One change to be made: its name, what was written, and what is sealed of it.
#[derive(Clone)]
struct Row {
    line: usize,
    id: Hash,
    written: Written,
    note: Note,
}

/// The office of a code; where none is written the member's own, else the club's first.
pub(super) fn office_of(code: &str, own: Option<OfficeId>, offices: &[OfficeRow]) -> Option<OfficeId> {
    match code {
        "" => own.or(offices.first().map(|office| office.office)),
        code => offices.iter().find(|office| office.code == code).map(|office| office.office),
    }
}

/// The change that a row asks for, or the key of what is wrong with it.
fn change_of(
    tx: &mut Tx<'_>,
    row: &Row,
    offices: &[OfficeRow],
) -> Result<Result<PointsChange, &'static str>, PeopleError> {
    let written = &row.written;
    let Some(member) = people::member_by_number(tx, &written.member)? else {
        return Ok(Err("points-member"));
    };
    let Some(points) = points_of(&written.points) else { return Ok(Err("points-number")) };
    let cause = dictionary::code_of(dictionary::CAUSE, &written.cause);
    if !joining::can_choose(tx, dictionary::CAUSE, &cause)? {
        return Ok(Err("points-cause"));
    }
    let own = people::member(tx, member)?.and_then(|row| row.office);
    let Some(office) = office_of(&written.office, own, offices) else { return Ok(Err("points-office")) };
    let occurrence = match written.activity.as_str() {
        "" => None,
        id => match id.parse() {
            Ok(id) => Some(id),
            Err(_) => return Ok(Err("points-activity")),
        },
    };
    if written.about.is_empty() {
        return Ok(Err("reason-missing"));
    }
    let reason = row.note.commitment;
    Ok(Ok(PointsChange { id: row.id, member, points, cause, office, occurrence, fact: None, reason }))
}

/// What was made, each with whether it is new; or which lines cannot be, and why.
pub type Made = Result<Vec<(Hash, bool)>, Vec<(usize, Wrong)>>;

/// Makes changes, all or none: posts them, or with `waits` files them for approval.
pub async fn make(
    console: &Console,
    posted: &Posted,
    rows: Vec<(usize, Written)>,
    waits: bool,
) -> Result<Made, Failure> {
    let key = match key_of(&posted.fields) {
        Ok(key) => key,
        Err(why) => return Ok(Err(vec![(1, Wrong::Key(why))])),
    };
    let mut wanted = Vec::with_capacity(rows.len());
    for (line, written) in rows {
        let n = u64::try_from(line).unwrap_or(u64::MAX).to_be_bytes();
        let id = Hash::of(&[b"hufu-points", &n, key.as_bytes()]);
        let note = note(console, &written.about)?;
        wanted.push(Row { line, id, written, note });
    }
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Made, PeopleError> {
        journal::pass_gate(tx, now)?;
        let offices = people::offices(tx)?;
        let (mut made, mut bad, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        let mut besides: BTreeMap<MemberId, i64> = BTreeMap::new();
        for row in &wanted {
            if points::change(tx, row.id)?.is_some() {
                made.push((row.id, false));
                continue;
            }
            let change = match change_of(tx, row, &offices)? {
                Ok(change) => change,
                Err(key) => {
                    bad.push((row.line, Wrong::Key(key)));
                    continue;
                }
            };
            let member = points::survivor(tx, change.member)?;
            let sum = besides.entry(member).or_default();
            match points::check(tx, &change, (waits, *sum), now)? {
                Ok(()) => {
                    *sum = sum.saturating_add(change.points);
                    made.push((row.id, true));
                    changes.push(change);
                }
                Err(why) => bad.push((row.line, wrong(tx, (member, why), now)?)),
            }
        }
        if !bad.is_empty() {
            return Ok(Err(bad));
        }
        if changes.is_empty() {
            return Ok(Ok(made));
        }
        for row in &wanted {
            row.note.put(tx, Some(staff), now)?;
        }
        let changed = PointsChanged { changes, waits, trigger: None };
        acts::take(tx, entry, now, &actor, &Act::PointsChanged(changed))?;
        besides.keys().try_for_each(|member| recalls::end(tx, *member, Unit::Pts))?;
        Ok(Ok(made))
    };
    let made = console.app.write(work).await?;
    if made.is_err() {
        console.app.wake();
    }
    Ok(made)
}

fn refused(ui: &Ui, bad: &[(usize, Wrong)], is_batch: bool) -> Refused {
    let told = |(line, wrong): &(usize, Wrong)| {
        if is_batch { format!("{line}: {}", wrong.text(ui)) } else { wrong.text(ui) }
    };
    let code =
        if is_batch { "points-batch-lines" } else { bad.first().map_or("points-batch", |bad| bad.1.code()) };
    Refused::unfit_as(code, bad.iter().map(told).collect::<Vec<_>>().join("\n"))
}

fn answer(made: &[(Hash, bool)]) -> Response {
    let is_new = made.iter().any(|row| row.1);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let rows: Vec<Value> = made.iter().map(|(id, new)| json!({ "change": id, "new": new })).collect();
    (status, Json(json!({ "changes": rows }))).into_response()
}

/// Changes a member's points: `member`, `points`, `cause`, `reason`, a `key`, and if need be `office` and `activity`. With
/// `waits` 1 it waits for another person's approval.
pub async fn change(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let waits = posted.fields.get("waits") == "1";
    let rows = vec![(1, Written::of(&posted.fields))];
    match make(&console, &posted, rows, waits).await? {
        Ok(made) => Ok(answer(&made)),
        Err(bad) => Err(refused(&posted.by.ui, &bad, false)),
    }
}

/// Changes the points of many members: `rows` holds a line for each. All of them or none: what is wrong with which line is
/// said.
pub async fn batch(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let rows = rows_typed(&posted.fields).map_err(|key| Refused::unfit(&ui, key))?;
    let waits = posted.fields.get("waits") == "1";
    match make(&console, &posted, rows, waits).await? {
        Ok(made) => Ok(answer(&made)),
        Err(bad) => Err(refused(&ui, &bad, true)),
    }
}

/// What grows, or shrinks, by a change: points, but for what a rule gives in growth for an event.
pub(super) fn balance_of(known: &KnownPoints) -> Balance {
    known.by_event.as_ref().map_or(Balance::Points, |by| by.balance)
}

fn change_json(known: &KnownPoints) -> Value {
    let change = &known.change;
    let (decided, by) = (known.decided.as_ref(), known.by_event.as_ref());
    json!({
        "change": change.id, "member": change.member, "points": change.points, "cause": change.cause,
        "office": change.office, "activity": change.occurrence, "fact": change.fact.map(fact_text),
        "state": known.state.code(), "trigger": known.trigger, "event": by.map(|by| by.event),
        "balance": balance_of(known).code(), "asked": known.asked, "asker": known.asker,
        "decided": decided.map(|decided| decided.at), "decider": decided.map(|decided| &decided.by),
    })
}

/// Changes in a state, 待审 by default, the oldest first.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<SortedQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let state = Stands::from_code(query.state.as_deref().unwrap_or("waiting")).ok_or(Failure::NotFound)?;
    let order = Order::of(query.sort.as_deref(), "asked");
    let (at, id) = order.place(&by.ui, query.cursor.as_deref())?;
    let (most, sort) = (rows_of(query.limit), order.name().to_owned());
    let load = move |tx: &mut Tx<'_>| points::changes(tx, state, (&sort, at, Hash(id)), most);
    let page = console.app.db.read(load).await?;
    let key = |known: &KnownPoints| match order.column() {
        "points" => known.change.points,
        _ => known.asked.0,
    };
    let next = page.last().and_then(|known| order.next((page.len(), most), key(known), &known.change.id.0));
    Ok(Json(json!({ "changes": page.iter().map(change_json).collect::<Vec<_>>(), "next": next })))
}

/// Approves or returns changes that wait, all or none; the answer says what is wrong.
pub async fn decide_all(console: &Console, posted: &Posted) -> Result<Result<usize, Wrong>, Failure> {
    let fields = &posted.fields;
    let approved = match fields.get("approved") {
        "1" => true,
        "0" => false,
        _ => return Ok(Err(Wrong::Key("verdict-none"))),
    };
    if fields.get("reason").is_empty() {
        return Ok(Err(Wrong::Key("reason-missing")));
    }
    let ids: Result<Vec<Hash>, _> =
        fields.get("changes").split(',').filter(|id| !id.is_empty()).map(|id| id.trim().parse()).collect();
    let Some(ids) = ids.ok().filter(|ids| (1..=BATCH_MAX).contains(&ids.len())) else {
        return Ok(Err(Wrong::Key("points-none")));
    };
    let note = note(console, fields.get("reason"))?;
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<usize, Wrong>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let mut besides: BTreeMap<MemberId, i64> = BTreeMap::new();
        for id in &ids {
            let Some(known) = points::change(tx, *id)? else { return Ok(Err(Wrong::Key("points-none"))) };
            if known.state == Stands::Waiting && !may_decide(known.state, actor.owns(&known.asker)) {
                return Ok(Err(Wrong::Key("points-own")));
            }
            if known.state != Stands::Waiting {
                return Ok(Err(Wrong::Key("points-changed")));
            }
            let member = points::survivor(tx, known.change.member)?;
            let sum = besides.entry(member).or_default();
            if approved && let Err(why) = points::check(tx, &known.change, (false, *sum), now)? {
                return Ok(Err(wrong(tx, (member, why), now)?));
            }
            *sum = sum.saturating_add(known.change.points);
        }
        note.put(tx, Some(staff), now)?;
        let decided = PointsDecided { changes: ids.clone(), approved, reason: note.commitment };
        let outcome = acts::take(tx, entry, now, &actor, &Act::PointsDecided(decided))?;
        besides.keys().try_for_each(|member| recalls::end(tx, *member, Unit::Pts))?;
        Ok(Ok(outcome.points.len()))
    };
    let done = console.app.write(work).await?;
    if done.is_err() {
        console.app.wake();
    }
    Ok(done)
}

/// Approves or returns changes that wait: `changes` are ids with commas between, `approved` is 1 or 0.
pub async fn decide(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    match decide_all(&console, &posted).await? {
        Ok(count) => Ok(Json(json!({ "decided": count }))),
        Err(Wrong::Key(key @ ("points-changed" | "points-own"))) => Err(Refused::conflict(&ui, key)),
        Err(wrong) => Err(Refused::unfit_as(wrong.code(), wrong.text(&ui))),
    }
}

fn trigger_json(known: &KnownTrigger) -> Value {
    let terms = &known.terms;
    json!({
        "trigger": terms.id, "on": terms.on.code(), "office": terms.office, "cause": terms.cause,
        "points": terms.points, "per_fen": terms.per_fen, "retired": terms.retired, "seen": known.seen,
    })
}

/// What makes changes of points by itself.
pub async fn triggers(State(console): State<Console>, _by: SignedIn) -> Result<Json<Value>, Refused> {
    let all = console.app.db.read(points::triggers).await?;
    Ok(Json(json!({ "triggers": all.iter().map(trigger_json).collect::<Vec<_>>() })))
}

/// Sets a trigger up under a `key`, changes or retires it: `on` is `visited`, `attended` or `earned`; what it makes waits
/// for approval.
pub async fn set_trigger(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let (ui, fields) = (posted.by.ui.clone(), &posted.fields);
    let key = key_of(fields).map_err(|why| Refused::unfit(&ui, why))?;
    let id = Hash::of(&[b"hufu-points-trigger-set", key.as_bytes()]);
    let on =
        TriggerOn::from_code(fields.get("on")).ok_or_else(|| Refused::unfit(&ui, "points-trigger-on"))?;
    let points = points_of(fields.get("points")).ok_or_else(|| Refused::unfit(&ui, "points-number"))?;
    let per_fen = match fields.get("per_fen") {
        "" => Some(0),
        written => written.parse::<i64>().ok().filter(|fen| *fen > 0 && on == TriggerOn::Earned),
    };
    let per_fen = per_fen.ok_or_else(|| Refused::unfit(&ui, "points-trigger-step"))?;
    let cause = dictionary::code_of(dictionary::CAUSE, fields.get("cause"));
    let (code, retired) = (fields.get("office").to_owned(), fields.get("retired") == "1");
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        if !joining::can_choose(tx, dictionary::CAUSE, &cause)? {
            return Ok(Err("points-cause"));
        }
        // Of nothing else an activity is known.
        if cause == dictionary::CAUSE_ACTIVITY && on != TriggerOn::Attended {
            return Ok(Err("points-activity"));
        }
        let office = people::office_of(tx, &code)?;
        if office.is_none() && !code.is_empty() {
            return Ok(Err("points-office"));
        }
        let set = PointsTrigger { id, on, office, cause: cause.clone(), points, per_fen, retired };
        acts::take(tx, entry, now, &actor, &Act::PointsTriggerSet(set))?;
        Ok(Ok(()))
    };
    console.app.write(work).await?.map_err(|key| Refused::unfit(&ui, key))?;
    let all = console.app.db.read(points::triggers).await?;
    let known = all.iter().find(|known| known.terms.id == id).ok_or(Failure::NotFound)?;
    Ok(Json(trigger_json(known)))
}
