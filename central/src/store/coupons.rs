//! Coupons (S9, S10): rows that apply reads and writes, which fall due, and using one.
//!
//! The day of birth is read from the vault when it is needed and goes no farther. A coupon is used here alone, in the
//! transaction that takes the act, so it is used once whoever asks at the same time.

use hufu_shared::act::{Act, Actor, CouponGiven, CouponUsed, CouponWhy};
use hufu_shared::ids::{EntryId, Hash, MemberId};
use hufu_shared::rules::birthday::{self, NoBirthday, Shown};
use hufu_shared::scheme::bonus::CouponTerms;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::acts::Note;
use super::people::{self, PeopleError};
use super::{StoreError, acts, birthdays, directory, jobs, journal, points, rows, world};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::apply::COUPONS_JOB;
use crate::rules::coupons::{self, KnownCoupon, State, Whose};
use crate::rules::outcome::Outcome;
use crate::rules::statement;
use crate::vault::Vault;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("coupons", include_str!("../../sql/both/coupons.sql"));

/// Members that one step looks at.
pub const MEMBERS_STEP_MAX: i64 = 200;
/// Coupons of one member that the member's page shows.
pub const LISTED_MAX: i64 = 200;

fn coupon_of(row: &Row) -> Result<KnownCoupon, StoreError> {
    let why = row.text(2)?;
    let given = CouponGiven {
        id: Hash(row.array(0)?),
        member: MemberId(row.array(1)?),
        why: CouponWhy::from_code(why).ok_or_else(|| rows::unknown("cause of a coupon", why))?,
        fen: row.int(3)?,
        from: rows::day_at(row, 4)?,
        until: rows::day_opt(row, 5)?,
    };
    let scheme = rows::u32_at(row, 6, "version of a scheme")?;
    Ok(KnownCoupon { given, scheme, used: rows::day_opt(row, 7)? })
}

/// A coupon.
///
/// # Errors
/// [`StoreError`].
pub fn coupon(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownCoupon>, StoreError> {
    tx.query_opt(SQL.get("coupon"), &[id.0.into()])?.as_ref().map(coupon_of).transpose()
}

/// Coupons of a member and of those who turned out to be the same, by their first day.
///
/// # Errors
/// [`StoreError`].
pub fn of_member(tx: &mut Tx<'_>, member: MemberId) -> Result<Vec<KnownCoupon>, StoreError> {
    tx.query(SQL.get("of_member"), &[member.0.into(), LISTED_MAX.into()])?.iter().map(coupon_of).collect()
}

/// A page of the same after a place in the order `sort`, at most `limit`: by their first day `from`, or by `-from` the last
/// one in front.
///
/// # Errors
/// [`StoreError`].
pub fn page(
    tx: &mut Tx<'_>,
    member: MemberId,
    (sort, from, id): (&str, i64, Hash),
    limit: i64,
) -> Result<Vec<KnownCoupon>, StoreError> {
    let statement = if sort == "-from" { "page_down" } else { "page" };
    let key = [member.0.into(), from.into(), id.0.into(), limit.into()];
    tx.query(SQL.get(statement), &key)?.iter().map(coupon_of).collect()
}

/// Writes what an entry gave, of birthdays as well.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (id, (known, office)) in &outcome.coupons {
        let given = &known.given;
        let values: Vec<Value> = vec![
            id.0.into(),
            given.member.0.into(),
            given.why.code().into(),
            given.fen.into(),
            i64::from(given.from.0).into(),
            given.until.map(|until| i64::from(until.0)).into(),
            i64::from(known.scheme).into(),
            known.used.map(|used| i64::from(used.0)).into(),
            office.map(|office| office.0).into(),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("set_coupon"), vec![values])?;
    }
    birthdays::commit(tx, entry, outcome)
}

/// A look at whom coupons are due to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The club's coupons.
    pub terms: CouponTerms,
    /// Version of the scheme in force; 0 where none had begun.
    pub version: u32,
    /// Business days: looked at up to the first, to be looked at up to the second.
    pub days: (Day, Day),
}

