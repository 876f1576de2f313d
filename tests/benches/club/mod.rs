//! What the benches of a terminal stand on: its files with many members, the bare row beside it, slices and quantiles.

use std::path::Path;
use std::time::{Duration, Instant};

use hufu_edge::rules::timekeeping::Now;
use hufu_edge::store::{BootInfo, Directory, NameKey, SnapshotBuilder, Store};
use hufu_edge::terminal::Terminal;
use hufu_shared::cbor;
use hufu_shared::ids::{
    ActivityId, BootId, CardId, ClubId, DeviceId, Hash, MemberId, OccurrenceId, OfficeId,
};
use hufu_shared::member::{
    Audience, CardRow, CardStatus, DirectoryRow, MemberRow, MemberStatus, OccurrenceRow, OccurrenceState,
    OfficeRow,
};
use hufu_shared::money::Amount;
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::time::{ClockQuality, Day, OfficeClock};
use hufu_shared::token::{CardText, TokenKey};
use hufu_shared::wire::directory::{CHUNK_ROWS_MAX, Chunk, Manifest};
use hufu_shared::wire::version::{CentralEpoch, Version};
use rusqlite::Connection;

/// Length of one slice.
pub const SLICE: Duration = Duration::from_millis(40);
/// When everything happens.
pub const NOON: hufu_shared::time::Instant = hufu_shared::time::Instant(1_795_320_000_000_000);

const CLUB: ClubId = ClubId([1; 16]);
const OFFICE: OfficeId = OfficeId([2; 16]);
const OCCURRENCE: OccurrenceId = OccurrenceId([3; 16]);

/// Reads the clock that slices are measured by.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub fn clock() -> Instant {
    Instant::now()
}

/// The terminal that is measured.
pub fn terminal() -> Terminal {
    Terminal {
        device: DeviceId([4; 16]),
        epoch: 1,
        name: "bench".to_owned(),
        club: CLUB,
        club_name: Words { zh: "澜庭会".to_owned(), en: "Lanting Club".to_owned() },
        office: OFFICE,
        first_key: b"bench".to_vec(),
        token_keys: vec![TokenKey::new(1, [5; 32])],
        name_key: NameKey::from_seed(b"bench"),
    }
}

/// The text of a member's card.
pub fn card(n: usize) -> CardText {
    CardText::uid(&uid(n))
}

/// The serial number of a member's card.
pub fn uid(n: usize) -> [u8; 7] {
    let bytes = (n as u64 * 7_919 + 1).to_be_bytes();
    bytes[1..].try_into().expect("seven of eight bytes")
}

/// A directory of so many members with a card each, in this folder.
pub fn directory(folder: &Path, terminal: &Terminal, members: usize) -> Directory {
    let directory =
        Directory::open(&folder.join("directory.db"), CLUB, terminal.name_key.clone()).expect("directory");
    let cards: Vec<CardText> = (0..members).map(card).collect();
    fill(&directory, &terminal.token_keys[0], &cards);
    directory
}

/// A journal that has begun its first boot.
pub fn journal(path: &Path, terminal: &Terminal) -> Store {
    let store = Store::open(path, terminal).expect("journal");
    let info = BootInfo {
        boot: BootId([6; 16]),
        board: Hash([0; 32]),
        software: "bench".to_owned(),
        directory: Version::default(),
    };
    store.with(|journal| journal.boot(info, &now(0))).expect("boot");
    store
}

/// A moment so many milliseconds after noon.
pub fn now(count: u64) -> Now {
    let wall = NOON.offset(i64::try_from(count).expect("small") * 1_000);
    Now { wall, mono_ns: count * 1_000_000, quality: ClockQuality::Synced, trusted: wall, floor: wall }
}

/// Nanoseconds of each operation within one slice.
pub fn slice(mut work: impl FnMut()) -> Vec<u64> {
    let begin = clock();
    let mut times = Vec::with_capacity(1_000);
    let mut last = begin;
    while last.duration_since(begin) < SLICE {
        work();
        let now = clock();
        times.push(u64::try_from(now.duration_since(last).as_nanos()).unwrap_or(u64::MAX));
        last = now;
    }
    times
}

/// The bare row: what a durable commit costs here and now.
pub struct Baseline {
    connection: Connection,
    count: u64,
}

