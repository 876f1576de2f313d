//! Closing the day: the terminal's own account of what it recorded since the day before was closed.

use hufu_shared::cbor;
use hufu_shared::fact::{Counted, DayClosed, DayTotals, Event, Fact};
use hufu_shared::ids::OperatorId;
use hufu_shared::rules::totals;
use hufu_shared::time::{ClockQuality, Day, Instant};
use hufu_shared::wire::version::Version;

use super::appending::{Appended, NewFact};
use super::error::{Step, StoreError};
use super::journal::{Journal, from_sql};
use crate::rules::shift;
use crate::rules::timekeeping::Now;

/// Facts read at once while adding up.
const PAGE_FACTS: usize = 1_000;
/// Facts read at once while looking for the first.
const PAGE_FIRST_FACTS: usize = 16;

impl Journal {
    /// Appends `DayClosed` with the totals of everything since the last one.
    ///
    /// # Errors
    /// As [`Journal::append`]; [`StoreError::Damaged`] if a fact of our own cannot be read or the sums overflow.
    pub fn close_day(
        &mut self,
        day: Day,
        now: &Now,
        directory: Version,
    ) -> Result<(DayClosed, Appended), StoreError> {
        self.close_day_as((day, Closing::ByPerson { counted: None, operator: None }), now, directory)
    }

    /// As [`Journal::close_day`], saying who closed and what they counted.
    ///
    /// # Errors
    /// As [`Journal::close_day`].
    pub fn close_day_as(
        &mut self,
        (day, closing): (Day, Closing),
        now: &Now,
        directory: Version,
    ) -> Result<(DayClosed, Appended), StoreError> {
        // What is still being counted belongs to the day that closes.
        self.flush_refusal()?;
        let (from_seq, totals) = self.totals_since_close()?;
        let unattended = matches!(closing, Closing::AtCutOff);
        let (counted, operator) = match closing {
            Closing::ByPerson { counted, operator } => (counted, operator),
            Closing::AtCutOff => (None, None),
        };
        let closed = DayClosed { day, from_seq, to_seq: self.head.0, totals, unattended, counted };
        let fact = NewFact::of_terminal(Event::DayClosed(closed.clone()), directory, now);
        let appended = self.append(vec![NewFact { operator, ..fact }])?;
        Ok((closed, appended[0]))
    }

    /// First seq after the last `DayClosed` still held, and the totals from there on.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn totals_since_close(&self) -> Result<(u64, DayTotals), StoreError> {
        let mut sums = DayTotals::default();
        let from_seq = self.each_of_shift(|fact| {
            totals::add(&mut sums, &fact)
                .map_err(|error| self.damaged(format!("totals at fact {}: {error}", fact.seq)))
        })?;
        Ok((from_seq, sums))
    }

    /// Gives every fact since the last `DayClosed` still held, oldest first; returns the seq after that.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read, or what `each` answers.
    pub fn each_of_shift(
        &self,
        mut each: impl FnMut(Fact) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let from_seq = self.shift_from()?;
        let mut next = from_seq;
        loop {
            let page = self.pending(next, PAGE_FACTS, usize::MAX)?;
            let Some(last) = page.last() else { return Ok(from_seq) };
            next = last.seq + 1;
            for stored in &page {
                let fact = cbor::decode(&stored.body)
                    .map_err(|error| self.damaged(format!("fact {}: {error}", stored.seq)))?;
                each(fact)?;
            }
        }
    }

    /// The oldest fact since the last `DayClosed` that somebody's card or form made; none if nothing happened.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn first_of_shift(&self) -> Result<Option<Fact>, StoreError> {
        let mut next = self.shift_from()?;
        loop {
            let page = self.pending(next, PAGE_FIRST_FACTS, usize::MAX)?;
            let Some(last) = page.last() else { return Ok(None) };
            next = last.seq + 1;
            for stored in &page {
                let fact: Fact = cbor::decode(&stored.body)
                    .map_err(|error| self.damaged(format!("fact {}: {error}", stored.seq)))?;
                // A fact of a terminal that did not know the time tells no day.
                if shift::is_work(&fact.event) && fact.clock != ClockQuality::Floor {
                    return Ok(Some(fact));
                }
            }
        }
    }

    /// The last `DayClosed`, and what the clock claimed then; none if it is no longer held.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn last_close(&self) -> Result<Option<(DayClosed, Instant)>, StoreError> {
        let seq = self.shift_from()?.saturating_sub(1);
        for stored in self.pending(seq, 1, usize::MAX)?.iter().filter(|stored| stored.seq == seq) {
            let fact: Fact = cbor::decode(&stored.body)
                .map_err(|error| self.damaged(format!("fact {}: {error}", stored.seq)))?;
            if let Event::DayClosed(closed) = fact.event {
                return Ok(Some((closed, fact.wall)));
            }
        }
        Ok(None)
    }

    /// First seq after the last close of day, as far as it is held.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub(super) fn shift_from(&self) -> Result<u64, StoreError> {
        let closed: i64 = self
            .connection
            .query_row("SELECT closed_seq FROM state", [], |row| row.get(0))
            .step(&self.path, "read last close of day")?;
        Ok(from_sql(closed).max(self.anchor()?.0) + 1)
    }
}

/// Who closes a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// A person, with what they counted if they did.
    ByPerson {
        /// What was counted.
        counted: Option<Counted>,
        /// Who is signed in.
        operator: Option<OperatorId>,
    },
    /// The terminal itself at the cut-off: nobody handed over.
    AtCutOff,
}
