//! Redemption by plans: rows that apply reads and writes, whom a plan is for, carrying it out, and what people look at.

use std::collections::BTreeSet;

use hufu_shared::act::{Act, Actor, RedeemedFor, RedemptionPlan, RedemptionRun};
use hufu_shared::cbor;
use hufu_shared::ids::{EntryId, Hash, MemberId};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant};

use super::people::PeopleError;
use super::points::{decided_at, decided_values, has};
use super::{StoreError, acts, catalogue, journal, rows, stock};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::outcome::Outcome;
use crate::rules::redemption::{self, Line, State};
use crate::rules::world::{KnownPlan, RedeemedLine};
use crate::vault::Vault;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("redemption", include_str!("../../sql/both/redemption.sql"));

/// Members that one step looks at.
pub const MEMBERS_MAX: i64 = 200;
/// Members with a tag that are read at a time.
const TAGGED_MAX: i64 = 500;

/// A plan.
///
/// # Errors
/// [`StoreError`].
pub fn plan(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownPlan>, StoreError> {
    tx.query_opt(SQL.get("plan"), &[id.0.into()])?.as_ref().map(plan_of).transpose()
}

fn plan_of(row: &Row) -> Result<KnownPlan, StoreError> {
    let terms: RedemptionPlan = cbor::decode(row.blob(0)?).map_err(|source| StoreError::Stored {
        what: "plan of redemption",
        id: String::new(),
        source,
    })?;
    let state = row.text(1)?;
    Ok(KnownPlan {
        terms,
        state: State::from_code(state).ok_or_else(|| rows::unknown("state of a plan", state))?,
        planned: Instant(row.int(2)?),
        planner: row.text(3)?.to_owned(),
        decided: decided_at(row, 4)?,
    })
}

/// Writes what an entry gave, of the catalogue as well.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (id, known) in &outcome.plans {
        let mut values: Vec<Value> = vec![
            id.0.into(),
            cbor::encode(&known.terms).into(),
            known.terms.name.zh.as_str().into(),
            known.terms.name.en.as_str().into(),
            known.state.code().into(),
            known.planned.0.into(),
            known.planner.as_str().into(),
        ];
        values.extend(decided_values(known.decided.as_ref()));
        values.push(entry.0.into());
        tx.execute_later(SQL.get("set_plan"), vec![values])?;
    }
    let line = |row: &RedeemedLine| {
        vec![
            row.plan.0.into(),
            row.member.0.into(),
            row.cause.0.into(),
            row.line.points.into(),
            row.line.fen.into(),
            row.line.pieces.into(),
            row.at.0.into(),
            i64::from(row.day.0).into(),
            entry.0.into(),
        ]
    };
    let lines: Vec<Vec<Value>> = outcome.redeemed.iter().map(line).collect();
    tx.execute_later(SQL.get("add_line"), lines)?;
    catalogue::commit(tx, entry, outcome)
}

/// Plans after a place in the order `sort`, at most `limit`: `planned` for the first one in front, `-planned` for the newest.
///
/// # Errors
/// [`StoreError`].
pub fn plans(
    tx: &mut Tx<'_>,
    (sort, planned, id): (&str, i64, Hash),
    limit: i64,
) -> Result<Vec<KnownPlan>, StoreError> {
    let statement = if sort == "planned" { "plans_first" } else { "plans" };
    tx.query(SQL.get(statement), &[planned.into(), id.0.into(), limit.into()])?.iter().map(plan_of).collect()
}

/// What was redeemed by a plan so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Members who redeemed.
    pub heads: i64,
    /// Points taken.
    pub points: i64,
    /// Stored value given, in fen.
    pub fen: i64,
    /// Gifts handed out.
    pub gifts: i64,
}

/// The figures of a plan.
///
/// # Errors
/// [`StoreError`].
pub fn figures(tx: &mut Tx<'_>, plan: Hash) -> Result<Figures, StoreError> {
    let row = tx.query_one(SQL.get("figures"), &[plan.0.into()])?;
    Ok(Figures { heads: row.int(0)?, points: row.int(1)?, fen: row.int(2)?, gifts: row.int(3)? })
}

/// What a member got by a plan, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineView {
    /// Who.
    pub member: MemberId,
    /// The member's number.
    pub number: String,
    /// Points for what.
    pub line: Line,
    /// When.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
}

fn line_at(row: &Row, column: usize) -> Result<(Line, Instant, Day), StoreError> {
    let line = Line { points: row.int(column)?, fen: row.int(column + 1)?, pieces: row.int(column + 2)? };
    Ok((line, Instant(row.int(column + 3)?), rows::day_at(row, column + 4)?))
}

/// What members got by a plan, after one of them, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn lines(tx: &mut Tx<'_>, plan: Hash, after: MemberId, limit: i64) -> Result<Vec<LineView>, StoreError> {
    let read = |row: &Row| {
        let (line, at, day) = line_at(row, 1)?;
        Ok(LineView { member: MemberId(row.array(0)?), number: row.text(6)?.to_owned(), line, at, day })
    };
    tx.query(SQL.get("lines"), &[plan.0.into(), after.0.into(), limit.into()])?.iter().map(read).collect()
}

