//! Acts about joining and leaving, what people are told of it, and the words of the dictionaries.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{FactId, Hash, MemberId, OfficeId, OperatorId};

/// An application that was filed at the centre itself: by the service centre, or by the website through the interface
/// (K3). What it says is sealed beside the journal, as a terminal's form is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ApplicationFiled {
    /// Its name: one that [`FactId::filed`] gave.
    #[n(0)]
    pub application: FactId,
    /// Dictionary code of the route.
    #[n(1)]
    pub route: String,
    /// Dictionary code of the sub-kind of the service centre's route.
    #[n(2)]
    pub way: Option<String>,
    /// Dictionary code of the kind of member that the applicant would be.
    #[n(3)]
    pub kind: String,
    /// The office that wins the member, if any.
    #[n(4)]
    pub office: Option<OfficeId>,
    /// The member who recommended the applicant.
    #[n(5)]
    pub referrer: Option<MemberId>,
    /// Commitment to what it says.
    #[n(6)]
    pub form: Hash,
    /// What the applicant is to the club (K1): code of a standing.
    #[n(7)]
    pub standing: String,
    /// Whether the sales system made it of a purchase (K4); else a person filed it.
    #[n(8)]
    pub automatic: bool,
    /// Who of a dealer's people entered it, and cares for it (L1).
    #[n(9)]
    pub carer: Option<OperatorId>,
}

/// What became of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationEnd {
    /// It became this new member.
    #[n(0)]
    Joined(#[n(0)] MemberId),
    /// It is of this member.
    #[n(1)]
    Bound(#[n(0)] MemberId),
    /// It was turned down.
    #[n(2)]
    Rejected,
    /// Nobody could verify or decide it in time; it can be completed later (G2).
    #[n(3)]
    Lapsed,
}

/// An application that looks like nobody was decided, or one was turned down or lapsed. Those with look-alikes are
/// decided as cases.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ApplicationDecided {
    /// Which.
    #[n(0)]
    pub application: FactId,
    /// How.
    #[n(1)]
    pub end: ApplicationEnd,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// A member is put down as leaving 待退 (K11).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaveFiled {
    /// Who.
    #[n(0)]
    pub member: MemberId,
    /// Dictionary code of the kind of leaving (K12).
    #[n(1)]
    pub kind: String,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// A leaving was audited (K11).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LeaveDecided {
    /// Who.
    #[n(0)]
    pub member: MemberId,
    /// Whether the record is archived 归档; else the member stays.
    #[n(1)]
    pub archived: bool,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// An archived member is a member again (C5).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberRestored {
    /// Who.
    #[n(0)]
    pub member: MemberId,
    /// Commitment to the reason typed by the person.
    #[n(1)]
    pub reason: Hash,
}

/// A round of telling people: these are 已通知 (K2).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessagesTold {
    /// Which round, from 1.
    #[n(0)]
    pub round: u32,
    /// Dictionary code of the channel (K10).
    #[n(1)]
    pub channel: String,
    /// Which messages.
    #[n(2)]
    pub messages: Vec<Hash>,
}

/// The sales system has done what it was told of an application (K9).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AssociationDone {
    /// Of which application.
    #[n(0)]
    pub application: FactId,
    /// Code of the step.
    #[n(1)]
    pub step: String,
}

/// Somebody else cares for a member or an application from now on (L1).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CarerSet {
    /// For whom or what.
    #[n(0)]
    pub of: CaredFor,
    /// Who.
    #[n(1)]
    pub carer: OperatorId,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}

/// For whom or what somebody cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum CaredFor {
    /// A member.
    #[n(0)]
    Member(#[n(0)] MemberId),
    /// An application that was filed at the centre.
    #[n(1)]
    Application(#[n(0)] FactId),
}
