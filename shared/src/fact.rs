//! Facts: the immutable record of one event at a terminal.
//!
//! A fact is encoded once, at the terminal; those exact bytes are hashed, stored, sent and archived. It is never
//! refused, changed or doubled; only its effects may be held or reversed. Nothing personal stands in it: a person's
//! data is a salted commitment here and travels sealed beside the body ([`crate::wire::upload::Carried`]).
//!
//! The boot is named by the seq of its `Booted` fact, which holds the random boot id: that costs two bytes in each
//! fact where the id itself would cost seventeen.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::{BootId, CommandId, FactId, Hash, ItemId, LeaseId, MemberId, OccurrenceId, OperatorId};
use crate::money::{Amount, Leg};
use crate::time::{ClockQuality, Day, Instant};
use crate::token::{MediumKind, Token};
use crate::wire::version::Version;

/// Version of the fact format that this program writes. Every version ever written is read for ever.
pub const FACT_FORMAT: u8 = 1;

/// One event at a terminal, with what the terminal knew and showed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Fact {
    /// [`FACT_FORMAT`] of the writer.
    #[n(0)]
    pub format: u8,
    /// Place in the chain, from 1.
    #[n(1)]
    pub seq: u64,
    /// What the terminal's wall clock claimed. Kept whatever it says.
    #[n(2)]
    pub wall: Instant,
    /// Monotonic nanoseconds since the boot.
    #[n(3)]
    pub mono_ns: u64,
    /// Seq of the `Booted` fact of this boot; its own seq in a `Booted` fact.
    #[n(4)]
    pub boot: u64,
    /// How far the terminal trusts its wall clock.
    #[n(5)]
    pub clock: ClockQuality,
    /// Directory that the decision used.
    #[n(6)]
    pub directory: Version,
    /// Block list that the decision used.
    #[n(7)]
    pub block: Version,
    /// Scheme version that the decision used; 0 before the first directory.
    #[n(8)]
    pub scheme: u32,
    /// Who was signed in at the counter.
    #[n(9)]
    pub operator: Option<OperatorId>,
    /// What people were shown.
    #[n(10)]
    pub shown: Shown,
    /// The rule by which a value was computed, as its number (`S2`).
    #[n(11)]
    pub rule: Option<String>,
    /// What happened.
    #[n(12)]
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
}

/// Who or what was presented.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Subject {
    /// The card's token.
    #[n(0)]
    pub token: Token,
    /// The member whom the terminal's directory named, if any.
    #[n(1)]
    pub member: Option<MemberId>,
    /// Number of the reader in the terminal's configuration, from 0; 255 for the counter page.
    #[n(2)]
    pub reader: u8,
    /// How the identity was read.
    #[n(3)]
    pub medium: MediumKind,
}

/// The reader number of what staff enter at the counter page.
pub const READER_COUNTER: u8 = 255;

/// The printed identity of a sales slip: it is the same slip if all three agree (rule G6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct SlipKey {
    /// Shop as printed on it.
    #[n(0)]
    pub shop: String,
    /// Number as printed on it.
    #[n(1)]
    pub number: String,
    /// Date as printed on it, never the day of the fact.
    #[n(2)]
    pub date: Day,
}

/// How a spend is paid for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum Funding {
    /// From a lease, the one way in use.
    #[n(0)]
    Lease(#[n(0)] LeaseUse),
    /// From the member's own unconfirmed credit; reserved, off.
    #[n(1)]
    OwnCredit,
}

/// What a spend takes from a lease.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct LeaseUse {
    /// Which lease.
    #[n(0)]
    pub lease: LeaseId,
    /// Its generation.
    #[n(1)]
    pub generation: u32,
    /// The device's counter after this spend, over the whole generation.
    #[n(2)]
    pub spent_total: Amount,
    /// Version of the lease state that the terminal held.
    #[n(3)]
    pub state: Version,
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
}

