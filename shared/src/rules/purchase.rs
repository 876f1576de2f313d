//! What a purchase earns in points and growth by the terms of a version: what a terminal promises, what the ledger posts.
//!
//! In this order: what of the price counts by the basis (rules S6 and S7), what a promotion sheet makes of it (rules G3
//! to G5), whether points have begun for the member (rules K15, G1 and S4), then each rule that is for such a purchase
//! (gate, amount, fixed points, rounding, approval). The steps are those of [`super::bill`], [`super::promotion`],
//! [`super::start`] and [`super::earn`], which the what-if strings together over a whole history.
//!
//! The answer depends on the purchase, its day and office and the version alone, so it is the same whenever it is asked
//! and whatever else has arrived. What bounds it over several purchases (caps, "once", slips, returns) is judged where all
//! of them are known: each part names what bounds it. Out of scope: discounts, which the till has taken before it tells
//! the price.

use super::earn::{self, Earning, RULE_S2};
use super::start::{self, Begun};
use super::{bill, promotion};
use crate::fact::Paid;
use crate::money::{Amount, AmountOverflow, Leg, Unit};
use crate::scheme::SchemeTerms;
use crate::scheme::earning::{Balance, EarnKind, EarnRule, EarnTerms, Once, RuleCap, Sheet};
use crate::time::Day;

/// A purchase, as far as what it earns goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought<'a> {
    /// What was paid in money, in fen.
    pub money: Amount,
    /// What the slip says beside it; none for a plain purchase.
    pub paid: Option<&'a Paid>,
    /// Code of the shop, as sheets name it.
    pub office: &'a str,
    /// Its business day there.
    pub day: Day,
    /// What the start of the member's points depends on, as of that day.
    pub begun: Begun,
}

/// What a purchase earns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earns {
    /// Points that count at once and follow from the purchase alone: what a terminal promises. A rule that gives only once
    /// is promised by nobody who does not know what it gave before.
    pub at_once: Amount,
    /// Points that wait until somebody approves them (rule K21), as a terminal tells them.
    pub waiting: Amount,
    /// Growth that counts at once and follows from the purchase alone. It is recorded beside the points, never shown as
    /// some.
    pub growth: Amount,
    /// Numbers of the rules that gave points of these, in the scheme's order, each once; of a plain rate its own, whatever
    /// it gave.
    pub rules: Vec<String>,
    /// All that rules give, in the scheme's order, before what bounds it over several purchases: what the ledger posts by.
    pub parts: Vec<Part>,
}

/// What one rule gives for a purchase, above zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Number of the rule, and the goods that it is for; none for all. Bounds count by both, so they outlast a new version.
    pub rule: (String, Option<String>),
    /// How much, to each balance that it is for.
    pub amount: Amount,
    /// To which.
    pub balance: Balance,
    /// Whether it waits until somebody approves it.
    pub waits: bool,
    /// The most that the rule gives one member in a period.
    pub cap: Option<RuleCap>,
    /// Whether the rule gives only once.
    pub once: Once,
}

impl Part {
    fn new(rule: &EarnRule, gives: earn::Gives) -> Self {
        Self {
            rule: (rule.rule.clone(), rule.of.clone()),
            amount: gives.amount,
            balance: gives.balance,
            waits: gives.pending,
            cap: rule.cap,
            once: rule.once,
        }
    }

    fn of_rate(amount: Amount) -> Self {
        let rule = (RULE_S2.to_owned(), None);
        Self { rule, amount, balance: Balance::Points, waits: false, cap: None, once: Once::No }
    }
}

impl Earns {
    /// All points that a terminal tells.
    ///
    /// # Errors
    /// [`AmountOverflow`] beyond 64 bits.
    pub fn all(&self) -> Result<Amount, AmountOverflow> {
        self.at_once.plus(self.waiting)
    }

    /// All that rules give of a unit, whatever bounds it.
    ///
    /// # Errors
    /// [`AmountOverflow`] beyond 64 bits.
    pub fn of(&self, unit: Unit) -> Result<Amount, AmountOverflow> {
        let mut parts = self.parts.iter().filter(|part| part.balance.has(unit));
        parts.try_fold(Amount::ZERO, |sum, part| sum.plus(part.amount))
    }

