//! SQLite: one writer thread that joins waiting work, a pool of readers.
//!
//! Invariants: exactly one connection writes, and only it checkpoints (SQLite's WAL-reset bug, fixed in 3.51.3, needed
//! two); every commit is synced (`synchronous=FULL`) before anyone is answered; a connection that met an I/O error is
//! thrown away, its commit never tried again.
//! Out of scope: what the transactions do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags};
use tokio::sync::{Semaphore, oneshot};

use super::sql::Sql;
use super::tx::Tx;
use super::{DbError, Row, Value};

/// Oldest SQLite that is safe to write with (WAL-reset bug).
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How many waiting transactions share one commit.
const JOINED_TRANSACTIONS_MAX: usize = 64;
/// How many transactions may wait; later ones wait outside, for at most [`QUEUE_TIMEOUT_MS`].
const QUEUED_TRANSACTIONS_MAX: usize = 1024;
const QUEUE_TIMEOUT_MS: u64 = 10_000;
const READERS_MAX: usize = 4;
/// After this long without work the write-ahead log is emptied.
const CHECKPOINT_IDLE_MS: u64 = 5_000;
const BEGIN_TRIES_MAX: u32 = 5;
const CACHED_STATEMENTS_MAX: usize = 512;

/// What each connection is set to. `FULL`: a commit is on the disk when it is answered.
const PRAGMAS: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; \
    PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA secure_delete=ON; \
    PRAGMA journal_size_limit=8388608; PRAGMA busy_timeout=5000; PRAGMA cache_size=-32768;";

/// Where the database lives.
#[derive(Clone, Debug)]
pub(super) enum Place {
    File(PathBuf),
    Memory,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Memory => f.write_str("in memory"),
        }
    }
}

/// Opens a connection for writing; the file's identity must have been checked before.
pub(super) fn open_writer(place: &Place) -> Result<Connection, DbError> {
    let version = rusqlite::version_number();
    if version < SQLITE_VERSION_MIN {
        let reason = format!("SQLite {} may lose committed data, 3.51.3 is needed", rusqlite::version());
        return Err(DbError::Open { at: place.to_string(), reason });
    }
    let connection = match place {
        Place::File(path) => Connection::open(path),
        Place::Memory => Connection::open_in_memory(),
    };
    let connection = connection.map_err(|error| open_error(place, &error))?;
    connection.execute_batch(PRAGMAS).map_err(|error| open_error(place, &error))?;
    keep_plans(&connection).map_err(|error| open_error(place, &error))?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS_MAX);
    Ok(connection)
}

/// A plan must not hang on the values bound: else a statement with `LIMIT $1` is compiled anew each time it runs.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn open_reader(path: &Path) -> Result<Connection, DbError> {
    let place = Place::File(path.to_owned());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| open_error(&place, &error))?;
    let pragmas = "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; \
                   PRAGMA mmap_size=0; PRAGMA busy_timeout=5000;";
    connection.execute_batch(pragmas).map_err(|error| open_error(&place, &error))?;
    keep_plans(&connection).map_err(|error| open_error(&place, &error))?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS_MAX);
    Ok(connection)
}

pub(super) fn open_error(place: &Place, error: &rusqlite::Error) -> DbError {
    DbError::Open { at: place.to_string(), reason: error.to_string() }
}

fn failed(statement: &str) -> impl Fn(rusqlite::Error) -> DbError {
    move |source| DbError::Sqlite { statement: statement.to_owned(), source }
}

// ---- statements ----

pub(super) fn command(connection: &Connection, text: &str) -> Result<(), DbError> {
    connection.execute_batch(text).map_err(failed(text))
}

fn bound<'c>(
    connection: &'c Connection,
    sql: &'static Sql,
    parameters: &[Value],
    is_read_only: bool,
) -> Result<CachedStatement<'c>, DbError> {
    let mut statement = connection.prepare_cached(&sql.sqlite).map_err(failed(&sql.name))?;
    if is_read_only && !statement.readonly() {
        return Err(DbError::ReadOnly { statement: sql.name.clone() });
    }
    for (number, value) in (1..).zip(parameters) {
        statement.raw_bind_parameter(number, value).map_err(failed(&sql.name))?;
    }
    Ok(statement)
}

pub(super) fn query(
    connection: &Connection,
    sql: &'static Sql,
    parameters: &[Value],
    is_read_only: bool,
) -> Result<Vec<Row>, DbError> {
    let mut statement = bound(connection, sql, parameters, is_read_only)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed(&sql.name))? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(column_value(sql, column, row.get_ref(column).map_err(failed(&sql.name))?)?);
        }
        found.push(Row { sql, values });
    }
    Ok(found)
}

