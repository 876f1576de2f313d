//! The rows that an entry needs: fetched by the store before, changed only through the outcome.
//!
//! The store fetches generously (a row too many does no harm) and never decides. While facts of one batch are applied
//! in order, the world is carried along, so that each fact sees what the ones before it gave.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::fact::Fact;
use hufu_shared::ids::{BootId, CardId, DeviceId, FactId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member::{CardStatus, OccurrenceRow, OfficeRow};
use hufu_shared::money::Amount;
use hufu_shared::rules::repeat::Tap;
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use hufu_shared::wire::upload::Became;

/// All rows that one entry needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// Offices by id.
    pub offices: BTreeMap<OfficeId, OfficeRow>,
    /// Holdings of activities.
    pub occurrences: BTreeMap<OccurrenceId, OccurrenceRow>,
    /// Scheme versions.
    pub schemes: BTreeMap<u32, SchemeTerms>,
    /// Cards by the tokens in question.
    pub cards: BTreeMap<Token, KnownCard>,
    /// Cards by id, for acts that change them.
    pub cards_by_id: BTreeMap<CardId, KnownCard>,
    /// Devices by id.
    pub devices: BTreeMap<DeviceId, KnownDevice>,
    /// Enrolments of the devices concerned.
    pub epochs: BTreeMap<(DeviceId, u32), KnownEpoch>,
    /// Boots of the sending device, by seq of their `Booted` fact.
    pub boots: BTreeMap<u64, KnownBoot>,
    /// Earlier taps of the sending device with the tokens in question, by seq.
    pub taps: BTreeMap<u64, Tap>,
    /// Check-ins per member and occurrence.
    pub groups: BTreeMap<(MemberId, OccurrenceId), Group>,
    /// Facts held for a token.
    pub held: BTreeMap<Token, Vec<HeldFact>>,
    /// Facts under review that a person releases.
    pub released: Vec<HeldFact>,
    /// Facts by seq of the range that a `DayClosed` in the entry covers; none for one that could not be read.
    pub range: BTreeMap<u64, Option<Fact>>,
    /// Cases by id.
    pub cases: BTreeMap<Hash, KnownCase>,
    /// The newest notice number per device.
    pub notices: BTreeMap<DeviceId, u64>,
    /// What members have, for reversals.
    pub available: BTreeMap<MemberId, Amount>,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCard {
    /// Its id.
    pub card: CardId,
    /// Whose it is.
    pub member: Option<MemberId>,
    /// Its state.
    pub status: CardStatus,
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
    /// Lower bound of true time minus monotonic time, microseconds.
    pub offset_low: Option<i64>,
    /// Upper bound of it.
    pub offset_high: Option<i64>,
}

/// The check-ins of one member at one occurrence, and what they gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// All check-ins but repeats.
    pub facts: Vec<GroupFact>,
    /// The one that admits.
    pub admitted: Option<FactId>,
    /// Points given for it.
    pub points: Amount,
    /// The office whose account gave them.
    pub issuer: Option<OfficeId>,
    /// Postings so far for this group.
    pub postings: u32,
}

/// One check-in of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFact {
    /// Which fact.
    pub id: FactId,
    /// When.
    pub at: Instant,
    /// Where.
    pub office: OfficeId,
    /// What a person fixed: it counts, or it does not.
    pub pin: Option<bool>,
    /// How it stands.
    pub became: Became,
    /// Number of the conflict kind; none if it stands plainly.
    pub kind: Option<u8>,
}

/// A fact held for an unknown card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFact {
    /// Which fact.
    pub id: FactId,
    /// The fact.
    pub fact: Fact,
    /// When.
    pub at: Instant,
    /// Where.
    pub office: OfficeId,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCase {
    /// Number of the conflict kind.
    pub kind: u8,
    /// How it stands.
    pub state: CaseState,
    /// The member concerned.
    pub member: Option<MemberId>,
    /// The occurrence concerned.
    pub occurrence: Option<OccurrenceId>,
    /// The device concerned.
    pub device: Option<DeviceId>,
    /// The card concerned.
    pub token: Option<Token>,
    /// What else the admin sees, in the form of the kind.
    pub detail: Vec<u8>,
    /// Name of the automatic outcome.
    pub automatic: String,
    /// What a person decided.
    pub verdict: Option<String>,
    /// When it was opened.
    pub opened: Instant,
    /// When it last changed.
    pub changed: Instant,
    /// When it ends by itself.
    pub deadline: Option<Instant>,
    /// The facts that it rests on. While an entry is applied, of a case whose facts are without number (one card, one
    /// clock, one occurrence) only those that the entry adds.
    pub facts: BTreeSet<FactId>,
}

/// How a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseState {
    /// Waits for a person.
    Open,
    /// A person decided.
    Decided,
    /// It ended by itself.
    Closed,
    /// A person decided, then the facts changed.
    EvidenceChanged,
}

impl CaseState {
    const CODES: [(Self, &'static str); 4] = [
        (Self::Open, "open"),
        (Self::Decided, "decided"),
        (Self::Closed, "closed"),
        (Self::EvidenceChanged, "evidence_changed"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("open", |row| row.1)
    }

    /// The state of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// Codes of what a fact became, in database and API; `applied` is also the plain case.
const BECAME_CODES: [(Became, &str); 6] = [
    (Became::AppliedWithCase, "applied_with_case"),
    (Became::Held, "held"),
    (Became::Quarantined, "quarantined"),
    (Became::Merged, "merged"),
    (Became::NoEffect, "no_effect"),
    (Became::Applied, "applied"),
];

/// The code in database and API.
#[must_use]
pub fn became_code(became: Became) -> &'static str {
    BECAME_CODES.iter().find(|row| row.0 == became).map_or("applied", |row| row.1)
}

/// What a code means.
#[must_use]
pub fn became_from_code(code: &str) -> Option<Became> {
    BECAME_CODES.iter().find(|row| row.1 == code).map(|row| row.0)
}
