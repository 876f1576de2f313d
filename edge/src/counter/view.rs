//! What the counter page shows, as data: one snapshot that the daemon replaces whole whenever something changed.
//!
//! Texts in it are names and words of the club only; everything else is a value that the page puts into the reader's
//! language. It holds what staff may see (masked or whole name, last characters of a card), never a card number, a
//! phone or a token.
//!
//! Out of scope: how it looks ([`super::face`], [`super::pages`]) and where it comes from (the run loop).

use chrono_tz::Tz;
use hufu_shared::fact::RefusalReason;
use hufu_shared::ids::{ItemId, OccurrenceId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::{ClockQuality, Instant};
use serde::{Serialize, Serializer};

mod asking;

pub use asking::{AskingView, NotUndone, RecalledView, ShortView};

pub use super::batch::{BatchSum, BatchView};
pub use super::gates::GateView;
pub use super::panels::{DisplayView, PanelView};
pub use super::papers::{PrinterView, SlipView};
pub use super::setup::SetupView;

mod ready;
mod staff;
mod waiting;

pub use ready::ReadinessView;
pub use staff::{OperatorView, StaffView};
pub use waiting::{CandidateView, GuestView, NoticeView, UnshownView};

/// Swipes that the list holds at most.
pub const LAST_SWIPES_MAX: usize = 20;

/// One snapshot of everything that the counter page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CounterView {
    /// The office's time zone.
    #[serde(serialize_with = "zone_name")]
    pub zone: Tz,
    /// The office's name; empty before the first directory.
    pub office: Words,
    /// The club's word for an office.
    pub place_word: Words,
    /// The terminal's own name.
    pub terminal: String,
    /// Program version.
    pub software: String,
    /// Connection, queue and directory.
    pub link: LinkView,
    /// What the next card means.
    pub mode: ModeView,
    /// Occurrences of today at this office, by start.
    pub activities: Vec<ActivityView>,
    /// All configured readers, in the order of the configuration.
    pub readers: Vec<ReaderView>,
    /// The large panel. None while it waits for a card.
    pub result: Option<ResultView>,
    /// The last swipes, newest first, at most [`LAST_SWIPES_MAX`].
    pub last: Vec<SwipeView>,
    /// What became of facts otherwise than was shown; each stays until acknowledged.
    pub notices: Vec<NoticeView>,
    /// Value facts of a run that ended uncleanly, of which nobody knows whether they were shown.
    pub unshown: Vec<UnshownView>,
    /// The list of a batch check-in that waits to be confirmed.
    pub batch: Option<BatchView>,
    /// A member found by a typed number, waiting to be compared and confirmed (rule H2).
    pub candidate: Option<CandidateView>,
    /// Whose card was shown last: a form can be written for them.
    pub guest: Option<GuestView>,
    /// The centre is being asked for more, for the card that was presented.
    pub asking: Option<AskingView>,
    /// What this terminal may give out while offline, per unit.
    pub allowances: Vec<AllowanceView>,
    /// The terminal's clock.
    pub clock: ClockView,
    /// The member display.
    pub display: DisplayView,
    /// The receipt printer; none without one.
    pub printer: Option<PrinterView>,
    /// Whether the terminal is ready to go offline.
    pub readiness: ReadinessView,
    /// What came of trying the terminal's parts.
    pub setup: SetupView,
    /// Whether nothing counts that is done now.
    pub practice: bool,
    /// Who is at the counter.
    pub staff: StaffView,
}

/// Connection to the centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkView {
    /// Whether the last exchange succeeded.
    pub online: bool,
    /// Since when it is so.
    pub since: Instant,
    /// Facts that the centre has not acknowledged.
    pub queue_len: u64,
    /// The last exchange that succeeded; none since the enrolment.
    pub last_sync: Option<Instant>,
    /// When the directory was last known to be current; none before the first.
    pub directory_at: Option<Instant>,
    /// Why uploading stopped for good, if it did: a person must act, facts stay safe meanwhile.
    pub stopped: Option<Stopped>,
    /// What the centre said that was refused here, in the terminal's words.
    pub refused: Option<String>,
    /// How much of the room for records is used, in percent, once that is worth a warning.
    pub tight_percent: Option<u8>,
}

