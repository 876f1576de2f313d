//! Events that earn and are no purchases, in `/api/v1` and on the page of points (B3, G8, K20, K21): telling the centre of a
//! task, care, a complaint, an activity, a reward or a refused order, what was told of a member, and taking back what was
//! told wrongly.
//!
//! An event bears the serial under which who tells it knows it: told twice it counts once. What it gives follows from the
//! scheme; what a rule gives only with approval waits among the other changes of points. What a person types is sealed.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::{EventTakenBack, EventTold};
use hufu_shared::ids::{Hash, MemberId, OccurrenceId};
use hufu_shared::member::OfficeRow;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::scheme::earning::{Balance, EarnKind, EarnRule};
use hufu_shared::time::{Day, Instant};
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::members::masked_name;
use super::pages::{PageQuery, cursor, next, rows_of};
use super::points::{balance_of, office_of};
use super::problem::Refused;
use super::signed::{Fields, Posted, SignedIn};
use super::ui::{Ui, change};
use super::verdict::note;
use super::words::{Language, text};
use crate::db::Tx;
use crate::rules::points::State as Stands;
use crate::rules::told::{NotTold, PAID_WHOLE};
use crate::rules::world::{KnownEvent, KnownPoints};
use crate::store::acts::Note;
use crate::store::people::{self, PeopleError};
use crate::store::told::{self, Told, Whole};
use crate::store::{StoreError, world};
use crate::vault::Vault;

/// Events that the page of points lists.
const LISTED_MAX: i64 = 20;

/// The key of the words that say why an event is not taken, or not taken back.
fn key_of(why: NotTold) -> &'static str {
    match why {
        NotTold::Kind => "event-kind",
        NotTold::Code => "event-code",
        NotTold::Serial => "event-serial",
        NotTold::Day => "event-day",
        NotTold::Amount => "event-amount",
        NotTold::Activity => "points-activity",
        NotTold::Planned => "event-planned",
        NotTold::Given => "event-given",
        NotTold::Member => "points-member",
        NotTold::Other => "event-other",
        NotTold::Unknown => "event-unknown",
        NotTold::TakenBack => "event-taken-back",
        NotTold::Recovering => "money-recovering",
    }
}

/// What people call the kind of an event; what is none stands as it is.
pub(super) fn kind_words(language: Language, code: &str) -> String {
    let kind = EarnKind::told(code);
    kind.map_or_else(|| code.to_owned(), |kind| text(language, &format!("event-kind-{}", kind.code())))
}

/// An event as it was written.
struct Written {
    member: String,
    kind: EarnKind,
    of: String,
    day: Option<Day>,
    cost: Amount,
    paid_percent: u8,
    serial: String,
    office: String,
    activity: Option<OccurrenceId>,
}

impl Written {
    /// From a form; the key of what is wrong with it.
    fn of(fields: &Fields) -> Result<Self, &'static str> {
        let day = match fields.get("day") {
            "" => None,
            day => Some(day.parse::<Day>().map_err(|_| "event-day")?),
        };
        // Programs write fen, people yuan.
        let cost = match (fields.get("fen"), fields.get("yuan")) {
            ("", "") => Amount::ZERO,
            ("", yuan) => Amount::parse(yuan, Unit::Cny).map_err(|_| "event-amount")?,
            (fen, _) => Amount(fen.parse::<i64>().map_err(|_| "event-amount")?),
        };
        let paid_percent = match fields.get("paid_percent") {
            "" => PAID_WHOLE,
            percent => percent.parse::<u8>().map_err(|_| "event-amount")?,
        };
        let activity = match fields.get("activity") {
            "" => None,
            id => Some(id.parse::<OccurrenceId>().map_err(|_| "points-activity")?),
        };
        let [member, of, serial, office] =
            ["member", "code", "serial", "office"].map(|name| fields.get(name).to_owned());
        let kind = EarnKind::told(fields.get("kind")).ok_or("event-kind")?;
        Ok(Self { member, kind, of, day, cost, paid_percent, serial, office, activity })
    }

    /// The event that it tells of, or the key of what is wrong with it; without a day, of today.
    fn wish(
        &self,
        tx: &mut Tx<'_>,
        offices: &[OfficeRow],
        (note, now): (Option<&Note>, Instant),
    ) -> Result<Result<EventTold, &'static str>, PeopleError> {
        let Some(member) = people::member_by_number(tx, &self.member)? else {
            return Ok(Err("points-member"));
        };
        let own = people::member(tx, member)?.and_then(|row| row.office);
        let office = office_of(&self.office, own, offices);
        let row = offices.iter().find(|row| Some(row.office) == office);
        let Some(row) = row else { return Ok(Err("points-office")) };
        Ok(Ok(EventTold {
            id: EventTold::name(self.kind, &self.serial),
            member,
            kind: self.kind,
            of: self.of.clone(),
            day: self.day.unwrap_or_else(|| row.clock.business_day(now)),
            cost: self.cost,
            paid_percent: self.paid_percent,
            serial: self.serial.clone(),
            office: row.office,
            occurrence: self.activity,
            reason: note.map_or(Hash([0; 32]), |note| note.commitment),
        }))
    }
}

