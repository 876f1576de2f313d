//! Coupons as rights of their own (S9, S10): which fall due on which day, and whether one may be used.
//!
//! A coupon is given once for its cause: a welcome once for each member, a birthday once for each member and year. Whether
//! it has run out follows from the day alone, so nothing has to be done for that and no job can be late with it. The
//! books hold the month of a birthday and never the day: where the rule is about the day, it is asked of the vault when
//! the coupon is used. Out of scope: what a coupon leaves of a price ([`hufu_shared::rules::bill`]).

use hufu_shared::act::{CouponGiven, CouponWhy};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::policy::{MonthDay, Period};
use hufu_shared::rules::birthday;
use hufu_shared::scheme::bonus::{Birthday, CouponTerms};
use hufu_shared::time::Day;

use super::judge::calendar;

/// A coupon in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCoupon {
    /// What was given.
    pub given: CouponGiven,
    /// Version of the scheme that gave it.
    pub scheme: u32,
    /// The business day on which it was used, if it was.
    pub used: Option<Day>,
}

/// Where a coupon stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its first day is to come.
    ToCome,
    /// It may be used.
    Open,
    /// It was used.
    Used,
    /// It has run out.
    Lapsed,
}

impl State {
    /// The code in the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ToCome => "to_come",
            Self::Open => "open",
            Self::Used => "used",
            Self::Lapsed => "lapsed",
        }
    }
}

/// Where a coupon stands on a business day.
#[must_use]
pub fn state(coupon: &KnownCoupon, day: Day) -> State {
    match coupon.used {
        Some(_) => State::Used,
        None if coupon.given.until.is_some_and(|until| until < day) => State::Lapsed,
        None if day < coupon.given.from => State::ToCome,
        None => State::Open,
    }
}

/// A member, as far as coupons look at one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose {
    /// Who.
    pub member: MemberId,
    /// The business day on which the member joined.
    pub joined: Day,
    /// Whether that day was said: of who came by an import without one it is the day of the import, which is no joining.
    pub is_dated: bool,
    /// The day of birth, if it is known.
    pub born: Option<Day>,
}

/// The coupons of a member that fall due after a day and up to another: a welcome on the day of joining, and on each day on
/// which birthday coupons are sent that of a member who joined before.
#[must_use]
pub fn due(terms: &CouponTerms, of: Whose, (after, until): (Day, Day)) -> Vec<CouponGiven> {
    let is_due = |day: Day| after < day && day <= until;
    let mut all = Vec::new();
    if terms.welcome_fen > 0 && of.is_dated && is_due(of.joined) {
        let id = Hash::of(&[b"hufu-coupon-welcome", &of.member.0]);
        let (member, why, fen) = (of.member, CouponWhy::Welcome, terms.welcome_fen);
        all.push(CouponGiven { id, member, why, fen, from: of.joined, until: None });
    }
    let born = of.born.and_then(calendar::month_day);
    let Some((rule, born)) = terms.birthday.as_ref().zip(born) else { return all };
    let years = [after, until].map(|day| calendar::year_of(day).unwrap_or(0));
    // Who was born in January is sent it in the year before.
    for year in years[0]..=years[1].saturating_add(1) {
        let sent = birthday::send_on(rule, year, born.month).filter(|day| is_due(*day) && of.joined <= *day);
        all.extend(sent.and_then(|_| of_birthday(rule, of.member, year, born.month)));
    }
    all
}

