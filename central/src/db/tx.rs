//! `Tx`: what store code is written against. Synchronous, the same for both engines.
//!
//! Invariants: a statement that failed outside a savepoint dooms the transaction on both engines (PostgreSQL does so by
//! itself, and would answer COMMIT with a silent rollback); a transient failure dooms it even inside a savepoint,
//! because the whole transaction must then be run again.
//! Savepoints cost both engines much and are seldom used: a transaction runs in a hurry first, without them; if what one
//! would have undone fails, all of it is undone and run again with them.
//! Out of scope: opening and committing; the engines' modules do that.

use std::collections::HashMap;

use rusqlite::Connection;

use super::link::Sent;
use super::sql::Sql;
use super::{DbError, Engine, Row, Value, postgres, sqlite};

/// A statement that gives rows, with its parameters.
pub type Question = (&'static Sql, Vec<Value>);

/// Rows that a transaction keeps at most.
const KEPT_MAX: usize = 4096;

/// A transaction in progress.
pub struct Tx<'c> {
    on: On<'c>,
    /// The statement that failed and was not undone by a savepoint.
    failed: Option<String>,
    is_transient: bool,
    /// A statement was given up: the connection is still busy with it.
    is_stuck: bool,
    /// Savepoints are left out.
    is_hurried: bool,
    /// One that was left out is missed.
    is_missed: bool,
    witness: Option<Witness>,
    /// Answers of statements that were asked ahead.
    ahead: HashMap<(usize, Vec<Value>), Vec<Row>>,
    /// Rows that never change, by statement and parameters.
    kept: HashMap<(usize, Vec<Value>), Row>,
    /// Statements under way whose outcome nobody has looked at, in order, each with its name.
    under_way: Vec<(&'static str, Sent<'c, u64>)>,
}

/// Tells, in a later transaction, whether one was committed whose COMMIT got no answer.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    check: fn(&mut Tx<'_>, &Value) -> Result<bool, DbError>,
    key: Value,
}

impl Witness {
    pub(super) fn is_there(&self, tx: &mut Tx<'_>) -> Result<bool, DbError> {
        (self.check)(tx, &self.key)
    }
}

enum On<'c> {
    Sqlite { connection: &'c Connection, is_read_only: bool },
    Postgres(&'c postgres::Waits<'c>),
}

impl<'c> Tx<'c> {
    pub(super) fn sqlite(connection: &'c Connection, is_read_only: bool) -> Self {
        Self::new(On::Sqlite { connection, is_read_only })
    }

    pub(super) fn postgres(waits: &'c postgres::Waits<'c>) -> Self {
        Self::new(On::Postgres(waits))
    }

    fn new(on: On<'c>) -> Self {
        Self {
            on,
            failed: None,
            is_transient: false,
            is_stuck: false,
            is_hurried: false,
            is_missed: false,
            witness: None,
            ahead: HashMap::new(),
            kept: HashMap::new(),
            under_way: Vec::new(),
        }
    }

    /// Without savepoints. Whatever the closure then answers, it must run again with them if [`Tx::must_slow_down`].
    pub(super) fn hurried(self, is_hurried: bool) -> Self {
        Self { is_hurried, ..self }
    }

    /// Whether all must be undone and run again with savepoints.
    pub(super) fn must_slow_down(&self) -> bool {
        self.is_missed
    }

    /// Names what proves that this transaction was committed, should the answer to its COMMIT be lost: `check` is then
    /// run with `key` in a new transaction, and if it says yes, the caller gets the answer of this run. It must wait for
    /// a commit that is still under way, so it begins with a lock that this transaction holds. The last one counts.
    pub fn witness(&mut self, check: fn(&mut Tx<'_>, &Value) -> Result<bool, DbError>, key: Value) {
        self.witness = Some(Witness { check, key });
    }

    pub(super) fn take_witness(&mut self) -> Option<Witness> {
        self.witness.take()
    }

    /// Which engine runs this transaction. Store code rarely needs it: differing SQL stands in the override files.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.on {
            On::Sqlite { .. } => Engine::Sqlite,
            On::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs a statement and gives all its rows (also those of `RETURNING`).
    ///
    /// # Errors
    /// [`DbError`] if the engine refuses it, or the parameters do not fit it.
    pub fn query(&mut self, sql: &'static Sql, parameters: &[Value]) -> Result<Vec<Row>, DbError> {
        if !self.ahead.is_empty()
            && let Some(rows) = self.ahead.remove(&(address(sql), parameters.to_vec()))
        {
            return Ok(rows);
        }
        self.land()?;
        let result = check_count(sql, parameters.len()).and_then(|()| match &self.on {
            On::Sqlite { connection, is_read_only } => {
                sqlite::query(connection, sql, parameters, *is_read_only)
            }
            On::Postgres(waits) => postgres::query(waits, sql, parameters),
        });
        self.note(&sql.name, result)
    }

    /// Asks what [`Tx::query`] will be asked soon, all at once: on PostgreSQL the questions travel together instead of
    /// one after the other, each kind in the order of its first. Each answer serves once, and none outlives the next
    /// statement that changes something; what was asked ahead and not yet used is not asked again.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn ask_ahead(&mut self, asked: Vec<Question>) -> Result<(), DbError> {
        let On::Postgres(waits) = &self.on else { return Ok(()) };
        let waits = *waits;
        let is_new = |(sql, parameters): &Question| {
            self.ahead.is_empty() || !self.ahead.contains_key(&(address(sql), parameters.clone()))
        };
        let asked: Vec<_> = asked.into_iter().filter(is_new).collect();
        let Some((first, _)) = asked.first() else { return Ok(()) };
        self.land()?;
        let result = asked
            .iter()
            .try_for_each(|(sql, parameters)| check_count(sql, parameters.len()))
            .and_then(|()| postgres::query_many(waits, &asked));
        let answers = self.note(&first.name, result)?;
        let keys = asked.into_iter().map(|(sql, parameters)| (address(sql), parameters));
        self.ahead.extend(keys.zip(answers));
        Ok(())
    }