/// Tells of an event as the fields say; its name and whether it is new, or the key of what is wrong.
pub(super) async fn tell_as(
    console: &Console,
    posted: &Posted,
) -> Result<Result<(Hash, bool), &'static str>, Failure> {
    let written = match Written::of(&posted.fields) {
        Ok(written) => written,
        Err(key) => return Ok(Err(key)),
    };
    let note = match posted.fields.get("reason") {
        "" => None,
        reason => Some(note(console, reason)?),
    };
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(Hash, bool), &'static str>, PeopleError> {
        let offices = people::offices(tx)?;
        let wish = match written.wish(tx, &offices, (note.as_ref(), now))? {
            Ok(wish) => wish,
            Err(key) => return Ok(Err(key)),
        };
        let told = told::tell(tx, &wish, (note.as_ref(), &actor), (entry, now))?;
        Ok(told.map(|told| (wish.id, told == Told::Now)).map_err(key_of))
    };
    Ok(console.app.write(work).await?)
}

/// Takes an event back, with the `reason` that the fields have; the key of what is wrong.
pub(super) async fn take_back_as(
    console: &Console,
    posted: &Posted,
    event: Hash,
) -> Result<Result<(), &'static str>, Failure> {
    if posted.fields.get("reason").is_empty() {
        return Ok(Err("reason-missing"));
    }
    let note = note(console, posted.fields.get("reason"))?;
    let wish = EventTakenBack { event, reason: note.commitment };
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| told::take_back(tx, &wish, (&note, &actor), (entry, now));
    Ok(console.app.write(work).await?.map_err(key_of))
}

fn part_json(known: &KnownPoints) -> Value {
    let rule = known.by_event.as_ref().map_or("", |by| by.rule.as_str());
    json!({
        "change": known.change.id, "rule": rule, "amount": known.change.points, "balance": balance_of(known).code(),
        "state": known.state.code(),
    })
}

fn event_json((known, parts): &Whole) -> Value {
    let (event, taken) = (&known.told, known.taken.as_ref());
    json!({
        "event": event.id, "member": event.member, "kind": event.kind.code(), "code": event.of, "day": event.day,
        "fen": event.cost, "paid_percent": event.paid_percent, "serial": event.serial, "office": event.office,
        "activity": event.occurrence, "scheme": known.scheme, "asked": known.asked, "asker": known.asker,
        "taken_back": taken.map(|taken| taken.at), "taken_back_by": taken.map(|taken| &taken.by),
        "gave": parts.iter().map(part_json).collect::<Vec<_>>(),
    })
}

async fn one_json(console: &Console, event: Hash) -> Result<Value, Failure> {
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok((told::event(tx, event)?, told::changes(tx, event)?))
    };
    let (known, parts) = console.app.db.read(load).await?;
    let known = known.ok_or(Failure::NotFound)?;
    Ok(event_json(&(known, parts)))
}

/// Tells of an event: `member` by number, `kind`, a `serial`, and if need be `code`, `day` (today without), `fen`,
/// `paid_percent`, `office` by its code, `activity` and a `reason`. The same serial again tells the same event.
pub async fn tell(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    match tell_as(&console, &posted).await? {
        Ok((event, is_new)) => {
            let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(one_json(&console, event).await?)).into_response())
        }
        Err(key @ "event-other") => Err(Refused::conflict(&ui, key)),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}

