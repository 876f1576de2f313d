//! The vault: the only module that holds personal data.
//!
//! Each member's data is sealed under a key of their own, which is wrapped by a key file outside the database; search
//! goes through keyed hashes. Erasing a member deletes their key: what backups still hold cannot be read. No other table
//! and no log holds a name, a number or a date of birth.
//!
//! Invariants: a sealed field opens only in its own table, column and row; the index holds no clear value; whatever is
//! shown goes through [`mask`] unless a person asked to see it, which the caller records.
//! Out of scope: who may see what, and the record of who saw it.

mod bulk;
pub mod document;
mod envelope;
mod forms;
mod key_file;
pub mod mask;
pub mod normal;
mod own_staff;
mod personal;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::time::Day;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

pub use bulk::Sealed;
pub use forms::AlikeInVault;
pub use personal::{Document, DocumentKind, NAME_CHARS_MAX, Personal, Sex};

use crate::db::{DbError, Row, SqlFile, Tx, Value};
use crate::secret_file::SecretFileError;
use envelope::{KEY_BYTES, NONCE_BYTES, Place};
use key_file::KeyFile;
use normal::{IndexKind, Term};

/// The vault's statements; a test prepares them all on both engines.
pub static SQL: SqlFile = SqlFile::with_overrides(
    "vault",
    include_str!("../../sql/both/vault.sql"),
    "",
    include_str!("../../sql/postgres/vault.sql"),
);

/// Bytes of a keyed hash that are stored: enough that two values never meet.
const HMAC_BYTES: usize = 16;
/// Members looked at per term of a search; a term that more members share is too short to be useful.
const CANDIDATES_MAX: i64 = 10_000;
/// Sealed fields, in the order of the statements `put` and `load`.
const COLUMNS: [&str; 9] =
    ["name", "sex", "mobile", "home_phone", "document", "birthday", "address", "email", "remark"];

/// The vault failed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The key file cannot be used.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
    /// A row cannot be opened: damaged, moved, or sealed under a key that the key file lacks.
    #[error(
        "column {column} of member {member} cannot be opened: it is damaged, or the key file is another's"
    )]
    Sealed {
        /// Which column.
        column: &'static str,
        /// Whose.
        member: MemberId,
    },
    /// The name is empty or too long.
    #[error("the name has {chars} characters, expected 1 to {NAME_CHARS_MAX}")]
    Name {
        /// How many it has.
        chars: usize,
    },
    /// A text was given for a member who has no key: never stored, or erased.
    #[error("member {member} is not in the vault")]
    NoMember {
        /// Who.
        member: MemberId,
    },
}

/// The vault's keys; the data is in the database. Clones share them.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<KeyFile>,
    index: hmac::Key,
    random: SystemRandom,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

/// A member's own key.
type MemberKey = [u8; KEY_BYTES];

impl Vault {
    /// Makes the key file, which must not exist yet.
    ///
    /// # Errors
    /// [`VaultError::File`] or [`VaultError::Random`].
    pub fn create(key_file: &Path) -> Result<Self, VaultError> {
        Ok(Self::with(KeyFile::create(key_file)?))
    }

    /// Reads the key file.
    ///
    /// # Errors
    /// [`VaultError::File`].
    pub fn open(key_file: &Path) -> Result<Self, VaultError> {
        Ok(Self::with(KeyFile::open(key_file)?))
    }

    fn with(keys: KeyFile) -> Self {
        let index = hmac::Key::new(hmac::HMAC_SHA256, &keys.index);
        Self { keys: Arc::new(keys), index, random: SystemRandom::new() }
    }

    /// Stores or replaces what is known of a member, and makes it findable.
    ///
    /// # Errors
    /// [`VaultError`]; the name must have 1 to 50 characters.
    pub fn put(&self, tx: &mut Tx<'_>, member: MemberId, personal: &Personal) -> Result<(), VaultError> {
        let chars = personal.name.chars().count();
        if chars == 0 || chars > NAME_CHARS_MAX {
            return Err(VaultError::Name { chars });
        }
        let key = match tx.query_opt(SQL.get("key"), &[member.0.into()])? {
            Some(row) => self.open_key(member, row.blob(0)?)?,
            None => self.add_key(tx, member)?,
        };
        let sealed = self.seal(&key, member, personal)?;
        let values: Vec<Value> = [member.0.into()].into_iter().chain(sealed).collect();
        tx.execute(SQL.get("put"), &values)?;
        tx.execute(SQL.get("unindex"), &[member.0.into()])?;
        let rows: Vec<Vec<Value>> = self.index_rows(member, &normal::terms(personal));
        tx.execute_many(SQL.get("index"), &rows)?;
        Ok(())
    }

