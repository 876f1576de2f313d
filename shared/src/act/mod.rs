//! Acts: what the centre did. With the batches of facts they are all that the central journal holds and all that
//! `apply` reads, so replaying them gives the same members, cards, balances and cases.
//!
//! An act holds nothing personal: names and notes are commitments, their sealed text lies beside the journal and can
//! be erased without breaking the chain.

use minicbor::{Decode, Encode};
use serde::Serialize;

mod activities;
mod actor;
mod birthdays;
mod brought;
mod cards;
mod catalogue;
mod coupons;
mod details;
mod device;
mod inbox;
mod joining;
mod lease;
mod levels;
mod member_day;
mod name;
mod office_day;
mod people;
mod points;
mod redemption;
mod stand_ins;
mod stock;
mod told;
mod value;

pub use activities::*;
pub use actor::*;
pub use birthdays::*;
pub use brought::*;
pub use cards::*;
pub use catalogue::*;
pub use coupons::*;
pub use details::*;
pub use device::*;
pub use inbox::*;
pub use joining::*;
pub use lease::*;
pub use levels::*;
pub use member_day::*;
pub use office_day::*;
pub use people::*;
pub use points::*;
pub use redemption::*;
pub use stand_ins::*;
pub use stock::*;
pub use told::*;
pub use value::*;

use crate::dictionary::Term;
use crate::ids::{FactId, Hash, MemberId, OfficeId};
use crate::member::{MemberStatus, OccurrenceRow, OfficeRow};
use crate::policy::Policy;
use crate::scheme::{SchemeTerms, Words};
use crate::time::Day;
use crate::wire::version::CentralEpoch;

