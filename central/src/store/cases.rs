//! The conflict inbox: cases with both sides as people need to see them.

use std::collections::BTreeSet;

use hufu_shared::act::{Act, Actor, CaseDecided, CasesEnded, Pin, PinOutcome};
use hufu_shared::cbor;
use hufu_shared::fact::Fact;
use hufu_shared::ids::{DeviceId, EntryId, FactId, Hash, MemberId, OccurrenceId};
use hufu_shared::member::OfficeRow;
use hufu_shared::scheme::Words;
use hufu_shared::time::{Instant, OfficeClock};
use hufu_shared::token::Token;
use hufu_shared::wire::upload::Became;

use super::{StoreError, acts, known, rows};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::entry::EntryBody;
use crate::rules::outcome::Outcome;
use crate::rules::world::{CaseState, KnownCase, became_code};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("cases", include_str!("../../sql/both/cases.sql"));

/// Cases listed at once when one kind is asked for.
pub const CASES_OF_KIND_MAX: i64 = 200;
/// Cases of each kind listed at once when all kinds are: a flood of one kind must not hide another.
pub const CASES_OF_EACH_KIND_MAX: i64 = 50;
/// Cases ended by one act.
pub const CASES_ENDED_MAX: i64 = 200;
/// Facts of a case shown at once.
pub const SIDES_SHOWN_MAX: i64 = 20;

/// Ends cases whose time is up, the first [`CASES_ENDED_MAX`] of them as one act; answers how many.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn end_overdue(tx: &mut Tx<'_>, id: EntryId, now: Instant) -> Result<usize, StoreError> {
    let cases = overdue(tx, now, CASES_ENDED_MAX)?;
    let ended = cases.len();
    if ended > 0 {
        let actor = Actor::Job("deadlines".to_owned());
        acts::take(tx, id, now, &actor, &Act::CasesEnded(CasesEnded { cases }))?;
    }
    Ok(ended)
}

/// Cases whose time is up, the longest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn overdue(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Hash>, StoreError> {
    let found = tx.query(SQL.get("overdue"), &[now.0.into(), limit.into()])?;
    found.iter().map(|row| Ok(Hash(row.array(0)?))).collect()
}

/// A case with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Hash of its cause.
    pub id: Hash,
    /// What the rules know of it; its facts are not loaded.
    pub known: KnownCase,
    /// The entry that changed it last: its version, which a verdict must have been given on.
    pub entry: EntryId,
}

/// Cases as a list shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// How many there are of each kind, listed or not.
    pub counts: Vec<KindCount>,
    /// The first ones of each kind.
    pub cases: Vec<Case>,
}

/// Cases of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindCount {
    /// Number of the kind.
    pub kind: u8,
    /// How many there are.
    pub count: u64,
    /// When the oldest was opened.
    pub oldest: Instant,
}

/// One fact of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Which fact.
    pub id: FactId,
    /// The fact; none if it cannot be read.
    pub fact: Option<Fact>,
    /// Name of its event.
    pub event: String,
    /// What the terminal's clock claimed.
    pub wall: Instant,
    /// When it happened, as judged.
    pub at: Instant,
    /// The latest that it can have happened.
    pub latest: Instant,
    /// When it reached the centre.
    pub received: Instant,
    /// How it stands, as a code.
    pub became: String,
    /// What a person fixed.
    pub pin: Option<bool>,
    /// Whose it is judged to be.
    pub member: Option<MemberId>,
    /// At which occurrence.
    pub occurrence: Option<OccurrenceId>,
    /// What people call the terminal.
    pub device_name: String,
    /// Where it happened.
    pub office: OfficeRow,
    /// What the ledger gave for it: debit, credit, amount, unit, code.
    pub postings: Vec<(String, String, i64, String, String)>,
}

/// A decision in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Who decided.
    pub actor: Actor,
    /// What.
    pub decided: CaseDecided,
    /// When.
    pub at: Instant,
}

