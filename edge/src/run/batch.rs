//! Batch check-in (rule K27): cards are collected on a list first, by reader or typed number, compared with the people
//! in the room, and checked in together when staff confirm.
//!
//! Invariants: a collected card is not checked in, and nothing says that it is; a card that would be refused, or is in
//! already, is told at once like any other and never listed; what is confirmed is the list that the page showed; a list
//! survives a restart. Cards are collected only while the terminal is set to that occurrence: when
//! staff choose something else meanwhile, the list waits.

use hufu_shared::fact::Purpose;
use hufu_shared::ids::OccurrenceId;

use super::core::{Candidate as Found, Presented};
use super::dispatch::Dispatch;
use super::view;
use crate::counter::batch::{BatchLineView, BatchOrder, BatchSum, BatchView};
use crate::counter::port::Declined;
use crate::counter::view::{Outcome as Seen, ResultView, Source};
use crate::rules::decide::Outcome;
use crate::rules::timekeeping::Now;
use crate::store::{BatchLine, Listed, StoreError};

/// The list that is open.
#[derive(Debug)]
pub(super) struct Batch {
    occurrence: OccurrenceId,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    line: BatchLine,
    view: BatchLineView,
}

impl Dispatch {
    /// Takes up the list that was open before the start.
    ///
    /// # Errors
    /// [`StoreError`] if journal or directory cannot be read.
    pub(super) fn recall_batch(&mut self, now: &Now) -> Result<(), StoreError> {
        let Some((occurrence, lines)) = self.core.store().with(|journal| journal.batch())? else {
            return Ok(());
        };
        let entry = |line: BatchLine| Ok(Entry { view: self.line_view(&line, occurrence, now)?, line });
        let entries = lines.into_iter().map(entry).collect::<Result<_, StoreError>>()?;
        self.batch = Some(Batch { occurrence, entries });
        Ok(())
    }

    /// Carries out what the page asks of the list.
    pub(super) fn batch_order(&mut self, order: BatchOrder, now: &Now) -> Result<(), Declined> {
        match order {
            BatchOrder::Open(occurrence) => self.open_batch(occurrence, now),
            BatchOrder::Remove { n } => {
                let there =
                    self.core.store().with(|journal| journal.unlist_card(n)).map_err(|e| unable(&e))?;
                if let Some(batch) = &mut self.batch {
                    batch.entries.retain(|entry| entry.line.n != n);
                }
                if there { Ok(()) } else { Err(Declined::Stale) }
            }
            BatchOrder::Confirm { seen } => self.confirm_batch(seen, now),
            BatchOrder::GiveUp => {
                self.core.store().with(|journal| journal.end_batch(Vec::new())).map_err(|e| unable(&e))?;
                self.batch.take().map(drop).ok_or(Declined::Stale)
            }
        }
    }

    fn open_batch(&mut self, occurrence: OccurrenceId, now: &Now) -> Result<(), Declined> {
        self.set_mode(crate::counter::port::ModeOrder::CheckIn(occurrence), now)?;
        // At a way out the order above has turned into another.
        if self.mode.purpose != Purpose::CheckIn(occurrence) {
            return Err(Declined::NotRunning);
        }
        match self.core.store().with(|journal| journal.open_batch(occurrence)) {
            Ok(true) => {
                let same = self.batch.take().filter(|batch| batch.occurrence == occurrence);
                self.batch = Some(same.unwrap_or(Batch { occurrence, entries: Vec::new() }));
                Ok(())
            }
            Ok(false) => Err(Declined::OtherList),
            Err(error) => Err(unable(&error)),
        }
    }

