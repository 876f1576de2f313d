//! Spends: what of a lease they use up, once, and who bears them, as often as that changes.
//!
//! When a spend is taken in, each leg is judged against the row of its generation and moves it
//! ([`crate::rules::lease::spend`]). What a leg came to stands in the postings of the fact: escrow or the club paid, it
//! waits in suspense, or nothing was posted yet. Who bears a settled leg in the end follows from the set of facts and
//! pins: a repeat (kind 2), a block (kinds 9 and 10) and a verdict give the amount back to the member by a linked entry,
//! and a return of the goods gives it back to whoever bears it. A verdict on a suspended leg explains it to the row, once.
//!
//! Invariants: a leg moves its row once; nothing here debits what a member has available.

use std::collections::BTreeSet;

use hufu_shared::fact::{Event, Fact, Funding, LeaseUse, Spent};
use hufu_shared::ids::{FactId, LeaseId, MemberId, OfficeId};
use hufu_shared::money::{Amount, Leg};
use hufu_shared::wire::upload::Became;
use hufu_shared::wire::version::Version;

use super::Work;
use super::blocked::block_of;
use super::earn::KIND_REPEAT;
use super::edge::{KIND_DOUBTFUL, is_wide};
use super::fault::plain;
use super::lease::lease_case;
use super::ledger::{Cause, Flow};
use super::matter::Matter;
use super::money::moved_cause;
use super::reversal::desk_legs;
use crate::rules::judge::block::Payer;
use crate::rules::judge::reversal::{self, Original};
use crate::rules::lease::LeaseRow;
use crate::rules::lease::spend::{
    self, Effect, KIND_BLOCKED_AFTER, KIND_BLOCKED_BEFORE, KIND_EXPIRED, KIND_OVER, KIND_STALE,
    KIND_WRITTEN_OFF, Known, SpentLeg,
};
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, MethodCode, PostingCode};
use crate::rules::world::{KnownFact, Standing};

/// Kinds of which the first that fits decides.
const ORDER: [u8; 6] =
    [KIND_WRITTEN_OFF, KIND_OVER, KIND_STALE, KIND_BLOCKED_BEFORE, KIND_BLOCKED_AFTER, KIND_EXPIRED];

/// Kinds that fit, each with the generation that it is about.
type Kinds = BTreeSet<(u8, (LeaseId, u32))>;

/// One leg with what it takes from a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Use {
    pub leg: Leg,
    pub lease: LeaseId,
    pub generation: u32,
    pub spent_total: Amount,
    pub state: Version,
}

impl Use {
    pub(super) fn key(&self) -> (LeaseId, u32) {
        (self.lease, self.generation)
    }
}

/// What a leg came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// Nothing was posted: it waits, or a person decided that it does not count.
    Nothing,
    /// So much was paid from escrow, and the rest by the club.
    Settled(Amount),
    /// The club pays.
    Club,
    /// It waits in suspense under a kind.
    Suspended(u8),
}

/// The legs of a spend, each with its lease. `None` if they are not as any terminal writes them: then nobody can say
/// what it took from which lease.
pub(super) fn uses(spent: &Spent) -> Option<Vec<Use>> {
    let units: BTreeSet<_> = spent.legs.iter().map(|leg| leg.unit).collect();
    let is_whole = spent.legs.len() == spent.funding.len() && units.len() == spent.legs.len();
    if spent.legs.is_empty() || !is_whole || spent.legs.iter().any(|leg| !leg.amount.is_positive()) {
        return None;
    }
    let of = |(leg, funding): (&Leg, &Funding)| match funding {
        Funding::Lease(LeaseUse { lease, generation, spent_total, state }) => Some(Use {
            leg: *leg,
            lease: *lease,
            generation: *generation,
            spent_total: *spent_total,
            state: *state,
        }),
        Funding::OwnCredit => None,
    };
    spent.legs.iter().zip(&spent.funding).map(of).collect()
}

