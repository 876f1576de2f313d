//! Goods on shelves in `/api/v1`: items, what lies where, movements, counts, the lines of the stock ledger, and what
//! closes of day found that a person is to explain.
//!
//! A movement or count carries a key: sent twice it is done once. What the books do not have cannot be taken; who
//! knows better counts the shelf. Every change has a reason, which is sealed.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::{
    Act, ExplainedLine, StockClass, StockCounted, StockEnd, StockExplained, StockItem, StockMoved,
    blank_cards,
};
use hufu_shared::dictionary;
use hufu_shared::ids::{Hash, ItemId};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::cases::fact_text;
use super::failure::Failure;
use super::pages::{is_full, rows_of};
use super::problem::Refused;
use super::requests::fact_of;
use super::signed::{Fields, Posted, SignedIn};
use super::verdict::{note, reasoned};
use crate::db::Tx;
use crate::random;
use crate::rules::apply::explains;
use crate::store::people::{PeopleError, office_of};
use crate::store::{acts, joining, journal, stock};

/// Characters of an item's code at most.
const CODE_CHARS_MAX: usize = 40;
/// Characters of an item's name at most.
const WORD_CHARS_MAX: usize = 50;
/// Lines of one explanation at most.
const LINES_MAX: usize = 50;

fn item_json(item: &StockItem) -> Value {
    json!({
        "item": item.item, "class": item.class.code(), "code": item.code, "words": item.words, "retired": item.retired,
    })
}

/// All items of stock.
pub async fn items(State(console): State<Console>, _by: SignedIn) -> Result<Json<Value>, Refused> {
    let items = console.app.db.read(stock::items).await?;
    Ok(Json(json!({ "items": items.iter().map(item_json).collect::<Vec<_>>() })))
}

fn class_of(fields: &Fields) -> Result<StockClass, &'static str> {
    StockClass::from_code(fields.get("class")).ok_or("stock-class")
}

/// Adds an item, or changes or retires one. Blank cards are named by their kind; gifts by the club's own code, or by the
/// id under which activities hand them out.
pub async fn set_item(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let (ui, fields) = (posted.by.ui.clone(), &posted.fields);
    let class = class_of(fields).map_err(|key| Refused::unfit(&ui, key))?;
    let code = fields.get("code").to_owned();
    let words = Words { zh: fields.get("zh").to_owned(), en: fields.get("en").to_owned() };
    let fits = |word: &str| (1..=WORD_CHARS_MAX).contains(&word.chars().count());
    if code.is_empty() || code.chars().count() > CODE_CHARS_MAX || !fits(&words.zh) || !fits(&words.en) {
        return Err(Refused::unfit(&ui, "stock-item"));
    }
    let named: Option<ItemId> = match fields.get("item") {
        "" => None,
        id => Some(id.parse().map_err(|_| Refused::unfit(&ui, "stock-item"))?),
    };
    let fresh = ItemId::new(console.app.now(), random::bytes()?);
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let retired = fields.get("retired") == "1";
    let work = move |tx: &mut Tx<'_>| -> Result<Result<StockItem, &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let known = stock::item(tx, class, &code)?;
        let item = match class {
            StockClass::BlankCard if !joining::can_choose(tx, dictionary::CARD_KIND, &code)? => {
                return Ok(Err("card-kind"));
            }
            StockClass::BlankCard => blank_cards(&code),
            StockClass::Gift => known.map_or(named.unwrap_or(fresh), |known| known.item),
        };
        let item = StockItem { item, class, code: code.clone(), words: words.clone(), retired };
        acts::take(tx, entry, now, &actor, &Act::StockItemsSet(vec![item.clone()]))?;
        Ok(Ok(item))
    };
    let item = console.app.write(work).await?.map_err(|key| Refused::unfit(&ui, key))?;
    Ok(Json(item_json(&item)))
}

/// Which office.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ShelvesQuery {
    office: String,
    /// By the pieces that lie there, with a `-` in front the most first; else by office and item.
    sort: String,
}

