//! 卡片与库存: how many cards of each kind stand how, what lies on which shelf, movements and counts with their reason;
//! and 挂失名单, the cards that are reported lost with the terminals that do not know it yet. The rules are the API's.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::StockClass;
use hufu_shared::dictionary::{self, Term};
use hufu_shared::ids::{CardId, OfficeId};
use hufu_shared::member::{CardStatus, OfficeRow};
use serde::Deserialize;

use super::Console;
use super::failure::{Failure, go};
use super::members::masked_name;
use super::pages::{PageQuery, is_full};
use super::signed::{Fields, Posted, SignedIn};
use super::stock::{count_it, move_it};
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::random;
use crate::store::people::{self, PeopleError, office_of};
use crate::store::stock::{self, LineView, ShelfLine};
use crate::store::{cards, joining};

/// Lost cards that a page lists.
const LOST_MAX: i64 = 50;
/// Lines of the stock ledger that the page shows, the newest first.
const LINES_MAX: i64 = 100;

/// Which office, and the lines of which item.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct StockQuery {
    office: String,
    class: String,
    code: String,
}

/// Cards of a kind at an office, by state.
struct KindRow {
    kind: String,
    office: String,
    /// In stock, in use, lost, stopped, void.
    counts: [String; 5],
}

struct ShelfRow {
    office: String,
    item: String,
    class: String,
    pieces: String,
    moved: String,
    found: String,
    drawn: String,
    /// Office, class and code, by which its lines are asked for; empty for what nobody named.
    asked: [String; 3],
}

struct LineRow {
    at: String,
    from: String,
    to: String,
    pieces: String,
    what: String,
}

