//! When terminals were heard of, in quarters of an hour, and from which silence on each office is alarmed.

use std::collections::BTreeMap;

use hufu_shared::ids::{DeviceId, OfficeId, OperatorId};
use hufu_shared::time::Instant;

use super::StoreError;
use crate::db::{Row, SqlFile, Tx};
use crate::rules::silence::{DAY_QUARTERS, Watch, quarter};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("watch", include_str!("../../sql/both/watch.sql"));

/// Quarters that are kept: a week to look back, and the day of today.
pub const KEPT_QUARTERS: i64 = 8 * DAY_QUARTERS;

/// What an office is alarmed by, and who said so when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeWatch {
    /// The limit.
    pub watch: Watch,
    /// When it was set.
    pub at: Instant,
    /// By whom; none if that person is gone.
    pub by: Option<String>,
}

/// Notes that a terminal was heard of. Only the first time in a quarter of an hour writes; what is too old is forgotten then.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn note(tx: &mut Tx<'_>, device: DeviceId, now: Instant) -> Result<(), StoreError> {
    let quarter = quarter(now);
    let is_first = tx.execute(SQL.get("note_quarter"), &[device.0.into(), quarter.into()])? > 0;
    if is_first {
        tx.execute(SQL.get("forget_quarters"), &[device.0.into(), (quarter - KEPT_QUARTERS).into()])?;
    }
    Ok(())
}

/// Quarters of the 24 hours before `now` in which each terminal was heard of, in order; of one terminal if it is named.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn of_day(
    tx: &mut Tx<'_>,
    device: Option<DeviceId>,
    now: Instant,
) -> Result<BTreeMap<DeviceId, Vec<i64>>, StoreError> {
    let last = quarter(now);
    // One more, for whoever was not heard of yet in the quarter that has only begun.
    let range = [(last - DAY_QUARTERS).into(), last.into()];
    let rows = match device {
        None => tx.query(SQL.get("quarters"), &range)?,
        Some(device) => {
            let [from, to] = range;
            tx.query(SQL.get("quarters_of"), &[from, to, device.0.into()])?
        }
    };
    let mut heard: BTreeMap<DeviceId, Vec<i64>> = BTreeMap::new();
    for row in &rows {
        heard.entry(DeviceId(row.array(0)?)).or_default().push(row.int(1)?);
    }
    Ok(heard)
}

/// What offices are alarmed by; one that is not named has the [default](Watch::default).
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn offices(tx: &mut Tx<'_>) -> Result<BTreeMap<OfficeId, OfficeWatch>, StoreError> {
    tx.query(SQL.get("offices"), &[])?.iter().map(office_row).collect()
}

fn office_row(row: &Row) -> Result<(OfficeId, OfficeWatch), StoreError> {
    let minutes = |column| -> Result<u16, StoreError> {
        let met = row.int(column)?;
        u16::try_from(met).map_err(|_| StoreError::Range { what: "minutes of a watch", met })
    };
    let watch = Watch { silent_minutes: minutes(1)?, opens: minutes(2)?, closes: minutes(3)? };
    let by = row.text_opt(5)?.map(str::to_owned);
    Ok((OfficeId(row.array(0)?), OfficeWatch { watch, at: Instant(row.int(4)?), by }))
}

/// Sets what an office is alarmed by.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn set(
    tx: &mut Tx<'_>,
    office: OfficeId,
    watch: Watch,
    (by, now): (OperatorId, Instant),
) -> Result<(), StoreError> {
    let values = [
        office.0.into(),
        watch.silent_minutes.into(),
        watch.opens.into(),
        watch.closes.into(),
        now.0.into(),
        by.0.into(),
    ];
    tx.execute(SQL.get("set"), &values)?;
    Ok(())
}
