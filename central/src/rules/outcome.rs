//! The rows that applying an entry gives. The store writes them, all or none, and adds nothing of its own.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{
    ActivityCostSet, CardSet, ClubFounded, DataExported, FieldGroup, MemberSet, PastLine, StockClass,
    StockItem,
};
use hufu_shared::dictionary::Term;
use hufu_shared::fact::Event;
use hufu_shared::ids::{
    ActivityId, CardId, DeviceId, FactId, Hash, ItemId, LeaseId, MemberId, OccurrenceId, OfficeId, OperatorId,
};
use hufu_shared::member::{CardStatus, OccurrenceRow, OfficeRow};
use hufu_shared::money::Leg;
use hufu_shared::policy::Policy;
use hufu_shared::rules::activity::SignUp;
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::time::{Day, Instant};
use hufu_shared::token::Token;
use hufu_shared::wire::upload::{Became, Disposition};
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::birthdays::KnownBirthday;
use super::coupons::KnownCoupon;
use super::joining::application::Association;
use super::joining::details::Details;
use super::judge::issue::Issued;
use super::lease::LeaseRow;
use super::office_day::DayStep;
use super::posting::Posting;
use super::ranking::KnownAward;
use super::stand_in::KnownStandIn;
use super::world::{
    CardLife, CardTurn, Group, KnownActivity, KnownAssociation, KnownBoot, KnownCase, KnownDevice,
    KnownEpoch, KnownEvent, KnownFact, KnownField, KnownFiled, KnownLeaving, KnownMember, KnownMessage,
    KnownPlan, KnownPoints, KnownRedemption, KnownStock, KnownStocktake, KnownTrigger, LevelStep, Recovery,
    RedeemedLine, StockLine,
};

