//! The queue towards the centre: what is still to be sent, what was acknowledged, how long facts are kept after that.
//!
//! Facts are marked by one number, since acknowledgement is in order. They are kept for [`KEPT_DAYS_MIN`] days after it, so
//! that a centre restored from an old backup can be filled again; then they are pruned to an anchor.

use std::path::Path;

use hufu_shared::cbor;
use hufu_shared::fact::{Fact, ReadError, Reader, stated_at};
use hufu_shared::ids::{DeviceId, Hash};
use hufu_shared::time::{DAY_US, Instant};
use hufu_shared::wire::upload::{Disposition, ReceiptMark};
use hufu_shared::wire::version::{CentralEpoch, Version};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::{Step, StoreError};
use super::journal::{JOURNAL_BYTES_MAX, Journal, from_sql, to_sql};
use super::notices::insert_disposition;
use super::open::{JOURNAL, check_identity, open_reader};
use super::room::Room;

/// Days for which an acknowledged fact is kept at least.
pub const KEPT_DAYS_MIN: i64 = 35;

/// A fact as it stands on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFact {
    /// Its place.
    pub seq: u64,
    /// Chain hash after it.
    pub hash: Hash,
    /// The exact bytes.
    pub body: Vec<u8>,
    /// What only the centre may read.
    pub sealed: Option<Vec<u8>>,
}

/// A receipt whose mark, nonce and hash were verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipted {
    /// Facts up to here are durable at the centre.
    pub acked_seq: u64,
    /// The mark, as the centre signed it.
    pub mark: ReceiptMark,
    /// Facts that were not plainly applied.
    pub dispositions: Vec<Disposition>,
    /// When it came, by trusted time.
    pub at: Instant,
}

/// Where the journal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalState {
    /// Whose.
    pub device: DeviceId,
    /// Of which enrolment.
    pub epoch: u32,
    /// Seq of the newest fact, 0 for none.
    pub last_seq: u64,
    /// Chain hash there.
    pub head: Hash,
    /// Facts up to here are durable at the centre.
    pub acked_seq: u64,
    /// The lowest seq still held; one above the newest if none is.
    pub oldest_held: u64,
    /// Seq of the last `Booted` fact.
    pub boot_seq: u64,
    /// Version of the block list.
    pub block: Version,
    /// Number of the last notice taken.
    pub notices_n: u64,
    /// The newest epoch of the centre that was heard of.
    pub central_epoch: Option<CentralEpoch>,
    /// Mark of the last receipt.
    pub mark: Option<ReceiptMark>,
    /// Why uploading stopped, in the words of [`super::Store::set_stopped`].
    pub stopped: Option<String>,
    /// When the directory was last known to be current.
    pub directory_at: Option<Instant>,
    /// The time was at least this.
    pub time_floor: Instant,
    /// Whether a run is on, or ended without a shutdown.
    pub running: bool,
    /// How much of the room for the journal is used, in percent.
    pub used_percent: u8,
    /// Refusals that were only counted, since the room was tight.
    pub refusals_counted: u64,
}

impl JournalState {
    /// Facts that the centre has not acknowledged.
    #[must_use]
    pub fn queue_len(&self) -> u64 {
        self.last_seq.saturating_sub(self.acked_seq)
    }
}

/// Reads where a journal stands beside a running daemon, without writing.
///
/// # Errors
/// [`StoreError`] naming file and fault.
pub fn read_state(path: &Path) -> Result<JournalState, StoreError> {
    check_identity(path, &JOURNAL)?;
    whole_state_of(&open_reader(path)?, path, &Room::new(JOURNAL_BYTES_MAX))
}

/// Reads the state and the room used in one transaction, so that both are of one moment: and a lock of the file for each
/// statement costs more than the statement.
fn whole_state_of(connection: &Connection, path: &Path, room: &Room) -> Result<JournalState, StoreError> {
    let run = |sql| connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    let is_inside = !connection.is_autocommit();
    if !is_inside {
        run("BEGIN").step(path, "begin reading")?;
    }
    let read = state_of(connection, path).and_then(|state| {
        let used_percent = room.used_percent(connection).step(path, "measure")?;
        Ok(JournalState { used_percent, ..state })
    });
    if !is_inside {
        run("ROLLBACK").step(path, "end reading")?;
    }
    read
}

