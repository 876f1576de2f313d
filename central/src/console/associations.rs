//! What the sales system is told of people who joined, in `/api/v1` (K9): it asks for what is due, does it, and says so.
//! The project of a purchase stands in the sealed application and is opened for this alone.

use axum::Json;
use axum::extract::{Query, State};
use hufu_shared::act::{Act, AssociationDone};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::applications::PAGE_ROWS;
use super::cases::fact_text;
use super::failure::Failure;
use super::place::FIELD_OF_PROJECT;
use super::problem::Refused;
use super::requests::fact_of;
use super::signed::{Posted, SignedIn};
use crate::db::Tx;
use crate::rules::joining::application::Association;
use crate::store::people::{self, PeopleError};
use crate::store::{associations, lookalikes};

/// Which list.
#[derive(Debug, Deserialize)]
pub struct ListQuery {
    state: Option<String>,
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
    let load = move |tx: &mut Tx<'_>| -> Result<Vec<Value>, PeopleError> {
        let mut rows = Vec::new();
        for (application, step, known) in associations::page(tx, is_done, PAGE_ROWS)? {
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
        Ok(rows)
    };
    Ok(Json(json!({ "associations": console.app.db.read(load).await? })))
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