/// What lies on the shelves, of an office or of all.
pub async fn shelves(
    State(console): State<Console>,
    Query(query): Query<ShelvesQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let office = query.office;
    let mut found = console.app.db.read(move |tx| stock::shelves(tx, &office)).await?;
    // All of them are told, so their order is made here; of equal ones the office goes first.
    match query.sort.as_str() {
        "pieces" => found.sort_by_key(|line| line.pieces),
        "-pieces" => found.sort_by_key(|line| std::cmp::Reverse(line.pieces)),
        _ => {}
    }
    let row = |line: &stock::ShelfLine| {
        let named = line.named.as_ref();
        json!({
            "office": line.office, "item": line.item, "class": named.map(|named| &named.0),
            "code": named.map(|named| &named.1), "words": named.map(|named| &named.2), "pieces": line.pieces,
            "moved": line.moved, "found": line.difference, "drawn": line.drawn,
        })
    };
    Ok(Json(json!({ "shelves": found.iter().map(row).collect::<Vec<_>>() })))
}

/// Which books, and where the page begins.
#[derive(Debug, Deserialize)]
pub struct LinesQuery {
    office: String,
    class: String,
    code: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// The lines of an item at an office, the oldest first.
pub async fn lines(
    State(console): State<Console>,
    Query(query): Query<LinesQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (at, n) = place(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let class = StockClass::from_code(&query.class).ok_or(Failure::NotFound)?;
    let load = move |tx: &mut Tx<'_>| -> Result<Option<Vec<stock::LineView>>, PeopleError> {
        let office = office_of(tx, &query.office)?;
        let item = stock::item(tx, class, &query.code)?;
        let Some((office, item)) = office.zip(item) else { return Ok(None) };
        Ok(Some(stock::lines(tx, (item.item, office), (Instant(at), n), most)?))
    };
    let page = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let next =
        page.last().filter(|_| is_full(page.len(), most)).map(|line| format!("{}.{}", line.at.0, line.n));
    let row = |line: &stock::LineView| {
        json!({
            "n": line.n, "from": line.debit, "to": line.credit, "pieces": line.pieces, "what": line.code, "at": line.at,
            "day": line.day, "cause": line.cause,
        })
    };
    Ok(Json(json!({ "lines": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}

/// A place in a list: a time or day, and a number.
fn place(after: Option<&str>) -> Option<(i64, u64)> {
    let Some((at, n)) = after.and_then(|after| after.split_once('.')) else {
        return after.is_none().then_some((i64::MIN, 0));
    };
    Some((at.parse().ok()?, n.parse().ok()?))
}

/// An end of a movement: `supplier`, `spoiled`, `issued`, or the code of an office for its shelf.
fn end_of(tx: &mut Tx<'_>, written: &str) -> Result<Option<StockEnd>, PeopleError> {
    Ok(match written {
        "supplier" => Some(StockEnd::Supplier),
        "spoiled" => Some(StockEnd::Spoiled),
        "issued" => Some(StockEnd::Issued),
        code => office_of(tx, code)?.map(StockEnd::Shelf),
    })
}

/// The name that a key gives to a movement or count.
fn named(what: &[u8], key: &str) -> Hash {
    Hash::of(&[b"hufu-stock", what, key.as_bytes()])
}

/// What was asked, beside what it is about.
struct Ask {
    class: StockClass,
    code: String,
    pieces: u32,
    key: String,
}

impl Ask {
    fn of(fields: &Fields, may_be_none: bool) -> Result<Self, &'static str> {
        let pieces: u32 = fields.get("pieces").parse().map_err(|_| "stock-pieces")?;
        if pieces == 0 && !may_be_none {
            return Err("stock-pieces");
        }
        let key = fields.get("key").to_owned();
        match (key.is_empty(), fields.get("reason").is_empty()) {
            (true, _) => Err("stock-key"),
            (_, true) => Err("reason-missing"),
            _ => Ok(Self { class: class_of(fields)?, code: fields.get("code").to_owned(), pieces, key }),
        }
    }
}

/// What became of a request.
pub(super) enum Done {
    /// It was done now.
    Now,
    /// It had been done before.
    Before,
}

fn answer(done: &Done, id: Hash) -> Response {
    let status = if matches!(done, Done::Now) { StatusCode::CREATED } else { StatusCode::OK };
    (status, Json(json!({ "movement": id }))).into_response()
}

/// Moves goods: `from` and `to` are each `supplier`, `spoiled`, `issued` or the code of an office.
pub async fn move_goods(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let (done, id) = move_it(&console, &posted).await?.map_err(|key| Refused::unfit(&posted.by.ui, key))?;
    Ok(answer(&done, id))
}

/// Moves goods for a page or the API; or the key of what stands against it.
pub(super) async fn move_it(
    console: &Console,
    posted: &Posted,
) -> Result<Result<(Done, Hash), &'static str>, Failure> {
    let ask = match Ask::of(&posted.fields, false) {
        Ok(ask) => ask,
        Err(key) => return Ok(Err(key)),
    };
    let note = note(console, posted.fields.get("reason"))?;
    let ends = ["from", "to"].map(|name| posted.fields.get(name).to_owned());
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now, id) = (console.app.entry_id()?, console.app.now(), named(b"move", &ask.key));
    let work = move |tx: &mut Tx<'_>| -> Result<Result<Done, &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        if stock::is_booked(tx, id)? {
            return Ok(Ok(Done::Before));
        }
        let Some(item) = stock::item(tx, ask.class, &ask.code)?.filter(|item| !item.retired) else {
            return Ok(Err("stock-no-item"));
        };
        let (Some(from), Some(to)) = (end_of(tx, &ends[0])?, end_of(tx, &ends[1])?) else {
            return Ok(Err("stock-ends"));
        };
        let is_shelf = |end: &StockEnd| matches!(end, StockEnd::Shelf(_));
        if from == to || !(is_shelf(&from) || is_shelf(&to)) {
            return Ok(Err("stock-ends"));
        }
        if let StockEnd::Shelf(office) = from {
            let there = stock::shelf(tx, item.item, office)?.map_or(0, |shelf| shelf.on_shelf());
            if there < i64::from(ask.pieces) {
                return Ok(Err("stock-short"));
            }
        }
        note.put(tx, Some(staff), now)?;
        let reason = note.commitment;
        let moved = StockMoved { id, item: item.item, from, to, pieces: ask.pieces, reason };
        acts::take(tx, entry, now, &actor, &Act::StockMoved(moved))?;
        // What the books do not have cannot be taken, whatever was read of them before.
        Ok(if stock::is_booked(tx, id)? { Ok(Done::Now) } else { Err("stock-short") })
    };
    Ok(console.app.write(work).await?.map(|done| (done, id)))
}

