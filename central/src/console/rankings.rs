//! 排名奖励 (P4): the awards of each period, in order, and giving one; as a page and in `/api/v1`.
//!
//! An award is given once. Where its code is that of a gift that stock counts, one comes off the shelf of the office that
//! gives it; else it is only put down as given, with who and when.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::StockClass;
use hufu_shared::ids::{Hash, MemberId};
use serde_json::{Value, json};

use super::Console;
use super::failure::{Failure, go};
use super::members::masked_name;
use super::pages::{PageQuery, is_full, rows_of};
use super::problem::Refused;
use super::signed::{Posted, SignedIn};
use super::ui::{Ui, number};
use super::verdict::note;
use crate::db::Tx;
use crate::rules::ranking::KnownAward;
use crate::store::people::{self, PeopleError};
use crate::store::rankings::{self as store, ListPlace, NotGiven};
use crate::store::{StoreError, stock};

/// Awards that a page lists.
const LISTED_MAX: i64 = 100;
/// Awards that the member's page shows.
const OWN_SHOWN: i64 = 10;

fn award_json(id: Hash, known: &KnownAward, number: Option<&str>) -> Value {
    let (of, given) = (&known.ranked, known.given.as_ref());
    let mut told = json!({
        "award": id, "from": known.period.0, "until": known.period.1, "place": known.place, "member": of.member,
        "points": of.points, "reached": of.reached, "what": known.award, "scheme": known.scheme,
        "given": given.map(|given| given.at), "giver": given.map(|given| &given.by),
        "office": given.map(|given| given.office), "item": given.and_then(|given| given.item),
    });
    if let Some(number) = number {
        told["number"] = json!(number);
    }
    told
}

/// A place in the list as a text, and back.
fn place_text((ends, place, id): ListPlace) -> String {
    format!("{ends}.{place}.{}", data_encoding::HEXLOWER.encode(&id.0))
}

fn place_of(text: Option<&str>) -> Option<ListPlace> {
    let Some(text) = text else { return Some(store::FIRST) };
    let mut parts = text.splitn(3, '.');
    let (ends, place) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let id = data_encoding::HEXLOWER.decode(parts.next()?.as_bytes()).ok()?;
    Some((ends, place, Hash(id.try_into().ok()?)))
}

/// Where a list of so many rows goes on after its last one, if there may be more.
fn next((rows, most): (usize, i64), last: Option<(&Hash, &KnownAward)>) -> Option<String> {
    let (id, known) = last.filter(|_| is_full(rows, most))?;
    Some(place_text((known.period.1, known.place, *id)))
}

/// The same of a list of all members.
fn next_of(rows: &[store::AwardView], most: i64) -> Option<String> {
    next((rows.len(), most), rows.last().map(|of| (&of.0, &of.1)))
}

/// Awards, the newest period first and in it the first of all first.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<PageQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (from, most) = (place_of(query.cursor.as_deref()).ok_or(Failure::NotFound)?, rows_of(query.limit));
    let rows = console.app.db.read(move |tx| store::awards(tx, from, most)).await?;
    let told: Vec<Value> =
        rows.iter().map(|(id, known, number)| award_json(*id, known, Some(number))).collect();
    Ok(Json(json!({ "awards": told, "next": next_of(&rows, most) })))
}

/// Awards of a member, the newest first.
pub async fn of_member(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    Query(query): Query<PageQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (from, most) = (place_of(query.cursor.as_deref()).ok_or(Failure::NotFound)?, rows_of(query.limit));
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        Ok((people::member(tx, member)?, store::of_member(tx, member, from, most)?))
    };
    let (row, page) = console.app.db.read(load).await?;
    row.ok_or(Failure::NotFound)?;
    let next = next((page.len(), most), page.last().map(|of| (&of.0, &of.1)));
    let told: Vec<Value> = page.iter().map(|(id, known)| award_json(*id, known, None)).collect();
    Ok(Json(json!({ "member": member, "awards": told, "next": next })))
}

