//! Numbers that order what the centre publishes, and the version of the protocol itself.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Version of the protocol that this program speaks.
pub const PROTO: u16 = 1;

/// The life of the centre's database. It grows when the centre was restored or found itself rolled back; the random
/// bits tell two restores of the same backup apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Encode, Decode, Serialize, Deserialize)]
pub struct CentralEpoch {
    /// Counts lives, from 1.
    #[n(0)]
    pub n: u32,
    /// 64 random bits.
    #[n(1)]
    pub bits: u64,
}

/// A published version: number `n` within central epoch `epoch`. Never used twice.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize,
)]
pub struct Version {
    /// The `n` of the central epoch.
    #[n(0)]
    pub epoch: u32,
    /// Grows within the epoch; 0 before anything was published.
    #[n(1)]
    pub n: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.n)
    }
}

/// The text met is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version expected as <epoch>.<number>, met {met:?}")]
pub struct ParseVersionError {
    /// The text that was met.
    pub met: String,
}

impl FromStr for Version {
    type Err = ParseVersionError;
    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        let wrong = || ParseVersionError { met: text.to_owned() };
        let (epoch, n) = text.split_once('.').ok_or_else(wrong)?;
        Ok(Self { epoch: epoch.parse().map_err(|_| wrong())?, n: n.parse().map_err(|_| wrong())? })
    }
}
