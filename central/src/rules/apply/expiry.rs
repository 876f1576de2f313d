//! Points that reached their cut-off: reckoned from all that a member got and used, posted as a difference.
//!
//! A run names the members and the cut-off; it takes what is due of what is available, and a later run what was still
//! in leases. A fact that arrives late changes the sums, and the next run posts the difference by the same cause.

use std::collections::BTreeMap;

use hufu_shared::act::PointsExpired;
use hufu_shared::ids::{LeaseId, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::ExpiryMode;
use hufu_shared::time::{Day, Instant};

use super::Work;
use super::ledger::{Cause, Flow};
use crate::rules::judge::expiry::{self, Account as Lots, Change, Credit, CutOff, Debit, Lease};
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::Lot;

/// Name of the daily job in the journal.
pub const EXPIRY_JOB: &str = "expiry";

/// How a member's points end: the club's mode and zone, and the day on which the member joined.
pub type Ends<'a> = (ExpiryMode, &'a str, Option<Day>);

/// All that a member got and used, as the judge reads it.
#[derive(Default)]
struct History {
    credits: Vec<Credit>,
    debits: Vec<Debit>,
    leases: BTreeMap<LeaseId, Lease>,
    /// Last day of each cut-off.
    days: BTreeMap<Instant, Day>,
}

impl History {
    fn of(lots: &[Lot], (mode, zone, joined): Ends<'_>, span: impl Fn(LeaseId) -> Lease) -> Self {
        let mut history = Self::default();
        for lot in lots {
            if let Some(lease) = lot.granted.or(lot.spent) {
                let lease = history.leases.entry(lease).or_insert_with(|| span(lease));
                let debit = Debit { t: lot.at, amount: Amount(lot.amount.abs()) };
                if lot.granted.is_some() { lease.grants.push(debit) } else { lease.spends.push(debit) }
            }
            if lot.granted.is_some() {
                continue;
            }
            if lot.amount > 0 {
                let last = expiry::last_day(mode, lot.day, joined);
                let expires = last.map(|day| expiry::cut_off(day, zone));
                history.days.extend(expires.zip(last));
                history.credits.push(Credit { t: lot.at, expires, amount: Amount(lot.amount) });
            } else {
                history.debits.push(Debit { t: lot.at, amount: Amount(-lot.amount) });
            }
        }
        history
    }

    /// What runs out at each cut-off up to a moment, with the last day before it.
    fn reckon(&self, until: Instant) -> Vec<(Day, CutOff)> {
        let leases: Vec<Lease> = self.leases.values().cloned().collect();
        let lots = Lots { credits: &self.credits, debits: &self.debits, leases: &leases };
        let cuts = expiry::reckon(lots, until).into_iter();
        cuts.filter_map(|cut| self.days.get(&cut.at).map(|day| (*day, cut))).collect()
    }
}

/// What ran out of these lots at each cut-off up to the end of a day, by the last day before it. What lies in a lease counts
/// as gone too: its time is up, wherever it is.
#[must_use]
pub fn run_out(lots: &[Lot], ends: Ends<'_>, until: Day) -> Vec<(Day, i64)> {
    let out = |lease| Lease { id: (lease, 0), grants: Vec::new(), spends: Vec::new(), closed: None };
    let cuts = History::of(lots, ends, out).reckon(expiry::cut_off(until, ends.1));
    cuts.into_iter().map(|(day, cut)| (day, cut.taken.0.saturating_add(cut.waits.0))).collect()
}

impl Work {
    /// Takes off what ran out.
    pub(super) fn points_expired(&mut self, run: &PointsExpired) {
        let until = expiry::cut_off(run.cutoff, &self.world.policy.zone.clone());
        for member in &run.members {
            self.has(Need::Lots(*member));
            self.has(Need::MemberLeases(*member));
            for (day, cut) in self.history(*member).reckon(until) {
                self.expire(*member, day, cut.at, cut.taken);
            }
        }
    }

    /// Posts what one cut-off has come to.
    fn expire(&mut self, member: MemberId, day: Day, at: Instant, reckoned: Amount) {
        let hash = posting::expiry_cause(member, Unit::Pts, day);
        self.has(Need::Flows(hash));
        let posted =
            self.world.flows.get(&hash).and_then(|flows| flows.net.get(&(Account::Expired, Unit::Pts)));
        let posted = Amount(posted.copied().unwrap_or(0));
        let available = Amount(self.purse(member, Unit::Pts).available);
        let target = match expiry::difference(reckoned, posted, available) {
            Change::None => return,
            Change::Take { now, .. } => Amount(posted.0 + now.0),
            Change::GiveBack(back) => Amount(posted.0 - back.0),
        };
        let cause = Cause::of_the_centre(hash, Some(member), (at, day));
        let flow = Flow {
            debit: Account::Available(member),
            credit: Account::Expired,
            leg: Leg { unit: Unit::Pts, amount: target },
            code: PostingCode::Expiry,
        };
        self.settle(&cause, &[flow]);
    }

    fn history(&self, member: MemberId) -> History {
        let joined = self.member(member).map(|known| known.joined);
        let lots = self.world.lots.get(&member).map_or(&[][..], Vec::as_slice);
        let ends = (self.world.policy.expiry, self.world.policy.zone.as_str(), joined);
        History::of(lots, ends, |lease| self.lease_span(lease))
    }

    /// A lease as the cut-offs see it: out as long as any generation of it is open.
    fn lease_span(&self, lease: LeaseId) -> Lease {
        let mut generations = self.world.leases.range((lease, 0)..=(lease, u32::MAX));
        let is_out = generations.any(|(_, row)| row.is_open());
        let closed = (!is_out).then_some(self.received);
        Lease { id: (lease, 0), grants: Vec::new(), spends: Vec::new(), closed }
    }
}

/// Sums the postings of a member's points into what they got and used, one lot per cause.
#[must_use]
pub fn lots(postings: impl IntoIterator<Item = (hufu_shared::ids::Hash, Lot)>) -> Vec<Lot> {
    let mut by_cause: BTreeMap<_, Lot> = BTreeMap::new();
    for (cause, lot) in postings {
        by_cause
            .entry((cause, lot.granted, lot.spent))
            .and_modify(|sum| sum.amount += lot.amount)
            .or_insert(lot);
    }
    let mut lots: Vec<Lot> = by_cause.into_values().filter(|lot| lot.amount != 0).collect();
    lots.sort_by_key(|lot| (lot.at, lot.amount));
    lots
}
