//! Slips in the loop: which are due, which wait, which are on paper.
//!
//! A slip follows its fact's commit and never precedes or delays anything: it is handed to the printer's own queue.
//! Only what came out of the printer is written down; after a restart what is due is found from the journal.
//! Invariants: a slip that may have been printed before says that it is a copy; no slip is queued twice at a time.

use std::collections::BTreeMap;

use hufu_hardware::printer::queue::{Job, Report};
use hufu_hardware::printer::{Hindrance, Paper as Roll, Status};
use hufu_shared::fact::{Event, Fact};
use hufu_shared::money::Leg;
use hufu_shared::time::SECOND_US;

use super::dispatch::Dispatch;
use super::effects::Effect;
use super::ticket::{self, Around, Heading};
use crate::counter::port::Declined;
use crate::counter::view::{PrinterView, SlipView};
use crate::locale::Language;
use crate::rules::slip::{self, SlipKind};
use crate::store::StoreError;

/// After a start, slips younger than this are printed; older ones are listed, in microseconds.
const PRINTED_LATE_US: i64 = 30 * 60 * SECOND_US;
/// After a start, slips older than this are not even listed, in microseconds.
const LISTED_LATE_US: i64 = 24 * 3_600 * SECOND_US;
/// Slips due after a start that are taken up again, newest ones.
const DUE_MAX: usize = 20;
/// Slips that the loop knows of, beside those in the queue.
const SLIPS_MAX: usize = 64;

/// A printer as the loop knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterSetup {
    /// Its port.
    pub name: String,
    /// Slips that are printed unasked.
    pub automatic: Vec<SlipKind>,
    /// Language of slips.
    pub language: Language,
}

/// The loop's knowledge of slips.
#[derive(Debug, Default)]
pub(super) struct Paper {
    setup: Option<PrinterSetup>,
    status: Option<Status>,
    /// Slips of late, by seq: what the counter page lists.
    slips: Slips,
}

/// Slips by seq.
pub(super) type Slips = BTreeMap<u64, SlipView>;

impl Paper {
    /// The printer; none without one.
    pub(super) fn setup(&self) -> Option<&PrinterSetup> {
        self.setup.as_ref()
    }

    /// Begins a list of its own for practice.
    pub(super) fn put_aside(&mut self) -> Slips {
        std::mem::take(&mut self.slips)
    }

    /// Goes on with the list of before.
    pub(super) fn take_back(&mut self, slips: Slips) {
        self.slips = slips;
    }

    fn change(&mut self, seq: u64, change: impl FnOnce(&mut SlipView)) {
        if let Some(slip) = self.slips.get_mut(&seq) {
            change(slip);
        }
    }

    /// Lists a slip; the oldest that is on paper or was let go makes room.
    fn list(&mut self, slip: SlipView) {
        self.slips.insert(slip.seq, slip);
        if self.slips.len() > SLIPS_MAX {
            let oldest = self.slips.values().find(|slip| !slip.queued).map(|slip| slip.seq);
            oldest.and_then(|seq| self.slips.remove(&seq));
        }
    }
}

