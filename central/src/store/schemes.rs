//! Texts that versions of the scheme were written from: people edit them for the next version. What holds is what the
//! journal says; a version that was published without a text has none.

use std::collections::BTreeMap;

use hufu_shared::act::Actor;
use hufu_shared::time::Instant;

use super::{StoreError, rows};
use crate::db::{SqlFile, Tx};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("schemes", include_str!("../../sql/both/schemes.sql"));

/// The text of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub body: String,
    /// Who published it.
    pub actor: String,
    /// When.
    pub at: Instant,
}

/// Keeps the text of a version.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn put(
    tx: &mut Tx<'_>,
    version: u32,
    body: &str,
    (actor, at): (&Actor, Instant),
) -> Result<(), StoreError> {
    tx.execute(SQL.get("put"), &[version.into(), body.into(), actor.to_string().into(), at.0.into()])?;
    Ok(())
}

/// All texts by their version.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn all(tx: &mut Tx<'_>) -> Result<BTreeMap<u32, Written>, StoreError> {
    let mut texts = BTreeMap::new();
    for row in tx.query(SQL.get("all"), &[])? {
        let version = rows::u32_at(&row, 0, "version of a scheme")?;
        let (body, actor) = (row.text(1)?.to_owned(), row.text(2)?.to_owned());
        texts.insert(version, Written { body, actor, at: Instant(row.int(3)?) });
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::prepare_all;

    #[tokio::test(flavor = "multi_thread")]
    async fn statements_of_schemes_can_be_prepared() {
        prepare_all(&[&SQL]).await;
    }
}
