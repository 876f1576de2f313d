//! Rows of members in the books: who takes part since when, who goes on as whom, on which level, what became of their stored
//! value; and pages of the list of members.

use hufu_shared::cbor;
use hufu_shared::ids::{EntryId, MemberId};
use hufu_shared::policy::Policy;
use hufu_shared::rules::level::by_hand;
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::outcome::put;
use super::people::SQL;
use super::{StoreError, levels, rows};
use crate::db::{Row, Tx, Value};
use crate::rules::outcome::Outcome;
use crate::rules::world::{KnownLevel, World};

/// Writes what an entry gave. Of whom nobody said when they joined, they joined on the day of the entry.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(
    tx: &mut Tx<'_>,
    entry: EntryId,
    received: Instant,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    let today = OfficeClock::default().business_day(received);
    for member in &outcome.members {
        let values = [
            member.member.0.into(),
            member.number.as_str().into(),
            member.level.as_ref().map(|level| level.zh.clone()).into(),
            member.level.as_ref().map(|level| level.en.clone()).into(),
            rows::member_status_code(member.status).into(),
            received.0.into(),
            member.office.map(|office| office.0).into(),
            member.personal.0.into(),
            entry.0.into(),
            i64::from(member.joined.unwrap_or(today).0).into(),
            i64::from(member.joined.is_some()).into(),
        ];
        put(tx, "set_member", values)?;
    }
    for (member, known) in &outcome.member_ties {
        let values = [
            member.0.into(),
            known.merged_into.map(|member| member.0).into(),
            i64::from(known.erased).into(),
            rows::member_status_code(known.status).into(),
            known.status_since.0.into(),
            i64::from(known.is_value_frozen()).into(),
            (!known.value_turns.is_empty()).then(|| cbor::encode(&known.value_turns)).into(),
            entry.0.into(),
        ];
        put(tx, "tie_member", values)?;
    }
    for (member, name) in &outcome.level_names {
        let values = [
            member.0.into(),
            name.as_ref().map(|name| name.zh.clone()).into(),
            name.as_ref().map(|name| name.en.clone()).into(),
            entry.0.into(),
        ];
        put(tx, "name_level", values)?;
    }
    for (application, is_looked_up) in &outcome.applications {
        let mut values = rows::fact_id_values(*application).to_vec();
        values.extend([i64::from(*is_looked_up).into(), entry.0.into()]);
        put(tx, "set_application", values)?;
    }
    Ok(())
}

/// After whom a page of members begins, and so in which order they are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// After a number, by their numbers.
    Number(String),
    /// After who joined on a day, counted from 1970-01-01: who joined first in front.
    Joined(i64, MemberId),
    /// The same the other way round.
    JoinedDown(i64, MemberId),
}

/// Members of a status and of the office of a code, of any where these are empty, in an order, at most `limit`; each with
/// the business day on which they joined.
///
/// # Errors
/// [`StoreError`].
pub fn page(
    tx: &mut Tx<'_>,
    (status, office): (&str, &str),
    after: &After,
    limit: i64,
) -> Result<Vec<(MemberId, Day)>, StoreError> {
    let of: [Value; 3] = [status.into(), office.into(), limit.into()];
    let (statement, place): (&str, Vec<Value>) = match after {
        After::Number(number) => ("members_by_number", vec![number.into()]),
        After::Joined(day, id) => ("members_by_joined", vec![(*day).into(), id.0.into()]),
        After::JoinedDown(day, id) => ("members_by_joined_down", vec![(*day).into(), id.0.into()]),
    };
    let key: Vec<Value> = place.into_iter().chain(of).collect();
    let found = tx.query(SQL.get(statement), &key)?;
    found.iter().map(|row| Ok((MemberId(row.array(0)?), rows::day_at(row, 1)?))).collect()
}

/// How many members the office of a code has, all together where it is empty; counted up to 10,001.
///
/// # Errors
/// [`StoreError`].
pub fn count(tx: &mut Tx<'_>, office: &str) -> Result<u64, StoreError> {
    let row = match office {
        "" => tx.query_one(SQL.get("member_count"), &[])?,
        office => tx.query_one(SQL.get("member_count_of"), &[office.into()])?,
    };
    Ok(row.uint(0)?)
}

