//! Facts: the immutable record of one event at a terminal.
//!
//! A fact is encoded once, at the terminal; those exact bytes are hashed, stored, sent and archived. It is never
//! refused, changed or doubled; only its effects may be held or reversed. Nothing personal stands in it: a person's
//! data is a salted commitment here and travels sealed beside the body ([`crate::wire::upload::Carried`]).
//!
//! The boot is named by the seq of its `Booted` fact, which holds the random boot id: that costs two bytes in each
//! fact where the id itself would cost seventeen. What stays the same over many facts is written once per change;
//! a [`Reader`] puts it back.

mod body;
mod day;
mod header;
mod paid;
mod purpose;

use minicbor::{Decode, Encode};
use serde::Serialize;

pub use body::*;
pub use day::{Counted, DayClosed, DayTotals};
pub use header::{ReadError, Reader, STATED_FACTS_MAX, Standing, stated_at, stated_in};
pub use paid::Paid;
pub use purpose::*;

use crate::ids::OperatorId;
use crate::time::{ClockQuality, Instant};
use crate::wire::version::Version;

/// Version of the fact format that this program writes. Every version ever written is read for ever.
pub const FACT_FORMAT: u8 = 1;

/// One event at a terminal, with what the terminal knew and showed. How it is written: the module `header`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// [`FACT_FORMAT`] of the writer.
    pub format: u8,
    /// Place in the chain, from 1.
    pub seq: u64,
    /// What the terminal's wall clock claimed. Kept whatever it says.
    pub wall: Instant,
    /// Monotonic nanoseconds since the boot.
    pub mono_ns: u64,
    /// Seq of the `Booted` fact of this boot; its own seq in a `Booted` fact.
    pub boot: u64,
    /// How far the terminal trusts its wall clock.
    pub clock: ClockQuality,
    /// Directory that the decision used.
    pub directory: Version,
    /// Block list that the decision used.
    pub block: Version,
    /// Scheme version that the decision used; 0 before the first directory.
    pub scheme: u32,
    /// Who was signed in at the counter.
    pub operator: Option<OperatorId>,
    /// What people were shown.
    pub shown: Shown,
    /// The rule by which a value was computed, as its number (`S2`).
    pub rule: Option<String>,
    /// What happened.
    pub event: Event,
}

/// The outcome that the display, light and sound gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Nothing: the fact is about the terminal itself.
    #[n(0)]
    Nothing,
    /// Green.
    #[n(1)]
    Accepted,
    /// Amber: recorded, its effect may change.
    #[n(2)]
    Recorded,
    /// Red.
    #[n(3)]
    Refused,
    /// Blue: staff must look.
    #[n(4)]
    Attention,
    /// Already in; nothing more happened.
    #[n(5)]
    AlreadyIn,
    /// Points or value were redeemed.
    #[n(6)]
    Redeemed,
    /// The offline allowance did not suffice.
    #[n(7)]
    OverOfflineLimit,
    /// No such card is known here.
    #[n(8)]
    UnknownCard,
}

/// Why a terminal refused. The code is what staff and manuals name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
pub enum RefusalReason {
    /// The member or card is stopped.
    #[n(1)]
    R01,
    /// Past its last day.
    #[n(2)]
    R02,
    /// Before its first day.
    #[n(3)]
    R03,
    /// Not for this place or activity.
    #[n(4)]
    R04,
    /// Too few points.
    #[n(5)]
    R05,
    /// Submitted already.
    #[n(6)]
    R06,
    /// The card was reported lost.
    #[n(7)]
    R07,
    /// The card cannot identify anyone: random serial number, payment card, damaged stripe.
    #[n(8)]
    R08,
    /// The terminal's clock cannot be trusted.
    #[n(9)]
    R09,
    /// The activity does not run now.
    #[n(10)]
    R10,
    /// The amount is not possible.
    #[n(11)]
    R11,
    /// The offline allowance does not suffice.
    #[n(12)]
    R12,
    /// The terminal's storage is nearly full.
    #[n(13)]
    R13,
    /// The card is not registered here, so nothing of value can be done with it.
    #[n(14)]
    R14,
    /// A limit of the terminal or of the day, or the terminal's allowances are frozen.
    #[n(15)]
    R15,
    /// The card has a holder already, so it cannot be given to anybody.
    #[n(16)]
    R16,
    /// It is a sub card: such are cancelled, not replaced.
    #[n(17)]
    R17,
}

