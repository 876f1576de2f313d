//! A storm: thousands of terminals come back at once with a day's queue, against a real `serve` process over TLS.
//!
//! Each simulated device has its own key, certificate, connection and chain, waits and repeats as a terminal's own retry
//! layer does, and takes nothing for delivered that has no receipt. Printed: facts per second, the most memory that the
//! centre took, and how much more was sent than was taken. `tests/long.sh storm [--facts N] [--devices N] [--postgres]`

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use hufu_central::clock::{Clock as _, SystemClock};
use hufu_central::config::LimitsConfig;
use hufu_edge::rules::backoff::{Backoff, Wish};
use hufu_shared::time::{Instant, MINUTE_US};
use hufu_shared::wire::upload::{BATCH_FACTS_MAX, TURN_ASKED_MS_MIN};
use hufu_tests::kit::clock;
use hufu_tests::kit::postgres::Postgres;
use hufu_tests::kit::process::{Program, free_port, program};
use hufu_tests::storm::device::Device;
use hufu_tests::storm::fleet::{Crowd, Plan, Site};
use hufu_tests::storm::link::{Link, Said};
use hufu_tests::story::books::Engine;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const MEMBERS: usize = 20_000;
/// The queue was recorded over so long before the storm.
const RECORDED_OVER_US: i64 = 20 * 60 * MINUTE_US;
const SERVE_LIMIT: Duration = Duration::from_secs(60);
/// Seconds between lines of progress.
const PROGRESS_S: u64 = 10;
const GOAL_RSS_MIB: f64 = 512.0;
const GOAL_AMPLIFICATION: f64 = 1.2;

/// A storm of queued facts.
#[derive(Debug, Parser)]
struct Arguments {
    /// Facts queued at all devices together
    #[arg(long, default_value_t = 1_000_000)]
    facts: usize,
    /// Devices
    #[arg(long, default_value_t = 5_000)]
    devices: usize,
    /// Over a private PostgreSQL instead of the embedded database
    #[arg(long)]
    postgres: bool,
    /// Seconds after which the storm is given up
    #[arg(long, default_value_t = 3 * 3600)]
    limit_s: u64,
}

/// What all devices count together.
#[derive(Debug, Default)]
struct Counts {
    /// Facts put on the wire, repeats included.
    sent: AtomicU64,
    /// Facts receipted.
    acked: AtomicU64,
    /// Times that a turn was asked for.
    asked: AtomicU64,
    /// Uploads that the centre put off.
    put_off: AtomicU64,
    /// Connections that broke or did not stand.
    broken: AtomicU64,
    /// Facts that were not plainly applied.
    told: AtomicU64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(storm(&arguments))
}

async fn storm(arguments: &Arguments) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("hufu-storm-").tempdir()?;
    let database = if arguments.postgres { Some(Postgres::for_test()?) } else { None };
    let url = database.as_ref().map(|database| database.url.as_str());
    let plan = Plan {
        members: MEMBERS,
        occurrences: arguments.facts / MEMBERS + 1,
        connections_max: arguments.devices + 64,
        uploads_waiting_max: LimitsConfig::default().uploads_waiting_max,
    };
    let device = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    println!("founding a club of {MEMBERS} members and enrolling {} devices", arguments.devices);
    let (site, crowd) = Site::found(folder.path(), url, device, &plan).await?;
    let devices = site.enrol(arguments.devices).await?;
    site.arrive();
    let config = site.config.clone();
    let engine = match url {
        Some(url) => Engine::Postgres(url.to_owned()),
        None => Engine::Sqlite(folder.path().join("data/central.db")),
    };
    site.stop().await;
    let mut centre = serve(&config, device, folder.path())?;
    let (counts, crowd) = (Arc::new(Counts::default()), Arc::new(crowd));
    let begin = clock::now();
    let each = arguments.facts / arguments.devices;
    println!("{} devices come back, {each} facts each", devices.len());
    let mut storming: Vec<_> = Vec::with_capacity(devices.len());
    for (n, device_of) in devices.into_iter().enumerate() {
        let queue =
            Queue { crowd: Arc::clone(&crowd), from: n * each, count: each, begun: SystemClock.now() };
        storming.push(tokio::spawn(deliver(device_of, queue, device, Arc::clone(&counts))));
    }
    let reporting = tokio::spawn(report_progress(Arc::clone(&counts), begin));
    let all = async {
        let mut facts = 0;
        for device in storming {
            facts += device.await??;
        }
        anyhow::Ok(facts)
    };
    let facts = tokio::time::timeout(Duration::from_secs(arguments.limit_s), all).await;
    reporting.abort();
    let took = begin.elapsed();
    let facts = facts.context("the storm took too long")??;
    report(&counts, facts, took, peak_rss_mib(&centre)?);
    ensure!(centre.stop()?.success(), "the centre did not stop in good order");
    // Each device's boot is a fact as well.
    let stored = engine.count("SELECT COUNT(*) FROM fact")?;
    ensure!(stored == facts, "{facts} facts were receipted, {stored} are stored");
    println!("every receipted fact is stored once: {stored}");
    Ok(())
}