/// Why a terminal no longer uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Not enrolled yet.
    NotEnrolled,
    /// The centre has other facts under this terminal's numbers.
    Fork,
    /// The terminal no longer holds facts that the centre lacks.
    Lost,
    /// The enrolment was revoked.
    Revoked,
    /// The centre knows another enrolment of this terminal.
    Epoch,
    /// The centre's receipt does not prove what it should.
    Receipt,
}

/// What the next card means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModeView {
    /// A visit, with no activity chosen.
    Visit,
    /// A check-in.
    CheckIn {
        /// To which occurrence.
        occurrence: OccurrenceId,
        /// Its activity's name.
        name: Words,
    },
    /// Leaving an occurrence.
    CheckOut {
        /// Which.
        occurrence: OccurrenceId,
        /// Its activity's name.
        name: Words,
    },
    /// Points for a purchase, for one card; then the mode before returns.
    Earn {
        /// The price in fen.
        purchase: Amount,
    },
    /// The member is shown to staff; nothing of value is recorded.
    LookUp,
    /// A gift of an occurrence, to one member after the other.
    HandOut {
        /// At which occurrence.
        occurrence: OccurrenceId,
        /// What.
        item: ItemId,
        /// Its name.
        name: Words,
        /// Pieces for each member.
        quantity: u32,
    },
    /// Something of value for one card; then the mode before returns.
    Once {
        /// What.
        purpose: Purpose,
    },
}

/// An occurrence that staff can choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActivityView {
    /// Which.
    pub occurrence: OccurrenceId,
    /// Its activity's name.
    pub name: Words,
    /// Planned start.
    pub starts: Instant,
    /// Planned end.
    pub ends: Instant,
    /// Points for attending; zero for none.
    pub points: Amount,
    /// Whether it receives attendance now.
    pub running: bool,
    /// Whether this terminal stands at a way in.
    pub enters: bool,
    /// Whether people may be seen leaving it now; none where this terminal does not record that.
    pub leaves: Option<bool>,
    /// Members checked in at this terminal.
    pub attended_here: u64,
    /// How often each gate of this terminal was passed; empty where there is nothing to tell apart.
    pub gates: Vec<GateView>,
    /// What is handed out there.
    pub gifts: Vec<GiftView>,
    /// How many companions a member may bring.
    pub companions: u32,
}

/// Something that is handed out at an occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GiftView {
    /// What.
    pub item: ItemId,
    /// Its name.
    pub name: Words,
    /// Pieces for each member.
    pub each: u32,
    /// Members who had it at this terminal.
    pub handed_here: u64,
}

/// The health of one reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReaderView {
    /// Its name in the configuration or of its slot.
    pub name: String,
    /// How members present to it.
    pub source: Source,
    /// Whether it works.
    pub up: bool,
    /// Since when it is so; none if it was never heard of.
    pub since: Option<Instant>,
    /// What is wrong, in the driver's words; empty if it works.
    pub reason: String,
}

/// What people were shown, with what staff need to know about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "reason", rename_all = "snake_case")]
pub enum Outcome {
    /// Green.
    Accepted,
    /// Amber: recorded, its effect may change.
    Recorded,
    /// Red.
    Refused(RefusalReason),
    /// Blue: staff must compare.
    Attention,
    /// Was in already; nothing more happened.
    AlreadyIn,
    /// Points or value were redeemed.
    Redeemed,
    /// The offline allowance did not suffice.
    OverOfflineLimit,
    /// No such card is known here.
    UnknownCard,
    /// Nothing usable was read.
    ReadFailed,
    /// The reader is at work.
    KeepStill,
    /// No reader works.
    NotReady,
    /// Put onto the list of a batch check-in; not checked in yet.
    Listed,
    /// Stood on that list already.
    ListedAlready,
    /// That list is full.
    ListFull,
}

