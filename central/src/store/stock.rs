//! Goods on shelves: rows that apply reads and writes, and what people look at.

use hufu_shared::act::{StockClass, StockItem};
use hufu_shared::cbor;
use hufu_shared::ids::{EntryId, FactId, Hash, ItemId, OfficeId};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant};

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::outcome::Outcome;
use crate::rules::world::{KnownStock, KnownStocktake, World};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("stock", include_str!("../../sql/both/stock.sql"));

fn class_at(row: &Row, column: usize) -> Result<StockClass, StoreError> {
    let code = row.text(column)?;
    StockClass::from_code(code).ok_or_else(|| rows::unknown("class of an item", code))
}

/// Fetches the books of a shelf.
///
/// # Errors
/// [`StoreError`].
pub(super) fn stock_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    item: ItemId,
    office: OfficeId,
) -> Result<(), StoreError> {
    if let Some(known) = shelf(tx, item, office)? {
        world.stock.insert((item, office), known);
    }
    Ok(())
}

/// The books of a shelf; none for what nobody counts there.
///
/// # Errors
/// [`StoreError`].
pub fn shelf(tx: &mut Tx<'_>, item: ItemId, office: OfficeId) -> Result<Option<KnownStock>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("stock"), &[item.0.into(), office.0.into()])? else {
        return Ok(None);
    };
    let counts = cbor::decode(row.blob(3)?);
    Ok(Some(KnownStock {
        moved: row.int(0)?,
        difference: row.int(1)?,
        drawn: row.int(2)?,
        counts: counts.map_err(|source| StoreError::Stored {
            what: "stock",
            id: item.to_string(),
            source,
        })?,
        lines: row.uint(4)?,
    }))
}

/// Fetches whether a name was booked. A count that found what the books had has no line, but stands among the counts of
/// its shelf.
///
/// # Errors
/// [`StoreError`].
pub(super) fn booked_in(tx: &mut Tx<'_>, world: &mut World, cause: Hash) -> Result<(), StoreError> {
    if is_booked(tx, cause)? {
        world.booked.insert(cause);
    }
    Ok(())
}

/// Whether a movement of this name was booked.
///
/// # Errors
/// [`StoreError`].
pub fn is_booked(tx: &mut Tx<'_>, cause: Hash) -> Result<bool, StoreError> {
    Ok(tx.query_one(SQL.get("booked"), &[cause.0.into()])?.int(0)? > 0)
}

/// Fetches what a close of day found.
///
/// # Errors
/// [`StoreError`].
pub(super) fn stocktakes_in(tx: &mut Tx<'_>, world: &mut World, fact: FactId) -> Result<(), StoreError> {
    world.stocktakes.extend(of_close(tx, fact)?.into_iter().map(|(class, known)| ((fact, class), known)));
    Ok(())
}

/// What a close of day found.
///
/// # Errors
/// [`StoreError`].
pub fn of_close(tx: &mut Tx<'_>, fact: FactId) -> Result<Vec<(StockClass, KnownStocktake)>, StoreError> {
    let found = tx.query(SQL.get("stocktakes_of"), &rows::fact_id_values(fact))?;
    let read = |row: &Row| {
        let known = KnownStocktake {
            fact,
            office: OfficeId(row.array(1)?),
            day: rows::day_at(row, 2)?,
            at: Instant(row.int(3)?),
            counted: rows::u32_at(row, 4, "count")?,
            expected: rows::u32_at(row, 5, "count")?,
            explained: row.array_opt(7)?.map(Hash),
            void: row.text(6)? == "void",
        };
        Ok((class_at(row, 0)?, known))
    };
    found.iter().map(read).collect()
}

/// The code of where a finding is.
#[must_use]
pub fn state(known: &KnownStocktake) -> &'static str {
    match (known.void, known.explained) {
        (true, _) => "void",
        (false, Some(_)) => "explained",
        (false, None) => "open",
    }
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for item in &outcome.stock_items {
        let values: Vec<Value> = vec![
            item.item.0.into(),
            item.class.code().into(),
            item.code.as_str().into(),
            item.words.zh.as_str().into(),
            item.words.en.as_str().into(),
            i64::from(item.retired).into(),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("set_item"), vec![values])?;
    }
    for ((item, office), known) in &outcome.stock {
        let values: Vec<Value> = vec![
            item.0.into(),
            office.0.into(),
            known.on_shelf().into(),
            known.moved.into(),
            known.difference.into(),
            known.drawn.into(),
            cbor::encode(&known.counts).into(),
            rows::number(known.lines),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("set_stock"), vec![values])?;
    }
    for line in &outcome.stock_lines {
        let values: Vec<Value> = vec![
            line.item.0.into(),
            line.office.0.into(),
            rows::number(line.n),
            line.cause.0.into(),
            line.debit.as_str().into(),
            line.credit.as_str().into(),
            line.pieces.into(),
            line.code.into(),
            line.at.0.into(),
            i64::from(line.day.0).into(),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("add_line"), vec![values])?;
    }
    for ((fact, class), known) in &outcome.stocktakes {
        let mut values = rows::fact_id_values(*fact).to_vec();
        values.extend([
            class.code().into(),
            known.office.0.into(),
            i64::from(known.day.0).into(),
            known.at.0.into(),
            i64::from(known.counted).into(),
            i64::from(known.expected).into(),
            state(known).into(),
            rows::hash_value(known.explained),
            entry.0.into(),
        ]);
        tx.execute_later(SQL.get("set_stocktake"), vec![values])?;
    }
    Ok(())
}

