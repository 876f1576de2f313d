//! Uses of the birthday's discount (S9): rows that apply reads and writes, using it, taking a use back, and the list of a
//! month.
//!
//! The day of birth is read from the vault when a use is judged and goes no farther. It is used here alone, in the
//! transaction that takes the act, so a year has as many as the scheme gives whoever asks at the same time.

use hufu_shared::act::{Act, Actor, BirthdayTakenBack, BirthdayUsed};
use hufu_shared::ids::{EntryId, Hash, MemberId, OfficeId};
use hufu_shared::member::MemberStatus;
use hufu_shared::rules::birthday::{self, NoBirthday, Shown};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::bill::BillTerms;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::acts::Note;
use super::people::{self, PeopleError};
use super::{StoreError, acts, journal, points, rows, world};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::birthdays::{KnownBirthday, used_on};
use crate::rules::need::Need;
use crate::rules::outcome::Outcome;
use crate::rules::world::World;
use crate::vault::Vault;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("birthdays", include_str!("../../sql/both/birthdays.sql"));

fn birthday_of(row: &Row) -> Result<KnownBirthday, StoreError> {
    let back_by = row.text_opt(9)?.unwrap_or_default().to_owned();
    Ok(KnownBirthday {
        id: Hash(row.array(0)?),
        member: MemberId(row.array(1)?),
        office: OfficeId(row.array(2)?),
        day: rows::day_at(row, 3)?,
        at: Instant(row.int(4)?),
        slip: row.text(5)?.to_owned(),
        scheme: rows::u32_at(row, 6, "version of a scheme")?,
        by: row.text(7)?.to_owned(),
        taken_back: row.int_opt(8)?.map(|at| (Instant(at), back_by)),
    })
}

/// Fetches a use, or all of a member.
///
/// # Errors
/// [`StoreError`].
pub(super) fn fetch_in(tx: &mut Tx<'_>, world: &mut World, need: Need) -> Result<(), StoreError> {
    match need {
        Need::Birthday(id) => world.birthdays.extend(one(tx, id)?.map(|known| (id, known))),
        Need::BirthdaysOf(member) => {
            let own = of_member(tx, member)?;
            world.birthdays_of.insert(member, own.iter().map(|known| known.id).collect());
            world.birthdays.extend(own.into_iter().map(|known| (known.id, known)));
        }
        _ => {}
    }
    Ok(())
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (id, known) in &outcome.birthdays {
        let back = known.taken_back.as_ref();
        let values: Vec<Value> = vec![
            id.0.into(),
            known.member.0.into(),
            known.office.0.into(),
            i64::from(known.day.0).into(),
            known.at.0.into(),
            known.slip.as_str().into(),
            i64::from(known.scheme).into(),
            known.by.as_str().into(),
            back.map(|back| back.0.0).into(),
            back.map(|back| back.1.clone()).into(),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("set_birthday"), vec![values])?;
    }
    Ok(())
}

/// A use.
///
/// # Errors
/// [`StoreError`].
pub fn one(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownBirthday>, StoreError> {
    tx.query_opt(SQL.get("birthday"), &[id.0.into()])?.as_ref().map(birthday_of).transpose()
}

/// Uses of a member and of those who turned out to be the same, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_member(tx: &mut Tx<'_>, member: MemberId) -> Result<Vec<KnownBirthday>, StoreError> {
    tx.query(SQL.get("of_member"), &[member.0.into()])?.iter().map(birthday_of).collect()
}

/// Uses on days from the first to the last, of one office or of all, after a place in the list, the oldest first, at most
/// `limit`: what the monthly list of changes tells of birthdays (S9).
///
/// # Errors
/// [`StoreError`].
pub fn page(
    tx: &mut Tx<'_>,
    (first, last): (Day, Day),
    office: Option<OfficeId>,
    (at, id): (Instant, Hash),
    limit: i64,
) -> Result<Vec<KnownBirthday>, StoreError> {
    let mut key: Vec<Value> =
        vec![i64::from(first.0).into(), i64::from(last.0).into(), at.0.into(), id.0.into(), limit.into()];
    key.extend(office.map(|office| office.0.into()));
    let statement = if office.is_some() { "page_of_office" } else { "page" };
    tx.query(SQL.get(statement), &key)?.iter().map(birthday_of).collect()
}

/// The newest uses on days from the first to the last, at most `limit`, the newest first: those that people take back.
///
/// # Errors
/// [`StoreError`].
pub fn newest(
    tx: &mut Tx<'_>,
    (first, last): (Day, Day),
    limit: i64,
) -> Result<Vec<KnownBirthday>, StoreError> {
    let key = [i64::from(first.0).into(), i64::from(last.0).into(), limit.into()];
    tx.query(SQL.get("newest"), &key)?.iter().map(birthday_of).collect()
}

