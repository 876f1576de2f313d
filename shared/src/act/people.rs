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
    /// Others of their enrolments still wait: the case about them stays open.
    #[n(2)]
    #[cbor(default)]
    pub others_wait: bool,
}

/// A change of a member's data by a person. The values are sealed beside the journal, as always.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProfileSet {
    /// Whose data.
    #[n(0)]
    pub member: MemberId,
    /// What was said of each field.
    #[n(1)]
    pub changes: Vec<FieldSet>,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
    /// Commitments to the member's data before and after: what stood there and what stands there now are sealed under
    /// them. None where nothing was changed.
    #[n(3)]
    pub data: Option<(Hash, Hash)>,
}

/// What a person said of one field of a member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FieldSet {
    /// Dictionary code of the field.
    #[n(0)]
    pub field: String,
    /// The request that was dealt with; none if nobody had asked.
    #[n(1)]
    pub request: Option<FactId>,
    /// Whether the field was changed: the request's value was taken over, or another one written.
    #[n(2)]
    pub taken_over: bool,
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
    /// The one formal member with the same document number (rule K6): then nobody need decide, and the lists are empty.
    #[n(3)]
    pub same_document: Option<MemberId>,
}
