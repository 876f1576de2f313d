//! Group 2, the part that is the scheme's own: from when on points count. Who may join, by what people are recognised and
//! who leaves by the club's rule are [`crate::joining::JoiningTerms`]; the scheme sets them and the policy is told.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// From when on points count (contradiction X8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum PointsStart {
    /// From the day on which the first card of any sort was issued (rule S4: on that very day).
    #[default]
    #[n(0)]
    Issue,
    /// From the day on which the data were verified (rules G1 and G2).
    #[n(1)]
    Verified,
    /// From the day on which a main card was issued (rule K15).
    #[n(2)]
    MainCard,
}
