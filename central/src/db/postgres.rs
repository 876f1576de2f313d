//! PostgreSQL: a pool of connections, transactions run on blocking threads, one retry loop.
//!
//! Invariants: writes are READ COMMITTED and lock rows by statement, in id order; reads are one READ ONLY snapshot;
//! nothing outlives its transaction (no session locks, LISTEN, SET or temporary tables), so a pooler may stand before.
//! A connection lost in COMMIT leaves the outcome unknown: if the transaction named a witness, that decides, and the
//! first run's answer stands or the closure runs again; without one it runs again and must be idempotent by its keys.
//! Out of scope: encryption to the server; put both on one machine, or a tunnel between.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use futures_util::future::{try_join, try_join_all};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{SimpleQueryMessage, Statement};

use super::link::{Link, Missed, Sent};
use super::postgres_values::{Column, array_member, arrays, row_values};
use super::sql::Sql;
use super::tx::{Tx, Witness};
use super::{DbError, Row, STATEMENT_TIMEOUT_MS, Value};

const CONNECTIONS_MAX: usize = 8;
const POOL_WAIT_TIMEOUT_MS: u64 = 10_000;
const CREATE_TIMEOUT_MS: u64 = 4_000;
const RECYCLE_TIMEOUT_MS: u64 = 1_000;
const TRIES_MAX: u32 = 5;
const BACKOFF_BASE_MS: u64 = 10;

/// A node that lost its leadership still answers; this tells.
const TAKES_NO_CHANGES: &str = "SHOW transaction_read_only";

/// An open PostgreSQL database.
#[derive(Clone, Debug)]
pub(super) struct Postgres {
    pool: Pool<Manager>,
    /// Longest time of one statement.
    pub(super) statement_timeout_ms: u64,
    /// Host and database name, for messages.
    pub(super) at: String,
}

/// Makes connections.
#[derive(Debug)]
struct Manager {
    config: tokio_postgres::Config,
}

impl managed::Manager for Manager {
    type Type = Link;
    type Error = DbError;

    async fn create(&self) -> Result<Link, DbError> {
        let config = self.config.clone();
        let connected = tokio::task::spawn_blocking(move || Link::connect(&config)).await;
        let connected = connected.map_err(|_| DbError::Panicked)?;
        let connected = connected.map_err(|error| DbError::Pool { reason: error.to_string() })?;
        connected.map_err(failed("connect"))
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<DbError> {
        if link.is_clean() {
            Ok(())
        } else {
            Err(RecycleError::message("it broke, or was left in a transaction"))
        }
    }
}

/// A transaction's connection, and how long it waits for each statement.
#[derive(Debug)]
pub(super) struct Waits<'l> {
    link: &'l Link,
    statement_timeout_ms: u64,
}

fn failed(statement: &str) -> impl Fn(tokio_postgres::Error) -> DbError {
    move |source| DbError::Postgres { statement: statement.to_owned(), source }
}

impl Postgres {
    pub(super) fn new(url: &str) -> Result<Self, DbError> {
        let config = tokio_postgres::Config::from_str(url).map_err(|error| DbError::Address {
            url: "postgres://…".to_owned(),
            reason: error.to_string(),
        })?;
        let at = format!("{:?}/{}", config.get_hosts(), config.get_dbname().unwrap_or("postgres"));
        let pool = Pool::builder(Manager { config })
            .max_size(CONNECTIONS_MAX)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_millis(POOL_WAIT_TIMEOUT_MS)))
            .create_timeout(Some(Duration::from_millis(CREATE_TIMEOUT_MS)))
            .recycle_timeout(Some(Duration::from_millis(RECYCLE_TIMEOUT_MS)))
            .build()
            .map_err(|error| DbError::Open { at: at.clone(), reason: error.to_string() })?;
        Ok(Self { pool, statement_timeout_ms: STATEMENT_TIMEOUT_MS, at })
    }

    async fn link(&self) -> Result<Object<Manager>, DbError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            other => DbError::Pool { reason: other.to_string() },
        })
    }

    /// Runs statements outside any transaction of [`Postgres::run`]: only the schema's own steps do.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Waits<'_>) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (link, statement_timeout_ms) = (self.link().await?, self.statement_timeout_ms);
        let run = move || {
            link.set_clean(false);
            let done = work(&Waits { link: &link, statement_timeout_ms })?;
            link.set_clean(true);
            Ok(done)
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| DbError::Panicked)?
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }

    pub(super) async fn run<T, E, F>(&self, mut work: F, is_read_only: bool) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let mut tries = 1;
        let mut is_hurried = true;
        let mut doubt = None;
        loop {
            let (result, must_retry) = match self.link().await {
                Err(error) => {
                    let must_retry = error.is_transient();
                    (Err(error.into()), must_retry)
                }
                Ok(link) => {
                    let statement_timeout_ms = self.statement_timeout_ms;
                    let before = doubt.take();
                    let task = tokio::task::spawn_blocking(move || {
                        let waits = Waits { link: &link, statement_timeout_ms };
                        let tried =
                            in_transaction(&waits, &work, Manner { is_read_only, is_hurried }, before);
                        if tried.is_broken {
                            link.set_clean(false);
                        }
                        (work, tried)
                    });
                    let Ok((back, tried)) = task.await else { return Err(DbError::Panicked.into()) };
                    work = back;
                    doubt = tried.doubt;
                    if tried.must_slow_down {
                        is_hurried = false;
                        continue;
                    }
                    // Each takes one out of the pool, and none was tried in earnest.
                    if tried.was_stale {
                        continue;
                    }
                    (tried.result, tried.must_retry)
                }
            };
            if !must_retry || tries == TRIES_MAX {
                return result;
            }
            tokio::time::sleep(backoff(tries)).await;
            tries += 1;
        }
    }
}

