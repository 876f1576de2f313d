//! The bodies of events: what each kind of fact says of itself.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Paid, Purpose, RefusalReason};
use crate::ids::{BootId, CommandId, FactId, Hash, ItemId, LeaseId, MemberId, OccurrenceId, OperatorId};
use crate::member_code::CodeNonce;
use crate::money::{Amount, Leg};
use crate::time::{Day, Instant};
use crate::token::{MediumKind, Token};
use crate::wire::version::Version;

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
    /// Which member code it was, if it was one: two terminals that took the same code saw a copy.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeNonce>,
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
    /// Which way; always in where an occurrence does not count who leaves.
    #[n(5)]
    #[cbor(default)]
    pub way: Way,
    /// How many companions came in with the member; none for nobody. Whoever they are, they have places and no points.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub companions: Option<u32>,
}

/// Which way a gate was passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// In.
    #[default]
    #[n(0)]
    In,
    /// Out.
    #[n(1)]
    Out,
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
    /// The money that was paid, in fen; zero where no purchase is the cause.
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
    /// What the slip says beside the money; none for a plain purchase.
    #[n(6)]
    pub paid: Option<Paid>,
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
    /// Stored value that was paid out in money: dictionary code of the way it was paid. None where it was spent.
    #[n(5)]
    pub paid_out: Option<String>,
}

/// Dictionary code of the reason for taking back what was recorded by mistake: nothing was bought.
pub const REASON_MISTAKE: &str = "mistake";

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

impl Reversed {
    /// Whether goods came back, and nothing was recorded by mistake: only then may a club leave their points (rule S8).
    #[must_use]
    pub fn brings_goods_back(&self) -> bool {
        self.reason != REASON_MISTAKE
    }
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
    /// Code of the wording that the person agreed to, as it was shown; none where nobody asked.
    #[n(3)]
    pub consent: Option<String>,
}

/// A complaint as it is taken (rule K32).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Complaint {
    /// What was said, sealed beside the fact.
    #[n(0)]
    pub form: Form,
    /// Dictionary code of the kind (rule K31).
    #[n(1)]
    pub kind: String,
    /// Whether it is urgent.
    #[n(2)]
    pub urgent: bool,
    /// The number on the receipt that the guest was given.
    #[n(3)]
    pub receipt: String,
    /// Until when the guest was promised an answer.
    #[n(4)]
    pub promised: Instant,
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

/// A member was given a card in place of another (rules H5, K17): the old one is void from then on, and whatever the
/// member has stays with the member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct CardReplaced {
    /// The old card: read if it was there, typed or found if it was lost.
    #[n(0)]
    pub subject: Subject,
    /// The new card's token.
    #[n(1)]
    pub card: Token,
    /// How the new card was read.
    #[n(2)]
    pub medium: MediumKind,
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
