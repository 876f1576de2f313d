//! From opening the journal to its orderly end: whose it is, whether it is sound, starts, shutdown, upkeep.
//!
//! A journal of an earlier enrolment of the same device is set aside under its own name, never deleted; a new one begins.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hufu_shared::cbor;
use hufu_shared::chain;
use hufu_shared::fact::{Booted, Event, Fact, Purpose};
use hufu_shared::ids::{BootId, DeviceId, Hash};
use hufu_shared::time::{DAY_US, Instant};
use hufu_shared::wire::version::Version;
use rusqlite::{Connection, OptionalExtension, params};

use super::JOURNAL_FILE;
use super::appending::NewFact;
use super::blocks::{read_blocks, read_given};
use super::error::{Step, StoreError};
use super::journal::{JOURNAL_BYTES_MAX, Journal, from_sql, to_sql};
use super::leases::{age_at_boot, note_uptime};
use super::open::{
    BUSY_TIMEOUT_MS, JOURNAL, PRACTICE, beside, check_identity, create, is_absent, open_reader, open_wal,
    rename,
};
use super::room::Room;
use super::taps::Taps;
use crate::rules::timekeeping::Now;
use crate::terminal::Terminal;

/// Facts at the end of the journal whose chain is recomputed at each start.
const CHECKED_AT_START_FACTS: u64 = 1_000;
/// Days after which the whole file is checked again.
const FULL_CHECK_DAYS: i64 = 7;

/// What a `Booted` fact says beside the times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootInfo {
    /// Random.
    pub boot: BootId,
    /// What the board says of itself, hashed.
    pub board: Hash,
    /// Program version.
    pub software: String,
    /// Directory held at the start.
    pub directory: Version,
}

/// What a start found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booting {
    /// Seq of the `Booted` fact.
    pub seq: u64,
    /// Whether the run before ended without a shutdown.
    pub unclean: bool,
}

impl Journal {
    /// Opens the terminal's journal, or begins one.
    ///
    /// # Errors
    /// [`StoreError`] naming file and fault; a file that is not this terminal's is left as it is.
    pub fn open(path: &Path, terminal: &Terminal) -> Result<Self, StoreError> {
        if !is_absent(path)? {
            check_identity(path, &JOURNAL)?;
            let (device, epoch) = owner(path)?;
            if device != terminal.device {
                return Err(StoreError::OtherDevice { path: path.into(), met: device, own: terminal.device });
            }
            if epoch > terminal.epoch {
                return Err(StoreError::LaterEpoch { path: path.into(), met: epoch, own: terminal.epoch });
            }
            if epoch < terminal.epoch {
                set_aside(path, epoch)?;
            }
        }
        if is_absent(path)? {
            begin(path, terminal)?;
        }
        let connection = open_wal(path, &JOURNAL)?;
        let journal = load(path, connection, terminal.device, terminal.epoch)?;
        journal.check_tail()?;
        Ok(journal)
    }

    /// Opens the journal of an earlier enrolment that was set aside, to deliver what is left of it.
    ///
    /// # Errors
    /// [`StoreError`] naming file and fault; a file that is not this terminal's is left as it is.
    pub fn open_aside(path: &Path, own: DeviceId) -> Result<Self, StoreError> {
        check_identity(path, &JOURNAL)?;
        let (device, epoch) = owner(path)?;
        if device != own {
            return Err(StoreError::OtherDevice { path: path.into(), met: device, own });
        }
        let journal = load(path, open_wal(path, &JOURNAL)?, device, epoch)?;
        journal.check_tail()?;
        Ok(journal)
    }

    /// Opens a copy that was made to practise on.
    ///
    /// # Errors
    /// [`StoreError`] naming file and fault; a file that is no such copy is left as it is.
    pub(super) fn open_practice(path: &Path, terminal: &Terminal) -> Result<Self, StoreError> {
        check_identity(path, &PRACTICE)?;
        let journal = load(path, open_wal(path, &PRACTICE)?, terminal.device, terminal.epoch)?;
        journal.check_tail()?;
        Ok(journal)
    }

