//! The directory's handle: found by token on the swipe path, changed by sync, swapped whole after a snapshot.
//!
//! It has a rollback journal, not a write-ahead log: a log left beside the file by the one before it would be taken for
//! its own. Reading and changing have a connection each; the swap replaces both, and until the new ones are open the old
//! reader serves the file that was unlinked. Small tables (offices, occurrences, schemes) are kept in memory, so that a
//! swipe costs two look-ups.
//!
//! A directory in which damage is met goes on serving what can be read of it, but says that it has no version: sync
//! then takes a snapshot in its place.
//!
//! Invariants: a directory of another club is never taken; a delta is taken whole, in one transaction, only onto the
//! version that it starts from. Locks are taken in the order writer, reader, small tables.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use hufu_shared::cbor;
use hufu_shared::ids::{ClubId, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member::{CardRow, DirectoryRow, MemberRow, OccurrenceRow, OfficeRow};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::choose::{At, terms_in_force};
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use hufu_shared::wire::version::{CentralEpoch, Version};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::{Step, StoreError};
use super::journal::{from_sql, to_sql};
use super::names::NameKey;
use super::open::{
    DIRECTORY, beside, check_identity, is_absent, open_reader, open_rollback, remove_rollback, rename,
};
use crate::random;

const CARD_OF_TOKEN: &str = "SELECT row FROM cards WHERE token = ?1";
const MEMBER_OF_ID: &str = "SELECT row, name FROM members WHERE member = ?1";

/// How long a look-up waits for the file while a delta is put into it, in milliseconds; it is tried twice.
const BUSY_TIMEOUT_MS: u64 = 50;

/// What a directory says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Whose it is.
    pub club: ClubId,
    /// For which office it was made.
    pub scope: OfficeId,
    /// In which life of the centre.
    pub central_epoch: CentralEpoch,
    /// What it adds up to.
    pub version: Version,
    /// When its snapshot was made.
    pub made_at: Instant,
}

/// The small tables, in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Small {
    /// What the directory says of itself; none before the first snapshot.
    pub about: Option<About>,
    /// Offices, by id.
    pub offices: Vec<OfficeRow>,
    /// Occurrences, by planned start.
    pub occurrences: Vec<OccurrenceRow>,
    /// Scheme versions, oldest first.
    pub schemes: Vec<SchemeTerms>,
}

impl Small {
    /// The directory's version, the default before the first snapshot.
    #[must_use]
    pub fn version(&self) -> Version {
        self.about.map_or_else(Version::default, |about| about.version)
    }

    /// An office.
    #[must_use]
    pub fn office(&self, office: OfficeId) -> Option<&OfficeRow> {
        self.offices.iter().find(|row| row.office == office)
    }

    /// An occurrence.
    #[must_use]
    pub fn occurrence(&self, occurrence: OccurrenceId) -> Option<&OccurrenceRow> {
        self.occurrences.iter().find(|row| row.occurrence == occurrence)
    }

    /// The scheme in force at an office on a day for a kind of member; an empty code for a member without one.
    #[must_use]
    pub fn scheme(&self, at: At, kind: &str) -> Option<&SchemeTerms> {
        terms_in_force(&self.schemes, at, kind)
    }

    /// The scheme that decided by a version, or the newest before it: as the centre reads the number.
    #[must_use]
    pub fn decided_by(&self, version: u32) -> Option<&SchemeTerms> {
        self.schemes.iter().filter(|terms| terms.version <= version).max_by_key(|terms| terms.version)
    }
}

/// What the directory knows of a presented card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The token that found it.
    pub token: Token,
    /// The card.
    pub card: CardRow,
    /// Its member, if it has one and the row is there.
    pub member: Option<MemberRow>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    club: ClubId,
    names: NameKey,
    reader: Mutex<Option<Connection>>,
    writer: Mutex<Option<Connection>>,
    small: RwLock<Arc<Small>>,
    damaged: AtomicBool,
}

/// A file that was opened and found to be ours.
struct Opened {
    writer: Connection,
    reader: Connection,
    small: Small,
}

