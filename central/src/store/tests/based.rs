//! Replay from a base, bases that somebody changed, and rules that a program does not have.

use std::collections::BTreeSet;

use super::kit::*;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, SqlFile, Tx};
use crate::rules::entry::EntryBody;
use crate::store::base::{self, Rebased};
use crate::store::verify::{verify, verify_from_base};
use crate::store::{StoreError, dump, journal};
use hufu_shared::ids::EntryId;
use hufu_shared::time::SECOND_US;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// Changes of the tests' own.
static CHANGE: SqlFile = SqlFile::new(
    "based",
    "-- name: schema\nSELECT name FROM pragma_table_info($1)\n\
     -- name: newer_rules\nUPDATE policy SET apply_version = 2\n\
     -- name: richer\nUPDATE balance SET amount = amount + 1 WHERE class = 'available'\n\
     -- name: poorer\nUPDATE balance SET amount = amount - 1 WHERE class = 'available'\n\
     -- name: drop_part\nDELETE FROM replay_base_part WHERE n = 0\n",
);

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed")
}

fn public() -> [u8; 32] {
    key().public_key().as_ref().try_into().expect("32 bytes")
}

/// Founds a club with business, takes a base, and goes on.
async fn story(db: &Db) -> Rebased {
    found(db).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    a.check_in(0, 1);
    a.purchase(10, 1, 32_000, 6);
    a.upload(db).await;
    // An unknown card, and a guest at two terminals within minutes: cases wait.
    b.check_in(300, 1);
    b.purchase(310, 9, 10_000, 2);
    b.upload(db).await;
    let rebased = rebase(db, 80).await;
    a.purchase(600, 2, 50_000, 10);
    a.upload(db).await;
    while db.write(journal::publish).await.expect("publish") > 0 {}
    rebased
}

async fn rebase(db: &Db, n: u8) -> Rebased {
    let at = NOON.offset(9 * 3600 * SECOND_US);
    let sign = |message: &[u8]| {
        let mut signature = [0; 64];
        signature.copy_from_slice(key().sign(message).as_ref());
        signature
    };
    db.write(move |tx| base::take(tx, EntryId([n; 16]), at, 1, sign)).await.expect("a base")
}

async fn change(db: &Db, name: &'static str) {
    let changed: Result<u64, StoreError> = db.write(move |tx| Ok(tx.execute(CHANGE.get(name), &[])?)).await;
    assert!(changed.expect("change") > 0, "{name} changes something");
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_08_replay_from_the_newest_base_gives_the_same_rows() {
    each(|db| async move {
        let rebased = story(&db).await;
        let kinds: Vec<u8> =
            rebased.before.values().map(|(kind, _)| *kind).collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(kinds, [3, 13, 27], "cases that waited and were judged anew");
        let outcome = &rebased.outcome;
        let idle = outcome.postings.is_empty() && outcome.fact_changes.is_empty();
        assert!(idle, "by the same rules they stand as they stood: {outcome:?}");
        let whole = verify(&db).await.expect("readable");
        assert_eq!(whole.findings, Vec::<String>::new(), "the base is what the journal gives");
        let part = verify_from_base(&db, &public()).await.expect("readable");
        assert_eq!(part.findings, Vec::<String>::new());
        assert_eq!((part.entries, part.facts), (2, 1), "the act that took the base, and a batch");
        assert_eq!(part.rows, whole.rows, "all rows are compared all the same");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_newest_base_only_the_state_is_kept() {
    each(|db| async move {
        story(&db).await;
        let first = db.read(base::newest).await.expect("read").expect("a base");
        rebase(&db, 81).await;
        while db.write(journal::publish).await.expect("publish") > 0 {}
        let second = db.read(base::newest).await.expect("read").expect("a base");
        assert!(second.n > first.n && second.hash != first.hash);
        let part = |base: base::Base| db.read(move |tx| base::part(tx, &base, 0));
        assert!(part(first).await.expect("read").is_none() && part(second).await.expect("read").is_some());
        assert_eq!(verify_from_base(&db, &public()).await.expect("readable").findings, Vec::<String>::new());
        assert_eq!(verify(&db).await.expect("readable").findings, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_t12_a_base_that_was_taken_of_changed_books_or_changed_itself_is_named() {
    each(|db| async move {
        story(&db).await;
        change(&db, "richer").await;
        rebase(&db, 81).await;
        while db.write(journal::publish).await.expect("publish") > 0 {}
        let found = verify(&db).await.expect("readable").findings.join("\n");
        assert!(found.contains("takes the state") && found.contains("for a base"), "{found}");
        // From that very base the books look whole: what came before is what the signature stood for.
        change(&db, "poorer").await;
        let found = verify_from_base(&db, &public()).await.expect("readable").findings.join("\n");
        assert!(found.contains("balance"), "{found}");
        let found = verify_from_base(&db, &[1; 32]).await.expect("readable").findings.join("\n");
        assert!(found.contains("it cannot be begun from"), "another key did not sign it: {found}");
        change(&db, "drop_part").await;
        let found = verify_from_base(&db, &public()).await.expect("readable").findings.join("\n");
        assert!(found.contains("it cannot be begun from"), "{found}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_the_rules_takes_nothing_in() {
    each(|db| async move {
        story(&db).await;
        change(&db, "newer_rules").await;
        let mut b = Terminal::start(TERMINAL_B);
        let batch = b.batch();
        let taken = db.write(move |tx| {
            let received = journal::pass_gate(tx, NOON)?;
            journal::take(tx, EntryId([99; 16]), received, EntryBody::Batch(batch.clone())).map(|_| ())
        });
        let error = taken.await.expect_err("refused").to_string();
        assert!(error.contains("version 2") && error.contains("1 to 1"), "{error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dumped_and_put_back_is_every_column() {
    prepare_all(&[&base::SQL]).await;
    let db = Db::memory().expect("a database");
    for (table, _) in dump::TABLES.iter().copied() {
        let schema = db
            .read(move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
                let rows = tx.query(CHANGE.get("schema"), &[table.into()])?;
                Ok(rows
                    .iter()
                    .map(|row| row.text(0).map(str::to_owned))
                    .collect::<Result<BTreeSet<_>, _>>()?)
            })
            .await
            .expect("a schema");
        let columns = |text: &str, from: &str, to: &str| -> Vec<String> {
            let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("{table}: {text}"));
            let (inside, _) = rest.split_once(to).unwrap_or_else(|| panic!("{table}: {text}"));
            inside.split(',').map(|column| column.trim().to_owned()).collect()
        };
        let engine = db.engine();
        let read = columns(dump::SQL.get(table).text(engine), "SELECT", "FROM");
        let put = columns(base::SQL.get(table).text(engine), "(", ")");
        assert_eq!(read, put, "{table}: read in one order, put in another");
        assert_eq!(read.into_iter().collect::<BTreeSet<_>>(), schema, "{table}: every column is dumped");
    }
}
