//! The inbox beside the cases themselves: whose they are, until when they are put off, what is at stake, what was decided of
//! a member's.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::ids::{EntryId, Hash, MemberId, OperatorId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::seal::OpenKey;
use hufu_shared::time::Instant;

use super::acts::SALT_BYTES;
use super::cases::{self, Case, Decision, KindCount, Listed};
use super::{StoreError, contact, rows};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::inbox::{Care, said, stake};
use crate::rules::outcome::Outcome;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("inbox", include_str!("../../sql/both/inbox.sql"));

/// Facts of the listed cases of one kind that are looked at for what is at stake.
const STAKE_FACTS_MAX: i64 = 1_000;

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(
    tx: &mut Tx<'_>,
    entry: EntryId,
    received: Instant,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    for (case, (staff, by)) in &outcome.cases_handed {
        let staff: Value = staff.map(|staff| staff.0).into();
        let values = vec![case.0.into(), staff, by.as_str().into(), received.0.into(), entry.0.into()];
        tx.execute_later(SQL.get("hand"), vec![values])?;
    }
    for (case, until) in &outcome.cases_put_off {
        let until: Value = until.map(|until| until.0).into();
        let values = vec![case.0.into(), until, received.0.into(), entry.0.into()];
        tx.execute_later(SQL.get("put_off"), vec![values])?;
    }
    Ok(())
}

/// A care from `staff, handed_by, handed_at, until, put_off_at, name`, beginning at a column.
fn care_at(row: &Row, column: usize) -> Result<Care, StoreError> {
    let staff = row.blob_opt(column)?.map(|_| row.array(column)).transpose()?.map(OperatorId);
    let until = row.int_opt(column + 3)?.map(Instant);
    let since = row.int_opt(column + 4)?.map(Instant);
    Ok(Care {
        staff,
        name: row.text_opt(column + 5)?.unwrap_or_default().to_owned(),
        put_off: until.zip(since),
    })
}

/// Whose a case is, and until when it is put off.
///
/// # Errors
/// [`StoreError`].
pub fn care(tx: &mut Tx<'_>, case: Hash) -> Result<Care, StoreError> {
    let row = tx.query_opt(SQL.get("care"), &[case.0.into()])?;
    Ok(row.map(|row| care_at(&row, 0)).transpose()?.unwrap_or_default())
}

/// The same of all cases of a kind that wait for a person and of which something was said.
///
/// # Errors
/// [`StoreError`].
pub fn cares(tx: &mut Tx<'_>, kind: u8) -> Result<BTreeMap<Hash, Care>, StoreError> {
    let found = tx.query(SQL.get("cares_of_kind"), &[i64::from(kind).into()])?;
    found.iter().map(|row| Ok((Hash(row.array(0)?), care_at(row, 1)?))).collect()
}

/// Cases that wait and are somebody's own, of one kind or of each, by kind and oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn mine(tx: &mut Tx<'_>, staff: OperatorId, kind: Option<u8>) -> Result<Listed, StoreError> {
    let mut listed = Listed::default();
    for row in tx.query(SQL.get("mine_counts"), &[staff.0.into()])? {
        let count = KindCount {
            kind: rows::kind_at(&row, 0)?.unwrap_or(0),
            count: row.uint(1)?,
            oldest: Instant(row.int(2)?),
        };
        listed.counts.extend(kind.is_none_or(|kind| kind == count.kind).then_some(count));
    }
    let limit = if kind.is_some() { cases::CASES_OF_KIND_MAX } else { cases::CASES_OF_EACH_KIND_MAX };
    for known in &listed.counts {
        let key = [staff.0.into(), i64::from(known.kind).into(), limit.into()];
        for row in tx.query(SQL.get("mine_of_kind"), &key)? {
            listed.cases.extend(cases::one(tx, Hash(row.array(0)?))?);
        }
    }
    Ok(listed)
}

/// What is at stake in the cases of a kind that a list shows, the first `limit` of them.
///
/// # Errors
/// [`StoreError`].
pub fn stakes(tx: &mut Tx<'_>, kind: u8, limit: i64) -> Result<BTreeMap<Hash, Vec<Leg>>, StoreError> {
    let key: [Value; 2] = [i64::from(kind).into(), limit.into()];
    let mut legs: BTreeMap<Hash, (Vec<Leg>, Vec<Leg>)> = BTreeMap::new();
    for row in tx.query(SQL.get("posted_of_kind"), &key)? {
        let (unit, amount) = (Unit::from_code(row.text(1)?), Amount(row.int(2)?));
        let posted = &mut legs.entry(Hash(row.array(0)?)).or_default().1;
        posted.extend(unit.map(|unit| Leg { unit, amount }));
    }
    let [kind, limit] = key;
    for row in tx.query(SQL.get("facts_of_kind"), &[kind, limit, STAKE_FACTS_MAX.into()])? {
        // A fact that cannot be read says nothing.
        let id = rows::fact_id_at(&row, 1)?;
        let told = contact::read_fact(tx, id, row.blob(4)?).map(|fact| said(&fact.event));
        legs.entry(Hash(row.array(0)?)).or_default().0.extend(told.unwrap_or_default());
    }
    Ok(legs.into_iter().map(|(case, (told, posted))| (case, stake(&told, &posted))).collect())
}

