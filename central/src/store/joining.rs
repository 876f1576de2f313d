//! Joining and leaving: the rows that apply reads and writes, and what people look at and do.
//!
//! Invariant: nothing personal stands in these rows; what an application says is sealed beside the journal under the
//! application's name, as the forms of terminals are. Out of scope: opening forms, sending messages.

use hufu_shared::dictionary::{self, Term};
use hufu_shared::ids::{DeviceId, EntryId, FactId, Hash, MemberId, OccurrenceId, OfficeId, OperatorId};
use hufu_shared::scheme::Words;
use hufu_shared::time::Instant;

use super::{StoreError, associations, rows};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::joining::eligible::Standing;
use crate::rules::joining::notice::About;
use crate::rules::joining::{application, leaving};
use crate::rules::outcome::Outcome;
use crate::rules::world::{KnownFiled, KnownLeaving, KnownMessage, World};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("joining", include_str!("../../sql/both/joining.sql"));

/// Fetches an application that was filed here.
///
/// # Errors
/// [`StoreError`].
pub(super) fn filed_in(tx: &mut Tx<'_>, world: &mut World, id: FactId) -> Result<(), StoreError> {
    world.filed.extend(filed(tx, id)?.map(|known| (id, known)));
    Ok(())
}

/// Fetches where somebody's leaving is.
///
/// # Errors
/// [`StoreError`].
pub(super) fn leaving_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    world.leavings.extend(leaving(tx, member)?.map(|known| (member, known)));
    Ok(())
}

/// Fetches something that a person is to be told.
///
/// # Errors
/// [`StoreError`].
pub(super) fn message_in(tx: &mut Tx<'_>, world: &mut World, id: Hash) -> Result<(), StoreError> {
    world.messages.extend(message(tx, id)?.map(|known| (id, known)));
    Ok(())
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    associations::commit(tx, entry, outcome)?;
    for term in &outcome.terms {
        let values = [
            term.dictionary.as_str().into(),
            term.code.as_str().into(),
            term.words.zh.as_str().into(),
            term.words.en.as_str().into(),
            i64::from(term.order).into(),
            i64::from(term.retired).into(),
            entry.0.into(),
        ];
        tx.execute(SQL.get("set_term"), &values)?;
    }
    for (id, known) in &outcome.filed {
        let values = [
            id.device.0.into(),
            known.route.as_str().into(),
            known.way.clone().into(),
            known.kind.as_str().into(),
            known.office.map(|office| office.0).into(),
            known.referrer.map(|member| member.0).into(),
            known.form.0.into(),
            i64::from(known.day.0).into(),
            known.filed.0.into(),
            known.state.code().into(),
            known.member.map(|member| member.0).into(),
            i64::from(known.looked_up).into(),
            known.changed.0.into(),
            known.standing.code().into(),
            i64::from(known.automatic).into(),
            known.carer.map(|carer| carer.0).into(),
            entry.0.into(),
        ];
        tx.execute(SQL.get("set_filed"), &values)?;
    }
    for (member, known) in &outcome.leavings {
        let values = [
            member.0.into(),
            known.kind.as_str().into(),
            known.state.code().into(),
            i64::from(known.automatic).into(),
            known.filed.0.into(),
            known.changed.0.into(),
            entry.0.into(),
        ];
        tx.execute(SQL.get("set_leaving"), &values)?;
    }
    outcome.messages.iter().try_for_each(|(id, known)| set_message(tx, entry, *id, known))
}

fn set_message(tx: &mut Tx<'_>, entry: EntryId, id: Hash, known: &KnownMessage) -> Result<(), StoreError> {
    let mut values: Vec<Value> =
        vec![id.0.into(), known.about.code().into(), known.member.map(|member| member.0).into()];
    values.extend(rows::fact_id_values_opt(known.application));
    values.extend([
        known.due.0.into(),
        known.told.map(|told| told.0).into(),
        known.told.map(|_| i64::from(known.round)).into(),
        known.channel.clone().into(),
        known.week.map(|week| i64::from(week.0)).into(),
        known.occurrence.map(|occurrence| occurrence.0).into(),
        entry.0.into(),
    ]);
    tx.execute(SQL.get("set_message"), &values)?;
    Ok(())
}

/// An application that was filed here.
///
/// # Errors
/// [`StoreError`].
pub fn filed(tx: &mut Tx<'_>, id: FactId) -> Result<Option<KnownFiled>, StoreError> {
    let row = tx.query_opt(SQL.get("filed"), &[id.device.0.into()])?;
    row.map(|row| filed_of(&row, 0)).transpose()
}

