//! Acts about who is who: merging, erasing, what looks alike, and facts let out of quarantine.

use minicbor::{Decode, Encode};

use crate::ids::{FactId, Hash, MemberId};

/// Two records of one person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MembersMerged {
    /// Who stays.
    #[n(0)]
    pub survivor: MemberId,
    /// Who is merged into the survivor.
    #[n(1)]
    pub merged: MemberId,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberErased {
    /// Whose data.
    #[n(0)]
    pub member: MemberId,
    /// Commitment to the reason typed by the person.
    #[n(1)]
    pub reason: Hash,
}

/// A release of facts from quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FactsReleased {
    /// Which facts.
    #[n(0)]
    pub facts: Vec<FactId>,
    /// Commitment to the reason typed by the person.
    #[n(1)]
    pub reason: Hash,
}

/// What looks like an application.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LookAlikesFound {
    /// The application.
    #[n(0)]
    pub application: FactId,
    /// Members that look alike.
    #[n(1)]
    pub members: Vec<MemberId>,
    /// Other applications that look alike.
    #[n(2)]
    pub applications: Vec<FactId>,
}