/// The look that is due: up to the newest day that is over, if that was not looked at, and if the club gives coupons.
///
/// # Errors
/// [`StoreError`].
pub fn look_due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Look>, StoreError> {
    let policy = world::policy(tx)?;
    let Some(terms) = policy.coupons else { return Ok(None) };
    let done = jobs::looked_until(tx, COUPONS_JOB)?;
    let Some(days) = jobs::days_over(tx, (&policy.zone, done), now)? else { return Ok(None) };
    let version = statement::scheme(0, days.1, &directory::versions(tx)?);
    Ok(Some(Look { terms, version, days }))
}

/// Coupons that are due to `limit` members after one of them and were not given; and the last member that was looked at, if
/// there are more.
///
/// # Errors
/// [`PeopleError`].
pub fn due(
    tx: &mut Tx<'_>,
    vault: &Vault,
    look: &Look,
    (after, limit): (MemberId, i64),
) -> Result<(Vec<CouponGiven>, Option<MemberId>), PeopleError> {
    let found = tx.query(SQL.get("members"), &[after.0.into(), limit.into()])?;
    let mut all = Vec::new();
    for row in &found {
        let member = MemberId(row.array(0)?);
        let born = match look.terms.birthday {
            Some(_) => vault.reveal(tx, member)?.and_then(|person| person.birthday),
            None => None,
        };
        let of = Whose { member, joined: rows::day_at(row, 1)?, is_dated: row.flag(2)?, born };
        for given in coupons::due(&look.terms, of, look.days) {
            if coupon(tx, given.id)?.is_none() {
                all.push(given);
            }
        }
    }
    Ok((all, rows::go_on_after(&found, limit)?))
}

/// Why a coupon is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotUsed {
    /// There is none of this name, or its member does not take part.
    Unknown,
    /// It stands otherwise.
    Stands(State),
    /// The rule of birthdays says no.
    Birthday(NoBirthday),
}

/// Whether a coupon may be used on a business day. One of a birthday asks for what the scheme asks for (S9).
///
/// # Errors
/// [`PeopleError`]; in the answer, what stands against it.
pub(super) fn check(
    tx: &mut Tx<'_>,
    vault: &Vault,
    known: &KnownCoupon,
    (day, shown): (Day, Shown),
) -> Result<Result<(), NotUsed>, PeopleError> {
    let member = points::survivor(tx, known.given.member)?;
    let state = coupons::state(known, day);
    if state != State::Open {
        return Ok(Err(NotUsed::Stands(state)));
    }
    if !birthdays::takes_part(tx, member)? {
        return Ok(Err(NotUsed::Unknown));
    }
    let rule = world::policy(tx)?.coupons.and_then(|terms| terms.birthday);
    let (CouponWhy::Birthday, Some(rule)) = (known.given.why, rule) else { return Ok(Ok(())) };
    let born = vault.reveal(tx, member)?.and_then(|person| person.birthday);
    let of_birthday = |other: &KnownCoupon| other.used.filter(|_| other.given.why == CouponWhy::Birthday);
    let used_on: Vec<Day> = of_member(tx, member)?.iter().filter_map(of_birthday).collect();
    Ok(birthday::may_use(&rule, born, day, &used_on, shown).map_err(NotUsed::Birthday))
}

/// Uses a coupon as an act, with what was typed about it.
///
/// # Errors
/// [`PeopleError`], then nothing was changed; in the answer, what stands against it.
pub fn use_one(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (wish, shown): (&CouponUsed, Shown),
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Result<(), NotUsed>, PeopleError> {
    journal::pass_gate(tx, now)?;
    let Some(known) = coupon(tx, wish.coupon)? else { return Ok(Err(NotUsed::Unknown)) };
    let office = people::offices(tx)?.into_iter().find(|row| row.office == wish.office);
    let day = office.map_or_else(OfficeClock::default, |row| row.clock).business_day(now);
    if let Err(why) = check(tx, vault, &known, (day, shown))? {
        return Ok(Err(why));
    }
    note.put(tx, actor.staff(), now)?;
    acts::take(tx, entry, now, actor, &Act::CouponUsed(wish.clone()))?;
    Ok(Ok(()))
}
