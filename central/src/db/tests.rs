//! The seam itself, on both engines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::migrate::{self, Migration, Older};
use super::testing::{TestPlace, each};
use super::*;

mod again;
mod migrating;

static SQL: SqlFile = SqlFile::with_overrides(
    "seam",
    "-- name: create\nCREATE TABLE IF NOT EXISTS item (id BIGINT PRIMARY KEY, label TEXT, body TEXT)\n\
     -- name: insert\nINSERT INTO item (id, label, body) VALUES ($1, $2, $3)\n\
     -- name: insert_many\nINSERT INTO item (id, label, body) VALUES ($1, $2, $3)\n\
     -- name: load\nSELECT id, label, body FROM item WHERE id = $1\n\
     -- name: all\nSELECT id, label, body FROM item ORDER BY id\n\
     -- name: twice\nSELECT $2 + id, $1 + id FROM item WHERE id = $1\n\
     -- name: rename\nUPDATE item SET label = $2 WHERE id = $1 RETURNING id, label\n\
     -- name: add\nUPDATE item SET id = id WHERE id = $1\n\
     -- name: sum\nSELECT SUM(id) FROM item\n\
     -- name: lock\nSELECT label FROM item WHERE id = $1 {for_update}\n\
     -- name: wait\nSELECT 1\n\
     -- name: count\nSELECT COUNT(*) FROM item\n",
    "-- name: create\nCREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, label TEXT, body BLOB) STRICT\n",
    "-- name: create\nCREATE TABLE IF NOT EXISTS item (id BIGINT PRIMARY KEY, label TEXT, body BYTEA)\n\
     -- name: insert_many\nINSERT INTO item (id, label, body) \
     SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[])\n\
     -- name: wait\nSELECT 1 FROM pg_sleep(1.6)\n",
);

#[derive(Debug)]
enum Failure {
    Db(#[expect(dead_code, reason = "printed by Debug when a test fails")] DbError),
    Own,
}
impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

async fn create(db: &Db) {
    db.write(|tx| tx.execute(SQL.get("create"), &[])).await.unwrap();
}

async fn count(db: &Db) -> i64 {
    db.read(|tx| tx.query_one(SQL.get("count"), &[])?.int(0)).await.unwrap()
}

fn insert(tx: &mut Tx<'_>, id: i64, label: &str) -> Result<u64, DbError> {
    tx.execute(SQL.get("insert"), &[id.into(), label.into(), Value::Null])
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    each(|db| async move {
        create(&db).await;
        db.write(|tx| {
            tx.execute(SQL.get("insert"), &[i64::MAX.into(), "𠮷·Ω'; --".into(), [0_u8, 255, 1].into()])?;
            tx.execute(SQL.get("insert"), &[i64::MIN.into(), Value::Null, Vec::<u8>::new().into()])
        })
        .await
        .unwrap();
        let rows = db.read(|tx| tx.query(SQL.get("all"), &[])).await.unwrap();
        assert_eq!(rows[0].int(0).unwrap(), i64::MIN);
        assert_eq!(rows[0].text_opt(1).unwrap(), None);
        assert_eq!(rows[0].blob(2).unwrap(), b"");
        assert_eq!(rows[1].int(0).unwrap(), i64::MAX);
        assert_eq!(rows[1].text(1).unwrap(), "𠮷·Ω'; --");
        assert_eq!(rows[1].array::<3>(2).unwrap(), [0, 255, 1]);
        let wrong = rows[1].int(1).unwrap_err().to_string();
        assert_eq!(wrong, "statement seam.all, column 1: expected an integer, met a text");
        let wrong = rows[1].array::<16>(2).unwrap_err().to_string();
        assert_eq!(
            wrong,
            "statement seam.all, column 2: expected a blob of fixed length, met 3 bytes, not 16"
        );
    })
    .await;
}

#[tokio::test]
async fn parameters_go_by_number_and_their_count_is_checked() {
    each(|db| async move {
        create(&db).await;
        db.write(|tx| insert(tx, 5, "five")).await.unwrap();
        let row = db.read(|tx| tx.query_one(SQL.get("twice"), &[5.into(), 7.into()])).await.unwrap();
        assert_eq!((row.int(0).unwrap(), row.int(1).unwrap()), (12, 10));
        let error = db.read(|tx| tx.query(SQL.get("load"), &[])).await.unwrap_err();
        assert_eq!(error.to_string(), "statement seam.load: 0 parameters were given, it has 1");
        let renamed =
            db.write(|tx| tx.query_one(SQL.get("rename"), &[5.into(), "cinq".into()])).await.unwrap();
        assert_eq!(renamed.text(1).unwrap(), "cinq");
    })
    .await;
}

#[tokio::test]
async fn an_own_error_undoes_its_transaction_only() {
    each(|db| async move {
        create(&db).await;
        let works = (0..40_i64).map(|id| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(move |tx| {
                    insert(tx, id, "x")?;
                    if id % 4 == 0 { Err(Failure::Own) } else { Ok(id) }
                })
                .await
            })
        });
        let works: Vec<_> = works.collect();
        for (id, work) in works.into_iter().enumerate() {
            let result = work.await.unwrap();
            assert_eq!(result.is_ok(), id % 4 != 0, "{result:?}");
        }
        assert_eq!(count(&db).await, 30);
    })
    .await;
}

