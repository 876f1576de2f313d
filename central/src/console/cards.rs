//! Cards as `/api/v1` shows them (K19): by time of issue or replacement, holder and kind; one card with its life, what
//! stands under it and the terminals that have it as it stands; and those that points ask to change (K17).

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::ids::CardId;
use hufu_shared::rules::calendar::day_start;
use hufu_shared::time::{Day, Instant, OfficeClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::pages::{cursor, next, rows_of};
use super::problem::Refused;
use super::signed::SignedIn;
use crate::db::Tx;
use crate::import::cards::end_of;
use crate::rules::world::CardLife;
use crate::store::cards::{self, Asked, CardLine};
use crate::store::people::{self, PeopleError};

fn life_json(life: &CardLife) -> Value {
    json!({
        "rank": life.rank.code(), "under": life.under, "office": life.office, "issued": life.issued,
        "replaces": life.replaces, "replaced_by": life.replaced.map(|(card, _)| card),
        "replaced": life.replaced.map(|(_, at)| at), "ended": life.ended.map(|(at, _)| at),
        "ended_by": life.ended.map(|(_, why)| why.code()),
        "due_kind": life.due.as_ref().map(|(kind, _)| kind), "due_since": life.due.as_ref().map(|(_, day)| day),
    })
}

/// A card with its life.
pub(super) fn line_json(line: &CardLine) -> Value {
    let card = &line.card;
    let mut value = json!({
        "card": card.card, "member": card.member, "number": line.number, "kind": card.kind,
        "status": card.status.code(), "tail": card.tail, "valid_from": card.valid_from, "valid_until": card.valid_until,
    });
    if let (Value::Object(all), Value::Object(life)) = (&mut value, life_json(&line.life)) {
        all.extend(life);
    }
    value
}

/// One card: its life, what stands under it, and which terminals have it as it stands.
pub async fn one(
    State(console): State<Console>,
    Path(card): Path<CardId>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let load = move |tx: &mut Tx<'_>| -> Result<Option<Value>, PeopleError> {
        let Some(line) = cards::one(tx, card)? else { return Ok(None) };
        let under = cards::under(tx, card)?;
        let under: Vec<Value> = under
            .iter()
            .map(|known| json!({"card": known.card, "kind": known.kind, "status": known.status.code(), "rank": known.life.rank.code()}))
            .collect();
        let (reached, lacking) = people::reach(tx, card)?;
        let mut value = line_json(&line);
        value["below"] = Value::Array(under);
        value["terminals_have"] = reached.into();
        value["terminals_lack"] = lacking.into();
        Ok(Some(value))
    };
    Ok(Json(console.app.db.read(load).await?.ok_or(Failure::NotFound)?))
}

/// What cards are looked for by (K19): `by=replaced` for the time of replacement, days `from` and `until`, `kind`,
/// `status`, `holder` (a number), `rank`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CardsQuery {
    by: String,
    from: Option<Day>,
    until: Option<Day>,
    kind: String,
    status: String,
    holder: String,
    rank: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Cards by time of issue or replacement, holder and kind (K19), the oldest first.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<CardsQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (at, id) = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let zone = OfficeClock::default().zone;
    let asked = Asked {
        by_replaced: query.by == "replaced",
        from: query.from.map(|day| day_start(&zone, day, 0)),
        // The last day counts whole.
        until: query.until.map(|day| end_of(&zone, day)),
        kind: query.kind,
        status: query.status,
        holder: query.holder,
        rank: query.rank,
    };
    let by_replaced = asked.by_replaced;
    let page = console.app.db.read(move |tx| cards::find(tx, &asked, (at, CardId(id)), most)).await?;
    let moment = |line: &CardLine| {
        let replaced = line.life.replaced.map(|(_, at)| at);
        if by_replaced { replaced } else { line.life.issued }.unwrap_or_default()
    };
    let next = page.last().and_then(|line| next((page.len(), most), moment(line), &line.card.card.0));
    Ok(Json(json!({ "cards": page.iter().map(line_json).collect::<Vec<_>>(), "next": next })))
}

/// Main cards that points ask to change (K17), the oldest first.
pub async fn due(
    State(console): State<Console>,
    Query(query): Query<CardsQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (Instant(day), id) = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let day = Day(i32::try_from(day.max(i64::from(i32::MIN))).map_err(|_| Failure::NotFound)?);
    let page = console.app.db.read(move |tx| cards::waiting(tx, (day, CardId(id)), most)).await?;
    let next =
        page.last().and_then(|line| next((page.len(), most), Instant(line.day.0.into()), &line.card.0));
    let row = |line: &cards::DueLine| {
        json!({
            "card": line.card, "number": line.number, "tail": line.tail, "kind": line.kind, "to": line.to,
            "since": line.day,
        })
    };
    Ok(Json(json!({ "cards": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}
