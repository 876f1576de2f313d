//! What the sales system is to be told of applications that have their member (K9).

use hufu_shared::ids::{DeviceId, EntryId, FactId, MemberId};
use hufu_shared::time::Instant;

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::joining::application::Association;
use crate::rules::outcome::Outcome;
use crate::rules::world::{KnownAssociation, World};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("associations", include_str!("../../sql/both/associations.sql"));

/// From `step, member, due, done`, beginning at one.
fn association_at(row: &Row, at: usize) -> Result<(Association, KnownAssociation), StoreError> {
    let step = row.text(at)?;
    let known = KnownAssociation {
        member: MemberId(row.array(at + 1)?),
        due: Instant(row.int(at + 2)?),
        done: row.int_opt(at + 3)?.map(Instant),
    };
    let step = Association::from_code(step).ok_or_else(|| rows::unknown("step of association", step))?;
    Ok((step, known))
}

/// Fetches what the sales system is to be told of an application.
///
/// # Errors
/// [`StoreError`].
pub(super) fn associations_in(tx: &mut Tx<'_>, world: &mut World, id: FactId) -> Result<(), StoreError> {
    for row in tx.query(SQL.get("of"), &rows::fact_id_values(id))? {
        let (step, known) = association_at(&row, 0)?;
        world.associations.insert((id, step), known);
    }
    Ok(())
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for ((id, step), known) in &outcome.associations {
        let mut values = rows::fact_id_values(*id).to_vec();
        values.extend([
            step.code().into(),
            known.member.0.into(),
            known.due.0.into(),
            known.done.map(|at| at.0).into(),
            entry.0.into(),
        ]);
        tx.execute(SQL.get("set"), &values)?;
    }
    Ok(())
}

/// A place in the list: after what was due then, of this application and with this step.
#[derive(Debug, Clone)]
pub struct Place {
    /// Since when it is to be told.
    pub due: Instant,
    /// The application.
    pub application: FactId,
    /// Code of the step.
    pub step: String,
}

impl Place {
    /// Before everything.
    #[must_use]
    pub fn first() -> Self {
        let application = FactId { device: DeviceId([0; 16]), epoch: 0, seq: 0 };
        Self { due: Instant(i64::MIN), application, step: String::new() }
    }
}

/// What is to be told, or is done, after a place, the oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn page(
    tx: &mut Tx<'_>,
    is_done: bool,
    after: &Place,
    limit: i64,
) -> Result<Vec<(FactId, Association, KnownAssociation)>, StoreError> {
    let mut values: Vec<Value> = vec![i64::from(is_done).into(), limit.into(), after.due.0.into()];
    values.extend(rows::fact_id_values(after.application));
    values.push(after.step.as_str().into());
    let found = tx.query(SQL.get("page"), &values)?;
    let read = |row: &Row| {
        let (step, known) = association_at(row, 3)?;
        Ok((rows::fact_id_at(row, 0)?, step, known))
    };
    found.iter().map(read).collect()
}
