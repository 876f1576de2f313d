//! What came over from another system, and the lists that were taken out, in `/api/v1`.

use axum::Json;
use axum::extract::{Path, State};
use hufu_shared::ids::MemberId;
use hufu_shared::money::Leg;
use serde_json::{Value, json};

use super::Console;
use super::problem::Refused;
use super::signed::SignedIn;
use crate::db::Tx;
use crate::store::brought::{self, ExportView, PastView};

/// Rows that one answer lists.
const LISTED_MAX: u32 = 500;

/// The lists that were taken out, the newest first: which, how many rows, whether as they are, by whom.
pub async fn exports(State(console): State<Console>, _by: SignedIn) -> Result<Json<Value>, Refused> {
    let found = console.app.db.read(|tx| brought::exports(tx, LISTED_MAX)).await?;
    let row = |it: &ExportView| json!({ "what": it.what, "rows": it.rows, "clear": it.clear, "by": it.by, "at": it.at });
    Ok(Json(json!({ "exports": found.iter().map(row).collect::<Vec<_>>() })))
}

/// What a member did in the system before, the newest first. None of it is in a balance.
pub async fn past(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let vault = console.app.vault.clone();
    let load = move |tx: &mut Tx<'_>| brought::past_of(tx, &vault, member, LISTED_MAX);
    let found = console.app.db.read(load).await?;
    let change = |leg: &Leg| json!({ "unit": leg.unit, "amount": leg.amount });
    let row = |it: &PastView| {
        let changes: Vec<Value> = it.legs.iter().map(change).collect();
        json!({ "at": it.at, "changes": changes, "words": it.words, "batch": it.batch })
    };
    Ok(Json(json!({ "lines": found.iter().map(row).collect::<Vec<_>>() })))
}
