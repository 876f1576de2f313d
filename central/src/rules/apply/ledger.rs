//! From what a cause should come to, to postings.
//!
//! A judgement names the flows that its cause should come to; what the cause came to so far is known; the difference is
//! posted. A member is one account in this: a debit takes what is available and the rest is owed, a credit pays first
//! what a rollback cost (if it comes from a lease of that time), then what is owed. So `available` and `owed` are
//! never both above zero, and how a sum divides between them follows from the member's balance alone.

use std::collections::BTreeMap;

use hufu_shared::ids::{FactId, Hash, LeaseId, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{Day, Instant};

use super::Work;
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, Posting, PostingCode};
use crate::rules::world::{Flows, Purse};

/// Number of the conflict kind "reversal of used earn": what is owed.
const KIND_OWED: u8 = 24;

/// One flow that a cause should come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow {
    /// Taken from.
    pub debit: Account,
    /// Given to.
    pub credit: Account,
    /// How much; nothing is posted for zero.
    pub leg: Leg,
    /// Why.
    pub code: PostingCode,
}

/// What postings say of their cause.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    /// Its name.
    pub hash: Hash,
    /// The member concerned.
    pub member: Option<MemberId>,
    /// The fact that it rests on.
    pub fact: Option<FactId>,
    /// The case that it rests on.
    pub case: Option<Hash>,
    /// When.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
    /// Scheme version.
    pub scheme: u32,
    /// Number of the rule.
    pub rule: Option<String>,
    /// Returns pay first what a rollback of the centre cost the member.
    pub repays_recovery: bool,
}

impl Cause {
    /// What no fact and no case stands for: the centre's own doing, at a time of its own.
    pub(super) fn of_the_centre(hash: Hash, member: Option<MemberId>, (at, day): (Instant, Day)) -> Self {
        Self { hash, member, fact: None, case: None, at, day, scheme: 0, rule: None, repays_recovery: false }
    }
}

/// Parts of one amount on several accounts, all above zero.
type Parts = Vec<(Account, i64)>;

impl Work {
    /// Posts what is missing between what a cause came to and what it should come to.
    pub(super) fn settle(&mut self, cause: &Cause, target: &[Flow]) {
        self.settle_units(cause, target, &Unit::ALL);
    }

    /// As [`Work::settle`], of these units alone, which the target is of: what the cause came to in others stands.
    pub(super) fn settle_units(&mut self, cause: &Cause, target: &[Flow], units: &[Unit]) {
        self.has(Need::Flows(cause.hash));
        let flows = self.world.flows.get(&cause.hash).cloned().unwrap_or_default();
        let on = |flow: &Flow| Flow {
            debit: self.goes_on(flow.debit),
            credit: self.goes_on(flow.credit),
            ..*flow
        };
        let target: Vec<Flow> = target.iter().map(on).collect();
        if flows.postings == 0 {
            for flow in target.iter().filter(|flow| flow.leg.amount.is_positive()) {
                self.post(cause, (flow.debit, flow.credit), flow.leg, flow.code);
            }
            return;
        }
        let mut missing: BTreeMap<(Unit, Account), i64> = BTreeMap::new();
        for flow in &target {
            *missing.entry((flow.leg.unit, flow.debit.of_cause())).or_default() -= flow.leg.amount.0;
            *missing.entry((flow.leg.unit, flow.credit.of_cause())).or_default() += flow.leg.amount.0;
        }
        // What a member once had is read as theirs who goes on in that place.
        for ((account, unit), amount) in &flows.net {
            *missing.entry((*unit, self.goes_on(*account))).or_default() -= amount;
        }
        for unit in units.iter().copied() {
            let of_unit = || missing.iter().filter(move |row| row.0.0 == unit).map(|row| (row.0.1, *row.1));
            let takers: Parts = of_unit().filter(|row| row.1 < 0).map(|row| (row.0, -row.1)).collect();
            let givers: Parts = of_unit().filter(|row| row.1 > 0).collect();
            for (debit, credit, amount) in pairs(takers, givers) {
                let code = correction_code(debit, credit, &target);
                self.post(cause, (debit, credit), Leg { unit, amount: Amount(amount) }, code);
            }
        }
    }

    /// Posts one flow more of a cause that goes on step by step, as a lease does.
    pub(super) fn add(&mut self, cause: &Cause, flow: Flow) {
        self.has(Need::Flows(cause.hash));
        if flow.leg.amount.is_positive() {
            self.post(cause, (flow.debit, flow.credit), flow.leg, flow.code);
        }
    }

    /// Whether anything was posted for a cause.
    pub(super) fn was_posted(&self, cause: Hash) -> bool {
        self.has(Need::Flows(cause));
        self.world.flows.get(&cause).is_some_and(|flows| flows.postings > 0)
    }

    /// Posts what one member hands over to another through an account of the cause's own name, so that each of the two
    /// has a line of their own, and puts it on record of both.
    pub(super) fn hand_over(
        &mut self,
        cause: &Cause,
        (from, to): (MemberId, MemberId),
        (leg, code): (Leg, PostingCode),
        (what, reason): (&str, Hash),
    ) {
        let between = Account::Held(cause.hash);
        let sides = [(from, Account::Available(from), between), (to, between, Account::Available(to))];
        let names = (Some(from.to_string()), Some(to.to_string()));
        for (member, debit, credit) in sides {
            let cause = Cause { member: Some(member), ..cause.clone() };
            self.add(&cause, Flow { debit, credit, leg, code });
            self.edited_from(member, what, Some(reason), names.clone());
        }
    }