    /// Whether a card that is presented now goes onto the list.
    pub(super) fn collects(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| self.mode.purpose == Purpose::CheckIn(batch.occurrence))
    }

    /// Puts a card onto the list and says so to staff; nothing is recorded. False for a card that is none for the list:
    /// a lost one above all must be met where it is presented, not minutes later.
    pub(super) fn collect(&mut self, presented: &Presented, source: Source, now: &Now) -> bool {
        let found = match self.core.look(presented, &self.mode.purpose, now) {
            Ok(found) => found,
            Err(error) => {
                self.not_recorded(&error, now);
                return true;
            }
        };
        if matches!(found.decision.outcome, Outcome::Refused(_) | Outcome::AlreadyIn) {
            return false;
        }
        self.put_on_list(presented, &found, source, now);
        true
    }

    fn put_on_list(&mut self, presented: &Presented, found: &Found, source: Source, now: &Now) {
        let listed = match self.list(presented, now) {
            Ok(listed) => listed,
            Err(error) => return self.not_recorded(&error, now),
        };
        let (outcome, count) = match listed {
            Listed::Now(_) => (Seen::Listed, self.batch.as_ref().map(|batch| batch.entries.len())),
            Listed::Already => (Seen::ListedAlready, None),
            Listed::Full => (Seen::ListFull, None),
        };
        self.desk.n += 1;
        self.desk.candidate = None;
        let known = found.card.as_ref();
        let result = ResultView {
            person: found.member.as_ref().map(view::person),
            card_tail: known.map(|card| card.tail.clone()).filter(|tail| !tail.is_empty()),
            listed: count,
            ..view::plain_result(self, outcome, source, now)
        };
        (self.desk.result, self.desk.result_at_ns) = (Some(result), now.mono_ns);
    }

    fn list(&mut self, presented: &Presented, now: &Now) -> Result<Listed, StoreError> {
        let Some(occurrence) = self.batch.as_ref().map(|batch| batch.occurrence) else {
            return Ok(Listed::Full);
        };
        let subject = self.core.subject_of(presented, now)?;
        let line = BatchLine {
            n: 0,
            token: subject.token,
            medium: subject.medium,
            reader: subject.reader,
            nonce: subject.code,
            tail: String::new(),
        };
        let view = self.line_view(&line, occurrence, now)?;
        let line = BatchLine { tail: view.card_tail.clone(), ..line };
        let listed = self.core.store().with(|journal| journal.list_card(&line, subject.member))?;
        if let (Listed::Now(n), Some(batch)) = (listed, &mut self.batch) {
            batch.entries.push(Entry { line: BatchLine { n, ..line }, view: BatchLineView { n, ..view } });
        }
        Ok(listed)
    }

    /// A line as staff see it, with what confirming it would come to now.
    fn line_view(
        &self,
        line: &BatchLine,
        occurrence: OccurrenceId,
        now: &Now,
    ) -> Result<BatchLineView, StoreError> {
        let presented = Presented { card: line.card(), reader: line.reader };
        let found = self.core.look(&presented, &Purpose::CheckIn(occurrence), now)?;
        Ok(BatchLineView {
            n: line.n,
            name: found.member.as_ref().and_then(|member| view::person(member).name),
            known: found.member.is_some(),
            card_tail: found.card.map_or_else(|| line.tail.clone(), |card| card.tail),
            outcome: view::outcome(found.decision.outcome),
        })
    }

    fn confirm_batch(&mut self, seen: usize, now: &Now) -> Result<(), Declined> {
        let batch = self.batch.as_ref().ok_or(Declined::Stale)?;
        if batch.entries.is_empty() || batch.entries.len() != seen {
            return Err(Declined::Stale);
        }
        if !self.core.may_check_in(batch.occurrence, now) {
            return Err(Declined::NotRunning);
        }
        let presented = |entry: &Entry| Presented { card: entry.line.card(), reader: entry.line.reader };
        let cards: Vec<Presented> = batch.entries.iter().map(presented).collect();
        let mut mode = self.mode.clone();
        mode.purpose = Purpose::CheckIn(batch.occurrence);
        let all = self.core.swipe_batch(&cards, &mode, now).map_err(|error| unable(&error))?;
        self.batch = None;
        let mut sum = BatchSum::default();
        for swiped in &all {
            sum.count(swiped.decision.outcome);
            self.print_due(swiped.seq, &swiped.decision.event, &swiped.decision.value.left);
            let line = view::result(self, swiped, &mode.purpose, Source::Tap, now);
            view::remember(&mut self.desk, &line, swiped.count);
        }
        tracing::info!(cards = all.len(), checked_in = sum.checked_in, "a batch was checked in");
        self.upkeep.log_used = true;
        self.desk.n += 1;
        let whole = sum.others == 0 && sum.unsure == 0;
        let outcome = if whole { Seen::Accepted } else { Seen::Recorded };
        let result = ResultView {
            purpose: view::purpose(self.core.directory(), &mode.purpose),
            batch: Some(sum),
            ..view::plain_result(self, outcome, Source::Tap, now)
        };
        (self.desk.result, self.desk.result_at_ns) = (Some(result), now.mono_ns);
        Ok(())
    }

    /// The list as the page shows it.
    pub(super) fn batch_view(&self) -> Option<BatchView> {
        let batch = self.batch.as_ref()?;
        let small = self.core.directory().small();
        let row = small.occurrence(batch.occurrence);
        Some(BatchView {
            occurrence: batch.occurrence,
            name: row.map_or_else(view::no_words, |row| row.name.clone()),
            starts: row.map(|row| row.starts),
            ends: row.map(|row| row.ends),
            collecting: self.collects(),
            lines: batch.entries.iter().map(|entry| entry.view.clone()).collect(),
        })
    }
}

impl BatchSum {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Accepted => self.checked_in += 1,
            Outcome::AlreadyIn => self.already += 1,
            Outcome::Recorded | Outcome::UnknownCard => self.unsure += 1,
            Outcome::Refused(_) | Outcome::Redeemed | Outcome::OverOfflineLimit => self.others += 1,
        }
    }
}

fn unable(error: &StoreError) -> Declined {
    tracing::error!(%error, "failed to keep the list of a batch check-in");
    Declined::Unable
}
