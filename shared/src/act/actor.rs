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
}

impl Actor {
    /// The person at the console, if it was one.
    #[must_use]
    pub fn staff(&self) -> Option<OperatorId> {
        if let Self::Admin(staff) = self { Some(*staff) } else { None }
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
