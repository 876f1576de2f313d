//! The birthday: whether its discount may be used, and when its coupon is sent (rules S9 and S10).

use super::calendar;
use crate::policy::MonthDay;
use crate::scheme::bonus::{Birthday, BirthdayWindow, Evidence};
use crate::time::Day;

/// What is shown at the counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// The member's card.
    pub card: bool,
    /// The identity card, compared with the member.
    pub id_card: bool,
    /// Whether the member is buying for himself or herself.
    pub own_use: bool,
}

/// Why the birthday does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoBirthday {
    /// The day of birth is not known.
    #[error("the day of birth is not known")]
    Unknown,
    /// It is another day or month.
    #[error("it is not the birthday's day or month")]
    NotNow,
    /// It was used as often as a year allows.
    #[error("used {used} times this year, {most} are allowed")]
    Used {
        /// How often.
        used: u32,
        /// How often it may be.
        most: u8,
    },
    /// Card or identity card is missing.
    #[error("card and identity card must be shown, as the scheme asks")]
    Evidence,
    /// It is for the member only.
    #[error("it is for the member's own use only")]
    NotOwnUse,
}

/// Whether the birthday's discount may be used. `used_on` are the days on which it was used before.
///
/// # Errors
/// [`NoBirthday`] with the first reason why not.
pub fn may_use(
    rule: &Birthday,
    born: Option<Day>,
    day: Day,
    used_on: &[Day],
    shown: Shown,
) -> Result<(), NoBirthday> {
    let birthday = born.and_then(calendar::month_day).ok_or(NoBirthday::Unknown)?;
    let is_now = match rule.window {
        BirthdayWindow::Month => calendar::month_of(day) == Some(birthday.month),
        BirthdayWindow::Day => {
            calendar::year_of(day).and_then(|year| birthday.in_year(year)).is_some_and(|this| this == day)
        }
    };
    if !is_now {
        return Err(NoBirthday::NotNow);
    }
    let year = calendar::year_of(day);
    let used = used_on.iter().filter(|used| calendar::year_of(**used) == year).count();
    if used >= usize::from(rule.max_per_year) {
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        return Err(NoBirthday::Used { used, most: rule.max_per_year });
    }
    if !shown.card || (rule.evidence == Evidence::IdCard && !shown.id_card) {
        return Err(NoBirthday::Evidence);
    }
    if shown.own_use { Ok(()) } else { Err(NoBirthday::NotOwnUse) }
}

/// The day on which coupon and card for the birthdays of a month are sent: in the month before, on the rule's day or
/// that month's last (rule S10: at each month-end for the next month). None beyond the calendar.
#[must_use]
pub fn send_on(rule: &Birthday, year: i32, month: u8) -> Option<Day> {
    let (year, month) = if month <= 1 { (year.checked_sub(1)?, 12) } else { (year, month - 1) };
    MonthDay { month, day: rule.send_day }.in_year(year)
}
