//! What came over from another system, and the lists that were taken out, in `/api/v1`.

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::ids::{EntryId, Hash, MemberId};
use hufu_shared::money::Leg;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::pages::{PageQuery, cursor_down, next, rows_of};
use super::problem::Refused;
use super::signed::SignedIn;
use crate::db::Tx;
use crate::store::brought::{self, ExportView, PastView};

/// The lists that were taken out, the newest first: which, how many rows, whether as they are, by whom.
pub async fn exports(
    State(console): State<Console>,
    Query(query): Query<PageQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (at, entry) = cursor_down(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let page = console.app.db.read(move |tx| brought::exports(tx, (at, EntryId(entry)), most)).await?;
    let next = page.last().and_then(|it| next((page.len(), most), it.at, &it.entry.0));
    let row = |it: &ExportView| json!({ "what": it.what, "rows": it.rows, "clear": it.clear, "by": it.by, "at": it.at });
    Ok(Json(json!({ "exports": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}

/// What a member did in the system before, the newest first. None of it is in a balance.
pub async fn past(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    Query(query): Query<PageQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (at, id) = cursor_down(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let vault = console.app.vault.clone();
    let load = move |tx: &mut Tx<'_>| brought::past_of(tx, &vault, member, (at, Hash(id)), most);
    let page = console.app.db.read(load).await?;
    let next = page.last().and_then(|it| next((page.len(), most), it.at, &it.id.0));
    let change = |leg: &Leg| json!({ "unit": leg.unit, "amount": leg.amount });
    let row = |it: &PastView| {
        let changes: Vec<Value> = it.legs.iter().map(change).collect();
        json!({ "at": it.at, "changes": changes, "words": it.words, "batch": it.batch })
    };
    Ok(Json(json!({ "lines": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}
