//! A purchase from its price to its points, and goods that come back.

use super::events::{Part, why_not_redeemed};
use super::{Arg, Event, Walk, WhatIfError};
use crate::money::{Amount, AmountOverflow};
use crate::rules::bill::Bill;
use crate::rules::birthday::{NoBirthday, Shown};
use crate::rules::earn::{self, Earning, Given};
use crate::rules::level::Deed;
use crate::rules::till::{self, Celebrates, Reckoned, Till, WhyNot};
use crate::rules::{giveback, promotion};
use crate::scheme::Scheme;
use crate::scheme::bill::{BillTerms, Step};
use crate::scheme::earning::{EarnKind, Sheet};
use crate::time::Day;

/// A purchase that goods may come back from.
#[derive(Debug, Clone)]
pub struct Done {
    /// When it was made: what is taken back leaves the caps of that day, not of the day of return.
    day: Day,
    /// The price on the slip, before any reduction.
    price: i64,
    /// What was paid of it in the end.
    to_pay: i64,
    /// What of it earned, before a promotion.
    earns_on: i64,
    /// The promotion that held, kept whole: it may have been changed since.
    sheet: Option<Sheet>,
    /// What each rule gave.
    parts: Vec<Part>,
    /// The price of the goods that came back so far.
    returned: i64,
    /// Money that went back for them.
    given_back_fen: i64,
}

impl Done {
    /// A share of something, by the price of the goods that were kept, in whole fen.
    fn kept(&self, of: i64) -> i64 {
        let kept = i128::from(of) * i128::from(self.price - self.returned) / i128::from(self.price.max(1));
        i64::try_from(kept).unwrap_or(of)
    }

    /// What a part is worth for the goods that were kept, by the rule and promotion that rated it.
    fn still_earns(&self, part: &Part) -> Result<i64, AmountOverflow> {
        if self.returned >= self.price {
            return Ok(0);
        }
        let basis = Amount(self.kept(self.earns_on));
        let basis = match &self.sheet {
            Some(sheet) => promotion::counts(sheet, basis, Amount(self.price - self.returned))?,
            None => basis,
        };
        let rule = &part.rule;
        let points = earn::by_amount(rule.per_fen, rule.points_per, rule.rounding, basis)?;
        Ok(points.plus(Amount(rule.fixed_points))?.0.min(part.amount))
    }
}