fn column_value(sql: &Sql, column: usize, value: ValueRef<'_>) -> Result<Value, DbError> {
    let mismatch = |met: &str| DbError::Column {
        statement: sql.name.clone(),
        column,
        expected: "NULL, an integer, a text or a blob",
        met: met.to_owned(),
    };
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(bytes) => Value::Text(
            std::str::from_utf8(bytes).map_err(|_| mismatch("a text that is not UTF-8"))?.to_owned(),
        ),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Real(_) => return Err(mismatch("a fraction; amounts are integers, cast it to BIGINT")),
    })
}

pub(super) fn execute(
    connection: &Connection,
    sql: &'static Sql,
    parameters: &[Value],
    is_read_only: bool,
) -> Result<u64, DbError> {
    let mut statement = bound(connection, sql, parameters, is_read_only)?;
    let changed = statement.raw_execute().map_err(failed(&sql.name))?;
    Ok(changed as u64)
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

// ---- the writer ----

/// One waiting transaction, its types hidden.
trait Job: Send {
    /// Runs the closure; answers whether its changes stay. The last run counts.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    fn is_read_only(&self) -> bool;
    /// Tells the caller, after the commit. `Err` carries why the commit failed.
    fn answer(self: Box<Self>, commit: &Result<(), CommitFailure>);
}

struct CommitFailure {
    reason: String,
    is_transient: bool,
}

struct TypedJob<F, T, E> {
    work: F,
    result: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
    is_read_only: bool,
}

impl<F, T, E> Job for TypedJob<F, T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // A panic must not take the writer with it: the savepoint is rolled back, the caller is told.
        let ran = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)));
        let result = tx.settle(ran.unwrap_or_else(|_| Err(DbError::Panicked.into())));
        let stays = result.is_ok();
        self.result = Some(result);
        stays
    }

    fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    fn answer(self: Box<Self>, commit: &Result<(), CommitFailure>) {
        let not_kept = |failure: &CommitFailure| {
            Err(DbError::Commit { reason: failure.reason.clone(), transient: failure.is_transient }.into())
        };
        let result = match (self.result, commit) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(DbError::Closed.into()),
            (_, Err(failure)) => not_kept(failure),
        };
        // The caller may have gone; the transaction stands all the same.
        let _ = self.caller.send(result);
    }
}

/// An open SQLite database.
#[derive(Debug)]
pub(super) struct Sqlite {
    place: Place,
    jobs: Mutex<Option<Sender<Box<dyn Job>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    queue: Semaphore,
    readers: Arc<Mutex<Vec<Connection>>>,
    reading: Arc<Semaphore>,
}

impl Sqlite {
    /// Takes a migrated connection and starts the writer.
    pub(super) fn start(place: Place, connection: Connection) -> Result<Self, DbError> {
        let (jobs, waiting) = channel();
        let mut writer = Writer { place: place.clone(), connection };
        let thread = std::thread::Builder::new().name("hufu-db-writer".to_owned());
        let thread = thread.spawn(move || writer.run(&waiting)).map_err(|error| DbError::Open {
            at: place.to_string(),
            reason: format!("the writer thread did not start: {error}"),
        })?;
        Ok(Self {
            place,
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(thread)),
            queue: Semaphore::new(QUEUED_TRANSACTIONS_MAX),
            readers: Arc::new(Mutex::new(Vec::new())),
            reading: Arc::new(Semaphore::new(READERS_MAX)),
        })
    }

    pub(super) async fn write<T, E, F>(&self, work: F, is_read_only: bool) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let wait = tokio::time::timeout(Duration::from_millis(QUEUE_TIMEOUT_MS), self.queue.acquire());
        let _place = match wait.await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(DbError::Closed.into()),
            Err(_) => {
                let reason = format!("{QUEUED_TRANSACTIONS_MAX} transactions are waiting");
                return Err(DbError::Pool { reason }.into());
            }
        };
        let (caller, answer) = oneshot::channel();
        let job = Box::new(TypedJob { work, result: None, caller, is_read_only });
        let sent = match self.jobs.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(jobs) => jobs.send(job).is_ok(),
            None => false,
        };
        if !sent {
            return Err(DbError::Closed.into());
        }
        answer.await.unwrap_or_else(|_| Err(DbError::Closed.into()))
    }

    pub(super) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let Place::File(path) = &self.place else { return self.write(work, true).await };
        let Ok(permit) = Arc::clone(&self.reading).acquire_owned().await else {
            return Err(DbError::Closed.into());
        };
        let (path, readers) = (path.clone(), Arc::clone(&self.readers));
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => open_reader(&path)?,
            };
            let result = read_once(&connection, &work);
            // Back to the pool only if no transaction is left open on it.
            if connection.is_autocommit() {
                readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            result
        });
        task.await.unwrap_or_else(|_| Err(DbError::Panicked.into()))
    }

    /// Stops the writer after the waiting work, and waits for it.
    pub(super) fn close(&self) {
        self.queue.close();
        self.reading.close();
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panicked writer has already answered nobody; there is nothing more to learn from it here.
            let _ = thread.join();
        }
    }
}

