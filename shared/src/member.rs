//! What a terminal may know: rows of its directory.
//!
//! The centre makes each row fit to be carried around: a greeting and a masked name instead of a name, tokens instead
//! of card numbers, never a phone or document number. Rows are upserted by id; a row that ends carries its end as a
//! status, so a terminal never needs to guess from absence.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::{ActivityId, CardId, ItemId, MemberId, OccurrenceId, OfficeId};
use crate::money::Amount;
use crate::scheme::{SchemeTerms, Words};
use crate::time::{Instant, OfficeClock, SECOND_US};
use crate::token::Token;

/// Whether a member takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// Takes part.
    #[n(0)]
    Active,
    /// Stopped by the club; nothing is accepted.
    #[n(1)]
    Stopped,
    /// Has left; the record is archived.
    #[n(2)]
    Left,
}

/// State of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum CardStatus {
    /// In use.
    #[n(0)]
    Active,
    /// Reported lost 挂失: refused everywhere, may be found again.
    #[n(1)]
    Lost,
    /// Stopped 停用 by the club.
    #[n(2)]
    Stopped,
    /// Void 注销 for good.
    #[n(3)]
    Void,
}

impl CardStatus {
    /// All states with their codes in database and API.
    pub const CODES: [(Self, &'static str); 4] =
        [(Self::Active, "active"), (Self::Lost, "lost"), (Self::Stopped, "stopped"), (Self::Void, "void")];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|(status, _)| *status == self).map_or("active", |(_, code)| code)
    }

    /// The state of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|(_, known)| *known == code).map(|(status, _)| *status)
    }

    /// Whether a terminal must refuse the card.
    #[must_use]
    pub fn is_blocked(self) -> bool {
        self != Self::Active
    }
}

/// A member, as a terminal knows them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberRow {
    /// Who.
    #[n(0)]
    pub member: MemberId,
    /// Form of address for a display that others can see, made at the centre: 欧阳女士. None for members whose sex is
    /// unknown or who asked for secrecy.
    #[n(1)]
    pub greeting: Option<String>,
    /// Name for staff, masked: 张*三. None for members who asked for secrecy.
    #[n(2)]
    pub masked_name: Option<String>,
    /// Level, as people read it.
    #[n(3)]
    pub level: Option<Words>,
    /// Whether the member takes part.
    #[n(4)]
    pub status: MemberStatus,
    /// Points that the member may use, as of `points_at`.
    #[n(5)]
    pub points: Amount,
    /// When the centre reckoned `points`.
    #[n(6)]
    pub points_at: Instant,
    /// Whether some terminal holds a lease for this member.
    #[n(7)]
    pub leased: bool,
    /// Whole name for staff, if the club's scheme gives it to counters.
    #[n(8)]
    pub full_name: Option<String>,
    /// Stored value that the member may use, in fen, as of `points_at`; none for members without.
    #[n(9)]
    #[cbor(default)]
    pub value: Option<Amount>,
    /// Dictionary code of the kind of member, by which a scheme may differ; none for a member who has none.
    #[n(15)]
    pub kind: Option<String>,
}

impl MemberRow {
    /// Code of the kind of member; empty for a member who has none.
    #[must_use]
    pub fn kind_code(&self) -> &str {
        self.kind.as_deref().unwrap_or_default()
    }
}

/// A card, as a terminal knows it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CardRow {
    /// Which card.
    #[n(0)]
    pub card: CardId,
    /// How it is found.
    #[n(1)]
    pub token: Token,
    /// Whose it is; none while it lies in stock.
    #[n(2)]
    pub member: Option<MemberId>,
    /// Its state.
    #[n(3)]
    pub status: CardStatus,
    /// Not accepted before.
    #[n(4)]
    pub valid_from: Option<Instant>,
    /// Not accepted from then on.
    #[n(5)]
    pub valid_until: Option<Instant>,
    /// Last characters of the printed number, for staff.
    #[n(6)]
    pub tail: String,
    /// Whether it is a sub card: cancelled when it is lost, and never replaced.
    #[n(7)]
    #[cbor(default)]
    pub sub: bool,
}

/// An office.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OfficeRow {
    /// Which office.
    #[n(0)]
    pub office: OfficeId,
    /// Its short code, unique in the club.
    #[n(1)]
    pub code: String,
    /// Its name.
    #[n(2)]
    pub name: Words,
    /// Its zone and cut-off.
    #[n(3)]
    pub clock: OfficeClock,
    /// Code of the group that it belongs to, as schemes name it; none for one of no group.
    #[n(15)]
    pub group: Option<String>,
}

/// State of an occurrence. Only an approved one receives attendance (rule K26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum OccurrenceState {
    /// Planned, not yet approved.
    #[n(0)]
    Planned,
    /// Approved: may run.
    #[n(1)]
    Approved,
    /// Ended by an explicit act.
    #[n(2)]
    Ended,
}

/// How long after an occurrence's planned end somebody may still be seen leaving it, in microseconds.
pub const LATE_EXIT_US: i64 = 6 * 3_600 * SECOND_US;

