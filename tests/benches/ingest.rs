//! P7 to P9: what taking facts in costs beside a bare transaction that writes the same rows.
//!
//! Product: batches of 500 facts over real HTTP and TLS with client certificates, chain, signature, cursor, every check,
//! postings, balances, receipt, and their publication. Baseline: one transaction per batch on one connection that writes
//! the very rows which the product wrote (facts, postings, balances, attendance, entry, place, numbered changes, cursor)
//! into the same schema: prepared inserts on SQLite; on PostgreSQL binary COPY and one prepared upsert of whole columns
//! for each table that may have the row, once with COPY into staging tables and INSERT..SELECT (P8: like the product, it
//! can be given a batch twice) and once straight into the tables (which cannot, and is the quickest there is). All
//! sides alternate in one process, because the disk's speed drifts by more than any of them costs;
//! what is reported is the median over the rotations of the ratio within each. Beside it: what chain and signature cost
//! per fact, and bytes on the wire. With `--connections 1` no two batches can share a sync to the disk.
//!
//! `cargo bench -p hufu-tests --bench ingest [-- --rotations N --connections N --engine sqlite|postgres]`

#[path = "ingest/raw.rs"]
mod raw;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use hufu_central::clock::{Clock as _, SystemClock};
use hufu_central::db::{Db, Engine};
use hufu_central::jobs::publisher;
use hufu_edge::sync::pair::OwnKey;
use hufu_shared::cbor;
use hufu_shared::chain::{self, BatchClaim};
use hufu_shared::ids::{DeviceId, Hash};
use hufu_shared::wire::upload::{BATCH_FACTS_MAX, Upload};
use hufu_tests::kit::postgres::{Postgres, TestDatabase};
use hufu_tests::storm::device::Device;
use hufu_tests::storm::fleet::{Crowd, Plan, Site};
use hufu_tests::storm::link::Link;
use raw::{Baseline, Source, Way, Written};

/// As the service has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rotations, unless told otherwise.
const ROTATIONS: usize = 40;
/// Devices that upload at the same time, unless told otherwise.
const CONNECTIONS: usize = 4;
const MEMBERS: usize = 20_000;
/// Batches after which other devices take over: no terminal sees so many people in a day, and what one gives beyond its
/// daily limit would be held.
const BATCHES_PER_DEVICE: usize = 20;
/// The goals: the product's rate over the baseline's; microseconds of integrity per fact; bytes of framing per fact;
/// bytes of a plain check-in.
const GOAL_RATIO: f64 = 0.6;
const GOAL_INTEGRITY_US: f64 = 1.0;
const GOAL_FRAMING_BYTES: f64 = 12.0;
const GOAL_CHECK_IN_BYTES: f64 = 110.0;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn clock() -> Instant {
    Instant::now()
}

struct Arguments {
    rotations: usize,
    connections: usize,
    engines: Vec<Engine>,
}

fn arguments() -> Arguments {
    let mut given = std::env::args().skip(1);
    let mut arguments = Arguments {
        rotations: ROTATIONS,
        connections: CONNECTIONS,
        engines: vec![Engine::Sqlite, Engine::Postgres],
    };
    let number = |word: Option<String>| -> usize {
        word.and_then(|word| word.parse().ok()).expect("a whole number after --rotations or --connections")
    };
    while let Some(word) = given.next() {
        match word.as_str() {
            "--rotations" => arguments.rotations = number(given.next()).max(3),
            "--connections" => arguments.connections = number(given.next()).max(1),
            "--engine" => {
                let name = given.next().unwrap_or_default();
                arguments.engines.retain(|engine| format!("{engine:?}").eq_ignore_ascii_case(&name));
            }
            _ => {}
        }
    }
    arguments
}

fn main() -> Result<()> {
    let arguments = arguments();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    perf_p09_integrity_costs_little_per_fact()?;
    for engine in &arguments.engines {
        runtime.block_on(perf_p07_p08_batches_beside_a_bare_transaction(*engine, &arguments))?;
    }
    Ok(())
}