fn serve(config: &Path, device: SocketAddr, folder: &Path) -> Result<Program> {
    let mut command = Command::new(program("hufu-central")?);
    command.arg("--config").arg(config).arg("serve").env("RUST_LOG", "warn");
    let mut centre = Program::spawn("hufu-central", command, &folder.join("central.log"))?;
    centre
        .wait_for("answer on its port", SERVE_LIMIT, |_| TcpStream::connect(device).is_ok().then_some(()))?;
    Ok(centre)
}

/// The most memory that a process ever held.
fn peak_rss_mib(program: &Program) -> Result<f64> {
    let path = format!("/proc/{}/status", program.pid().as_raw_nonzero());
    let status = std::fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().context("a size in kB")?;
    Ok(kib / 1024.0)
}

/// What one device recorded while it was away.
struct Queue {
    crowd: Arc<Crowd>,
    from: usize,
    count: usize,
    begun: Instant,
}

impl Queue {
    /// Puts the next facts into the device's hands, as many as a batch holds.
    fn fill(&self, device: &mut Device, next: &mut usize) {
        while device.waiting() < BATCH_FACTS_MAX && *next < self.count {
            let (shown, event) = self.crowd.fact(self.from + *next);
            let step = RECORDED_OVER_US / i64::try_from(self.count).unwrap_or(1);
            let ago = step * i64::try_from(self.count - *next).unwrap_or(0);
            device.record(self.begun.offset(-ago), shown, event);
            *next += 1;
        }
    }
}

