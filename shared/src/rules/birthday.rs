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

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("test day")
    }

    const ALL: Shown = Shown { card: true, id_card: true, own_use: true };

    #[test]
    fn rule_s09_own_use_in_the_month_once_a_year_with_the_identity_card() {
        let rule = Birthday::default();
        let spent = NoBirthday::Used { used: 1, most: 1 };
        let no_card = Shown { card: false, ..ALL };
        let no_id = Shown { id_card: false, ..ALL };
        let a_friend = Shown { own_use: false, ..ALL };
        let cases: [(&str, &[&str], Shown, Result<(), NoBirthday>, &str); 8] = [
            ("2026-02-01", &[], ALL, Ok(()), "the first day of the month"),
            ("2026-02-28", &[], ALL, Ok(()), "its last day"),
            ("2026-03-01", &[], ALL, Err(NoBirthday::NotNow), "the month is over"),
            ("2026-02-10", &["2026-02-01"], ALL, Err(spent), "once a year"),
            ("2026-02-10", &["2025-02-28"], ALL, Ok(()), "last year's does not count"),
            ("2026-02-10", &[], no_card, Err(NoBirthday::Evidence), "without the card"),
            ("2026-02-10", &[], no_id, Err(NoBirthday::Evidence), "without the identity card"),
            ("2026-02-10", &[], a_friend, Err(NoBirthday::NotOwnUse), "for somebody else"),
        ];
        for (on, used, shown, expected, why) in cases {
            let used: Vec<Day> = used.iter().map(|text| day(text)).collect();
            assert_eq!(may_use(&rule, Some(day("1988-02-29")), day(on), &used, shown), expected, "{why}");
        }
        assert_eq!(may_use(&rule, None, day("2026-02-01"), &[], ALL), Err(NoBirthday::Unknown));
    }

    #[test]
    fn rule_x14_window_limit_and_evidence_are_parameters() {
        let on_the_day = Birthday {
            window: BirthdayWindow::Day,
            evidence: Evidence::Card,
            max_per_year: 2,
            ..Birthday::default()
        };
        let born = Some(day("1988-02-29"));
        let card = Shown { id_card: false, ..ALL };
        for (on, fits) in
            [("2024-02-29", true), ("2024-02-28", false), ("2026-02-28", true), ("2026-03-01", false)]
        {
            assert_eq!(may_use(&on_the_day, born, day(on), &[], card).is_ok(), fits, "{on}");
        }
        assert_eq!(may_use(&on_the_day, born, day("2026-02-28"), &[day("2026-02-28")], card), Ok(()));
    }

    #[test]
    fn rule_s10_the_birthday_coupon_goes_out_at_the_end_of_the_month_before() {
        let rule = Birthday::default();
        for (year, month, sent) in [
            (2026, 3, "2026-02-28"),
            (2024, 3, "2024-02-29"),
            (2026, 1, "2025-12-31"),
            (2026, 12, "2026-11-30"),
        ] {
            assert_eq!(send_on(&rule, year, month), Some(day(sent)));
        }
    }
}