impl Work {
    /// Takes a spend in: each leg that has not moved its lease does so now.
    pub(super) fn spent(&mut self, id: FactId, known: &KnownFact, spent: &Spent) {
        if let Some(slip) = &spent.slip {
            self.link(links::spent_under(id.device, slip), id);
        }
        let Some(uses) = uses(spent) else {
            self.hold_unreadable_spend(id, known, spent);
            return;
        };
        let mut came = Vec::new();
        let mut kinds = Kinds::new();
        for part in uses {
            let before = self.came(id, known, part);
            if before != Came::Nothing {
                came.push((part, before));
                continue;
            }
            let (after, fitting) = self.take_leg(id, known, part);
            kinds.extend(fitting.into_iter().map(|kind| (kind, part.key())));
            came.push((part, after));
        }
        self.bear(id, &came, kinds);
        for (part, _) in &came {
            self.mark_shared(id, *part);
        }
    }

    /// Judges one leg and moves its lease.
    fn take_leg(&mut self, id: FactId, known: &KnownFact, part: Use) -> (Came, Vec<u8>) {
        let row = self.lease_row(part.lease, part.generation).cloned();
        let blocked = self.blocked(id, known, (row.as_ref().map(|row| row.member), part.leg.unit));
        let leg = self.spent_leg(id, known, part, row.as_ref());
        let is_off = row.as_ref().filter(|row| {
            (row.device, row.enrolment) == (id.device, id.epoch)
                && part.spent_total.minus(part.leg.amount) != Ok(row.spent_reported)
        });
        let about = Known {
            unread: is_off.is_some_and(|row| self.has_unread(id, row.last_seq)),
            held_before: is_off.is_some() && self.held_before(id, part.key()),
            block: block_of(&blocked),
            late: row.as_ref().is_some_and(|row| self.is_late(id, known, part, row)),
        };
        let judged = spend::judge(row.as_ref(), &leg, about);
        if let Some(after) = judged.row {
            self.keep_lease(after);
        }
        if judged.freeze {
            self.freeze_leases(id.device, true);
        }
        let came = match judged.effect {
            Effect::Settle(_) => Came::Settled(part.leg.amount),
            Effect::LossDevice => Came::Club,
            Effect::Suspense => Came::Suspended(judged.kind.unwrap_or(KIND_STALE)),
            Effect::Held => Came::Nothing,
        };
        (came, judged.kind.into_iter().chain(judged.flags).collect())
    }

    fn spent_leg(&self, id: FactId, known: &KnownFact, part: Use, row: Option<&LeaseRow>) -> SpentLeg {
        let subject = known.fact.as_ref().and_then(|fact| fact.event.subject());
        let named = subject.and_then(|subject| self.owner(known, subject));
        let had =
            |row: &LeaseRow| subject.is_some_and(|subject| self.had_card(known, subject.token, row.member));
        let as_leased = |member: MemberId| match row {
            Some(row) if self.returns_to(row.member) == self.returns_to(member) || had(row) => row.member,
            _ => member,
        };
        SpentLeg {
            device: id.device,
            enrolment: id.epoch,
            seq: id.seq,
            unit: part.leg.unit,
            amount: part.leg.amount,
            spent_total: part.spent_total,
            state: part.state,
            member: named.map(as_leased),
        }
    }

    /// What no terminal of ours writes waits for a person.
    fn hold_unreadable_spend(&mut self, id: FactId, known: &KnownFact, spent: &Spent) {
        let about: [&[u8]; 3] = [&id.device.0, &id.epoch.to_be_bytes(), &id.seq.to_be_bytes()];
        let case = posting::case_id(KIND_STALE, &about);
        let member = self.owner(known, &spent.subject);
        let mut fresh = self.fresh_case(KIND_STALE, "held");
        (fresh.device, fresh.member) = (Some(id.device), member);
        self.case(case, fresh, [id]);
        let became = if known.pin.is_some() { Became::NoEffect } else { Became::Held };
        self.stand(id, Standing::of(became, KIND_STALE, Some(case)), member);
    }

