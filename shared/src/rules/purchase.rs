//! What a purchase earns in points by the terms of a version: what a terminal promises and what the ledger posts.
//!
//! In this order: what of the price counts by the basis (rules S6 and S7), what a promotion sheet makes of it (rules G3
//! to G5), whether points have begun for the member (rules K15, G1 and S4), then each rule that is for such a purchase
//! (gate, amount, fixed points, rounding, approval). The steps are those of [`super::bill`], [`super::promotion`],
//! [`super::start`] and [`super::earn`], which the what-if strings together over a whole history.
//!
//! The answer depends on the purchase, its day and office and the version alone, so it is the same whenever it is asked
//! and whatever else has arrived. Out of scope: what bounds it over several purchases (caps, slips, returns), growth,
//! and discounts, which the till has taken before it tells the price.

use super::earn::{self, Earning, RULE_S2};
use super::start::{self, Begun};
use super::{bill, promotion};
use crate::fact::Paid;
use crate::money::{Amount, AmountOverflow};
use crate::scheme::SchemeTerms;
use crate::scheme::earning::{EarnKind, EarnTerms, Sheet};
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
    /// Points that count at once.
    pub at_once: Amount,
    /// Points that wait until somebody approves them (rule K21).
    pub waiting: Amount,
    /// Numbers of the rules that gave, in the scheme's order, each once; of a plain rate its own, whatever it gave.
    pub rules: Vec<String>,
}

impl Earns {
    /// All of it.
    ///
    /// # Errors
    /// [`AmountOverflow`] beyond 64 bits.
    pub fn all(&self) -> Result<Amount, AmountOverflow> {
        self.at_once.plus(self.waiting)
    }

    /// The rules as facts and postings name them: `S2`, or `S2+G8` where several gave; none where none did.
    #[must_use]
    pub fn rule(&self) -> Option<String> {
        (!self.rules.is_empty()).then(|| self.rules.join("+"))
    }
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
            Ok(Earns { at_once, waiting: Amount::ZERO, rules: vec![RULE_S2.to_owned()] })
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
    for rule in terms.rules.iter().filter(|rule| rule.follows_from_sale() && rule.balance.has_points()) {
        // Such a rule looks not at the rank; its cap over several purchases is judged where all of them are known.
        let Some(gives) = earn::gives(rule, &what, &[])?.filter(|gives| gives.amount.is_positive()) else {
            continue;
        };
        let part = if gives.pending { &mut earns.waiting } else { &mut earns.at_once };
        *part = part.plus(gives.amount)?;
        if !earns.rules.contains(&rule.rule) {
            earns.rules.push(rule.rule.clone());
        }
    }
    Ok(earns)
}