impl Dispatch {
    /// Slips are printed from now on. What was due before the start is taken up again.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn attach_printer(&mut self, setup: PrinterSetup) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut due = self.core.store().with(|journal| journal.unprinted())?;
        due.retain(|fact| slip::kind(&fact.event).is_some_and(|kind| setup.automatic.contains(&kind)));
        let age = |fact: &Fact| now.trusted.since(fact.wall);
        due.retain(|fact| age(fact) <= LISTED_LATE_US);
        let older = due.len().saturating_sub(DUE_MAX);
        self.paper.setup = Some(setup);
        for fact in due.drain(older..) {
            if age(&fact) <= PRINTED_LATE_US {
                self.print(&fact, &[])?;
            } else {
                let number = self.slip_number(fact.seq)?;
                let slip = SlipView {
                    let_go: true,
                    ..SlipView::new(fact.seq, number, fact.wall, is_badge(&fact.event))
                };
                self.paper.list(slip);
            }
        }
        Ok(())
    }

    /// Lists the slip of a fact that was just committed, and prints it if its kind is printed unasked. `after`: the
    /// member's figures then.
    pub(super) fn print_due(&mut self, seq: Option<u64>, event: &Event, after: &[Leg]) {
        let (Some(seq), Some(kind), Some(setup)) = (seq, slip::kind(event), &self.paper.setup) else {
            return;
        };
        let automatic = setup.automatic.contains(&kind);
        self.keep("print a slip", |dispatch| {
            let Some(fact) = dispatch.core.store().with(|journal| journal.fact(seq))? else { return Ok(()) };
            if automatic {
                return dispatch.print(&fact, after);
            }
            let number = dispatch.slip_number(seq)?;
            dispatch.paper.list(SlipView::new(seq, number, fact.wall, is_badge(&fact.event)));
            Ok(())
        });
    }

    /// The slip of something that was recorded at the counter without a card: taken back, or accepted.
    pub(super) fn print_recorded(&mut self, seq: u64) {
        let fact = self.core.store().with(|journal| journal.fact(seq));
        match fact {
            Ok(Some(fact)) => self.print_due(Some(seq), &fact.event, &[]),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "failed to print a slip"),
        }
    }

    fn slip_number(&self, seq: u64) -> Result<String, StoreError> {
        self.core.store().with(|journal| Ok(slip::number(journal.fact_id(seq))))
    }

    /// Prints a slip because staff ask for it. One that is in the queue already only waits on.
    pub(super) fn reprint(&mut self, seq: u64) -> Result<(), Declined> {
        if self.paper.setup.is_none() {
            return Err(Declined::Unable);
        }
        if self.paper.slips.get(&seq).is_some_and(|slip| slip.queued) {
            return Ok(());
        }
        let unable = |error: StoreError| {
            tracing::error!(%error, "failed to print a slip again");
            Declined::Unable
        };
        let fact = self.core.store().with(|journal| journal.fact(seq)).map_err(unable)?;
        let fact = fact.filter(|fact| slip::kind(&fact.event).is_some()).ok_or(Declined::Stale)?;
        self.print(&fact, &[]).map_err(unable)
    }

    fn print(&mut self, fact: &Fact, after: &[Leg]) -> Result<(), StoreError> {
        let seq = fact.seq;
        let Some(job) = self.job(fact, after)? else { return Ok(()) };
        let copies = self.core.store().with(|journal| journal.copies(seq))?;
        let number = self.slip_number(seq)?;
        self.paper.list(SlipView {
            copies,
            queued: true,
            ..SlipView::new(seq, number, fact.wall, is_badge(&fact.event))
        });
        // A loop whose devices are gone still records; the send can only fail at the end of the program.
        drop(self.effects.send(Effect::Print(job)));
        Ok(())
    }

    /// What stands at the head of every slip.
    pub(super) fn heading(&self, language: Language) -> Heading {
        let small = self.core.directory().small();
        let office = small.office(self.core.terminal().office);
        Heading {
            club: self.core.terminal().club_name.clone(),
            office: office.map_or_else(super::view::no_words, |office| office.name.clone()),
            terminal: self.core.terminal().name.clone(),
            zone: self.zone(),
            language,
        }
    }

    /// Whether goods came back whose points stay with the member (rule S8): their slip takes nothing.
    fn leaves_points(&self, fact: &Fact, original: Option<&Fact>) -> bool {
        let (Event::Reversed(reversed), Some(sold)) = (&fact.event, original) else { return false };
        let is_sale = matches!(sold.event, Event::Earned(_)) && reversed.brings_goods_back();
        is_sale && !self.core.returns_of(sold).reverse_points
    }

    fn job(&self, fact: &Fact, after: &[Leg]) -> Result<Option<Job>, StoreError> {
        let Some(setup) = &self.paper.setup else { return Ok(None) };
        let clock = self.core.office_clock();
        let seq = fact.seq;
        let (slip, copies, acked) = self.core.store().with(|journal| {
            let original = match &fact.event {
                Event::Reversed(reversed) => journal.fact(reversed.original.seq)?,
                _ => None,
            };
            let mut slip = slip::slip(fact, journal.fact_id(seq), original.as_ref(), &clock);
            if self.leaves_points(fact, original.as_ref()) {
                slip.iter_mut().for_each(|slip| slip.changes.clear());
            }
            Ok((slip, journal.copies(seq)?, journal.is_acked(seq)))
        })?;
        let Some(slip) = slip else { return Ok(None) };
        let member = slip.member.and_then(|member| self.core.member(member));
        let small = self.core.directory().small();
        let heading = self.heading(setup.language);
        let occasion = slip.occurrence.and_then(|id| small.occurrence(id)).map(|row| row.name.clone());
        let around = Around {
            name: member.as_ref().and_then(|member| member.masked_name.clone()),
            greeting: member.as_ref().and_then(|member| member.greeting.clone()),
            level: member.and_then(|member| member.level),
            occasion,
            after: after.to_vec(),
            offline: !self.link.online && !acked,
            copy: copies,
            practice: self.practice.is_some(),
        };
        let marked = Around { copy: copies.max(1), ..around.clone() };
        Ok(Some(Job {
            id: self.named(seq),
            ticket: ticket::slip(&slip, &around, &heading),
            marked: ticket::slip(&slip, &marked, &heading),
        }))
    }

    /// What the printer says.
    pub(super) fn printer_says(&mut self, report: &Report) {
        if self.tries_slip(report) {
            return;
        }
        match report {
            Report::Printed { id } => {
                let Some((seq, store)) = self.meant(*id) else { return };
                self.change_slip(*id, |slip| {
                    (slip.queued, slip.let_go) = (false, false);
                    slip.copies += 1;
                });
                self.keep("note a printed slip", |_| store.with(|journal| journal.note_printed(seq)));
            }
            Report::Waits { id, hindrance } => {
                tracing::warn!(seq = id, printer = %hindrance, "a slip waits for the printer");
            }
            Report::LetGo { id } => {
                tracing::warn!(seq = id, "a slip was not printed");
                self.change_slip(*id, |slip| (slip.queued, slip.let_go) = (false, true));
            }
            Report::Status(status) => {
                if let Some(hindrance) = status.hindrance {
                    tracing::warn!(%hindrance, "the printer cannot print");
                }
                self.paper.status = Some(*status);
            }
        }
    }

    /// Changes a slip where it is listed: a real one also while its list is put aside.
    fn change_slip(&mut self, named: u64, change: impl FnOnce(&mut SlipView)) {
        let Some((seq, _)) = self.meant(named) else { return };
        if self.is_of_now(named) {
            self.paper.change(seq, change);
        } else if let Some(slip) = self.slips_aside().and_then(|slips| slips.get_mut(&seq)) {
            change(slip);
        }
    }

    /// The printer for the counter page; none without one.
    pub(super) fn printer_view(&self) -> Option<PrinterView> {
        let setup = self.paper.setup.as_ref()?;
        let status = self.paper.status.unwrap_or_default();
        Some(PrinterView {
            name: setup.name.clone(),
            known: self.paper.status.is_some(),
            hindrance: status.hindrance.map(Hindrance::code),
            near_end: status.paper == Roll::NearEnd,
            slips: self.paper.slips.values().rev().cloned().collect(),
        })
    }
}

fn is_badge(event: &Event) -> bool {
    slip::kind(event) == Some(SlipKind::Badge)
}