/// Reads facts beside a running daemon, without writing.
///
/// # Errors
/// [`StoreError`] naming file and fault.
pub fn read_facts(path: &Path, from_seq: u64, facts_max: usize) -> Result<Vec<StoredFact>, StoreError> {
    check_identity(path, &JOURNAL)?;
    facts_of(&open_reader(path)?, path, from_seq, facts_max, usize::MAX)
}

/// Reads stored facts whole; `facts` are in order and of the journal at `path`, which is asked for what the first of
/// them rest on.
///
/// # Errors
/// [`StoreError`] naming file and fault. A fact that cannot be read is one result of its own.
pub fn read_whole(path: &Path, facts: &[StoredFact]) -> Result<Vec<Result<Fact, ReadError>>, StoreError> {
    let connection = open_reader(path)?;
    whole(&connection, path, facts)
}

fn whole(
    connection: &Connection,
    path: &Path,
    facts: &[StoredFact],
) -> Result<Vec<Result<Fact, ReadError>>, StoreError> {
    let first = facts.first().map_or(0, |fact| fact.seq);
    let mut reader = Reader::default();
    for stated in facts.iter().filter_map(|fact| stated_at(&fact.body)).filter(|seq| *seq < first).take(1) {
        for fact in facts_of(connection, path, stated, 1, usize::MAX)? {
            reader.note(fact.seq, &fact.body);
        }
    }
    Ok(facts.iter().map(|fact| reader.read(fact.seq, &fact.body)).collect())
}

/// Chain hash before the oldest fact held, read beside a running daemon.
///
/// # Errors
/// [`StoreError`] naming file and fault.
pub fn read_anchor(path: &Path) -> Result<Option<Hash>, StoreError> {
    check_identity(path, &JOURNAL)?;
    open_reader(path)?
        .query_row("SELECT anchor_hash FROM state", [], |row| row.get(0).map(Hash))
        .optional()
        .step(path, "read anchor")
}

fn state_of(connection: &Connection, path: &Path) -> Result<JournalState, StoreError> {
    let blob = |name: &str, bytes: Option<Vec<u8>>| (name.to_owned(), bytes);
    let sql = "SELECT device, epoch, acked_seq, anchor_seq, anchor_hash, boot_seq, block_epoch, block_n, notices_n, \
               stopped, directory_at, time_floor, running, central_epoch, mark, refusals_counted FROM state";
    let (mut state, epoch, mark) = connection
        .prepare_cached(sql)
        .and_then(|mut select| {
            select.query_row([], |row| {
                let anchor = from_sql(row.get(3)?);
                let state = JournalState {
                    device: DeviceId(row.get(0)?),
                    epoch: row.get(1)?,
                    last_seq: anchor,
                    head: Hash(row.get(4)?),
                    acked_seq: from_sql(row.get(2)?),
                    oldest_held: anchor + 1,
                    boot_seq: from_sql(row.get(5)?),
                    block: Version { epoch: row.get(6)?, n: from_sql(row.get(7)?) },
                    notices_n: from_sql(row.get(8)?),
                    central_epoch: None,
                    mark: None,
                    stopped: row.get(9)?,
                    directory_at: row.get::<_, Option<i64>>(10)?.map(Instant),
                    time_floor: Instant(row.get(11)?),
                    running: row.get(12)?,
                    used_percent: 0,
                    refusals_counted: from_sql(row.get(15)?),
                };
                Ok((state, blob("central epoch", row.get(13)?), blob("mark", row.get(14)?)))
            })
        })
        .step(path, "read state")?;
    state.central_epoch = decoded(path, &epoch)?;
    state.mark = decoded(path, &mark)?;
    let newest = connection
        .prepare_cached("SELECT seq, hash FROM facts ORDER BY seq DESC LIMIT 1")
        .and_then(|mut select| {
            select.query_row([], |row| Ok((from_sql(row.get(0)?), Hash(row.get(1)?)))).optional()
        })
        .step(path, "read head")?;
    if let Some((seq, hash)) = newest {
        (state.last_seq, state.head) = (seq, hash);
    }
    Ok(state)
}

fn decoded<T: for<'b> minicbor::Decode<'b, ()>>(
    path: &Path,
    (name, bytes): &(String, Option<Vec<u8>>),
) -> Result<Option<T>, StoreError> {
    bytes
        .as_deref()
        .map(cbor::decode)
        .transpose()
        .map_err(|error| StoreError::Damaged { path: path.to_owned(), detail: format!("{name}: {error}") })
}