    /// The time was at least this, as last persisted.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn time_floor(&self) -> Result<Instant, StoreError> {
        self.connection
            .query_row("SELECT time_floor FROM state", [], |row| row.get(0).map(Instant))
            .step(&self.path, "read time floor")
    }

    /// Persists the time; it never goes back.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn write_time_floor(&mut self, at: Instant) -> Result<(), StoreError> {
        self.guarded("write time floor", |journal| {
            let sql = "UPDATE state SET time_floor = max(time_floor, ?1), shown_seq = ?2, directory_at = ?3";
            let directory_at = journal.directory_at.map(|at| at.0);
            journal
                .connection
                .execute(sql, params![at.0, to_sql(journal.shown.0), directory_at])
                .step(&journal.path, "write time floor")?;
            journal.shown.1 = journal.shown.0;
            Ok(())
        })
    }

    /// What the terminal was set to do when that was last changed.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn purpose(&self) -> Result<Option<Purpose>, StoreError> {
        let bytes: Option<Vec<u8>> = self
            .connection
            .query_row("SELECT purpose FROM state", [], |row| row.get(0))
            .step(&self.path, "read purpose")?;
        // What a newer version was set to do is no reason not to start.
        Ok(bytes.and_then(|bytes| cbor::decode(&bytes).ok()))
    }

    /// Stores what the terminal is set to do, so that an activity goes on after a power cut.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn set_purpose(&mut self, purpose: &Purpose) -> Result<(), StoreError> {
        let bytes = cbor::encode(purpose);
        self.guarded("store purpose", |journal| {
            let changed = journal.connection.execute("UPDATE state SET purpose = ?1", [bytes]);
            changed.step(&journal.path, "store purpose").map(|_| ())
        })
    }

    /// Whether the run before this one ended without a shutdown.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn was_running(&self) -> Result<bool, StoreError> {
        self.connection
            .query_row("SELECT running FROM state", [], |row| row.get(0))
            .step(&self.path, "read state")
    }

    /// Begins a boot: what was still being counted is appended first, then the `Booted` fact. Value facts that were
    /// perhaps never shown are listed for staff.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn boot(&mut self, info: BootInfo, now: &Now) -> Result<Booting, StoreError> {
        let unclean = self.was_running()?;
        let counter: i64 = self
            .connection
            .query_row("SELECT boot_counter + 1 FROM state", [], |row| row.get(0))
            .step(&self.path, "read state")?;
        let unshown = if unclean { self.value_facts_after(self.shown.0)? } else { Vec::new() };
        let booted = Booted {
            boot: info.boot,
            counter: from_sql(counter),
            board: info.board,
            software: info.software,
            unclean,
        };
        let fact = NewFact::of_terminal(Event::Booted(booted), info.directory, now);
        let off = self.powered_off(now.mono_ns)?;
        let machine = self.machine.clone();
        let appended = self.guarded("boot", |journal| {
            journal.commit_facts_with(vec![fact], |connection, appended| {
                let seq = to_sql(appended[0].id.map_or(0, |id| id.seq));
                connection.execute(
                    "UPDATE state SET running = 1, boot_counter = ?1, boot_seq = ?2, shown_seq = ?2, \
                     time_floor = max(time_floor, ?3)",
                    params![counter, seq, now.floor.0],
                )?;
                for seq in &unshown {
                    connection.execute("INSERT OR IGNORE INTO unshown (seq) VALUES (?1)", [to_sql(*seq)])?;
                }
                note_uptime(connection, machine.as_ref(), now.mono_ns)?;
                age_at_boot(connection, off, now.mono_ns)
            })
        })?;
        let seq = appended[0].id.map_or(0, |id| id.seq);
        self.boot_seq = seq;
        self.shown = (seq, seq);
        self.taps.clear();
        Ok(Booting { seq, unclean })
    }

    /// Ends the run in good order.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn shutdown(&mut self, now: &Now) -> Result<(), StoreError> {
        self.flush_refusal()?;
        self.guarded("shut down", |journal| {
            let sql = "UPDATE state SET running = 0, shown_seq = ?1, time_floor = max(time_floor, ?2), \
                       directory_at = ?3";
            let directory_at = journal.directory_at.map(|at| at.0);
            journal
                .connection
                .execute(sql, params![to_sql(journal.shown.0), now.floor.0, directory_at])
                .step(&journal.path, "shut down")?;
            journal.shown.1 = journal.shown.0;
            Ok(())
        })?;
        self.checkpoint()
    }

    /// Empties the write-ahead log; for idle moments, since it holds the writer for some milliseconds. Beside somebody
    /// who reads the file it does what can be done at once, and the next call does the rest: a card would wait for it.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is lost, the log only grows on.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.connection.busy_timeout(Duration::ZERO).step(&self.path, "checkpoint")?;
        let done = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let waits = Duration::from_millis(BUSY_TIMEOUT_MS);
        self.connection.busy_timeout(waits).step(&self.path, "checkpoint")?;
        done.step(&self.path, "checkpoint")
    }

    /// Checks the whole file: after an unclean end, and once a week. `now` is stored as the time of the check.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with what was found.
    pub fn check_whole(&mut self, now: Instant) -> Result<(), StoreError> {
        let found: String = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .step(&self.path, "check")?;
        if found != "ok" {
            return Err(self.damaged(found));
        }
        self.guarded("note check", |journal| {
            let sql = "UPDATE state SET checked_at = ?1";
            journal.connection.execute(sql, [now.0]).step(&journal.path, "note check").map(|_| ())
        })
    }

    /// Whether the weekly check of the whole file is due.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn is_check_due(&self, now: Instant) -> Result<bool, StoreError> {
        let checked: i64 = self
            .connection
            .query_row("SELECT checked_at FROM state", [], |row| row.get(0))
            .step(&self.path, "read state")?;
        Ok(now.since(Instant(checked)) > FULL_CHECK_DAYS * DAY_US)
    }

    pub(super) fn damaged(&self, detail: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), detail: detail.into() }
    }

    /// Recomputes the chain over the newest facts: a swapped write-ahead log or a changed byte shows here.
    fn check_tail(&self) -> Result<(), StoreError> {
        let found: String = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .step(&self.path, "check")?;
        if found != "ok" {
            return Err(self.damaged(found));
        }
        let (anchor, anchor_hash) = self.anchor()?;
        let from = self.head.0.saturating_sub(CHECKED_AT_START_FACTS).max(anchor);
        let mut previous: Option<Hash> = self.hash_at(from)?.or(Some(anchor_hash));
        let mut next = from + 1;
        for fact in self.pending(next, usize::MAX, usize::MAX)? {
            let expected = previous.map(|previous| chain::link(previous, &fact.body));
            if fact.seq != next || expected != Some(fact.hash) {
                return Err(self.damaged(format!("the chain breaks at seq {next}, met seq {}", fact.seq)));
            }
            (previous, next) = (Some(fact.hash), next + 1);
        }
        if self.acked_seq > self.head.0 {
            let detail = format!("it ends at seq {}, but {} were acknowledged", self.head.0, self.acked_seq);
            return Err(self.damaged(detail));
        }
        Ok(())
    }
}

