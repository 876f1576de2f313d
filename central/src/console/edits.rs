//! The record of edits in `/api/v1` (K13): what of a member was edited, by whom, when, why, and what stood there before
//! and after. What stood there is opened from where it is sealed and shown masked; after an erasure there is nothing to
//! open. Also whose record changed today, this week, this month or last month (C3).

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::form::FIELDS;
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::time::{Instant, OfficeClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::forms::shown;
use super::pages::{PageQuery, cursor_down, next, place, rows_of};
use super::problem::Refused;
use super::signed::SignedIn;
use super::ui::Ui;
use crate::db::Tx;
use crate::rules::joining::period;
use crate::rules::judge::calendar;
use crate::store::details::{self, EditView};
use crate::store::people::{self, PeopleError, SALT_BYTES};
use crate::vault::{Vault, mask};

/// What stood there, as it is shown.
pub(super) fn stood(
    tx: &mut Tx<'_>,
    (vault, ui): (&Vault, &Ui),
    (member, what): (MemberId, &str),
    kept: Option<&String>,
) -> Result<Value, PeopleError> {
    let Some(kept) = kept else { return Ok(Value::Null) };
    let Ok(commitment) = kept.parse::<Hash>() else { return Ok(json!(kept)) };
    let Some(text) = vault.text(tx, member, commitment)? else { return Ok(Value::Null) };
    let read: Value = serde_json::from_slice(text.get(SALT_BYTES..).unwrap_or_default()).unwrap_or_default();
    Ok(match what {
        "representative" => json!(read["name"].as_str().map(mask::name)),
        "tags" => read,
        "secret" => read["secret"].clone(),
        // Which fields are filled in; what they say is shown where the class of the group allows it.
        _ if what.starts_with("group/") => {
            json!(read.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>()))
        }
        _ if FIELDS.contains(&what) => {
            json!(people::committed(&text, what).map(|value| shown(ui, what, &value)))
        }
        _ => Value::Null,
    })
}

/// The record of a member's edits, the newest first.
pub async fn of_member(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    Query(query): Query<PageQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (vault, ui) = (console.app.vault.clone(), by.ui);
    let first = details::FIRST_EDIT;
    let after = place(query.cursor.as_deref(), (first.0.0, first.1.as_bytes()));
    let after = after.and_then(|(at, what)| Some((Instant(at), String::from_utf8(what).ok()?)));
    let (at, what) = after.filter(|after| !after.1.contains('\0')).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let page = details::edits(tx, member, (at, &what), most)?;
        let next = page.last().and_then(|edit| next((page.len(), most), edit.at, edit.what.as_bytes()));
        let mut listed = Vec::new();
        for edit in page {
            let EditView { what, by, at, before, after, .. } = &edit;
            let of = (member, what.as_str());
            let before = stood(tx, (&vault, &ui), of, before.as_ref())?;
            let after = stood(tx, (&vault, &ui), of, after.as_ref())?;
            listed.push(json!({ "what": what, "by": by, "at": at, "before": before, "after": after }));
        }
        Ok((listed, next))
    };
    let (listed, next) = console.app.db.read(load).await?;
    Ok(Json(json!({ "edits": listed, "next": next })))
}

/// Which days, and where the page begins.
#[derive(Debug, Deserialize)]
pub struct PeriodQuery {
    period: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Members whose record changed in a period: `today` (the default), `week`, `month` or `last_month`; the newest first.
pub async fn changed(
    State(console): State<Console>,
    Query(query): Query<PeriodQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let today = OfficeClock { zone: by.ui.zone.name().to_owned(), ..OfficeClock::default() };
    let today = today.business_day(console.app.now());
    let days = period::days(query.period.as_deref().unwrap_or("today"), today).ok_or(Failure::NotFound)?;
    let start = |day| calendar::day_start(by.ui.zone.name(), day, 0);
    let span: (Instant, Instant) = (start(days.0), start(days.1));
    let (at, member) = cursor_down(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let load = move |tx: &mut Tx<'_>| details::changed(tx, span, (at, MemberId(member)), most);
    let page = console.app.db.read(load).await?;
    let next = page.last().and_then(|(member, at)| next((page.len(), most), *at, &member.0));
    let row = |(member, at): &(MemberId, Instant)| json!({ "member": member, "at": at });
    Ok(Json(json!({ "members": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}
