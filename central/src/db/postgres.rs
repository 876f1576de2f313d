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

use bytes::BytesMut;
use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, Transaction,
};
use futures_util::future::try_join_all;
use tokio::runtime::Handle;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};
use tokio_postgres::{IsolationLevel, NoTls, Statement};

use super::sql::Sql;
use super::tx::{Tx, Witness};
use super::{DbError, Row, STATEMENT_TIMEOUT_MS, Value};

const CONNECTIONS_MAX: usize = 8;
const POOL_WAIT_TIMEOUT_MS: u64 = 10_000;
const CREATE_TIMEOUT_MS: u64 = 4_000;
const RECYCLE_TIMEOUT_MS: u64 = 1_000;
const TRIES_MAX: u32 = 5;
const BACKOFF_BASE_MS: u64 = 10;
/// Statements of a batch that are on their way at the same time.
const PIPELINED_STATEMENTS_MAX: usize = 30;

/// A node that lost its leadership still answers; this throws such a connection out of the pool.
const RECYCLE_CHECK: &str = "DO $$ BEGIN IF current_setting('transaction_read_only')::boolean THEN \
    RAISE EXCEPTION 'read-only' USING ERRCODE = '25006'; END IF; END $$";

/// An open PostgreSQL database.
#[derive(Clone, Debug)]
pub(super) struct Postgres {
    pool: Pool,
    /// Longest time of one statement.
    pub(super) statement_timeout_ms: u64,
    /// Host and database name, for messages.
    pub(super) at: String,
}

