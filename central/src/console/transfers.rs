//! Points that one member gives another, in `/api/v1` and as a form of the page of points: within the limits of the club's
//! scheme, and with both members named on both statements.
//!
//! A transfer carries a key: sent twice it is done once. Whether it may be is the rule's to say
//! ([`hufu_shared::rules::transfer`]).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::PointsTransferred;
use hufu_shared::ids::Hash;
use hufu_shared::rules::transfer::NotTransferred;
use serde_json::json;

use super::Console;
use super::failure::Failure;
use super::points::{Wrong, key_of, office_of, wrong};
use super::problem::Refused;
use super::signed::Posted;
use super::ui::{Ui, number};
use super::verdict::note;
use crate::db::Tx;
use crate::store::people::{self, PeopleError};
use crate::store::transfers::{self, Given, NotGiven};

/// Why points are not given, as people and programs are told.
pub(super) enum Refusal {
    /// As a change of points would be refused.
    Change(Wrong),
    /// The limits of the club.
    Limits(NotTransferred),
}

impl Refusal {
    fn key(key: &'static str) -> Self {
        Self::Change(Wrong::Key(key))
    }

    /// For programs.
    fn code(&self) -> &'static str {
        match self {
            Self::Change(wrong) => wrong.code(),
            Self::Limits(NotTransferred::NotAllowed | NotTransferred::Offline) => "transfer-not-allowed",
            Self::Limits(NotTransferred::Size { .. }) => "transfer-size",
            Self::Limits(NotTransferred::Limit { .. }) => "transfer-limit",
        }
    }

    /// In words.
    pub(super) fn text(&self, ui: &Ui) -> String {
        let values = match self {
            Self::Change(wrong) => return wrong.text(ui),
            Self::Limits(NotTransferred::NotAllowed | NotTransferred::Offline) => return ui.t(self.code()),
            Self::Limits(NotTransferred::Size { least, most, .. }) => {
                [("least", number(*least)), ("most", number(*most))]
            }
            Self::Limits(NotTransferred::Limit { given, most }) => {
                [("given", number(*given)), ("most", number(*most))]
            }
        };
        ui.t_of(self.code(), &values)
    }
}

/// Gives points as the fields say; the name of the transfer, and whether it is new.
pub(super) async fn give_as(
    console: &Console,
    posted: &Posted,
) -> Result<Result<(Hash, bool), Refusal>, Failure> {
    let fields = &posted.fields;
    let key = match key_of(fields) {
        Ok(key) => key,
        Err(why) => return Ok(Err(Refusal::key(why))),
    };
    let Some(points) = fields.get("points").parse::<i64>().ok().filter(|points| *points > 0) else {
        return Ok(Err(Refusal::key("points-number")));
    };
    if fields.get("reason").is_empty() {
        return Ok(Err(Refusal::key("reason-missing")));
    }
    let id = Hash::of(&[b"hufu-points-transfer", key.as_bytes()]);
    let note = note(console, fields.get("reason"))?;
    let [from, to, office] = ["from", "to", "office"].map(|name| fields.get(name).to_owned());
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<Given, Refusal>, PeopleError> {
        let (from, to) = (people::member_by_number(tx, &from)?, people::member_by_number(tx, &to)?);
        let Some((from, to)) = from.zip(to) else { return Ok(Err(Refusal::key("points-member"))) };
        let own = people::member(tx, from)?.and_then(|row| row.office);
        let Some(office) = office_of(&office, own, &people::offices(tx)?) else {
            return Ok(Err(Refusal::key("points-office")));
        };
        let wish = PointsTransferred { id, from, to, points, office, reason: note.commitment };
        Ok(match transfers::give(tx, &wish, (&note, &actor), (entry, now))? {
            Ok(given) => Ok(given),
            Err(NotGiven::Same) => Err(Refusal::key("transfer-same")),
            Err(NotGiven::Limits(why)) => Err(Refusal::Limits(why)),
            Err(NotGiven::Member(member, why)) => Err(Refusal::Change(wrong(tx, (member, why), now)?)),
        })
    };
    Ok(match console.app.write(work).await? {
        Ok(given) => Ok((id, given == Given::Now)),
        Err(why) => {
            console.app.wake();
            Err(why)
        }
    })
}

/// Gives points: `from` and `to` are numbers of members; `points`, `reason`, a `key`, and if need be the code of an
/// `office` whose day it counts to.
pub async fn give(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    match give_as(&console, &posted).await? {
        Ok((id, is_new)) => {
            let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(json!({ "transfer": id, "new": is_new }))).into_response())
        }
        Err(why) => Err(Refused::unfit_as(why.code(), why.text(&posted.by.ui))),
    }
}
