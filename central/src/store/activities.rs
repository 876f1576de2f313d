//! Activities: the rows that apply reads and writes, and what people look at.

use hufu_shared::act::{ActivityCostSet, ActivityPlan};
use hufu_shared::cbor;
use hufu_shared::ids::{ActivityId, EntryId, MemberId, OccurrenceId};
use hufu_shared::member::OccurrenceRow;
use hufu_shared::money::Amount;
use hufu_shared::rules::activity::{Coming, SignUp};
use hufu_shared::time::Instant;

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::activity::State;
use crate::rules::need::Need;
use crate::rules::outcome::Outcome;
use crate::rules::world::{KnownActivity, World};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("activities", include_str!("../../sql/both/activities.sql"));

/// Fetches an activity with all of its holdings.
///
/// # Errors
/// [`StoreError`].
pub(super) fn activity_in(tx: &mut Tx<'_>, world: &mut World, id: ActivityId) -> Result<(), StoreError> {
    world.activities.extend(activity(tx, id)?.map(|known| (id, known)));
    for row in occurrences_of(tx, id)? {
        world.fetched.insert(Need::Occurrence(row.occurrence));
        world.occurrences.entry(row.occurrence).or_insert(row);
    }
    Ok(())
}

/// Fetches who comes to a holding.
///
/// # Errors
/// [`StoreError`].
pub(super) fn sign_ups_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    occurrence: OccurrenceId,
) -> Result<(), StoreError> {
    let found = tx.query(SQL.get("sign_ups"), &[occurrence.0.into()])?;
    let one = |row: &Row| Ok((MemberId(row.array(0)?), sign_up_of(row, 1)?));
    world.sign_ups.insert(occurrence, found.iter().map(one).collect::<Result<_, StoreError>>()?);
    Ok(())
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (id, known) in &outcome.activities {
        let values = [
            id.0.into(),
            known.plan.kind.as_str().into(),
            cbor::encode(&known.plan).into(),
            known.state.code().into(),
            known.planned_by.as_str().into(),
            known.planned.0.into(),
            known.decided.map(|at| at.0).into(),
            entry.0.into(),
        ];
        tx.execute(SQL.get("set_activity"), &values)?;
    }
    for ((occurrence, member), sign_up) in &outcome.sign_ups {
        let values = [
            occurrence.0.into(),
            member.0.into(),
            sign_up.coming.code().into(),
            sign_up.since.0.into(),
            entry.0.into(),
        ];
        tx.execute(SQL.get("set_sign_up"), &values)?;
    }
    for ((activity, item), set) in &outcome.activity_costs {
        let values = [
            activity.0.into(),
            i64::from(*item).into(),
            set.what.as_str().into(),
            set.occurrence.map(|occurrence| occurrence.0).into(),
            set.cost.0.into(),
            entry.0.into(),
        ];
        tx.execute(SQL.get("set_cost"), &values)?;
    }
    Ok(())
}

fn known_of(row: &Row, at: usize) -> Result<KnownActivity, StoreError> {
    let wrong = |source| StoreError::Stored { what: "plan of an activity", id: String::new(), source };
    let plan: ActivityPlan = cbor::decode(row.blob(at)?).map_err(wrong)?;
    let state = row.text(at + 1)?;
    Ok(KnownActivity {
        plan,
        state: State::from_code(state).ok_or_else(|| rows::unknown("state of an activity", state))?,
        planned_by: row.text(at + 2)?.to_owned(),
        planned: Instant(row.int(at + 3)?),
        decided: row.int_opt(at + 4)?.map(Instant),
    })
}

fn coming_of(code: &str) -> Result<Coming, StoreError> {
    Coming::from_code(code).ok_or_else(|| rows::unknown("coming to a holding", code))
}

fn sign_up_of(row: &Row, at: usize) -> Result<SignUp, StoreError> {
    Ok(SignUp { coming: coming_of(row.text(at)?)?, since: Instant(row.int(at + 1)?) })
}

/// An activity; none for holdings that no plan names.
///
/// # Errors
/// [`StoreError`].
pub fn activity(tx: &mut Tx<'_>, id: ActivityId) -> Result<Option<KnownActivity>, StoreError> {
    tx.query_opt(SQL.get("activity"), &[id.0.into()])?.map(|row| known_of(&row, 0)).transpose()
}

