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
    assert!(error.contains("newer version (format 99, this program knows up to 1)"), "{error}");
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
