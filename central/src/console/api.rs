//! What `/api/v1` says of itself and of who is signed in, and what the pages of the centre show, as JSON.

use axum::Json;
use axum::extract::{Query, State};
use hufu_shared::ids::{DeviceId, Hash};
use hufu_shared::time::Day;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::contract::document;
use super::devices::presence;
use super::failure::Failure;
use super::health;
use super::overview::today;
use super::pages::{Order, rows_of};
use super::problem::Refused;
use super::readiness;
use super::session::form_token;
use super::signed::{AnyRole, SignedIn};
use super::watching::Watching;
use crate::db::Tx;
use crate::store::cases::{self, Case, Side};
use crate::store::overview::UNCLOSED_LISTED_MAX;
use crate::store::{StoreError, devices as device_store, overview, reconcile};

/// The contract itself, the same for everybody.
pub async fn openapi() -> Json<Value> {
    Json(document::document())
}

/// Who is signed in, and the token that every change of the session must carry.
pub async fn session(AnyRole(by): AnyRole) -> Json<Value> {
    let session = &by.session;
    Json(json!({
        "login": session.login, "name": session.name, "role": session.account.role.code(),
        "token": form_token(session),
    }))
}

/// Figures of today and what waits.
pub async fn overview(State(console): State<Console>, by: SignedIn) -> Result<Json<Value>, Failure> {
    let day = today(&by.ui);
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok((
            overview::day(tx, "", day)?,
            overview::unclosed(tx, "", day, UNCLOSED_LISTED_MAX)?,
            cases::open_counts(tx)?,
            device_store::list(tx)?,
        ))
    };
    let (figures, unclosed, kinds, terminals) = console.app.db.read(load).await?;
    let count = |code: &str| terminals.iter().filter(|line| presence(line, by.ui.now).code() == code).count();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|kind| json!({"kind": kind.kind, "count": kind.count, "oldest": kind.oldest}))
        .collect();
    let unclosed: Vec<_> = unclosed
        .iter()
        .map(|open| json!({"device": open.device, "name": open.name, "day": open.day, "facts": open.facts}))
        .collect();
    Ok(Json(json!({
        "day": day,
        "attended": figures.attended, "earned": figures.earned, "members": figures.members,
        "points": figures.points, "refused": figures.refused, "devices_used": figures.devices,
        "devices_online": count("online"), "devices_offline": count("offline"),
        "cases": kinds, "unclosed": unclosed,
    })))
}

/// All terminals.
pub async fn devices(State(console): State<Console>, by: SignedIn) -> Result<Json<Value>, Failure> {
    let load =
        |tx: &mut Tx<'_>| -> Result<_, StoreError> { Ok((device_store::list(tx)?, Watching::load(tx)?)) };
    let (all, watching) = console.app.db.read(load).await?;
    let line = |line: &device_store::DeviceLine| {
        let contact = line.contact.as_ref();
        json!({
            "device": line.device, "name": line.name, "status": line.status.code(), "epoch": line.epoch,
            "presence": presence(line, by.ui.now).code(),
            "office": line.office_words.as_ref().map(|(code, _)| code),
            "acked_seq": line.enrolled.map(|(seq, _)| seq),
            "last_contact": contact.map(|contact| contact.at),
            "queued": contact.map(|contact| contact.queued),
            "software": contact.map(|contact| &contact.software),
            "readiness": contact.and_then(|contact| contact.readiness.as_ref()).map(readiness::json),
            "health": contact.and_then(|contact| contact.health.as_ref()).map(health::json),
            "alarmed": watching.is_alarmed(&by.ui, line),
        })
    };
    Ok(Json(json!({ "devices": all.iter().map(line).collect::<Vec<_>>() })))
}

/// Open cases; with `ended=1` those that were decided or ended by themselves; with `kind` those of that kind alone.
#[derive(Debug, Deserialize)]
pub struct CasesQuery {
    kind: Option<u8>,
    ended: Option<u8>,
    sort: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// A case with its sides.
fn case_json(tx: &mut Tx<'_>, case: &Case) -> Result<Value, StoreError> {
    let (sides, count) = cases::sides(tx, case.id)?;
    let fact = |side: &Side| json!({ "fact": side.id, "at": side.at, "became": side.became, "office": side.office.code });
    let facts: Vec<Value> = sides.iter().map(fact).collect();
    Ok(json!({
        "case": case.id, "kind": case.known.kind, "state": case.known.state.code(),
        "member": case.known.member, "occurrence": case.known.occurrence, "device": case.known.device,
        "automatic": case.known.automatic, "verdict": case.known.verdict,
        "opened": case.known.opened, "changed": case.known.changed,
        "facts": facts, "facts_all": count,
    }))
}

/// Cases: of those that wait the one that waits longest in front, of those that ended the newest.
pub async fn cases(
    State(console): State<Console>,
    Query(query): Query<CasesQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let of = (query.ended == Some(1), query.kind);
    let order = Order::of(query.sort.as_deref(), if of.0 { "-changed" } else { "opened" });
    let (at, id) = order.place(&by.ui, query.cursor.as_deref())?;
    let most = rows_of(query.limit);
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let page = cases::page(tx, of, (order.name(), at, Hash(id)), most)?;
        let moment = |case: &Case| match order.column() {
            "changed" => case.known.changed,
            _ => case.known.opened,
        };
        let next = page.last().and_then(|case| order.next((page.len(), most), moment(case).0, &case.id.0));
        let rows = page.iter().map(|case| case_json(tx, case)).collect::<Result<Vec<_>, _>>()?;
        Ok((rows, next))
    };
    let (rows, next) = console.app.db.read(load).await?;
    Ok(Json(json!({ "cases": rows, "next": next })))
}

/// Which day of which terminal; today, and all terminals, by default.
#[derive(Debug, Deserialize)]
pub struct DaysQuery {
    device: Option<DeviceId>,
    day: Option<Day>,
}

/// Days against the ledger.
pub async fn days(
    State(console): State<Console>,
    Query(query): Query<DaysQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Failure> {
    let day = query.day.unwrap_or_else(|| today(&by.ui));
    let load = move |tx: &mut Tx<'_>| -> Result<Vec<Value>, StoreError> {
        let terminals = reconcile::terminals(tx)?;
        let wanted =
            terminals.iter().filter(|known| query.device.is_none_or(|device| device == known.device));
        wanted
            .map(|known| {
                let reconciled = reconcile::day(tx, known.device, day)?;
                Ok(json!({ "device": known.device, "name": known.name, "reconciled": reconciled }))
            })
            .collect()
    };
    Ok(Json(json!({ "day": day, "terminals": console.app.db.read(load).await? })))
}
