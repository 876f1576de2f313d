//! Who comes to a holding of an activity, in `/api/v1`: invitations, sign-ups with a waiting list, cancelling.

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::act::{Act, SignUpStep, SignedUp};
use hufu_shared::ids::{MemberId, OccurrenceId};
use hufu_shared::member::{MemberStatus, OccurrenceState};
use serde_json::{Value, json};

use super::Console;
use super::applications::{PageQuery, cursor, next, rows_of};
use super::failure::Failure;
use super::problem::Refused;
use super::signed::{Posted, SignedIn};
use crate::db::Tx;
use crate::store::activities::{self, ComingLine};
use crate::store::people::{self, PeopleError};
use crate::store::{acts, journal};

/// Who comes, in the order in which it came to stand so.
pub async fn list(
    State(console): State<Console>,
    Path(id): Path<OccurrenceId>,
    Query(query): Query<PageQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (at, member) = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let load = move |tx: &mut Tx<'_>| -> Result<Option<Vec<ComingLine>>, PeopleError> {
        if people::occurrence(tx, id)?.is_none() {
            return Ok(None);
        }
        Ok(Some(activities::list(tx, id, (at, MemberId(member)), most)?))
    };
    let page = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let next = page.last().and_then(|line| next((page.len(), most), line.sign_up.since, &line.member.0));
    let row = |line: &ComingLine| {
        json!({
            "member": line.member, "number": line.number, "coming": line.sign_up.coming.code(),
            "since": line.sign_up.since, "attended": line.attended,
        })
    };
    Ok(Json(json!({ "guests": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}

/// Invites the member of a `number` (`step` = `invite`), signs them up (`sign_up`) or cancels (`cancel`). What stands
/// already is answered as it stands: a request that is sent twice is done once.
pub async fn step(
    State(console): State<Console>,
    Path(id): Path<OccurrenceId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let step = match posted.fields.get("step") {
        "invite" => SignUpStep::Invite,
        "sign_up" => SignUpStep::SignUp,
        "cancel" => SignUpStep::Cancel,
        _ => return Err(Refused::unfit(&ui, "guest-step")),
    };
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
        let signed_up = SignedUp { occurrence: id, member, step };
        acts::take(tx, entry, now, &actor, &Act::SignedUp(signed_up))?;
        Ok(activities::one(tx, id, member)?.ok_or("guest-nobody"))
    };
    match console.app.write(work).await? {
        Ok(line) => Ok(Json(json!({
            "member": line.member, "number": line.number, "coming": line.sign_up.coming.code(),
            "since": line.sign_up.since,
        }))),
        Err("guest-none") => Err(Failure::NotFound.into()),
        Err(key @ "activity-not-running") => Err(Refused::conflict(&ui, key)),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}