/// The holdings of an activity, by their start.
///
/// # Errors
/// [`StoreError`].
pub fn occurrences_of(tx: &mut Tx<'_>, id: ActivityId) -> Result<Vec<OccurrenceRow>, StoreError> {
    tx.query(SQL.get("occurrences_of"), &[id.0.into()])?.iter().map(rows::occurrence).collect()
}

/// Activities in a state and of a kind, or in any and of any, after one of them, the plan that was written first in
/// front, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn page(
    tx: &mut Tx<'_>,
    (state, kind): (&str, &str),
    (planned, id): (Instant, ActivityId),
    limit: i64,
) -> Result<Vec<(ActivityId, KnownActivity)>, StoreError> {
    let key = [state.into(), kind.into(), planned.0.into(), id.0.into(), limit.into()];
    let one = |row: &Row| Ok((ActivityId(row.array(0)?), known_of(row, 1)?));
    tx.query(SQL.get("page"), &key)?.iter().map(one).collect()
}

/// How many come to a holding, and came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heads {
    /// Members by how their coming stands.
    pub coming: Vec<(Coming, u64)>,
    /// Members who were admitted.
    pub attended: u32,
    /// Members who had a place and were not admitted.
    pub no_shows: u64,
}

impl Heads {
    /// Members whose coming stands so.
    #[must_use]
    pub fn count(&self, coming: Coming) -> u64 {
        self.coming.iter().find(|known| known.0 == coming).map_or(0, |known| known.1)
    }
}

/// Counts a holding.
///
/// # Errors
/// [`StoreError`].
pub fn heads(tx: &mut Tx<'_>, occurrence: OccurrenceId) -> Result<Heads, StoreError> {
    let key = [occurrence.0.into()];
    let found = tx.query(SQL.get("comings"), &key)?;
    let coming = found.iter().map(|row| Ok((coming_of(row.text(0)?)?, row.uint(1)?)));
    let coming = coming.collect::<Result<_, StoreError>>()?;
    let attended = tx.query_one(SQL.get("heads"), &key)?.uint(0)?;
    let no_shows = tx.query_one(SQL.get("no_shows"), &key)?.uint(0)?;
    Ok(Heads { coming, attended: u32::try_from(attended).unwrap_or(u32::MAX), no_shows })
}

/// A line of the list of who comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComingLine {
    /// Who.
    pub member: MemberId,
    /// The member's number.
    pub number: String,
    /// How their coming stands.
    pub sign_up: SignUp,
    /// When the member was admitted.
    pub attended: Option<Instant>,
}

fn line_of(row: &Row) -> Result<ComingLine, StoreError> {
    Ok(ComingLine {
        member: MemberId(row.array(0)?),
        number: row.text(1)?.to_owned(),
        sign_up: sign_up_of(row, 2)?,
        attended: row.int_opt(4)?.map(Instant),
    })
}

/// Who comes to a holding, after one of them, in the order in which it came to stand so, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    tx: &mut Tx<'_>,
    occurrence: OccurrenceId,
    (since, member): (Instant, MemberId),
    limit: i64,
) -> Result<Vec<ComingLine>, StoreError> {
    let key = [occurrence.0.into(), since.0.into(), member.0.into(), limit.into()];
    tx.query(SQL.get("list"), &key)?.iter().map(line_of).collect()
}

/// How one member's coming stands; none for one who was never asked.
///
/// # Errors
/// [`StoreError`].
pub fn one(
    tx: &mut Tx<'_>,
    occurrence: OccurrenceId,
    member: MemberId,
) -> Result<Option<ComingLine>, StoreError> {
    tx.query_opt(SQL.get("one"), &[occurrence.0.into(), member.0.into()])?.as_ref().map(line_of).transpose()
}

/// What an activity cost, by item; what was taken out is not among it.
///
/// # Errors
/// [`StoreError`].
pub fn costs(tx: &mut Tx<'_>, activity: ActivityId) -> Result<Vec<ActivityCostSet>, StoreError> {
    let one = |row: &Row| {
        Ok(ActivityCostSet {
            activity,
            item: rows::u32_at(row, 0, "number of a cost item")?,
            what: row.text(1)?.to_owned(),
            occurrence: row.array_opt(2)?.map(OccurrenceId),
            cost: Amount(row.int(3)?),
        })
    };
    tx.query(SQL.get("costs"), &[activity.0.into()])?.iter().map(one).collect()
}
