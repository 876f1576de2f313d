//! Work that runs beside the requests.
//!
//! Named jobs ([`Job`]) do what time brings about. Each can be counted without doing anything, run by the clock, by a
//! person or by a command, and is written down with what it did; run twice it does nothing more, and one that comes after
//! days without it does what it would have done on each of them, for what is due follows from the books. One run of a job
//! at a time, whoever asks.
//!
//! Beside them workers go round every few seconds and have nothing to tell: [`publisher`], [`leases`], [`lookalikes`],
//! [`outbox`], [`rising`].

mod cards;
mod coupons;
mod daily;
mod deadlines;
mod expiry;
mod joining;
pub mod leases;
mod levels;
pub mod lookalikes;
mod member_day;
mod open_ends;
pub mod outbox;
mod points;
pub mod publisher;
mod purchases;
mod reminders;
pub mod rising;
pub mod schedule;
mod settle;

use std::time::Duration;

use hufu_shared::act::Actor;
use hufu_shared::ids::{MemberId, RunId};

use crate::app::{ActError, App};
use crate::db::{DbError, Tx};
use crate::random::NoRandom;
use crate::rules::jobs::Job;
use crate::store::StoreError;
use crate::store::jobs::{self as runs, Began};
use crate::store::people::PeopleError;

/// The place before all members.
const FIRST_MEMBER: MemberId = MemberId([0; 16]);

/// A job could not be done; what was done before stays done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// An act.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The books.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The books or the vault.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No id could be made.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// The centre recovers: nothing is taken from anybody.
    #[error("the centre recovers")]
    Recovering,
    /// The service stops; the next run goes on with the rest.
    #[error("{}", runs::CUT_OFF)]
    Stopped,
}

/// A run that goes on.
struct Going<'a> {
    app: &'a App,
    /// Under which it is written down, if it is.
    run: Option<RunId>,
    done: u64,
}

impl Going<'_> {
    /// Something was done. Ends the run if the service stops.
    async fn did(&mut self, count: u64) -> Result<(), JobError> {
        self.done = self.done.saturating_add(count);
        if let Some(run) = self.run {
            let (done, now) = (self.done, self.app.now());
            self.app.db.write(move |tx| runs::progress(tx, run, done, now)).await?;
        }
        if self.app.is_stopping() { Err(JobError::Stopped) } else { Ok(()) }
    }

    /// Does what is due; answers how much is left for people.
    async fn perform(&mut self, job: Job) -> Result<u64, JobError> {
        match job {
            Job::Settle => settle::perform(self).await,
            Job::RoundUp => daily::perform::<member_day::RoundUp>(self).await,
            Job::Expiry => expiry::perform(self).await,
            Job::Lapse => joining::lapse(self).await,
            Job::ForgetLate => joining::forget_late(self).await,
            Job::AutoLeave => joining::leave(self).await,
            Job::Levels => daily::perform::<levels::Levels>(self).await,
            Job::Ranking => member_day::rank(self).await,
            Job::Coupons => daily::perform::<coupons::Coupons>(self).await,
            Job::CardChange => daily::perform::<cards::CardChanges>(self).await,
            Job::SubCards => cards::end(self).await,
            Job::Deadlines => deadlines::perform(self).await,
            Job::Triggers => points::perform(self).await,
            Job::Purchases => purchases::perform(self).await,
            Job::Activities => open_ends::end_activities(self).await,
            Job::UnclosedDays => open_ends::tell_days(self).await,
            Job::Reminders => reminders::perform(self).await,
        }
    }
}