pub(super) fn read_once<T, E: From<DbError>>(
    connection: &Connection,
    work: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    command(connection, "BEGIN")?;
    let mut tx = Tx::sqlite(connection, true);
    let result = work(&mut tx);
    let result = tx.settle(result);
    command(connection, "ROLLBACK")?;
    result
}

struct Writer {
    place: Place,
    connection: Connection,
}

impl Writer {
    fn run(&mut self, waiting: &Receiver<Box<dyn Job>>) {
        let mut has_written = false;
        loop {
            let first = match waiting.recv_timeout(Duration::from_millis(CHECKPOINT_IDLE_MS)) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    if std::mem::take(&mut has_written) {
                        self.checkpoint();
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return self.checkpoint(),
            };
            let mut jobs = vec![first];
            while jobs.len() < JOINED_TRANSACTIONS_MAX {
                let Ok(job) = waiting.try_recv() else { break };
                jobs.push(job);
            }
            let commit = self.run_joined(&mut jobs);
            has_written = true;
            let is_storage = matches!(&commit, Err(failure) if !failure.is_transient);
            for job in jobs {
                job.answer(&commit);
            }
            if is_storage && !self.reopen() {
                return;
            }
        }
    }

    /// Runs all jobs in one transaction: first in a hurry, then, if one of them cannot stay as it is, anew with each
    /// under its own savepoint.
    fn run_joined(&self, jobs: &mut [Box<dyn Job>]) -> Result<(), CommitFailure> {
        let result = self.run_hurried(jobs).and_then(|is_done| {
            if is_done {
                return Ok(());
            }
            self.begin()?;
            for job in jobs.iter_mut() {
                self.run_job(job.as_mut())?;
            }
            command(&self.connection, "COMMIT")
        });
        result.map_err(|error| {
            if !self.connection.is_autocommit() {
                // If this fails too, the connection is thrown away by `reopen`.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            CommitFailure { is_transient: error.is_transient(), reason: error.to_string() }
        })
    }

    /// Runs all jobs without a savepoint: each page that is changed under one is first copied aside. Whether that did.
    fn run_hurried(&self, jobs: &mut [Box<dyn Job>]) -> Result<bool, DbError> {
        self.begin()?;
        let is_alone = jobs.len() == 1;
        for job in jobs.iter_mut() {
            let mut tx = Tx::sqlite(&self.connection, job.is_read_only()).hurried(true);
            let stays = job.run(&mut tx);
            self.check_open()?;
            if !stays || tx.must_slow_down() {
                command(&self.connection, "ROLLBACK")?;
                return Ok(is_alone && !tx.must_slow_down());
            }
        }
        command(&self.connection, "COMMIT").map(|()| true)
    }

    /// Disk full or an I/O error may have rolled back everything: then the joined transactions are lost too.
    fn check_open(&self) -> Result<(), DbError> {
        if !self.connection.is_autocommit() {
            return Ok(());
        }
        let source = rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR),
            Some("the transaction was rolled back by SQLite".to_owned()),
        );
        Err(DbError::Sqlite { statement: "joined transactions".to_owned(), source })
    }

    fn begin(&self) -> Result<(), DbError> {
        let mut tries = 1;
        loop {
            match command(&self.connection, "BEGIN IMMEDIATE") {
                Err(error) if error.is_transient() && tries < BEGIN_TRIES_MAX => tries += 1,
                result => return result,
            }
        }
    }

    fn run_job(&self, job: &mut dyn Job) -> Result<(), DbError> {
        command(&self.connection, "SAVEPOINT job")?;
        let mut tx = Tx::sqlite(&self.connection, job.is_read_only());
        let stays = job.run(&mut tx);
        self.check_open()?;
        if !stays {
            command(&self.connection, "ROLLBACK TO job")?;
        }
        command(&self.connection, "RELEASE job")
    }

    fn checkpoint(&self) {
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the write-ahead log could not be emptied; it will be tried again");
        }
    }

    /// After a failed commit nothing that this connection believes about the file is trusted.
    fn reopen(&mut self) -> bool {
        if matches!(self.place, Place::Memory) {
            return self.connection.is_autocommit();
        }
        let opened = open_writer(&self.place).and_then(|connection| {
            quick_check(&self.place, &connection)?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => {
                self.connection = connection;
                true
            }
            Err(error) => {
                tracing::error!(%error, "the database could not be opened again after a failed commit; writing stops");
                false
            }
        }
    }
}

/// Fails with the first finding of `PRAGMA quick_check`.
pub(super) fn quick_check(place: &Place, connection: &Connection) -> Result<(), DbError> {
    let finding: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| DbError::Damaged { at: place.to_string(), reason: error.to_string() })?;
    if finding == "ok" {
        return Ok(());
    }
    Err(DbError::Damaged { at: place.to_string(), reason: finding })
}
