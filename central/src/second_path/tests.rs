//! A database that lost its end, one that went on without it, and files that were torn, changed, or taken away.

use std::io::Write as _;

use tempfile::TempDir;

use super::*;
use crate::db::Engine;
use crate::db::testing::{TestPlace, each};
use crate::rules::world::Recovery;
use crate::store::tests::kit::{NOON, TERMINAL_A, Terminal, act, found};
use crate::store::{dump, verify, world};

/// Random bits of the epochs that begin here.
const BITS: u64 = 0xb175;

fn folder() -> TempDir {
    TempDir::with_prefix("hufu-second-").expect("the temporary folder is writable")
}

/// What a day brings after the club was founded: swipes, and something that a person did.
async fn day(db: &Db) {
    let mut terminal = Terminal::start(TERMINAL_A);
    terminal.check_in(0, 1);
    terminal.purchase(60, 2, 10_000, 100);
    terminal.upload(db).await;
    act(db, 90, NOON, Act::EpochBegun(CentralEpoch { n: 4, bits: 4 })).await;
    terminal.check_in(120, 3);
    terminal.upload(db).await;
}

async fn follow(copy: &SecondPath, db: &Db) {
    copy.follow(db, BITS, NOON).await.expect("the copy follows");
}

async fn rows(db: &Db) -> Vec<dump::Dumped> {
    let all = |tx: &mut crate::db::Tx<'_>| -> Result<_, StoreError> {
        let tables = dump::TABLES.iter().map(|(name, keys)| dump::table(tx, name, *keys));
        Ok(tables.collect::<Result<Vec<_>, _>>()?.concat())
    };
    db.read(all).await.expect("a dump")
}

async fn head(db: &Db) -> (u64, Hash) {
    publisher::publish_now(db).await.expect("published");
    db.read(journal::published).await.expect("a head")
}

/// A database beside the one under test, on SQLite.
async fn beside() -> (TestPlace, Db) {
    let place = TestPlace::new(Engine::Sqlite).await;
    let db = Db::open(&place.url).await.expect("a fresh database opens");
    (place, db)
}

