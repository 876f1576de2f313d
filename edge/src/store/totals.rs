//! Closing the day: the terminal's own account of what it recorded since the day before was closed.

use hufu_shared::cbor;
use hufu_shared::fact::{DayClosed, DayTotals, Event, Fact};
use hufu_shared::rules::totals;
use hufu_shared::time::Day;
use hufu_shared::wire::version::Version;

use super::appending::{Appended, NewFact};
use super::error::{Step, StoreError};
use super::journal::{Journal, from_sql};
use crate::rules::timekeeping::Now;

/// Facts read at once while adding up.
const PAGE_FACTS: usize = 1_000;

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
        // What is still being counted belongs to the day that closes.
        self.flush_refusal()?;
        let (from_seq, totals) = self.totals_since_close()?;
        let closed = DayClosed { day, from_seq, to_seq: self.head.0, totals };
        let appended =
            self.append(vec![NewFact::of_terminal(Event::DayClosed(closed.clone()), directory, now)])?;
        Ok((closed, appended[0]))
    }

    /// First seq after the last `DayClosed` still held, and the totals from there on.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn totals_since_close(&self) -> Result<(u64, DayTotals), StoreError> {
        let closed: i64 = self
            .connection
            .query_row("SELECT closed_seq FROM state", [], |row| row.get(0))
            .step(&self.path, "read last close of day")?;
        let from_seq = from_sql(closed).max(self.anchor()?.0) + 1;
        let (mut sums, mut next) = (DayTotals::default(), from_seq);
        loop {
            let page = self.pending(next, PAGE_FACTS, usize::MAX)?;
            let Some(last) = page.last() else { break };
            next = last.seq + 1;
            for stored in &page {
                let fact: Fact = cbor::decode(&stored.body)
                    .map_err(|error| self.damaged(format!("fact {}: {error}", stored.seq)))?;
                totals::add(&mut sums, &fact)
                    .map_err(|error| self.damaged(format!("totals at fact {}: {error}", stored.seq)))?;
            }
        }
        Ok((from_seq, sums))
    }
}