/// What the centre did. Numbers are given for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Act {
    /// An office was set up or changed.
    #[n(0)]
    OfficeSet(#[n(0)] OfficeRow),
    /// A holding of an activity was planned, approved, changed or ended.
    #[n(1)]
    OccurrenceSet(#[n(0)] OccurrenceRow),
    /// A scheme version was published.
    #[n(2)]
    SchemeSet(#[n(0)] SchemeTerms),
    /// Members were added or changed.
    #[n(3)]
    MembersSet(#[n(0)] Vec<MemberSet>),
    /// Cards were registered or changed.
    #[n(4)]
    CardsSet(#[n(0)] Vec<CardSet>),
    /// A card's state was changed by a person.
    #[n(5)]
    CardStatusSet(#[n(0)] CardStatusSet),
    /// A terminal was announced and may enrol.
    #[n(6)]
    DeviceInvited(#[n(0)] DeviceInvited),
    /// A terminal enrolled, for the first time or again; opens an epoch.
    #[n(7)]
    DeviceEnrolled(#[n(0)] DeviceEnrolled),
    /// A terminal renewed its certificate with a new key.
    #[n(8)]
    DeviceRenewed(#[n(0)] DeviceKey),
    /// A terminal was revoked: stolen, broken or retired.
    #[n(9)]
    DeviceRevoked(#[n(0)] DeviceEnded),
    /// A person decided a case.
    #[n(10)]
    CaseDecided(#[n(0)] CaseDecided),
    /// The centre entered a new epoch after a restore or rollback.
    #[n(11)]
    EpochBegun(#[n(0)] CentralEpoch),
    /// A scheduled job ran.
    #[n(12)]
    JobRan(#[n(0)] JobRan),
    /// A business day was settled: later facts are judged against what stands.
    #[n(13)]
    DaySettled(#[n(0)] Day),
    /// The club was founded: the first act of every journal.
    #[n(14)]
    ClubFounded(#[n(0)] ClubFounded),
    /// A lease was granted, raised, granted again or its conditions changed: its whole state from now on.
    #[n(15)]
    LeaseSet(#[n(0)] LeaseSet),
    /// A lease was written off by a person: what it had left goes back to the member, and a later spend is a loss.
    #[n(16)]
    LeaseWrittenOff(#[n(0)] LeaseEnded),
    /// A device reported the signed lease states that it holds, after a rollback of the centre.
    #[n(17)]
    LeasesReported(#[n(0)] LeasesReported),
    /// Every terminal has reported, or a person ended the wait for those that have not.
    #[n(18)]
    RecoveryEnded(#[n(0)] RecoveryEnded),
    /// Two members are one person: the survivor keeps everything.
    #[n(19)]
    MembersMerged(#[n(0)] MembersMerged),
    /// A merge was wrong and is taken apart again.
    #[n(20)]
    MembersUnmerged(#[n(0)] MembersMerged),
    /// A member's personal data was erased; a pseudonymous record stays.
    #[n(21)]
    MemberErased(#[n(0)] MemberErased),
    /// Facts that were set aside take effect now.
    #[n(22)]
    FactsReleased(#[n(0)] FactsReleased),
    /// Goods came in, moved, were given out or spoiled.
    #[n(23)]
    StockMoved(#[n(0)] StockMoved),
    /// Points or money were moved at the centre itself, with the member's balance at hand.
    #[n(24)]
    ValueMoved(#[n(0)] ValueMoved),
    /// Points that had reached their cut-off were taken off, or re-reckoned, for these members.
    #[n(25)]
    PointsExpired(#[n(0)] PointsExpired),
    /// Applications or members that look like an application were found.
    #[n(26)]
    LookAlikesFound(#[n(0)] LookAlikesFound),
    /// The rules of applying changed: the whole derived state at this place is the new base of replay.
    #[n(27)]
    ApplyVersionSet(#[n(0)] ApplyVersionSet),
    /// The club's limits and allowances were set.
    #[n(28)]
    PolicySet(#[n(0)] Box<Policy>),
    /// Cases whose time was up ended by themselves.
    #[n(29)]
    CasesEnded(#[n(0)] CasesEnded),
    /// A person changed a member's data, or dealt with requests to change it.
    #[n(30)]
    ProfileSet(#[n(0)] ProfileSet),
    /// Words of dictionaries were added, changed or retired.
    #[n(40)]
    DictionarySet(#[n(0)] Vec<Term>),
    /// An application was filed at the centre itself.
    #[n(41)]
    ApplicationFiled(#[n(0)] ApplicationFiled),
    /// An application was decided, turned down, or lapsed.
    #[n(42)]
    ApplicationDecided(#[n(0)] ApplicationDecided),
    /// A member was put down as leaving.
    #[n(43)]
    LeaveFiled(#[n(0)] LeaveFiled),
    /// A leaving was audited.
    #[n(44)]
    LeaveDecided(#[n(0)] LeaveDecided),
    /// An archived member came back.
    #[n(45)]
    MemberRestored(#[n(0)] MemberRestored),
    /// People were told what became of their matter.
    #[n(46)]
    MessagesTold(#[n(0)] MessagesTold),
    /// What the club keeps of a member beside the base data was set.
    #[n(47)]
    MemberDetailSet(#[n(0)] MemberDetailSet),
    /// A group of the club's own fields was set up or changed.
    #[n(48)]
    FieldGroupSet(#[n(0)] FieldGroup),
    /// A member's fields of a group were filled in.
    #[n(49)]
    CustomSet(#[n(0)] CustomSet),
    /// A person read protected fields of a member, as they stand there.
    #[n(50)]
    DataOpened(#[n(0)] DataOpened),
    /// The sales system has done what it was told of an application.
    #[n(51)]
    AssociationDone(#[n(0)] AssociationDone),
    /// Somebody else cares for a member or an application.
    #[n(52)]
    CarerSet(#[n(0)] CarerSet),
    /// Cards were issued, singly or in batch.
    #[n(55)]
    CardsIssued(#[n(0)] Vec<CardIssue>),
    /// A card was replaced at the centre.
    #[n(56)]
    CardExchanged(#[n(0)] Box<CardExchanged>),
    /// Cards ended by what time or their main card brought.
    #[n(57)]
    CardsEnded(#[n(0)] CardsEnded),
    /// Main cards are to be changed by their members' points.
    #[n(58)]
    CardChangesDue(#[n(0)] CardChangesDue),
    /// Items of stock were set up or changed.
    #[n(59)]
    StockItemsSet(#[n(0)] Vec<StockItem>),
    /// A shelf was counted.
    #[n(60)]
    StockCounted(#[n(0)] StockCounted),
    /// A person explained the difference that a close of day found.
    #[n(61)]
    StockExplained(#[n(0)] StockExplained),
    /// An activity was planned, or planned anew.
    #[n(90)]
    ActivityPlanned(#[n(0)] Box<ActivityPlanned>),
    /// A plan was approved, or sent back.
    #[n(91)]
    ActivityDecided(#[n(0)] ActivityDecided),
    /// A holding of an activity was ended.
    #[n(92)]
    OccurrenceEnded(#[n(0)] OccurrenceEnded),
    /// A member was invited to a holding, signed up, or cancelled.
    #[n(93)]
    SignedUp(#[n(0)] SignedUp),
    /// An item of what an activity cost was written down.
    #[n(94)]
    ActivityCostSet(#[n(0)] ActivityCostSet),
    /// Members are to be reminded of a holding that they have a place at.
    #[n(95)]
    RemindersDue(#[n(0)] RemindersDue),
    /// A member's stored value was frozen, or is so no more.
    #[n(65)]
    ValueFrozen(#[n(0)] ValueFrozen),
    /// Stored value went from one member to another.
    #[n(66)]
    ValueCarried(#[n(0)] ValueCarried),
    /// Balances of another system were opened here.
    #[n(80)]
    BalancesOpened(#[n(0)] BalancesOpened),
    /// Transactions of another system were brought here, to be shown.
    #[n(81)]
    HistoryBrought(#[n(0)] HistoryBrought),
    /// A list was taken out.
    #[n(82)]
    DataExported(#[n(0)] DataExported),
    /// Points were changed for a cause, or asked to be.
    #[n(70)]
    PointsChanged(#[n(0)] PointsChanged),
    /// Changes of points that waited were approved or returned.
    #[n(71)]
    PointsDecided(#[n(0)] PointsDecided),
    /// What makes changes of points by itself was set up or ended.
    #[n(72)]
    PointsTriggerSet(#[n(0)] PointsTrigger),
    /// Those who bought in a week are to be told what was recorded of it.
    #[n(73)]
    PurchasesDue(#[n(0)] PurchasesDue),
    /// A redemption was planned, or its plan changed.
    #[n(74)]
    RedemptionPlanned(#[n(0)] Box<RedemptionPlan>),
    /// A plan of redemption was approved, returned or ended.
    #[n(75)]
    RedemptionStepped(#[n(0)] RedemptionStepped),
    /// A plan was carried out for these members.
    #[n(76)]
    RedemptionRun(#[n(0)] RedemptionRun),
    /// Points went from one member to another.
    #[n(110)]
    PointsTransferred(#[n(0)] PointsTransferred),
    /// Members rose or fell in level, or kept theirs.
    #[n(111)]
    LevelsMoved(#[n(0)] LevelsMoved),
    /// Coupons were given by the club's own rules.
    #[n(112)]
    CouponsGiven(#[n(0)] CouponsGiven),
    /// A coupon was used.
    #[n(113)]
    CouponUsed(#[n(0)] CouponUsed),
    /// Somebody told of an event that earns and is no purchase.
    #[n(120)]
    EventTold(#[n(0)] Box<EventTold>),
    /// An event that was told wrongly was taken back.
    #[n(121)]
    EventTakenBack(#[n(0)] EventTakenBack),
    /// Points were filled up on a member day.
    #[n(125)]
    PointsFilledUp(#[n(0)] PointsFilledUp),
    /// The first of a period were found.
    #[n(126)]
    MembersRanked(#[n(0)] MembersRanked),
    /// The award of a ranking was given.
    #[n(127)]
    RankingAwarded(#[n(0)] RankingAwarded),
    /// A member redeemed points for one thing of the catalogue, or asked to.
    #[n(130)]
    ItemRedeemed(#[n(0)] ItemRedeemed),
    /// A redemption that waited was approved or returned.
    #[n(131)]
    ItemDecided(#[n(0)] ItemDecided),
    /// A redemption was taken back.
    #[n(132)]
    ItemTakenBack(#[n(0)] ItemTakenBack),
    /// A birthday's discount was used.
    #[n(135)]
    BirthdayUsed(#[n(0)] BirthdayUsed),
    /// A use of a birthday's discount was taken back.
    #[n(136)]
    BirthdayTakenBack(#[n(0)] BirthdayTakenBack),
    /// A person gave the reason of a difference of an office's day.
    #[n(155)]
    DayExplained(#[n(0)] DayExplained),
    /// A person signed an office's day.
    #[n(156)]
    DaySigned(#[n(0)] DaySigned),
    /// A signed day of an office was opened again.
    #[n(157)]
    DayReopened(#[n(0)] DayReopened),
    /// Somebody named who decides in their place while they are away.
    #[n(160)]
    StandInNamed(#[n(0)] StandInNamed),
    /// They ended that before its time.
    #[n(161)]
    StandInEnded(#[n(0)] StandInEnded),
    /// Cases were handed to somebody, or to nobody again.
    #[n(164)]
    CasesHanded(#[n(0)] CasesHanded),
    /// Cases were put off, or are so no more.
    #[n(165)]
    CasesPutOff(#[n(0)] CasesPutOff),
}

/// A change of the rules of applying.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ApplyVersionSet {
    /// The version from here on.
    #[n(0)]
    pub version: u32,
    /// Hash of the whole derived state at this place, as dumped beside the journal.
    #[n(1)]
    pub state: Hash,
}

/// Cases that ended by time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CasesEnded {
    /// Which.
    #[n(0)]
    pub cases: Vec<Hash>,
}

/// The founding of a club.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClubFounded {
    /// Its id.
    #[n(0)]
    pub club: crate::ids::ClubId,
    /// Its name.
    #[n(1)]
    pub name: Words,
    /// The first central epoch.
    #[n(2)]
    pub epoch: CentralEpoch,
}

/// A member as the journal knows them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberSet {
    /// Who.
    #[n(0)]
    pub member: MemberId,
    /// The number under which the club's own papers know the member; pseudonymous, unique.
    #[n(1)]
    pub number: String,
    /// Level, as people read it.
    #[n(2)]
    pub level: Option<Words>,
    /// Whether the member takes part.
    #[n(3)]
    pub status: MemberStatus,
    /// The office that won the member, if any.
    #[n(4)]
    pub office: Option<OfficeId>,
    /// Commitment to the sealed personal data.
    #[n(5)]
    pub personal: Hash,
    /// The business day on which the member joined; none for the day that the club has, or else that of the act. A new
    /// member of whom nobody says it is brought in and did not join then: nobody is welcomed for that (S10).
    #[n(6)]
    pub joined: Option<Day>,
}

/// What a verdict fixes for one fact. Pins are constraints: the rule first gives what they take, then shares the rest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Pin {
    /// The fact.
    #[n(0)]
    pub fact: FactId,
    /// What becomes of it.
    #[n(1)]
    pub outcome: PinOutcome,
}

/// What a pin says of its fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PinOutcome {
    /// It counts.
    #[n(0)]
    Counts,
    /// It does not count.
    #[n(1)]
    DoesNotCount,
    /// It belongs to this member.
    #[n(2)]
    BelongsTo(#[n(0)] MemberId),
}

/// What a person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// 确认有效: the automatic outcome stands.
    #[n(0)]
    Confirm,
    /// 冲正: what was given is taken back.
    #[n(1)]
    Reverse,
    /// 合并: both are one.
    #[n(2)]
    Merge,
    /// The unknown card is bound to a member.
    #[n(3)]
    Bind,
    /// The unknown card's facts have no effect.
    #[n(4)]
    Discard,
    /// Taken note of; nothing changes.
    #[n(5)]
    Acknowledge,
}

/// A decision of a case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CaseDecided {
    /// Which case: the hash of its cause.
    #[n(0)]
    pub case: Hash,
    /// The decision.
    #[n(1)]
    pub verdict: Verdict,
    /// What it fixes.
    #[n(2)]
    pub pins: Vec<Pin>,
    /// Commitment to the reason typed by the person.
    #[n(3)]
    pub reason: Hash,
}

/// A run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct JobRan {
    /// Its name.
    #[n(0)]
    pub job: String,
    /// The day that it ran for.
    #[n(1)]
    pub day: Day,
}
