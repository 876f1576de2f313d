//! SQLite on the caller's thread: one connection, each transaction run and committed before the call returns.
//!
//! For a caller that orders all events itself and must get the same result each time. It shares statements, savepoints
//! and the rules of [`Tx`] with the served database; what it lacks is the writer thread, its joined commits and the
//! readers. Invariant: when `write` answers `Ok`, the changes are committed as `synchronous` says.
//! Out of scope: more than one caller at a time; a second one waits for the lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::DbError;
use super::sqlite::{command, read_once};
use super::tx::Tx;

/// An open database with one caller.
#[derive(Debug)]
pub(super) struct Local {
    connection: Mutex<Connection>,
}

impl Local {
    /// Takes a migrated connection.
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection: Mutex::new(connection) }
    }

    pub(super) fn write<T, E: From<DbError>>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.connection();
        let mut is_hurried = true;
        loop {
            command(&connection, "BEGIN IMMEDIATE")?;
            let mut tx = Tx::sqlite(&connection, false).hurried(is_hurried);
            let result = work(&mut tx);
            let result = tx.settle(result);
            // Disk full or an I/O error may have rolled back everything by itself.
            if connection.is_autocommit() {
                return result.and_then(|_| Err(DbError::Closed.into()));
            }
            if tx.must_slow_down() {
                command(&connection, "ROLLBACK")?;
                is_hurried = false;
                continue;
            }
            command(&connection, if result.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            return result;
        }
    }

    pub(super) fn read<T, E: From<DbError>>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        read_once(&self.connection(), &work)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction leaves it open; the next BEGIN refuses, which is what should happen.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