/// What one member got: plan, its name, points for what, when.
pub type OwnLine = (Hash, Words, Line, Instant, Day);

/// What one member got by all plans, the newest first; after the line of an instant and a plan, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn lines_of(
    tx: &mut Tx<'_>,
    member: MemberId,
    (at, plan): (Instant, Hash),
    limit: i64,
) -> Result<Vec<OwnLine>, StoreError> {
    let read = |row: &Row| {
        let (line, at, day) = line_at(row, 1)?;
        let name = Words { zh: row.text(6)?.to_owned(), en: row.text(7)?.to_owned() };
        Ok((Hash(row.array(0)?), name, line, at, day))
    };
    let key = [member.0.into(), at.0.into(), plan.0.into(), limit.into()];
    tx.query(SQL.get("lines_of"), &key)?.iter().map(read).collect()
}

/// A step of carrying out a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Members who redeemed now.
    pub redeemed: u32,
    /// Members whom the plan names and who got nothing: too few points, or none left on the shelf.
    pub left_out: u32,
    /// The last member who was looked at; none once all were.
    pub last: Option<MemberId>,
}

/// Looks at the next members after `after`, and carries the plan out for those whom it names.
///
/// # Errors
/// [`PeopleError`]; then nothing was changed.
pub fn step(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (plan, after): (&RedemptionPlan, MemberId),
    actor: &Actor,
    (entry, now): (EntryId, Instant),
) -> Result<Step, PeopleError> {
    journal::pass_gate(tx, now)?;
    let found = tx.query(SQL.get("members_after"), &[after.0.into(), MEMBERS_MAX.into()])?;
    let mut step = Step::default();
    let found = found.iter().map(candidate).collect::<Result<Vec<_>, StoreError>>()?;
    let Some(last) = found.last().map(|row| row.0) else { return Ok(step) };
    step.last = i64::try_from(found.len()).is_ok_and(|rows| rows >= MEMBERS_MAX).then_some(last);
    let tagged = tagged(tx, vault, &plan.by.tags, (after, last))?;
    let is_wanted = |(member, level): &&(MemberId, Option<Words>)| {
        let has_tag = plan.by.tags.is_empty() || tagged.contains(member);
        has_tag && redemption::is_named(&plan.by, *member, level.as_ref())
    };
    let wanted: Vec<MemberId> = found.iter().filter(is_wanted).map(|row| row.0).collect();
    let mut able = Vec::new();
    let mut shelf = match plan.what {
        RedeemedFor::Gift { item, .. } => {
            stock::shelf(tx, item, plan.office)?.map_or(0, |shelf| shelf.on_shelf())
        }
        RedeemedFor::Cash { .. } => i64::MAX,
    };
    for member in wanted {
        let had = tx.query_one(SQL.get("is_redeemed"), &[plan.id.0.into(), member.0.into()])?.int(0)? > 0;
        if had {
            continue;
        }
        let line = redemption::line(plan, has(tx, member)?.available);
        match line.filter(|line| shelf >= line.pieces) {
            Some(line) => {
                shelf -= line.pieces;
                able.push(member);
            }
            None => step.left_out += 1,
        }
    }
    if !able.is_empty() {
        let run = RedemptionRun { plan: plan.id, members: able.clone() };
        let outcome = acts::take(tx, entry, now, actor, &Act::RedemptionRun(run))?;
        step.redeemed = u32::try_from(outcome.redeemed.len()).unwrap_or(u32::MAX);
        let refused = able.len().saturating_sub(outcome.redeemed.len());
        step.left_out += u32::try_from(refused).unwrap_or(u32::MAX);
    }
    Ok(step)
}

/// A member and their level, from `id, level_zh, level_en`.
fn candidate(row: &Row) -> Result<(MemberId, Option<Words>), StoreError> {
    let level = row.text_opt(1)?.zip(row.text_opt(2)?);
    let level = level.map(|(zh, en)| Words { zh: zh.to_owned(), en: en.to_owned() });
    Ok((MemberId(row.array(0)?), level))
}

/// Members with one of these tags, from the one behind `after` to `last`.
fn tagged(
    tx: &mut Tx<'_>,
    vault: &Vault,
    tags: &[String],
    (after, last): (MemberId, MemberId),
) -> Result<BTreeSet<MemberId>, PeopleError> {
    let mut found = BTreeSet::new();
    for tag in tags {
        let mut from = after;
        while from < last {
            let page = vault.tagged(tx, tag, from, TAGGED_MAX)?;
            found.extend(page.iter().filter(|member| **member <= last));
            let is_full = i64::try_from(page.len()).is_ok_and(|rows| rows >= TAGGED_MAX);
            from = page.last().copied().filter(|_| is_full).unwrap_or(last);
        }
    }
    Ok(found)
}
