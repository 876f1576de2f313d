//! Performs an import: reads what is known, plans, and writes acts.
//!
//! Rows are taken in chunks, each one act in one transaction; a run that is cut off is simply started again, because
//! rows already taken are then unchanged. The file's hash is noted with the last chunk.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use hufu_shared::ids::{Hash, ID_RANDOM_BYTES, OperatorId};
use hufu_shared::money::Leg;
use hufu_shared::seal::{SealError, SealKey};
use hufu_shared::time::Instant;
use hufu_shared::token::TokenKey;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

use super::plan::Change;
use super::preview::Samples;
use super::report::{Alike, Details};
use super::sheet::{self, Reading, Sheet, SheetError};
use super::watch::Watch;
use super::write::{Chunk, write};
use super::{BAD_ROWS_SHOWN_MAX, BadCell, Kind, bring, rows};
use crate::clock::Clock;
use crate::db::{Db, Tx};
use crate::store::people::{self, PeopleError, SALT_BYTES};
use crate::store::{StoreError, journal};
use crate::vault::Vault;

/// Rows in one act: an entry stays well below what a terminal's link or a replay would feel.
pub const ACT_ROWS_MAX: usize = 500;

/// What an import works with.
pub struct Means<'a> {
    /// The database.
    pub db: &'a Db,
    /// Where personal data goes.
    pub vault: &'a Vault,
    /// The keys of all office groups, all versions in use.
    pub token_keys: &'a [TokenKey],
    /// To whom what a person typed is sealed.
    pub seal: SealKey,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// What a person asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the file holds.
    pub kind: Kind,
    /// Its name, for the record.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Take the good rows even if others are bad.
    pub partial: bool,
    /// Only tell what would happen.
    pub dry_run: bool,
    /// Take the same file again.
    pub force: bool,
    /// How it is read.
    pub reading: Reading,
    /// Name of the batch of what comes from another system.
    pub batch: Option<String>,
    /// Cause of opening balances whose rows give none.
    pub cause: Option<String>,
    /// Who asked for it at the console; none for a command.
    pub by: Option<OperatorId>,
    /// The report file holds all rows, not only those of which there is something to tell.
    pub whole_report: bool,
    /// How far it is, and whether it is to stop.
    pub watch: Watch,
}

impl Request {
    /// Taking a file, all of it, once, by the names of its columns.
    #[must_use]
    pub fn new(kind: Kind, name: String, bytes: Vec<u8>) -> Self {
        Self {
            kind,
            name,
            bytes,
            partial: false,
            dry_run: false,
            force: false,
            reading: Reading::default(),
            batch: None,
            cause: None,
            by: None,
            whole_report: false,
            watch: Watch::default(),
        }
    }
}

/// What happened, or would happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the file holds.
    pub kind: Kind,
    /// Rows in the file.
    pub rows: usize,
    /// Rows that are new.
    pub new: usize,
    /// Rows that change something.
    pub changed: usize,
    /// Rows that change nothing.
    pub unchanged: usize,
    /// Rows that are bad.
    pub rejected: usize,
    /// New rows that look like a member who is there, or like an earlier row (K7).
    pub alike: usize,
    /// What new openings come to, by unit.
    pub sums: BTreeMap<&'static str, String>,
    /// What the file was read as.
    pub read_as: &'static str,
    /// Bad cells: the first ones.
    pub bad: Vec<BadCell>,
    /// All bad cells.
    pub bad_cells: usize,
    /// Whether anything was written.
    pub imported: bool,
    /// The rows of which there is something to tell, for the report file.
    #[serde(skip)]
    pub details: Details,
    /// The first rows of each kind of change, masked.
    #[serde(skip)]
    pub samples: Samples,
}

/// An import that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The same file was taken before.
    #[error("this very file was imported before as {name} at {at} (UTC); to take it again, say --force")]
    Again {
        /// Its name then.
        name: String,
        /// When.
        at: String,
    },
    /// What comes from another system needs a name.
    #[error("--batch NAME must say what the batch is called, in 1 to 50 visible characters")]
    NoBatch,
    /// What a person typed cannot be sealed.
    #[error("seal the cause: {0}")]
    Seal(#[from] SealError),
    /// Cards need keys.
    #[error("no token key exists yet; run `hufu-central init` first")]
    NoTokenKey,
    /// The store.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// Somebody stopped it.
    #[error("the import was stopped; rows that were taken before stay, the same file takes the others")]
    Stopped,
    /// The thread that seals ended.
    #[error("sealing what is new was broken off")]
    Sealing,
    /// No randomness.
    #[error("the operating system gave no random bytes")]
    Random,
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::People(error.into())
    }
}

impl From<crate::db::DbError> for ImportError {
    fn from(error: crate::db::DbError) -> Self {
        Self::People(error.into())
    }
}

/// What a file would do.
pub(super) struct Planned {
    pub(super) chunks: Vec<Chunk>,
    pub(super) columns: Vec<&'static str>,
    bad: Vec<BadCell>,
    tally: Tally,
    alike: BTreeMap<u64, Alike>,
    sums: Vec<Leg>,
}

