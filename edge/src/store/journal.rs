//! The journal's heart: appending facts with their local effects in one transaction.
//!
//! A refusal is not appended at once: equal ones within [`REFUSAL_WINDOW_NS`] are one fact with a count. Until its window
//! ends it is a durable row of its own; any other fact ends the window, so the order of facts is the order of what
//! happened.
//!
//! Invariants
//! - `append` answers after the commit; memory (head of the chain, taps) follows the commit, never leads it.
//! - A connection that met an I/O error is not used again: whether its last commit stands is unknown until the file is
//!   opened anew.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use hufu_shared::cbor;
use hufu_shared::chain;
use hufu_shared::fact::{
    Attended as AttendedFact, CardReplaced, Event, FACT_FORMAT, Fact, Refused, STATED_FACTS_MAX, Standing,
    Way,
};
use hufu_shared::ids::{DeviceId, FactId, Hash, MemberId, OccurrenceId};
use hufu_shared::member::CardStatus;
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::rules::repeat::{Tap, TapKey};
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use hufu_shared::wire::version::Version;
use rusqlite::{Connection, OptionalExtension, params};

use super::appending::{Appended, NewFact};
use super::error::{Step, StoreError};
use super::room::Room;
use super::taps::{RecentSpend, Taps};
use crate::rules::quota::is_tight;
use crate::rules::timekeeping::Uptime;

/// Equal refusals within this are one fact, in nanoseconds of monotonic time.
pub const REFUSAL_WINDOW_NS: u64 = 10_000_000_000;

/// Bytes that the journal's file may take: years of a busy terminal's facts at the days for which they are kept.
pub const JOURNAL_BYTES_MAX: i64 = 1024 * 1024 * 1024;

/// An earlier check-in at this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attended {
    /// Seq of its fact.
    pub seq: u64,
    /// When it was, as claimed then.
    pub at: Instant,
}

/// An earlier tap of the same card at the same reader for the same purpose in this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentTap {
    /// Seq of its fact.
    pub seq: u64,
    /// When it was, as claimed then.
    pub at: Instant,
    /// Monotonic time of it.
    pub mono_ns: u64,
}

/// The open journal. One per process; see [`super::Store`] for the handle that is passed around.
#[derive(Debug)]
pub struct Journal {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) device: DeviceId,
    pub(super) epoch: u32,
    pub(super) head: (u64, Hash),
    pub(super) acked_seq: u64,
    pub(super) boot_seq: u64,
    /// The newest fact of this run that states what stands, and what it states.
    pub(super) stated: Option<(u64, Standing)>,
    pub(super) block: Version,
    /// The directory was current then; durable with the time floor.
    pub(super) directory_at: Option<Instant>,
    pub(super) blocks: HashMap<Token, CardStatus>,
    /// Cards that were given to members here.
    pub(super) given: HashMap<Token, MemberId>,
    pub(super) pending: Option<Fact>,
    /// Facts up to here were shown, and how far that is on the disk.
    pub(super) shown: (u64, u64),
    pub(super) taps: Taps,
    /// What the file may take.
    pub(super) room: Room,
    /// The machine's own uptime, where it tells.
    pub(super) machine: Option<Uptime>,
    pub(super) failed: Option<String>,
}

/// What one transaction changed, applied to memory after its commit.
struct Written {
    head: (u64, Hash),
    stated: Option<(u64, Standing)>,
    pending: Option<Fact>,
    taps: Vec<(TapKey, RecentTap)>,
    spends: Vec<RecentSpend>,
    stopped: Vec<(Token, CardStatus)>,
    given: Option<(Token, MemberId)>,
    appended: Vec<Appended>,
}

pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