    /// What a leg came to so far, as the postings of its fact say.
    fn came(&self, id: FactId, known: &KnownFact, part: Use) -> Came {
        let cause = posting::fact_cause(id);
        self.has(Need::Flows(cause));
        let Some(flows) = self.world.flows.get(&cause) else { return Came::Nothing };
        let net = |account: Account| flows.net.get(&(account, part.leg.unit)).copied().unwrap_or(0);
        let settled = -net(Account::Escrow(part.lease));
        if settled > 0 {
            return Came::Settled(Amount(settled));
        }
        let waits = |kind: &u8| net(Account::Suspense(lease_case(*kind, part.lease, part.generation))) < 0;
        if let Some(kind) = [KIND_OVER, KIND_STALE].into_iter().find(waits) {
            return Came::Suspended(kind);
        }
        // Of what was returned whole the postings show nothing any more.
        match (known.standing.became, known.standing.kind) {
            _ if net(Account::DeviceLoss(id.device)) < 0 => Came::Club,
            (Became::AppliedWithCase, Some(KIND_WRITTEN_OFF)) if flows.postings > 0 => Came::Club,
            (Became::AppliedWithCase, Some(kind @ (KIND_OVER | KIND_STALE)))
                if flows.postings > 0 && known.pin.is_none() =>
            {
                Came::Suspended(kind)
            }
            _ => Came::Nothing,
        }
    }

    /// Judges again who bears a spend, after a verdict, a report of a lost card, a return, or another time of it.
    pub(super) fn judge_spend(&mut self, id: FactId) {
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(Event::Spent(spent)) = known.fact.as_ref().map(|fact| &fact.event) else { return };
        if known.standing.became == Became::Quarantined {
            return;
        }
        let Some(uses) = uses(spent) else {
            self.hold_unreadable_spend(id, &known, spent);
            return;
        };
        let mut came = Vec::new();
        let mut kinds = Kinds::new();
        for part in uses {
            let before = self.came(id, &known, part);
            let after = match (before, known.pin) {
                (Came::Suspended(kind), Some(counts)) => self.explain(id, &known, part, kind, counts),
                // What waits for its generation, and a person says that it counts, the club bears.
                (Came::Nothing, Some(true)) => Came::Club,
                _ => before,
            };
            let decided = known.standing.kind.filter(|kind| ORDER[..3].contains(kind));
            kinds.extend(decided.map(|kind| (kind, part.key())));
            came.push((part, after));
        }
        self.bear(id, &came, kinds);
    }

    /// A verdict on a suspended leg. Only what the lease's own device wrote moved the lease's counter; for anything else
    /// the club answers.
    fn explain(&mut self, id: FactId, known: &KnownFact, part: Use, kind: u8, counts: bool) -> Came {
        let row = self.lease_row(part.lease, part.generation);
        let own = row.filter(|row| kind == KIND_OVER && (row.device, row.enrolment) == (id.device, id.epoch));
        let Some(done) = own.map(|row| spend::explain(row, part.leg.amount, counts)) else {
            return if counts { Came::Club } else { Came::Nothing };
        };
        self.keep_lease(done.row.clone());
        self.give_back(&done.row, done.release, PostingCode::LeaseReturn, Some((id, known)));
        match counts {
            true if done.settled.is_positive() => Came::Settled(done.settled),
            true => Came::Club,
            false => Came::Nothing,
        }
    }