    /// All that is known of a member; `None` if nothing is, or no longer. The caller records who looked, and why.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn reveal(&self, tx: &mut Tx<'_>, member: MemberId) -> Result<Option<Personal>, VaultError> {
        let Some(row) = tx.query_opt(SQL.get("load"), &[member.0.into()])? else { return Ok(None) };
        let key = self.open_key(member, row.blob(0)?)?;
        unseal(&key, member, &row).map(Some)
    }

    /// Forgets a member: key, data, texts, index. Answers whether there was anything.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn erase(&self, tx: &mut Tx<'_>, member: MemberId) -> Result<bool, VaultError> {
        for statement in ["unindex", "drop_tags", "erase_texts", "erase_member"] {
            tx.execute(SQL.get(statement), &[member.0.into()])?;
        }
        Ok(tx.execute(SQL.get("erase_key"), &[member.0.into()])? > 0)
    }

    /// Members with exactly this value, in the order of their ids, at most `limit`.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn find(
        &self,
        tx: &mut Tx<'_>,
        kind: IndexKind,
        value: &str,
        limit: u32,
    ) -> Result<Vec<MemberId>, VaultError> {
        let normal = match kind {
            IndexKind::Name | IndexKind::NamePiece | IndexKind::Initials => normal::name(value),
            IndexKind::Mobile | IndexKind::HomePhone => normal::mobile(value).unwrap_or_default(),
            IndexKind::MobileLast4 | IndexKind::Document => normal::document_number(value),
        };
        let found = self.holders(tx, &(kind, normal), limit.into())?;
        Ok(found.into_iter().collect())
    }

    /// Members that the text of the one search box may mean: name or a part of it, pinyin initials, mobile, its last
    /// four digits, document number. At most `limit`, in the order of their ids.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn search(&self, tx: &mut Tx<'_>, input: &str, limit: usize) -> Result<Vec<MemberId>, VaultError> {
        let mut found = BTreeSet::new();
        for way in normal::search(input) {
            let mut common: Option<BTreeSet<MemberId>> = None;
            // Of one term alone the first holders are those that are wanted: of a frequent name thousands would be read.
            let most = if way.len() > 1 { CANDIDATES_MAX } else { i64::try_from(limit).unwrap_or(i64::MAX) };
            for term in &way {
                let holders = self.holders(tx, term, most.min(CANDIDATES_MAX))?;
                common = Some(match common {
                    None => holders,
                    Some(before) => before.intersection(&holders).copied().collect(),
                });
                if common.as_ref().is_some_and(BTreeSet::is_empty) {
                    break;
                }
            }
            found.extend(common.unwrap_or_default());
        }
        Ok(found.into_iter().take(limit).collect())
    }

    /// Whether anything may be kept of a member: not before the first data, and not after the erasure.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn knows(&self, tx: &mut Tx<'_>, member: MemberId) -> Result<bool, VaultError> {
        Ok(tx.query_opt(SQL.get("key_to_read"), &[member.0.into()])?.is_some())
    }

    /// Keeps a text whose commitment stands in the journal; it is erased with its member.
    ///
    /// # Errors
    /// [`VaultError::NoMember`] if the member is not in the vault.
    pub fn put_text(
        &self,
        tx: &mut Tx<'_>,
        member: MemberId,
        commitment: Hash,
        clear: &[u8],
    ) -> Result<(), VaultError> {
        self.put_texts(tx, member, &[(commitment, clear)])
    }

    /// As [`Vault::put_text`], several of one member: their key is opened once.
    ///
    /// # Errors
    /// [`VaultError::NoMember`] if the member is not in the vault.
    pub fn put_texts(
        &self,
        tx: &mut Tx<'_>,
        member: MemberId,
        texts: &[(Hash, &[u8])],
    ) -> Result<(), VaultError> {
        let key = self.key_of(tx, member)?.ok_or(VaultError::NoMember { member })?;
        let row = |(commitment, clear): &(Hash, &[u8])| {
            let place = Place { table: "vault_text", column: "sealed", member };
            let sealed = envelope::seal(&key, 0, self.nonce()?, place, clear);
            Ok(vec![member.0.into(), commitment.0.into(), sealed.into()])
        };
        let rows = texts.iter().map(row).collect::<Result<Vec<Vec<Value>>, VaultError>>()?;
        tx.execute_many(SQL.get("put_text"), &rows)?;
        Ok(())
    }

    /// The text of a commitment; `None` if it was erased.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn text(
        &self,
        tx: &mut Tx<'_>,
        member: MemberId,
        commitment: Hash,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(key) = self.key_of(tx, member)? else { return Ok(None) };
        let Some(row) = tx.query_opt(SQL.get("text"), &[member.0.into(), commitment.0.into()])? else {
            return Ok(None);
        };
        let place = Place { table: "vault_text", column: "sealed", member };
        let clear = envelope::open(&key, place, row.blob(0)?);
        clear.map(Some).ok_or(VaultError::Sealed { column: "sealed", member })
    }

    fn key_of(&self, tx: &mut Tx<'_>, member: MemberId) -> Result<Option<MemberKey>, VaultError> {
        match tx.query_opt(SQL.get("key_to_read"), &[member.0.into()])? {
            Some(row) => self.open_key(member, row.blob(0)?).map(Some),
            None => Ok(None),
        }
    }

    fn add_key(&self, tx: &mut Tx<'_>, member: MemberId) -> Result<MemberKey, VaultError> {
        let (key, wrapped) = self.new_key(member)?;
        tx.execute(SQL.get("add_key"), &[member.0.into(), wrapped.into()])?;
        Ok(key)
    }

    fn open_key(&self, member: MemberId, wrapped: &[u8]) -> Result<MemberKey, VaultError> {
        let wrapping = envelope::key_id(wrapped).and_then(|id| self.keys.by_id(id));
        let key = wrapping.and_then(|wrapping| envelope::open(wrapping, key_place(member), wrapped));
        let key = key.and_then(|key| key.try_into().ok());
        key.ok_or(VaultError::Sealed { column: "wrapped", member })
    }

    fn nonce(&self) -> Result<[u8; NONCE_BYTES], VaultError> {
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce).map_err(|_| VaultError::Random)?;
        Ok(nonce)
    }

    /// The sealed columns, in the order of [`COLUMNS`].
    fn seal(&self, key: &MemberKey, member: MemberId, personal: &Personal) -> Result<Vec<Value>, VaultError> {
        let clear = [
            Some(personal.name.clone()),
            Some(personal.sex.code().to_owned()),
            personal.mobile.clone(),
            personal.home_phone.clone(),
            personal
                .document
                .as_ref()
                .map(|document| format!("{}:{}", document.kind.code(), document.number)),
            personal.birthday.map(|day| day.to_string()),
            personal.address.clone(),
            personal.email.clone(),
            personal.remark.clone(),
        ];
        let seal = |(column, clear): (&'static str, Option<String>)| {
            let Some(clear) = clear else { return Ok(Value::Null) };
            let place = Place { table: "vault_member", column, member };
            Ok(envelope::seal(key, 0, self.nonce()?, place, clear.as_bytes()).into())
        };
        COLUMNS.into_iter().zip(clear).map(seal).collect()
    }

    fn index_rows(&self, member: MemberId, terms: &BTreeSet<Term>) -> Vec<Vec<Value>> {
        let row = |term: &Term| vec![(term.0 as i64).into(), self.hashed(term).into(), member.0.into()];
        terms.iter().map(row).collect()
    }

    fn hashed(&self, (kind, value): &Term) -> [u8; HMAC_BYTES] {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(&[*kind as u8]);
        context.update(value.as_bytes());
        let mut short = [0; HMAC_BYTES];
        short.copy_from_slice(&context.sign().as_ref()[..HMAC_BYTES]);
        short
    }

    /// What tells whether two texts are alike, and says nothing of them to who has the database and not the key: a plain
    /// hash of a mobile is found by trying them all. The caller separates parts of variable length itself.
    #[must_use]
    pub fn print(&self, parts: &[&[u8]]) -> Hash {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(b"print");
        for part in parts {
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        Hash(bytes)
    }

    fn holders(&self, tx: &mut Tx<'_>, term: &Term, limit: i64) -> Result<BTreeSet<MemberId>, VaultError> {
        let parameters = [(term.0 as i64).into(), self.hashed(term).into(), limit.into()];
        let rows = tx.query(SQL.get("find"), &parameters)?;
        rows.iter().map(|row| Ok(MemberId(row.array(0)?))).collect()
    }
}

