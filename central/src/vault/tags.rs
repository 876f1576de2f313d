//! Members' tags: words that the club uses of a person. They say something of the person, so they are sealed with the
//! rest of what is known, found by keyed hashes only, and erased with it.

use std::collections::BTreeSet;

use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::seal;
use ring::hmac;

use super::normal;
use super::{HMAC_BYTES, SQL, Vault, VaultError};
use crate::db::Tx;

/// Bytes of the salt of a commitment.
const SALT_BYTES: usize = 16;
/// Keeps hashes of tags apart from all others.
const DOMAIN: &[u8] = b"tag";

impl Vault {
    /// Replaces the tags of a member; answers the commitment to them, none without any.
    ///
    /// # Errors
    /// [`VaultError::NoMember`] if nothing is known of the member.
    pub fn put_tags(
        &self,
        tx: &mut Tx<'_>,
        member: MemberId,
        tags: &BTreeSet<String>,
        salt: [u8; SALT_BYTES],
    ) -> Result<Option<Hash>, VaultError> {
        tx.execute(SQL.get("drop_tags"), &[member.0.into()])?;
        if tags.is_empty() {
            return Ok(None);
        }
        let text = serde_json::json!(tags).to_string();
        let commitment = seal::commitment(&salt, text.as_bytes());
        self.put_text(tx, member, commitment, &[&salt[..], text.as_bytes()].concat())?;
        for tag in tags {
            tx.execute(SQL.get("put_tag"), &[member.0.into(), self.hashed_tag(tag).into()])?;
        }
        Ok(Some(commitment))
    }

    /// The tags of a commitment; none if they were erased.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn tags(
        &self,
        tx: &mut Tx<'_>,
        member: MemberId,
        commitment: Option<Hash>,
    ) -> Result<BTreeSet<String>, VaultError> {
        let Some(commitment) = commitment else { return Ok(BTreeSet::new()) };
        let Some(kept) = self.text(tx, member, commitment)? else { return Ok(BTreeSet::new()) };
        let failed = VaultError::Sealed { column: "tags", member };
        serde_json::from_slice(kept.get(SALT_BYTES..).unwrap_or_default()).map_err(|_| failed)
    }

    /// Members with a tag, after one of them, at most `limit`.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn tagged(
        &self,
        tx: &mut Tx<'_>,
        tag: &str,
        after: MemberId,
        limit: i64,
    ) -> Result<Vec<MemberId>, VaultError> {
        let key = [self.hashed_tag(tag).into(), after.0.into(), limit.into()];
        let rows = tx.query(SQL.get("tagged"), &key)?;
        rows.iter().map(|row| Ok(MemberId(row.array(0)?))).collect()
    }

    /// How a tag is kept: what a list that is narrowed to it is asked by.
    #[must_use]
    pub fn tag_key(&self, tag: &str) -> Vec<u8> {
        self.hashed_tag(tag).to_vec()
    }

    fn hashed_tag(&self, tag: &str) -> [u8; HMAC_BYTES] {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(DOMAIN);
        context.update(normal::name(tag).as_bytes());
        let mut short = [0; HMAC_BYTES];
        short.copy_from_slice(&context.sign().as_ref()[..HMAC_BYTES]);
        short
    }
}