/// One holding of an activity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OccurrenceRow {
    /// Which holding.
    #[n(0)]
    pub occurrence: OccurrenceId,
    /// Of which activity.
    #[n(1)]
    pub activity: ActivityId,
    /// Name of the activity.
    #[n(2)]
    pub name: Words,
    /// Planned start.
    #[n(3)]
    pub starts: Instant,
    /// Planned end.
    #[n(4)]
    pub ends: Instant,
    /// Its state.
    #[n(5)]
    pub state: OccurrenceState,
    /// Whether a member is admitted once only.
    #[n(6)]
    pub admits_once: bool,
    /// Points for attending; zero for none.
    #[n(7)]
    pub points: Amount,
    /// Places; none for no limit.
    #[n(8)]
    pub places: Option<u32>,
    /// Offices that hold it; empty for all.
    #[n(9)]
    pub offices: Vec<OfficeId>,
    /// Whether it counts who leaves as well.
    #[n(10)]
    #[cbor(default)]
    pub exits: bool,
    /// What is handed to members there, each once per member.
    #[n(11)]
    #[cbor(default)]
    pub gifts: Vec<GiftRow>,
    /// Members who are expected, at most [`GUESTS_MAX`]; empty for an activity that anyone may come to.
    #[n(12)]
    #[cbor(default)]
    pub guests: Vec<GuestRow>,
    /// Which members may attend.
    #[n(13)]
    #[cbor(default)]
    pub audience: Audience,
}

/// Which members may attend an occurrence: all, unless something is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Audience {
    /// Only those who are expected.
    #[n(0)]
    pub listed: bool,
    /// Only members of these levels, by their Chinese names; empty for any.
    #[n(1)]
    pub levels: Vec<String>,
    /// How many companions a member may bring along; none for nobody.
    #[n(2)]
    #[serde(default)]
    pub companions: Option<u32>,
    /// Whether who came is kept also where members come in any number of times and nothing else asks for it; none for no.
    #[n(3)]
    #[serde(default)]
    pub counted: Option<bool>,
}

/// Companions of one member at most, whatever a plan says: more is a group of its own.
pub const COMPANIONS_MAX: u32 = 20;

/// Most members who are expected at one holding: what a terminal is told of it stays about ten kilobytes.
pub const GUESTS_MAX: usize = 500;

/// A member who is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct GuestRow {
    /// Who.
    #[n(0)]
    pub member: MemberId,
    /// Whether the member's birthday falls on a day of it. Only rows for terminals say so: the books hold no birthday,
    /// and a terminal learns no other.
    #[n(1)]
    #[cbor(default)]
    pub birthday: bool,
    /// How many companions were announced with the member; none for nobody.
    #[n(2)]
    #[serde(default)]
    pub companions: Option<u32>,
}

/// Something that is handed to members at an occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct GiftRow {
    /// What; the same item at several occurrences comes out of one stock.
    #[n(0)]
    pub item: ItemId,
    /// Its name.
    #[n(1)]
    pub name: Words,
    /// Pieces for each member, above zero.
    #[n(2)]
    pub each: u32,
}

impl OccurrenceRow {
    /// Whether the office holds it.
    #[must_use]
    pub fn is_held_at(&self, office: OfficeId) -> bool {
        self.offices.is_empty() || self.offices.contains(&office)
    }

    /// Whether a member may attend.
    #[must_use]
    pub fn is_for(&self, member: &MemberRow) -> bool {
        let is_listed =
            !self.audience.listed || self.guests.iter().any(|guest| guest.member == member.member);
        let levels = &self.audience.levels;
        let level = member.level.as_ref().map(|level| &level.zh);
        is_listed && (levels.is_empty() || level.is_some_and(|level| levels.contains(level)))
    }

    /// How many companions a member may bring along.
    #[must_use]
    pub fn companions_most(&self) -> u32 {
        self.audience.companions.unwrap_or(0).min(COMPANIONS_MAX)
    }

    /// How many companions were announced with a member, as far as they may come.
    #[must_use]
    pub fn announced(&self, member: MemberId) -> u32 {
        let guest = self.guests.iter().find(|guest| guest.member == member);
        guest.and_then(|guest| guest.companions).unwrap_or(0).min(self.companions_most())
    }

    /// What is handed out there under that id.
    #[must_use]
    pub fn gift(&self, item: ItemId) -> Option<&GiftRow> {
        self.gifts.iter().find(|gift| gift.item == item)
    }

    /// Whether it receives attendance at an instant: approved and within its plan (rule K26).
    #[must_use]
    pub fn runs_at(&self, at: Instant) -> bool {
        self.state == OccurrenceState::Approved && self.starts <= at && at < self.ends
    }

    /// Whether people may be seen leaving it at an instant: it counts that, and has begun. Guests go after the end, too.
    #[must_use]
    pub fn lets_out_at(&self, at: Instant) -> bool {
        let from_start = self.starts <= at && at < self.ends.offset(LATE_EXIT_US);
        self.exits && self.state != OccurrenceState::Planned && from_start
    }
}

/// One row of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum DirectoryRow {
    /// A member.
    #[n(0)]
    Member(#[n(0)] MemberRow),
    /// A card.
    #[n(1)]
    Card(#[n(0)] CardRow),
    /// An office.
    #[n(2)]
    Office(#[n(0)] OfficeRow),
    /// A holding of an activity.
    #[n(3)]
    Occurrence(#[n(0)] OccurrenceRow),
    /// A scheme version.
    #[n(4)]
    Scheme(#[n(0)] SchemeTerms),
}