/// The directory. Cheap to clone; all clones share the two connections.
#[derive(Debug, Clone)]
pub struct Directory {
    inner: Arc<Inner>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is replaced in one assignment; a panic elsewhere leaves it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Directory {
    /// Opens the directory at `path` for a terminal of `club`. Without a file it is empty until the first snapshot.
    ///
    /// # Errors
    /// [`StoreError`]: not a directory of ours, newer, of another club, or unreadable; the file is left as it is.
    pub fn open(path: &Path, club: ClubId, names: NameKey) -> Result<Self, StoreError> {
        let inner = Inner {
            path: path.to_owned(),
            club,
            names,
            reader: Mutex::new(None),
            writer: Mutex::new(None),
            small: RwLock::default(),
            damaged: AtomicBool::new(false),
        };
        let directory = Self { inner: Arc::new(inner) };
        if !is_absent(path)? {
            check_identity(path, &DIRECTORY)?;
            let opened = directory.open_checked()?;
            directory.serve(&mut lock(&directory.inner.writer), opened);
        }
        Ok(directory)
    }

    /// As [`Directory::open`], but a damaged file, or one that is no directory at all, is set aside (kept, under another
    /// name) and the terminal begins with none: the centre has it all, and until it comes swipes are recorded as of
    /// unknown cards. Another club's, or a newer version's, is somebody's mistake and not damage: it is refused.
    ///
    /// # Errors
    /// As [`Directory::open`], but for damage.
    pub fn open_or_set_aside(path: &Path, club: ClubId, names: NameKey) -> Result<Self, StoreError> {
        match Self::open(path, club, names.clone()) {
            Err(
                error @ (StoreError::Damaged { .. } | StoreError::Sqlite { .. } | StoreError::Foreign { .. }),
            ) => {
                tracing::error!(%error, "the directory is set aside and fetched anew");
                remove_rollback(path)?;
                rename(path, &beside(path, "damaged"))?;
                Self::open(path, club, names)
            }
            other => other,
        }
    }

    /// The small tables as they stand.
    #[must_use]
    pub fn small(&self) -> Arc<Small> {
        Arc::clone(&self.inner.small.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The version held, the default for none and for one in which damage was met.
    #[must_use]
    pub fn version(&self) -> Version {
        if self.inner.damaged.load(Ordering::Acquire) { Version::default() } else { self.small().version() }
    }

    /// The club that this terminal belongs to.
    #[must_use]
    pub fn club(&self) -> ClubId {
        self.inner.club
    }

    /// The key of whole names.
    pub(super) fn names(&self) -> &NameKey {
        &self.inner.names
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Finds a card by any of its tokens (one per key version), with its member.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be read.
    pub fn find(&self, tokens: &[Token]) -> Result<Option<Known>, StoreError> {
        let reader = lock(&self.inner.reader);
        let Some(connection) = reader.as_ref() else { return Ok(None) };
        let found = match self.find_once(connection, tokens) {
            Err(error) if error.is_busy() => self.find_once(connection, tokens),
            found => found,
        };
        found.inspect_err(|error| self.note_damage(error))
    }

    pub(super) fn reader(&self) -> MutexGuard<'_, Option<Connection>> {
        lock(&self.inner.reader)
    }

    fn find_once(&self, connection: &Connection, tokens: &[Token]) -> Result<Option<Known>, StoreError> {
        // One read transaction: two look-ups, one lock of the file.
        let path = &self.inner.path;
        let begin = connection.prepare_cached("BEGIN").and_then(|mut begin| begin.execute([]));
        begin.step(path, "begin reading")?;
        let found = self.find_in(connection, tokens);
        let end = connection.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
        if end.is_err() && !connection.is_autocommit() {
            // Left open it would fail every look-up after this one.
            connection.execute_batch("ROLLBACK").step(path, "end reading")?;
        }
        let found = found?;
        end.step(path, "end reading")?;
        Ok(found)
    }

    pub(super) fn note_damage(&self, error: &StoreError) {
        if error.is_damage() && !self.inner.damaged.swap(true, Ordering::AcqRel) {
            tracing::error!(%error, "the directory is damaged; a new one is fetched, this one serves what it can");
        }
    }

    fn find_in(&self, connection: &Connection, tokens: &[Token]) -> Result<Option<Known>, StoreError> {
        for token in tokens {
            let row: Option<CardRow> = self.row(connection, CARD_OF_TOKEN, &token.to_bytes())?;
            let Some(card) = row else { continue };
            let member = match card.member {
                Some(member) => self.member_in(connection, member)?,
                None => None,
            };
            return Ok(Some(Known { token: *token, card, member }));
        }
        Ok(None)
    }

    /// A member by id, for lists that name members of earlier swipes.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be read.
    pub fn member(&self, member: MemberId) -> Result<Option<MemberRow>, StoreError> {
        let reader = lock(&self.inner.reader);
        let Some(connection) = reader.as_ref() else { return Ok(None) };
        self.member_in(connection, member).inspect_err(|error| self.note_damage(error))
    }

    fn member_in(&self, connection: &Connection, member: MemberId) -> Result<Option<MemberRow>, StoreError> {
        let path = &self.inner.path;
        let mut statement = connection.prepare_cached(MEMBER_OF_ID).step(path, "prepare")?;
        let mut rows = statement.query([member.0]).step(path, "look up")?;
        let Some(row) = rows.next().step(path, "look up")? else { return Ok(None) };
        let mut known: MemberRow = self.decoded(row, 0)?;
        let sealed = row.get_ref(1).step(path, "look up")?.as_blob_or_null().unwrap_or_default();
        known.full_name = sealed.and_then(|sealed| self.inner.names.open(member, sealed));
        Ok(Some(known))
    }

    pub(super) fn row<T: for<'b> minicbor::Decode<'b, ()>>(
        &self,
        connection: &Connection,
        sql: &str,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        let path = &self.inner.path;
        let mut statement = connection.prepare_cached(sql).step(path, "prepare")?;
        let mut rows = statement.query([key]).step(path, "look up")?;
        let Some(row) = rows.next().step(path, "look up")? else { return Ok(None) };
        self.decoded(row, 0).map(Some)
    }

    pub(super) fn decoded<T: for<'b> minicbor::Decode<'b, ()>>(
        &self,
        row: &rusqlite::Row<'_>,
        column: usize,
    ) -> Result<T, StoreError> {
        let path = &self.inner.path;
        let bytes = row.get_ref(column).step(path, "look up")?.as_blob().unwrap_or_default();
        let damaged =
            |error: cbor::WireError| StoreError::Damaged { path: path.clone(), detail: error.to_string() };
        cbor::decode(bytes).map_err(damaged)
    }

    /// Takes rows changed since version `from`; the directory stands at `to` afterwards.
    ///
    /// # Errors
    /// [`StoreError::Snapshot`] if the directory does not stand at `from` (take a snapshot then), else as the step says.
    pub fn apply_delta(&self, rows: &[DirectoryRow], from: Version, to: Version) -> Result<(), StoreError> {
        self.take_delta(rows, from, to).inspect_err(|error| self.note_damage(error))
    }

    fn take_delta(&self, rows: &[DirectoryRow], from: Version, to: Version) -> Result<(), StoreError> {
        let mut writer = lock(&self.inner.writer);
        let held = self.version();
        let (Some(connection), true) = (writer.as_mut(), held == from) else {
            let detail = format!("a delta from version {from} does not fit a directory at version {held}");
            return Err(StoreError::Snapshot { detail });
        };
        let path = &self.inner.path;
        let transaction = connection.transaction().step(path, "begin delta")?;
        let written = (|| {
            for row in rows {
                upsert(&transaction, &self.inner.names, row)?;
            }
            transaction.execute(
                "UPDATE about SET version_epoch = ?1, version_n = ?2",
                params![to.epoch, to_sql(to.n)],
            )?;
            transaction.commit()
        })();
        written.step(path, "take delta")?;
        let connection = writer.as_ref().expect("it was there above and the lock is still held");
        self.publish(connection)
    }

    /// Puts a finished snapshot in place of the file. If it does not open after that, the old reader serves on, and
    /// another snapshot is asked for.
    pub(super) fn swap(&self, new: &Path) -> Result<(), StoreError> {
        // Held throughout: a delta must not go into the file that was unlinked. Swipes need the reader alone.
        let mut writer = lock(&self.inner.writer);
        let path = &self.inner.path;
        remove_rollback(path)?;
        match rename(new, path).and_then(|()| self.open_checked()) {
            Ok(opened) => {
                self.serve(&mut writer, opened);
                Ok(())
            }
            Err(error) => {
                *writer = None;
                self.inner.damaged.store(true, Ordering::Release);
                Err(error)
            }
        }
    }

    fn open_checked(&self) -> Result<Opened, StoreError> {
        let path = &self.inner.path;
        // The writer first: only it can roll back what a power cut left half done.
        let writer = open_rollback(path, &DIRECTORY)?;
        let small = read_small(&writer, path)?;
        match small.about {
            Some(about) if about.club != self.inner.club => {
                return Err(StoreError::OtherClub { met: about.club, own: self.inner.club });
            }
            Some(_) => {}
            None => {
                return Err(StoreError::Damaged { path: path.clone(), detail: "it names no club".into() });
            }
        }
        let reader = open_reader(path)?;
        for sql in [CARD_OF_TOKEN, MEMBER_OF_ID] {
            // A file of another shape must show now, not at the first card.
            reader.prepare_cached(sql).step(path, "prepare")?;
        }
        reader.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS)).step(path, "set up")?;
        Ok(Opened { writer, reader, small })
    }

    fn serve(&self, writer: &mut Option<Connection>, opened: Opened) {
        let mut reader = lock(&self.inner.reader);
        let before = (reader.replace(opened.reader), writer.replace(opened.writer));
        self.set_small(opened.small);
        self.inner.damaged.store(false, Ordering::Release);
        drop(reader);
        // Closing an unlinked file frees its blocks, which no card waits for.
        drop(before);
    }

    fn publish(&self, connection: &Connection) -> Result<(), StoreError> {
        self.set_small(read_small(connection, &self.inner.path)?);
        Ok(())
    }

    fn set_small(&self, small: Small) {
        *self.inner.small.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(small);
    }
}

/// Puts one row in place of the one of the same id.
pub(super) fn upsert(connection: &Connection, names: &NameKey, row: &DirectoryRow) -> rusqlite::Result<()> {
    let put = |sql: &str, key: &[u8], body: Vec<u8>| {
        connection.prepare_cached(sql)?.execute(params![key, body]).map(|_| ())
    };
    match row {
        DirectoryRow::Card(card) => {
            // A card may come back under another token, when the office group's key has changed.
            connection.prepare_cached("DELETE FROM cards WHERE card = ?1")?.execute([card.card.0])?;
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO cards (token, card, member, row) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    card.token.to_bytes(),
                    card.card.0,
                    card.member.map(|member| member.0),
                    cbor::encode(card)
                ])
                .map(|_| ())
        }
        DirectoryRow::Member(member) => {
            let mut carried = member.clone();
            let name = carried.full_name.take();
            let sealed = name.and_then(|name| names.seal(member.member, &name, random::bytes()));
            connection
                .prepare_cached("INSERT OR REPLACE INTO members (member, row, name) VALUES (?1, ?2, ?3)")?
                .execute(params![member.member.0, cbor::encode(&carried), sealed])
                .map(|_| ())
        }
        DirectoryRow::Office(office) => put(
            "INSERT OR REPLACE INTO offices (office, row) VALUES (?1, ?2)",
            &office.office.0,
            cbor::encode(office),
        ),
        DirectoryRow::Occurrence(row) => put(
            "INSERT OR REPLACE INTO occurrences (occurrence, row) VALUES (?1, ?2)",
            &row.occurrence.0,
            cbor::encode(row),
        ),
        DirectoryRow::Scheme(terms) => connection
            .prepare_cached("INSERT OR REPLACE INTO schemes (version, row) VALUES (?1, ?2)")?
            .execute(params![terms.version, cbor::encode(terms)])
            .map(|_| ()),
    }
}

