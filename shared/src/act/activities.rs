//! Acts about activities: plans and their approval (K25, K26), who signs up, and what it costs (K28).

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{ActivityId, Hash, MemberId, OccurrenceId};
use crate::member::OccurrenceRow;
use crate::money::Amount;
use crate::scheme::Words;

/// What is planned, as a whole: a plan that is written again replaces the one before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct ActivityPlan {
    /// Which activity.
    #[n(0)]
    pub activity: ActivityId,
    /// Its name.
    #[n(1)]
    pub name: Words,
    /// Dictionary code of its kind.
    #[n(2)]
    pub kind: String,
    /// Where it is held, as members are told.
    #[n(3)]
    pub place: String,
    /// What happens there (活动方案).
    #[n(4)]
    pub programme: String,
    /// How many are expected.
    #[n(5)]
    pub heads: u32,
    /// What it is expected to cost, in fen.
    #[n(6)]
    pub cost: Amount,
    /// How often a member comes in; none in plans from before that was chosen.
    #[n(7)]
    pub admission: Option<Admission>,
}

/// How often a member comes in, as the plan chose. Terminals are told by the holdings themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// Once for each holding.
    #[default]
    #[n(0)]
    Once,
    /// Once a day: each day is a holding of its own, so a terminal that is offline tells the days apart.
    #[n(1)]
    Daily,
    /// Any number of times.
    #[n(2)]
    Reentry,
    /// Once, with who leaves seen at the exit: who went out that way may come back.
    #[n(3)]
    Exits,
}

impl Admission {
    /// All, with their codes in API and forms.
    pub const CODES: [(Self, &'static str); 4] =
        [(Self::Once, "once"), (Self::Daily, "daily"), (Self::Reentry, "reentry"), (Self::Exits, "exits")];

    /// The code in API and forms.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("once", |row| row.1)
    }

    /// The one of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    /// Whether its holdings admit a member once only.
    #[must_use]
    pub fn admits_once(self) -> bool {
        self != Self::Reentry
    }

    /// Whether its holdings count who leaves.
    #[must_use]
    pub fn exits(self) -> bool {
        self == Self::Exits
    }

    /// What a holding of an older plan was set to.
    #[must_use]
    pub fn of(holding: &OccurrenceRow) -> Self {
        match (holding.admits_once, holding.exits) {
            (_, true) => Self::Exits,
            (true, false) => Self::Once,
            (false, false) => Self::Reentry,
        }
    }
}

/// A plan with the holdings that it consists of. Until it is approved none of them takes attendance.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ActivityPlanned {
    /// What is planned.
    #[n(0)]
    pub plan: ActivityPlan,
    /// All holdings; one that stood in the plan before and is not among them is called off.
    #[n(1)]
    pub occurrences: Vec<OccurrenceRow>,
}

/// A plan was approved, or sent back (K26). Nobody decides what they planned themselves.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ActivityDecided {
    /// Which.
    #[n(0)]
    pub activity: ActivityId,
    /// Whether it may run.
    #[n(1)]
    pub approved: bool,
    /// Commitment to the reason.
    #[n(2)]
    pub reason: Hash,
}

/// A holding was ended (结束): it takes no attendance any more (K26).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OccurrenceEnded {
    /// Which.
    #[n(0)]
    pub occurrence: OccurrenceId,
    /// Commitment to the reason.
    #[n(1)]
    pub reason: Hash,
}

/// What a member says, or is asked, about coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum SignUpStep {
    /// The club invites the member; no place is kept.
    #[n(0)]
    Invite,
    /// The member wants to come: has a place, or waits for one.
    #[n(1)]
    SignUp,
    /// The member does not come; the place goes to whoever waits longest.
    #[n(2)]
    Cancel,
}

/// A step about a member's coming to a holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedUp {
    /// To which.
    #[n(0)]
    pub occurrence: OccurrenceId,
    /// Who.
    #[n(1)]
    pub member: MemberId,
    /// Which step.
    #[n(2)]
    pub step: SignUpStep,
    /// How many companions the member brings along who signs up; none for nobody.
    #[n(3)]
    pub companions: Option<u32>,
}

/// Members with a place at a holding are to be reminded of it, once for each start that it had.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RemindersDue {
    /// Which holding.
    #[n(0)]
    pub occurrence: OccurrenceId,
    /// Who.
    #[n(1)]
    pub members: Vec<MemberId>,
}

/// An item of what an activity cost, by its number (K28); written again it replaces what stood.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ActivityCostSet {
    /// Which activity.
    #[n(0)]
    pub activity: ActivityId,
    /// Number of the item, from 1.
    #[n(1)]
    pub item: u32,
    /// What was paid for.
    #[n(2)]
    pub what: String,
    /// The holding that it was for; none for what is common to all and shared out among them (平摊).
    #[n(3)]
    pub occurrence: Option<OccurrenceId>,
    /// Fen; zero takes the item out.
    #[n(4)]
    pub cost: Amount,
}