fn facts_of(
    connection: &Connection,
    path: &Path,
    from_seq: u64,
    facts_max: usize,
    bytes_max: usize,
) -> Result<Vec<StoredFact>, StoreError> {
    let sql = "SELECT seq, hash, body, sealed FROM facts WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    let mut statement = connection.prepare_cached(sql).step(path, "prepare")?;
    let limit = i64::try_from(facts_max).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![to_sql(from_seq), limit], |row| {
            Ok(StoredFact {
                seq: from_sql(row.get(0)?),
                hash: Hash(row.get(1)?),
                body: row.get(2)?,
                sealed: row.get(3)?,
            })
        })
        .step(path, "read facts")?;
    let (mut facts, mut bytes) = (Vec::new(), 0_usize);
    for row in rows {
        let fact = row.step(path, "read facts")?;
        bytes += fact.body.len() + fact.sealed.as_ref().map_or(0, Vec::len);
        // The first goes whatever its size: nothing may stand at the head of the queue.
        if bytes > bytes_max && !facts.is_empty() {
            break;
        }
        facts.push(fact);
    }
    Ok(facts)
}

impl Journal {
    /// A refusal that the room no longer allows to be a fact of its own.
    pub(super) fn count_refusal(&self, count: u32) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE state SET refusals_counted = refusals_counted + ?1")
            .and_then(|mut update| update.execute([count]))
            .step(&self.path, "count refusal")
            .map(|_| ())
    }

    /// The refusal whose window is open, kept durably until it ends.
    pub(super) fn keep_pending(&self, fact: &Fact) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO pending_refusal (one, body) VALUES (1, ?1)")
            .and_then(|mut insert| insert.execute([cbor::encode(fact)]))
            .step(&self.path, "note refusal")
            .map(|_| ())
    }

    /// Where the journal stands.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn state(&self) -> Result<JournalState, StoreError> {
        whole_state_of(&self.connection, &self.path, &self.room)
    }

    /// Facts from `from_seq` on, in order: at most `facts_max`, and at most `bytes_max` of content unless the first
    /// alone is larger.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn pending(
        &self,
        from_seq: u64,
        facts_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredFact>, StoreError> {
        facts_of(&self.connection, &self.path, from_seq, facts_max, bytes_max)
    }

    /// Reads facts of this journal whole.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read. A fact that cannot be read is one result of its own.
    pub fn whole(&self, facts: &[StoredFact]) -> Result<Vec<Result<Fact, ReadError>>, StoreError> {
        whole(&self.connection, &self.path, facts)
    }

    /// Whether the centre has acknowledged the fact at `seq`.
    #[must_use]
    pub fn is_acked(&self, seq: u64) -> bool {
        seq <= self.acked_seq
    }

    /// Facts that the centre has not acknowledged.
    #[must_use]
    pub fn queue_len(&self) -> u64 {
        self.head.0.saturating_sub(self.acked_seq)
    }

    /// Chain hash after the fact at `seq`; at 0 the start of the chain. None if it is no longer or not yet held.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn hash_at(&self, seq: u64) -> Result<Option<Hash>, StoreError> {
        if seq == self.head.0 {
            return Ok(Some(self.head.1));
        }
        let (anchor, hash) = self.anchor()?;
        if seq == anchor {
            return Ok(Some(hash));
        }
        self.connection
            .prepare_cached("SELECT hash FROM facts WHERE seq = ?1")
            .and_then(|mut select| select.query_row([to_sql(seq)], |row| row.get(0).map(Hash)).optional())
            .step(&self.path, "read hash")
    }

    pub(super) fn anchor(&self) -> Result<(u64, Hash), StoreError> {
        self.connection
            .prepare_cached("SELECT anchor_seq, anchor_hash FROM state")
            .and_then(|mut select| select.query_row([], |row| Ok((from_sql(row.get(0)?), Hash(row.get(1)?)))))
            .step(&self.path, "read anchor")
    }

    /// Takes a verified receipt: cursor, mark and dispositions in one transaction.
    ///
    /// # Errors
    /// As [`Journal::append`]; [`StoreError::Damaged`] for a receipt beyond the head, which the caller should have met.
    pub fn take_receipt(&mut self, receipt: &Receipted) -> Result<(), StoreError> {
        if receipt.acked_seq > self.head.0 {
            let detail = format!("a receipt reaches seq {}, the head is {}", receipt.acked_seq, self.head.0);
            return Err(self.damaged(detail));
        }
        let acked = self.acked_seq.max(receipt.acked_seq);
        self.guarded("take receipt", |journal| {
            let path = journal.path.clone();
            let transaction = journal.connection.transaction().step(&path, "begin")?;
            let day = receipt.at.0.div_euclid(DAY_US);
            let written = (|| {
                transaction
                    .prepare_cached("UPDATE state SET acked_seq = ?1, mark = ?2, stopped = NULL")?
                    .execute(params![to_sql(acked), cbor::encode(&receipt.mark)])?;
                transaction
                    .prepare_cached(
                        "INSERT INTO acks (day, seq) VALUES (?1, ?2) \
                         ON CONFLICT (day) DO UPDATE SET seq = max(seq, excluded.seq)",
                    )?
                    .execute(params![day, to_sql(acked)])?;
                for disposition in &receipt.dispositions {
                    insert_disposition(&transaction, None, disposition, None)?;
                }
                transaction.commit()
            })();
            written.step(&path, "take receipt")
        })?;
        self.acked_seq = acked;
        Ok(())
    }

    /// Stores a newer epoch of the centre.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn set_central_epoch(&mut self, epoch: CentralEpoch) -> Result<(), StoreError> {
        self.guarded("store central epoch", |journal| {
            let sql = "UPDATE state SET central_epoch = ?1";
            let changed = journal.connection.execute(sql, [cbor::encode(&epoch)]);
            changed.step(&journal.path, "store central epoch").map(|_| ())
        })
    }

    /// Stores why uploading stopped, or that it goes on.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn set_stopped(&mut self, why: Option<&str>) -> Result<(), StoreError> {
        self.guarded("store why uploading stopped", |journal| {
            let changed = journal.connection.execute("UPDATE state SET stopped = ?1", [why]);
            changed.step(&journal.path, "store why uploading stopped").map(|_| ())
        })
    }

    /// Prunes facts acknowledged more than [`KEPT_DAYS_MIN`] days before `now`, to be called only while the clock is
    /// set by the centre: a clock that jumped ahead must not shorten what a restored centre can be filled from.
    /// The newest stays: a centre that asks which leases are held is answered beside it. So does the open shift: at its
    /// close all of it is counted, and a clock that the centre set wrongly must not take money out of the drawer.
    /// Returns how many went.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn prune(&mut self, now: Instant) -> Result<u64, StoreError> {
        // A whole day more, since an entry of `acks` stands for the end of its day.
        let day = now.0.div_euclid(DAY_US) - KEPT_DAYS_MIN - 1;
        let sql = "SELECT coalesce(max(seq), 0) FROM acks WHERE day <= ?1";
        let until: i64 =
            self.connection.query_row(sql, [day], |row| row.get(0)).step(&self.path, "read acks")?;
        let until = from_sql(until).min(self.acked_seq).min(self.head.0.saturating_sub(1));
        let until = until.min(self.shift_from()?.saturating_sub(1));
        let Some(hash) = self.hash_at(until)? else { return Ok(0) };
        let (anchor, _) = self.anchor()?;
        if until <= anchor {
            return Ok(0);
        }
        // What the first fact that stays rests on stays beside the anchor.
        let next = self.pending(until + 1, 1, usize::MAX)?;
        let stated = next.first().and_then(|fact| stated_at(&fact.body)).unwrap_or(0);
        self.guarded("prune", |journal| {
            let path = journal.path.clone();
            let transaction = journal.connection.transaction().step(&path, "begin")?;
            let written = (|| {
                transaction.execute(
                    "UPDATE state SET anchor_seq = ?1, anchor_hash = ?2",
                    params![to_sql(until), hash.0],
                )?;
                transaction.execute(
                    "DELETE FROM facts WHERE seq <= ?1 AND seq <> ?2",
                    params![to_sql(until), to_sql(stated)],
                )?;
                transaction.execute("DELETE FROM acks WHERE day < ?1", [day])?;
                transaction.commit()
            })();
            written.step(&path, "prune")
        })?;
        self.stated = self.stated.filter(|(seq, _)| *seq > until || *seq == stated);
        Ok(until - anchor)
    }
}
