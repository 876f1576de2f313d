//! What a day brings by itself: at its beginning points and levels that have ended, and coupons; at its end, on a member
//! day, points filled up. These are the jobs of the centre; they depend on the day only, not on when they are run.

use super::{Arg, Walk, WhatIfError};
use crate::policy::ExpiryMode;
use crate::rules::level::{self, Ended};
use crate::rules::start::{Applicant, NotEligible};
use crate::rules::{birthday, bonus, calendar, start};
use crate::scheme::Scheme;
use crate::time::Day;

impl Walk<'_> {
    /// The first day.
    pub(super) fn join(&mut self) {
        let Some(scheme) = self.scheme() else {
            self.say("", "no-scheme", Vec::new());
            return;
        };
        self.standing = level::at_start(scheme, self.day);
        let applicant = Applicant {
            kind: &self.member.kind,
            is_person: !self.member.is_organisation,
            born: self.member.born,
            is_staff: self.member.is_staff,
        };
        if let Err(why) = start::check(&scheme.joining_alone(), &applicant, self.day) {
            let word = match why {
                NotEligible::Age { .. } => "too-young",
                NotEligible::Born { .. } => "age-unknown",
                NotEligible::Staff => "staff",
                NotEligible::Kind { .. } => "kind",
            };
            self.left = true;
            self.say("X18", "not-admitted", vec![("why", Arg::Word(word))]);
            return;
        }
        self.say_level("", "joined", scheme);
    }

    /// Ends all days before a day and begins that day.
    pub(super) fn go_to(&mut self, day: Day) -> Result<(), WhatIfError> {
        while self.day < day {
            self.close_day()?;
            self.day = self.day.plus(1);
            self.begin_day();
        }
        Ok(())
    }

    /// What the night brought: ended points first, so that a level that looks at the balance sees what is left.
    fn begin_day(&mut self) {
        if self.left {
            return;
        }
        for (last, points) in self.purse.end_before(self.day) {
            let rule = match self.scheme().map(Scheme::ends) {
                Some(ExpiryMode::FixedCutoff(_)) => "S3",
                Some(ExpiryMode::EarnYearPlus(_)) => "B4",
                _ => "X3",
            };
            self.say(rule, "expired", vec![("last", Arg::Day(last)), ("points", Arg::Number(points))]);
        }
        let Some(scheme) = self.scheme() else { return };
        if self.standing.until.is_some_and(|until| until < self.day) {
            self.end_level(scheme);
        }
        self.send_birthday_coupon(scheme);
        self.leave_when_due(scheme);
    }

    /// Assesses a level that ended yesterday. Growth is reduced once per end, not again at the end of a grace.
    fn end_level(&mut self, scheme: &Scheme) {
        let before = self.growth;
        if let Some(level) = scheme.level(self.standing.rank).filter(|_| !self.standing.in_grace) {
            self.growth = level::growth_after(level, self.growth);
        }
        let change = self.growth - before;
        if change != 0 {
            self.say("B2", "growth-reduced", vec![("growth", Arg::Number(-change))]);
        }
        let (now, ended) = level::end(scheme, self.standing, self.record());
        self.standing = now;
        let key = match ended {
            Ended::Renewed => "level-renewed",
            Ended::Grace => "level-grace",
            Ended::Fell { .. } => "level-fell",
        };
        self.say_level("B2", key, scheme);
    }

    /// Sends the coupon on the day on which all of next month's are sent.
    fn send_birthday_coupon(&mut self, scheme: &Scheme) {
        let Some(rule) = scheme.birthday.as_ref().filter(|rule| rule.coupon_fen > 0) else { return };
        let Some(born) = self.member.born.and_then(calendar::month_day) else { return };
        let Some(year) = calendar::year_of(self.day) else { return };
        // Who was born in January is sent it in the year before.
        let due = |year| birthday::send_on(rule, year, born.month) == Some(self.day);
        if due(year) || due(year.saturating_add(1)) {
            self.say("S10", "birthday-coupon", vec![("fen", Arg::Fen(rule.coupon_fen))]);
        }
    }

    /// Ends a membership on the conditions of the scheme (rule K11).
    fn leave_when_due(&mut self, scheme: &Scheme) {
        let Some(rule) = scheme.joining.auto_leave.clone() else { return };
        let due = start::is_due(&rule, self.seen, self.purse.balance() > 0, self.day);
        if due {
            self.leave();
        }
    }

    /// Ends the membership: it is archived, points can be used no more.
    pub(super) fn leave(&mut self) {
        self.left = true;
        let points = self.purse.take(i64::MAX);
        self.say("K11", "left", vec![("points", Arg::Number(points))]);
    }

    /// Ends the day: on a member day points are filled up.
    pub(super) fn close_day(&mut self) -> Result<(), WhatIfError> {
        let Some(scheme) = self.scheme().filter(|_| !self.left) else { return Ok(()) };
        let Some(rule) = &scheme.round_up else { return Ok(()) };
        if self.standing.rank < rule.min_rank || bonus::member_day(rule, self.day) != Some(self.day) {
            return Ok(());
        }
        let from = self.purse.balance();
        let to = bonus::rounded_up(rule, from);
        if to > from {
            self.credit(scheme, to - from, "");
            let args = vec![("from", Arg::Number(from)), ("to", Arg::Number(to))];
            self.say("P3", "rounded-up", args);
            self.rise(scheme);
        }
        Ok(())
    }

    /// Puts points into the purse, to end as the scheme says for this day.
    pub(super) fn credit(&mut self, scheme: &Scheme, points: i64, slip: &str) {
        let last = crate::rules::expiry::last_day(scheme.ends(), self.day, Some(self.member.joined));
        self.purse.put(points, last, slip);
    }
}