/// Takes the count of a shelf: what the books had differently is a difference from then on.
pub async fn count(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let (done, id) = count_it(&console, &posted).await?.map_err(|key| Refused::unfit(&posted.by.ui, key))?;
    Ok(answer(&done, id))
}

/// Takes a count for a page or the API; or the key of what stands against it.
pub(super) async fn count_it(
    console: &Console,
    posted: &Posted,
) -> Result<Result<(Done, Hash), &'static str>, Failure> {
    let ask = match Ask::of(&posted.fields, true) {
        Ok(ask) => ask,
        Err(key) => return Ok(Err(key)),
    };
    let note = note(console, posted.fields.get("reason"))?;
    let office = posted.fields.get("office").to_owned();
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now, id) = (console.app.entry_id()?, console.app.now(), named(b"count", &ask.key));
    let work = move |tx: &mut Tx<'_>| -> Result<Result<Done, &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let Some(item) = stock::item(tx, ask.class, &ask.code)?.filter(|item| !item.retired) else {
            return Ok(Err("stock-no-item"));
        };
        let Some(office) = office_of(tx, &office)? else { return Ok(Err("stock-ends")) };
        let shelf = stock::shelf(tx, item.item, office)?.unwrap_or_default();
        if shelf.counts.iter().any(|count| count.id == id) {
            return Ok(Ok(Done::Before));
        }
        note.put(tx, Some(staff), now)?;
        let (item, pieces, reason) = (item.item, ask.pieces, note.commitment);
        let counted = StockCounted { id, item, office, pieces, reason };
        acts::take(tx, entry, now, &actor, &Act::StockCounted(counted))?;
        Ok(Ok(Done::Now))
    };
    Ok(console.app.write(work).await?.map(|done| (done, id)))
}

