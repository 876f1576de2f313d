//! The outbox: which messages are to be sent now, and how sending goes.
//!
//! A message is due until the round that told it is an act; the rows here only say when to try again and what went
//! wrong. So nothing is lost with them, and a message may be sent twice, under one id, but never not at all.

use hufu_shared::act::{Act, Actor, MessagesTold};
use hufu_shared::form::FormContent;
use hufu_shared::ids::{EntryId, Hash};
use hufu_shared::seal::OpenKey;
use hufu_shared::time::{DAY_US, Day, Instant, MINUTE_US};

use super::activities::{self, Occasion};
use super::people::{self, PeopleError};
use super::purchases::{self, Recorded};
use super::{StoreError, acts, joining, journal, lookalikes};
use crate::db::{SqlFile, Tx};
use crate::rules::joining::notice::{self, Reach};
use crate::rules::world::KnownMessage;
use crate::vault::{Vault, normal};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("outbox", include_str!("../../sql/both/outbox.sql"));

/// The longest wait between two tries.
const WAIT_MAX_US: i64 = 6 * 60 * MINUTE_US;

/// A message that is due, with how often it was tried.
pub type Due = (Hash, KnownMessage, u32);

/// How sending of a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Dictionary code of the channel; empty for a message that no machine can send.
    pub channel: String,
    /// Failed tries.
    pub tries: u32,
    /// When it is tried again.
    pub next_at: Instant,
    /// When it was handed over.
    pub sent_at: Option<Instant>,
    /// Why the last try failed.
    pub error: Option<String>,
}

/// A message ready to be sent. `Debug` shows nothing personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Which message: the same id twice is the same message.
    pub message: Hash,
    /// What it is about, as a code.
    pub about: &'static str,
    /// Dictionary code of the channel.
    pub channel: String,
    /// Mobile number or e-mail address.
    pub to: String,
    /// The member's number; none for an applicant who is no member.
    pub number: Option<String>,
    /// The Monday of a week, and what was recorded in it, of a message about purchases (G7).
    pub recorded: Option<(Day, Vec<Recorded>)>,
    /// The holding, of a message about an activity (K25).
    pub occasion: Option<Occasion>,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({} by {})", self.about, self.channel)
    }
}

/// Messages that are to be sent now, the oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn due(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Due>, StoreError> {
    let found = tx.query(SQL.get("due"), &[now.0.into(), limit.into()])?;
    let row = |row: &crate::db::Row| {
        let tries = u32::try_from(row.int(12)?).unwrap_or(u32::MAX);
        Ok((Hash(row.array(0)?), joining::message_of(row, 1)?, tries))
    };
    found.iter().map(row).collect()
}

/// The letter of a message; none where no machine reaches the person, or where they asked for secrecy.
///
/// # Errors
/// [`PeopleError`].
pub fn letter(
    tx: &mut Tx<'_>,
    (vault, key): (&Vault, &OpenKey),
    order: &[String],
    (message, known): (Hash, &KnownMessage),
) -> Result<Option<Letter>, PeopleError> {
    let (mut mobile, mut email, mut number, mut secret) = (None, None, None, false);
    let (mut address, mut home_phone) = (None, None);
    match (known.member, known.application) {
        (Some(member), _) => {
            let Some(row) = people::member(tx, member)? else { return Ok(None) };
            secret = people::wants_secrecy(tx, vault, member, row.personal)?;
            number = Some(row.number);
            if let Some(personal) = vault.reveal(tx, member)? {
                (mobile, email) = (personal.mobile, personal.email);
                (address, home_phone) = (personal.address, personal.home_phone);
            }
        }
        (None, Some(application)) => {
            let content = lookalikes::content(tx, key, application)?.and_then(Result::ok);
            let content: FormContent = content.unwrap_or_default();
            mobile = content.get("mobile").and_then(normal::mobile);
            email = content.get("email").map(str::to_owned);
            address = content.get("address").map(str::to_owned);
            home_phone = content.get("home_phone").map(str::to_owned);
        }
        (None, None) => return Ok(None),
    }
    let reach = Reach {
        mobile: mobile.is_some(),
        email: email.is_some(),
        address: address.is_some(),
        home_phone: home_phone.is_some(),
        secret,
    };
    let Some(channel) = notice::channel(order, reach) else { return Ok(None) };
    let to = match channel {
        "sms" => mobile,
        "email" => email,
        _ => None,
    };
    let recorded = match (known.week, known.member) {
        (Some(week), Some(member)) => Some((week, purchases::recorded(tx, member, week)?)),
        _ => None,
    };
    let occasion = match (known.occurrence, known.member) {
        (Some(occurrence), Some(member)) => activities::occasion(tx, occurrence, member)?,
        _ => None,
    };
    let about = known.about.code();
    Ok(to.map(|to| Letter { message, about, channel: channel.to_owned(), to, number, recorded, occasion }))
}

