//! The directory that terminals hold: numbered changes, and the rows that they name.
//!
//! When an entry is published, each directory row that it changed gets the next number of one counter. A delta is
//! the rows with numbers after the one held, in order, so it may stop after any row and nothing is ever skipped; the
//! newest number is the directory's version. Blocks are numbered by the same counter and have a lane of their own.
//! Invariant: numbers are given by the publisher, in the transaction that publishes, so whoever sees one sees all
//! smaller ones.

use std::collections::BTreeMap;

use hufu_shared::cbor;
use hufu_shared::ids::{CardId, Hash, MemberId};
use hufu_shared::member::{CardRow, CardStatus, DirectoryRow, MemberRow};
use hufu_shared::money::Amount;
use hufu_shared::rules::cards::Rank;
use hufu_shared::scheme::{CounterName, DisplayName, SchemeTerms, Words};
use hufu_shared::time::{Day, Instant};
use hufu_shared::token::Token;
use hufu_shared::wire::directory::{DELTA_ROWS_MAX, Delta};
use hufu_shared::wire::updates::BlockChange;
use hufu_shared::wire::version::Version;

use super::expected::occurrence_row;
use super::journal::Club;
use super::{StoreError, people, rows};
use crate::db::{DbError, Question, Row, SqlFile, Tx, Value};
use crate::vault::{Vault, VaultError, mask};

/// Statements of this file and of [`super::snapshot`].
pub static SQL: SqlFile = SqlFile::with_overrides(
    "directory",
    include_str!("../../sql/both/directory.sql"),
    "",
    include_str!("../../sql/postgres/directory.sql"),
);

/// Changes behind which a snapshot is quicker than deltas.
pub const DELTA_BEHIND_MAX: u64 = 5_000;

/// The directory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Names that cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A chunk could not be packed.
    #[error("pack a chunk of the directory: {0}")]
    Pack(std::io::Error),
}

impl From<DbError> for DirectoryError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// The newest published numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The last number given.
    pub n: u64,
    /// The last number given to a row.
    pub directory: u64,
    /// The last number given to a block.
    pub block: u64,
}

fn head_of(row: &Row) -> Result<Head, StoreError> {
    Ok(Head { n: row.uint(0)?, directory: row.uint(1)?, block: row.uint(2)? })
}

/// The newest published numbers.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn head(tx: &mut Tx<'_>) -> Result<Head, StoreError> {
    head_of(&tx.query_one(SQL.get("head"), &[])?)
}

/// As [`head`], and nobody else moves it until the transaction ends.
pub(super) fn lock_head(tx: &mut Tx<'_>) -> Result<Head, StoreError> {
    head_of(&tx.query_one(SQL.get("lock_head"), &[])?)
}

/// Numbers what entries changed for terminals; `entries` are rows of `id, received, kind, …` in their order. Only the
/// publisher calls this, in its own transaction.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) fn number(tx: &mut Tx<'_>, entries: &[Row]) -> Result<(), StoreError> {
    let before = lock_head(tx)?;
    let mut head = before;
    let mut changes: BTreeMap<(&str, Vec<u8>), u64> = BTreeMap::new();
    for entry in entries {
        for (kind, statement) in changed_by(entry.text(2)?) {
            let found = tx.query(SQL.get(statement), std::slice::from_ref(entry.value(0)?))?;
            for changed in &found {
                head.n += 1;
                changes.insert((kind, id_bytes(changed)?), head.n);
                *if *kind == KIND_BLOCK { &mut head.block } else { &mut head.directory } = head.n;
            }
            if STOPPING.contains(statement) && !found.is_empty() {
                tx.execute(SQL.get("set_time"), &[rows::number(head.n), entry.value(1)?.clone()])?;
            }
        }
    }
    if head == before {
        return Ok(());
    }
    let rows: Vec<Vec<Value>> =
        changes.into_iter().map(|((kind, id), n)| vec![kind.into(), id.into(), rows::number(n)]).collect();
    tx.execute_many(SQL.get("set_change"), &rows)?;
    tx.execute(SQL.get("move_head"), &[head.n, head.directory, head.block].map(rows::number))?;
    Ok(())
}

