//! Performs an import: reads what is known, plans, and writes acts.
//!
//! Rows are taken in chunks, each one act in one transaction; a run that is cut off is simply started again, because
//! rows already taken are then unchanged. The file's hash is noted with the last chunk.

use std::collections::HashMap;

use chrono_tz::Tz;
use hufu_shared::act::Act;
use hufu_shared::ids::{CardId, Hash, ID_RANDOM_BYTES, MemberId, OfficeId};
use hufu_shared::member::OfficeRow;
use hufu_shared::time::OfficeClock;
use hufu_shared::token::TokenKey;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

use super::cards::CardLine;
use super::members::MemberLine;
use super::plan::{self, Change, KnownMember};
use super::sheet::{self, Sheet, SheetError};
use super::write::{Chunk, card_change, known_card, known_member, write};
use super::{BAD_ROWS_SHOWN_MAX, BadCell, Kind, activities, cards, members, offices};
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
    /// Bad cells: the first ones.
    pub bad: Vec<BadCell>,
    /// All bad cells.
    pub bad_cells: usize,
    /// Whether anything was written.
    pub imported: bool,
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
    /// Cards need keys.
    #[error("no token key exists yet; run `hufu-central init` first")]
    NoTokenKey,
    /// The store.
    #[error(transparent)]
    People(#[from] PeopleError),
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
}

/// Counts of a plan.
#[derive(Default)]
pub(super) struct Tally {
    new: usize,
    changed: usize,
    unchanged: usize,
}

impl Tally {
    fn add(&mut self, change: Change) -> bool {
        match change {
            Change::New => self.new += 1,
            Change::Changed => self.changed += 1,
            Change::Unchanged => self.unchanged += 1,
        }
        change != Change::Unchanged
    }
}

/// Imports a file.
///
/// # Errors
/// [`ImportError`]; bad rows are no error but part of the report.
pub async fn import(means: &Means<'_>, request: Request) -> Result<Report, ImportError> {
    let sheet = sheet::read(request.kind, &request.bytes)?;
    let hash = Hash::of(&[request.kind.code().as_bytes(), &request.bytes]);
    let before = means.db.read(move |tx| people::file_known(tx, hash)).await?;
    if let Some((name, at)) = before.filter(|_| !request.force && !request.dry_run) {
        return Err(ImportError::Again { name, at: at.display(Tz::UTC) });
    }
    let rows = sheet.lines.len() + sheet.bad.len();
    let Planned { chunks, columns, bad, tally } = plan(means, request.kind, &sheet).await?;
    let mut bad_rows: Vec<u64> = bad.iter().map(|cell| cell.row).collect();
    bad_rows.dedup();
    let writes = !request.dry_run && (bad.is_empty() || request.partial);
    if writes {
        for chunk in chunks {
            write(means, request.kind, &columns, chunk).await?;
        }
        let (code, name, at) = (request.kind.code(), request.name.clone(), means.clock.now());
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
        bad_cells: bad.len(),
        bad: bad.into_iter().take(BAD_ROWS_SHOWN_MAX).collect(),
        imported: writes,
    })
}

/// Compares a file with what the centre holds.
pub(super) async fn plan(means: &Means<'_>, kind: Kind, sheet: &Sheet) -> Result<Planned, ImportError> {
    let (mut bad, mut tally) = (sheet.bad.clone(), Tally::default());
    let chunks = match kind {
        Kind::Members => plan_members(means, sheet, &mut bad, &mut tally).await?,
        Kind::Cards => plan_cards(means, sheet, &mut bad, &mut tally).await?,
        Kind::Offices => plan_offices(means, sheet, &mut bad, &mut tally).await?,
        Kind::Activities => plan_activities(means, sheet, &mut bad, &mut tally).await?,
    };
    bad.sort_by_key(|cell| cell.row);
    Ok(Planned { chunks, columns: sheet.columns(), bad, tally })
}

