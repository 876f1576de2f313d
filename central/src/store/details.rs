//! What the club keeps of members beside the base data: rows that apply reads and writes, and what people look at.

use std::collections::BTreeSet;

use hufu_shared::act::FieldGroup;
use hufu_shared::cbor;
use hufu_shared::ids::{EntryId, Hash, MemberId};
use hufu_shared::time::Instant;

use super::{StoreError, outcome, rows};
use crate::db::{SqlFile, Tx};
use crate::rules::joining::details::Details;
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

/// The details of a member; none if the club never said any.
///
/// # Errors
/// [`StoreError`].
pub fn of(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<Details>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("details"), &[member.0.into()])? else { return Ok(None) };
    let tags = tx.query(SQL.get("tags"), &[member.0.into()])?;
    let tags = tags.iter().map(|row| Ok(row.text(0)?.to_owned()));
    Ok(Some(Details {
        kind: row.text(0)?.to_owned(),
        referrer: row.array_opt(1)?.map(MemberId),
        representative: row.array_opt(2)?.map(Hash),
        tags: tags.collect::<Result<BTreeSet<_>, StoreError>>()?,
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
            entry.0.into(),
        ];
        tx.execute(SQL.get("set_details"), &values)?;
        tx.execute(SQL.get("drop_tags"), &[member.0.into()])?;
        for tag in &known.tags {
            tx.execute(SQL.get("set_tag"), &[member.0.into(), tag.as_str().into()])?;
        }
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
        ];
        tx.execute(SQL.get("add_edit"), &values)?;
    }
    Ok(())
}

/// The club's own groups of fields.
///
/// # Errors
/// [`StoreError`].
pub fn groups(tx: &mut Tx<'_>) -> Result<Vec<FieldGroup>, StoreError> {
    let read = |row: &crate::db::Row| {
        let decoded = cbor::decode(row.blob(0)?);
        decoded.map_err(|source| StoreError::Stored { what: "field group", id: String::new(), source })
    };
    tx.query(SQL.get("groups"), &[])?.iter().map(read).collect()
}

/// Commitment to what a member's fields of a group say; none if they were never filled in.
///
/// # Errors
/// [`StoreError`].
pub fn custom(tx: &mut Tx<'_>, member: MemberId, group: &str) -> Result<Option<Hash>, StoreError> {
    let row = tx.query_opt(SQL.get("custom"), &[member.0.into(), group.into()])?;
    Ok(row.map(|row| row.array(0)).transpose()?.map(Hash))
}

/// Members with a tag, after one of them, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn tagged(tx: &mut Tx<'_>, tag: &str, after: MemberId, limit: i64) -> Result<Vec<MemberId>, StoreError> {
    let found = tx.query(SQL.get("tagged"), &[tag.into(), after.0.into(), limit.into()])?;
    found.iter().map(|row| Ok(MemberId(row.array(0)?))).collect()
}

/// An edit of a member, as the record has it (K13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditView {
    /// What was edited: a field's code, `details`, or `group/` and its code.
    pub what: String,
    /// By whom.
    pub by: String,
    /// Commitment to the reason; none where the verdict of a case has it.
    pub reason: Option<Hash>,
    /// When.
    pub at: Instant,
}

/// The edits of a member, the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn edits(tx: &mut Tx<'_>, member: MemberId, limit: i64) -> Result<Vec<EditView>, StoreError> {
    let found = tx.query(SQL.get("edits"), &[member.0.into(), limit.into()])?;
    let read = |row: &crate::db::Row| {
        Ok(EditView {
            what: row.text(0)?.to_owned(),
            by: row.text(1)?.to_owned(),
            reason: row.array_opt(2)?.map(Hash),
            at: Instant(row.int(3)?),
        })
    };
    found.iter().map(read).collect()
}