/// The coupon of a member's birthday in a year: for its month.
fn of_birthday(rule: &Birthday, member: MemberId, year: i32, month: u8) -> Option<CouponGiven> {
    let last = MonthDay { month, day: 31 }.in_year(year)?;
    Some(CouponGiven {
        id: Hash::of(&[b"hufu-coupon-birthday", &member.0, &year.to_be_bytes()]),
        member,
        why: CouponWhy::Birthday,
        fen: rule.coupon_fen,
        from: Period::Month.first_day(last),
        until: Some(last),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: MemberId = MemberId([1; 16]);

    fn day(text: &str) -> Day {
        text.parse().expect("test day")
    }

    fn terms() -> CouponTerms {
        let birthday = Birthday { coupon_fen: 5_000, ..Birthday::default() };
        CouponTerms { welcome_fen: 20_000, birthday: Some(birthday) }
    }

    fn told(born: &str, joined: &str, days: (&str, &str)) -> Vec<(CouponWhy, String, String)> {
        let of = Whose { member: WHO, joined: day(joined), is_dated: true, born: Some(day(born)) };
        let until = |given: &CouponGiven| given.until.map_or_else(String::new, |day| day.to_string());
        let all = due(&terms(), of, (day(days.0), day(days.1)));
        all.iter().map(|given| (given.why, given.from.to_string(), until(given))).collect()
    }

    fn birthday(from: &str, until: &str) -> (CouponWhy, String, String) {
        (CouponWhy::Birthday, from.to_owned(), until.to_owned())
    }

    #[test]
    fn rule_s10_who_joins_is_welcomed_once_and_birthdays_of_a_month_are_sent_at_the_end_of_the_one_before() {
        let year = ("2025-12-31", "2026-12-31");
        assert_eq!(
            told("1990-03-14", "2026-02-01", year),
            [
                (CouponWhy::Welcome, "2026-02-01".to_owned(), String::new()),
                birthday("2026-03-01", "2026-03-31"),
            ]
        );
        assert_eq!(told("1990-01-31", "2020-02-01", year), [birthday("2027-01-01", "2027-01-31")]);
        assert_eq!(
            told("2000-02-29", "2020-02-01", year),
            [birthday("2026-02-01", "2026-02-28")],
            "leap day"
        );
        let late = told("1990-03-14", "2026-03-01", year);
        assert_eq!(
            late,
            [(CouponWhy::Welcome, "2026-03-01".to_owned(), String::new())],
            "joined after it was sent"
        );
        let (joined, born) = (day("2026-02-01"), Some(day("1990-03-14")));
        let imported = Whose { member: WHO, joined, is_dated: false, born };
        let whys: Vec<CouponWhy> =
            due(&terms(), imported, (day(year.0), day(year.1))).iter().map(|given| given.why).collect();
        assert_eq!(whys, [CouponWhy::Birthday], "nobody said that they joined then");
    }

    #[test]
    fn rule_s09_looking_once_gives_what_looking_on_each_day_gave_once_for_each_member_and_year() {
        let of =
            Whose { member: WHO, joined: day("2024-05-05"), is_dated: true, born: Some(day("1990-01-31")) };
        let (first, last) = (day("2024-05-01"), day("2027-06-01"));
        let at_once = due(&terms(), of, (first, last));
        let each_day: Vec<CouponGiven> =
            (first.0..last.0).flat_map(|after| due(&terms(), of, (Day(after), Day(after + 1)))).collect();
        assert_eq!(at_once, each_day);
        assert_eq!(at_once.len(), 4, "a welcome and three years");
        let names: std::collections::BTreeSet<Hash> = at_once.iter().map(|given| given.id).collect();
        assert_eq!(names.len(), 4);
    }

    #[test]
    fn a_coupon_is_open_from_its_first_day_to_its_last_until_it_is_used() {
        let given = of_birthday(&Birthday::default(), WHO, 2026, 2).expect("a month");
        let coupon = KnownCoupon { given, scheme: 1, used: None };
        for (on, expected) in [
            ("2026-01-31", State::ToCome),
            ("2026-02-01", State::Open),
            ("2026-02-28", State::Open),
            ("2026-03-01", State::Lapsed),
        ] {
            assert_eq!(state(&coupon, day(on)), expected, "{on}");
        }
        let used = KnownCoupon { used: Some(day("2026-02-02")), ..coupon };
        assert_eq!(state(&used, day("2026-03-01")), State::Used);
    }
}