/// Notes that a try failed; the next one waits longer each time.
///
/// # Errors
/// [`StoreError`].
pub fn failed(
    tx: &mut Tx<'_>,
    (message, channel): (Hash, &str),
    tries: u32,
    (now, error): (Instant, &str),
) -> Result<(), StoreError> {
    let wait_us = MINUTE_US.saturating_mul(1_i64 << tries.min(16)).min(WAIT_MAX_US);
    let next_at = now.offset(wait_us);
    let error = Some(error.to_owned());
    let tried =
        Tried { channel: channel.to_owned(), tries: tries.saturating_add(1), next_at, sent_at: None, error };
    put(tx, message, &tried)
}

/// Notes that no machine can send a message: a person sees to it. It is looked at again the next day.
///
/// # Errors
/// [`StoreError`].
pub fn left_to_people(tx: &mut Tx<'_>, message: Hash, now: Instant) -> Result<(), StoreError> {
    let next_at = now.offset(DAY_US);
    put(tx, message, &Tried { channel: String::new(), tries: 0, next_at, sent_at: None, error: None })
}

/// Notes that a letter was handed over: it is not sent again, though nobody was told of it yet.
///
/// # Errors
/// [`StoreError`].
pub fn handed_over(tx: &mut Tx<'_>, message: Hash, channel: &str, now: Instant) -> Result<(), StoreError> {
    let tried =
        Tried { channel: channel.to_owned(), tries: 0, next_at: now, sent_at: Some(now), error: None };
    put(tx, message, &tried)
}

/// What was handed over and not told of yet, with its channel.
///
/// # Errors
/// [`StoreError`].
pub fn untold(tx: &mut Tx<'_>) -> Result<Vec<(Hash, String)>, StoreError> {
    let found = tx.query(SQL.get("untold"), &[])?;
    found.iter().map(|row| Ok((Hash(row.array(0)?), row.text(1)?.to_owned()))).collect()
}

/// Says of letters of one channel that they were handed over, as one round (K2).
///
/// # Errors
/// [`StoreError`]; then nothing was kept.
pub fn told(
    tx: &mut Tx<'_>,
    (entry, job): (EntryId, &str),
    (channel, messages): (&str, &[Hash]),
    now: Instant,
) -> Result<(), StoreError> {
    journal::pass_gate(tx, now)?;
    let round = joining::next_round(tx)?;
    let told = MessagesTold { round, channel: channel.to_owned(), messages: messages.to_vec() };
    acts::take(tx, entry, now, &Actor::Job(job.to_owned()), &Act::MessagesTold(told))?;
    Ok(())
}

fn put(tx: &mut Tx<'_>, message: Hash, tried: &Tried) -> Result<(), StoreError> {
    let values = [
        message.0.into(),
        tried.channel.as_str().into(),
        i64::from(tried.tries).into(),
        tried.next_at.0.into(),
        tried.sent_at.map(|at| at.0).into(),
        tried.error.clone().into(),
    ];
    tx.execute(SQL.get("note"), &values)?;
    Ok(())
}

/// How the sending of a message goes; none if it was not tried yet.
///
/// # Errors
/// [`StoreError`].
pub fn tried(tx: &mut Tx<'_>, message: Hash) -> Result<Option<Tried>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("tried"), &[message.0.into()])? else { return Ok(None) };
    Ok(Some(Tried {
        channel: row.text(0)?.to_owned(),
        tries: u32::try_from(row.int(1)?).unwrap_or(u32::MAX),
        next_at: Instant(row.int(2)?),
        sent_at: row.int_opt(3)?.map(Instant),
        error: row.text_opt(4)?.map(str::to_owned),
    }))
}
