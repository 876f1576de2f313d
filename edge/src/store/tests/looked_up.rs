//! The directory: looked up, changed, and swapped whole.

use super::*;

#[test]
fn a_directory_finds_cards_takes_deltas_and_is_swapped_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = directory(folder.path(), 3);
    let found = |n: u8| directory.find(&[subject(n).token]).expect("looked");
    assert_eq!(found(2).and_then(|known| known.member), Some(member_row(2)));
    assert_eq!(found(9), None);
    let mut lost = card_row(2);
    lost.status = CardStatus::Lost;
    let (from, to) = (directory.version(), Version { epoch: 1, n: 6 });
    directory.apply_delta(&[DirectoryRow::Card(lost)], from, to).expect("taken");
    assert_eq!(found(2).map(|known| known.card.status), Some(CardStatus::Lost));
    let error = directory.apply_delta(&[], from, to).expect_err("from a version that is past");
    assert!(
        error.to_string().contains("a delta from version 1.5 does not fit a directory at version 1.6"),
        "{error}"
    );
    // A new snapshot takes the place of everything.
    let (manifest, chunks) = snapshot(CLUB, &[rows(1), vec![DirectoryRow::Card(card_row(4))]]);
    let mut builder = SnapshotBuilder::begin(&directory, &manifest).expect("begins");
    for chunk in &chunks {
        assert!(found(3).is_some(), "the old one serves until the end");
        builder.take_chunk(chunk).expect("whole");
    }
    builder.finish().expect("in place");
    assert!(found(3).is_none() && found(4).is_some());
    assert_eq!(directory.version(), Version { epoch: 1, n: 5 });
    drop(directory);
    let again =
        Directory::open(&folder.path().join(DIRECTORY_FILE), CLUB, terminal().name_key).expect("opens");
    assert!(again.find(&[subject(4).token]).expect("looked").is_some());
}

#[test]
fn a_directory_of_another_club_is_refused_and_the_own_one_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = directory(folder.path(), 1);
    let (manifest, _) = snapshot(ClubId([8; 16]), &[rows(1)]);
    let error = SnapshotBuilder::begin(&directory, &manifest).expect_err("refused").to_string();
    assert!(error.contains("08080808") && error.contains("01010101"), "{error}");
    assert!(directory.find(&[subject(1).token]).expect("looked").is_some());
    drop(directory);
    let error = Directory::open(&folder.path().join(DIRECTORY_FILE), ClubId([8; 16]), terminal().name_key)
        .expect_err("refused");
    assert!(matches!(error, StoreError::OtherClub { .. }), "{error}");
}

#[test]
fn a_snapshot_that_does_not_add_up_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = directory(folder.path(), 1);
    let (manifest, chunks) = snapshot(CLUB, &[rows(2), rows(3)]);
    let mut builder = SnapshotBuilder::begin(&directory, &manifest).expect("begins");
    let refused = |result: Result<(), StoreError>| result.expect_err("refused").to_string();
    assert!(refused(builder.take_chunk(&chunks[1])).contains("chunk 1 expected with"), "out of order");
    let mut edited = chunks[0].clone();
    *edited.last_mut().expect("bytes") ^= 1;
    assert!(refused(builder.take_chunk(&edited)).contains("hash"));
    builder.take_chunk(&chunks[0]).expect("the right one may still come");
    assert!(refused(builder.finish()).contains("is missing"));
    let (mut manifest, chunks) = snapshot(CLUB, &[rows(2)]);
    manifest.chunks[0].rows += 1;
    let mut builder = SnapshotBuilder::begin(&directory, &manifest).expect("begins");
    assert!(refused(builder.take_chunk(&chunks[0])).contains("rows"));
    assert!(directory.find(&[subject(2).token]).expect("looked").is_none(), "the old one serves");
}

#[test]
fn what_a_member_spent_here_is_summed_without_reading_everybodys_facts() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan: Vec<String> = booted(folder.path())
        .with(|journal| {
            let explained = format!("EXPLAIN QUERY PLAN {}", values::moved_sql(ValueKind::Spent));
            let mut statement = journal.connection.prepare(&explained).expect("a query");
            let steps = statement.query_map(([0; 16], "PTS", 0), |row| row.get(3)).expect("a plan");
            Ok(steps.collect::<Result<_, _>>().expect("steps"))
        })
        .expect("readable");
    assert_eq!(plan, ["SEARCH value_legs USING INDEX value_legs_spent (member=? AND unit=?)"]);
}
