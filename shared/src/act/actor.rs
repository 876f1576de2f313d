//! Who performs acts, and what was known then.

use std::fmt;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{DeviceId, OperatorId};

/// Who performed an act.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum Actor {
    /// The program itself, in a named job.
    #[n(0)]
    Job(#[n(0)] String),
    /// A person at the console.
    #[n(1)]
    Admin(#[n(0)] OperatorId),
    /// A command on the centre's own machine.
    #[n(2)]
    Command(#[n(0)] String),
    /// A device, through its own request.
    #[n(3)]
    Device(#[n(0)] DeviceId),
    /// A person at the console who decides in the place of another, named second, who is away and named them for it.
    #[n(4)]
    StandIn(#[n(0)] OperatorId, #[n(1)] OperatorId),
}

impl Actor {
    /// The person at the console, if it was one; of a stand-in the one who sat there.
    #[must_use]
    pub fn staff(&self) -> Option<OperatorId> {
        match self {
            Self::Admin(staff) | Self::StandIn(staff, _) => Some(*staff),
            Self::Job(_) | Self::Command(_) | Self::Device(_) => None,
        }
    }

    /// In whose place a stand-in acts; none for everybody else.
    #[must_use]
    pub fn stands_for(&self) -> Option<OperatorId> {
        if let Self::StandIn(_, person) = self { Some(*person) } else { None }
    }

    /// Whether what a record says was done under this name was done by this actor, or by the one in whose place they act.
    /// Nobody decides what is theirs, neither by a stand-in nor as one.
    #[must_use]
    pub fn owns(&self, name: &str) -> bool {
        let is = |person: &OperatorId| Self::Admin(*person).to_string() == name;
        match self {
            Self::StandIn(staff, person) => is(staff) || is(person),
            _ => self.to_string() == name,
        }
    }
}

/// As records name it: its kind and its name.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(name) => write!(f, "job/{name}"),
            Self::Admin(person) => write!(f, "admin/{person}"),
            Self::Command(name) => write!(f, "command/{name}"),
            Self::Device(device) => write!(f, "device/{device}"),
            Self::StandIn(staff, person) => write!(f, "admin/{staff}/for/{person}"),
        }
    }
}

/// How far a device's facts were known when an act was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct SeenCursor {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Its enrolment.
    #[n(1)]
    pub epoch: u32,
    /// The last seq taken in.
    #[n(2)]
    pub seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case table: who acts, whose it is, whether it is their own.
    #[test]
    fn what_a_stand_in_or_whom_they_stand_in_for_asked_is_their_own() {
        let (away, present, third) = (OperatorId([1; 16]), OperatorId([2; 16]), OperatorId([3; 16]));
        let name = |person: OperatorId| Actor::Admin(person).to_string();
        let stand_in = Actor::StandIn(present, away);
        for (actor, whose, expected) in [
            (Actor::Admin(present), name(present), true),
            (Actor::Admin(present), name(away), false),
            (stand_in.clone(), name(present), true),
            (stand_in.clone(), name(away), true),
            (stand_in.clone(), name(third), false),
            (Actor::Job("points".to_owned()), "job/points".to_owned(), true),
            (Actor::Job("points".to_owned()), name(third), false),
        ] {
            assert_eq!(actor.owns(&whose), expected, "{actor} {whose}");
        }
        assert_eq!((stand_in.staff(), stand_in.stands_for()), (Some(present), Some(away)));
        assert_eq!((Actor::Admin(present).stands_for(), name(present)), (None, format!("admin/{present}")));
        assert_eq!(stand_in.to_string(), format!("admin/{present}/for/{away}"), "both are named");
    }
}
