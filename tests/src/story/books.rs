//! The centre's database, read by the kit's own SQL, on either engine.
//!
//! Only what is compared with the journals and with the model is read: facts, postings, balances, cases, and the names
//! that tie them to the club's numbers.

use anyhow::{Context as _, Result, bail};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;

/// How long one question to PostgreSQL may take.
const QUERY_LIMIT_MS: u64 = 60_000;

/// Which database the centre uses.
#[derive(Clone, Debug)]
pub enum Engine {
    /// The embedded one, in this file.
    Sqlite(PathBuf),
    /// PostgreSQL at this address.
    Postgres(String),
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    /// The number in it.
    ///
    /// # Errors
    /// When it is something else.
    pub fn int(&self) -> Result<i64> {
        match self {
            Self::Int(value) => Ok(*value),
            other => bail!("a number expected, met {other:?}"),
        }
    }

    /// The count in it.
    ///
    /// # Errors
    /// When it is something else or below zero.
    pub fn count(&self) -> Result<u64> {
        u64::try_from(self.int()?).context("a count is below zero")
    }

    /// The text in it.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&self) -> Result<&str> {
        match self {
            Self::Text(value) => Ok(value),
            other => bail!("text expected, met {other:?}"),
        }
    }

    /// The bytes in it.
    ///
    /// # Errors
    /// When it is something else.
    pub fn bytes(&self) -> Result<&[u8]> {
        match self {
            Self::Bytes(value) => Ok(value),
            other => bail!("bytes expected, met {other:?}"),
        }
    }
}

impl Engine {
    /// The rows that a question without parameters gives.
    ///
    /// # Errors
    /// What the database says.
    pub fn rows(&self, sql: &str) -> Result<Vec<Vec<Cell>>> {
        match self {
            Self::Sqlite(path) => sqlite(path, sql),
            Self::Postgres(url) => postgres(url, sql),
        }
        .with_context(|| format!("failed to ask the centre's database: {sql}"))
    }

    /// The one number that a question gives.
    ///
    /// # Errors
    /// As [`Engine::rows`], or when it gives something else.
    pub fn count(&self, sql: &str) -> Result<u64> {
        let rows = self.rows(sql)?;
        rows.first().and_then(|row| row.first()).context("no row")?.count()
    }
}

fn sqlite(path: &PathBuf, sql: &str) -> Result<Vec<Vec<Cell>>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .with_context(|| format!("failed to open {}", path.display()))?;
    connection.busy_timeout(Duration::from_secs(10))?;
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Vec::with_capacity(columns);
        for at in 0..columns {
            cells.push(match row.get_ref(at)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(value) => Cell::Int(value),
                ValueRef::Text(value) => Cell::Text(String::from_utf8_lossy(value).into_owned()),
                ValueRef::Blob(value) => Cell::Bytes(value.to_vec()),
                ValueRef::Real(value) => bail!("a broken number in the books: {value}"),
            });
        }
        all.push(cells);
    }
    Ok(all)
}

/// On a thread with its own runtime, since the caller may be inside one already.
fn postgres(url: &str, sql: &str) -> Result<Vec<Vec<Cell>>> {
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| -> Result<Vec<Vec<Cell>>> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let work = async {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                let pump = tokio::spawn(connection);
                let rows = client.query(sql, &[]).await?;
                drop(client);
                pump.await??;
                rows.iter().map(postgres_row).collect()
            };
            let limit = Duration::from_millis(QUERY_LIMIT_MS);
            runtime.block_on(async { tokio::time::timeout(limit, work).await })?
        });
        worker.join().map_err(|_| anyhow::anyhow!("the question's thread panicked"))?
    })
}

fn postgres_row(row: &tokio_postgres::Row) -> Result<Vec<Cell>> {
    let mut cells = Vec::with_capacity(row.len());
    for (at, column) in row.columns().iter().enumerate() {
        let null = || Some(Cell::Null);
        let cell = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Cell::Int).or_else(null),
            Type::INT4 => {
                row.try_get::<_, Option<i32>>(at)?.map(|value| Cell::Int(value.into())).or_else(null)
            }
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Cell::Bytes).or_else(null),
            Type::TEXT | Type::VARCHAR => row.try_get::<_, Option<String>>(at)?.map(Cell::Text).or_else(null),
            ref other => bail!("column {} is of type {other}, which no question here gives", column.name()),
        };
        cells.extend(cell);
    }
    Ok(cells)
}