/// From the columns of the table, `id` left out, beginning at one.
fn filed_of(row: &Row, at: usize) -> Result<KnownFiled, StoreError> {
    let state = row.text(at + 8)?;
    Ok(KnownFiled {
        route: row.text(at)?.to_owned(),
        way: row.text_opt(at + 1)?.map(str::to_owned),
        kind: row.text(at + 2)?.to_owned(),
        office: row.array_opt(at + 3)?.map(OfficeId),
        referrer: row.array_opt(at + 4)?.map(MemberId),
        form: Hash(row.array(at + 5)?),
        day: rows::day_at(row, at + 6)?,
        filed: Instant(row.int(at + 7)?),
        state: application::State::from_code(state)
            .ok_or_else(|| rows::unknown("state of an application", state))?,
        member: row.array_opt(at + 9)?.map(MemberId),
        looked_up: row.flag(at + 10)?,
        changed: Instant(row.int(at + 11)?),
        standing: Standing::from_code(row.text(at + 12)?)
            .ok_or_else(|| rows::unknown("standing", row.text(at + 12).unwrap_or_default()))?,
        automatic: row.flag(at + 13)?,
        carer: row.array_opt(at + 14)?.map(OperatorId),
    })
}

fn filed_row(row: &Row) -> Result<(FactId, KnownFiled), StoreError> {
    Ok((FactId::filed(row.array(0)?), filed_of(row, 1)?))
}

/// Applications filed here that wait for a person, the oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn waiting(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(FactId, KnownFiled)>, StoreError> {
    tx.query(SQL.get("waiting_filed"), &[limit.into()])?.iter().map(filed_row).collect()
}

/// Applications filed here that lapsed and can be completed, the oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn lapsed(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(FactId, KnownFiled)>, StoreError> {
    tx.query(SQL.get("lapsed_filed"), &[limit.into()])?.iter().map(filed_row).collect()
}

/// A page of all applications filed here, after a place in the order `sort`, at most `limit`: `filed` for the first one in
/// front, `-filed` for the newest.
///
/// # Errors
/// [`StoreError`].
pub fn filed_page(
    tx: &mut Tx<'_>,
    (sort, filed, id): (&str, i64, [u8; 16]),
    limit: i64,
) -> Result<Vec<(FactId, KnownFiled)>, StoreError> {
    let statement = if sort == "-filed" { "filed_page_down" } else { "filed_page" };
    tx.query(SQL.get(statement), &[filed.into(), id.into(), limit.into()])?.iter().map(filed_row).collect()
}

/// Where somebody's leaving is; none for one who never left.
///
/// # Errors
/// [`StoreError`].
pub fn leaving(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<KnownLeaving>, StoreError> {
    let row = tx.query_opt(SQL.get("leaving"), &[member.0.into()])?;
    row.map(|row| leaving_of(&row, 0)).transpose()
}

fn leaving_of(row: &Row, at: usize) -> Result<KnownLeaving, StoreError> {
    let state = row.text(at + 1)?;
    Ok(KnownLeaving {
        kind: row.text(at)?.to_owned(),
        state: leaving::State::from_code(state).ok_or_else(|| rows::unknown("state of a leaving", state))?,
        automatic: row.flag(at + 2)?,
        filed: Instant(row.int(at + 3)?),
        changed: Instant(row.int(at + 4)?),
    })
}

/// A leaving with what its member is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeavingView {
    /// Who.
    pub member: MemberId,
    /// Where it is.
    pub known: KnownLeaving,
    /// The message about where it is now; none where nothing is told.
    pub notice: Option<Hash>,
    /// When it was told, in which round, by which channel; none while it is due.
    pub told: Option<(Instant, u32, String)>,
}

/// Leavings in a state, after one of them, the oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn leavings(
    tx: &mut Tx<'_>,
    state: leaving::State,
    (filed, member): (Instant, MemberId),
    limit: i64,
) -> Result<Vec<LeavingView>, StoreError> {
    let key = [state.code().into(), filed.0.into(), member.0.into(), limit.into()];
    let read = |row: &Row| {
        let told = match row.int_opt(7)? {
            Some(at) => {
                let round = row.int_opt(8)?.and_then(|round| u32::try_from(round).ok()).unwrap_or(0);
                Some((Instant(at), round, row.text_opt(9)?.unwrap_or_default().to_owned()))
            }
            None => None,
        };
        let notice = row.array_opt(6)?.map(Hash);
        Ok(LeavingView { member: MemberId(row.array(0)?), known: leaving_of(row, 1)?, notice, told })
    };
    tx.query(SQL.get("leavings"), &key)?.iter().map(read).collect()
}