/// A length as a count.
fn counted(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Whether the books have something for a job: cheap, and asked often. Of one that is looked at each day, always.
///
/// # Errors
/// [`JobError`].
pub async fn is_due(app: &App, job: Job) -> Result<bool, JobError> {
    let some = match job {
        Job::Settle => settle::count(app).await?,
        Job::RoundUp => u64::from(daily::is_due::<member_day::RoundUp>(app).await?),
        Job::Expiry => u64::from(expiry::is_due(app).await?),
        Job::Lapse => joining::count_lapsing(app, 1).await?,
        Job::ForgetLate => joining::count_late(app, 1).await?,
        Job::Levels => u64::from(daily::is_due::<levels::Levels>(app).await?),
        Job::Ranking => u64::from(member_day::is_ranking_due(app).await?),
        Job::Coupons => u64::from(daily::is_due::<coupons::Coupons>(app).await?),
        Job::CardChange => u64::from(daily::is_due::<cards::CardChanges>(app).await?),
        Job::SubCards => cards::count_ended(app, 1).await?,
        Job::Deadlines => deadlines::count(app, 1).await?,
        Job::Triggers => u64::from(points::is_due(app).await?),
        Job::Purchases => u64::from(purchases::is_due(app).await?),
        Job::Activities => open_ends::count_activities(app, 1).await?,
        Job::Reminders => reminders::count(app, 1).await?,
        Job::AutoLeave => u64::from(joining::has_rule(app).await?),
        Job::UnclosedDays => 1,
    };
    Ok(some > 0)
}

/// How much a job would do now, or leave to people, with nothing done.
///
/// # Errors
/// [`JobError`].
pub async fn dry_run(app: &App, job: Job) -> Result<u64, JobError> {
    match job {
        Job::Settle => settle::count(app).await,
        Job::RoundUp => daily::count::<member_day::RoundUp>(app).await,
        Job::Expiry => expiry::count(app).await,
        Job::Lapse => joining::count_lapsing(app, i64::MAX).await,
        Job::ForgetLate => joining::count_late(app, i64::MAX).await,
        Job::AutoLeave => joining::count_idle(app).await,
        Job::Levels => daily::count::<levels::Levels>(app).await,
        Job::Ranking => member_day::count_ranked(app).await,
        Job::Coupons => daily::count::<coupons::Coupons>(app).await,
        Job::CardChange => daily::count::<cards::CardChanges>(app).await,
        Job::SubCards => cards::count_ended(app, i64::MAX).await,
        Job::Deadlines => deadlines::count(app, i64::MAX).await,
        Job::Triggers => points::count(app).await,
        Job::Purchases => purchases::count(app).await,
        Job::Activities => open_ends::count_activities(app, i64::MAX).await,
        Job::UnclosedDays => open_ends::count_days(app).await,
        Job::Reminders => reminders::count(app, i64::MAX).await,
    }
}

/// Does what is due without writing a run down; answers how much was done. For whoever keeps time themselves.
///
/// # Errors
/// [`JobError`].
pub async fn perform(app: &App, job: Job) -> Result<u64, JobError> {
    let mut going = Going { app, run: None, done: 0 };
    going.perform(job).await?;
    Ok(going.done)
}

/// Writes down that a run begins, unless another of the job goes on.
///
/// # Errors
/// [`JobError`].
pub async fn begin(app: &App, job: Job, by: &Actor) -> Result<(RunId, Began), JobError> {
    let (now, by) = (app.now(), by.to_string());
    let id = RunId::new(now, app.ids.bytes()?);
    let began = app.db.write(move |tx| runs::start(tx, id, job, &by, now)).await?;
    Ok((id, began))
}

/// As [`go_on`], and counts before how much there is to do: people watch how far it is. A count that fails tells nothing.
///
/// # Errors
/// As [`go_on`].
pub async fn go_on_counted(app: &App, job: Job, run: RunId) -> Result<u64, JobError> {
    match dry_run(app, job).await {
        Ok(expected) => {
            let now = app.now();
            app.db.write(move |tx| runs::expect(tx, run, expected, now)).await?;
        }
        Err(error) => tracing::warn!(job = job.code(), %error, "what a run has to do could not be counted"),
    }
    go_on(app, job, run).await
}

/// Does what a run that began is to do, and writes down how it ended; answers how much was done.
///
/// # Errors
/// [`JobError`], which is written down too.
pub async fn go_on(app: &App, job: Job, run: RunId) -> Result<u64, JobError> {
    let mut going = Going { app, run: Some(run), done: 0 };
    let ended = going.perform(job).await;
    let (done, now) = (going.done, app.now());
    let told = ended.as_ref().map(|left| *left).map_err(ToString::to_string);
    let finish = move |tx: &mut Tx<'_>| {
        runs::finish(tx, run, done, told.as_ref().map(|left| *left).map_err(String::as_str), now)
    };
    app.db.write(finish).await?;
    ended.map(|_| done)
}

/// Waits until the next round; answers `false` as soon as the service stops.
async fn next_round(app: &App, wait_ms: u64) -> bool {
    let mut stop = app.stopping.subscribe();
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(wait_ms)) => true,
        _ = stop.wait_for(|stop| *stop) => false,
    }
}

#[cfg(test)]
mod tests;
