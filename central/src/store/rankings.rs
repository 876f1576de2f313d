//! Awards of rankings (P4): rows that apply reads and writes, who comes first in a period that is over, giving an award,
//! and what people look at.
//!
//! Members are ranked by what was known at the end of the period's last day, whenever somebody looks. An award is given
//! here alone, in the transaction that takes the act, so it is given once whoever asks at the same time.

use std::collections::BTreeSet;

use hufu_shared::act::{Act, Actor, MembersRanked, Ranked, RankingAwarded, StockClass};
use hufu_shared::ids::{EntryId, Hash, ItemId, MemberId, OfficeId};
use hufu_shared::rules::bonus::{self, Place};
use hufu_shared::scheme::bonus::{RankBy, Ranking};
use hufu_shared::time::{Day, Instant};

use super::acts::Note;
use super::member_day::{self, MEMBERS_STEP_MAX, Terms};
use super::people::PeopleError;
use super::{StoreError, acts, jobs, journal, levels, rows, stock, world};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::apply::RANKING_JOB;
use crate::rules::as_of::earned_within;
use crate::rules::need::Need;
use crate::rules::outcome::Outcome;
use crate::rules::ranking::{Given, KnownAward, first};
use crate::rules::world::World;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("rankings", include_str!("../../sql/both/rankings.sql"));

/// Fetches an award.
///
/// # Errors
/// [`StoreError`].
pub(super) fn fetch_in(tx: &mut Tx<'_>, world: &mut World, need: Need) -> Result<(), StoreError> {
    if let Need::Award(id) = need {
        world.awards.extend(award(tx, id)?.map(|known| (id, known)));
    }
    Ok(())
}

fn award_of(row: &Row) -> Result<(Hash, KnownAward), StoreError> {
    let given = match (row.int_opt(9)?, row.text_opt(10)?, row.array_opt(11)?) {
        (Some(at), Some(by), Some(office)) => Some(Given {
            at: Instant(at),
            by: by.to_owned(),
            office: OfficeId(office),
            item: row.array_opt(12)?.map(ItemId),
        }),
        _ => None,
    };
    let ranked =
        Ranked { member: MemberId(row.array(4)?), points: row.int(5)?, reached: rows::day_at(row, 6)? };
    let known = KnownAward {
        period: (rows::day_at(row, 1)?, rows::day_at(row, 2)?),
        place: rows::u32_at(row, 3, "place in a ranking")?,
        ranked,
        award: row.text(7)?.to_owned(),
        scheme: rows::u32_at(row, 8, "version of a scheme")?,
        given,
    };
    Ok((Hash(row.array(0)?), known))
}

/// An award.
///
/// # Errors
/// [`StoreError`].
pub fn award(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownAward>, StoreError> {
    let row = tx.query_opt(SQL.get("award"), &[id.0.into()])?;
    Ok(row.as_ref().map(award_of).transpose()?.map(|(_, known)| known))
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (id, known) in &outcome.awards {
        let given = known.given.as_ref();
        let values: Vec<Value> = vec![
            id.0.into(),
            i64::from(known.period.0.0).into(),
            i64::from(known.period.1.0).into(),
            i64::from(known.place).into(),
            known.ranked.member.0.into(),
            known.ranked.points.into(),
            i64::from(known.ranked.reached.0).into(),
            known.award.as_str().into(),
            i64::from(known.scheme).into(),
            given.map(|given| given.at.0).into(),
            given.map(|given| given.by.clone()).into(),
            given.map(|given| given.office.0).into(),
            given.and_then(|given| given.item).map(|item| item.0).into(),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("set_award"), vec![values])?;
    }
    Ok(())
}

/// A place in the list of awards: the last day of a period, a place in its ranking, and the award itself.
pub type ListPlace = (Day, u32, Hash);

/// The place before all awards.
pub const FIRST: ListPlace = (Day(i32::MAX), 0, Hash([0; 32]));

/// An award as people look at it: its name, what is known of it, the number of its member.
pub type AwardView = (Hash, KnownAward, String);

/// Awards after a place in the list: the newest period first, in it the first of all first; at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn awards(tx: &mut Tx<'_>, from: ListPlace, limit: i64) -> Result<Vec<AwardView>, StoreError> {
    let [ends, place, id] = key_of(from);
    let key = [ends, place, id, limit.into()];
    let read = |row: &Row| {
        let (id, known) = award_of(row)?;
        Ok((id, known, row.text(13)?.to_owned()))
    };
    tx.query(SQL.get("awards"), &key)?.iter().map(read).collect()
}

/// A place in a list of awards, as statements ask for it.
fn key_of((ends, place, id): ListPlace) -> [Value; 3] {
    [i64::from(ends.0).into(), i64::from(place).into(), id.0.into()]
}

