//! Who is expected at a holding, as terminals are told: the members' ids, and whose birthday falls on a day of it.
//!
//! The mark is made here, from the vault, when a row is made: the books hold no birthday, and a terminal learns none but
//! those that its staff may congratulate on. Of a member who asked for secrecy no mark leaves the centre, and of a holding
//! that is over neither marks nor names do.

use chrono::{Datelike, NaiveDate};
use hufu_shared::ids::Hash;
use hufu_shared::member::{GuestRow, OccurrenceRow};
use hufu_shared::time::{DAY_US, Day, Instant, OfficeClock};

use super::directory::{DirectoryError, Making, SQL};
use super::{StoreError, people, rows};
use crate::db::{Row, Tx};

/// A holding of more days marks no birthdays: over a season everybody has one.
const MARKED_DAYS_MAX: i32 = 7;
/// How long after its end a holding still says who was expected, in microseconds: staff look at yesterday's.
const TOLD_US: i64 = DAY_US;

/// A holding's row for terminals.
///
/// # Errors
/// [`DirectoryError`].
pub(super) fn occurrence_row(
    tx: &mut Tx<'_>,
    making: &Making<'_>,
    row: &Row,
) -> Result<OccurrenceRow, DirectoryError> {
    let mut made = rows::occurrence(row)?;
    if made.ends.offset(TOLD_US) < making.at {
        made.guests.clear();
    }
    if made.guests.is_empty() {
        return Ok(made);
    }
    let days = days(&made, &clock_of(tx, &made)?);
    for guest in &mut made.guests {
        guest.birthday = is_born_on(tx, making, guest, &days)?;
    }
    Ok(made)
}

/// The clock of the office that holds it; of one where several or all do.
fn clock_of(tx: &mut Tx<'_>, row: &OccurrenceRow) -> Result<OfficeClock, StoreError> {
    let Some(office) = row.offices.first() else { return Ok(OfficeClock::default()) };
    let found = tx.query_opt(SQL.get("office_by_id"), &[office.0.into()])?;
    Ok(found.map(|row| rows::office(&row)).transpose()?.map(|office| office.clock).unwrap_or_default())
}

/// The days that a holding is on; none of one that is on for longer than birthdays are marked.
fn days(row: &OccurrenceRow, clock: &OfficeClock) -> Vec<NaiveDate> {
    // An end at the very start of a day belongs to the day before.
    let (first, last) = (clock.business_day(row.starts), clock.business_day(Instant(row.ends.0 - 1)));
    if last.0 - first.0 >= MARKED_DAYS_MAX {
        return Vec::new();
    }
    (first.0..=last.0).filter_map(|day| Day(day).date()).collect()
}

fn is_born_on(
    tx: &mut Tx<'_>,
    making: &Making<'_>,
    guest: &GuestRow,
    days: &[NaiveDate],
) -> Result<bool, DirectoryError> {
    if days.is_empty() {
        return Ok(false);
    }
    let member = guest.member;
    let Some(row) = tx.query_opt(SQL.get("personal_of"), &[member.0.into()])? else { return Ok(false) };
    if people::wants_secrecy(tx, making.vault, member, Hash(row.array(0)?))? {
        return Ok(false);
    }
    let born = making.vault.reveal(tx, member)?.and_then(|person| person.birthday).and_then(Day::date);
    Ok(born.is_some_and(|born| days.iter().any(|day| is_birthday(born, *day))))
}

/// Whether somebody born on a day has a birthday on another. Who was born on 29 February has it on the 28th of a common year.
fn is_birthday(born: NaiveDate, day: NaiveDate) -> bool {
    let of = |date: NaiveDate| (date.month(), date.day());
    let leaps = of(born) == (2, 29) && of(day) == (2, 28) && !day.leap_year();
    of(born) == of(day) || leaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_birthday_is_the_day_of_the_year_and_a_leap_day_has_one_each_year() {
        assert!(is_birthday(date("1949-12-31"), date("2026-12-31")));
        assert!(!is_birthday(date("1949-12-31"), date("2026-12-30")));
        for (day, is) in
            [("2026-02-28", true), ("2028-02-28", false), ("2028-02-29", true), ("2026-03-01", false)]
        {
            assert_eq!(is_birthday(date("2000-02-29"), date(day)), is, "{day}");
        }
    }
}
