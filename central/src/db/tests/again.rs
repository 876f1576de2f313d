//! Transactions that must run again: after a conflict, a deadlock, a lost connection, a savepoint that was missed.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goal_g16_fifty_writers_on_one_row_lose_no_update() {
    each(|db| async move {
        create(&db).await;
        db.write(|tx| insert(tx, 1, "0")).await.unwrap();
        let writers = (0..50).map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                for _ in 0..4 {
                    db.write(|tx| {
                        let row = tx.query_one(SQL.get("lock"), &[1.into()])?;
                        let next = row.text(0)?.parse::<u32>().unwrap() + 1;
                        tx.query_one(SQL.get("rename"), &[1.into(), next.to_string().into()])
                    })
                    .await
                    .unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let row = db.read(|tx| tx.query_one(SQL.get("load"), &[1.into()])).await.unwrap();
        assert_eq!(row.text(1).unwrap(), "200");
    })
    .await;
}

/// Savepoints are left out at first; what is met where one would have been makes all run again with them.
#[tokio::test]
async fn a_transaction_runs_twice_only_if_a_savepoint_was_missed() {
    each(|db| async move {
        create(&db).await;
        for (broken, expected) in [(false, 1), (true, 2)] {
            let runs = Arc::new(AtomicU32::new(0));
            let counted = Arc::clone(&runs);
            let first = if broken { 3 } else { 1 };
            let done = db
                .write(move |tx| {
                    counted.fetch_add(1, Ordering::SeqCst);
                    insert(tx, first, "a")?;
                    let inner = tx.savepoint("inner", |tx| {
                        insert(tx, first + 1, "b")?;
                        if broken { insert(tx, first, "again") } else { Ok(1) }
                    });
                    assert_eq!(inner.is_err(), broken);
                    Ok::<_, DbError>(())
                })
                .await;
            done.unwrap();
            assert_eq!(runs.load(Ordering::SeqCst), expected);
        }
        assert_eq!(
            count(&db).await,
            3,
            "both of the first, and of the second what stood outside the savepoint"
        );
    })
    .await;
}

/// Two transactions that lock two rows in opposite order: PostgreSQL ends one with 40P01, which is run again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_run_again_even_under_a_savepoint() {
    each(|db| async move {
        create(&db).await;
        db.write(|tx| insert(tx, 1, "a").and_then(|_| insert(tx, 2, "b"))).await.unwrap();
        let tries = Arc::new(AtomicU32::new(0));
        let ordered = |first: i64, second: i64| {
            let (db, tries) = (db.clone(), Arc::clone(&tries));
            tokio::spawn(async move {
                db.write(move |tx| {
                    tries.fetch_add(1, Ordering::SeqCst);
                    tx.query(SQL.get("rename"), &[first.into(), "x".into()])?;
                    std::thread::sleep(std::time::Duration::from_millis(200));
                    // The failure is swallowed on purpose: a conflict must still make the whole run again.
                    let _: Result<_, DbError> = tx
                        .savepoint("second", |tx| tx.query(SQL.get("rename"), &[second.into(), "y".into()]));
                    Ok::<_, DbError>(())
                })
                .await
            })
        };
        let (one, two) = (ordered(1, 2), ordered(2, 1));
        one.await.unwrap().unwrap();
        two.await.unwrap().unwrap();
        let expected = if db.engine() == Engine::Postgres { 3 } else { 2 };
        assert_eq!(tries.load(Ordering::SeqCst), expected);
    })
    .await;
}

/// The server ends the connection in mid-transaction (57P01): the closure runs again on another one.
#[tokio::test]
async fn a_lost_connection_is_run_again() {
    static KILL: SqlFile =
        SqlFile::new("kill", "-- name: me\nSELECT pg_terminate_backend(pg_backend_pid()) AND $1 = 1\n");
    let place = TestPlace::new(Engine::Postgres).await;
    let db = Db::open(&place.url).await.unwrap();
    create(&db).await;
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    db.write(move |tx| {
        insert(tx, 1, "once")?;
        if counted.fetch_add(1, Ordering::SeqCst) < 2 {
            tx.query(KILL.get("me"), &[1.into()])?;
        }
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    assert_eq!(count(&db).await, 1);
    let always = db.write(|tx| tx.query(KILL.get("me"), &[1.into()])).await.unwrap_err();
    assert!(always.is_transient(), "{always:?}");
    place.remove().await;
}
