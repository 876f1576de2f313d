//! Takes off points that ran out, once for each day that is over (S3, B4).

use super::{Going, JobError};
use crate::app::App;
use crate::db::Tx;
use crate::store::expiry::{self, Step};
use crate::store::{StoreError, world};

/// Whether a day is over that was not done yet, and may be: not while the centre recovers.
pub(super) async fn is_due(app: &App) -> Result<bool, JobError> {
    let now = app.now();
    let look = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
        Ok(world::recovery(tx)?.since.is_none() && expiry::due(tx, now)?.is_some())
    };
    Ok(app.db.read(look).await?)
}

/// Of how many members points would be taken off, or given back.
pub(super) async fn count(app: &App) -> Result<u64, JobError> {
    let now = app.now();
    let Some(run) = app.db.read(move |tx| expiry::due(tx, now)).await? else { return Ok(0) };
    let round = app.db.read(move |tx| expiry::begin(tx, run)).await?;
    let (mut after, mut members) = (None, 0);
    loop {
        let round = round.clone();
        match app.db.read(move |tx| expiry::look(tx, &round, after, now)).await? {
            Step::Upto { last, changed } => (after, members) = (Some(last), members + changed),
            Step::Done | Step::Recovering => return Ok(members),
        }
    }
}

/// Runs the newest day that is over, and with it all days since the last run. Nothing is run twice, and nothing while the
/// centre recovers.
pub(super) async fn perform(going: &mut Going<'_>) -> Result<u64, JobError> {
    let now = going.app.now();
    let Some(run) = going.app.db.read(move |tx| expiry::due(tx, now)).await? else { return Ok(0) };
    let round = going.app.db.read(move |tx| expiry::begin(tx, run)).await?;
    let mut after = None;
    loop {
        let round = round.clone();
        let (id, now) = (going.app.entry_id()?, going.app.now());
        match going.app.write(move |tx| expiry::step(tx, &round, after, id, now)).await? {
            // What was taken off stays so if the service stops; the next run goes on with the rest.
            Step::Upto { last, changed } => {
                after = Some(last);
                going.did(changed).await?;
            }
            Step::Done => {
                tracing::info!(day = run.cutoff.0, "points that ran out were taken off");
                return Ok(0);
            }
            Step::Recovering => return Err(JobError::Recovering),
        }
    }
}
