//! Two databases, one SQL: the seam between Hufu's store code and SQLite or PostgreSQL.
//!
//! Store code is written once, as plain synchronous functions over [`Tx`]; [`Db::write`] and [`Db::read`] run them.
//! A closure given to `write` may run several times (conflicts, lost connections), so it is a function of its inputs
//! and idempotent by its keys; its error undoes all it did. SQLite joins waiting writers in one commit, each under a
//! savepoint; nobody is answered before the commit is on the disk.
//!
//! SQL stands in files under `sql/` ([`SqlFile`]); the schema in `sql/both/migrations/` ([`MIGRATIONS`]).
//! Out of scope: any knowledge of tables.

mod error;
mod link;
mod local;
mod migrate;
mod migrations;
mod postgres;
mod postgres_values;
mod sql;
mod sqlite;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod tx;
mod value;

use std::path::Path;
use std::sync::Arc;

pub use error::DbError;
pub use migrate::Migration;
pub use migrations::MIGRATIONS;
pub use sql::{Sql, SqlFile};
pub use tx::{Question, Tx};
pub use value::{Row, Value};

use local::Local;
use migrate::Older;
use postgres::Postgres;
use sqlite::{Place, Sqlite};

/// Longest time that one statement may take on PostgreSQL before its connection is given up.
pub const STATEMENT_TIMEOUT_MS: u64 = 30_000;

/// Which database runs below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Embedded, the default.
    Sqlite,
    /// A server, when one machine is outgrown.
    Postgres,
}

/// A handle on the database; clones share it.
#[derive(Clone, Debug)]
pub struct Db {
    inner: Inner,
}

#[derive(Clone, Debug)]
enum Inner {
    Sqlite(Arc<Sqlite>),
    Local(Arc<Local>),
    Postgres(Postgres),
}

impl Db {
    /// Opens the database at `url` and brings its schema up to date: a path, `sqlite:///path`, or `postgres://…`.
    ///
    /// # Errors
    /// [`DbError`] if it cannot be opened, is not Hufu's, is newer than this program, or a migration fails.
    pub async fn open(url: &str) -> Result<Self, DbError> {
        Self::open_as(url, Older::Migrate).await
    }

    /// Opens the database at `url`, but only if its schema is already the newest.
    ///
    /// # Errors
    /// [`DbError::Older`] if it is not, else as [`Db::open`].
    pub async fn open_current(url: &str) -> Result<Self, DbError> {
        Self::open_as(url, Older::Refuse).await
    }

    /// A fresh database in memory, served as a file is; reads and writes share its one connection. See [`Scratch`] for
    /// one that runs on the caller's thread.
    ///
    /// # Errors
    /// [`DbError`] if a migration fails.
    pub fn memory() -> Result<Self, DbError> {
        let connection = migrate::open_sqlite(&Place::Memory, Older::Migrate)?;
        Ok(Self { inner: Inner::Sqlite(Arc::new(Sqlite::start(Place::Memory, connection)?)) })
    }

    /// Opens the SQLite file at `path` for one caller that brings its own order of events: every transaction runs at
    /// once on the caller's thread, so no thread and no runtime is needed. The simulator's seam; a service would stall
    /// on it.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn local(path: &Path) -> Result<Self, DbError> {
        let place = Place::File(path.to_owned());
        let connection = migrate::open_sqlite(&place, Older::Migrate)?;
        Ok(Self { inner: Inner::Local(Arc::new(Local::new(connection))) })
    }

    async fn open_as(url: &str, older: Older) -> Result<Self, DbError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let database = Postgres::new(url)?;
            migrate::migrate_postgres(&database, older).await?;
            return Ok(Self { inner: Inner::Postgres(database) });
        }
        let place = Place::File(sqlite_path(url)?.to_owned());
        let opened = tokio::task::spawn_blocking(move || {
            let connection = migrate::open_sqlite(&place, older)?;
            Sqlite::start(place, connection)
        });
        let database = opened.await.map_err(|_| DbError::Panicked)??;
        Ok(Self { inner: Inner::Sqlite(Arc::new(database)) })
    }

    /// Which engine runs below.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.inner {
            Inner::Sqlite(_) | Inner::Local(_) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs `work` in a transaction and commits it. When this answers `Ok`, the changes are durable.
    ///
    /// # Errors
    /// What `work` answered, after its changes were undone; or a [`DbError`], made into `E`.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        match &self.inner {
            Inner::Sqlite(database) => database.write(work, false).await,
            Inner::Local(database) => database.write(work),
            Inner::Postgres(database) => database.run(work, false).await,
        }
    }

    /// Runs `work` on one consistent state of the database; a statement that would change it is refused.
    ///
    /// # Errors
    /// What `work` answered, or a [`DbError`], made into `E`.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        match &self.inner {
            Inner::Sqlite(database) => database.read(work).await,
            Inner::Local(database) => database.read(work),
            Inner::Postgres(database) => database.run(work, true).await,
        }
    }

    /// Finishes the waiting work and closes the database; later calls fail with [`DbError::Closed`].
    pub async fn close(&self) {
        match &self.inner {
            Inner::Sqlite(database) => {
                let database = Arc::clone(database);
                // Only a panic of the writer could fail here, and it has been told to its callers.
                let _ = tokio::task::spawn_blocking(move || database.close()).await;
            }
            // Its connection closes with the last handle.
            Inner::Local(_) => {}
            Inner::Postgres(database) => database.close(),
        }
    }
}

/// A fresh database in memory whose transactions run at once on the caller's thread, so that it can be filled from
/// within a transaction of another database.
#[derive(Debug)]
pub struct Scratch {
    inner: Local,
}

impl Scratch {
    /// An empty one, with the newest schema.
    ///
    /// # Errors
    /// [`DbError`] if a migration fails.
    pub fn new() -> Result<Self, DbError> {
        Ok(Self { inner: Local::new(migrate::open_sqlite(&Place::Memory, Older::Migrate)?) })
    }

    /// As [`Db::write`].
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write<T, E: From<DbError>>(&self, work: impl Fn(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.inner.write(work)
    }

    /// As [`Db::read`].
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read<T, E: From<DbError>>(&self, work: impl Fn(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.inner.read(work)
    }
}

fn sqlite_path(url: &str) -> Result<&Path, DbError> {
    let wrong = |reason: &str| DbError::Address { url: url.to_owned(), reason: reason.to_owned() };
    let path = match url.split_once("://") {
        Some(("sqlite", path)) => path,
        Some(_) => return Err(wrong("expected a path, sqlite:///path or postgres://host/database")),
        None => url,
    };
    if path.is_empty() {
        return Err(wrong("the path is empty"));
    }
    Ok(Path::new(path))
}
