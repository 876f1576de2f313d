//! Schemas: new, older, newer and foreign databases, and migrations that fail.

use super::*;

const V1: Migration =
    Migration { number: 1, name: "first", text: "CREATE TABLE a (k BLOB PRIMARY KEY, n BIGINT NOT NULL);" };

const V2: Migration = Migration { number: 2, name: "second", text: "ALTER TABLE a ADD COLUMN t TEXT;" };

const BROKEN: Migration = Migration {
    number: 2,
    name: "broken",
    text: "CREATE TABLE b (n BIGINT); INSERT INTO nowhere VALUES (1);",
};

fn migrate_file(path: &str, all: &[Migration]) -> Result<(), DbError> {
    let place = Place::File(path.into());
    migrate::open_sqlite_with(&place, Older::Migrate, all).map(drop)
}

#[test]
fn migrations_are_numbered_without_gaps() {
    for (expected, migration) in (1..).zip(MIGRATIONS) {
        assert_eq!(migration.number, expected, "{}", migration.name);
    }
}

#[test]
fn case_21_a_newer_database_is_refused_and_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db").display().to_string();
    migrate_file(&path, &[V1, V2]).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = migrate_file(&path, &[V1]).unwrap_err();
    assert!(matches!(error, DbError::Newer { found: 2, known: 1, .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn case_23_a_foreign_file_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "this is no database, but somebody's notes ".repeat(200);
    std::fs::write(&path, &text).unwrap();
    let error = migrate_file(path.to_str().unwrap(), &[V1]).unwrap_err();
    assert!(matches!(error, DbError::Foreign { .. }), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    let path = folder.path().join("other.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA application_id=7; CREATE TABLE mine (n);").unwrap();
    drop(other);
    let before = std::fs::read(&path).unwrap();
    let error = migrate_file(path.to_str().unwrap(), &[V1]).unwrap_err();
    assert!(matches!(error, DbError::Foreign { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn case_10_an_empty_file_is_a_new_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    std::fs::write(&path, b"").unwrap();
    migrate_file(path.to_str().unwrap(), &[V1]).unwrap();
    migrate_file(path.to_str().unwrap(), &[V1, V2]).unwrap();
}

#[test]
fn case_05_a_failing_migration_leaves_the_old_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db").display().to_string();
    migrate_file(&path, &[V1]).unwrap();
    let error = migrate_file(&path, &[V1, BROKEN]).unwrap_err();
    assert!(error.to_string().starts_with("migration 0002_broken failed and was rolled back"), "{error}");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let tables: i64 = connection
        .query_row("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'b'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 0);
    drop(connection);
    migrate_file(&path, &[V1, V2]).unwrap();
}

#[test]
fn events_that_were_told_stay_when_the_list_of_their_kinds_grows() {
    /// The migration with which refused orders came.
    const REFUSED: usize = 21;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db").display().to_string();
    let told = |id: u8, kind: &str| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let sql = "INSERT INTO told_event (id, member, kind, code, day, cost, paid_percent, serial, office, reason, scheme, \
                   asked, asker, entry) VALUES (?1, x'01', ?2, '', 20779, 0, 100, 'T-1', x'02', x'03', 1, 5, 'admin', x'04')";
        connection.execute(sql, rusqlite::params![[id], kind]).is_ok()
    };
    migrate_file(&path, &MIGRATIONS[..REFUSED - 1]).unwrap();
    assert!(told(1, "task") && !told(2, "refusal"));
    migrate_file(&path, &MIGRATIONS[..REFUSED]).unwrap();
    assert!(told(2, "refusal") && !told(3, "whim") && !told(1, "task"), "each once, of a known kind");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT COUNT(*) FROM told_event WHERE serial = 'T-1'"), 2, "the first is there still");
    let indexes = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'index' AND name LIKE 'told_event_%'";
    assert_eq!(count(indexes), 2);
}

#[tokio::test]
async fn postgres_migrates_once_even_if_two_start_together() {
    let place = TestPlace::new(Engine::Postgres).await;
    let (one, two) = (Postgres::new(&place.url).unwrap(), Postgres::new(&place.url).unwrap());
    let (a, b) = tokio::join!(
        migrate::migrate_postgres_with(&one, Older::Migrate, &[V1, V2]),
        migrate::migrate_postgres_with(&two, Older::Migrate, &[V1, V2]),
    );
    a.unwrap();
    b.unwrap();
    let newer = migrate::migrate_postgres_with(&one, Older::Migrate, &[V1]).await.unwrap_err();
    assert!(matches!(newer, DbError::Newer { .. }), "{newer:?}");
    let third = Migration { number: 3, ..BROKEN };
    migrate::migrate_postgres_with(&one, Older::Migrate, &[V1, V2, third]).await.unwrap_err();
    migrate::migrate_postgres_with(&one, Older::Refuse, &[V1, V2]).await.unwrap();
    one.close();
    two.close();
    place.remove().await;
}
