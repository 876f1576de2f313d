//! The rows that an entry needs: fetched by the store before, changed only through the outcome.
//!
//! The store fetches what was named as a [`Need`] and never decides; a row too many does no harm. While an entry is
//! applied, the world is carried along, so that each fact sees what the ones before it gave.

mod activity;
mod became;
mod card;
mod case;
mod catalogue;
mod membership;
mod points;
mod scheme;
mod stock;

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{FieldGroup, StockClass};
use hufu_shared::fact::Fact;
use hufu_shared::ids::{
    ActivityId, BootId, CardId, DeviceId, FactId, Hash, ItemId, LeaseId, MemberId, OccurrenceId, OfficeId,
    OperatorId,
};
use hufu_shared::member::{MemberStatus, OccurrenceRow, OfficeRow};
use hufu_shared::money::{Leg, Unit};
use hufu_shared::policy::Policy;
use hufu_shared::rules::activity::SignUp;
use hufu_shared::rules::repeat::Tap;
use hufu_shared::time::{Day, Instant};
use hufu_shared::token::Token;
use hufu_shared::wire::upload::Became;
use hufu_shared::wire::version::Version;
use minicbor::{Decode, Encode};

pub use activity::{Group, KnownActivity, KnownPlace};
pub use became::{became_code, became_from_code};
pub use card::{CardLife, CardTurn, KnownCard, TurnBy};
pub use case::{CaseState, Evidence, KnownCase};
pub use catalogue::{KnownRedemption, Redemptions};
pub use membership::{
    KnownAssociation, KnownFiled, KnownLeaving, KnownLevel, KnownMessage, LevelStep, ValueTurn,
};
pub use points::{
    ByEvent, Decided, GivenForEvent, KnownEvent, KnownPlan, KnownPoints, KnownTrigger, RedeemedLine,
};
pub use scheme::{PublishedScheme, Whose};
pub use stock::{KnownCount, KnownStock, KnownStocktake, StockLine};

use super::birthdays::KnownBirthday;
use super::coupons::KnownCoupon;
use super::joining::application::Association;
use super::joining::details::Details;
use super::judge::interval::BootClock;
use super::judge::issue::Issued;
use super::judge::rate::Kinds;
use super::lease::LeaseRow;
use super::need::Need;
use super::office_day::DayStep;
use super::posting::Account;
use super::ranking::KnownAward;
use super::stand_in::KnownStandIn;

