//! Activities: the rows that apply reads and writes, and what people look at.

use std::collections::BTreeMap;

use hufu_shared::act::{Act, ActivityCostSet, ActivityPlan, Actor, RemindersDue};
use hufu_shared::cbor;
use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{ActivityId, EntryId, Hash, MemberId, OccurrenceId};
use hufu_shared::member::OccurrenceRow;
use hufu_shared::money::Amount;
use hufu_shared::rules::activity::{Coming, SignUp};
use hufu_shared::scheme::Words;
use hufu_shared::time::{DAY_US, Instant};

use super::{StoreError, acts, journal, people, rows};
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
            i64::from(sign_up.companions).into(),
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
    Ok(SignUp {
        coming: coming_of(row.text(at)?)?,
        since: Instant(row.int(at + 1)?),
        companions: rows::u32_at(row, at + 2, "companions")?,
    })
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

/// Activities with their ids.
pub type Listed = Vec<(ActivityId, KnownActivity)>;

/// Activities in a state and of a kind, or in any and of any, after one of them, the plan that was written first in
/// front, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn page(
    tx: &mut Tx<'_>,
    of: (&str, &str),
    after: (Instant, ActivityId),
    limit: i64,
) -> Result<Listed, StoreError> {
    listed(tx, "page", of, after, limit)
}

/// The same the other way round: before one of them, the plan that was written last in front.
///
/// # Errors
/// [`StoreError`].
pub fn newest(
    tx: &mut Tx<'_>,
    of: (&str, &str),
    before: (Instant, ActivityId),
    limit: i64,
) -> Result<Listed, StoreError> {
    listed(tx, "newest", of, before, limit)
}

fn listed(
    tx: &mut Tx<'_>,
    statement: &str,
    (state, kind): (&str, &str),
    (planned, id): (Instant, ActivityId),
    limit: i64,
) -> Result<Listed, StoreError> {
    let key = [state.into(), kind.into(), planned.0.into(), id.0.into(), limit.into()];
    let one = |row: &Row| Ok((ActivityId(row.array(0)?), known_of(row, 1)?));
    tx.query(SQL.get(statement), &key)?.iter().map(one).collect()
}

/// How many come to a holding, and came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heads {
    /// Members by how their coming stands, with the companions whom they announced.
    pub coming: Vec<(Coming, u64, u64)>,
    /// Members who were admitted.
    pub attended: u32,
    /// Companions who came in with them.
    pub companions: u32,
    /// Members who had a place and were not admitted.
    pub no_shows: u64,
}

impl Heads {
    /// Members whose coming stands so.
    #[must_use]
    pub fn count(&self, coming: Coming) -> u64 {
        self.coming.iter().find(|known| known.0 == coming).map_or(0, |known| known.1)
    }

    /// Companions whom those members announced.
    #[must_use]
    pub fn announced(&self, coming: Coming) -> u64 {
        self.coming.iter().find(|known| known.0 == coming).map_or(0, |known| known.2)
    }

    /// All who came, members and companions: what is shared out by heads is shared out among these (K28).
    #[must_use]
    pub fn came(&self) -> u32 {
        self.attended.saturating_add(self.companions)
    }
}

/// Counts the holdings of an activity; one that nobody was asked to and nobody came to is not among them.
///
/// # Errors
/// [`StoreError`].
pub fn heads(tx: &mut Tx<'_>, activity: ActivityId) -> Result<BTreeMap<OccurrenceId, Heads>, StoreError> {
    let key = [activity.0.into()];
    let mut all: BTreeMap<OccurrenceId, Heads> = BTreeMap::new();
    let few = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    for row in tx.query(SQL.get("comings"), &key)? {
        let heads = all.entry(OccurrenceId(row.array(0)?)).or_default();
        heads.coming.push((coming_of(row.text(1)?)?, row.uint(2)?, row.uint(3)?));
    }
    for row in tx.query(SQL.get("heads"), &key)? {
        let heads = all.entry(OccurrenceId(row.array(0)?)).or_default();
        (heads.attended, heads.companions) = (few(row.uint(1)?), few(row.uint(2)?));
    }
    for row in tx.query(SQL.get("no_shows"), &key)? {
        all.entry(OccurrenceId(row.array(0)?)).or_default().no_shows = row.uint(1)?;
    }
    Ok(all)
}

/// Who came through one gate, by the check-ins that admitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GateHeads {
    /// Members.
    pub members: u64,
    /// Companions.
    pub companions: u64,
}