/// All rows that one entry gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The club, when it is founded.
    pub club: Option<ClubFounded>,
    /// A new life of the centre.
    pub central_epoch: Option<CentralEpoch>,
    /// Offices set.
    pub offices: Vec<OfficeRow>,
    /// Holdings set.
    pub occurrences: Vec<OccurrenceRow>,
    /// Scheme versions published.
    pub schemes: Vec<SchemeTerms>,
    /// Members set.
    pub members: Vec<MemberSet>,
    /// Cards set.
    pub cards: Vec<CardSet>,
    /// Card states changed.
    pub card_statuses: Vec<(CardId, CardStatus)>,
    /// Cards that went to another holder.
    pub card_holders: Vec<(CardId, Option<MemberId>)>,
    /// The turns of the cards above, whole.
    pub card_turns: BTreeMap<CardId, Vec<CardTurn>>,
    /// Members merged, taken apart or erased, or whose stored value was frozen or set free.
    pub member_ties: BTreeMap<MemberId, KnownMember>,
    /// Fields of members' data changed.
    pub fields: BTreeMap<(MemberId, String), KnownField>,
    /// Applications, and whether it was looked up whom they look like.
    pub applications: BTreeMap<FactId, bool>,
    /// Words of dictionaries set.
    pub terms: Vec<Term>,
    /// Applications filed at the centre that are new or changed.
    pub filed: BTreeMap<FactId, KnownFiled>,
    /// What the sales system is to be told, or has done.
    pub associations: BTreeMap<(FactId, Association), KnownAssociation>,
    /// Leavings begun or changed.
    pub leavings: BTreeMap<MemberId, KnownLeaving>,
    /// What people are to be told, or were.
    pub messages: BTreeMap<Hash, KnownMessage>,
    /// What the club keeps of members beside the base data.
    pub details: BTreeMap<MemberId, Details>,
    /// The club's own groups of fields that were set up.
    pub field_groups: Vec<FieldGroup>,
    /// Commitments to what members' fields of a group say.
    pub customs: BTreeMap<(MemberId, String), Hash>,
    /// Activities planned, decided or ended.
    pub activities: BTreeMap<ActivityId, KnownActivity>,
    /// Who comes to holdings: of those whose coming changed.
    pub sign_ups: BTreeMap<(OccurrenceId, MemberId), SignUp>,
    /// Items of what activities cost.
    pub activity_costs: BTreeMap<(ActivityId, u32), ActivityCostSet>,
    /// What was edited of members.
    pub edits: BTreeMap<(MemberId, String), Edit>,
    /// Members of whom nothing is kept any more beside the pseudonymous record, and with them all who were merged into
    /// them.
    pub forgotten: BTreeSet<MemberId>,
    /// Limits and allowances set.
    pub policy: Option<Policy>,
    /// The version of the rules of applying, if it was changed.
    pub apply_version: Option<u32>,
    /// How cards were issued, what they stand under, how they ended: of those of which that changed.
    pub card_lives: BTreeMap<CardId, CardLife>,
    /// Changes of points that are new or were decided.
    pub points: BTreeMap<Hash, KnownPoints>,
    /// Events that were told or taken back.
    pub events: BTreeMap<Hash, KnownEvent>,
    /// Triggers that are new, changed or have looked farther.
    pub triggers: BTreeMap<Hash, KnownTrigger>,
    /// Plans of redemption that are new or changed.
    pub plans: BTreeMap<Hash, KnownPlan>,
    /// What members got by plans.
    pub redeemed: Vec<RedeemedLine>,
    /// Redemptions from the catalogue that are new or were decided.
    pub redemptions: BTreeMap<Hash, KnownRedemption>,
    /// Coupons that are new or were used, with where they were used now.
    pub coupons: BTreeMap<Hash, (KnownCoupon, Option<OfficeId>)>,
    /// Awards of rankings that are new or were given.
    pub awards: BTreeMap<Hash, KnownAward>,
    /// Uses of birthdays' discounts that are new or were taken back.
    pub birthdays: BTreeMap<Hash, KnownBirthday>,
    /// What was done to offices' business days, by office, day and place in its history.
    pub day_steps: BTreeMap<(OfficeId, Day, u32), DayStep>,
    /// Stand-ins that were named or ended.
    pub stand_ins: BTreeMap<(OperatorId, Hash), KnownStandIn>,
    /// Steps of members' levels, by their places.
    pub level_steps: BTreeMap<(MemberId, u32), LevelStep>,
    /// How members' levels read from now on; none for one without a name.
    pub level_names: BTreeMap<MemberId, Option<Words>>,
    /// Items of stock set.
    pub stock_items: Vec<StockItem>,
    /// Books of shelves that changed.
    pub stock: BTreeMap<(ItemId, OfficeId), KnownStock>,
    /// New lines of the stock ledger.
    pub stock_lines: Vec<StockLine>,
    /// What closes of day found, new or changed.
    pub stocktakes: BTreeMap<(FactId, StockClass), KnownStocktake>,
    /// What devices gave on a business day, whole.
    pub issued: BTreeMap<(DeviceId, Day), Issued>,
    /// Jobs that ran, each with its day; none for one that has all to do again.
    pub jobs: BTreeMap<String, Option<Day>>,
    /// The newest business day settled.
    pub settled: Option<Day>,
    /// A recovery begun or ended.
    pub recovery: Option<Recovery>,
    /// Of versions that facts name for the first time: when the newest act in them was taken.
    pub knew: BTreeMap<Version, Instant>,
    /// Leases changed.
    pub leases: BTreeMap<(LeaseId, u32), LeaseRow>,
    /// Devices changed.
    pub devices: BTreeMap<DeviceId, KnownDevice>,
    /// Enrolments changed, with their cursors.
    pub epochs: BTreeMap<(DeviceId, u32), KnownEpoch>,
    /// Keys that may sign for an enrolment.
    pub keys: Vec<(DeviceId, u32, Vec<u8>)>,
    /// Boots begun or bounded better, of the sending device.
    pub boots: BTreeMap<(DeviceId, u32, u64), KnownBoot>,
    /// New facts.
    pub facts: Vec<FactRow>,
    /// Facts that stand differently now.
    pub fact_changes: BTreeMap<FactId, KnownFact>,
    /// By what facts are found again.
    pub links: BTreeSet<(Hash, FactId)>,
    /// Attendance of a member at an occurrence; where nothing admits any more there is none.
    pub groups: BTreeMap<(MemberId, OccurrenceId), Group>,
    /// New postings.
    pub postings: Vec<Posting>,
    /// Cases opened or changed.
    pub cases: BTreeMap<Hash, KnownCase>,
    /// Facts that are no evidence of a case any more; one that came back stands in the case as well.
    pub left_cases: BTreeSet<(Hash, FactId)>,
    /// Cases that were handed to somebody, or to nobody again, by whom.
    pub cases_handed: BTreeMap<Hash, (Option<OperatorId>, String)>,
    /// Cases that were put off, or are so no more.
    pub cases_put_off: BTreeMap<Hash, Option<Instant>>,
    /// What terminals must be told beside the receipt.
    pub notices: Vec<NoticeRow>,
    /// Balances of another system that were opened, by their cause.
    pub openings: BTreeMap<Hash, Opened>,
    /// Transactions of another system, by their names.
    pub past: BTreeMap<Hash, Past>,
    /// A list that was taken out.
    pub exported: Option<Exported>,
}