    /// Posts what the legs come to with who bears them, and says how the fact stands.
    fn bear(&mut self, id: FactId, came: &[(Use, Came)], mut kinds: Kinds) {
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(fact) = &known.fact else { return };
        let rows: Vec<Option<LeaseRow>> =
            came.iter().map(|(part, _)| self.lease_row(part.lease, part.generation).cloned()).collect();
        let member = rows.iter().flatten().next().map(|row| row.member).or(known.member);
        let repeats = known.pin.is_none() && self.repeats_spend(id, fact);
        let (mut flows, mut at_desk) = (Vec::new(), Vec::new());
        for ((part, came), row) in came.iter().zip(&rows) {
            let redeemed = went_to(known.office, fact);
            let mut bearers = self.payers(id, &known, *part, *came);
            flows.extend(
                bearers.iter().map(|payer| moved(*part, payer.0, redeemed, payer.1, PostingCode::Spend)),
            );
            let blocked = row.as_ref().map(|row| self.blocked(id, &known, (Some(row.member), part.leg.unit)));
            if let (Some(blocked), Some(row)) = (blocked.as_ref().filter(|_| *came != Came::Nothing), row) {
                let late = self.is_late(id, &known, *part, row).then_some(KIND_EXPIRED);
                kinds.extend(blocked.kinds.iter().copied().chain(late).map(|kind| (kind, part.key())));
            }
            if let (Came::Settled(amount), Some(row), Some(blocked)) = (came, row, blocked) {
                let in_doubt = blocked.kinds.contains(&KIND_DOUBTFUL);
                let givers = match (known.pin, blocked.payer) {
                    (Some(true), _) => Vec::new(),
                    // It was after the report of the lost card, says a person.
                    (Some(false), Payer::Suspense) if in_doubt => {
                        vec![(Account::BlockedLoss(known.office), *amount)]
                    }
                    (Some(false), Payer::Loss) => vec![(Account::BlockedLoss(known.office), *amount)],
                    (Some(false), _) => vec![(Account::DeviceLoss(id.device), *amount)],
                    // The goods went over the counter once: what was redeemed twice is taken back.
                    (None, _) if repeats => vec![(redeemed, *amount)],
                    (None, _) => self.givers(id, *part, row, known.office, &blocked),
                };
                let to = Account::Available(row.member);
                flows.extend(
                    givers.iter().map(|from| moved(*part, from.0, to, from.1, PostingCode::Reversal)),
                );
                let given: i64 = givers.iter().map(|giver| giver.1.0).sum();
                bearers.retain(|bearer| bearer.0 != Account::Escrow(part.lease));
                bearers.insert(0, (to, Amount(amount.0 - given)));
                bearers.extend(givers);
            }
            let (by_desk, by_terminals) = self.returned(id, redeemed, *part, &bearers);
            flows.extend(by_terminals);
            at_desk.extend(by_desk);
        }
        let cause = Cause { member, ..self.fact_cause(id, &known, fact) };
        self.settle(&cause, &flows);
        if let Some(back) = known.at_desk {
            self.settle(&moved_cause(back.id, member, (back.at, back.day)), &at_desk);
        }
        let standing = self.spend_standing(id, &known, came, &kinds, repeats);
        self.stand(id, standing, member);
    }

    /// Who pays for a leg at first.
    fn payers(&self, id: FactId, known: &KnownFact, part: Use, came: Came) -> Vec<(Account, Amount)> {
        let (club, whole) = (Account::DeviceLoss(id.device), part.leg.amount);
        let taken_out = known.pin == Some(false);
        match came {
            Came::Settled(amount) => {
                let rest = if taken_out { Amount::ZERO } else { Amount(whole.0 - amount.0) };
                vec![(Account::Escrow(part.lease), amount), (club, rest)]
            }
            Came::Club if !taken_out => vec![(club, whole)],
            Came::Suspended(kind) => {
                vec![(Account::Suspense(lease_case(kind, part.lease, part.generation)), whole)]
            }
            Came::Nothing | Came::Club => Vec::new(),
        }
    }

    /// What returns of the goods give back: to whoever bears the leg, the member before the club. First what the centre's
    /// desk gave back, then what terminals did.
    fn returned(
        &self,
        id: FactId,
        redeemed: Account,
        part: Use,
        bearers: &[(Account, Amount)],
    ) -> (Vec<Flow>, Vec<Flow>) {
        let legs = vec![part.leg];
        let at_desk = self.fact(id).map(desk_legs).unwrap_or_default();
        let of_leg = at_desk.iter().filter(|leg| leg.unit == part.leg.unit).map(|leg| leg.amount.0);
        let by_desk = Amount(of_leg.sum::<i64>().clamp(0, part.leg.amount.0));
        let original = Original { is_reversal: false, says: legs.clone(), gave: legs, at_desk };
        let share = reversal::returned(&original, &self.reversals_of(id), part.leg.unit);
        let by_terminals = Amount(share.of(part.leg.amount).0 - by_desk.0);
        let mut bearers: Vec<(Account, Amount)> =
            bearers.iter().filter(|bearer| bearer.0 != redeemed).copied().collect();
        let [by_desk, by_terminals] = [(by_desk, PostingCode::Move), (by_terminals, PostingCode::Reversal)]
            .map(|(mut left, code)| {
                let mut flows = Vec::new();
                for (bearer, bears) in &mut bearers {
                    let amount = left.min(*bears);
                    (left, *bears) = (Amount(left.0 - amount.0), Amount(bears.0 - amount.0));
                    flows.push(moved(part, redeemed, *bearer, amount, code));
                }
                flows
            });
        (by_desk, by_terminals)
    }

