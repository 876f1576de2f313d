//! Devices beside the journal: certificates, enrolment codes, token keys, and the list that the console shows.

use hufu_shared::code::{CODE_BYTES, EnrolCode};
use hufu_shared::ids::{DeviceId, Hash, OfficeId};
use hufu_shared::scheme::Words;
use hufu_shared::seal::{OpenKey, SealError, SealKey, seal};
use hufu_shared::time::{Instant, MINUTE_US};
use hufu_shared::token::TokenKey;
use hufu_shared::wire::health::Health;
use hufu_shared::wire::readiness::Readiness;
use hufu_shared::wire::version::Version;

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::world::DeviceStatus;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("devices", include_str!("../../sql/both/devices.sql"));

/// Minutes that an enrolment code lives.
pub const CODE_LIFE_MINUTES: i64 = 10;
/// Wrong guesses that burn a code.
pub const CODE_TRIES: i64 = 5;
/// The group of offices that share token keys; a club has one until it asks for more.
pub const OFFICE_GROUP: &str = "all";

/// A key with its device, as the database knows them at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The terminal.
    pub device: DeviceId,
    /// The enrolment that the certificate was issued for.
    pub certified_epoch: u32,
    /// Where the terminal stands.
    pub office: OfficeId,
    /// What people call it.
    pub name: String,
    /// How it stands.
    pub status: DeviceStatus,
    /// Its newest enrolment.
    pub epoch: u32,
}

/// The device of a key ([`crate::ca::PeerIdentity::key_id`]), or `None` for a key that was never certified here.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn by_key(tx: &mut Tx<'_>, key: Hash) -> Result<Option<KnownKey>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("by_key"), &[key.0.into()])? else { return Ok(None) };
    Ok(Some(KnownKey {
        device: DeviceId(row.array(0)?),
        certified_epoch: rows::u32_at(&row, 1, "epoch of a certificate")?,
        office: OfficeId(row.array(2)?),
        name: row.text(3)?.to_owned(),
        status: status_at(&row, 4)?,
        epoch: rows::u32_at(&row, 5, "epoch")?,
    }))
}

/// How a device stands, without locking it; `None` if there is none of that id.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn status(tx: &mut Tx<'_>, device: DeviceId) -> Result<Option<DeviceStatus>, StoreError> {
    let row = tx.query_opt(SQL.get("status"), &[device.0.into()])?;
    row.map(|row| status_at(&row, 0)).transpose()
}

fn status_at(row: &Row, column: usize) -> Result<DeviceStatus, StoreError> {
    let code = row.text(column)?;
    DeviceStatus::from_code(code).ok_or_else(|| rows::unknown("status of a device", code))
}

/// A certificate as it is remembered.
#[derive(Debug, Clone, Copy)]
pub struct Certificate {
    /// SHA-256 of its public key.
    pub key: Hash,
    /// Whose.
    pub device: DeviceId,
    /// For which enrolment.
    pub epoch: u32,
    /// When it ends.
    pub not_after: Instant,
}

/// Remembers a certificate.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn add_certificate(tx: &mut Tx<'_>, made: &Certificate, now: Instant) -> Result<(), StoreError> {
    let values = [
        made.key.0.into(),
        made.device.0.into(),
        i64::from(made.epoch).into(),
        made.not_after.0.into(),
        now.0.into(),
    ];
    tx.execute(SQL.get("add_certificate"), &values)?;
    Ok(())
}

/// Whether a key may already sign for an enrolment.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn has_key(tx: &mut Tx<'_>, device: DeviceId, epoch: u32, public_key: &[u8]) -> Result<bool, StoreError> {
    let id = hufu_shared::chain::key_id(public_key);
    let values = [device.0.into(), i64::from(epoch).into(), id.into()];
    Ok(tx.query_opt(SQL.get("has_key"), &values)?.is_some())
}

/// Keys of all revoked devices.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn keys_of_revoked(tx: &mut Tx<'_>) -> Result<Vec<Hash>, StoreError> {
    let rows = tx.query(SQL.get("keys_of_revoked"), &[])?;
    rows.iter().map(|row| Ok(Hash(row.array(0)?))).collect()
}

// ---- enrolment codes ----

/// The part of a secret that names its row; the other 64 bits are what must be guessed.
fn selector(secret: &[u8]) -> i64 {
    secret.iter().take(2).fold(0, |sum, byte| sum * 256 + i64::from(*byte))
}