impl Journal {
    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Seq of the newest fact, 0 for none.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.head.0
    }

    /// Version of the block list held.
    #[must_use]
    pub fn block_version(&self) -> Version {
        self.block
    }

    /// When the directory was last known to be current.
    #[must_use]
    pub fn directory_at(&self) -> Option<Instant> {
        self.directory_at
    }

    /// Notes that the directory was current at `at`. Durable with the next [`Journal::write_time_floor`]: a minute lost
    /// in a power cut only makes the directory look older than it is.
    pub fn set_directory_at(&mut self, at: Instant) {
        self.directory_at = self.directory_at.max(Some(at));
    }

    /// The state that the block list gives a card, if it must be refused.
    #[must_use]
    pub fn blocked(&self, token: &Token) -> Option<CardStatus> {
        self.blocks.get(token).copied()
    }

    /// Appends facts in one transaction with their local effects, and returns when they are on the disk.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was recorded, or the journal refuses everything from now on.
    pub fn append(&mut self, facts: Vec<NewFact>) -> Result<Vec<Appended>, StoreError> {
        self.guarded("append facts", |journal| {
            let mut written = journal.begin()?;
            journal.write_facts(&mut written, facts)?;
            journal.end()?;
            Ok(journal.commit_memory(written))
        })
    }

    /// Appends the refusal whose window is open, if there is one.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn flush_refusal(&mut self) -> Result<(), StoreError> {
        if self.pending.is_none() {
            return Ok(());
        }
        self.guarded("append refusal", |journal| {
            journal.commit_facts_with(Vec::new(), |_, _| Ok(())).map(drop)
        })
    }

    /// As [`Journal::flush_refusal`], if the window has ended at `mono_ns`.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn flush_refusal_due(&mut self, mono_ns: u64) -> Result<(), StoreError> {
        match &self.pending {
            Some(fact) if mono_ns.saturating_sub(fact.mono_ns) > REFUSAL_WINDOW_NS => self.flush_refusal(),
            _ => Ok(()),
        }
    }

    /// The first check-in of a member (or unknown card) to an occurrence at this terminal.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn attended(&self, occurrence: OccurrenceId, who: &[u8]) -> Result<Option<Attended>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq, at FROM attendance WHERE occurrence = ?1 AND who = ?2")
            .step(&self.path, "prepare")?;
        statement
            .query_row(params![occurrence.0, who], |row| {
                Ok(Attended { seq: from_sql(row.get(0)?), at: Instant(row.get(1)?) })
            })
            .optional()
            .step(&self.path, "look up attendance")
    }

    /// How many were checked in to an occurrence at this terminal.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn attendance(&self, occurrence: OccurrenceId) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM attendance WHERE occurrence = ?1";
        let mut statement = self.connection.prepare_cached(sql).step(&self.path, "prepare")?;
        statement
            .query_row([occurrence.0], |row| row.get(0))
            .map(from_sql)
            .step(&self.path, "count attendance")
    }

    /// The tap that one at `mono_ns` would repeat, within `window_s` seconds.
    #[must_use]
    pub fn recent_tap(&self, key: &TapKey, mono_ns: u64, window_s: u32) -> Option<RecentTap> {
        let first = self.taps.get(key)?;
        let tap = |mono_ns| Tap { key: key.clone(), boot: self.boot_seq, mono_ns };
        tap(mono_ns).repeats(&tap(first.mono_ns), window_s).then_some(*first)
    }

    /// Notes that everything up to `seq` was shown. Durable with the next append or [`Journal::write_shown`].
    pub fn mark_shown(&mut self, seq: u64) {
        self.shown.0 = self.shown.0.max(seq.min(self.head.0));
    }

    /// Makes the shown mark durable if it moved.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn write_shown(&mut self) -> Result<(), StoreError> {
        if self.shown.0 == self.shown.1 {
            return Ok(());
        }
        self.guarded("write shown mark", |journal| {
            let sql = "UPDATE state SET shown_seq = ?1";
            journal
                .connection
                .execute(sql, [to_sql(journal.shown.0)])
                .step(&journal.path, "write shown mark")?;
            journal.shown.1 = journal.shown.0;
            Ok(())
        })
    }

    /// Runs a step that writes; afterwards no transaction is open, whatever happened.
    pub(super) fn guarded<T>(
        &mut self,
        what: &'static str,
        step: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(detail) = &self.failed {
            return Err(StoreError::Failed { detail: detail.clone() });
        }
        if mutant::on(Mutant::AckBeforeSync) && !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT").step(&self.path, "commit late")?;
        }
        let result = step(self);
        if let Err(error) = &result {
            let rolled_back =
                self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
            if error.is_fatal() || !rolled_back {
                self.failed = Some(format!("{what}: {error}"));
            }
        }
        result
    }

    fn begin(&mut self) -> Result<Written, StoreError> {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .step(&self.path, "begin")?;
        let (head, stated, pending) = (self.head, self.stated, self.pending.clone());
        Ok(Written {
            head,
            stated,
            pending,
            taps: Vec::new(),
            spends: Vec::new(),
            stopped: Vec::new(),
            given: None,
            appended: Vec::new(),
        })
    }

    /// Ends an open refusal, appends facts, and does something more in the same transaction. Within a guard only.
    pub(super) fn commit_facts_with(
        &mut self,
        facts: Vec<NewFact>,
        also: impl FnOnce(&Connection, &[Appended]) -> rusqlite::Result<()>,
    ) -> Result<Vec<Appended>, StoreError> {
        let mut written = self.begin()?;
        self.put_pending(&mut written)?;
        self.write_facts(&mut written, facts)?;
        also(&self.connection, &written.appended).step(&self.path, "write with facts")?;
        self.end()?;
        Ok(self.commit_memory(written))
    }

    fn end(&mut self) -> Result<(), StoreError> {
        if self.shown.0 != self.shown.1 {
            self.connection
                .prepare_cached("UPDATE state SET shown_seq = ?1")
                .and_then(|mut update| update.execute([to_sql(self.shown.0)]))
                .step(&self.path, "write shown mark")?;
        }
        if mutant::on(Mutant::AckBeforeSync) {
            return Ok(());
        }
        self.connection
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]))
            .step(&self.path, "commit")?;
        self.shown.1 = self.shown.0;
        Ok(())
    }

    fn write_facts(&self, written: &mut Written, facts: Vec<NewFact>) -> Result<(), StoreError> {
        for new in facts {
            let sealed = new.sealed.clone();
            let fact = self.place(new, 0);
            match (&fact.event, &mut written.pending) {
                (Event::Refused(refused), Some(open)) if is_repeat(refused, &fact, open) => {
                    let Event::Refused(counted) = &mut open.event else { continue };
                    counted.count = counted.count.saturating_add(refused.count);
                    let count = counted.count;
                    self.keep_pending(open)?;
                    written.appended.push(Appended { id: None, hash: written.head.1, count });
                }
                (Event::Refused(refused), _) if is_tight(self.used_percent()?) => {
                    let count = refused.count;
                    self.count_refusal(count)?;
                    written.appended.push(Appended { id: None, hash: written.head.1, count });
                }
                (Event::Refused(refused), _) => {
                    let count = refused.count;
                    self.put_pending(written)?;
                    self.keep_pending(&fact)?;
                    written.pending = Some(fact);
                    written.appended.push(Appended { id: None, hash: written.head.1, count });
                }
                _ => {
                    self.put_pending(written)?;
                    let appended = self.put(written, fact, sealed)?;
                    written.appended.push(appended);
                }
            }
        }
        Ok(())
    }

    /// Counts a passing of a gate, and remembers who came in first.
    fn note_attendance(&self, attended: &AttendedFact, seq: u64, at: Instant) -> Result<(), StoreError> {
        let enters = attended.way == Way::In;
        let gate = attended.gate.unwrap_or(0);
        let sql = "INSERT INTO passages (occurrence, gate, entered, gone) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (occurrence, gate) DO UPDATE SET \
                   entered = entered + excluded.entered, gone = gone + excluded.gone";
        self.connection
            .prepare_cached(sql)
            .and_then(|mut count| count.execute(params![attended.occurrence.0, gate, enters, !enters]))
            .step(&self.path, "count passage")?;
        if !enters {
            return Ok(());
        }
        let token = attended.subject.token.to_bytes();
        let who: &[u8] = attended.subject.member.as_ref().map_or(&token, |member| &member.0);
        let sql = "INSERT OR IGNORE INTO attendance (occurrence, who, seq, at) VALUES (?1, ?2, ?3, ?4)";
        self.connection
            .prepare_cached(sql)
            .and_then(|mut insert| insert.execute(params![attended.occurrence.0, who, to_sql(seq), at.0]))
            .step(&self.path, "note attendance")
            .map(drop)
    }

    fn place(&self, new: NewFact, seq: u64) -> Fact {
        Fact {
            format: FACT_FORMAT,
            seq,
            wall: new.wall,
            mono_ns: new.mono_ns,
            boot: self.boot_seq,
            clock: new.clock,
            directory: new.directory,
            block: self.block,
            scheme: new.scheme,
            operator: new.operator,
            shown: new.shown,
            rule: new.rule,
            event: new.event,
        }
    }

    /// Writes one fact at the head, with its effects.
    fn put(
        &self,
        written: &mut Written,
        mut fact: Fact,
        sealed: Option<Vec<u8>>,
    ) -> Result<Appended, StoreError> {
        let seq = written.head.0 + 1;
        fact.seq = seq;
        if matches!(fact.event, Event::Booted(_)) {
            fact.boot = seq;
        }
        let body = match written.stated {
            Some((stated, standing)) if standing == fact.standing() && seq - stated < STATED_FACTS_MAX => {
                fact.encode_since(stated)
            }
            _ => {
                written.stated = Some((seq, fact.standing()));
                cbor::encode(&fact)
            }
        };
        let hash = chain::link(written.head.1, &body);
        self.connection
            .prepare_cached("INSERT INTO facts (seq, hash, body, sealed) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut insert| insert.execute(params![to_sql(seq), hash.0, body, sealed]))
            .step(&self.path, "append fact")?;
        if let Event::Attended(attended) = &fact.event
            && attended.repeats.is_none()
        {
            self.note_attendance(attended, seq, fact.wall)?;
        }
        self.move_leases(&fact.event, seq)?;
        self.note_value(&fact, seq)?;
        if let Some((token, status)) = stopped_by(&fact.event) {
            self.block_here(&token, status)?;
            written.stopped.push((token, status));
        }
        if let Event::CardReplaced(CardReplaced { subject, card, .. }) = &fact.event
            && let Some(member) = subject.member
        {
            self.give_here(card, member)?;
            written.given = Some((*card, member));
        }
        if matches!(fact.event, Event::DayClosed(_)) {
            self.connection
                .execute("UPDATE state SET closed_seq = ?1", [to_sql(seq)])
                .step(&self.path, "note close of day")?;
        }
        if let Some(tap) = Tap::opening(&fact) {
            written.taps.push((tap.key, RecentTap { seq, at: fact.wall, mono_ns: fact.mono_ns }));
        }
        if let Event::Spent(spent) = &fact.event {
            let tap = RecentTap { seq, at: fact.wall, mono_ns: fact.mono_ns };
            let (token, legs) = (spent.subject.token, spent.legs.clone());
            written.spends.push(RecentSpend { token, legs, tap });
        }
        written.head = (seq, hash);
        let id = FactId { device: self.device, epoch: self.epoch, seq };
        Ok(Appended { id: Some(id), hash, count: 1 })
    }

    fn put_pending(&self, written: &mut Written) -> Result<(), StoreError> {
        let Some(fact) = written.pending.take() else { return Ok(()) };
        self.put(written, fact, None)?;
        self.connection
            .prepare_cached("DELETE FROM pending_refusal")
            .and_then(|mut delete| delete.execute([]))
            .step(&self.path, "end refusal")
            .map(|_| ())
    }

    fn commit_memory(&mut self, written: Written) -> Vec<Appended> {
        (self.head, self.stated, self.pending) = (written.head, written.stated, written.pending);
        for (key, tap) in written.taps {
            self.taps.take(key, tap);
        }
        for spend in written.spends {
            self.taps.take_spend(spend);
        }
        self.blocks.extend(written.stopped);
        self.given.extend(written.given);
        written.appended
    }
}

/// The card that an event ends at this terminal, and how it stands from then on.
fn stopped_by(event: &Event) -> Option<(Token, CardStatus)> {
    match event {
        Event::CardReportedLost(lost) => Some((lost.subject.token, CardStatus::Lost)),
        Event::CardReplaced(replaced) => Some((replaced.subject.token, CardStatus::Void)),
        _ => None,
    }
}

/// Whether a refusal is the same as the open one, soon enough.
fn is_repeat(refused: &Refused, fact: &Fact, open: &Fact) -> bool {
    let Event::Refused(first) = &open.event else { return false };
    let same = (&first.subject, &first.purpose, first.reason)
        == (&refused.subject, &refused.purpose, refused.reason);
    let gap = fact.mono_ns.checked_sub(open.mono_ns);
    same && fact.boot == open.boot && gap.is_some_and(|gap| gap <= REFUSAL_WINDOW_NS)
}