async fn plan_members(
    means: &Means<'_>,
    sheet: &Sheet,
    bad: &mut Vec<BadCell>,
    tally: &mut Tally,
) -> Result<Vec<Chunk>, ImportError> {
    let offices = office_rows(means.db).await?;
    let today = club_clock(&offices).business_day(means.clock.now());
    let by_code = codes(&offices);
    let lines = parsed(sheet, bad, |line| members::parse(line, &by_code, today));
    let lines =
        plan::once(lines, bad, "number", |line| line.row, |line| (line.number.clone(), line.number.clone()));
    let known = known_members(means, &lines).await?;
    let mut taken = Vec::new();
    for mut line in lines {
        let before = known.get(&line.number);
        if before.is_some_and(|before| before.personal.is_none()) {
            let expected = "the number of a member whose data was not erased".to_owned();
            bad.push(BadCell { row: line.row, column: "number", met: line.number, expected });
            continue;
        }
        if tally.add(plan::member(&mut line, before, |column| sheet.has(column))) {
            taken.push((line, MemberId::new(means.clock.now(), random()?), random()?));
        }
    }
    Ok(taken.chunks(ACT_ROWS_MAX).map(|part| Chunk::Members(part.to_vec())).collect())
}

async fn known_members(
    means: &Means<'_>,
    lines: &[MemberLine],
) -> Result<HashMap<String, KnownMember>, ImportError> {
    let vault = means.vault.clone();
    let numbers: Vec<String> = lines.iter().map(|line| line.number.clone()).collect();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let mut rows = people::members(tx)?;
        let mut known = HashMap::new();
        for number in &numbers {
            let Some(row) = rows.remove(number) else { continue };
            known.insert(number.clone(), known_member(tx, &vault, row)?);
        }
        Ok(known)
    };
    Ok(means.db.read(load).await?)
}

async fn plan_cards(
    means: &Means<'_>,
    sheet: &Sheet,
    bad: &mut Vec<BadCell>,
    tally: &mut Tally,
) -> Result<Vec<Chunk>, ImportError> {
    if means.token_keys.is_empty() {
        return Err(ImportError::NoTokenKey);
    }
    let offices = office_rows(means.db).await?;
    let zone = club_clock(&offices).tz().unwrap_or(chrono_tz::Asia::Shanghai);
    let numbers = numbers(means.db).await?;
    let lines = parsed(sheet, bad, |line| cards::parse(line, &numbers, zone));
    let canonical = |line: &CardLine| (line.text.canonical().to_owned(), format!("…{}", line.text.tail()));
    let lines = plan::once(lines, bad, "card", |line| line.row, canonical);
    let keys = means.token_keys.to_vec();
    let tokens_of = move |line: &CardLine| {
        let mut tokens: Vec<_> = keys.iter().map(|key| key.token(&line.text)).collect();
        tokens.sort_unstable();
        tokens
    };
    let lines: Vec<_> = lines.into_iter().map(|line| (tokens_of(&line), line)).collect();
    let wanted: Vec<_> = lines.iter().map(|(tokens, _)| tokens.clone()).collect();
    let find = move |tx: &mut Tx<'_>| -> Result<Vec<_>, StoreError> {
        wanted.iter().map(|tokens| known_card(tx, tokens)).collect()
    };
    let known = means.db.read(find).await?;
    let mut taken = Vec::new();
    for ((tokens, mut line), before) in lines.into_iter().zip(known) {
        if tally.add(card_change(&mut line, &tokens, before.as_ref(), |column| sheet.has(column))) {
            taken.push((line, tokens, CardId::new(means.clock.now(), random()?)));
        }
    }
    Ok(taken.chunks(ACT_ROWS_MAX).map(|part| Chunk::Cards(part.to_vec())).collect())
}

/// Members by their number.
async fn numbers(db: &Db) -> Result<HashMap<String, MemberId>, ImportError> {
    let rows = db.read(people::members).await?;
    Ok(rows.into_iter().map(|(number, row)| (number, row.member)).collect())
}

