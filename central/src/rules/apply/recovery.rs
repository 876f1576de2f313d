//! A recovery of the centre: it was rolled back, and learns from its terminals what it had set aside.
//!
//! From the new central epoch on nothing debits `available`, until every terminal has reported its leases or a person
//! ends the wait. What a terminal reports under the centre's own signature is granted again, from what is available and
//! else from `loss/recovery`; what returns of leases of that time pays this back first. Spends that waited for their
//! generation are judged then.
//! Out of scope: how a rollback is found out, who is waited for ([`crate::rules::lease::recovery`]).

use hufu_shared::act::{LeasesReported, RecoveryEnded};
use hufu_shared::ids::MemberId;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::wire::lease::LeaseState;
use hufu_shared::wire::version::CentralEpoch;

use super::Work;
use super::ledger::Flow;
use crate::rules::lease::recovery;
use crate::rules::need::Need;
use crate::rules::posting::{Account, PostingCode};
use crate::rules::world::Recovery;

impl Work {
    /// The centre entered a new epoch.
    pub(super) fn epoch_begun(&mut self, epoch: CentralEpoch) {
        self.outcome.central_epoch = Some(epoch);
        self.set_recovery(Recovery { epoch: epoch.n, since: Some(self.received) });
    }

    /// Every terminal has reported, or a person ended the wait.
    pub(super) fn recovery_ended(&mut self, ended: &RecoveryEnded) {
        if self.world.recovery.epoch == ended.epoch {
            self.set_recovery(Recovery { epoch: ended.epoch, since: None });
        }
    }

    fn set_recovery(&mut self, recovery: Recovery) {
        self.world.recovery = recovery;
        self.outcome.recovery = Some(recovery);
    }

    /// A terminal reported the states that it holds. One that reports late, after the wait was ended, is believed just
    /// as well: its leases may be spent.
    pub(super) fn leases_reported(&mut self, reported: &LeasesReported) {
        self.has(Need::Device(reported.device));
        let epoch = self.world.recovery.epoch;
        if let Some(known) = self.world.devices.get_mut(&reported.device) {
            known.reported_epoch = epoch;
            self.outcome.devices.insert(reported.device, known.clone());
        }
        for state in reported.states.iter().filter(|state| state.device == reported.device) {
            self.regrant(state, reported.epoch);
        }
    }

    fn regrant(&mut self, state: &LeaseState, enrolment: u32) {
        let row = self.lease_row(state.lease, state.generation).cloned();
        let available = Amount(self.purse(state.member, state.unit).available);
        let done = recovery::regrant(row.as_ref(), state, enrolment, available, self.received);
        let Some(done) = done else { return };
        self.keep_lease(done.row.clone());
        let cause = self.lease_cause(&done.row, None);
        let sources = [
            (Account::Available(state.member), done.from_available),
            (Account::RecoveryLoss(state.member), done.from_loss),
        ];
        for (debit, amount) in sources {
            let leg = Leg { unit: state.unit, amount };
            let credit = Account::Escrow(state.lease);
            self.add(&cause, Flow { debit, credit, leg, code: PostingCode::LeaseGrant });
        }
        self.owe_recovery(state.member, state.unit, done.from_loss);
        self.release_held_spends(state.lease, state.generation);
    }

    /// Keeps what a recovery lost for a member in step, for what is returned later in the same entry.
    fn owe_recovery(&mut self, member: MemberId, unit: Unit, lost: Amount) {
        let mut purse = self.purse(member, unit);
        purse.recovery_loss += lost.0;
        self.world.purses.insert((member, unit), purse);
    }
}