const KIND_BLOCK: &str = "block";

/// Statements that find what may stop a card or a member: of their numbers it is kept when the act was taken, so that
/// it can be told whether a terminal knew of it.
const STOPPING: [&str; 2] = ["changed_blocks", "changed_members"];

/// For each version, when the newest act was taken that it holds; none of a version with no such act. The times given
/// are those of the caller's list and count for nothing.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn known_at(
    tx: &mut Tx<'_>,
    versions: &[(Version, Instant)],
) -> Result<Vec<(Version, Instant)>, StoreError> {
    let time_of = |version: Version| {
        let key = vec![i64::from(version.epoch).into(), rows::number(version.n)];
        (SQL.get("time_of"), key)
    };
    tx.ask_ahead(versions.iter().map(|(version, _)| time_of(*version)).collect())?;
    let mut known = Vec::new();
    for (version, _) in versions {
        let (sql, key) = time_of(*version);
        let row = tx.query_opt(sql, &key)?;
        known.extend(row.map(|row| row.int(0)).transpose()?.map(|at| (*version, Instant(at))));
    }
    Ok(known)
}

/// What [`head`] asks.
#[must_use]
pub fn head_question() -> Question {
    (SQL.get("head"), Vec::new())
}

/// Which rows an entry of a kind may have changed, with the statements that find them.
fn changed_by(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        "office_set" => &[("office", "changed_offices")],
        "occurrence_set" => &[("occurrence", "changed_occurrences")],
        "scheme_set" => &[("scheme", "changed_schemes")],
        "members_set" => &[("member", "changed_members")],
        "cards_set" => {
            &[("card", "changed_cards"), (KIND_BLOCK, "changed_blocks"), ("member", "changed_balances")]
        }
        "card_status_set" => &[("card", "changed_cards"), (KIND_BLOCK, "changed_blocks")],
        // A report of a lost card stops it.
        "batch" => {
            &[("card", "changed_cards"), (KIND_BLOCK, "changed_blocks"), ("member", "changed_balances")]
        }
        "club_founded" | "device_invited" | "device_enrolled" | "device_revoked" => &[],
        // Everything else, also what is yet to come: a look too many costs little, one too few a terminal's row.
        _ => &[
            ("card", "changed_cards"),
            (KIND_BLOCK, "changed_blocks"),
            ("member", "changed_members"),
            ("member", "changed_details"),
            ("member", "changed_balances"),
        ],
    }
}

/// A row's id as the changes keep it; scheme versions are numbers.
fn id_bytes(row: &Row) -> Result<Vec<u8>, StoreError> {
    Ok(match row.value(0)? {
        Value::Int(version) => version.to_be_bytes().to_vec(),
        _ => row.blob(0)?.to_vec(),
    })
}

/// How member rows are to be made.
#[derive(Debug)]
pub struct Making<'a> {
    /// Where names come from.
    pub vault: &'a Vault,
    /// What a display shows of a name.
    pub display: DisplayName,
    /// What a counter page shows of a name.
    pub counter: CounterName,
    /// When the rows are made.
    pub at: Instant,
}

impl<'a> Making<'a> {
    /// By the scheme published last of those that are for all: a member's row is one for all terminals.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails or holds what this version cannot read.
    pub fn by_scheme(tx: &mut Tx<'_>, vault: &'a Vault, at: Instant) -> Result<Self, StoreError> {
        let terms = schemes(tx)?.into_iter().rfind(|terms| terms.scope.is_none());
        let display = terms.as_ref().map(|terms| terms.display_name).unwrap_or_default();
        let counter = terms.map(|terms| terms.counter_name).unwrap_or_default();
        Ok(Self { vault, display, counter, at })
    }
}

