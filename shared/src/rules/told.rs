//! What an event earns that is no purchase and that somebody tells the centre of: a task, care, a complaint, part in an
//! activity, a reward (rules B3, G8, K20 and K21).
//!
//! Every rule that fits gives, each by [`super::earn::gives`]: gate, code, rank, once, amount and cap. What a rule gave
//! before is counted by its number and its code, so it outlasts a new version of the rule; what waits for approval counts
//! as given, what was returned or taken back does not. The what-if strings the same functions together over a history
//! ([`super::whatif`]).
//!
//! An order that was refused at the door is told of as well (rule B3): it costs what the scheme's returns say ([`refused`]).
//!
//! Events count in the order in which they are told: one that is told late finds what was given for later days, and what
//! those were given stays as it is. Out of scope: who may tell, and where what is given is kept.

use super::earn::{self, Earning, Given};
use super::giveback;
use super::start::{self, Begun};
use crate::money::{Amount, AmountOverflow};
use crate::scheme::earning::{Balance, EarnRule, ToldTerms};
use crate::scheme::redemption::Returns;

/// Number of the rule by which an order costs that was refused at the door.
pub const RULE_REFUSED: &str = "B3";

/// What a rule gave a member before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// Number of the rule.
    pub rule: String,
    /// The code that the rule is for; empty if it is for all, or for those without one.
    pub of: String,
    /// How much on which business day.
    pub given: Given,
}

/// What one rule gives for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Number of the rule.
    pub rule: String,
    /// The code that the rule is for; empty as in [`Before::of`].
    pub of: String,
    /// How much: above zero, but for what a refused order costs.
    pub amount: Amount,
    /// To which balance.
    pub balance: Balance,
    /// Whether somebody must approve it first (rule K21).
    pub pending: bool,
}

/// Reckons what an event gives, in the scheme's order of rules; nothing while points have not begun for the member.
/// `before` is what rules gave this member for what was told earlier.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn gives(
    terms: &ToldTerms,
    what: &Earning<'_>,
    begun: Begun,
    before: &[Before],
) -> Result<Vec<Part>, AmountOverflow> {
    if !start::has_begun(terms.start, begun, what.day) {
        return Ok(Vec::new());
    }
    let mut parts: Vec<Part> = Vec::new();
    for rule in &terms.rules {
        let of = code(rule);
        let is_own = |number: &str, code: &str| number == rule.rule && code == of;
        let earlier =
            before.iter().filter(|before| is_own(&before.rule, &before.of)).map(|before| before.given);
        // Two rules of one number and code share their bounds, within one event as well.
        let beside = parts.iter().filter(|part| is_own(&part.rule, &part.of));
        let beside = beside.map(|part| Given { day: what.day, amount: part.amount });
        let all: Vec<Given> = earlier.chain(beside).collect();
        let Some(gives) = earn::gives(rule, what, &all)?.filter(|gives| gives.amount.is_positive()) else {
            continue;
        };
        let (rule, of) = (rule.rule.clone(), of.to_owned());
        parts.push(Part { rule, of, amount: gives.amount, balance: gives.balance, pending: gives.pending });
    }
    Ok(parts)
}

/// What an order costs that was refused at the door, of a member who has so many points (rule B3); none where the club
/// takes nothing for it. What is missing is owed, so it is the same whatever the member has.
#[must_use]
pub fn refused(returns: &Returns, has: i64) -> Option<Part> {
    let back = giveback::refusal(returns, has);
    let amount = Amount(back.taken.saturating_add(back.owed).saturating_neg());
    let costs = Part {
        rule: RULE_REFUSED.to_owned(),
        of: String::new(),
        amount,
        balance: Balance::Points,
        pending: false,
    };
    Some(costs).filter(|part| part.amount < Amount::ZERO)
}

/// The code that a rule is for; empty if it is for all.
fn code(rule: &EarnRule) -> &str {
    rule.of.as_deref().unwrap_or_default()
}