/// Gives a device a code; an earlier one of the same device is void from then on.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn put_code(
    tx: &mut Tx<'_>,
    device: DeviceId,
    secret: &[u8; CODE_BYTES],
    now: Instant,
) -> Result<Instant, StoreError> {
    let expires = now.offset(CODE_LIFE_MINUTES * MINUTE_US);
    let values = [
        device.0.into(),
        EnrolCode::secret_hash(secret).0.into(),
        now.0.into(),
        expires.0.into(),
        CODE_TRIES.into(),
        selector(secret).into(),
    ];
    tx.execute(SQL.get("put_code"), &values)?;
    Ok(expires)
}

/// What a presented secret is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeVerdict {
    /// It opens this device's enrolment; `is_used` by the same key before.
    Opens {
        /// The device that it was made for.
        device: DeviceId,
        /// Whether this very key used it already: the answer was lost.
        is_used: bool,
    },
    /// No code begins like this.
    Unknown,
    /// It is wrong; a try of that device's code was spent.
    Wrong(DeviceId),
    /// It was right once: too old now.
    Expired(DeviceId),
    /// Too many wrong guesses.
    Burnt(DeviceId),
    /// Another key used it.
    Used(DeviceId),
}

/// Judges a secret presented with a key, and spends a try if it is wrong or another's. The caller must commit even
/// when it refuses, else guessing costs nothing.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn judge_code(
    tx: &mut Tx<'_>,
    secret: &[u8],
    key: Hash,
    now: Instant,
) -> Result<CodeVerdict, StoreError> {
    let presented = EnrolCode::secret_hash(secret);
    let mut verdict = CodeVerdict::Unknown;
    for row in tx.query(SQL.get("codes"), &[selector(secret).into()])? {
        let device = DeviceId(row.array(0)?);
        let is_right = is_same(&row.array(1)?, &presented.0);
        let (expires, tries_left) = (Instant(row.int(2)?), row.int(3)?);
        let used_by = row.array_opt(4)?.map(Hash);
        let judged = match used_by {
            _ if tries_left <= 0 => CodeVerdict::Burnt(device),
            _ if !is_right => CodeVerdict::Wrong(device),
            _ if expires <= now => CodeVerdict::Expired(device),
            Some(used) if used != key => CodeVerdict::Used(device),
            used => CodeVerdict::Opens { device, is_used: used.is_some() },
        };
        if matches!(judged, CodeVerdict::Wrong(_) | CodeVerdict::Used(_)) {
            tx.execute(SQL.get("cost_try"), &[device.0.into()])?;
        }
        if is_right || verdict == CodeVerdict::Unknown {
            verdict = judged;
        }
    }
    Ok(verdict)
}

/// Marks a code as used by a key.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn use_code(tx: &mut Tx<'_>, device: DeviceId, key: Hash, now: Instant) -> Result<(), StoreError> {
    tx.execute(SQL.get("use_code"), &[device.0.into(), now.0.into(), key.0.into()])?;
    Ok(())
}

/// Compares without telling by its time where two hashes differ.
fn is_same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// The office of a code.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn office_by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<OfficeId>, StoreError> {
    let row = tx.query_opt(SQL.get("office_by_code"), &[code.into()])?;
    row.map(|row| Ok(OfficeId(row.array(0)?))).transpose()
}

// ---- token keys ----

fn token_key_place(version: u16) -> Vec<u8> {
    [b"hufu-token-key".as_slice(), OFFICE_GROUP.as_bytes(), &version.to_be_bytes()].concat()
}

/// Why token keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored key is sealed to another centre's key, or damaged.
    #[error("open token key {version}: {source}")]
    Seal {
        /// Its version.
        version: u16,
        /// Why.
        source: SealError,
    },
}

impl From<crate::db::DbError> for TokenKeyError {
    fn from(error: crate::db::DbError) -> Self {
        Self::Store(error.into())
    }
}

/// Adds a version of the office group's key, sealed to the centre.
///
/// # Errors
/// [`TokenKeyError`].
pub fn add_token_key(
    tx: &mut Tx<'_>,
    to: &SealKey,
    version: u16,
    secret: &[u8; 32],
) -> Result<(), TokenKeyError> {
    let sealed = seal(to, &token_key_place(version), secret)
        .map_err(|source| TokenKeyError::Seal { version, source })?;
    let values = [OFFICE_GROUP.into(), i64::from(version).into(), sealed.into()];
    tx.execute(SQL.get("add_token_key"), &values).map_err(StoreError::from)?;
    Ok(())
}

