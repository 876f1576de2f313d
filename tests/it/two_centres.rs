//! Two real processes of one centre over one PostgreSQL, side by side: terminals upload to either, follow the directory
//! at either, and the process that publishes is killed in the middle. Nothing is numbered twice or skipped, and the
//! other one goes on.

use anyhow::{Context as _, Result, ensure};
use hufu_edge::sync::pair::certificate_from_pem;
use hufu_shared::code::EnrolCode;
use hufu_shared::fact::{Earned, Event, Shown, Subject};
use hufu_shared::ids::Hash;
use hufu_shared::member::CardStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Instant;
use hufu_shared::token::{CardText, MediumKind};
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::upload::ReceiptMark;
use hufu_tests::kit::clock;
use hufu_tests::kit::postgres::Postgres;
use hufu_tests::kit::process::{Program, free_port};
use hufu_tests::storm::device::Device;
use hufu_tests::storm::follower::Follower;
use hufu_tests::storm::link::{Link, Said};
use hufu_tests::story::books::Engine;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::cli;
use rustls::pki_types::CertificateDer;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often two who hear of the same centre may be a version apart.
const LOOKS_MAX: u32 = 20;
/// Members, each with a card.
const MEMBERS: u8 = 24;
const DEVICES: usize = 6;
/// Facts that each device records, in batches of a few.
const FACTS_PER_DEVICE: u64 = 160;
/// How long the whole may take.
const LIMIT: Duration = Duration::from_secs(240);
const SERVE_LIMIT: Duration = Duration::from_secs(60);
/// How long the other process may take to go on numbering after the publisher was killed: its term, and some.
const TAKE_OVER_LIMIT: Duration = Duration::from_secs(15);
/// How long a change at one process may take to wake a long poll at the other.
const WAKE_LIMIT: Duration = Duration::from_secs(5);
const POLL_MS: u32 = 1_000;

/// One of the two processes.
struct Server {
    device: SocketAddr,
    process: String,
    program: Program,
}

impl Server {
    /// Starts to serve with the centre's own configuration, on ports of its own.
    fn start(centre: &Centre, name: &str) -> Result<Self> {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (device, console) = (local(free_port()?), local(free_port()?));
        let config = std::fs::read_to_string(centre.config())?
            .replace(&centre.device.to_string(), &device.to_string())
            .replace(&centre.console.to_string(), &console.to_string());
        let path = centre.folder.join(format!("{name}.toml"));
        std::fs::write(&path, config)?;
        let mut command = std::process::Command::new(hufu_tests::kit::process::program("hufu-central")?);
        command.arg("--config").arg(&path).arg("serve").env("NO_COLOR", "1");
        let mut program = Program::spawn(name, command, &centre.folder.join(format!("{name}.log")))?;
        program.wait_for("answer on both ports", SERVE_LIMIT, |_| {
            [device, console].iter().all(|port| TcpStream::connect(port).is_ok()).then_some(())
        })?;
        let process = program.wait_for("its name in the log", SERVE_LIMIT, |program| {
            let log = program.log();
            let at = log.find("process=")? + "process=".len();
            Some(
                log[at..]
                    .chars()
                    .filter(|c| *c != '"')
                    .take_while(char::is_ascii_hexdigit)
                    .collect::<String>(),
            )
        })?;
        Ok(Self { device, process, program })
    }
}

/// What every client shares.
struct Field {
    servers: Mutex<Vec<SocketAddr>>,
    /// Every signed head that anyone was shown, by the size of the journal.
    heads: Mutex<BTreeMap<u64, Hash>>,
    is_over: AtomicBool,
    drained: AtomicUsize,
}

impl Field {
    fn note(&self, mark: &ReceiptMark) -> Result<()> {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let known = *heads.entry(mark.journal_size).or_insert(mark.journal_head);
        ensure!(known == mark.journal_head, "two heads of the journal at {}", mark.journal_size);
        Ok(())
    }

    fn server(&self, turn: usize) -> SocketAddr {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers[turn % servers.len()]
    }
}

fn uid(n: u8) -> [u8; 7] {
    [0x04, 0xA2, 0x2B, 0x91, 0x5C, 0x61, n]
}

fn members_csv() -> String {
    let mut csv = String::from("会员编号,姓名,性别\n");
    for n in 1..=MEMBERS {
        let _ = writeln!(csv, "M{n:04},王静怡,女");
    }
    csv
}

fn cards_csv(lost: impl Fn(u8) -> bool) -> String {
    let mut csv = String::from("芯片号,会员编号,状态\n");
    for n in 1..=MEMBERS {
        let status = if lost(n) { "挂失" } else { "在用" };
        let _ = writeln!(csv, "{},M{n:04},{status}", data_encoding::HEXUPPER.encode(&uid(n)));
    }
    csv
}

