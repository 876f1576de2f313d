//! Redemption 兑付 by a plan (K24): planned, approved by another person where the club asks for it, carried out member
//! by member, ended.
//!
//! A member redeems once by a plan: it is one cause. Points go to the sink of the plan's office, a gift comes off its
//! shelf, cash is given as stored value; all of it or nothing. Out of scope: whom a plan names, which the shell looks up.

use hufu_shared::act::{RedeemedFor, RedemptionPlan, RedemptionRun, RedemptionStepped};
use hufu_shared::ids::{Hash, MemberId, OfficeId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Day;

use super::Work;
use super::ledger::Flow;
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::redemption::{self, State};
use crate::rules::world::{Decided, KnownPlan, RedeemedLine};

/// The rule that redemptions stand for.
const RULE_K24: &str = "K24";

impl Work {
    fn plan(&self, id: Hash) -> Option<&KnownPlan> {
        self.has(Need::Plan(id));
        self.world.plans.get(&id)
    }

    fn keep_plan(&mut self, known: KnownPlan) {
        self.world.plans.insert(known.terms.id, known.clone());
        self.outcome.plans.insert(known.terms.id, known);
    }

    /// A redemption is planned, or its plan changed.
    pub(super) fn redemption_planned(&mut self, plan: &RedemptionPlan) {
        let may = self.plan(plan.id).is_none_or(|known| known.state.may_change());
        if !may || redemption::check(plan).is_err() {
            return;
        }
        let waits = self.world.policy.plans_need_approval;
        let state = if waits { State::Planned } else { State::Approved };
        let (planned, planner) = (self.received, self.by_name());
        self.keep_plan(KnownPlan { terms: plan.clone(), state, planned, planner, decided: None });
    }

    /// A plan is approved, returned or ended.
    pub(super) fn redemption_stepped(&mut self, stepped: &RedemptionStepped) {
        let by = self.by_name();
        let Some(known) = self.plan(stepped.plan).cloned() else { return };
        if let Some(state) = known.state.after(stepped.step, self.is_own(&known.planner)) {
            let decided = Decided { at: self.received, by, reason: stepped.reason };
            self.keep_plan(KnownPlan { state, decided: Some(decided), ..known });
        }
    }

    /// A plan is carried out for these members, within its period.
    pub(super) fn redemption_run(&mut self, run: &RedemptionRun) {
        let Some(known) = self.plan(run.plan).filter(|known| known.state == State::Approved).cloned() else {
            return;
        };
        let plan = known.terms;
        let day = self.day(plan.office, self.received);
        if (plan.from..=plan.until).contains(&day) {
            run.members.iter().for_each(|member| self.redeem(&plan, *member, day));
        }
    }

    fn redeem(&mut self, plan: &RedemptionPlan, member: MemberId, day: Day) {
        let member = self.survivor(member);
        let hash = posting::redemption_cause(plan.id, member);
        let is_done = self.was_posted(hash);
        let has = self.has_points(member);
        let line = redemption::line(plan, has.available);
        let Some(line) = line.filter(|_| !is_done && has.takes_part && has.may_debit) else { return };
        if let RedeemedFor::Gift { item, .. } = plan.what
            && (self.stock(item, plan.office).is_none() || !self.take_one(item, plan.office, hash))
        {
            return;
        }
        let cause = self.cause_here(hash, member, plan.office, RULE_K24.to_owned());
        self.settle(&cause, &flows((plan.office, member), (line.points, line.fen)));
        let at = self.received;
        self.outcome.redeemed.push(RedeemedLine { plan: plan.id, member, cause: hash, line, at, day });
    }
}

/// What a member gives in points and gets as stored value in fen, at an office.
pub(super) fn flows((office, member): (OfficeId, MemberId), (points, fen): (i64, i64)) -> [Flow; 2] {
    let (own, code) = (Account::Available(member), PostingCode::Redemption);
    let leg = |unit, amount| Leg { unit, amount: Amount(amount) };
    [
        Flow { debit: own, credit: Account::Redeemed(office), leg: leg(Unit::Pts, points), code },
        Flow { debit: Account::Issuer(office), credit: own, leg: leg(Unit::Cny, fen), code },
    ]
}