/// An opening balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Name of its batch.
    pub batch: String,
    /// Whose.
    pub member: MemberId,
    /// How much.
    pub leg: Leg,
    /// When it was earned.
    pub at: Instant,
    /// Commitment to the cause.
    pub reason: Hash,
}

/// A transaction of another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Name of its batch.
    pub batch: String,
    /// What it was.
    pub line: PastLine,
}

/// A list that was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// By whom.
    pub by: String,
    /// What.
    pub exported: DataExported,
}

/// An edit of a member's data (K13).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// By whom.
    pub by: String,
    /// Commitment to the reason; none where the verdict of a case has it.
    pub reason: Option<Hash>,
    /// What stood there: a code, or the commitment under which it is sealed; none for nothing, or where the case has it.
    pub before: Option<String>,
    /// What stands there now, in the same form.
    pub after: Option<String>,
}

/// A fact as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRow {
    /// Which fact.
    pub id: FactId,
    /// Chain hash after it.
    pub hash: Hash,
    /// The exact bytes.
    pub body: Vec<u8>,
    /// What is known of it.
    pub known: KnownFact,
    /// What the receipt says of it; none if it was plainly applied.
    pub told: Option<Disposition>,
}

impl FactRow {
    /// Name of its event; `unreadable` for one that could not be read.
    #[must_use]
    pub fn event(&self) -> &'static str {
        self.known.fact.as_ref().map_or("unreadable", |fact| fact.event.name())
    }

    /// What the terminal's clock claimed.
    #[must_use]
    pub fn wall(&self) -> Instant {
        self.known.fact.as_ref().map_or(Instant::default(), |fact| fact.wall)
    }

    /// The card.
    #[must_use]
    pub fn token(&self) -> Option<Token> {
        self.known.fact.as_ref().and_then(|fact| fact.event.subject()).map(|subject| subject.token)
    }

    /// The occurrence.
    #[must_use]
    pub fn occurrence(&self) -> Option<OccurrenceId> {
        match &self.known.fact.as_ref()?.event {
            Event::Attended(attended) => Some(attended.occurrence),
            Event::HandedOut(handed) => Some(handed.occurrence),
            _ => None,
        }
    }
}

/// A notice to a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its number at the device.
    pub n: u64,
    /// The fact that it is about.
    pub fact: FactId,
    /// What became of it.
    pub became: Became,
    /// Number of the conflict kind.
    pub kind: Option<u8>,
    /// The case.
    pub case: Option<Hash>,
    /// Code of the office of the other side.
    pub other_office: Option<String>,
    /// When the other side's fact happened.
    pub other_at: Option<Instant>,
}