/// A start of the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Booted {
    /// Random, new at every start.
    #[n(0)]
    pub boot: BootId,
    /// Starts counted by the terminal.
    #[n(1)]
    pub counter: u64,
    /// What the board says of itself, hashed.
    #[n(2)]
    pub board: Hash,
    /// Program version.
    #[n(3)]
    pub software: String,
    /// Whether the run before ended without a shutdown.
    #[n(4)]
    pub unclean: bool,
}

/// A member seen.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Visited {
    /// Who.
    #[n(0)]
    pub subject: Subject,
}

/// A check-in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Attended {
    /// Who.
    #[n(0)]
    pub subject: Subject,
    /// To what.
    #[n(1)]
    pub occurrence: OccurrenceId,
    /// What the display promised for it; empty for a repeat.
    #[n(2)]
    pub promised: Vec<Leg>,
    /// Seq of the check-in that this one repeats at the same terminal.
    #[n(3)]
    pub repeats: Option<u64>,
    /// Through which gate, where an occurrence has several.
    #[n(4)]
    pub gate: Option<u16>,
}

/// Something handed out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct HandedOut {
    /// To whom.
    #[n(0)]
    pub subject: Subject,
    /// At what.
    #[n(1)]
    pub occurrence: OccurrenceId,
    /// What.
    #[n(2)]
    pub item: ItemId,
    /// How many, above zero.
    #[n(3)]
    pub quantity: u32,
}

/// Something earned.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Earned {
    /// Who earned.
    #[n(0)]
    pub subject: Subject,
    /// The price paid that counts, in fen; zero where no purchase is the cause.
    #[n(1)]
    pub purchase: Amount,
    /// What the display promised.
    #[n(2)]
    pub promised: Vec<Leg>,
    /// The sales slip.
    #[n(3)]
    pub slip: Option<SlipKey>,
    /// The slip that this one re-creates (rule G6).
    #[n(4)]
    pub replaces: Option<SlipKey>,
    /// Seq of the equal purchase that this one repeats within the window of a double tap.
    #[n(5)]
    pub repeats: Option<u64>,
}

/// Something spent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Spent {
    /// Who spent.
    #[n(0)]
    pub subject: Subject,
    /// All or none of these, each with its funding in [`Spent::funding`] at the same place.
    #[n(1)]
    pub legs: Vec<Leg>,
    /// How each leg is paid for.
    #[n(2)]
    pub funding: Vec<Funding>,
    /// The slip printed for it.
    #[n(3)]
    pub slip: Option<SlipKey>,
    /// What it was spent on, if handed out.
    #[n(4)]
    pub item: Option<ItemId>,
}

/// A reversal of a value fact.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Reversed {
    /// The value fact; never itself a reversal.
    #[n(0)]
    pub original: FactId,
    /// How much of it.
    #[n(1)]
    pub legs: Vec<Leg>,
    /// Dictionary code of the reason.
    #[n(2)]
    pub reason: String,
    /// The slip of the return.
    #[n(3)]
    pub slip: Option<SlipKey>,
}

/// Stored value paid in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct ToppedUp {
    /// Whose value.
    #[n(0)]
    pub subject: Subject,
    /// How much, in fen.
    #[n(1)]
    pub amount: Amount,
    /// Dictionary code of the payment method.
    #[n(2)]
    pub method: String,
    /// The slip printed for it.
    #[n(3)]
    pub slip: Option<SlipKey>,
}

/// A form whose content is personal: here only its commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Form {
    /// `SHA-256("hufu-commit" | salt | clear)` of the sealed content.
    #[n(0)]
    pub commitment: Hash,
    /// The card presented with it, if any.
    #[n(1)]
    pub subject: Option<Subject>,
    /// Dictionary code of the route.
    #[n(2)]
    pub route: String,
}

/// A request to change a member's data.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct ProfileChange {
    /// The form.
    #[n(0)]
    pub form: Form,
    /// Dictionary codes of the fields concerned, with the version that the terminal knew of each.
    #[n(1)]
    pub fields: Vec<(String, Version)>,
}

