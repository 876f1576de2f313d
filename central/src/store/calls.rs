//! 先致电: applicants whom somebody means to call before deciding, each with the day on which to be reminded. A note among
//! colleagues, not a state of the application: what becomes of it is decided by the acts alone.

use hufu_shared::ids::{FactId, OperatorId};
use hufu_shared::time::{Day, Instant};

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("calls", include_str!("../../sql/both/calls.sql"));

/// Calls that are read at most.
const CALLS_MAX: i64 = 1_000;

/// A call that somebody means to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// About which application.
    pub application: FactId,
    /// On which business day.
    pub day: Day,
    /// Who said so.
    pub staff: OperatorId,
}

/// Notes a call; one that was noted before is put off to the new day.
///
/// # Errors
/// [`StoreError`].
pub fn plan(tx: &mut Tx<'_>, call: &Call, now: Instant) -> Result<(), StoreError> {
    let mut values = rows::fact_id_values(call.application).to_vec();
    values.extend([i64::from(call.day.0).into(), call.staff.0.into(), now.0.into()]);
    tx.execute(SQL.get("plan"), &values)?;
    Ok(())
}

/// All calls, the earliest first.
///
/// # Errors
/// [`StoreError`].
pub fn planned(tx: &mut Tx<'_>) -> Result<Vec<Call>, StoreError> {
    let read = |row: &Row| {
        Ok(Call {
            application: rows::fact_id_at(row, 0)?,
            day: rows::day_at(row, 3)?,
            staff: OperatorId(row.array(4)?),
        })
    };
    tx.query(SQL.get("planned"), &[CALLS_MAX.into()])?.iter().map(read).collect()
}

/// Forgets the call about an application that was decided.
///
/// # Errors
/// [`StoreError`].
pub fn forget(tx: &mut Tx<'_>, application: FactId) -> Result<(), StoreError> {
    tx.execute(SQL.get("forget"), &rows::fact_id_values(application))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use hufu_shared::ids::DeviceId;

    use super::*;
    use crate::db::testing::{each, prepare_all};

    #[tokio::test(flavor = "multi_thread")]
    async fn statements_of_calls_can_be_prepared() {
        prepare_all(&[&SQL]).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_call_is_put_off_and_forgotten() {
        each(|db| async move {
            let call = |seq, day| Call {
                application: FactId { device: DeviceId([1; 16]), epoch: 1, seq },
                day: Day(day),
                staff: OperatorId([2; 16]),
            };
            let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
                for one in [call(1, 9), call(2, 8), call(1, 7)] {
                    plan(tx, &one, Instant(5))?;
                }
                let all = planned(tx)?;
                forget(tx, call(1, 7).application)?;
                Ok((all, planned(tx)?))
            };
            let (all, left) = db.write(work).await.expect("kept");
            assert_eq!((all, left), (vec![call(1, 7), call(2, 8)], vec![call(2, 8)]));
        })
        .await;
    }
}
