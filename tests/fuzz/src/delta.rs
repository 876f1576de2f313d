//! Rows of the directory: judged, and taken into a real directory file.
//!
//! The input is one byte that says how the terminal stands to the delta, and the delta. After it the file holds what a
//! snapshot with the same rows makes (invariant I13), and a delta that does not fit changes nothing.

use super::wire;
use hufu_edge::rules::member_plan::{DeltaPlan, Held, judge_delta};
use hufu_edge::store::{DIRECTORY_FILE, Directory, NameKey, SnapshotBuilder};
use hufu_shared::cbor;
use hufu_shared::ids::{ClubId, Hash, OfficeId};
use hufu_shared::member::DirectoryRow;
use hufu_shared::time::Instant;
use hufu_shared::wire::directory::{Chunk, DELTA_ROWS_MAX, Delta, Manifest};
use hufu_shared::wire::version::{CentralEpoch, Version};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Bytes before the delta.
pub const CONTROL_BYTES: usize = 1;
const CLUB: ClubId = ClubId([0x44; 16]);
const OFFICE: OfficeId = OfficeId([0x66; 16]);

/// How the terminal stands to the delta, one bit each.
pub mod stands {
    /// At another version than the one that the delta begins from.
    pub const ELSEWHERE: u8 = 1;
    /// In another club.
    pub const OTHER_CLUB: u8 = 2;
}

/// Judges the delta and takes it.
pub fn run(data: &[u8]) {
    let Some((control, rest)) = data.split_at_checked(CONTROL_BYTES) else { return };
    let Some(delta) = wire::read::<Delta>(rest) else { return };
    let is = |what: u8| control[0] & what != 0;
    let club = if is(stands::OTHER_CLUB) { CLUB } else { delta.club };
    let at = if is(stands::ELSEWHERE) {
        Version { n: delta.from.n.wrapping_add(1), ..delta.from }
    } else {
        delta.from
    };
    let held = Held {
        club,
        office: OFFICE,
        central_epoch: CentralEpoch { n: delta.from.epoch, bits: 0 },
        directory: at,
    };
    match judge_delta(&held, delta.clone()) {
        Ok(DeltaPlan::Apply { rows, to, more }) => {
            assert!(club == delta.club && at == delta.from, "a delta was taken that does not follow");
            assert!(rows.len() <= DELTA_ROWS_MAX && to >= at && to.epoch == at.epoch && !(more && to == at));
            // A version is a count; a file keeps it as one.
            if i64::try_from(to.n).is_ok() {
                take(club, at, &rows, to);
            }
        }
        Ok(DeltaPlan::Snapshot) => assert!(delta.take_snapshot),
        Err(_) => {}
    }
}

/// Takes the rows as a delta into one directory, and as a snapshot into another; both are the same then.
fn take(club: ClubId, from: Version, rows: &[DirectoryRow], to: Version) {
    let folder = tempfile::tempdir().expect("a folder");
    let (by_delta, by_snapshot) = (folder.path().join("delta"), folder.path().join("snapshot"));
    let directory = directory(&by_delta, club, from, &[]);
    let elsewhere = Version { n: from.n.wrapping_add(1), ..from };
    assert!(directory.apply_delta(rows, elsewhere, to).is_err(), "a delta from elsewhere was taken");
    assert_eq!(directory.version(), from, "a delta that was refused moved the directory");
    directory.apply_delta(rows, from, to).expect("rows that were judged good are taken");
    assert_eq!(directory.version(), to);
    find(&directory, rows);
    let other = self::directory(&by_snapshot, club, to, rows);
    assert_eq!(other.small().occurrences, directory.small().occurrences);
    assert_eq!(tables(&by_delta), tables(&by_snapshot), "a delta and a snapshot with the same rows differ");
}

/// A directory made by a snapshot of these rows.
fn directory(folder: &Path, club: ClubId, version: Version, rows: &[DirectoryRow]) -> Directory {
    std::fs::create_dir_all(folder).expect("a folder");
    let path = folder.join(DIRECTORY_FILE);
    let directory = Directory::open(&path, club, NameKey::from_seed(b"fuzz")).expect("opens");
    let plain = cbor::encode(&rows.to_vec());
    let packed = zstd::bulk::compress(&plain, 1).expect("packed");
    let chunk = Chunk {
        hash: Hash::of(&[&packed]),
        bytes: packed.len() as u64,
        rows: u32::try_from(rows.len()).expect("few"),
    };
    let manifest = Manifest {
        club,
        central_epoch: CentralEpoch { n: version.epoch, bits: 0 },
        version,
        block: version,
        made_at: Instant(0),
        scope: OFFICE,
        chunks: vec![chunk],
        signature: Vec::new(),
    };
    let mut builder = SnapshotBuilder::begin(&directory, &manifest).expect("begins");
    builder.take_chunk(&packed).expect("a chunk of rows that are good");
    builder.finish().expect("in place");
    directory
}

/// The last row of each card and member is what a swipe finds.
fn find(directory: &Directory, rows: &[DirectoryRow]) {
    for (at, row) in rows.iter().enumerate() {
        let later = &rows[at + 1..];
        match row {
            DirectoryRow::Card(card) => {
                let replaced = |row: &DirectoryRow| matches!(row, DirectoryRow::Card(other) if other.card == card.card || other.token == card.token);
                if !later.iter().any(replaced) {
                    let found = directory.find(&[card.token]).expect("read").expect("a card that came");
                    assert_eq!(&found.card, card);
                }
            }
            DirectoryRow::Member(member) => {
                let replaced = |row: &DirectoryRow| matches!(row, DirectoryRow::Member(other) if other.member == member.member);
                if !later.iter().any(replaced) {
                    let found = directory.member(member.member).expect("read").expect("a member that came");
                    assert_eq!(&found, member);
                }
            }
            DirectoryRow::Office(_) | DirectoryRow::Occurrence(_) | DirectoryRow::Scheme(_) => {}
        }
    }
}

/// All tables but what is sealed with random bytes and when it was made.
fn tables(folder: &Path) -> Vec<Vec<Vec<Value>>> {
    let path = folder.join(DIRECTORY_FILE);
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    let dump = |sql: &str| -> Vec<Vec<Value>> {
        let mut statement = connection.prepare(sql).expect("a table");
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| (0..columns).map(|at| row.get::<_, Value>(at)).collect())
            .expect("rows");
        rows.map(|row| row.expect("a row")).collect()
    };
    [
        "SELECT version_epoch, version_n, club FROM about",
        "SELECT token, card, row FROM cards ORDER BY token",
        "SELECT member, row, name IS NULL FROM members ORDER BY member",
        "SELECT office, row FROM offices ORDER BY office",
        "SELECT occurrence, row FROM occurrences ORDER BY occurrence",
        "SELECT version, row FROM schemes ORDER BY version",
    ]
    .into_iter()
    .map(dump)
    .collect()
}
