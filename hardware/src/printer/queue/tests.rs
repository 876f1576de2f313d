//! The queue against a printer that records, and one that is out of paper.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::fake::{FakePrinter, PrinterTape};
use crate::printer::{Block, Width};

const WAIT: Duration = Duration::from_secs(10);

fn ticket(text: &str) -> Ticket {
    Ticket { blocks: vec![Block::text(text)] }
}

fn job(id: u64) -> Job {
    Job { id, ticket: ticket(&format!("{id}")), marked: ticket(&format!("{id} again")) }
}

/// A queue whose clock the test turns.
fn queue() -> (PrintQueue, PrinterTape, Receiver<Report>, Arc<AtomicU64>) {
    let (printer, tape) = FakePrinter::new(Width::Mm80);
    let (sender, reports) = channel();
    let now = Arc::new(AtomicU64::new(0));
    let clock_now = Arc::clone(&now);
    let clock = MonotonicClock::new(move || clock_now.load(Ordering::SeqCst));
    let queue = PrintQueue::start(Box::new(printer), clock, move |report| drop(sender.send(report)));
    assert_eq!(reports.recv_timeout(WAIT), Ok(Report::Status(Status::default())));
    (queue, tape, reports, now)
}

#[test]
fn jobs_are_printed_in_their_order() {
    let (queue, tape, reports, _) = queue();
    for id in 1..=3 {
        queue.submit(job(id)).unwrap();
    }
    for id in 1..=3 {
        assert_eq!(reports.recv_timeout(WAIT), Ok(Report::Printed { id }));
    }
    assert_eq!(tape.tickets(), [ticket("1"), ticket("2"), ticket("3")]);
}

#[test]
fn a_job_waits_for_paper_and_is_told_of_once() {
    let (queue, tape, reports, _) = queue();
    tape.set_status(Status::hindered(Hindrance::PaperOut));
    queue.submit(job(1)).unwrap();
    assert!(matches!(reports.recv_timeout(WAIT), Ok(Report::Status(status)) if status.hindrance.is_some()));
    let waits = Report::Waits { id: 1, hindrance: Hindrance::PaperOut };
    assert_eq!(reports.recv_timeout(WAIT), Ok(waits));
    tape.set_status(Status::default());
    assert_eq!(reports.recv_timeout(WAIT), Ok(Report::Status(Status::default())));
    assert_eq!(reports.recv_timeout(WAIT), Ok(Report::Printed { id: 1 }));
    assert_eq!(tape.tickets(), [ticket("1")], "nothing was on the paper before: it is no copy");
}

#[test]
fn what_may_be_on_the_paper_in_part_is_printed_again_as_a_copy() {
    let (queue, tape, reports, _) = queue();
    tape.tear();
    queue.submit(job(1)).unwrap();
    while !matches!(reports.recv_timeout(WAIT), Ok(Report::Waits { id: 1, .. })) {}
    tape.set_status(Status::default());
    while reports.recv_timeout(WAIT) != Ok(Report::Printed { id: 1 }) {}
    assert_eq!(tape.tickets(), [ticket("1 again")]);
}

#[test]
fn a_full_queue_says_so_and_an_old_job_is_let_go() {
    let (queue, tape, reports, now) = queue();
    tape.set_status(Status::hindered(Hindrance::CoverOpen));
    queue.submit(job(1)).unwrap();
    while !matches!(reports.recv_timeout(WAIT), Ok(Report::Waits { id: 1, .. })) {}
    let taken = (2..=100).filter(|id| queue.submit(job(*id)).is_ok()).count();
    assert_eq!(taken, QUEUE_JOBS_MAX, "one is at the printer, the rest fills the queue");
    now.store(JOB_WAITS_MS * 1_000_000, Ordering::SeqCst);
    assert_eq!(reports.recv_timeout(WAIT), Ok(Report::LetGo { id: 1 }));
    // Dropping the queue while jobs wait ends the thread at once.
    drop(queue);
    assert_eq!(tape.tickets(), []);
}
