//! What an entry would do, for whoever is about to make it: the sums of the postings that it would give, the facts that
//! would stand otherwise, the cases that would come and go.
//!
//! It is read from the very [`Outcome`] that applying gives, and only summed here, so what a person is told before is what
//! would be posted. Two entries foreseen at the same place do not know of each other. Out of scope: the words.

use std::collections::BTreeMap;

use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::money::Unit;

use super::outcome::Outcome;
use super::posting::{Account, Posting};
use super::world::{CaseState, became_code};

/// On whose side an amount stands, as people tell sums apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// What a member can use.
    Member(MemberId),
    /// What a member owes.
    Owed(MemberId),
    /// What nobody is charged with: losses of terminals, of cards reported lost, of a recovery.
    Loss,
    /// What waits for a person: held, or in suspense.
    Waiting,
    /// Cash in a drawer.
    Cash,
}

/// One sum: how much more, or below zero how much less, stands at a party, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Whose.
    pub party: Party,
    /// Of what.
    pub unit: Unit,
    /// Code of the postings.
    pub code: &'static str,
    /// In the smallest part of the unit; never zero.
    pub amount: i64,
}

/// What an entry would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// What would be posted, by party, unit and code.
    pub sums: Vec<Sum>,
    /// How many facts would come to stand so, by code; those that stand so already are not counted.
    pub facts: BTreeMap<&'static str, u64>,
    /// Other cases that would be opened.
    pub opened: u64,
    /// Other cases that would end.
    pub ended: u64,
    /// Lines that the books of stock would get.
    pub goods: u64,
    /// Steps that members' levels would make.
    pub levels: u64,
}

impl Foreseen {
    /// What an outcome gives. `own` is the case that is decided, `before` how the facts stand that change.
    #[must_use]
    pub fn of(outcome: &Outcome, own: Hash, before: &BTreeMap<FactId, String>) -> Self {
        let mut facts = BTreeMap::new();
        for (id, known) in &outcome.fact_changes {
            let code = became_code(known.standing.became);
            if before.get(id).is_none_or(|was| was != code) {
                *facts.entry(code).or_insert(0) += 1;
            }
        }
        let others = outcome.cases.iter().filter(|(id, _)| **id != own);
        let (open, over): (Vec<_>, Vec<_>) = others
            .map(|(_, case)| case)
            .partition(|case| matches!(case.state, CaseState::Open | CaseState::EvidenceChanged));
        Self {
            sums: sums(&outcome.postings),
            facts,
            opened: open.iter().filter(|case| case.opened == case.changed).count() as u64,
            ended: over.len() as u64,
            goods: outcome.stock_lines.len() as u64,
            levels: outcome.level_steps.len() as u64,
        }
    }