/// Databases of one engine: the product's and the baseline's.
struct Places {
    product: Option<String>,
    baselines: Vec<String>,
    _databases: Vec<TestDatabase>,
}

impl Places {
    fn new(engine: Engine, folder: &Path) -> Result<Self> {
        if engine == Engine::Sqlite {
            let baseline = folder.join("baseline.db").display().to_string();
            return Ok(Self { product: None, baselines: vec![baseline], _databases: Vec::new() });
        }
        let databases = vec![Postgres::for_test()?, Postgres::for_test()?, Postgres::for_test()?];
        let url = |n: usize| databases[n].url.clone();
        Ok(Self { product: Some(url(0)), baselines: vec![url(1), url(2)], _databases: databases })
    }
}

async fn perf_p07_p08_batches_beside_a_bare_transaction(engine: Engine, arguments: &Arguments) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("hufu-ingest-").tempdir()?;
    let places = Places::new(engine, folder.path())?;
    let facts = (arguments.rotations + 1) * arguments.connections * BATCH_FACTS_MAX;
    let plan = Plan {
        members: MEMBERS,
        occurrences: facts / MEMBERS + 1,
        connections_max: 64,
        uploads_waiting_max: 64,
    };
    let listen = "127.0.0.1:0".parse()?;
    let (site, crowd) = Site::found(folder.path(), places.product.as_deref(), listen, &plan).await?;
    let shifts = arguments.rotations / BATCHES_PER_DEVICE + 1;
    let devices = site.enrol(arguments.connections * shifts).await?;
    site.arrive();
    publisher::publish_all(&site.app).await?;
    for baseline in &places.baselines {
        Db::open(baseline).await?.close().await;
    }
    let source = match &places.product {
        Some(url) => Source::postgres(url).await?,
        None => Source::sqlite(&site.app.config.database_url())?,
    };
    let mut baselines = Vec::new();
    for (n, place) in places.baselines.iter().enumerate() {
        baselines.push(match (engine, n) {
            (Engine::Sqlite, _) => ("prepared inserts", Baseline::sqlite(place)?),
            (Engine::Postgres, 0) => {
                ("COPY and INSERT..SELECT", Baseline::postgres(place, Way::Staged).await?)
            }
            (Engine::Postgres, _) => ("COPY straight in", Baseline::postgres(place, Way::Straight).await?),
        });
    }
    let mut product = Product::new(&site, crowd, devices, arguments.connections).await?;
    let measured = alternate(&site, &mut product, source, baselines, arguments.rotations).await?;
    let wanted = (BATCH_FACTS_MAX * arguments.connections) as u64;
    for written in &measured.rows {
        ensure!(written.facts == wanted, "{} facts were stored of {wanted}", written.facts);
        ensure!(written.cases == 0, "the run was to be without cases, met {}", written.cases);
    }
    report(engine, arguments, &measured, &product.sent);
    product.close();
    site.stop().await;
    Ok(())
}

/// The devices with their connections.
struct Product {
    crowd: Crowd,
    devices: Vec<(Device, Link)>,
    centre: SocketAddr,
    /// How many upload at the same time.
    at_once: usize,
    next: usize,
    sent: Option<Upload>,
}

/// Times per rotation, and what was written.
struct Measured {
    product: Vec<Duration>,
    /// For each bare side.
    baselines: Vec<(&'static str, Vec<Duration>)>,
    receipts: Vec<Duration>,
    rows: Vec<Counts>,
}

struct Counts {
    facts: u64,
    rows: u64,
    cases: u64,
}

impl Product {
    async fn new(site: &Site, crowd: Crowd, devices: Vec<Device>, at_once: usize) -> Result<Self> {
        let mut linked = Vec::new();
        for mut device in devices {
            let mut link = device.connect(site.device).await?;
            // The boot goes first, so that every measured batch is alike.
            let now = || SystemClock.now();
            let boot = device.batch(1, now())?.context("a boot waits")?;
            let receipt = device.upload(&mut link, &boot, now).await?;
            ensure!(receipt.is_ok(), "{receipt:?}");
            linked.push((device, link));
        }
        Ok(Self { crowd, devices: linked, centre: site.device, at_once, next: 0, sent: None })
    }