async fn plan_offices(
    means: &Means<'_>,
    sheet: &Sheet,
    bad: &mut Vec<BadCell>,
    tally: &mut Tally,
) -> Result<Vec<Chunk>, ImportError> {
    let known = office_rows(means.db).await?;
    let lines = parsed(sheet, bad, offices::parse);
    let lines =
        plan::once(lines, bad, "code", |line| line.row, |line| (line.code.clone(), line.code.clone()));
    let mut taken = Vec::new();
    for line in lines {
        let before = known.iter().find(|office| office.code == line.code);
        if tally.add(plan::office(&line, before)) {
            let office = match before {
                Some(before) => before.office,
                None => OfficeId::new(means.clock.now(), random()?),
            };
            let row = OfficeRow { office, code: line.code, name: line.name, clock: line.clock };
            taken.push(Chunk::Whole(Act::OfficeSet(row)));
        }
    }
    Ok(taken)
}

async fn plan_activities(
    means: &Means<'_>,
    sheet: &Sheet,
    bad: &mut Vec<BadCell>,
    tally: &mut Tally,
) -> Result<Vec<Chunk>, ImportError> {
    let offices = office_rows(means.db).await?;
    let zone = club_clock(&offices).tz().unwrap_or(chrono_tz::Asia::Shanghai);
    let members = match sheet.has("guests") {
        true => numbers(means.db).await?,
        false => HashMap::new(),
    };
    let names = activities::Names { offices: codes(&offices), members };
    let lines = parsed(sheet, bad, |line| activities::parse(line, &names, zone));
    let lines =
        plan::once(lines, bad, "code", |line| line.row, |line| (line.code.clone(), line.code.clone()));
    let club = means.db.read(journal::club).await?.club;
    let rows: Vec<_> = lines.iter().map(|line| plan::holding(line, club)).collect();
    let ids: Vec<_> = rows.iter().map(|row| row.occurrence).collect();
    let find = move |tx: &mut Tx<'_>| -> Result<Vec<_>, StoreError> {
        ids.iter().map(|id| people::occurrence(tx, *id)).collect()
    };
    let known = means.db.read(find).await?;
    let mut taken = Vec::new();
    for (mut row, before) in rows.into_iter().zip(known) {
        if let Some(before) = before.as_ref().filter(|_| !sheet.has("guests")) {
            row.guests.clone_from(&before.guests);
        }
        if tally.add(plan::activity(&row, before.as_ref())) {
            taken.push(Chunk::Whole(Act::OccurrenceSet(row)));
        }
    }
    Ok(taken)
}

/// Numbers what was imported. A running centre does so by itself; a command on a centre at rest must.
///
/// # Errors
/// [`StoreError`].
pub async fn publish(db: &Db) -> Result<(), StoreError> {
    while db.write(journal::publish).await? > 0 {}
    Ok(())
}

fn parsed<T>(
    sheet: &Sheet,
    bad: &mut Vec<BadCell>,
    parse: impl Fn(&sheet::Line) -> Result<T, Vec<BadCell>>,
) -> Vec<T> {
    let mut good = Vec::with_capacity(sheet.lines.len());
    for line in &sheet.lines {
        match parse(line) {
            Ok(row) => good.push(row),
            Err(cells) => bad.extend(cells),
        }
    }
    good
}

async fn office_rows(db: &Db) -> Result<Vec<OfficeRow>, StoreError> {
    db.read(people::offices).await
}

fn codes(offices: &[OfficeRow]) -> HashMap<String, OfficeId> {
    offices.iter().map(|office| (office.code.clone(), office.office)).collect()
}

/// The zone of the club: that of its offices if they share one, else China's.
fn club_clock(offices: &[OfficeRow]) -> OfficeClock {
    let zone = offices.first().map(|office| office.clock.zone.clone());
    match zone {
        Some(zone) if offices.iter().all(|office| office.clock.zone == zone) => {
            OfficeClock { zone, cutoff_minutes: 0 }
        }
        _ => OfficeClock::default(),
    }
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], ImportError> {
    const { assert!(N == ID_RANDOM_BYTES || N == SALT_BYTES) };
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| ImportError::Random)?;
    Ok(bytes)
}