/// Delivers a whole queue; answers how many facts were receipted.
async fn deliver(mut device: Device, queue: Queue, centre: SocketAddr, counts: Arc<Counts>) -> Result<u64> {
    let (mut backoff, mut next) = (Backoff::default(), 0);
    let mut link: Option<Link> = None;
    let mut is_back = false;
    let now = || SystemClock.now();
    loop {
        queue.fill(&mut device, &mut next);
        let Some(batch) = device.batch(BATCH_FACTS_MAX, now())? else { return Ok(device.acked) };
        // The centre closes what is idle.
        let mut open = match link.take().filter(|open| !open.is_closed()) {
            Some(open) => open,
            None => match device.connect(centre).await {
                Ok(open) => open,
                Err(_) => {
                    counts.broken.fetch_add(1, Ordering::Relaxed);
                    is_back = false;
                    rest(&mut backoff, Wish::Nothing).await?;
                    continue;
                }
            },
        };
        // A terminal that comes back hears the centre before it sends, and is told its turn.
        if !is_back {
            let waiting = device.waiting() + queue.count - next;
            match device.turn(&mut open, waiting).await {
                Ok(turn) => {
                    is_back = turn.max_facts > 0;
                    counts.asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(turn.next_poll_ms.into())).await;
                }
                Err(error) if error.to_string().contains(&device.device.to_string()) => return Err(error),
                Err(_) => {
                    counts.broken.fetch_add(1, Ordering::Relaxed);
                    rest(&mut backoff, Wish::Nothing).await?;
                }
            }
            link = Some(open);
            continue;
        }
        let said = device.upload(&mut open, &batch, now).await;
        let facts = u64::from(batch.header.count);
        match said {
            Ok(Ok(receipt)) => {
                counts.sent.fetch_add(facts, Ordering::Relaxed);
                counts.acked.fetch_add(facts, Ordering::Relaxed);
                counts.told.fetch_add(receipt.result.dispositions.len() as u64, Ordering::Relaxed);
                backoff.succeeded();
                link = Some(open);
                let wait = Duration::from_millis(receipt.session.credit.next_poll_ms.into());
                tokio::time::sleep(wait).await;
            }
            // The centre decides before it reads the body, but the body was on the wire.
            Ok(Err(Said::Problem { problem, retry_after_ms, .. })) if matches!(problem.status, 429 | 503) => {
                counts.sent.fetch_add(facts, Ordering::Relaxed);
                counts.put_off.fetch_add(1, Ordering::Relaxed);
                // As a terminal does: put off for a moment it comes by itself, for longer it asks first.
                is_back = retry_after_ms.is_some_and(|ms| ms < TURN_ASKED_MS_MIN);
                rest(&mut backoff, retry_after_ms.map_or(Wish::Nothing, Wish::ByTheCentre)).await?;
            }
            Ok(Err(said)) => anyhow::bail!("device {} was told {said:?}", device.device),
            Err(error) if error.to_string().contains(&device.device.to_string()) => return Err(error),
            Err(_) => {
                counts.sent.fetch_add(facts, Ordering::Relaxed);
                counts.broken.fetch_add(1, Ordering::Relaxed);
                is_back = false;
                rest(&mut backoff, Wish::Nothing).await?;
            }
        }
    }
}

async fn rest(backoff: &mut Backoff, wish: Wish) -> Result<()> {
    let random: ring::rand::Random<[u8; 8]> = ring::rand::generate(&ring::rand::SystemRandom::new())
        .map_err(|_| anyhow::anyhow!("no randomness"))?;
    let age_s = u64::try_from(RECORDED_OVER_US / 1_000_000).unwrap_or(0);
    let wait_ms = wish.wait_ms(backoff, u64::from_be_bytes(random.expose()), age_s);
    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    Ok(())
}

async fn report_progress(counts: Arc<Counts>, begin: std::time::Instant) {
    loop {
        tokio::time::sleep(Duration::from_secs(PROGRESS_S)).await;
        let acked = counts.acked.load(Ordering::Relaxed);
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "{seconds:>6.0} s: {acked} facts receipted, {:.0}/s, put off {}, broken {}",
            acked as f64 / seconds,
            counts.put_off.load(Ordering::Relaxed),
            counts.broken.load(Ordering::Relaxed)
        );
    }
}

fn report(counts: &Counts, facts: u64, took: Duration, rss_mib: f64) {
    let (sent, acked) = (counts.sent.load(Ordering::Relaxed), counts.acked.load(Ordering::Relaxed));
    println!(
        "{facts} facts in {:.1} s: {:.0} facts/s",
        took.as_secs_f64(),
        facts as f64 / took.as_secs_f64()
    );
    let verdict = |holds: bool| if holds { "reached" } else { "missed" };
    println!(
        "peak RSS of the centre: {rss_mib:.0} MiB, goal <= {GOAL_RSS_MIB}: {}",
        verdict(rss_mib <= GOAL_RSS_MIB)
    );
    let amplification = sent as f64 / acked.max(1) as f64;
    println!(
        "retry amplification: {amplification:.3}, goal <= {GOAL_AMPLIFICATION}: {}; turns asked for {}, put off {}, \
         broken connections {}, facts not plainly applied {}",
        verdict(amplification <= GOAL_AMPLIFICATION),
        counts.asked.load(Ordering::Relaxed),
        counts.put_off.load(Ordering::Relaxed),
        counts.broken.load(Ordering::Relaxed),
        counts.told.load(Ordering::Relaxed)
    );
}