#[derive(Template)]
#[template(path = "stock.html")]
struct StockPage {
    ui: Ui,
    /// Offices: code, name, whether it is the chosen one.
    offices: Vec<(String, String, bool)>,
    kinds: Vec<KindRow>,
    shelves: Vec<ShelfRow>,
    /// Items that can be moved and counted: class, code, name.
    items: Vec<(&'static str, String, String)>,
    /// The lines that were asked for, under the name of their item.
    lines: Option<(String, Vec<LineRow>)>,
    /// Names a movement or count, so that a form that is sent twice moves once.
    key: String,
    typed: Typed,
    error: String,
}

/// What was typed, to be kept after an error.
#[derive(Default)]
struct Typed {
    pieces: String,
    reason: String,
}

/// What the page reads.
struct Read {
    offices: Vec<OfficeRow>,
    terms: Vec<Term>,
    standing: Vec<cards::Standing>,
    shelves: Vec<ShelfLine>,
    items: Vec<hufu_shared::act::StockItem>,
    lines: Vec<LineView>,
}

fn read(tx: &mut Tx<'_>, query: &StockQuery) -> Result<Read, PeopleError> {
    let class = StockClass::from_code(&query.class);
    let item = class.map(|class| stock::item(tx, class, &query.code)).transpose()?.flatten();
    let office = office_of(tx, &query.office)?;
    let lines = match item.zip(office) {
        Some((item, office)) => stock::newest_lines(tx, (item.item, office), LINES_MAX)?,
        None => Vec::new(),
    };
    Ok(Read {
        offices: people::offices(tx)?,
        terms: joining::terms(tx, dictionary::CARD_KIND)?,
        standing: cards::standing(tx)?,
        shelves: stock::shelves(tx, &query.office)?,
        items: stock::items(tx)?,
        lines,
    })
}

/// Cards by kind and office: those on a shelf, and those that nobody has, are in stock.
fn kinds(ui: &Ui, found: &Read, chosen: Option<OfficeId>) -> Vec<KindRow> {
    let mut counts: BTreeMap<(String, Option<OfficeId>), [i64; 5]> = BTreeMap::new();
    let mut add = |kind: &str, office: Option<OfficeId>, at: usize, count: i64| {
        if chosen.is_none() || office == chosen {
            counts.entry((kind.to_owned(), office)).or_default()[at] += count;
        }
    };
    for standing in &found.standing {
        let at = match standing.status.as_str() {
            status if status == CardStatus::Active.code() => usize::from(standing.held),
            status if status == CardStatus::Lost.code() => 2,
            status if status == CardStatus::Stopped.code() => 3,
            _ => 4,
        };
        let count = i64::try_from(standing.count).unwrap_or(i64::MAX);
        add(&standing.kind, standing.office, at, count);
    }
    for shelf in &found.shelves {
        let blank = shelf.named.as_ref().filter(|named| named.0 == StockClass::BlankCard.code());
        if let Some((_, code, _)) = blank {
            let office = found.offices.iter().find(|row| row.code == shelf.office).map(|row| row.office);
            add(code, office, 0, shelf.pieces);
        }
    }
    let office_name = |office: Option<OfficeId>| {
        let known = found.offices.iter().find(|row| Some(row.office) == office);
        known.map_or_else(|| ui.t("stock-no-office"), |row| ui.pick(&row.name))
    };
    counts
        .into_iter()
        .map(|((kind, office), counts)| KindRow {
            kind: found
                .terms
                .iter()
                .find(|term| term.code == kind)
                .map_or_else(|| kind.clone(), |term| ui.pick(&term.words)),
            office: office_name(office),
            counts: counts.map(number),
        })
        .collect()
}

/// An end of a movement as people call it: the shelf of an office, or where goods come from and go to.
fn end_words(ui: &Ui, offices: &[OfficeRow], end: &str) -> String {
    let (kind, id) = end.split_once('/').unwrap_or((end, ""));
    if kind != "shelf" {
        return ui.t(&format!("stock-end-{kind}"));
    }
    let office = offices.iter().find(|row| row.office.to_string() == id);
    office.map_or_else(|| id.to_owned(), |row| ui.pick(&row.name))
}

fn shelf_row(ui: &Ui, offices: &[OfficeRow], line: &ShelfLine) -> ShelfRow {
    let named = line.named.as_ref();
    let office = offices.iter().find(|row| row.code == line.office);
    ShelfRow {
        office: office.map_or_else(|| line.office.clone(), |row| ui.pick(&row.name)),
        item: named.map_or_else(|| line.item.to_string(), |(.., words)| ui.pick(words)),
        class: named
            .map_or_else(String::new, |(class, ..)| ui.t(&format!("stock-of-{}", class.replace('_', "-")))),
        pieces: number(line.pieces),
        moved: number(line.moved),
        found: number(line.difference),
        drawn: number(line.drawn),
        asked: match named {
            Some((class, code, _)) => [line.office.clone(), class.clone(), code.clone()],
            None => Default::default(),
        },
    }
}

/// The page.
pub async fn page(
    State(console): State<Console>,
    Query(query): Query<StockQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    show(&console, by.ui, query, (Typed::default(), "")).await
}

async fn show(
    console: &Console,
    ui: Ui,
    query: StockQuery,
    (typed, error): (Typed, &str),
) -> Result<Response, Failure> {
    let (ui, asked) = (ui.at("data"), query.clone());
    let found = console.app.db.read(move |tx| read(tx, &asked)).await?;
    let chosen = found.offices.iter().find(|row| row.code == query.office).map(|row| row.office);
    let line = |line: &LineView| LineRow {
        at: ui.time(line.at),
        from: end_words(&ui, &found.offices, &line.debit),
        to: end_words(&ui, &found.offices, &line.credit),
        pieces: number(line.pieces),
        what: ui.t(&format!("stock-code-{}", line.code.replace('_', "-"))),
    };
    let item = found.items.iter().find(|item| item.class.code() == query.class && item.code == query.code);
    let key: [u8; 16] = random::bytes()?;
    let page = StockPage {
        offices: found
            .offices
            .iter()
            .map(|row| (row.code.clone(), ui.pick(&row.name), row.code == query.office))
            .collect(),
        kinds: kinds(&ui, &found, chosen),
        shelves: found.shelves.iter().map(|shelf| shelf_row(&ui, &found.offices, shelf)).collect(),
        items: found
            .items
            .iter()
            .filter(|item| !item.retired)
            .map(|item| (item.class.code(), item.code.clone(), ui.pick(&item.words)))
            .collect(),
        lines: item.map(|item| (ui.pick(&item.words), found.lines.iter().map(line).collect())),
        key: data_encoding::HEXLOWER.encode(&key),
        typed,
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui: ui.clone(),
    };
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Html(page.render()?)).into_response())
}