    /// Marks what a change of one spend may change.
    pub(super) fn rejudge_spend(&mut self, id: FactId, spent: &Spent) {
        self.dirty.insert(Matter::Spend(id));
        for part in uses(spent).unwrap_or_default() {
            self.mark_shared(id, part);
        }
        if let Some(slip) = &spent.slip {
            let same_sale = self.linked(links::spent_under(id.device, slip));
            self.dirty.extend(same_sale.into_iter().map(Matter::Spend));
        }
    }

    /// The case about a spend of which nobody can say whether the card had been reported lost before. Its standing stays
    /// that of the block.
    fn doubtful_spend(&mut self, id: FactId, known: &KnownFact, kinds: &Kinds) {
        let in_doubt = kinds.iter().any(|(kind, _)| *kind == KIND_DOUBTFUL) && is_wide(known);
        if !in_doubt {
            self.end_doubt(id, known.pin.is_none() && known.standing.kind == Some(KIND_BLOCKED_AFTER));
        } else if known.pin.is_none() {
            self.doubt(id, Became::AppliedWithCase, "suspended");
        }
    }

    /// Opens the cases of all kinds that fit, and gives the standing by the first that decides.
    fn spend_standing(
        &mut self,
        id: FactId,
        known: &KnownFact,
        came: &[(Use, Came)],
        kinds: &Kinds,
        repeats: bool,
    ) -> Standing {
        let mut cases = Vec::new();
        self.doubtful_spend(id, known, kinds);
        for (kind, key) in kinds.iter().filter(|(kind, _)| *kind != KIND_DOUBTFUL) {
            cases.push((*kind, self.open_lease_case(*kind, *key, id.device, Some(id))));
        }
        // What follows from reports and times may fit no more; what the lease's counter said when it was taken in stays.
        let had_case = known.standing.kind.is_some_and(|kind| ORDER.contains(&kind));
        for key in came.iter().filter(|_| had_case).map(|(part, _)| part.key()) {
            for kind in ORDER[3..].iter().filter(|kind| !kinds.contains(&(**kind, key))) {
                self.leave_case(lease_case(*kind, key.0, key.1), id);
            }
        }
        let payer = came.iter().find_map(|(part, _)| self.lease_row(part.lease, part.generation));
        let payer = payer.map(|row| row.member);
        let by_last_owner = payer.filter(|_| !repeats).and_then(|payer| self.paid_by_last_owner(id, payer));
        if let Some(payer) = payer.filter(|_| repeats) {
            self.leave_last_owner(id, payer);
        }
        let case_of = |kind: u8| cases.iter().find(|case| case.0 == kind).map(|case| case.1);
        let waits = known.pin.is_none() && came.iter().any(|(_, came)| *came == Came::Nothing);
        let nothing = known.pin == Some(false);
        let kind = ORDER.into_iter().find(|kind| case_of(*kind).is_some());
        match kind {
            _ if waits => Standing::of(Became::Held, KIND_STALE, case_of(KIND_STALE)),
            Some(kind) if nothing => Standing::of(Became::NoEffect, kind, case_of(kind)),
            Some(kind) => Standing::of(Became::AppliedWithCase, kind, case_of(kind)),
            None if repeats => Standing::of(Became::Merged, KIND_REPEAT, None),
            None if nothing => Standing { became: Became::NoEffect, kind: None, case: None },
            None => by_last_owner.unwrap_or(plain(id, known)),
        }
    }
}

/// Where what is spent goes: out of the drawer if stored value was paid out in money, else to what was redeemed.
fn went_to(office: OfficeId, fact: &Fact) -> Account {
    match &fact.event {
        Event::Spent(Spent { paid_out: Some(method), .. }) => Account::Cash(office, MethodCode::new(method)),
        _ => Account::Redeemed(office),
    }
}

fn moved(part: Use, debit: Account, credit: Account, amount: Amount, code: PostingCode) -> Flow {
    Flow { debit, credit, leg: Leg { unit: part.leg.unit, amount }, code }
}