fn case_row(row: &Row) -> Result<Case, StoreError> {
    let state = row.text(2)?;
    Ok(Case {
        id: Hash(row.array(0)?),
        known: KnownCase {
            kind: rows::kind_at(row, 1)?.unwrap_or(0),
            state: CaseState::from_code(state).ok_or_else(|| rows::unknown("state of a case", state))?,
            member: row.blob_opt(3)?.map(|_| row.array(3)).transpose()?.map(MemberId),
            occurrence: row.blob_opt(4)?.map(|_| row.array(4)).transpose()?.map(OccurrenceId),
            device: row.blob_opt(5)?.map(|_| row.array(5)).transpose()?.map(DeviceId),
            token: row.blob_opt(6)?.map(|_| row.array(6)).transpose()?.map(Token::from_bytes),
            detail: row.blob(7)?.to_vec(),
            automatic: row.text(8)?.to_owned(),
            verdict: row.text_opt(9)?.map(str::to_owned),
            opened: Instant(row.int(10)?),
            changed: Instant(row.int(11)?),
            deadline: row.int_opt(12)?.map(Instant),
            decided_on: known::decided_on(row, 14)?,
            facts: Default::default(),
        },
        entry: EntryId(row.array(13)?),
    })
}

/// Open cases by kind.
///
/// # Errors
/// [`StoreError`].
pub fn open_counts(tx: &mut Tx<'_>) -> Result<Vec<KindCount>, StoreError> {
    counts(tx, "open_counts")
}

fn counts(tx: &mut Tx<'_>, statement: &'static str) -> Result<Vec<KindCount>, StoreError> {
    let found = tx.query(SQL.get(statement), &[])?;
    found
        .iter()
        .map(|row| {
            let kind = rows::kind_at(row, 0)?.unwrap_or(0);
            Ok(KindCount { kind, count: row.uint(1)?, oldest: Instant(row.int(2)?) })
        })
        .collect()
}

/// Cases that wait for a person, of one kind or of each, by kind and oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn open(tx: &mut Tx<'_>, kind: Option<u8>) -> Result<Listed, StoreError> {
    listed(tx, kind, ["open_counts", "open_of_kind"])
}

/// Cases that were decided or ended by themselves, of one kind or of each, by kind and newest first.
///
/// # Errors
/// [`StoreError`].
pub fn ended(tx: &mut Tx<'_>, kind: Option<u8>) -> Result<Listed, StoreError> {
    listed(tx, kind, ["ended_counts", "ended_of_kind"])
}

fn listed(
    tx: &mut Tx<'_>,
    kind: Option<u8>,
    [count, of_kind]: [&'static str; 2],
) -> Result<Listed, StoreError> {
    let mut counts = counts(tx, count)?;
    counts.retain(|known| kind.is_none_or(|kind| known.kind == kind));
    let limit = if kind.is_some() { CASES_OF_KIND_MAX } else { CASES_OF_EACH_KIND_MAX };
    let mut cases = Vec::new();
    for known in &counts {
        for row in tx.query(SQL.get(of_kind), &[i64::from(known.kind).into(), limit.into()])? {
            cases.push(case_row(&row)?);
        }
    }
    Ok(Listed { counts, cases })
}

/// A page of the cases that wait for a person, or of those that ended, of one kind or of each: after a place in the order
/// `sort`, which is `opened` or `changed`, with a `-` in front the newest first; at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn page(
    tx: &mut Tx<'_>,
    (is_ended, kind): (bool, Option<u8>),
    (sort, at, id): (&str, i64, Hash),
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let statement = match (is_ended, sort) {
        (false, "-opened") => "open_by_opened_down",
        (false, "changed") => "open_by_changed",
        (false, "-changed") => "open_by_changed_down",
        (false, _) => "open_by_opened",
        (true, "opened") => "ended_by_opened",
        (true, "-opened") => "ended_by_opened_down",
        (true, "changed") => "ended_by_changed",
        (true, _) => "ended_by_changed_down",
    };
    // Below zero stands for every kind.
    let key = [kind.map_or(-1, i64::from).into(), at.into(), id.0.into(), limit.into()];
    let mut cases = Vec::new();
    for row in tx.query(SQL.get(statement), &key)? {
        cases.extend(one(tx, Hash(row.array(0)?))?);
    }
    Ok(cases)
}

