//! What the club keeps of members beside the base data: rows that apply reads and writes, and what people look at.

use hufu_shared::act::FieldGroup;
use hufu_shared::cbor;
use hufu_shared::ids::{EntryId, Hash, MemberId, OfficeId, OperatorId};
use hufu_shared::time::Instant;

use super::{StoreError, outcome, rows};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::joining::details::Details;
use crate::rules::judge::rate::Kinds;
use crate::rules::outcome::Outcome;
use crate::rules::world::World;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("details", include_str!("../../sql/both/details.sql"));

/// Fetches the details of a member.
///
/// # Errors
/// [`StoreError`].
pub(super) fn details_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    world.details.extend(of(tx, member)?.map(|known| (member, known)));
    Ok(())
}

/// Fetches of which kinds a member was.
///
/// # Errors
/// [`StoreError`].
pub(super) fn kinds_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    world.kinds.insert(member, kinds(tx, member)?);
    Ok(())
}

/// Of which kinds a member was: the record of edits says what each took the place of, and of who was never edited the
/// details say it.
///
/// # Errors
/// [`StoreError`].
pub fn kinds(tx: &mut Tx<'_>, member: MemberId) -> Result<Kinds, StoreError> {
    let found = tx.query(SQL.get("kinds"), &[member.0.into()])?;
    let code = |row: &Row, column| Ok::<_, StoreError>(row.text_opt(column)?.unwrap_or_default().to_owned());
    let first = match found.first() {
        Some(row) => code(row, 1)?,
        None => of(tx, member)?.map(|details| details.kind).unwrap_or_default(),
    };
    let turn = |row: &Row| Ok((Instant(row.int(0)?), code(row, 2)?));
    let turns = found.iter().map(turn).collect::<Result<_, StoreError>>()?;
    Ok(Kinds { first, turns })
}

/// Fetches the club's own groups of fields.
///
/// # Errors
/// [`StoreError`].
pub(super) fn groups_in(tx: &mut Tx<'_>, world: &mut World) -> Result<(), StoreError> {
    world.field_groups.extend(groups(tx)?.into_iter().map(|group| (group.code.clone(), group)));
    Ok(())
}

/// Fetches the commitments to what a member's fields say.
///
/// # Errors
/// [`StoreError`].
pub(super) fn customs_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    world.customs.extend(customs(tx, member)?.into_iter().map(|(group, values)| ((member, group), values)));
    Ok(())
}

/// The details of a member; none if the club never said any.
///
/// # Errors
/// [`StoreError`].
pub fn of(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<Details>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("details"), &[member.0.into()])? else { return Ok(None) };
    Ok(Some(Details {
        kind: row.text(0)?.to_owned(),
        referrer: row.array_opt(1)?.map(MemberId),
        representative: row.array_opt(2)?.map(Hash),
        tags: row.array_opt(3)?.map(Hash),
        carer: row.array_opt(4)?.map(OperatorId),
    }))
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(
    tx: &mut Tx<'_>,
    entry: EntryId,
    received: Instant,
    given: &Outcome,
) -> Result<(), StoreError> {
    for (member, known) in &given.details {
        let values = [
            member.0.into(),
            known.kind.as_str().into(),
            known.referrer.map(|referrer| referrer.0).into(),
            rows::hash_value(known.representative),
            rows::hash_value(known.tags),
            known.carer.map(|carer| carer.0).into(),
            entry.0.into(),
        ];
        tx.execute(SQL.get("set_details"), &values)?;
    }
    for ((member, field), known) in &given.fields {
        let (changes, changed) = (rows::number(known.changes), known.changed.0.into());
        let values = [member.0.into(), field.as_str().into(), changes, changed, entry.0.into()];
        outcome::put(tx, "set_field", values)?;
    }
    for group in &given.field_groups {
        let values = [group.code.as_str().into(), cbor::encode(group).into(), entry.0.into()];
        tx.execute(SQL.get("set_group"), &values)?;
    }
    for ((member, group), content) in &given.customs {
        let values = [member.0.into(), group.as_str().into(), content.0.into(), entry.0.into()];
        tx.execute(SQL.get("set_custom"), &values)?;
    }
    for ((member, what), edit) in &given.edits {
        let values = [
            member.0.into(),
            entry.0.into(),
            what.as_str().into(),
            edit.by.as_str().into(),
            rows::hash_value(edit.reason),
            received.0.into(),
            edit.before.clone().into(),
            edit.after.clone().into(),
        ];
        tx.execute(SQL.get("add_edit"), &values)?;
    }
    for member in &given.forgotten {
        tx.execute(SQL.get("forget_details"), &[member.0.into()])?;
        tx.execute(SQL.get("forget_customs"), &[member.0.into()])?;
    }
    Ok(())
}