impl Baseline {
    /// In this folder.
    pub fn new(folder: &Path) -> Self {
        let connection = Connection::open(folder.join("baseline.db")).expect("open");
        connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
                 CREATE TABLE event (id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, body BLOB NOT NULL)",
            )
            .expect("schema");
        Self { connection, count: 0 }
    }

    /// One durable row.
    pub fn commit(&mut self) {
        self.count += 1;
        let uid = Hash::of(&[&self.count.to_be_bytes()]);
        let mut statement = self
            .connection
            .prepare_cached("INSERT INTO event (uid, body) VALUES (?1, ?2)")
            .expect("statement");
        statement.execute((&uid.0[..16], [7u8; 200].as_slice())).expect("commit");
    }
}

/// Installs a directory by the product's own snapshot path.
fn fill(directory: &Directory, key: &TokenKey, cards: &[CardText]) {
    let mut rows = vec![
        DirectoryRow::Office(OfficeRow {
            office: OFFICE,
            code: "A".to_owned(),
            name: Words { zh: "案场".to_owned(), en: "Office".to_owned() },
            clock: OfficeClock::default(),
            group: None,
        }),
        DirectoryRow::Scheme(SchemeTerms::property_club(1, Day(0))),
        DirectoryRow::Occurrence(OccurrenceRow {
            occurrence: OCCURRENCE,
            activity: ActivityId([3; 16]),
            name: Words { zh: "沙龙".to_owned(), en: "Salon".to_owned() },
            starts: NOON.offset(-1),
            ends: NOON.offset(1),
            state: OccurrenceState::Approved,
            admits_once: true,
            exits: false,
            gifts: Vec::new(),
            guests: Vec::new(),
            points: Amount(10),
            places: None,
            offices: Vec::new(),
            audience: Audience::default(),
        }),
    ];
    for (n, card) in cards.iter().enumerate() {
        let id = Hash::of(&[b"member", &n.to_be_bytes()]);
        let mut member = [0; 16];
        member.copy_from_slice(&id.0[..16]);
        rows.push(DirectoryRow::Member(member_row(MemberId(member))));
        rows.push(DirectoryRow::Card(CardRow {
            card: CardId(member),
            token: key.token(card),
            member: Some(MemberId(member)),
            status: CardStatus::Active,
            valid_from: None,
            valid_until: None,
            tail: "0001".to_owned(),
            sub: false,
        }));
    }
    let chunks: Vec<(Vec<u8>, u32)> = rows
        .chunks(CHUNK_ROWS_MAX)
        .map(|chunk| {
            let plain = cbor::encode(&chunk.to_vec());
            let packed = zstd::bulk::compress(&plain, 1).expect("compress");
            (packed, u32::try_from(chunk.len()).expect("small"))
        })
        .collect();
    let manifest = Manifest {
        club: CLUB,
        central_epoch: CentralEpoch { n: 1, bits: 1 },
        version: Version { epoch: 1, n: 1 },
        block: Version { epoch: 1, n: 1 },
        made_at: NOON,
        scope: OFFICE,
        chunks: chunks
            .iter()
            .map(|(packed, rows)| Chunk {
                hash: Hash::of(&[packed]),
                bytes: packed.len() as u64,
                rows: *rows,
            })
            .collect(),
        signature: Vec::new(),
    };
    let mut builder = SnapshotBuilder::begin(directory, &manifest).expect("snapshot");
    for (packed, _) in &chunks {
        builder.take_chunk(packed).expect("chunk");
    }
    builder.finish().expect("directory in place");
}

fn member_row(member: MemberId) -> MemberRow {
    MemberRow {
        member,
        greeting: Some("欧阳女士".to_owned()),
        masked_name: Some("欧阳*玥".to_owned()),
        level: Some(Words { zh: "金卡".to_owned(), en: "Gold".to_owned() }),
        status: MemberStatus::Active,
        points: Amount(1_280),
        points_at: NOON,
        leased: false,
        full_name: None,
        value: None,
        kind: None,
    }
}

/// A quantile of nanoseconds.
pub fn quantile(times: &[u64], q: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(place(sorted.len(), q)).map_or(f64::NAN, |time| *time as f64)
}

/// Index of a quantile in a sorted list.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below the length")]
pub fn place(length: usize, q: f64) -> usize {
    ((length.saturating_sub(1)) as f64 * q).round() as usize
}