/// Kinds with a bound that holds over verdicts too: one admission, one sale of a slip, what the original gave, once.
const BOUNDED: [u8; 6] = [4, 16, 27, 31, 32, 34];

/// Whether what a verdict fixed as counting does count, to be asked in the transaction that took it: a pin that another
/// verdict leaves no room for must not be saved.
///
/// # Errors
/// [`StoreError`].
pub fn pins_hold(tx: &mut Tx<'_>, pins: &[Pin]) -> Result<bool, StoreError> {
    for pin in pins.iter().filter(|pin| pin.outcome == PinOutcome::Counts) {
        let Some(row) = tx.query_opt(SQL.get("standing"), &rows::fact_id_values(pin.fact))? else { continue };
        let is_bounded = rows::kind_at(&row, 1)?.is_some_and(|kind| BOUNDED.contains(&kind));
        if is_bounded && row.text(0)? == became_code(Became::NoEffect) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// As [`pins_hold`], before anything is written: `outcome` is what the verdict would give.
///
/// # Errors
/// [`StoreError`].
pub fn pins_would_hold(tx: &mut Tx<'_>, pins: &[Pin], outcome: &Outcome) -> Result<bool, StoreError> {
    for pin in pins.iter().filter(|pin| pin.outcome == PinOutcome::Counts) {
        let holds = match outcome.fact_changes.get(&pin.fact).map(|known| known.standing) {
            Some(standing) => {
                let is_bounded = standing.kind.is_some_and(|kind| BOUNDED.contains(&kind));
                !(is_bounded && standing.became == Became::NoEffect)
            }
            None => pins_hold(tx, std::slice::from_ref(pin))?,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

/// One case.
///
/// # Errors
/// [`StoreError`].
pub fn one(tx: &mut Tx<'_>, id: Hash) -> Result<Option<Case>, StoreError> {
    tx.query_opt(SQL.get("one"), &[id.0.into()])?.as_ref().map(case_row).transpose()
}

/// All facts of a case, however many a page shows.
///
/// # Errors
/// [`StoreError`].
pub fn facts(tx: &mut Tx<'_>, case: Hash) -> Result<Vec<FactId>, StoreError> {
    tx.query(SQL.get("facts"), &[case.0.into()])?.iter().map(|row| rows::fact_id_at(row, 0)).collect()
}

/// The facts of a case in order of time, at most [`SIDES_SHOWN_MAX`], and how many there are.
///
/// # Errors
/// [`StoreError`].
pub fn sides(tx: &mut Tx<'_>, case: Hash) -> Result<(Vec<Side>, u64), StoreError> {
    let mut sides = Vec::new();
    for row in &tx.query(SQL.get("sides"), &[case.0.into(), SIDES_SHOWN_MAX.into()])? {
        sides.push(side_in(tx, row)?);
    }
    let count = tx.query_one(SQL.get("side_count"), &[case.0.into()])?.uint(0)?;
    Ok((sides, count))
}

/// One fact as a side of a case; none if it is not here.
///
/// # Errors
/// [`StoreError`].
pub fn side(tx: &mut Tx<'_>, id: FactId) -> Result<Option<Side>, StoreError> {
    let row = tx.query_opt(SQL.get("side"), &rows::fact_id_values(id))?;
    row.map(|row| side_in(tx, &row)).transpose()
}

fn side_in(tx: &mut Tx<'_>, row: &Row) -> Result<Side, StoreError> {
    let id = rows::fact_id_at(row, 0)?;
    let mut postings = Vec::new();
    for posted in tx.query(SQL.get("side_postings"), &rows::fact_id_values(id))? {
        postings.push((
            posted.text(0)?.to_owned(),
            posted.text(1)?.to_owned(),
            posted.int(2)?,
            posted.text(3)?.to_owned(),
            posted.text(4)?.to_owned(),
        ));
    }
    let cutoff = row.int(18)?;
    Ok(Side {
        id,
        fact: super::contact::read_fact(tx, id, row.blob(3)?).ok(),
        event: row.text(4)?.to_owned(),
        wall: Instant(row.int(5)?),
        at: Instant(row.int(6)?),
        latest: Instant(row.int(19)?),
        received: Instant(row.int(7)?),
        became: row.text(8)?.to_owned(),
        pin: row.int_opt(10)?.map(|pin| pin != 0),
        member: row.blob_opt(11)?.map(|_| row.array(11)).transpose()?.map(MemberId),
        occurrence: row.blob_opt(12)?.map(|_| row.array(12)).transpose()?.map(OccurrenceId),
        device_name: row.text(13)?.to_owned(),
        office: OfficeRow {
            office: hufu_shared::ids::OfficeId([0; 16]),
            code: row.text(14)?.to_owned(),
            name: Words { zh: row.text(15)?.to_owned(), en: row.text(16)?.to_owned() },
            clock: OfficeClock {
                zone: row.text(17)?.to_owned(),
                cutoff_minutes: u16::try_from(cutoff)
                    .map_err(|_| StoreError::Range { what: "cut-off of an office", met: cutoff })?,
            },
            group: None,
        },
        postings,
    })
}

/// Name and points of an occurrence.
///
/// # Errors
/// [`StoreError`].
pub fn occurrence(tx: &mut Tx<'_>, id: OccurrenceId) -> Result<Option<(Words, i64)>, StoreError> {
    let row = tx.query_opt(SQL.get("occurrence_names"), &[id.0.into()])?;
    row.map(|row| Ok((Words { zh: row.text(0)?.to_owned(), en: row.text(1)?.to_owned() }, row.int(2)?)))
        .transpose()
}

/// A device's name, status code, and office code and name.
///
/// # Errors
/// [`StoreError`].
pub fn device_place(
    tx: &mut Tx<'_>,
    id: DeviceId,
) -> Result<Option<(String, String, String, Words)>, StoreError> {
    let row = tx.query_opt(SQL.get("device_place"), &[id.0.into()])?;
    row.map(|row| {
        let words = Words { zh: row.text(3)?.to_owned(), en: row.text(4)?.to_owned() };
        Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.text(2)?.to_owned(), words))
    })
    .transpose()
}

/// Decisions of a case, oldest first. `since` is when the case was opened.
///
/// # Errors
/// [`StoreError`].
pub fn decisions(tx: &mut Tx<'_>, case: Hash, since: Instant) -> Result<Vec<Decision>, StoreError> {
    decisions_of(tx, &BTreeSet::from([case]), since)
}

/// The same of several cases, together.
///
/// # Errors
/// [`StoreError`].
pub fn decisions_of(
    tx: &mut Tx<'_>,
    of: &BTreeSet<Hash>,
    since: Instant,
) -> Result<Vec<Decision>, StoreError> {
    let mut found = Vec::new();
    for row in tx.query(SQL.get("decisions"), &[since.0.into()])? {
        let body: EntryBody = cbor::decode(row.blob(0)?).map_err(|source| StoreError::Stored {
            what: "entry",
            id: String::from("of a decision"),
            source,
        })?;
        let EntryBody::Act(taken) = body else { continue };
        if let Act::CaseDecided(decided) = taken.act
            && of.contains(&decided.case)
        {
            found.push(Decision { actor: taken.actor, decided, at: Instant(row.int(1)?) });
        }
    }
    Ok(found)
}