/// A round of telling people by one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Its number.
    pub round: u32,
    /// Dictionary code of the channel.
    pub channel: String,
    /// When it was told.
    pub told: Instant,
    /// How many people were told.
    pub messages: u64,
    /// How many of them of their leaving.
    pub of_leaving: u64,
}

/// The newest rounds before one of this number, at most `limit`; and how many messages wait for the next one, how many of
/// them about leaving.
///
/// # Errors
/// [`StoreError`].
pub fn rounds(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<(Vec<Round>, (u64, u64)), StoreError> {
    let read = |row: &Row| {
        Ok(Round {
            round: rows::u32_at(row, 0, "round")?,
            channel: row.text_opt(1)?.unwrap_or_default().to_owned(),
            told: Instant(row.int(2)?),
            messages: row.uint(3)?,
            of_leaving: row.uint(4)?,
        })
    };
    let found = tx.query(SQL.get("rounds"), &[before.into(), limit.into()])?;
    let due = tx.query_one(SQL.get("due_count"), &[])?;
    let rounds = found.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
    Ok((rounds, (due.uint(0)?, due.uint(1)?)))
}

/// What a person is to be told, or was.
///
/// # Errors
/// [`StoreError`].
pub fn message(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownMessage>, StoreError> {
    tx.query_opt(SQL.get("message"), &[id.0.into()])?.map(|row| message_of(&row, 0)).transpose()
}

pub(super) fn message_of(row: &Row, at: usize) -> Result<KnownMessage, StoreError> {
    let about = row.text(at)?;
    let device: Option<[u8; 16]> = row.array_opt(at + 2)?;
    let application = match device {
        Some(device) => Some(FactId {
            device: DeviceId(device),
            epoch: rows::u32_at(row, at + 3, "epoch of an application")?,
            seq: row.uint(at + 4)?,
        }),
        None => None,
    };
    Ok(KnownMessage {
        about: About::from_code(about).ok_or_else(|| rows::unknown("kind of message", about))?,
        member: row.array_opt(at + 1)?.map(MemberId),
        application,
        due: Instant(row.int(at + 5)?),
        told: row.int_opt(at + 6)?.map(Instant),
        round: row.int_opt(at + 7)?.and_then(|round| u32::try_from(round).ok()).unwrap_or(0),
        channel: row.text_opt(at + 8)?.map(str::to_owned),
        week: rows::day_opt(row, at + 9)?,
        occurrence: row.array_opt(at + 10)?.map(OccurrenceId),
    })
}

/// What people are to be told, or were, after one of them, the oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn messages(
    tx: &mut Tx<'_>,
    told: bool,
    (due, id): (Instant, Hash),
    limit: i64,
) -> Result<Vec<(Hash, KnownMessage)>, StoreError> {
    let key = [i64::from(told).into(), due.0.into(), id.0.into(), limit.into()];
    let found = tx.query(SQL.get("messages"), &key)?;
    found.iter().map(|row| Ok((Hash(row.array(0)?), message_of(row, 1)?))).collect()
}

/// The number that the next round of telling people has.
///
/// # Errors
/// [`StoreError`].
pub fn next_round(tx: &mut Tx<'_>) -> Result<u32, StoreError> {
    let last = tx.query_one(SQL.get("last_round"), &[])?.int_opt(0)?.unwrap_or(0);
    Ok(u32::try_from(last).unwrap_or(0).saturating_add(1))
}

/// One dictionary as it stands.
///
/// # Errors
/// [`StoreError`].
pub fn terms(tx: &mut Tx<'_>, name: &str) -> Result<Vec<Term>, StoreError> {
    let found = tx.query(SQL.get("terms"), &[name.into()])?;
    let own = found.iter().map(|row| {
        let order = row.int(4)?;
        Ok(Term {
            dictionary: row.text(0)?.to_owned(),
            code: row.text(1)?.to_owned(),
            words: Words { zh: row.text(2)?.to_owned(), en: row.text(3)?.to_owned() },
            order: i32::try_from(order).map_err(|_| StoreError::Range { what: "place", met: order })?,
            retired: row.flag(5)?,
        })
    });
    Ok(dictionary::terms(name, own.collect::<Result<Vec<_>, StoreError>>()?))
}

/// Whether a code can be chosen from a dictionary.
///
/// # Errors
/// [`StoreError`].
pub fn can_choose(tx: &mut Tx<'_>, name: &str, code: &str) -> Result<bool, StoreError> {
    Ok(terms(tx, name)?.iter().any(|term| term.code == code && !term.retired))
}