#[tokio::test]
async fn what_a_restored_database_lost_is_put_back_to_the_same_head() {
    each(|restored| async move {
        let (_place, db) = beside().await;
        let folder = folder();
        let copy = SecondPath::open(folder.path()).expect("a copy");
        found(&db).await;
        follow(&copy, &db).await;
        day(&db).await;
        follow(&copy, &db).await;
        assert_eq!(copy.head().await, head(&db).await, "each entry of the journal is in the copy");

        found(&restored).await;
        let brought = copy.bring_back(&restored, BITS, NOON).await.expect("brought back");
        assert_eq!(brought, Brought::Back(3), "two batches and an act");
        assert_eq!(head(&restored).await, head(&db).await);
        assert_eq!(rows(&restored).await, rows(&db).await, "every derived row is as it was");
        let found = verify::verify(&restored).await.expect("verified");
        assert_eq!(found.findings, Vec::<String>::new());
        // What is taken next comes after what was put back, though the clock of this machine is behind it.
        act(&restored, 91, NOON.offset(-1), Act::EpochBegun(CentralEpoch { n: 5, bits: 5 })).await;
        follow(&copy, &restored).await;
        assert_eq!(copy.head().await, head(&restored).await);
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_copy_that_meets_the_loss_itself_puts_it_back_and_goes_on() {
    let (_place, db) = beside().await;
    let folder = folder();
    let copy = SecondPath::open(folder.path()).expect("a copy");
    found(&db).await;
    day(&db).await;
    follow(&copy, &db).await;
    let (_other, restored) = beside().await;
    found(&restored).await;
    follow(&copy, &restored).await;
    assert_eq!(rows(&restored).await, rows(&db).await);
}

#[tokio::test]
async fn a_database_that_went_on_without_them_keeps_its_own_in_an_epoch_above_all_of_them() {
    each(|restored| async move {
        let (_place, db) = beside().await;
        let folder = folder();
        let copy = SecondPath::open(folder.path()).expect("a copy");
        found(&db).await;
        day(&db).await;
        follow(&copy, &db).await;

        found(&restored).await;
        act(&restored, 91, NOON, Act::MembersSet(Vec::new())).await;
        let own = head(&restored).await;
        let brought = copy.bring_back(&restored, BITS, NOON).await.expect("looked at");
        let Brought::Apart { missing, folder: aside } = brought else { panic!("{brought:?}") };
        assert_eq!(missing, 3, "two batches and an act");
        assert_eq!(segment::list(&aside).expect("files").len(), 1, "the old copy is kept for people");
        let epoch = restored.read(journal::club).await.expect("the club").epoch;
        assert_eq!(epoch, CentralEpoch { n: 5, bits: BITS }, "epoch 4 was begun in what is missing");
        let state: Recovery = restored.read(world::recovery).await.expect("a recovery");
        assert!(state.since.is_some(), "terminals are asked for the leases that they hold");
        follow(&copy, &restored).await;
        assert_eq!(copy.head().await, head(&restored).await, "the new copy has the whole journal");
        assert_eq!(copy.head().await.0, own.0 + 1);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_was_cut_off_is_taken_off_and_written_again() {
    let (_place, db) = beside().await;
    let folder = folder();
    found(&db).await;
    let copy = SecondPath::open(folder.path()).expect("a copy");
    follow(&copy, &db).await;
    drop(copy);
    let file = segment::list(folder.path()).expect("files").remove(0);
    let whole = std::fs::read(&file).expect("read");
    for cut in [1, 3, 40] {
        std::fs::write(&file, &whole[..whole.len() - cut]).expect("cut");
        let copy = SecondPath::open(folder.path()).expect("a torn copy opens");
        assert!(copy.head().await.0 < head(&db).await.0);
        follow(&copy, &db).await;
        assert_eq!(copy.head().await, head(&db).await);
        assert_eq!(std::fs::read(&file).expect("read"), whole, "the same bytes again");
    }
}

#[tokio::test]
async fn a_changed_byte_is_found_with_its_place() {
    let (_place, db) = beside().await;
    let folder = folder();
    found(&db).await;
    follow(&SecondPath::open(folder.path()).expect("a copy"), &db).await;
    let file = segment::list(folder.path()).expect("files").remove(0);
    let mut bytes = std::fs::read(&file).expect("read");
    let place = bytes.windows(6).position(|window| window == "澜庭".as_bytes()).expect("the club's name");
    bytes[place] ^= 1;
    std::fs::write(&file, bytes).expect("written");
    let error = SecondPath::open(folder.path()).expect_err("damage").to_string();
    assert!(error.contains("at byte 0") && error.contains("entry 1"), "{error}");
}

#[tokio::test]
async fn while_the_disk_refuses_nothing_is_copied_and_afterwards_everything_is() {
    let (_place, db) = beside().await;
    let folder = folder();
    found(&db).await;
    let copy = SecondPath::open(folder.path()).expect("a copy");
    follow(&copy, &db).await;
    let file = segment::list(folder.path()).expect("files").remove(0);
    let away = folder.path().join("away");
    std::fs::rename(&file, &away).expect("taken away");
    day(&db).await;
    let error = copy.follow(&db, BITS, NOON).await.expect_err("the file is gone").to_string();
    assert!(error.starts_with("write to the second path"), "{error}");
    assert!(!file.exists(), "a copy does not begin in the middle");
    std::fs::rename(&away, &file).expect("put back");
    let mut torn = std::fs::OpenOptions::new().append(true).open(&file).expect("opened");
    torn.write_all(&[0, 0, 1]).expect("a part of a record");
    follow(&copy, &db).await;
    drop(copy);
    let copy = SecondPath::open(folder.path()).expect("whole again");
    assert_eq!(copy.head().await, head(&db).await);
}

#[tokio::test]
async fn one_process_writes_a_copy() {
    let folder = folder();
    let first = SecondPath::open(folder.path()).expect("a copy");
    let error = SecondPath::open(folder.path()).expect_err("taken").to_string();
    assert!(error.contains("data.second_path"), "{error}");
    drop(first);
    SecondPath::open(folder.path()).expect("free again");
}
