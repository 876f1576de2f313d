//! The members in `/api/v1`, page by page: by their numbers, or by when they joined. Everything personal is masked; who is
//! looked for by name or mobile is found by a search, whose words never stand in an address.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Query, State};
use hufu_shared::ids::MemberId;
use hufu_shared::time::Day;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::members::{Row, rows_of};
use super::pages::{self, Order, is_full};
use super::problem::Refused;
use super::signed::SignedIn;
use super::ui::Ui;
use crate::db::Tx;
use crate::store::members::{self, After};
use crate::store::people::PeopleError;

/// Which members, in which order, and where the page begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MembersQuery {
    /// Where they stand; anywhere if empty.
    status: String,
    /// Code of the office that won them; of any if empty.
    office: String,
    sort: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// After whom a page begins. Numbers are of any length, so a place by number is the number itself.
pub(super) fn after(order: &Order, ui: &Ui, cursor: Option<&str>) -> Result<After, Refused> {
    if order.name() != "number" {
        let (day, id) = order.place(ui, cursor)?;
        let member = MemberId(id);
        let is_up = order.name() == order.column();
        return Ok(if is_up { After::Joined(day, member) } else { After::JoinedDown(day, member) });
    }
    let Some(cursor) = cursor else { return Ok(After::Number(String::new())) };
    let number = data_encoding::HEXLOWER.decode(order.own(ui, cursor)?.as_bytes());
    let number = number.ok().and_then(|number| String::from_utf8(number).ok());
    let number = number.filter(|number| !number.contains('\0'));
    Ok(After::Number(number.ok_or(Failure::NotFound)?))
}

/// The place after a row in the order of a list.
pub(super) fn place_of(order: &Order, page: (usize, i64), row: &Row, joined: Day) -> Option<String> {
    if order.name() != "number" {
        return order.next(page, joined.0.into(), &row.id.0);
    }
    let number = data_encoding::HEXLOWER.encode(row.number.as_bytes());
    is_full(page.0, page.1).then(|| format!("{}.{number}", order.name()))
}

/// Members of a `status` and an `office`, by their numbers, or by `sort` by the day on which they joined.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<MembersQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let order = Order::of(query.sort.as_deref(), "number");
    let from = after(&order, &by.ui, query.cursor.as_deref())?;
    let most = pages::rows_of(query.limit);
    let (vault, ui) = (console.app.vault.clone(), by.ui);
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let page = members::page(tx, (&query.status, &query.office), &from, most)?;
        let days: BTreeMap<MemberId, Day> = page.iter().copied().collect();
        let rows = rows_of(tx, &vault, &ui, page.iter().map(|row| row.0))?;
        let dated = rows.into_iter().filter_map(|row| Some((days.get(&row.id).copied()?, row)));
        Ok(dated.collect::<Vec<(Day, Row)>>())
    };
    let rows = console.app.db.read(load).await?;
    let next = rows.last().and_then(|(day, row)| place_of(&order, (rows.len(), most), row, *day));
    let shown = |(day, row): &(Day, Row)| {
        let mut shown = row.json();
        shown["joined"] = json!(day);
        shown
    };
    Ok(Json(json!({ "members": rows.iter().map(shown).collect::<Vec<_>>(), "next": next })))
}