    /// Runs a statement that gives exactly one row.
    ///
    /// # Errors
    /// [`DbError::Rows`] for none or more than one, else as [`Tx::query`].
    pub fn query_one(&mut self, sql: &'static Sql, parameters: &[Value]) -> Result<Row, DbError> {
        self.query_opt(sql, parameters)?.ok_or_else(|| DbError::Rows {
            statement: sql.name.clone(),
            rows: 0,
            expected: "exactly one",
        })
    }

    /// Runs a statement that gives one row or none.
    ///
    /// # Errors
    /// [`DbError::Rows`] for more than one, else as [`Tx::query`].
    pub fn query_opt(&mut self, sql: &'static Sql, parameters: &[Value]) -> Result<Option<Row>, DbError> {
        let mut rows = self.query(sql, parameters)?;
        if rows.len() > 1 {
            return Err(DbError::Rows {
                statement: sql.name.clone(),
                rows: rows.len(),
                expected: "at most one",
            });
        }
        Ok(rows.pop())
    }

    /// Runs a statement that gives no rows; answers how many it changed.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn execute(&mut self, sql: &'static Sql, parameters: &[Value]) -> Result<u64, DbError> {
        self.ahead.clear();
        self.land()?;
        let result = check_count(sql, parameters.len()).and_then(|()| match &self.on {
            On::Sqlite { connection, is_read_only } => {
                sqlite::execute(connection, sql, parameters, *is_read_only)
            }
            On::Postgres(waits) => postgres::execute(waits, sql, parameters),
        });
        self.note(&sql.name, result)
    }

    /// As [`Tx::query_opt`], for a row that never changes once it is there: asked again, the transaction gives what it
    /// was given first. What a savepoint undoes is forgotten with it.
    ///
    /// # Errors
    /// As [`Tx::query_opt`].
    pub fn query_kept(&mut self, sql: &'static Sql, parameters: Vec<Value>) -> Result<Option<&Row>, DbError> {
        let key = (address(sql), parameters);
        if !self.kept.contains_key(&key) {
            let Some(row) = self.query_opt(sql, &key.1)? else { return Ok(None) };
            if self.kept.len() >= KEPT_MAX {
                self.kept.clear();
            }
            self.kept.insert(key.clone(), row);
        }
        Ok(self.kept.get(&key))
    }

    /// Runs a statement once per row of parameters, in order; answers how many rows all of them changed. On PostgreSQL
    /// a statement whose parameters are all arrays (`unnest($1::bigint[], …)`, an override file) runs once, with the
    /// columns as arrays; any other is pipelined.
    ///
    /// # Errors
    /// As [`Tx::query`]; which row failed is not told.
    pub fn execute_many(&mut self, sql: &'static Sql, rows: &[Vec<Value>]) -> Result<u64, DbError> {
        self.land()?;
        let changed = self.send(sql, rows.to_vec())?;
        Ok(changed + self.land()?)
    }

    /// As [`Tx::execute_many`], but on PostgreSQL nobody waits for it now: it runs while the next statements are made
    /// ready, in their order. A failure is told by the next statement that is waited for, by [`Tx::land`], or by the end
    /// of the transaction or savepoint.
    ///
    /// # Errors
    /// As [`Tx::query`], for what is known at once.
    pub fn execute_later(&mut self, sql: &'static Sql, rows: Vec<Vec<Value>>) -> Result<(), DbError> {
        self.send(sql, rows).map(drop)
    }

    /// Rows changed so far: none where they are still under way.
    fn send(&mut self, sql: &'static Sql, rows: Vec<Vec<Value>>) -> Result<u64, DbError> {
        self.ahead.clear();
        // A statement that never has rows is never made ready: it would have all that is under way waited for each time.
        if rows.is_empty() {
            return Ok(0);
        }
        // Answers are read in their order: nothing is waited for while those before it are in nobody's hands.
        if matches!(&self.on, On::Postgres(waits) if !postgres::is_ready(waits, sql)) {
            self.land()?;
        }
        let counted = rows.iter().try_for_each(|row| check_count(sql, row.len()));
        let result = counted.and_then(|()| match &self.on {
            On::Sqlite { connection, is_read_only } => rows
                .iter()
                .try_fold(0, |sum, row| Ok(sum + sqlite::execute(connection, sql, row, *is_read_only)?)),
            On::Postgres(waits) => {
                let sent = postgres::send(waits, sql, rows)?;
                self.under_way.extend(sent.map(|sent| (sql.name.as_str(), sent)));
                Ok(0)
            }
        });
        self.note(&sql.name, result)
    }

    /// Waits for all that is under way; answers how many rows it changed.
    ///
    /// # Errors
    /// The first failure.
    pub fn land(&mut self) -> Result<u64, DbError> {
        let mut changed = 0;
        let mut under_way = std::mem::take(&mut self.under_way).into_iter();
        while let (On::Postgres(waits), Some((name, sent))) = (&self.on, under_way.next()) {
            let result = postgres::land(waits, name, sent);
            changed += self.note(name, result)?;
        }
        Ok(changed)
    }

    /// Runs `work` so that its own failure undoes only its own changes. A transient failure (see
    /// [`DbError::is_transient`]) is passed up and dooms the whole transaction, which is then run again.
    /// `name` is a plain lower-case word.
    ///
    /// # Errors
    /// Whatever `work` answers, after its changes were undone; or the failure of the savepoint itself.
    pub fn savepoint<T, E: From<DbError>>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        assert!(
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "the name of a savepoint is a plain lower-case word, not {name:?}"
        );
        if self.is_hurried {
            return self.without_savepoint(name, work);
        }
        self.command(&format!("SAVEPOINT sp_{name}"))?;
        let before = self.failed.take();
        let result = work(self);
        let result = self.landed(result);
        let inner = std::mem::replace(&mut self.failed, before);
        let result = match (result, inner) {
            (Ok(_), Some(statement)) => Err(DbError::Swallowed { statement }.into()),
            (result, _) => result,
        };
        if result.is_ok() {
            self.command(&format!("RELEASE SAVEPOINT sp_{name}"))?;
        } else {
            self.kept.clear();
            self.command(&format!("ROLLBACK TO SAVEPOINT sp_{name}"))?;
            self.command(&format!("RELEASE SAVEPOINT sp_{name}"))?;
        }
        result
    }

    fn without_savepoint<T, E: From<DbError>>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        // What is tried after a failure is tried for nothing.
        if self.is_missed {
            return Err(DbError::Swallowed { statement: format!("SAVEPOINT sp_{name}") }.into());
        }
        self.land()?;
        let before = self.failed.take();
        let result = work(self);
        let result = self.landed(result);
        // One missed within stays missed, whatever is made of it here.
        self.is_missed |= result.is_err() || self.failed.is_some();
        self.failed = before;
        result
    }

    /// The answer of some work, unless what it left under way failed.
    fn landed<T, E: From<DbError>>(&mut self, result: Result<T, E>) -> Result<T, E> {
        let landed = self.land();
        result.and_then(|answer| landed.map(|_| answer).map_err(E::from))
    }

    fn command(&mut self, text: &str) -> Result<(), DbError> {
        self.ahead.clear();
        self.land()?;
        let result = match &self.on {
            On::Sqlite { connection, .. } => sqlite::command(connection, text),
            On::Postgres(waits) => postgres::command(waits, text),
        };
        self.note(text, result)
    }

    fn note<T>(&mut self, statement: &str, result: Result<T, DbError>) -> Result<T, DbError> {
        if let Err(error) = &result {
            self.is_transient |= error.is_transient();
            self.is_stuck |= matches!(error, DbError::Timeout { .. });
            self.failed.get_or_insert_with(|| statement.to_owned());
        }
        result
    }

    /// Whether the whole transaction must run again.
    pub(super) fn must_retry(&self) -> bool {
        self.is_transient
    }

    /// Whether the connection must be thrown away instead of rolled back.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck
    }

    /// The closure's answer, corrected: `Ok` does not stand if a statement had failed and was not undone.
    pub(super) fn settle<T, E: From<DbError>>(&mut self, result: Result<T, E>) -> Result<T, E> {
        let result = self.landed(result);
        match (result, self.failed.take()) {
            (Ok(_), Some(statement)) => Err(DbError::Swallowed { statement }.into()),
            (result, _) => result,
        }
    }
}

/// Statements are made once and never moved.
fn address(sql: &'static Sql) -> usize {
    std::ptr::from_ref(sql).addr()
}

fn check_count(sql: &Sql, given: usize) -> Result<(), DbError> {
    if sql.parameters == given {
        return Ok(());
    }
    let reason = format!("{given} parameters were given, it has {}", sql.parameters);
    Err(DbError::Parameter { statement: sql.name.clone(), reason })
}
