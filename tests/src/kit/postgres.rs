//! A private PostgreSQL 15, and one database of its own for each test.
//!
//! The server refuses to run as root, so root hands over to `nobody`. It syncs to disk as in production; only its
//! data folder is thrown away. The test command starts one server for the whole run and names it in
//! `HUFU_TEST_POSTGRES`; without the variable a test starts its own. Out of scope: the schema.

use super::clock;
use super::process::{Program, free_port, is_root};
use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// The variable that names the server of the whole test run.
pub const SERVER_VARIABLE: &str = "HUFU_TEST_POSTGRES";
/// Where Debian puts the server's programs.
const PROGRAMS: [&str; 3] =
    ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"];
/// The superuser of the private server.
const USER: &str = "hufu";
/// How long the server may take to answer after it was started.
const START_LIMIT_MS: u64 = 60_000;
/// How long one statement of the kit may take.
const STATEMENT_LIMIT_MS: u64 = 60_000;

/// A private server; stopped and its files removed on drop.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    program: Program,
    // After the program, so that the files outlive it.
    _folder: TempDir,
}

/// A database of one test; removed on drop.
#[derive(Debug)]
pub struct TestDatabase {
    /// `postgres://…`, as a program takes it.
    pub url: String,
    name: String,
    server_url: String,
    _server: Option<Postgres>,
}

impl Postgres {
    /// Starts a server of its own.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, the folder cannot be made, or it does not answer in time.
    pub fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new()
            .prefix("hufu-postgres-")
            .tempdir_in("/tmp")
            .context("failed to make the server's folder")?;
        if is_root() {
            let (user, group) = nobody()?;
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group))
                .context("failed to hand the server's folder to nobody")?;
        }
        let data = folder.path().join("data");
        make_cluster(&programs, &data)?;
        let port = free_port()?;
        let mut command = as_ordinary_user(&programs.join("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "fsync=on",
            "max_connections=300",
            "shared_buffers=64MB",
            "log_min_messages=warning",
        ] {
            command.args(["-c", setting]);
        }
        let program = Program::spawn("postgres", command, &folder.path().join("postgres.log"))?
            .stopped_by(Signal::QUIT);
        let mut server = Self { port, program, _folder: folder };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// The address of its maintenance database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// The process id of the server.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.program.pid().as_raw_nonzero().get()
    }

    /// A new, empty database: on the server of the test run, or on a private one where there is none.
    ///
    /// # Errors
    /// When no server can be started or reached.
    pub fn for_test() -> Result<TestDatabase> {
        let (server_url, server) = match std::env::var(SERVER_VARIABLE) {
            Ok(url) if !url.is_empty() => (url, None),
            _ => {
                let server = Self::start()?;
                (server.url(), Some(server))
            }
        };
        TestDatabase::create(server_url, server)
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let url = self.url();
        self.program.wait_for("answer to `select 1`", Duration::from_millis(START_LIMIT_MS), |_| {
            execute(&url, "select 1").ok()
        })
    }
}

impl TestDatabase {
    fn create(server_url: String, server: Option<Postgres>) -> Result<Self> {
        let name = format!("hufu_{}", uuid::Uuid::from_u128(random_number()?).simple());
        execute(
            &server_url,
            &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"),
        )
        .with_context(|| format!("failed to make a database on {server_url}"))?;
        let (server_part, _) =
            server_url.rsplit_once('/').with_context(|| format!("no database name in {server_url}"))?;
        Ok(Self { url: format!("{server_part}/{name}"), name, server_url, _server: server })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(error) = execute(&self.server_url, &drop) {
            eprintln!("failed to remove the database {}: {error:#}", self.name);
        }
    }
}

/// Runs statements on a connection of its own, from any context (a thread with its own runtime, since a test may
/// be inside one already).
///
/// # Errors
/// What the server says, or that it did not answer in time.
pub fn execute(url: &str, statements: &str) -> Result<()> {
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let work = async {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                let pump = tokio::spawn(connection);
                client.batch_execute(statements).await?;
                drop(client);
                pump.await??;
                Ok(())
            };
            let limit = Duration::from_millis(STATEMENT_LIMIT_MS);
            runtime.block_on(async { tokio::time::timeout(limit, work).await })?
        });
        worker.join().map_err(|_| anyhow::anyhow!("the statement's thread panicked"))?
    })
}

fn programs() -> Result<PathBuf> {
    match PROGRAMS.iter().map(Path::new).find(|folder| folder.join("postgres").is_file()) {
        Some(folder) => Ok(folder.to_owned()),
        None => bail!("PostgreSQL is not installed (looked in {PROGRAMS:?}): install the package postgresql"),
    }
}

/// `initdb` without syncing: a cluster that a power cut spoils is one that nobody misses.
fn make_cluster(programs: &Path, data: &Path) -> Result<()> {
    let mut command = as_ordinary_user(&programs.join("initdb"));
    command.arg("-D").arg(data).args(["-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
    let output = command.output().context("failed to run initdb")?;
    if !output.status.success() {
        bail!("initdb ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// The program itself for an ordinary user; for root through `setpriv`, which execs and so keeps the process id.
fn as_ordinary_user(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // A folder that nobody may enter as its working folder makes initdb fail.
    command.current_dir("/tmp").env("LC_ALL", "C").env_remove("PGDATA");
    command
}

fn random_number() -> Result<u128> {
    let random = ring::rand::SystemRandom::new();
    let bytes: ring::rand::Random<[u8; 16]> =
        ring::rand::generate(&random).map_err(|_| anyhow::anyhow!("failed to get random bytes"))?;
    Ok(u128::from_be_bytes(bytes.expose()))
}

/// Waits until the address takes statements.
///
/// # Errors
/// When it does not within `limit`.
pub fn wait_until_reachable(url: &str, limit: Duration) -> Result<()> {
    clock::poll(limit, || execute(url, "select 1").ok()).with_context(|| format!("{url} does not answer"))
}

/// User and group of `nobody`, as PostgreSQL refuses to run as root.
fn nobody() -> Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").context("failed to read /etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("nobody:"));
    let mut fields = line.context("there is no user nobody to run PostgreSQL as")?.split(':').skip(2);
    let mut number =
        || fields.next().and_then(|field| field.parse().ok()).context("nobody has no number in /etc/passwd");
    Ok((number()?, number()?))
}