/// The club's own groups of fields.
///
/// # Errors
/// [`StoreError`].
pub fn groups(tx: &mut Tx<'_>) -> Result<Vec<FieldGroup>, StoreError> {
    let read = |row: &Row| {
        let decoded = cbor::decode(row.blob(0)?);
        decoded.map_err(|source| StoreError::Stored { what: "field group", id: String::new(), source })
    };
    tx.query(SQL.get("groups"), &[])?.iter().map(read).collect()
}

/// Commitments to what a member's fields say, by the group's code.
///
/// # Errors
/// [`StoreError`].
pub fn customs(tx: &mut Tx<'_>, member: MemberId) -> Result<Vec<(String, Hash)>, StoreError> {
    let found = tx.query(SQL.get("customs"), &[member.0.into()])?;
    found.iter().map(|row| Ok((row.text(0)?.to_owned(), Hash(row.array(1)?)))).collect()
}

/// Members of whom something was edited from an instant on and before another, the one edited last first; after a place
/// in this list, at most `limit` (C3).
///
/// # Errors
/// [`StoreError`].
pub fn changed(
    tx: &mut Tx<'_>,
    (from, until): (Instant, Instant),
    (at, member): (Instant, MemberId),
    limit: i64,
) -> Result<Vec<(MemberId, Instant)>, StoreError> {
    let key = [from.0.into(), until.0.into(), at.0.into(), member.0.into(), limit.into()];
    let found = tx.query(SQL.get("changed"), &key)?;
    found.iter().map(|row| Ok((MemberId(row.array(0)?), Instant(row.int(1)?)))).collect()
}

/// Members for whom somebody cares, or who is directly under them, or works at an office; after one of them, at most
/// `limit`, each with who does. Whether they may see all of these, the rule says.
///
/// # Errors
/// [`StoreError`].
pub fn cared_for(
    tx: &mut Tx<'_>,
    (by, office): (OperatorId, Option<OfficeId>),
    after: MemberId,
    limit: i64,
) -> Result<Vec<(MemberId, OperatorId)>, StoreError> {
    let office = office.map(|office| office.0).into();
    let found = tx.query(SQL.get("cared_for"), &[by.0.into(), office, after.0.into(), limit.into()])?;
    found.iter().map(|row| Ok((MemberId(row.array(0)?), OperatorId(row.array(1)?)))).collect()
}

/// An edit of a member, as the record has it (K13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditView {
    /// What was edited: a field's code, `kind`, `referrer`, `representative`, `tags`, `carer`, `group/` and its code, `leaving`,
    /// `merged`, `unmerged`, `erased`; or `opened/` and what was read.
    pub what: String,
    /// By whom.
    pub by: String,
    /// Commitment to the reason; none where the verdict of a case has it.
    pub reason: Option<Hash>,
    /// When.
    pub at: Instant,
    /// What stood there: a code, or the commitment under which it is sealed.
    pub before: Option<String>,
    /// What stands there now, in the same form.
    pub after: Option<String>,
}

/// The place before all edits.
pub const FIRST_EDIT: (Instant, &str) = (Instant(i64::MAX), "");

/// The edits of a member, the newest first; after one of an instant and of this `what`, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn edits(
    tx: &mut Tx<'_>,
    member: MemberId,
    (at, what): (Instant, &str),
    limit: i64,
) -> Result<Vec<EditView>, StoreError> {
    let found = tx.query(SQL.get("edits"), &[member.0.into(), at.0.into(), what.into(), limit.into()])?;
    let read = |row: &Row| {
        Ok(EditView {
            what: row.text(0)?.to_owned(),
            by: row.text(1)?.to_owned(),
            reason: row.array_opt(2)?.map(Hash),
            at: Instant(row.int(3)?),
            before: row.text_opt(4)?.map(str::to_owned),
            after: row.text_opt(5)?.map(str::to_owned),
        })
    };
    found.iter().map(read).collect()
}