fn key_place(member: MemberId) -> Place {
    Place { table: "vault_key", column: "wrapped", member }
}

/// Opens the sealed columns, which stand from column 1 on.
fn unseal(key: &MemberKey, member: MemberId, row: &Row) -> Result<Personal, VaultError> {
    let mut clear = Vec::with_capacity(COLUMNS.len());
    for (number, column) in (1..).zip(COLUMNS) {
        let failed = || VaultError::Sealed { column, member };
        let text = match row.blob_opt(number)? {
            None => None,
            Some(sealed) => {
                let place = Place { table: "vault_member", column, member };
                let bytes = envelope::open(key, place, sealed).ok_or_else(failed)?;
                Some(String::from_utf8(bytes).map_err(|_| failed())?)
            }
        };
        clear.push(text);
    }
    let failed = |column| move || VaultError::Sealed { column, member };
    let mut clear = clear.into_iter();
    let mut next = || clear.next().flatten();
    let name = next().ok_or_else(failed("name"))?;
    let sex = next().and_then(|code| Sex::from_code(&code)).ok_or_else(failed("sex"))?;
    let (mobile, home_phone) = (next(), next());
    let document = next().map(|text| parse_document(&text).ok_or_else(failed("document"))).transpose()?;
    let birthday = next().map(|text| text.parse::<Day>().map_err(|_| failed("birthday")())).transpose()?;
    let (address, email, remark) = (next(), next(), next());
    Ok(Personal { name, sex, mobile, home_phone, document, birthday, address, email, remark })
}

fn parse_document(text: &str) -> Option<Document> {
    let (kind, number) = text.split_once(':')?;
    Some(Document { kind: DocumentKind::from_code(kind)?, number: number.to_owned() })
}
