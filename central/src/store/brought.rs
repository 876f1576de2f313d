//! What came over from another system: opening balances, lines to be shown, and the record of lists taken out.

use hufu_shared::ids::{EntryId, Hash, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Instant;
use serde::{Deserialize, Serialize};

use super::people::{PeopleError, SALT_BYTES};
use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::outcome::Outcome;
use crate::vault::Vault;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("brought", include_str!("../../sql/both/brought.sql"));

/// What a transaction of another system was, as the vault keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PastWords {
    /// What happened.
    pub what: String,
    /// Where; empty if the file did not say.
    pub place: String,
    /// Its number there; empty if the file did not say.
    pub reference: String,
    /// What was bought for, in fen; none if the file did not say.
    pub sale: Option<i64>,
}

/// A transaction of another system, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastView {
    /// Its name.
    pub id: Hash,
    /// When.
    pub at: Instant,
    /// What it changed there.
    pub legs: Vec<Leg>,
    /// What it was; none if the words cannot be read.
    pub words: Option<PastWords>,
    /// Name of its batch.
    pub batch: String,
}

/// A transaction of another system that the centre has: whose, when, and what it changed there.
pub type KnownPast = (MemberId, Instant, Vec<Leg>);

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(
    tx: &mut Tx<'_>,
    entry: EntryId,
    received: Instant,
    given: &Outcome,
) -> Result<(), StoreError> {
    let opening = |(cause, opened): (&Hash, &crate::rules::outcome::Opened)| {
        let unit = opened.leg.unit.code();
        vec![
            cause.0.into(),
            opened.batch.as_str().into(),
            opened.member.0.into(),
            unit.into(),
            opened.leg.amount.0.into(),
            opened.at.0.into(),
            opened.reason.0.into(),
            entry.0.into(),
        ]
    };
    tx.execute_later(SQL.get("put_opening"), given.openings.iter().map(opening).collect())?;
    let past = given.past.values().map(|past| {
        let line = &past.line;
        let mut values: Vec<Value> =
            vec![line.id.0.into(), past.batch.as_str().into(), line.member.0.into(), line.at.0.into()];
        values.extend([Unit::Pts, Unit::Growth, Unit::Cny].map(|unit| change(&line.legs, unit).into()));
        values.extend([line.words.0.into(), entry.0.into()]);
        values
    });
    tx.execute_later(SQL.get("put_past"), past.collect())?;
    for member in &given.forgotten {
        tx.execute(SQL.get("forget_past"), &[member.0.into()])?;
    }
    if let Some(taken) = &given.exported {
        let exported = &taken.exported;
        let values = [
            entry.0.into(),
            exported.what.as_str().into(),
            rows::number(exported.rows),
            i64::from(exported.clear).into(),
            exported.staff.map(|staff| staff.0).into(),
            rows::hash_value(exported.reason),
            taken.by.as_str().into(),
            received.0.into(),
        ];
        tx.execute(SQL.get("put_export"), &values)?;
    }
    Ok(())
}

fn change(legs: &[Leg], unit: Unit) -> Option<i64> {
    legs.iter().find(|leg| leg.unit == unit).map(|leg| leg.amount.0)
}

/// The changes in the columns `points, growth, money`, beginning at one.
fn legs_at(row: &Row, column: usize) -> Result<Vec<Leg>, StoreError> {
    let mut legs = Vec::new();
    for (at, unit) in (column..).zip([Unit::Pts, Unit::Growth, Unit::Cny]) {
        legs.extend(row.int_opt(at)?.map(|amount| Leg { unit, amount: Amount(amount) }));
    }
    Ok(legs)
}

/// What was opened under a cause.
///
/// # Errors
/// [`StoreError`].
pub fn opening(tx: &mut Tx<'_>, cause: Hash) -> Result<Option<Amount>, StoreError> {
    let row = tx.query_opt(SQL.get("opening"), &[cause.0.into()])?;
    row.map(|row| Ok(Amount(row.int(0)?))).transpose()
}

/// The transaction of another system of this name.
///
/// # Errors
/// [`StoreError`].
pub fn past(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownPast>, StoreError> {
    let row = tx.query_opt(SQL.get("past"), &[id.0.into()])?;
    row.map(|row| Ok((MemberId(row.array(0)?), Instant(row.int(1)?), legs_at(&row, 2)?))).transpose()
}

/// Asks for what many imports ask one by one, so that on PostgreSQL the questions travel together.
///
/// # Errors
/// [`StoreError`].
pub fn ask_ahead(
    tx: &mut Tx<'_>,
    statement: &str,
    keys: impl Iterator<Item = Hash>,
) -> Result<(), StoreError> {
    tx.ask_ahead(keys.map(|key| (SQL.get(statement), vec![key.0.into()])).collect())?;
    Ok(())
}

/// The place before all transactions of another system.
pub const FIRST_PAST: (Instant, Hash) = (Instant(i64::MAX), Hash([0xff; 32]));

/// The transactions of another system of a member and of whoever was merged into them, newest first; after one of them, at
/// most `limit`.
///
/// # Errors
/// [`PeopleError`].
pub fn past_of(
    tx: &mut Tx<'_>,
    vault: &Vault,
    member: MemberId,
    (at, id): (Instant, Hash),
    limit: i64,
) -> Result<Vec<PastView>, PeopleError> {
    let mut lines = Vec::new();
    for row in tx.query(SQL.get("past_of"), &[member.0.into(), at.0.into(), id.0.into(), limit.into()])? {
        let kept = vault.text(tx, MemberId(row.array(0)?), Hash(row.array(5)?))?;
        let words = kept.and_then(|kept| serde_json::from_slice(kept.get(SALT_BYTES..)?).ok());
        lines.push(PastView {
            id: Hash(row.array(7)?),
            at: Instant(row.int(1)?),
            legs: legs_at(&row, 2)?,
            words,
            batch: row.text(6)?.to_owned(),
        });
    }
    Ok(lines)
}

/// The record of a list that was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportView {
    /// The entry that has it.
    pub entry: EntryId,
    /// Which list.
    pub what: String,
    /// How many rows.
    pub rows: u64,
    /// Whether personal data stood in it as it is.
    pub clear: bool,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// The place before all lists that were taken out.
pub const FIRST_EXPORT: (Instant, EntryId) = (Instant(i64::MAX), EntryId([0xff; 16]));

/// The lists that were taken out, the newest first; after one of them, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn exports(
    tx: &mut Tx<'_>,
    (at, entry): (Instant, EntryId),
    limit: i64,
) -> Result<Vec<ExportView>, StoreError> {
    let view = |row: &Row| {
        Ok(ExportView {
            entry: EntryId(row.array(6)?),
            what: row.text(0)?.to_owned(),
            rows: row.uint(1)?,
            clear: row.flag(2)?,
            by: row.text(4)?.to_owned(),
            at: Instant(row.int(5)?),
        })
    };
    let found = tx.query(SQL.get("exports"), &[at.0.into(), entry.0.into(), limit.into()])?;
    found.iter().map(view).collect()
}