/// How many cases wait, and when the newest of them changed: what a live page compares.
///
/// # Errors
/// [`StoreError`].
pub fn version(tx: &mut Tx<'_>) -> Result<(u64, Instant), StoreError> {
    let row = tx.query_one(SQL.get("version"), &[])?;
    Ok((row.uint(0)?, Instant(row.int(1)?)))
}

/// How many of the cases that wait changed after an instant.
///
/// # Errors
/// [`StoreError`].
pub fn new_since(tx: &mut Tx<'_>, since: Instant) -> Result<u64, StoreError> {
    Ok(tx.query_one(SQL.get("new_since"), &[since.0.into()])?.uint(0)?)
}

/// What a person typed, if it is still kept and can be opened.
///
/// # Errors
/// [`StoreError`].
pub fn note(tx: &mut Tx<'_>, key: &OpenKey, commitment: Hash) -> Result<Option<String>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("note"), &[commitment.0.into()])? else { return Ok(None) };
    let opened = key.open(&commitment.0, row.blob(0)?).ok();
    let text = opened.and_then(|bytes| bytes.get(SALT_BYTES..).map(<[u8]>::to_vec));
    Ok(text.and_then(|text| String::from_utf8(text).ok()))
}

/// What was decided of a member's cases: the case, its kind and the decision, the newest first, of the newest `limit` cases.
///
/// # Errors
/// [`StoreError`].
pub fn decided_of(
    tx: &mut Tx<'_>,
    member: MemberId,
    limit: i64,
) -> Result<Vec<(Hash, u8, Decision)>, StoreError> {
    let mut kinds = BTreeMap::new();
    let mut since: Option<Instant> = None;
    for row in tx.query(SQL.get("decided_of_member"), &[member.0.into(), limit.into()])? {
        kinds.insert(Hash(row.array(0)?), rows::kind_at(&row, 1)?.unwrap_or(0));
        let opened = Instant(row.int(3)?);
        since = Some(since.map_or(opened, |known| known.min(opened)));
    }
    let Some(since) = since else { return Ok(Vec::new()) };
    let wanted: BTreeSet<Hash> = kinds.keys().copied().collect();
    let mut found: Vec<_> = cases::decisions_of(tx, &wanted, since)?
        .into_iter()
        .map(|decision| {
            (decision.decided.case, kinds.get(&decision.decided.case).copied().unwrap_or(0), decision)
        })
        .collect();
    found.sort_by_key(|(_, _, decision)| std::cmp::Reverse(decision.at));
    Ok(found)
}

/// The cases of a list, in the order in which they are to be decided: by kind, those that want somebody soonest in front.
///
/// # Errors
/// [`StoreError`].
pub fn ordered(
    tx: &mut Tx<'_>,
    mut listed: Listed,
    now: Instant,
) -> Result<(Listed, BTreeMap<Hash, Care>), StoreError> {
    let mut all = BTreeMap::new();
    for known in &listed.counts {
        all.extend(cares(tx, known.kind)?);
    }
    let none = Care::default();
    let rank = |case: &Case| {
        let until = all.get(&case.id).unwrap_or(&none).until(case.known.changed, now);
        crate::rules::inbox::rank(case.known.deadline, until, now)
    };
    let mut soonest: BTreeMap<u8, crate::rules::inbox::Rank> = BTreeMap::new();
    for case in &listed.cases {
        let best = soonest.entry(case.known.kind).or_insert_with(|| rank(case));
        *best = (*best).min(rank(case));
    }
    let of_kind = |kind: u8| (soonest.get(&kind).copied(), kind);
    listed.counts.sort_by_key(|known| of_kind(known.kind));
    listed.cases.sort_by_key(|case| {
        (
            of_kind(case.known.kind),
            rank(case),
            case.known.deadline.is_none(),
            case.known.deadline,
            case.known.opened,
        )
    });
    Ok((listed, all))
}
