//! What an import of members costs beside a raw load of the rows that it wrote.
//!
//! Product: a CSV file of members is read, checked, compared with what the centre holds, sealed, indexed, committed to in
//! the journal, applied, and numbered. Baseline: the same file is parsed, and the very rows which the product wrote are put
//! into the same schema in one transaction of prepared inserts, each table sorted by its key. Both sides alternate in one
//! process on fresh databases; what is reported is the median of the ratios. On SQLite: there the two differ by the work
//! and not by the line between them. Ends with 1 if the goal is missed.
//!
//! `cargo bench -p hufu-tests --bench import [-- --rows N --rotations N]`

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hufu_central::clock::{Clock as _, SystemClock};
use hufu_central::db::{Db, Tx};
use hufu_central::import::run::{Means, Request, import, publish};
use hufu_central::import::{Kind, sheet};
use hufu_central::store::{StoreError, acts};
use hufu_central::vault::Vault;
use hufu_shared::act::{Act, Actor, ClubFounded};
use hufu_shared::ids::{ClubId, EntryId};
use hufu_shared::scheme::Words;
use hufu_shared::seal::OpenKey;
use hufu_shared::wire::version::CentralEpoch;
use rusqlite::Connection;
use rusqlite::types::Value;

/// Members in the file, unless told otherwise.
const ROWS: usize = 100_000;
/// Rotations, unless told otherwise.
const ROTATIONS: usize = 3;
/// The goal: so many times the raw load at most.
const GOAL_RATIO: f64 = 1.5;
/// Tables that an import of members writes, with the columns of their keys.
const TABLES: [(&str, &str); 9] = [
    ("entry", "id"),
    ("entry_place", "n"),
    ("member", "id"),
    ("vault_key", "member"),
    ("vault_member", "member"),
    ("vault_index", "kind, hmac, member"),
    ("vault_text", "member, commitment"),
    ("directory_change", "kind, id"),
    ("import_file", "hash"),
];

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn clock() -> Instant {
    Instant::now()
}

fn argument(name: &str, default: usize) -> usize {
    let given: Vec<String> = std::env::args().collect();
    let place = given.iter().position(|word| word == name);
    place.and_then(|at| given.get(at + 1)?.parse().ok()).unwrap_or(default)
}

fn main() -> Result<ExitCode> {
    let (rows, rotations) = (argument("--rows", ROWS), argument("--rotations", ROTATIONS).max(1));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let csv = members(rows);
    let mut ratios = Vec::new();
    for rotation in 1..=rotations {
        let folder = tempfile::Builder::new().prefix("hufu-import-").tempdir()?;
        let product = folder.path().join("product.db");
        let took = runtime.block_on(taken(folder.path(), &product, &csv, rows))?;
        let tables = written(&product)?;
        let bare = folder.path().join("baseline.db");
        runtime.block_on(async {
            Db::open(&bare.display().to_string()).await?.close().await;
            Ok::<_, anyhow::Error>(())
        })?;
        let load = loaded(&bare, &csv, &tables)?;
        let all: usize = tables.iter().map(|(_, rows)| rows.len()).sum();
        let ratio = took.as_secs_f64() / load.as_secs_f64();
        println!(
            "rotation {rotation}: {rows} members, {:.1} rows written for each; import {:.1} s, raw sorted load {:.1} s, ratio {ratio:.2}",
            all as f64 / rows as f64,
            took.as_secs_f64(),
            load.as_secs_f64(),
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let (least, median, most) = (ratios[0], ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    let is_reached = median <= GOAL_RATIO;
    println!(
        "import over a raw sorted load with parsing: {median:.2} [{least:.2}..{most:.2}], goal <= {GOAL_RATIO}: {}",
        if is_reached { "reached" } else { "missed" },
    );
    Ok(if is_reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A file of members who all differ.
fn members(rows: usize) -> String {
    const SURNAMES: [&str; 12] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "欧阳", "司马"];
    const GIVEN: [&str; 16] = [
        "静雯", "国强", "建华", "丽娟", "晓明", "雪", "婷婷", "志远", "子涵", "文博", "海燕", "伟", "芳",
        "秀英", "思琪", "俊杰",
    ];
    let mut csv = String::from("会员编号,姓名,性别,手机,证件类型,证件号码,生日,等级\n");
    for n in 0..rows {
        let (surname, given) = (SURNAMES[n % SURNAMES.len()], GIVEN[n / SURNAMES.len() % GIVEN.len()]);
        let sex = ["女", "男"][n % 2];
        let day = n % 28 + 1;
        // Writing into a string cannot fail.
        let _ = writeln!(
            csv,
            "M{n:07},{surname}{given},{sex},{},护照,E{n:08},19{}-{:02}-{day:02},金卡会员",
            13_000_000_000_u64 + n as u64 * 7_919 % 1_000_000_000,
            50 + n % 50,
            n % 12 + 1,
        );
    }
    csv
}

/// Founds a club and imports the file; answers how long that took, numbers given.
async fn taken(folder: &Path, database: &Path, csv: &str, rows: usize) -> Result<Duration> {
    let db = Db::open(&database.display().to_string()).await?;
    let vault = Vault::create(&folder.join("vault.key"))?;
    let founded = Act::ClubFounded(ClubFounded {
        club: ClubId([1; 16]),
        name: Words { zh: "会".to_owned(), en: "Club".to_owned() },
        epoch: CentralEpoch { n: 1, bits: 7 },
    });
    let now = SystemClock.now();
    let found = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        acts::take(tx, EntryId([1; 16]), now, &Actor::Command("init".to_owned()), &founded).map(|_| ())
    };
    db.write(found).await?;
    let seal = OpenKey::from_seed(&[1; 32]).seal_key();
    let means = Means { db: &db, vault: &vault, token_keys: &[], seal, clock: &SystemClock };
    let request = Request::new(Kind::Members, "members.csv".to_owned(), csv.as_bytes().to_vec());
    let begin = clock();
    let report = import(&means, request).await?;
    publish(&db).await?;
    let took = begin.elapsed();
    ensure!(report.new == rows && report.imported, "{} of {rows} were imported", report.new);
    db.close().await;
    Ok(took)
}

/// The rows that the product wrote, each table in the order of its key.
type Tables = Vec<(&'static str, Vec<Vec<Value>>)>;

fn written(database: &Path) -> Result<Tables> {
    let connection = Connection::open(database)?;
    let mut tables = Tables::new();
    for (table, key) in TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY {key}"))?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?;
        tables.push((table, rows.collect::<Result<_, _>>()?));
    }
    Ok(tables)
}

/// Parses the file and loads the rows; answers how long that took.
fn loaded(database: &Path, csv: &str, tables: &Tables) -> Result<Duration> {
    let mut connection = Connection::open(database)?;
    // As the product has it: as durable, and with as much memory.
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768")?;
    let begin = clock();
    let sheet = sheet::read(Kind::Members, csv.as_bytes())?;
    ensure!(!sheet.lines.is_empty(), "the file is parsed");
    let transaction = connection.transaction()?;
    for (table, rows) in tables {
        let Some(first) = rows.first() else { continue };
        let places: Vec<String> = (1..=first.len()).map(|n| format!("?{n}")).collect();
        let mut insert =
            transaction.prepare(&format!("INSERT INTO {table} VALUES ({})", places.join(", ")))?;
        for row in rows {
            insert.execute(rusqlite::params_from_iter(row))?;
        }
    }
    transaction.commit()?;
    Ok(begin.elapsed())
}