#[tokio::test]
async fn a_constraint_is_told_and_a_savepoint_undoes_it() {
    each(|db| async move {
        create(&db).await;
        db.write(|tx| {
            insert(tx, 1, "kept")?;
            let twin: Result<_, DbError> = tx.savepoint("twin", |tx| {
                insert(tx, 2, "undone")?;
                insert(tx, 1, "refused")
            });
            assert!(twin.unwrap_err().is_constraint());
            tx.savepoint("nested", |tx| {
                insert(tx, 3, "kept")?;
                let inner: Result<(), Failure> = tx.savepoint("inner", |tx| {
                    insert(tx, 4, "undone")?;
                    Err(Failure::Own)
                });
                assert!(matches!(inner, Err(Failure::Own)));
                Ok::<_, DbError>(())
            })
        })
        .await
        .unwrap();
        let rows = db.read(|tx| tx.query(SQL.get("all"), &[])).await.unwrap();
        let ids: Vec<i64> = rows.iter().map(|row| row.int(0).unwrap()).collect();
        assert_eq!(ids, [1, 3]);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_kept_is_asked_for_once_and_forgotten_with_its_savepoint() {
    each(|db| async move {
        create(&db).await;
        let kept = |tx: &mut Tx<'_>| {
            let row = tx.query_kept(SQL.get("all"), Vec::new())?;
            row.map(|row| row.int(0)).transpose()
        };
        let met = db.write(move |tx| {
            let undone: Result<(), Failure> = tx.savepoint("undone", |tx| {
                insert(tx, 1, "undone")?;
                kept(tx)?;
                Err(Failure::Own)
            });
            let after = kept(tx)?;
            insert(tx, 2, "kept")?;
            let first = kept(tx)?;
            // Asked anew the statement would give two rows, which is refused.
            insert(tx, 3, "later")?;
            Ok::<_, DbError>((matches!(undone, Err(Failure::Own)), after, first, kept(tx)?))
        });
        assert_eq!(met.await.unwrap(), (true, None, Some(2), Some(2)));
    })
    .await;
}

#[tokio::test]
async fn a_swallowed_failure_never_passes_for_a_commit() {
    each(|db| async move {
        create(&db).await;
        let error = db
            .write(|tx| {
                insert(tx, 1, "a")?;
                let _ = insert(tx, 1, "b");
                Ok::<_, DbError>(())
            })
            .await
            .unwrap_err();
        assert!(
            matches!(&error, DbError::Swallowed { statement } if statement == "seam.insert"),
            "{error:?}"
        );
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_written_later_fails_where_it_is_waited_for_and_never_passes_for_a_commit() {
    each(|db| async move {
        create(&db).await;
        let row = |id: i64| vec![id.into(), "x".into(), Value::Null];
        let twice = move |tx: &mut Tx<'_>, name: &str| {
            tx.execute_later(SQL.get("insert"), vec![row(1)])?;
            tx.execute_later(SQL.get(name), vec![row(2), row(1)])
        };
        for name in ["insert", "insert_many"] {
            let left = db.write(move |tx| twice(tx, name)).await.unwrap_err();
            assert!(left.is_constraint(), "the end of the transaction tells it: {left:?}");
            let asked = db.write(move |tx| twice(tx, name).and_then(|()| tx.land())).await.unwrap_err();
            assert!(asked.is_constraint(), "{asked:?}");
            let missed = move |tx: &mut Tx<'_>| {
                let _ = twice(tx, "insert").and_then(|()| tx.query(SQL.get("count"), &[]).map(drop));
                Ok::<_, DbError>(())
            };
            let missed = db.write(missed).await.unwrap_err();
            assert!(matches!(&missed, DbError::Swallowed { .. }), "{missed:?}");
            assert_eq!(count(&db).await, 0);
        }
        let kept = move |tx: &mut Tx<'_>| {
            tx.execute_later(SQL.get("insert"), vec![row(1), row(2)])?;
            let undone: Result<(), DbError> = tx.savepoint("twin", |tx| {
                tx.execute_later(SQL.get("insert"), vec![row(3)])?;
                tx.execute_later(SQL.get("insert"), vec![row(2)])
            });
            assert!(undone.unwrap_err().is_constraint(), "and so does the end of a savepoint");
            tx.execute_later(SQL.get("insert_many"), vec![row(4), row(5)])?;
            tx.query_one(SQL.get("count"), &[])?.int(0)
        };
        assert_eq!(db.write(kept).await.unwrap(), 4, "what was sent before is seen");
        assert_eq!(count(&db).await, 4);
    })
    .await;
}

#[tokio::test]
async fn a_read_cannot_write() {
    each(|db| async move {
        create(&db).await;
        assert!(db.read(|tx| insert(tx, 1, "a")).await.is_err());
        assert!(db.read(|tx| tx.query(SQL.get("rename"), &[1.into(), "b".into()])).await.is_err());
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn case_90_a_panic_rolls_back_and_the_database_lives_on() {
    each(|db| async move {
        create(&db).await;
        let error = db
            .write(|tx| -> Result<(), DbError> {
                insert(tx, 1, "a")?;
                panic!("on purpose");
            })
            .await
            .unwrap_err();
        assert!(matches!(error, DbError::Panicked), "{error:?}");
        db.write(|tx| insert(tx, 2, "b")).await.unwrap();
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn many_rows_go_in_one_statement_or_one_by_one() {
    each(|db| async move {
        create(&db).await;
        let rows = |from: i64| -> Vec<Vec<Value>> {
            (from..from + 100).map(|id| vec![id.into(), Value::Null, [1_u8; 4].into()]).collect()
        };
        let changed = db
            .write(move |tx| {
                Ok::<_, DbError>((
                    tx.execute_many(SQL.get("insert_many"), &rows(0))?,
                    tx.execute_many(SQL.get("insert"), &rows(100))?,
                    tx.execute_many(SQL.get("insert_many"), &[])?,
                ))
            })
            .await
            .unwrap();
        assert_eq!(changed, (100, 100, 0));
        assert_eq!(count(&db).await, 200);
    })
    .await;
}

/// Many questions at once are answered as each of them alone: a row or none.
#[tokio::test]
async fn questions_asked_ahead_are_answered_as_one_by_one() {
    each(|db| async move {
        create(&db).await;
        db.write(|tx| {
            for id in 1..=40 {
                insert(tx, id, if id % 2 == 0 { "even" } else { "odd" })?;
            }
            for name in ["load", "lock"] {
                let asked: Vec<Vec<Value>> = (30..=50).map(|id| vec![id.into()]).collect();
                let one_by_one: Vec<Vec<Row>> =
                    asked.iter().map(|key| tx.query(SQL.get(name), key)).collect::<Result<_, _>>()?;
                tx.ask_ahead(asked.iter().map(|key| (SQL.get(name), key.clone())).collect())?;
                for (key, alone) in asked.iter().zip(&one_by_one) {
                    let ahead = tx.query(SQL.get(name), key)?;
                    let values =
                        |rows: &[Row]| rows.iter().map(|row| row.values().to_vec()).collect::<Vec<_>>();
                    assert_eq!(values(&ahead), values(alone));
                }
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    })
    .await;
}

#[tokio::test]
async fn sums_need_a_cast_and_the_message_says_so() {
    let place = TestPlace::new(Engine::Postgres).await;
    let db = Db::open(&place.url).await.unwrap();
    create(&db).await;
    let error = db.read(|tx| tx.query(SQL.get("sum"), &[])).await.unwrap_err().to_string();
    assert!(
        error.contains("seam.sum") && error.contains("cast sums") && error.contains("numeric"),
        "{error}"
    );
    place.remove().await;
}

#[tokio::test]
async fn a_memory_database_reads_what_it_wrote_and_refuses_writes_in_reads() {
    let db = Db::memory().unwrap();
    create(&db).await;
    db.write(|tx| insert(tx, 1, "a")).await.unwrap();
    assert_eq!(count(&db).await, 1);
    let refused = db.read(|tx| insert(tx, 2, "b")).await.unwrap_err();
    assert!(matches!(refused, DbError::ReadOnly { .. }), "{refused:?}");
}

#[tokio::test]
async fn sqlite_is_set_to_keep_what_it_commits() {
    static PRAGMA: SqlFile = SqlFile::new(
        "pragma",
        "-- name: synchronous\nSELECT synchronous FROM pragma_synchronous\n\
         -- name: journal\nSELECT journal_mode FROM pragma_journal_mode\n\
         -- name: keys\nSELECT foreign_keys FROM pragma_foreign_keys\n\
         -- name: trusted\nSELECT trusted_schema FROM pragma_trusted_schema\n",
    );
    let place = TestPlace::new(Engine::Sqlite).await;
    let db = Db::open(&place.url).await.unwrap();
    db.write(|tx| {
        assert_eq!(tx.query_one(PRAGMA.get("synchronous"), &[])?.int(0)?, 2);
        assert_eq!(tx.query_one(PRAGMA.get("journal"), &[])?.text(0)?, "wal");
        assert_eq!(tx.query_one(PRAGMA.get("keys"), &[])?.int(0)?, 1);
        assert_eq!(tx.query_one(PRAGMA.get("trusted"), &[])?.int(0)?, 0);
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    assert!(rusqlite::version_number() >= 3_051_003);
    db.close().await;
    let after = db.write(|tx| insert(tx, 1, "a")).await.unwrap_err();
    assert!(matches!(after, DbError::Closed), "{after:?}");
    place.remove().await;
}

/// A full disk, played by a limit on the file's pages: told as a storage failure, nothing half done, and over when
/// there is room again.
#[tokio::test]
async fn case_13_a_full_disk_is_told_and_passes() {
    static LIMIT: SqlFile = SqlFile::new(
        "limit",
        "-- name: tight\nPRAGMA max_page_count = 16\n-- name: wide\nPRAGMA max_page_count = 100000\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("central.db"));
    let connection = migrate::open_sqlite_with(&place, Older::Migrate, &[]).unwrap();
    let db = Db { inner: Inner::Sqlite(Arc::new(Sqlite::start(place, connection).unwrap())) };
    create(&db).await;
    db.write(|tx| insert(tx, 1, "before")).await.unwrap();
    db.write(|tx| tx.query(LIMIT.get("tight"), &[])).await.unwrap();
    let large = "x".repeat(200_000);
    let label = large.clone();
    let error =
        db.write(move |tx| insert(tx, 2, "small").and_then(|_| insert(tx, 3, &label))).await.unwrap_err();
    assert!(error.is_storage() && !error.is_transient(), "{error:?}");
    assert_eq!(count(&db).await, 1);
    db.write(|tx| tx.query(LIMIT.get("wide"), &[])).await.unwrap();
    db.write(move |tx| insert(tx, 3, &large)).await.unwrap();
    assert_eq!(count(&db).await, 2);
    db.close().await;
}

/// The savepoint undoes the statement that was given up, and the closure goes on; the connection is thrown away all
/// the same, so nothing of it may be told as durable.
#[tokio::test]
async fn ok_is_never_told_for_a_transaction_without_a_commit() {
    let place = TestPlace::new(Engine::Postgres).await;
    let mut opened = Postgres::new(&place.url).unwrap();
    opened.statement_timeout_ms = 1_000;
    let db = Db { inner: Inner::Postgres(opened) };
    create(&db).await;
    let told = db
        .write(|tx| {
            insert(tx, 1, "a")?;
            let given_up = tx.savepoint("slow", |tx| tx.query(SQL.get("wait"), &[]));
            assert!(matches!(given_up, Err(DbError::Timeout { .. })), "{given_up:?}");
            Ok::<_, DbError>(())
        })
        .await;
    assert_eq!(count(&db).await, 0, "nothing was committed");
    assert!(matches!(told, Err(DbError::Commit { transient: false, .. })), "{told:?}");
    db.close().await;
    place.remove().await;
}

#[tokio::test]
async fn an_address_is_a_path_or_names_its_engine() {
    let error = Db::open("mysql://host/x").await.unwrap_err().to_string();
    assert!(error.contains("expected a path, sqlite:///path or postgres://host/database"), "{error}");
    assert_eq!(
        sqlite_path("sqlite:///var/lib/hufu/central.db").unwrap(),
        Path::new("/var/lib/hufu/central.db")
    );
    assert_eq!(sqlite_path("central.db").unwrap(), Path::new("central.db"));
}