/// All rows that one entry needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// What was fetched; whatever of it is not below does not exist.
    pub fetched: BTreeSet<Need>,
    /// Offices by id.
    pub offices: BTreeMap<OfficeId, OfficeRow>,
    /// Scheme versions.
    pub schemes: BTreeMap<u32, PublishedScheme>,
    /// The club's limits and allowances.
    pub policy: Policy,
    /// The newest business day that was settled.
    pub settled: Option<Day>,
    /// The version of the rules of applying.
    pub apply_version: u32,
    /// Holdings of activities.
    pub occurrences: BTreeMap<OccurrenceId, OccurrenceRow>,
    /// Cards by id.
    pub cards: BTreeMap<CardId, KnownCard>,
    /// Which card a token finds.
    pub tokens: BTreeMap<Token, CardId>,
    /// Devices by id.
    pub devices: BTreeMap<DeviceId, KnownDevice>,
    /// Enrolments of the devices concerned.
    pub epochs: BTreeMap<(DeviceId, u32), KnownEpoch>,
    /// Boots, by seq of their `Booted` fact.
    pub boots: BTreeMap<(DeviceId, u32, u64), KnownBoot>,
    /// Earlier taps with the tokens in question.
    pub taps: BTreeMap<Token, BTreeMap<FactId, Tap>>,
    /// Facts.
    pub facts: BTreeMap<FactId, KnownFact>,
    /// Which facts have a link.
    pub linked: BTreeMap<Hash, BTreeSet<FactId>>,
    /// Check-ins per member and occurrence.
    pub groups: BTreeMap<(MemberId, OccurrenceId), Group>,
    /// Who has, or waits for, a place at an occurrence that has a number of them.
    pub places: BTreeMap<OccurrenceId, BTreeMap<MemberId, KnownPlace>>,
    /// Facts held for a token.
    pub held: BTreeMap<Token, BTreeSet<FactId>>,
    /// Cases by id.
    pub cases: BTreeMap<Hash, KnownCase>,
    /// Which cases wait for a person.
    pub open_cases: BTreeSet<Hash>,
    /// The newest notice number per device.
    pub notices: BTreeMap<DeviceId, u64>,
    /// What the postings of a cause come to.
    pub flows: BTreeMap<Hash, Flows>,
    /// What members have and owe.
    pub purses: BTreeMap<(MemberId, Unit), Purse>,
    /// Which cards stand under a main card.
    pub under: BTreeMap<CardId, BTreeSet<CardId>>,
    /// Which cards a member has.
    pub cards_of: BTreeMap<MemberId, BTreeSet<CardId>>,
    /// The books of shelves.
    pub stock: BTreeMap<(ItemId, OfficeId), KnownStock>,
    /// Names of movements and counts that were booked.
    pub booked: BTreeSet<Hash>,
    /// What closes of day found on shelves.
    pub stocktakes: BTreeMap<(FactId, StockClass), KnownStocktake>,
    /// What members got and used, for expiry.
    pub lots: BTreeMap<MemberId, Vec<Lot>>,
    /// What devices gave on a business day.
    pub issued: BTreeMap<(DeviceId, Day), Issued>,
    /// Members.
    pub members: BTreeMap<MemberId, KnownMember>,
    /// The club's own groups of fields, by code.
    pub field_groups: BTreeMap<String, FieldGroup>,
    /// Commitments to what members' fields of a group say.
    pub customs: BTreeMap<(MemberId, String), Hash>,
    /// Fields of members' data that were changed.
    pub fields: BTreeMap<(MemberId, String), KnownField>,
    /// Leases, by generation.
    pub leases: BTreeMap<(LeaseId, u32), LeaseRow>,
    /// The newest recovery of the centre.
    pub recovery: Recovery,
    /// Of versions of the block list and the directory that facts name: when the newest act in them was taken.
    pub knew: BTreeMap<Version, Instant>,
    /// Applications filed at the centre.
    pub filed: BTreeMap<FactId, KnownFiled>,
    /// What the sales system is to be told of applications.
    pub associations: BTreeMap<(FactId, Association), KnownAssociation>,
    /// Where members' leaving is.
    pub leavings: BTreeMap<MemberId, KnownLeaving>,
    /// What people are to be told.
    pub messages: BTreeMap<Hash, KnownMessage>,
    /// What the club keeps of members beside the base data.
    pub details: BTreeMap<MemberId, Details>,
    /// Of which kinds members were; of those only where a version of the scheme is for some kinds.
    pub kinds: BTreeMap<MemberId, Kinds>,
    /// Activities that were planned.
    pub activities: BTreeMap<ActivityId, KnownActivity>,
    /// Who comes to holdings.
    pub sign_ups: BTreeMap<OccurrenceId, BTreeMap<MemberId, SignUp>>,
    /// Changes of points that somebody made or asked for.
    pub points: BTreeMap<Hash, KnownPoints>,
    /// What makes changes of points by itself.
    pub triggers: BTreeMap<Hash, KnownTrigger>,
    /// Events that somebody told of.
    pub events: BTreeMap<Hash, KnownEvent>,
    /// What was given for the events of members, theirs among them who turned out to be the same.
    pub told: BTreeMap<MemberId, Vec<GivenForEvent>>,
    /// Plans of redemption.
    pub plans: BTreeMap<Hash, KnownPlan>,
    /// Where members' levels stand, of those that ever moved or were brought here.
    pub levels: BTreeMap<MemberId, KnownLevel>,
    /// Coupons.
    pub coupons: BTreeMap<Hash, KnownCoupon>,
    /// Awards of rankings.
    pub awards: BTreeMap<Hash, KnownAward>,
    /// Redemptions from the catalogue.
    pub redemptions: Redemptions,
    /// Uses of birthdays' discounts.
    pub birthdays: BTreeMap<Hash, KnownBirthday>,
    /// Which of them are a member's, and those of who turned out to be the same.
    pub birthdays_of: BTreeMap<MemberId, BTreeSet<Hash>>,
    /// What was done to offices' business days, in order.
    pub office_days: BTreeMap<(OfficeId, Day), Vec<DayStep>>,
    /// Who stands in for whom, by the person and the name of it.
    pub stand_ins: BTreeMap<(OperatorId, Hash), KnownStandIn>,
}

/// A recovery of the centre: it was rolled back, and learns from the terminals what it had set aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Number of the central epoch that it began, 0 if there was none.
    pub epoch: u32,
    /// When it began; none once it has ended.
    pub since: Option<Instant>,
}

impl World {
    /// Whether anything may be taken from what members have available: not while the centre recovers. Every shell asks
    /// before it makes an act of a grant, a raise, a redemption, a transfer, an expiry or a merge.
    #[must_use]
    pub fn may_debit(&self) -> bool {
        self.recovery.since.is_none()
    }

    /// Whether what a member has in a unit is frozen, of a member that was fetched.
    #[must_use]
    pub fn is_frozen(&self, member: MemberId, unit: Unit) -> bool {
        unit == Unit::Cny && self.members.get(&member).is_some_and(KnownMember::is_value_frozen)
    }
}

/// A fact that the centre has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFact {
    /// The fact; none for one that could not be read.
    pub fact: Option<Fact>,
    /// When it happened, as judged: the largest lower bound of it and of all earlier facts of its enrolment.
    pub at: Instant,
    /// The earliest time at which it can have happened.
    pub low: Instant,
    /// The latest.
    pub high: Instant,
    /// Its business day.
    pub day: Day,
    /// Where.
    pub office: OfficeId,
    /// When it was taken in.
    pub received: Instant,
    /// Whose it is judged to be.
    pub member: Option<MemberId>,
    /// How it stands.
    pub standing: Standing,
    /// What a person fixed: it counts, or it does not.
    pub pin: Option<bool>,
    /// Whose a person said it is.
    pub belongs_to: Option<MemberId>,
    /// Its clock claimed what cannot be.
    pub clock_fault: bool,
    /// It passed a limit of issuing when it was taken in, and waits for a person. Judged once, never again.
    pub over_limit: bool,
    /// What a person at the centre took back of it.
    pub at_desk: Option<DeskReturn>,
}

