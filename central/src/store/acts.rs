//! Acts of the centre, and the words that people typed beside them.

use hufu_shared::act::{Act, Actor};
use hufu_shared::ids::{EntryId, Hash, OperatorId};
use hufu_shared::seal::{OpenKey, SealKey, seal};
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::devices::SQL;
use super::{StoreError, journal, stand_ins, world};
use crate::db::Tx;
use crate::rules::entry::{EntryBody, TakenAct};
use crate::rules::judge::settle;
use crate::rules::outcome::Outcome;

/// Bytes of the salt of a commitment.
pub const SALT_BYTES: usize = 16;

/// Passes the gate and takes one act in.
///
/// # Errors
/// [`StoreError`]; then the transaction must not be committed.
pub fn take(
    tx: &mut Tx<'_>,
    id: EntryId,
    now: Instant,
    actor: &Actor,
    act: &Act,
) -> Result<Outcome, StoreError> {
    let received = journal::pass_gate(tx, now)?;
    stand_ins::check(tx, actor, received)?;
    let taken = TakenAct { actor: actor.clone(), act: act.clone(), seen: Vec::new() };
    journal::take(tx, id, received, EntryBody::Act(taken))
}

/// Settles the newest business day that is due, if that was not done yet; answers which.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn settle_day(tx: &mut Tx<'_>, id: EntryId, now: Instant) -> Result<Option<Day>, StoreError> {
    let today = OfficeClock::default().business_day(now);
    let due = settle::due(today, world::settled(tx)?);
    if let Some(day) = due {
        take(tx, id, now, &Actor::Job("settle".to_owned()), &Act::DaySettled(day))?;
    }
    Ok(due)
}

/// A text that a person typed: what the journal holds of it, and what is kept beside.
#[derive(Debug, Clone)]
pub struct Note {
    /// `SHA-256("hufu-commit" | salt | clear)`.
    pub commitment: Hash,
    /// Salt and clear text, sealed to the centre for the place of the commitment.
    pub sealed: Vec<u8>,
}

impl Note {
    /// Commits to a text.
    ///
    /// # Errors
    /// [`hufu_shared::seal::SealError`] if the key is not one.
    pub fn new(
        to: &SealKey,
        salt: [u8; SALT_BYTES],
        clear: &str,
    ) -> Result<Self, hufu_shared::seal::SealError> {
        let commitment = Hash::of(&[b"hufu-commit", &salt, clear.as_bytes()]);
        let sealed = seal(to, &commitment.0, &[&salt, clear.as_bytes()].concat())?;
        Ok(Self { commitment, sealed })
    }

    /// What somebody typed, by its commitment; none where it was erased, or cannot be opened with this key.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub fn read(tx: &mut Tx<'_>, key: &OpenKey, commitment: Hash) -> Result<Option<String>, StoreError> {
        let Some(row) = tx.query_opt(SQL.get("note"), &[commitment.0.into()])? else { return Ok(None) };
        let Ok(clear) = key.open(&commitment.0, row.blob(0)?) else { return Ok(None) };
        Ok(clear.get(SALT_BYTES..).and_then(|text| String::from_utf8(text.to_vec()).ok()))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub fn put(&self, tx: &mut Tx<'_>, staff: Option<OperatorId>, now: Instant) -> Result<(), StoreError> {
        let staff = staff.map(|staff| staff.0).into();
        let values = [self.commitment.0.into(), self.sealed.clone().into(), staff, now.0.into()];
        tx.execute(SQL.get("put_note"), &values)?;
        Ok(())
    }
}

/// What a person typed, by what the journal holds of it; none where it was erased, or cannot be opened.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn words(tx: &mut Tx<'_>, key: &OpenKey, commitment: Hash) -> Result<Option<String>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("note"), &[commitment.0.into()])? else { return Ok(None) };
    let clear = key.open(&commitment.0, row.blob(0)?).ok();
    Ok(clear.and_then(|clear| String::from_utf8(clear.get(SALT_BYTES..)?.to_vec()).ok()))
}
