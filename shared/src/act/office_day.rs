//! Acts about the close of an office's business day 日结: a reason for a difference, a signature, and a reopening.
//!
//! A day is signed by two people who saw the same figures; the second signature is the position of the journal at which it
//! is closed. What is taken in after that belongs to the day on which it came and says which day it concerns. Out of scope:
//! the terminal's own close of day ([`crate::fact::DayClosed`]), and which figures a day has.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{DeviceId, Hash, OfficeId};
use crate::money::Amount;
use crate::time::Day;

/// The figures of an office's day, as a person signs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct DayFigures {
    /// Terminals of which something was to come.
    #[n(0)]
    pub expected: u64,
    /// Those of them whose day is here whole.
    #[n(1)]
    pub reported: u64,
    /// Those that may still hold facts of the day.
    #[n(2)]
    pub missing: u64,
    /// Facts of the day that are here.
    #[n(3)]
    pub facts: u64,
    /// Cases about them that wait for a person.
    #[n(4)]
    pub open_cases: u64,
    /// Points that displays promised.
    #[n(5)]
    pub promised: Amount,
    /// Points that the ledger gave for the same facts.
    #[n(6)]
    pub posted: Amount,
    /// Points that differ without anything that explains them.
    #[n(7)]
    pub unexplained: Amount,
    /// Fen that came into drawers and accounts, less what went out of them.
    #[n(8)]
    pub cash_net: Amount,
}

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum DayMatter {
    /// A terminal may still hold facts of the day.
    #[n(0)]
    Missing,
    /// A terminal recorded something and did not close its day.
    #[n(1)]
    NotClosed,
    /// What a terminal says is not what the ledger has.
    #[n(2)]
    Differs,
    /// The drawer held something else than the terminal expected.
    #[n(3)]
    Drawer,
    /// Cases about the day's facts wait for a person.
    #[n(4)]
    Cases,
}

impl DayMatter {
    /// The code in the API and in keys of words.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotClosed => "not_closed",
            Self::Differs => "differs",
            Self::Drawer => "drawer",
            Self::Cases => "cases",
        }
    }
}

/// A person gave the reason of a difference. It stands for the difference as it was: one that changed needs another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DayExplained {
    /// Where.
    #[n(0)]
    pub office: OfficeId,
    /// Which business day.
    #[n(1)]
    pub day: Day,
    /// Name of the difference: the hash of what it is and how large.
    #[n(2)]
    pub difference: Hash,
    /// What it is about.
    #[n(3)]
    pub matter: DayMatter,
    /// The terminal, if it is one's.
    #[n(4)]
    pub device: Option<DeviceId>,
    /// Commitment to the reason that was typed.
    #[n(5)]
    pub reason: Hash,
}

/// A person signed a day. The second of two people who signed the same closes it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DaySigned {
    /// Where.
    #[n(0)]
    pub office: OfficeId,
    /// Which business day.
    #[n(1)]
    pub day: Day,
    /// Hash of the figures and of all differences: two signatures stand for the same if this is the same.
    #[n(2)]
    pub seen: Hash,
    /// The figures.
    #[n(3)]
    pub figures: DayFigures,
}

/// A signed day was opened again; it needs both signatures anew.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DayReopened {
    /// Where.
    #[n(0)]
    pub office: OfficeId,
    /// Which business day.
    #[n(1)]
    pub day: Day,
    /// Commitment to the reason that was typed.
    #[n(2)]
    pub reason: Hash,
}
