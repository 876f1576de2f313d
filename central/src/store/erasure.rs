//! Erasing a member: what was known of the person goes, the pseudonymous record and the ledger stay (X17).
//!
//! With the member go all records that were merged into it: they are the same person. Gone are the vault's key, data,
//! index, texts and tags; the sealed parts of applications and requests; the reasons that people typed about the member;
//! and, by the act, what the club kept beside the base data. The commitments in the journal say nothing without them.
//! Out of scope: backups, which hold what cannot be read any more once the key is gone.

use hufu_shared::act::{Act, Actor, MemberErased};
use hufu_shared::ids::{EntryId, FactId, Hash, MemberId};
use hufu_shared::time::Instant;

use super::people::PeopleError;
use super::{StoreError, acts, journal, rows};
use crate::db::{SqlFile, Tx};
use crate::vault::Vault;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("erasure", include_str!("../../sql/both/erasure.sql"));

/// Sealed parts of facts that one round takes away.
const LATE_MAX: i64 = 500;

/// Whether a record can be erased: it is there, was not erased before, and nobody else goes on in its place.
///
/// # Errors
/// [`StoreError`].
pub fn can_be_erased(tx: &mut Tx<'_>, member: MemberId) -> Result<bool, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("record"), &[member.0.into()])? else { return Ok(false) };
    Ok(row.blob_opt(0)?.is_none() && !row.flag(1)?)
}

/// Erases a member, by an act; whether there was somebody to be erased.
///
/// # Errors
/// [`PeopleError`]; then nothing was erased.
pub fn erase(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (entry, now): (EntryId, Instant),
    actor: &Actor,
    (member, reason): (MemberId, Hash),
) -> Result<bool, PeopleError> {
    journal::pass_gate(tx, now)?;
    if !can_be_erased(tx, member)? {
        return Ok(false);
    }
    let records = tx.query(SQL.get("records"), &[member.0.into()])?;
    for row in &records {
        let record = MemberId(row.array(0)?);
        let sealed = tx.query(SQL.get("sealed_of"), &[record.0.into()])?;
        sealed.iter().try_for_each(|row| -> Result<(), PeopleError> {
            let id = rows::fact_id_at(row, 0)?;
            forget(tx, vault, id)
        })?;
        for row in tx.query(SQL.get("reasons"), &[record.0.into()])? {
            tx.execute(SQL.get("drop_note"), &[row.value(0)?.clone()])?;
        }
        vault.erase(tx, record)?;
    }
    acts::take(tx, entry, now, actor, &Act::MemberErased(MemberErased { member, reason }))?;
    Ok(true)
}

/// Facts about somebody erased before whose sealed parts are still here, at most `limit`.
///
/// # Errors
/// [`PeopleError`].
pub fn sealed_late(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<FactId>, PeopleError> {
    let late = tx.query(SQL.get("sealed_late"), &[limit.into()])?;
    Ok(late.iter().map(|row| rows::fact_id_at(row, 0)).collect::<Result<_, StoreError>>()?)
}

/// Takes away the sealed parts of what a terminal brought about somebody who had been erased by then; answers how many.
///
/// # Errors
/// [`PeopleError`].
pub fn forget_late(tx: &mut Tx<'_>, vault: &Vault) -> Result<usize, PeopleError> {
    let late = sealed_late(tx, LATE_MAX)?;
    late.iter().try_for_each(|id| forget(tx, vault, *id))?;
    Ok(late.len())
}

fn forget(tx: &mut Tx<'_>, vault: &Vault, id: FactId) -> Result<(), PeopleError> {
    vault.forget_form(tx, id)?;
    tx.execute(SQL.get("drop_sealed"), &rows::fact_id_values(id))?;
    Ok(())
}