/// Doubles with each try; the random half keeps two rivals from meeting again.
fn backoff(tries: u32) -> Duration {
    let mut random = [0_u8; 1];
    // Without randomness the wait is merely the full one.
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random);
    let full_ms = BACKOFF_BASE_MS << tries;
    Duration::from_millis(full_ms / 2 + full_ms * u64::from(random[0]) / 512)
}

/// How a transaction is run.
#[derive(Clone, Copy)]
struct Manner {
    is_read_only: bool,
    /// Without savepoints.
    is_hurried: bool,
}

/// How one try ended.
struct Tried<T, E> {
    result: Result<T, E>,
    must_retry: bool,
    /// It must run again at once, with savepoints.
    must_slow_down: bool,
    /// The connection's state is unknown; it is thrown away.
    is_broken: bool,
    /// It had ended, or its server had lost its leadership, since it was used last.
    was_stale: bool,
    /// The COMMIT got no answer.
    doubt: Option<Doubt<T>>,
}

/// What a run answers if its COMMIT did reach the server.
struct Doubt<T> {
    answer: T,
    witness: Witness,
}

impl<T, E: From<DbError>> Tried<T, E> {
    fn over(result: Result<T, E>, is_broken: bool) -> Self {
        Self { result, must_retry: false, must_slow_down: false, is_broken, was_stale: false, doubt: None }
    }

    fn failed(error: DbError, is_broken: bool, doubt: Option<Doubt<T>>) -> Self {
        Self { must_retry: error.is_transient(), doubt, ..Self::over(Err(error.into()), is_broken) }
    }
}

fn in_transaction<T, E: From<DbError>>(
    waits: &Waits<'_>,
    work: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
    Manner { is_read_only, is_hurried }: Manner,
    doubt: Option<Doubt<T>>,
) -> Tried<T, E> {
    let was_used = waits.link.was_used();
    if let Err(error) = begin(waits, is_read_only) {
        return Tried { was_stale: was_used, ..Tried::failed(error, true, doubt) };
    }
    let mut tx = Tx::postgres(waits).hurried(is_hurried);
    if let Some(before) = doubt {
        match before.witness.is_there(&mut tx) {
            Ok(false) => {}
            Ok(true) => return Tried::over(Ok(before.answer), roll_back(waits).is_err()),
            // The connection goes, and with it the transaction.
            Err(error) => return Tried::failed(error, true, Some(before)),
        }
    }
    let result = work(&mut tx);
    let result = tx.settle(result);
    let (must_retry, is_stuck, witness) = (tx.must_retry(), tx.is_stuck(), tx.take_witness());
    if is_stuck {
        // The connection goes without a COMMIT, even if a savepoint undid the statement: nothing of this is durable.
        let result = result.and_then(|_| {
            let reason = "a statement was given up under a savepoint".to_owned();
            Err(DbError::Commit { reason, transient: false }.into())
        });
        return Tried::over(result, true);
    }
    if tx.must_slow_down() && !must_retry {
        let is_broken = roll_back(waits).is_err();
        return Tried { must_slow_down: true, ..Tried::over(result, is_broken) };
    }
    let answer = match result {
        Ok(answer) if !must_retry => answer,
        result => {
            let is_broken = roll_back(waits).is_err();
            let result = result.and_then(|_| {
                let reason = "a conflict was met under a savepoint".to_owned();
                Err(DbError::Commit { reason, transient: true }.into())
            });
            return Tried { must_retry, ..Tried::over(result, is_broken) };
        }
    };
    match command(waits, "COMMIT") {
        Ok(()) => {
            waits.link.set_clean(true);
            Tried::over(Ok(answer), false)
        }
        Err(error) => {
            let must_retry = error.is_transient() || matches!(error, DbError::Timeout { .. });
            let doubt = witness.map(|witness| Doubt { answer, witness });
            Tried { must_retry, doubt, ..Tried::over(Err(error.into()), true) }
        }
    }
}