/// What a person at the centre took back of a top-up or a sale; each is taken back so once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeskReturn {
    /// Name of the movement.
    #[n(0)]
    pub id: Hash,
    /// How much.
    #[n(1)]
    pub leg: Leg,
    /// When.
    #[n(2)]
    pub at: Instant,
    /// The business day that it counts to.
    #[n(3)]
    pub day: Day,
}

/// How a fact stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What became of it.
    pub became: Became,
    /// Number of the conflict kind; none if it stands plainly.
    pub kind: Option<u8>,
    /// The case about it. Told with a change; not stored with the fact.
    pub case: Option<Hash>,
}

impl Standing {
    /// It has its effect and nobody needs to look at it.
    pub const PLAIN: Self = Self { became: Became::Applied, kind: None, case: None };

    /// A standing of a kind, with the case that is open about it.
    #[must_use]
    pub fn of(became: Became, kind: u8, case: Option<Hash>) -> Self {
        Self { became, kind: Some(kind), case }
    }

    /// Whether both say the same of the fact, wherever the case may be.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.became, self.kind) == (other.became, other.kind)
    }
}

/// What the postings of one cause come to. A member's `available`, `owed` and recovery loss are one account here, named
/// `available`: how a sum divides among them depends on what else the member has, not on the cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flows {
    /// Credits minus debits per account and unit; none that is zero.
    pub net: BTreeMap<(Account, Unit), i64>,
    /// How many postings there are.
    pub postings: u32,
}

/// What a member has in one unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purse {
    /// May be used now.
    pub available: i64,
    /// Is owed back; never above zero together with `available`.
    pub owed: i64,
    /// Lost in a rollback of the centre, to be paid back first by what leases of that time return.
    pub recovery_loss: i64,
    /// Set aside in leases.
    pub escrow: i64,
}

/// What one cause gave a member or took, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// When, as judged.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
    /// How much; below zero for what was used.
    pub amount: i64,
    /// It only moved into, or out of, this lease.
    pub granted: Option<LeaseId>,
    /// It was spent from this lease.
    pub spent: Option<LeaseId>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMember {
    /// Whether the member takes part.
    pub status: MemberStatus,
    /// Since when the status is what it is.
    pub status_since: Instant,
    /// Who this record was merged into.
    pub merged_into: Option<MemberId>,
    /// The personal data was erased.
    pub erased: bool,
    /// The business day on which the member joined: the grace of the first year counts from it (S3).
    pub joined: Day,
    /// When their stored value was frozen and set free again, oldest first.
    pub value_turns: Vec<ValueTurn>,
}

impl KnownMember {
    /// Whether their stored value is frozen.
    #[must_use]
    pub fn is_value_frozen(&self) -> bool {
        self.value_turns.last().is_some_and(|turn| turn.frozen)
    }
}

/// How often, and when last, a field of a member's data was changed by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownField {
    /// How often: its version, from 1.
    pub changes: u64,
    /// When last.
    pub changed: Instant,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// Where it stands.
    pub office: OfficeId,
    /// What people call it.
    pub name: String,
    /// How it stands.
    pub status: DeviceStatus,
    /// Its newest enrolment, 0 before the first.
    pub epoch: u32,
    /// It gets no lease and no raise until a person has looked (kinds 5, 21 and 22).
    pub leases_frozen: bool,
    /// The newest central epoch under which it reported its leases, 0 for none.
    pub reported_epoch: u32,
}

/// How a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceStatus {
    /// Announced, not yet enrolled.
    Invited,
    /// Works.
    Active,
    /// Showed two histories; waits for a person.
    Forked,
    /// Lost facts; waits for a person.
    Lost,
    /// Ended by a person.
    Revoked,
}

impl DeviceStatus {
    const CODES: [(Self, &'static str); 5] = [
        (Self::Invited, "invited"),
        (Self::Active, "active"),
        (Self::Forked, "forked"),
        (Self::Lost, "lost"),
        (Self::Revoked, "revoked"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("invited", |row| row.1)
    }

    /// The state of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// An enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEpoch {
    /// The first key of the epoch, DER.
    pub first_key: Vec<u8>,
    /// The terminal's sealing key.
    pub seal_key: [u8; 32],
    /// What the board said of itself.
    pub board: Hash,
    /// When it was opened.
    pub enrolled_at: Instant,
    /// The last seq taken in.
    pub acked_seq: u64,
    /// Chain hash there.
    pub head: Hash,
    /// The largest `at` so far: time runs forward within an epoch.
    pub last_at: Instant,
}

/// A boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBoot {
    /// Its random id.
    pub boot: BootId,
    /// What is known of its clock.
    pub clock: BootClock,
}
