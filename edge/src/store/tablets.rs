//! Paired tablets and what wrong tries have led to.
//!
//! Invariant: a key is here as a hash only; who reads this file cannot show it.
//! Out of scope: what is taken and what is not ([`crate::rules::pairing`]).

use hufu_shared::ids::Hash;
use hufu_shared::time::Instant;
use rusqlite::{OptionalExtension, Row, params};

use super::error::{Step, StoreError};
use super::journal::Journal;
use crate::rules::pairing::{Lock, Session};

/// A paired tablet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabletRow {
    /// Its number at this terminal; never given twice.
    pub n: u64,
    /// What people call it.
    pub name: String,
    /// Its key and age.
    pub session: Session,
}

fn row(row: &Row<'_>) -> rusqlite::Result<TabletRow> {
    let old: Option<[u8; 32]> = row.get("old_key")?;
    let until: Option<i64> = row.get("old_until")?;
    Ok(TabletRow {
        n: u64::try_from(row.get::<_, i64>("n")?).unwrap_or_default(),
        name: row.get("name")?,
        session: Session {
            key: Hash(row.get("key")?),
            old: old.map(|old| (Hash(old), until.map(Instant))),
            paired_at: Instant(row.get("paired_at")?),
            renewed_at: Instant(row.get("renewed_at")?),
            seen_at: Instant(row.get("seen_at")?),
        },
    })
}

/// No tablet has a number beyond what SQLite counts to.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(-1)
}

impl Journal {
    /// All paired tablets, in the order in which they were paired.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn tablets(&self) -> Result<Vec<TabletRow>, StoreError> {
        let read = (|| {
            let mut statement = self.connection.prepare_cached("SELECT * FROM tablets ORDER BY n")?;
            statement.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>()
        })();
        read.step(&self.path, "read tablets")
    }

    /// Keeps a tablet that was just paired; its number.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn add_tablet(&mut self, name: &str, session: &Session) -> Result<u64, StoreError> {
        self.guarded("keep tablet", |journal| {
            let path = &journal.path;
            let added = journal
                .connection
                .prepare_cached(
                    "INSERT INTO tablets (name, key, paired_at, renewed_at, seen_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5) RETURNING n",
                )
                .and_then(|mut insert| {
                    let Session { key, paired_at, renewed_at, seen_at, .. } = session;
                    let values = params![name, key.0, paired_at.0, renewed_at.0, seen_at.0];
                    insert.query_row(values, |row| row.get::<_, i64>(0))
                });
            added.step(path, "keep tablet").map(|n| u64::try_from(n).unwrap_or_default())
        })
    }

    /// Keeps what became of a tablet's key. Does nothing to one that was unpaired meanwhile.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn keep_tablet(&mut self, n: u64, session: &Session) -> Result<(), StoreError> {
        self.change(
            "keep tablet",
            "UPDATE tablets SET key = ?2, old_key = ?3, old_until = ?4, renewed_at = ?5, seen_at = ?6 WHERE n = ?1",
            params![
                number(n),
                session.key.0,
                session.old.map(|(old, _)| old.0),
                session.old.and_then(|(_, until)| until).map(|until| until.0),
                session.renewed_at.0,
                session.seen_at.0
            ],
        )
        .map(drop)
    }

    /// Forgets a tablet; whether there was one.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn forget_tablet(&mut self, n: u64) -> Result<bool, StoreError> {
        self.change("forget tablet", "DELETE FROM tablets WHERE n = ?1", params![number(n)])
            .map(|rows| rows > 0)
    }

    /// What wrong tries of a kind have led to.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn lock_of(&self, what: &str) -> Result<Lock, StoreError> {
        let read = self
            .connection
            .prepare_cached("SELECT failed, until FROM locks WHERE what = ?1")
            .and_then(|mut select| {
                let lock = |row: &Row<'_>| Ok(Lock { failed: row.get(0)?, until: Instant(row.get(1)?) });
                select.query_row([what], lock).optional()
            });
        read.step(&self.path, "read lock").map(Option::unwrap_or_default)
    }

    /// Keeps what wrong tries of a kind have led to.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn keep_lock(&mut self, what: &str, lock: Lock) -> Result<(), StoreError> {
        self.change(
            "keep lock",
            "INSERT INTO locks (what, failed, until) VALUES (?1, ?2, ?3) \
             ON CONFLICT (what) DO UPDATE SET failed = excluded.failed, until = excluded.until",
            params![what, lock.failed, lock.until.0],
        )
        .map(drop)
    }

    fn change(
        &mut self,
        what: &'static str,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<usize, StoreError> {
        self.guarded(what, |journal| {
            let changed =
                journal.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
            changed.step(&journal.path, what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{booted, terminal};
    use crate::store::{JOURNAL_FILE, Store};

    fn session(n: u8) -> Session {
        Session::new(Hash([n; 32]), Instant(1_000))
    }

    #[test]
    fn tablets_and_locks_are_kept_across_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = Lock { failed: 2, until: Instant(9_000) };
        let renewed =
            session(1).renewed(Hash([9; 32]), Hash([1; 32]), Instant(2_000)).arrived(Instant(3_000));
        {
            let store = booted(folder.path());
            store
                .with(|journal| {
                    assert_eq!(journal.add_tablet("前台一", &session(1))?, 1);
                    assert_eq!(journal.add_tablet("前台二", &session(2))?, 2);
                    journal.keep_tablet(1, &renewed)?;
                    journal.keep_lock("pairing", Lock { failed: 1, until: Instant(8_000) })?;
                    journal.keep_lock("pairing", lock)?;
                    assert!(journal.forget_tablet(2)? && !journal.forget_tablet(2)?);
                    journal.keep_tablet(2, &session(3))
                })
                .expect("written");
        }
        let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens again");
        store
            .with(|journal| {
                let kept = vec![TabletRow { n: 1, name: "前台一".to_owned(), session: renewed }];
                assert_eq!(journal.tablets()?, kept, "and nothing of the one that was unpaired");
                assert_eq!((journal.lock_of("pairing")?, journal.lock_of("other")?), (lock, Lock::default()));
                assert_eq!(journal.add_tablet("前台三", &session(2))?, 3, "no number is given twice");
                Ok(())
            })
            .expect("readable");
    }
}