/// When a member's first card was issued; none where no card is known, or not when.
///
/// # Errors
/// [`StoreError`].
pub(super) fn first_card(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<Instant>, StoreError> {
    let row = tx.query_opt(SQL.get("first_card"), &[member.0.into()])?;
    Ok(row.map(|row| row.int(0)).transpose()?.map(Instant))
}

/// Why a birthday's discount is not used, or a use not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotUsed {
    /// There is no such member, or the member does not take part.
    Member,
    /// The scheme in force reduces nothing for a birthday.
    NotOffered,
    /// The rule of birthdays says no.
    Birthday(NoBirthday),
    /// There is no such use.
    Unknown,
    /// It was taken back before.
    TakenBack,
    /// Another use has this name.
    Other,
}

/// What became of the wish to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// It was used now.
    Now,
    /// It had been used under this name.
    Before,
}

/// Whether a member takes part, as far as discounts go.
///
/// # Errors
/// [`PeopleError`].
pub(super) fn takes_part(tx: &mut Tx<'_>, member: MemberId) -> Result<bool, PeopleError> {
    let row = people::member(tx, member)?;
    let is_active = row.is_some_and(|row| row.status == MemberStatus::Active);
    Ok(is_active && people::is_living(tx, member)?)
}

/// What bills of a member are reckoned by at an office now; none where no version had begun.
fn terms(
    tx: &mut Tx<'_>,
    (office, member): (OfficeId, MemberId),
    now: Instant,
) -> Result<Option<BillTerms>, StoreError> {
    let member = points::survivor(tx, member)?;
    let base = world::base_of(tx, member)?;
    Ok(base.scheme_at(base.whose(office, member), now).map(SchemeTerms::bills))
}

/// Whether the discount may be used (S9).
fn check(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (wish, shown): (&BirthdayUsed, Shown),
    now: Instant,
) -> Result<Result<(), NotUsed>, PeopleError> {
    if !takes_part(tx, wish.member)? {
        return Ok(Err(NotUsed::Member));
    }
    let terms = terms(tx, (wish.office, wish.member), now)?;
    let Some(rule) = terms.as_ref().and_then(BillTerms::birthday_discount) else {
        return Ok(Err(NotUsed::NotOffered));
    };
    let office = people::offices(tx)?.into_iter().find(|row| row.office == wish.office);
    let day = office.map_or_else(OfficeClock::default, |row| row.clock).business_day(now);
    let born = vault.reveal(tx, wish.member)?.and_then(|person| person.birthday);
    let before = used_on(&of_member(tx, wish.member)?);
    Ok(birthday::may_use(rule, born, day, &before, shown).map_err(NotUsed::Birthday))
}

/// Uses the discount as an act, with what was typed about it; the same name once.
///
/// # Errors
/// [`PeopleError`], then nothing was changed; in the answer, what stands against it.
pub fn use_one(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (wish, shown): (&BirthdayUsed, Shown),
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Result<Used, NotUsed>, PeopleError> {
    journal::pass_gate(tx, now)?;
    let member = points::survivor(tx, wish.member)?;
    if let Some(known) = one(tx, wish.id)? {
        let was = (points::survivor(tx, known.member)?, known.office, &known.slip);
        let is_same = was == (member, wish.office, &wish.slip);
        return Ok(if is_same { Ok(Used::Before) } else { Err(NotUsed::Other) });
    }
    let wish = BirthdayUsed { member, ..wish.clone() };
    if let Err(why) = check(tx, vault, (&wish, shown), now)? {
        return Ok(Err(why));
    }
    note.put(tx, actor.staff(), now)?;
    acts::take(tx, entry, now, actor, &Act::BirthdayUsed(wish))?;
    Ok(Ok(Used::Now))
}

/// Takes a use back as an act, with the reason that was typed.
///
/// # Errors
/// [`StoreError`], then nothing was changed; in the answer, what stands against it.
pub fn take_back(
    tx: &mut Tx<'_>,
    id: Hash,
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Result<(), NotUsed>, StoreError> {
    journal::pass_gate(tx, now)?;
    let Some(known) = one(tx, id)? else { return Ok(Err(NotUsed::Unknown)) };
    if known.taken_back.is_some() {
        return Ok(Err(NotUsed::TakenBack));
    }
    note.put(tx, actor.staff(), now)?;
    let back = BirthdayTakenBack { id, reason: note.commitment };
    acts::take(tx, entry, now, actor, &Act::BirthdayTakenBack(back))?;
    Ok(Ok(()))
}
