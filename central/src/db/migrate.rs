//! Brings a database to the newest schema: all missing migrations in one transaction, or none.
//!
//! Invariants: a database of another program, or of a newer Hufu, is refused before anything is written to it; a
//! migration is written once and never changed after a release. SQLite is marked by `application_id` and
//! `user_version`; both engines keep the list of applied migrations in `schema_version`.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::migrations::MIGRATIONS;
use super::postgres::{self, Postgres, Waits};
use super::sqlite::{self, Place};
use super::{DbError, Engine, sql};

/// "HUFC" in ASCII: marks a SQLite file as a database of Hufu central.
pub(super) const APPLICATION_ID: i64 = 0x4855_4643;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// From 1, without gaps.
    pub number: i64,
    /// Short name, as in the file name.
    pub name: &'static str,
    /// Text of the file under `sql/both/migrations/`.
    pub text: &'static str,
}

const CREATE_VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS schema_version (number BIGINT PRIMARY KEY, name TEXT NOT NULL);";
/// All tables of the schema, and how many of them are ours to count by.
const COUNT_TABLES: &str = "SELECT count(*), count(*) FILTER (WHERE table_name = 'schema_version') \
     FROM information_schema.tables WHERE table_schema = current_schema()";
/// Another process may migrate the same PostgreSQL database at the same time; one of them loses and looks again.
const POSTGRES_TRIES_MAX: u32 = 5;

/// Whether an older schema may be brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Older {
    Migrate,
    Refuse,
}

/// Version of the newest migration; 0 if there is none.
pub(super) fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.number)
}

/// What is to do for a database at `found`: nothing, these migrations, or a refusal.
fn plan<'m>(at: &str, found: i64, older: Older, all: &'m [Migration]) -> Result<&'m [Migration], DbError> {
    let known = newest(all);
    if found > known {
        return Err(DbError::Newer { at: at.to_owned(), found, known });
    }
    if found < known && older == Older::Refuse {
        return Err(DbError::Older { at: at.to_owned(), found, known });
    }
    let missing = all.iter().position(|migration| migration.number > found).unwrap_or(all.len());
    Ok(&all[missing..])
}

// ---- SQLite ----

/// Opens a SQLite database and brings it to the newest schema.
pub(super) fn open_sqlite(place: &Place, older: Older) -> Result<Connection, DbError> {
    open_sqlite_with(place, older, MIGRATIONS)
}

pub(super) fn open_sqlite_with(
    place: &Place,
    older: Older,
    all: &[Migration],
) -> Result<Connection, DbError> {
    let at = place.to_string();
    let found = match place {
        Place::File(path) => inspect(place, path)?,
        Place::Memory => 0,
    };
    let missing = plan(&at, found, older, all)?;
    let connection = sqlite::open_writer(place)?;
    if found > 0 {
        sqlite::quick_check(place, &connection)?;
    }
    if !missing.is_empty() || found == 0 {
        let done = migrate_sqlite(&connection, missing, newest(all));
        if done.is_err() {
            // Closing the connection would roll back too; this keeps the error the one that matters.
            let _ = connection.execute_batch("ROLLBACK");
        }
        done?;
    }
    Ok(connection)
}

/// Reads the file's marks without writing to it; 0 for a new or empty file.
fn inspect(place: &Place, path: &Path) -> Result<i64, DbError> {
    let length = match std::fs::metadata(path) {
        Ok(about) => about.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(DbError::Open { at: place.to_string(), reason: error.to_string() }),
    };
    // A power cut while the file was made leaves it empty: that is a new database.
    if length == 0 {
        return Ok(0);
    }
    let foreign = |reason: String| DbError::Foreign { at: place.to_string(), reason };
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| sqlite::open_error(place, &error))?;
    let number = |text: &str| -> Result<i64, DbError> {
        connection.query_row(text, [], |row| row.get(0)).map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => foreign("it is not a SQLite file".to_owned()),
            _ => sqlite::open_error(place, &error),
        })
    };
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    if application == APPLICATION_ID {
        return Ok(version);
    }
    // A cut between the creation and the first commit leaves a database without marks and without tables.
    if application == 0 && version == 0 && number("SELECT COUNT(*) FROM sqlite_schema")? == 0 {
        return Ok(0);
    }
    Err(foreign(format!("its application_id is {application:#x}, expected {APPLICATION_ID:#x}")))
}

