//! Opening and making the two files: whose they are is settled before anything is written.
//!
//! A new file is made under another name, whole and synced, and then renamed into place: a power cut leaves either no
//! file or a usable one. A file of length zero is what some file systems leave of a file that was being made; it
//! counts as no file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{Step, StoreError};

/// Oldest SQLite that is safe to write with: before it a checkpoint could lose commits.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How long a connection waits for others at the file before it gives up, in milliseconds.
pub(super) const BUSY_TIMEOUT_MS: u64 = 5_000;
/// Prepared statements kept: more than there are.
const STATEMENTS_MAX: usize = 128;

/// One of the two kinds of file.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) what: &'static str,
    pub(super) application_id: i32,
    /// One script per version, from 1.
    pub(super) migrations: &'static [&'static str],
}

/// `HUJ1`.
pub(super) const JOURNAL: Format = Format {
    what: "journal",
    application_id: 0x4855_4a31,
    migrations: &[include_str!("../../sql/0001_journal.sql"), include_str!("../../sql/0002_tablets.sql")],
};
/// `HUP1`: a copy of a journal for practice, which is no journal.
pub(super) const PRACTICE: Format =
    Format { what: "practice copy", application_id: 0x4855_5031, migrations: JOURNAL.migrations };
/// `HUD1`.
pub(super) const DIRECTORY: Format = Format {
    what: "directory",
    application_id: 0x4855_4431,
    migrations: &[include_str!("../../sql/0001_directory.sql")],
};

impl Format {
    fn newest(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }
}

/// Whether there is a file to open: absent and empty ones are to be made.
pub(super) fn is_absent(path: &Path) -> Result<bool, StoreError> {
    match std::fs::metadata(path) {
        Ok(meta) => Ok(meta.len() == 0),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(StoreError::io(path, "look at", error)),
    }
}

/// Settles whose file it is without writing to it or beside it.
pub(super) fn check_identity(path: &Path, format: &Format) -> Result<(), StoreError> {
    let foreign = |met: String| StoreError::Foreign { path: path.to_owned(), expected: format.what, met };
    let mut header = [0; 100];
    let mut file = File::open(path).map_err(|error| StoreError::io(path, "open", error))?;
    match file.read_exact(&mut header) {
        Ok(()) if header.starts_with(MAGIC) => {}
        _ => return Err(foreign("it is no SQLite database".to_owned())),
    }
    let word = |at: usize| i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (version, id) = (i64::from(word(60)), word(68));
    if id != format.application_id {
        return Err(foreign(format!("its application id is {id:#010x}")));
    }
    if version > format.newest() {
        return Err(StoreError::Newer { path: path.to_owned(), met: version, known: format.newest() });
    }
    Ok(())
}

/// Refuses a SQLite that may lose commits.
pub(super) fn check_library(path: &Path) -> Result<(), StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        let detail = format!("SQLite {} may lose committed data, 3.51.3 is needed", rusqlite::version());
        return Err(StoreError::io(path, "open", std::io::Error::other(detail)));
    }
    Ok(())
}

/// Makes a new file beside `path`, fills it in one transaction, and renames it into place.
pub(super) fn create(
    path: &Path,
    format: &Format,
    fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    check_library(path)?;
    let new = beside(path, "new");
    remove_database(&new)?;
    let connection = Connection::open(&new).step(&new, "make")?;
    let made = (|| {
        connection.execute_batch("PRAGMA page_size=4096; PRAGMA synchronous=FULL; BEGIN IMMEDIATE;")?;
        for script in format.migrations {
            connection.execute_batch(script)?;
        }
        connection.pragma_update(None, "application_id", format.application_id)?;
        connection.pragma_update(None, "user_version", format.newest())?;
        fill(&connection)?;
        connection.execute_batch("COMMIT")
    })();
    made.step(&new, "make")?;
    connection.close().map_err(|(_, error)| StoreError::sqlite(&new, "close", error))?;
    rename(&new, path)
}

/// Renames a closed database over another place and makes the rename durable.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(|error| StoreError::io(to, "put in place", error))?;
    let folder = to.parent().unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| StoreError::io(folder, "sync folder", error))
}

/// Removes a database that is only a leftover, with what may lie beside it.
pub(super) fn remove_database(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::io(path, "remove leftover", error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes what an interrupted change left beside a file that is about to be replaced: SQLite would roll the next file
/// of that name back to it.
pub(super) fn remove_rollback(path: &Path) -> Result<(), StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-journal");
    match std::fs::remove_file(&name) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io(path, "remove leftover", error))
        }
        _ => Ok(()),
    }
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens for writing a file whose identity was checked, in WAL with every commit synced, and brings its schema up to
/// date in one transaction.
pub(super) fn open_wal(path: &Path, format: &Format) -> Result<Connection, StoreError> {
    check_library(path)?;
    let connection = open_plain(path)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; \
             PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; \
             PRAGMA journal_size_limit=8388608;",
        )
        .step(path, "set up")?;
    migrate(&connection, path, format)?;
    Ok(connection)
}

/// Opens for writing with a rollback journal: for the file that is swapped whole, where a write-ahead log left behind
/// by the file before would be taken for its own.
pub(super) fn open_rollback(path: &Path, format: &Format) -> Result<Connection, StoreError> {
    check_library(path)?;
    let connection = open_plain(path)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; \
             PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA secure_delete=ON;",
        )
        .step(path, "set up")?;
    migrate(&connection, path, format)?;
    Ok(connection)
}

/// Opens for reading only.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).step(path, "open")?;
    connection
        .execute_batch("PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0;")
        .step(path, "set up")?;
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS)).step(path, "set up")?;
    keep_statements(&connection).step(path, "set up")?;
    Ok(connection)
}

/// Opens for writing, as it is.
pub(super) fn open_plain(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).step(path, "open")?;
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS)).step(path, "open")?;
    keep_statements(&connection).step(path, "open")?;
    Ok(connection)
}

/// Statements stay compiled, whatever is bound to them: else one with `LIMIT ?1` is compiled anew each time it runs.
fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn migrate(connection: &Connection, path: &Path, format: &Format) -> Result<(), StoreError> {
    let version: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).step(path, "read version")?;
    if version > format.newest() {
        return Err(StoreError::Newer { path: path.to_owned(), met: version, known: format.newest() });
    }
    let done = usize::try_from(version).unwrap_or(0);
    if done == format.migrations.len() {
        return Ok(());
    }
    let upgraded = (|| {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for script in &format.migrations[done..] {
            connection.execute_batch(script)?;
        }
        connection.pragma_update(None, "user_version", format.newest())?;
        connection.execute_batch("COMMIT")
    })();
    upgraded.step(path, "upgrade")
}