fn now() -> Instant {
    let since = clock::wall().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Instant(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn purchase(device: &mut Device, n: u8, fen: i64) {
    let token = device.token_keys[0].token(&CardText::uid(&uid(n)));
    let earned = Earned {
        subject: Subject { token, member: None, reader: 0, medium: MediumKind::Uid, code: None },
        purchase: Amount(fen),
        promised: vec![Leg { unit: Unit::Pts, amount: Amount(fen / 10_000 * 2) }],
        slip: None,
        replaces: None,
        repeats: None,
        paid: None,
    };
    device.record(now(), Shown::Accepted, Event::Earned(earned));
}

/// A device that records and uploads, to one process and then to the other, until all its facts are receipted.
async fn upload_all(mut device: Device, field: Arc<Field>, from: usize) -> Result<u64> {
    let (mut turn, mut recorded) = (from, 0);
    while recorded < FACTS_PER_DEVICE || device.waiting() > 0 {
        let more = (3 + recorded % 7).min(FACTS_PER_DEVICE - recorded);
        for n in 0..more {
            let member = u8::try_from((recorded + n + from as u64 * 5) % u64::from(MEMBERS)).unwrap_or(0) + 1;
            purchase(&mut device, member, 10_000 * i64::try_from(recorded + n + 1)?);
        }
        recorded += more;
        turn += 1;
        let Ok(mut link) = device.connect(field.server(turn)).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Some(batch) = device.batch(usize::MAX, now())? else { continue };
        // The first goes out and the connection is dropped before the answer, now and then: the same batch comes again.
        if turn % 9 == 0 {
            let sent = device.upload(&mut link, &batch, now);
            let _ = tokio::time::timeout(Duration::from_millis(5), sent).await;
            continue;
        }
        match device.upload(&mut link, &batch, now).await {
            Ok(Ok(receipt)) => field.note(&receipt.session.mark)?,
            Ok(Err(Said::Problem { kind: Some(ProblemKind::Busy), .. })) => {}
            Ok(Err(said)) => anyhow::bail!("device {} was told {said:?}", device.device),
            // A connection that broke says nothing: what was sent goes again. A receipt that is wrong says it all.
            Err(error) if error.to_string().contains(&device.device.to_string()) => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    field.drained.fetch_add(1, Ordering::SeqCst);
    Ok(device.acked)
}

/// A device that follows the directory and the block list, at one process and then at the other.
async fn follow(device: Device, field: Arc<Field>, from: usize) -> Result<(Device, Follower)> {
    let mut follower = Follower::default();
    let mut turn = from;
    while !field.is_over.load(Ordering::SeqCst) {
        turn += 1;
        let Ok(mut link) = device.connect(field.server(turn)).await else { continue };
        for _ in 0..4 {
            if follower.rows.is_empty() && follower.take_snapshot(&mut link).await.is_err() {
                break;
            }
            match follower.poll(&mut link, POLL_MS).await {
                Ok(updates) => {
                    device.check_mark(&updates.mark)?;
                    field.note(&updates.mark)?;
                }
                Err(error) if error.to_string().contains("back") => return Err(error),
                Err(_) => break,
            }
        }
    }
    Ok((device, follower))
}

async fn enrol(
    centre: &Centre,
    at: SocketAddr,
    root: &CertificateDer<'static>,
    name: &str,
) -> Result<Device> {
    let code: EnrolCode = centre.invite("A01", name)?.parse().context("a code")?;
    Device::enrol(at, root, &code, None).await
}

fn published(engine: &Engine) -> Result<(u64, String)> {
    let rows = engine.rows("SELECT n, holder FROM publisher")?;
    let row = rows.first().context("nothing was published")?;
    Ok((row[0].count()?, row[1].text()?.to_owned()))
}

/// A change that one process takes in wakes who waits at the other.
async fn news_pass_between_processes(
    teller: &mut Device,
    listener: &Device,
    at: (SocketAddr, SocketAddr),
    member: u8,
) -> Result<Duration> {
    let mut link = listener.connect(at.1).await?;
    let mut follower = Follower::default();
    follower.take_snapshot(&mut link).await?;
    while follower.poll(&mut link, 0).await?.directory != follower.directory {}
    let waiting = tokio::spawn(async move {
        let updates = follower.poll(&mut link, 20_000).await;
        updates.map(|updates| (updates, clock::now()))
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    let told = clock::now();
    purchase(teller, member, 990_000);
    let batch = teller.batch(usize::MAX, now())?.context("a fact waits")?;
    let mut link: Link = teller.connect(at.0).await?;
    let receipt = teller.upload(&mut link, &batch, now).await?;
    ensure!(receipt.is_ok(), "the fact was not taken: {receipt:?}");
    let (_, heard) = waiting.await??;
    Ok(heard.saturating_duration_since(told))
}

/// A terminal that is revoked through the database hears it where it waits, whichever process that is.
async fn revoked_everywhere(centre: &Centre, device: Device, at: SocketAddr) -> Result<()> {
    let mut link = device.connect(at).await?;
    let mut follower = Follower::default();
    follower.take_snapshot(&mut link).await?;
    follower.poll(&mut link, 0).await?;
    let waiting = tokio::spawn(async move { follower.poll(&mut link, 20_000).await.map(|_| ()) });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut command = centre.command()?;
    cli::must(command.args(["device", "revoke", &device.device.to_string(), "--reason", "lost"]))?;
    let heard = tokio::time::timeout(WAKE_LIMIT, waiting).await.context("it hears of it in time")??;
    ensure!(heard.is_err(), "a revoked terminal got an answer");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_of_one_centre_are_one_centre_also_when_the_publisher_is_killed() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("hufu-two-").tempdir()?;
    let done = tokio::time::timeout(LIMIT, play(folder.path())).await.context("it takes too long");
    if !matches!(done, Ok(Ok(()))) {
        let _ = folder.keep();
    }
    done?
}

async fn play(folder: &Path) -> Result<()> {
    let database = Postgres::for_test()?;
    let centre = Centre::found(&folder.join("centre"), Some(&database.url), &[])?;
    centre.import("offices", "code,name_zh,name_en\nA01,滨江案场,Riverside\n")?;
    centre.import("members", &members_csv())?;
    centre.import("cards", &cards_csv(|_| false))?;
    let engine = centre.engine.clone();
    let mut servers = vec![Server::start(&centre, "one")?, Server::start(&centre, "two")?];
    let root = certificate_from_pem(&std::fs::read(centre.folder.join("data/ca/ca.crt"))?)?;

    let mut teller = enrol(&centre, servers[0].device, &root, "teller").await?;
    let listener = enrol(&centre, servers[1].device, &root, "listener").await?;
    for (member, at) in [(1, (0, 1)), (2, (1, 0))] {
        let at = (servers[at.0].device, servers[at.1].device);
        let took = news_pass_between_processes(&mut teller, &listener, at, member).await?;
        println!("news from one process at the other after {} ms", took.as_millis());
        ensure!(took < WAKE_LIMIT, "news took {took:?}");
    }
    let thief = enrol(&centre, servers[0].device, &root, "stolen").await?;
    revoked_everywhere(&centre, thief, servers[1].device).await?;

    let field = Arc::new(Field {
        servers: Mutex::new(servers.iter().map(|server| server.device).collect()),
        heads: Mutex::default(),
        is_over: AtomicBool::new(false),
        drained: AtomicUsize::new(0),
    });
    let mut uploaders = Vec::new();
    for n in 0..DEVICES {
        let device = enrol(&centre, servers[n % 2].device, &root, &format!("device {n}")).await?;
        uploaders.push(tokio::spawn(upload_all(device, Arc::clone(&field), n)));
    }
    let other = enrol(&centre, servers[0].device, &root, "follower").await?;
    let followers =
        [(listener, 0), (other, 1)].map(|(device, n)| tokio::spawn(follow(device, Arc::clone(&field), n)));

    kill_the_publisher(&centre, &mut servers, &field).await?;
    // A command publishes beside them, and cards are lost and found meanwhile.
    for round in 0..3_u8 {
        centre.import("cards", &cards_csv(|n| n % 3 == round))?;
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    let mut acked = 0;
    for uploader in uploaders {
        acked += uploader.await??;
    }
    // Everybody hears the last news, then the day is over.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    field.is_over.store(true, Ordering::SeqCst);
    let mut held = Vec::new();
    for follower in followers {
        held.push(follower.await??);
    }
    compare_followers(&engine, &mut held, field.server(0)).await?;
    for server in &mut servers {
        ensure!(server.program.stop()?.success(), "the service stops in good order");
    }
    compare_books(&engine, &field, acked + teller.acked)?;
    let said = cli::must(centre.command()?.arg("verify"))?;
    ensure!(said.contains("all holds"), "verify says {said}");
    println!("{}", said.trim());
    Ok(())
}

/// Kills whichever process publishes while terminals upload; the other one goes on with the numbers. Then it is started
/// again.
async fn kill_the_publisher(centre: &Centre, servers: &mut Vec<Server>, field: &Field) -> Result<()> {
    let begin = clock::now();
    let at = loop {
        let (n, holder) = published(&centre.engine)?;
        let at = servers.iter().position(|server| server.process == holder);
        if let (Some(at), true) = (at, n > 60) {
            break at;
        }
        ensure!(
            begin.elapsed() < SERVE_LIMIT,
            "no process became publisher; the holder is {holder:?} at {n}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    ensure!(field.drained.load(Ordering::SeqCst) < DEVICES, "the terminals are still uploading");
    let mut dead = servers.remove(at);
    dead.program.kill_hard()?;
    field.servers.lock().unwrap_or_else(PoisonError::into_inner).retain(|server| *server != dead.device);
    let (before, killed) = (published(&centre.engine)?.0, clock::now());
    let after = loop {
        let (n, holder) = published(&centre.engine)?;
        if n > before {
            ensure!(holder == servers[0].process || holder.is_empty(), "{holder} publishes");
            break n;
        }
        ensure!(killed.elapsed() < TAKE_OVER_LIMIT, "nobody went on after {before}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    println!(
        "the publisher was killed at {before}; numbered on to {after} after {} ms",
        killed.elapsed().as_millis()
    );
    let again = Server::start(centre, "again")?;
    field.servers.lock().unwrap_or_else(PoisonError::into_inner).push(again.device);
    servers.push(again);
    Ok(())
}

/// Who followed all the way holds what one who starts now is given.
async fn compare_followers(engine: &Engine, held: &mut [(Device, Follower)], at: SocketAddr) -> Result<()> {
    let (device, _) = held.first().context("a follower")?;
    let mut link = device.connect(at).await?;
    let mut fresh = Follower::default();
    fresh.take_snapshot(&mut link).await?;
    while fresh.poll(&mut link, 0).await?.more {}
    fresh.take_deltas(&mut link).await?;
    let lost = engine.count("SELECT COUNT(*) FROM card WHERE status = 'lost'")?;
    ensure!(
        lost > 0
            && fresh.blocks.values().filter(|status| **status == CardStatus::Lost).count() as u64 == lost
    );
    for (device, follower) in held {
        // The centre's own jobs go on: both hear the last news until they stand at one version.
        let mut own = device.connect(at).await?;
        for _ in 0..LOOKS_MAX {
            for (reader, link) in [(&mut *follower, &mut own), (&mut fresh, &mut link)] {
                while reader.poll(link, 0).await?.more {}
                reader.take_deltas(link).await?;
            }
            if follower.directory == fresh.directory && follower.block == fresh.block {
                break;
            }
        }
        ensure!(follower.directory == fresh.directory, "{} stands at {}", device.device, follower.directory);
        ensure!(follower.block == fresh.block, "{} has the blocks to {}", device.device, follower.block);
        ensure!(follower.blocks == fresh.blocks, "{} skipped a block", device.device);
        let differ = follower.rows.iter().filter(|(key, row)| fresh.rows.get(*key) != Some(row)).count();
        ensure!(
            follower.rows.len() == fresh.rows.len() && differ == 0,
            "{} skipped a version: {differ} of {} rows differ",
            device.device,
            fresh.rows.len()
        );
    }
    Ok(())
}

/// The numbers are dense and unique, every head that anyone was shown is in the one chain, and every receipted fact is
/// there once.
fn compare_books(engine: &Engine, field: &Field, acked: u64) -> Result<()> {
    let rows = engine.rows("SELECT n, hash FROM entry_place ORDER BY n")?;
    let mut chain = BTreeMap::new();
    for (expected, row) in (1..).zip(&rows) {
        ensure!(row[0].count()? == expected, "number {expected} is missing");
        chain.insert(expected, row[1].bytes()?.to_vec());
    }
    ensure!(engine.count("SELECT COUNT(*) FROM entry")? == rows.len() as u64, "an entry has no number");
    let heads = field.heads.lock().unwrap_or_else(PoisonError::into_inner);
    for (n, head) in heads.iter() {
        ensure!(
            chain.get(n).is_some_and(|hash| *hash == head.0),
            "the head shown at {n} is not in the chain"
        );
    }
    ensure!(heads.len() > 10, "only {} heads were shown", heads.len());
    let (facts, points) = (
        engine.count("SELECT COUNT(*) FROM fact")?,
        engine.count("SELECT COUNT(*) FROM fact WHERE event = 'earned'")?,
    );
    // Those who only follow never uploaded their boot.
    ensure!(facts == acked, "{facts} facts are stored, {acked} were receipted");
    let postings = engine.count("SELECT COUNT(*) FROM posting WHERE code = 'earn_purchase'")?;
    ensure!(postings == points, "{postings} postings for {points} purchases");
    println!("{} entries, {} heads shown, {facts} facts", rows.len(), heads.len());
    Ok(())
}
