//! Performs an import: reads what is known, plans, and writes acts.
//!
//! Rows are taken in chunks, each one act in one transaction; a run that is cut off is simply started again, because
//! rows already taken are then unchanged. The file's hash is noted with the last chunk.

use std::collections::HashMap;

use chrono_tz::Tz;
use hufu_shared::act::{Act, Actor, CardSet, MemberSet};
use hufu_shared::ids::{CardId, EntryId, Hash, ID_RANDOM_BYTES, MemberId, OfficeId};
use hufu_shared::member::OfficeRow;
use hufu_shared::time::OfficeClock;
use hufu_shared::token::TokenKey;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

use super::members::MemberLine;
use super::plan::{self, Change, KnownMember};
use super::sheet::{self, Sheet, SheetError};
use super::{BAD_ROWS_SHOWN_MAX, BadCell, Kind, activities, cards, members, offices};
use crate::clock::Clock;
use crate::db::{Db, Tx};
use crate::rules::entry::{EntryBody, TakenAct};
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

/// One act to be taken, with what the vault keeps of its members.
#[derive(Clone, Default)]
struct Chunk {
    members: Vec<(MemberLine, MemberId, [u8; SALT_BYTES])>,
    act: Option<Act>,
    count: usize,
}

/// Counts of a plan.
#[derive(Default)]
struct Tally {
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
    let mut bad = sheet.bad.clone();
    let mut tally = Tally::default();
    let chunks = match request.kind {
        Kind::Members => plan_members(means, &sheet, &mut bad, &mut tally).await?,
        Kind::Cards => plan_cards(means, &sheet, &mut bad, &mut tally).await?,
        Kind::Offices => plan_offices(means, &sheet, &mut bad, &mut tally).await?,
        Kind::Activities => plan_activities(means, &sheet, &mut bad, &mut tally).await?,
    };
    bad.sort_by_key(|cell| cell.row);
    let mut bad_rows: Vec<u64> = bad.iter().map(|cell| cell.row).collect();
    bad_rows.dedup();
    let writes = !request.dry_run && (bad.is_empty() || request.partial);
    if writes {
        for chunk in chunks {
            write(means, request.kind, chunk).await?;
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
        if tally.add(plan::member(&mut line, before, |column| sheet.has(column))) {
            let id = match before {
                Some(before) => before.row.member,
                None => MemberId::new(means.clock.now(), random()?),
            };
            taken.push((line, id, random()?));
        }
    }
    let chunk = |part: &[_]| Chunk { members: part.to_vec(), act: None, count: part.len() };
    Ok(taken.chunks(ACT_ROWS_MAX).map(chunk).collect())
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
            let personal = vault.reveal(tx, row.member)?;
            let secret = people::wants_secrecy(tx, &vault, row.member, row.personal)?;
            known.insert(number.clone(), KnownMember { row, personal, secret });
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
    let numbers: HashMap<String, MemberId> =
        means.db.read(people::members).await?.into_iter().map(|(number, row)| (number, row.member)).collect();
    let lines = parsed(sheet, bad, |line| cards::parse(line, &numbers, zone));
    let canonical =
        |line: &cards::CardLine| (line.text.canonical().to_owned(), format!("…{}", line.text.tail()));
    let lines = plan::once(lines, bad, "card", |line| line.row, canonical);
    let keys = means.token_keys.to_vec();
    let of_lines = lines.clone();
    let find = move |tx: &mut Tx<'_>| -> Result<Vec<Option<CardSet>>, StoreError> {
        of_lines
            .iter()
            .map(|line| {
                let mut found = None;
                for key in &keys {
                    found = found.or(people::card_by_token(tx, key.token(&line.text))?);
                }
                Ok(found)
            })
            .collect()
    };
    let known = means.db.read(find).await?;
    let mut taken = Vec::new();
    for (mut line, before) in lines.into_iter().zip(known) {
        let mut tokens: Vec<_> = means.token_keys.iter().map(|key| key.token(&line.text)).collect();
        tokens.sort_unstable();
        let mut change = plan::card(&mut line, before.as_ref(), |column| sheet.has(column));
        if change == Change::Unchanged && before.as_ref().is_some_and(|before| before.tokens != tokens) {
            change = Change::Changed;
        }
        if tally.add(change) {
            taken.push(CardSet {
                card: match before {
                    Some(before) => before.card,
                    None => CardId::new(means.clock.now(), random()?),
                },
                tokens,
                member: line.member,
                kind: line.kind,
                status: line.status,
                tail: line.text.tail(),
                valid_from: line.valid_from,
                valid_until: line.valid_until,
            });
        }
    }
    let chunk = |part: &[CardSet]| chunk_of(Act::CardsSet(part.to_vec()), part.len());
    Ok(taken.chunks(ACT_ROWS_MAX).map(chunk).collect())
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
            taken.push(chunk_of(Act::OfficeSet(row), 1));
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
    let by_code = codes(&offices);
    let lines = parsed(sheet, bad, |line| activities::parse(line, &by_code, zone));
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
    for (row, before) in rows.into_iter().zip(known) {
        if tally.add(plan::activity(&row, before.as_ref())) {
            taken.push(chunk_of(Act::OccurrenceSet(row), 1));
        }
    }
    Ok(taken)
}

fn chunk_of(act: Act, count: usize) -> Chunk {
    Chunk { members: Vec::new(), act: Some(act), count }
}

async fn write(means: &Means<'_>, kind: Kind, chunk: Chunk) -> Result<(), ImportError> {
    let now = means.clock.now();
    let entry = EntryId::new(now, random()?);
    let vault = means.vault.clone();
    let actor = Actor::Command(format!("import {} ({} rows)", kind.code(), chunk.count));
    let work = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
        let received = journal::pass_gate(tx, now)?;
        let act = match &chunk.act {
            Some(act) => act.clone(),
            None => Act::MembersSet(put_members(tx, &vault, &chunk.members)?),
        };
        let taken = TakenAct { actor: actor.clone(), act, seen: Vec::new() };
        journal::take(tx, entry, received, EntryBody::Act(taken))?;
        Ok(())
    };
    means.db.write(work).await?;
    Ok(())
}

fn put_members(
    tx: &mut Tx<'_>,
    vault: &Vault,
    lines: &[(MemberLine, MemberId, [u8; SALT_BYTES])],
) -> Result<Vec<MemberSet>, PeopleError> {
    lines
        .iter()
        .map(|(line, member, salt)| {
            let personal = people::put_personal(tx, vault, *member, &line.personal, line.secret, *salt)?;
            Ok(MemberSet {
                member: *member,
                number: line.number.clone(),
                level: line.level.clone(),
                status: line.status,
                office: line.office,
                personal,
            })
        })
        .collect()
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

fn random<const N: usize>() -> Result<[u8; N], ImportError> {
    const { assert!(N == ID_RANDOM_BYTES || N == SALT_BYTES) };
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| ImportError::Random)?;
    Ok(bytes)
}