/// Who came to a holding, by the number of the gate; none for a terminal whose gates have no numbers.
///
/// # Errors
/// [`StoreError`].
pub fn gates(
    tx: &mut Tx<'_>,
    occurrence: OccurrenceId,
) -> Result<BTreeMap<Option<u16>, GateHeads>, StoreError> {
    let mut gates: BTreeMap<Option<u16>, GateHeads> = BTreeMap::new();
    for row in tx.query(SQL.get("came"), &[occurrence.0.into()])? {
        // What stood when it was recorded is not asked for, so the fact need not be read whole.
        let event = cbor::decode::<Fact>(row.blob(0)?).map(|fact| fact.event);
        // One that cannot be read admits nobody, so it is not among these.
        let Ok(Event::Attended(attended)) = event else { continue };
        let gate = gates.entry(attended.gate).or_default();
        gate.members += 1;
        gate.companions += row.uint(1)?;
    }
    Ok(gates)
}

/// Who came to a holding last, the newest in front, at most `limit`: each with the commitment to their data, and when.
///
/// # Errors
/// [`StoreError`].
pub fn last_came(
    tx: &mut Tx<'_>,
    occurrence: OccurrenceId,
    limit: i64,
) -> Result<Vec<(MemberId, Hash, Instant)>, StoreError> {
    let read = |row: &Row| Ok((MemberId(row.array(0)?), Hash(row.array(1)?), Instant(row.int(2)?)));
    tx.query(SQL.get("last_came"), &[occurrence.0.into(), limit.into()])?.iter().map(read).collect()
}

/// How long before its start members are reminded of a holding.
pub const REMIND_BEFORE_US: i64 = DAY_US;
/// Members whom one act reminds.
const REMINDED_MAX: i64 = 200;

/// Holdings that begin soon with members who have a place and were not reminded, the first one in front, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn to_remind(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<OccurrenceId>, StoreError> {
    let until = now.offset(REMIND_BEFORE_US);
    let key = [now.0.into(), until.0.into(), REMIND_BEFORE_US.into(), limit.into()];
    let found = tx.query(SQL.get("holdings_to_remind"), &key)?;
    found.iter().map(|row| Ok(OccurrenceId(row.array(0)?))).collect()
}

/// Says as an act that members are to be reminded of a holding; answers how many, none once all are.
///
/// # Errors
/// [`StoreError`]; then nothing was kept.
pub fn remind(
    tx: &mut Tx<'_>,
    occurrence: OccurrenceId,
    (entry, actor): (EntryId, &Actor),
    now: Instant,
) -> Result<usize, StoreError> {
    journal::pass_gate(tx, now)?;
    let key = [occurrence.0.into(), REMIND_BEFORE_US.into(), REMINDED_MAX.into()];
    let found = tx.query(SQL.get("members_to_remind"), &key)?;
    let members = found.iter().map(|row| Ok(MemberId(row.array(0)?)));
    let members = members.collect::<Result<Vec<_>, StoreError>>()?;
    if members.is_empty() {
        return Ok(0);
    }
    let given = acts::take(tx, entry, now, actor, &Act::RemindersDue(RemindersDue { occurrence, members }))?;
    Ok(given.messages.len())
}

/// A holding as a member is told of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Occasion {
    /// Name of the activity.
    pub name: Words,
    /// Where it is held.
    pub place: String,
    /// When it begins.
    pub starts: Instant,
    /// When it ends.
    pub ends: Instant,
    /// How the member's coming stands, as a code; none for one who was never asked.
    pub coming: Option<&'static str>,
    /// Companions who were announced with the member.
    pub companions: u32,
}

/// What a member is told of a holding; none if there is none.
///
/// # Errors
/// [`StoreError`].
pub fn occasion(
    tx: &mut Tx<'_>,
    occurrence: OccurrenceId,
    member: MemberId,
) -> Result<Option<Occasion>, StoreError> {
    let Some(row) = people::occurrence(tx, occurrence)? else { return Ok(None) };
    let place = activity(tx, row.activity)?.map(|known| known.plan.place).unwrap_or_default();
    let sign_up = one(tx, occurrence, member)?.map(|line| line.sign_up);
    Ok(Some(Occasion {
        name: row.name,
        place,
        starts: row.starts,
        ends: row.ends,
        coming: sign_up.map(|sign_up| sign_up.coming.code()),
        companions: sign_up.map_or(0, |sign_up| sign_up.companions),
    }))
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
    /// Companions who came in with the member.
    pub came: u32,
}

fn line_of(row: &Row) -> Result<ComingLine, StoreError> {
    Ok(ComingLine {
        member: MemberId(row.array(0)?),
        number: row.text(1)?.to_owned(),
        sign_up: sign_up_of(row, 2)?,
        attended: row.int_opt(5)?.map(Instant),
        came: row.int_opt(6)?.and_then(|came| u32::try_from(came).ok()).unwrap_or(0),
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