/// Journals of earlier enrolments beside the current one, oldest first.
#[must_use]
pub fn asides(data_dir: &Path) -> Vec<PathBuf> {
    let start = format!("{JOURNAL_FILE}.epoch-");
    let epoch_of =
        |path: &PathBuf| -> Option<u32> { path.file_name()?.to_str()?.strip_prefix(&start)?.parse().ok() };
    let entries = std::fs::read_dir(data_dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<(u32, PathBuf)> =
        entries.filter_map(|path| epoch_of(&path).map(|epoch| (epoch, path))).collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

fn owner(path: &Path) -> Result<(DeviceId, u32), StoreError> {
    let connection = open_reader(path)?;
    connection
        .query_row("SELECT device, epoch FROM state", [], |row| Ok((DeviceId(row.get(0)?), row.get(1)?)))
        .step(path, "read owner")
}

/// Keeps the journal of an earlier enrolment beside the new one.
fn set_aside(path: &Path, epoch: u32) -> Result<(), StoreError> {
    // Closing the last writing connection folds the write-ahead log into the file.
    open_wal(path, &JOURNAL)?.close().map_err(|(_, error)| StoreError::sqlite(path, "close", error))?;
    let aside: PathBuf = beside(path, &format!("epoch-{epoch}"));
    rename(path, &aside)
}

fn begin(path: &Path, terminal: &Terminal) -> Result<(), StoreError> {
    let start = chain::start(terminal.device, terminal.epoch, &terminal.first_key);
    create(path, &JOURNAL, |connection| {
        connection
            .execute(
                "INSERT INTO state (one, device, epoch, anchor_seq, anchor_hash) VALUES (1, ?1, ?2, 0, ?3)",
                params![terminal.device.0, terminal.epoch, start.0],
            )
            .map(|_| ())
    })
}

fn load(path: &Path, connection: Connection, device: DeviceId, epoch: u32) -> Result<Journal, StoreError> {
    let read = "read state";
    let (anchor, acked, shown, boot, block, directory_at) = connection
        .query_row(
            "SELECT anchor_seq, anchor_hash, acked_seq, shown_seq, boot_seq, block_epoch, block_n, directory_at \
             FROM state",
            [],
            |row| {
                let block = Version { epoch: row.get(5)?, n: from_sql(row.get(6)?) };
                Ok((
                    (from_sql(row.get(0)?), Hash(row.get(1)?)),
                    from_sql(row.get(2)?),
                    from_sql(row.get(3)?),
                    from_sql(row.get(4)?),
                    block,
                    row.get::<_, Option<i64>>(7)?.map(Instant),
                ))
            },
        )
        .step(path, read)?;
    let newest = connection
        .query_row("SELECT seq, hash FROM facts ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((from_sql(row.get(0)?), Hash(row.get(1)?)))
        })
        .optional()
        .step(path, read)?;
    let pending: Option<Vec<u8>> = connection
        .query_row("SELECT body FROM pending_refusal", [], |row| row.get(0))
        .optional()
        .step(path, read)?;
    let pending = pending.map(|body| cbor::decode::<Fact>(&body)).transpose();
    let damaged = |detail: String| StoreError::Damaged { path: path.to_owned(), detail };
    let blocks = read_blocks(&connection).step(path, "read blocks")?;
    let given = read_given(&connection).step(path, "read given cards")?;
    Ok(Journal {
        path: path.to_owned(),
        device,
        epoch,
        head: newest.unwrap_or(anchor),
        acked_seq: acked,
        boot_seq: boot,
        // A run states what stands anew with its first fact.
        stated: None,
        block,
        directory_at,
        blocks,
        given,
        pending: pending.map_err(|error| damaged(format!("pending refusal: {error}")))?,
        shown: (shown, shown),
        taps: Taps::default(),
        room: Room::new(JOURNAL_BYTES_MAX),
        machine: None,
        failed: None,
        connection,
    })
}