/// Where a transaction waits for its statements, and how long for each.
#[derive(Debug)]
pub(super) struct Waits {
    handle: Handle,
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
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Custom(RECYCLE_CHECK.to_owned()) };
        let manager = Manager::from_config(config, NoTls, recycling);
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS_MAX)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_millis(POOL_WAIT_TIMEOUT_MS)))
            .create_timeout(Some(Duration::from_millis(CREATE_TIMEOUT_MS)))
            .recycle_timeout(Some(Duration::from_millis(RECYCLE_TIMEOUT_MS)))
            .build()
            .map_err(|error| DbError::Open { at: at.clone(), reason: error.to_string() })?;
        Ok(Self { pool, statement_timeout_ms: STATEMENT_TIMEOUT_MS, at })
    }

    pub(super) async fn client(&self) -> Result<Client, DbError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(source) => DbError::Postgres { statement: "connect".to_owned(), source },
            other => DbError::Pool { reason: other.to_string() },
        })
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
            let (result, must_retry) = match self.client().await {
                Err(error) => {
                    let must_retry = error.is_transient();
                    (Err(error.into()), must_retry)
                }
                Ok(client) => {
                    let waits =
                        Waits { handle: Handle::current(), statement_timeout_ms: self.statement_timeout_ms };
                    let before = doubt.take();
                    let task = tokio::task::spawn_blocking(move || {
                        let tried =
                            run_once(&waits, client, &work, Manner { is_read_only, is_hurried }, before);
                        (work, tried)
                    });
                    let Ok((back, tried)) = task.await else { return Err(DbError::Panicked.into()) };
                    work = back;
                    doubt = tried.doubt;
                    if tried.must_slow_down {
                        is_hurried = false;
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
        Self { result, must_retry: false, must_slow_down: false, is_broken, doubt: None }
    }

    fn failed(error: DbError, is_broken: bool, doubt: Option<Doubt<T>>) -> Self {
        Self { must_retry: error.is_transient(), doubt, ..Self::over(Err(error.into()), is_broken) }
    }
}

fn run_once<T, E: From<DbError>>(
    waits: &Waits,
    mut client: Client,
    work: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
    manner: Manner,
    doubt: Option<Doubt<T>>,
) -> Tried<T, E> {
    let tried = in_transaction(waits, &mut client, work, manner, doubt);
    if tried.is_broken {
        drop(Client::take(client));
    }
    tried
}

fn in_transaction<T, E: From<DbError>>(
    waits: &Waits,
    client: &mut Client,
    work: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
    Manner { is_read_only, is_hurried }: Manner,
    doubt: Option<Doubt<T>>,
) -> Tried<T, E> {
    let isolation = if is_read_only { IsolationLevel::RepeatableRead } else { IsolationLevel::ReadCommitted };
    let start = client.build_transaction().isolation_level(isolation).read_only(is_read_only).start();
    let transaction = match limited(waits, "BEGIN", start) {
        Ok(transaction) => transaction,
        Err(error) => return Tried::failed(error, true, doubt),
    };
    let mut tx = Tx::postgres(waits, &transaction).hurried(is_hurried);
    if let Some(before) = doubt {
        match before.witness.is_there(&mut tx) {
            Ok(false) => {}
            Ok(true) => {
                let is_broken = limited(waits, "ROLLBACK", transaction.rollback()).is_err();
                return Tried::over(Ok(before.answer), is_broken);
            }
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
        let is_broken = limited(waits, "ROLLBACK", transaction.rollback()).is_err();
        return Tried { must_slow_down: true, ..Tried::over(result, is_broken) };
    }
    let answer = match result {
        Ok(answer) if !must_retry => answer,
        result => {
            let is_broken = limited(waits, "ROLLBACK", transaction.rollback()).is_err();
            let result = result.and_then(|_| {
                let reason = "a conflict was met under a savepoint".to_owned();
                Err(DbError::Commit { reason, transient: true }.into())
            });
            return Tried { must_retry, ..Tried::over(result, is_broken) };
        }
    };
    match limited(waits, "COMMIT", transaction.commit()) {
        Ok(()) => Tried::over(Ok(answer), false),
        Err(error) => {
            let must_retry = error.is_transient() || matches!(error, DbError::Timeout { .. });
            let doubt = witness.map(|witness| Doubt { answer, witness });
            Tried { must_retry, doubt, ..Tried::over(Err(error.into()), true) }
        }
    }
}

fn limited<T>(
    waits: &Waits,
    statement: &str,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, DbError> {
    let limit_ms = waits.statement_timeout_ms;
    let limit = Duration::from_millis(limit_ms);
    match waits.handle.block_on(async { tokio::time::timeout(limit, work).await }) {
        Ok(result) => result.map_err(failed(statement)),
        Err(_) => Err(DbError::Timeout { statement: statement.to_owned(), limit_ms }),
    }
}

// ---- statements ----

pub(super) fn command(waits: &Waits, transaction: &Transaction<'_>, text: &str) -> Result<(), DbError> {
    limited(waits, text, transaction.batch_execute(text))
}

fn prepared(waits: &Waits, transaction: &Transaction<'_>, sql: &Sql) -> Result<Statement, DbError> {
    let statement = limited(waits, &sql.name, transaction.prepare_cached(&sql.postgres))?;
    if statement.params().len() == sql.parameters {
        return Ok(statement);
    }
    let reason =
        format!("PostgreSQL sees {} parameters, it has {}", statement.params().len(), sql.parameters);
    Err(DbError::Parameter { statement: sql.name.clone(), reason })
}

fn borrowed(parameters: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect()
}

pub(super) fn query(
    waits: &Waits,
    transaction: &Transaction<'_>,
    sql: &'static Sql,
    parameters: &[Value],
) -> Result<Vec<Row>, DbError> {
    let statement = prepared(waits, transaction, sql)?;
    let rows = limited(waits, &sql.name, transaction.query(&statement, &borrowed(parameters)))?;
    rows.iter().map(|row| row_values(sql, row)).collect()
}

/// Many questions of few kinds; answers in their order. Those of one kind are asked by one statement, whose parameters
/// are arrays.
pub(super) fn query_many(
    waits: &Waits,
    transaction: &Transaction<'_>,
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
        let one = prepared(waits, transaction, sql)?;
        let types: Vec<&str> = one.params().iter().map(Type::name).collect();
        let many = sql.postgres_many(&types);
        statements.push((*sql, indices, limited(waits, &sql.name, transaction.prepare_cached(&many))?));
    }
    let column_of = |indices: &[usize], n: usize| Column(indices.iter().map(|i| &asked[*i].1[n]).collect());
    let columns_of = |(sql, indices, _): &(&Sql, &Vec<usize>, Statement)| -> Vec<Column<'_>> {
        (0..sql.parameters).map(|n| column_of(indices, n)).collect()
    };
    let columns: Vec<Vec<Column<'_>>> = statements.iter().map(columns_of).collect();
    let parameters: Vec<_> = columns.iter().map(|columns| arrays(columns)).collect();
    let sent = statements.iter().zip(&parameters).map(|(kind, columns)| transaction.query(&kind.2, columns));
    let first = asked.first().map_or("", |(sql, _)| &sql.name);
    let found = limited(waits, first, try_join_all(sent))?;
    let mut answers = vec![Vec::new(); asked.len()];
    for ((sql, indices, _), rows) in statements.iter().zip(&found) {
        for row in rows {
            let mut answer = row_values(sql, row)?;
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

pub(super) fn execute(
    waits: &Waits,
    transaction: &Transaction<'_>,
    sql: &'static Sql,
    parameters: &[Value],
) -> Result<u64, DbError> {
    let statement = prepared(waits, transaction, sql)?;
    limited(waits, &sql.name, transaction.execute(&statement, &borrowed(parameters)))
}

pub(super) fn execute_many(
    waits: &Waits,
    transaction: &Transaction<'_>,
    sql: &'static Sql,
    rows: &[Vec<Value>],
) -> Result<u64, DbError> {
    let statement = prepared(waits, transaction, sql)?;
    let members: Option<Vec<&Type>> = statement.params().iter().map(array_member).collect();
    if let Some(members) = members
        && !members.is_empty()
    {
        let column = |n: usize| Column(rows.iter().map(|row| &row[n]).collect());
        let columns: Vec<Column<'_>> = (0..members.len()).map(column).collect();
        return limited(waits, &sql.name, transaction.execute(&statement, &arrays(&columns)));
    }
    let mut changed = 0;
    for chunk in rows.chunks(PIPELINED_STATEMENTS_MAX) {
        let parameters: Vec<_> = chunk.iter().map(|row| borrowed(row)).collect();
        let sent = parameters.iter().map(|row| transaction.execute(&statement, row));
        changed += limited(waits, &sql.name, try_join_all(sent))?.into_iter().sum::<u64>();
    }
    Ok(changed)
}

fn array_member(kind: &Type) -> Option<&Type> {
    match kind.kind() {
        Kind::Array(member) => Some(member),
        _ => None,
    }
}

/// One column of many rows, sent as a PostgreSQL array.
#[derive(Debug)]
struct Column<'a>(Vec<&'a Value>);

fn arrays<'a>(columns: &'a [Column<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    columns.iter().map(|column| -> &(dyn ToSql + Sync) { column }).collect()
}

impl ToSql for Column<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        array_member(kind).is_some()
    }

    to_sql_checked!();
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(kind, out),
            (Self::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(kind, out),
            (Self::Int(number), &Type::INT2) => i16::try_from(*number)?.to_sql(kind, out),
            (Self::Int(number @ (0 | 1)), &Type::BOOL) => (*number == 1).to_sql(kind, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::BPCHAR | &Type::NAME) => {
                text.to_sql(kind, out)
            }
            (Self::Blob(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            (other, kind) => Err(format!("{} does not fit a parameter of type {kind}", other.kind()).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn row_values(sql: &'static Sql, row: &tokio_postgres::Row) -> Result<Row, DbError> {
    let mut values = Vec::with_capacity(row.len());
    for (column, about) in row.columns().iter().enumerate() {
        values.push(column_value(sql, row, column, about.type_())?);
    }
    Ok(Row { sql, values })
}

fn column_value(sql: &Sql, row: &tokio_postgres::Row, column: usize, kind: &Type) -> Result<Value, DbError> {
    let name = failed(&sql.name);
    let value = match *kind {
        Type::INT8 => row.try_get::<_, Option<i64>>(column).map_err(name)?.into(),
        Type::INT4 => row.try_get::<_, Option<i32>>(column).map_err(name)?.into(),
        Type::INT2 => row.try_get::<_, Option<i16>>(column).map_err(name)?.map(i32::from).into(),
        Type::BOOL => row.try_get::<_, Option<bool>>(column).map_err(name)?.into(),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => {
            row.try_get::<_, Option<String>>(column).map_err(name)?.into()
        }
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(column).map_err(name)?.into(),
        ref other => {
            return Err(DbError::Column {
                statement: sql.name.clone(),
                column,
                expected: "BIGINT, TEXT or BYTEA (cast sums and averages to BIGINT)",
                met: other.to_string(),
            });
        }
    };
    Ok(value)
}
