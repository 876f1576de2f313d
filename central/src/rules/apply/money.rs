//! Stored value paid in, and value moved at the centre itself.
//!
//! What is paid in at a terminal may be spent elsewhere once the shift's cash count agrees or a supervisor lets it pass,
//! and at once as long as the terminal's top-ups of the day stay below a small sum. Until then it is held. Cash is
//! booked per office and method of payment, whether held or not: the drawer has it.

use std::collections::BTreeSet;

use hufu_shared::act::{ValueEnd, ValueMoved};
use hufu_shared::fact::{DayClosed, Event, Fact};
use hufu_shared::ids::{DeviceId, FactId, Hash, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{Day, Instant};
use hufu_shared::wire::upload::Became;

use super::Work;
use super::earn::{KIND_OVER_LIMIT, is_judged};
use super::fault::{KIND_CLOCK, plain};
use super::held::is_discarded;
use super::ledger::{Cause, Flow};
use super::matter::Matter;
use super::reversal::desk_legs;
use super::time::counted;
use crate::rules::judge::issue::{self, CashCount, TopUp};
use crate::rules::judge::reversal::{self, Original};
use crate::rules::links;
use crate::rules::posting::{self, Account, MethodCode, PostingCode};
use crate::rules::world::{KnownFact, Standing};

impl Work {
    /// Marks the top-ups of a terminal's business day: which of them may be spent is one question.
    pub(super) fn touch_top_ups(&mut self, id: FactId, day: Day) {
        self.link(links::paid_in(id.device, day), id);
        self.dirty.insert(Matter::TopUps(id.device, day));
    }

    /// A terminal's shift ended. Unless nobody was there, its cash was counted: the top-ups of the range are confirmed if
    /// the count agrees.
    pub(super) fn cash_counted(&mut self, id: FactId, closed: &DayClosed) {
        self.link(links::closings(id.device), id);
        // What arrives in its place comes before all that was undone after it.
        if !self.fresh.contains_key(&id) {
            self.shift_ended(id);
        }
        if closed.unattended {
            return;
        }
        let range = closed.from_seq..=closed.to_seq;
        let days: BTreeSet<Day> = self
            .world
            .facts
            .iter()
            .filter(|(paid, _)| {
                (paid.device, paid.epoch) == (id.device, id.epoch) && range.contains(&paid.seq)
            })
            .filter(|(_, known)| matches!(known.fact, Some(Fact { event: Event::ToppedUp(_), .. })))
            .map(|(_, known)| known.day)
            .collect();
        self.dirty.extend(days.into_iter().map(|day| Matter::TopUps(id.device, day)));
    }

    /// Judges all top-ups of one terminal and business day.
    pub(super) fn judge_top_ups(&mut self, device: DeviceId, day: Day) {
        let facts: Vec<(FactId, KnownFact)> = self
            .linked(links::paid_in(device, day))
            .into_iter()
            .filter_map(|id| Some((id, self.fact(id)?.clone())))
            .filter(|(_, known)| is_judged(known) && known.day == day)
            .collect();
        let counts = self.cash_counts(device);
        let mut top_ups = Vec::new();
        for (id, known) in facts.iter().filter(|(_, known)| !is_held_back(known)) {
            let Some(Fact { event: Event::ToppedUp(topped), .. }) = &known.fact else { continue };
            let seq = (id.epoch, id.seq);
            let is_confirmed = known.pin == Some(true) || issue::is_counted(seq, &counts);
            top_ups.push(TopUp { seq, amount: topped.amount, is_confirmed });
        }
        let free = issue::spendable(self.world.policy.top_up_at_once, &top_ups);
        for (id, known) in facts {
            let stood = self.is_fixed(id, &known) && counted(&known);
            let is_free = stood || (!is_held_back(&known) && free.contains(&(id.epoch, id.seq)));
            self.judge_top_up(id, &known, is_free);
        }
    }

    fn judge_top_up(&mut self, id: FactId, known: &KnownFact, is_free: bool) {
        let Some(fact) = &known.fact else { return };
        let Event::ToppedUp(topped) = &fact.event else { return };
        if is_discarded(known) {
            return;
        }
        let Some(member) = self.owner(known, &topped.subject) else {
            self.hold_for_card(id, topped.subject.token);
            return;
        };
        let cause = self.fact_cause(id, known, fact);
        let case = posting::case_id(KIND_OVER_LIMIT, &[&cause.hash.0]);
        let standing = match (known.pin, is_held_back(known), is_free) {
            (Some(false), ..) => Standing { became: Became::NoEffect, kind: None, case: None },
            (_, true, _) => Standing::of(Became::Held, KIND_OVER_LIMIT, Some(case)),
            (_, _, true) => plain(id, known),
            // It waits for the cash count, which is no disagreement.
            _ => Standing { became: Became::Held, kind: None, case: None },
        };
        self.stand(id, standing, Some(member));
        let whole = Leg { unit: Unit::Cny, amount: topped.amount };
        let (says, at_desk) = (vec![whole], desk_legs(known));
        let handed_back = at_desk.iter().map(|leg| leg.amount.0).sum::<i64>().clamp(0, whole.amount.0);
        let original = Original { is_reversal: false, gave: says.clone(), says, at_desk };
        let returned = reversal::returned(&original, &self.reversals_of(id), Unit::Cny).of(whole.amount);
        // What the desk handed back is a movement of its own, out of another drawer.
        let by_terminals = returned.0 - handed_back;
        let kept =
            if known.pin == Some(false) { Amount::ZERO } else { Amount(whole.amount.0 - by_terminals) };
        let flow = Flow {
            debit: Account::Cash(known.office, MethodCode::new(&topped.method)),
            credit: if is_free { Account::Available(member) } else { Account::Held(cause.hash) },
            leg: Leg { unit: Unit::Cny, amount: kept },
            code: PostingCode::TopUp,
        };
        self.settle(&Cause { member: Some(member), ..cause }, &[flow]);
    }

    /// The cash counts of a terminal, and whether each agrees with what the centre took in.
    fn cash_counts(&self, device: DeviceId) -> Vec<CashCount> {
        let closings = self.linked(links::closings(device)).into_iter();
        let known = closings.filter_map(|id| Some((id, self.fact(id)?)));
        let counts = known.filter_map(|(id, known)| match &known.fact {
            Some(Fact { event: Event::DayClosed(closed), .. }) if !closed.unattended => Some(CashCount {
                epoch: id.epoch,
                from_seq: closed.from_seq,
                to_seq: closed.to_seq,
                // A wrong clock says nothing against the cash.
                agrees: known.standing.kind.is_none_or(|kind| kind == KIND_CLOCK) || known.pin == Some(true),
            }),
            _ => None,
        });
        counts.collect()
    }

    /// Value moved at the centre. The same asked twice moves once: it has one cause. Of a sale that comes back, the
    /// judgement of the sale says who gets how much.
    pub(super) fn value_moved(&mut self, moved: &ValueMoved) {
        if let Some(original) = moved.of {
            let is_first = self.taken_back_at_desk(original, moved);
            let is_sale = self
                .fact(original)
                .is_some_and(|known| matches!(known.fact, Some(Fact { event: Event::Spent(_), .. })));
            if is_sale || !is_first {
                return;
            }
        }
        // What takes nothing back is a spend, and nothing of what is frozen is spent.
        let is_spend = moved.of.is_none() && moved.leg.unit == Unit::Cny;
        if is_spend && member_of(moved.from).is_some_and(|member| self.is_value_frozen(member)) {
            return;
        }
        let (debit, credit) = (end_account(moved.from), end_account(moved.to));
        let day = self.day(moved.office, self.received);
        let member = member_of(moved.from).or(member_of(moved.to));
        let cause = moved_cause(moved.id, member, (self.received, day));
        self.settle(&cause, &[Flow { debit, credit, leg: moved.leg, code: PostingCode::Move }]);
    }
}

/// The cause of what was moved at the centre.
pub(super) fn moved_cause(id: Hash, member: Option<MemberId>, when: (Instant, Day)) -> Cause {
    Cause::of_the_centre(posting::move_cause(id), member, when)
}

/// Whether a fact is beyond a limit of issuing and nobody has let it pass.
fn is_held_back(known: &KnownFact) -> bool {
    known.over_limit && known.pin != Some(true)
}

fn end_account(end: ValueEnd) -> Account {
    match end {
        ValueEnd::Member(member) => Account::Available(member),
        ValueEnd::Redeemed(office) => Account::Redeemed(office),
        ValueEnd::Issuer(office) => Account::Issuer(office),
        ValueEnd::Cash(office) => Account::Cash(office, MethodCode::new("desk")),
        ValueEnd::Adjust(admin) => Account::Adjust(admin),
    }
}

fn member_of(end: ValueEnd) -> Option<MemberId> {
    if let ValueEnd::Member(member) = end { Some(member) } else { None }
}
