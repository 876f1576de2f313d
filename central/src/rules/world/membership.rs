//! Joining, leaving and the freezing of stored value, as apply knows them.

use hufu_shared::act::LevelMove;
use hufu_shared::ids::{FactId, Hash, MemberId, OccurrenceId, OfficeId, OperatorId};
use hufu_shared::rules::level::Standing;
use hufu_shared::time::{Day, Instant};
use minicbor::{Decode, Encode};

use crate::rules::joining::eligible;
use crate::rules::joining::notice::About;
use crate::rules::joining::{application, leaving};

/// From when on a member's stored value was frozen, or free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ValueTurn {
    /// From when on.
    #[n(0)]
    pub since: Instant,
    /// Whether it is frozen then.
    #[n(1)]
    pub frozen: bool,
}

/// An application that was filed at the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFiled {
    /// Dictionary code of the route.
    pub route: String,
    /// Dictionary code of the sub-kind of the service centre's route.
    pub way: Option<String>,
    /// Dictionary code of the kind of member.
    pub kind: String,
    /// The office that wins the member.
    pub office: Option<OfficeId>,
    /// Who recommended the applicant.
    pub referrer: Option<MemberId>,
    /// Commitment to what it says.
    pub form: Hash,
    /// Business day of filing.
    pub day: Day,
    /// When it was filed.
    pub filed: Instant,
    /// Where it is.
    pub state: application::State,
    /// Whose it is.
    pub member: Option<MemberId>,
    /// Whether it was looked up whom it looks like.
    pub looked_up: bool,
    /// When it last changed.
    pub changed: Instant,
    /// What the applicant is to the club (K1).
    pub standing: eligible::Standing,
    /// Whether the sales system made it of a purchase (K4).
    pub automatic: bool,
    /// Who of a dealer's people cares for it (L1).
    pub carer: Option<OperatorId>,
}

/// What the sales system is to be told of an application (K9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAssociation {
    /// Whose the application is.
    pub member: MemberId,
    /// Since when it is to be told.
    pub due: Instant,
    /// When it was done.
    pub done: Option<Instant>,
}

/// Where somebody's leaving is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLeaving {
    /// Dictionary code of its kind.
    pub kind: String,
    /// Where it is.
    pub state: leaving::State,
    /// Whether a rule of the club put it down, and no person.
    pub automatic: bool,
    /// When it was put down.
    pub filed: Instant,
    /// When it last changed.
    pub changed: Instant,
}

/// Something that a person is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMessage {
    /// What.
    pub about: About,
    /// The member; none for an applicant who is none.
    pub member: Option<MemberId>,
    /// The application that it is about.
    pub application: Option<FactId>,
    /// Since when it is due.
    pub due: Instant,
    /// When it was told.
    pub told: Option<Instant>,
    /// In which round, 0 while it is due.
    pub round: u32,
    /// By which channel.
    pub channel: Option<String>,
    /// The Monday of the week that it is about, of a message about purchases.
    pub week: Option<Day>,
    /// The holding of an activity that it is about.
    pub occurrence: Option<OccurrenceId>,
}

/// Where a member's level stands, of one whose level ever moved, or who was brought here on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownLevel {
    /// How many steps it took.
    pub steps: u32,
    /// As of which business day it was last moved, or brought.
    pub day: Day,
    /// Where the member stands.
    pub standing: Standing,
}

/// A step of a member's level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelStep {
    /// The step.
    pub moved: LevelMove,
    /// Version of the scheme whose levels they are; 0 where none had begun.
    pub scheme: u32,
}
