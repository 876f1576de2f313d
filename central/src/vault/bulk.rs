//! Many new members at once: sealed before anybody waits for the database, and written table by table in the order of
//! the keys, which is what a load of so many rows costs least in.

use hufu_shared::ids::{Hash, MemberId};

use super::envelope::{self, KEY_BYTES, Place};
use super::{HMAC_BYTES, MemberKey, NAME_CHARS_MAX, Personal, SQL, Vault, VaultError, key_place, normal};
use crate::db::{Tx, Value};
use ring::rand::SecureRandom as _;

/// All that the vault keeps of somebody whom it did not know, ready to be written.
#[derive(Debug, Clone)]
pub struct Sealed {
    member: MemberId,
    wrapped: Value,
    fields: Vec<Value>,
    /// Kind and keyed hash of what the member is found by.
    index: Vec<(i64, [u8; HMAC_BYTES])>,
    commitment: Hash,
    text: Value,
}

impl Vault {
    /// Seals what is known of a new member, and the text of a commitment, under a key of their own.
    ///
    /// # Errors
    /// [`VaultError`]; the name must have 1 to 50 characters.
    pub fn seal_new(
        &self,
        member: MemberId,
        personal: &Personal,
        (commitment, clear): (Hash, &[u8]),
    ) -> Result<Sealed, VaultError> {
        let chars = personal.name.chars().count();
        if chars == 0 || chars > NAME_CHARS_MAX {
            return Err(VaultError::Name { chars });
        }
        let (key, wrapped) = self.new_key(member)?;
        let place = Place { table: "vault_text", column: "sealed", member };
        Ok(Sealed {
            member,
            wrapped: wrapped.into(),
            fields: self.seal(&key, member, personal)?,
            index: normal::terms(personal).iter().map(|term| (term.0 as i64, self.hashed(term))).collect(),
            commitment,
            text: envelope::seal(&key, 0, self.nonce()?, place, clear).into(),
        })
    }

    /// Writes new members. Their ids are fresh: nothing is looked up and nothing replaced.
    ///
    /// # Errors
    /// [`VaultError::Db`], also for a member who is there already.
    pub fn put_new(&self, tx: &mut Tx<'_>, sealed: &[&Sealed]) -> Result<(), VaultError> {
        let id = |of: &Sealed| Value::from(of.member.0);
        let mut in_order = sealed.to_vec();
        in_order.sort_by_key(|of| of.member);
        let keys: Vec<_> = in_order.iter().map(|of| vec![id(of), of.wrapped.clone()]).collect();
        tx.execute_many(SQL.get("add_key"), &keys)?;
        let fields = |of: &&Sealed| [id(of)].into_iter().chain(of.fields.iter().cloned()).collect();
        let rows: Vec<Vec<Value>> = in_order.iter().map(fields).collect();
        tx.execute_many(SQL.get("put"), &rows)?;
        let texts: Vec<_> =
            in_order.iter().map(|of| vec![id(of), of.commitment.0.into(), of.text.clone()]).collect();
        tx.execute_many(SQL.get("put_text"), &texts)?;
        let terms =
            in_order.iter().flat_map(|of| of.index.iter().map(|(kind, hmac)| (*kind, *hmac, of.member)));
        let mut index: Vec<_> = terms.collect();
        index.sort_unstable();
        let row = |(kind, hmac, member): (i64, [u8; HMAC_BYTES], MemberId)| {
            vec![kind.into(), hmac.into(), member.0.into()]
        };
        let index: Vec<Vec<Value>> = index.into_iter().map(row).collect();
        tx.execute_many(SQL.get("index"), &index)?;
        Ok(())
    }

    /// A fresh key of a member, and the same wrapped for the database.
    pub(super) fn new_key(&self, member: MemberId) -> Result<(MemberKey, Vec<u8>), VaultError> {
        let mut key = [0; KEY_BYTES];
        self.random.fill(&mut key).map_err(|_| VaultError::Random)?;
        let (id, wrapping) = self.keys.newest();
        let wrapped = envelope::seal(wrapping, *id, self.nonce()?, key_place(member), &key);
        Ok((key, wrapped))
    }
}