/// Awards of a member and of those who turned out to be the same, after a place in the list, in the same order, at most
/// `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn of_member(
    tx: &mut Tx<'_>,
    member: MemberId,
    from: ListPlace,
    limit: i64,
) -> Result<Vec<(Hash, KnownAward)>, StoreError> {
    let [ends, place, id] = key_of(from);
    let key = [member.0.into(), ends, place, id, limit.into()];
    tx.query(SQL.get("awards_of"), &key)?.iter().map(award_of).collect()
}

/// A look at who comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The club's rule.
    pub rule: Ranking,
    /// The first periods that are over and were not looked at, each by its first and last day.
    pub periods: Vec<(Day, Day)>,
    terms: Terms,
}

/// The look that is due: if the club ranks its members, and a period is over that was not looked at.
///
/// # Errors
/// [`StoreError`].
pub fn look_due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Look>, StoreError> {
    let policy = world::policy(tx)?;
    let Some(rule) = policy.ranking.clone() else { return Ok(None) };
    let done = jobs::looked_until(tx, RANKING_JOB)?;
    let Some(days) = jobs::days_over(tx, (&policy.zone, done), now)? else { return Ok(None) };
    let periods = bonus::periods_ended(rule.period, days);
    if periods.is_empty() {
        return Ok(None);
    }
    let terms = Terms::read(tx, &policy, (days.1, now))?;
    Ok(Some(Look { rule, periods, terms }))
}

/// Members who take part in the ranking of a period, of some after one of them; and after whom to go on.
///
/// # Errors
/// [`StoreError`].
pub fn places(
    tx: &mut Tx<'_>,
    look: &Look,
    (from, until): (Day, Day),
    after: MemberId,
) -> Result<(Vec<Place<MemberId>>, Option<MemberId>), StoreError> {
    let found = member_day::members(tx, (after, MEMBERS_STEP_MAX))?;
    let mut places = Vec::new();
    for row in &found {
        let who = MemberId(row.array(0)?);
        let past = member_day::past(tx, &look.terms, row, until)?;
        let (points, reached) = match look.rule.by {
            RankBy::Balance => past.held_at(until),
            RankBy::Earned => {
                earned_within(&levels::seen(tx, &look.terms.earned(until), who)?, (from, until))
            }
        };
        // Who has nothing is not ranked, and is not asked for a level.
        if points > 0 {
            let rank = member_day::rank_on(tx, &look.terms, row, (&past, until))?;
            places.push(Place { who, rank, points, reached });
        }
    }
    Ok((places, rows::go_on_after(&found, MEMBERS_STEP_MAX)?))
}

/// Lets go of those who cannot come first, however many are still to be looked at.
pub fn keep_first(look: &Look, places: &mut Vec<Place<MemberId>>) {
    let kept: BTreeSet<MemberId> = first(&look.rule, places).iter().map(|of| of.member).collect();
    places.retain(|place| kept.contains(&place.who));
}

/// The first of those who take part, as the act that writes them down.
#[must_use]
pub fn ranked(look: &Look, (from, until): (Day, Day), places: &[Place<MemberId>]) -> MembersRanked {
    let (rule, scheme) = (&look.rule, look.terms.version(until));
    MembersRanked { from, until, scheme, award: rule.award.clone(), places: first(rule, places) }
}

/// Why an award is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotGiven {
    /// There is none of this name.
    Unknown,
    /// It was given before.
    Before,
    /// The shelf of the office has none.
    Short,
}

/// Gives an award as an act, with what was typed about it. Where its code is that of a gift that stock counts, one is taken
/// from the shelf of the office; else it is only put down as given.
///
/// # Errors
/// [`PeopleError`], then nothing was changed; in the answer, what stands against it.
pub fn give(
    tx: &mut Tx<'_>,
    (id, office): (Hash, OfficeId),
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Result<(), NotGiven>, PeopleError> {
    journal::pass_gate(tx, now)?;
    let Some(known) = award(tx, id)? else { return Ok(Err(NotGiven::Unknown)) };
    if known.given.is_some() {
        return Ok(Err(NotGiven::Before));
    }
    let item = stock::item(tx, StockClass::Gift, &known.award)?.map(|item| item.item);
    if let Some(item) = item
        && stock::shelf(tx, item, office)?.is_none_or(|shelf| shelf.on_shelf() < 1)
    {
        return Ok(Err(NotGiven::Short));
    }
    note.put(tx, actor.staff(), now)?;
    let awarded = RankingAwarded { award: id, office, item, reason: note.commitment };
    acts::take(tx, entry, now, actor, &Act::RankingAwarded(awarded))?;
    Ok(Ok(()))
}
