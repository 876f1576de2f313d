//! Leases at the centre: granted and raised, closed by their terminal, written off by a person (kind 7).
//!
//! The row of a generation and the postings of its cause move together: each step of [`crate::rules::lease`] names the
//! amount, and exactly that is posted. What leaves escrow goes to whoever goes on in place of the member that the lease
//! was granted from, or to `sink/erased`; if the lease was granted before a recovery, it pays first what that lost.
//! Out of scope: who asks, how much is proposed, signatures.

use hufu_shared::act::{LeaseEnded, LeaseSet};
use hufu_shared::fact::LeaseClosed;
use hufu_shared::ids::{DeviceId, FactId, Hash, LeaseId, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Day;
use hufu_shared::wire::upload::Became;
use minicbor::{Decode, Encode};

use super::Work;
use super::fault::plain;
use super::ledger::{Cause, Flow};
use crate::rules::lease::spend::{KIND_OVER, KIND_STALE, KIND_WRITTEN_OFF};
use crate::rules::lease::{self, LeaseRow};
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::{KnownFact, Standing};

/// What the admin sees of a case about a lease: its figures are those of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseCase {
    /// Which lease.
    #[n(0)]
    pub lease: LeaseId,
    /// Its generation.
    #[n(1)]
    pub generation: u32,
}

/// The case of a kind about a generation of a lease.
#[must_use]
pub fn lease_case(kind: u8, lease: LeaseId, generation: u32) -> Hash {
    posting::case_id(kind, &[&lease.0, &generation.to_be_bytes()])
}

/// Name of the automatic outcome of a kind about leases.
fn automatic(kind: u8) -> &'static str {
    match kind {
        KIND_WRITTEN_OFF => "loss_device",
        6 | 9 => "honoured",
        18 => "in_doubt",
        _ => "suspended",
    }
}

impl Work {
    /// A generation of a lease, as the centre knows it.
    pub(super) fn lease_row(&self, lease: LeaseId, generation: u32) -> Option<&LeaseRow> {
        self.has(Need::Lease(lease));
        self.world.leases.get(&(lease, generation))
    }

    /// Keeps what became of a generation.
    pub(super) fn keep_lease(&mut self, row: LeaseRow) {
        let key = (row.lease, row.generation);
        if self.world.leases.get(&key) != Some(&row) {
            self.outcome.leases.insert(key, row.clone());
            self.world.leases.insert(key, row);
        }
    }

    /// Opens the case of a kind about a generation, or adds a fact to it.
    pub(super) fn open_lease_case(
        &mut self,
        kind: u8,
        (lease, generation): (LeaseId, u32),
        device: DeviceId,
        fact: Option<FactId>,
    ) -> Hash {
        let id = lease_case(kind, lease, generation);
        let mut fresh = self.fresh_case(kind, automatic(kind));
        fresh.device = Some(device);
        fresh.member = self.lease_row(lease, generation).map(|row| row.member);
        fresh.detail = hufu_shared::cbor::encode(&LeaseCase { lease, generation });
        self.case(id, fresh, fact);
        id
    }

    /// No lease and no raise for a device until a person has looked.
    pub(super) fn freeze_leases(&mut self, device: DeviceId, frozen: bool) {
        self.has(Need::Device(device));
        if let Some(known) = self.world.devices.get_mut(&device)
            && known.leases_frozen != frozen
        {
            known.leases_frozen = frozen;
            self.outcome.devices.insert(device, known.clone());
        }
    }

    /// Who goes on in place of a member: their account, or the sink of those whose data was erased.
    pub(super) fn returns_to(&self, member: MemberId) -> Account {
        self.goes_on(Account::Available(member))
    }

    /// The cause of what a generation sets aside and gives back.
    pub(super) fn lease_cause(&self, row: &LeaseRow, of: Option<(FactId, &KnownFact)>) -> Cause {
        self.has(Need::Device(row.device));
        let office = self.world.devices.get(&row.device).map(|device| device.office);
        let today = office.map_or(Day(0), |office| self.day(office, self.received));
        Cause {
            hash: posting::lease_cause(row.lease, row.generation),
            member: Some(row.member),
            fact: of.map(|(id, _)| id),
            case: None,
            at: of.map_or(self.received, |(_, known)| known.at),
            day: of.map_or(today, |(_, known)| known.day),
            scheme: 0,
            rule: None,
            repays_recovery: row.first_epoch < self.world.recovery.epoch,
        }
    }

    /// Posts what leaves the escrow of a lease towards its member.
    pub(super) fn give_back(
        &mut self,
        row: &LeaseRow,
        amount: Amount,
        code: PostingCode,
        of: Option<(FactId, &KnownFact)>,
    ) {
        if amount.is_positive() {
            let (debit, credit) = (Account::Escrow(row.lease), self.returns_to(row.member));
            let cause = self.lease_cause(row, of);
            self.add(&cause, Flow { debit, credit, leg: Leg { unit: row.unit, amount }, code });
        }
    }