/// What happened. Numbers are given for ever; an unknown one is quarantined, never guessed at.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The terminal started. Appended before anything else of the boot.
    #[n(0)]
    Booted(#[n(0)] Booted),
    /// A member was seen, with no activity chosen.
    #[n(1)]
    Visited(#[n(0)] Visited),
    /// A member was checked in to an occurrence.
    #[n(2)]
    Attended(#[n(0)] Attended),
    /// Something was handed to a member.
    #[n(3)]
    HandedOut(#[n(0)] HandedOut),
    /// A purchase or another cause earned something.
    #[n(4)]
    Earned(#[n(0)] Earned),
    /// Points or value were spent.
    #[n(5)]
    Spent(#[n(0)] Spent),
    /// A value fact was reversed, in whole or part.
    #[n(6)]
    Reversed(#[n(0)] Reversed),
    /// Stored value was paid in.
    #[n(7)]
    ToppedUp(#[n(0)] ToppedUp),
    /// An application for membership was taken.
    #[n(8)]
    ApplicationTaken(#[n(0)] Form),
    /// A member asked for a change of their data.
    #[n(9)]
    ProfileChangeRequested(#[n(0)] ProfileChange),
    /// A card was reported lost at the counter.
    #[n(10)]
    CardReportedLost(#[n(0)] Visited),
    /// The terminal refused.
    #[n(11)]
    Refused(#[n(0)] Refused),
    /// An operator signed in.
    #[n(12)]
    OperatorSignedIn(#[n(0)] OperatorSession),
    /// An operator signed out.
    #[n(13)]
    OperatorSignedOut(#[n(0)] OperatorSession),
    /// The wall clock was stepped.
    #[n(14)]
    ClockStepped(#[n(0)] ClockStepped),
    /// The device closed a lease; only this returns what is left of it.
    #[n(15)]
    LeaseClosed(#[n(0)] LeaseClosed),
    /// The terminal closed its day.
    #[n(16)]
    DayClosed(#[n(0)] DayClosed),
    /// A command of the centre was carried out, or not.
    #[n(17)]
    CommandDone(#[n(0)] CommandDone),
    /// A visitor without a card was registered.
    #[n(18)]
    VisitorRegistered(#[n(0)] Form),
    /// A complaint was taken.
    #[n(19)]
    ComplaintTaken(#[n(0)] Complaint),
    /// A shift began.
    #[n(20)]
    ShiftOpened(#[n(0)] Counted),
    /// A member was given a card in place of another.
    #[n(21)]
    CardReplaced(#[n(0)] CardReplaced),
}

impl Event {
    /// Name of the event in database, API and command output.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Booted(_) => "booted",
            Self::Visited(_) => "visited",
            Self::Attended(_) => "attended",
            Self::HandedOut(_) => "handed_out",
            Self::Earned(_) => "earned",
            Self::Spent(_) => "spent",
            Self::Reversed(_) => "reversed",
            Self::ToppedUp(_) => "topped_up",
            Self::ApplicationTaken(_) => "application_taken",
            Self::ProfileChangeRequested(_) => "profile_change_requested",
            Self::CardReportedLost(_) => "card_reported_lost",
            Self::Refused(_) => "refused",
            Self::OperatorSignedIn(_) => "operator_signed_in",
            Self::OperatorSignedOut(_) => "operator_signed_out",
            Self::ClockStepped(_) => "clock_stepped",
            Self::LeaseClosed(_) => "lease_closed",
            Self::DayClosed(_) => "day_closed",
            Self::CommandDone(_) => "command_done",
            Self::VisitorRegistered(_) => "visitor_registered",
            Self::ComplaintTaken(_) => "complaint_taken",
            Self::ShiftOpened(_) => "shift_opened",
            Self::CardReplaced(_) => "card_replaced",
        }
    }

    /// Who or what was presented, where the event has such.
    #[must_use]
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Visited(seen) | Self::CardReportedLost(seen) => Some(&seen.subject),
            Self::CardReplaced(replaced) => Some(&replaced.subject),
            Self::Attended(attended) => Some(&attended.subject),
            Self::HandedOut(handed) => Some(&handed.subject),
            Self::Earned(earned) => Some(&earned.subject),
            Self::Spent(spent) => Some(&spent.subject),
            Self::ToppedUp(topped) => Some(&topped.subject),
            Self::ApplicationTaken(form) | Self::VisitorRegistered(form) => form.subject.as_ref(),
            Self::ComplaintTaken(complaint) => complaint.form.subject.as_ref(),
            Self::ProfileChangeRequested(change) => change.form.subject.as_ref(),
            Self::Refused(refused) => refused.subject.as_ref(),
            _ => None,
        }
    }

    /// Whether the event counts as a fact of value: it moves or promises points, money or goods.
    #[must_use]
    pub fn is_value(&self) -> bool {
        match self {
            Self::Attended(attended) => !attended.promised.is_empty(),
            Self::Earned(_) | Self::Spent(_) | Self::Reversed(_) | Self::ToppedUp(_) | Self::HandedOut(_) => {
                true
            }
            _ => false,
        }
    }
}
