//! Files that are not what they should be: each is refused with its reason and left byte for byte as it was.

use std::path::{Path, PathBuf};

use super::*;

fn journal_in(folder: &Path) -> PathBuf {
    let path = folder.join(JOURNAL_FILE);
    let store = booted(folder);
    append(&store, vec![visited(1, &at(1))]);
    store.with(|journal| journal.shutdown(&at(2))).expect("shut down");
    path
}

/// Opens, expects a refusal, and checks that the file was not touched.
fn refused(path: &Path, terminal: &crate::terminal::Terminal) -> String {
    let before = std::fs::read(path).expect("readable");
    let error = Store::open(path, terminal).expect_err("refused");
    assert_eq!(std::fs::read(path).expect("readable"), before, "the file was touched: {error}");
    error.to_string()
}

fn edit(path: &Path, offset: usize, bytes: &[u8]) {
    let mut content = std::fs::read(path).expect("readable");
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
    std::fs::write(path, content).expect("writable");
}

#[test]
fn case_10_a_zero_length_file_counts_as_none_and_leftovers_of_a_cut_creation_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(JOURNAL_FILE);
    std::fs::write(&path, b"").expect("writable");
    std::fs::write(folder.path().join("journal.db.new"), b"half a database").expect("writable");
    std::fs::write(folder.path().join("journal.db.new-journal"), b"rubbish").expect("writable");
    let store = booted(folder.path());
    assert_eq!(append(&store, vec![visited(1, &at(1))])[0].id.map(|id| id.seq), Some(2));
}

#[test]
fn case_21_a_database_of_a_newer_version_is_refused_and_left_untouched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = journal_in(folder.path());
    edit(&path, 60, &99_u32.to_be_bytes());
    let error = refused(&path, &terminal());
    assert!(error.contains("newer version (format 99, this program knows up to 2)"), "{error}");
}

#[test]
fn case_22_a_journal_of_another_device_is_refused_and_left_untouched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = journal_in(folder.path());
    let other = crate::terminal::Terminal { device: DeviceId([8; 16]), ..terminal() };
    let error = refused(&path, &other);
    assert!(error.contains("07070707") && error.contains("08080808"), "{error}");
    let earlier = crate::terminal::Terminal { epoch: 1, ..terminal() };
    let later = crate::terminal::Terminal { epoch: 2, ..terminal() };
    drop(Store::open(&path, &later).expect("a new enrolment begins a new journal"));
    assert!(refused(&path, &earlier).contains("of enrolment 2"), "an old identity beside a new journal");
}

#[test]
fn a_new_enrolment_sets_the_old_journal_aside_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = journal_in(folder.path());
    let later = crate::terminal::Terminal { epoch: 2, ..terminal() };
    let store = Store::open(&path, &later).expect("opens");
    assert_eq!(store.with(|journal| Ok(journal.last_seq())).expect("read"), 0);
    let aside = folder.path().join("journal.db.epoch-1");
    assert_eq!(read_facts(&aside, 1, 100).expect("readable").len(), 2);
}

#[test]
fn case_23_a_foreign_file_is_refused_and_left_untouched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(JOURNAL_FILE);
    std::fs::write(&path, b"this is a letter, not a database").expect("writable");
    let error = refused(&path, &terminal());
    assert!(error.contains("is not a Hufu journal: it is no SQLite database"), "{error}");
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).expect("opens").execute_batch("CREATE TABLE a (b)").expect("made");
    let error = refused(&other, &terminal());
    assert!(error.contains("application id is 0x00000000"), "{error}");
    // A directory is a database of ours, but no journal.
    drop(directory(folder.path(), 1));
    assert!(refused(&folder.path().join(DIRECTORY_FILE), &terminal()).contains("is not a Hufu journal"));
}

#[test]
fn case_19_a_changed_byte_of_a_fact_is_found_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = journal_in(folder.path());
    let connection = rusqlite::Connection::open(&path).expect("opens");
    connection.execute("UPDATE facts SET body = x'00' WHERE seq = 2", []).expect("edited");
    connection.close().expect("closed");
    let error = Store::open(&path, &terminal()).expect_err("refused").to_string();
    assert!(error.contains("the chain breaks at seq 2"), "{error}");
}