    /// What a fact of the purchase records as promised: points and growth, none of zero.
    #[must_use]
    pub fn promised(&self) -> Vec<Leg> {
        let legs = [(Unit::Pts, self.at_once), (Unit::Growth, self.growth)];
        legs.into_iter()
            .filter(|(_, amount)| amount.is_positive())
            .map(|(unit, amount)| Leg { unit, amount })
            .collect()
    }

    /// The rules as facts name them: `S2`, or `S2+G8` where several gave; none where none did.
    #[must_use]
    pub fn rule(&self) -> Option<String> {
        joined(self.rules.iter().map(String::as_str))
    }

    /// The rules as postings of a unit name them, those that give only once among them; none where none gave.
    #[must_use]
    pub fn rule_of(&self, unit: Unit) -> Option<String> {
        let parts = self.parts.iter().filter(|part| part.balance.has(unit));
        joined(parts.map(|part| part.rule.0.as_str()))
    }
}

/// Numbers of rules, each once, in their order.
fn joined<'r>(rules: impl Iterator<Item = &'r str>) -> Option<String> {
    let mut once: Vec<&str> = Vec::new();
    for rule in rules {
        if !once.contains(&rule) {
            once.push(rule);
        }
    }
    (!once.is_empty()).then(|| once.join("+"))
}

/// Reckons what a purchase earns; nothing in a club whose purchases earn nothing.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn earns(terms: &SchemeTerms, bought: &Bought<'_>) -> Result<Earns, AmountOverflow> {
    match (&terms.earning, terms.earn) {
        (Some(terms), _) => by_rules(terms, bought),
        (None, Some(rate)) => {
            let at_once = earn::points_for_purchase(rate, bought.money)?;
            let parts = at_once.is_positive().then(|| Part::of_rate(at_once)).into_iter().collect();
            Ok(Earns { at_once, rules: vec![RULE_S2.to_owned()], parts, ..Earns::default() })
        }
        (None, None) => Ok(Earns::default()),
    }
}

/// The sheet that holds for a purchase on a day, if its version has any.
#[must_use]
pub fn sheet<'t>(terms: &'t SchemeTerms, office: &str, day: Day) -> Option<&'t Sheet> {
    terms.earning.as_ref().and_then(|terms| promotion::pick(&terms.sheets, office, day))
}

fn by_rules(terms: &EarnTerms, bought: &Bought<'_>) -> Result<Earns, AmountOverflow> {
    let mut earns = Earns::default();
    if !start::has_begun(terms.start, bought.begun, bought.day) {
        return Ok(earns);
    }
    let plain = Paid::default();
    let paid = bought.paid.unwrap_or(&plain);
    let counts = bill::earns_on(&terms.basis, bought.money, (paid.coupon, paid.by_points))?;
    let price = bought.money.plus(paid.coupon)?.plus(paid.by_points)?;
    let (_, basis) = promotion::counts_by(&terms.sheets, (bought.office, bought.day), counts, price)?;
    let what = Earning {
        event: EarnKind::Purchase,
        of: &paid.goods,
        basis,
        paid_percent: paid.received_percent,
        day: bought.day,
        rank: 0,
    };
    // A rule for some ranks is a person's work; versions that terminals hold from elsewhere may name one.
    for rule in terms.rules.iter().filter(|rule| rule.for_every_rank()) {
        // What it gave before is asked where all purchases are known.
        let Some(gives) = earn::gives(rule, &what, &[])?.filter(|gives| gives.amount.is_positive()) else {
            continue;
        };
        if rule.follows_from_sale() {
            earns.tell(rule, gives)?;
        }
        earns.parts.push(Part::new(rule, gives));
    }
    Ok(earns)
}

impl Earns {
    /// Adds what a terminal can tell of a rule.
    fn tell(&mut self, rule: &EarnRule, gives: earn::Gives) -> Result<(), AmountOverflow> {
        if gives.balance.has_growth() && !gives.pending {
            self.growth = self.growth.plus(gives.amount)?;
        }
        if gives.balance.has_points() {
            let part = if gives.pending { &mut self.waiting } else { &mut self.at_once };
            *part = part.plus(gives.amount)?;
            if !self.rules.contains(&rule.rule) {
                self.rules.push(rule.rule.clone());
            }
        }
        Ok(())
    }
}