/// Counts of a plan, and the first rows of each kind of change.
#[derive(Default)]
pub(super) struct Tally {
    new: usize,
    changed: usize,
    unchanged: usize,
    firsts: [Vec<u64>; 3],
}

impl Tally {
    /// Counts a row of the file; whether it is to be written.
    pub(super) fn add(&mut self, change: Change, row: u64) -> bool {
        let (count, firsts) = match change {
            Change::New => (&mut self.new, &mut self.firsts[0]),
            Change::Changed => (&mut self.changed, &mut self.firsts[1]),
            Change::Unchanged => (&mut self.unchanged, &mut self.firsts[2]),
        };
        *count += 1;
        if firsts.len() < BAD_ROWS_SHOWN_MAX {
            firsts.push(row);
        }
        change != Change::Unchanged
    }
}

/// The name and time of the same file, if it was taken before.
///
/// # Errors
/// [`ImportError`] if the database fails.
pub async fn taken_before(db: &Db, request: &Request) -> Result<Option<(String, Instant)>, ImportError> {
    let hash = file_hash(request);
    Ok(db.read(move |tx| people::file_known(tx, hash)).await?)
}

/// Imports a file.
///
/// # Errors
/// [`ImportError`]; bad rows are no error but part of the report.
pub async fn import(means: &Means<'_>, request: Request) -> Result<Report, ImportError> {
    let sheet = sheet::read_as(request.kind, &request.bytes, &request.reading)?;
    let before = taken_before(means.db, &request).await?;
    if let Some((name, at)) = before.filter(|_| !request.force && !request.dry_run) {
        return Err(ImportError::Again { name, at: at.display(Tz::UTC) });
    }
    let rows = sheet.lines.len() + sheet.broken.len();
    let Planned { chunks, columns, bad, tally, alike, sums } = plan(means, &request, &sheet).await?;
    let mut bad_rows: Vec<u64> = bad.iter().map(|cell| cell.row).collect();
    bad_rows.dedup();
    let writes = !request.dry_run && (bad.is_empty() || request.partial);
    if writes {
        write(means, &request, &columns, chunks).await?;
        let (hash, code, at) = (file_hash(&request), request.kind.code(), means.clock.now());
        let name = request.name.clone();
        let noted = move |tx: &mut Tx<'_>| people::file_taken(tx, hash, code, &name, rows, at);
        means.db.write(noted).await?;
    }
    Ok(Report {
        kind: request.kind,
        rows,
        new: tally.new,
        changed: tally.changed,
        unchanged: tally.unchanged,
        rejected: bad_rows.len(),
        alike: alike.len(),
        sums: sums.into_iter().map(|sum| (sum.unit.code(), sum.amount.display(sum.unit))).collect(),
        read_as: sheet.read_as,
        bad_cells: bad.len(),
        samples: Samples::of(&sheet, &tally.firsts),
        details: Details::of(&sheet, &bad, alike, request.whole_report),
        bad: bad.into_iter().take(BAD_ROWS_SHOWN_MAX).collect(),
        imported: writes,
    })
}

/// What a file is known by: the kind, its bytes, and which sheet of them if one was named.
fn file_hash(request: &Request) -> Hash {
    let kind = request.kind.code().as_bytes();
    match &request.reading.sheet {
        None => Hash::of(&[kind, &request.bytes]),
        Some(sheet) => Hash::of(&[kind, &Hash::of(&[&request.bytes]).0, sheet.as_bytes()]),
    }
}

/// Compares a file with what the centre holds.
pub(super) async fn plan(
    means: &Means<'_>,
    request: &Request,
    sheet: &Sheet,
) -> Result<Planned, ImportError> {
    let (mut bad, mut tally) = (sheet.bad.clone(), Tally::default());
    let (mut alike, mut sums) = (BTreeMap::new(), Vec::new());
    let found = (&mut bad, &mut tally);
    let chunks = match request.kind {
        Kind::Members => rows::plan_members(means, sheet, found, &mut alike).await?,
        Kind::Cards => rows::plan_cards(means, sheet, found).await?,
        Kind::Offices => rows::plan_offices(means, sheet, found).await?,
        Kind::Activities => rows::plan_activities(means, sheet, found).await?,
        Kind::Balances => bring::plan_balances(means, request, sheet, found, &mut sums).await?,
        Kind::History => bring::plan_history(means, request, sheet, found).await?,
    };
    bad.sort_by_key(|cell| cell.row);
    Ok(Planned { chunks, columns: sheet.columns(), bad, tally, alike, sums })
}

/// Numbers what was imported. A running centre does so by itself; a command on a centre at rest must.
///
/// # Errors
/// [`StoreError`].
pub async fn publish(db: &Db) -> Result<(), StoreError> {
    while db.write(journal::publish).await? > 0 {}
    Ok(())
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], ImportError> {
    const { assert!(N == ID_RANDOM_BYTES || N == SALT_BYTES) };
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| ImportError::Random)?;
    Ok(bytes)
}
