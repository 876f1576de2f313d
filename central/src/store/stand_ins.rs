//! Who stands in for whom: rows that apply reads and writes, and what people look at.

use hufu_shared::act::Actor;
use hufu_shared::ids::{EntryId, Hash, OperatorId};
use hufu_shared::time::Instant;

use super::StoreError;
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::need::Need;
use crate::rules::outcome::Outcome;
use crate::rules::stand_in::{self, KnownStandIn};
use crate::rules::world::World;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("stand_ins", include_str!("../../sql/both/stand_ins.sql"));

fn known_of(row: &Row) -> Result<KnownStandIn, StoreError> {
    Ok(KnownStandIn {
        id: Hash(row.array(0)?),
        person: OperatorId(row.array(1)?),
        stand_in: OperatorId(row.array(2)?),
        from: Instant(row.int(3)?),
        until: Instant(row.int(4)?),
        named: Instant(row.int(5)?),
        ended: row.int_opt(6)?.map(Instant),
    })
}

/// Fetches whom somebody named.
///
/// # Errors
/// [`StoreError`].
pub(super) fn fetch_in(tx: &mut Tx<'_>, world: &mut World, need: Need) -> Result<(), StoreError> {
    if let Need::StandIns(person) = need {
        world.stand_ins.extend(of(tx, person)?.into_iter().map(|known| ((person, known.id), known)));
    }
    Ok(())
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for ((person, id), known) in &outcome.stand_ins {
        let values: Vec<Value> = vec![
            person.0.into(),
            id.0.into(),
            known.stand_in.0.into(),
            known.from.0.into(),
            known.until.0.into(),
            known.named.0.into(),
            known.ended.map(|at| at.0).into(),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("set"), vec![values])?;
    }
    Ok(())
}

/// Whom somebody ever named, by when they begin.
///
/// # Errors
/// [`StoreError`].
pub fn of(tx: &mut Tx<'_>, person: OperatorId) -> Result<Vec<KnownStandIn>, StoreError> {
    tx.query(SQL.get("of_person"), &[person.0.into()])?.iter().map(known_of).collect()
}

/// Whom somebody named, the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn newest(tx: &mut Tx<'_>, person: OperatorId, limit: i64) -> Result<Vec<KnownStandIn>, StoreError> {
    tx.query(SQL.get("newest"), &[person.0.into(), limit.into()])?.iter().map(known_of).collect()
}

/// The namings by which somebody stands in for others at an instant, or will.
///
/// # Errors
/// [`StoreError`].
pub fn by(tx: &mut Tx<'_>, stand_in: OperatorId, at: Instant) -> Result<Vec<KnownStandIn>, StoreError> {
    tx.query(SQL.get("by"), &[stand_in.0.into(), at.0.into()])?.iter().map(known_of).collect()
}

/// Refuses an act of a stand-in whom nobody has named for now; everybody else acts in their own right.
///
/// # Errors
/// [`StoreError::NoStandIn`], and the transaction must not be committed.
pub(super) fn check(tx: &mut Tx<'_>, actor: &Actor, at: Instant) -> Result<(), StoreError> {
    let Some((staff, person)) = actor.staff().zip(actor.stands_for()) else { return Ok(()) };
    if stand_in::stands_in(&of(tx, person)?, staff, at) { Ok(()) } else { Err(StoreError::NoStandIn) }
}