/// Takes an event back that was told wrongly: `reason`.
pub async fn take_back(
    State(console): State<Console>,
    Path(event): Path<Hash>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    match take_back_as(&console, &posted, event).await? {
        Ok(()) => Ok(Json(one_json(&console, event).await?)),
        Err("event-unknown") => Err(Failure::NotFound.into()),
        Err(key @ "event-taken-back") => Err(Refused::conflict(&ui, key)),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}

/// Events of a member, in the order of telling.
pub async fn of_member(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    Query(query): Query<PageQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (at, id) = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        Ok((people::member(tx, member)?, told::of_member(tx, member, (at, Hash(id)), most)?))
    };
    let (row, page) = console.app.db.read(load).await?;
    row.ok_or(Failure::NotFound)?;
    let last = page.last().map(|(known, _)| known);
    let next = last.and_then(|known| next((page.len(), most), known.asked, &known.told.id.0));
    let rows: Vec<Value> = page.iter().map(event_json).collect();
    Ok(Json(json!({ "member": member, "events": rows, "next": next })))
}

/// An event as the page of points lists it.
pub(super) struct EventRow {
    pub id: String,
    pub link: String,
    pub who: String,
    pub what: String,
    pub day: String,
    pub serial: String,
    pub gave: String,
    pub is_taken_back: bool,
}

/// What the page of points needs to tell of events.
pub(super) struct Telling {
    /// Kinds that the scheme has rules for, and refused orders where they cost something: code and word.
    pub kinds: Vec<(String, String)>,
    /// Codes that its rules name.
    pub codes: BTreeSet<String>,
    /// What was told last.
    pub rows: Vec<EventRow>,
}

/// How much a change adds or takes, and of what if not of points.
pub(super) fn amount_words(ui: &Ui, known: &KnownPoints) -> String {
    let signed = change(known.change.points);
    match balance_of(known) {
        Balance::Points => signed,
        Balance::Growth => ui.t_with("points-growth", &[("n", &signed)]),
        Balance::Both => ui.t_with("points-and-growth", &[("n", &signed)]),
    }
}

/// What one part of an event is, in words.
fn part_words(ui: &Ui, known: &KnownPoints) -> String {
    let amount = amount_words(ui, known);
    match known.state {
        Stands::Waiting => ui.t_with("event-part-waiting", &[("amount", &amount)]),
        Stands::Posted => amount,
        Stands::Returned => ui.t_with("event-part-returned", &[("amount", &amount)]),
    }
}

fn row(tx: &mut Tx<'_>, (vault, ui): (&Vault, &Ui), (known, parts): &Whole) -> Result<EventRow, PeopleError> {
    let KnownEvent { told: event, taken, .. } = known;
    let number = people::member(tx, event.member)?.map(|row| row.number).unwrap_or_default();
    let kind = kind_words(ui.language, event.kind.code());
    let gave: Vec<String> = parts.iter().map(|part| part_words(ui, part)).collect();
    Ok(EventRow {
        id: event.id.to_string(),
        link: format!("/members/{}", event.member),
        who: format!("{} · {number}", masked_name(tx, vault, Some(event.member))?),
        what: if event.of.is_empty() { kind } else { format!("{kind} · {}", event.of) },
        day: event.day.to_string(),
        serial: event.serial.clone(),
        gave: if gave.is_empty() { ui.t("event-nothing") } else { gave.join(&ui.t("list-and")) },
        is_taken_back: taken.is_some(),
    })
}

/// What the page of points needs to tell of events; none where no version of the scheme gives or takes anything for any.
pub(super) fn telling(tx: &mut Tx<'_>, (vault, ui): (&Vault, &Ui)) -> Result<Option<Telling>, PeopleError> {
    let base = world::base(tx)?;
    let versions = || base.schemes.values().map(|scheme| &scheme.terms);
    let rules: Vec<&EarnRule> =
        versions().filter_map(|terms| terms.told.as_ref()).flat_map(|terms| &terms.rules).collect();
    let costs = versions().any(|terms| terms.returned().refusal_penalty > 0);
    let refusal = costs.then_some(EarnKind::Refusal);
    let kinds: BTreeSet<EarnKind> = rules.iter().map(|rule| rule.event).chain(refusal).collect();
    if kinds.is_empty() {
        return Ok(None);
    }
    let named = |kind: &EarnKind| (kind.code().to_owned(), kind_words(ui.language, kind.code()));
    let mut rows = Vec::new();
    for whole in told::newest(tx, LISTED_MAX)? {
        rows.push(row(tx, (vault, ui), &whole)?);
    }
    Ok(Some(Telling {
        kinds: kinds.iter().map(named).collect(),
        codes: rules.iter().filter_map(|rule| rule.of.clone()).filter(|of| !of.is_empty()).collect(),
        rows,
    }))
}
