//! Double entry: one posting takes from one account and gives to another.
//!
//! A posting is named by the hash of its cause and its place among the postings of that cause, so replaying names it
//! the same. A correction is a further posting of the same cause, so the net effect per cause and account does not
//! depend on the order in which facts arrived.

use std::fmt;

use hufu_shared::ids::{FactId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::money::Leg;
use hufu_shared::time::{Day, Instant};

/// An account of the ledger. House accounts are per office, so no row is everybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What an office has given out; below zero by nature.
    Issuer(OfficeId),
    /// What a member may use.
    Available(MemberId),
    /// What a member owes back; the ledger's only account of a member that lies below zero.
    Owed(MemberId),
}

impl Account {
    /// Name of the kind of account, for the database's checks.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Issuer(_) => "issuer",
            Self::Available(_) => "available",
            Self::Owed(_) => "owed",
        }
    }

    /// The member whose account it is.
    #[must_use]
    pub fn member(&self) -> Option<MemberId> {
        match self {
            Self::Available(member) | Self::Owed(member) => Some(*member),
            Self::Issuer(_) => None,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer(office) => write!(f, "issuer/{office}"),
            Self::Available(member) => write!(f, "member/{member}/available"),
            Self::Owed(member) => write!(f, "member/{member}/owed"),
        }
    }
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Hash of the cause and the ordinal.
    pub id: Hash,
    /// Hash of the cause.
    pub cause: Hash,
    /// Place among the postings of the cause, from 0.
    pub ordinal: u32,
    /// Taken from.
    pub debit: Account,
    /// Given to.
    pub credit: Account,
    /// How much of which unit, above zero.
    pub leg: Leg,
    /// Why, as a code.
    pub code: PostingCode,
    /// The member concerned.
    pub member: Option<MemberId>,
    /// The fact that it rests on.
    pub fact: Option<FactId>,
    /// The case that it rests on.
    pub case: Option<Hash>,
    /// When its fact happened.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
    /// Scheme version.
    pub scheme: u32,
    /// Number of the rule.
    pub rule: Option<String>,
}

/// Why a posting was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostingCode {
    /// Points for a purchase.
    EarnPurchase,
    /// Points for attending.
    EarnActivity,
    /// Another office gave them: the earlier check-in was there.
    IssuerMoved,
    /// What was given is taken back by a verdict.
    Reversal,
}

impl PostingCode {
    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::EarnPurchase => "earn_purchase",
            Self::EarnActivity => "earn_activity",
            Self::IssuerMoved => "issuer_moved",
            Self::Reversal => "reversal",
        }
    }
}

/// The cause of what one fact gave.
#[must_use]
pub fn fact_cause(fact: FactId) -> Hash {
    Hash::of(&[b"hufu-cause-fact", &fact.device.0, &fact.epoch.to_be_bytes(), &fact.seq.to_be_bytes()])
}

/// The cause of what attending an occurrence gave, whichever fact it rests on.
#[must_use]
pub fn attendance_cause(member: MemberId, occurrence: OccurrenceId) -> Hash {
    Hash::of(&[b"hufu-cause-attendance", &member.0, &occurrence.0])
}

/// The name of a posting.
#[must_use]
pub fn posting_id(cause: Hash, ordinal: u32) -> Hash {
    Hash::of(&[b"hufu-posting", &cause.0, &ordinal.to_be_bytes()])
}

/// The name of a case: its kind and what it is about.
#[must_use]
pub fn case_id(kind: u8, about: &[&[u8]]) -> Hash {
    let mut parts: Vec<&[u8]> = vec![b"hufu-case", std::slice::from_ref(&kind)];
    parts.extend_from_slice(about);
    Hash::of(&parts)
}