/// Which members a list is of: those of a status, of the office of a code, on the level of a Chinese name, of a kind, with a
/// tag; any where one of these is empty. Nobody who goes on as another, and nobody who was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Where they stand.
    pub status: String,
    /// Code of the office that won them.
    pub office: String,
    /// Chinese name of the level.
    pub level: String,
    /// Dictionary code of the kind.
    pub kind: String,
    /// The tag, and how it is kept.
    pub tag: (String, Vec<u8>),
}

impl Chosen {
    fn values(&self) -> [Value; 6] {
        let texts = [&self.status, &self.office, &self.level, &self.kind, &self.tag.0].map(Value::from);
        let [status, office, level, kind, tag] = texts;
        [status, office, level, kind, tag, (&self.tag.1).into()]
    }
}

/// Members that a list is of, in an order, at most `limit`; each with the business day on which they joined.
///
/// # Errors
/// [`StoreError`].
pub fn chosen_page(
    tx: &mut Tx<'_>,
    chosen: &Chosen,
    after: &After,
    limit: i64,
) -> Result<Vec<(MemberId, Day)>, StoreError> {
    let (statement, place): (&str, Vec<Value>) = match after {
        After::Number(number) => ("chosen_by_number", vec![number.into()]),
        After::Joined(day, id) => ("chosen_by_joined", vec![(*day).into(), id.0.into()]),
        After::JoinedDown(day, id) => ("chosen_by_joined_down", vec![(*day).into(), id.0.into()]),
    };
    let key: Vec<Value> = place.into_iter().chain(chosen.values()).chain([limit.into()]).collect();
    let found = tx.query(SQL.get(statement), &key)?;
    found.iter().map(|row| Ok((MemberId(row.array(0)?), rows::day_at(row, 1)?))).collect()
}

/// How many members a list is of, counted up to 10,001.
///
/// # Errors
/// [`StoreError`].
pub fn chosen_count(tx: &mut Tx<'_>, chosen: &Chosen) -> Result<u64, StoreError> {
    Ok(tx.query_one(SQL.get("chosen_count"), &chosen.values())?.uint(0)?)
}

/// The names of levels that members are on, at most 50.
///
/// # Errors
/// [`StoreError`].
pub fn levels_met(tx: &mut Tx<'_>) -> Result<Vec<Words>, StoreError> {
    let read = |row: &Row| {
        let zh = row.text(0)?.to_owned();
        Ok(Words { en: row.text_opt(1)?.unwrap_or(&zh).to_owned(), zh })
    };
    tx.query(SQL.get("levels_met"), &[])?.iter().map(read).collect()
}

/// Fetches where a member's level stands.
///
/// # Errors
/// [`StoreError`].
pub(super) fn level_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    let known = level(tx, &world.policy, member)?;
    world.levels.extend(known.map(|known| (member, known)));
    Ok(())
}

/// Where a member's level stands: by its steps, and of one that never moved by the name of the club's level with which the
/// member was brought here. None for who began where everybody does.
///
/// # Errors
/// [`StoreError`].
pub(super) fn level(
    tx: &mut Tx<'_>,
    policy: &Policy,
    member: MemberId,
) -> Result<Option<KnownLevel>, StoreError> {
    if let Some(known) = levels::level(tx, member)? {
        return Ok(Some(known));
    }
    let Some(ladder) = &policy.levels else { return Ok(None) };
    let Some(row) = tx.query_opt(SQL.get("level_brought"), &[member.0.into()])? else { return Ok(None) };
    let name = row.text_opt(0)?;
    let level = ladder.levels.iter().find(|level| Some(level.name.zh.as_str()) == name);
    let Some(rank) = level.map(|level| level.rank) else { return Ok(None) };
    let clock = OfficeClock { zone: policy.zone.clone(), cutoff_minutes: 0 };
    let day = clock.business_day(Instant(row.int(1)?));
    Ok(Some(KnownLevel { steps: 0, day, standing: by_hand(&ladder.scheme(), rank, day) }))
}
