//! P1 and P2: what a whole durable swipe costs beside a bare durable row.
//!
//! Product (find the card and its member among many, decide, append to the chained journal, commit with
//! `synchronous=FULL`) and baseline (one 200-byte row with a unique 16-byte index, committed the same way by bare
//! SQLite) alternate in slices of 40 ms within one process, because the disk's speed drifts by more than either costs.
//! What is reported is the median over the rotations of the ratio within each.
//!
//! `cargo bench -p hufu-tests --bench swipe [-- --rotations N --members N]`

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hufu_edge::rules::timekeeping::Now;
use hufu_edge::run::core::{Core, Mode, Presented};
use hufu_edge::store::{BootInfo, Directory, NameKey, SnapshotBuilder, Store};
use hufu_edge::terminal::Terminal;
use hufu_shared::cbor;
use hufu_shared::fact::Purpose;
use hufu_shared::ids::{
    ActivityId, BootId, CardId, ClubId, DeviceId, Hash, MemberId, OccurrenceId, OfficeId,
};
use hufu_shared::member::{
    CardRow, CardStatus, DirectoryRow, MemberRow, MemberStatus, OccurrenceRow, OccurrenceState, OfficeRow,
};
use hufu_shared::money::Amount;
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::time::{ClockQuality, Day, OfficeClock};
use hufu_shared::token::{CardText, TokenKey};
use hufu_shared::wire::directory::{CHUNK_ROWS_MAX, Chunk, Manifest};
use hufu_shared::wire::version::{CentralEpoch, Version};
use rusqlite::Connection;

/// Length of one slice.
const SLICE: Duration = Duration::from_millis(40);
/// Rotations, unless told otherwise.
const ROTATIONS: usize = 100;
/// Members in the directory, unless told otherwise.
const MEMBERS: usize = 100_000;
/// The goals: rate at least, median at most, 99th percentile at most, each against the baseline.
const GOAL_RATE: f64 = 0.75;
const GOAL_P50: f64 = 1.4;
const GOAL_P99: f64 = 2.0;

const NOON: hufu_shared::time::Instant = hufu_shared::time::Instant(1_795_320_000_000_000);
const CLUB: ClubId = ClubId([1; 16]);
const OFFICE: OfficeId = OfficeId([2; 16]);
const OCCURRENCE: OccurrenceId = OccurrenceId([3; 16]);

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn clock() -> Instant {
    Instant::now()
}

fn main() {
    let (rotations, members) = arguments();
    perf_p01_p02_a_swipe_beside_a_bare_commit(rotations, members);
}

fn perf_p01_p02_a_swipe_beside_a_bare_commit(rotations: usize, members: usize) {
    let folder = tempfile::tempdir().expect("scratch folder");
    let mut product = Product::new(folder.path(), members);
    let mut baseline = Baseline::new(folder.path());
    let mut measured: [Vec<Vec<u64>>; 2] = [Vec::new(), Vec::new()];
    for rotation in 0..=rotations {
        // Whoever goes first changes, so that neither always meets the other's write-back.
        let first = rotation % 2;
        for side in [first, 1 - first] {
            let times = if side == 0 { slice(|| baseline.commit()) } else { slice(|| product.swipe()) };
            // The first rotation warms caches and prepares statements.
            if rotation > 0 {
                measured[side].push(times);
            }
        }
    }
    report(&measured[0], &measured[1], members);
}

fn arguments() -> (usize, usize) {
    let mut given = std::env::args().skip(1);
    let (mut rotations, mut members) = (ROTATIONS, MEMBERS);
    while let Some(word) = given.next() {
        match word.as_str() {
            "--rotations" => rotations = number(given.next()),
            "--members" => members = number(given.next()),
            _ => {}
        }
    }
    (rotations.max(3), members.max(1))
}

fn number(word: Option<String>) -> usize {
    word.and_then(|word| word.parse().ok()).expect("a whole number after --rotations or --members")
}

/// Nanoseconds of each operation within one slice.
fn slice(mut work: impl FnMut()) -> Vec<u64> {
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
struct Baseline {
    connection: Connection,
    count: u64,
}

impl Baseline {
    fn new(folder: &Path) -> Self {
        let connection = Connection::open(folder.join("baseline.db")).expect("open");
        connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
                 CREATE TABLE event (id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE, body BLOB NOT NULL)",
            )
            .expect("schema");
        Self { connection, count: 0 }
    }

    fn commit(&mut self) {
        self.count += 1;
        let uid = Hash::of(&[&self.count.to_be_bytes()]);
        let mut statement = self
            .connection
            .prepare_cached("INSERT INTO event (uid, body) VALUES (?1, ?2)")
            .expect("statement");
        statement.execute((&uid.0[..16], [7u8; 200].as_slice())).expect("commit");
    }
}

/// The whole path of a swipe.
struct Product {
    core: Core,
    cards: Vec<CardText>,
    count: u64,
}