    /// Posts one flow, divided over the accounts that a member has.
    fn post(&mut self, cause: &Cause, (debit, credit): (Account, Account), leg: Leg, code: PostingCode) {
        let amount = leg.amount.0;
        let debits = self.debit_parts(debit, leg.unit, amount);
        let credits = self.credit_parts(credit, leg.unit, amount, cause.repays_recovery);
        for (debit, credit, amount) in pairs(debits, credits).into_iter().filter(|pair| pair.0 != pair.1) {
            let flows = self.world.flows.entry(cause.hash).or_default();
            let ordinal = flows.postings;
            flows.postings += 1;
            move_net(flows, (debit.of_cause(), credit.of_cause()), leg.unit, amount);
            self.outcome.postings.push(Posting {
                id: posting::posting_id(cause.hash, ordinal),
                cause: cause.hash,
                ordinal,
                debit,
                credit,
                leg: Leg { unit: leg.unit, amount: Amount(amount) },
                code,
                member: cause.member,
                fact: cause.fact,
                case: cause.case,
                at: cause.at,
                day: cause.day,
                scheme: cause.scheme,
                rule: cause.rule.clone(),
            });
        }
    }

    /// What a member has in a unit.
    pub(super) fn purse(&self, member: MemberId, unit: Unit) -> Purse {
        self.has(Need::Purse(member));
        self.world.purses.get(&(member, unit)).copied().unwrap_or_default()
    }

    fn debit_parts(&mut self, account: Account, unit: Unit, amount: i64) -> Parts {
        let Account::Available(member) = account else {
            self.move_escrow(account, unit, -amount);
            return vec![(account, amount)];
        };
        let mut purse = self.purse(member, unit);
        let from_available = amount.min(purse.available.max(0));
        let rest = amount - from_available;
        purse.available -= from_available;
        purse.owed += rest;
        self.set_purse(member, unit, purse);
        parts([(account, from_available), (Account::Owed(member), rest)])
    }

    fn credit_parts(&mut self, account: Account, unit: Unit, amount: i64, repays_recovery: bool) -> Parts {
        let Account::Available(member) = account else {
            self.move_escrow(account, unit, amount);
            return vec![(account, amount)];
        };
        let mut purse = self.purse(member, unit);
        let recovery = if repays_recovery { amount.min(purse.recovery_loss) } else { 0 };
        let owed = (amount - recovery).min(purse.owed);
        let rest = amount - recovery - owed;
        purse.recovery_loss -= recovery;
        purse.owed -= owed;
        purse.available += rest;
        self.set_purse(member, unit, purse);
        parts([(Account::RecoveryLoss(member), recovery), (Account::Owed(member), owed), (account, rest)])
    }

    /// Keeps what is set aside for a member in step, for what is judged later in the same entry.
    fn move_escrow(&mut self, account: Account, unit: Unit, amount: i64) {
        if let Account::Escrow(lease) = account
            && let Some(member) = self.lease_holder(lease)
        {
            let mut purse = self.purse(member, unit);
            purse.escrow += amount;
            self.world.purses.insert((member, unit), purse);
        }
    }

    fn lease_holder(&self, lease: LeaseId) -> Option<MemberId> {
        let mut generations = self.world.leases.range((lease, 0)..=(lease, u32::MAX));
        generations.next().map(|(_, row)| row.member)
    }

    /// Writes a member's balance, and opens or ends the case about what is owed.
    fn set_purse(&mut self, member: MemberId, unit: Unit, purse: Purse) {
        let before = self.world.purses.insert((member, unit), purse).unwrap_or_default();
        if (before.owed > 0) == (purse.owed > 0) {
            return;
        }
        let case = posting::case_id(KIND_OWED, &[&member.0, unit.code().as_bytes()]);
        if purse.owed > 0 {
            let mut fresh = self.fresh_case(KIND_OWED, "owed");
            fresh.member = Some(member);
            fresh.detail = unit.code().as_bytes().to_vec();
            self.case(case, fresh, []);
        } else {
            self.end_case(case, "paid");
        }
    }
}

fn parts<const N: usize>(all: [(Account, i64); N]) -> Parts {
    all.into_iter().filter(|part| part.1 > 0).collect()
}

fn move_net(flows: &mut Flows, (debit, credit): (Account, Account), unit: Unit, amount: i64) {
    for (account, signed) in [(debit, -amount), (credit, amount)] {
        let net = flows.net.entry((account, unit)).or_default();
        *net += signed;
        if *net == 0 {
            flows.net.remove(&(account, unit));
        }
    }
}

/// Matches debits with credits of the same sum, in their order.
fn pairs(debits: Parts, credits: Parts) -> Vec<(Account, Account, i64)> {
    let (mut debits, mut credits) = (debits.into_iter(), credits.into_iter());
    let (mut debit, mut credit) = (debits.next(), credits.next());
    let mut pairs = Vec::new();
    while let (Some(from), Some(to)) = (debit, credit) {
        let amount = from.1.min(to.1);
        pairs.push((from.0, to.0, amount));
        debit = if from.1 > amount { Some((from.0, from.1 - amount)) } else { debits.next() };
        credit = if to.1 > amount { Some((to.0, to.1 - amount)) } else { credits.next() };
    }
    pairs
}

/// Why a difference is posted: as the flow that it completes, or as a correction.
fn correction_code(debit: Account, credit: Account, target: &[Flow]) -> PostingCode {
    let same = |flow: &&Flow| flow.debit.of_cause() == debit && flow.credit.of_cause() == credit;
    match (debit, credit) {
        (Account::Issuer(_), Account::Issuer(_)) => PostingCode::IssuerMoved,
        _ => target.iter().find(same).map_or(PostingCode::Reversal, |flow| flow.code),
    }
}
