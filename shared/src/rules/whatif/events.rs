//! What an event does: cards, earning without a purchase, approval, redemption, transfers, corrections.
//!
//! Purchases and what comes back of them are in [`super::sale`].

use super::{Arg, Event, Waiting, Walk, What, WhatIfError};
use crate::money::Amount;
use crate::rules::earn::{self, Earning, Given, Less};
use crate::rules::level::{self, Deed};
use crate::rules::redeem::{self, Ask, NotRedeemed, Redeemed};
use crate::rules::transfer::{self, NotTransferred, Wish};
use crate::rules::{giveback, start};
use crate::scheme::Scheme;
use crate::scheme::earning::{EarnKind, EarnRule};

/// What one rule gave for one event.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// By which rule.
    pub rule: EarnRule,
    /// How much, whether it waits or counts.
    pub amount: i64,
    /// What of it was taken back since.
    pub taken: i64,
}

impl Walk<'_> {
    /// Does one event; `number` counts from 1 for messages.
    pub(super) fn happen(&mut self, number: usize, event: &Event) -> Result<(), WhatIfError> {
        if self.left {
            return Ok(());
        }
        let Some(scheme) = self.scheme() else {
            self.say("", "no-scheme", Vec::new());
            return Ok(());
        };
        // What the office does about a member is no sign of life of that member.
        if !matches!(event.what, What::Verified | What::Approve | What::Level | What::Adjust) {
            self.seen = self.day;
        }
        match event.what {
            What::Verified => {
                self.begun.verified.get_or_insert(self.day);
                self.say("G1", "verified", Vec::new());
            }
            What::Card | What::SubCard => self.card(scheme, event)?,
            What::Purchase => self.buy(scheme, event)?,
            What::Return => self.bring_back(scheme, event)?,
            What::Refusal => self.refuse(scheme),
            What::Activity => self.earn_for(scheme, EarnKind::Activity, event)?,
            What::Care => self.earn_for(scheme, EarnKind::Care, event)?,
            What::Complaint => self.earn_for(scheme, EarnKind::Complaint, event)?,
            What::Task => self.earn_for(scheme, EarnKind::Task, event)?,
            What::Promo => self.earn_for(scheme, EarnKind::Promo, event)?,
            What::Approve => self.approve(scheme, &event.slip),
            What::Redeem => self.redeem(scheme, event),
            What::Give => self.give(scheme, event.points),
            What::Get => {
                self.credit(scheme, event.points, "");
                self.say_points("", "got", event.points);
            }
            What::Level => {
                let expected = "a rank from 0 to 255 as code";
                let rank = event.code.parse().map_err(|_| WhatIfError::Event { number, expected })?;
                self.standing = level::by_hand(scheme, rank, self.day);
                self.say_level("T2", "level-by-hand", scheme);
                return Ok(());
            }
            What::Adjust => self.adjust(scheme, event.points),
            What::Leave => self.leave(),
        }
        self.rise(scheme);
        Ok(())
    }

    /// A line that says how many points came or went.
    pub(super) fn say_points(&mut self, rule: &str, key: &'static str, points: i64) {
        self.say(rule, key, vec![("points", Arg::Number(points.abs()))]);
    }

    /// A card: points may begin with it, base points and a welcome coupon may come with it (rules K15, S4, S10).
    fn card(&mut self, scheme: &Scheme, event: &Event) -> Result<(), WhatIfError> {
        let first = self.begun.card_issued.is_none();
        self.begun.card_issued.get_or_insert(self.day);
        if event.what == What::Card {
            self.begun.main_card.get_or_insert(self.day);
        }
        self.say("K16", "card-issued", vec![("kind", Arg::Text(event.code.clone()))]);
        if first && scheme.welcome_coupon_fen > 0 {
            self.say("S10", "welcome-coupon", vec![("fen", Arg::Fen(scheme.welcome_coupon_fen))]);
        }
        if scheme.earnings.iter().any(|rule| rule.event == EarnKind::Base) {
            self.earn_for(scheme, EarnKind::Base, event)?;
        }
        Ok(())
    }

    /// Earning without a purchase.
    fn earn_for(&mut self, scheme: &Scheme, kind: EarnKind, event: &Event) -> Result<(), WhatIfError> {
        let what = Earning {
            event: kind,
            of: &event.code,
            basis: Amount(event.fen),
            paid_percent: event.paid_percent,
            day: self.day,
            rank: self.standing.rank,
        };
        self.earn(scheme, &what, &event.slip).map(|_| ())
    }

    /// Gives what all rules give for an event.
    pub(super) fn earn(
        &mut self,
        scheme: &Scheme,
        what: &Earning<'_>,
        slip: &str,
    ) -> Result<Vec<Part>, WhatIfError> {
        if !start::has_begun(scheme.points_start, self.begun, self.day) {
            self.say("X8", "waits-for-start", Vec::new());
            return Ok(Vec::new());
        }
        let mut parts = Vec::new();
        // Every rule that fits gives: a scheme may have one for growth and one for points (rule B5).
        for rule in &scheme.earnings {
            // Caps and "once" are counted by number and code of the rule, so they outlast a new version of it.
            let key = (rule.rule.clone(), rule.of.clone().unwrap_or_default());
            let before = self.given.get(&key).map_or(&[][..], Vec::as_slice);
            let Some(gives) = earn::gives(rule, what, before)? else { continue };
            self.say_less(rule, gives.less);
            let amount = gives.amount.0;
            if amount == 0 {
                if gives.less.is_none() {
                    self.say(&rule.rule, "nothing-earned", vec![("basis", Arg::Fen(what.basis.0))]);
                }
                continue;
            }
            self.given.entry(key).or_default().push(Given { day: self.day, amount: gives.amount });
            parts.push(Part { rule: rule.clone(), amount, taken: 0 });
            let points = if gives.balance.has_points() { amount } else { 0 };
            let growth = if gives.balance.has_growth() { amount } else { 0 };
            if gives.pending {
                let waiting = Waiting { slip: slip.to_owned(), rule: rule.rule.clone(), points, growth };
                self.waiting.push(waiting);
                self.say(&rule.rule, "pending", vec![("points", Arg::Number(amount))]);
            } else {
                let args = vec![("basis", Arg::Fen(what.basis.0)), ("points", Arg::Number(amount))];
                self.gain(scheme, points, growth, slip);
                let key = match (points > 0, what.basis.is_positive()) {
                    (true, true) => "earned",
                    (false, true) => "grown",
                    (true, false) => "granted",
                    (false, false) => "growth-granted",
                };
                self.say(&rule.rule, key, args);
            }
        }
        if parts.is_empty() && scheme.earnings.iter().all(|rule| rule.event != what.event) {
            self.say("", "nothing-earned", vec![("basis", Arg::Fen(what.basis.0))]);
        }
        Ok(parts)
    }

    /// Says why a rule gave less than its rate.
    fn say_less(&mut self, rule: &EarnRule, less: Option<Less>) {
        match less {
            None => {}
            Some(Less::Gate { needs, paid }) => {
                let args = vec![("needs", Arg::Number(needs.into())), ("paid", Arg::Number(paid.into()))];
                self.say("K22", "gate", args);
            }
            Some(Less::Cap { most, wanted }) => {
                let args = vec![("most", Arg::Number(most.0)), ("wanted", Arg::Number(wanted.0))];
                self.say(&rule.rule, "capped", args);
            }
            Some(Less::Once) => self.say(&rule.rule, "once", Vec::new()),
        }
    }

    /// Points and growth come, and count for levels.
    fn gain(&mut self, scheme: &Scheme, points: i64, growth: i64, slip: &str) {
        self.credit(scheme, points, slip);
        self.growth = self.growth.saturating_add(growth);
        self.deeds.push(Deed { day: self.day, points, spend_fen: 0 });
    }

    /// Points that waited count from now on, and end as points of this day do (rule K21).
    fn approve(&mut self, scheme: &Scheme, slip: &str) {
        let (now, rest) = self.waiting.drain(..).partition(|waiting| slip.is_empty() || waiting.slip == slip);
        self.waiting = rest;
        let now: Vec<Waiting> = now;
        for waiting in now {
            self.gain(scheme, waiting.points, waiting.growth, &waiting.slip);
            let args = vec![("points", Arg::Number(waiting.points.max(waiting.growth)))];
            self.say("K21", "approved", args);
        }
    }

    /// Who asks the catalogue for something.
    pub(super) fn ask(&self, purchase_fen: i64) -> Ask {
        Ask { day: self.day, rank: self.standing.rank, balance: self.purse.balance(), purchase_fen }
    }

    /// Points for an item or cash. A plan that needs approval is taken as approved (rule K24): a history tells what was
    /// done, not what was wished.
    fn redeem(&mut self, scheme: &Scheme, event: &Event) {
        let rules = &scheme.redemption;
        let (what, result) = if event.code.is_empty() {
            (Arg::Word("cash"), redeem::cash(rules, event.points, self.ask(event.fen)))
        } else {
            let item = rules.item(&event.code);
            let name = item.map_or(Arg::Text(event.code.clone()), |item| Arg::Name(item.name.clone()));
            (name, redeem::item(rules, &event.code, self.ask(event.fen)))
        };
        match result {
            Ok(Redeemed { points, normal, pending, rule, .. }) => {
                self.purse.take(points);
                let key = if pending { "redeem-planned" } else { "redeemed" };
                let args =
                    vec![("what", what), ("points", Arg::Number(points)), ("normal", Arg::Number(normal))];
                self.say(rule, key, args);
            }
            Err(why) => {
                let args = vec![("what", what), ("why", Arg::Word(why_not_redeemed(&why)))];
                self.say(
                    if matches!(why, NotRedeemed::Closed { .. }) { "S5" } else { "K24" },
                    "not-redeemed",
                    args,
                );
            }
        }
    }

    /// An order was refused at the door (rule B3).
    fn refuse(&mut self, scheme: &Scheme) {
        let back = giveback::refusal(&scheme.returns, self.purse.balance());
        self.purse.take(back.taken);
        self.purse.owe(back.owed);
        self.say_points("B3", "refusal", -back.taken);
    }

    /// Points to another member; a history is written at the centre, so there is a line.
    fn give(&mut self, scheme: &Scheme, points: i64) {
        let wish = Wish {
            day: self.day,
            points,
            rank: self.standing.rank,
            balance: self.purse.balance(),
            is_online: true,
        };
        match transfer::may_give(&scheme.transfer, wish, &self.transfers) {
            Ok(()) => {
                self.purse.take(points);
                self.transfers.push((self.day, points));
                self.say_points("", "gave", -points);
            }
            Err(why) => {
                let word = match why {
                    NotTransferred::NotAllowed | NotTransferred::Offline => "not-allowed",
                    NotTransferred::Size { .. } => "size",
                    NotTransferred::Limit { .. } => "limit",
                };
                self.say("", "not-given", vec![("why", Arg::Word(word))]);
            }
        }
    }

    /// Points put right by hand; below zero they are owed as far as they are gone (rule K20: the line is the cause).
    fn adjust(&mut self, scheme: &Scheme, points: i64) {
        if points >= 0 {
            self.credit(scheme, points, "");
        } else {
            self.purse.owe(points.saturating_neg());
        }
        self.say("K20", "adjusted", vec![("points", Arg::Number(points))]);
    }
}

/// The word for a reason.
pub(super) fn why_not_redeemed(why: &NotRedeemed) -> &'static str {
    match why {
        NotRedeemed::Closed { .. } => "closed",
        NotRedeemed::NotOffered { .. } => "not-offered",
        NotRedeemed::Rank { .. } => "rank",
        NotRedeemed::Short { .. } | NotRedeemed::Overflow(_) => "short",
    }
}
