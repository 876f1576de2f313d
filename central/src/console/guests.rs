//! Who comes to a holding of an activity, in `/api/v1`: invitations, sign-ups with companions and a waiting list, cancelling;
//! and who came through each gate.

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::act::{Act, SignUpStep, SignedUp};
use hufu_shared::ids::{MemberId, OccurrenceId};
use hufu_shared::member::{COMPANIONS_MAX, MemberStatus, OccurrenceState};
use hufu_shared::rules::activity::Coming;
use serde_json::{Value, json};

use super::Console;
use super::activity_plan::count;
use super::failure::Failure;
use super::pages::{PageQuery, cursor, next, rows_of};
use super::problem::Refused;
use super::signed::{Posted, SignedIn};
use crate::db::Tx;
use crate::rules::activity::has_room;
use crate::store::activities::{self, ComingLine, GateHeads};
use crate::store::people::{self, PeopleError};
use crate::store::{acts, journal};

/// Who comes, in the order in which it came to stand so; and with the first page who came through each gate.
pub async fn list(
    State(console): State<Console>,
    Path(id): Path<OccurrenceId>,
    Query(query): Query<PageQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (at, member) = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    // Every check-in that admitted is read for the gates: not once more with each page.
    let is_first = query.cursor.is_none();
    let load = move |tx: &mut Tx<'_>| -> Result<Option<_>, PeopleError> {
        if people::occurrence(tx, id)?.is_none() {
            return Ok(None);
        }
        let page = activities::list(tx, id, (at, MemberId(member)), most)?;
        Ok(Some((page, is_first.then(|| activities::gates(tx, id)).transpose()?)))
    };
    let (page, gates) = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let next = page.last().and_then(|line| next((page.len(), most), line.sign_up.since, &line.member.0));
    let row = |line: &ComingLine| {
        json!({
            "member": line.member, "number": line.number, "coming": line.sign_up.coming.code(),
            "since": line.sign_up.since, "companions": line.sign_up.companions, "attended": line.attended,
            "companions_came": line.came,
        })
    };
    let gate = |(gate, heads): (&Option<u16>, &GateHeads)| json!({ "gate": gate, "members": heads.members, "companions": heads.companions });
    let mut told = json!({ "guests": page.iter().map(row).collect::<Vec<_>>(), "next": next });
    if let Some(gates) = gates {
        told["gates"] = gates.iter().map(gate).collect();
    }
    Ok(Json(told))
}

/// A step about the coming of the member of a `number`; answers how it stands then, or the key of what is wrong.
pub(super) async fn step_it(
    console: &Console,
    posted: &Posted,
    id: OccurrenceId,
) -> Result<Result<ComingLine, &'static str>, Failure> {
    let step = match posted.fields.get("step") {
        "invite" => SignUpStep::Invite,
        "sign_up" => SignUpStep::SignUp,
        "cancel" => SignUpStep::Cancel,
        _ => return Ok(Err("guest-step")),
    };
    let Ok(companions) = count(&posted.fields, "companions", COMPANIONS_MAX) else {
        return Ok(Err("guest-companions"));
    };
    let companions = companions.filter(|companions| step == SignUpStep::SignUp && *companions > 0);
    let number = posted.fields.get("number").to_owned();
    let (actor, entry, now) = (posted.by.actor(), console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<ComingLine, &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let Some(row) = people::occurrence(tx, id)? else { return Ok(Err("guest-none")) };
        if row.state != OccurrenceState::Approved || now >= row.ends {
            return Ok(Err("activity-not-running"));
        }
        let Some(member) = people::member_by_number(tx, &number)? else { return Ok(Err("guest-nobody")) };
        let takes_part = people::member(tx, member)?.is_some_and(|row| row.status == MemberStatus::Active);
        if !takes_part {
            return Ok(Err("guest-nobody"));
        }
        if companions.unwrap_or(0) > row.companions_most() {
            return Ok(Err("guest-companions"));
        }
        if step == SignUpStep::SignUp && !has_room(row.places, companions.unwrap_or(0)) {
            return Ok(Err("guest-room"));
        }
        let stands = activities::one(tx, id, member)?;
        let brings_more = stands.is_some_and(|line| {
            line.sign_up.coming == Coming::Placed && companions.unwrap_or(0) > line.sign_up.companions
        });
        if step == SignUpStep::SignUp && brings_more {
            return Ok(Err("guest-more"));
        }
        let signed_up = SignedUp { occurrence: id, member, step, companions };
        acts::take(tx, entry, now, &actor, &Act::SignedUp(signed_up))?;
        Ok(activities::one(tx, id, member)?.ok_or("guest-nobody"))
    };
    Ok(console.app.write(work).await?)
}

/// Invites the member of a `number` (`step` = `invite`), signs them up with so many `companions` (`sign_up`) or cancels
/// (`cancel`). What stands already is answered as it stands: a request that is sent twice is done once.
pub async fn step(
    State(console): State<Console>,
    Path(id): Path<OccurrenceId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    match step_it(&console, &posted, id).await? {
        Ok(line) => Ok(Json(json!({
            "member": line.member, "number": line.number, "coming": line.sign_up.coming.code(),
            "since": line.sign_up.since, "companions": line.sign_up.companions,
        }))),
        Err("guest-none") => Err(Failure::NotFound.into()),
        Err(key @ ("activity-not-running" | "guest-more")) => Err(Refused::conflict(&ui, key)),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}