/// The token keys of the office group, the current one first. Cards are registered under the first.
///
/// # Errors
/// [`TokenKeyError`].
pub fn token_keys(tx: &mut Tx<'_>, open: &OpenKey) -> Result<Vec<TokenKey>, TokenKeyError> {
    let mut keys = Vec::new();
    for row in tx.query(SQL.get("token_keys"), &[OFFICE_GROUP.into()]).map_err(StoreError::from)? {
        let met = row.int(0).map_err(StoreError::from)?;
        let version =
            u16::try_from(met).map_err(|_| StoreError::Range { what: "version of a token key", met })?;
        let sealed = row.blob(1).map_err(StoreError::from)?;
        let secret = open.open(&token_key_place(version), sealed);
        let secret = secret.and_then(|clear| <[u8; 32]>::try_from(clear).map_err(|_| SealError::Open));
        keys.push(TokenKey::new(version, secret.map_err(|source| TokenKeyError::Seal { version, source })?));
    }
    Ok(keys)
}

// ---- the list ----

/// A terminal as the console lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLine {
    /// Its identity.
    pub device: DeviceId,
    /// What people call it.
    pub name: String,
    /// How it stands; [`DeviceStatus::code`] is the status word.
    pub status: DeviceStatus,
    /// Its newest enrolment, 0 before the first.
    pub epoch: u32,
    /// Where it stands.
    pub office: OfficeId,
    /// Short code and name of the office; none if the office is unknown.
    pub office_words: Option<(String, Words)>,
    /// The last fact taken in of the newest enrolment, and when that was opened.
    pub enrolled: Option<(u64, Instant)>,
    /// What it said when it was last in contact; none before the first time.
    pub contact: Option<Contact>,
    /// When its newest certificate ends.
    pub certificate_ends: Option<Instant>,
    /// Until when an unused enrolment code may be used.
    pub code_expires: Option<Instant>,
}

/// The last contact with a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// When.
    pub at: Instant,
    /// From which address.
    pub address: String,
    /// Program version that it last said that it has.
    pub software: String,
    /// Facts that waited there.
    pub queued: u64,
    /// Directory version that it held.
    pub directory: Version,
    /// Block version that it held.
    pub block: Version,
    /// Batches that came again (kind 1).
    pub duplicates: u64,
    /// Batches that left a gap (kind 20).
    pub gaps: u64,
    /// How ready it was to go offline; none if it did not say.
    pub readiness: Option<Readiness>,
    /// How it is; none if it did not say.
    pub health: Option<Health>,
}

/// All terminals, by office and name.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<DeviceLine>, StoreError> {
    tx.query(SQL.get("list"), &[])?.iter().map(device_line).collect()
}

fn device_line(row: &Row) -> Result<DeviceLine, StoreError> {
    let office_words = match (row.text_opt(5)?, row.text_opt(6)?, row.text_opt(7)?) {
        (Some(code), Some(zh), Some(en)) => {
            Some((code.to_owned(), Words { zh: zh.to_owned(), en: en.to_owned() }))
        }
        _ => None,
    };
    let enrolled = match row.int_opt(9)? {
        Some(at) => Some((row.uint(8)?, Instant(at))),
        None => None,
    };
    let version = |epoch, n| -> Result<Version, StoreError> {
        Ok(Version { epoch: rows::u32_at(row, epoch, "epoch of a version")?, n: row.uint(n)? })
    };
    let contact = match row.int_opt(10)? {
        Some(at) => Some(Contact {
            at: Instant(at),
            address: row.text(11)?.to_owned(),
            software: row.text(12)?.to_owned(),
            queued: row.uint(13)?,
            directory: version(14, 15)?,
            block: version(16, 17)?,
            duplicates: row.uint(18)?,
            gaps: row.uint(19)?,
            readiness: row.text_opt(22)?.and_then(Readiness::from_query),
            health: row.text_opt(23)?.and_then(Health::from_query),
        }),
        None => None,
    };
    Ok(DeviceLine {
        device: DeviceId(row.array(0)?),
        name: row.text(1)?.to_owned(),
        status: status_at(row, 2)?,
        epoch: rows::u32_at(row, 3, "epoch")?,
        office: OfficeId(row.array(4)?),
        office_words,
        enrolled,
        contact,
        certificate_ends: row.int_opt(20)?.map(Instant),
        code_expires: row.int_opt(21)?.map(Instant),
    })
}
