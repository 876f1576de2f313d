//! A printer on a thread of its own, behind a bounded queue.
//!
//! Invariants
//! - [`PrintQueue::submit`] never waits: a full queue says so, and the caller keeps the job.
//! - Jobs are printed in their order, one at a time. What could not be printed is tried again until it is, until it is
//!   older than [`JOB_WAITS_MS`], or until the queue is dropped; the caller hears what became of each.
//! - A job of which a part may be on the paper is tried again as its marked copy.
//!
//! Out of scope: keeping jobs over a restart; the caller's records say what was printed.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::status::{Hindrance, Status};
use super::{Printer, Ticket};
use crate::card::MonotonicClock;

/// Jobs that may wait.
pub const QUEUE_JOBS_MAX: usize = 32;
/// How often an idle printer is asked how it is, in milliseconds.
pub const LOOK_MS: u64 = 5_000;
/// Time between two tries to print a job, in milliseconds.
pub const RETRY_MS: u64 = 1_500;
/// A job older than this is let go, in milliseconds: its member has left, staff print it again when asked.
pub const JOB_WAITS_MS: u64 = 30 * 60 * 1_000;

/// One ticket to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The caller's name for it.
    pub id: u64,
    /// What to print.
    pub ticket: Ticket,
    /// The same, marked as a copy: printed instead once a part of the first may be on the paper.
    pub marked: Ticket,
}

/// What became of a job, or of the printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A job is on the paper.
    Printed {
        /// Which job.
        id: u64,
    },
    /// A job waits; said once for each cause.
    Waits {
        /// Which job.
        id: u64,
        /// What is in the way.
        hindrance: Hindrance,
    },
    /// A job was let go: it waited too long.
    LetGo {
        /// Which job.
        id: u64,
    },
    /// The printer is otherwise than it was.
    Status(Status),
}

/// The queue is full or its thread has ended; the job was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the printer's queue takes no more than {QUEUE_JOBS_MAX} jobs")]
pub struct QueueFull;

/// The way to a printer. Dropping it ends the thread after at most one try.
#[derive(Debug)]
pub struct PrintQueue {
    jobs: Option<SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
    stop: Arc<Stop>,
    clock: MonotonicClock,
}

/// A job, and since when it waits.
#[derive(Debug)]
struct Waiting {
    since_ns: u64,
    job: Job,
}

impl PrintQueue {
    /// Starts the thread; `report` is called on it and must not wait for long.
    pub fn start(
        printer: Box<dyn Printer>,
        clock: MonotonicClock,
        report: impl Fn(Report) + Send + 'static,
    ) -> Self {
        let (jobs, inbox) = sync_channel(QUEUE_JOBS_MAX);
        let stop = Arc::new(Stop::default());
        let worker = Worker {
            printer,
            clock: clock.clone(),
            report: Box::new(report),
            stop: Arc::clone(&stop),
            last: None,
        };
        let thread = std::thread::Builder::new().name("printer".into()).spawn(move || worker.run(&inbox));
        if let Err(error) = &thread {
            tracing::error!(%error, "the printer's thread cannot be started");
        }
        Self { jobs: Some(jobs), thread: thread.ok(), stop, clock }
    }

    /// Puts a job into the queue.
    ///
    /// # Errors
    /// [`QueueFull`]; the job is the caller's again.
    pub fn submit(&self, job: Job) -> Result<(), QueueFull> {
        let Some(jobs) = &self.jobs else { return Err(QueueFull) };
        jobs.try_send(Waiting { since_ns: self.clock.now_ns(), job }).map_err(|_| QueueFull)
    }
}

impl Drop for PrintQueue {
    fn drop(&mut self) {
        self.jobs = None;
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            // A printer's driver does not panic; if it did, there is nothing left to end.
            drop(thread.join());
        }
    }
}

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Sleeps; true if the thread is to end.
    fn pause(&self, ms: u64) -> bool {
        let guard = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(guard, Duration::from_millis(ms), |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

struct Worker {
    printer: Box<dyn Printer>,
    clock: MonotonicClock,
    report: Box<dyn Fn(Report) + Send>,
    stop: Arc<Stop>,
    last: Option<Status>,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Waiting>) {
        self.look();
        loop {
            match inbox.recv_timeout(Duration::from_millis(LOOK_MS)) {
                Ok(waiting) => {
                    if self.carry_out(&waiting) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.look(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Tries until the job is printed or let go. True if the thread is to end.
    fn carry_out(&mut self, waiting: &Waiting) -> bool {
        let Job { id, ticket, marked } = &waiting.job;
        let (mut begun, mut told) = (false, None);
        while !self.stop.pause(if told.is_some() { RETRY_MS } else { 0 }) {
            let age_ms = self.clock.now_ns().saturating_sub(waiting.since_ns) / 1_000_000;
            match self.printer.print(if begun { marked } else { ticket }) {
                Ok(()) => {
                    self.say(Status { hindrance: None, ..self.last.unwrap_or_default() });
                    (self.report)(Report::Printed { id: *id });
                    return false;
                }
                Err(_) if age_ms >= JOB_WAITS_MS => {
                    (self.report)(Report::LetGo { id: *id });
                    return false;
                }
                Err(error) => {
                    begun |= error.begun;
                    self.say(Status { hindrance: Some(error.hindrance), ..self.last.unwrap_or_default() });
                    if told != Some(error.hindrance) {
                        tracing::warn!(%error, "a ticket waits");
                        (self.report)(Report::Waits { id: *id, hindrance: error.hindrance });
                    }
                    told = Some(error.hindrance);
                }
            }
        }
        true
    }

    fn look(&mut self) {
        let status = self.printer.status();
        self.say(status);
    }

    fn say(&mut self, status: Status) {
        if self.last.replace(status) != Some(status) {
            (self.report)(Report::Status(status));
        }
    }
}

#[cfg(test)]
mod tests;
