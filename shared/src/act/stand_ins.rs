//! Acts about standing in 代理: who decides in somebody's place while they are away. The decisions themselves name both, by
//! their actor ([`super::Actor::StandIn`]).

use minicbor::{Decode, Encode};

use crate::ids::{Hash, OperatorId};
use crate::time::Instant;

/// Whoever performs it names who decides in their place for a time. It says nothing of who names: nobody names for others.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StandInNamed {
    /// Its name, made of the key under which it was asked: the same is done once.
    #[n(0)]
    pub id: Hash,
    /// Who decides.
    #[n(1)]
    pub stand_in: OperatorId,
    /// From this instant on.
    #[n(2)]
    pub from: Instant,
    /// Up to this instant, which is not part of it.
    #[n(3)]
    pub until: Instant,
}

/// Whoever named a stand-in ends that before its time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StandInEnded {
    /// Which naming.
    #[n(0)]
    pub id: Hash,
}
