//! Who goes on as whom.

use hufu_shared::ids::MemberId;

use super::StoreError;
use super::erasure::SQL;
use crate::db::Tx;

/// The record that goes on in place of this one, the next one; none if nobody does.
///
/// # Errors
/// [`StoreError`].
pub fn merged_into(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<MemberId>, StoreError> {
    let row = tx.query_opt(SQL.get("record"), &[member.0.into()])?;
    Ok(row.map(|row| row.array_opt(0)).transpose()?.flatten().map(MemberId))
}