/// What a swipe was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Purpose {
    /// A visit.
    Visit,
    /// A check-in.
    CheckIn {
        /// The activity's name.
        name: Words,
    },
    /// A check-in with companions.
    CheckInParty {
        /// The activity's name.
        name: Words,
        /// How many.
        companions: u32,
    },
    /// Leaving.
    CheckOut {
        /// The activity's name.
        name: Words,
    },
    /// Points for a purchase.
    Earn {
        /// The price in fen.
        purchase: Amount,
    },
    /// Looking up a member.
    LookUp,
    /// Points or stored value to be spent.
    Spend {
        /// How much of which.
        legs: Vec<Leg>,
    },
    /// Stored value paid in.
    TopUp {
        /// Fen.
        amount: Amount,
    },
    /// Stored value paid out in money.
    CashOut {
        /// Fen.
        amount: Amount,
    },
    /// Something handed out.
    HandOut {
        /// Its name; empty if the directory no longer knows it.
        name: Words,
        /// How many.
        quantity: u32,
    },
    /// A card reported lost.
    ReportLost,
    /// A card given in place of another.
    Replace,
    /// A value fact taken back.
    TakeBack {
        /// What it was.
        of: Taken,
    },
}

/// What was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// Points of a purchase.
    Earned,
    /// What was spent.
    Spent,
    /// Stored value paid in.
    ToppedUp,
}

/// What this terminal holds of one unit for all members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AllowanceView {
    /// The unit.
    pub unit: Unit,
    /// Members with something left.
    pub members: u64,
    /// What is left over all.
    pub left: Amount,
    /// Members whose allowance is too old to be spent.
    pub expired: u64,
}

/// How the medium was presented; it decides the wording after a failed read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A chip card or phone.
    Tap,
    /// A magnetic stripe.
    Stripe,
    /// A code, scanned.
    Code,
    /// A number typed at the counter.
    Typed,
}

/// Who a card belongs to, as far as staff may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonView {
    /// Whole or masked name; none for members who asked for secrecy.
    pub name: Option<String>,
    /// Level.
    pub level: Option<Words>,
    /// Points that the member may use.
    pub points: Amount,
    /// Stored value that the member may use, in fen; none for members without.
    pub value: Option<Amount>,
    /// When the centre reckoned them.
    pub points_at: Instant,
}

/// The large panel: the newest outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultView {
    /// Names this showing: grows with each, so that a page sounds each one once.
    pub n: u64,
    /// What was shown.
    pub outcome: Outcome,
    /// What for.
    pub purpose: Purpose,
    /// How the medium came.
    pub source: Source,
    /// When.
    pub at: Instant,
    /// Whose card, if known.
    pub person: Option<PersonView>,
    /// Last characters of the card's number, if known.
    pub card_tail: Option<String>,
    /// Points that the display promised, if any.
    pub promised: Option<Amount>,
    /// Whether they wait for approval (rule K21).
    pub promised_pending: bool,
    /// When the member first got in, for [`Outcome::AlreadyIn`] and [`Outcome::Attention`].
    pub first_at: Option<Instant>,
    /// Where that was, if at another office.
    pub first_office: Option<String>,
    /// First day of a card that is not valid yet.
    pub valid_from: Option<Instant>,
    /// What was missing, for a spend that was not possible.
    pub short: Option<ShortView>,
    /// Why a top-up was not undone, if that was asked for.
    pub not_undone: Option<NotUndone>,
    /// What was spent, paid in or taken back.
    pub moved: Vec<Leg>,
    /// The member's figures after it, where they are known.
    pub left: Vec<Leg>,
    /// Points of a return that the member has spent already: gift or money must come back as well (rule S8).
    pub owes: Option<Leg>,
    /// How many the list holds now, for a card that was put onto it.
    pub listed: Option<usize>,
    /// What a confirmed list came to.
    pub batch: Option<BatchSum>,
    /// Whether the centre could not be reached.
    pub offline: bool,
    /// Seq of the fact; none while nothing was recorded.
    pub seq: Option<u64>,
}

/// One line of the list of last swipes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SwipeView {
    /// Seq of the fact; none for a refusal that is still being counted or a failed read.
    pub seq: Option<u64>,
    /// What was shown.
    pub outcome: Outcome,
    /// What for.
    pub purpose: Purpose,
    /// When.
    pub at: Instant,
    /// Name for staff.
    pub name: Option<String>,
    /// Last characters of the card's number.
    pub card_tail: Option<String>,
    /// Points promised.
    pub promised: Option<Amount>,
    /// What was spent, paid in or taken back.
    pub moved: Vec<Leg>,
    /// Equal refusals that it stands for, itself included.
    pub count: u32,
}

/// The terminal's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClockView {
    /// How far it is trusted.
    pub quality: ClockQuality,
    /// What the centre's clock is ahead, in microseconds; none if unknown.
    pub offset_us: Option<i64>,
}

fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}
