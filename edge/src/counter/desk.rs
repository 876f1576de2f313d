//! The further pages of the desk: forms for visitors and applicants, shifts, the day at a glance.
//!
//! They ask the run loop by [`DeskOrder`] and get [`Done`] back. What a person wrote into a form is sealed to the centre
//! before it becomes an order, so that nothing of it stands in a log, a snapshot or a file of this terminal.
//!
//! Reading order: this file is the seam; [`walkin`] reads the forms, [`shift`] the counts, [`today`] fills the day;
//! [`lookup`] finds members; [`card`] stops lost cards; [`bill`] reckons prices; [`routes`] are the addresses.
//! Out of scope: what the centre does with a form.

use hufu_shared::fact::{Counted, DayTotals};
use hufu_shared::form::SealedForm;
use hufu_shared::ids::{CardId, OccurrenceId};
use hufu_shared::member::CardStatus;
use hufu_shared::money::Amount;
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::time::{Day, Instant};
use hufu_shared::token::Token;
use hufu_shared::wire::lookup::FoundMember;
use serde::Serialize;

use super::view::GuestView;

pub mod bill;
pub mod card;
pub mod forms;
pub mod lookup;
pub mod pin;
pub mod routes;
pub mod shift;
pub mod today;
pub mod walkin;

#[cfg(test)]
mod tests;

/// Bytes that name one form on a page: sent twice, it is taken once.
pub const ONCE_BYTES: usize = 16;

/// What the desk pages ask the run loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskOrder {
    /// Record a form whose content is sealed already.
    TakeForm(Taking),
    /// Look for a member by name in this terminal's own list; changes nothing.
    Search(Sought),
    /// Put a member who was found before staff, to be compared like one of a typed number (rule H2).
    Pick(CardId),
    /// Tell who is expected at these activities; changes nothing.
    ReadExpected(Vec<OccurrenceId>),
    /// Tell whose card was shown last and which was stopped last; changes nothing.
    ReadCards,
    /// Report the card of the guest lost whom the page named by this number.
    ReportLost(u64),
    /// Tell what bills are reckoned by here; changes nothing.
    ReadBill,
    /// Tell how the shift stands; changes nothing.
    ReadShift,
    /// Begin a shift with a count.
    OpenShift(Counted),
    /// End the shift with a count.
    CloseShift(Counted),
}

/// A name as staff typed it: never in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Sought(pub String);

impl std::fmt::Debug for Sought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sought")
    }
}

/// A form to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taking {
    /// Names this form: sent again it is not recorded again.
    pub once: [u8; ONCE_BYTES],
    /// What kind of form.
    pub what: What,
    /// The sealed content with its commitment.
    pub form: SealedForm,
    /// Code of the wording that the person agreed to.
    pub consent: Option<String>,
    /// Number of the guest on the page whose form it is; none for a form without a card.
    pub guest: Option<u64>,
}

/// What kind of form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// 来访登记.
    Visit,
    /// 入会申请.
    Application,
    /// 资料变更申请, with the codes of the fields concerned. Needs a guest.
    Change(Vec<String>),
    /// 投诉受理.
    Complaint {
        /// Code of the kind.
        kind: String,
        /// Whether it is urgent.
        urgent: bool,
        /// Hours within which an answer is promised.
        hours: u16,
    },
}

impl What {
    /// Whether it is somebody's whose card must have been shown.
    #[must_use]
    pub fn needs_guest(&self) -> bool {
        matches!(self, Self::Change(_))
    }
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Done {
    /// It was carried out; there is nothing more to say.
    #[default]
    Plain,
    /// A form is on the disk.
    Form(Taken),
    /// How the shift stands.
    Shift(Box<ShiftView>),
    /// The cards that the desk is busy with.
    Cards(Box<CardDesk>),
    /// Who is in the own list.
    Found(FoundHere),
    /// Who is expected, in the order of the activities asked about.
    Expected(Vec<ExpectedView>),
    /// What bills are reckoned by; none before the first directory.
    Bill(Option<Box<BillHere>>),
}

/// What bills are reckoned by at this terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillHere {
    /// The scheme in force.
    pub terms: SchemeTerms,
    /// Code of the office; empty before the directory names it.
    pub office: String,
    /// The business day.
    pub day: Day,
    /// Whether the clock can be trusted for the day.
    pub knows_day: bool,
}