fn read_small(connection: &Connection, path: &Path) -> Result<Small, StoreError> {
    let sql = "SELECT club, scope, central_epoch, version_epoch, version_n, made_at FROM about";
    let about = connection
        .query_row(sql, [], |row| {
            let version = Version { epoch: row.get(3)?, n: from_sql(row.get(4)?) };
            let ids = (ClubId(row.get(0)?), OfficeId(row.get(1)?));
            Ok((ids, row.get::<_, Vec<u8>>(2)?, version, Instant(row.get(5)?)))
        })
        .optional()
        .step(path, "read about")?;
    let damaged =
        |error: cbor::WireError| StoreError::Damaged { path: path.to_owned(), detail: error.to_string() };
    let about = about
        .map(|((club, scope), epoch, version, made_at)| {
            let central_epoch = cbor::decode(&epoch).map_err(damaged)?;
            Ok(About { club, scope, central_epoch, version, made_at })
        })
        .transpose()?;
    let mut occurrences: Vec<OccurrenceRow> = all(connection, path, "SELECT row FROM occurrences")?;
    occurrences.sort_by_key(|row| (row.starts, row.occurrence));
    Ok(Small {
        about,
        offices: all(connection, path, "SELECT row FROM offices")?,
        occurrences,
        schemes: all(connection, path, "SELECT row FROM schemes ORDER BY version")?,
    })
}

fn all<T: for<'b> minicbor::Decode<'b, ()>>(
    connection: &Connection,
    path: &Path,
    sql: &str,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare(sql).step(path, "prepare")?;
    let bodies = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
        .step(path, "read rows")?;
    let damaged =
        |error: cbor::WireError| StoreError::Damaged { path: path.to_owned(), detail: error.to_string() };
    bodies.iter().map(|body| cbor::decode(body).map_err(damaged)).collect()
}