impl Walk<'_> {
    /// A purchase: the price is reduced, what is left of it is looked up in the promotions, and that earns.
    pub(super) fn buy(&mut self, scheme: &Scheme, event: &Event) -> Result<(), WhatIfError> {
        let shown = Shown { card: !event.no_card, id_card: true, own_use: true };
        let used_on = self.birthdays_used.clone();
        let (born, price) = (self.member.born, Amount(event.fen));
        let till = Till {
            day: self.day,
            price,
            coupon: Amount(event.coupon_fen),
            points: event.points,
            has_points: self.purse.balance(),
            // Those from before the purchase: what it lifts the member to holds from the next on.
            rank: Some(self.standing.rank),
            has_card: !event.no_card,
            is_issue_day: self.begun.card_issued == Some(self.day),
            // A history that claims the birthday says that all was shown.
            birthday: event.birthday.then_some(Celebrates { born, used_on: &used_on, shown }),
        };
        let Reckoned { bill, left, celebrates } = till::reckon(&BillTerms::of(scheme), &till)?;
        left.iter().for_each(|(_, why)| self.say_why_not(why));
        if celebrates {
            self.birthdays_used.push(self.day);
        }
        self.say_bill(&bill);
        let shop = (event.office.as_str(), self.day);
        let (sheet, basis) = promotion::counts_by(&scheme.sheets, shop, bill.earns_on, price)?;
        if let Some(sheet) = sheet {
            let number = i64::try_from(sheet.sheet_no).unwrap_or(i64::MAX);
            self.say("G5", "sheet", vec![("number", Arg::Number(number)), ("fen", Arg::Fen(basis.0))]);
        }
        let what = Earning {
            event: EarnKind::Purchase,
            of: &event.code,
            basis,
            paid_percent: event.paid_percent,
            day: self.day,
            rank: self.standing.rank,
        };
        let parts = self.earn(scheme, &what, &event.slip)?;
        self.purchases += 1;
        self.spend(bill.to_pay.0);
        // Without a slip nothing can be brought back, so there is nothing to keep.
        if !event.slip.is_empty() {
            let done = Done {
                day: self.day,
                price: event.fen,
                to_pay: bill.to_pay.0,
                earns_on: bill.earns_on.0,
                sheet: sheet.cloned(),
                parts,
                returned: 0,
                given_back_fen: 0,
            };
            self.sales.insert(event.slip.clone(), done);
        }
        Ok(())
    }

    /// Money that was paid, or given back if below zero.
    fn spend(&mut self, fen: i64) {
        self.spent_fen = self.spent_fen.saturating_add(fen);
        self.deeds.push(Deed { day: self.day, points: 0, spend_fen: fen });
    }

    /// Says why points did not pay (rule S5) or the birthday was not used (rule S9).
    fn say_why_not(&mut self, why: &WhyNot) {
        let (rule, key, word) = match why {
            WhyNot::Points(why) => ("S5", "points-not-paid", why_not_redeemed(why)),
            WhyNot::Birthday(NoBirthday::Unknown) => ("S9", "no-birthday", "birth-unknown"),
            WhyNot::Birthday(NoBirthday::NotNow) => ("S9", "no-birthday", "not-now"),
            WhyNot::Birthday(NoBirthday::Used { .. }) => ("S9", "no-birthday", "used"),
            WhyNot::Birthday(NoBirthday::Evidence | NoBirthday::NotOwnUse) => {
                ("S9", "no-birthday", "evidence")
            }
            WhyNot::NotOffered | WhyNot::Discount(_) | WhyNot::Level => return,
        };
        self.say(rule, key, vec![("why", Arg::Word(word))]);
    }

    /// Writes the reductions in their order, and takes the points that paid.
    fn say_bill(&mut self, bill: &Bill) {
        for reduced in &bill.steps {
            let fen = ("fen", Arg::Fen(reduced.by.0));
            match reduced.step {
                Step::Coupon => self.say("S7", "coupon-paid", vec![fen]),
                Step::Points => {
                    let points = bill.points_used;
                    self.purse.take(points);
                    let args = vec![("points", Arg::Number(points)), fen];
                    self.say("S6", "points-paid", args);
                }
                Step::LevelDiscount => self.say("S6", "level-discount", vec![fen]),
                Step::BirthdayDiscount => self.say("S9", "birthday-discount", vec![fen]),
            }
        }
        if !bill.steps.is_empty() {
            let rule = if bill.steps[0].step == Step::Coupon { "S7" } else { "S6" };
            self.say(rule, "to-pay", vec![("fen", Arg::Fen(bill.to_pay.0))]);
        }
    }

    /// Goods come back: their points go, by the rule that gave them.
    pub(super) fn bring_back(&mut self, scheme: &Scheme, event: &Event) -> Result<(), WhatIfError> {
        let Some(before) = self.sales.get(&event.slip) else {
            self.say("S8", "unknown-slip", vec![("slip", Arg::Text(event.slip.clone()))]);
            return Ok(());
        };
        let mut done = before.clone();
        done.returned = done.returned.saturating_add(event.fen).min(done.price);
        // What each rule gave too much, now that these goods are back; in parts as at once.
        let mut dues = Vec::new();
        for part in &done.parts {
            dues.push(giveback::due(part.amount, done.still_earns(part)?, part.taken));
        }
        // The gift comes back first: its cost is there before anything is taken.
        let gift = scheme.redemption.items.iter().find(|item| event.gift_back && item.code == event.code);
        let has = self.purse.balance().saturating_add(gift.map_or(0, |item| item.cost));
        let due = self.due_in_points(&done, &dues, &event.slip);
        let cash = scheme.redemption.cash_per_point_fen;
        let back = match giveback::take_back(&scheme.returns, due, has, cash) {
            Ok(back) => back,
            // The goods stay with the member, so nothing that was noted above is kept.
            Err(_) => {
                self.say("S8", "return-refused", vec![("points", Arg::Number(due))]);
                return Ok(());
            }
        };
        if let Some(item) = gift {
            self.credit(scheme, item.cost, "");
            self.say_points("S8", "gift-back", item.cost);
        }
        let paid_back = done.to_pay - done.kept(done.to_pay) - done.given_back_fen;
        done.given_back_fen += paid_back;
        self.spend(-paid_back);
        if scheme.returns.reverse_points {
            self.undo(&mut done, &dues, &event.slip);
        }
        self.purse.take_back(back.taken, &event.slip);
        self.purse.owe(back.owed);
        self.say_points("S8", "returned", -back.taken);
        if back.short + back.owed > 0 {
            let args =
                vec![("points", Arg::Number(back.short + back.owed)), ("fen", Arg::Fen(back.cash_fen))];
            self.say("S8", "return-short", args);
        }
        self.sales.insert(event.slip.clone(), done);
        Ok(())
    }

    /// Points that are to be taken from the balance: what still waits for approval is not there to be taken.
    fn due_in_points(&self, done: &Done, dues: &[i64], slip: &str) -> i64 {
        let of = done.parts.iter().zip(dues).filter(|(part, _)| part.rule.balance.has_points());
        of.filter(|(part, _)| !self.waits(slip, &part.rule.rule)).map(|(_, due)| due).sum()
    }

    /// Whether what a rule gave for a slip still waits for approval.
    fn waits(&self, slip: &str, rule: &str) -> bool {
        self.waiting.iter().any(|waiting| waiting.slip == slip && waiting.rule == rule)
    }

    /// Takes what each rule gave out of growth, of what waits, and of what caps and levels count.
    fn undo(&mut self, done: &mut Done, dues: &[i64], slip: &str) {
        for (part, due) in done.parts.iter_mut().zip(dues) {
            part.taken += due;
            let key = (part.rule.rule.clone(), part.rule.of.clone().unwrap_or_default());
            self.given.entry(key).or_default().push(Given { day: done.day, amount: Amount(-due) });
            let (has_points, has_growth) = (part.rule.balance.has_points(), part.rule.balance.has_growth());
            let mut waits = false;
            for waiting in &mut self.waiting {
                if waiting.slip == slip && waiting.rule == part.rule.rule {
                    waits = true;
                    waiting.points -= if has_points { *due } else { 0 };
                    waiting.growth -= if has_growth { *due } else { 0 };
                }
            }
            if waits {
                continue;
            }
            if has_growth {
                self.growth = self.growth.saturating_sub(*due).max(0);
            }
            self.deeds.push(Deed { day: self.day, points: if has_points { -due } else { 0 }, spend_fen: 0 });
        }
        self.waiting.retain(|waiting| waiting.points > 0 || waiting.growth > 0);
    }
}