    /// A lease was granted, raised, or granted again. One that may not be has no effect: whatever a shell overlooked,
    /// nothing is set aside that is not there or frozen, for a frozen device, or while the centre recovers.
    pub(super) fn lease_set(&mut self, set: &LeaseSet) {
        self.has(Need::Device(set.device));
        self.has(Need::Lease(set.lease));
        let Some(device) = self.world.devices.get(&set.device) else { return };
        if device.leases_frozen || !self.world.may_debit() {
            return;
        }
        let enrolment = device.epoch;
        if set.unit == Unit::Cny && self.is_value_frozen(set.member) {
            return;
        }
        let rows: Vec<LeaseRow> = self.generations(set.lease);
        let available = Amount(self.purse(set.member, set.unit).available);
        let Ok(done) = lease::set(&rows, set, enrolment, available, self.received) else { return };
        self.keep_lease(done.row.clone());
        let flow = Flow {
            debit: Account::Available(set.member),
            credit: Account::Escrow(set.lease),
            leg: Leg { unit: set.unit, amount: done.moved },
            code: PostingCode::LeaseGrant,
        };
        let cause = self.lease_cause(&done.row, None);
        self.add(&cause, flow);
        self.release_held_spends(set.lease, set.generation);
    }

    fn generations(&self, lease: LeaseId) -> Vec<LeaseRow> {
        self.world.leases.range((lease, 0)..=(lease, u32::MAX)).map(|(_, row)| row.clone()).collect()
    }

    /// A person wrote a lease off: what is left goes back, and what was spent of it unseen may be a loss. That figure
    /// stands with the case; nothing is posted for it until a spend arrives.
    pub(super) fn lease_written_off(&mut self, ended: &LeaseEnded) {
        let known = self.lease_row(ended.lease, ended.generation);
        let Some((row, rest)) = known.and_then(lease::write_off) else { return };
        self.keep_lease(row.clone());
        self.give_back(&row, rest, PostingCode::LeaseWriteOff, None);
        if row.contingent_loss().is_positive() {
            self.open_lease_case(KIND_WRITTEN_OFF, (row.lease, row.generation), row.device, None);
        }
    }

    /// The terminal closed a generation.
    pub(super) fn lease_closed(&mut self, id: FactId, known: &KnownFact, closed: &LeaseClosed) {
        let key = (closed.lease, closed.generation);
        let row = self.lease_row(closed.lease, closed.generation).cloned();
        let waits = self.held_before(id, key);
        let Some(row) = row.filter(|_| !waits) else {
            let case = self.open_lease_case(KIND_STALE, key, id.device, Some(id));
            self.stand(id, Standing::of(Became::Held, KIND_STALE, Some(case)), None);
            return;
        };
        let member = Some(row.member);
        if (row.device, row.enrolment) != (id.device, id.epoch) {
            // Only the device that it was granted to can say what it spent.
            let case = self.open_lease_case(KIND_STALE, key, id.device, Some(id));
            self.stand(id, Standing::of(Became::AppliedWithCase, KIND_STALE, Some(case)), member);
            return;
        }
        let gap = closed.spent_total > row.spent_reported;
        let unread = gap && self.has_unread(id, row.last_seq);
        let done = lease::close(&row, closed.spent_total, id.seq, unread);
        self.keep_lease(done.row.clone());
        self.give_back(&done.row, done.release, PostingCode::LeaseReturn, Some((id, known)));
        if done.row.written_off.is_some() && done.row.lost == Amount::ZERO {
            self.end_case(lease_case(KIND_WRITTEN_OFF, key.0, key.1), "nothing_lost");
        }
        let standing = match done.kind {
            None => plain(id, known),
            Some(kind) => {
                if kind == KIND_OVER {
                    self.freeze_leases(id.device, true);
                }
                let case = self.open_lease_case(kind, key, id.device, Some(id));
                Standing::of(Became::AppliedWithCase, kind, Some(case))
            }
        };
        self.stand(id, standing, member);
    }

    /// Whether facts of a device between one already judged and this one were set aside: what they say is not known.
    pub(super) fn has_unread(&self, id: FactId, after: u64) -> bool {
        let (from, to) = (after + 1, id.seq.saturating_sub(1));
        if from > to {
            return false;
        }
        self.has_range(id, from, to);
        let between = FactId { seq: from, ..id }..=FactId { seq: to, ..id };
        self.world.facts.range(between).any(|(_, known)| known.standing.became == Became::Quarantined)
    }

    /// Whether an earlier fact of the same device about the same generation waits.
    pub(super) fn held_before(&self, id: FactId, (lease, generation): (LeaseId, u32)) -> bool {
        let linked = self.linked(links::lease(lease, generation));
        let earlier = FactId { seq: 0, ..id }..id;
        linked.range(earlier).any(|other| self.fact(*other).is_some_and(is_held))
    }

    /// A generation is known now, or more of it: what waited for that is judged, in order of seq.
    pub(super) fn release_held_spends(&mut self, lease: LeaseId, generation: u32) {
        let mut held = self.linked(links::lease(lease, generation));
        held.retain(|id| self.fact(*id).is_some_and(is_held));
        if held.is_empty() {
            return;
        }
        for id in &held {
            self.change(*id, |known| known.standing = plain(*id, known));
            self.take_effect(*id);
        }
        if !held.iter().any(|id| self.fact(*id).is_some_and(is_held)) {
            self.end_case(lease_case(KIND_STALE, lease, generation), "known");
        }
    }
}

/// Whether a fact waits for a generation to be known.
fn is_held(known: &KnownFact) -> bool {
    known.standing.is_same(&Standing::of(Became::Held, KIND_STALE, None))
}