/// Gives an award: `office` by its code, `reason` what is to be remembered of it. The key of what stands against it, if
/// anything does; none in the answer if there is no such award.
async fn give_it(
    console: &Console,
    posted: &Posted,
    award: Hash,
) -> Result<Option<Result<(), &'static str>>, Failure> {
    let code = posted.fields.get("office").to_owned();
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok((people::office_of(tx, &code)?, store::award(tx, award)?.is_some()))
    };
    let (office, is_known) = console.app.db.read(load).await?;
    if !is_known {
        return Ok(None);
    }
    let Some(office) = office else { return Ok(Some(Err("points-office"))) };
    if posted.fields.get("reason").is_empty() {
        return Ok(Some(Err("reason-missing")));
    }
    let (note, actor) = (note(console, posted.fields.get("reason"))?, posted.by.actor());
    let at = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| store::give(tx, (award, office), (&note, &actor), at);
    Ok(match console.app.write(work).await? {
        Ok(()) => Some(Ok(())),
        Err(NotGiven::Unknown) => None,
        Err(NotGiven::Before) => Some(Err("ranking-before")),
        Err(NotGiven::Short) => Some(Err("ranking-short")),
    })
}

/// Gives an award.
pub async fn give(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    match give_it(&console, &posted, id).await?.ok_or(Failure::NotFound)? {
        Ok(()) => {}
        Err(key @ ("ranking-before" | "ranking-short")) => return Err(Refused::conflict(&ui, key)),
        Err(key) => return Err(Refused::unfit(&ui, key)),
    }
    let known = console.app.db.read(move |tx| store::award(tx, id)).await?.ok_or(Failure::NotFound)?;
    Ok(Json(award_json(id, &known, None)))
}

/// How an award is called: as the gift of its code, if stock has one.
fn named(tx: &mut Tx<'_>, ui: &Ui, code: &str) -> Result<String, StoreError> {
    let item = stock::item(tx, StockClass::Gift, code)?;
    Ok(item.map_or_else(|| code.to_owned(), |item| ui.pick(&item.words)))
}

/// A member's awards in sentences, the newest first, for the member's page.
pub(super) fn told(tx: &mut Tx<'_>, ui: &Ui, member: MemberId) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    for (_, known) in store::of_member(tx, member, store::FIRST, OWN_SHOWN)? {
        let values = [
            ("period", period(&known)),
            ("place", known.place.to_string()),
            ("points", number(known.ranked.points)),
            ("what", named(tx, ui, &known.award)?),
            ("state", ui.t(if known.given.is_some() { "ranking-given" } else { "ranking-open" })),
        ];
        lines.push(ui.t_of("ranking-line", &values));
    }
    Ok(lines)
}

fn period(known: &KnownAward) -> String {
    format!("{} – {}", known.period.0, known.period.1)
}

/// An award as it is shown.
struct Row {
    id: String,
    period: String,
    place: String,
    link: String,
    who: String,
    points: String,
    what: String,
    /// When and where it was given; empty while it is to be given.
    given: String,
}

#[derive(Template)]
#[template(path = "rankings.html")]
struct ListPage {
    ui: Ui,
    rows: Vec<Row>,
    offices: Vec<(String, String)>,
    /// Where the list goes on; empty at its end.
    next: String,
    error: String,
}

/// All awards.
pub async fn page(
    State(console): State<Console>,
    Query(query): Query<PageQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let from = place_of(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    show(&console, by.ui.at("points"), from, "").await
}

async fn show(console: &Console, ui: Ui, from: ListPlace, error: &str) -> Result<Response, Failure> {
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let offices = people::offices(tx)?;
        let found = store::awards(tx, from, LISTED_MAX)?;
        let mut rows = Vec::new();
        for (id, known, number_of) in &found {
            let office = known.given.as_ref().and_then(|given| {
                offices.iter().find(|row| row.office == given.office).map(|row| own.pick(&row.name))
            });
            let given = known.given.as_ref().map(|given| {
                let values = [("time", own.time(given.at)), ("office", office.unwrap_or_default())];
                own.t_of("ranking-given-at", &values)
            });
            rows.push(Row {
                id: id.to_string(),
                period: period(known),
                place: known.place.to_string(),
                link: format!("/members/{}", known.ranked.member),
                who: format!("{} · {number_of}", masked_name(tx, &vault, Some(known.ranked.member))?),
                points: number(known.ranked.points),
                what: named(tx, &own, &known.award)?,
                given: given.unwrap_or_default(),
            });
        }
        Ok((rows, next_of(&found, LISTED_MAX), offices))
    };
    let (rows, next, offices) = console.app.db.read(load).await?;
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = ListPage {
        rows,
        offices: offices.iter().map(|row| (row.code.clone(), ui.pick(&row.name))).collect(),
        next: next.unwrap_or_default(),
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Gives an award from the page.
pub async fn press(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    match give_it(&console, &posted, id).await?.ok_or(Failure::NotFound)? {
        Ok(()) => Ok(go("/rankings")),
        Err(key) => show(&console, posted.by.ui.clone().at("points"), store::FIRST, key).await,
    }
}
