//! The close of an office's day in `/api/v1`: what the page tells, and what is done to a day. A signature names what was
//! seen; while that is not so any more, the day is told anew and nothing is signed.

use axum::Json;
use axum::extract::{Path, State};
use hufu_shared::ids::{Hash, OfficeId};
use hufu_shared::time::Day;
use serde_json::{Value, json};

use super::Console;
use super::day_lines::Asked;
use super::failure::Failure;
use super::office_day::{Read, Wish, do_it, place, read};
use super::office_days::signature_json;
use super::problem::Refused;
use super::signed::{Posted, SignedIn};
use crate::rules::office_day::{DayStep, Difference, TerminalPart};
use crate::rules::world::became_code;
use crate::store::cash::TerminalCash;
use crate::store::office_days::Later;

/// Where and which day, as the address says.
type At = Path<(String, String)>;

fn later(of: &Later) -> Value {
    let sums: Vec<Value> =
        of.sums.iter().map(|(unit, sum)| json!({ "unit": unit.code(), "amount": sum })).collect();
    json!({
        "day": of.day, "recorded": of.recorded, "late": of.is_late, "fact": of.fact.to_string(),
        "event": of.event, "at": of.at, "became": became_code(of.became), "kind": of.kind,
        "member": of.member, "booked": sums,
    })
}

fn step(read: &Read, of: &DayStep) -> Value {
    let reason = of.what.reason().and_then(|reason| read.reasons.get(&reason));
    json!({ "what": of.what.code(), "by": of.by, "at": of.at, "reason": reason })
}

fn difference(read: &Read, of: &Difference) -> Value {
    let given = read.sheet.standing.reasons.get(&of.id);
    let reason = given.and_then(|(reason, ..)| read.reasons.get(reason));
    json!({
        "difference": of.id, "matter": of.matter, "device": of.device, "size": of.size,
        "explained": given.is_some() || of.own_reason.is_some(), "reason": reason.or(of.own_reason.as_ref()),
    })
}

fn terminal((part, of): (&TerminalPart, &TerminalCash)) -> Value {
    json!({
        "device": part.device, "name": of.name, "expected": part.is_expected, "reported": part.is_reported(),
        "may_lack": part.may_lack, "state": part.day.state, "facts": part.day.lines.len(),
        "promised": part.day.promised, "posted": part.day.posted, "unexplained": part.unexplained(),
        "drawer": part.drawer(),
    })
}

fn told(read: &Read) -> Value {
    let sheet = &read.sheet;
    let office = &sheet.cash.office;
    let cases: Vec<Value> = sheet
        .cases
        .iter()
        .map(|of| json!({ "case": of.case, "kind": of.kind, "opened": of.opened }))
        .collect();
    let terminals = sheet.parts.iter().zip(&sheet.cash.terminals).map(terminal);
    json!({
        "office": office.office, "code": office.code, "day": sheet.cash.day, "zone": office.clock.zone,
        "state": sheet.state(), "over": sheet.is_over, "seen": sheet.seen, "figures": sheet.figures,
        "first": signature_json(sheet.standing.first.as_ref()),
        "second": signature_json(sheet.standing.second.as_ref()),
        "differences": sheet.differences.iter().map(|of| difference(read, of)).collect::<Vec<_>>(),
        "terminals": terminals.collect::<Vec<_>>(), "cases": cases,
        "adjustments": read.adjustments.iter().map(|(of, _)| later(of)).collect::<Vec<_>>(),
        "since": read.since.iter().map(|(of, _)| later(of)).collect::<Vec<_>>(),
        "steps": sheet.steps.iter().map(|of| step(read, of)).collect::<Vec<_>>(),
    })
}

async fn tell(console: &Console, of: (OfficeId, Day)) -> Result<Json<Value>, Refused> {
    let own = console.clone();
    let found = console.app.db.read(move |tx| read(tx, &own, of, Asked::default())).await?;
    Ok(Json(told(&found.ok_or(Failure::NotFound)?)))
}

/// One day of an office.
pub async fn one(
    State(console): State<Console>,
    Path((office, day)): At,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let of = place(&console, &office, &day).await?;
    tell(&console, of).await
}

/// Does what is wished, and tells the day as it is then.
async fn done(
    console: &Console,
    posted: Posted,
    at: (String, String),
    wish: Wish,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let of = place(console, &at.0, &at.1).await?;
    match do_it(console, &posted, (of, wish)).await? {
        Ok(()) => tell(console, of).await,
        Err("oday-not-there") => Err(Failure::NotFound.into()),
        Err(key @ ("reason-missing" | "oday-not-explained" | "oday-not-different")) => {
            Err(Refused::unfit(&ui, key))
        }
        Err(key) => Err(Refused::conflict(&ui, key)),
    }
}

/// A field that is the name of something.
fn name_in(posted: &Posted, field: &str, key: &str) -> Result<Hash, Refused> {
    posted.fields.get(field).parse().map_err(|_| Refused::unfit(&posted.by.ui, key))
}

/// Gives the `reason` of a `difference`.
pub async fn explain(
    State(console): State<Console>,
    Path(at): At,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let difference = name_in(&posted, "difference", "oday-not-different")?;
    done(&console, posted, at, Wish::Explain(difference)).await
}

/// Signs what was `seen`.
pub async fn sign(
    State(console): State<Console>,
    Path(at): At,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let seen = name_in(&posted, "seen", "oday-not-seen")?;
    done(&console, posted, at, Wish::Sign(seen)).await
}

/// Opens a signed day again, for a `reason`.
pub async fn reopen(
    State(console): State<Console>,
    Path(at): At,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    done(&console, posted, at, Wish::Reopen).await
}