/// Rows that changed after `since`, at most [`DELTA_ROWS_MAX`].
///
/// # Errors
/// [`DirectoryError`].
pub fn delta(
    tx: &mut Tx<'_>,
    vault: &Vault,
    club: &Club,
    since: Version,
    at: Instant,
) -> Result<Delta, DirectoryError> {
    let newest = head(tx)?.directory;
    let mut delta = Delta {
        club: club.club,
        from: since,
        to: since,
        rows: Vec::new(),
        more: false,
        take_snapshot: since.epoch != club.epoch.n || since.n == 0 || since.n > newest,
    };
    delta.take_snapshot |= newest.saturating_sub(since.n) > DELTA_BEHIND_MAX;
    if delta.take_snapshot {
        return Ok(delta);
    }
    let making = Making::by_scheme(tx, vault, at)?;
    let limit = i64::try_from(DELTA_ROWS_MAX).unwrap_or(i64::MAX);
    let values = [rows::number(since.n), rows::number(newest), limit.into()];
    let changes = tx.query(SQL.get("changes_after"), &values)?;
    for change in &changes {
        delta.rows.extend(row_of(tx, &making, change.text(0)?, change.value(1)?)?);
    }
    delta.more = changes.len() == DELTA_ROWS_MAX;
    // The last number seen, or the newest: rows that changed again since then have moved on behind it.
    delta.to.n = match changes.last() {
        Some(last) if delta.more => last.uint(2)?,
        _ => newest,
    };
    Ok(delta)
}

fn row_of(
    tx: &mut Tx<'_>,
    making: &Making<'_>,
    kind: &str,
    id: &Value,
) -> Result<Option<DirectoryRow>, DirectoryError> {
    let one = |tx: &mut Tx<'_>, statement| tx.query_opt(SQL.get(statement), std::slice::from_ref(id));
    Ok(match kind {
        "office" => {
            one(tx, "office_by_id")?.map(|row| rows::office(&row)).transpose()?.map(DirectoryRow::Office)
        }
        "occurrence" => match one(tx, "occurrence_by_id")? {
            Some(row) => Some(DirectoryRow::Occurrence(occurrence_row(tx, making, &row)?)),
            None => None,
        },
        "member" => match one(tx, "member_by_id")? {
            Some(row) => Some(DirectoryRow::Member(member_row(tx, making, &row)?)),
            None => None,
        },
        "card" => one(tx, "card_by_id")?.map(|row| card_row(&row)).transpose()?.map(DirectoryRow::Card),
        "scheme" => {
            let Value::Blob(bytes) = id else { return Ok(None) };
            let version = bytes.as_slice().try_into().map(i64::from_be_bytes).unwrap_or_default();
            let row = tx.query_opt(SQL.get("scheme_by_version"), &[version.into()])?;
            row.map(|row| terms(&row)).transpose()?.map(DirectoryRow::Scheme)
        }
        other => return Err(rows::unknown("kind of a directory change", other).into()),
    })
}

/// How much of a name a display shows, as masks know it.
#[must_use]
pub fn shown_as(display: DisplayName) -> mask::DisplayName {
    match display {
        DisplayName::Surname => mask::DisplayName::Surname,
        DisplayName::Full => mask::DisplayName::Full,
    }
}