    /// Those whose turn it is.
    fn on_duty(&mut self, rotation: usize) -> &mut [(Device, Link)] {
        let from = rotation / BATCHES_PER_DEVICE * self.at_once;
        &mut self.devices[from..from + self.at_once]
    }

    /// Signed batches, one per device.
    async fn record(&mut self, rotation: usize) -> Result<Vec<Upload>> {
        let mut batches = Vec::new();
        let from = rotation / BATCHES_PER_DEVICE * self.at_once;
        for (device, link) in &mut self.devices[from..from + self.at_once] {
            // A connection that was idle for long is gone; a new one is no part of what is measured.
            if link.is_closed() {
                *link = device.connect(self.centre).await?;
            }
        }
        for (device, _) in &mut self.devices[from..from + self.at_once] {
            for _ in 0..BATCH_FACTS_MAX {
                let (shown, event) = self.crowd.fact(self.next);
                self.next += 1;
                device.record(SystemClock.now(), shown, event);
            }
            let batch = device.batch(BATCH_FACTS_MAX, SystemClock.now())?;
            batches.push(batch.context("facts wait")?);
        }
        self.sent = batches.first().cloned();
        Ok(batches)
    }

    async fn upload(&mut self, rotation: usize, batches: &[Upload]) -> Result<()> {
        let sending =
            self.on_duty(rotation).iter_mut().zip(batches).map(|((device, link), batch)| async move {
                let receipt = device.upload(link, batch, || SystemClock.now()).await?;
                let receipt = receipt.map_err(|said| anyhow::anyhow!("no receipt: {said:?}"))?;
                let told = &receipt.result.dispositions;
                ensure!(told.is_empty(), "all is plainly applied: {:?}", told.first());
                Ok(())
            });
        try_join_all(sending).await.map(drop)
    }