/// Which findings, and where the page begins.
#[derive(Debug, Deserialize)]
pub struct FindingsQuery {
    state: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// What closes of day found on shelves beyond what their terminals expected; `open` by default.
pub async fn findings(
    State(console): State<Console>,
    Query(query): Query<FindingsQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (day, seq) = place(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let day = Day(i32::try_from(day.max(i64::from(i32::MIN))).map_err(|_| Failure::NotFound)?);
    let state = query.state.unwrap_or_else(|| "open".to_owned());
    let page = console.app.db.read(move |tx| stock::findings(tx, &state, (day, seq), most)).await?;
    let next = page
        .last()
        .filter(|_| is_full(page.len(), most))
        .map(|line| format!("{}.{}", line.day.0, line.fact.seq));
    let row = |line: &stock::FindingLine| {
        json!({
            "finding": fact_text(line.fact), "class": line.class.code(), "office": line.office, "terminal": line.device,
            "day": line.day, "at": line.at, "counted": line.counted, "expected": line.expected,
            "difference": i64::from(line.counted) - i64::from(line.expected),
        })
    };
    Ok(Json(json!({ "findings": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}

/// Explains what a close of day found: `lines` holds, with commas between, a code, how many pieces more or less, and where
/// they went or came from, as `umbrella:-2:spoiled`; nothing where only the count was wrong.
pub async fn explain(
    State(console): State<Console>,
    Path((finding, class)): Path<(String, String)>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let fact = fact_of(&finding).ok_or(Failure::NotFound)?;
    let class = StockClass::from_code(&class).ok_or(Failure::NotFound)?;
    let note = reasoned(&console, &ui, &posted.fields)?;
    let written: Vec<String> = posted.fields.get("lines").split(',').map(str::to_owned).collect();
    let written: Vec<String> = written.into_iter().filter(|line| !line.trim().is_empty()).collect();
    if written.len() > LINES_MAX {
        return Err(Refused::unfit(&ui, "finding-lines"));
    }
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let found = stock::of_close(tx, fact)?.into_iter().find(|(of, _)| *of == class);
        let Some((_, known)) = found else { return Ok(Err("finding-none")) };
        if stock::state(&known) != "open" {
            return Ok(Err("finding-changed"));
        }
        let mut lines = Vec::new();
        for line in &written {
            match explained(tx, class, line)? {
                Some(line) => lines.push(line),
                None => return Ok(Err("finding-lines")),
            }
        }
        let once = |line: &ExplainedLine| lines.iter().filter(|other| other.item == line.item).count() == 1;
        if !lines.iter().all(once) {
            return Ok(Err("finding-lines"));
        }
        if !explains(&known, &lines) {
            return Ok(Err("finding-sum"));
        }
        for line in lines.iter().filter(|line| line.pieces < 0) {
            let shelf = stock::shelf(tx, line.item, known.office)?.unwrap_or_default();
            if shelf.on_shelf() < -line.pieces {
                return Ok(Err("stock-short"));
            }
        }
        let reason = note.commitment;
        note.put(tx, Some(staff), now)?;
        let explained = StockExplained { fact, class, lines, reason };
        let given = acts::take(tx, entry, now, &actor, &Act::StockExplained(explained))?;
        let is_explained = given.stocktakes.get(&(fact, class)).is_some_and(|now| now.explained.is_some());
        Ok(if is_explained { Ok(()) } else { Err("finding-changed") })
    };
    match console.app.write(work).await? {
        Ok(()) => Ok(Json(json!({ "finding": finding, "class": class.code(), "state": "explained" }))),
        Err("finding-none") => Err(Failure::NotFound.into()),
        Err(key @ "finding-changed") => Err(Refused::conflict(&ui, key)),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}

fn explained(tx: &mut Tx<'_>, class: StockClass, line: &str) -> Result<Option<ExplainedLine>, PeopleError> {
    let parts: Vec<&str> = line.split(':').map(str::trim).collect();
    let [code, pieces, end] = parts[..] else { return Ok(None) };
    let item = stock::item(tx, class, code)?.map(|item| item.item);
    let end = end_of(tx, end)?.filter(|end| !matches!(end, StockEnd::Shelf(_)));
    let pieces = pieces.parse::<i64>().ok().filter(|pieces| *pieces != 0);
    Ok(item.zip(pieces).zip(end).map(|((item, pieces), end)| ExplainedLine { item, pieces, end }))
}
