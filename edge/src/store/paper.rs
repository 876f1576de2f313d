//! Which slips came out of the printer, and how often.
//!
//! What is due follows from the facts; only that a slip is on paper is told by nothing else, so only that is written.
//! Invariant: the first use of a printer makes nothing due that was recorded before it.

use hufu_shared::fact::Fact;
use rusqlite::OptionalExtension;

use super::error::{Step, StoreError};
use super::journal::{Journal, from_sql, to_sql};

/// Facts looked through for slips that are due after a start, newest ones: a few hours of a busy counter.
pub const DUE_FACTS_MAX: u64 = 500;

impl Journal {
    /// A fact of this enrolment; none if there is no such fact or it was pruned.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn fact(&self, seq: u64) -> Result<Option<Fact>, StoreError> {
        let mut stored = self.pending(seq, 1, usize::MAX)?;
        stored.retain(|fact| fact.seq == seq);
        Ok(self.whole(&stored)?.into_iter().flatten().next())
    }

    /// How often the slip of a fact was printed.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn copies(&self, seq: u64) -> Result<u32, StoreError> {
        let copies = self
            .connection
            .prepare_cached("SELECT copies FROM paper WHERE seq = ?1")
            .and_then(|mut select| select.query_row([to_sql(seq)], |row| row.get(0)).optional());
        Ok(copies.step(&self.path, "count copies")?.unwrap_or(0))
    }

    /// Notes that the slip of a fact is on paper once more.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn note_printed(&mut self, seq: u64) -> Result<(), StoreError> {
        self.guarded("note a printed slip", |journal| {
            let sql = "INSERT INTO paper (seq, copies) VALUES (?1, 1) \
                       ON CONFLICT (seq) DO UPDATE SET copies = copies + 1";
            let noted = journal.connection.execute(sql, [to_sql(seq)]);
            noted.step(&journal.path, "note a printed slip").map(drop)
        })
    }

    /// Facts since the printer was first used whose slips are not on paper, oldest first; at most the last
    /// [`DUE_FACTS_MAX`] facts are looked through. Which of them have a slip the caller knows.
    ///
    /// # Errors
    /// As [`Journal::append`]; the first use is noted.
    pub fn unprinted(&mut self) -> Result<Vec<Fact>, StoreError> {
        let head = self.head.0;
        let from: i64 = self.guarded("note the printer's first use", |journal| {
            let sql = "UPDATE state SET paper_seq = coalesce(paper_seq, ?1) RETURNING paper_seq";
            let first = journal.connection.query_row(sql, [to_sql(head)], |row| row.get(0));
            first.step(&journal.path, "note the printer's first use")
        })?;
        let from = from_sql(from).max(head.saturating_sub(DUE_FACTS_MAX)) + 1;
        let stored = self.pending(from, usize::try_from(DUE_FACTS_MAX).unwrap_or(0), usize::MAX)?;
        let mut due = Vec::new();
        for fact in self.whole(&stored)?.into_iter().flatten() {
            if self.copies(fact.seq)? == 0 {
                due.push(fact);
            }
        }
        Ok(due)
    }
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{at, booted, earned, visited};

    #[test]
    fn slips_are_due_from_the_printers_first_use_until_they_are_on_paper() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        let append = |fact| {
            let done = store.with(|journal| journal.append(vec![fact])).expect("appended");
            done[0].id.expect("a place").seq
        };
        append(earned(1, 100, 2, &at(1)));
        let due = || -> Vec<u64> {
            let due = store.with(|journal| journal.unprinted()).expect("read");
            due.iter().map(|fact| fact.seq).collect()
        };
        assert!(due().is_empty(), "the printer came later");
        let (first, visit) = (append(earned(2, 100, 2, &at(2))), append(visited(1, &at(3))));
        assert_eq!(due(), [first, visit]);
        store.with(|journal| journal.note_printed(first)).expect("noted");
        store.with(|journal| journal.note_printed(first)).expect("noted");
        assert_eq!(due(), [visit]);
        assert_eq!(store.with(|journal| journal.copies(first)).expect("read"), 2);
        let fact = store.with(|journal| journal.fact(first)).expect("read").expect("held");
        assert_eq!(fact.seq, first);
        assert_eq!(store.with(|journal| journal.fact(999)).expect("read"), None);
    }
}
