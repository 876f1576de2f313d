//! Acts about leases: rights to spend offline that the centre set aside, and what a rollback of it did to them.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{DeviceId, Hash, LeaseId, MemberId, OperatorId};
use crate::money::{Amount, Unit};
use crate::wire::lease::{LeaseState, LeaseTerms};
use crate::wire::version::Version;

/// Why a lease's state was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum LeaseCause {
    /// Set aside ahead of need.
    #[n(0)]
    Granted,
    /// Raised, ahead of need or because the terminal asked.
    #[n(1)]
    Raised,
    /// Granted again in a new generation after the last one was closed.
    #[n(2)]
    Renewed,
}

/// The whole state of a lease, as an act of the centre. The signature is not part of it: it is made from the state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseSet {
    /// Which lease.
    #[n(0)]
    pub lease: LeaseId,
    /// Its generation, from 1.
    #[n(1)]
    pub generation: u32,
    /// The device that may spend it.
    #[n(2)]
    pub device: DeviceId,
    /// The member whose points or money it is.
    #[n(3)]
    pub member: MemberId,
    /// The unit.
    #[n(4)]
    pub unit: Unit,
    /// All that was ever granted in this generation; never less than before.
    #[n(5)]
    pub granted_total: Amount,
    /// Its conditions.
    #[n(6)]
    pub terms: LeaseTerms,
    /// Higher than every version of this lease before.
    #[n(7)]
    pub version: Version,
    /// Why.
    #[n(8)]
    pub cause: LeaseCause,
}

/// The end of a lease generation by a person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaseEnded {
    /// Which lease.
    #[n(0)]
    pub lease: LeaseId,
    /// Its generation.
    #[n(1)]
    pub generation: u32,
    /// The second person, asked for before the lease's time is up by a day.
    #[n(2)]
    pub second: Option<OperatorId>,
    /// Commitment to the reason typed by the person.
    #[n(3)]
    pub reason: Hash,
}

/// Lease states in a device's hands after a rollback of the centre, each with the centre's own signature checked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeasesReported {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Its enrolment.
    #[n(1)]
    pub epoch: u32,
    /// The newest state of every generation of which it still holds facts.
    #[n(2)]
    pub states: Vec<LeaseState>,
}

/// The end of a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RecoveryEnded {
    /// The central epoch whose recovery ends.
    #[n(0)]
    pub epoch: u32,
    /// Terminals that had not reported when a person ended the wait.
    #[n(1)]
    pub silent: Vec<DeviceId>,
    /// Commitment to the reason typed by the person; none if all had reported.
    #[n(2)]
    pub reason: Option<Hash>,
}