/// Opens a transaction, unless the server takes no changes any more: both are asked at once.
fn begin(waits: &Waits<'_>, is_read_only: bool) -> Result<(), DbError> {
    let begin = if is_read_only {
        "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    } else {
        "START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE"
    };
    // Whatever happens from here to the end of the transaction: until then the connection is nobody else's.
    waits.link.set_clean(false);
    let client = waits.link.client();
    let asked = try_join(client.simple_query(TAKES_NO_CHANGES), client.batch_execute(begin));
    let (said, ()) = limited(waits, "BEGIN", asked)?;
    let is_on =
        |said: &SimpleQueryMessage| matches!(said, SimpleQueryMessage::Row(row) if row.get(0) == Some("on"));
    if said.iter().any(is_on) {
        let reason = "the server takes no changes (transaction_read_only is on)".to_owned();
        return Err(DbError::Commit { reason, transient: true });
    }
    Ok(())
}

fn roll_back(waits: &Waits<'_>) -> Result<(), DbError> {
    command(waits, "ROLLBACK")?;
    waits.link.set_clean(true);
    Ok(())
}

fn limited<T>(
    waits: &Waits<'_>,
    statement: &str,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, DbError> {
    let limit = Duration::from_millis(waits.statement_timeout_ms);
    waits.link.wait(limit, work).map_err(missed(waits, statement))
}

fn missed(waits: &Waits<'_>, statement: &str) -> impl Fn(Missed) -> DbError {
    let (limit_ms, statement) = (waits.statement_timeout_ms, statement.to_owned());
    move |missed| match missed {
        Missed::Failed(source) => DbError::Postgres { statement: statement.clone(), source },
        Missed::TooLong => DbError::Timeout { statement: statement.clone(), limit_ms },
    }
}

// ---- statements ----

pub(super) fn command(waits: &Waits<'_>, text: &str) -> Result<(), DbError> {
    limited(waits, text, waits.link.client().batch_execute(text))
}

/// A number that a statement without parameters answers, outside the files of statements.
pub(super) fn numbers(waits: &Waits<'_>, text: &str) -> Result<Vec<i64>, DbError> {
    let row = limited(waits, text, waits.link.client().query_one(text, &[]))?;
    (0..row.len()).map(|column| row.try_get(column).map_err(failed(text))).collect()
}

fn prepared(waits: &Waits<'_>, sql: &Sql) -> Result<Statement, DbError> {
    let statement = prepared_text(waits, sql, &sql.postgres)?;
    if statement.params().len() == sql.parameters {
        return Ok(statement);
    }
    let reason =
        format!("PostgreSQL sees {} parameters, it has {}", statement.params().len(), sql.parameters);
    Err(DbError::Parameter { statement: sql.name.clone(), reason })
}

fn prepared_text(waits: &Waits<'_>, sql: &Sql, text: &str) -> Result<Statement, DbError> {
    let limit = Duration::from_millis(waits.statement_timeout_ms);
    waits.link.prepared(limit, text).map_err(missed(waits, &sql.name))
}

fn borrowed(parameters: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect()
}

pub(super) fn query(waits: &Waits<'_>, sql: &'static Sql, parameters: &[Value]) -> Result<Vec<Row>, DbError> {
    let statement = prepared(waits, sql)?;
    let rows = limited(waits, &sql.name, waits.link.client().query(&statement, &borrowed(parameters)))?;
    rows.iter().map(|row| row_values(sql, row)).collect()
}

/// Many questions of few kinds; answers in their order. Those of one kind are asked by one statement, whose parameters
/// are arrays; one alone is asked as it is.
pub(super) fn query_many(
    waits: &Waits<'_>,
    asked: &[(&'static Sql, Vec<Value>)],
) -> Result<Vec<Vec<Row>>, DbError> {
    let mut kinds: Vec<(&Sql, Vec<usize>)> = Vec::new();
    for (index, (sql, _)) in asked.iter().enumerate() {
        match kinds.iter_mut().find(|(kind, _)| std::ptr::eq(*kind, *sql)) {
            Some((_, indices)) => indices.push(index),
            None => kinds.push((*sql, vec![index])),
        }
    }
    let mut statements = Vec::with_capacity(kinds.len());
    for (sql, indices) in &kinds {
        let one = prepared(waits, sql)?;
        if indices.len() == 1 {
            statements.push((*sql, indices, one));
            continue;
        }
        let types: Vec<&str> = one.params().iter().map(Type::name).collect();
        let many = sql.postgres_many(&types);
        statements.push((*sql, indices, prepared_text(waits, sql, &many)?));
    }
    let column_of = |indices: &[usize], n: usize| Column(indices.iter().map(|i| &asked[*i].1[n]).collect());
    let columns_of = |(sql, indices, _): &(&Sql, &Vec<usize>, Statement)| -> Vec<Column<'_>> {
        (0..sql.parameters).map(|n| column_of(indices, n)).collect()
    };
    let columns: Vec<Vec<Column<'_>>> = statements.iter().map(columns_of).collect();
    let alone = |indices: &[usize]| match indices {
        [index] => Some(borrowed(&asked[*index].1)),
        _ => None,
    };
    let parameters: Vec<_> = statements
        .iter()
        .zip(&columns)
        .map(|((_, indices, _), columns)| alone(indices).unwrap_or_else(|| arrays(columns)))
        .collect();
    let sent =
        statements.iter().zip(&parameters).map(|(kind, columns)| waits.link.client().query(&kind.2, columns));
    let first = asked.first().map_or("", |(sql, _)| &sql.name);
    let found = limited(waits, first, try_join_all(sent))?;
    let mut answers = vec![Vec::new(); asked.len()];
    for ((sql, indices, _), rows) in statements.iter().zip(&found) {
        for row in rows {
            let mut answer = row_values(sql, row)?;
            if let [index] = indices[..] {
                answers[index].push(answer);
                continue;
            }
            let number = answer.values.remove(0);
            let index = if let Value::Int(n) = number { usize::try_from(n - 1).ok() } else { None };
            let index = index.and_then(|n| indices.get(n)).ok_or_else(|| DbError::Rows {
                statement: sql.name.clone(),
                rows: rows.len(),
                expected: "one number of a question in each",
            })?;
            answers[*index].push(answer);
        }
    }
    Ok(answers)
}

pub(super) fn execute(waits: &Waits<'_>, sql: &'static Sql, parameters: &[Value]) -> Result<u64, DbError> {
    let statement = prepared(waits, sql)?;
    limited(waits, &sql.name, waits.link.client().execute(&statement, &borrowed(parameters)))
}

/// Sends a statement once per row, in order, or once with the columns as arrays if it takes arrays, without waiting for
/// what becomes of it. None if there is nothing to wait for.
pub(super) fn send<'w>(
    waits: &'w Waits<'w>,
    sql: &'static Sql,
    rows: Vec<Vec<Value>>,
) -> Result<Option<Sent<'w, u64>>, DbError> {
    let statement = prepared(waits, sql)?;
    let takes_arrays = statement.params().iter().all(|kind| array_member(kind).is_some());
    let takes_arrays = takes_arrays && !statement.params().is_empty();
    let client = waits.link.client();
    let work: Sent<'w, u64> = Box::pin(async move {
        if takes_arrays {
            let column = |n: usize| Column(rows.iter().map(|row| &row[n]).collect());
            let columns: Vec<Column<'_>> = (0..statement.params().len()).map(column).collect();
            return client.execute(&statement, &arrays(&columns)).await;
        }
        let parameters: Vec<_> = rows.iter().map(|row| borrowed(row)).collect();
        let changed = try_join_all(parameters.iter().map(|row| client.execute(&statement, row))).await?;
        Ok(changed.into_iter().sum())
    });
    match waits.link.send(work) {
        Ok(sent) => Ok(Some(sent)),
        Err(answered) => answered.map(|_| None).map_err(failed(&sql.name)),
    }
}

/// Whether a statement can be sent without asking the server about it first.
pub(super) fn is_ready(waits: &Waits<'_>, sql: &Sql) -> bool {
    waits.link.has_prepared(&sql.postgres)
}

/// Waits for what was sent; answers how many rows it changed.
pub(super) fn land(waits: &Waits<'_>, statement: &str, sent: Sent<'_, u64>) -> Result<u64, DbError> {
    limited(waits, statement, sent)
}