    fn close(self) {
        drop(self.devices);
    }
}

async fn alternate(
    site: &Site,
    product: &mut Product,
    mut source: Source,
    mut baselines: Vec<(&'static str, Baseline)>,
    rotations: usize,
) -> Result<Measured> {
    let named = baselines.iter().map(|(name, _)| (*name, Vec::new())).collect();
    let mut measured =
        Measured { product: Vec::new(), baselines: named, receipts: Vec::new(), rows: Vec::new() };
    for rotation in 0..=rotations {
        let batches = product.record(rotation).await?;
        let begin = clock();
        product.upload(rotation, &batches).await?;
        let receipted = begin.elapsed();
        publisher::publish_all(&site.app).await?;
        let took = begin.elapsed();
        let mut written = Vec::new();
        for batch in &batches {
            written
                .push(source.written(batch.header.device, batch.header.from_seq, batch.header.count).await?);
        }
        for ((_, baseline), (_, times)) in baselines.iter_mut().zip(&mut measured.baselines) {
            let begin = clock();
            for rows in &written {
                baseline.write(rows).await?;
            }
            // The first rotation warms caches and prepares statements.
            if rotation > 0 {
                times.push(begin.elapsed());
            }
        }
        if rotation > 0 {
            measured.product.push(took);
            measured.receipts.push(receipted);
            let sum = |count: fn(&Written) -> u64| written.iter().map(count).sum();
            measured.rows.push(Counts {
                facts: sum(|rows| rows.count("fact")),
                rows: sum(Written::all),
                cases: sum(|rows| rows.count("conflict")),
            });
        }
    }
    Ok(measured)
}

fn report(engine: Engine, arguments: &Arguments, measured: &Measured, sent: &Option<Upload>) {
    let facts: u64 = measured.rows.iter().map(|rows| rows.facts).sum();
    let rows: u64 = measured.rows.iter().map(|rows| rows.rows).sum();
    let seconds = |times: &[Duration]| times.iter().map(Duration::as_secs_f64).sum::<f64>();
    println!(
        "{engine:?}: {} rotations of {} batches of {BATCH_FACTS_MAX}, {:.1} rows written per fact; here and now {:.0} facts/s \
         with publication, {:.0} to the receipt",
        arguments.rotations,
        arguments.connections,
        rows as f64 / facts as f64,
        facts as f64 / seconds(&measured.product),
        facts as f64 / seconds(&measured.receipts),
    );
    for (bare, times) in &measured.baselines {
        let ratios = |product: &[Duration]| -> Vec<f64> {
            times.iter().zip(product).map(|(b, p)| b.as_secs_f64() / p.as_secs_f64()).collect()
        };
        println!("{bare}: {:.0} facts/s", facts as f64 / seconds(times));
        let name = format!(
            "P8 facts/s with all checks over a bare transaction of the same rows, {engine:?}, {bare}"
        );
        let holds = |ratio| ratio >= GOAL_RATIO;
        line(&name, &ratios(&measured.product), holds, GOAL_RATIO, ">=");
        line("   the same, to the receipt", &ratios(&measured.receipts), holds, GOAL_RATIO, ">=");
    }
    if let Some(upload) = sent {
        let bodies: usize = upload.facts.iter().map(|fact| fact.body.len()).sum();
        let all = cbor::encode(upload).len();
        let per_fact = |bytes: usize| bytes as f64 / upload.facts.len() as f64;
        line(
            "P9 bytes of framing per fact",
            &[per_fact(all - bodies)],
            |b| b <= GOAL_FRAMING_BYTES,
            GOAL_FRAMING_BYTES,
            "<=",
        );
        line(
            "P9 bytes of a fact, mean of check-ins and purchases",
            &[per_fact(bodies)],
            |b| b <= GOAL_CHECK_IN_BYTES,
            GOAL_CHECK_IN_BYTES,
            "<=",
        );
    }
}

/// Chain and signature over batches of 500 bodies of 100 bytes: what each side reckons per fact.
fn perf_p09_integrity_costs_little_per_fact() -> Result<()> {
    const ROUNDS: usize = 200;
    let key = OwnKey::generate()?;
    let bodies: Vec<Vec<u8>> =
        (0..BATCH_FACTS_MAX).map(|n| [Hash::of(&[&n.to_be_bytes()]).0.as_slice(); 3].concat()).collect();
    let start = chain::start(DeviceId([1; 16]), 1, b"key");
    let request = key.request(hufu_shared::wire::enrol::Purpose::Device, &[])?;
    ensure!(!request.der.is_empty(), "a key that can sign");
    let claim = |head: Hash| BatchClaim {
        device: DeviceId([1; 16]),
        epoch: 1,
        from_seq: 1,
        count: 500,
        head,
        key_id: [0; 16],
    };
    let signer = raw::signer()?;
    let (mut device, mut centre) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begin = clock();
        let head = chain::head(start, bodies.iter().map(Vec::as_slice));
        let signature = signer.sign(&claim(head).message())?;
        device.push(begin.elapsed());
        let begin = clock();
        let head = chain::head(start, bodies.iter().map(Vec::as_slice));
        ensure!(signer.verify(&claim(head).message(), &signature), "the signature holds");
        centre.push(begin.elapsed());
    }
    for (side, times) in [("a terminal", &device), ("the centre", &centre)] {
        let each: Vec<f64> =
            times.iter().map(|time| time.as_secs_f64() * 1e6 / BATCH_FACTS_MAX as f64).collect();
        let what = format!("P9 us of chain and signature per fact at {side}");
        line(&what, &each, |us| us <= GOAL_INTEGRITY_US, GOAL_INTEGRITY_US, "<=");
    }
    Ok(())
}

fn line(what: &str, ratios: &[f64], holds: impl Fn(f64) -> bool, goal: f64, sign: &str) {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |q: f64| sorted[place(sorted.len(), q)];
    let verdict = if holds(at(0.5)) { "reached" } else { "missed" };
    println!("{what}: {:.2} [{:.2}..{:.2}], goal {sign} {goal}: {verdict}", at(0.5), at(0.25), at(0.75));
}

/// Index of a quantile in a sorted list.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below the length")]
fn place(length: usize, q: f64) -> usize {
    ((length.saturating_sub(1)) as f64 * q).round() as usize
}
