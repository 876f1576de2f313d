//! What the sales system is told of people who joined, in `/api/v1` (K9): it asks for what is due, does it, and says so.
//! The project of a purchase stands in the sealed application and is opened for this alone.

use axum::Json;
use axum::extract::{Query, State};
use hufu_shared::act::{Act, AssociationDone};
use hufu_shared::time::Instant;
use serde_json::{Value, json};

use super::Console;
use super::cases::fact_text;
use super::failure::Failure;
use super::pages::{ListQuery, is_full, rows_of};
use super::place::FIELD_OF_PROJECT;
use super::problem::Refused;
use super::requests::fact_of;
use super::signed::{Posted, SignedIn};
use crate::db::Tx;
use crate::rules::joining::application::Association;
use crate::store::associations::{self, Place};
use crate::store::lookalikes;
use crate::store::people::{self, PeopleError};

/// The place that a cursor names.
fn place(cursor: Option<&str>) -> Option<Place> {
    let Some(cursor) = cursor else { return Some(Place::first()) };
    let mut parts = cursor.splitn(3, '.');
    let (due, step, application) = (parts.next()?, parts.next()?, parts.next()?);
    let due = Instant(due.parse().ok()?);
    Some(Place { due, application: fact_of(application)?, step: step.to_owned() })
}

/// What is due, or with `state=done` what was done; the oldest first.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<ListQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let is_done = match query.state.as_deref() {
        None | Some("due") => false,
        Some("done") => true,
        Some(_) => return Err(Failure::NotFound.into()),
    };
    let keys = console.app.keys.clone();
    let (after, most) = (place(query.cursor.as_deref()).ok_or(Failure::NotFound)?, rows_of(query.limit));
    let load = move |tx: &mut Tx<'_>| -> Result<(Vec<Value>, Option<String>), PeopleError> {
        let page = associations::page(tx, is_done, &after, most)?;
        let last = page.last().filter(|_| is_full(page.len(), most));
        let next =
            last.map(|(id, step, known)| format!("{}.{}.{}", known.due.0, step.code(), fact_text(*id)));
        let mut rows = Vec::new();
        for (application, step, known) in page {
            let project = match step {
                Association::AddPurchase => {
                    let content = lookalikes::content(tx, keys.open_key(), application)?;
                    content
                        .and_then(Result::ok)
                        .and_then(|content| Some(content.get(FIELD_OF_PROJECT)?.to_owned()))
                }
                Association::Mark => None,
            };
            let number = people::member(tx, known.member)?.map(|row| row.number);
            rows.push(json!({
                "application": fact_text(application), "step": step.code(), "member": known.member,
                "number": number, "project": project, "due": known.due, "done": known.done,
            }));
        }
        Ok((rows, next))
    };
    let (rows, next) = console.app.db.read(load).await?;
    Ok(Json(json!({ "associations": rows, "next": next })))
}

/// Says that a step of an application was done.
pub async fn done(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let application = fact_of(posted.fields.get("application")).ok_or(Failure::NotFound)?;
    let step = Association::from_code(posted.fields.get("step")).ok_or(Failure::NotFound)?.code().to_owned();
    let act = Act::AssociationDone(AssociationDone { application, step: step.clone() });
    console.app.act(posted.by.actor(), act).await?;
    Ok(Json(json!({ "application": fact_text(application), "step": step })))
}
