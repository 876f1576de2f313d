//! The rows that applying an entry gives. The store writes them, all or none, and adds nothing of its own.

use std::collections::BTreeMap;

use hufu_shared::act::{CardSet, ClubFounded, MemberSet};
use hufu_shared::ids::{DeviceId, FactId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member::{CardStatus, OccurrenceRow, OfficeRow};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::time::{Day, Instant};
use hufu_shared::token::Token;
use hufu_shared::wire::upload::{Became, Disposition};
use hufu_shared::wire::version::CentralEpoch;

use super::posting::Posting;
use super::world::{Group, KnownBoot, KnownCase, KnownDevice, KnownEpoch};

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
    pub card_statuses: Vec<(hufu_shared::ids::CardId, CardStatus)>,
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
    pub fact_changes: BTreeMap<FactId, FactChange>,
    /// Attendance of a member at an occurrence.
    pub groups: BTreeMap<(MemberId, OccurrenceId), Group>,
    /// New postings.
    pub postings: Vec<Posting>,
    /// Cases opened or changed.
    pub cases: BTreeMap<Hash, KnownCase>,
    /// What terminals must be told beside the receipt.
    pub notices: Vec<NoticeRow>,
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
    /// Name of its event; `unreadable` for one that could not be read.
    pub event: &'static str,
    /// What the terminal's clock claimed.
    pub wall: Instant,
    /// When it happened, as judged.
    pub at: Instant,
    /// Its business day.
    pub day: Day,
    /// Where.
    pub office: OfficeId,
    /// The card.
    pub token: Option<Token>,
    /// Whose it is judged to be.
    pub member: Option<MemberId>,
    /// The occurrence.
    pub occurrence: Option<OccurrenceId>,
    /// What became of it.
    pub became: Became,
    /// Number of the conflict kind.
    pub kind: Option<u8>,
    /// What the receipt says of it; none if it was plainly applied.
    pub told: Option<Disposition>,
}

/// How a stored fact stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactChange {
    /// What became of it.
    pub became: Became,
    /// Number of the conflict kind.
    pub kind: Option<u8>,
    /// Whose it is judged to be.
    pub member: Option<MemberId>,
    /// What a person fixed.
    pub pin: Option<bool>,
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
