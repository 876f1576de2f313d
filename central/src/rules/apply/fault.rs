//! Faults of terminals: a clock that cannot be right (kind 19), lost facts (kind 20), two histories (kind 21).

use hufu_shared::ids::{DeviceId, FactId, Hash};
use hufu_shared::wire::upload::Became;

use super::Work;
use crate::rules::entry::{TakenFork, TakenLoss};
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::{DeviceStatus, KnownFact, Standing};

/// Number of the conflict kind "time in the future or before enrolment".
pub(super) const KIND_CLOCK: u8 = 19;
/// Number of the conflict kind "gap", where the device lost the facts.
const KIND_LOST: u8 = 20;
/// Number of the conflict kind "fork".
const KIND_FORK: u8 = 21;

/// The case about the clock of a boot.
fn clock_case(id: FactId, boot: u64) -> Hash {
    posting::case_id(KIND_CLOCK, &[&id.device.0, &id.epoch.to_be_bytes(), &boot.to_be_bytes()])
}

/// How a fact stands that nothing else is to be said of: plainly, unless its clock was wrong.
pub(super) fn plain(id: FactId, known: &KnownFact) -> Standing {
    match &known.fact {
        Some(fact) if known.clock_fault => {
            Standing::of(Became::AppliedWithCase, KIND_CLOCK, Some(clock_case(id, fact.boot)))
        }
        _ => Standing::PLAIN,
    }
}

impl Work {
    /// One case per boot: a wrong clock is wrong for all of its facts. Their effects use the time as judged, the
    /// claim is kept.
    pub(super) fn clock_fault(&mut self, id: FactId, boot: u64) {
        let case = clock_case(id, boot);
        let mut fresh = self.fresh_case(KIND_CLOCK, "clamped");
        fresh.device = Some(id.device);
        self.case(case, fresh, [id]);
    }

    /// A device showed two histories: both are kept, nothing more is taken until a person re-enrols it.
    pub(super) fn fork(&mut self, fork: &TakenFork) {
        let case = posting::case_id(KIND_FORK, &[&fork.device.0, &fork.epoch.to_be_bytes()]);
        let mut fresh = self.fresh_case(KIND_FORK, "frozen");
        fresh.device = Some(fork.device);
        fresh.detail = hufu_shared::cbor::encode(fork);
        let at = FactId { device: fork.device, epoch: fork.epoch, seq: fork.seq };
        self.case(case, fresh, [at]);
        self.set_status(fork.device, DeviceStatus::Forked);
        self.freeze_leases(fork.device, true);
    }

    /// A device lost facts: said aloud, and a person decides.
    pub(super) fn loss(&mut self, loss: &TakenLoss) {
        let case = posting::case_id(KIND_LOST, &[&loss.device.0, &loss.epoch.to_be_bytes()]);
        let mut fresh = self.fresh_case(KIND_LOST, "stopped");
        fresh.device = Some(loss.device);
        fresh.detail = hufu_shared::cbor::encode(loss);
        self.case(case, fresh, []);
        self.set_status(loss.device, DeviceStatus::Lost);
    }

    pub(super) fn set_status(&mut self, device: DeviceId, status: DeviceStatus) {
        self.has(Need::Device(device));
        if let Some(known) = self.world.devices.get_mut(&device) {
            known.status = status;
            self.outcome.devices.insert(device, known.clone());
        }
    }
}
