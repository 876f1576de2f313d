//! What can go wrong between Hufu and its database.
//!
//! One enum for both engines. A variant names the statement and never its parameters: those may be personal.
//! Every message reads after "failed to use the database: ".

/// A failure of the database or of the way it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The address is neither a path, nor `sqlite://…`, nor `postgres://…`.
    #[error("the database address {url:?} is wrong: {reason}")]
    Address {
        /// What was given, without a password.
        url: String,
        /// What was expected.
        reason: String,
    },
    /// The file or server could not be opened.
    #[error("could not open the database {at}: {reason}")]
    Open {
        /// Path, or host and database name.
        at: String,
        /// The engine's own words.
        reason: String,
    },
    /// The file is no Hufu central database; it was left as it is.
    #[error("{at} is not a database of Hufu central ({reason}); it was left untouched")]
    Foreign {
        /// Path, or host and database name.
        at: String,
        /// What was met instead.
        reason: String,
    },
    /// The database was written by a newer Hufu; it was left as it is.
    #[error(
        "{at} has schema version {found}, this program knows versions up to {known}: \
         install the newer version of Hufu; the database was left untouched"
    )]
    Newer {
        /// Path, or host and database name.
        at: String,
        /// Version met.
        found: i64,
        /// Newest version that this program can make.
        known: i64,
    },
    /// The database is older than this program and was opened without leave to migrate.
    #[error("{at} has schema version {found}, this program needs {known}: run `hufu-central migrate`")]
    Older {
        /// Path, or host and database name.
        at: String,
        /// Version met.
        found: i64,
        /// Version needed.
        known: i64,
    },
    /// A migration failed; nothing of it was kept.
    #[error("migration {number:04}_{name} failed and was rolled back: {reason}")]
    Migration {
        /// Its number.
        number: i64,
        /// Its name.
        name: &'static str,
        /// The engine's own words.
        reason: String,
    },
    /// A check of the whole file found damage.
    #[error("the database {at} is damaged ({reason}); it was left as it is, restore a backup")]
    Damaged {
        /// Path.
        at: String,
        /// First finding.
        reason: String,
    },
    /// SQLite refused a statement.
    #[error("statement {statement} failed: {source}")]
    Sqlite {
        /// Module and name of the statement, or the step of the transaction.
        statement: String,
        /// SQLite's own error.
        source: rusqlite::Error,
    },
    /// PostgreSQL refused a statement, or the connection broke.
    #[error("statement {statement} failed: {}", postgres_words(source))]
    Postgres {
        /// Module and name of the statement, or the step of the transaction.
        statement: String,
        /// PostgreSQL's own error.
        source: tokio_postgres::Error,
    },
    /// A statement took longer than [`super::STATEMENT_TIMEOUT_MS`].
    #[error("statement {statement} took longer than {limit_ms} ms and was given up")]
    Timeout {
        /// Module and name of the statement.
        statement: String,
        /// The limit, milliseconds.
        limit_ms: u64,
    },
    /// A column did not hold what the code expected.
    #[error("statement {statement}, column {column}: expected {expected}, met {met}")]
    Column {
        /// Module and name of the statement.
        statement: String,
        /// Column, from 0.
        column: usize,
        /// What the code asked for.
        expected: &'static str,
        /// What kind of value was there, never the value.
        met: String,
    },
    /// A parameter cannot be stored, or their number is wrong.
    #[error("statement {statement}: {reason}")]
    Parameter {
        /// Module and name of the statement.
        statement: String,
        /// What was met and what was expected.
        reason: String,
    },
    /// `query_one` met another number of rows.
    #[error("statement {statement} gave {rows} rows, expected {expected}")]
    Rows {
        /// Module and name of the statement.
        statement: String,
        /// Rows met (2 stands for "more than one").
        rows: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// A closure answered `Ok` although one of its statements had failed outside a savepoint.
    #[error("the transaction went on after statement {statement} had failed; all of it was rolled back")]
    Swallowed {
        /// The statement that failed.
        statement: String,
    },
    /// The shared commit failed: nothing of the transaction was kept.
    #[error("the commit failed, nothing was kept: {reason}")]
    Commit {
        /// The engine's own words; kept as text because all joined transactions are told.
        reason: String,
        /// Whether another try may succeed.
        transient: bool,
    },
    /// A change was tried inside `read`.
    #[error("statement {statement} would change the database inside a read")]
    ReadOnly {
        /// Module and name of the statement.
        statement: String,
    },
    /// No connection was free in time.
    #[error("no database connection became free: {reason}")]
    Pool {
        /// The pool's own words.
        reason: String,
    },
    /// The transaction was committed, and the copy of the journal on the second path was not written.
    #[error("the change was taken, its copy was not: failed to {reason}")]
    Copy {
        /// What the second path said.
        reason: String,
    },
    /// The closure panicked; its changes were rolled back.
    #[error("the transaction panicked; its changes were rolled back")]
    Panicked,
    /// The writer has stopped: the process is ending, or the file could not be opened again after an I/O error.
    #[error("the database writer has stopped")]
    Closed,
}

fn postgres_words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => {
            use std::error::Error;
            match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            }
        }
    }
}

impl DbError {
    /// Whether the same transaction, run again, may succeed: a conflict between transactions or a lost connection.
    /// Code that handles single failures under savepoints must let these pass: the whole transaction is retried.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ),
            Self::Postgres { source, .. } => postgres_transient(source),
            Self::Commit { transient, .. } => *transient,
            _ => false,
        }
    }

    /// Whether a unique, primary key, foreign key, CHECK or NOT NULL constraint refused the change.
    #[must_use]
    pub fn is_constraint(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => {
                source.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
            }
            Self::Postgres { source, .. } => {
                source.code().is_some_and(|state| state.code().starts_with("23"))
            }
            _ => false,
        }
    }

    /// Whether the storage itself failed (disk full, I/O error, damage): no point in trying single facts.
    #[must_use]
    pub fn is_storage(&self) -> bool {
        use rusqlite::ErrorCode as C;
        match self {
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(
                    C::DiskFull
                        | C::SystemIoFailure
                        | C::DatabaseCorrupt
                        | C::NotADatabase
                        | C::ReadOnly
                        | C::CannotOpen
                        | C::OutOfMemory
                )
            ),
            Self::Postgres { source, .. } => {
                source.code().is_some_and(|state| matches!(&state.code()[..2], "53" | "58" | "XX"))
            }
            Self::Commit { transient, .. } => !transient,
            Self::Damaged { .. } | Self::Closed => true,
            _ => false,
        }
    }
}

/// 40001 and 40P01 are conflicts; 25006 is a node that still promotes; 57P01 to 57P03 and 08xxx say goodbye; a closed
/// connection has no code at all.
fn postgres_transient(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(state) => {
            matches!(state.code(), "40001" | "40P01" | "25006" | "57P01" | "57P02" | "57P03")
                || state.code().starts_with("08")
        }
        None => {
            error.is_closed() || std::error::Error::source(error).is_some_and(|s| s.is::<std::io::Error>())
        }
    }
}