/// What a form says of its item, `class.code`, as the fields that the API has.
fn unfolded(fields: &mut Fields) {
    let item = fields.get("item").to_owned();
    let (class, code) = item.split_once('.').unwrap_or_default();
    fields.set("class", class.to_owned());
    fields.set("code", code.to_owned());
}

/// Moves goods, or counts a shelf.
pub async fn act(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let mut posted = posted.settled()?;
    unfolded(&mut posted.fields);
    let done = match posted.fields.get("do") {
        "move" => move_it(&console, &posted).await?.map(drop),
        "count" => count_it(&console, &posted).await?.map(drop),
        _ => return Err(Failure::Form),
    };
    match done {
        Ok(()) => Ok(go("/stock")),
        Err(key) => {
            let fields = &posted.fields;
            let typed =
                Typed { pieces: fields.get("pieces").to_owned(), reason: fields.get("reason").to_owned() };
            show(&console, posted.by.ui.clone(), StockQuery::default(), (typed, key)).await
        }
    }
}

struct LostRow {
    tail: String,
    kind: String,
    who: String,
    link: String,
    spread: String,
    lacking: String,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "stock_lost.html")]
struct LostPage {
    ui: Ui,
    rows: Vec<LostRow>,
    next: String,
}

/// Cards that are reported lost, the newest first, and which terminals do not know it yet.
pub async fn lost(
    State(console): State<Console>,
    Query(query): Query<PageQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let after = match query.cursor.as_deref() {
        None => cards::NEWEST_CARD,
        Some(after) => after.parse::<CardId>().map_err(|_| Failure::NotFound)?,
    };
    let (ui, vault) = (by.ui.at("data"), console.app.vault.clone());
    let own = ui.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<(Vec<LostRow>, Option<CardId>), PeopleError> {
        let found = cards::lost(tx, after, LOST_MAX)?;
        let terms = joining::terms(tx, dictionary::CARD_KIND)?;
        let working = people::devices_working(tx)?;
        let mut rows = Vec::with_capacity(found.len());
        for line in &found {
            let (reached, lacking) = people::reach(tx, line.card.card)?;
            let kind = terms.iter().find(|term| term.code == line.card.kind);
            let all = [("n", reached.to_string()), ("all", working.to_string())];
            rows.push(LostRow {
                tail: line.card.tail.clone(),
                kind: kind.map_or_else(|| line.card.kind.clone(), |term| own.pick(&term.words)),
                who: masked_name(tx, &vault, line.card.member)?,
                link: line.card.member.map_or_else(String::new, |member| format!("/members/{member}")),
                spread: own.t_of("stock-spread", &all),
                tone: if reached >= working { "ok" } else { "wait" },
                lacking: lacking.join(&own.t("list-and")),
            });
        }
        let next = found.last().filter(|_| is_full(found.len(), LOST_MAX)).map(|line| line.card.card);
        Ok((rows, next))
    };
    let (rows, next) = console.app.db.read(load).await?;
    let page = LostPage { rows, next: next.map_or_else(String::new, |card| card.to_string()), ui };
    Ok(Html(page.render()?).into_response())
}