impl Product {
    fn new(folder: &Path, members: usize) -> Self {
        let terminal = Terminal {
            device: DeviceId([4; 16]),
            epoch: 1,
            name: "bench".to_owned(),
            club: CLUB,
            club_name: Words { zh: "澜庭会".to_owned(), en: "Lanting Club".to_owned() },
            office: OFFICE,
            first_key: b"bench".to_vec(),
            token_keys: vec![TokenKey::new(1, [5; 32])],
            name_key: NameKey::from_seed(b"bench"),
        };
        let cards: Vec<CardText> =
            (0..members).map(|n| CardText::uid(&(n as u64 * 7919 + 1).to_be_bytes()[1..])).collect();
        let directory = Directory::open(&folder.join("directory.db"), CLUB, terminal.name_key.clone())
            .expect("directory");
        fill(&directory, &terminal.token_keys[0], &cards);
        let store = Store::open(&folder.join("journal.db"), &terminal).expect("journal");
        let info = BootInfo {
            boot: BootId([6; 16]),
            board: Hash([0; 32]),
            software: "bench".to_owned(),
            directory: Version::default(),
        };
        store.with(|journal| journal.boot(info, &now(0))).expect("boot");
        Self { core: Core::new(store, directory, Arc::new(terminal)), cards, count: 0 }
    }

    fn swipe(&mut self) {
        self.count += 1;
        // Spread over all cards; each swipe is a purchase of another amount, so none repeats another.
        let at = usize::try_from(self.count * 48_271 % self.cards.len() as u64).expect("an index");
        let presented = Presented { card: self.cards[at].clone(), reader: 0 };
        let fen = 10_000 + i64::try_from(self.count % 1_000_000).expect("small");
        let mode = Mode { purpose: Purpose::Earn(Amount(fen)), operator: None };
        let swiped = self.core.swipe(&presented, &mode, &now(self.count)).expect("a durable swipe");
        assert!(swiped.seq.is_some() && swiped.member.is_some(), "a known member's purchase is a fact");
    }
}

fn now(count: u64) -> Now {
    let wall = NOON.offset(i64::try_from(count).expect("small") * 1_000);
    Now { wall, mono_ns: count * 1_000_000, quality: ClockQuality::Synced, trusted: wall, floor: wall }
}

/// Installs a directory by the product's own snapshot path.
fn fill(directory: &Directory, key: &TokenKey, cards: &[CardText]) {
    let mut rows = vec![
        DirectoryRow::Office(OfficeRow {
            office: OFFICE,
            code: "A".to_owned(),
            name: Words { zh: "案场".to_owned(), en: "Office".to_owned() },
            clock: OfficeClock::default(),
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
            points: Amount(10),
            places: None,
            offices: Vec::new(),
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
    }
}

fn report(baseline: &[Vec<u64>], product: &[Vec<u64>], members: usize) {
    let rate = |times: &[u64]| times.len() as f64 / times.iter().sum::<u64>() as f64;
    let rates: Vec<f64> = baseline.iter().zip(product).map(|(b, p)| rate(p) / rate(b)).collect();
    let medians: Vec<f64> =
        baseline.iter().zip(product).map(|(b, p)| quantile(p, 0.5) / quantile(b, 0.5)).collect();
    // A slice holds too few operations for a 99th percentile: over all slices of each side, which alternated.
    let all = |sides: &[Vec<u64>]| sides.concat();
    let p99 = quantile(&all(product), 0.99) / quantile(&all(baseline), 0.99);
    let (swipes, commits) = (all(product).len(), all(baseline).len());
    println!(
        "{} rotations of 40 ms slices, {members} members: {swipes} swipes beside {commits} bare commits; \
         a swipe {:.0} us at the median, a bare commit {:.0} us",
        rates.len(),
        quantile(&all(product), 0.5) / 1_000.0,
        quantile(&all(baseline), 0.5) / 1_000.0
    );
    line("P1 durable swipes/s over bare commits/s", &rates, |ratio| ratio >= GOAL_RATE, GOAL_RATE, ">=");
    line("P2 swipe p50 over bare commit p50", &medians, |ratio| ratio <= GOAL_P50, GOAL_P50, "<=");
    line("P2 swipe p99 over bare commit p99", &[p99], |ratio| ratio <= GOAL_P99, GOAL_P99, "<=");
}

fn line(what: &str, ratios: &[f64], holds: impl Fn(f64) -> bool, goal: f64, sign: &str) {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |q: f64| sorted[place(sorted.len(), q)];
    let verdict = if holds(at(0.5)) { "reached" } else { "missed" };
    println!("{what}: {:.2} [{:.2}..{:.2}], goal {sign} {goal}: {verdict}", at(0.5), at(0.25), at(0.75));
}

fn quantile(times: &[u64], q: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(place(sorted.len(), q)).map_or(f64::NAN, |time| *time as f64)
}

/// Index of a quantile in a sorted list.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below the length")]
fn place(length: usize, q: f64) -> usize {
    ((length.saturating_sub(1)) as f64 * q).round() as usize
}