#[test]
fn case_20_a_journal_that_lost_its_newest_facts_is_not_silently_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = journal_in(folder.path());
    let connection = rusqlite::Connection::open(&path).expect("opens");
    connection.execute("UPDATE state SET acked_seq = 2", []).expect("edited");
    connection.execute("DELETE FROM facts WHERE seq = 2", []).expect("edited");
    connection.close().expect("closed");
    let error = Store::open(&path, &terminal()).expect_err("refused").to_string();
    assert!(error.contains("ends at seq 1, but 2 were acknowledged"), "{error}");
}

#[test]
fn the_bundled_sqlite_is_past_the_bug_that_loses_commits() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn a_damaged_directory_is_kept_aside_and_begun_anew_but_another_clubs_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(DIRECTORY_FILE);
    drop(directory(folder.path(), 1));
    let connection = rusqlite::Connection::open(&path).expect("opens");
    connection.execute("UPDATE schemes SET row = x'ff'", []).expect("edited");
    connection.close().expect("closed");
    let open = |club| Directory::open_or_set_aside(&path, club, terminal().name_key);
    let anew = open(CLUB).expect("anew");
    assert_eq!((anew.version(), anew.find(&[subject(1).token]).expect("looked")), (Version::default(), None));
    assert!(folder.path().join("directory.db.damaged").exists(), "kept");
    drop(directory(folder.path(), 1));
    let connection = rusqlite::Connection::open(&path).expect("opens");
    connection.execute_batch("DROP TABLE members").expect("another shape");
    connection.close().expect("closed");
    assert_eq!(open(CLUB).expect("anew").version(), Version::default());
    drop(directory(folder.path(), 1));
    assert!(matches!(open(ClubId([8; 16])), Err(StoreError::OtherClub { .. })));
}

#[test]
fn a_directory_that_is_no_database_or_another_programs_is_kept_aside_and_begun_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(DIRECTORY_FILE);
    for (what, offset, bytes) in [
        ("a first page that was never written", 0, vec![0; 4_096]),
        ("another application id", 68, vec![1; 4]),
    ] {
        drop(directory(folder.path(), 1));
        edit(&path, offset, &bytes);
        std::fs::write(folder.path().join("directory.db-journal"), b"of the damaged one").expect("writable");
        let before = std::fs::read(&path).expect("readable");
        let anew = Directory::open_or_set_aside(&path, CLUB, terminal().name_key).expect(what);
        assert_eq!(anew.version(), Version::default(), "{what}");
        assert_eq!(
            std::fs::read(folder.path().join("directory.db.damaged")).expect("kept"),
            before,
            "{what}"
        );
        assert!(!folder.path().join("directory.db-journal").exists(), "it would be taken for the next one's");
    }
}

/// Overwrites the root page of the cards' table.
fn spoil_cards(path: &Path) {
    let connection = rusqlite::Connection::open(path).expect("opens");
    let sql = "SELECT rootpage FROM sqlite_master WHERE name = 'cards'";
    let root: u32 = connection.query_row(sql, [], |row| row.get(0)).expect("there");
    connection.close().expect("closed");
    edit(path, (root as usize - 1) * 4_096, &[0xff; 4_096]);
}

#[test]
fn a_damaged_page_met_at_a_card_asks_for_a_new_snapshot_and_the_rest_serves_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(DIRECTORY_FILE);
    let version = directory(folder.path(), 1).version();
    spoil_cards(&path);
    let directory = Directory::open(&path, CLUB, terminal().name_key).expect("nothing of it is read yet");
    assert_eq!(directory.version(), version);
    directory.find(&[subject(1).token]).expect_err("damaged");
    assert_eq!(directory.version(), Version::default(), "what sync asks the centre from");
    assert_eq!(directory.member(subject(1).member.expect("one")).expect("read"), Some(member_row(1)));
    assert!(directory.apply_delta(&[], version, Version { epoch: 1, n: 6 }).is_err(), "not onto damage");
    let (manifest, chunks) = snapshot(CLUB, &[rows(1)]);
    let mut builder = SnapshotBuilder::begin(&directory, &manifest).expect("begins");
    builder.take_chunk(&chunks[0]).expect("whole");
    builder.finish().expect("in place");
    assert_eq!(directory.version(), version);
    assert!(directory.find(&[subject(1).token]).expect("looked").is_some());
}

