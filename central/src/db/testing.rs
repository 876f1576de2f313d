//! Databases for tests: every store test runs on both engines.
//!
//! PostgreSQL is the server named by `HUFU_TEST_POSTGRES` (`postgres://user@host:port/postgres`); without it a private
//! one is started once per process, as an ordinary user, and ends with the process, however that ends. A server that
//! cannot be started fails the test: a store that was tried on one engine only was not tried.

use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::{Db, Engine, SqlFile};

const START_TRIES_MAX: u32 = 400;
const START_POLL_MS: u64 = 50;

/// Runs `work` on a fresh database of each engine, with all migrations applied.
///
/// # Panics
/// If a database cannot be made, or `work` panics.
pub async fn each<F, Fut>(work: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let place = TestPlace::new(engine).await;
        eprintln!("on {engine:?}");
        let db = Db::open(&place.url).await.expect("a fresh database opens");
        work(db.clone()).await;
        db.close().await;
        place.remove().await;
    }
}

/// Prepares every statement of these files on both engines: finds misspelt columns and wrong types without data.
///
/// # Panics
/// With the name of the first statement that an engine refuses.
pub async fn prepare_all(files: &[&'static SqlFile]) {
    let place = TestPlace::new(Engine::Postgres).await;
    Db::open(&place.url).await.expect("a fresh database opens").close().await;
    let client = connect(&place.url).await.expect("the database that was just made can be reached");
    for sql in files.iter().flat_map(|file| file.all()) {
        let prepared = client.prepare(sql.text(Engine::Postgres)).await;
        let statement = prepared.unwrap_or_else(|error| panic!("{} on PostgreSQL: {error:?}", sql.name));
        assert_eq!(statement.params().len(), sql.parameters, "{} has unused parameters", sql.name);
    }
    drop(client);
    place.remove().await;
    let place = TestPlace::new(Engine::Sqlite).await;
    Db::open(&place.url).await.expect("a fresh database opens").close().await;
    let connection = rusqlite::Connection::open(&place.url).expect("the file that was just made opens");
    for sql in files.iter().flat_map(|file| file.all()) {
        let prepared = connection.prepare(sql.text(Engine::Sqlite));
        let statement = prepared.unwrap_or_else(|error| panic!("{} on SQLite: {error}", sql.name));
        assert_eq!(statement.parameter_count(), sql.parameters, "{} has unused parameters", sql.name);
    }
    drop(connection);
    place.remove().await;
}

/// A place for one database, empty at first.
#[derive(Debug)]
pub struct TestPlace {
    /// What [`Db::open`] takes.
    pub url: String,
    engine: Engine,
    /// Where a file of SQLite lies: a name that nobody had before, gone with the place, also after a panic.
    _folder: Option<TempDir>,
}

impl TestPlace {
    /// Makes an empty place of this engine.
    ///
    /// # Panics
    /// If it cannot.
    pub async fn new(engine: Engine) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hufu_test_{}_{count}", std::process::id());
        let (url, folder) = match engine {
            Engine::Sqlite => {
                let folder = TempDir::with_prefix("hufu-test-").expect("the temporary folder is writable");
                (folder.path().join("central.db").display().to_string(), Some(folder))
            }
            Engine::Postgres => {
                let server = server_url();
                let client = connect(&server).await.expect("the test server answers");
                // Left by an earlier process of the same number.
                client
                    .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .await
                    .expect("an old test database can be dropped");
                client
                    .batch_execute(&format!("CREATE DATABASE {name}"))
                    .await
                    .expect("a test database can be made");
                (with_database(&server, &name), None)
            }
        };
        Self { url, engine, _folder: folder }
    }

    /// Removes the database.
    pub async fn remove(self) {
        if self.engine == Engine::Postgres {
            let name = self.url.rsplit('/').next().unwrap_or_default().to_owned();
            if let Ok(client) = connect(&server_url()).await {
                let _ = client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }
}

async fn connect(url: &str) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let mut tries = 1;
    loop {
        match tokio_postgres::connect(url, NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return Ok(client);
            }
            // 57P03: the server takes connections, but is still starting.
            Err(error) if tries < START_TRIES_MAX && error.code().is_some_and(|c| c.code() == "57P03") => {
                tokio::time::sleep(Duration::from_millis(START_POLL_MS)).await;
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn with_database(server: &str, name: &str) -> String {
    let (host, _) = server.rsplit_once('/').expect("HUFU_TEST_POSTGRES ends in /postgres");
    format!("{host}/{name}")
}

/// Address of the test server, started if need be.
fn server_url() -> String {
    static SERVER: OnceLock<(String, Option<Child>)> = OnceLock::new();
    let (url, _) = SERVER.get_or_init(|| match std::env::var("HUFU_TEST_POSTGRES") {
        Ok(url) if !url.is_empty() => (url, None),
        _ => {
            // Its standard input stays open as long as this process lives.
            let (url, server) = start_private();
            (url, Some(server))
        }
    });
    url.clone()
}

/// Makes a cluster once (copied by later processes), copies it, runs it, and stops it when standard input ends: that
/// is when the test process is gone, whatever ended it.
const PRIVATE_SERVER: &str = r#"
set -e
dir=$1; template=$2; bin=$3; shift 3
if [ ! -d "$template" ]; then
  "$@" "$bin/initdb" -D "$template.$$" -U hufu -A trust -E UTF8 --locale=C --no-sync >/dev/null
  "$@" mv -T "$template.$$" "$template" 2>/dev/null || rm -rf "$template.$$"
fi
"$@" mkdir -m 755 "$dir"
"$@" cp -a "$template" "$dir/data"
"$@" "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c max_connections=200 \
  -c shared_buffers=32MB -c logging_collector=off >"$dir.log" 2>&1 &
server=$!
read -r _ || true
kill -INT "$server"
wait "$server" || true
rm -rf "$dir" "$dir.log"
"#;

fn start_private() -> (String, Child) {
    let bin = postgres_bin();
    // The name is taken from a folder that did not exist before: a process number comes back, and with it what an
    // earlier process of that number left.
    let unused = TempDir::with_prefix("hufu-test-pg-").expect("the temporary folder is writable");
    let folder = unused.path().to_owned();
    unused.close().expect("an empty folder can be removed");
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    let template = std::env::temp_dir().join(format!("hufu-test-pg-template-{}", u8::from(is_root)));
    let mut command = Command::new("sh");
    command.arg("-c").arg(PRIVATE_SERVER).arg("sh").args([&folder, &template, &bin]);
    if is_root {
        command.args(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    } else {
        command.arg("env");
    }
    // A group of its own: the signal that ends a test must not end the clean-up.
    command
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("sh can be started");
    let socket = folder.join(".s.PGSQL.5432");
    let mut tries = 0;
    // The file appears when the server takes connections.
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        if let Ok(Some(status)) = child.try_wait() {
            panic!("the private PostgreSQL did not start ({status}); see {}.log", folder.display());
        }
        tries += 1;
        assert!(
            tries < START_TRIES_MAX,
            "the private PostgreSQL did not answer; see {}.log",
            folder.display()
        );
        std::thread::sleep(Duration::from_millis(START_POLL_MS));
    }
    let host = folder.display().to_string().replace('/', "%2F");
    (format!("postgres://hufu@{host}/postgres"), child)
}

/// Newest installed PostgreSQL.
fn postgres_bin() -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        installed.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("postgres").exists()).collect();
    found.sort();
    found.pop().expect("PostgreSQL is installed (postgresql-15), or HUFU_TEST_POSTGRES names a server")
}