/// What a terminal was set to do when a card came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Only look the member up.
    #[n(0)]
    LookUp,
    /// Check in to an occurrence.
    #[n(1)]
    CheckIn(#[n(0)] OccurrenceId),
    /// Earn on a purchase of so many fen.
    #[n(2)]
    Earn(#[n(0)] Amount),
    /// Record a visit.
    #[n(3)]
    Visit,
}

/// A refusal. Equal refusals from one source within 10 s are one fact with a count.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Refused {
    /// Who or what, unless the medium could not be read at all.
    #[n(0)]
    pub subject: Option<Subject>,
    /// What for.
    #[n(1)]
    pub purpose: Purpose,
    /// Why.
    #[n(2)]
    pub reason: RefusalReason,
    /// How many times in a row, from 1.
    #[n(3)]
    pub count: u32,
}

/// A sign-in or sign-out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct OperatorSession {
    /// Who.
    #[n(0)]
    pub operator: OperatorId,
}

/// A step of the wall clock.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct ClockStepped {
    /// By how many microseconds, positive for forward.
    #[n(0)]
    pub by_us: i64,
}

/// The end of a lease generation at its device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct LeaseClosed {
    /// Which lease.
    #[n(0)]
    pub lease: LeaseId,
    /// Its generation.
    #[n(1)]
    pub generation: u32,
    /// All that the device spent of it.
    #[n(2)]
    pub spent_total: Amount,
}

/// A terminal's own account of a day, computed from its journal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct DayClosed {
    /// The business day.
    #[n(0)]
    pub day: Day,
    /// First seq that it covers.
    #[n(1)]
    pub from_seq: u64,
    /// Last seq that it covers, the one before this fact.
    #[n(2)]
    pub to_seq: u64,
    /// What the facts in that range come to.
    #[n(3)]
    pub totals: DayTotals,
}

/// Sums over a range of facts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct DayTotals {
    /// Facts in the range, of every kind.
    #[n(0)]
    pub facts: u64,
    /// Visits.
    #[n(1)]
    pub visited: u64,
    /// Check-ins that were no repeats.
    #[n(2)]
    pub attended: u64,
    /// Repeats.
    #[n(3)]
    pub repeats: u64,
    /// Purchases and other earns that were no repeats.
    #[n(4)]
    pub earned: u64,
    /// What displays promised, per unit, sorted by unit.
    #[n(5)]
    pub promised: Vec<Leg>,
    /// Fen of purchases that were no repeats.
    #[n(6)]
    pub purchases: Amount,
    /// Spends.
    #[n(7)]
    pub spent: u64,
    /// What was spent, per unit.
    #[n(8)]
    pub spent_legs: Vec<Leg>,
    /// Fen paid in.
    #[n(9)]
    pub topped_up: Amount,
    /// Hand-outs.
    #[n(10)]
    pub handed_out: u64,
    /// Refusals, each counted as often as it happened.
    #[n(11)]
    pub refused: u64,
    /// Value facts reversed.
    #[n(12)]
    pub reversed: u64,
}

/// The end of a command.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct CommandDone {
    /// Which command.
    #[n(0)]
    pub command: CommandId,
    /// Whether it was carried out.
    #[n(1)]
    pub done: bool,
    /// What happened, in the terminal's words.
    #[n(2)]
    pub detail: String,
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
        }
    }

    /// Who or what was presented, where the event has such.
    #[must_use]
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Visited(seen) | Self::CardReportedLost(seen) => Some(&seen.subject),
            Self::Attended(attended) => Some(&attended.subject),
            Self::HandedOut(handed) => Some(&handed.subject),
            Self::Earned(earned) => Some(&earned.subject),
            Self::Spent(spent) => Some(&spent.subject),
            Self::ToppedUp(topped) => Some(&topped.subject),
            Self::ApplicationTaken(form) => form.subject.as_ref(),
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