    /// Whether nothing would change but the case itself.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// The party of an account; none for those that only mirror what others have.
fn party(account: Account) -> Option<Party> {
    match account {
        Account::Available(member) => Some(Party::Member(member)),
        Account::Owed(member) => Some(Party::Owed(member)),
        Account::RecoveryLoss(_) | Account::DeviceLoss(_) | Account::BlockedLoss(_) => Some(Party::Loss),
        Account::Held(_) | Account::Suspense(_) => Some(Party::Waiting),
        Account::Cash(..) => Some(Party::Cash),
        Account::Issuer(_)
        | Account::Escrow(_)
        | Account::Redeemed(_)
        | Account::Expired
        | Account::Erased
        | Account::Adjust(_) => None,
    }
}

/// Whether more stands at a party when its account is debited: debts, losses and cash.
fn grows_by_debit(party: Party) -> bool {
    matches!(party, Party::Owed(_) | Party::Loss | Party::Cash)
}

/// Postings summed; what comes out even is left out.
#[must_use]
pub fn sums(postings: &[Posting]) -> Vec<Sum> {
    let mut found: BTreeMap<(Party, Unit, &'static str), i64> = BTreeMap::new();
    for posting in postings {
        for (account, is_debit) in [(posting.debit, true), (posting.credit, false)] {
            let Some(party) = party(account) else { continue };
            let amount = posting.leg.amount.0;
            let amount = if is_debit == grows_by_debit(party) { amount } else { -amount };
            *found.entry((party, posting.leg.unit, posting.code.code())).or_insert(0) += amount;
        }
    }
    let sum = |((party, unit, code), amount)| Sum { party, unit, code, amount };
    found.into_iter().map(sum).filter(|sum| sum.amount != 0).collect()
}

#[cfg(test)]
mod tests {
    use hufu_shared::ids::OfficeId;
    use hufu_shared::money::{Amount, Leg};
    use hufu_shared::time::{Day, Instant};

    use super::*;
    use crate::rules::posting::PostingCode;

    const WHO: MemberId = MemberId([1; 16]);
    const OFFICE: OfficeId = OfficeId([2; 16]);

    fn posting(debit: Account, credit: Account, amount: i64, code: PostingCode) -> Posting {
        Posting {
            id: Hash([0; 32]),
            cause: Hash([0; 32]),
            ordinal: 0,
            debit,
            credit,
            leg: Leg { unit: Unit::Pts, amount: Amount(amount) },
            code,
            member: Some(WHO),
            fact: None,
            case: None,
            at: Instant(0),
            day: Day(0),
            scheme: 1,
            rule: None,
        }
    }

    fn told(postings: &[Posting]) -> Vec<(Party, &'static str, i64)> {
        sums(postings).into_iter().map(|sum| (sum.party, sum.code, sum.amount)).collect()
    }

    #[test]
    fn sums_are_told_from_the_side_of_whom_they_concern() {
        let (own, owed, issuer) = (Account::Available(WHO), Account::Owed(WHO), Account::Issuer(OFFICE));
        let back = PostingCode::Reversal;
        assert!(told(&[]).is_empty());
        // 20 points go back: 12 that are there, 8 that are owed now.
        let taken = [posting(own, issuer, 12, back), posting(owed, issuer, 8, back)];
        assert_eq!(told(&taken), [(Party::Member(WHO), "reversal", -12), (Party::Owed(WHO), "reversal", 8)]);
        // What another office gives is even for the member.
        let moved = [posting(own, issuer, 20, PostingCode::IssuerMoved)];
        let given = [posting(issuer, own, 20, PostingCode::IssuerMoved)];
        assert!(told(&[moved, given].concat()).is_empty());
        // Codes are not mixed.
        let mixed = [posting(issuer, own, 5, PostingCode::EarnPurchase), posting(own, issuer, 5, back)];
        assert_eq!(
            told(&mixed),
            [(Party::Member(WHO), "earn_purchase", 5), (Party::Member(WHO), "reversal", -5)]
        );
        // A loss grows as it is debited, and what is held as it is credited.
        let loss = posting(Account::BlockedLoss(OFFICE), Account::Redeemed(OFFICE), 7, PostingCode::Spend);
        assert_eq!(told(&[loss]), [(Party::Loss, "spend", 7)]);
        let held = posting(issuer, Account::Held(Hash([3; 32])), 7, PostingCode::EarnPurchase);
        assert_eq!(told(&[held]), [(Party::Waiting, "earn_purchase", 7)]);
    }

    #[test]
    fn an_outcome_of_the_case_alone_is_nothing() {
        let own = Hash([9; 32]);
        assert!(Foreseen::of(&Outcome::default(), own, &BTreeMap::new()).is_nothing());
        let outcome = Outcome {
            postings: vec![posting(
                Account::Issuer(OFFICE),
                Account::Available(WHO),
                1,
                PostingCode::EarnActivity,
            )],
            ..Outcome::default()
        };
        assert!(!Foreseen::of(&outcome, own, &BTreeMap::new()).is_nothing());
    }
}
