//! Practice: everything looks and answers alike, and nothing of it counts.
//!
//! While it lasts, the loop works on a copy of the journal in a file of its own; the journal that is sent to the centre
//! does not learn of it. What must go on for the terminal itself (the centre's orders, the clock, a day that is over,
//! printing and showing what was real) goes to the books all the same.
//!
//! Invariants: nothing that is recorded in practice reaches the books, nothing that belongs to the books is lost in
//! practice; the centre is asked for nothing; every slip and display says that it is practice. It ends by hand, with
//! the business day, and with the program.

use hufu_shared::fact::Purpose;
use hufu_shared::time::Day;

use super::batch::Batch;
use super::core::{Core, Mode};
use super::desk::DeskPages;
use super::dispatch::{Desk, Dispatch};
use super::effects::Effect;
use super::paper::Slips;
use crate::counter::port::Declined;
use crate::rules::timekeeping::Now;
use crate::store::{JOURNAL_FILE, Store, StoreError, forget_practice};

/// The low bits of what goes to displays and printer name a fact, the high ones the practice that it belongs to.
const ROUND_SHIFT: u32 = 48;
/// Free space that must be left beside a copy, in bytes.
const ROOM_LEFT_BYTES: u64 = 64 * 1024 * 1024;

/// A practice that is under way, and what it put aside.
#[derive(Debug)]
pub(super) struct Practice {
    books: Core,
    mode: Mode,
    before: Purpose,
    desk: Desk,
    pages: DeskPages,
    slips: Slips,
    batch: Option<Batch>,
    day: Day,
    round: u64,
}

impl Dispatch {
    /// The terminal over its real journal, also in practice.
    pub(super) fn books(&self) -> &Core {
        self.practice.as_ref().map_or(&self.core, |practice| &practice.books)
    }

    /// Begins or ends it because staff want that.
    pub(super) fn practise(&mut self, begin: bool, now: &Now) -> Result<(), Declined> {
        match (begin, self.practice.is_some()) {
            (true, true) | (false, false) => Err(Declined::Stale),
            (true, false) => self.begin_practice(now).map_err(|error| {
                tracing::error!(%error, "practice cannot begin");
                Declined::Unable
            }),
            (false, true) => {
                self.end_practice();
                Ok(())
            }
        }
    }

    fn begin_practice(&mut self, now: &Now) -> Result<(), StoreError> {
        let books = self.core.clone();
        let folder = books.directory().path().parent().unwrap_or_else(|| std::path::Path::new("."));
        let journal_bytes = std::fs::metadata(folder.join(JOURNAL_FILE)).map_or(0, |file| file.len());
        if self.free_bytes().is_some_and(|free| free < journal_bytes.saturating_add(ROOM_LEFT_BYTES)) {
            return Err(StoreError::Full { step: "copy the journal", path: folder.join(JOURNAL_FILE) });
        }
        let copy = books.store().practise(folder, books.terminal())?;
        self.core = books.over(copy);
        self.rounds += 1;
        // Results and candidates are counted on, or a page would take a new one for the one it has.
        let fresh = Desk { n: self.desk.n, ..Desk::default() };
        self.practice = Some(Practice {
            mode: self.mode.clone(),
            before: self.before.clone(),
            desk: std::mem::replace(&mut self.desk, fresh),
            pages: std::mem::take(&mut self.pages),
            slips: self.paper.put_aside(),
            batch: self.batch.take(),
            day: books.office_clock().business_day(now.trusted),
            round: self.rounds,
            books,
        });
        drop(self.effects.send(Effect::Practice(true)));
        tracing::info!("practice begins: nothing from here on counts");
        self.recall_batch(now)
    }

    /// Throws away what was practised and goes on where the books stand.
    pub(super) fn end_practice(&mut self) {
        let Some(practice) = self.practice.take() else { return };
        let Practice { books, mut mode, before, mut desk, mut pages, slips, batch, .. } = practice;
        // Who is at the counter now goes on, not who was there when it began; what waited then was theirs.
        if std::mem::replace(&mut mode.operator, self.mode.operator) != self.mode.operator {
            (desk.candidate, pages.guest) = (None, None);
        }
        // A card or an undo that waited for the centre has been answered or given up by now; nothing was recorded.
        (desk.n, desk.asking, desk.undoing, desk.result) = (self.desk.n, None, None, None);
        // Closes the copy before its file goes.
        self.core = books;
        (self.mode, self.before, self.desk, self.pages, self.batch) = (mode, before, desk, pages, batch);
        self.rest_purpose();
        self.paper.take_back(slips);
        drop(self.effects.send(Effect::Practice(false)));
        tracing::info!("practice has ended; what was done in it is gone");
        self.keep("throw away what was practised", |dispatch| {
            let folder = dispatch.core.directory().path().parent();
            forget_practice(folder.unwrap_or_else(|| std::path::Path::new(".")))
        });
    }

    /// Ends it with its business day: nobody practises on through the next morning's guests.
    pub(super) fn practise_no_longer(&mut self, now: &Now) {
        let today = self.core.office_clock().business_day(now.trusted);
        if self.practice.as_ref().is_some_and(|practice| practice.day != today) {
            self.end_practice();
        }
    }

    /// What displays and printer are told as the name of a fact.
    pub(super) fn named(&self, seq: u64) -> u64 {
        seq | self.practice.as_ref().map_or(0, |practice| practice.round) << ROUND_SHIFT
    }

    /// Which fact a display or the printer means, and the store where it stands; none for one of a practice that is over.
    pub(super) fn meant(&self, named: u64) -> Option<(u64, Store)> {
        let (round, seq) = (named >> ROUND_SHIFT, named & ((1 << ROUND_SHIFT) - 1));
        let practised = self.practice.as_ref().map(|practice| practice.round);
        match round {
            0 => Some((seq, self.books().store().clone())),
            round if practised == Some(round) => Some((seq, self.core.store().clone())),
            _ => None,
        }
    }

    /// The list of real slips while another is shown.
    pub(super) fn slips_aside(&mut self) -> Option<&mut Slips> {
        self.practice.as_mut().map(|practice| &mut practice.slips)
    }

    /// Whether a name is that of a fact that the counter page shows now.
    pub(super) fn is_of_now(&self, named: u64) -> bool {
        named >> ROUND_SHIFT == self.practice.as_ref().map_or(0, |practice| practice.round)
    }
}