/// The cards that the desk is busy with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CardDesk {
    /// The member whose card was shown last.
    pub guest: Option<GuestCard>,
    /// The stopped card that staff ask about: the guest's, else the one that was stopped here last.
    pub stopped: Option<StoppedCard>,
}

/// The card of the member who was shown last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestCard {
    /// Who, and which showing.
    pub view: GuestView,
    /// How the card is found; for asking the centre, never shown.
    pub token: Token,
    /// Its state as this terminal holds it.
    pub status: CardStatus,
}

/// A stopped card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedCard {
    /// How it is found; for asking the centre, never shown.
    pub token: Token,
    /// Last characters of its number.
    pub tail: Option<String>,
    /// Its member's name for staff.
    pub name: Option<String>,
    /// Its state as this terminal holds it.
    pub status: CardStatus,
    /// What was done here; none if the terminal was only told.
    pub here: Option<HereAt>,
}

/// A card was stopped at this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HereAt {
    /// When.
    pub at: Instant,
    /// Whether the centre has it.
    pub uploaded: bool,
}

/// Who is expected at an activity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExpectedView {
    /// Members who are expected.
    pub listed: usize,
    /// Those of them who were checked in here.
    pub arrived: usize,
    /// Those of them who have their birthday then.
    pub birthdays: usize,
    /// Birthdays first, then who is still to come; at most [`EXPECTED_SHOWN_MAX`].
    pub guests: Vec<ExpectedGuest>,
}

/// A member who is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedGuest {
    /// Name as staff may see it; none for members who asked for secrecy.
    pub name: Option<String>,
    /// Level, as people read it.
    pub level: Option<Words>,
    /// Whether the member has a birthday then.
    pub birthday: bool,
    /// Whether the member was checked in here.
    pub arrived: bool,
    /// How many companions were announced with the member.
    pub companions: u32,
}

/// Guests of one activity that the page names: more is a list to print, not to read.
pub const EXPECTED_SHOWN_MAX: usize = 100;

/// Who may be meant, in this terminal's own list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundHere {
    /// Members who may be meant, at most [`hufu_shared::wire::lookup::LOOKUP_FOUND_MAX`].
    pub found: Vec<FoundMember>,
    /// Whether there are more.
    pub more: bool,
    /// Members in the list.
    pub listed: usize,
}

/// A form that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Seq of its fact.
    pub seq: u64,
    /// Number on the receipt of a complaint.
    pub receipt: Option<String>,
    /// Until when an answer was promised.
    pub promised: Option<Instant>,
}

/// How the shift stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShiftView {
    /// The count with which it began.
    pub opened: Option<Counted>,
    /// When that was.
    pub opened_at: Option<Instant>,
    /// Fen taken in cash since.
    pub cash_in: Amount,
    /// Fen paid out in cash since.
    pub cash_out: Amount,
    /// Fen that should be in the drawer.
    pub cash_expected: Amount,
    /// Gifts handed out since.
    pub gifts_out: u32,
    /// Gifts that should be on the shelf; none where nobody counted at the start.
    pub gifts_expected: Option<u32>,
    /// Blank cards that should be there; none where nobody counted at the start.
    pub blank_cards_expected: Option<u32>,
    /// What all facts since the last closing come to.
    pub totals: DayTotals,
    /// The last closing, if it is still held.
    pub last: Option<LastClosing>,
}

/// The last closing of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastClosing {
    /// Which day.
    pub day: Day,
    /// When.
    pub at: Instant,
    /// Nobody handed over: the terminal closed by itself (未人工交班).
    pub unattended: bool,
    /// Fen counted less fen expected; none where nobody counted.
    pub difference: Option<Amount>,
}