fn migrate_sqlite(connection: &Connection, missing: &[Migration], known: i64) -> Result<(), DbError> {
    let step = |number, name, text: &str| {
        connection.execute_batch(text).map_err(|error| DbError::Migration {
            number,
            name,
            reason: error.to_string(),
        })
    };
    step(0, "begin", "BEGIN IMMEDIATE")?;
    step(0, "schema_version", &sql::migration_text(CREATE_VERSIONS, Engine::Sqlite))?;
    for migration in missing {
        let text = sql::migration_text(migration.text, Engine::Sqlite);
        step(migration.number, migration.name, &text)?;
        connection
            .execute(
                "INSERT INTO schema_version (number, name) VALUES (?1, ?2)",
                (migration.number, migration.name),
            )
            .map_err(|error| DbError::Migration {
                number: migration.number,
                name: migration.name,
                reason: error.to_string(),
            })?;
    }
    let marks = format!("PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={known}; COMMIT");
    step(known, "commit", &marks)
}

// ---- PostgreSQL ----

/// Brings a PostgreSQL database to the newest schema.
pub(super) async fn migrate_postgres(database: &Postgres, older: Older) -> Result<(), DbError> {
    migrate_postgres_with(database, older, MIGRATIONS).await
}

pub(super) async fn migrate_postgres_with(
    database: &Postgres,
    older: Older,
    all: &[Migration],
) -> Result<(), DbError> {
    let mut tries = 1;
    loop {
        let found = postgres_version(database).await?;
        let missing = plan(&database.at, found, older, all)?;
        if missing.is_empty() {
            return Ok(());
        }
        match apply_postgres(database, missing.to_vec()).await {
            Err(_) if tries < POSTGRES_TRIES_MAX && postgres_version(database).await? != found => tries += 1,
            result => return result,
        }
    }
}

async fn postgres_version(database: &Postgres) -> Result<i64, DbError> {
    let at = database.at.clone();
    let ask = move |waits: &Waits<'_>| {
        let tables = postgres::numbers(waits, COUNT_TABLES)?;
        match tables[..] {
            [0, 0] => Ok(0),
            [all, 0] => Err(DbError::Foreign {
                at,
                reason: format!("its schema holds {all} tables and no schema_version"),
            }),
            _ => Ok(postgres::numbers(waits, "SELECT coalesce(max(number), 0) FROM schema_version")?[0]),
        }
    };
    database.aside(ask).await
}

async fn apply_postgres(database: &Postgres, missing: Vec<Migration>) -> Result<(), DbError> {
    let apply = move |waits: &Waits<'_>| {
        let step = |number, name, text: &str| {
            postgres::command(waits, text).map_err(|error| {
                let reason = match &error {
                    DbError::Postgres { source, .. } => {
                        source.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned())
                    }
                    _ => error.to_string(),
                };
                DbError::Migration { number, name, reason }
            })
        };
        step(0, "begin", "START TRANSACTION")?;
        step(0, "schema_version", CREATE_VERSIONS)?;
        for migration in &missing {
            let (number, name) = (migration.number, migration.name);
            step(number, name, &sql::migration_text(migration.text, Engine::Postgres))?;
            let name_quoted = name.replace('\'', "''");
            let insert =
                format!("INSERT INTO schema_version (number, name) VALUES ({number}, '{name_quoted}')");
            step(number, name, &insert)?;
        }
        step(newest(&missing), "commit", "COMMIT")
    };
    database.aside(apply).await
}