/// An item from `item, class, code, word_zh, word_en, retired`.
fn item_at(row: &Row) -> Result<StockItem, StoreError> {
    Ok(StockItem {
        item: ItemId(row.array(0)?),
        class: class_at(row, 1)?,
        code: row.text(2)?.to_owned(),
        words: Words { zh: row.text(3)?.to_owned(), en: row.text(4)?.to_owned() },
        retired: row.flag(5)?,
    })
}

/// All items of stock.
///
/// # Errors
/// [`StoreError`].
pub fn items(tx: &mut Tx<'_>) -> Result<Vec<StockItem>, StoreError> {
    tx.query(SQL.get("items"), &[])?.iter().map(item_at).collect()
}

/// The item of a code.
///
/// # Errors
/// [`StoreError`].
pub fn item(tx: &mut Tx<'_>, class: StockClass, code: &str) -> Result<Option<StockItem>, StoreError> {
    let row = tx.query_opt(SQL.get("item_by_code"), &[class.code().into(), code.into()])?;
    row.as_ref().map(item_at).transpose()
}

/// A shelf, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfLine {
    /// Code of the office.
    pub office: String,
    /// Which item.
    pub item: ItemId,
    /// Class and code of the item, and its name; none for one that nobody named.
    pub named: Option<(String, String, Words)>,
    /// Pieces that should lie there.
    pub pieces: i64,
    /// Moved there, at the centre.
    pub moved: i64,
    /// Found by counts beyond that.
    pub difference: i64,
    /// Drawn by terminals.
    pub drawn: i64,
}

/// All shelves of an office, by its code; of all offices where that is empty.
///
/// # Errors
/// [`StoreError`].
pub fn shelves(tx: &mut Tx<'_>, office: &str) -> Result<Vec<ShelfLine>, StoreError> {
    let read = |row: &Row| {
        let named = match (row.text_opt(1)?, row.text_opt(2)?, row.text_opt(3)?, row.text_opt(4)?) {
            (Some(class), Some(code), Some(zh), Some(en)) => {
                let words = Words { zh: zh.to_owned(), en: en.to_owned() };
                Some((class.to_owned(), code.to_owned(), words))
            }
            _ => None,
        };
        Ok(ShelfLine {
            office: row.text(0)?.to_owned(),
            item: ItemId(row.array(9)?),
            named,
            pieces: row.int(5)?,
            moved: row.int(6)?,
            difference: row.int(7)?,
            drawn: row.int(8)?,
        })
    };
    tx.query(SQL.get("shelves"), &[office.into()])?.iter().map(read).collect()
}

/// A line of the stock ledger, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineView {
    /// Its number in its books.
    pub n: u64,
    /// Taken from.
    pub debit: String,
    /// Brought to.
    pub credit: String,
    /// How many.
    pub pieces: i64,
    /// What happened, as a code.
    pub code: String,
    /// When it was booked.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
    /// Why, by name.
    pub cause: Hash,
}

/// Lines of an item that concern the shelf of an office, after a place in the list, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn lines(
    tx: &mut Tx<'_>,
    (item, office): (ItemId, OfficeId),
    (at, after): (Instant, u64),
    limit: i64,
) -> Result<Vec<LineView>, StoreError> {
    let shelf = format!("shelf/{office}");
    let values =
        [item.0.into(), office.0.into(), shelf.into(), at.0.into(), rows::number(after), limit.into()];
    tx.query(SQL.get("lines"), &values)?.iter().map(line_of).collect()
}

/// The newest of the same lines, the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn newest_lines(
    tx: &mut Tx<'_>,
    (item, office): (ItemId, OfficeId),
    limit: i64,
) -> Result<Vec<LineView>, StoreError> {
    let values = [item.0.into(), office.0.into(), format!("shelf/{office}").into(), limit.into()];
    tx.query(SQL.get("lines_newest"), &values)?.iter().map(line_of).collect()
}

fn line_of(row: &Row) -> Result<LineView, StoreError> {
    Ok(LineView {
        n: row.uint(0)?,
        debit: row.text(1)?.to_owned(),
        credit: row.text(2)?.to_owned(),
        pieces: row.int(3)?,
        code: row.text(4)?.to_owned(),
        at: Instant(row.int(5)?),
        day: rows::day_at(row, 6)?,
        cause: Hash(row.array(7)?),
    })
}

/// A finding, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingLine {
    /// Of what.
    pub class: StockClass,
    /// The close of day.
    pub fact: FactId,
    /// Code of the office.
    pub office: String,
    /// The terminal, as people call it.
    pub device: String,
    /// The business day that it closed.
    pub day: Day,
    /// When.
    pub at: Instant,
    /// Pieces counted.
    pub counted: u32,
    /// Pieces expected.
    pub expected: u32,
}

/// What closes of day found, in a state, the oldest first, after a place in the list.
///
/// # Errors
/// [`StoreError`].
pub fn findings(
    tx: &mut Tx<'_>,
    state: &str,
    (day, after): (Day, u64),
    limit: i64,
) -> Result<Vec<FindingLine>, StoreError> {
    let values = [state.into(), i64::from(day.0).into(), rows::number(after), limit.into()];
    let read = |row: &Row| {
        Ok(FindingLine {
            class: class_at(row, 3)?,
            fact: rows::fact_id_at(row, 0)?,
            office: row.text(10)?.to_owned(),
            device: row.text(11)?.to_owned(),
            day: rows::day_at(row, 5)?,
            at: Instant(row.int(6)?),
            counted: rows::u32_at(row, 7, "count")?,
            expected: rows::u32_at(row, 8, "count")?,
        })
    };
    tx.query(SQL.get("stocktakes"), &values)?.iter().map(read).collect()
}