#[test]
fn the_directory_serves_while_the_next_one_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let (new, held) = (folder.path().join("next.db"), directory(folder.path(), 1));
    std::fs::copy(held.path(), &new).expect("copied");
    let holder = rusqlite::Connection::open(&new).expect("opens");
    holder.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    let (swapping, from) = (held.clone(), new.clone());
    let swap = std::thread::spawn(move || swapping.swap(&from));
    while new.exists() {
        std::thread::yield_now();
    }
    assert!(held.find(&[subject(1).token]).expect("looked").is_some());
    assert!(!swap.is_finished(), "the swipe did not wait for it");
    holder.execute_batch("ROLLBACK").expect("let go");
    swap.join().expect("no panic").expect("in place");
    assert!(held.find(&[subject(1).token]).expect("looked").is_some());
}

#[test]
fn a_next_directory_that_does_not_open_leaves_the_old_one_serving_until_a_better_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (new, held) = (folder.path().join("next.db"), directory(folder.path(), 1));
    std::fs::copy(held.path(), &new).expect("copied");
    let connection = rusqlite::Connection::open(&new).expect("opens");
    connection.execute_batch("DROP TABLE members").expect("another shape");
    connection.close().expect("closed");
    held.swap(&new).expect_err("it does not open");
    assert!(held.find(&[subject(1).token]).expect("looked").is_some());
    assert_eq!(held.version(), Version::default(), "a snapshot is to come");
    let (manifest, chunks) = snapshot(CLUB, &[rows(2)]);
    let mut builder = SnapshotBuilder::begin(&held, &manifest).expect("begins");
    builder.take_chunk(&chunks[0]).expect("whole");
    builder.finish().expect("in place");
    assert!(held.find(&[subject(2).token]).expect("looked").is_some());
}

#[test]
fn a_directory_that_is_locked_keeps_no_card_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let held = directory(folder.path(), 1);
    let holder = rusqlite::Connection::open(held.path()).expect("opens");
    holder.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    let (told, answer) = std::sync::mpsc::channel();
    let finds = held.clone();
    std::thread::spawn(move || drop(told.send(finds.find(&[subject(1).token]))));
    let error = answer.recv_timeout(std::time::Duration::from_secs(2)).expect("soon").expect_err("locked");
    assert!(error.to_string().contains("locked"), "{error}");
    assert_ne!(held.version(), Version::default(), "busy is not damaged");
    holder.execute_batch("ROLLBACK").expect("let go");
    assert!(held.find(&[subject(1).token]).expect("looked").is_some());
}

#[test]
fn a_reader_beside_the_terminal_does_not_hold_up_the_emptying_of_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(JOURNAL_FILE);
    let store = booted(folder.path());
    let reader = rusqlite::Connection::open(&path).expect("opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM facts;").expect("reads");
    append(&store, vec![visited(1, &at(1))]);
    let (told, answer) = std::sync::mpsc::channel();
    let other = store.clone();
    std::thread::spawn(move || drop(told.send(other.with(|journal| journal.checkpoint()))));
    answer.recv_timeout(std::time::Duration::from_secs(2)).expect("soon").expect("later is soon enough");
    let waits: i64 = store
        .with(|journal| {
            let asked = journal.connection.pragma_query_value(None, "busy_timeout", |row| row.get(0));
            Ok(asked.expect("asked"))
        })
        .expect("asked");
    assert_eq!(waits, 5_000, "writing waits as before");
    reader.execute_batch("COMMIT").expect("ends");
    store.with(|journal| journal.checkpoint()).expect("emptied");
    let log = folder.path().join("journal.db-wal");
    assert_eq!(std::fs::metadata(log).expect("there").len(), 0);
}