/// A member's row from `id, level_zh, level_en, status, points, personal, fen, stored value or not, open leases, kind`,
/// with what the vault lets terminals know. Both figures are available + set aside − owed: a member has one, wherever it
/// lies. Of a member who asked for secrecy no part of the name leaves the centre.
pub(super) fn member_row(
    tx: &mut Tx<'_>,
    making: &Making<'_>,
    row: &Row,
) -> Result<MemberRow, DirectoryError> {
    let member = MemberId(row.array(0)?);
    let secret = people::wants_secrecy(tx, making.vault, member, Hash(row.array(5)?))?;
    let personal = making.vault.reveal(tx, member)?.filter(|_| !secret);
    let full = making.counter == CounterName::Full;
    let display = shown_as(making.display);
    let level = match (row.text_opt(1)?, row.text_opt(2)?) {
        (Some(zh), Some(en)) => Some(Words { zh: zh.to_owned(), en: en.to_owned() }),
        _ => None,
    };
    Ok(MemberRow {
        member,
        greeting: personal
            .as_ref()
            .and_then(|person| mask::greeting(&person.name, person.sex, false, display)),
        masked_name: personal.as_ref().map(|person| mask::name(&person.name)),
        level,
        status: rows::member_status(row.text(3)?)?,
        points: Amount(row.int_opt(4)?.unwrap_or(0)),
        points_at: making.at,
        leased: row.int(8)? > 0,
        full_name: personal.filter(|_| full).map(|person| person.name),
        value: if row.int(7)? > 0 { Some(Amount(row.int(6)?)) } else { None },
        kind: row.text_opt(9)?.filter(|kind| !kind.is_empty()).map(str::to_owned),
    })
}

/// A card's row from `id, member, status, valid_from, valid_until, tail, token, rank`.
pub(super) fn card_row(row: &Row) -> Result<CardRow, StoreError> {
    Ok(CardRow {
        card: CardId(row.array(0)?),
        token: Token::from_bytes(row.array(6)?),
        member: row.array_opt(1)?.map(MemberId),
        status: card_status(row.text(2)?)?,
        valid_from: row.int_opt(3)?.map(Instant),
        valid_until: row.int_opt(4)?.map(Instant),
        tail: row.text(5)?.to_owned(),
        sub: row.text(7)? == Rank::Sub.code(),
    })
}

fn card_status(code: &str) -> Result<CardStatus, StoreError> {
    CardStatus::from_code(code).ok_or_else(|| rows::unknown("status of a card", code))
}

fn terms(row: &Row) -> Result<SchemeTerms, StoreError> {
    cbor::decode(row.blob(0)?).map_err(|source| StoreError::Stored {
        what: "scheme",
        id: String::new(),
        source,
    })
}

/// All scheme versions, oldest first.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn schemes(tx: &mut Tx<'_>) -> Result<Vec<SchemeTerms>, StoreError> {
    tx.query(SQL.get("schemes"), &[])?.iter().map(terms).collect()
}

/// Numbers and first days of all scheme versions that are for all, oldest first: what stands in the policy goes by them.
///
/// # Errors
/// As [`schemes`].
pub(super) fn versions(tx: &mut Tx<'_>) -> Result<Vec<(u32, Day)>, StoreError> {
    let for_all = schemes(tx)?.into_iter().filter(|terms| terms.scope.is_none());
    Ok(for_all.map(|terms| (terms.version, terms.valid_from)).collect())
}

/// Changes of the block list after a number, oldest first and about `limit`, and the number after them; a card with
/// several tokens gives several changes and is never cut in two.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn blocks(
    tx: &mut Tx<'_>,
    after: u64,
    limit: usize,
) -> Result<(Vec<BlockChange>, u64, bool), StoreError> {
    let newest = head(tx)?.block;
    let fetch = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let found =
        tx.query(SQL.get("blocks_after"), &[rows::number(after), rows::number(newest), fetch.into()])?;
    let more = found.len() > limit;
    let cut_at = match found.last() {
        Some(last) if more => Some(last.uint(1)?),
        _ => None,
    };
    let (mut changes, mut to) = (Vec::new(), newest.max(after));
    for row in &found {
        let n = row.uint(1)?;
        if Some(n) == cut_at && !changes.is_empty() {
            break;
        }
        changes.push(BlockChange {
            card: CardId(row.array(0)?),
            token: Token::from_bytes(row.array(3)?),
            status: card_status(row.text(2)?)?,
        });
        if more {
            to = n;
        }
    }
    Ok((changes, to, more))
}
