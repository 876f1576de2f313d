//! Requests of the API under an `Idempotency-Key`: which go on, and the answers of those that ended. The key itself is not
//! kept, and answers are sealed by the caller, for they may hold what is told only once.

use hufu_shared::ids::Hash;
use hufu_shared::time::{DAY_US, Instant, MINUTE_US};

use super::StoreError;
use crate::db::{SqlFile, Tx};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("api_requests", include_str!("../../sql/both/api_requests.sql"));

/// How long an answer is kept at least; forgotten when somebody asks under a key after that, or a job runs.
pub const KEPT_US: i64 = 2 * DAY_US;
/// After so long a request that did not end counts as given up: the program was stopped in it.
pub const GOES_ON_US: i64 = 5 * MINUTE_US;
/// Bytes of the name of one try.
pub const RUN_BYTES: usize = 16;

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its status.
    pub status: u16,
    /// Its media type; empty if it had none.
    pub media: String,
    /// Its body, sealed.
    pub sealed: Vec<u8>,
}

/// What became of the wish to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is to be done now.
    Now,
    /// The same goes on.
    GoesOn,
    /// Something else was asked under this name.
    Other,
    /// It was done before.
    Done(Kept),
}

/// Forgets what was kept for long enough: each run of a job does, so that answers go though nobody asks any more.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn forget_old(tx: &mut Tx<'_>, now: Instant) -> Result<(), StoreError> {
    tx.execute(SQL.get("forget_old"), &[now.offset(-KEPT_US).0.into()])?;
    Ok(())
}

/// Begins what is asked under a name, as the try `run`; `print` says what is asked.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn begin(
    tx: &mut Tx<'_>,
    (id, print): (Hash, Hash),
    run: [u8; RUN_BYTES],
    now: Instant,
) -> Result<Begun, StoreError> {
    forget_old(tx, now)?;
    let values = [id.0.into(), print.0.into(), run.into(), now.0.into()];
    if tx.execute(SQL.get("begin"), &values)? > 0 {
        return Ok(Begun::Now);
    }
    let Some(row) = tx.query_opt(SQL.get("one"), &[id.0.into()])? else { return Ok(Begun::GoesOn) };
    let before: [u8; RUN_BYTES] = row.array(1)?;
    // A transaction may run twice, where nobody heard that it was committed.
    if before == run {
        return Ok(Begun::Now);
    }
    if row.array::<32>(0)? != print.0 {
        return Ok(Begun::Other);
    }
    if let Some(met) = row.int_opt(3)? {
        let status =
            u16::try_from(met).map_err(|_| StoreError::Range { what: "status of an answer", met })?;
        let media = row.text_opt(4)?.unwrap_or_default().to_owned();
        return Ok(Begun::Done(Kept { status, media, sealed: row.blob(5)?.to_vec() }));
    }
    if now.since(Instant(row.int(2)?)) < GOES_ON_US {
        return Ok(Begun::GoesOn);
    }
    let values = [id.0.into(), before.into(), run.into(), now.0.into()];
    let is_mine = tx.execute(SQL.get("take_over"), &values)? > 0;
    Ok(if is_mine { Begun::Now } else { Begun::GoesOn })
}

/// Keeps the answer of a try.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn end(tx: &mut Tx<'_>, (id, run): (Hash, [u8; RUN_BYTES]), kept: &Kept) -> Result<(), StoreError> {
    let values = [
        id.0.into(),
        run.into(),
        i64::from(kept.status).into(),
        kept.media.as_str().into(),
        kept.sealed.as_slice().into(),
    ];
    tx.execute(SQL.get("end"), &values)?;
    Ok(())
}

/// Forgets a try that may be made again.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn forget(tx: &mut Tx<'_>, (id, run): (Hash, [u8; RUN_BYTES])) -> Result<(), StoreError> {
    tx.execute(SQL.get("forget"), &[id.0.into(), run.into()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use hufu_shared::ids::RunId;

    use super::*;
    use crate::db::Db;
    use crate::db::testing::{each, prepare_all};
    use crate::rules::jobs::Job;
    use crate::store::jobs;

    const NOW: Instant = Instant(1_795_341_600_000_000);

    async fn begins(db: &Db, print: u8, run: u8, now: Instant) -> Begun {
        let begun =
            db.write(move |tx| begin(tx, (Hash([1; 32]), Hash([print; 32])), [run; RUN_BYTES], now)).await;
        begun.expect("answers")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn statements_of_api_requests_can_be_prepared() {
        prepare_all(&[&SQL]).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_request_is_done_once_and_told_again_until_it_is_forgotten() {
        each(|db| async move {
            assert_eq!(begins(&db, 1, 1, NOW).await, Begun::Now);
            assert_eq!(begins(&db, 1, 1, NOW).await, Begun::Now, "the same try, run again");
            assert_eq!(begins(&db, 1, 2, NOW).await, Begun::GoesOn);
            assert_eq!(begins(&db, 2, 2, NOW).await, Begun::Other);
            let kept = Kept { status: 201, media: "application/json".to_owned(), sealed: vec![7; 40] };
            let ended = kept.clone();
            let run = [1; RUN_BYTES];
            db.write(move |tx| end(tx, (Hash([1; 32]), run), &ended)).await.expect("kept");
            assert_eq!(begins(&db, 1, 3, NOW.offset(DAY_US)).await, Begun::Done(kept));
            // What ended is not forgotten by a try that failed.
            db.write(move |tx| forget(tx, (Hash([1; 32]), run))).await.expect("nothing to forget");
            assert_eq!(begins(&db, 2, 3, NOW.offset(DAY_US)).await, Begun::Other);
            assert_eq!(begins(&db, 2, 4, NOW.offset(KEPT_US + 1)).await, Begun::Now, "forgotten");
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_is_forgotten_by_a_job_though_nobody_asks_under_a_key_again() {
        each(|db| async move {
            assert_eq!(begins(&db, 1, 1, NOW).await, Begun::Now);
            let is_kept = async |now: Instant, n: u8| {
                let work = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
                    jobs::start(tx, RunId([n; 16]), Job::UnclosedDays, "clock", now)?;
                    Ok(tx.query_opt(SQL.get("one"), &[[1_u8; 32].into()])?.is_some())
                };
                db.write(work).await.expect("begins")
            };
            assert!(is_kept(NOW.offset(KEPT_US), 1).await, "for so long");
            assert!(!is_kept(NOW.offset(KEPT_US + DAY_US), 2).await, "and no longer");
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_try_that_was_given_up_is_taken_over_and_one_that_failed_is_made_again() {
        each(|db| async move {
            assert_eq!(begins(&db, 1, 1, NOW).await, Begun::Now);
            assert_eq!(begins(&db, 1, 2, NOW.offset(GOES_ON_US - 1)).await, Begun::GoesOn);
            assert_eq!(begins(&db, 1, 3, NOW.offset(GOES_ON_US)).await, Begun::Now);
            assert_eq!(begins(&db, 1, 4, NOW.offset(GOES_ON_US)).await, Begun::GoesOn);
            db.write(|tx| forget(tx, (Hash([1; 32]), [3; RUN_BYTES]))).await.expect("forgotten");
            assert_eq!(begins(&db, 1, 4, NOW.offset(GOES_ON_US)).await, Begun::Now);
        })
        .await;
    }
}
